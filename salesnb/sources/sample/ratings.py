"""Skill scorecards: what raters see of the true skills."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.sources.sample.arrays import Floats, Ints, Texts, texts
from salesnb.sources.sample.clock import export_quarters, quarter_start, to_dates, workday_until
from salesnb.sources.sample.framework import positions, skill_names
from salesnb.sources.sample.ids import crm_ids
from salesnb.sources.sample.people import People
from salesnb.sources.sample.settings import Settings
from salesnb.sources.sample.talent import Talent, ramp
from salesnb.sources.sample.teams import Teams
from salesnb.sources.sample.training import COURSES, Trainings

ROLES = ("manager", "peer", "coach", "self")
_SHARES = (0.94, 0.62, 0.5, 0.3)  # of rep-quarters with such a form
_FORM_SD, _FLATTERY = 0.22, 0.45
_HALO = (0.05, 0.4)  # share of the profile a rater flattens, lowest and highest
_NOT_OBSERVED, _LEFT_OUT = 0.07, 0.03
_KNOWN_DAYS = 45


@dataclass(frozen=True)
class Raters:
    """Everyone who rates, by identifier, with leniency (points) and halo (share)."""

    rater_id: Texts
    leniency: Floats
    halo: Floats


@dataclass(frozen=True)
class Forms:
    """Filled forms: rated rep, rater (position in Raters), role (position in ROLES), day."""

    rep: Ints
    rater: Ints
    role: Ints
    day: Ints

    def __len__(self) -> int:
        """Count the forms."""
        return len(self.rep)


def gather_raters(people: People, teams: Teams, settings: Settings) -> Raters:
    """Gather managers, coaches and (as peers and of themselves) reps."""
    successors = [one for one in teams.successors if one is not None]
    ids = texts([*people.rep_id, *teams.managers, *successors, *teams.coaches])
    rng = settings.stream("raters")
    leniency = rng.normal(0, settings.rater_leniency_sd, len(ids))
    return Raters(ids, leniency, rng.uniform(*_HALO, len(ids)))


def true_skills(
    rep: Ints, day: Ints, people: People, talent: Talent, trainings: Trainings, settings: Settings
) -> Floats:
    """Find the true skills (columns) of each rep on each day, with ramp and training."""
    ramping = ramp(day - people.hired[rep], settings.ramp_skill, settings, ramped=0.0)
    skills = talent.skills[rep] + ramping[:, None]
    for number, course in enumerate(COURSES):
        if course.score:
            gain = course.score * trainings.has_completed(number, rep, day)
            skills[:, positions((course.skill,))[0]] += gain
    return skills


def fill_forms(people: People, teams: Teams, raters: Raters, settings: Settings) -> Forms:
    """Hand out the forms of every quarter to managers, peers, coaches and the reps themselves."""
    rng = settings.stream("forms")
    position = {rater: number for number, rater in enumerate(raters.rater_id)}
    coaches = np.array([position[coach] for coach in teams.coaches])
    filled = []
    for end in quarter_start(export_quarters() + 1):
        day = workday_until(end - 1 - rng.integers(0, 20, len(people)))
        everyone = np.arange(len(people))
        known = people.is_present(everyone, day) & (people.hired <= day - _KNOWN_DAYS)
        rated = everyone[known]
        team = people.team_on(rated, day[rated])
        managers = {t: position[teams.manager_on(t, int(end) - 1)] for t in np.unique(team)}
        pick = [
            np.array([managers[t] for t in team], dtype=np.int64),
            _pick_peers(rated, team, rng),
            rng.choice(coaches, len(rated)),
            rated,
        ]
        for role, rater in enumerate(pick):
            given = (rng.random(len(rated)) < _SHARES[role]) & ((rater != rated) | (role == 3))
            reps = rated[given]
            filled.append((reps, rater[given], np.full(len(reps), role), day[reps]))
    return Forms(*(np.concatenate(column) for column in zip(*filled, strict=True)))


def _pick_peers(rated: Ints, team: Ints, rng: np.random.Generator) -> Ints:
    """Pick the next colleague of a shuffled team; who is alone gets themself (and no form)."""
    order = np.lexsort((rng.random(len(rated)), team))
    peers = np.empty(len(rated), dtype=np.int64)
    for group in np.split(order, np.flatnonzero(np.diff(team[order])) + 1):
        peers[group] = rated[np.roll(group, 1)]
    return peers


def ratings_table(
    forms: Forms, skills: Floats, raters: Raters, people: People, settings: Settings
) -> pd.DataFrame:
    """List the scores: whole points, blurred by leniency, halo, mood and chance.

    Parameters
    ----------
    skills
        True skills (columns) at each form.
    """
    rng = settings.stream("ratings")
    n, n_skills = skills.shape
    overall = skills.mean(axis=1, keepdims=True)
    flat = raters.halo[forms.rater][:, None]
    mood = raters.leniency[forms.rater] + rng.normal(0, _FORM_SD, n)
    mood = mood + _FLATTERY * (forms.role == ROLES.index("self"))
    seen = overall + (1 - flat) * (skills - overall) + mood[:, None]
    seen = seen + rng.normal(0, settings.rating_noise_sd, skills.shape)
    score = np.clip(np.round(seen), 1, 5)
    score[rng.random(score.shape) < _NOT_OBSERVED] = np.nan
    form, skill = np.nonzero(rng.random((n, n_skills)) >= _LEFT_OUT)
    form_ids = crm_ids("a0R", n, rng)
    columns = schema.ratings
    return pd.DataFrame(
        {
            columns.form_id: form_ids[form],
            columns.skill: texts(skill_names())[skill],
            columns.rep_id: people.rep_id[forms.rep[form]],
            columns.rater_id: raters.rater_id[forms.rater[form]],
            columns.rater_role: texts(ROLES)[forms.role[form]],
            columns.score: score[form, skill],
            columns.rated_on: to_dates(forms.day[form]),
        }
    )
