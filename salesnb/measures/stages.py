"""Stages: how long opportunities stay in one, and whether they move on."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import pandas as pd

from salesnb.measures import facts
from salesnb.measures.catalogue.columns import (
    HAS_LEFT,
    IN_STAGE,
    IS_FIRST,
    IS_LOST,
    IS_WON,
    MOVED_ON,
)
from salesnb.measures.engine import Engine, Lazy
from salesnb.schema import opportunities, stage_history, stages
from salesnb.sources.snapshot import Snapshot

_ENTERED, _NEXT, _REACHED, _IS_END = "entered_on", "left_on", "furthest_stage", "is_end"


def stage_facts(engine: Engine, snapshot: Snapshot, opportunity: Lazy, as_of: dt.date) -> Lazy:
    """Entries into open stages by `as_of`, with the days until the next entry or the close.

    Stages that are not in the list of stages have no order and are left out; they still end the
    stage before. What is not over is as long as it has lasted by `as_of`.
    """
    key = opportunities.opportunity_id
    entries = _entries(engine, snapshot, as_of)
    fate = opportunity.select(key, opportunities.rep_id, opportunities.closed_on, IS_WON, IS_LOST)
    rows = entries.filter(~nw.col(_IS_END)).join(fate, on=key)
    decided = nw.col(IS_WON) | nw.col(IS_LOST)
    closed = nw.when(decided).then(nw.col(opportunities.closed_on))
    left = nw.coalesce(nw.col(_NEXT), closed)
    stayed = (nw.coalesce(left, nw.lit(as_of)) - nw.col(_ENTERED)).cast(nw.Int64)
    moved = nw.col(IS_WON) | (nw.col(_REACHED) > nw.col(stages.stage_order))
    return rows.with_columns(
        nw.when(stayed > 0).then(stayed).otherwise(nw.lit(0)).cast(nw.Float64).alias(IN_STAGE),
        (~left.is_null()).alias(HAS_LEFT),
        moved.fill_null(False).alias(MOVED_ON),
        nw.col(_ENTERED).alias(stage_history.entered_at),
    )


def _entries(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> Lazy:
    """Read all entries with the next one, and the furthest stage of the opportunity."""
    columns = (stage_history.opportunity_id, stage_history.stage, stage_history.entered_at)
    rows = facts.read_columns(engine, snapshot, *columns)
    key, stage, entered = (str(column) for column in columns)  # narwhals copies them
    rows = rows.with_columns(nw.col(entered).cast(nw.Date).alias(_ENTERED))
    rows = rows.filter(nw.col(_ENTERED) <= as_of)
    rows = rows.join(engine.local(_stage_list(snapshot)), on=stage, how="left")
    known = ~nw.col(stages.stage_order).is_null()
    order = nw.col(str(stages.stage_order))
    furthest = nw.when(~nw.col(str(stages.is_lost))).then(order)
    return rows.with_columns(
        nw.col(_ENTERED).shift(-1).over(key, order_by=[entered, stage]).alias(_NEXT),
        furthest.max().over(key).alias(_REACHED),
        (nw.col(entered) == nw.col(entered).min().over(key, stage)).alias(IS_FIRST),
        (~known | nw.col(stages.is_won) | nw.col(stages.is_lost)).alias(_IS_END),
    )


def _stage_list(snapshot: Snapshot) -> pd.DataFrame:
    rows = snapshot.read("stages")[
        [stages.stage, stages.stage_order, stages.is_won, stages.is_lost]
    ]
    for name in (stages.is_won, stages.is_lost):
        rows[name] = rows[name].fillna(False).astype(bool)
    return rows.assign(**{stages.stage_order: rows[stages.stage_order].astype(float)})
