"""Companies without segments that are as like the given one as can be.

Each null keeps missing cells and covariance (that of the sample: a shrunk one misses factors and
finds segments in them). They differ in what else they keep, and segments must stand out from all:

- `draw_elliptic` how far people are from the middle: a few extreme, or many without a profile;
- `draw_copula` the distribution of each skill, smoothed: skew, ceilings, rare large gaps;
- `draw_axes` the distribution along each principal axis, smoothed until it has one peak: skewed,
  heavy-tailed or even continua that run through several skills.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from salesnb.analysis.segments.cells import Cells, Floats

Null = Callable[[Cells, int, np.random.Generator], Floats]

_N_QUANTILES = 400
_N_KERNEL = 20
_RULE = 1.06
"""Bandwidth by the normal rule, times n^-1/5 standard deviations."""
_WIDTHS = np.arange(0.25, 1.3, 0.15)
"""Bandwidths to try until there is one peak, in standard deviations; two points need 1."""
_GRID = np.linspace(-3.5, 3.5, 57)
_SMALL_PEAK = 0.1
"""Height of a peak, as a share of the highest, that is but a few people far out."""
_PROBABILITIES = (np.arange(_N_QUANTILES) + 0.5) / _N_QUANTILES
_KERNEL = ndtri((np.arange(_N_KERNEL) + 0.5) / _N_KERNEL)


def draw_elliptic(cells: Cells, n: int, generator: np.random.Generator) -> Floats:
    """Draw tables (n x people x skills) of profiles in any direction; missing cells are 0.

    Where people are as far from the middle as normal profiles are, they are normal.
    """
    variances, axes = np.linalg.eigh(_covariance(cells.deviations, cells.is_observed))
    spread = np.sqrt(np.maximum(variances, 0))
    scaled = cells.deviations @ axes / np.maximum(spread, 1e-6 * spread.max())
    far = np.sqrt((scaled**2).sum(axis=1))
    far = far * np.sqrt(len(spread) / max((far**2).mean(), 1e-12))
    drawn = _normal(cells, n, generator)
    drawn *= (generator.choice(far, drawn.shape[:2]) / np.linalg.norm(drawn, axis=-1))[..., None]
    found: Floats = drawn @ (axes * spread).T * cells.is_observed
    return found


def draw_copula(cells: Cells, n: int, generator: np.random.Generator) -> Floats:
    """Draw tables whose skills are distributed as observed and go together as observed."""
    seen = cells.is_observed
    scores = np.zeros_like(cells.deviations)
    quantiles = []
    for skill in range(cells.deviations.shape[1]):
        column = cells.deviations[seen[:, skill], skill]
        scores[seen[:, skill], skill] = ndtri((rankdata(column) - 0.5) / max(len(column), 1))
        quantiles.append(_smooth(column, _RULE * max(len(column), 1) ** -0.2))
    covariance = _covariance(scores, seen)
    spread = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
    root = _root(covariance / spread / spread[:, None])
    return _shape(_normal(cells, n, generator) @ root.T, quantiles) * seen


def draw_axes(cells: Cells, n: int, generator: np.random.Generator) -> Floats:
    """Draw tables whose principal axes are distributed as observed but with one peak."""
    variances, axes = np.linalg.eigh(_covariance(cells.deviations, cells.is_observed))
    places = cells.deviations @ axes
    quantiles = []
    for axis, variance in enumerate(variances):
        scale = np.sqrt(max(variance, 0.0)) / max(places[:, axis].std(), 1e-12)
        quantiles.append(_smooth(places[:, axis], _width_of_one_peak(places[:, axis])) * scale)
    found: Floats = _shape(_normal(cells, n, generator), quantiles) @ axes.T * cells.is_observed
    return found


NULLS: tuple[Null, ...] = (draw_elliptic, draw_copula, draw_axes)


def _normal(cells: Cells, n: int, generator: np.random.Generator) -> Floats:
    return generator.normal(size=(n, *cells.deviations.shape))


def _covariance(values: Floats, seen: np.ndarray) -> Floats:
    """Covariance over the pairs of cells that were both observed."""
    both = seen.T.astype(float) @ seen
    found: Floats = values.T @ values / np.maximum(both, 1)
    return found


def _root(covariance: Floats) -> Floats:
    variances, axes = np.linalg.eigh(covariance)
    found: Floats = axes * np.sqrt(np.maximum(variances, 0))
    return found


def _smooth(values: Floats, width: float) -> Floats:
    """Quantiles of the values after smoothing, with mean 0 and the spread they had."""
    if not len(values):
        return np.zeros(_N_QUANTILES)
    spread = values.std()
    blurred = (values[:, None] + width * spread * _KERNEL).ravel()
    found: Floats = np.quantile(blurred - blurred.mean(), _PROBABILITIES)
    found *= spread / max(blurred.std(), 1e-12)
    return found


def _width_of_one_peak(values: Floats) -> float:
    """Least bandwidth that leaves one peak.

    Source: Silverman (1981), Using kernel density estimates to investigate multimodality.
    """
    standard = (values - values.mean()) / max(values.std(), 1e-12)
    apart = (_GRID[:, None] - standard) ** 2
    for width in _WIDTHS:
        density = np.exp(-0.5 * apart / width**2).sum(axis=1)
        inner = density[1:-1]
        is_peak = (inner >= density[:-2]) & (inner > density[2:])
        if (is_peak & (inner > _SMALL_PEAK * density.max())).sum() <= 1:
            return float(width)
    return float(_WIDTHS[-1])


def _shape(normal: Floats, quantiles: list[Floats]) -> Floats:
    """Give each column of normal draws the distribution of its quantiles."""
    chances = ndtr(normal)
    for column, found in enumerate(quantiles):
        chances[..., column] = np.interp(chances[..., column], _PROBABILITIES, found)
    return chances
