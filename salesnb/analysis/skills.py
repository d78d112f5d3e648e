"""A team's skills beside its targets: means of its people's profiles, with n and raters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.multiplicity import SMALLEST, control_any_error
from salesnb.analysis.profiles.cells import HIGHEST, LOWEST, FittedProfiles
from salesnb.analysis.profiles.groups import compare_group
from salesnb.analysis.profiles.people import RatedPeople, rate_people
from salesnb.analysis.result import Result
from salesnb.analysis.wording import name_quarters, name_some
from salesnb.language import format_number, tr
from salesnb.measures.measures import Measures

SKILLS_ANCHOR = "skills"
_MOST_NAMED = 3
_REACH = float(ndtri(0.975))
_COLUMNS = [
    "skill", "group", "score", "low", "high", "lower", "upper", "target", "gap", "company",
    "n_reps", "n_ratings", "n_raters", "p_value", "is_below",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class SkillProfile(Result):
    """A team's skills against their targets.

    Attributes
    ----------
    period, unit
        Quarter and name of the team or company.
    skills
        One row a skill, largest gap first: `score` (mean of its people, severity and halo of
        raters removed, not pulled to the company's mean), 95% interval `low` to `high`, `lower` to
        `upper` quartile of its people, `target` and `gap` = score - target, the `company` mean,
        the numbers of people, ratings and raters behind it, the two-sided `p_value` of a score
        below its target (1 above it, missing of one person), and `is_below`, allowing for all
        skills tested (Holm).
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
        return name_quarters(self.window)

    def below_target(self) -> pd.DataFrame:
        """Take the skills that are surely below their target."""
        return self.skills[self.skills["is_below"].astype(bool)]

    @property
    def finding(self) -> str:
        """Name the skills surely below target, or say that there are none."""
        if self.skills.empty:
            return tr(
                "{unit}: no skill was scored by two raters in {quarters}.",
                unit=self.unit, quarters=self.span,
            )  # fmt: skip
        below = self.below_target()
        if below.empty:
            return tr("{unit}: no skill is surely below its target.", unit=self.unit)
        return tr("{unit}: surely below target are {skills}.", unit=self.unit, skills=_name(below))

    @property
    def caveat(self) -> str:
        """Say what was taken out, and what cannot be."""
        said = tr(
            "How strictly each rater scores is taken out; that all of them are too kind or too "
            "strict cannot be seen."
        )
        return f"{said} {self.note}".rstrip()

    def to_frame(self) -> pd.DataFrame:
        """List one row a skill."""
        return self.skills.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer one sentence on the skills that are below target, all tested together (Holm)."""
        tested = self.skills[self.skills["p_value"].notna()]
        if tested.empty:
            return ()
        below = self.below_target()
        largest = (below if len(below) else tested.sort_values("p_value")).iloc[0]
        said = {"unit": self.unit, "n": len(below), "of": len(tested)}
        return (
            Candidate(
                text=tr(
                    "{unit}: {n} of {of} skills are below target, {skills}.",
                    skills=_name(below),
                    **said,
                )
                if len(below)
                else tr("{unit}: {n} of {of} skills are below target.", **said),
                why=tr(
                    "Largest gap: {skill}, {score} against a target of {target}, from {raters} "
                    "raters of {people} people; how strictly they score is taken out.",
                    skill=skill_label(largest["skill"]),
                    score=format_number(largest["score"], 1, group=False),
                    target=format_number(largest["target"], 1, group=False),
                    raters=format_number(largest["n_raters"]),
                    people=format_number(largest["n_reps"]),
                ),
                anchor=SKILLS_ANCHOR,
                effect=float(-largest["gap"] / largest["target"]) if len(below) else 0.0,
                p_value=float(control_any_error(tested["p_value"]).min()),
            ),
        )


def skill_label(skill: str) -> str:
    """Write a skill's identifier as words.

    >>> skill_label("active_listening")
    'active listening'
    """
    return skill.replace("_", " ")


def _name(skills: pd.DataFrame) -> str:
    return name_some([skill_label(name) for name in skills["skill"]], _MOST_NAMED)


def team_skills(
    measures: Measures, *, period: str, team: str | None = None,
    framework: pd.DataFrame | None = None,
) -> SkillProfile:  # fmt: skip
    """Average the skills of a team's people, with raters' severity, halo and moods taken out.

    The model is that of `skill_profiles`, but nothing is assumed of people, so that a team is not
    pulled to the others and the mean of its people's scores there may differ.
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
        return SkillProfile(period, people.unit, empty, _count_thin(people), people.window)
    skills = _summarise(people.fitted, enough).join(_count(people.fitted, enough))
    groups = people.framework.groupby("skill")["group"].first()
    skills["group"] = groups.reindex(skills.index)
    skills["gap"] = skills["score"] - skills["target"]
    skills["p_value"] = _test_below(skills)
    skills["is_below"] = control_any_error(skills["p_value"]) < FALSE_CLAIMS
    skills = skills.reset_index().sort_values(["gap", "skill"], ignore_index=True)
    return SkillProfile(
        period, people.unit, skills[_COLUMNS], _count_thin(people), people.window, people.note
    )


def _count_thin(people: RatedPeople) -> int:
    return 0 if people.lacking else int((people.cells["n_raters"] == 1).sum())


def _summarise(fitted: FittedProfiles, enough: pd.DataFrame) -> pd.DataFrame:
    """Average people skill by skill, with the error that raters leave.

    Nothing is assumed of people: scores pulled to the company's mean would put a good team among
    weak ones below its target.
    """
    posterior = fitted.unshrunk
    forms = posterior.forms
    reps = np.flatnonzero(np.isin(forms.reps, enough["rep_id"].unique()))
    table = enough.pivot_table(index="rep_id", columns="skill", values="score")
    counts = table.reindex(index=[forms.reps[rep] for rep in reps], columns=list(forms.skills))
    group = compare_group(posterior, reps, counts.notna().to_numpy(dtype=float))
    everyone = fitted.cells["is_enough"].to_numpy().reshape(posterior.mean.shape)
    known = pd.DataFrame(np.where(everyone, posterior.mean, np.nan), columns=list(forms.skills))
    of_skill = enough.groupby("skill")
    mean = pd.Series(group.mean, index=list(forms.skills))
    # People's spread comes from their own scores, which luck spreads less.
    moved = mean - of_skill["score"].mean()
    skills = pd.DataFrame(
        {
            "score": mean,
            "lower": of_skill["score"].quantile(0.25) + moved,
            "upper": of_skill["score"].quantile(0.75) + moved,
            "target": of_skill["target"].mean(),
            "n_reps": of_skill.size(),
            "n_ratings": of_skill["n_ratings"].sum(),
            "company": known.mean(),
            "error": pd.Series(group.error, index=list(forms.skills)),
        }
    )
    skills = skills[skills["n_reps"].notna()].rename_axis("skill")
    skills["low"] = skills["score"] - _REACH * skills["error"]
    skills["high"] = skills["score"] + _REACH * skills["error"]
    shown = ["score", "company", "low", "high", "lower", "upper"]
    return skills.assign(**skills[shown].clip(lower=LOWEST, upper=HIGHEST))


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
    below = pd.Series(np.maximum(p_value, SMALLEST), index=skills.index)
    return below.mask(skills["gap"] >= 0, 1.0).where(skills["gap"].notna() & (skills["n_reps"] > 1))
