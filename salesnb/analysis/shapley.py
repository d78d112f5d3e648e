"""Exact additive decomposition of the change of a product, by the Shapley value.

A chain of levels is a product of ratios: bookings are reps x closed a rep x won a closed x money
a won one. Each factor's piece is its mean effect over all orders in which the factors may go from
their old to their new values. Pieces sum to the change whatever the values, zeros included, no
order is preferred, and swapping old and new flips every sign. (Log-mean Divisia pieces also sum
up, but need a limit where a team has won nothing.)

Sources: Shapley (1953); Shorrocks (2013), Decomposition procedures for distributional analysis, J.
Econ. Inequality 11; Owen (1977) for factors within a factor, here where the reps are.
"""

from __future__ import annotations

from itertools import product
from math import factorial

import numpy as np


def find_factors(levels: np.ndarray) -> np.ndarray:
    """Write chains of levels as factors: the first level, then each level over the one before.

    A factor that is not defined in one period, as the win rate where nothing closed, is taken as
    it was in the other: what did not happen did not change. Undefined in both it is 0. A level of
    0 before a positive one is not known, as the reps of records without an owner: it counts as 1
    in both periods, so the next factor carries the change.

    Parameters
    ----------
    levels
        (..., 2 periods, k levels), none negative.

    Returns
    -------
    ndarray
        (..., 2 periods, k factors); their product is the last level.
    """
    levels = np.asarray(levels, dtype=float).copy()
    for place in range(levels.shape[-1] - 2, -1, -1):
        unknown = ((levels[..., place] == 0) & (levels[..., place + 1] > 0)).any(axis=-1)
        levels[..., place] = np.where(unknown[..., None], 1.0, levels[..., place])
    factors = levels.copy()
    before = levels[..., :-1]
    factors[..., 1:] = np.divide(
        levels[..., 1:], before, out=np.full(before.shape, np.nan), where=before > 0
    )
    return carry_over(factors)


def carry_over(factors: np.ndarray) -> np.ndarray:
    """Take a factor missing in one period as it was in the other; missing in both it is 0."""
    return np.nan_to_num(np.where(np.isnan(factors), np.flip(factors, axis=-2), factors))


def weigh_factors(factors: np.ndarray) -> np.ndarray:
    """Compute what one unit more of each factor is worth, averaged over all orders of switching.

    Parameters
    ----------
    factors
        (..., 2 periods, k factors).

    Returns
    -------
    ndarray
        (..., k); times the factors' changes these are the pieces, which sum to the change.
    """
    old, new = factors[..., 0, :], factors[..., 1, :]
    k = factors.shape[-1]
    worth = np.zeros(old.shape)
    for driver in range(k):
        others = [place for place in range(k) if place != driver]
        for switched in product((False, True), repeat=k - 1):
            first = sum(switched)
            share = factorial(first) * factorial(k - 1 - first) / factorial(k)
            mixed = np.where(switched, new[..., others], old[..., others])
            worth[..., driver] += share * mixed.prod(axis=-1)
    return worth


def split_change(factors: np.ndarray) -> np.ndarray:
    """Split the change of a product into one piece a factor.

    >>> split_change(np.array([[2.0, 10.0], [3.0, 10.0]])).tolist()
    [10.0, 0.0]
    """
    pieces: np.ndarray = weigh_factors(factors) * (factors[..., 1, :] - factors[..., 0, :])
    return pieces


def split_mix(amounts: np.ndarray, worth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split the units' change of one factor into the whole's change and that of the units' shares.

    Parameters
    ----------
    amounts
        (units, 2 periods): the factor, such as reps.
    worth
        (..., units): what one more of it is worth in each unit.

    Returns
    -------
    whole, shares
        (..., units): had the whole changed with unchanged shares; had the shares changed alone.
        They sum to `worth` times the units' changes.
    """
    total = amounts.sum(axis=0)
    share = np.divide(amounts, total, out=np.full(amounts.shape, np.nan), where=total > 0)
    share = carry_over(share[..., None])[..., 0]
    whole = worth * share.mean(axis=-1) * (total[1] - total[0])
    return whole, worth * total.mean() * (share[:, 1] - share[:, 0])
