"""What a kind of figure (rate, count, mean) must offer to be estimated, ranked and pooled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from salesnb.analysis.rates.heterogeneity import Heterogeneity

FloatArray = NDArray[np.float64]
DrawArray = NDArray[np.float32]
RowArray = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Posterior:
    """What the group and a unit's own evidence say together.

    Attributes
    ----------
    estimate : (R,) posterior means on the reported scale.
    reliability : (R,) weight, 0 to 1, that a unit's own evidence has in its estimate.
    draws : (R, n_draws) float32; a column is one joint draw of all units.
    """

    estimate: FloatArray
    reliability: FloatArray
    draws: DrawArray


class Evidence(Protocol):
    """The sufficient statistics of R units and what follows from them."""

    measure: str

    @property
    def size(self) -> NDArray[Any]:
        """(R,) evidence behind each unit: trials, exposure or observations; 0 is none."""

    @property
    def raw(self) -> FloatArray:
        """(R,) figures as they are, NaN where there is no evidence."""

    @property
    def keys(self) -> tuple[FloatArray, ...]:
        """Columns that say all there is about a unit: units with equal keys tie."""

    def take(self, rows: RowArray) -> Self:
        """Return the evidence of some units, in the order of `rows`."""

    def pool(self, figures: NDArray[Any]) -> NDArray[Any]:
        """Pool (R, D) figures by size into the (D,) level of the whole group."""

    def test_heterogeneity(self, random_state: int) -> Heterogeneity:
        """Test whether the units differ beyond chance."""

    def infer(self, n_draws: int, random_state: int) -> Posterior:
        """Combine each unit's evidence with its group's."""

    def show(self, figure: float) -> str:
        """Write one figure for reading."""


def pool_by_size(figures: NDArray[Any], size: NDArray[Any]) -> NDArray[Any]:
    """Return the size-weighted mean over units (axis 0); units without evidence do not count.

    When no unit has evidence all count the same; no units give NaN.
    """
    if size.size == 0:
        return np.full(figures.shape[1:], np.nan)
    weight = np.asarray(size, dtype=figures.dtype)
    if not weight.any():
        weight = np.ones_like(weight)
    known = np.where((weight > 0).reshape(-1, *[1] * (figures.ndim - 1)), figures, 0)
    return np.tensordot(weight / weight.sum(), known, axes=1)


def show_number(figure: float) -> str:
    """Write a figure without exponent: thousands whole, smaller ones to three digits."""
    return f"{figure:,.0f}" if abs(figure) >= 1000 else f"{figure:.3g}"
