"""A small company to plan courses for, by hand: profiles, importance, measures."""

import numpy as np
import pandas as pd
from made_company import QUARTERS, make_measures

from salesnb.analysis.plan import SkillImportance
from salesnb.analysis.profiles import SkillProfiles
from salesnb.analysis.profiles.result import CELLS

NOW = QUARTERS[-1]
SKILLS = ("listening", "discovery", "closing")


def make_company(reps, *, courses, bookings=100_000.0, people=None, trainings=(), names=None):
    """Make measures in which each rep (team by the first letter) has booked alike.

    `bookings` may map reps to what they book a quarter.
    """
    rows = [
        (rep, rep[0], quarter, "bookings", amount, 1.0, 50, amount, amount**2 / 50)
        for rep in reps
        for quarter in QUARTERS
        for amount in [bookings if np.isscalar(bookings) else bookings[rep]]
    ]
    return make_measures(
        rows, kpis=("bookings",), courses=courses, trainings=trainings, people=people, names=names,
        skills=[(skill, "AE", "all", 3.0) for skill in SKILLS],
    )  # fmt: skip


def make_profiles(scores, *, error=0.1, n_raters=3, target=3.0, unit="Acme", names=None):
    """Make profiles of {(rep, skill): score}; `n_raters` may map the same keys."""
    cells = pd.DataFrame(
        [
            {
                "rep_id": rep, "unit": (names or {}).get(rep, f"Rep {rep}"), "team_id": rep[0],
                "skill": skill, "raw": score, "score": score, "error": error,
                "n_raters": n_raters if np.isscalar(n_raters) else n_raters[rep, skill],
                "target": target,
            }
            for (rep, skill), score in scores.items()
        ],
        columns=CELLS,
    )  # fmt: skip
    cells["is_enough"] = cells["n_raters"] >= 2
    nothing = pd.DataFrame()
    return SkillProfiles(
        period=NOW, unit=unit, window=(NOW,), skills=SKILLS, cells=cells, levels=nothing,
        raters=nothing, agreement=nothing, n_circles=1,
        lacking="" if len(cells) else "skill profiles need ratings; the snapshot has none",
    )  # fmt: skip


def make_importance(worth=(0.05, 0.05, 0.05), *, sd=0.01):
    """Make the importance of the skills, equal weights."""
    worth = np.array(worth, dtype=float)
    skills = pd.DataFrame(
        {
            "skill": SKILLS, "group": "all", "weight": 1.0, "by_weight": worth.mean(),
            "importance": worth, "low": worth - 1.645 * sd, "high": worth + 1.645 * sd,
            "p_positive": 0.99,
        }
    )  # fmt: skip
    draws = np.random.default_rng(0).normal(worth, sd, (2_000, 3))
    return SkillImportance(
        period=NOW, outcome="win_rate", skills=skills, draws=draws,
        n_reps=50, n_rows=300, n_quarters=6, p_weights=0.5,
    )  # fmt: skip


def course(skill, *, course_id="", hours=8.0, cost=500.0, seats=5.0):
    return (course_id or skill.upper(), f"All about {skill}", skill, hours, cost, seats)
