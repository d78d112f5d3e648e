"""Early patterns and wins: the answer of `winning_patterns`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.interactions.steps import NO_CAUSE, STEP_WORDS, write_odds
from salesnb.analysis.multiplicity import SMALLEST
from salesnb.analysis.result import Result
from salesnb.analysis.wording import within_sentence
from salesnb.language import format_number, format_share, tr, tr_many
from salesnb.measures.contacts import LANDMARK_DAYS

PATTERNS_ANCHOR = "winning-patterns"


@dataclass(frozen=True, eq=False, repr=False)
class WinningPatterns(Result):
    """Which patterns of the first 30 days go with being won later.

    Attributes
    ----------
    period, unit, window
        Quarter of the report, name of the team or company, quarters of creation used.
    horizon
        Days from creation by which an opportunity must be won.
    n, n_won, n_alike, n_people
        Opportunities open on the landmark, those won, those that `adjusted` rests on (of a type,
        source, size and quarter with both won and not), people.
    n_closed
        Opportunities of those quarters that are closed, on which `naive` rests.
    patterns
        One row a pattern: label, n_steps, and odds ratios of one step more: raw with 95% interval
        raw_low to raw_high, adjusted with low to high, p_value of its trend and q_value (false
        discoveries controlled over the patterns), same_stage (adjusted also for being qualified by
        the landmark), together (also for the other patterns), naive (raw, over whole lives of what
        is closed; missing for silence, which has no end there).
    steps
        One row a step: pattern, step, label and its short form, n, n_won, win_rate, odds ratios
        against the lowest step (raw; adjusted with 95% interval low to high).
    lacking
        Why there is nothing to show; empty when there is.
    """

    period: str
    unit: str
    window: tuple[str, ...]
    horizon: int
    n: int
    n_won: int
    n_alike: int
    n_people: int
    n_closed: int
    patterns: pd.DataFrame
    steps: pd.DataFrame
    lacking: str = ""

    @property
    def clear(self) -> pd.DataFrame:
        """The patterns whose trend is beyond chance, the surest first."""
        found = self.patterns[self.patterns["q_value"] < FALSE_CLAIMS]
        return found.sort_values(["p_value", "pattern"], ignore_index=True)

    @property
    def finding(self) -> str:
        """Say which pattern goes most surely with winning, or that none does."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        if self.clear.empty:
            return tr(
                "{unit}: no pattern of the first {days} days goes with winning beyond chance ({n} "
                "looked at).",
                unit=self.unit,
                days=LANDMARK_DAYS,
                n=len(self.patterns),
            )
        return self._tell(self.clear.iloc[0])

    def _tell(self, row: pd.Series[float]) -> str:
        return f"{self.unit}: {self._say(row)}{self._others_said()}. {tr(NO_CAUSE)}"

    def _others_said(self) -> str:
        others = len(self.clear) - 1
        if others < 1:
            return ""
        return tr_many(
            " ({n} other pattern beyond chance too)",
            " ({n} other patterns beyond chance too)",
            others,
        )

    def _say(self, row: pd.Series[float]) -> str:
        pattern = str(row["pattern"])
        steps = self.steps[self.steps["pattern"] == pattern].sort_values("step")
        low, high = steps.iloc[0], steps.iloc[-1]
        return tr(
            "of opportunities with {high} in the first {days} days {most} were won, with {low} "
            "{least}; among alike ones the odds go {odds} a {step}",
            high=high["label"],
            days=LANDMARK_DAYS,
            most=format_share(high["win_rate"]),
            low=low["label"],
            least=format_share(low["win_rate"]),
            odds=write_odds(row["adjusted"]),
            step=tr(STEP_WORDS[pattern]),
        )

    @property
    def caveat(self) -> str:
        """Say why this need not be a cause."""
        return tr(
            "An association, not a cause: buyers who want to buy answer sooner, agree to meet and "
            "bring colleagues, so the pattern may follow from the win that was coming. It compares "
            "a person's opportunities with the same person's others of like type, source, size "
            "and quarter; how keen the buyer was nobody has measured. Size is by the amount as it "
            "is now or was at close, which may have moved since the first {days} days. What "
            "nobody wrote down did not count.",
            days=LANDMARK_DAYS,
        )

    @property
    def contrast(self) -> str:
        """Say how much of what whole lives show is an artefact of living differently."""
        rows = self.patterns[self.patterns["naive"].notna()]
        if self.lacking or rows.empty:
            return ""
        row = rows.iloc[int(np.abs(np.log(rows["naive"].to_numpy(dtype=float))).argmax())]
        naive, raw = math.log(float(row["naive"])), math.log(float(row["raw"]))
        said = {
            "pattern": within_sentence(str(row["label"])),
            "odds": write_odds(math.exp(naive)),
            "step": tr(STEP_WORDS[str(row["pattern"])]),
            "days": LANDMARK_DAYS,
        }
        if naive * raw <= 0 or abs(raw) < abs(naive):
            share = 1.0 if naive * raw <= 0 else 1 - raw / naive
            return tr(
                "Over whole lives {pattern} would show odds {odds} a {step}; {share} of that (in "
                "log odds) is gone once only the first {days} days of what is still open count: "
                "won and lost ones live differently.",
                share=format_share(share),
                **said,
            )
        return tr(
            "Over whole lives {pattern} would show odds {odds} a {step}, less than the {odds_raw} "
            "of the first {days} days: what is lost late gathers touches too.",
            odds_raw=write_odds(math.exp(raw)),
            **said,
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a pattern."""
        return self.patterns.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer the surest pattern, where it is beyond chance; the others count as tests only.

        They rest on the same touches, and the sentence says how many of them are clear too.
        """
        told = self.clear["pattern"].head(1).tolist()
        return tuple(
            self._offer(row, is_told=row["pattern"] in told)
            for _, row in self.patterns.iterrows()
            if math.isfinite(row["p_value"])
        )

    def _offer(self, row: pd.Series[float], *, is_told: bool) -> Candidate:
        share = self.n_won / self.n
        odds = share / (1 - share) * float(row["adjusted"])
        effect = abs(odds / (1 + odds) - share) / share
        return Candidate(
            text=self._tell(row),
            why=tr(
                "{n} opportunities of {n_people} people created in {first} to {last} and open "
                "after {days} days; within people, by type, source, size and quarter; 95% interval "
                "{low} to {high}.",
                n=format_number(self.n),
                n_people=self.n_people,
                first=self.window[0],
                last=self.window[-1],
                days=LANDMARK_DAYS,
                low=write_odds(row["low"]),
                high=write_odds(row["high"]),
            ),
            anchor=PATTERNS_ANCHOR,
            effect=min(effect, 1.0) if is_told else 0.0,
            p_value=max(float(row["p_value"]), SMALLEST),
        )
