"""Seasons: what the time of the year adds to a quarter, told from level, growth and chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from scipy.stats import norm, t

from salesnb.analysis.multiplicity import SMALLEST

SEASONAL_FROM = 8
"""Quarters that must come before a quarter until seasons can be told from chance."""

LEVEL_OF = 8
"""Quarters that the level of the past is that of."""

_YEAR = 4
_DEVIATIONS = np.linspace(0.0, 0.6, 13)
"""Standard deviations of the quarters of a year that are tried, as shares of the level."""

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Past:
    """Earlier quarters: figures over their level less 1, their errors by chance, their places.

    Places are running numbers, of which four are a year.
    """

    ratios: Vector
    errors: Vector
    places: Vector


@dataclass(frozen=True)
class Expected:
    """What a quarter's past makes likely, relative to its level.

    Attributes
    ----------
    ratio
        Expected figure, as a share above (below) the level of the past.
    season
        Part of it that is the season: against the mean of the four quarters of a year.
    variance
        Of `ratio`.
    spread
        Factor on the variance of chance: how much more quarters differ, at least 1.
    freedom
        Degrees of freedom of a distance from it; infinite where there is no more than chance.
    """

    ratio: float
    season: float
    variance: float
    spread: float
    freedom: float


def expect_season(past: Past, now: int) -> Expected:
    """Expect the quarter at place `now` from those before it, its season taken into account.

    ``ratio = level + quarter of the year + slope x time + chance``. The quarters of a year are
    random effects, so they are shrunk towards none as far as chance explains them. How much they
    vary is not known from a few years: a grid is averaged by its restricted likelihood. The slope
    only keeps growth from being read as a season: the level is that in the middle of the last
    eight quarters, so that growth is a change.

    Source: Patterson & Thompson (1971), Biometrika 58, 545-554; Robinson (1991), Stat. Sci. 6,
    15-32; Gelman (2006), Bayesian Anal. 1, 515-534 (a flat prior on the standard deviation).
    """
    fits = [_fit(past, now, float(deviation**2)) for deviation in _DEVIATIONS]
    likely = softmax([likelihood for likelihood, _ in fits])
    found = [expected for _, expected in fits]
    ratios = np.array([each.ratio for each in found])
    ratio = float(likely @ ratios)
    return Expected(
        ratio=ratio,
        season=float(likely @ [each.season for each in found]),
        variance=float(likely @ ([each.variance for each in found] + (ratios - ratio) ** 2)),
        spread=float(likely @ [each.spread for each in found]),
        freedom=_invert(float(likely @ [_invert(each.freedom) for each in found])),
    )


def _fit(past: Past, now: int, variance: float) -> tuple[float, Expected]:
    """Expect the quarter, were the variance of seasons this (over `spread`); log likelihood first.

    Generalised least squares for level and slope; best linear prediction for the season.
    """
    fixed = np.column_stack([np.ones(len(past.places)), past.places])
    fixed[:, 1] -= past.places[-LEVEL_OF:].mean()
    years = (past.places[:, None] % _YEAR == np.arange(_YEAR)).astype(float)
    chance = past.errors**2
    covariance = np.diag(chance) + variance * years @ years.T
    precision = np.linalg.inv(covariance)
    information = fixed.T @ precision @ fixed
    least_squares = np.linalg.solve(information, fixed.T @ precision)
    projection = precision - precision @ fixed @ least_squares
    loads = variance * years.T @ projection
    effects = loads @ past.ratios
    this = np.eye(_YEAR)[now % _YEAR]
    weights = least_squares[0] + this @ loads
    apart = years.T @ weights - this
    residuals = chance * (projection @ past.ratios)
    # The trace of (1 - smoother): with it the residual spread has no bias.
    freedom = float(chance @ np.diag(projection))
    spread = max(1.0, float(np.sum(residuals**2 / chance)) / freedom)
    expected = Expected(
        ratio=float(weights @ past.ratios),
        season=float(this @ effects - effects.mean()),
        variance=spread * float(weights**2 @ chance + variance * apart @ apart),
        spread=spread,
        # Satterthwaite: of the variance only what exceeds chance is estimated from residuals.
        freedom=freedom * (spread * _invert(spread - 1)) ** 2,
    )
    free = len(past.ratios) - fixed.shape[1]
    distance = float(past.ratios @ projection @ past.ratios)
    factor = max(1.0, distance / free)
    logs = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(information)[1]
    return -0.5 * float(free * np.log(factor) + logs + distance / factor), expected


def _invert(number: float) -> float:
    """Divide 1 by a number; infinity where it is none to speak of."""
    return 1 / number if number > 1e-9 else np.inf


def reach_of(distance: float, freedom: float) -> float:
    """Find the distance of a t distribution that is as unlikely as one of the normal.

    >>> round(reach_of(3.0, 5.0), 2), reach_of(3.0, float("inf"))
    (5.51, 3.0)
    """
    return distance if np.isinf(freedom) else float(t.isf(norm.sf(distance), freedom))


def as_normal(distance: float, freedom: float) -> float:
    """Find the distance of the normal that is as unlikely as one of a t distribution.

    >>> round(as_normal(-5.507, 5.0), 2), as_normal(-2.0, float("inf"))
    (-3.0, -2.0)
    """
    if np.isinf(freedom) or not np.isfinite(distance):
        return distance
    tail = max(float(t.sf(abs(distance), freedom)), SMALLEST)
    return float(np.copysign(norm.isf(tail), distance))
