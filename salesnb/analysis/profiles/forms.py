"""Filled forms as arrays: who rated whom how long ago, and the scores by skill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
SELF = "self"
FORM = ["rep_id", "period", "rater_id", "rater_role", "form_id"]


@dataclass(frozen=True, eq=False)
class Forms:
    """Forms sorted by rep; positions refer to `reps`, `raters`, `roles` and `skills`.

    Attributes
    ----------
    reps, raters, roles, skills
        Identifiers; only skills that somebody scored.
    rep, rater, role, age
        Of each form; age in quarters before the latest, 0 for that.
    scores
        Forms by skills, missing where not observed.
    """

    reps: tuple[str, ...]
    raters: tuple[str, ...]
    roles: tuple[str, ...]
    skills: tuple[str, ...]
    rep: Ints
    rater: Ints
    role: Ints
    age: Ints
    scores: Floats

    def __len__(self) -> int:
        """Count the forms."""
        return len(self.rep)

    @property
    def observed(self) -> Floats:
        """1 where a skill was scored, else 0."""
        return (~np.isnan(self.scores)).astype(float)

    def add_up(self, values: Floats) -> Floats:
        """Sum what each form has, by rep (reps, ...)."""
        n = len(self)
        member = sparse.csr_array((np.ones(n), (self.rep, np.arange(n))), shape=(len(self.reps), n))
        added: Floats = (member @ values.reshape(n, -1)).reshape(-1, *values.shape[1:])
        return added

    def of_reps(self, wanted: Ints) -> Forms:
        """Keep the forms of some reps, by position, and who filled them."""
        place = np.full(len(self.reps), -1)
        place[wanted] = np.arange(len(wanted))
        kept = place[self.rep] >= 0
        raters, rater = np.unique(self.rater[kept], return_inverse=True)
        return Forms(
            tuple(self.reps[number] for number in wanted),
            tuple(self.raters[number] for number in raters), self.roles, self.skills,
            place[self.rep[kept]], rater, self.role[kept], self.age[kept], self.scores[kept],
        )  # fmt: skip


def find_own(ratings: pd.DataFrame) -> pd.Series[bool]:
    """Find the ratings that people gave themselves."""
    return (ratings["rater_role"] == SELF) | (ratings["rater_id"] == ratings["rep_id"])


def gather_forms(ratings: pd.DataFrame, *, skills: tuple[str, ...], periods: list[str]) -> Forms:
    """Write ratings by others as forms; a skill scored twice on one form is averaged.

    `skills` and `periods` give the order; what they do not name is left out.
    """
    rows = ratings[~find_own(ratings) & ratings["score"].notna()]
    rows = rows[rows["period"].isin(periods) & rows["skill"].isin(skills)]
    rows = rows.fillna({"rater_role": "", "form_id": ""})
    wide = rows.pivot_table(index=FORM, columns="skill", values="score", aggfunc="mean")
    wide = wide.sort_index().reindex(columns=[name for name in skills if name in wide.columns])
    keys = wide.index.to_frame(index=False)
    rep, reps = pd.factorize(keys["rep_id"], sort=True)
    rater, raters = pd.factorize(keys["rater_id"], sort=True)
    role, roles = pd.factorize(keys["rater_role"], sort=True)
    place = {period: number for number, period in enumerate(sorted(periods, reverse=True))}
    age = keys["period"].map(place).to_numpy(dtype=np.int64)
    return Forms(
        tuple(reps), tuple(raters), tuple(roles), tuple(wide.columns), rep, rater, role, age,
        wide.to_numpy(dtype=float),
    )  # fmt: skip
