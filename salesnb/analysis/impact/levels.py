"""Kirkpatrick's levels: reaction, learning, behaviour, results, as far as the data go."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesnb.analysis.impact.effect import Effect
from salesnb.analysis.impact.panel import rating_panel
from salesnb.analysis.impact.study import Comparison, Study, compare, design_ramped
from salesnb.analysis.skills import skill_label
from salesnb.language import mark, tr
from salesnb.measures.measures import Measures

LEVELS = ["level", "measure", "figure", "low", "high", "n", "text"]
REACTION, LEARNING = mark("1 Reaction"), mark("2 Learning")
BEHAVIOUR, RESULTS = mark("3 Behaviour"), mark("4 Results")


def kirkpatrick_levels(
    measures: Measures, study: Study, programme: pd.Series, *, result: str, result_effect: Effect,
    n_people: int, period: str,
) -> pd.DataFrame:  # fmt: skip
    """Say what is known at each of Kirkpatrick's four levels.

    Parameters
    ----------
    measures
        With trainings, and ratings for the third level.
    study
        The comparison that the ratings are put to, too.
    programme
        Its row of `Programmes`.
    result, result_effect, n_people
        Label of the outcome, the effect on it, and the trained it rests on.
    period
        Last quarter to look at.

    Returns
    -------
    DataFrame
        level, measure, figure, low, high, n, text: four rows; a level without data says so.
    """
    sent, done = int(programme["n_assigned"]), int(programme["n_completed"])
    rows = [
        (REACTION, tr("how it was liked"), np.nan, np.nan, np.nan, 0, tr("Not recorded.")),
        (LEARNING, tr("completed the course"), done / sent, np.nan, np.nan, sent,
         tr("{done} of {sent} people completed it. No test scores are recorded.",
            done=done, sent=sent)),
        _behaviour(measures, study, str(programme["skill"]), period),
        (RESULTS, result, result_effect.estimate, *result_effect.interval(0.95),
         n_people, ""),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=LEVELS)


def rate_behaviour(measures: Measures, study: Study, skill: str, *, period: str) -> Comparison:
    """Compare how far others score the trained skill above the same form's other skills."""
    panel = rating_panel(measures, skill, period=period, at=study.at)
    return compare(study, panel)


def rate_programme(measures: Measures, programme: pd.Series, *, period: str) -> Comparison:
    """Compare a programme's ratings by itself: `programme` is its row of `Programmes`."""
    skill, at = str(programme["skill"]), str(programme["period"])
    panel = rating_panel(measures, skill, period=period, at=at)
    return compare(design_ramped(measures, programme, panel.periods), panel)


def _behaviour(
    measures: Measures, study: Study, skill: str, period: str
) -> tuple[str, str, float, float, float, int, str]:
    level = BEHAVIOUR
    measure = tr("rating of {skill}", skill=skill_label(skill)) if skill else tr("rating")
    if measures.ratings.empty or not skill:
        why = tr("There are no ratings.") if skill else tr("The course names no skill.")
        return (level, measure, np.nan, np.nan, np.nan, 0, why)
    comparison = rate_behaviour(measures, study, skill, period=period)
    found = comparison.effect
    if not found.is_known:
        why = tr("Too few ratings before and after.")
        return (level, measure, np.nan, np.nan, np.nan, 0, why)
    low, high = found.interval(0.95)
    if low > 0:
        text = tr(
            "Beside the untrained the rating moved up, against the other skills of the same form "
            "(points of 1 to 5); not checked further."
        )
    elif high < 0:
        text = tr(
            "Beside the untrained the rating moved down, against the other skills of the same form "
            "(points of 1 to 5); not checked further."
        )
    else:
        text = tr(
            "Beside the untrained the rating did not move beyond chance, against the other skills "
            "of the same form (points of 1 to 5); not checked further."
        )
    return (level, measure, found.estimate, low, high, int(comparison.trained.sum()), text)
