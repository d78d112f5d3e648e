"""The normal-normal posterior, in closed form at each between variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from salesnb.analysis.rates.evidence import FloatArray, Posterior
from salesnb.analysis.rates.prior import find_grid, log_strength_prior, pick_points


@dataclass(frozen=True, eq=False)
class NormalNormal:
    """The posterior of values under normal priors, closed-form at each between variance.

    `between` below is the between variance; the grid is over log(typical noise / between).
    With `noise_df` every variance is known up to one factor, whose posterior given `between`
    is inverse chi-square.
    """

    values: FloatArray
    noise: FloatArray
    noise_df: int
    design: FloatArray

    @property
    def known(self) -> NDArray[np.bool_]:
        """(R,) whether a unit has evidence."""
        return np.isfinite(self.noise)

    @property
    def typical(self) -> float:
        """Harmonic mean of the noise: a between variance as large pulls half way."""
        return float(1 / np.mean(1 / self.noise[self.known]))

    @property
    def spread(self) -> float:
        """Variance of the values, noise included; not below the typical noise."""
        weight = 1 / self.noise[self.known]
        centre = np.average(self.values[self.known], weights=weight)
        variance = np.average((self.values[self.known] - centre) ** 2, weights=weight)
        return max(float(variance), self.typical)

    def fit(self, log_ratio: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return per between variance: coefficients, a root of their covariance, squares, density.

        Shapes (K, P), (K, P, P), (K,), (K,); squares are the weighted ones around the fit.
        """
        between = self.typical * np.exp(-log_ratio)
        known, design = self.known, self.design[self.known]
        weight = 1 / (self.noise[known] + between[:, None])
        precision = np.einsum("kr,rp,rq->kpq", weight, design, design, optimize=True)
        # the slope's prior standard deviation is half the values' own, so it is scale-free
        ridge = np.concatenate([[0.0], np.full(design.shape[1] - 1, 4 / self.spread)])
        precision += np.diag(ridge)
        right = (weight * self.values[known]) @ design
        beta = np.linalg.solve(precision, right[..., None])[..., 0]
        residual = self.values[known] - beta @ design.T
        squares = np.sum(weight * residual**2, axis=1) + beta**2 @ ridge
        root = np.linalg.cholesky(np.linalg.inv(precision))
        log_density = 0.5 * np.log(weight).sum(axis=1) + log_strength_prior(log_ratio)
        log_density += np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
        if self.noise_df:
            total_df = self.noise_df + known.sum() - 1
            log_density -= 0.5 * total_df * np.log(self.noise_df + squares)
        else:
            log_density -= 0.5 * squares
        return beta, root, squares, log_density

    def infer(self, n_draws: int, generator: np.random.Generator) -> Posterior:
        """Mix the posteriors over the grid."""
        low = float(np.log(self.typical / self.spread)) - 6
        grid, log_density = find_grid(lambda log_ratio: self.fit(log_ratio)[3], low, 8, 65)
        beta, root, squares, _ = self.fit(grid)
        weight = np.exp(log_density - log_density.max())
        weight /= weight.sum()
        between = self.typical * np.exp(-grid)
        pull = 1 / (1 + between / self.noise[:, None])
        own = (1 - pull) * self.values[:, None]
        estimate = (own + pull * (self.design @ beta.T)) @ weight
        picked = pick_points(weight, n_draws, generator)
        factor = self._draw_noise_factor(squares[picked], generator)
        step = generator.standard_normal((n_draws, beta.shape[1])) * factor[:, None]
        coefficients = beta[picked] + np.einsum("dpq,dq->dp", root[picked], step)
        draws = np.empty((self.values.size, n_draws), dtype=np.float32)
        spread = (between * pull) ** 0.5
        for row in range(draws.shape[0]):
            centre = own[row, picked] + pull[row, picked] * (coefficients @ self.design[row])
            draws[row] = centre + spread[row, picked] * factor * generator.standard_normal(n_draws)
        return Posterior(estimate, (1 - pull) @ weight, draws)

    def _draw_noise_factor(self, squares: FloatArray, generator: np.random.Generator) -> FloatArray:
        if not self.noise_df:
            return np.ones_like(squares)
        total_df = self.noise_df + self.known.sum() - 1
        return np.asarray(
            ((self.noise_df + squares) / generator.chisquare(total_df, squares.size)) ** 0.5
        )
