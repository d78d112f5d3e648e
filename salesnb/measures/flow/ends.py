"""Ends: which stages end the process, where the list of stages does not say."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import pandas as pd

from salesnb.measures import facts
from salesnb.measures.catalogue.columns import IS_LOST, IS_WON
from salesnb.measures.engine import Engine, Lazy
from salesnb.schema import opportunities, stage_history, stages
from salesnb.sources.snapshot import Snapshot

IS_FOUND_END = "is_found_end"
_DAY, _NEXT = "entered_on", "next_stage"
_N, _N_WON, _N_LOST = "n", "n_won", "n_lost"
_COLUMNS = (stage_history.opportunity_id, stage_history.stage, stage_history.entered_at)
_key, _stage, _at = (str(column) for column in _COLUMNS)


def add_ends(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, listed: pd.DataFrame, as_of: dt.date
) -> pd.DataFrame:
    """Find the stages that mean won or lost, where none of the list is said to.

    A stage ends the process when most of its entries were an opportunity's last and not before the
    day it was closed. It means what became of most of these opportunities.

    Returns
    -------
    DataFrame
        `listed` with is_won and is_lost of the stages found, which have `IS_FOUND_END` set.
    """
    is_said = listed[stages.is_won] | listed[stages.is_lost]
    if listed[stages.is_won].any() and listed[stages.is_lost].any():
        return listed
    order = engine.local(listed[[stages.stage, stages.stage_order]])
    rows = _read_last(engine, snapshot, order, as_of)
    counts = engine.collect(_count_ends(rows, opportunity)).set_index(_stage)
    counts = counts.reindex(listed[stages.stage]).fillna(0.0).set_axis(listed.index)
    found = ~is_said & (counts[_N_WON] + counts[_N_LOST] > counts[_N] / 2)
    is_won = counts[_N_WON] >= counts[_N_LOST]
    return listed.assign(
        **{
            stages.is_won: listed[stages.is_won] | (found & is_won),
            stages.is_lost: listed[stages.is_lost] | (found & ~is_won),
            IS_FOUND_END: found,
        }
    )


def _read_last(engine: Engine, snapshot: Snapshot, order: Lazy, as_of: dt.date) -> Lazy:
    """Read entries with the stage after, without those into the stage an opportunity is in."""
    rank = str(stages.stage_order)
    rows = facts.read_columns(engine, snapshot, *_COLUMNS).join(order, on=_stage, how="left")
    rows = rows.with_columns(nw.col(_at).cast(nw.Date).alias(_DAY), nw.col(rank).fill_null(0.0))
    rows = rows.filter(nw.col(_DAY) <= as_of, ~nw.col(_stage).is_null()).with_columns(
        nw.col(_stage).shift(-1).over(_key, order_by=[_at, rank, _stage]).alias(_NEXT)
    )
    return rows.filter(nw.col(_NEXT).is_null() | (nw.col(_NEXT) != nw.col(_stage)))


def _count_ends(rows: Lazy, opportunity: Lazy) -> Lazy:
    """Count entries by stage, and those that were the last as the opportunity was won or lost."""
    fate = opportunity.select(_key, opportunities.closed_on, IS_WON, IS_LOST)
    rows = rows.join(fate, on=_key)
    is_over = (nw.col(_DAY) >= nw.col(opportunities.closed_on)).fill_null(False)
    is_end = nw.col(_NEXT).is_null() & is_over
    won, lost = (
        nw.when(is_end & nw.col(fate)).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
        for fate in (IS_WON, IS_LOST)
    )
    rows = rows.with_columns(won.alias(_N_WON), lost.alias(_N_LOST))
    return rows.group_by(_stage).agg(
        nw.len().cast(nw.Float64).alias(_N), nw.col(_N_WON).sum(), nw.col(_N_LOST).sum()
    )
