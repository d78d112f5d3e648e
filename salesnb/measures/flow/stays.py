"""Stays: times in a stage, cut at the quarters' ends, and the steps from stage to stage."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd

from salesnb.measures import facts
from salesnb.measures.catalogue.columns import IS_LOST, IS_WON
from salesnb.measures.engine import Engine, Lazy
from salesnb.measures.flow.ends import IS_FOUND_END
from salesnb.measures.flow.places import (
    PERIOD,
    TEAM,
    Places,
    add_counts,
    count_rows,
    whole_numbers,
)
from salesnb.schema import opportunities, stage_history, stages
from salesnb.sources.snapshot import Snapshot

ENTERED, REENTERED = "entered", "reentered"
ADVANCED, WON, LOST, BACK, UNKNOWN, OPEN = "advanced", "won", "lost", "back", "unknown", "open"
EVENTS = (ENTERED, REENTERED, ADVANCED, WON, LOST, BACK, UNKNOWN, OPEN)
"""What happens to a stay in a quarter: it begins or is carried in, and ends or is carried over."""

EXACT = 180
"""Days up to which ages are kept by the day; older ones by the week."""

ENTERED_ON, RANK, KIND = "entered_on", "rank", "stage_kind"
"""Of an entry: its day, the stage's place in the process, and what kind of stage it is."""

_ENTERED, _RANK, _KIND = ENTERED_ON, RANK, KIND
_LEFT, _END, _BEFORE = "left_on", "ended_by", "stage_before"
_NEXT_DAY, _NEXT_RANK, _NEXT_KIND, _AGAIN = "next_on", "next_rank", "next_kind", "is_again"
_FROM, _TO = "from_period", "to_period"
_COLUMNS = (stage_history.opportunity_id, stage_history.stage, stage_history.entered_at)
_key, _stage = str(stage_history.opportunity_id), str(stage_history.stage)


def stage_list(snapshot: Snapshot) -> pd.DataFrame:
    """List the stages that have an order, first first.

    Returns
    -------
    DataFrame
        stage, stage_order, is_qualified, is_won, is_lost (flags that are missing are false), and
        `IS_FOUND_END`: none is found to end the process yet, as `add_ends` finds them.
    """
    columns = [
        stages.stage, stages.stage_order, stages.is_qualified, stages.is_won, stages.is_lost
    ]  # fmt: skip
    rows = snapshot.read("stages")[columns]
    for name in columns[2:]:
        rows[name] = rows[name].fillna(False).astype(bool)
    rows = rows.assign(**{stages.stage_order: rows[stages.stage_order].astype(float)})
    rows[IS_FOUND_END] = False
    rows = rows[rows[stages.stage_order].notna()]
    return rows.sort_values([stages.stage_order, stages.stage], ignore_index=True)


def find_entries(engine: Engine, snapshot: Snapshot, listed: pd.DataFrame, as_of: dt.date) -> Lazy:
    """Read the entries into stages by `as_of`, each with the stage before.

    An entry into the stage an opportunity is in already is none. Of entries at one moment, as in
    histories by the day, the stage that comes first in the process was entered first.
    """
    at = str(stage_history.entered_at)
    kind = np.where(listed[stages.is_won], WON, np.where(listed[stages.is_lost], LOST, OPEN))
    known = pd.DataFrame(
        {_stage: listed[stages.stage], _RANK: listed[stages.stage_order], _KIND: kind}
    )
    rows = facts.read_columns(engine, snapshot, *_COLUMNS)
    rows = rows.with_columns(nw.col(at).cast(nw.Date).alias(_ENTERED))
    rows = rows.filter(nw.col(_ENTERED) <= as_of, ~nw.col(_stage).is_null())
    rows = rows.join(engine.local(known), on=_stage, how="left").with_columns(
        nw.col(_RANK).fill_null(0.0), nw.col(_KIND).fill_null(UNKNOWN)
    )
    first = nw.col(at).min().over(_key, _stage)
    rows = rows.with_columns(
        nw.col(_stage).shift(1).over(_key, order_by=order_of_entries()).alias(_BEFORE),
        (nw.col(at) > first).alias(_AGAIN),
    )
    return rows.filter(nw.col(_BEFORE).is_null() | (nw.col(_BEFORE) != nw.col(_stage)))


def order_of_entries() -> list[str]:
    """Name the columns that put the entries of one opportunity in order."""
    return [str(stage_history.entered_at), _RANK, _stage]


def count_stays(
    engine: Engine, entries: Lazy, opportunity: Lazy, places: Places, *, first_close: dt.date,
    as_of: dt.date,
) -> pd.DataFrame:  # fmt: skip
    """Count what happened to stays in open stages, quarter by quarter.

    A stay that lasts over a quarter's end is carried over (`open`) in one quarter and carried in
    (`entered` at its age) in the next, so that a quarter can be looked at by itself. A stay is of
    the team its opportunity's owner is in when the stay ends, or on `as_of`.

    Returns
    -------
    DataFrame
        team_id, period, stage, days, event (of `EVENTS`), n. Of a team, quarter and stage as many
        enter as end.
    """
    rows = _with_ends(entries, opportunity, as_of)
    rows = rows.filter(nw.col(_KIND) == OPEN, nw.col(_LEFT) >= first_close)
    rows = facts.with_team(rows, places.owners, _LEFT)
    pieces = _cut(engine, rows, places)
    counts = engine.collect(count_rows(pieces, TEAM, PERIOD, _stage, "days", "event"))
    counts = whole_numbers(counts, TEAM, PERIOD, "days", "n")
    counts["days"] = _coarsen(counts["days"], counts["event"].isin([ENTERED, REENTERED]))
    return places.named(add_counts(counts, [TEAM, PERIOD, _stage, "days", "event"]))


def _with_ends(entries: Lazy, opportunity: Lazy, as_of: dt.date) -> Lazy:
    """Say when each stay ended and how; stages that nobody lists end the one before."""

    def following(name: str) -> nw.Expr:
        return nw.col(name).shift(-1).over(_key, order_by=order_of_entries())

    rows = entries.with_columns(
        following(_ENTERED).alias(_NEXT_DAY), following(_RANK).alias(_NEXT_RANK),
        following(_KIND).alias(_NEXT_KIND),
    )  # fmt: skip
    fate = opportunity.select(_key, opportunities.rep_id, opportunities.closed_on, IS_WON, IS_LOST)
    rows = rows.join(fate, on=_key)
    is_higher = nw.col(_NEXT_RANK) >= nw.col(_RANK)
    moved = nw.when(is_higher).then(nw.lit(ADVANCED)).otherwise(nw.lit(BACK))
    left = nw.when(nw.col(_NEXT_KIND) == OPEN).then(moved).otherwise(nw.col(_NEXT_KIND))
    still = nw.when(nw.col(IS_LOST)).then(nw.lit(LOST)).otherwise(nw.lit(OPEN))
    last = nw.when(nw.col(IS_WON)).then(nw.lit(WON)).otherwise(still)
    decided = nw.col(IS_WON) | nw.col(IS_LOST)
    # A stage may end both the won and the lost: what was closed by then ended as it is known to.
    is_end = nw.col(_NEXT_KIND).is_in([WON, LOST])
    is_over = is_end & decided & (nw.col(_NEXT_DAY) >= nw.col(opportunities.closed_on))
    is_last = nw.col(_NEXT_KIND).is_null() | is_over.fill_null(False)
    closed = nw.when(decided).then(nw.col(opportunities.closed_on)).otherwise(nw.lit(as_of))
    ended = nw.coalesce(nw.col(_NEXT_DAY), closed)
    entered = nw.col(_ENTERED)
    return rows.with_columns(
        nw.when(is_last).then(last).otherwise(left).alias(_END),
        # A close date before the last entry is a slip of the record: the stay took no time.
        nw.when(ended > entered).then(ended).otherwise(entered).alias(_LEFT),
    )


def _cut(engine: Engine, rows: Lazy, places: Places) -> Lazy:
    """Cut stays at the quarters' ends; of each piece one row says how it begins, one how it ends.

    Pieces are found by equality: of each pair of quarters it is listed what lies between.
    """
    number = nw.col(PERIOD)
    rows = rows.with_columns(number.alias(_TO)).drop(PERIOD)
    begun = places.days.with_columns(nw.col("day").alias(_ENTERED), number.alias(_FROM))
    rows = rows.join(begun.select(_ENTERED, _FROM), on=_ENTERED, how="left")
    rows = rows.with_columns(nw.col(_FROM).fill_null(0))
    pieces = rows.join(engine.local(_spans(places.quarters)), on=[_FROM, _TO])
    pieces = pieces.join(engine.local(pd.DataFrame({"is_begin": [True, False]})), how="cross")
    entered, first, last = (nw.col(name) for name in (_ENTERED, "first_day", "last_day"))
    start = nw.when(first > entered).then(first).otherwise(entered)
    stop = nw.when(nw.col(_LEFT) < last).then(nw.col(_LEFT)).otherwise(last)
    is_fresh = entered >= first
    again = nw.when(nw.col(_AGAIN) & is_fresh).then(nw.lit(REENTERED)).otherwise(nw.lit(ENTERED))
    end = nw.when(nw.col(_TO) == number).then(nw.col(_END)).otherwise(nw.lit(OPEN))
    begins = nw.col("is_begin")
    day = nw.when(begins).then(start).otherwise(stop)
    # DuckDB's difference of dates is a count of days, Spark's an interval of days.
    return pieces.select(
        TEAM, PERIOD, _stage, (day - entered).cast(nw.Int64).alias("days"),
        nw.when(begins).then(again).otherwise(end).alias("event"),
    )  # fmt: skip


def _spans(quarters: pd.DataFrame) -> pd.DataFrame:
    """List the quarters from each one to each one."""
    numbers = quarters[[PERIOD]]
    pairs = numbers.rename(columns={PERIOD: _FROM}).merge(
        numbers.rename(columns={PERIOD: _TO}), how="cross"
    )
    spans = pairs.merge(quarters, how="cross")
    return spans[spans[PERIOD].between(spans[_FROM], spans[_TO])].reset_index(drop=True)


def _coarsen(days: pd.Series[int], is_begin: pd.Series[bool]) -> pd.Series[int]:
    """Bring old ages to weeks: beginnings to the first day, ends to the last, so none is undone."""
    weeks, over = np.divmod(days.to_numpy() - EXACT, 7)
    coarse = EXACT + 7 * (weeks + ((over > 0) & ~is_begin.to_numpy()))
    kept = np.where(days <= EXACT, days, coarse).astype("int64")
    return pd.Series(kept, index=days.index, dtype="int64")


def count_steps(
    engine: Engine, entries: Lazy, opportunity: Lazy, places: Places, first_close: dt.date
) -> pd.DataFrame:
    """Count the steps from stage to stage since the first close.

    Returns
    -------
    DataFrame
        team_id (of the owner on that day), period, from_stage ('' at the beginning), to_stage, n.
    """
    owner = opportunity.select(_key, opportunities.rep_id)
    rows = entries.filter(nw.col(_ENTERED) >= first_close).join(owner, on=_key)
    rows = facts.with_team(rows, places.owners, _ENTERED)
    rows = rows.select(
        TEAM, PERIOD, nw.col(_BEFORE).fill_null("").alias("from_stage"),
        nw.col(_stage).alias("to_stage"),
    )  # fmt: skip
    counts = engine.collect(count_rows(rows, TEAM, PERIOD, "from_stage", "to_stage"))
    return places.named(whole_numbers(counts, TEAM, PERIOD, "n"))


def list_names(
    engine: Engine, snapshot: Snapshot, listed: pd.DataFrame, as_of: dt.date
) -> pd.DataFrame:
    """List the names stages have in the history.

    Returns
    -------
    DataFrame
        stage, first_on, last_on, n entries, is_listed (is in the list of stages with an order).
    """
    rows = facts.read_columns(engine, snapshot, *_COLUMNS[1:])
    day = nw.col(stage_history.entered_at).cast(nw.Date)
    rows = rows.with_columns(day.alias(_ENTERED))
    rows = rows.filter(nw.col(_ENTERED) <= as_of, ~nw.col(_stage).is_null())
    found = engine.collect(
        rows.group_by(_stage).agg(
            nw.col(_ENTERED).min().alias("first_on"), nw.col(_ENTERED).max().alias("last_on"),
            nw.len().cast(nw.Float64).alias("n"),
        )
    )  # fmt: skip
    found = found.rename(columns={_stage: "stage"}).sort_values("stage", ignore_index=True)
    for name in ("first_on", "last_on"):
        found[name] = pd.to_datetime(found[name])
    found["is_listed"] = found["stage"].isin(listed[stages.stage])
    return whole_numbers(found, "n")[["stage", "first_on", "last_on", "n", "is_listed"]]
