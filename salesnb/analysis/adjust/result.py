"""The answer: bookings as they are beside bookings against what was to be expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from salesnb.analysis.finding import Candidate
from salesnb.analysis.rates import Estimates
from salesnb.analysis.result import Result
from salesnb.analysis.wording import begin_large
from salesnb.language import format_number, format_share, tr, tr_many

ADJUSTED_ANCHOR = "adjusted"
BOOKINGS = "bookings"
FALSE_CLAIMS = 0.002
"""Level of the test of differences: strict, for it is read beside the matrix, which may claim a
difference between equal people in 4% of reports, and rests on a fitted expectation."""
SURE = 0.95

Method = Literal["residual", "per potential", "without potential", "nothing"]

_MOST_NAMED = 3


@dataclass(frozen=True, eq=False, repr=False)
class AdjustedPerformance(Result):
    """Bookings as they are beside bookings against what was to be expected.

    Attributes
    ----------
    period, window
        The quarter asked for and the quarters pooled.
    rows
        One row a rep: `potential` of the territory, `tenure_days` at mid-window, full `quarters`
        worked, `n` won, `bookings` and `expected`; `raw` (bookings a quarter over the company's,
        seasons taken out) and `adjusted` (bookings over expected), both 1 = as everybody;
        `estimate`, `low`, `high`: `adjusted` shrunk, with 90% interval; `p_above` 1; ranks of
        raw and of estimate among the reps adjusted, with 90% interval. Missing where a rep
        could not be adjusted.
    method, why
        `residual` of a robust regression, `per potential` (bookings over potential), `without
        potential` (season and tenure alone) or `nothing`; and the reason in words.
    left_out
        Names of reps without a known potential where others have one.
    elasticity
        Percent that bookings rise with a percent of potential, as fitted; 1 where assumed.
    order_agreement
        Spearman correlation of raw and adjusted order; missing below three reps.
    estimates
        Posterior of the index.
    """

    period: str
    window: tuple[str, ...]
    rows: pd.DataFrame
    method: Method
    why: str
    left_out: tuple[str, ...]
    elasticity: float
    order_agreement: float
    estimates: Estimates | None
    currency: str

    @property
    def tells_of_people(self) -> bool:
        """It is about single people."""
        return True

    @property
    def is_beyond_chance(self) -> bool:
        """Whether people differ from what was to be expected of them beyond chance."""
        return self.estimates is not None and (self.estimates.heterogeneity.p_value < FALSE_CLAIMS)

    @property
    def moves(self) -> pd.DataFrame:
        """Rows of adjusted reps with `places` gained by adjusting, most moved first."""
        known = self.rows[self.rows["rank"].notna()]
        known = known.assign(places=known["raw_rank"] - known["rank"])
        order = known["places"].abs().sort_values(ascending=False, kind="stable").index
        return known.loc[order]

    @property
    def order_change(self) -> str:
        """Say how adjusting changes the order."""
        if not np.isfinite(self.order_agreement):
            return ""
        moved = self.moves
        far = max(1, round(len(moved) / 10))
        n_far = int((moved["places"].abs() > far).sum())
        words = tr_many(
            "The order by raw and by adjusted bookings agrees at {agreement} (1 would be the "
            "same); {moved} of {of} people move by more than {n} place",
            "The order by raw and by adjusted bookings agrees at {agreement} (1 would be the "
            "same); {moved} of {of} people move by more than {n} places",
            far,
            n=far,
            agreement=format_number(self.order_agreement, 2, group=False),
            moved=n_far,
            of=len(moved),
        )
        up, down = moved[moved["places"] > far], moved[moved["places"] < -far]
        if not self.is_beyond_chance or not n_far:
            return f"{words}."
        named = [tr("up {names}", names=_word_moves(up))] if len(up) else []
        named += [tr("down {names}", names=_word_moves(down))] if len(down) else []
        return f"{words}: {'; '.join(named)}."

    @property
    def finding(self) -> str:
        """Say who is surely above or below what was to be expected."""
        if self.estimates is None:
            return tr("Bookings could not be adjusted: {why}.", why=self.why)
        if not self.is_beyond_chance:
            return tr(
                "Against what was to be expected of them people do not differ beyond chance: "
                "nobody is ranked."
            )
        chance = self.rows["p_above"]
        above, below = int((chance >= SURE).sum()), int((chance <= 1 - SURE).sum())
        n = int(self.rows["rank"].notna().sum())
        return tr(
            "{above} of {n} people book more than was to be expected of them, {below} less, with "
            "at least {sure} probability.",
            above=above, n=n, below=below, sure=format_share(SURE),
        )  # fmt: skip

    @property
    def caveat(self) -> str:
        """Say how it was adjusted, how the order changes, and who was left out."""
        parts = [begin_large(f"{self.why}."), self.order_change]
        if self.left_out:
            parts.append(
                tr("No potential is known of {n}: raw figures only.", n=len(self.left_out))
            )
        return " ".join(part for part in parts if part) if self.estimates is not None else ""

    def to_frame(self) -> pd.DataFrame:
        """List one row a rep, raw beside adjusted."""
        return self.rows.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer that the raw order misleads, where it does and people differ."""
        if self.estimates is None or not self.is_beyond_chance or not self.order_agreement < 0.8:
            return ()
        return (
            Candidate(
                text=tr(
                    "Bookings mislead without territories: {order_change}",
                    order_change=self.order_change,
                ),
                why=f"{self.why}.",
                anchor=ADJUSTED_ANCHOR,
                effect=min(1.0, 1 - self.order_agreement),
                p_value=self.estimates.heterogeneity.p_value,
                kpi=BOOKINGS,
            ),
        )


def _word_moves(rows: pd.DataFrame) -> str:
    """Name those who moved most, with their places before and after."""
    return ", ".join(
        tr(
            "{name} (from place {before} to {after})",
            name=row["name"],
            before=format_number(row["raw_rank"], group=False),
            after=format_number(row["rank"], group=False),
        )
        for row in rows.head(_MOST_NAMED).to_dict("records")
    )
