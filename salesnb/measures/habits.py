"""Habits: counts per rep and quarter of what makes KPIs look better than the work behind them.

Each habit counts events among occasions. What they mean is for `analysis.gaming` to say; here
they are only counted, in the same pass and on the same engines as the KPIs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import narwhals as nw
import pandas as pd

from salesnb.measures.catalogue.columns import DAY, IS_WON
from salesnb.measures.engine import Engine, Lazy
from salesnb.measures.facts import picture_days, read_columns, with_owner, with_team
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


def no_habits() -> pd.DataFrame:
    """Make what `count_habits` gives where there is nothing to count."""
    nothing = pd.DataFrame(columns=[OWNER, "habit", "n", "of"])
    return nothing.astype({OWNER: "int32", "n": "int64", "of": "int64"})


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
        frame
        for habits, rows in _occasions(engine, snapshot, opportunity, periods, as_of)
        for frame in _count(engine, with_team(rows, owners, DAY), habits)
    ]
    if not frames:
        return no_habits()
    whole = pd.concat(frames, ignore_index=True)
    return whole.sort_values([OWNER, "habit"], ignore_index=True)


def _occasions(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, periods: tuple[str, ...],
    as_of: dt.date,
) -> Iterator[tuple[tuple[str, ...], Lazy]]:  # fmt: skip
    """Name habits with rows that hold their occasions: rep_id, `DAY`, and two flags a habit."""
    has = snapshot.has
    of_activities = {
        CALLS_AT_THRESHOLD: has("activities", activities.seconds)
        and snapshot.company.connected_call_seconds > 0,
        LATE_LOGGING: has("activities", activities.logged_at),
    }
    if any(of_activities.values()):
        known = tuple(habit for habit, is_known in of_activities.items() if is_known)
        yield known, _activities(engine, snapshot, as_of)
    pictured = has("pipeline_snapshots", pipeline_snapshots.expected_close_on)
    pictures = _picture_days(engine, snapshot, as_of) if pictured else pd.DataFrame()
    if len(pictures):
        yield (CLOSE_DATES_PUSHED,), _due_pictures(engine, snapshot, opportunity, pictures)
    if has("stage_history") and has("opportunities", opportunities.stage):
        ends = _quarter_ends(snapshot, periods)
        yield (BACKDATED_WINS,), _won_stages(engine, snapshot, opportunity, ends, as_of)


def _flags(habit: str, *, event: nw.Expr, occasion: nw.Expr) -> list[nw.Expr]:
    """Say of each row whether it is an occasion of a habit, and whether an event too."""
    return [occasion.alias(f"{habit}:of"), (occasion & event).alias(f"{habit}:n")]


def _count(engine: Engine, rows: Lazy, habits: tuple[str, ...]) -> list[pd.DataFrame]:
    names = [f"{habit}:{part}" for habit in habits for part in ("n", "of")]
    ones = [nw.when(nw.col(name)).then(nw.lit(1.0)).otherwise(nw.lit(0.0)) for name in names]
    rows = rows.select(
        OWNER, *(one.alias(name) for one, name in zip(ones, names, strict=True))
    )  # fmt: skip
    sums = engine.collect(rows.group_by(OWNER).agg(*(nw.col(name).sum() for name in names)))
    frames = []
    for habit in habits:
        counts = {part: sums[f"{habit}:{part}"].astype("int64") for part in ("n", "of")}
        frame = pd.DataFrame({OWNER: sums[OWNER], "habit": habit, **counts})
        frames.append(frame[frame["of"] > 0])
    return frames


def _activities(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> Lazy:
    """Take answered calls near the threshold, and counted calls and meetings that were logged."""
    kind, seconds = nw.col(activities.kind), nw.col(activities.seconds)
    logged = nw.col(activities.logged_at).cast(nw.Date)
    shortest = snapshot.company.connected_call_seconds
    width = threshold_width(shortest)
    is_long = (seconds >= shortest).fill_null(True)
    is_near = (seconds >= shortest - width).fill_null(False) & (seconds < shortest + width)
    is_counted = (kind == "meeting") | ((kind == "call") & is_long)
    rows = read_columns(
        engine, snapshot, activities.rep_id, activities.kind, activities.started_at,
        activities.logged_at, activities.seconds, activities.is_connected,
    )  # fmt: skip
    rows = rows.with_columns(nw.col(activities.started_at).cast(nw.Date).alias(DAY))
    rows = rows.filter(
        nw.col(DAY) <= as_of, nw.col(activities.is_connected).fill_null(True)
    ).with_columns(
        *_flags(CALLS_AT_THRESHOLD, event=is_long, occasion=(kind == "call") & is_near),
        *_flags(
            LATE_LOGGING,
            event=(logged - nw.col(DAY)).cast(nw.Int64) > LATE_DAYS,
            occasion=is_counted & (logged <= as_of).fill_null(False),
        ),
    )
    return rows.filter(nw.col(f"{CALLS_AT_THRESHOLD}:of") | nw.col(f"{LATE_LOGGING}:of"))


def _picture_days(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> pd.DataFrame:
    """Match each picture's day with the next one's and with the end of its quarter."""
    days = picture_days(engine)
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
    rows = read_columns(
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
        .with_columns(
            day.alias(DAY),
            *_flags(
                CLOSE_DATES_PUSHED,
                event=nw.col(_LATER) > nw.col(_LAST),
                occasion=~nw.col(_LATER).is_null(),
            ),
        )
    )
    return with_owner(due_then, engine, snapshot, DAY)


def _won_stages(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, ends: pd.DataFrame, as_of: dt.date
) -> Lazy:
    opportunity_id, entered = stage_history.opportunity_id, stage_history.entered_at
    won = opportunity.filter(nw.col(IS_WON)).select(
        opportunity_id, opportunities.rep_id, nw.col(opportunities.closed_on).alias(DAY)
    )
    stage = read_columns(engine, snapshot, opportunities.opportunity_id, opportunities.stage)
    history = read_columns(engine, snapshot, opportunity_id, stage_history.stage, entered)
    history = history.with_columns(nw.col(entered).cast(nw.Date)).filter(nw.col(entered) <= as_of)
    first = (
        history.join(stage, on=[opportunity_id, stage_history.stage])
        .group_by(opportunity_id)
        .agg(nw.col(entered).min())
    )
    rows = won.join(first, on=opportunity_id)
    late = (nw.col(entered) - nw.col(DAY)).cast(nw.Int64) >= BACKDATED_DAYS
    return rows.join(engine.local(ends), on=DAY).with_columns(
        *_flags(
            BACKDATED_WINS,
            event=late & (nw.col(entered) > nw.col(_LAST)),
            occasion=~nw.col(entered).is_null(),
        )
    )


def _quarter_ends(snapshot: Snapshot, periods: tuple[str, ...]) -> pd.DataFrame:
    """Give each day the end of its quarter."""
    calendar = snapshot.calendar
    days = calendar.days(calendar.first_day(periods[0]), calendar.last_day(periods[-1]))
    ends = {period: pd.Timestamp(calendar.last_day(period)) for period in periods}
    return pd.DataFrame({DAY: days["day"], _LAST: days["period"].map(ends)})
