"""A mixture of round segments for people whose skills are known unequally well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from salesnb.analysis.segments.cells import Cells, Floats

_N_STEPS = 60
_SLOW = 1e-5
_LEAST_SHARE = 0.02
"""Least variance of a segment, as a share of that of all cells."""


@dataclass(frozen=True)
class Mixture:
    """Segments as round normal clouds.

    `centres` (segments x skills), `variances` of people's own profiles around them beyond the
    error of each cell, `shares` (sum to 1).
    """

    centres: Floats
    variances: Floats
    shares: Floats

    def memberships(self, cells: Cells) -> Floats:
        """Probability of each segment (columns) for each person; rows sum to 1."""
        return _normalise(_log_density(self, cells))


def fit_mixture(cells: Cells, centres: Floats) -> Mixture:
    """Fit by expectation-maximisation from the centres of clusters.

    scikit-learn's GaussianMixture takes neither missing cells nor errors that differ by cell.
    """
    seen = cells.is_observed
    whole = float((cells.deviations**2).sum() / max(seen.sum(), 1))
    least = max(_LEAST_SHARE * whole, 1e-12)
    k = len(centres)
    mixture = Mixture(
        np.asarray(centres, float), np.full(k, max(whole / 2, least)), np.full(k, 1 / k)
    )
    before = -np.inf
    for _ in range(_N_STEPS):
        density = _log_density(mixture, cells)
        likelihood = float(logsumexp(density, axis=1).mean())
        mixture = _maximise(mixture, cells, _normalise(density), least)
        if abs(likelihood - before) < _SLOW:
            break
        before = likelihood
    return mixture


def _log_density(mixture: Mixture, cells: Cells) -> Floats:
    seen, noise = cells.is_observed, cells.errors**2
    columns = []
    for centre, variance, share in zip(
        mixture.centres, mixture.variances, mixture.shares, strict=True
    ):
        total = variance + noise
        terms = np.log(total) + (cells.deviations - centre) ** 2 / total
        columns.append(np.log(max(share, 1e-300)) - 0.5 * (terms * seen).sum(axis=1))
    return np.column_stack(columns)


def _normalise(density: Floats) -> Floats:
    found: Floats = np.exp(density - logsumexp(density, axis=1, keepdims=True))
    return found


def _maximise(mixture: Mixture, cells: Cells, members: Floats, least: float) -> Mixture:
    seen, noise = cells.is_observed, cells.errors**2
    centres, variances = [], []
    for number, variance in enumerate(mixture.variances):
        precision = seen * members[:, number, None] / (variance + noise)
        mass = np.maximum(precision.sum(axis=0), 1e-12)
        centre = (precision * cells.deviations).sum(axis=0) / mass
        weight = precision / (variance + noise)
        excess = (weight * ((cells.deviations - centre) ** 2 - noise)).sum()
        centres.append(centre)
        variances.append(max(excess / max(weight.sum(), 1e-12), least))
    return Mixture(np.array(centres), np.array(variances), members.mean(axis=0))
