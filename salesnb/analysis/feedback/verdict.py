"""What can be said of skills after feedback: the answer of `feedback_effect`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.result import Result

EFFECT_ANCHOR = "feedback-effect"
MOVED = "moved more"
FELL = "moved less"
NONE_FOUND = "no difference found"
UNCLEAR = "not enough evidence"
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
            return (
                f"{self.unit}: skills {row['verdict']} after {_after(row['kind'])} than the same "
                f"people's other skills, by {abs(row['effect']):.2f} points."
            )
        row = self.rows.iloc[0]
        if row["verdict"] == NONE_FOUND:
            return (
                f"{self.unit}: skills with feedback moved no more than the same people's other "
                f"skills; a difference of {row['detectable']:.2f} points would mostly have been "
                "found by the first comparison alone."
            )
        return (
            f"{self.unit}: whether skills moved after feedback cannot be told: not enough evidence."
        )

    @property
    def caveat(self) -> str:
        """Say why the naive figure misleads, and what the comparison cannot show."""
        return (
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
                text=(
                    f"{self.unit}: skills with {_after(row['kind'])} {_way(row['effect'])} "
                    f"{abs(row['effect']):.2f} points against the same people's other skills."
                ),
                why=(
                    f"{row['n']:,} skills of {row['n_people']:,} people, by two methods; "
                    f"{_before(row['placebo_p'])}."
                ),
                anchor=EFFECT_ANCHOR,
                effect=min(abs(float(row["effect"])), 1.0) if is_told else 0.0,
                p_value=float(row["p_adjusted"]),
            ),
        )


def _after(kind: str) -> str:
    return "feedback" if kind == "all" else kind


def _before(p_value: float) -> str:
    if math.isnan(p_value):
        return "whether there was such a difference before the feedback could not be checked"
    if p_value < FALSE_CLAIMS:
        return "there was such a difference before the feedback already"
    return "before the feedback there was no such difference"


def _way(effect: float) -> str:
    return "rose by" if effect > 0 else "fell by"
