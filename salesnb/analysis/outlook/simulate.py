"""The rest of a quarter, simulated: wins as they came before, of amounts as they were."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from salesnb.analysis.outlook.history import (
    CELL,
    PRIOR_DEALS,
    History,
    Pipeline,
    read_history,
    read_pipeline,
)
from salesnb.analysis.rates import estimate_counts, estimate_effects
from salesnb.measures.measures import Measures

Draws = NDArray[np.float64]

_USUAL_SHOCK, _SHOCK_WORTH = 0.10, 4.0
"""How much quarters differ all together where little is known, and the quarters it is worth."""
_A_YEAR = 4
"""Quarters in which each season occurs once."""
_SETTLES = 0.2
"""Spread of the final amount around the pictured one, as a share of it."""
_MOST_AT_ONCE = 4_000_000
"""Draws held in memory together."""


@dataclass(frozen=True, eq=False)
class Rest:
    """Simulated bookings of the rest of a quarter.

    Attributes
    ----------
    reps
        Ids, one a row of `draws`.
    draws
        (R, D) money booked after the point; a column is one future of the whole company.
    quarters
        What it was learned from.
    has_pipeline
        Whether open deals and their stages went in, or the past alone.
    """

    reps: tuple[str, ...]
    draws: Draws
    quarters: tuple[str, ...]
    has_pipeline: bool


def simulate_rest(
    measures: Measures, period: str, *, n_draws: int, random_state: int
) -> Rest | None:
    """Simulate what each rep books after the point of `as_of` in a quarter.

    Only earlier quarters and what was open at the point go in. Wins are Poisson with a rate per
    rep, pulled to the peers; deals open at the point are won with their stage's chance times the
    rep's own factor, and what was won without having been open then comes on top. Amounts have
    the rep's mean, pulled to the peers, and the company's spread. A factor common to all reps
    makes whole quarters better or worse, as they have been.

    Returns
    -------
    Rest or None
        None where fewer than three whole quarters came before.
    """
    history = read_history(measures, period)
    if history is None or history.people["exposure"].sum() <= 0:
        return None
    pipeline = read_pipeline(measures, history)
    sizes = _sizes(history, n_draws, random_state)
    rng = np.random.default_rng([random_state, len(history.quarters)])
    if pipeline is None:
        exposure = history.by_quarter["exposure"]
        shock = _shock(period, history.by_quarter, exposure, n_draws, rng)
        rates = _rates(history.people["wins"], history.people["exposure"], n_draws, random_state)
        draws = _compound(rates * _present(history) * shock, sizes, rng)
    else:
        draws = _with_pipeline(history, pipeline, sizes, n_draws, rng, random_state)
    return Rest(tuple(history.people.index), draws, history.quarters, pipeline is not None)


@dataclass(frozen=True, eq=False)
class _Sizes:
    """Mean amount of each rep, (R, D), and the spread of one amount over the mean."""

    mean: Draws
    spread: float


def _sizes(history: History, n_draws: int, random_state: int) -> _Sizes:
    people, rest = history.people, history.by_quarter
    n, booked = people["n"].to_numpy(), people["booked"].to_numpy()
    known = (n > 0) & (booked > 0)
    if not known.any():
        return _Sizes(np.ones((len(people), n_draws)), 1.0)
    overall = booked.sum() / n.sum()
    mean = np.where(known, booked / np.where(known, n, 1.0), overall)
    # The mean square of an amount, over the square of the mean of whose it is.
    among = float((n * mean**2).sum() / n.sum())
    square = float(rest["squares"].sum() / max(rest["wins"].sum(), 1.0))
    spread = float(np.sqrt(np.clip(square / among - 1.0, 0.05, 9.0)))
    found = estimate_effects(
        np.log(mean), spread / np.sqrt(np.maximum(n, 1.0)), n=known, labels=list(people.index),
        n_draws=n_draws, random_state=random_state,
    )  # fmt: skip
    typical = np.exp(found.draws.astype(float))
    return _Sizes(np.clip(typical, overall / 20, overall * 20), spread)


def _rates(
    wins: pd.Series[float], exposure: pd.Series[float], n_draws: int, random_state: int
) -> Draws:
    counted = wins.where(exposure > 0, 0.0).round()
    found = estimate_counts(
        counted, exposure, labels=list(wins.index), n_draws=n_draws, random_state=random_state
    )
    return np.asarray(np.nan_to_num(found.draws.astype(float)))


def _present(history: History) -> Draws:
    return np.asarray(history.people["presence"].to_numpy()[:, None])


def _shock(
    period: str, by_quarter: pd.DataFrame, expected: pd.Series[float], n_draws: int,
    rng: np.random.Generator,
) -> Draws:  # fmt: skip
    """Draw the factor that all of a quarter shares: how quarters differed beyond chance.

    Where two whole years came before, the factor is shifted towards the level of the later. Half
    of how quarters of a year differed is taken to be the season, so the same quarter of earlier
    years shifts the factor too, as far as it was apart by more than chance.
    """
    booked, likely = by_quarter["booked"].to_numpy(), expected.to_numpy()
    known = (booked > 0) & (likely > 0)
    n = int(known.sum())
    if n < 2:
        spread = _USUAL_SHOCK * np.sqrt(2.0)
        return np.asarray(np.exp(rng.normal(-(spread**2) / 2, spread, n_draws)))
    ratio = booked[known] / likely[known]
    level, drift = _take_drift_out(ratio / ratio.mean())
    chance = float(np.mean(by_quarter["squares"].to_numpy()[known] / booked[known] ** 2))
    beyond = max(float(np.var(level, ddof=1)) - chance, 0.0)
    variance = (_SHOCK_WORTH * _USUAL_SHOCK**2 + (n - 1) * beyond) / (_SHOCK_WORTH + n - 1)
    noise = 1.0 + 2.0 * chance / variance
    same = level[[quarter[-2:] == period[-2:] for quarter in by_quarter.index[known]]]
    weight = len(same) / (len(same) + noise)
    season = 1.0 + weight * (same.mean() - 1.0) if len(same) else 1.0
    centre = season * (1.0 + _A_YEAR / (_A_YEAR + noise) * (drift - 1.0))
    spread = np.sqrt(np.log1p(variance * (1 - weight / 2 + 1 / min(n, _A_YEAR))))
    return np.asarray(centre * np.exp(rng.normal(-(spread**2) / 2, spread, n_draws)))


def _take_drift_out(level: Draws) -> tuple[Draws, float]:
    """Divide each of two whole years by its own level; also give the later one's."""
    if len(level) < 2 * _A_YEAR:
        return level, 1.0
    before, since = level[:-_A_YEAR], level[-_A_YEAR:]
    return np.concatenate([before / before.mean(), since / since.mean()]), float(since.mean())


def _compound(expected: Draws, sizes: _Sizes, rng: np.random.Generator) -> Draws:
    """Draw sums of a Poisson number of amounts; a sum of many of them is gamma distributed."""
    wins = rng.poisson(expected)
    shape = wins / sizes.spread**2
    return np.asarray(rng.standard_gamma(shape) * sizes.mean * sizes.spread**2)


def _with_pipeline(
    history: History, pipeline: Pipeline, sizes: _Sizes, n_draws: int, rng: np.random.Generator,
    random_state: int,
) -> Draws:  # fmt: skip
    people = pipeline.people
    arriving = people["wins"].sum() / max(people["exposure"].sum(), 1e-9)
    past = pipeline.by_quarter
    likely = past["expected"] + past["exposure"] * arriving
    shock = _shock(history.period, past, likely, n_draws, rng)
    rates = _rates(people["wins"], people["exposure"], n_draws, random_state)
    draws = _compound(rates * _present(history) * shock, sizes, rng)
    factor = _rates(people["won"], people["expected"], n_draws, random_state)
    return draws + _close_open(history, pipeline, factor * shock, rng)


def _close_open(
    history: History, pipeline: Pipeline, factor: Draws, rng: np.random.Generator
) -> Draws:
    """Draw what comes of the open deals of each rep; those without an owner are left out."""
    place = pd.Series(np.arange(len(history.people)), index=history.people.index)
    deals = pipeline.now.assign(_place=pipeline.now["rep_id"].astype(object).map(place))
    deals = deals[deals["_place"].notna() & (deals["n"] > 0)].sort_values("_place", kind="stable")
    cells = pipeline.cells
    at = cells.index.get_indexer(pd.MultiIndex.from_frame(deals[CELL]))
    known, worth = cells["chance"].to_numpy()[:, None], cells["n"].to_numpy()[:, None] + PRIOR_DEALS
    chance = rng.beta(worth * known, worth * (1 - known), (len(cells), factor.shape[1]))
    rep = deals["_place"].to_numpy().astype(int)
    n = deals["n"].to_numpy()
    mean = deals["amount"].to_numpy() / n
    variance = np.maximum(deals["squares"].to_numpy() / n - mean**2, 0.0) + (_SETTLES * mean) ** 2
    out = np.zeros(factor.shape)
    step = max(1, _MOST_AT_ONCE // max(len(deals), 1))
    for start in range(0, factor.shape[1], step):
        part = slice(start, start + step)
        likely = np.clip(chance[at, part] * factor[rep, part], 0.0, 0.98)
        wins = rng.binomial(n.astype(int)[:, None], likely)
        shape = wins * (mean**2 / variance)[:, None]
        money = rng.standard_gamma(shape) * (variance / mean * pipeline.ratio)[:, None]
        np.add.at(out[:, part], rep, money)
    return out
