"""How far courses lift their skill, as far as past programmes have shown it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesnb.analysis.impact import programmes, rate_programme
from salesnb.analysis.impact.programmes import READY
from salesnb.measures.measures import Measures
from salesnb.measures.shared import shared

USUAL_EFFECT, USUAL_ERROR = 0.4, 0.2
"""Points that a course is taken to bring on its skill until its own effect has been measured, and
how unsure that is."""

COURSE_EFFECTS = ["course_id", "course", "skill", "effect", "error", "n_programmes", "n_people"]


@shared
def course_effects(measures: Measures, *, period: str = "") -> pd.DataFrame:
    """Say how far each course that was held before lifts its skill.

    What each of its programmes did to ratings beside the untrained (`training_impact`, behaviour)
    is weighed with what courses usually bring, each by how sure it is: a course of few people, or
    seen by few raters, stays near the usual. A rater who sees all skills alike shows too little of
    a rise in one, so effects are rather too small.

    Parameters
    ----------
    measures
        From `load_measures`; without trainings or ratings no course is listed.
    period
        Last quarter to look at; '' is the latest.

    Returns
    -------
    DataFrame
        One row a course, by course_id: `effect` (points of 1 to 5) with its standard `error`,
        programmes and trained people behind it.

    Raises
    ------
    ParameterError
        The quarter is unknown.
    """
    listed = programmes(measures, period=period)
    rows = listed.rows[(listed.rows["status"] == READY) & (listed.rows["skill"] != "")]
    if measures.ratings.empty or rows.empty:
        return pd.DataFrame(columns=COURSE_EFFECTS)
    found = []
    for _, row in rows.iterrows():
        rated = rate_programme(measures, row, period=listed.period)
        if rated.effect.is_known and rated.effect.error > 0:
            keys = (row["course_id"], row["course"], row["skill"])
            n = int(rated.trained.sum())
            found.append((*keys, rated.effect.estimate, rated.effect.error, n))
    seen = pd.DataFrame(found, columns=["course_id", "course", "skill", "effect", "error", "n"])
    effects = [_weigh(group) for _, group in seen.groupby("course_id", sort=True)]
    return pd.DataFrame(effects, columns=COURSE_EFFECTS)


def _weigh(seen: pd.DataFrame) -> tuple[object, ...]:
    """Weigh what programmes showed with what is usual, by precision."""
    means = np.append(seen["effect"].to_numpy(dtype=float), USUAL_EFFECT)
    weights = 1 / np.append(seen["error"].to_numpy(dtype=float), USUAL_ERROR) ** 2
    first = seen.iloc[0]
    effect, error = float(np.average(means, weights=weights)), float(weights.sum() ** -0.5)
    n_people = int(seen["n"].sum())
    return (*first[["course_id", "course", "skill"]], effect, error, len(seen), n_people)
