"""Capacity: days at work, what was done on them, and how much was open at the same time."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import pandas as pd

from salesnb.measures.catalogue import flag
from salesnb.measures.catalogue.columns import DAY, IS_LOST, IS_WON, WORKING_DAYS
from salesnb.measures.engine import Engine, Lazy
from salesnb.measures.facts import read_columns, with_team
from salesnb.measures.people import OWNER
from salesnb.periods import FiscalCalendar
from salesnb.schema import activities, opportunities
from salesnb.sources.snapshot import Snapshot

KINDS = ("call", "meeting", "email")
_DONE = [*(f"n_{kind}s" for kind in KINDS), "n_linked", "call_seconds", "meeting_seconds"]
_SUMS = ["working_days", "n_new", "open_days", *_DONE]
CAPACITY_COLUMNS = ["rep_id", "team_id", "period", *_SUMS]
_FROM, _TO = "month_begins", "month_ends"


def empty_capacity() -> pd.DataFrame:
    """Make the table of a snapshot of which nothing was counted."""
    return pd.DataFrame(columns=CAPACITY_COLUMNS)


def no_capacity() -> pd.DataFrame:
    """Make what `measure_capacity` gives where there is nothing to count."""
    return pd.DataFrame(columns=[OWNER, *_SUMS]).astype({OWNER: "int32"})


def measure_capacity(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, owners: Lazy, active: pd.DataFrame, *,
    periods: tuple[str, ...], as_of: dt.date,
) -> pd.DataFrame:  # fmt: skip
    """Add up working days, activities and days of open opportunities by owner.

    Every activity counts, answered or not: it took time. What is open counts for its owner at
    close, month by month, in the team of the month's first day on which it was open.

    Returns
    -------
    DataFrame
        owner, working_days, n_new (opportunities created), open_days (an opportunity open for a
        day is one; the day it closes on is none), n_calls, n_meetings, n_emails, n_linked (those
        on an opportunity), call_seconds, meeting_seconds; 0 where there was none, activities
        missing throughout without a table of them. In the order of owner.
    """
    parts: list[pd.Series[float] | pd.DataFrame] = [
        active.set_index(OWNER)[WORKING_DAYS].rename("working_days")
    ]
    if snapshot.has("opportunities", opportunities.created_on):
        parts += _count_open(engine, snapshot.calendar, opportunity, owners, periods, as_of)
    has_done = snapshot.has("activities", activities.started_at)
    if has_done:
        parts.append(_count_done(engine, snapshot, owners, as_of))
    found = pd.concat(parts, axis=1).reindex(columns=_SUMS).astype(float)
    kept = [name for name in _SUMS if has_done or name not in _DONE]
    found[kept] = found[kept].fillna(0.0)
    found = found[(found[kept] != 0).any(axis=1)].sort_index()
    return found.rename_axis(OWNER).reset_index().astype({OWNER: "int32"})


def _count_open(
    engine: Engine, calendar: FiscalCalendar, opportunity: Lazy, owners: Lazy,
    periods: tuple[str, ...], as_of: dt.date,
) -> list[pd.Series[float]]:  # fmt: skip
    """Cut what is open at the months, and add up its days."""
    months = engine.local(_list_months(calendar, periods, as_of))
    created = nw.col(opportunities.created_on)
    decided = nw.col(IS_WON) | nw.col(IS_LOST)
    rows = opportunity.filter(~created.is_null()).select(
        opportunities.rep_id, opportunities.created_on,
        nw.when(decided).then(nw.col(opportunities.closed_on)).alias("_end"),
    )  # fmt: skip
    new = with_team(rows, owners, opportunities.created_on)
    n_new = engine.collect(new.group_by(OWNER).agg(nw.len().cast(nw.Float64).alias("n_new")))
    first, after = nw.col(_FROM), nw.col(_TO)
    pieces = rows.join(months, how="cross").filter(
        created < after, (nw.col("_end") > first).fill_null(True)
    )
    end = nw.when((nw.col("_end") < after).fill_null(False)).then(nw.col("_end")).otherwise(after)
    pieces = pieces.with_columns(
        nw.when(created > first).then(created).otherwise(first).alias(DAY), end.alias(_TO)
    )
    length = (nw.col(_TO) - nw.col(DAY)).cast(nw.Int64).cast(nw.Float64)
    pieces = with_team(pieces.with_columns(length.alias("open_days")), owners, DAY)
    open_days = engine.collect(pieces.group_by(OWNER).agg(nw.col("open_days").sum()))
    return [n_new.set_index(OWNER)["n_new"], open_days.set_index(OWNER)["open_days"]]


def _list_months(
    calendar: FiscalCalendar, periods: tuple[str, ...], as_of: dt.date
) -> pd.DataFrame:
    """List the months of the quarters up to `as_of`, cut where quarters begin."""
    days = calendar.days(calendar.first_day(periods[0]), as_of)
    month = days["day"].dt.year * 12 + days["day"].dt.month
    months = days.groupby(["period", month.rename("month")])["day"].agg(["min", "max"])
    after = months["max"] + pd.Timedelta(days=1)
    return pd.DataFrame({_FROM: months["min"], _TO: after}).reset_index(drop=True)


def _count_done(engine: Engine, snapshot: Snapshot, owners: Lazy, as_of: dt.date) -> pd.DataFrame:
    rows = read_columns(
        engine, snapshot, activities.rep_id, activities.kind, activities.started_at,
        activities.seconds, activities.opportunity_id,
    )  # fmt: skip
    rows = rows.with_columns(nw.col(activities.started_at).cast(nw.Date).alias(DAY))
    kind, seconds = nw.col(activities.kind), nw.col(activities.seconds).fill_null(0.0)
    zero = nw.lit(0.0)
    rows = with_team(rows.filter(nw.col(DAY) <= as_of), owners, DAY).select(
        OWNER,
        *(flag(kind == name).alias(f"n_{name}s") for name in KINDS),
        flag(~nw.col(activities.opportunity_id).is_null()).alias("n_linked"),
        nw.when(kind == "call").then(seconds).otherwise(zero).alias("call_seconds"),
        nw.when(kind == "meeting").then(seconds).otherwise(zero).alias("meeting_seconds"),
    )
    sums = rows.group_by(OWNER).agg(*(nw.col(name).sum() for name in _DONE))
    return engine.collect(sums).set_index(OWNER)
