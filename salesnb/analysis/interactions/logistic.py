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
    coef = _maximise(design, won, n)
    chance = expit(design @ coef)
    scores = design * (won - n * chance)[:, None]
    weighted = design * (n * chance * (1 - chance))[:, None]
    whole = design.T @ weighted
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    parts = np.split(order, starts[1:])
    n_clusters = len(parts)
    if n_clusters < 2:
        return Logistic(coef, np.full_like(whole, np.nan), 0)
    moves = np.stack(
        [
            _solve(whole - design[rows].T @ weighted[rows], scores[rows].sum(axis=0))
            for rows in parts
        ]
    )
    covariance = (n_clusters - 1) / n_clusters * moves.T @ moves
    return Logistic(coef, covariance, n_clusters - 1)


def _maximise(design: Floats, won: Floats, n: Floats) -> Floats:
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
    return np.asarray(np.linalg.pinv(curve, rcond=1e-9, hermitian=True) @ slope)
