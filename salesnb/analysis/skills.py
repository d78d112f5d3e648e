"""Skills in their plain form: a team's scores beside its targets, with n and raters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.result import Result
from salesnb.measures.measures import Measures

FEWEST_RATERS = 2
SKILLS_ANCHOR = "skills"
ROUNDING = float(np.sqrt(1 / 12))
"""Standard deviation that scores in whole points hide."""

_MOST_NAMED = 3
_SMALLEST = 1e-300
_COLUMNS = [
    "skill", "group", "score", "low", "high", "target", "gap", "company", "n_reps", "n_ratings",
    "n_raters", "p_value",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class SkillProfile(Result):
    """A team's skills against their targets.

    Attributes
    ----------
    period, unit
        Quarter and name of the team or company.
    skills
        One row a skill, largest gap first: `score` (mean over people of their raters' mean),
        95% interval `low` to `high`, `target` and `gap` = score - target, the `company` mean,
        the numbers of people, ratings and raters behind it, and the two-sided `p_value` of a
        score below its target (1 above it).
    n_thin
        Person-skill pairs left out because fewer than two raters scored them.
    """

    period: str
    unit: str
    skills: pd.DataFrame
    n_thin: int

    def below_target(self) -> pd.DataFrame:
        """Take the skills whose whole interval lies below the target."""
        return self.skills[self.skills["high"] < self.skills["target"]]

    @property
    def finding(self) -> str:
        """Name the skills surely below target, or say that there are none."""
        if self.skills.empty:
            return f"{self.unit}: no skill was scored by two raters in {self.period}."
        below = self.below_target()
        if below.empty:
            return f"{self.unit}: no skill is surely below its target."
        names = ", ".join(skill_label(name) for name in below["skill"].head(3))
        more = f" and {len(below) - 3} more" if len(below) > 3 else ""
        return f"{self.unit}: surely below target are {names}{more}."

    @property
    def caveat(self) -> str:
        """Say what plain means do not correct."""
        return "Plain means: differences in how strictly raters score are not taken out."

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
                    f"of {largest['n_reps']:,.0f} people; how strictly they score is not taken out."
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


def team_skills(measures: Measures, *, period: str, team: str | None = None) -> SkillProfile:
    """Average a team's skill scores in a quarter.

    Only what at least two raters scored for a person counts; the rest is counted in `n_thin`.
    Scores that were not observed are missing, never zero.

    Parameters
    ----------
    measures
        From `load_measures`; without ratings the profile is empty and says so.
    period
        Fiscal quarter.
    team
        Id or name; None is the whole company.

    Returns
    -------
    SkillProfile

    Raises
    ------
    ParameterError
        Quarter or team is unknown.
    """
    measures.check_period(period)
    team_id = measures.find_team(team) if team is not None else None
    name = measures.unit_name(team_id)
    if measures.ratings.empty:
        return SkillProfile(period, name, pd.DataFrame(columns=_COLUMNS), 0)
    rows = measures.ratings[measures.ratings["period"] == period]
    company, _ = _scores_with_enough(rows)
    if team_id is not None:
        rows = rows[rows["team_id"].isin(measures.teams_within(team_id))]
    people, n_thin = _scores_with_enough(rows)
    skills = _summarise(people, rows).merge(
        company.groupby("skill")["score"].mean().rename("company"), on="skill", how="left"
    )
    skills = skills.merge(_targets(people, measures), on="skill", how="left")
    skills["target"] = skills["target"].astype(float)  # a role without any has objects
    skills["gap"] = skills["score"] - skills["target"]
    skills["p_value"] = _test_below(skills)
    skills = skills.sort_values(["gap", "skill"], ignore_index=True)
    return SkillProfile(period, name, skills[_COLUMNS], n_thin)


def person_scores(rows: pd.DataFrame) -> pd.DataFrame:
    """Average ratings over raters, each counting once, then per person and skill.

    Returns
    -------
    DataFrame
        rep_id, skill, score, n_raters.
    """
    raters = rows.groupby(["rep_id", "skill", "rater_id"], as_index=False)["score"].mean()
    pairs = raters.groupby(["rep_id", "skill"]).agg(
        score=("score", "mean"), n_raters=("rater_id", "nunique")
    )
    return pairs.reset_index()


def _scores_with_enough(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Take the scores of enough raters; count the pairs with too few."""
    pairs = person_scores(rows)
    enough = pairs["n_raters"] >= FEWEST_RATERS
    return pairs[enough], int((~enough).sum())


def _summarise(people: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    stats = people.groupby("skill")["score"].agg(score="mean", sd="std", n_reps="count")
    reach = student.ppf(0.975, np.maximum(stats["n_reps"] - 1, 1))
    stats["error"] = stats["sd"] / np.sqrt(stats["n_reps"])
    half = reach * stats["error"]
    stats["low"] = (stats["score"] - half).clip(lower=1.0)
    stats["high"] = (stats["score"] + half).clip(upper=5.0)
    used = rows.merge(people[["rep_id", "skill"]], on=["rep_id", "skill"])
    counts = used.groupby("skill").agg(
        n_ratings=("score", "size"), n_raters=("rater_id", "nunique")
    )
    summary: pd.DataFrame = stats.drop(columns="sd").join(counts).reset_index()
    return summary


def _test_below(skills: pd.DataFrame) -> pd.Series[float]:
    """Test each mean against its target by Student's t; people scored alike may still differ."""
    n = skills["n_reps"]
    error = np.maximum(skills["error"], ROUNDING / np.sqrt(n))
    p_value = 2 * student.sf(np.abs(skills["gap"] / error), np.maximum(n - 1, 1))
    below = pd.Series(np.maximum(p_value, _SMALLEST), index=skills.index)
    return below.mask(skills["gap"] >= 0, 1.0).where(n > 1)


def _targets(people: pd.DataFrame, measures: Measures) -> pd.DataFrame:
    """Average each skill's target over the roles of those rated in it."""
    framework = measures.skills[["skill", "role", "group", "target"]]
    groups = framework.groupby("skill")["group"].first()
    roles = measures.people[["rep_id", "role"]]
    wanted = people.merge(roles, on="rep_id", how="left").merge(
        framework[["skill", "role", "target"]], on=["skill", "role"], how="left"
    )
    means = wanted.groupby("skill")["target"].mean()
    return pd.concat([means, groups], axis=1).rename_axis("skill").reset_index()
