"""Habits: counts per rep and quarter of what makes KPIs look better than the work behind them.

Each habit counts events among occasions. What they mean is for `analysis.gaming` to say; here
they are only counted, in the same pass and on the same engines as the KPIs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import narwhals as nw
import pandas as pd

from salesnb.measures.catalogue import DAY, IS_WON
from salesnb.measures.engine import Engine, Lazy
from salesnb.measures.facts import _table, with_owner, with_team
from salesnb.measures.people import OWNER
from salesnb.schema import activities, opportunities, pipeline_snapshots, stage_history
from salesnb.sources.snapshot import Snapshot

CALLS_AT_THRESHOLD = "calls_at_threshold"
LATE_LOGGING = "late_logging"
CLOSE_DATES_PUSHED = "close_dates_pushed"
BACKDATED_WINS = "backdated_wins"

LATE_DAYS = 3
"""Days after an activity from which it was logged late."""

BACKDATED_DAYS = 2
"""Days between the close date and the entry of the won stage that no time zone explains."""

HABIT_COLUMNS = ["rep_id", "team_id", "period", "habit", "n", "of"]
_NEXT, _LAST, _LATER = "next_picture", "quarter_ends_on", "expected_later"


def empty_habits() -> pd.DataFrame:
    """Make the table of a snapshot without anything to count."""
    return pd.DataFrame(columns=HABIT_COLUMNS).astype({"n": "int64", "of": "int64"})


def threshold_width(seconds: int) -> int:
    """Width in seconds of the two ranges of call lengths on either side of the threshold."""
    return max(seconds // 4, 1)


def count_habits(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, owners: Lazy, *,
    periods: tuple[str, ...], as_of: dt.date,
) -> pd.DataFrame:  # fmt: skip
    """Count events and occasions of each habit the snapshot has the data for.

    calls_at_threshold
        Of the answered calls whose length is within a quarter of the shortest that counts, those
        that are just long enough.
    late_logging
        Of the counted calls and meetings that were logged, those logged more than three days
        later.
    close_dates_pushed
        Of the opportunities in a picture of the pipeline that were due later in its quarter and
        are still open in the next picture, those that are then due after the quarter.
    backdated_wins
        Of the opportunities won, those whose won stage was entered after the quarter of their
        close date, and two days or more after it.

    Returns
    -------
    DataFrame
        owner, habit, n (events), of (occasions, > 0), in the order of owner and habit.
    """
    frames = [
        _count(engine, with_team(rows, owners, DAY), habit)
        for habit, rows in _occasions(engine, snapshot, opportunity, periods, as_of)
    ]
    if not frames:
        nothing = pd.DataFrame(columns=[OWNER, "habit", "n", "of"])
        return nothing.astype({OWNER: "int32", "n": "int64", "of": "int64"})
    whole = pd.concat(frames, ignore_index=True)
    return whole.sort_values([OWNER, "habit"], ignore_index=True)


def _occasions(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, periods: tuple[str, ...],
    as_of: dt.date,
) -> Iterator[tuple[str, Lazy]]:  # fmt: skip
    """Name the habits and their occasions: rep_id, `DAY`, and whether it is an event."""
    has = snapshot.has
    if has("activities", activities.seconds) and snapshot.company.connected_call_seconds > 0:
        yield CALLS_AT_THRESHOLD, _calls_near_threshold(engine, snapshot, as_of)
    if has("activities", activities.logged_at):
        yield LATE_LOGGING, _logged(engine, snapshot, as_of)
    pictured = has("pipeline_snapshots", pipeline_snapshots.expected_close_on)
    pictures = _picture_days(engine, snapshot, as_of) if pictured else pd.DataFrame()
    if len(pictures):
        yield CLOSE_DATES_PUSHED, _due_pictures(engine, snapshot, opportunity, pictures)
    if has("stage_history") and has("opportunities", opportunities.stage):
        yield (
            BACKDATED_WINS,
            _won_stages(engine, snapshot, opportunity, _quarter_ends(snapshot, periods), as_of),
        )


def _count(engine: Engine, rows: Lazy, habit: str) -> pd.DataFrame:
    event = nw.when(nw.col("is_event")).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
    counted = rows.select(OWNER, event.alias("event")).group_by(OWNER)
    found = engine.collect(counted.agg(nw.col("event").sum().alias("n"), nw.len().alias("of")))
    return found.astype({"n": "int64", "of": "int64"}).assign(habit=habit)


def _activities(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> Lazy:
    rows = _table(
        engine, snapshot, activities.rep_id, activities.kind, activities.started_at,
        activities.logged_at, activities.seconds, activities.is_connected,
    )  # fmt: skip
    rows = rows.with_columns(
        nw.col(activities.started_at).cast(nw.Date).alias(DAY),
        nw.col(activities.is_connected).fill_null(True),
    )
    return rows.filter(nw.col(DAY) <= as_of, nw.col(activities.is_connected))


def _calls_near_threshold(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> Lazy:
    shortest = snapshot.company.connected_call_seconds
    width = threshold_width(shortest)
    seconds = nw.col(activities.seconds)
    rows = _activities(engine, snapshot, as_of).filter(
        nw.col(activities.kind) == "call", seconds >= shortest - width, seconds < shortest + width
    )
    return rows.with_columns((seconds >= shortest).alias("is_event"))


def _logged(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> Lazy:
    kind, seconds = nw.col(activities.kind), nw.col(activities.seconds)
    shortest = snapshot.company.connected_call_seconds
    is_long = (kind == "meeting") | (seconds >= shortest).fill_null(True)
    logged = nw.col(activities.logged_at).cast(nw.Date)
    rows = _activities(engine, snapshot, as_of).filter(
        kind.is_in(["call", "meeting"]), is_long, ~logged.is_null(), logged <= as_of
    )
    days = (logged - nw.col(DAY)).cast(nw.Int64)
    return rows.with_columns((days > LATE_DAYS).alias("is_event"))


def _picture_days(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> pd.DataFrame:
    """Match each picture's day with the next one's and with the end of its quarter."""
    table = engine.table("pipeline_snapshots").select(pipeline_snapshots.as_of).unique()
    days = pd.to_datetime(engine.collect(table)[pipeline_snapshots.as_of]).sort_values()
    days = days[days <= pd.Timestamp(as_of)].reset_index(drop=True)
    calendar = snapshot.calendar
    ends = [calendar.last_day(calendar.quarter_of(day.date())) for day in days]
    frame = pd.DataFrame(
        {
            str(pipeline_snapshots.as_of): days,
            _NEXT: days.shift(-1),
            _LAST: pd.to_datetime(pd.Series(ends, dtype=object)),
        }
    )
    return frame[frame[_NEXT].notna()].reset_index(drop=True)


def _due_pictures(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, pictures: pd.DataFrame
) -> Lazy:
    day, due = nw.col(pipeline_snapshots.as_of), nw.col(pipeline_snapshots.expected_close_on)
    rows = _table(
        engine, snapshot, pipeline_snapshots.as_of, pipeline_snapshots.opportunity_id,
        pipeline_snapshots.expected_close_on,
    )  # fmt: skip
    later = rows.select(
        pipeline_snapshots.opportunity_id, day.alias(_NEXT), due.alias(_LATER)
    ).filter(~nw.col(_LATER).is_null())
    owner = opportunity.select(opportunities.opportunity_id, opportunities.rep_id)
    due_then = (
        rows.join(engine.local(pictures), on=pipeline_snapshots.as_of)
        .filter(due >= day, due <= nw.col(_LAST))
        .join(later, on=[pipeline_snapshots.opportunity_id, _NEXT])
        .join(owner, on=pipeline_snapshots.opportunity_id)
        .with_columns(day.alias(DAY), (nw.col(_LATER) > nw.col(_LAST)).alias("is_event"))
    )
    return with_owner(due_then, engine, snapshot, DAY)


def _won_stages(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, ends: pd.DataFrame, as_of: dt.date
) -> Lazy:
    opportunity_id, entered = stage_history.opportunity_id, stage_history.entered_at
    won = opportunity.filter(nw.col(IS_WON)).select(
        opportunity_id, opportunities.rep_id, nw.col(opportunities.closed_on).alias(DAY)
    )
    stage = _table(engine, snapshot, opportunities.opportunity_id, opportunities.stage)
    history = _table(engine, snapshot, opportunity_id, stage_history.stage, entered)
    history = history.with_columns(nw.col(entered).cast(nw.Date)).filter(nw.col(entered) <= as_of)
    first = (
        history.join(stage, on=[opportunity_id, stage_history.stage])
        .group_by(opportunity_id)
        .agg(nw.col(entered).min())
    )
    rows = won.join(first, on=opportunity_id)
    late = (nw.col(entered) - nw.col(DAY)).cast(nw.Int64) >= BACKDATED_DAYS
    return rows.join(engine.local(ends), on=DAY).with_columns(
        (late & (nw.col(entered) > nw.col(_LAST))).alias("is_event")
    )


def _quarter_ends(snapshot: Snapshot, periods: tuple[str, ...]) -> pd.DataFrame:
    """Give each day the end of its quarter."""
    calendar = snapshot.calendar
    days = calendar.days(calendar.first_day(periods[0]), calendar.last_day(periods[-1]))
    ends = {period: pd.Timestamp(calendar.last_day(period)) for period in periods}
    return pd.DataFrame({DAY: days["day"], _LAST: days["period"].map(ends)})
