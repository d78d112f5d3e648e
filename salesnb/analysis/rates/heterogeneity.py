"""Do the units differ at all, beyond what chance alone does to equal units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

N_SIMULATED = 999


@dataclass(frozen=True)
class Heterogeneity:
    """A test of "all units are equal", and how far apart they are.

    Attributes
    ----------
    statistic : Pearson's or Cochran's homogeneity statistic; about `df` when units are equal.
    df : units with evidence, less one.
    p_value : chance of a statistic as large among equal units; NaN below two units.
    between_sd : standard deviation of the true figures between units, noise removed,
        in the unit of `scale`; 0 when chance explains all.
    scale : what `between_sd` is measured in.
    """

    statistic: float
    df: int
    p_value: float
    between_sd: float
    scale: str

    @property
    def is_beyond_chance(self) -> bool:
        """Whether p < .05; False when it cannot be tested."""
        return self.p_value < 0.05


def untested(scale: str, n_units: int) -> Heterogeneity:
    """Return the result for fewer than two units with evidence: nothing to compare."""
    return Heterogeneity(np.nan, max(n_units - 1, 0), np.nan, np.nan, scale)


def compare_to_simulated(observed: float, simulated: NDArray[np.float64]) -> float:
    """Return the Monte-Carlo p-value, exact in level: (1 + as large) / (1 + simulated).

    Source: Davison & Hinkley (1997), Bootstrap Methods and their Application, 4.2.
    """
    tolerance = 1e-9 * max(abs(observed), 1.0)  # equal tables may differ in the last bit
    as_large = int((simulated >= observed - tolerance).sum())
    return (1 + as_large) / (1 + simulated.size)


def combine_p_values(p_values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Combine p-values of tests that may depend on each other: Cauchy combination.

    Parameters
    ----------
    p_values : (K,) at least one.
    weights : (K,) >= 0, not all 0, on any scale.

    Source: Liu & Xie (2020), JASA 115, 393-402.

    >>> round(combine_p_values(np.array([0.03, 0.03]), np.array([1.0, 2.0])), 3)
    0.03
    """
    within = np.clip(p_values, 1e-15, 0.99)
    statistic = float(weights @ np.tan((0.5 - within) * np.pi) / weights.sum())
    return float(np.arctan2(1.0, statistic) / np.pi)


def find_between_variance(values: NDArray[np.float64], noise: NDArray[np.float64]) -> float:
    """Return the Paule-Mandel between-unit variance of independent values.

    It is the variance at which the weighted squared deviations equal their expectation R - 1,
    and 0 when they fall short of it without any. Values of infinite noise do not count.

    Parameters
    ----------
    values : (R,) in the unit of the result's square root.
    noise : (R,) known sampling variances, > 0.

    Source: Paule & Mandel (1982), J. Res. NBS 87, 377-385.
    """
    known = np.isfinite(noise)
    values, noise = values[known], noise[known]
    if values.size < 2:
        return 0.0

    def excess(between: float) -> float:
        weight = 1 / (noise + between)
        centre = np.sum(weight * values) / weight.sum()
        return float(np.sum(weight * (values - centre) ** 2) - (values.size - 1))

    if excess(0.0) <= 0:
        return 0.0
    # at this value every weight is below 1 / largest, so the excess cannot be positive
    largest = float(np.sum((values - values.mean()) ** 2))
    return float(brentq(excess, 0.0, largest, xtol=1e-12 * largest, rtol=1e-10))
