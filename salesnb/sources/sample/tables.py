"""The tables of the model and the truth, made from what happened."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.sources.sample.activities import activities_table
from salesnb.sources.sample.clock import export_quarters
from salesnb.sources.sample.coaching import actions_table, feedback_table
from salesnb.sources.sample.framework import skills_table
from salesnb.sources.sample.leads import leads_table
from salesnb.sources.sample.market import (
    accounts_table,
    exchange_rates_table,
    products_table,
    sources_table,
    stages_table,
    territories_table,
)
from salesnb.sources.sample.marketing import (
    add_marketing,
    campaign_truth,
    market,
    role_truth,
    touches_table,
)
from salesnb.sources.sample.memberships import memberships_table
from salesnb.sources.sample.opportunities import bookings_by_quarter, opportunities_table
from salesnb.sources.sample.paths import stage_history_table
from salesnb.sources.sample.people import leaves_table, reps_table
from salesnb.sources.sample.pipeline import pipeline_snapshots_table
from salesnb.sources.sample.ratings import fill_forms, gather_raters, ratings_table, true_skills
from salesnb.sources.sample.targets import quota_quarters, set_quotas, targets_table
from salesnb.sources.sample.teams import teams_table
from salesnb.sources.sample.training import courses_table, trainings_table
from salesnb.sources.sample.truth import (
    rater_truth,
    rep_truth,
    team_truth,
    territory_truth,
    training_truth,
)
from salesnb.sources.sample.world import World

Frames = dict[str, pd.DataFrame]


def make_tables(world: World) -> Frames:
    """Make the tables, in the model's order, all rows sound.

    There is no `owner_history`, as rep_id is who closed, and there are no `holidays`, as they
    differ by country.
    """
    frames = _organisation(world) | _market(world) | _sales(world) | _development(world)
    return {name: frames[name] for name in schema.TABLES if name in frames}


def _organisation(world: World) -> Frames:
    people, teams, settings = world.people, world.teams, world.settings
    bookings = bookings_by_quarter(
        world.decisions, world.amounts, world.rates, len(people), quota_quarters()
    )
    quotas = set_quotas(people, bookings, settings)
    return {
        schema.reps.declaration.name: reps_table(people),
        schema.teams.declaration.name: teams_table(teams, settings),
        schema.memberships.declaration.name: memberships_table(people, teams),
        schema.leaves.declaration.name: leaves_table(people),
        schema.targets.declaration.name: targets_table(people, teams, quotas),
    }


def _market(world: World) -> Frames:
    return {
        schema.territories.declaration.name: territories_table(world.people, world.settings),
        schema.accounts.declaration.name: _accounts(world),
        schema.products.declaration.name: products_table(),
        schema.stages.declaration.name: stages_table(),
        schema.sources.declaration.name: sources_table(world.settings),
        schema.exchange_rates.declaration.name: exchange_rates_table(world.rates),
    }


def _accounts(world: World) -> pd.DataFrame:
    return accounts_table(world.people, world.teams, world.settings)


def _sales(world: World) -> Frames:
    people, settings, ids = world.people, world.settings, world.deal_ids
    account_ids = _accounts(world)[schema.accounts.account_id].to_numpy(dtype=object)
    deals, decisions = world.deals, world.decisions
    return {
        schema.opportunities.declaration.name: opportunities_table(
            deals, decisions, world.amounts, world.pipeline, world.path,
            people, ids, account_ids, settings,
        ),
        schema.stage_history.declaration.name: stage_history_table(world.path, ids, settings),
        schema.pipeline_snapshots.declaration.name: pipeline_snapshots_table(
            world.pipeline, world.path, world.amounts.amount, ids
        ),
        **_demand(world),
        schema.activities.declaration.name: activities_table(
            deals, decisions, people, world.talent, ids, settings
        ),
    }  # fmt: skip


def _demand(world: World) -> Frames:
    leads, settings = world.leads, world.settings
    marketing = market(leads, settings)
    table = leads_table(leads, world.lead_outcomes(), world.people, settings)
    lead_ids = table[schema.leads.lead_id].to_numpy(dtype=object)
    touched = touches_table(leads, lead_ids, marketing, world.deals, world.deal_ids, settings)
    return {
        schema.leads.declaration.name: add_marketing(table, leads, marketing),
        schema.touches.declaration.name: touched,
    }


def _development(world: World) -> Frames:
    people, teams, settings = world.people, world.teams, world.settings
    raters = gather_raters(people, teams, settings)
    forms = fill_forms(people, teams, raters, settings)
    skills = true_skills(forms.rep, forms.day, people, world.talent, world.trainings, settings)
    won, closed = world.results(export_quarters())
    with np.errstate(invalid="ignore"):
        rates = won / closed
    return {
        schema.skills.declaration.name: skills_table(),
        schema.ratings.declaration.name: ratings_table(forms, skills, raters, people, settings),
        schema.feedback.declaration.name: feedback_table(people, teams, settings),
        schema.actions.declaration.name: actions_table(people, world.talent, rates, settings),
        schema.courses.declaration.name: courses_table(settings),
        schema.trainings.declaration.name: trainings_table(world.trainings, people),
    }


def make_truth(world: World) -> Frames:
    """Make the frames of `truth/` but for the defects, by file stem."""
    raters = gather_raters(world.people, world.teams, world.settings)
    return {
        "reps": rep_truth(world.people, world.talent, world.deals, world.settings),
        "territories": territory_truth(world.people, world.settings),
        "training_effects": training_truth(),
        "team_effects": team_truth(world.teams),
        "raters": rater_truth(raters),
        "campaigns": campaign_truth(),
        "touch_roles": role_truth(),
    }
