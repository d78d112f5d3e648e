"""Simulated companies with planted truth, as measures: nothing is imported."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.measures.catalogue import Kpi, find_kpis
from salesnb.measures.measures import SUMS, Measures
from salesnb.periods import FiscalCalendar
from salesnb.schema import TABLES
from salesnb.sources.mapping import Company

CALENDAR = FiscalCalendar()
LAST = "2026Q2"
SIZE_SPREAD = 0.8
VALUES = ["rep_id", "team_id", "period", "kpi", "value", "is_ended", "n"]


@dataclass(frozen=True, eq=False)
class Truth:
    """What reps truly are: (R,) each. Win logit, log volume, log deal size, log potential."""

    win: np.ndarray
    volume: np.ndarray
    size: np.ndarray
    potential: np.ndarray


def equal_truth(n_reps: int) -> Truth:
    nothing = np.zeros(n_reps)
    return Truth(nothing, nothing, nothing, nothing)


def draw_truth(
    rng: np.random.Generator, n_reps: int, *, sd: float = 0.35, potential_sd: float = 0.0
) -> Truth:
    """Draw independent abilities; potential, if it varies, brings opportunities."""
    win, volume, size = (rng.normal(0, sd, n_reps) for _ in range(3))
    return Truth(win, volume, size, rng.normal(0, potential_sd, n_reps))


def make_company(
    rng: np.random.Generator,
    truth: Truth,
    *,
    n_quarters: int = 4,
    closed: float = 12,
    kpis: tuple[str, ...] | None = None,
) -> Measures:
    """Simulate KPIs of every rep and quarter, default the usual ones.

    `closed` is the mean of a quarter. What follows from no planted truth is drawn alike for all.
    """
    quarters = CALENDAR.window(LAST, n_quarters)
    n_reps = truth.win.size
    rep = np.tile(np.arange(n_reps), n_quarters)
    frames = _simulate(rng, truth, rep, closed)
    chosen = tuple(kpi for kpi in find_kpis(kpis) if kpi.is_headline or kpis)
    keys = pd.DataFrame(
        {
            "rep_id": [f"R{number:05d}" for number in rep],
            "team_id": [f"T{number // 12:04d}" for number in rep],
            "period": np.repeat(quarters, n_reps),
        }
    )
    sums = {kpi.kpi: frames.get(kpi.kpi) or _draw_alike(rng, kpi, rep.size) for kpi in chosen}
    totals = [keys.assign(kpi=name, **columns) for name, columns in sums.items()]
    values = [_draw_values(rng, keys, kpi) for kpi in chosen if kpi.kept_of is not None and kpis]
    return _wrap(
        pd.concat(totals, ignore_index=True),
        pd.concat(values, ignore_index=True) if values else pd.DataFrame(columns=VALUES),
        truth, quarters, chosen,
    )  # fmt: skip


def _draw_alike(rng: np.random.Generator, kpi: Kpi, n_rows: int) -> dict[str, np.ndarray]:
    """Draw the sums of a KPI in which all are equal: of trials, or of amounts."""
    n, nan = rng.poisson(12, n_rows), np.full(n_rows, np.nan)
    if kpi.family == "rate":
        return _sums(rng.binomial(n, 0.4), n, n, nan, nan)
    money, squares, logs, log_squares = _add_amounts(rng, n, np.full(n_rows, 3.0))
    if kpi.family == "log_mean":
        return _sums(money, n, n, logs, log_squares)
    return _sums(money, np.full(n_rows, 300.0), n, money, squares)


def _draw_values(rng: np.random.Generator, keys: pd.DataFrame, kpi: Kpi) -> pd.DataFrame:
    """Draw eight counted values a rep and quarter."""
    rows = keys.astype("category").take(np.repeat(np.arange(len(keys)), 8)).assign(kpi=kpi.kpi)
    n_rows = len(rows)
    return rows.assign(
        value=rng.integers(1, 200, n_rows).astype(float), is_ended=rng.random(n_rows) < 0.8, n=1
    )[VALUES]


def _simulate(
    rng: np.random.Generator, truth: Truth, rep: np.ndarray, closed: float
) -> dict[str, dict[str, np.ndarray]]:
    volume = np.exp(truth.volume + truth.potential)[rep]
    chance = 1 / (1 + np.exp(0.85 - truth.win))[rep]
    one, nan = np.ones(rep.size), np.full(rep.size, np.nan)
    decided = rng.poisson(closed * volume)
    won = rng.binomial(decided, chance)
    money, squares, logs, log_squares = _add_amounts(rng, won, truth.size[rep] + 9)
    pipe, pipe_squares, _, _ = _add_amounts(rng, rng.poisson(closed * volume), truth.size[rep] + 9)
    due, due_squares, _, _ = _add_amounts(
        rng, rng.poisson(closed * volume / 2), truth.size[rep] + 9
    )
    created = rng.poisson(closed * volume * 1.2)
    leads = rng.poisson(closed * volume * 2)
    calls = rng.poisson(60 * 8 * one)
    days = rng.normal(4, 0.6 / np.sqrt(np.maximum(won, 1)))
    return {
        "bookings": _sums(money, one, won, money, squares),
        "quota_attainment": _sums(money, 4e4 * one, won, money, squares),
        "win_rate": _sums(won, decided, decided, nan, nan),
        "close_rate": _sums(rng.binomial(created, chance * 0.8), created, created, nan, nan),
        "deal_size": _sums(money, won, won, logs, log_squares),
        "cycle_days": _sums(
            60 * won, won, won, days * won, won * days**2 + 0.36 * np.maximum(won - 1, 0)
        ),
        "pipeline_created": _sums(pipe, one, created, pipe, pipe_squares),
        "pipeline_coverage": _sums(due, 4e4 * one, created, due, due_squares),
        "leads": _sums(leads, one, leads, nan, nan),
        "lead_to_won": _sums(rng.binomial(leads, chance / 2), leads, leads, nan, nan),
        "connected_calls": _sums(calls, 60 * one, calls, nan, nan),
        "meetings_per_100": _sums(rng.poisson(calls * 0.1 * np.exp(truth.win[rep])), calls, calls,
                                  nan, nan),
    }  # fmt: skip


def _sums(*columns: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(SUMS, (column.astype(float) for column in columns), strict=True))


def _add_amounts(
    rng: np.random.Generator, count: np.ndarray, log_size: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Add up `count` log-normal amounts each: sums of amounts, their squares, logs, log squares."""
    place = np.repeat(np.arange(count.size), count)
    logs = rng.normal(log_size[place], SIZE_SPREAD)
    amounts = np.exp(logs)
    parts = (amounts, amounts**2, logs, logs**2)
    money, squares, total, total_squares = (
        np.bincount(place, part, minlength=count.size) for part in parts
    )
    return money, squares, total, total_squares


def _wrap(
    totals: pd.DataFrame,
    values: pd.DataFrame,
    truth: Truth,
    quarters: tuple[str, ...],
    kpis: tuple[object, ...],
) -> Measures:
    reps, teams = sorted(set(totals["rep_id"])), sorted(set(totals["team_id"]))
    empty = {
        name: pd.DataFrame(columns=[str(column) for column in TABLES[name].columns])
        for name in ("targets", "actions")
    }
    return Measures(
        totals=totals,
        values=values,
        weeks=pd.DataFrame(),
        open_deals=pd.DataFrame(),
        ratings=pd.DataFrame(),
        skills=pd.DataFrame(),
        territories=pd.DataFrame(
            {"territory_id": reps, "rep_id": reps, "potential": 1e5 * np.exp(truth.potential)}
        ),
        people=pd.DataFrame(
            {"rep_id": reps, "name": reps, "role": "AE", "hired_on": None, "left_on": None}
        ),
        teams=pd.DataFrame({"team_id": teams, "name": teams, "parent_id": "", "has_members": True}),
        kpis=kpis,
        missing={},
        periods=quarters,
        first_close=CALENDAR.first_day(quarters[0]),
        company=Company(name="Simulated"),
        as_of=CALENDAR.last_day(LAST) + dt.timedelta(days=120),
        snapshot_id="simulated",
        **empty,
    )
