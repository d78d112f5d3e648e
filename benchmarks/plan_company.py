"""A simulated company with skills that matter, forms that blur them, courses, and its truth."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matrix_company import CALENDAR, LAST, Truth, make_company

from salesnb.measures.measures import Measures
from salesnb.sources.sample.training import COURSES

N_QUARTERS, N_SKILLS, TEAM, CLOSED = 13, 13, 12, 20
EFFECT, TARGET = 0.4, 3.3
NOISE, MOOD, LENIENCY, HALO = 0.5, 0.22, 0.35, (-0.175, 0.175)
FORMS = {"manager": 0.95, "peer": 0.65, "coach": 0.6}
SKILLS = tuple(f"skill {number:02d}" for number in range(N_SKILLS))


@dataclass(frozen=True, eq=False)
class Planted:
    """What is true: (R, S) skills, (S,) share of bookings a point brings, (R,) money a year."""

    reps: tuple[str, ...]
    skills: np.ndarray
    importance: np.ndarray
    money: np.ndarray


def plant_company(rng: np.random.Generator, n_reps: int) -> tuple[Measures, Planted]:
    """Draw skills of which some matter six times as much as others; managers know it in part.

    Sizes are the sample company's where it plants one: spread of winning and its half that is
    skills, importance, leniency, mood and noise of forms, courses, territories; 2.2 raters and 20
    closed opportunities (more where potential is) a quarter, twelve quarters of results.

    Half of what people differ by in winning is skills. Forms come from managers of one team each,
    who differ in severity, from peers and from coaches, who rate in all teams.
    """
    skills = TARGET - 0.2 + rng.normal(0, 0.35, (n_reps, 1)) + rng.normal(0, 0.55, (n_reps, 13))
    importance = rng.permutation([3, 3, 2, 2, 1.5, 1.5, *[0.5] * 7]) / 19
    weights = np.where(rng.random(13) < 0.6, importance, rng.permutation(importance)) ** 0.5
    told = skills @ importance
    mix = (told - told.mean()) / told.std() + rng.normal(0, 1, n_reps)
    win = 0.38 * mix / np.sqrt(2)
    truth = Truth(
        win=win, volume=rng.normal(0, 0.15, n_reps), size=rng.normal(0, 0.2, n_reps),
        potential=rng.normal(0, 0.5, n_reps),
    )  # fmt: skip
    measures = make_company(
        rng, truth, n_quarters=N_QUARTERS, closed=CLOSED, kpis=("win_rate", "bookings")
    )
    chance = 1 / (1 + np.exp(0.85 - win))
    money = 4 * CLOSED * np.exp(truth.volume + truth.potential + truth.size + 9 + 0.32) * chance
    slope = 0.38 / np.sqrt(2) / told.std() * (1 - chance.mean())
    reps = tuple(f"R{number:05d}" for number in range(n_reps))
    return (
        replace(
            measures,
            ratings=rate(rng, skills, reps),
            skills=pd.DataFrame(
                {"skill": SKILLS, "role": "AE", "group": "all", "weight": weights, "target": TARGET}
            ),
            courses=offer_courses(rng, n_reps),
            territories=measures.territories.assign(
                potential=measures.territories["potential"] * np.exp(rng.normal(0, 0.2, n_reps))
            ),
            as_of=CALENDAR.last_day(LAST) + dt.timedelta(days=1),
        ),
        Planted(reps, skills, slope * importance, money),
    )


def rate(rng: np.random.Generator, skills: np.ndarray, reps: tuple[str, ...]) -> pd.DataFrame:
    """Fill forms of every quarter in whole points, 10% of skills not observed."""
    n_reps = len(reps)
    team = np.arange(n_reps) // TEAM
    n_teams, n_coaches = int(team.max()) + 1, 6
    lenient = {role: rng.normal(0, LENIENCY, n_reps + n_teams + n_coaches) for role in FORMS}
    flat = {role: rng.uniform(*HALO, size.shape) for role, size in lenient.items()}
    frames = []
    for quarter in CALENDAR.window(LAST, N_QUARTERS):
        for role, share in FORMS.items():
            given = np.flatnonzero(rng.random(n_reps) < share)
            mates = team[given] * TEAM + rng.integers(0, TEAM, len(given))
            rater = {
                "manager": team[given],
                "peer": np.where(mates == given, (given + 1) % n_reps, mates) % n_reps,
                "coach": rng.integers(0, n_coaches, len(given)),
            }[role]
            mood = lenient[role][rater] + rng.normal(0, MOOD, len(given))
            level = skills[given].mean(axis=1, keepdims=True)
            seen = (
                level + (1 - flat[role][rater])[:, None] * (skills[given] - level) + mood[:, None]
            )
            score = np.clip(np.round(seen + rng.normal(0, NOISE, seen.shape)), 1, 5)
            score[rng.random(score.shape) < 0.1] = np.nan
            frames.append(
                pd.DataFrame(
                    {
                        "form_id": np.repeat([f"{quarter}{role}{n}" for n in given], N_SKILLS),
                        "rep_id": np.repeat(np.array(reps)[given], N_SKILLS),
                        "team_id": np.repeat([f"T{n:04d}" for n in team[given]], N_SKILLS),
                        "rater_id": np.repeat([f"{role}{n}" for n in rater], N_SKILLS),
                        "rater_role": role,
                        "period": quarter,
                        "skill": np.tile(SKILLS, len(given)),
                        "score": score.ravel(),
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def offer_courses(rng: np.random.Generator, n_reps: int) -> pd.DataFrame:
    """Offer courses as long, dear and large as the sample company's, on ten of the skills."""
    trained = rng.permutation(SKILLS)[: len(COURSES)]
    return pd.DataFrame(
        {
            "course_id": [course.course_id for course in COURSES],
            "name": [course.name for course in COURSES],
            "skill": trained,
            "hours": [float(course.hours) for course in COURSES],
            "cost": [float(course.cost) for course in COURSES],
            "seats": [float(max(2, round(course.seats * n_reps))) for course in COURSES],
        }
    )
