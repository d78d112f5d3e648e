"""Skills of a person beside each other, quarter by quarter: strictness and level taken out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from salesnb.analysis.profiles.forms import find_own

FEWEST_SKILLS = 3
"""Skills on a form below which it says nothing about one beside the others."""


def skill_panel(rows: pd.DataFrame, periods: tuple[str, ...]) -> pd.DataFrame:
    """Average each person's skills in a quarter over forms, each form's own level taken out.

    How strict a rater is, the mood of a form and the person's overall level raise or lower all
    scores of a form alike, so what is left is one skill beside the same person's others. Forms
    about oneself and forms of fewer than three skills are left out.

    Parameters
    ----------
    rows
        form_id, rep_id, rater_id, rater_role, period, skill, score.
    periods
        Quarters, oldest first; the result has a column each.

    Returns
    -------
    DataFrame
        Indexed by rep_id and skill, one column a quarter (0, 1, ...): points, missing where not
        observed.
    """
    rows = rows[~find_own(rows) & rows["score"].notna() & rows["period"].isin(periods)]
    forms = rows.groupby("form_id")["score"]
    rows = rows.assign(level=forms.transform("mean"))[forms.transform("size") >= FEWEST_SKILLS]
    beside = rows["score"] - rows["level"]
    place = rows["period"].map({name: number for number, name in enumerate(periods)})
    cells = rows.assign(beside=beside, place=place).pivot_table(
        index=["rep_id", "skill"], columns="place", values="beside", aggfunc="mean", observed=True
    )
    return cells.reindex(columns=range(len(periods)))


def take_out_groups(values: NDArray[np.float64], *groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """Take the means of several groupings out of values at once, by turns until nothing moves.

    Parameters
    ----------
    values : (N,) or (N, K).
    groups : (N,) each, 0..G-1.
    """
    left = values.astype(float).copy()
    columns = left.reshape(len(left), -1)
    for _ in range(200):
        largest = 0.0
        for group in groups:
            sizes = np.bincount(group)
            for column in columns.T:
                means = np.bincount(group, column) / np.maximum(sizes, 1)
                column -= means[group]
                largest = max(largest, float(np.abs(means).max(initial=0.0)))
        if largest < 1e-10:
            break
    return left
