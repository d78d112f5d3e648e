"""Effects that cannot be negative, drawn toward weights: no skill makes somebody win less.

``effect j ~ normal(scale x weight j, width), at least 0``: scale and width are drawn along from
what the effects themselves show, so that their chance is counted.

Source: Gelfand, Smith & Lee (1992), JASA 87, 523-532 (Gibbs sampling under constraints).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr, ndtri

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_CHAINS, _STEPS, _SKIPPED = 64, 120, 40
_SCALES = np.linspace(0.05, 4.0, 40)
"""Sums of all effects that are tried, as multiples of what is assumed before any data."""
_WIDTHS = np.linspace(0.1, 2.5, 25)
"""Spreads of effects around their weights that are tried, as multiples of the mean effect."""


def draw_effects(
    precision: Matrix, found: Vector, weights: Vector, total: float, *, seed: int = 0
) -> Matrix:
    """Draw (D, S) effects from what data and weights say of them.

    Parameters
    ----------
    precision, found
        (S, S) and (S,): the data's log likelihood of effects e is
        ``found @ e - e @ precision @ e / 2``; all 0 where there are no data.
    weights
        (S,) >= 0, any scale, not all 0.
    total
        Sum of the effects that is assumed, and its standard deviation.
    """
    rng = np.random.default_rng(seed)
    unit = total / len(weights)
    shares = weights / weights.mean()
    if not precision.any():
        scale = rng.exponential(size=(_CHAINS * (_STEPS - _SKIPPED), 1))
        alone = rng.exponential(size=(len(scale), len(weights)))
        return np.asarray(unit * shares * scale * alone)
    precision, found = precision * unit**2, found * unit
    prior = _Prior.about(shares)
    effects = np.maximum(rng.normal(1.0, 0.5, (_CHAINS, len(weights))), 0.0)
    kept = []
    for step in range(_STEPS):
        scale, width = prior.draw(effects, rng)
        for skill in range(len(weights)):
            spread = 1 / (precision[skill, skill] + width**-2)
            others = effects @ precision[:, skill] - effects[:, skill] * precision[skill, skill]
            mean = spread * (found[skill] - others + scale * shares[skill] / width**2)
            effects[:, skill] = _draw_above_zero(mean, np.sqrt(spread), rng)
        if step >= _SKIPPED:
            kept.append(effects.copy())
    return unit * np.concatenate(kept)


@dataclass(frozen=True, eq=False)
class _Prior:
    """Scales and widths that are possible (G,), and how likely each is without its effects."""

    shares: Vector
    scale: Vector
    width: Vector
    likely: Vector

    @classmethod
    def about(cls, shares: Vector) -> _Prior:
        scale, width = (each.ravel() for each in np.meshgrid(_SCALES, _WIDTHS, indexing="ij"))
        # what of each normal is above 0
        whole = log_ndtr(scale[:, None] * shares / width[:, None]).sum(axis=1)
        likely = -((scale - 1) ** 2) / 2 - whole - len(shares) * np.log(width)
        return cls(shares, scale, width, likely)

    def draw(self, effects: Matrix, rng: np.random.Generator) -> tuple[Vector, Vector]:
        """Draw (K,) scales and widths given (K, S) effects."""
        apart = (
            (effects**2).sum(axis=1)[:, None]
            - 2 * np.outer(effects @ self.shares, self.scale)
            + self.scale**2 * (self.shares @ self.shares)
        )
        likely = self.likely - apart / (2 * self.width**2)
        chosen = (likely + rng.gumbel(size=likely.shape)).argmax(axis=1)
        return self.scale[chosen], self.width[chosen]


def _draw_above_zero(mean: Vector, sd: Vector, rng: np.random.Generator) -> Vector:
    """Draw normals that are not below 0."""
    share = np.maximum(rng.random(len(mean)) * ndtr(mean / sd), 1e-300)
    return np.maximum(mean - sd * ndtri(share), 0.0)
