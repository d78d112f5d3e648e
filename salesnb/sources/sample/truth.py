"""What is true of the company, for tests and benchmarks; no part of the import."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
from scipy.special import expit

from salesnb import schema
from salesnb.sources.sample.arrays import Texts, texts
from salesnb.sources.sample.clock import FIRST, LAST, START, to_dates
from salesnb.sources.sample.deals import Deals
from salesnb.sources.sample.decisions import Decisions, deal_logit
from salesnb.sources.sample.framework import ARCHETYPES, importance, skill_names
from salesnb.sources.sample.market import known_potential, money_potential, territory_ids
from salesnb.sources.sample.people import People
from salesnb.sources.sample.ratings import Raters
from salesnb.sources.sample.settings import Settings
from salesnb.sources.sample.talent import Talent, territory_potentials
from salesnb.sources.sample.targets import GAP, GAP_QUARTER, GAP_TEAM
from salesnb.sources.sample.teams import TEAM_EFFECTS, Teams
from salesnb.sources.sample.training import COURSES

WRITTEN_BY = "salesnb.sources.sample"
_MIX = 500
"""Opportunities the average win probability of a rep is taken over."""


def rep_truth(people: People, talent: Talent, deals: Deals, settings: Settings) -> pd.DataFrame:
    """Tell what each rep is capable of once ramped, untrained and in an ordinary quarter.

    `true_win_probability` is over the company's mix of opportunities.
    """
    mix = np.quantile(deal_logit(deals, settings), (np.arange(_MIX) + 0.5) / _MIX)
    archetypes = texts(list(ARCHETYPES))
    potential = money_potential(talent.patch, settings)
    territories = territory_ids(int(people.territory.max()) + 1)
    frame = pd.DataFrame(
        {
            schema.reps.rep_id: people.rep_id,
            "archetype": archetypes[talent.archetype],
            "true_win_probability": expit(talent.win[:, None] + mix).mean(axis=1),
            "win_logit": talent.win,
            "overall_level": talent.level,
            "opportunities_per_quarter": talent.volume,
            schema.territories.territory_id: territories[people.territory],
            "territory_potential": potential,
            "log_potential": talent.patch,
        }
    )
    skills = pd.DataFrame(talent.skills, columns=list(skill_names()))
    return pd.concat([frame, skills], axis=1)


def probability_truth(deal_ids: Texts, decisions: Decisions) -> pd.DataFrame:
    """Give the true chance of winning each opportunity."""
    return pd.DataFrame(
        {
            schema.opportunities.opportunity_id: deal_ids,
            "probability": np.round(decisions.probability, 6),
        }
    )


def training_truth() -> pd.DataFrame:
    """Give the true effect of completing each course."""
    return pd.DataFrame(
        {
            schema.courses.course_id: [course.course_id for course in COURSES],
            schema.courses.skill: [course.skill for course in COURSES],
            "win_logit_effect": [course.win for course in COURSES],
            "skill_effect": [course.score for course in COURSES],
        }
    )


def territory_truth(people: People, settings: Settings) -> pd.DataFrame:
    """Give the true potential of each territory beside the planners' estimate."""
    log_potential = territory_potentials(people, settings)
    return pd.DataFrame(
        {
            schema.territories.territory_id: territory_ids(len(log_potential)),
            schema.territories.potential: money_potential(log_potential, settings),
            "estimated_potential": known_potential(people, settings),
            "log_potential": log_potential,
        }
    )


def team_truth(teams: Teams) -> pd.DataFrame:
    """Give what happened to whole teams."""
    return pd.DataFrame(
        {
            schema.teams.team_id: [teams.team_id[effect.team] for effect in TEAM_EFFECTS],
            schema.targets.period: [effect.quarter for effect in TEAM_EFFECTS],
            "win_logit_effect": [effect.win for effect in TEAM_EFFECTS],
            schema.stages.stage: [effect.stage for effect in TEAM_EFFECTS],
        }
    )


def rater_truth(raters: Raters) -> pd.DataFrame:
    """Give each rater's leniency and halo."""
    return pd.DataFrame(
        {schema.ratings.rater_id: raters.rater_id, "leniency": raters.leniency, "halo": raters.halo}
    )


def parameters_json(settings: Settings, teams: Teams) -> str:
    """Write down size, seed and every planted strength."""
    first, last = (str(to_dates(np.array([day]))[0])[:10] for day in (FIRST, LAST))
    content = {
        "written_by": WRITTEN_BY,
        **asdict(settings),
        "simulated_from": str(START),
        "first_day": first,
        "last_day": last,
        "importance": dict(zip(skill_names(), importance().round(4).tolist(), strict=True)),
        "archetypes": {name: list(skills) for name, skills in ARCHETYPES.items()},
        "target_gap": {
            schema.teams.team_id: teams.team_id[GAP_TEAM],
            schema.targets.period: GAP_QUARTER,
            "factor": GAP,
        },
        "left_out": "opportunities closed and leads created before first_day",
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
