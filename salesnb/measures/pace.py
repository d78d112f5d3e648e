"""Pace: what was booked by week of each quarter, and what was open at the same point of each.

The point is that of `as_of`: as many working days before the quarter's end. Weeks are counted
from it, so that what was booked by the same point of a past quarter is a sum of whole weeks.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from salesnb.measures import facts
from salesnb.measures.catalogue.columns import AMOUNT, IS_LOST, IS_WON
from salesnb.measures.engine import Engine, Lazy
from salesnb.measures.people import OWNER
from salesnb.schema import holidays, opportunities, pipeline_snapshots
from salesnb.sources.snapshot import Snapshot

PICTURE_AGE = 35
"""Days after which a picture of the pipeline is too old to say what is open."""

PAST = 12
"""Quarters before that of `as_of` whose pipeline is kept."""

_ALIKE = pd.Timedelta(days=7)
"""How far the age of a past quarter's picture may be from that of today's."""

_WORKING_WEEK = 5
_DEAL_KEYS = [OWNER, "stage", "is_due"]
_DEAL_SUMS = ["n", "amount", "squares", "n_won", "won_amount", "booked"]
_SEEN, _LAST, _BAND, _FINAL = "seen_on", "quarter_ends_on", "band", "final_amount"
_CLOSED = opportunities.closed_on


@dataclass(frozen=True)
class Pace:
    """Bookings by week, and open opportunities with what came of them, by number of the owner."""

    weeks: pd.DataFrame
    open_deals: pd.DataFrame


def no_pace() -> Pace:
    """Make what `measure_pace` gives where there is nothing to add up."""
    weeks = pd.DataFrame(columns=[OWNER, "week", "n", "booked", "squares"])
    return Pace(weeks, pd.DataFrame(columns=[*_DEAL_KEYS, *_DEAL_SUMS]))


def measure_pace(
    engine: Engine, snapshot: Snapshot, amount: Lazy, owners: Lazy, periods: tuple[str, ...],
    as_of: dt.date,
) -> Pace:  # fmt: skip
    """Add bookings up by week, and the open pipeline by stage.

    Parameters
    ----------
    engine, snapshot
        Where, and what.
    amount
        Opportunities as known on `as_of`, with converted amounts.
    owners
        Reps by team and month, as `facts.with_team` takes them.
    periods
        All quarters up to that of `as_of`.
    as_of
        Day on which the world is seen.

    Returns
    -------
    Pace
        `weeks`: owner, week (..., -1, 0: by the point of `as_of`, 1, ...: after it), n, booked and
        squares (of amounts). `open_deals`: see `_open_deals`; empty without pictures of the
        pipeline. What has no amount, or no exchange rate on the day of a picture, is left out.
    """
    calendar = _working_calendar(snapshot, periods, as_of)
    weeks = _weekly_bookings(engine, amount, owners, calendar)
    return Pace(weeks, _open_deals(engine, snapshot, amount, owners, calendar, as_of))


def _working_calendar(snapshot: Snapshot, periods: tuple[str, ...], as_of: dt.date) -> pd.DataFrame:
    """List each day with its quarter, week, and the quarter's last day."""
    calendar = snapshot.calendar
    days = calendar.days(calendar.first_day(periods[0]), calendar.last_day(periods[-1]))
    days[_LAST] = days.groupby("period")["day"].transform("max")
    off = pd.to_datetime(snapshot.read("holidays")[holidays.holiday_on])
    after = (days["day"].to_numpy().astype("datetime64[D]") + 1, days[_LAST].to_numpy())
    left = np.busday_count(
        after[0],
        after[1].astype("datetime64[D]") + 1,
        holidays=off.to_numpy().astype("datetime64[D]"),
    )
    now = left[(days["day"] == pd.Timestamp(as_of)).to_numpy()][0]
    return days.assign(week=-((left - now) // _WORKING_WEEK))


def _weekly_bookings(
    engine: Engine, amount: Lazy, owners: Lazy, calendar: pd.DataFrame
) -> pd.DataFrame:
    days = calendar[["day", "week"]].rename(columns={"day": str(_CLOSED)})
    rows = amount.filter(nw.col(IS_WON), ~nw.col(AMOUNT).is_null())
    rows = rows.select(opportunities.rep_id, _CLOSED, AMOUNT).join(engine.local(days), on=_CLOSED)
    rows = facts.with_team(rows, owners, _CLOSED).with_columns(
        (nw.col(AMOUNT) * nw.col(AMOUNT)).alias("squares")
    )
    sums = rows.group_by(OWNER, "week").agg(
        nw.len().cast(nw.Float64).alias("n"),
        nw.col(AMOUNT).sum().alias("booked"),
        nw.col("squares").sum(),
    )
    found = engine.collect(sums).astype({"week": "int16"})
    return found.sort_values([OWNER, "week"], ignore_index=True)


def _open_deals(
    engine: Engine, snapshot: Snapshot, amount: Lazy, owners: Lazy, calendar: pd.DataFrame,
    as_of: dt.date,
) -> pd.DataFrame:  # fmt: skip
    """Add up what was open at the point of `as_of` in each quarter, as last pictured before it.

    Returns
    -------
    DataFrame
        owner, stage ('' where unknown), is_due (expected to close by the quarter's end), n,
        amount and squares as pictured, and of those won by the quarter's end n_won, won_amount
        (as pictured) and booked (as closed). In the quarter of `as_of` rows are split further by
        amounts of the same power of two, and what came of them is 0 because it is not known yet.
    """
    pictures = _find_pictures(engine, snapshot, calendar, as_of)
    if pictures.empty:
        return no_pace().open_deals
    rows = _pictured(engine, snapshot, amount, pictures, as_of)
    rows = facts.with_team(rows, owners, _SEEN)
    won = (nw.col(IS_WON) & (nw.col(_CLOSED) <= nw.col(_LAST))).fill_null(False)
    size, final = nw.col(AMOUNT), nw.coalesce(_FINAL, AMOUNT)
    nothing = nw.lit(0.0)
    band = (size.log() / float(np.log(2))).floor()
    is_now = nw.col(_SEEN) == as_of
    rows = rows.select(
        OWNER,
        nw.col(pipeline_snapshots.stage).fill_null("").alias("stage"),
        (nw.col(pipeline_snapshots.expected_close_on) <= nw.col(_LAST))
        .fill_null(False)
        .alias("is_due"),
        nw.when(is_now).then(band).otherwise(nothing).alias(_BAND),
        nw.lit(1.0).alias("n"),
        size.alias("amount"),
        (size * size).alias("squares"),
        nw.when(won).then(nw.lit(1.0)).otherwise(nothing).alias("n_won"),
        nw.when(won).then(size).otherwise(nothing).alias("won_amount"),
        nw.when(won).then(final).otherwise(nothing).alias("booked"),
    )
    sums = rows.group_by(*_DEAL_KEYS, _BAND).agg(*(nw.col(name).sum() for name in _DEAL_SUMS))
    found = engine.collect(sums).sort_values([*_DEAL_KEYS, _BAND], ignore_index=True)
    return found[[*_DEAL_KEYS, *_DEAL_SUMS]]


def _find_pictures(
    engine: Engine, snapshot: Snapshot, calendar: pd.DataFrame, as_of: dt.date
) -> pd.DataFrame:
    """Match the point of `as_of` in each of the last quarters with a picture as old as today's.

    Months are not equally long, so a picture of a past quarter may be some days younger than the
    point; what was won in between then counts as won without having been open.

    Returns
    -------
    DataFrame
        as_of (of the picture), seen_on (the point), quarter_ends_on.
    """
    columns = [str(pipeline_snapshots.as_of), _SEEN, _LAST]
    needed = (pipeline_snapshots.amount, pipeline_snapshots.expected_close_on)
    if not all(snapshot.has("pipeline_snapshots", column) for column in needed):
        return pd.DataFrame(columns=columns)
    days = facts.picture_days(engine)
    reached = calendar[(calendar["week"] <= 0) & (calendar["day"] <= pd.Timestamp(as_of))]
    points = reached.groupby("period")[["day", _LAST]].max().tail(PAST + 1)
    points = points.rename(columns={"day": _SEEN})
    found: list[tuple[pd.Timestamp, pd.Timestamp, pd.Timestamp]] = []
    age = (points[_SEEN] - _latest(days, as_of)).iloc[-1] if len(points) else pd.NaT
    for seen, last in points.itertuples(index=False) if pd.notna(age) else ():
        apart = (days - (seen - age)).abs()
        if apart.min() <= _ALIKE:
            # of two as near, every engine takes the older
            found.append((days[apart.idxmin()], seen, last))
    return pd.DataFrame(found, columns=columns)


def _latest(days: pd.Series[pd.Timestamp], as_of: dt.date) -> pd.Timestamp:
    """Find the last picture of the days before `as_of`; NaT where there is none."""
    now = pd.Timestamp(as_of)
    return days[(days <= now) & (days >= now - pd.Timedelta(days=PICTURE_AGE))].max()


def _pictured(
    engine: Engine, snapshot: Snapshot, amount: Lazy, pictures: pd.DataFrame, as_of: dt.date
) -> Lazy:
    """List what the pictures hold that was still open at the point, with owner and amount then."""
    known = amount.select(
        opportunities.opportunity_id, opportunities.rep_id, opportunities.currency, _CLOSED,
        IS_WON, IS_LOST, nw.col(AMOUNT).alias(_FINAL),
    )  # fmt: skip
    has_stage = snapshot.has("pipeline_snapshots", pipeline_snapshots.stage)
    stage = nw.col(pipeline_snapshots.stage) if has_stage else nw.lit("")
    rows = (
        engine.table("pipeline_snapshots")
        .select(
            pipeline_snapshots.as_of, pipeline_snapshots.opportunity_id,
            stage.alias(str(pipeline_snapshots.stage)), pipeline_snapshots.amount,
            pipeline_snapshots.expected_close_on,
        )
        .join(engine.local(pictures), on=pipeline_snapshots.as_of)
        .join(known, on=opportunities.opportunity_id)
    )  # fmt: skip
    decided = nw.col(IS_WON) | nw.col(IS_LOST)
    rows = rows.filter(~(decided & (nw.col(_CLOSED) <= nw.col(_SEEN))))
    rows = facts.pictured_amounts(engine, snapshot, rows, as_of)
    return rows.filter(~nw.col(AMOUNT).is_null())
