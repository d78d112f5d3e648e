"""Quotas of reps and targets of teams, set before the quarter and not perfect."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.sources.sample.arrays import Floats, Ints, texts
from salesnb.sources.sample.clock import export_quarters, quarter_name, quarter_start
from salesnb.sources.sample.market import known_potential
from salesnb.sources.sample.people import People
from salesnb.sources.sample.settings import Settings
from salesnb.sources.sample.teams import PATCHES, REGIONS, ROOT, Teams

BOOKINGS, WIN_RATE = "bookings", "win_rate"
_SEASON = (0.93, 0.98, 0.98, 1.12)
_GROWTH, _STRETCH, _ERROR_SD = 0.012, 1.04, 0.07
_HISTORY = 0.5  # weight of the rep's last four quarters, the rest is the territory's potential
GAP_TEAM, GAP_QUARTER, GAP = 3, "2026Q3", 1.09
"""The team target that was raised without the reps' quotas."""


def quota_quarters() -> Ints:
    """Quarters with quotas: those of the export and the one that has begun."""
    known = export_quarters()
    return np.append(known, known[-1] + 1)


def set_quotas(people: People, bookings: Floats, settings: Settings) -> Floats:
    """Set the full quota of each rep (row) and quarter (column).

    Parameters
    ----------
    bookings
        Of each rep and quarter, from the first of `quota_quarters`.
    """
    rng = settings.stream("quotas")
    quarters = quota_quarters()
    base = known_potential(people, settings)[people.territory]
    quotas = np.empty((len(people), len(quarters)))
    for column, quarter in enumerate(quarters):
        past = bookings[:, max(0, column - 4) : column]
        was_there = (people.hired < quarter_start(quarter - 6)) & (column >= 4)
        history = past.mean(axis=1) if column else base
        plan = np.where(was_there, _HISTORY * history + (1 - _HISTORY) * base, base)
        trend = _SEASON[quarter % 4] * (1 + _GROWTH * column) * _STRETCH
        quotas[:, column] = plan * trend * rng.lognormal(0, _ERROR_SD, len(people))
    return np.maximum(np.round(quotas / 500) * 500, 5_000)


def targets_table(people: People, teams: Teams, quotas: Floats) -> pd.DataFrame:
    """List quotas and targets; each team's is the sum of its reps' to the nearest thousand."""
    tables = [
        table
        for column, quarter in enumerate(quota_quarters())
        for table in _quarter_targets(int(quarter), people, teams, quotas[:, column])
    ]
    return pd.concat(tables, ignore_index=True)


def _quarter_targets(
    quarter: int, people: People, teams: Teams, quotas: Floats
) -> list[pd.DataFrame]:
    start, end = (int(quarter_start(np.array(q))) for q in (quarter, quarter + 1))
    employed = np.flatnonzero((people.hired < end) & (people.left > start))
    first_day = np.maximum(people.hired[employed], start)
    team = people.team_on(employed, first_day)
    by_team = np.bincount(team, weights=quotas[employed], minlength=len(teams))
    by_team = np.round(by_team, -3)
    period = quarter_name(quarter)
    if period == GAP_QUARTER:
        by_team[GAP_TEAM] = np.round(by_team[GAP_TEAM] * GAP, -3)
    region = np.array([PATCHES[patch].region for patch in teams.patch])
    by_region = np.bincount(region, weights=by_team, minlength=len(REGIONS))
    regions = texts([slug for slug, _ in REGIONS])
    team_ids = teams.team_id
    everyone = [*team_ids, *regions, ROOT]
    return [
        _rows("rep", people.rep_id[employed], period, BOOKINGS, quotas[employed], team_ids[team]),
        _rows("team", team_ids, period, BOOKINGS, by_team, regions[region]),
        _rows("team", regions, period, BOOKINGS, by_region, ROOT),
        _rows("team", [ROOT], period, BOOKINGS, [by_region.sum()], None),
        _rows("team", everyone, period, WIN_RATE, _win_rate_target(quarter), None),
    ]


def _win_rate_target(quarter: int) -> float:
    return 0.28 if quarter < quota_quarters()[5] else 0.3


def _rows(
    owner_kind: str, owner_id: object, period: str, kpi: str, target: object, parent: object
) -> pd.DataFrame:
    columns = schema.targets
    return pd.DataFrame(
        {
            columns.owner_kind: owner_kind,
            columns.owner_id: owner_id,
            columns.period: period,
            columns.kpi: kpi,
            columns.target: target,
            columns.parent_id: parent,
        }
    )
