"""What sums are made of: the facts that the KPIs asked for need, and who they belong to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import narwhals as nw
import pandas as pd

from salesnb.measures import facts, people, pipeline, reach, responses, staff, stages
from salesnb.measures.catalogue.columns import IS_WON
from salesnb.measures.catalogue.kpi import Kpi
from salesnb.measures.engine import Engine, Lazy
from salesnb.schema import memberships, opportunities, ratings
from salesnb.sources.snapshot import Snapshot

_ATTRIBUTED = (
    "rep_days", "quotas", "due", "spend", "expected", "attained", "ramps", "skill_gaps",
    "target_accounts",
)  # fmt: skip
"""Facts that know their owner."""
_OWNER = [memberships.rep_id, memberships.team_id, "period"]


@dataclass(frozen=True)
class Ground:
    """What every fact is found from.

    Attributes
    ----------
    owners, months, names
        Who a rep's facts of a month belong to, in the engine and here; owners by number.
    """

    engine: Engine
    snapshot: Snapshot
    opportunity: Lazy
    amount: Lazy
    owners: Lazy
    months: pd.DataFrame
    names: pd.DataFrame
    periods: tuple[str, ...]
    as_of: dt.date

    def attribute(self, rows: Lazy, on: str) -> Lazy:
        """Give each row its owner on the day `on`, none later than the day the world is seen."""
        return facts.with_team(rows.filter(nw.col(on) <= self.as_of), self.owners, on)

    def named(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Say which rep, team and quarter each row's owner is."""
        names = self.names.take(rows[people.OWNER].to_numpy()).set_axis(rows.index)
        return names.assign(**{str(name): rows[name] for name in rows if name != people.OWNER})


@dataclass(frozen=True)
class Prepared:
    """The facts by name, on their ground."""

    ground: Ground
    facts: dict[str, Lazy]
    ratings: pd.DataFrame
    active: pd.DataFrame

    def rows_of(self, fact: str, on: str) -> Lazy:
        """Take a fact with its owners."""
        rows = self.facts[fact]
        return rows if fact in _ATTRIBUTED else self.ground.attribute(rows, on)


def prepare(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, amount: Lazy, *, kpis: tuple[Kpi, ...],
    periods: tuple[str, ...], as_of: dt.date,
) -> Prepared:  # fmt: skip
    """Find the facts that KPIs need; those of few rows are computed here, the rest when asked."""
    segments = people.complete_memberships(snapshot)
    months = people.owner_months(segments, snapshot.calendar, periods)
    names = months.groupby(people.OWNER)[_OWNER].first()
    owners = engine.local(months.drop(columns=[memberships.team_id, "period"]))
    ground = Ground(
        engine, snapshot, opportunity, amount, owners, months, names, periods, as_of
    )  # fmt: skip
    active = people.active_time(snapshot, segments, snapshot.calendar, periods, as_of)
    numbers = names.reset_index()
    quotas = people.prorated_quotas(snapshot, active).merge(numbers, on=_OWNER)
    active = active.merge(numbers, on=_OWNER)
    rated = _attributed_ratings(ground)
    makers = _makers(ground, active, quotas, rated)
    wanted = {part.fact for kpi in kpis for part in kpi.parts}
    found = {str(name): makers[name]() for name in sorted(wanted)}
    return Prepared(ground, found, rated, active)


def _makers(
    ground: Ground, active: pd.DataFrame, quotas: pd.DataFrame, rated: pd.DataFrame
) -> dict[str, Callable[[], Lazy]]:
    """Say how each fact is found."""
    engine, snapshot, amount = ground.engine, ground.snapshot, ground.amount
    opportunity, periods, as_of = ground.opportunity, ground.periods, ground.as_of
    won = amount.filter(nw.col(IS_WON))
    once = _Once(ground, won)

    def due() -> Lazy:
        return pipeline.due_facts(
            engine, snapshot, amount, ground.owners, quotas, once.pictures, as_of
        )

    def opened() -> Lazy:
        return pipeline.open_facts(engine, snapshot, opportunity, periods, as_of)

    def spend() -> Lazy:
        created = ground.attribute(opportunity, opportunities.created_on)
        return engine.local(
            reach.share_spend(engine, snapshot, created, ground.names, ground.months)
        )

    return {
        "opportunities": lambda: opportunity,
        "amounts": lambda: amount,
        "won": lambda: won,
        "rep_days": lambda: engine.local(active),
        "leads": lambda: facts.lead_facts(engine, snapshot, opportunity, as_of),
        "qualified_leads": lambda: facts.qualified_lead_facts(engine, snapshot, opportunity, as_of),
        "responses": lambda: responses.response_facts(engine, snapshot, periods, as_of),
        "activities": lambda: facts.activity_facts(engine, snapshot, as_of),
        "quotas": lambda: engine.local(quotas),
        "due": due,
        "pictures": lambda: pipeline.picture_facts(engine, once.pictures),
        "forecasts": lambda: pipeline.forecast_facts(engine, once.pictures),
        "open": opened,
        "stalled": lambda: pipeline.stalled_facts(engine, snapshot, opened(), periods, as_of),
        "stages": lambda: stages.stage_facts(engine, snapshot, opportunity, as_of),
        "spend": spend,
        "expected": lambda: engine.local(
            staff.share_bookings(snapshot, active, once.bookings, ground.names)
        ),
        "attained": lambda: engine.local(
            staff.find_attained(snapshot, quotas, once.bookings, ground.names)
        ),
        "ramps": lambda: engine.local(
            staff.find_ramps(snapshot, ground.months, once.bookings, as_of)
        ),
        "skill_gaps": lambda: engine.local(staff.find_skill_gaps(snapshot, rated, ground.names)),
        "target_accounts": lambda: engine.local(
            reach.reach_accounts(engine, snapshot, ground.months, periods, as_of)
        ),
    }


class _Once:
    """What several facts are found from, found when it is first asked for."""

    def __init__(self, ground: Ground, won: Lazy) -> None:
        self._ground = ground
        self._won = won

    @cached_property
    def pictures(self) -> pipeline.Pictures | None:
        ground = self._ground
        return pipeline.find_pictures(ground.engine, ground.snapshot, ground.amount, ground.as_of)

    @cached_property
    def bookings(self) -> pd.DataFrame:
        ground = self._ground
        won = ground.attribute(self._won, opportunities.closed_on)
        return staff.monthly_bookings(ground.engine, won)


def _attributed_ratings(ground: Ground) -> pd.DataFrame:
    """Give each observed skill score the quarter and team it was given in."""
    columns = [
        ratings.form_id, ratings.rep_id, memberships.team_id, ratings.rater_id,
        ratings.rater_role, "period", ratings.skill, ratings.score, ratings.rated_on,
    ]  # fmt: skip
    if not ground.snapshot.has("ratings"):
        return pd.DataFrame(columns=columns)
    rows = facts.rating_facts(ground.engine, ground.snapshot, ground.as_of)
    found = ground.engine.collect(ground.attribute(rows, ratings.rated_on))
    found = ground.named(found.drop(columns=ratings.rep_id))
    return found[columns].sort_values([ratings.form_id, ratings.skill], ignore_index=True)
