"""What is known of answers: the result of `response_effect`."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd
from scipy.stats import norm

from salesnb.analysis.alignment.odds import CONFIDENCE, Slope
from salesnb.analysis.alignment.rows import share_of, tested
from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_things
from salesnb.language import format_number, format_share, mark, tr, tr_many

RESPONSE_ANCHOR = "response-effect"
Outcome = Literal["qualified", "opportunities"]
OUTCOMES: dict[Outcome, str] = {
    "qualified": mark("became qualified"),
    "opportunities": mark("became an opportunity"),
}


@dataclass(frozen=True)
class InTime:
    """Leads answered within the SLA against those answered later.

    Attributes
    ----------
    minutes
        The SLA, in business minutes.
    n_in_time, n_due
        Touched within it, of all whose time is up or that were touched, as the KPI has it.
    n_late, n_early
        Followed leads answered late and in time, on which the difference rests.
    raw_early, raw_late
        Shares with the outcome.
    difference, low, high
        Adjusted difference of the shares, in time less late, with 95% interval; missing where it
        cannot be told.
    missed, missed_low, missed_high
        Outcomes that the late ones would have had more at the shares of those in time.
    """

    minutes: float
    n_in_time: float
    n_due: float
    n_late: float
    n_early: float
    raw_early: float
    raw_late: float
    difference: float
    low: float
    high: float

    @property
    def p_value(self) -> float:
        """Two-sided chance of so large a difference among equals; missing where it is."""
        half = (self.high - self.low) / 2
        if not half > 0:
            return math.nan
        return float(2 * norm.sf(abs(self.difference) / half * norm.ppf((1 + CONFIDENCE) / 2)))

    @property
    def share(self) -> float:
        """Share answered in time (0-1)."""
        return share_of(self.n_in_time, self.n_due)

    @property
    def missed(self) -> tuple[float, float, float]:
        """Outcomes that go with having been late: likeliest, low, high."""
        return (
            self.difference * self.n_late, self.low * self.n_late, self.high * self.n_late,
        )  # fmt: skip


@dataclass(frozen=True)
class Waiting:
    """Who is not in the comparison: untouched, answered too recently, decided before the answer.

    `n_untouched_reached` are untouched leads that were qualified nonetheless.
    """

    n_followed: float
    n_untouched: float
    n_young: float
    n_before: float
    n_untouched_reached: float


@dataclass(frozen=True, eq=False, repr=False)
class ResponseEffect(Result):
    """How the outcome of leads goes with how fast they were answered: an association.

    Attributes
    ----------
    period, unit, window
        Quarter asked for, name of the team or company, and quarters in which the leads came in.
    outcome
        What is looked at: `qualified` or `opportunities`.
    days
        Days from the answer on within which the outcome counts.
    slope
        Change of the log odds for each doubling of the business minutes to the answer, adjusted
        for source, team and quarter, with 95% interval.
    unadjusted, as_slow
        The same without adjustment; and with untouched leads counted as answered now, in vain.
    curve
        over and up_to (business minutes), n followed leads, reached, raw share, and the adjusted
        share with 95% interval low to high.
    in_time
        The SLA.
    waiting
        Leads not in the comparison.
    answered
        up_to (business minutes), at_risk, answered: share answered by then, untouched leads
        waiting on (Kaplan-Meier).
    lacking
        Why the comparison cannot be made; empty when it can.
    """

    period: str
    unit: str
    window: tuple[str, ...]
    outcome: Outcome
    days: int
    slope: Slope
    unadjusted: Slope
    as_slow: Slope
    curve: pd.DataFrame
    in_time: InTime
    waiting: Waiting
    answered: pd.DataFrame
    lacking: str = ""

    @property
    def odds(self) -> tuple[float, float, float]:
        """Factor of the odds for each doubling of the wait, with interval."""
        one = self.slope
        return math.exp(one.value), math.exp(one.low), math.exp(one.high)

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the outcome goes with the wait beyond chance."""
        return self.slope.p_value < FALSE_CLAIMS

    @property
    def finding(self) -> str:
        """Say how the odds change with the wait, and how many are answered in time."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        odds, low, high = self.odds
        sla = self._sla_said() if self.in_time.n_due else ""
        said = {"unit": self.unit, "outcome": tr(OUTCOMES[self.outcome]), "sla": sla}
        if not self.is_beyond_chance:
            return tr(
                "{unit}: whether leads {outcome} does not go with how fast they were answered "
                "beyond chance{sla}.",
                **said,
            )
        said |= {"change": format_share(abs(1 - odds)), "interval": _spread(low, high)}
        if odds < 1:
            return tr(
                "{unit}: with each doubling of the wait the odds that a lead {outcome} were "
                "{change} lower ({interval}){sla}.",
                **said,
            )
        return tr(
            "{unit}: with each doubling of the wait the odds that a lead {outcome} were "
            "{change} higher ({interval}){sla}.",
            **said,
        )

    def _sla_said(self) -> str:
        return tr_many(
            "; {share} were answered within {n} minute",
            "; {share} were answered within {n} minutes",
            self.in_time.minutes,
            share=format_share(self.in_time.share),
        )

    @property
    def caveat(self) -> str:
        """Say who is compared, what becomes of untouched leads, and that it is no cause."""
        if self.lacking:
            return ""
        one = self.waiting
        return tr(
            "Associated, not caused: who looks promising may be called first. Compared are "
            "{followed} leads {long_ago}, within the same source, team and quarter. Not counted as "
            "slow: {untouched} untouched so far, whose wait is not over, {young} answered too "
            "recently, and {before} decided before their first touch. Minutes are business "
            "minutes.",
            followed=format_number(one.n_followed),
            long_ago=tr_many(
                "answered at least {n} day ago", "answered at least {n} days ago", self.days
            ),
            untouched=format_number(one.n_untouched),
            young=format_number(one.n_young),
            before=format_number(one.n_before),
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a range of the wait."""
        return self.curve.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer the association as a test; that of the SLA counts as one, and is not told twice."""
        if self.lacking:
            return ()
        ends = self.curve["share"]
        offered = Candidate(
            text=self.finding,
            why=tr(
                "{leads} answered leads followed for {days}, compared within source, team and "
                "quarter; an association.",
                leads=format_number(self.waiting.n_followed),
                days=count_things(self.days, "day", "days"),
            ),
            anchor=RESPONSE_ANCHOR,
            effect=float(min(abs(ends.iloc[0] - ends.iloc[-1]), 1.0)) if len(ends) > 1 else 0.0,
            p_value=tested(self.slope.p_value),
            kpi="response_minutes",
        )
        p_value = self.in_time.p_value
        if not math.isfinite(p_value):
            return (offered,)
        return (offered, replace(offered, effect=0.0, p_value=tested(p_value), kpi="sla_share"))


def _spread(low: float, high: float) -> str:
    """Write the interval of a factor as the change it makes, the smaller change first."""
    ends = sorted(abs(1 - end) for end in (low, high))
    return tr("{low} to {high}", low=format_share(ends[0]), high=format_share(ends[1]))
