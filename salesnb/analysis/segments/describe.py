"""What a segment is like: profile with intervals, and the name it gets or keeps."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.stats import t as student

from salesnb.analysis.segments.cells import Floats
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import list_words
from salesnb.language import tr

LEVEL = 0.95
"""Coverage of the intervals of a segment's profile."""
MARKED = 0.25
"""Points from the company's mean from which a skill sets a segment apart."""
ALIKE = 0.6
"""Correlation of two profiles from which a segment is that of last quarter."""

_MOST_NAMED = 2


def profile_table(residuals: pd.DataFrame, members: Floats) -> pd.DataFrame:
    """Describe each segment by the unshrunk profiles of its members, weighted by membership.

    Parameters
    ----------
    residuals
        Reps x skills, level taken out, not shrunk; NaN where not observed.
    members
        Reps x segments: probabilities.

    Returns
    -------
    DataFrame
        segment, skill, `gap` (points from the company's mean in the skill, below 0 weaker), 95%
        interval `low` to `high`, `n` people observed (as many whole people as the probabilities
        make) and whether the skill `is_marked`: sure, and by at least a quarter point.
    """
    values = residuals.to_numpy(float)
    seen = np.isfinite(values)
    values = np.where(seen, values, 0)
    values = np.where(seen, values - values.sum(axis=0) / np.maximum(seen.sum(axis=0), 1), 0)
    n = members.T @ seen
    gap = members.T @ values / np.maximum(n, 1e-9)
    parts = []
    for segment, weight in enumerate(members.T):
        squares = (weight[:, None] ** 2 * seen * (values - gap[segment]) ** 2).sum(axis=0)
        effective = n[segment] ** 2 / np.maximum((weight[:, None] ** 2 * seen).sum(axis=0), 1e-9)
        free = np.maximum(effective - 1, 1)
        error = np.sqrt(squares * effective / free) / np.maximum(n[segment], 1e-9)
        half = student.ppf((1 + LEVEL) / 2, free) * error
        parts.append(
            pd.DataFrame(
                {"segment": segment, "skill": residuals.columns, "gap": gap[segment],
                 "low": gap[segment] - half, "high": gap[segment] + half, "n": n[segment]}
            )
        )  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    sure = (table["low"] > 0) | (table["high"] < 0)
    return table.assign(is_marked=sure & (table["gap"].abs() >= MARKED))


def name_segment(profile: pd.DataFrame, taken: set[str]) -> str:
    """Name a segment by its weakest marked skills, else by its strongest.

    Parameters
    ----------
    profile
        Its rows of the profile table.
    taken
        Names that others have; another skill is added until the name is its own.
    """
    marked = profile[profile["is_marked"]]
    weak = marked[marked["gap"] < 0].sort_values(["gap", "skill"])["skill"]
    strong = marked[marked["gap"] > 0].sort_values(["gap", "skill"], ascending=[False, True])
    is_weak = len(weak) > 0
    skills = list(weak) if is_weak else list(strong["skill"])
    if not skills:
        return own_name(tr("Near the average in all skills"), taken)
    for n_named in range(_MOST_NAMED, len(skills) + 1):
        name = _name_by(skills[:n_named], is_weak=is_weak)
        if name not in taken:
            return name
    return own_name(_name_by(skills[:_MOST_NAMED], is_weak=is_weak), taken)


def match_segments(profile: pd.DataFrame, previous: pd.DataFrame) -> dict[int, int]:
    """Find which segments are those of an earlier quarter, by the shape of their profiles.

    Pairs are chosen together so that the sum of correlations is largest (Hungarian method); a
    pair less alike than `ALIKE` is no match.

    Returns
    -------
    dict
        Segment -> segment of the earlier quarter.
    """
    if profile.empty or previous.empty:
        return {}
    new = profile.pivot_table(index="segment", columns="skill", values="gap")
    old = previous.pivot_table(index="segment", columns="skill", values="gap")
    skills = new.columns.intersection(old.columns)
    if len(skills) < 2:
        return {}
    alike = _correlate(new[skills].to_numpy(), old[skills].to_numpy())
    rows, columns = linear_sum_assignment(-alike)
    numbers, earlier = new.index.to_list(), old.index.to_list()
    return {
        int(numbers[row]): int(earlier[column])
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if alike[row, column] >= ALIKE
    }


def _correlate(one: Floats, two: Floats) -> Floats:
    one, two = (part - part.mean(axis=1, keepdims=True) for part in (one, two))
    one, two = (part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12)
                for part in (one, two))  # fmt: skip
    found: Floats = one @ two.T
    return found


def _name_by(skills: list[str], *, is_weak: bool) -> str:
    listed = list_words([skill_label(skill) for skill in skills])
    if is_weak:
        return tr("Weaker in {skills}", skills=listed)
    return tr("Stronger in {skills}", skills=listed)


def own_name(name: str, taken: set[str]) -> str:
    """Add a number to a name that others have."""
    number = 2
    own = name
    while own in taken:
        own = f"{name} ({number})"
        number += 1
    return own
