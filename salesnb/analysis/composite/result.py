"""The answer: units by one figure, and in words how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.composite.acceptability import N_BANDS
from salesnb.analysis.finding import Candidate
from salesnb.analysis.result import Result
from salesnb.analysis.wording import name_level, name_some
from salesnb.language import format_number, format_share, tr, tr_many

COMPOSITE_ANCHOR = "composite"
SURE = 0.9
"""Chance from which a place among the best quarter is said to be sure."""

QUARTERS = tuple(f"p_quarter_{place}" for place in range(1, N_BANDS + 1))
"""Chances of each quarter of the ranks, best first, whatever the weights."""

_MOST_NAMED = 3


@dataclass(frozen=True, eq=False, repr=False)
class CompositeScore(Result):
    """Units by one figure, 0 to 100: the mean of their percentiles among peers.

    Attributes
    ----------
    period, by
        Those of the matrix.
    scores
        One row a unit: `group` and `n_peers` scored in it; `n_kpis` known of it and the share of
        weight they stand for (`coverage`); `is_scored`; `composite` with 90% interval `low`,
        `high`; 90% rank interval and `p_top_quartile` in its group at the weights given;
        `p_quarter_1` (best) to `p_quarter_4` and `p_best` (first `n_best` places) whatever the
        weights. Figures are missing for units not scored.
    weights
        One row a KPI: `weight` asked for, `share` it has after capping, `why` it does not count.
    groups
        One row a peer group: units scored, `p_value` of its test of no difference, adjusted for
        the number of groups, and whether it `is_ranked`.
    noise_places, weight_places
        Places that chance alone, and other weights alone, move a unit (standard deviations).
    n_best
        Places that `p_best` counts.
    """

    period: str
    by: str
    scores: pd.DataFrame
    weights: pd.DataFrame
    groups: pd.DataFrame
    noise_places: float
    weight_places: float
    n_best: int
    fewest_records: int

    @property
    def tells_of_people(self) -> bool:
        """It is about single people."""
        return True

    @property
    def is_beyond_chance(self) -> bool:
        """Whether units of any group differ beyond chance."""
        return bool(self.groups["is_ranked"].any())

    @property
    def weight_share(self) -> float:
        """Share of the uncertainty of ranks that is due to weights, 0-1; else it is noise."""
        noise, weights = self.noise_places**2, self.weight_places**2
        return weights / (noise + weights) if noise + weights > 0 else 0.0

    @property
    def sure(self) -> pd.DataFrame:
        """Rows of the units that are in the best quarter of their peers whatever the weights."""
        rows = self.scores[self.scores[QUARTERS[0]] >= SURE]
        return rows.sort_values([QUARTERS[0], "unit"], ascending=[False, True])

    @property
    def finding(self) -> str:
        """Say how many units are surely among the best, or that nobody is ranked."""
        who = name_level(self.by)
        n_scored = int(self.scores["is_scored"].sum())
        if not len(self.scores):
            return tr("Nobody has a record, so there is no composite.")
        if not self.is_beyond_chance:
            return tr(
                "Over all KPIs the {units} do not differ beyond chance: nobody is ranked.",
                units=who,
            )
        return tr(
            "{n} of {of} {units} are in the best quarter of their peers with at least {sure} "
            "probability, chance and choice of weights considered.",
            n=len(self.sure), of=n_scored, units=who, sure=format_share(SURE),
        )  # fmt: skip

    @property
    def caveat(self) -> str:
        """Say what moves the order, what does not count and who is not scored."""
        lines = []
        if self.is_beyond_chance:
            lines.append(self.sensitivity)
        left_out = self.weights[self.weights["why"] != ""]
        if len(left_out):
            named = "; ".join(f"{row.label} ({row.why})" for row in left_out.itertuples())
            lines.append(tr("Not counted: {kpis}.", kpis=named))
        n_left = int((~self.scores["is_scored"]).sum())
        if n_left and self.is_beyond_chance:
            lines.append(
                tr(
                    "{n} not scored: too few KPIs rest on {records} records, or their peers do "
                    "not differ beyond chance.",
                    n=n_left,
                    records=self.fewest_records,
                )
            )
        return " ".join(lines)

    @property
    def sensitivity(self) -> str:
        """Say whether weights or chance decide the order."""
        if not np.isfinite(self.noise_places):
            return ""
        share = self.weight_share
        driver = (
            tr("mostly a matter of the weights ({share})", share=format_share(share))
            if share > 0.6
            else tr("mostly chance ({share})", share=format_share(1 - share))
            if share < 0.4
            else tr("about as much a matter of the weights as of chance")
        )
        return tr(
            "Other weights alone would move a place by ±{weights}, chance alone by ±{chance}: what "
            "is uncertain in the order is {driver}.",
            weights=format_number(self.weight_places, 1, group=False),
            chance=format_number(self.noise_places, 1, group=False),
            driver=driver,
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a unit."""
        return self.scores.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer who is surely among the best."""
        found = self.sure
        if found.empty or self.by != "rep":
            return ()
        named = name_some(list(found["unit"]), _MOST_NAMED)
        ranked = self.groups[self.groups["is_ranked"]]
        return (
            Candidate(
                text=tr_many(
                    "Over all KPIs {names} is in the best quarter of their peers, however the "
                    "KPIs are weighted.",
                    "Over all KPIs {names} are in the best quarter of their peers, however the "
                    "KPIs are weighted.",
                    len(found),
                    names=named,
                ),
                why=tr(
                    "Mean percentile of {n} KPIs; at least {sure} probability over chance and "
                    "weights.",
                    n=int((self.weights["share"] > 0).sum()),
                    sure=format_share(SURE),
                ),
                anchor=COMPOSITE_ANCHOR,
                effect=0.3,
                p_value=float(ranked["p_value"].max()),
            ),
        )
