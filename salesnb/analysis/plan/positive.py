"""Effects that cannot be negative, drawn toward weights: no skill makes somebody win less.

``effect j ~ gamma with mean scale x weight j ^ stretch and a shape``: most skills may matter little
and a few much, and who weighs skills often ranks them better than they measure, so that weights may
count stretched. Scale, stretch and shape are drawn along from what the effects themselves show.

Source: Ritter & Tanner (1992), JASA 87, 861-868 (Gibbs sampling on a grid).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_CHAINS, _STEPS, _SKIPPED = 64, 120, 40
_SCALES = np.linspace(0.1, 4.0, 30)
"""Sums of all effects that are tried, as multiples of what is assumed before any data."""
_SHAPES = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0])
_STRETCHES = np.array([0.5, 1.0, 1.5, 2.0, 3.0])
_LEAST = 0.05
"""Weight of a skill that has none, as a multiple of the mean weight."""
_REACH, _WIDEST = 5.0, 10.0
_POINTS = (np.arange(60) + 0.5) / 60


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
    shares = np.maximum(weights / weights.mean(), _LEAST)
    if not precision.any():
        scale = rng.exponential(size=(_CHAINS * (_STEPS - _SKIPPED), 1))
        alone = rng.exponential(size=(len(scale), len(weights)))
        return np.asarray(unit * shares * scale * alone)
    # none is worth many times the mean, where data say nothing
    precision = precision * unit**2 + np.eye(len(weights)) / _WIDEST**2
    found, prior = found * unit, _Prior.about(shares)
    effects = np.maximum(rng.normal(1.0, 0.3, (_CHAINS, len(weights))), _LEAST)
    kept = []
    for step in range(_STEPS):
        chosen = prior.draw(effects, rng)
        shape, mean = prior.shape[chosen], prior.mean[chosen]
        for skill in range(len(weights)):
            variance = 1 / precision[skill, skill]
            others = effects @ precision[:, skill] - effects[:, skill] / variance
            middle = variance * (found[skill] - others - shape / mean[:, skill])
            effects[:, skill] = _draw_tilted(middle, np.sqrt(variance), shape, rng)
        if step >= _SKIPPED:
            kept.append(effects.copy())
    return unit * np.concatenate(kept)


@dataclass(frozen=True, eq=False)
class _Prior:
    """Shapes (G,) and means (G, S) that are possible, and (G,) how likely each is."""

    shape: Vector
    mean: Matrix
    likely: Vector

    @classmethod
    def about(cls, shares: Vector) -> _Prior:
        scale, shape, stretch = (
            each.ravel() for each in np.meshgrid(_SCALES, _SHAPES, _STRETCHES, indexing="ij")
        )
        powers = shares ** stretch[:, None]
        mean = scale[:, None] * powers / powers.mean(axis=1, keepdims=True)
        whole = shape * np.log(shape) - gammaln(shape)
        likely = len(shares) * whole - shape * np.log(mean).sum(axis=1) - (scale - 1) ** 2 / 2
        return cls(shape, mean, likely)

    def draw(self, effects: Matrix, rng: np.random.Generator) -> NDArray[np.intp]:
        """Draw (K,) places of these given (K, S) effects."""
        likely = (
            self.likely
            + np.outer(np.log(effects).sum(axis=1), self.shape - 1)
            - self.shape * (effects @ (1 / self.mean).T)
        )
        chosen: NDArray[np.intp] = (likely + rng.gumbel(size=likely.shape)).argmax(axis=1)
        return chosen


def _draw_tilted(middle: Vector, sd: float, shape: Vector, rng: np.random.Generator) -> Vector:
    """Draw from ``x ^ (shape - 1) x normal(middle, sd)`` above 0, on a grid about its mode."""
    mode = (middle + np.sqrt(middle**2 + 4 * sd**2 * np.maximum(shape - 1, 0.0))) / 2
    low = np.maximum(mode - _REACH * sd, 0.0)[:, None]
    # points are dense at the lower end, where small shapes have their peak
    points = low + (mode[:, None] + _REACH * sd - low) * _POINTS**2
    likely = (shape - 1)[:, None] * np.log(points) - ((points - middle[:, None]) / sd) ** 2 / 2
    chosen = (likely + np.log(_POINTS) + rng.gumbel(size=likely.shape)).argmax(axis=1)
    drawn: Vector = points[np.arange(len(points)), chosen]
    return drawn
