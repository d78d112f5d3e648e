"""Weighted k-means on many tables at once.

The gate clusters some hundred small tables for each number of segments. One call of
scikit-learn's KMeans for each costs more in overhead than in arithmetic and cannot leave out
missing cells; here the tables are one stack, and each step is a matrix product for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from salesnb.analysis.segments.cells import Ints, Numbers, Single

N_STARTS = 4
_N_STEPS = 12
_SMALLEST = np.float32(1e-9)


@dataclass(frozen=True)
class Stack:
    """Tables of people by skills that share their missing cells.

    `values` (tables x people x skills, or one for all), 0 where missing; `weights` (people x
    skills); `counts` (tables x people): how often each person is in each table.
    """

    values: Single
    weights: Single
    counts: Single

    @cached_property
    def weighted(self) -> Single:
        """Values times weights."""
        return self.values * self.weights

    @cached_property
    def squares(self) -> Single:
        """Weighted sum of squares of each person: tables x 1 x people."""
        sums: Single = (self.values * self.weighted).sum(axis=-1)[:, None, :]
        return sums


def stack_of(values: Numbers, weights: Numbers, counts: Single | None = None) -> Stack:
    """Stack tables in which everybody is once unless `counts` says otherwise."""
    if counts is None:
        counts = np.ones((len(values), values.shape[1]), np.float32)
    return Stack(values.astype(np.float32), weights.astype(np.float32), counts.astype(np.float32))


def cluster(stack: Stack, k: int, generator: np.random.Generator) -> Single:
    """Find the centres of k clusters in each table, best of `N_STARTS`.

    Returns
    -------
    array
        Tables x k x skills.
    """
    best = _refine(stack, _spread_out(stack, k, generator))
    best_loss = _loss(stack, best)
    for _ in range(N_STARTS - 1):
        centres = _refine(stack, _spread_out(stack, k, generator))
        loss = _loss(stack, centres)
        is_better = loss < best_loss
        best = np.where(is_better[:, None, None], centres, best)
        best_loss = np.where(is_better, loss, best_loss)
    return best


def _loss(stack: Stack, centres: Single) -> Single:
    found: Single = (measure(stack, centres).min(axis=1) * stack.counts).sum(axis=-1)
    return found


def measure(stack: Stack, centres: Single) -> Single:
    """Squared distances over the observed cells: tables x k x people."""
    cross = np.matmul(centres, stack.weighted.swapaxes(1, 2))
    found: Single = stack.squares - 2 * cross + np.matmul(centres**2, stack.weights.T)
    return np.maximum(found, 0)


def silhouettes(distances: Single) -> Single:
    """Mean simplified silhouette of each table, by distances to the centres (0-1)."""
    nearest = np.sqrt(np.maximum(np.partition(distances, 1, axis=1)[:, :2], _SMALLEST))
    found: Single = (1 - nearest[:, 0] / nearest[:, 1]).mean(axis=-1)
    return found


def _spread_out(stack: Stack, k: int, generator: np.random.Generator) -> Single:
    """Choose first centres far from each other (k-means++)."""
    n_tables, n_people = stack.counts.shape
    tables = np.arange(n_tables) if len(stack.values) > 1 else np.zeros(n_tables, np.int64)
    odds, chosen = stack.counts, []
    for _ in range(k):
        places = _draw(odds, generator.random((n_tables, 1), dtype=np.float32))
        centre = stack.values[tables, places][:, None, :]
        chosen.append(centre)
        apart = measure(stack, centre)[:, 0] * stack.counts
        odds = apart if len(chosen) == 1 else np.minimum(odds, apart)
    return np.concatenate(chosen, axis=1)


def _draw(odds: Single, chance: Single) -> Ints:
    sums = odds.cumsum(axis=1)
    passed = (sums < chance * sums[:, -1:]).sum(axis=1)
    places: Ints = np.minimum(passed, odds.shape[1] - 1)
    return places


def _refine(stack: Stack, centres: Single) -> Single:
    """Move centres to the means of those who are nearest to them."""
    numbers = np.arange(centres.shape[1])[:, None]
    for _ in range(_N_STEPS):
        nearest = measure(stack, centres).argmin(axis=1)
        members = (nearest[:, None, :] == numbers) * stack.counts[:, None, :]
        mass = np.matmul(members, stack.weights)
        centres = np.where(
            mass > 0, np.matmul(members, stack.weighted) / np.maximum(mass, _SMALLEST), centres
        )
    return centres
