"""Skill profiles: the result, its words and its tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.finding import Candidate
from salesnb.analysis.profiles.agreement import OVERALL
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_things
from salesnb.language import format_number, tr

PROFILES_ANCHOR = "skill-profiles"
RATERS_ANCHOR = "raters"
CELLS = [
    "rep_id", "unit", "team_id", "skill", "raw", "score", "low", "high", "error", "residual",
    "residual_error", "profile", "profile_error", "n_raters", "n_ratings", "is_enough",
    "self_score", "target", "gap", "p_below", "against_target",
]  # fmt: skip
LEVELS = [
    "rep_id", "unit", "team_id", "raw", "level", "low", "high", "error", "n_raters", "n_forms",
    "circle",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class SkillProfiles(Result):
    """People's skills, with raters' severity, halo and moods taken out.

    Attributes
    ----------
    period, unit
        Quarter, and name of the team or company.
    window
        Quarters whose forms were used, oldest first.
    skills
        Skills in the order of the framework.
    cells
        One row a person and skill: rep_id, `unit` (name), team_id, skill; `raw` (mean of the
        raters' means, 1-5); `score` on the scale of the average form, with 90% interval `low` to
        `high` and standard `error`; `residual` with `residual_error` (profile, level removed, not
        shrunk: for describing), `profile` with `profile_error` (shrunk: for deciding); `n_raters`
        other than the person, `n_ratings`, `is_enough` (two raters); `self_score`; the role's
        `target`, `gap` = score - target, `p_below`: probability of being below the target, and
        `against_target`: -1 surely below, 1 surely above, allowing for the number of scores.
        Missing where nobody scored the skill, never zero.
    levels
        One row a person: the mean over skills, `raw` and corrected (`level`) with 90% interval,
        `n_raters`, `n_forms`, and the `circle` of raters: levels of two circles cannot be compared.
    raters
        One row a rater of the company: see `describe_raters`.
    agreement
        One row a skill, the last one overall: see `measure_agreement`.
    n_circles
        Circles among the people shown.
    note
        Whose framework gives the targets when it is not the snapshot's.
    lacking
        Why there is nothing to show; empty when there is.
    """

    period: str
    unit: str
    window: tuple[str, ...]
    skills: tuple[str, ...]
    cells: pd.DataFrame
    levels: pd.DataFrame
    raters: pd.DataFrame
    agreement: pd.DataFrame
    n_circles: int
    note: str = ""
    lacking: str = ""

    def residuals(self) -> pd.DataFrame:
        """List unshrunk profiles, reps by skills; missing where not observed."""
        return self._spread("residual")

    def errors(self) -> pd.DataFrame:
        """List the standard errors of `residuals`."""
        return self._spread("residual_error")

    def profiles(self) -> pd.DataFrame:
        """List shrunk profiles, reps by skills, without gaps."""
        return self._spread("profile")

    def _spread(self, column: str) -> pd.DataFrame:
        wide = self.cells.pivot_table(index="rep_id", columns="skill", values=column)
        wide = wide.reindex(index=list(self.levels["rep_id"]), columns=list(self.skills))
        return wide.astype(float)

    @property
    def finding(self) -> str:
        """Say how many skills of people are surely below target, and how many lack evidence."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        enough = self.cells["is_enough"]
        below = int((self.cells["against_target"] < 0).sum())
        thin = int((~enough).sum())
        lack = tr("; of {n} there is insufficient evidence", n=thin) if thin else ""
        return tr(
            "{unit}: {n} of {n_scores} scores of {n_people} people are surely below their "
            "target{lack}.",
            unit=self.unit,
            n=below,
            n_scores=int(enough.sum()),
            n_people=len(self.levels),
            lack=lack,
        )

    @property
    def caveat(self) -> str:
        """Say what was taken out, and what cannot be."""
        if self.lacking:
            return ""
        apart = (
            tr(
                " Raters fall into {n} circles that share nobody: compare people within their own "
                "circle only.",
                n=self.n_circles,
            )
            if self.n_circles > 1
            else ""
        )
        note = f" {self.note}" if self.note else ""
        taken_out = tr(
            "Self-ratings are left out; how strictly each rater scores, how far skills are seen "
            "alike and the form's mood are taken out. That all raters together are too kind or "
            "too strict cannot be seen."
        )
        return f"{taken_out}{apart}{note}"

    def to_frame(self) -> pd.DataFrame:
        """List one row a person and skill."""
        return self.cells.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer whether raters differ in severity, tested together."""
        if self.raters.empty:
            return ()
        apart = self.raters[self.raters["is_beyond_chance"]]
        spread = float(apart["severity"].abs().max()) if len(apart) else 0.0
        overall = self.agreement.loc[self.agreement["skill"] == OVERALL, "icc"].iloc[0]
        agreed = ""
        if not np.isnan(overall):
            icc = format_number(overall, 2, group=False)
            agreed = tr("; two raters agree to {icc} of 1", icc=icc)
        return (
            Candidate(
                text=tr(
                    "{n} of {raters} score more strictly or more kindly than others; the figures "
                    "shown take that out.",
                    n=len(apart),
                    raters=count_things(len(self.raters), "rater", "raters"),
                ),
                why=tr(
                    "By up to {points} points on the scale of 1 to 5{agreed}.",
                    points=format_number(spread, 1, group=False),
                    agreed=agreed,
                ),
                anchor=RATERS_ANCHOR,
                effect=min(spread / 4, 1.0),
                p_value=float(self.raters["p_adjusted"].min()),
            ),
        )
