"""Practices: how well the record of the process is kept, as counts among occasions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import narwhals as nw
import pandas as pd

from salesnb.measures import facts
from salesnb.measures.catalogue.columns import DAY, IS_LOST, IS_WON
from salesnb.measures.engine import Engine, Lazy
from salesnb.measures.flow.places import PERIOD, TEAM, Places, whole_numbers
from salesnb.schema import opportunities, stage_history, stages
from salesnb.sources.snapshot import Snapshot

CLOSED_WITHOUT_HISTORY = "closed_without_history"
WON_UNQUALIFIED = "won_unqualified"
NO_NEXT_STEP = "no_next_step"
NO_CREATED_DATE = "no_created_date"

_N_ENTRIES, _N_QUALIFIED = "n_entries", "n_qualified"
_key = opportunities.opportunity_id


def count_practices(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, places: Places, listed: pd.DataFrame,
    as_of: dt.date,
) -> pd.DataFrame:  # fmt: skip
    """Count events among occasions of each practice the snapshot has the data for.

    no_created_date
        Of the opportunities closed in the quarter or open on `as_of`, those without the day they
        were created.
    no_next_step
        Of the opportunities open on `as_of`, those whose expected close is missing or past: the
        data have no other sign that somebody plans what comes next. Only on the last day of the
        data: what was expected on an earlier day, they do not tell.
    closed_without_history
        Of the opportunities closed in the quarter, those without any entry into a stage.
    won_unqualified
        Of those won in the quarter with a history, those that never entered an open stage that
        counts as qualified.

    Returns
    -------
    DataFrame
        team_id, period, practice, of (occasions, > 0), n (events).
    """
    frames = [
        _count(engine, facts.with_team(rows, places.owners, DAY), practice)
        for practice, rows in _occasions(engine, snapshot, opportunity, listed, as_of)
    ]
    counts = pd.concat(frames, ignore_index=True)
    return places.named(whole_numbers(counts, TEAM, PERIOD, "of", "n"))


def _occasions(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, listed: pd.DataFrame, as_of: dt.date
) -> Iterator[tuple[str, Lazy]]:
    """Name practices with their occasions: rep_id, `DAY`, and whether it is an event."""
    decided = nw.col(IS_WON) | nw.col(IS_LOST)
    rows = opportunity.with_columns(nw.col(facts.RATE_DAY).alias(DAY))
    undated = nw.col(opportunities.created_on).is_null()
    yield NO_CREATED_DATE, rows.with_columns(undated.alias("is_event"))
    if as_of == snapshot.as_of and snapshot.has("opportunities", opportunities.expected_close_on):
        due = nw.col(opportunities.expected_close_on)
        is_gone = (due < as_of).fill_null(True)
        yield NO_NEXT_STEP, rows.filter(~decided).with_columns(is_gone.alias("is_event"))
    if not snapshot.has("stage_history"):
        return
    entries = _summed_entries(engine, snapshot, listed, as_of)
    closed = rows.filter(decided).join(entries, on=str(_key), how="left")
    has_none = nw.col(_N_ENTRIES).is_null()
    yield CLOSED_WITHOUT_HISTORY, closed.with_columns(has_none.alias("is_event"))
    if _qualified(listed):
        won = closed.filter(nw.col(IS_WON), ~has_none)
        yield WON_UNQUALIFIED, won.with_columns((nw.col(_N_QUALIFIED) == 0).alias("is_event"))


def _qualified(listed: pd.DataFrame) -> list[str]:
    is_over = listed[stages.is_won] | listed[stages.is_lost]
    return list(listed.loc[listed[stages.is_qualified] & ~is_over, stages.stage])


def _summed_entries(
    engine: Engine, snapshot: Snapshot, listed: pd.DataFrame, as_of: dt.date
) -> Lazy:
    """Count each opportunity's entries into stages, and into qualified ones."""
    stage, at = stage_history.stage, stage_history.entered_at
    rows = facts.read_columns(engine, snapshot, stage_history.opportunity_id, stage, at)
    rows = rows.filter(nw.col(at).cast(nw.Date) <= as_of, ~nw.col(stage).is_null())
    is_qualified = nw.col(stage).is_in(_qualified(listed) or [""])
    one = nw.when(is_qualified).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
    return (
        rows.with_columns(one.alias(_N_QUALIFIED))
        .group_by(str(_key))
        .agg(nw.len().alias(_N_ENTRIES), nw.col(_N_QUALIFIED).sum())
    )


def _count(engine: Engine, rows: Lazy, practice: str) -> pd.DataFrame:
    one = nw.when(nw.col("is_event")).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
    sums = rows.select(TEAM, PERIOD, one.alias("n")).group_by(TEAM, PERIOD)
    found = engine.collect(
        sums.agg(nw.len().cast(nw.Float64).alias("of"), nw.col("n").sum())
    )  # fmt: skip
    return found.assign(practice=practice)[[TEAM, PERIOD, "practice", "of", "n"]]
