"""The simulation in order: each part uses the ones before it and its own random stream."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from salesnb.sources.sample.arrays import Floats, Ints, Texts
from salesnb.sources.sample.clock import FIRST, quarter_of
from salesnb.sources.sample.deals import Deals, open_deals
from salesnb.sources.sample.decisions import Decisions, decide
from salesnb.sources.sample.ids import crm_ids
from salesnb.sources.sample.leads import Leads, generate_leads
from salesnb.sources.sample.market import ExchangeRates, draw_rates
from salesnb.sources.sample.opportunities import Amounts, price_deals
from salesnb.sources.sample.paths import Path, walk_stages
from salesnb.sources.sample.people import People, hire_people
from salesnb.sources.sample.pipeline import Pipeline, picture_pipeline
from salesnb.sources.sample.settings import Settings
from salesnb.sources.sample.talent import Talent, draw_talent
from salesnb.sources.sample.teams import Teams, found_teams
from salesnb.sources.sample.training import (
    WEAKEST_ON,
    Trainings,
    combine,
    plan_trainings,
    train_weakest,
)


@dataclass(frozen=True)
class World:
    """Everything that happened. Opportunities closed before the export's period are forgotten."""

    settings: Settings
    teams: Teams
    people: People
    talent: Talent
    trainings: Trainings
    leads: Leads
    deals: Deals
    decisions: Decisions
    path: Path
    pipeline: Pipeline
    rates: ExchangeRates
    amounts: Amounts
    deal_ids: Texts

    def results(self, quarters: Ints) -> tuple[Floats, Floats]:
        """Opportunities won and closed by each rep (row) in each of the quarters (column)."""
        column = quarter_of(self.decisions.closed) - quarters[0]
        counted = self.decisions.is_closed & (column >= 0) & (column < len(quarters))
        won = np.zeros((len(self.people), len(quarters)))
        closed = won.copy()
        owner, at = self.decisions.owner[counted], column[counted]
        np.add.at(won, (owner, at), self.decisions.is_won[counted])
        np.add.at(closed, (owner, at), 1)
        return won, closed

    def lead_outcomes(self) -> Texts:
        """Opportunity of each lead, or None."""
        became = np.full(len(self.leads.rep), None, dtype=object)
        born = self.deals.lead >= 0
        became[self.deals.lead[born]] = self.deal_ids[born]
        return became


def simulate(settings: Settings) -> World:
    """Let the company live.

    The weakest are chosen by results; as their course has no effect, they are found at the end.
    """
    teams = found_teams(settings)
    people = hire_people(settings, teams)
    talent = draw_talent(people, settings)
    trainings = plan_trainings(people, talent, settings)
    leads = generate_leads(people, talent, settings)
    deals = open_deals(people, talent, leads, settings)
    decisions = decide(deals, people, talent, trainings, settings)
    exported = decisions.closed >= FIRST
    deals, decisions = deals.take(exported), decisions.take(exported)
    rates = draw_rates(settings)
    world = World(
        settings=settings,
        teams=teams,
        people=people,
        talent=talent,
        trainings=trainings,
        leads=leads,
        deals=deals,
        decisions=decisions,
        path=walk_stages(deals, decisions, settings),
        pipeline=picture_pipeline(deals, decisions, settings),
        rates=rates,
        amounts=price_deals(deals, decisions, people, teams, rates, settings),
        deal_ids=crm_ids("006", len(deals), settings.stream("opportunity ids")),
    )
    return _with_weakest_trained(world)


def _with_weakest_trained(world: World) -> World:
    quarter = int(quarter_of(np.array(WEAKEST_ON)))
    won, closed = world.results(np.array([quarter - 2, quarter - 1]))
    weakest = train_weakest(world.people, won.sum(axis=1), closed.sum(axis=1), world.settings)
    return replace(world, trainings=combine(world.trainings, weakest))
