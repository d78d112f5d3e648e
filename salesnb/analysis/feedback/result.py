"""What became of feedback in a quarter: the answer of `feedback_loop`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from salesnb.analysis.feedback.records import kind_label
from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.result import Result
from salesnb.language import format_number, format_share, tr

FEEDBACK_ANCHOR = "feedback"


@dataclass(frozen=True)
class Cadence:
    """How often people get feedback.

    Attributes
    ----------
    median_days
        Median over people of their median days between two feedbacks in the last four quarters.
    longest_days
        Longest time that anybody went without, the time up to the quarter's end included.
    n_people
        People with at least two feedbacks, on which `median_days` rests.
    weeks, n_quiet, n_asked
        People without any for so many weeks at the quarter's end, out of those at work as long.
    """

    median_days: float
    longest_days: float
    n_people: int
    weeks: int
    n_quiet: int
    n_asked: int


@dataclass(frozen=True)
class Answers:
    """Whether scores below target are spoken about.

    Attributes
    ----------
    days
        A score is answered when the person gets feedback on that skill within so many days.
    n_gaps, n_answered
        Scores below target in the last four quarters whose days are over, and those answered.
    n_others, n_others_answered
        The same people's other scores: what is answered without any gap.
    median_days
        Days from rating to feedback, of those answered.
    p_value
        Two-sided chance of so large a difference between both, within people (Mantel-Haenszel).
    lacking
        Why there are no scores to look at; empty when there are.
    """

    days: int
    n_gaps: int
    n_answered: int
    n_others: int
    n_others_answered: int
    median_days: float
    p_value: float
    lacking: str = ""


@dataclass(frozen=True)
class Reviews:
    """What became of actions due in the quarter before: closed, spoken about since, or neither."""

    period: str
    n_due: int
    n_closed: int
    n_spoken: int

    @property
    def n_left(self) -> int:
        """Actions still open that nobody has spoken about."""
        return self.n_due - self.n_closed - self.n_spoken


@dataclass(frozen=True, eq=False, repr=False)
class FeedbackLoop(Result):
    """Who gets feedback, how often, and whether it closes the loop.

    Attributes
    ----------
    period, unit
        Quarter, and name of the team or company.
    quarters
        One row a quarter of the last four: period, n_people at work, n_covered (with any feedback),
        share with 95% interval low to high, n feedbacks.
    managers
        One row a manager, best first only where they differ: label (that of the team), n_people,
        n_covered, n_by_manager (covered by the manager in person), raw share, and the estimate
        with 90% interval low to high, pulled to the others.
    differ
        Chance of managers' coverage as far apart among equal ones; missing below two of them.
    kinds
        kind, n and share in the quarter, n_before and share_before in the four before.
    kinds_changed
        Chance of as large a change of kinds within authors; missing where there are too few.
    cadence, answers, reviews
        The other figures.
    quiet
        rep_id, name, last_on, days: who had none for so many weeks; only in a team's own review.
    lacking
        Why there is nothing to show; empty when there is.
    """

    period: str
    unit: str
    quarters: pd.DataFrame
    managers: pd.DataFrame
    differ: float
    kinds: pd.DataFrame
    kinds_changed: float
    cadence: Cadence
    answers: Answers
    reviews: Reviews
    quiet: pd.DataFrame
    lacking: str = ""

    @property
    def tells_of_people(self) -> bool:
        """It is about single people."""
        return True

    @property
    def now(self) -> pd.Series[float]:
        """Coverage in the quarter: n_people, n_covered, share, low, high, n."""
        return self.quarters.iloc[-1]

    @property
    def finding(self) -> str:
        """Say how many got any feedback, how often, and whether managers differ."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        now, every = self.now, self.cadence.median_days
        often = ""
        if math.isfinite(every):
            days = format_number(every, group=False)
            often = tr(", every {days} days in the median", days=days)
        return tr(
            "{unit}: {n} of {total} people got feedback in {period}{often}{managers}.",
            unit=self.unit,
            n=format_number(now["n_covered"], group=False),
            total=format_number(now["n_people"], group=False),
            period=self.period,
            often=often,
            managers=self._managers_said(),
        )

    def _managers_said(self) -> str:
        if len(self.managers) < 2:
            return ""
        if self.differ < FALSE_CLAIMS:
            return tr("; managers differ in it beyond chance")
        return tr("; managers do not differ in it beyond chance")

    @property
    def coverage(self) -> str:
        """Say how many got any feedback, and whether managers differ."""
        now = self.now
        return tr(
            "{unit}: {share} of {total} people got feedback in {period}{managers}.",
            unit=self.unit,
            share=format_share(now["share"]),
            total=format_number(now["n_people"], group=False),
            period=self.period,
            managers=self._managers_said(),
        )

    @property
    def caveat(self) -> str:
        """Say what is counted and what is not."""
        return tr(
            "Only feedback that was written down counts; a talk that nobody noted is not there. "
            "More is not better by itself."
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a manager."""
        return self.managers.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer silence as a count; managers' difference, gaps unanswered and kinds as tests."""
        if self.lacking:
            return ()
        offered = [self._offer_quiet(), self._offer_managers(), self._offer_answers()]
        return tuple(item for item in [*offered, self._offer_kinds()] if item is not None)

    def _offer_quiet(self) -> Candidate | None:
        one = self.cadence
        if not one.n_quiet:
            return None
        return Candidate(
            text=tr(
                "{unit}: {n} of {total} people had no written feedback for {weeks} weeks or "
                "longer.",
                unit=self.unit,
                n=one.n_quiet,
                total=one.n_asked,
                weeks=one.weeks,
            ),
            why=tr(
                "At the end of {period}, counting only who was there all the time.",
                period=self.period,
            ),
            anchor=FEEDBACK_ANCHOR,
            effect=one.n_quiet / one.n_asked / 2,
            p_value=0.0,
        )

    def _offer_managers(self) -> Candidate | None:
        if not math.isfinite(self.differ):
            return None
        ordered = self.managers.sort_values("estimate")
        low, high = ordered.iloc[0], ordered.iloc[-1]
        return Candidate(
            text=tr(
                "{unit}: whether people get feedback depends on the manager: from {low} "
                "({low_team}'s manager) to {high} ({high_team}'s manager).",
                unit=self.unit,
                low=format_share(low["estimate"]),
                low_team=low["label"],
                high=format_share(high["estimate"]),
                high_team=high["label"],
            ),
            why=tr(
                "Share of people with any feedback in {period}, {n} managers compared, each pulled "
                "to the others as far as its people are few.",
                period=self.period,
                n=len(self.managers),
            ),
            anchor=FEEDBACK_ANCHOR,
            effect=float(high["estimate"] - low["estimate"]),
            p_value=self.differ,
        )

    def _offer_answers(self) -> Candidate | None:
        one = self.answers
        if not math.isfinite(one.p_value):
            return None
        gaps, others = one.n_answered / one.n_gaps, one.n_others_answered / one.n_others
        return Candidate(
            text=tr(
                "{unit}: skills below target get feedback within {days} days in {gaps} of cases, "
                "other skills in {others}.",
                unit=self.unit,
                days=one.days,
                gaps=format_share(gaps),
                others=format_share(others),
            ),
            why=tr(
                "{n_gaps} scores below target and {n_others} others of four quarters.",
                n_gaps=format_number(one.n_gaps),
                n_others=format_number(one.n_others),
            ),
            anchor=FEEDBACK_ANCHOR,
            effect=abs(gaps - others),
            p_value=one.p_value,
        )

    def _offer_kinds(self) -> Candidate | None:
        if not math.isfinite(self.kinds_changed):
            return None
        moved = self.kinds.assign(by=self.kinds["share"] - self.kinds["share_before"])
        most = moved.iloc[int(moved["by"].abs().argmax())]
        return Candidate(
            text=tr(
                "{unit}: the share of {kind} in feedback went from {before} to {now}.",
                unit=self.unit,
                kind=kind_label(most["kind"]),
                before=format_share(most["share_before"]),
                now=format_share(most["share"]),
            ),
            why=tr(
                "{n} in {period} against the four quarters before, tested within authors.",
                n=format_number(self.kinds["n"].sum()),
                period=self.period,
            ),
            anchor=FEEDBACK_ANCHOR,
            effect=abs(float(most["by"])) / 2,
            p_value=self.kinds_changed,
        )
