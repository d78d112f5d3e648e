"""All peers of the company on each KPI: the same whoever of them a matrix shows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pandas as pd

from salesnb.analysis.estimate import estimate_kpi
from salesnb.analysis.rates import Estimates
from salesnb.measures.catalogue import Kpi
from salesnb.measures.measures import Level, Measures
from salesnb.measures.shared import shared

_TREND = 8
"""Quarters that sparklines show."""


@dataclass(frozen=True, eq=False)
class Peers:
    """One KPI of all peers.

    Attributes
    ----------
    kpi, period, window
        What is measured, in which mature quarter, and the quarters it is estimated from.
    estimates
        Posterior of all peers.
    observed, pooled, cases
        Indexed by unit: the quarter's figure, that of the window, and its n.
    scale
        Factor that brings geometric means to the scale reports use.
    """

    kpi: Kpi
    period: str
    window: tuple[str, ...]
    estimates: Estimates
    observed: pd.Series[float]
    pooled: pd.Series[float]
    cases: pd.Series[float]
    scale: float


@dataclass(frozen=True, eq=False)
class Population:
    """All units of a level in a quarter.

    Attributes
    ----------
    present
        Ids of those with a record in the quarter, sorted.
    active
        Ids of those with one in the four quarters up to it.
    peers
        KPI to what is known of all; without those of which no cohort is old enough.
    trend
        unit_id, kpi, period, value: observed quarters, missing where they are not mature.
    """

    present: tuple[str, ...]
    active: frozenset[str]
    peers: dict[str, Peers]
    trend: pd.DataFrame


@shared
def read_population(
    measures: Measures, *, period: str, by: Level, kpis: tuple[str, ...], n_draws: int
) -> Population:
    """Estimate all peers of a level on the KPIs, and list what is known of each."""
    quarter = measures.roll_up(by=by, periods=(period,))
    present = tuple(sorted(set(quarter["unit_id"]) - {""}))
    active = _find_active(measures, by, period)
    known = tuple(unit for unit in present if unit in active)
    estimate = partial(
        _estimate, measures, by=by, period=period, known=known, active=active, n_draws=n_draws
    )
    # drawing and sorting let go of the interpreter, so a second thread is worth its while
    with ThreadPoolExecutor(max_workers=2) as pool:
        found = dict(zip(kpis, pool.map(estimate, kpis), strict=True))
    return Population(
        present=present,
        active=active,
        peers={name: peers for name, peers in found.items() if peers is not None},
        trend=_trend(measures, by, period),
    )


def _find_active(measures: Measures, by: Level, period: str) -> frozenset[str]:
    rows = measures.roll_up(by=by, periods=measures.calendar.window(period, 4), pool=True)
    shown = {kpi.kpi for kpi in measures.headline}
    return frozenset(rows.loc[(rows["n"] > 0) & rows["kpi"].isin(shown), "unit_id"]) - {""}


def _estimate(
    measures: Measures, name: str, *, by: Level, period: str, known: tuple[str, ...],
    active: frozenset[str], n_draws: int,
) -> Peers | None:  # fmt: skip
    kpi = measures.kpi(name)
    end = measures.latest_mature(kpi, period)
    if end is None:
        return None
    window = measures.window(end, kpi.window)
    sums = _sums_of(measures, kpi, by=by, periods=window)
    sums = sums[sums.index.isin(active)]
    labels = sorted(set(sums.index) | set(known))
    estimates = estimate_kpi(kpi, sums.reindex(labels), n_draws=n_draws)
    return Peers(
        kpi=kpi,
        period=end,
        window=window,
        estimates=estimates,
        observed=_sums_of(measures, kpi, by=by, periods=(end,))["value"],
        pooled=sums["value"],
        cases=sums["n"],
        scale=_scale(measures, kpi, window, estimates),
    )


def _sums_of(measures: Measures, kpi: Kpi, *, by: Level, periods: tuple[str, ...]) -> pd.DataFrame:
    """Roll one KPI up, the quarters pooled, indexed by unit."""
    rows = measures.roll_up(by=by, periods=periods, pool=True, kpi=kpi.kpi)
    return rows.set_index("unit_id").drop(columns=["period", "kpi"])


def _scale(measures: Measures, kpi: Kpi, window: tuple[str, ...], estimates: Estimates) -> float:
    """Bring geometric means to the scale reports use: the company's mean or median over its own."""
    if kpi.family != "log_mean":
        return 1.0
    whole = _sums_of(measures, kpi, by="company", periods=window)["value"]
    typical = estimates.overall
    return float(whole.iloc[0] / typical) if len(whole) and typical > 0 else 1.0


def _trend(measures: Measures, by: Level, period: str) -> pd.DataFrame:
    recent = measures.window(period, _TREND)
    rows = measures.roll_up(by=by, periods=recent)
    immature = pd.Series(False, index=rows.index)
    for kpi in measures.kpis:
        for quarter in recent:
            if not measures.is_mature(kpi, quarter):
                immature |= (rows["kpi"] == kpi.kpi) & (rows["period"] == quarter)
    rows = rows.assign(value=rows["value"].mask(immature))
    return rows[["unit_id", "kpi", "period", "value"]]
