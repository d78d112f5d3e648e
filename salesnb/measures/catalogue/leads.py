"""KPIs of leads, activities and accounts."""

from __future__ import annotations

import narwhals as nw

from salesnb.measures.catalogue.columns import (
    ACTIVE_SHARE,
    BOUGHT,
    DAY,
    IS_CALL,
    IS_IN_TIME,
    IS_MEETING,
    IS_REACHED,
    IS_TIME_UP,
    IS_TOUCHED,
    IS_VALID,
    LEAD_CONVERTED,
    LEAD_QUALIFIED,
    LEAD_WON,
    MINUTES,
    SPEND,
    WORKING_DAYS,
)
from salesnb.measures.catalogue.kpi import ONE, Kpi, Part, flag
from salesnb.schema import accounts, activities, leads, opportunities, sources, territories


def _lead(value: nw.Expr) -> Part:
    return Part("leads", leads.created_at, value)


def _response(value: nw.Expr) -> Part:
    return Part("responses", leads.created_at, value)


def _activity(value: nw.Expr) -> Part:
    return Part("activities", activities.started_at, value)


def _paid(value: nw.Expr) -> Part:
    return Part("spend", DAY, value)


_is_valid = flag(nw.col(IS_VALID))
_n_qualified = flag(nw.col(IS_VALID) & nw.col(LEAD_QUALIFIED))
_minutes = nw.col(MINUTES)
_calls = flag(nw.col(IS_CALL))

LEADS = Kpi(
    "leads", "Leads", "distinct valid leads", "created in the quarter",
    "count", "count", "up",
    _lead(_is_valid), Part("rep_days", DAY, nw.col(ACTIVE_SHARE)), (leads.created_at,),
    "duplicates and invalid leads are left out; routing decides who gets them",
    is_ratio=False,
)  # fmt: skip
LEAD_TO_QUALIFIED = Kpi(
    "lead_to_qualified", "Lead to qualified", "valid leads accepted as qualified / valid leads",
    "created in the quarter, matured", "rate", "share", "up",
    _lead(_n_qualified), _lead(_is_valid), (leads.created_at, leads.qualified_at),
    "as strict as the definition of qualified",
    matures=True, is_headline=False,
    importance=0.5,
)  # fmt: skip
QUALIFIED_TO_OPPORTUNITY = Kpi(
    "qualified_to_opportunity", "Qualified to opportunity",
    "qualified leads that became an opportunity / qualified leads",
    "created in the quarter, matured", "rate", "share", "up",
    Part("qualified_leads", leads.created_at, flag(nw.col(LEAD_CONVERTED))),
    Part("qualified_leads", leads.created_at, ONE),
    (leads.created_at, leads.qualified_at, leads.converted_opportunity_id),
    "an opportunity that was opened without converting the lead is not seen",
    matures=True, is_headline=False,
    importance=0.5,
)  # fmt: skip
LEAD_TO_WON = Kpi(
    "lead_to_won", "Lead to won", "valid leads that became a won opportunity / valid leads",
    "created in the quarter, matured", "rate", "share", "up",
    _lead(flag(nw.col(IS_VALID) & nw.col(LEAD_WON))), _lead(_is_valid),
    (leads.created_at, leads.converted_opportunity_id),
    "known late; mixes lead quality with selling",
    matures=True,
    importance=0.7,
)  # fmt: skip
RESPONSE_MINUTES = Kpi(
    "response_minutes", "Response time",
    "median business minutes from a lead to its first human touch (Kaplan-Meier)",
    "created in the quarter", "plain", "minutes", "down",
    _response(_minutes), _response(nw.when(~_minutes.is_null()).then(ONE)),
    (leads.created_at, leads.first_touch_at),
    "untouched leads count as waiting until now; {opens_at}:00 to {closes_at}:00 on working days "
    "count; rounded to 5 minutes, beyond an hour to 30, beyond eight to eight hours",
    moment=_response(_minutes), survival_of=_response(_minutes), ended=nw.col(IS_TOUCHED),
    is_headline=False,
    importance=0.5,
)  # fmt: skip
SLA_SHARE = Kpi(
    "sla_share", "Answered in time",
    "valid leads touched within {sla_minutes} business minutes / valid leads whose time is up "
    "or that were touched",
    "created in the quarter", "rate", "share", "up",
    _response(flag(nw.col(IS_IN_TIME))), _response(flag(nw.col(IS_TIME_UP))),
    (leads.created_at, leads.first_touch_at),
    "a quick touch need not be a good one",
    is_headline=False,
    importance=0.5,
)  # fmt: skip
COST_PER_OPPORTUNITY = Kpi(
    "cost_per_opportunity", "Cost per opportunity",
    "spend on sources / opportunities created from the sources with a spend",
    "created in the quarter", "plain", "money", "down",
    _paid(nw.col(SPEND)), _paid(nw.col(BOUGHT)),
    (opportunities.created_on, opportunities.source, sources.spend),
    "a source's spend is shared equally by its opportunities of the quarter, so people differ by "
    "their mix of sources; spend without any opportunity is the company's alone",
    moment=_paid(nw.col(BOUGHT)), is_headline=False,
    importance=0.3,
)  # fmt: skip
CONNECTED_CALLS = Kpi(
    "connected_calls", "Connected calls a day", "connected calls / working days",
    "started in the quarter", "count", "ratio", "neutral",
    _activity(_calls), Part("rep_days", DAY, nw.col(WORKING_DAYS)),
    (activities.started_at, activities.kind),
    "easy to inflate: read it with meetings per 100 calls",
    importance=0.3,
)  # fmt: skip
MEETINGS_PER_100 = Kpi(
    "meetings_per_100", "Meetings per 100 calls", "meetings held / connected calls x 100",
    "started in the quarter", "count", "ratio", "up",
    _activity(flag(nw.col(IS_MEETING))), _activity(_calls),
    (activities.started_at, activities.kind),
    "depends on the mix of new and existing customers",
    scale=100.0,
    importance=0.5,
)  # fmt: skip
ACCOUNT_COVERAGE = Kpi(
    "account_coverage", "Account coverage",
    "target accounts with an answered touch in the quarter / target accounts",
    "target accounts of the territories worked now, by their owner", "rate", "share", "up",
    Part("target_accounts", DAY, flag(nw.col(IS_REACHED))), Part("target_accounts", DAY, ONE),
    (accounts.is_target, accounts.territory_id, territories.rep_id, opportunities.account_id,
     activities.started_at, activities.opportunity_id, activities.is_connected),
    "only touches logged on an opportunity of the account are seen; the list and the territories "
    "are today's",
    window=1, is_headline=False,
    importance=0.4,
)  # fmt: skip
