"""Leads on their way: how far they got, how long they waited, and why they were rejected."""

from __future__ import annotations

import datetime as dt
import math

import narwhals as nw
import pandas as pd

from salesnb.measures import facts, responses
from salesnb.measures.catalogue.columns import (
    AMOUNT,
    IS_IN_TIME,
    IS_LOST,
    IS_TIME_UP,
    IS_TOUCHED,
    IS_VALID,
    IS_WON,
    WAITED,
)
from salesnb.measures.demand.grouping import GROUP, Grouping
from salesnb.measures.demand.names import COLUMNS, LEAD_COUNTS, STAGES_OF_REJECTION, WAIT_COUNTS
from salesnb.measures.engine import Lazy
from salesnb.schema import leads, opportunities

EDGES = (
    5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 360.0, 480.0, 720.0, 960.0,
    1440.0, 1920.0, 2880.0, 3840.0, 7680.0,
)  # fmt: skip
"""Business minutes at which waits are parted, beside the SLA."""

SHORTEST = 5.0
"""Minutes below which answers count as equally fast: what happens outside business hours is 0."""

_NAMES = (str(leads.source), str(leads.campaign), str(leads.segment))
_REASON, _IS_REJECTED, _IS_QUALIFIED, _STAGE = "reason", "is_rejected", "is_qualified", "stage"
_IS_OPPORTUNITY, _BECAME, _SHARE, _BOOKED = "is_opportunity", "became_on", "share", "booked_of_it"
_DAY_OF_TOUCH, _DAY_QUALIFIED, _BAND = "touched_on", "qualified_on_day", "band"


def frequent_names(grouping: Grouping) -> dict[str, pd.DataFrame]:
    """List the sources, campaigns, segments and reasons of leads that are kept by their name."""
    ground = grouping.ground
    rows = facts.read_columns(
        ground.engine, ground.snapshot, leads.rep_id, leads.source, leads.campaign, leads.segment,
        leads.created_at, leads.rejected_reason,
    )  # fmt: skip
    rows = rows.with_columns(nw.col(leads.created_at).cast(nw.Date), _reason().alias(_REASON))
    rows = grouping.attribute(rows, leads.created_at)
    names = (*_NAMES, _REASON)
    most = {name: grouping.find_most(rows, name) for name in names}
    return most | {leads.source: grouping.with_paid(most[leads.source])}


def _reason() -> nw.Expr:
    return nw.col(leads.rejected_reason).str.strip_chars().str.to_lowercase().fill_null("")


def lead_rows(grouping: Grouping, amount: Lazy) -> Lazy:
    """Read leads created by the day the world is seen, with all that is said of them by then."""
    ground = grouping.ground
    snapshot, as_of = ground.snapshot, ground.as_of
    rows = facts.read_columns(
        ground.engine, snapshot, leads.rep_id, leads.source, leads.campaign, leads.segment,
        leads.created_at, leads.qualified_at, leads.first_touch_at,
        leads.converted_opportunity_id, leads.rejected_reason, leads.rejected_at,
    )  # fmt: skip
    rows = rows.filter(nw.col(leads.created_at).cast(nw.Date) <= as_of)
    rows = responses.add_waits(rows, ground.engine, snapshot, ground.periods, as_of)
    rejected, qualified = nw.col(leads.rejected_at), nw.col(leads.qualified_at)
    # A day without a reason is a rejection too. A reason without a day was given by the day of the
    # snapshot: whether it had been given on an earlier one, nobody can say.
    undated = rejected.is_null() & (_reason() != "") & nw.lit(as_of >= snapshot.as_of)
    dated = (rejected.cast(nw.Date) <= as_of).fill_null(False)
    rows = rows.with_columns(
        _reason().alias(_REASON),
        (dated | undated).alias(_IS_REJECTED),
        (qualified.cast(nw.Date) <= as_of).fill_null(False).alias(_IS_QUALIFIED),
        facts.is_valid_lead().alias(IS_VALID),
        nw.col(leads.first_touch_at).cast(nw.Date).alias(_DAY_OF_TOUCH),
        qualified.cast(nw.Date).alias(_DAY_QUALIFIED),
    )
    return grouping.attribute(_with_opportunity(rows, amount), leads.created_at)


def _with_opportunity(rows: Lazy, amount: Lazy) -> Lazy:
    """Add what became of the opportunity a lead became.

    What several valid leads became is booked for each in equal parts.
    """
    key = leads.converted_opportunity_id
    became = nw.col(key)
    named = rows.filter(~became.is_null(), nw.col(IS_VALID)).group_by(key).agg(
        nw.len().cast(nw.Float64).alias(_SHARE)
    )  # fmt: skip
    found = amount.select(
        nw.col(opportunities.opportunity_id).alias(key),
        nw.col(opportunities.created_on).alias(_BECAME), IS_WON, IS_LOST, AMOUNT,
    ).join(named, on=key)  # fmt: skip
    rows = rows.join(found, on=key, how="left")
    booked = nw.when(nw.col(IS_WON)).then(nw.col(AMOUNT) / nw.col(_SHARE))
    return rows.with_columns(
        (~nw.col(_SHARE).is_null() & nw.col(IS_VALID)).alias(_IS_OPPORTUNITY),
        booked.fill_null(0.0).alias(_BOOKED),
        *(nw.col(name).fill_null(False).alias(name) for name in (IS_WON, IS_LOST)),
    )


def sum_flow(grouping: Grouping, rows: Lazy, most: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Count leads by how far they got, per source, campaign and segment."""
    names = list(_NAMES)
    counted = grouping.keep(rows, {name: most[name] for name in names})
    valid, booked = nw.col(IS_VALID), nw.col(_BOOKED)
    flags = _flags()
    counted = counted.select(
        GROUP, *names,
        *(_one(flags[name] if name in _OF_ALL else flags[name] & valid).alias(name)
          for name in LEAD_COUNTS),
        nw.when(valid).then(booked).otherwise(nw.lit(0.0)).alias("booked"),
        nw.when(valid).then(booked * booked).otherwise(nw.lit(0.0)).alias("squares"),
    )  # fmt: skip
    values = (*LEAD_COUNTS, "booked", "squares")
    return grouping.sum_up(counted, names, values)[COLUMNS["lead_flow"]]


_OF_ALL = ("all_leads", "duplicates", "invalid")


def _flags() -> dict[str, nw.Expr]:
    touched, rejected = nw.col(IS_TOUCHED), nw.col(_IS_REJECTED)
    qualified, became = nw.col(_IS_QUALIFIED), nw.col(_IS_OPPORTUNITY)
    invalid = ~nw.col(IS_VALID)
    is_copy = nw.col(leads.rejected_reason).str.to_lowercase() == "duplicate"
    decided = nw.col(IS_WON) | nw.col(IS_LOST)
    return {
        "all_leads": nw.lit(True),
        "duplicates": invalid & is_copy,
        "invalid": invalid & ~is_copy,
        "leads": nw.lit(True),
        "touched": touched,
        "in_time": nw.col(IS_IN_TIME),
        "time_up": nw.col(IS_TIME_UP),
        "late": touched & ~nw.col(IS_IN_TIME),
        "qualified": qualified,
        "qualified_opportunities": qualified & became,
        "opportunities": became,
        "won": became & nw.col(IS_WON),
        "lost": became & nw.col(IS_LOST),
        "open": became & ~decided,
        "rejected": rejected,
        "rejected_unseen": rejected & ~touched,
        "qualified_rejected": rejected & qualified,
        "qualified_unseen": qualified & ~touched,
        "rejected_opportunities": rejected & became,
        "waiting": ~(touched | rejected | qualified),
    }


def _one(flag: nw.Expr) -> nw.Expr:
    return nw.when(flag).then(nw.lit(1.0)).otherwise(nw.lit(0.0))


def sum_waits(grouping: Grouping, rows: Lazy, most: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Count valid leads by how long they waited, and what followed a touch.

    A touched lead is followed for the company's `maturity_days` from the touch on. Those touched
    later than so long ago are `young`, and those that were qualified before are set aside: both
    say nothing of how an answer works. An untouched lead has waited until now.
    """
    ground = grouping.ground
    company = ground.snapshot.company
    edges = sorted({*EDGES, float(company.sla_minutes)})
    source = str(leads.source)
    rows = grouping.keep(rows.filter(nw.col(IS_VALID)), {source: most[source]})
    touched, day = nw.col(IS_TOUCHED), nw.col(_DAY_OF_TOUCH)
    last = ground.as_of - dt.timedelta(days=company.maturity_days)
    early = touched & (_is_before(_DAY_QUALIFIED, day) | _is_before(_BECAME, day))
    followed = touched & ~early & (day <= last)
    log = nw.when(nw.col(WAITED) > SHORTEST).then(nw.col(WAITED)).otherwise(nw.lit(SHORTEST))
    log_minutes = log.log() / math.log(2)
    rows = rows.select(
        GROUP, source, _band(edges).alias(_BAND),
        _one(followed).alias("n"),
        nw.when(followed).then(log_minutes).otherwise(nw.lit(0.0)).alias("log_minutes"),
        _one(followed & _follows(_DAY_QUALIFIED, company.maturity_days)).alias("qualified"),
        _one(followed & nw.col(_IS_OPPORTUNITY) & _follows(_BECAME, company.maturity_days))
        .alias("opportunities"),
        _one(touched & ~early & ~followed).alias("young"),
        _one(early).alias("before"),
        _one(~touched).alias("untouched"),
        _one(~touched & nw.col(_IS_QUALIFIED)).alias("untouched_qualified"),
        _one(touched).alias("touched"),
    )  # fmt: skip
    found = grouping.sum_up(rows, [source, _BAND], WAIT_COUNTS)
    band = found.pop(_BAND).to_numpy().astype(int)
    bounds = pd.Series([0.0, *edges, math.inf])
    found["over"], found["up_to"] = bounds.take(band).to_numpy(), bounds.take(band + 1).to_numpy()
    return found[COLUMNS["lead_waits"]]


def _band(edges: list[float]) -> nw.Expr:
    """Find the number of the range of minutes that a wait is in."""
    found: nw.Expr = nw.lit(len(edges))
    for number, edge in reversed(list(enumerate(edges))):
        found = nw.when(nw.col(WAITED) <= edge).then(nw.lit(number)).otherwise(found)
    return found


def _is_before(name: str, day: nw.Expr) -> nw.Expr:
    return (nw.col(name) < day).fill_null(False)


def _follows(name: str, days: int) -> nw.Expr:
    """Whether a day is within so many from the touch on."""
    apart = (nw.col(name) - nw.col(_DAY_OF_TOUCH)).cast(nw.Int64)
    return (apart <= days).fill_null(False)


def sum_rejections(grouping: Grouping, rows: Lazy, most: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Count rejected leads, duplicates and invalid ones among them, by source, reason and stage."""
    source, at = str(leads.source), nw.col(leads.rejected_at)
    kept = {name: most[name] for name in (source, _REASON)}
    rows = grouping.keep(rows.filter(nw.col(_IS_REJECTED)), kept)
    unseen, seen, accepted = STAGES_OF_REJECTION
    was_qualified = nw.col(_IS_QUALIFIED) & _by(leads.qualified_at, at)
    was_touched = nw.col(IS_TOUCHED) & _by(leads.first_touch_at, at)
    stage = nw.when(was_touched).then(nw.lit(seen)).otherwise(nw.lit(unseen))
    stage = nw.when(was_qualified).then(nw.lit(accepted)).otherwise(stage)
    rows = rows.select(GROUP, source, _REASON, stage.alias(_STAGE), nw.lit(1.0).alias("n"))
    return grouping.sum_up(rows, [source, _REASON, _STAGE], ("n",))


def _by(moment: str, at: nw.Expr) -> nw.Expr:
    """Whether a moment is no later than the rejection; true where that has no day."""
    return (at.is_null() | (nw.col(moment) <= at)).fill_null(False)
