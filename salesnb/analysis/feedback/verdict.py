"""What can be said of skills after feedback: the answer of `feedback_effect`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from salesnb.analysis.feedback.records import kind_label
from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.result import Result
from salesnb.language import format_number, mark, tr

EFFECT_ANCHOR = "feedback-effect"
MOVED = mark("moved more")
FELL = mark("moved less")
NONE_FOUND = mark("no difference found")
UNCLEAR = mark("not enough evidence")
CLEAR_ENOUGH = 0.5
"""Points; where even a difference so large would often be missed, nothing can be said."""


@dataclass(frozen=True, eq=False, repr=False)
class FeedbackEffect(Result):
    """Whether skills with feedback moved more than the same people's other skills.

    Attributes
    ----------
    period, unit
        Last quarter looked at, and name of the team or company.
    rows
        One row a kind of feedback, `all` first: n pairs of a person and a skill with feedback,
        n_people; `effect` in points (1-5) by symmetric difference-in-differences with 95% interval
        low to high, `bound` by regression on the scores before with bound_low to bound_high;
        `placebo`, the same before there was feedback, with its p-value `placebo_p`; `detectable`:
        the difference that four of five such comparisons find; `naive` (after less before, of those
        with feedback); `p_value`, the larger of both tests, `p_adjusted` for the kinds tested, and
        the `verdict`.
    lacking
        Why there is nothing to show; empty when there is.
    """

    period: str
    unit: str
    rows: pd.DataFrame
    lacking: str = ""

    @property
    def finding(self) -> str:
        """Say whether skills with feedback moved more, or that it cannot be told."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        clear = self.rows[self.rows["verdict"].isin([MOVED, FELL])]
        if len(clear):
            row = clear.iloc[0]
            said = {"unit": self.unit, "kind": _after(row["kind"]), "points": _size(row["effect"])}
            if row["verdict"] == MOVED:
                return tr(
                    "{unit}: skills moved more after {kind} than the same people's other skills, "
                    "by {points} points.",
                    **said,
                )
            return tr(
                "{unit}: skills moved less after {kind} than the same people's other skills, by "
                "{points} points.",
                **said,
            )
        row = self.rows.iloc[0]
        if row["verdict"] == NONE_FOUND:
            return tr(
                "{unit}: skills with feedback moved no more than the same people's other skills; a "
                "difference of {points} points would mostly have been found by the first "
                "comparison alone.",
                unit=self.unit,
                points=_size(row["detectable"]),
            )
        return tr(
            "{unit}: whether skills moved after feedback cannot be told: not enough evidence.",
            unit=self.unit,
        )

    @property
    def caveat(self) -> str:
        """Say why the naive figure misleads, and what the comparison cannot show."""
        return tr(
            "Feedback goes to skills that were just rated low or high, and those move back by "
            "themselves; so the last rating before the feedback and the quarters beside it are "
            "left out, and as long before is compared with as long after. Every rater's strictness "
            "and the person's level are taken out: a rise of all skills at once is not seen."
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a kind of feedback."""
        return self.rows.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer the surest difference, allowing for the kinds tested (Holm)."""
        tested = self.rows[self.rows["p_adjusted"].notna()]
        if tested.empty:
            return ()
        row = tested.iloc[int(tested["p_adjusted"].astype(float).argmin())]
        is_told = row["verdict"] in (MOVED, FELL)
        return (
            Candidate(
                text=self._say_way(row),
                why=tr(
                    "{n} skills of {n_people} people, by two methods; {before}.",
                    n=format_number(row["n"]),
                    n_people=format_number(row["n_people"]),
                    before=_before(row["placebo_p"]),
                ),
                anchor=EFFECT_ANCHOR,
                effect=min(abs(float(row["effect"])), 1.0) if is_told else 0.0,
                p_value=float(row["p_adjusted"]),
            ),
        )

    def _say_way(self, row: pd.Series) -> str:
        said = {"unit": self.unit, "kind": _after(row["kind"]), "points": _size(row["effect"])}
        if row["effect"] > 0:
            return tr(
                "{unit}: skills with {kind} rose by {points} points against the same people's "
                "other skills.",
                **said,
            )
        return tr(
            "{unit}: skills with {kind} fell by {points} points against the same people's other "
            "skills.",
            **said,
        )


def _after(kind: str) -> str:
    return tr("feedback") if kind == "all" else kind_label(kind)


def _size(points: float) -> str:
    return format_number(abs(points), 2, group=False)


def _before(p_value: float) -> str:
    if math.isnan(p_value):
        return tr("whether there was such a difference before the feedback could not be checked")
    if p_value < FALSE_CLAIMS:
        return tr("there was such a difference before the feedback already")
    return tr("before the feedback there was no such difference")
