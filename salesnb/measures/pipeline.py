"""The pipeline as it was: what was due when, what was open, what moved and what was expected."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from salesnb.measures import facts
from salesnb.measures.catalogue.columns import (
    ACTUAL,
    AMOUNT,
    BOOKED,
    DAY,
    DUE,
    FORECAST,
    IS_LOST,
    IS_QUALIFIED,
    IS_STALLED,
    IS_WON,
    QUOTA,
    SLIPPED,
)
from salesnb.measures.engine import Engine, Lazy
from salesnb.measures.people import OWNER
from salesnb.schema import activities, opportunities, pipeline_snapshots
from salesnb.sources.snapshot import Snapshot

_LAST_DAY = "last_day"
_CLOSED_AMOUNT = "amount_at_close"
_RATE = "won_of_stage"
_FEWEST = 20
"""Opportunities of a stage below which the share won is that of all stages."""
_QUARTERS_BACK = 5
"""Ends of quarters on which what was open is looked at, so that a year can be compared."""


@dataclass(frozen=True)
class Pictures:
    """What was open and due in past quarters, as pictured at their start.

    Attributes
    ----------
    days
        as_of, period, day (the quarter's first), last_day: the picture of each quarter.
    rows
        One row an opportunity that was due; what became of it by the quarter's last day.
    """

    days: pd.DataFrame
    rows: Lazy


def due_facts(
    engine: Engine, snapshot: Snapshot, amount: Lazy, owners: Lazy, quotas: pd.DataFrame,
    pictures: Pictures | None, as_of: dt.date,
) -> Lazy:  # fmt: skip
    """Open amounts due per quarter beside what the quota still lacks, by owner.

    A past quarter is seen on its first day, through the last pipeline picture of the 35 days
    before; the quarter of `as_of` is seen on that day. A quarter that cannot be seen has no rows.
    """
    seen_in = [snapshot.calendar.quarter_of(as_of)]
    amounts = [_due_now(snapshot, amount, as_of), _booked_now(snapshot, amount, as_of)]
    if pictures is not None:
        seen_in += list(pictures.days["period"])
        amounts.append(pictures.rows.with_columns(nw.lit(0.0).alias(BOOKED)))
    columns = [OWNER, DUE, QUOTA, BOOKED]
    rows = nw.concat([rows.select(opportunities.rep_id, DAY, DUE, BOOKED) for rows in amounts])
    attributed = facts.with_team(rows, owners, DAY)
    parts = [attributed.with_columns(nw.lit(0.0).alias(QUOTA)).select(*columns)]
    seen = quotas[quotas["period"].isin(seen_in)]
    if len(seen):
        quota = engine.local(seen).with_columns(
            nw.lit(None, nw.Float64).alias(DUE), nw.lit(0.0).alias(BOOKED)
        )
        parts.append(quota.select(*columns))
    return nw.concat(parts)


def _due_now(snapshot: Snapshot, amount: Lazy, as_of: dt.date) -> Lazy:
    """Find what is open and due in the quarter of `as_of`."""
    first, last = _quarter_around(snapshot, as_of)
    rows = amount.filter(
        nw.col(opportunities.expected_close_on).is_between(first, last),
        ~nw.col(IS_WON) & ~nw.col(IS_LOST),
    )
    return rows.with_columns(
        nw.lit(as_of).alias(DAY), nw.col(AMOUNT).alias(DUE), nw.lit(0.0).alias(BOOKED)
    )


def _booked_now(snapshot: Snapshot, amount: Lazy, as_of: dt.date) -> Lazy:
    """Find what was booked so far in the quarter of `as_of`."""
    first, last = _quarter_around(snapshot, as_of)
    closed_on = nw.col(opportunities.closed_on)
    rows = amount.filter(closed_on.is_between(first, last), nw.col(IS_WON))
    return rows.with_columns(
        closed_on.alias(DAY), nw.lit(None, nw.Float64).alias(DUE), nw.col(AMOUNT).alias(BOOKED)
    )


def _quarter_around(snapshot: Snapshot, day: dt.date) -> tuple[dt.date, dt.date]:
    quarter = snapshot.calendar.quarter_of(day)
    return snapshot.calendar.first_day(quarter), snapshot.calendar.last_day(quarter)


def find_pictures(
    engine: Engine, snapshot: Snapshot, amount: Lazy, as_of: dt.date
) -> Pictures | None:
    """Find what was open and due in past quarters on their first day; None without pictures.

    Raises
    ------
    DataError
        An exchange rate is missing on the day of a picture.
    """
    days = _picture_days(engine, snapshot, as_of)
    if days.empty:
        return None
    calendar = snapshot.calendar
    later = amount.select(
        pipeline_snapshots.opportunity_id, opportunities.rep_id, opportunities.currency,
        opportunities.closed_on, IS_WON, IS_LOST, nw.col(AMOUNT).alias(_CLOSED_AMOUNT),
    )  # fmt: skip
    due_in = calendar.days(
        calendar.first_day(days["period"].min()), calendar.last_day(days["period"].max())
    ).rename(columns={"day": pipeline_snapshots.expected_close_on, "period": "_due_in"})
    rows = (
        facts.read_columns(
            engine, snapshot, pipeline_snapshots.as_of, pipeline_snapshots.opportunity_id,
            pipeline_snapshots.amount, pipeline_snapshots.expected_close_on,
            pipeline_snapshots.stage,
        )
        .join(engine.local(days), on=pipeline_snapshots.as_of)
        .join(engine.local(due_in), on=pipeline_snapshots.expected_close_on)
        .filter(nw.col("_due_in") == nw.col("period"))
        .join(later, on=pipeline_snapshots.opportunity_id)
    )  # fmt: skip
    rows = facts.pictured_amounts(engine, snapshot, rows, as_of)
    facts.check_rates(engine, snapshot, rows)
    return Pictures(days, _with_outcome(rows))


def _with_outcome(rows: Lazy) -> Lazy:
    """Say what became of pictured amounts by the end of their quarter; it is over."""
    in_time = nw.col(opportunities.closed_on) <= nw.col(_LAST_DAY)
    won = (nw.col(IS_WON) & in_time).fill_null(False)
    decided = won | (nw.col(IS_LOST) & in_time).fill_null(False)
    due, nothing = nw.col(AMOUNT), nw.lit(0.0)
    known = ~due.is_null()
    booked = nw.when(won).then(nw.col(_CLOSED_AMOUNT).fill_null(0.0)).otherwise(nothing)
    return rows.with_columns(
        due.alias(DUE),
        nw.when(known).then(nw.when(decided).then(nothing).otherwise(due)).alias(SLIPPED),
        nw.when(known).then(booked).alias(ACTUAL),
        won.cast(nw.Int64).alias(_RATE),
        nw.col(pipeline_snapshots.stage).fill_null("").alias(pipeline_snapshots.stage),
    )


def picture_facts(engine: Engine, pictures: Pictures | None) -> Lazy:
    """Pictured amounts with what became of them; no rows without pictures."""
    return pictures.rows if pictures is not None else _nothing(engine)


def _nothing(engine: Engine) -> Lazy:
    columns = [opportunities.rep_id, DAY, DUE, SLIPPED, FORECAST, ACTUAL]
    dates = {name: pd.Series(dtype="float64") for name in columns}
    dates |= {opportunities.rep_id: pd.Series(dtype="object")}
    dates |= {DAY: pd.Series(dtype="datetime64[s]")}
    return engine.local(pd.DataFrame(dates))


def forecast_facts(engine: Engine, pictures: Pictures | None) -> Lazy:
    """Pictured amounts with what was to be expected of them, from earlier pictures alone.

    A quarter without an earlier picture has no rows.
    """
    if pictures is None:
        return _nothing(engine)
    stage = pipeline_snapshots.stage
    counted = pictures.rows.filter(~nw.col(DUE).is_null()).group_by("period", stage)
    past = engine.collect(counted.agg(nw.len().alias("n"), nw.col(_RATE).sum().alias("won")))
    rates = engine.local(_past_rates(past))
    rows = pictures.rows.drop(_RATE).join(rates, on=["period", stage])
    return rows.with_columns((nw.col(DUE) * nw.col(_RATE)).alias(FORECAST))


def _past_rates(counts: pd.DataFrame) -> pd.DataFrame:
    """Give each quarter's stages the share won of the same stage in all quarters before it.

    Returns
    -------
    DataFrame
        period, stage, share; of a stage with few the share of all stages.
    """
    stage = pipeline_snapshots.stage
    frames = []
    for period, now in counts.groupby("period"):
        before = counts[counts["period"] < period]
        if before.empty:
            continue
        sums = before.groupby(stage)[["n", "won"]].sum().astype(float)
        rate = (sums["won"] / sums["n"]).where(sums["n"] >= _FEWEST)
        share = now[stage].map(rate).astype(float)
        everything = sums["won"].sum() / sums["n"].sum()
        frames.append(now[["period", stage]].assign(**{_RATE: share.fillna(everything)}))
    columns = {"period": "object", stage: "object", _RATE: "float64"}
    empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    return pd.concat(frames, ignore_index=True) if frames else empty


def _picture_days(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> pd.DataFrame:
    """Match each quarter before that of `as_of` with the last picture of the 35 days before it.

    Returns
    -------
    DataFrame
        as_of, period, day (the quarter's first, which may be the picture's own), last_day.
    """
    columns = [pipeline_snapshots.as_of, "period", DAY, _LAST_DAY]
    if not snapshot.has("pipeline_snapshots"):
        return pd.DataFrame(columns=columns)
    calendar = snapshot.calendar
    days = facts.picture_days(engine)
    found = []
    for period in calendar.between(days.min().date(), as_of)[:-1] if len(days) else ():
        first = pd.Timestamp(calendar.first_day(period))
        near = days[(days <= first) & (days >= first - pd.Timedelta(days=35))]
        if len(near):
            last = pd.Timestamp(calendar.last_day(period))
            found.append((near.iloc[-1], period, first, last))
    return pd.DataFrame(found, columns=columns)


def open_facts(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, periods: tuple[str, ...], as_of: dt.date
) -> Lazy:
    """Opportunities that were open at the end of the last quarters, and on `as_of`.

    Returns
    -------
    Lazy
        One row an opportunity and day (`DAY`), with whether it was qualified by then.
    """
    days = engine.local(pd.DataFrame({DAY: _stock_days(snapshot, periods, as_of)}))
    day = nw.col(DAY)
    ended = (nw.col(IS_WON) | nw.col(IS_LOST)) & (nw.col(opportunities.closed_on) <= day)
    rows = opportunity.join(days, how="cross")
    rows = rows.filter(nw.col(opportunities.created_on) <= day, ~ended.fill_null(False))
    qualified = nw.col(opportunities.qualified_on) <= day
    return rows.with_columns(qualified.fill_null(False).alias(IS_QUALIFIED))


def stalled_facts(
    engine: Engine, snapshot: Snapshot, opened: Lazy, periods: tuple[str, ...], as_of: dt.date
) -> Lazy:
    """Open opportunities with whether nobody has answered for long; young ones have not stalled."""
    patience = snapshot.company.stalled_days
    keys = [opportunities.opportunity_id, DAY]
    ends = _stock_days(snapshot, periods, as_of)
    spans = [pd.date_range(end=end, periods=patience) for end in ends]
    windows = pd.DataFrame(
        {activities.started_at: np.concatenate(spans), DAY: np.repeat(np.array(ends), patience)}
    )
    touched = facts.read_columns(
        engine, snapshot, activities.opportunity_id, activities.started_at, activities.is_connected
    ).filter(nw.col(activities.is_connected), ~nw.col(activities.opportunity_id).is_null())
    recent = (
        touched.with_columns(nw.col(activities.started_at).cast(nw.Date))
        .join(engine.local(windows), on=activities.started_at)
        .select(*keys)
        .unique()
        .with_columns(nw.lit(True).alias("_is_touched"))
    )
    rows = opened.select(*keys, opportunities.rep_id, opportunities.created_on)
    rows = rows.join(recent, on=keys, how="left")
    # DuckDB's difference of dates is a count of days, Spark's an interval of days.
    is_old = (nw.col(DAY) - nw.col(opportunities.created_on)).cast(nw.Int64) >= patience
    return rows.with_columns((is_old & nw.col("_is_touched").is_null()).alias(IS_STALLED))


def _stock_days(snapshot: Snapshot, periods: tuple[str, ...], as_of: dt.date) -> list[pd.Timestamp]:
    """List the last day of each of the last quarters, of that of `as_of` the day itself."""
    ends = [snapshot.calendar.last_day(period) for period in periods[-_QUARTERS_BACK - 1 :]]
    return [pd.Timestamp(min(end, as_of)) for end in ends]
