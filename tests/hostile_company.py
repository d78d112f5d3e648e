"""A company whose data are all that the import still accepts, and ways to store it in pieces."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from small_company import import_tables

from salesnb.sources.snapshot import Snapshot

AS_OF = "2024-11-05"
COMPANY = (
    f"as_of: {AS_OF}\ncurrency: USD\nfiscal_year_start: 2\nramp_days: 90\n"
    "connected_call_seconds: 60\n"
)

REPS = """rep_id,name,role,hired_on,left_on
r1,Ana,AE,2023-01-02,
r2,Ben,,2024-01-15,
"Zoë ""Ω"" 😀","Zoë, née 李",AE,,2024-09-01
 -1,Minus One,SDR,2024-02-29,
r0,Nobody's,,,
"""
TEAMS = "team_id,name,parent_id\nt1,Nørd,\nt2,Süd & Ost,t1\nt3,Empty,\n"
MEMBERSHIPS = """rep_id,team_id,manager_id,valid_from,valid_to
r1,t1,,,
r2,t1,r1,2024-01-15,2024-06-14
r2,t2,r1,2024-06-14,
"Zoë ""Ω"" 😀",t2,,2024-02-29,2024-08-01
"Zoë ""Ω"" 😀",t1,,2024-08-01,2024-08-15
-1,t1,,2024-05-01,2024-07-01
-1,t2,,2024-05-01,2024-07-01
"""
LEAVES = """rep_id,valid_from,valid_to
r1,2024-02-26,2024-03-04
r1,2024-03-01,2024-03-11
"""
RATES = """currency,rate_on,rate
EUR,2018-01-01,1.1
EUR,2024-02-29,1.0625
EUR,2024-06-14,1.07
GBP,2018-01-01,1.25
JPY,2018-01-01,0.0067
"""
OPPORTUNITIES = """opportunity_id,rep_id,created_on,qualified_on,closed_on,expected_close_on,is_won,is_closed,amount,currency,list_amount,loss_reason,source,account_id
o1,r1,2024-01-05,2024-01-20,2024-02-29,,true,true,100.10,,120,,Web,c1
o2,r1,2024-02-29,2024-02-29,2024-02-29,2024-02-29,true,true,0.01,EUR,,,,
o3,r2,2024-06-13,2024-06-13,2024-06-13,,true,true,1e15,USD,1e15,,Web,
o4,r2,2024-06-14,2024-06-14,2024-06-14,,true,true,333.33,GBP,300,,"Événement, Köln",c2
o5,r2,2024-06-14,,2024-06-14,,false,true,0,GBP,10, NO Decision ,,
o6,r2,,,2024-07-31,,true,true,70,EUR,,,,
o7,r2,,,,,false,false,,,,,,
o8,"Zoë ""Ω"" 😀",2024-03-01,2024-04-01,2024-08-01,2024-07-31,true,true,5000,JPY,0,,Web,c1
o9,"Zoë ""Ω"" 😀",2024-03-01,2024-04-01,2024-07-31,2024-07-31,false,true,-5000,JPY,,price,Web,
o10,"Zoë ""Ω"" 😀",2024-03-01,2024-04-01,2024-08-15,2024-07-31,true,true,,EUR,,,,
o11,-1,2018-12-31,2019-01-01,,2024-12-31,false,false,250,EUR,,,,
o12,-1,2024-03-31,2024-06-30,,2024-11-30,false,false,1250.5,,,,Web,c1
o13,-1,2024-04-30,2024-05-01,2024-07-01,2024-11-30,true,true,99.99,,111.1,,,c3
o14,r0,2024-10-31,2024-11-01,2024-11-01,,true,true,0.1,,,,,
o15,r0,2024-10-31,2024-11-01,2024-11-01,,true,true,0.2,,,,,
o16,r0,2024-11-05,2024-11-05,2024-11-06,2024-11-06,true,true,1000,USD,,,,
o17,r1,2024-11-06,,,2025-01-01,false,false,10,USD,,,,
o18,r1,2024-03-01,2024-03-01,2024-03-31,,true,true,200,,-5,,,
o19,r1,2024-03-01,2024-03-01,2024-03-31,,true,true,200,USD,,,,
o20,r1,2024-03-01,2024-03-01,2024-03-31,,false,true,1,USD,,went dark,,
o21,r2,2024-06-01,,2024-08-31,,false,true,7,EUR,,Stalled,Web,nowhere
"""  # noqa: E501
OWNER_HISTORY = """opportunity_id,rep_id,owned_from,previous_rep_id
o1,r2,2024-02-29 23:59:59.999999,r1
o2,r2,2024-03-01 00:00:00,-1
o4,r1,2024-06-13 08:00:00,
o4,r0,2024-06-13 08:00:00,r1
o8,r1,2024-07-21 00:00:00,"Zoë ""Ω"" 😀"
o8,"Zoë ""Ω"" 😀",2024-07-31 00:00:00,r1
o11,r0,2024-11-06 00:00:00,
o12,r1,1999-12-31 23:00:00,
"""
PICTURES = """as_of,opportunity_id,amount,expected_close_on,stage
2024-05-01,o11,200,2024-05-31,Talk
2024-05-01,o4,300,2024-06-30,Talk
2024-04-15,o4,999,2024-06-30,
2024-07-20,o8,5000,2024-08-31,Talk
2024-07-20,o9,,2024-08-31,
2024-07-20,o13,40,,
2024-07-20,o12,-7,2024-09-30,
2024-07-20,o11,250,2024-09-30,Offer
"""
HOLIDAYS = "holiday_on\n2024-02-29\n2024-06-15\n2024-11-05\n"
LEADS = """lead_id,rep_id,created_at,converted_opportunity_id,rejected_reason,qualified_at,first_touch_at,source,campaign,segment,rejected_at
l1,r1,2024-02-29 23:59:59.999999,o1,,2024-03-01 09:00:00,2024-03-01 09:00:30,Web,"Spring ""24"", DE",SMB,
l2,,2024-03-01 00:00:00,o2,,,2024-03-04 12:00:00,Web,,,
l3,,2024-10-31 12:00:00,nowhere,budget,2024-11-06 00:00:00,2024-11-06 00:00:00,"Événement, Köln",,,2024-11-06 00:00:00
l4,r2,2024-06-13 23:30:00,o3,Duplicate,,,,,,2024-06-14 09:00:00
l5,r2,2024-06-14 00:00:00,o4,ＩＮＶＡＬＩＤ,,,Web,NaN,SMB,
l6,r2,2024-06-14 00:00:00,o4,INVALID,,,Web,,SMB,
l7,-1,2024-11-05 23:59:59,o16,,2024-11-05 23:59:59,,"=cmd()",=1+1,,
l8,-1,2024-11-06 00:00:00,,,,,,,,
l9,"Zoë ""Ω"" 😀",2017-05-05 05:05:05,,,,,,,,
l10,r2,2024-06-13 10:00:00,o4,,2024-06-13 12:00:00,2024-06-13 17:30:00,Web,NaN,小企業,
l11,r2,2024-06-13 10:00:00,,  No FIT ,2024-06-13 12:00:00,2024-06-13 11:30:00,Web,NaN,小企業,2024-06-13 12:00:00
"""  # noqa: E501
TOUCHES = """touch_id,lead_id,opportunity_id,source,campaign,touched_at
t1,l1,,Web,"Spring ""24"", DE",2024-01-01 00:00:00
t2,l1,,"Événement, Köln",NaN,2024-01-05 23:59:59.999999
t3,l1,o8,,,2024-01-05 10:00:00
t4,,o8,Web,,2024-01-05 10:00:00
t5,nowhere,,Web,,2024-01-05 10:00:00
t6,,,Web,,2024-01-05 10:00:00
t7,,o1,Web,,2024-01-06 00:00:00
t8,l10,,=cmd(),,2024-06-13 10:00:00
t9,l6,,Web,,2024-06-13 10:00:00
t10,,o7,Web,,2024-06-13 10:00:00
t11,,o16,Web,,2024-11-05 10:00:00
t12,,o17,Web,,2024-11-01 10:00:00
"""
ACTIVITIES = """activity_id,rep_id,kind,started_at,seconds,is_connected,opportunity_id
a1,r1,call,2024-02-29 08:00:00,60,,nowhere
a2,r1,call,2024-02-29 08:00:00,59.9,true,o1
a3,r1,call,2024-02-29 23:59:59,,,
a4,r2,call,2024-06-14 00:00:00,600,false,o4
a5,r2,meeting,2024-06-13 23:59:59,,true,o4
a6,r2,meeting,2024-06-14 09:00:00,0,,
a7,r2,email,2024-06-14 09:00:00,,,
a8,-1,meeting,2024-07-01 09:00:00,3600,false,
a9,"Zoë ""Ω"" 😀",call,2024-08-15 00:00:00,61,true,o8
a10,r0,call,2016-01-01 00:00:00,61,true,
a11,r0,meeting,2024-11-05 23:00:00,61,true,o12
"""
TARGETS = """owner_kind,owner_id,period,kpi,target
rep,r1,2025Q1,bookings,300
rep,r2,2025Q2,bookings,1000
rep,r2,2025Q3,bookings,0
rep,-1,2025Q4,bookings,2500.5
rep,"Zoë ""Ω"" 😀",2025Q3,bookings,40
rep,r0,2019Q1,bookings,10
rep,r1,2025Q1,leads,7
rep,-1,2025Q2,bookings,3000
team,t1,2025Q1,bookings,5000
"""
RATINGS = """form_id,skill,rep_id,rater_id,rater_role,score,rated_on
f1,closing,r1,r2,peer,4,2024-02-29
f1,discovery,r1,r2,peer,,2024-02-29
f2,closing,r2,r1,,3.5,2024-06-13
f3,closing,r2,r1,manager,1,2024-06-14
f4,"Zuhören, 聴く","Zoë ""Ω"" 😀",r1,self,5,2024-08-15
f5,closing,-1,r1,coach,2,2024-11-06
f6,closing,r0,r1,coach,2,2017-01-01
f7,closing,r1,r0,manager,2.5,2024-03-01
"""
SKILLS = "skill,role,group,weight,target\nclosing,AE,selling,2,4\ndiscovery,AE,selling,,3\n"
STAGES = """stage,stage_order,is_qualified,is_won,is_lost
Talk,1,false,false,false
Offer,2,true,,
"Gewonnen, ✓",3,true,true,false
Lost,4,false,false,true
"""
STAGE_HISTORY = """opportunity_id,stage,entered_at
o1,Talk,2024-02-10 10:00:00
o1,Offer,2024-02-29 08:00:00
o1,"Gewonnen, ✓",2024-02-29 23:59:59
o8,Talk,2024-04-01 00:00:00
o8,Offer,2024-05-01 12:30:00
o8,Talk,2024-05-03 12:30:00
o9,Offer,2024-05-01 00:00:00
o9,Lost,2024-07-31 00:00:00
o11,Talk,2024-06-01 00:00:00
o11,unheard of,2024-06-30 00:00:00
o12,Talk,2024-11-05 23:00:00
o12,Offer,2024-11-06 00:00:00
"""
ACCOUNTS = "account_id,name,territory_id,is_target\nc1,One,T1,true\nc2,Two,T2,true\nc3,Three,,\n"
TERRITORIES = """territory_id,rep_id,potential
T1,r1,0.1
T2,,7
T3,r1,
T4,r2,0
"""
SOURCES = """source,period,spend
Web,2025Q1,100.1
Web,2025Q2,
"Événement, Köln",2025Q2,33.3
Nobody's,2025Q3,50
Web,2017Q1,9
"""
TABLES = {
    "reps": REPS, "teams": TEAMS, "memberships": MEMBERSHIPS, "leaves": LEAVES,
    "exchange_rates": RATES, "opportunities": OPPORTUNITIES, "owner_history": OWNER_HISTORY,
    "pipeline_snapshots": PICTURES, "holidays": HOLIDAYS, "leads": LEADS, "touches": TOUCHES,
    "activities": ACTIVITIES, "targets": TARGETS, "ratings": RATINGS,
    "skills": SKILLS, "stages": STAGES, "stage_history": STAGE_HISTORY, "accounts": ACCOUNTS,
    "territories": TERRITORIES, "sources": SOURCES,
}  # fmt: skip
FACTS = ("opportunities", "pipeline_snapshots", "leads", "touches", "activities", "ratings")


def hostile_snapshot(folder, **changes):
    """Import the company strictly: the data are odd, and none is wrong."""
    return import_tables(folder, {**TABLES, **changes}, company=COMPANY, strict=True)


_ODD = "Q[1] *ü & k=1 {a,b} 100% #"
_MATCHED = ("Q1 xü & k=1 {a,b} 100% #", "Q1 xü & k=1 a 100% #")
"""A folder's name full of wildcards, and names that it matches, with braces and without."""


def in_odd_folder(snapshot, home):
    """Move a snapshot to a folder whose name has wildcards; in those it matches reps are none."""
    odd = replace(snapshot, folder=snapshot.folder.rename(home / _ODD))
    for name in _MATCHED:
        shutil.copytree(odd.folder, home / name)
        for path in replace(odd, folder=home / name).paths("reps"):
            pq.write_table(pq.read_table(path).slice(0, 0), path)
    return odd


@dataclass(frozen=True)
class Scattered(Snapshot):
    """A snapshot whose facts lie in `home`, in many files a table."""

    home: Path

    def paths(self, table):
        return tuple(sorted((self.home / table).glob("*.parquet"))) or super().paths(table)


def scatter(snapshot, home):
    """Store each fact's rows by what they lack, in files without those columns.

    The files have columns of the import's own too, each in an order of its own, and one has no
    rows.
    """
    for table in FACTS:
        rows = pa.concat_tables(
            [pq.read_table(path) for path in snapshot.paths(table)], promote_options="default"
        ).select(snapshot.columns(table))
        folder = home / table
        folder.mkdir(parents=True)
        _write(rows.slice(0, 0).select(rows.column_names[:1]), folder, "empty")
        lacks = pd.DataFrame({name: rows[name].is_null().to_pandas() for name in rows.column_names})
        for number, (pattern, places) in enumerate(lacks.groupby(rows.column_names).groups.items()):
            kept = [name for name, is_lacking in zip(lacks, pattern, strict=True) if not is_lacking]
            turned = kept[number % len(kept) :] + kept[: number % len(kept)]
            _write(rows.take(list(places)).select(turned), folder, f"{number:02}")
    return Scattered(snapshot.folder, snapshot.index, home)


def _write(rows, folder, name):
    number = pa.array(range(len(rows)), pa.int64())
    rows = rows.append_column("_row", number).append_column("_merged", number.cast(pa.string()))
    pq.write_table(rows, folder / f"{name}.parquet")
