"""Skills in their plain form: a team's scores beside its targets, with n and raters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from salesnb.analysis.result import Result
from salesnb.errors import ParameterError
from salesnb.measures.measures import Measures

FEWEST_RATERS = 2
_COLUMNS = [
    "skill", "group", "score", "low", "high", "target", "gap", "company", "n_reps", "n_ratings",
    "n_raters",
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
        and the numbers of people, ratings and raters behind it.
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
        From `load_measures`; without ratings the profile is empty.
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
        Quarter or team is unknown, or there are no ratings.
    """
    measures.check_period(period)
    if measures.ratings.empty:
        raise ParameterError("skills: need ratings; the snapshot has none.")
    team_id = measures.find_team(team) if team is not None else None
    rows = measures.ratings[measures.ratings["period"] == period]
    company, _ = _person_scores(rows)
    if team_id is not None:
        rows = rows[rows["team_id"].isin(measures.teams_within(team_id))]
    people, n_thin = _person_scores(rows)
    skills = _summarise(people, rows).merge(
        company.groupby("skill")["score"].mean().rename("company"), on="skill", how="left"
    )
    skills = skills.merge(_targets(people, measures), on="skill", how="left")
    skills["gap"] = skills["score"] - skills["target"]
    skills = skills.sort_values(["gap", "skill"], ignore_index=True)
    name = measures.team_name(team_id) if team_id is not None else measures.company.name
    return SkillProfile(period, name, skills[_COLUMNS], n_thin)


def _person_scores(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Average over raters, then per person and skill; count the pairs with too few raters."""
    raters = rows.groupby(["rep_id", "skill", "rater_id"], as_index=False)["score"].mean()
    pairs = raters.groupby(["rep_id", "skill"], as_index=False).agg(
        score=("score", "mean"), n_raters=("rater_id", "nunique")
    )
    enough = pairs["n_raters"] >= FEWEST_RATERS
    return pairs[enough], int((~enough).sum())


def _summarise(people: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    stats = people.groupby("skill")["score"].agg(score="mean", sd="std", n_reps="count")
    reach = student.ppf(0.975, np.maximum(stats["n_reps"] - 1, 1))
    half = reach * stats["sd"] / np.sqrt(stats["n_reps"])
    stats["low"] = (stats["score"] - half).clip(lower=1.0)
    stats["high"] = (stats["score"] + half).clip(upper=5.0)
    used = rows.merge(people[["rep_id", "skill"]], on=["rep_id", "skill"])
    counts = used.groupby("skill").agg(
        n_ratings=("score", "size"), n_raters=("rater_id", "nunique")
    )
    summary: pd.DataFrame = stats.drop(columns="sd").join(counts).reset_index()
    return summary


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
