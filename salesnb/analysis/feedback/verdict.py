"""What can be said of skills after feedback: the answer of `feedback_effect`."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from salesnb.analysis.finding import Candidate
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
            after = "feedback" if row["kind"] == "all" else row["kind"]
            return (
                f"{self.unit}: skills {row['verdict']} after {after} than the same people's other "
                f"skills, by {abs(row['effect']):.2f} points."
            )
        row = self.rows.iloc[0]
        if row["verdict"] == NONE_FOUND:
            return (
                f"{self.unit}: skills with feedback moved no more than the same people's other "
                f"skills; a difference of {row['detectable']:.2f} points would mostly have been "
                "found."
            )
        return (
            f"{self.unit}: whether skills moved after feedback cannot be told: not enough evidence."
        )

    @property
    def caveat(self) -> str:
        """Say why the naive figure misleads, and what the comparison cannot show."""
        return (
            "Feedback goes to skills that were just rated low or high, and those move back by "
            "themselves; so the quarter of the feedback and the one before are left out, and as "
            "long before is compared with after. Every rater's strictness and the "
            "person's overall level are taken out: a rise of all skills at once is not seen."
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a kind of feedback."""
        return self.rows.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer each kind's difference; what both methods do not agree on is not told."""
        if self.lacking:
            return ()
        tested = self.rows[self.rows["p_value"].notna()]
        return tuple(
            Candidate(
                text=(
                    f"{self.unit}: skills with "
                    f"{'feedback' if row['kind'] == 'all' else row['kind']} {_way(row['effect'])} "
                    f"{abs(row['effect']):.2f} points against the same people's other skills."
                ),
                why=(
                    f"{row['n']:,} skills of {row['n_people']:,} people; two methods agree, and "
                    "before the feedback there was no such difference."
                ),
                anchor=EFFECT_ANCHOR,
                effect=min(abs(row["effect"]), 1.0) if row["verdict"] in (MOVED, FELL) else 0.0,
                p_value=row["p_value"],
            )
            for row in tested.to_dict("records")
        )


def _way(effect: float) -> str:
    return "rose by" if effect > 0 else "fell by"
