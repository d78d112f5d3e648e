"""Flow: the counts from which stage conversion, times and P(win by T) are estimated.

They are kept by team, never by rep: a process is a team's, and one person's is too few to tell.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import partial

import narwhals as nw
import numpy as np
import pandas as pd

from salesnb.measures import facts
from salesnb.measures.catalogue.columns import IS_LOST, IS_WON
from salesnb.measures.engine import Engine, Lazy
from salesnb.measures.flow import stays
from salesnb.measures.flow.ends import IS_FOUND_END, add_ends
from salesnb.measures.flow.places import (
    PERIOD,
    TEAM,
    Places,
    add_counts,
    count_rows,
    find_places,
    whole_numbers,
)
from salesnb.measures.flow.practices import count_practices
from salesnb.schema import opportunities, stage_history
from salesnb.schema import stages as listed_stages
from salesnb.sources.snapshot import Snapshot

_COLUMNS = {
    "fates": ["team_id", "period", "days", "fate", "n"],
    "stays": ["team_id", "period", "stage", "days", "event", "n"],
    "steps": ["team_id", "period", "from_stage", "to_stage", "n"],
    "practices": ["team_id", "period", "practice", "of", "n"],
    "stage_names": ["stage", "first_on", "last_on", "n", "is_listed"],
    "stages": ["stage", "stage_order", "is_qualified", "is_won", "is_lost", IS_FOUND_END],
}
FLOW_FRAMES = tuple(_COLUMNS)
LATEST = 366
"""Days up to which fates are kept by the day; later ones by the week."""


def _empty(name: str) -> pd.DataFrame:
    return pd.DataFrame(columns=_COLUMNS[name])


@dataclass(frozen=True, eq=False)
class Flow:
    """How opportunities pass the stages and end, by team and quarter.

    Attributes
    ----------
    fates
        team_id, period (of creation), days (from creation to the end, or so far), fate (won,
        lost, open), n: opportunities created since the first close.
    stays
        As `stays.count_stays` gives them; empty without a history of stages.
    steps
        As `stays.count_steps` gives them.
    practices
        As `practices.count_practices` gives them.
    stage_names
        As `stays.list_names` gives them.
    stages
        The stages that have an order; is_found_end: the list does not say that it ends the process,
        `ends.add_ends` has found it.
    """

    fates: pd.DataFrame = field(default_factory=partial(_empty, "fates"))
    stays: pd.DataFrame = field(default_factory=partial(_empty, "stays"))
    steps: pd.DataFrame = field(default_factory=partial(_empty, "steps"))
    practices: pd.DataFrame = field(default_factory=partial(_empty, "practices"))
    stage_names: pd.DataFrame = field(default_factory=partial(_empty, "stage_names"))
    stages: pd.DataFrame = field(default_factory=partial(_empty, "stages"))

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        """Compare frame by frame; names are the same whatever categories they are kept as."""
        return isinstance(other, Flow) and all(
            getattr(self, name).astype(object).equals(getattr(other, name).astype(object))
            for name in FLOW_FRAMES
        )


def no_flow() -> Flow:
    """Make what `measure_flow` gives where nothing is counted."""
    return Flow()


def measure_flow(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, months: pd.DataFrame, *,
    periods: tuple[str, ...], first_close: dt.date, as_of: dt.date,
) -> Flow:  # fmt: skip
    """Count how opportunities pass the stages and end.

    Parameters
    ----------
    engine, snapshot
        Where, and what.
    opportunity
        Opportunities as known on `as_of`.
    months
        Reps by team and month, as `people.owner_months` gives them.
    periods
        All quarters from that of the first close to that of `as_of`.
    first_close
        Day of the first close. What was closed before is not in the data, so cohorts created
        before would seem never to end: only later ones are counted.
    as_of
        Day on which the world is seen.
    """
    places = find_places(
        engine, snapshot, months, periods=periods, first_close=first_close, as_of=as_of
    )
    fates = _count_fates(engine, opportunity, places, first_close, as_of)
    listed = _listed(snapshot)
    is_followed = len(listed) and snapshot.has("stage_history", stage_history.entered_at)
    if is_followed:
        listed = add_ends(engine, snapshot, opportunity, listed, as_of)
    practices = count_practices(engine, snapshot, opportunity, places, listed, as_of)
    if not is_followed:
        return Flow(fates=fates, practices=practices, stages=listed)
    entries = stays.find_entries(engine, snapshot, listed, as_of)
    return Flow(
        fates=fates,
        stays=stays.count_stays(
            engine, entries, opportunity, places, first_close=first_close, as_of=as_of
        ),
        steps=stays.count_steps(engine, entries, opportunity, places, first_close),
        practices=practices,
        stage_names=stays.list_names(engine, snapshot, listed, as_of),
        stages=listed,
    )


def _listed(snapshot: Snapshot) -> pd.DataFrame:
    if not snapshot.has("stages", listed_stages.stage_order):
        return _empty("stages")
    return stays.stage_list(snapshot)


def _count_fates(
    engine: Engine, opportunity: Lazy, places: Places, first_close: dt.date, as_of: dt.date
) -> pd.DataFrame:
    """Count opportunities by how they ended and how long it took, or has taken so far."""
    created = nw.col(opportunities.created_on)
    decided = nw.col(IS_WON) | nw.col(IS_LOST)
    closed = nw.when(decided).then(nw.col(opportunities.closed_on)).otherwise(nw.lit(as_of))
    undecided = nw.when(nw.col(IS_LOST)).then(nw.lit(stays.LOST)).otherwise(nw.lit(stays.OPEN))
    rows = opportunity.filter(created >= first_close).with_columns(
        (closed - created).cast(nw.Int64).alias("days"),
        nw.when(nw.col(IS_WON)).then(nw.lit(stays.WON)).otherwise(undecided).alias("fate"),
    )
    rows = facts.with_team(rows, places.owners, opportunities.created_on)
    counts = engine.collect(count_rows(rows, TEAM, PERIOD, "days", "fate"))
    late = LATEST + 7 * np.ceil((counts["days"].astype(float) - LATEST) / 7)
    counts["days"] = counts["days"].where(counts["days"] <= LATEST, late).astype("int64")
    counts = add_counts(counts, [TEAM, PERIOD, "days", "fate"])
    return places.named(whole_numbers(counts, "n"))
