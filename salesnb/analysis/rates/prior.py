"""Learn the prior that a group of units shares, and how sure the data are of it.

The prior has a mean, on a link scale linear in log(evidence) because busy reps often win less,
and a strength: how much evidence it is worth. Hyperparameters are not plugged in but weighed:
`weigh_priors` returns a few hundred points with posterior weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, stdtrit

from salesnb.analysis.rates.evidence import FloatArray

FEWEST_UNITS_FOR_SLOPE = 12
SMALLEST_SPREAD_FOR_SLOPE = 0.1  # standard deviation of log(evidence)
SLOPE_SCALE = 0.15  # of the Student t prior, link scale per SD of log(evidence)
SLOPE_DF = 2.0
N_PAIRS = 256
PROPOSAL_DF = 2.0
PRIOR_TAILS = (0.5, 1.25)  # powers of B and 1 - B, see log_strength_prior


class Family(Protocol):
    """A conjugate family whose prior is to be learned; K priors are evaluated at a time."""

    @property
    def log_typical(self) -> float:
        """Log of the strength that pulls a typical unit half way."""

    @property
    def log_range(self) -> tuple[float, float]:
        """Log strengths to consider."""

    def start(self) -> FloatArray:
        """(P,) first guess of the coefficients."""

    def score(self, beta: FloatArray, strength: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(K, P) quasi-score and (K, P, P) information of (K, P) coefficients."""

    def log_posterior(self, beta: FloatArray, strength: FloatArray) -> FloatArray:
        """(K,) log marginal likelihood plus log prior of the coefficients."""


@dataclass(frozen=True, eq=False)
class WeighedPriors:
    """Points of the hyperparameters: coefficients (H, P), strength (H,), weight (H,) sum 1."""

    beta: FloatArray
    strength: FloatArray
    weight: FloatArray


def build_design(size: NDArray[Any]) -> FloatArray:
    """Return (R, 1) or (R, 2): the intercept and, where it can be learned, log(evidence).

    The covariate is standardised and left out below 12 units with evidence or when evidence
    hardly varies. A unit without evidence counts as the smallest with some.
    """
    intercept = np.ones((size.size, 1))
    known = size > 0
    if known.sum() < FEWEST_UNITS_FOR_SLOPE:
        return intercept
    log_size = np.log(np.maximum(size, size[known].min()))
    spread = log_size[known].std()
    if spread < SMALLEST_SPREAD_FOR_SLOPE:
        return intercept
    # clipped: one unit with next to no evidence must not be extrapolated far
    standard = np.clip((log_size - log_size[known].mean()) / spread, -3, 3)
    return np.column_stack([intercept, standard])


def log_strength_prior(log_ratio: FloatArray) -> FloatArray:
    """Return the log prior density of log(strength / typical evidence).

    B = strength / (strength + typical evidence) is the typical pull toward the group, a priori
    Beta(1/2, 5/4): between uniform in B and uniform in the between variance, chosen so that
    90% intervals cover as said from 20 to 200 units (benchmarks/rates_recovery.py).
    """
    to_none, to_full = PRIOR_TAILS
    return np.asarray(to_none * log_expit(log_ratio) + to_full * log_expit(-log_ratio))


def log_slope_prior(beta: FloatArray) -> FloatArray:
    """Return the (K,) log prior of the slopes: Student t, so small ones vanish, large ones stay."""
    square = SLOPE_DF * SLOPE_SCALE**2
    return np.asarray(-(SLOPE_DF + 1) / 2 * np.log1p(beta[:, 1:] ** 2 / square).sum(axis=1))


def add_slope_prior(
    beta: FloatArray, score: FloatArray, information: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return (K, P) score and (K, P, P) information with the slope prior's share added."""
    pull = (SLOPE_DF + 1) / (SLOPE_DF * SLOPE_SCALE**2 + beta**2)
    pull[:, 0] = 0
    return score - pull * beta, information + pull[:, :, None] * np.eye(beta.shape[1])


def find_grid(
    log_density: Callable[[FloatArray], FloatArray], low: float, high: float, n_points: int
) -> tuple[FloatArray, FloatArray]:
    """Zoom a grid in to where the density is not negligible (e^-12 of its peak)."""
    for _ in range(4):
        points = np.linspace(low, high, n_points)
        values = log_density(points)
        inside = np.flatnonzero(values > values.max() - 12)
        low, high = points[max(inside[0] - 1, 0)], points[min(inside[-1] + 1, n_points - 1)]
        if inside.size > n_points / 3:
            break
    return points, values


def weigh_priors(family: Family) -> WeighedPriors:
    """Return points of the prior's hyperparameters with their posterior weights.

    The strength is drawn from its Laplace-approximated posterior on a grid, the coefficients
    from a Student t around their mode at that strength, both by a low-discrepancy sequence in
    antithetic pairs (so that mirrored data give mirrored points), and each point is weighted by
    the exact posterior over its proposal. Deterministic.

    Source: Christiansen & Morris (1997), JASA 92, 618-632 (strength prior); Rue, Martino &
    Chopin (2009), JRSS B 71, 319-392 (nested Laplace); Roberts (2018), the R_d sequence.
    """
    grid, values = find_grid(lambda log: _profile(family, log)[2], *family.log_range, 33)
    mode, root, _ = _profile(family, grid)
    uniform = _spread_points(N_PAIRS, 1 + mode.shape[1])
    log_strength, log_proposal = _invert_density(grid, values, uniform[:, 0])
    step = stdtrit(PROPOSAL_DF, uniform[:, 1:])  # heavy tails, so that no weight explodes
    centre, factor = _interpolate(log_strength, grid, mode), _interpolate(log_strength, grid, root)
    shift = np.einsum("hpq,hq->hp", factor, step)
    beta = np.concatenate([centre + shift, centre - shift])
    log_proposal -= (PROPOSAL_DF + 1) / 2 * np.log1p(step**2 / PROPOSAL_DF).sum(axis=1)
    log_proposal -= np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    log_both = np.tile(log_strength, 2)
    log_weight = (
        family.log_posterior(beta, np.exp(log_both))
        + log_strength_prior(log_both - family.log_typical)
        - np.tile(log_proposal, 2)
    )
    weight = np.exp(log_weight - log_weight.max())
    return WeighedPriors(beta, np.exp(log_both), weight / weight.sum())


def pick_points(
    weight: FloatArray, n_draws: int, generator: np.random.Generator
) -> NDArray[np.intp]:
    """Return (n_draws,) indices drawn by weight, systematically, in random order."""
    steps = (np.arange(n_draws) + 0.5) / n_draws
    picked = np.searchsorted(np.cumsum(weight), steps * weight.sum())
    return generator.permutation(np.minimum(picked, weight.size - 1))


def _profile(family: Family, log_strength: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return per strength the mode (K, P), a root of its covariance (K, P, P), log density (K,)."""
    strength = np.exp(log_strength)
    beta = np.tile(family.start(), (strength.size, 1))
    for _ in range(8):
        score, information = family.score(beta, strength)
        step = np.linalg.solve(information, score[..., None])[..., 0]
        beta = beta + np.clip(step, -2, 2)
    root = np.linalg.cholesky(np.linalg.inv(family.score(beta, strength)[1]))
    log_volume = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    log_prior = log_strength_prior(log_strength - family.log_typical)
    return beta, root, family.log_posterior(beta, strength) + log_prior + log_volume


def _spread_points(n_points: int, n_dimensions: int) -> FloatArray:
    """Return points evenly spread over the unit cube: Roberts' additive recurrence."""
    ratio = 2.0
    for _ in range(40):
        ratio = (1 + ratio) ** (1 / (n_dimensions + 1))
    steps = ratio ** -np.arange(1.0, n_dimensions + 1)
    return np.asarray((0.5 + np.outer(np.arange(1, n_points + 1), steps)) % 1)


def _invert_density(
    grid: FloatArray, log_density: FloatArray, uniform: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Turn uniforms into draws from a density known on a grid; also return its log there."""
    fine = np.linspace(grid[0], grid[-1], 2001)
    density = np.exp(np.interp(fine, grid, log_density) - log_density.max())
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    draws = np.interp(uniform * cumulative[-1], cumulative, fine)
    return draws, np.interp(draws, grid, log_density)


def _interpolate(at: FloatArray, grid: FloatArray, values: FloatArray) -> FloatArray:
    """Interpolate (K, ...) values linearly along their first axis."""
    flat = values.reshape(grid.size, -1)
    columns = [np.interp(at, grid, column) for column in flat.T]
    return np.stack(columns, axis=1).reshape(at.size, *values.shape[1:])
