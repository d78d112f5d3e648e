"""The effect of being trained by weighted least squares, with errors that hold for few people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.stats import t as student

from salesnb.analysis.multiplicity import SMALLEST

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

POWER = 0.8
"""Chance with which an effect of the size called the smallest that could be seen is seen."""
_ROUNDING = 1e-24
_FULL = 1 - 1e-9
"""Leverage from which on an observation says nothing about the effect."""


@dataclass(frozen=True)
class Effect:
    """An estimated effect; `nan` where it could not be estimated.

    Attributes
    ----------
    estimate, error, freedom
        In the outcome's unit, its standard error and the degrees of freedom of its t.
    n_trained, n_compared
        People (or teams) it rests on.
    """

    estimate: float
    error: float
    freedom: float
    n_trained: int
    n_compared: int

    @property
    def is_known(self) -> bool:
        """Whether there is an estimate with an error."""
        return bool(np.isfinite(self.estimate) and np.isfinite(self.error) and self.error > 0)

    @property
    def p_value(self) -> float:
        """Two-sided p-value of no effect."""
        if not self.is_known:
            return float("nan")
        return float(max(2 * student.sf(abs(self.estimate) / self.error, self.freedom), SMALLEST))

    @property
    def smallest_seen(self) -> float:
        """Size that the 95% interval would exclude zero for with 80% probability."""
        if not self.is_known:
            return float("nan")
        reach = student.ppf(0.975, self.freedom) + student.ppf(POWER, self.freedom)
        return float(reach * self.error)

    def interval(self, level: float) -> tuple[float, float]:
        """Give the interval that holds the effect with probability `level`."""
        if not self.is_known:
            return float("nan"), float("nan")
        half = float(student.ppf(0.5 + level / 2, self.freedom)) * self.error
        return self.estimate - half, self.estimate + half


UNKNOWN = Effect(float("nan"), float("nan"), float("nan"), 0, 0)


def estimate_effect(
    outcome: Floats, trained: Bools, *, covariates: Floats | None = None,
    groups: NDArray[np.object_] | None = None, noise: Floats | None = None,
) -> Effect:  # fmt: skip
    """Regress an outcome on having been trained.

    The error is HC2 with Bell and McCaffrey's degrees of freedom: with few trained the usual
    robust error is too small (Imbens and Kolesar, Review of Economics and Statistics 98, 2016).

    Parameters
    ----------
    outcome, trained
        One value a person; who was trained.
    covariates
        Person x covariate, without a constant.
    groups
        People are compared within these; groups of only trained or only untrained people say
        nothing and are left out. None compares all with all.
    noise
        What an outcome's variance grows with (1 / its number of records): outcomes are weighted
        by the variance their residuals show, a constant plus a multiple of `noise`, not below 0.

    Returns
    -------
    Effect
        Unknown with fewer than two on either side.
    """
    covariates = np.empty((len(outcome), 0)) if covariates is None else covariates
    used = _used(trained, groups)
    y, d, x = outcome[used], trained[used], covariates[used]
    n_trained, n_compared = int(d.sum()), int((~d).sum())
    dummies = _dummies(None if groups is None else groups[used], len(y))
    design = np.column_stack([d.astype(float), dummies, x])
    if min(n_trained, n_compared) < 2 or len(y) <= design.shape[1]:
        return Effect(np.nan, np.nan, np.nan, n_trained, n_compared)
    weights = np.ones(len(y))
    if noise is not None:
        weights = _weights(_residuals(y, design), noise[used])
    root = np.sqrt(weights)
    estimate, error, freedom = _fit(y * root, design * root[:, None])
    return Effect(estimate, error, freedom, n_trained, n_compared)


def _used(trained: Bools, groups: NDArray[np.object_] | None) -> Bools:
    if groups is None:
        return np.ones(len(trained), dtype=bool)
    _, place = np.unique(groups.astype(str), return_inverse=True)
    share = np.bincount(place, weights=trained) / np.bincount(place)
    mixed: Bools = ((share > 0) & (share < 1))[place]
    return mixed


def _dummies(groups: NDArray[np.object_] | None, n: int) -> Floats:
    if groups is None:
        return np.ones((n, 1))
    names, place = np.unique(groups.astype(str), return_inverse=True)
    dummies: Floats = np.eye(len(names))[place]
    return dummies


def _residuals(y: Floats, design: Floats) -> Floats:
    rest: Floats = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return rest


def _weights(residuals: Floats, noise: Floats) -> Floats:
    """Weigh by 1 / (a + b noise), a and b fitted to the squared residuals."""
    if np.ptp(noise) <= 1e-12 * np.abs(noise).max():
        return np.ones(len(noise))
    parts, _ = nnls(np.column_stack([np.ones(len(noise)), noise]), residuals**2)
    variance = parts[0] + parts[1] * noise
    floor = 0.05 * variance.mean()
    return np.ones(len(noise)) if floor <= 0 else 1 / np.maximum(variance, floor)


def _fit(y: Floats, design: Floats) -> tuple[float, float, float]:
    """Estimate the first coefficient, its HC2 error and Bell-McCaffrey's degrees of freedom."""
    others = np.linalg.qr(design[:, 1:])[0]
    own = design[:, 0] - others @ (others.T @ design[:, 0])
    size = float(own @ own)
    if size < 1e-9 * max(float(design[:, 0] @ design[:, 0]), 1e-9):
        return np.nan, np.nan, np.nan
    estimate = float(own @ y) / size
    basis = np.column_stack([own / np.sqrt(size), others])
    rest = y - basis @ (basis.T @ y)
    if rest @ rest <= _ROUNDING * (y @ y):
        return estimate, 0.0, np.nan
    leverage = (basis**2).sum(axis=1)
    keep = leverage < _FULL
    a = np.where(keep, (own / size) ** 2 / np.where(keep, 1 - leverage, 1.0), 0.0)
    error = float(np.sqrt(a @ rest**2))
    trace = float(a @ (1 - leverage))
    inner = basis.T @ (a[:, None] * basis)
    spread = float((a**2) @ (1 - 2 * leverage) + (inner**2).sum())
    return estimate, error, max(trace**2 / spread, 1.0) if spread > 0 else np.nan


def permutation_p_value(
    outcome: Floats, trained: Bools, *, covariates: Floats, groups: NDArray[np.object_],
    n_draws: int, random_state: int,
) -> float:  # fmt: skip
    """Draw the lottery again within groups: how often chance alone gives as large an effect.

    Residuals of the outcome without the effect are permuted (Freedman and Lane), which keeps
    the share of trained in each group.

    Returns
    -------
    float
        Two-sided, never 0; missing where no group has both trained and untrained people.
    """
    used = _used(trained, groups)
    if not used.any():
        return float("nan")
    rng = np.random.default_rng(random_state)
    names, place = np.unique(groups[used].astype(str), return_inverse=True)
    others = np.linalg.qr(np.column_stack([np.eye(len(names))[place], covariates[used]]))[0]
    rest = outcome[used] - others @ (others.T @ outcome[used])
    order = np.argsort(place, kind="stable")
    chance = np.lexsort((rng.random((n_draws, len(place))), np.tile(place[order], (n_draws, 1))))
    lots = np.empty((n_draws + 1, len(place)))
    lots[0] = trained[used]
    lots[1:, order] = lots[0][order][chance]
    own = lots - (lots @ others) @ others.T
    sizes = np.abs(own @ rest) / np.maximum((own**2).sum(axis=1), 1e-12)
    return float((1 + np.sum(sizes[1:] >= sizes[0] * (1 - 1e-9))) / (1 + n_draws))
