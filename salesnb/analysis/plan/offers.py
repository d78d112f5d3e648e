"""What each course would bring to each person, and why some are not offered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from salesnb.analysis.plan.importance import SkillImportance
from salesnb.analysis.plan.limits import Offers, PlanLimits
from salesnb.analysis.plan.reasons import (
    ASSIGNED,
    DONE,
    NO_COURSE,
    NO_EFFECT,
    NO_EVIDENCE,
    NO_GAP,
    NO_TARGET,
    NO_WORTH,
)
from salesnb.measures.measures import Measures

_LIKELY = 0.5
"""Chance of being below target from which there is a gap."""
_LIKELY_EFFECTS = norm.ppf((np.arange(9) + 0.5) / 9)
"""Where a course's effect may be, in standard errors from what is expected; equally likely."""
_RECENT = dt.timedelta(days=183)
"""How long somebody assigned to a course is expected to complete it."""
_CELLS = [
    "rep_id", "unit", "team_id", "skill", "raw", "score", "error", "n_raters", "is_enough",
    "target",
]  # fmt: skip


def value_offers(
    cells: pd.DataFrame, importance: SkillImportance, money: pd.DataFrame, measures: Measures, *,
    effects: Mapping[str, tuple[float, float]], usual_effect: tuple[float, float],
    starts_on: dt.date,
) -> pd.DataFrame:  # fmt: skip
    """Value every course for everybody rated in its skill, and skills without a course.

    Parameters
    ----------
    cells
        One row a person and skill, as of `SkillProfiles`.
    money
        Indexed by rep_id: `money`, `money_sd`.
    effects, usual_effect
        Points that a course brings and their standard error, by its id; and of courses not named.
    starts_on
        First day of the plan: who has left by then is no part of it.

    Returns
    -------
    DataFrame
        One row a person, skill and course (none: `course_id` is empty), in the order of their
        ids: `gap` (target less expected score) with `gap_sd` and `p_below`, `effect` with
        `effect_sd`, expected `rise`, `importance`, `money`, `gain` = the product of the three, and
        `reason`, why it is not offered.
    """
    rows = _present(cells, measures, starts_on)
    rows = _add_gaps(rows, importance)
    courses = measures.courses.reindex(
        columns=["course_id", "name", "skill", "hours", "cost", "seats"]
    )
    rows = rows.merge(courses.rename(columns={"name": "course"}), on="skill", how="left")
    rows[["course_id", "course"]] = rows[["course_id", "course"]].astype(object).fillna("")
    for name in ("hours", "cost"):
        rows[name] = rows[name].astype(float).fillna(0.0)
    known = [effects.get(str(course), usual_effect) for course in rows["course_id"]]
    rows[["effect", "effect_sd"]] = np.array(known, dtype=float).reshape(-1, 2)
    rows = rows.join(money, on="rep_id")
    middle = money["money"].mean() if len(money) else 0.0
    rows["money"] = rows["money"].fillna(middle)
    rows["money_sd"] = rows["money_sd"].fillna(rows["money"])
    gap, sd, effect, effect_sd = (
        rows[name].to_numpy(dtype=float) for name in ("gap", "gap_sd", "effect", "effect_sd")
    )
    rows["rise"] = np.mean(
        [expected_rise(gap, sd, np.maximum(effect + z * effect_sd, 0.0)) for z in _LIKELY_EFFECTS],
        axis=0,
    )
    rows["gain"] = rows["rise"] * rows["importance"] * rows["money"]
    rows["reason"] = _find_reasons(rows, measures.trainings, starts_on)
    return rows.sort_values(["rep_id", "skill", "course_id"], ignore_index=True)


def _present(cells: pd.DataFrame, measures: Measures, starts_on: dt.date) -> pd.DataFrame:
    left = measures.people.drop_duplicates("rep_id").set_index("rep_id")["left_on"]
    gone = pd.to_datetime(cells["rep_id"].map(left)) < pd.Timestamp(starts_on)
    known = cells["score"].notna() & (cells["error"] > 0)
    rows = cells.loc[~gone & known, _CELLS]
    rows = rows.assign(team_id=rows["team_id"].astype(object).fillna(""))
    return rows.drop_duplicates(["rep_id", "skill"])


def _add_gaps(rows: pd.DataFrame, importance: SkillImportance) -> pd.DataFrame:
    """Add how far people are expected to be below target, and what the skill is worth."""
    known = importance.skills.set_index("skill")["importance"]
    gap = (rows["target"] - rows["score"]).astype(float)
    sd = rows["error"].astype(float)
    worth = rows["skill"].map(known).astype(float).fillna(0.0)
    return rows.assign(gap=gap, gap_sd=sd, p_below=norm.cdf(gap / sd), importance=worth)


def expected_rise(
    gap: NDArray[np.float64], sd: NDArray[np.float64], effect: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Expect how far a course lifts a skill: by its effect, but at most to the target.

    Parameters
    ----------
    gap, sd
        Target less expected score, and how sure it is; points. A gap that is probably none still
        counts for as much as it may be one.
    effect
        Points the course brings to somebody far below the target.

    Examples
    --------
    >>> sure = np.full(3, 0.01)
    >>> expected_rise(np.array([2.0, 0.2, -2.0]), sure, np.full(3, 0.4)).round(2)
    array([0.4, 0.2, 0. ])
    """

    def below(amount: NDArray[np.float64]) -> NDArray[np.float64]:
        z = amount / sd
        part: NDArray[np.float64] = amount * norm.cdf(z) + sd * norm.pdf(z)
        return part

    return below(gap) - below(gap - effect)


def _find_reasons(
    rows: pd.DataFrame, trainings: pd.DataFrame, starts_on: dt.date
) -> pd.Series[str]:
    """Say why an offer is none, the plainest reason first; empty where it is one."""
    start = pd.Timestamp(starts_on)
    completed = pd.to_datetime(trainings["completed_on"])
    assigned = pd.to_datetime(trainings["assigned_on"])
    ended = completed.notna() & (completed < start)
    waits = ~ended & (assigned.isna() | (assigned >= start - _RECENT))
    pairs = pd.MultiIndex.from_frame(rows[["rep_id", "course_id"]])
    named = trainings[["rep_id", "course_id"]]
    reasons = {
        NO_TARGET: rows["target"].isna(),
        NO_EVIDENCE: ~rows["is_enough"].astype(bool),
        NO_GAP: rows["p_below"] < _LIKELY,
        NO_COURSE: rows["course_id"] == "",
        DONE: pd.Series(pairs.isin(pd.MultiIndex.from_frame(named[ended])), rows.index),
        ASSIGNED: pd.Series(pairs.isin(pd.MultiIndex.from_frame(named[waits])), rows.index),
        NO_EFFECT: rows["effect"] <= 0,
        NO_WORTH: rows["importance"] <= 0,
    }
    found = np.select(list(reasons.values()), list(reasons), default="")
    return pd.Series(found, rows.index, dtype=object)


def make_offers(
    rows: pd.DataFrame, measures: Measures, limits: PlanLimits, starts_on: dt.date
) -> Offers:
    """Give the persons, courses, skills and teams of offers numbers."""
    reps, courses, skills, teams = (
        np.unique(rows[name].astype(str), return_inverse=True)
        for name in ("rep_id", "course_id", "skill", "team_id")
    )
    seats = measures.courses.set_index("course_id")["seats"].astype(float)
    per_team = rows.groupby(rows["team_id"].astype(str))["rep_id"].nunique()
    heads = per_team.reindex(teams[0]).to_numpy(dtype=float)
    return Offers(
        rep=reps[1], course=courses[1], skill=skills[1], team=teams[1],
        hours=rows["hours"].to_numpy(dtype=float), cost=rows["cost"].to_numpy(dtype=float),
        # a course whose seats nobody counted has one for everybody
        seats=np.floor(seats.reindex(courses[0]).fillna(len(reps[0])).to_numpy()),
        floors=np.floor(limits.team_share * heads + 1e-9),
        is_due=_find_due(reps[0], measures, limits, starts_on),
    )  # fmt: skip


def _find_due(
    reps: np.ndarray, measures: Measures, limits: PlanLimits, starts_on: dt.date
) -> np.ndarray:
    """Find who must get a course now for everybody to have had one in time."""
    if not limits.everyone_within:
        return np.zeros(len(reps), dtype=bool)
    quarter = measures.calendar.quarter_of(starts_on)
    since = measures.calendar.first_day(
        measures.calendar.shift(quarter, 1 - limits.everyone_within)
    )
    done = measures.trainings
    recent = done[pd.to_datetime(done["completed_on"]) >= pd.Timestamp(since)]
    return ~np.isin(reps, recent["rep_id"].astype(str).to_numpy())
