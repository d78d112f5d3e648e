"""Ranks when neither the figures nor the weights are certain (SMAA).

Every draw takes one posterior draw of each KPI; each unit's percentile among its peers is found
in it, the percentiles are averaged by weight, and units are ranked. Doing so at fixed weights
shows what noise does to the order, at random weights what weights add.

Source: Lahdelma & Salminen (2001), SMAA-2, Operations Research 49, 444-454.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesnb.analysis.rates.ranks import find_interval, rank_draws

N_BANDS = 4
LEVEL = 0.90
MOST_DRAWS = 1000
"""Draws used at most: a chance is then known to .016 or better."""
_AT_ONCE = 250


@dataclass(frozen=True, eq=False)
class Uncertain:
    """A KPI's (R, D) draws, which of its (R,) units count, and which way is better."""

    draws: NDArray[np.float32]
    is_known: NDArray[np.bool_]
    higher_is_better: bool


@dataclass(frozen=True, eq=False)
class Acceptability:
    """(R,) each, NaN for units not scored.

    Attributes
    ----------
    score, low, high
        Mean and 90% interval of the weighted mean percentile (0-1) at the weights given.
    rank_low, rank_high
        90% interval of the rank at the weights given.
    p_top_quartile
        Chance of being among the best ceil(R / 4) at the weights given.
    bands
        (R, 4) chance of each quarter of the ranks at any weights; rows sum to 1.
    best
        Chance of being among the first few places at any weights.
    noise_variance, weight_variance
        Variance of the rank when only the draws, and only the weights, vary.
    """

    score: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    rank_low: NDArray[np.float64]
    rank_high: NDArray[np.float64]
    p_top_quartile: NDArray[np.float64]
    bands: NDArray[np.float64]
    best: NDArray[np.float64]
    noise_variance: NDArray[np.float64]
    weight_variance: NDArray[np.float64]


def accept_ranks(
    kpis: Sequence[Uncertain],
    weights: NDArray[np.float64],
    common: NDArray[np.float64],
    *,
    n_best: int,
    random_state: int,
) -> Acceptability:
    """Rank units over draws and over weights.

    Parameters
    ----------
    kpis
        K of them, over the same R >= 1 units and with the same number of draws D.
    weights
        (K,) sum 1. Random weights are Dirichlet with these as mean and K as concentration:
        for equal weights uniform over all there are.
    common
        (K, K) correlation of what chance does to the KPIs: draws of different KPIs are
        independent, so scores are spread by what is missing.
    n_best
        Places that `best` counts.
    random_state
        Seed of the weights.
    """
    n_units, given = kpis[0].is_known.size, kpis[0].draws.shape[1]
    n_draws = min(given, MOST_DRAWS)
    generator = np.random.default_rng([random_state, 2])
    varied = generator.dirichlet(weights * len(kpis), n_draws).T.astype(np.float32)
    # the same seed drew every KPI: columns are shuffled so that like rows are not tied together
    orders = [generator.permutation(given)[:n_draws] for _ in kpis]
    noise, both, typical = _score(kpis, orders, weights, varied, common)
    ranks, moved, loose = [
        rank_draws(each, higher_is_better=True) for each in (noise, typical, both)
    ]
    low, high = find_interval(np.clip(noise, 0, 1), LEVEL)
    rank_low, rank_high = find_interval(ranks, LEVEL)
    band = (loose - 1) * N_BANDS // n_units
    return Acceptability(
        score=noise.mean(axis=1, dtype=np.float64),
        low=low,
        high=high,
        rank_low=rank_low,
        rank_high=rank_high,
        p_top_quartile=(ranks <= -(-n_units // 4)).mean(axis=1),
        bands=np.stack([(band == place).mean(axis=1) for place in range(N_BANDS)], axis=1),
        best=(loose <= n_best).mean(axis=1),
        noise_variance=ranks.var(axis=1),
        weight_variance=moved.var(axis=1),
    )


def _score(
    kpis: Sequence[Uncertain],
    orders: Sequence[NDArray[np.intp]],
    weights: NDArray[np.float64],
    varied: NDArray[np.float32],
    common: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return (R, D) scores when draws vary, when draws and weights do, when weights do."""
    n_draws = varied.shape[1]
    known = np.stack([kpi.is_known for kpi in kpis])
    fixed = np.tile(weights.astype(np.float32)[:, None], n_draws)
    noise, both = (np.empty((known.shape[1], n_draws), np.float32) for _ in range(2))
    sums, squares = np.zeros(known.shape), np.zeros(known.shape)
    for start in range(0, n_draws, _AT_ONCE):
        now = slice(start, start + _AT_ONCE)
        places = np.stack(
            [_find_percentiles(kpi, order[now]) for kpi, order in zip(kpis, orders, strict=True)]
        )
        sums += places.sum(axis=2)
        squares += (places**2).sum(axis=2)
        noise[:, now] = _average(places, known, fixed[:, now])
        both[:, now] = _average(places, known, varied[:, now])
    mean = sums / n_draws
    spread = np.sqrt(np.maximum(squares / n_draws - mean**2, 0))
    wider = _widen(spread, known, weights, common)
    typical = _average(mean[:, :, None].astype(np.float32), known, varied)
    middle = noise.mean(axis=1, keepdims=True)
    return middle + (noise - middle) * wider, typical + (both - typical) * wider, typical


def _find_percentiles(kpi: Uncertain, columns: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the (R, d) share of known units that a unit leaves behind, half of itself included.

    A percentile ends at 0 and 1: however large a figure is, it cannot count for more than
    being the best. Units that are not known get 0, to be left out.
    """
    places = np.zeros((kpi.is_known.size, columns.size), np.float32)
    n_known = int(kpi.is_known.sum())
    if n_known:
        drawn = kpi.draws[:, columns][kpi.is_known]
        ranks = rank_draws(drawn, higher_is_better=kpi.higher_is_better)
        places[kpi.is_known] = (n_known - ranks + 0.5) / n_known
    return places


def _average(
    places: NDArray[np.float32], known: NDArray[np.bool_], weights: NDArray[Any]
) -> NDArray[np.float32]:
    """Return the (R, d) weighted mean of (K, R, d or 1) percentiles over the known KPIs."""
    if places.shape[2] == 1:
        total = places[:, :, 0].T @ weights
    else:
        total = np.einsum("krd,kd->rd", places, weights)
    share = known.T.astype(np.float32) @ np.ascontiguousarray(weights)
    averaged: NDArray[np.float32] = np.divide(
        total, share, out=np.full(total.shape, 0.5, np.float32), where=share > 0
    )
    return averaged


def _widen(
    spread: NDArray[np.float64],
    known: NDArray[np.bool_],
    weights: NDArray[np.float64],
    common: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Return the (R, 1) factor between a mean's deviation with and without common chance.

    Below 1 it stays 1: luck in one KPI that is made good in another is not relied upon.
    """
    parts = spread * known * weights[:, None]
    alone = (parts**2).sum(axis=0)
    together = np.einsum("kr,kl,lr->r", parts, common, parts, optimize=True)
    factor = np.divide(together, alone, out=np.ones_like(alone), where=alone > 0)
    widened: NDArray[np.float32] = np.sqrt(np.maximum(factor, 1))[:, None].astype(np.float32)
    return widened


def cap_weights(weights: NDArray[np.float64], most: float) -> NDArray[np.float64]:
    """Scale weights to sum 1 with none above `most`; what is cut off goes to the others.

    With fewer KPIs than 1 / `most` none can be below it: then all count the same at most.

    >>> cap_weights(np.array([8.0, 1.0, 1.0]), 0.5)
    array([0.5 , 0.25, 0.25])
    """
    capped: NDArray[np.float64] = weights / weights.sum()
    limit = max(most, 1 / int((weights > 0).sum()))
    is_full = np.zeros(weights.size, dtype=bool)
    while (capped[~is_full] > limit + 1e-12).any():
        is_full |= capped > limit
        left = 1 - limit * is_full.sum()
        rest = np.where(is_full, 0.0, weights)
        capped[:] = np.where(is_full, limit, left * rest / max(rest.sum(), 1e-300))
    return capped
