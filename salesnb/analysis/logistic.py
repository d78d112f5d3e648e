"""Logistic regression of grouped counts, with errors that allow for people being different."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, stdtr, stdtrit

Floats = NDArray[np.float64]
_STEPS, _CLOSE = 50, 1e-10
_LEAST, _SAME = 1e-12, 1e-9


@dataclass(frozen=True)
class Logistic:
    """Log odds ratios with their covariance.

    Attributes
    ----------
    coef, covariance
        (K,) and (K, K); the covariance is missing with fewer than two clusters.
    df
        Clusters less one.
    """

    coef: Floats
    covariance: Floats
    df: int

    def interval(self, place: int) -> tuple[float, float, float, float]:
        """Give estimate, 95% interval and two-sided p-value of one coefficient."""
        value, error = float(self.coef[place]), float(np.sqrt(self.covariance[place, place]))
        if not np.isfinite(error) or error <= 0:
            return value, np.nan, np.nan, np.nan
        reach = float(stdtrit(self.df, 0.975)) * error
        p_value = 2 * float(stdtr(self.df, -abs(value) / error))
        return value, value - reach, value + reach, p_value


def to_floats(values: ArrayLike | pd.Series[Any]) -> Floats:
    """Take values as numbers."""
    return np.asarray(values, dtype=np.float64)


def fit_logistic(design: Floats, won: Floats, n: Floats, clusters: NDArray[np.int64]) -> Logistic:
    """Fit won of n by maximum likelihood; errors by leaving out one cluster at a time.

    Leaving out whole clusters (people) allows for one's opportunities being alike, and with few
    clusters errs to the wide side. Each fit without a cluster is one Newton step from the whole.

    Parameters
    ----------
    design : (R, K) with a column of ones where an intercept is wanted; columns that others make
        up share their coefficient.
    won, n : (R,) counts, 0 <= won <= n.
    clusters : (R,) number of each row's cluster.

    Source: MacKinnon & Webb (2023), J. Econometrics 232, 272-299 (cluster jackknife);
    McCullagh & Nelder (1989), Generalized Linear Models, 2.5.
    """
    coef = fit_coefficients(design, won, n)
    chance = expit(design @ coef)
    weight = np.maximum(n * chance * (1 - chance), _LEAST)
    rooted = design * np.sqrt(weight)[:, None]
    residual = (won - n * chance) / np.sqrt(weight)
    whole = rooted.T @ rooted
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    parts = np.split(order, starts[1:])
    if len(parts) < 2:
        return Logistic(coef, np.full_like(whole, np.nan), 0)
    inverse = to_floats(np.linalg.pinv(whole, rcond=_SAME, hermitian=True))
    moves = np.stack(
        [_move_without(rooted[rows], residual[rows], whole, inverse) for rows in parts]
    )
    covariance = (len(parts) - 1) / len(parts) * moves.T @ moves
    return Logistic(coef, covariance, len(parts) - 1)


def _move_without(rooted: Floats, residual: Floats, whole: Floats, inverse: Floats) -> Floats:
    """Find how far the coefficients move without some rows; by the smaller of two systems."""
    if len(rooted) >= rooted.shape[1]:
        return _solve(whole - rooted.T @ rooted, rooted.T @ residual)
    known = rooted @ inverse
    left = np.eye(len(rooted)) - known @ rooted.T
    return np.asarray(known.T @ _solve(left, residual))


def fit_coefficients(design: Floats, won: Floats, n: Floats) -> Floats:
    """Find the log odds ratios of largest likelihood, without their errors."""
    coef = np.zeros(design.shape[1])
    best = _log_likelihood(design, won, n, coef)
    for _ in range(_STEPS):
        chance = expit(design @ coef)
        slope = design.T @ (won - n * chance)
        curve = design.T @ (design * (n * chance * (1 - chance))[:, None])
        move, found = _solve(curve, slope), -np.inf
        while found < best - _CLOSE * abs(best) and np.abs(move).max() > _CLOSE:
            found = _log_likelihood(design, won, n, coef + move)
            move = move if found >= best - _CLOSE * abs(best) else move / 2
        coef = coef + move
        if abs(found - best) <= _CLOSE * max(abs(best), 1.0):
            break
        best = found
    return coef


def _log_likelihood(design: Floats, won: Floats, n: Floats, coef: Floats) -> float:
    logit = design @ coef
    return float(won @ logit - n @ np.logaddexp(0.0, logit))


def _solve(curve: Floats, slope: Floats) -> Floats:
    """Solve for a step; what the rows cannot tell apart is not moved."""
    return np.asarray(np.linalg.pinv(curve, rcond=_SAME, hermitian=True) @ slope)
