"""A team's skills beside its targets: means of its people's profiles, with n and raters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.profiles.cells import HIGHEST, LOWEST, FittedProfiles
from salesnb.analysis.profiles.groups import compare_group
from salesnb.analysis.profiles.people import rate_people
from salesnb.analysis.result import Result
from salesnb.measures.measures import Measures

SKILLS_ANCHOR = "skills"
_MOST_NAMED = 3
_SMALLEST = 1e-300
_REACH = float(ndtri(0.975))
_COLUMNS = [
    "skill", "group", "score", "low", "high", "lower", "upper", "target", "gap", "company",
    "n_reps", "n_ratings", "n_raters", "p_value",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class SkillProfile(Result):
    """A team's skills against their targets.

    Attributes
    ----------
    period, unit
        Quarter and name of the team or company.
    skills
        One row a skill, largest gap first: `score` (mean of its people's scores, severity and
        halo of raters removed), 95% interval `low` to `high`, `lower` to `upper` quartile of its
        people, `target` and `gap` = score - target, the `company` mean, the numbers of people,
        ratings and raters behind it, and the two-sided `p_value` of a score below its target (1
        above it).
    n_thin
        Person-skill pairs left out because fewer than two raters scored them.
    window
        Quarters whose forms were used, oldest first.
    note
        Whose framework gives the targets when it is not the snapshot's.
    """

    period: str
    unit: str
    skills: pd.DataFrame
    n_thin: int
    window: tuple[str, ...]
    note: str = ""

    @property
    def span(self) -> str:
        """Name the window."""
        first, last = self.window[0], self.window[-1]
        return first if first == last else f"{first} to {last}"

    def below_target(self) -> pd.DataFrame:
        """Take the skills whose whole interval lies below the target."""
        return self.skills[self.skills["high"] < self.skills["target"]]

    @property
    def finding(self) -> str:
        """Name the skills surely below target, or say that there are none."""
        if self.skills.empty:
            return f"{self.unit}: no skill was scored by two raters in {self.span}."
        below = self.below_target()
        if below.empty:
            return f"{self.unit}: no skill is surely below its target."
        names = ", ".join(skill_label(name) for name in below["skill"].head(3))
        more = f" and {len(below) - 3} more" if len(below) > 3 else ""
        return f"{self.unit}: surely below target are {names}{more}."

    @property
    def caveat(self) -> str:
        """Say what was taken out, and what cannot be."""
        note = f" {self.note}" if self.note else ""
        return (
            "How strictly each rater scores is taken out; that all of them are too kind or too "
            f"strict cannot be seen.{note}"
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a skill."""
        return self.skills.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer one sentence on the skills that are below target, all tested together (Holm)."""
        tested = self.skills[self.skills["p_value"].notna()].sort_values("p_value")
        if tested.empty:
            return ()
        left = np.arange(len(tested), 0, -1)
        adjusted = (tested["p_value"] * left).cummax().clip(upper=1.0)
        below = tested[adjusted < FALSE_CLAIMS].sort_values(["gap", "skill"])
        largest = (below if len(below) else tested).iloc[0]
        names = ", ".join(skill_label(name) for name in below["skill"].head(_MOST_NAMED))
        more = f" and {len(below) - _MOST_NAMED} more" if len(below) > _MOST_NAMED else ""
        return (
            Candidate(
                text=(
                    f"{self.unit}: {len(below)} of {len(tested)} skills are below target, "
                    f"{names or 'none surely'}{more}."
                ),
                why=(
                    f"Largest gap: {skill_label(largest['skill'])}, {largest['score']:.1f} against "
                    f"a target of {largest['target']:.1f}, from {largest['n_raters']:,.0f} raters "
                    f"of {largest['n_reps']:,.0f} people; how strictly they score is taken out."
                ),
                anchor=SKILLS_ANCHOR,
                effect=float(-largest["gap"] / largest["target"]) if len(below) else 0.0,
                p_value=float(adjusted.iloc[0]),
            ),
        )


def skill_label(skill: str) -> str:
    """Write a skill's identifier as words.

    >>> skill_label("active_listening")
    'active listening'
    """
    return skill.replace("_", " ")


def team_skills(
    measures: Measures, *, period: str, team: str | None = None,
    framework: pd.DataFrame | None = None,
) -> SkillProfile:  # fmt: skip
    """Average the skill scores of a team's people, as `skill_profiles` estimates them.

    Only what at least two raters scored for a person counts; the rest is counted in `n_thin`.
    Scores that were not observed are missing, never zero.

    Parameters
    ----------
    measures
        From `load_measures`; without ratings the profile is empty and says so.
    period
        Fiscal quarter; forms of the three before are used too.
    team
        Id or name; None is the whole company.
    framework
        Targets by skill and role, from `skill_framework`; default the snapshot's.

    Returns
    -------
    SkillProfile

    Raises
    ------
    ParameterError
        Quarter or team is unknown.
    """
    people = rate_people(measures, period=period, team=team, framework=framework)
    enough = people.cells[people.cells["is_enough"]] if not people.lacking else people.cells
    if people.fitted is None or enough.empty:
        empty = pd.DataFrame(columns=_COLUMNS)
        return SkillProfile(period, people.unit, empty, len(people.cells), people.window)
    skills = _summarise(people.fitted, enough).join(_count(people.fitted, enough))
    groups = people.framework.groupby("skill")["group"].first()
    skills["group"] = groups.reindex(skills.index)
    skills["gap"] = skills["score"] - skills["target"]
    skills["p_value"] = _test_below(skills)
    skills = skills.reset_index().sort_values(["gap", "skill"], ignore_index=True)
    n_thin = int((people.cells["n_raters"] == 1).sum())
    return SkillProfile(period, people.unit, skills[_COLUMNS], n_thin, people.window, people.note)


def _summarise(fitted: FittedProfiles, enough: pd.DataFrame) -> pd.DataFrame:
    """Average people's scores skill by skill, with the error that raters leave."""
    forms = fitted.posterior.forms
    reps = np.flatnonzero(np.isin(forms.reps, enough["rep_id"].unique()))
    table = enough.pivot_table(index="rep_id", columns="skill", values="score")
    counts = table.reindex(index=[forms.reps[rep] for rep in reps], columns=list(forms.skills))
    group = compare_group(fitted.posterior, reps, counts.notna().to_numpy(dtype=float))
    of_skill = enough.groupby("skill")
    everyone = fitted.cells[fitted.cells["is_enough"]]
    skills = pd.DataFrame(
        {
            "score": of_skill["score"].mean(),
            "lower": of_skill["score"].quantile(0.25),
            "upper": of_skill["score"].quantile(0.75),
            "target": of_skill["target"].mean(),
            "n_reps": of_skill.size(),
            "n_ratings": of_skill["n_ratings"].sum(),
            "company": everyone.groupby("skill")["score"].mean(),
            "error": pd.Series(group.error, index=list(forms.skills)),
        }
    )
    skills = skills[skills["n_reps"].notna()].rename_axis("skill")
    skills["low"] = (skills["score"] - _REACH * skills["error"]).clip(lower=LOWEST)
    skills["high"] = (skills["score"] + _REACH * skills["error"]).clip(upper=HIGHEST)
    return skills


def _count(fitted: FittedProfiles, enough: pd.DataFrame) -> pd.Series[int]:
    """Count the raters behind each skill."""
    forms = fitted.posterior.forms
    form, skill = np.nonzero(~np.isnan(forms.scores))
    scored = pd.DataFrame(
        {
            "rep_id": np.array(forms.reps)[forms.rep[form]],
            "skill": np.array(forms.skills)[skill],
            "rater": forms.rater[form],
        }
    )
    used = scored.merge(enough[["rep_id", "skill"]], on=["rep_id", "skill"])
    return used.groupby("skill")["rater"].nunique().rename("n_raters")


def _test_below(skills: pd.DataFrame) -> pd.Series[float]:
    """Test each mean against its target; one person is no team."""
    p_value = 2 * ndtr(-(skills["gap"] / skills["error"]).abs().to_numpy(dtype=float))
    below = pd.Series(np.maximum(p_value, _SMALLEST), index=skills.index)
    return below.mask(skills["gap"] >= 0, 1.0).where(skills["gap"].notna() & (skills["n_reps"] > 1))
