"""Skills beside the metrics: each person's evaluated scores, in the form of the matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.matrix import grade_evidence
from salesnb.analysis.multiplicity import control_discoveries
from salesnb.analysis.profiles.cells import FittedProfiles
from salesnb.analysis.profiles.forms import Floats, Ints
from salesnb.analysis.profiles.groups import compare_group, judge_differences
from salesnb.analysis.profiles.people import RatedPeople, rate_people
from salesnb.analysis.result import Result
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import name_some
from salesnb.language import tr
from salesnb.measures.measures import Measures

SKILL_MATRIX_ANCHOR = "skill-matrix"
_MOST_NAMED = 3
_SCORES = [
    "unit_id", "unit", "skill", "score", "n_raters", "is_enough", "low", "high", "target", "group",
    "p_above", "evidence", "against_target",
]  # fmt: skip
_DIFFERENCES = ["skill", "p_value", "p_adjusted", "is_beyond_chance"]


@dataclass(frozen=True, eq=False, repr=False)
class SkillMatrix(Result):
    """People by evaluated skills.

    Attributes
    ----------
    period, unit
        Quarter, and name of the team or company.
    scores
        One row a person and skill that somebody else than the person has rated: `score` (1-5, as
        `skill_profiles` estimates it) with 90% interval `low` to `high`, `n_raters`, `is_enough`
        raters; the role's `target`; the `group` level, that of the own team; `p_above` it and the
        `evidence` for that as in the matrix; `against_target`: -1 surely below, 1 surely above, 0
        where it cannot be told, allowing for the number of scores.
    differences
        One row a skill: whether people differ beyond chance in it.
    span
        Quarters whose forms were used.
    lacking
        Why there is nothing to show; empty when there is.
    note
        Whose framework gives the targets when it is not the snapshot's.
    """

    period: str
    unit: str
    scores: pd.DataFrame
    differences: pd.DataFrame
    span: str
    lacking: str = ""
    note: str = ""

    @property
    def skills(self) -> tuple[str, ...]:
        """Skills shown, in the order of the framework."""
        return tuple(self.differences["skill"])

    @property
    def finding(self) -> str:
        """Say in which skills people differ, and how many scores are below target."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        real = self.differences.loc[self.differences["is_beyond_chance"], "skill"]
        names = name_some([skill_label(name) for name in real], _MOST_NAMED)
        said = {
            "unit": self.unit,
            "below": int((self.scores["against_target"] < 0).sum()),
            "scores": int(self.scores["is_enough"].sum()),
        }
        if not len(real):
            return tr(
                "{unit}: people do not differ beyond what raters' disagreement explains in any "
                "skill; {below} of {scores} scores are surely below their target.",
                **said,
            )
        return tr(
            "{unit}: people differ beyond what raters' disagreement explains in {n} of {of} "
            "skills, {names}; {below} of {scores} scores are surely below their target.",
            n=len(real), of=len(self.skills), names=names, **said,
        )  # fmt: skip

    @property
    def caveat(self) -> str:
        """Say what is left out, and what scores do not correct."""
        thin = int((~self.scores["is_enough"]).sum())
        said = [
            tr(
                "Self-ratings are left out, and how strictly each rater scores is taken out. "
                "Everybody is held against the own team."
            )
        ]
        if thin:
            said.append(tr("Scores of a single rater ({n}) are no evidence.", n=thin))
        return " ".join([*said, self.note]).rstrip()

    def to_frame(self) -> pd.DataFrame:
        """List one row a person and skill."""
        return self.scores.copy()


def skill_matrix(
    measures: Measures, *, period: str, team: str | None = None,
    framework: pd.DataFrame | None = None,
) -> SkillMatrix:  # fmt: skip
    """Put people beside each other on every evaluated skill.

    Scores are those of `skill_profiles`: of raters other than the person, with their severity,
    halo and moods taken out; with fewer than two raters a score is no evidence. Each is held
    against the own team, so that where teams share no raters nobody is weak for having strict ones.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without ratings the result says so.
    period
        Fiscal quarter; forms of the three before are used too.
    team
        Id or name: show only its people; default the whole company.
    framework
        Targets by skill and role, from `skill_framework`; default the snapshot's.

    Returns
    -------
    SkillMatrix

    Raises
    ------
    ParameterError
        Quarter or team is unknown.
    """
    people = rate_people(measures, period=period, team=team, framework=framework)
    if people.fitted is None or people.lacking:
        empty = pd.DataFrame(columns=_SCORES).astype({"is_enough": bool, "against_target": float})
        none = pd.DataFrame(columns=_DIFFERENCES)
        return SkillMatrix(period, people.unit, empty, none, people.span, people.lacking)
    cells = people.cells[people.cells["n_raters"] > 0]
    groups, counts = _find_groups(people.fitted, people), _find_counts(people.fitted)
    rated = set(cells["skill"])
    differences = _test_differences(people.fitted, groups, counts)
    differences = differences[differences["skill"].isin(rated)].reset_index(drop=True)
    scores = cells.merge(
        _beside_team(people.fitted, groups, counts), on=["rep_id", "skill"], how="left"
    )
    scores = _grade(scores, differences).rename(columns={"rep_id": "unit_id"})
    return SkillMatrix(
        period, people.unit, scores[_SCORES].reset_index(drop=True), differences, people.span,
        note=people.note,
    )  # fmt: skip


def _find_groups(fitted: FittedProfiles, people: RatedPeople) -> list[Ints]:
    """Find the positions of each team's people."""
    place = {rep: number for number, rep in enumerate(fitted.posterior.forms.reps)}
    positions = people.shown["rep_id"].map(place)
    teams = positions.groupby(people.shown["team_id"].fillna("").to_numpy())
    return [np.sort(members.to_numpy()) for _, members in teams]


def _find_counts(fitted: FittedProfiles) -> Floats:
    """Mark the scores of enough raters (reps, skills)."""
    enough = fitted.cells["is_enough"].to_numpy(dtype=float)
    return enough.reshape(len(fitted.posterior.forms.reps), -1)


def _beside_team(fitted: FittedProfiles, groups: list[Ints], counts: Floats) -> pd.DataFrame:
    """Hold everybody against the own team."""
    forms, frames = fitted.posterior.forms, []
    n_skills = len(forms.skills)
    for reps in groups:
        found = compare_group(fitted.posterior, reps, counts[reps])
        with np.errstate(invalid="ignore", divide="ignore"):
            p_above = ndtr(found.apart / found.apart_error)
        frames.append(
            pd.DataFrame(
                {
                    "rep_id": np.repeat([forms.reps[rep] for rep in reps], n_skills),
                    "skill": list(forms.skills) * len(reps),
                    "group": np.tile(found.mean, len(reps)),
                    "p_above": p_above.ravel(),
                }
            )
        )
    return pd.concat(frames)


def _test_differences(fitted: FittedProfiles, groups: list[Ints], counts: Floats) -> pd.DataFrame:
    p_values = judge_differences(fitted.unshrunk, groups, counts)
    adjusted = control_discoveries(pd.Series(p_values))
    return pd.DataFrame(
        {
            "skill": fitted.posterior.forms.skills, "p_value": p_values, "p_adjusted": adjusted,
            "is_beyond_chance": adjusted < FALSE_CLAIMS,
        }
    )  # fmt: skip


def _grade(scores: pd.DataFrame, differences: pd.DataFrame) -> pd.DataFrame:
    """Grade who is better or worse than the team, in skills in which people differ."""
    real = set(differences.loc[differences["is_beyond_chance"], "skill"])
    told = scores["is_enough"] & scores["skill"].isin(real)
    evidence = grade_evidence(scores["p_above"], is_real=True).where(told, 0)
    columns = ["low", "high", "group", "p_above"]
    thin = scores[columns].where(scores["is_enough"])
    return scores.assign(evidence=evidence, **{name: thin[name] for name in columns})
