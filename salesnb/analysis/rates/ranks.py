"""Order units by their posterior draws: who is where, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesnb.analysis.rates.evidence import DrawArray, Evidence, FloatArray

COLUMNS_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Standing:
    """(R,) each: where units stand in their group; rank 1 is best."""

    p_top_quartile: FloatArray
    p_above: FloatArray
    expected_rank: FloatArray
    rank_low: NDArray[np.int64]
    rank_high: NDArray[np.int64]


def rank_draws(draws: DrawArray, *, higher_is_better: bool) -> NDArray[np.int32]:
    """Rank units within each draw.

    Parameters
    ----------
    draws : (R, D) joint draws.
    higher_is_better : whether rank 1 is the highest.

    Returns
    -------
    (R, D) ranks, 1 to R.

    Examples
    --------
    >>> rank_draws(np.array([[0.1, 0.5], [0.2, 0.4]], np.float32), higher_is_better=True)
    array([[2, 1],
           [1, 2]], dtype=int32)
    """
    n_units, n_draws = draws.shape
    ranks = np.empty(draws.shape, dtype=np.int32)
    places = np.arange(1, n_units + 1, dtype=np.int32)[None, :]
    for start in range(0, n_draws, COLUMNS_AT_ONCE):
        block = np.ascontiguousarray(draws[:, start : start + COLUMNS_AT_ONCE].T)
        order = np.argsort(-block if higher_is_better else block, axis=1)
        ranked = np.empty(order.shape, dtype=np.int32)
        np.put_along_axis(ranked, order, places, axis=1)
        ranks[:, start : start + COLUMNS_AT_ONCE] = ranked.T
    return ranks


def find_standing(
    draws: DrawArray, evidence: Evidence, *, higher_is_better: bool, level: float
) -> Standing:
    """Summarise the ranks of each unit over the draws.

    The top quartile is the best ceil(R / 4) units. `p_above` compares with the pooled level of
    the same draw. Draws of NaN (no evidence anywhere) give NaN and ranks 1 to R.
    """
    n_units = draws.shape[0]
    if np.isnan(draws).any() or n_units == 0:
        nothing, ends = np.full(n_units, np.nan), np.ones(n_units, dtype=np.int64)
        return Standing(nothing, nothing, nothing, ends, ends * n_units)
    ranks = rank_draws(draws, higher_is_better=higher_is_better)
    group_level = evidence.pool(draws)
    better = draws > group_level if higher_is_better else draws < group_level
    # a unit alone is its group's level: neither better nor worse
    p_above = better.mean(axis=1) if n_units > 1 else np.array([0.5])
    p_top = (ranks <= -(-n_units // 4)).mean(axis=1)
    expected = ranks.mean(axis=1)
    low, high = find_interval(ranks, level)
    return Standing(p_top, p_above, expected, low.astype(np.int64), high.astype(np.int64))


def find_interval(draws: NDArray[np.generic], level: float) -> tuple[FloatArray, FloatArray]:
    """Return the (R,) equal-tailed limits of (R, D) draws, each limit itself a draw."""
    n_draws = draws.shape[1]
    outside = int(np.floor((1 - level) / 2 * n_draws))
    last = n_draws - 1 - outside
    ordered = np.sort(draws, axis=1)  # faster than a partition at two places
    return ordered[:, outside].astype(np.float64), ordered[:, last].astype(np.float64)


def average_ties(values: NDArray[Any], group: NDArray[np.intp]) -> FloatArray:
    """Give units with equal evidence equal figures: their mean.

    Parameters
    ----------
    values : (R,).
    group : (R,) number of each unit's group of ties, from 0.
    """
    return np.asarray((np.bincount(group, values) / np.bincount(group))[group])
