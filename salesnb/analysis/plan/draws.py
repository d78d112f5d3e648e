"""How sure expected gains are: drawn from what is not known of gaps, importance and money."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from salesnb.analysis.plan.importance import SkillImportance

_DRAWS = 1000


def draw_gains(
    taken: pd.DataFrame, importance: SkillImportance, *, random_state: int
) -> NDArray[np.float64]:
    """Draw what each seat brings.

    Seats of one skill share its importance, seats of one course its effect, seats of one person
    their money.

    Parameters
    ----------
    taken
        Offers: rep_id, skill, course_id, `gap`, `gap_sd`, `effect`, `effect_sd`, `money`,
        `money_sd`.

    Returns
    -------
    array
        (N, 1000) money.
    """
    generator = np.random.default_rng(random_state)
    skills = list(importance.skills["skill"])
    worth = generator.choice(importance.draws, _DRAWS)
    people, person = np.unique(taken["rep_id"].astype(str), return_inverse=True)
    stake = generator.normal(size=(len(people), _DRAWS))[person]
    courses, course = np.unique(taken["course_id"].astype(str), return_inverse=True)
    power = generator.normal(size=(len(courses), _DRAWS))[course]
    money, money_sd, gap, gap_sd, effect, effect_sd = (
        taken[name].to_numpy(dtype=float)[:, None]
        for name in ("money", "money_sd", "gap", "gap_sd", "effect", "effect_sd")
    )
    gaps = gap + gap_sd * generator.normal(size=(len(taken), _DRAWS))
    rise = np.clip(gaps, 0.0, np.maximum(effect + effect_sd * power, 0.0))
    place = {name: number for number, name in enumerate(skills)}
    column = [place[name] for name in taken["skill"]]
    found: NDArray[np.float64] = (
        rise * worth[:, column].T * np.maximum(money + money_sd * stake, 0.0)
    )
    return found
