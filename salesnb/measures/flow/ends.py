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
    counts = engine.collect(_count_last(engine, snapshot, opportunity, as_of)).set_index(_stage)
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


def _count_last(engine: Engine, snapshot: Snapshot, opportunity: Lazy, as_of: dt.date) -> Lazy:
    """Count entries by stage, and those that were the last as the opportunity was won or lost."""
    rows = facts.read_columns(engine, snapshot, *_COLUMNS)
    day = nw.col(_at).cast(nw.Date)
    rows = rows.filter(day <= as_of, ~nw.col(_stage).is_null())
    rows = rows.with_columns((nw.col(_at) == nw.col(_at).max().over(_key)).alias("is_last"))
    fate = opportunity.select(_key, opportunities.closed_on, IS_WON, IS_LOST)
    rows = rows.join(fate, on=_key)
    is_end = (nw.col("is_last") & (day >= nw.col(opportunities.closed_on))).fill_null(False)
    won, lost = (
        nw.when(is_end & nw.col(fate)).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
        for fate in (IS_WON, IS_LOST)
    )
    rows = rows.with_columns(won.alias(_N_WON), lost.alias(_N_LOST))
    return rows.group_by(_stage).agg(
        nw.len().cast(nw.Float64).alias(_N), nw.col(_N_WON).sum(), nw.col(_N_LOST).sum()
    )
