"""The plan: who takes which course when, for what reason, and what it leaves out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from salesnb.analysis.finding import Candidate
from salesnb.analysis.plan.limits import PlanLimits
from salesnb.analysis.plan.reasons import NO_EVIDENCE
from salesnb.analysis.result import Result
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import count_people, count_things, format_money
from salesnb.language import format_number, mark, tr

PLAN_ANCHOR = "training-plan"
THIS_PLAN, LOWEST_FIRST = mark("this plan"), mark("lowest score first")
BY_WEIGHT = mark("by the manager's weights")
LINES = [
    "rep_id", "unit", "team_id", "skill", "course_id", "course", "gap", "gap_low", "gap_high",
    "p_below", "raw", "target", "n_raters", "effect", "rise", "importance", "money", "gain",
    "gain_low", "gain_high", "hours", "cost", "evidence", "session", "starts_on", "ends_on",
    "check_on",
]  # fmt: skip
LEFT_OUT = [
    "rep_id", "unit", "team_id", "skill", "course_id", "course", "gap", "p_below", "n_raters",
    "gain", "reason",
]  # fmt: skip
COMPARISON = ["plan", "n_seats", "n_people", "cost", "hours", "gain", "gain_low", "gain_high"]
SESSIONS = ["session", "course_id", "course", "starts_on", "ends_on", "n_people"]
BOUNDS = ["limit", "course_id", "used", "available", "is_binding", "one_more", "one_more_gain"]


@dataclass(frozen=True, eq=False, repr=False)
class TrainingPlan(Result):
    """Who takes which course.

    Attributes
    ----------
    period, unit
        Quarter whose ratings it rests on, and name of the team or company.
    lines
        One row a seat, largest gain first: person, skill, course; `gap` to the target with 90%
        interval and `p_below`, chance that there is one; the `raw` score and how many raters;
        the expected `rise` (points; the course's `effect`, at most the gap), `importance` (share
        of bookings a point brings), `money` (expected bookings of four quarters) and `gain`,
        their product, with 90% interval; `hours`, `cost`; the `evidence` in words; `session`,
        `starts_on`, `ends_on`; `check_on`, the day by which new ratings show whether it helped.
    left_out
        One row a person and skill with a gap, too few raters or no target, but no seat: what it
        would have brought and the binding `reason`. People without any gap have one row without a
        skill.
    comparison
        This plan beside the lowest raw scores first and the manager's weights, all valued alike.
    bounds
        One row a limit: the course whose seats it is of, else empty; what is `used` of what is
        `available`, whether it `is_binding`, and what `one_more` (a seat, an hour a person, 1,000
        of money) would bring.
    sessions
        One row a class: course, first and last day, people.
    starts_on
        First day courses can be held on.
    limits
        What was asked for.
    gap
        Share of the gain by which the best plan may be better than this one.
    conflict
        Why no plan keeps to all limits, in words; empty when one does.
    lacking
        Why there is nothing to plan with; empty when there is.
    assumptions
        What was assumed where nothing is known, in words.
    assumed_effect
        Points that courses of which no effect was measured are assumed to bring; 0 without such.
    """

    period: str
    unit: str
    lines: pd.DataFrame
    left_out: pd.DataFrame
    comparison: pd.DataFrame
    bounds: pd.DataFrame
    sessions: pd.DataFrame
    starts_on: dt.date
    limits: PlanLimits
    gap: float
    currency: str
    conflict: str = ""
    lacking: str = ""
    assumptions: str = ""
    assumed_effect: float = 0.0

    @property
    def finding(self) -> str:
        """Say how many get a course, for what, and what it is expected to bring."""
        if self.lacking:
            return tr("{unit}: no training plan, because {why}.", unit=self.unit, why=self.lacking)
        if self.conflict:
            return tr(
                "{unit}: no plan keeps to all limits. {why}", unit=self.unit, why=self.conflict
            )
        if self.lines.empty:
            return tr(
                "{unit}: nobody has a gap that a course on offer would be worth it for.",
                unit=self.unit,
            )
        total = self.comparison.iloc[0]
        skills = self.lines.groupby("skill")["gain"].sum().sort_values(ascending=False)
        first = ", ".join(skill_label(str(name)) for name in skills.index[:3])
        low, high = (format_money(total[key], self.currency) for key in ("gain_low", "gain_high"))
        assuming = (
            tr(
                ", assuming {points} points from courses never measured",
                points=format_number(self.assumed_effect, 1, group=False),
            )
            if self.assumed_effect
            else ""
        )
        return tr(
            "{unit}: {people} in {seats} for {cost}, expected to bring {gain} of bookings within a "
            "year (90% interval {low} to {high}){assuming}; most of it by {skills}.",
            unit=self.unit,
            people=count_people(total["n_people"]),
            seats=count_things(total["n_seats"], "seat", "seats"),
            cost=format_money(total["cost"], self.currency),
            gain=format_money(total["gain"], self.currency),
            low=low,
            high=high,
            assuming=assuming,
            skills=first,
        )

    @property
    def caveat(self) -> str:
        """Say what the figures rest on, and who must be rated first."""
        if self.lacking or self.conflict:
            return ""
        thin = self.rate_first
        first = (
            tr(
                "Rate first, then plan: {people} with skills that fewer than two others have "
                "rated.",
                people=count_people(len(thin)),
            )
            if len(thin)
            else ""
        )
        late = int((self.lines["session"] == "").sum())
        seats = count_things(late, "seat", "seats")
        undated = tr("No day was left for {seats}.", seats=seats) if late else ""
        return " ".join(part for part in (self.assumptions, first, undated) if part)

    @property
    def rate_first(self) -> pd.DataFrame:
        """People with skills of too few raters: rep_id, unit, team_id, `n_skills`, most first."""
        thin = self.left_out[self.left_out["reason"] == NO_EVIDENCE]
        keys = ["rep_id", "unit", "team_id"]
        found = thin.groupby(keys, as_index=False).agg(n_skills=("skill", "nunique"))
        return found.sort_values(["n_skills", "unit"], ascending=[False, True], ignore_index=True)

    @property
    def times_lowest_first(self) -> float:
        """How many times the gain of the lowest scores first; missing where that gains nothing."""
        gains = self.comparison.set_index("plan")["gain"]
        other = float(gains.get(LOWEST_FIRST, float("nan")))
        return float(gains[THIS_PLAN]) / other if other > 0 else float("nan")

    @property
    def is_surely_more(self) -> bool:
        """Whether the interval of this plan's gain lies above that of the lowest scores first."""
        rows = self.comparison.set_index("plan")
        if LOWEST_FIRST not in rows.index:
            return False
        return bool(rows["gain_low"][THIS_PLAN] > rows["gain_high"][LOWEST_FIRST] > 0)

    def to_frame(self) -> pd.DataFrame:
        """List one row a seat."""
        return self.lines.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer the plan, or that none keeps to all limits: what a reader asks for first."""
        if self.lacking or (self.lines.empty and not self.conflict):
            return ()
        beside = (
            tr(
                "{times} times what training the lowest scores first is expected to bring.",
                times=format_number(self.times_lowest_first, 1, group=False),
            )
            if self.is_surely_more
            else ""
        )
        why = "" if self.conflict else f"{beside} {self.assumptions}".strip()
        effect = 1.0 if self.conflict else 0.5
        return (
            Candidate(
                self.finding, why, PLAN_ANCHOR, effect=effect, p_value=0.0,
                is_assumed=not self.conflict and bool(self.assumptions),
            ),
        )  # fmt: skip
