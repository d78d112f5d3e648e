"""The training plan: what each seat is expected to bring, and the best use of all seats."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from salesnb.analysis.plan.assign import Assignment, assign
from salesnb.analysis.plan.bounds import list_bounds
from salesnb.analysis.plan.conflicts import explain_conflict
from salesnb.analysis.plan.draws import draw_gains
from salesnb.analysis.plan.effects import USUAL_EFFECT, USUAL_ERROR, course_effects
from salesnb.analysis.plan.greedy import take_in_order
from salesnb.analysis.plan.importance import REACH, SkillImportance
from salesnb.analysis.plan.limits import Offers, PlanLimits
from salesnb.analysis.plan.money import expect_bookings
from salesnb.analysis.plan.offers import make_offers, value_offers
from salesnb.analysis.plan.reasons import bind, list_left_out
from salesnb.analysis.plan.result import (
    BOUNDS,
    BY_WEIGHT,
    COMPARISON,
    LEFT_OUT,
    LINES,
    LOWEST_FIRST,
    SESSIONS,
    THIS_PLAN,
    TrainingPlan,
)
from salesnb.analysis.plan.sessions import schedule
from salesnb.analysis.profiles import SkillProfiles
from salesnb.language import format_number, format_share, tr
from salesnb.measures.measures import Measures
from salesnb.measures.shared import shared
from salesnb.progress import long
from salesnb.schema import holidays

_LEAD_DAYS = 7
"""Days after the data end before the first course is held."""
_COMPARED = 1.0
"""Seconds for the plan that this one is compared with."""
_Effects = Mapping[str, tuple[float, float]]


@long("Planning the training")
@shared
def training_plan(
    profiles: SkillProfiles, importance: SkillImportance, measures: Measures, *,
    budget: float | None = None, hours: float | None = None,
    effects: Mapping[str, tuple[float, float]] | None = None, limits: PlanLimits | None = None,
    random_state: int = 0,
) -> TrainingPlan:  # fmt: skip
    """Plan who takes which course in the quarter after that of the profiles.

    A seat is expected to bring rise x importance x money: how far the skill is expected to rise
    (by the course's effect, at most to the target, the score's uncertainty considered), the share
    of bookings a point of it moves, and the bookings expected of the person within a year. Seats
    go where their sum is largest within all limits, which is seldom where scores are lowest.
    Scores of fewer than two raters, and gaps less likely than not, get no seat.

    Parameters
    ----------
    profiles
        From `skill_profiles`, of the company or of one team: whose courses are planned. Of more
        quarters (`n_quarters=12`) gaps are surer, and the plan better.
    importance
        From `skill_importance`.
    measures
        From `compute_measures` or `load_measures`: courses, trainings, people, bookings.
    budget, hours
        Money for all seats, and hours a person; None: as `limits` has it, by default any.
    effects
        Points that a course brings on its skill and their standard error, by course_id; None: as
        far as past programmes show it (`course_effects`). 0.4 and 0.2 of others.
    limits
        Smallest class, fairness and how much of a team may be away at once.
    random_state
        Seed of the intervals of gains.

    Returns
    -------
    TrainingPlan
        Where limits cannot be kept together, `conflict` names them and what would mend it.

    Raises
    ------
    ParameterError
        A limit is negative or no share.
    SalesnbError
        The solver failed.
    """
    period = profiles.period
    limits = _with(limits or PlanLimits(), budget, hours)
    first, last = _find_days(measures, period)
    blank = TrainingPlan(
        period=period, unit=profiles.unit, lines=pd.DataFrame(columns=LINES),
        left_out=pd.DataFrame(columns=LEFT_OUT), comparison=pd.DataFrame(columns=COMPARISON),
        bounds=pd.DataFrame(columns=BOUNDS), sessions=pd.DataFrame(columns=SESSIONS),
        starts_on=first, limits=limits, gap=0.0, currency=measures.company.currency,
    )  # fmt: skip
    money = expect_bookings(measures, period=period)
    if lacking := _find_lacking(profiles, importance, measures, money):
        return replace(blank, lacking=lacking)
    if effects is None:
        effects = _find_effects(measures, period)
    rows = value_offers(
        profiles.cells, importance, money, measures, effects=effects,
        usual_effect=(USUAL_EFFECT, USUAL_ERROR), starts_on=first,
    )  # fmt: skip
    is_open = (rows["reason"] == "").to_numpy()
    offers = make_offers(rows[is_open], measures, limits, first)
    found = assign(rows["gain"].to_numpy()[is_open], offers, limits)
    if found is None:
        words = explain_conflict(offers, limits, measures.company.currency)
        return replace(blank, conflict=words)
    chosen = _Chosen(rows, is_open, offers, limits, found)
    return _assemble(blank, chosen, importance, measures, (first, last), effects, random_state)


@dataclass(frozen=True, eq=False)
class _Chosen:
    """All offers valued, those open, and those taken."""

    rows: pd.DataFrame
    is_open: NDArray[np.bool_]
    offers: Offers
    limits: PlanLimits
    found: Assignment

    @property
    def taken(self) -> pd.DataFrame:
        return self.rows[self.is_open][self.found.is_taken]


def _with(limits: PlanLimits, budget: float | None, hours: float | None) -> PlanLimits:
    budget = limits.budget if budget is None else budget
    return replace(limits, budget=budget, hours=limits.hours if hours is None else hours)


def _find_effects(measures: Measures, period: str) -> _Effects:
    rows = course_effects(measures, period=period)
    return dict(
        zip(rows["course_id"], zip(rows["effect"], rows["error"], strict=True), strict=True)
    )


def _find_days(measures: Measures, period: str) -> tuple[dt.date, dt.date]:
    """Find the days of the quarter after; what is over by the day of the data is no part of it.

    A quarter that is over was planned before it began.
    """
    following = measures.calendar.shift(period, 1)
    first, last = measures.calendar.first_day(following), measures.calendar.last_day(following)
    soonest = measures.as_of + dt.timedelta(days=_LEAD_DAYS)
    return (soonest if first < soonest < last else first), last


def _find_lacking(
    profiles: SkillProfiles, importance: SkillImportance, measures: Measures, money: pd.DataFrame
) -> str:
    if profiles.cells.empty:
        return profiles.lacking
    if importance.skills.empty:
        return tr("the framework names no skill")
    if measures.courses.empty:
        return tr("a plan needs courses with their skill; the snapshot has none")
    if profiles.cells["target"].isna().all():
        return tr("no skill has a target")
    if money.empty:
        return tr("nobody booked anything, so nothing says what a course is worth")
    return ""


def _assemble(
    blank: TrainingPlan, chosen: _Chosen, importance: SkillImportance, measures: Measures,
    days: tuple[dt.date, dt.date], effects: _Effects, random_state: int,
) -> TrainingPlan:  # fmt: skip
    reasons = chosen.rows["reason"].copy()
    reasons[chosen.is_open] = bind(chosen.offers, chosen.limits, chosen.found.is_taken)
    taken = chosen.taken
    draws = draw_gains(taken, importance, random_state=random_state)
    heads = chosen.rows.groupby("team_id")["rep_id"].nunique()
    table = schedule(
        taken, heads, chosen.limits, first=days[0], last=days[1],
        holidays=list(measures.holidays[holidays.holiday_on]),
    )  # fmt: skip
    lines = _write_lines(taken, draws, table.lines, measures)
    gain = chosen.rows["gain"].to_numpy()[chosen.is_open]
    n_assumed = len(set(taken["course_id"]) - set(effects))
    return replace(
        blank,
        lines=lines.sort_values(
            ["gain", "rep_id", "course_id"], ascending=[False, True, True], ignore_index=True
        )[LINES],
        left_out=list_left_out(chosen.rows.assign(reason=reasons), LEFT_OUT),
        comparison=_compare(chosen, importance, random_state),
        bounds=list_bounds(
            gain, chosen.offers, chosen.limits, chosen.found.is_taken,
            courses=sorted(set(chosen.rows.loc[chosen.is_open, "course_id"])),
            currency=blank.currency,
        ),
        sessions=table.sessions,
        gap=chosen.found.gap,
        assumptions=_list_assumptions(taken, n_assumed, importance),
        assumed_effect=USUAL_EFFECT if n_assumed else 0.0,
    )  # fmt: skip


def _write_lines(
    taken: pd.DataFrame, draws: NDArray[np.float64], dated: pd.DataFrame, measures: Measures
) -> pd.DataFrame:
    low, high = np.quantile(draws, [0.05, 0.95], axis=1) if len(taken) else (np.empty(0),) * 2
    reach = REACH * taken["gap_sd"]
    lines = taken.join(dated).assign(
        gap_low=taken["gap"] - reach, gap_high=taken["gap"] + reach, gain_low=low, gain_high=high
    )
    calendar = measures.calendar
    lines["check_on"] = [
        pd.NaT if pd.isna(day)
        else pd.Timestamp(calendar.last_day(calendar.shift(calendar.quarter_of(day.date()), 1)))
        for day in lines["ends_on"]
    ]  # fmt: skip
    lines["evidence"] = [
        tr(
            "{score} against {target} ({n} raters): below target with {share} probability",
            score=format_number(row["score"], 1, group=False),
            target=format_number(row["target"], 1, group=False),
            n=format_number(row["n_raters"], group=False),
            share=format_share(row["p_below"]),
        )
        for row in lines.to_dict("records")
    ]
    return lines


def _compare(chosen: _Chosen, importance: SkillImportance, random_state: int) -> pd.DataFrame:
    """Value this plan, the lowest raw scores first, and the manager's weights alike.

    All choose among the same offers: that people without evidence get none is no gain.
    """
    opened, offers = chosen.rows[chosen.is_open], chosen.offers
    order = np.lexsort((opened["course_id"], opened["rep_id"], opened["raw"]))
    weights = importance.skills.set_index("skill")["by_weight"]
    by_weight = opened["skill"].map(weights).astype(float)
    worth = (opened["rise"] * by_weight * opened["money"]).to_numpy(dtype=float)
    weighed = assign(worth, offers, chosen.limits, seconds=_COMPARED)
    plans = {
        THIS_PLAN: chosen.taken,
        LOWEST_FIRST: opened[take_in_order(order, offers, chosen.limits)],
        BY_WEIGHT: opened[weighed.is_taken] if weighed else opened.head(0),
    }
    return pd.DataFrame(
        [_sum_up(name, plan, importance, random_state) for name, plan in plans.items()],
        columns=COMPARISON,
    )


def _sum_up(
    name: str, plan: pd.DataFrame, importance: SkillImportance, random_state: int
) -> tuple[object, ...]:
    total = draw_gains(plan, importance, random_state=random_state).sum(axis=0)
    low, high = np.quantile(total, [0.05, 0.95])
    cost, hours = (float(plan[key].sum()) for key in ("cost", "hours"))
    people = plan["rep_id"].nunique()
    return name, len(plan), people, cost, hours, float(plan["gain"].sum()), low, high


def _list_assumptions(taken: pd.DataFrame, n_assumed: int, importance: SkillImportance) -> str:
    parts = []
    if n_assumed:
        parts.append(
            tr(
                "Assumed: a course brings {points} points on its skill, give or take {error}, as "
                "no effect was measured of {n} of {total} courses.",
                points=format_number(USUAL_EFFECT, 1, group=False),
                error=format_number(USUAL_ERROR, 1, group=False),
                n=n_assumed,
                total=taken["course_id"].nunique(),
            )
        )
    if importance.lacking:
        parts.append(importance.caveat)
    return " ".join(parts)
