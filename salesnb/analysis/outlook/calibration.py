"""Were chances right: those that would have been given in past quarters, beside what came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import beta

FEWEST_CASES, FEWEST_QUARTERS = 100, 4
"""Chances and quarters from which calibration is judged, and chances are corrected by it."""

_EDGES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
_PRIOR_SD = 0.5
"""Of the correction, on the logit scale: without evidence a chance stays what it is."""
_NEAREST = 0.002

CASES = ["level", "unit_id", "period", "p", "hit", "straight", "end", "low", "high"]
"""One past chance: who and when, the chance given, whether it was hit, what a straight line
said (0, 1), and the end that came beside its 90% interval."""


@dataclass(frozen=True, eq=False)
class Correction:
    """p -> expit(shift + slope x logit(p)); shift 0 and slope 1 change nothing."""

    shift: float = 0.0
    slope: float = 1.0

    def apply(self, p: np.ndarray) -> np.ndarray:
        """Correct chances; certainties stay certain."""
        inner = (p > 0) & (p < 1)
        shown = np.clip(p, _NEAREST, 1 - _NEAREST)
        return np.where(inner, expit(self.shift + self.slope * logit(shown)), p)


@dataclass(frozen=True, eq=False)
class Calibration:
    """How right the chances of one level (reps, teams, the company) were.

    Attributes
    ----------
    level, n, n_quarters
        Of what kind of units, how many chances of how many past quarters; only of targets that
        were still open at the point.
    brier, brier_straight
        Mean squared error of the chances, and of what a straight line through the bookings so
        far says (hit or not); lower is better, .25 is guessing.
    error
        Mean distance of chances from shares that came (expected calibration error).
    coverage
        Share of ends that lay in their 90% interval.
    table
        One row a band of chances: `low`, `high`, `n`, mean `p`, `share` that was hit and its 90%
        interval `share_low`, `share_high`.
    is_enough
        Whether there are enough to judge by; only then are chances corrected.
    """

    level: str
    n: int
    n_quarters: int
    brier: float
    brier_straight: float
    error: float
    coverage: float
    table: pd.DataFrame
    is_enough: bool
    correction: Correction


def calibrate(cases: pd.DataFrame, level: str) -> Calibration:
    """Judge past chances of a level; corrected ones are judged on quarters they were not fit to."""
    rows = cases[cases["level"] == level]
    n_quarters = rows["period"].nunique()
    is_mixed = 0 < rows["hit"].sum() < len(rows)
    is_enough = bool(len(rows) >= FEWEST_CASES and n_quarters >= FEWEST_QUARTERS and is_mixed)
    p, hit = rows["p"].to_numpy(dtype=float), rows["hit"].to_numpy(dtype=float)
    correction = Correction()
    if is_enough:
        correction = fit_correction(p, hit)
        p = _correct_apart(rows)
    inside = (rows["end"] >= rows["low"]) & (rows["end"] <= rows["high"])
    return Calibration(
        level=level,
        n=len(rows),
        n_quarters=n_quarters,
        brier=_mean((p - hit) ** 2),
        brier_straight=_mean((rows["straight"].to_numpy(dtype=float) - hit) ** 2),
        error=calibration_error(p, hit),
        coverage=_mean(inside.to_numpy(dtype=float)),
        table=reliability_table(p, hit),
        is_enough=is_enough,
        correction=correction,
    )


def fit_correction(p: np.ndarray, hit: np.ndarray) -> Correction:
    """Fit shift and slope by penalised likelihood (Platt scaling that starts from no change)."""
    x = logit(np.clip(p, _NEAREST, 1 - _NEAREST))

    def loss(free: np.ndarray) -> float:
        z = free[0] + np.exp(free[1]) * x
        fit = np.logaddexp(0.0, z) - hit * z
        return float(fit.sum() + (free**2).sum() / (2 * _PRIOR_SD**2))

    found = minimize(loss, np.zeros(2), method="BFGS").x
    return Correction(float(found[0]), float(np.exp(found[1])))


def _correct_apart(rows: pd.DataFrame) -> np.ndarray:
    """Correct each quarter's chances by what the other quarters say."""
    p, hit = rows["p"].to_numpy(dtype=float), rows["hit"].to_numpy(dtype=float)
    out = np.empty(len(rows))
    for quarter in rows["period"].unique():
        own = (rows["period"] == quarter).to_numpy()
        out[own] = fit_correction(p[~own], hit[~own]).apply(p[own])
    return out


def calibration_error(p: np.ndarray, hit: np.ndarray) -> float:
    """Mean distance between chance and share that came, over bands of chances, by their size."""
    table = reliability_table(p, hit)
    if table.empty:
        return float("nan")
    return float(np.average((table["p"] - table["share"]).abs(), weights=table["n"]))


def reliability_table(
    p: np.ndarray, hit: np.ndarray, *, edges: tuple[float, ...] = _EDGES
) -> pd.DataFrame:
    """Put chances of bands, six unless given, beside the share of them that came."""
    band = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, len(edges) - 2)
    rows = []
    for number in np.unique(band):
        inside = band == number
        n, hits = int(inside.sum()), float(hit[inside].sum())
        # Jeffreys' interval of a share
        held = beta(hits + 0.5, n - hits + 0.5)
        rows.append(
            {
                "low": edges[number],
                "high": edges[number + 1],
                "n": n,
                "p": float(p[inside].mean()),
                "share": hits / n,
                "share_low": float(held.ppf(0.05)),
                "share_high": float(held.ppf(0.95)),
            }
        )
    columns = ["low", "high", "n", "p", "share", "share_low", "share_high"]
    return pd.DataFrame(rows, columns=columns)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
