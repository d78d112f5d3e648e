"""A company of a few leads and touches, each with a reason to be there, and what is so by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
from made_company import QUARTERS, make_measures

from salesnb.measures.demand import Demand
from salesnb.measures.demand.names import COLUMNS, KEYS

COMPANY = (
    "company: Acme\nas_of: 2026-07-15\ncurrency: USD\nmaturity_days: 30\nsla_minutes: 60\n"
    "opens_at: 9\ncloses_at: 17\n"
)
REPS = "rep_id,name\nr1,Ana\nr2,Ben\n"
TEAMS = "team_id,name,parent_id\nt1,North,\nt2,South,\n"
MEMBERSHIPS = """rep_id,team_id,manager_id,valid_from,valid_to
r1,t1,,2025-01-01,
r2,t2,,2025-01-01,
"""
OPPORTUNITIES = """opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount,source
o1,r1,2026-04-10,2026-05-20,true,true,100,Web
o2,r1,2026-04-20,2026-06-10,false,true,80,Web
o3,r2,2026-05-05,,false,false,60,Fair
o4,r2,2026-05-06,2026-07-10,true,true,300,Fair
o5,r2,2026-06-01,2026-06-30,true,true,40,
o6,r1,2026-02-01,2026-04-02,true,true,10,Web
"""
# l1 and l2 both became o1. l3 was answered late, l4 never; l5 is a copy, l6 is invalid; l7 was
# rejected without a look, l8 accepted and handed back; l9's rejection is not known yet; l10 was
# qualified before anybody touched it.
LEADS = """lead_id,rep_id,source,campaign,segment,created_at,first_touch_at,qualified_at,converted_opportunity_id,rejected_reason,rejected_at
l1,r1,Web,Spring,SMB,2026-04-01 10:00:00,2026-04-01 10:30:00,2026-04-02 09:00:00,o1,,
l2,r1,Web,Spring,SMB,2026-04-03 10:00:00,2026-04-03 11:00:00,2026-04-04 09:00:00,o1,,
l3,r1,Web,Summer,,2026-04-06 10:00:00,2026-04-07 10:00:00,2026-04-08 09:00:00,o2,,
l4,r1,Web,Summer,,2026-04-07 10:00:00,,,,,
l5,r1,Web,Spring,SMB,2026-04-01 10:05:00,,,,Duplicate,
l6,r2,Fair,,,2026-05-01 12:00:00,2026-05-04 09:10:00,,,invalid,2026-05-04 09:20:00
l7,r2,Fair,,SMB,2026-05-01 12:00:00,,,, No Fit ,2026-05-05 00:00:00
l8,r2,Fair,,,2026-05-04 09:00:00,2026-05-04 09:10:00,2026-05-05 09:00:00,,no budget,2026-05-06 00:00:00
l9,r2,Fair,,,2026-06-29 09:00:00,2026-06-29 12:00:00,,,no fit,2026-07-16 00:00:00
l10,r2,,,,2026-05-04 09:00:00,2026-05-06 09:00:00,2026-05-05 09:00:00,o4,,
"""  # noqa: E501
# o1 is opened by the Fair, then met the Web twice; the last came after it was created. o2 has one
# touch, o4 two at one moment, of which t5 counts as the first. o3 was touched too late, o5 never.
TOUCHES = """touch_id,lead_id,opportunity_id,source,campaign,touched_at
t1,l1,,Fair,Expo,2026-03-01 09:00:00
t2,l1,,Web,Spring,2026-04-01 10:00:00
t3,l2,,Web,Spring,2026-04-03 10:00:00
t4,,o1,Mail,News,2026-04-11 09:00:00
t5,l10,,Mail,News,2026-05-06 08:00:00
t6,,o4,Web,,2026-05-06 08:00:00
t7,,o3,Web,,2026-05-06 08:00:00
t8,,o2,Web,Spring,2026-04-20 23:59:00
t9,l4,,Web,Spring,2026-04-07 10:00:00
"""
SPEND = """source,period,spend
Web,2026Q2,50
Fair,2026Q2,90
Radio,2026Q2,10
Web,2026Q1,5
"""
TABLES = {
    "reps": REPS, "teams": TEAMS, "memberships": MEMBERSHIPS, "opportunities": OPPORTUNITIES,
    "leads": LEADS, "touches": TOUCHES, "sources": SPEND,
}  # fmt: skip


def demand_frame(name, rows):
    """Make a table of demand; what a row does not say is 0 or an empty text."""
    full = [{c: "" if c in KEYS else 0.0 for c in COLUMNS[name]} | row for row in rows]
    return pd.DataFrame(full, columns=COLUMNS[name])


def demand_company(**tables):
    """Two teams whose demand tables are given as rows."""
    rows = [(f"{team}1", team, quarter, "win_rate", 3, 10, 10, np.nan, np.nan)
            for team in "AB" for quarter in QUARTERS]  # fmt: skip
    made = make_measures(rows, kpis=("win_rate",), maturity_days=60)
    given = {name: demand_frame(name, rows) for name, rows in tables.items()}
    return replace(made, demand=Demand(**given))
