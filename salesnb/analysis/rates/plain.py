"""Figures without an error model: taken as they are, never compared or pooled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from salesnb.analysis.rates.evidence import FloatArray, Posterior, RowArray, show_number
from salesnb.analysis.rates.heterogeneity import Heterogeneity, untested
from salesnb.analysis.rates.result import Estimates, Settings, summarise


def take_plain(
    values: ArrayLike, *, labels: ArrayLike | None = None, higher_is_better: bool = True,
    n_draws: int = 4000,
) -> Estimates:  # fmt: skip
    """Take figures as they are: estimates are the values, and intervals have no width.

    Ranks and chances are those of the values alone: they hold no evidence, and are not to be
    shown. There is no overall level, and no test of differences.

    Parameters
    ----------
    values : (R,) figures; NaN where there is none.
    labels : (R,) distinct names, 0..R-1 when None.
    higher_is_better : whether rank 1 is the highest value.
    n_draws : copies kept per unit.

    Returns
    -------
    Estimates in the unit of `values`.
    """
    evidence = Plain(np.asarray(values, dtype=float))
    return summarise(evidence, labels, Settings("take_plain", higher_is_better, 0.9, n_draws, 0))


@dataclass(frozen=True, eq=False)
class Plain:
    """Values of R units; NaN is no evidence."""

    values: FloatArray
    measure = "value"

    @property
    def size(self) -> NDArray[np.int64]:
        """(R,) 1 where there is a value."""
        return np.isfinite(self.values).astype(np.int64)

    @property
    def raw(self) -> FloatArray:
        """(R,) values."""
        return self.values

    @property
    def keys(self) -> tuple[FloatArray, ...]:
        """All there is about a unit."""
        return (np.nan_to_num(self.values), self.size.astype(float))

    def take(self, rows: RowArray) -> Self:
        """Return some units."""
        return type(self)(self.values[rows])

    def pool(self, figures: NDArray[Any]) -> NDArray[Any]:
        """Refuse a level: a mean of figures is none."""
        return np.full(figures.shape[1:], np.nan, dtype=figures.dtype)

    def show(self, figure: float) -> str:
        """Write a value."""
        return show_number(figure)

    def test_heterogeneity(self, random_state: int) -> Heterogeneity:
        """Test nothing."""
        return untested("value", int(self.size.sum()))

    def infer(self, n_draws: int, random_state: int) -> Posterior:
        """Copy the values."""
        draws = np.repeat(np.nan_to_num(self.values)[:, None], n_draws, axis=1)
        nothing = np.full(len(self.values), np.nan)
        return Posterior(self.values, nothing, draws.astype(np.float32))
