"""The answer: estimates, intervals, ranks and heterogeneity of a group of units."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from salesnb.analysis.rates.checks import read_labels, refuse
from salesnb.analysis.rates.display import (
    build_renderable,
    build_text,
    describe_caveat,
    describe_finding,
)
from salesnb.analysis.rates.evidence import (
    DrawArray,
    Evidence,
    FloatArray,
    Posterior,
    RowArray,
)
from salesnb.analysis.rates.heterogeneity import Heterogeneity
from salesnb.analysis.rates.ranks import Standing, average_ties, find_interval, find_standing
from salesnb.analysis.result import Result
from salesnb.errors import quote_examples

if TYPE_CHECKING:
    from rich.console import Group


_STANDING = tuple(item.name for item in fields(Standing))


@dataclass(frozen=True)
class Settings:
    """What a caller chose, checked.

    Raises
    ------
    ParameterError
        When `level` is not inside 0-1, `n_draws` is below 100 or `random_state` is negative.
    """

    function: str
    higher_is_better: bool
    level: float
    n_draws: int
    random_state: int

    def __post_init__(self) -> None:
        """Refuse settings that mean nothing."""
        problems = []
        if not 0 < self.level < 1:
            problems.append(f"'level' is {self.level}; expected 0 < level < 1. Pass 0.90, say.")
        if self.n_draws < 100:
            problems.append(f"'n_draws' is {self.n_draws}; expected at least 100. Pass 4000, say.")
        if self.random_state < 0:
            problems.append(f"'random_state' is {self.random_state}; expected >= 0. Pass 0, say.")
        refuse(self.function, problems)


@dataclass(frozen=True, eq=False, repr=False)
class Estimates(Result):
    """What is known of each unit of a group, and where it stands.

    Units with the same evidence have the same figures. Columns of `draws` are joint draws, so
    any comparison of units can be computed from them.

    Attributes
    ----------
    labels : (R,) names, in the order of the input.
    n : (R,) evidence: trials, exposure or observations.
    raw : (R,) figures as they are; NaN where n is 0.
    estimate, low, high : (R,) posterior mean (geometric means: exp of the mean log) and
        equal-tailed interval at `level`.
    overall : the group's level, pooled (sum / sum), never a mean of rates; NaN without evidence.
    p_top_quartile : (R,) probability of being among the best ceil(R / 4).
    p_above : (R,) probability of being on the better side of the group's pooled level.
    expected_rank, rank_low, rank_high : (R,) mean rank and interval at `level`; 1 is best.
    reliability : (R,) share of a figure's variance that is signal, 0-1; it is also the weight
        of a unit's own evidence in its estimate. NaN for a single unit.
    level : probability of the intervals.
    heterogeneity : whether units differ beyond chance.
    draws : (R, n_draws) float32 posterior draws on the reported scale.
    higher_is_better : whether rank 1 is the highest.
    random_state : the seed.
    evidence : the sufficient statistics, kept to pool and test subsets.
    """

    labels: NDArray[np.object_]
    n: NDArray[Any]
    raw: FloatArray
    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    overall: float
    p_top_quartile: FloatArray
    p_above: FloatArray
    expected_rank: FloatArray
    rank_low: NDArray[np.int64]
    rank_high: NDArray[np.int64]
    reliability: FloatArray
    level: float
    heterogeneity: Heterogeneity
    draws: DrawArray
    higher_is_better: bool
    random_state: int
    evidence: Evidence = field(repr=False)

    @property
    def finding(self) -> str:
        """Say whether units differ beyond chance."""
        return describe_finding(self)

    @property
    def caveat(self) -> str:
        """Say what the figures are and are not."""
        return describe_caveat(self)

    def within(self, labels: ArrayLike) -> Estimates:
        """Return the same posterior for some units, standing and level found among them alone.

        What the whole group taught stays in the estimates; overall level, ranks, p_top_quartile,
        p_above and heterogeneity are the subset's. Rows keep their order here. No labels give
        an empty result.

        Raises
        ------
        ParameterError
            When a label is unknown.
        """
        wanted = list(np.asarray(labels, dtype=object).ravel())
        unknown = sorted(set(wanted) - set(self.labels), key=str)
        if unknown:
            refuse(
                "within",
                [
                    f"'labels' has {len(unknown):,} unknown values (e.g. "
                    f"{quote_examples(unknown)}); expected labels of these estimates. "
                    "Check them against .labels."
                ],
            )
        chosen = set(wanted)
        if len(chosen) == len(self.labels):
            return self
        rows = np.flatnonzero([label in chosen for label in self.labels])
        units = ("labels", "n", "raw", "estimate", "low", "high", "reliability", "draws")
        kept: dict[str, Any] = {name: getattr(self, name)[rows] for name in units}
        evidence = self.evidence.take(rows)
        order, back = _order_units(evidence, kept["labels"])
        standing = _stand(kept["draws"][order], evidence.take(order), self)
        return replace(
            self,
            **kept,
            **_by_row(standing, back),
            overall=_find_overall(evidence.take(order)),
            heterogeneity=evidence.take(order).test_heterogeneity(self.random_state),
            evidence=evidence,
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per unit with all per-unit columns, in the order of the input."""
        columns = ("n", "raw", "estimate", "low", "high", *_STANDING, "reliability")
        return pd.DataFrame(
            {"label": self.labels, **{name: getattr(self, name) for name in columns}}
        )

    def __rich__(self) -> Group:
        """Show the finding, a short table and the caveat."""
        return build_renderable(self)

    def __repr__(self) -> str:
        return build_text(self)


def summarise(evidence: Evidence, labels: ArrayLike | None, settings: Settings) -> Estimates:
    """Infer, rank and test a group of units.

    All random numbers are drawn in the order of the evidence, and units with equal evidence
    share the mean of their figures, so that the order of the rows does not matter.

    Raises
    ------
    ParameterError
        When labels repeat or their number is not R.
    """
    names = read_labels(settings.function, labels, evidence.size.size)
    order, back = _order_units(evidence, names)
    ordered = evidence.take(order)
    found = _infer(ordered, settings)
    low, high = find_interval(found.draws, settings.level)
    tie = _find_ties(ordered)
    estimate = average_ties(found.estimate, tie)
    return Estimates(
        labels=names,
        n=evidence.size,
        raw=evidence.raw,
        estimate=estimate[back],
        low=np.fmin(average_ties(low, tie), estimate)[back],
        high=np.fmax(average_ties(high, tie), estimate)[back],
        overall=_find_overall(ordered),
        **_by_row(_stand(found.draws, ordered, settings), back),
        reliability=average_ties(found.reliability, tie)[back],
        level=settings.level,
        heterogeneity=ordered.test_heterogeneity(settings.random_state),
        draws=found.draws[back],
        higher_is_better=settings.higher_is_better,
        random_state=settings.random_state,
        evidence=evidence,
    )


def _infer(evidence: Evidence, settings: Settings) -> Posterior:
    if evidence.size.size == 0:
        nothing = np.empty(0)
        return Posterior(nothing, nothing, np.empty((0, settings.n_draws), dtype=np.float32))
    return evidence.infer(settings.n_draws, settings.random_state)


def _order_units(evidence: Evidence, labels: NDArray[np.object_]) -> tuple[RowArray, RowArray]:
    """Return the order by evidence, then label, and the way back."""
    names = np.array([str(label) for label in labels], dtype=str)
    order = np.lexsort((names, *reversed(evidence.keys)))
    return order, np.argsort(order)


def _find_ties(evidence: Evidence) -> NDArray[np.intp]:
    """Return each unit's number of its group of equal evidence; such units are adjacent."""
    table = np.column_stack(evidence.keys)
    is_new = np.any(table[1:] != table[:-1], axis=1)
    return np.concatenate([[0], np.cumsum(is_new)])[: table.shape[0]].astype(np.intp)


def _find_overall(evidence: Evidence) -> float:
    if not evidence.size.any():
        return float("nan")
    return float(evidence.pool(evidence.raw[:, None])[0])


def _stand(draws: DrawArray, evidence: Evidence, settings: Settings | Estimates) -> Standing:
    """Find the standing of ordered units, the same for ties; rank limits round outward."""
    standing = find_standing(
        draws, evidence, higher_is_better=settings.higher_is_better, level=settings.level
    )
    tie = _find_ties(evidence)
    return Standing(
        average_ties(standing.p_top_quartile, tie),
        average_ties(standing.p_above, tie),
        average_ties(standing.expected_rank, tie),
        np.floor(average_ties(standing.rank_low, tie)).astype(np.int64),
        np.ceil(average_ties(standing.rank_high, tie)).astype(np.int64),
    )


def _by_row(standing: Standing, back: RowArray) -> dict[str, Any]:
    """Return the standing in the order of the rows."""
    return {name: getattr(standing, name)[back] for name in _STANDING}
