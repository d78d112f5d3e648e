"""Regression of few people on many skills, drawn toward given weights as far as data are weak.

Effects follow the weights up to a scale and parts of their own (`positive`), so that without data
the weights remain and with many the data decide. Rows of one person are not independent: they
weigh together as much as their mean does, and errors consider it.

Source: Lindley & Smith (1972), JRSS B 34, 1-41 (a ridge centred on a prior mean); Liang & Zeger
(1986), Biometrika 73, 13-22 (working independence).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, softmax
from scipy.stats import chi2

from salesnb.analysis.plan.positive import draw_effects

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

TOTAL = 0.3
"""Share of bookings that a point more on every skill is taken to bring before any data are seen;
as uncertain as it is large."""

_OWN = np.linspace(0.0, 2.5, 26)
"""Own parts that are tried, as multiples of the mean effect before any data."""


@dataclass(frozen=True)
class Rows:
    """N rows of S skills.

    Attributes
    ----------
    skills, outcome
        (N, S) expected scores, and (N,) what came after.
    noise
        (N,) variance of the outcome by chance.
    person
        (N,) whose row it is, 0...
    controls
        (N, C) what else moves the outcome, a column of ones or of quarters included.
    """

    skills: Matrix
    outcome: Vector
    noise: Vector
    person: NDArray[np.intp]
    controls: Matrix


@dataclass(frozen=True, eq=False)
class Fit:
    """What was learned.

    Attributes
    ----------
    draws
        (D, S) effects, none below 0, from what data and weights say of them.
    mean
        (S,) of the draws.
    p_positive
        (S,) chance that an effect is above 0, were it free to be below.
    centre
        (S,) effects, were the weights right.
    p_weights
        Chance of data as far from the weights, were they right.
    """

    draws: Matrix
    mean: Vector
    p_positive: Vector
    centre: Vector
    p_weights: float


@dataclass(frozen=True, eq=False)
class _Moments:
    """Normal equations `cross @ effects = found`, whose error has this covariance."""

    cross: Matrix
    found: Vector
    covariance: Matrix


def fit_toward(rows: Rows, weights: Vector, *, total: float = TOTAL) -> Fit:
    """Fit effects of skills drawn toward weights.

    Parameters
    ----------
    rows
        N >= 0 of them; without any the effects are what is assumed.
    weights
        (S,) >= 0, any scale, not all 0.
    total
        Sum of the effects that is assumed, on the outcome's scale, and its standard deviation.
    """
    moments = _gather(rows)
    basis = _span(moments.cross)
    cross = basis.T @ moments.cross
    # of no data nothing is left of either
    known = cross.T @ np.linalg.inv(basis.T @ moments.covariance @ basis)
    draws = draw_effects(known @ cross, known @ basis.T @ moments.found, weights, total)
    mean = draws.mean(axis=0) if basis.size else total * weights / weights.sum()
    return Fit(
        draws=draws,
        mean=mean,
        p_positive=_find_chances(moments, total * weights / weights.sum()),
        centre=float(mean @ weights / (weights @ weights)) * weights,
        p_weights=_test(moments, weights[:, None]),
    )


def _gather(rows: Rows) -> _Moments:
    """Take controls out, find how people differ by themselves, and sum up."""
    size = rows.skills.shape[1]
    if len(rows.outcome) <= rows.controls.shape[1] + 1:
        return _Moments(np.zeros((size, size)), np.zeros(size), np.zeros((size, size)))
    between, factor = _spread(rows)
    information = 1 / (factor * rows.noise)
    weight = information / (1 + between * np.bincount(rows.person, information)[rows.person])
    root = np.sqrt(weight)[:, None]
    design = _without(rows.skills * root, rows.controls * root)
    outcome = _without((rows.outcome[:, None]) * root, rows.controls * root)[:, 0]
    by_person = np.zeros((int(rows.person.max()) + 1, size))
    np.add.at(by_person, rows.person, design * root)
    chance = design * np.sqrt(factor * rows.noise * weight)[:, None]
    return _Moments(
        cross=design.T @ design,
        found=design.T @ outcome,
        covariance=chance.T @ chance + between * by_person.T @ by_person,
    )


def _without(values: Matrix, controls: Matrix) -> Matrix:
    return np.asarray(values - controls @ np.linalg.lstsq(controls, values, rcond=None)[0])


def _spread(rows: Rows) -> tuple[float, float]:
    """Find the variance between people beyond skills, and the factor on chance (at least 1)."""
    everything = np.column_stack([rows.controls, rows.skills])
    weight = np.sqrt(1 / rows.noise)[:, None]
    rest = _without(rows.outcome[:, None] * weight, everything * weight)[:, 0] / weight[:, 0]
    # residuals of as many coefficients are too small
    rest = rest * np.sqrt(len(rest) / max(len(rest) - everything.shape[1], 1))
    sums = np.bincount(rows.person, rest)
    counts = np.bincount(rows.person)
    pairs = float((counts * (counts - 1)).sum())
    between = max(float((sums**2).sum() - (rest**2).sum()) / pairs, 0.0) if pairs else 0.0
    # skills are people's: as many of them explain people by chance
    people = np.count_nonzero(counts)
    between *= people / max(people - rows.skills.shape[1], 1)
    factor = (float((rest**2).mean()) - between) / float(rows.noise.mean())
    return between, max(factor, 1.0)


def _find_chances(moments: _Moments, centre: Vector) -> Vector:
    """Find the chance of each effect to be above 0, were all free to be below."""
    fits = [_update(moments, centre, width) for width in _OWN * centre.mean()]
    likely = softmax([likelihood for likelihood, _, _ in fits])
    chances = [ndtr(mean / np.sqrt(np.maximum(variance, 1e-18))) for _, mean, variance in fits]
    return np.asarray(likely @ np.array(chances))


def _update(moments: _Moments, centre: Vector, width: float) -> tuple[float, Vector, Vector]:
    """Give log likelihood, mean and variance of effects whose own parts have this width."""
    prior = width**2 * np.eye(len(centre)) + np.outer(centre, centre)
    basis = _span(moments.cross)
    cross = basis.T @ moments.cross
    spread = basis.T @ moments.covariance @ basis + cross @ prior @ cross.T
    apart = basis.T @ moments.found - cross @ centre
    solved = np.linalg.solve(spread, np.column_stack([apart, cross @ prior]))
    mean = centre + prior @ cross.T @ solved[:, 0]
    covariance = prior - prior @ cross.T @ solved[:, 1:]
    likelihood = -0.5 * (np.linalg.slogdet(spread)[1] + apart @ solved[:, 0])
    return float(likelihood), mean, np.diag(covariance)


def _span(cross: Matrix) -> Matrix:
    """Directions of skills in which people differ."""
    values, vectors = np.linalg.eigh(cross)
    return np.asarray(vectors[:, values > 1e-9 * max(values.max(), 1e-12)])


def _test(moments: _Moments, allowed: Matrix) -> float:
    """Test that effects lie in the directions allowed; missing without data."""
    basis = _span(moments.cross)
    freedom = basis.shape[1] - allowed.shape[1]
    if freedom < 1:
        return float("nan")
    precision = np.linalg.inv(basis.T @ moments.covariance @ basis)
    found, design = basis.T @ moments.found, basis.T @ moments.cross @ allowed
    scale = np.linalg.solve(design.T @ precision @ design, design.T @ precision @ found)
    rest = found - design @ scale
    return float(chi2.sf(rest @ precision @ rest, freedom))
