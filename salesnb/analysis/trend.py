"""Trends: quarters of one unit against what its own past makes likely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from salesnb.analysis.result import Result
from salesnb.errors import ParameterError
from salesnb.measures.catalogue import Kpi
from salesnb.measures.measures import Measures

CONTROL = 3.0
"""Width of control limits in standard errors (Shewhart)."""

CLEAR = float(norm.ppf(0.975))
"""Distance from the past, in standard errors, at which a change is called clear."""

_SHORTEST_PAST = 3
_LONGEST = 12


@dataclass(frozen=True, eq=False, repr=False)
class Trend(Result):
    """Quarters of a team or the company.

    Attributes
    ----------
    period, unit
        The last quarter and the unit's name.
    points
        One row a KPI and quarter: `value`, `n`, `centre` (level of the quarters before),
        `low` and `high` (control limits for that quarter's n), `z` (distance from the centre in
        standard errors), `is_outside` the limits. Centre and limits are missing where fewer
        than three quarters come before.
    kpis
        Definitions, in order.
    """

    period: str
    unit: str
    points: pd.DataFrame
    kpis: tuple[Kpi, ...]
    currency: str

    def last(self) -> pd.DataFrame:
        """Take each KPI's last quarter, with the quarter `before` and its value `previous`."""
        earlier = self.points.groupby("kpi", sort=False)[["value", "period"]].shift(1)
        rows = self.points.assign(previous=earlier["value"], before=earlier["period"])
        return rows.groupby("kpi", sort=False).tail(1).reset_index(drop=True)

    @property
    def finding(self) -> str:
        """Name the KPIs whose last quarter lies outside its limits."""
        last = self.last()
        outside = last[last["is_outside"]]
        if outside.empty:
            return f"{self.unit}: every KPI is within what its past quarters make likely."
        labels = {kpi.kpi: kpi.label.lower() for kpi in self.kpis}
        named = ", ".join(labels[name] for name in outside["kpi"])
        return f"{self.unit}: {named} lie outside what past quarters make likely."

    @property
    def caveat(self) -> str:
        """Say what the limits leave out."""
        return "Limits hold chance only: seasons and changes of people are not taken out."

    def to_frame(self) -> pd.DataFrame:
        """List one row a KPI and quarter."""
        return self.points.copy()


def quarter_trend(
    measures: Measures, *, period: str, team: str | None = None,
    kpis: tuple[str, ...] | None = None,
) -> Trend:  # fmt: skip
    """Follow a team or the company over up to twelve quarters.

    Immature quarters of created cohorts, and quarters not over yet, are left out.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`.
    period
        Last quarter shown.
    team
        Id or name; None is the whole company.
    kpis
        Ids; default the headline KPIs that were measured.

    Returns
    -------
    Trend

    Raises
    ------
    ParameterError
        Quarter, team or KPI is unknown.
    """
    measures.check_period(period)
    if kpis is not None and not kpis:
        raise ParameterError("kpis: the list is empty. Name at least one.")
    team_id = measures.find_team(team) if team is not None else None
    chosen = tuple(measures.kpi(name) for name in kpis) if kpis else measures.headline
    quarters = tuple(
        p for p in measures.calendar.window(period, _LONGEST)
        if p in measures.periods and (p == period or measures.is_whole(p))
    )  # fmt: skip
    rows = measures.roll_up(by="company", periods=quarters, team=team_id)
    frames = []
    for kpi in chosen:
        mature = [p for p in quarters if measures.is_mature(kpi, p)]
        sums = rows[(rows["kpi"] == kpi.kpi) & rows["period"].isin(mature)]
        sums = sums.sort_values("period", ignore_index=True)
        frames.append(add_limits(sums, kpi).assign(kpi=kpi.kpi))
    points = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    return Trend(
        period=period,
        unit=measures.team_name(team_id) if team_id is not None else measures.company.name,
        points=points,
        kpis=tuple(kpi for kpi in chosen if len(points) and kpi.kpi in set(points["kpi"])),
        currency=measures.company.currency,
    )


def add_limits(sums: pd.DataFrame, kpi: Kpi) -> pd.DataFrame:
    """Compare each quarter with the pooled level of the up to eight before it.

    Parameters
    ----------
    sums
        One row a quarter, oldest first: period, value and the sums of a roll-up.
    kpi
        Its family gives the standard error.

    Returns
    -------
    DataFrame
        period, value, n, centre, low, high, z, is_outside.
    """
    out = sums[["period", "value", "n"]].reset_index(drop=True)
    centre, error = np.full(len(out), np.nan), np.full(len(out), np.nan)
    for position in range(len(out)):
        past = sums.iloc[max(0, position - 8) : position]
        if len(past) >= _SHORTEST_PAST:
            centre[position], error[position] = _expect(past, sums.iloc[position], kpi)
    z = (out["value"].to_numpy() - centre) / error
    low = centre - CONTROL * error
    out["centre"], out["low"], out["high"] = centre, np.maximum(low, 0.0), centre + CONTROL * error
    out["z"], out["is_outside"] = z, np.abs(z) > CONTROL
    return out


def _expect(past: pd.DataFrame, now: pd.Series[float], kpi: Kpi) -> tuple[float, float]:
    """Expect a quarter from those before it, with a standard error.

    Where quarters have differed more than chance alone explains, the error is widened to their
    own spread (Laney's correction), so that an unsteady past raises no alarm.
    """
    values = past["value"].to_numpy(dtype=float)
    known = values[np.isfinite(values)]
    if len(known) < _SHORTEST_PAST or kpi.family == "plain":
        return np.nan, np.nan
    if kpi.is_ratio and kpi.median_of is None:
        denominators = past["denominator"].to_numpy(dtype=float)
        total = denominators[denominators > 0].sum()
        centre = float(past["numerator"].sum() / total * kpi.scale) if total > 0 else np.nan
    else:
        centre = float(np.mean(known))
    errors = np.array([chance_error(row, kpi, centre) for _, row in past.iterrows()])
    spread = float(np.std((values - centre) / errors, ddof=1)) if len(known) > 2 else 1.0
    widened = max(1.0, spread) if np.isfinite(spread) else 1.0
    share_of_past = np.sqrt(1 + 1 / len(known))
    return centre, chance_error(now, kpi, centre) * widened * float(share_of_past)


def chance_error(sums: pd.Series[float], kpi: Kpi, centre: float) -> float:
    """Compute the standard error of a figure by chance alone, were its true level `centre`.

    Missing where nothing was counted, and of `plain` figures, which have no error model.
    """
    if kpi.family == "plain":
        return np.nan
    denominator, n = float(sums["denominator"]), float(sums["n"])
    if kpi.family == "rate":
        rate = min(max(centre, 1e-9), 1 - 1e-9)
        return float(np.sqrt(rate * (1 - rate) / denominator)) if denominator > 0 else np.nan
    if kpi.family == "count":
        exposure = denominator / kpi.scale if kpi.is_ratio else 1.0
        return float(np.sqrt(max(centre, 1e-9) / exposure)) if exposure > 0 else np.nan
    if kpi.family == "log_mean":
        return _log_mean_error(sums, centre)
    over = denominator if kpi.is_ratio else 1.0
    if n <= 0 or over <= 0:
        return np.nan
    return float(np.sqrt(float(sums["total_of_squares"]))) / over


def _log_mean_error(sums: pd.Series[float], centre: float) -> float:
    """Compute the standard error of a lognormal mean (Cox), which is near that of a median too."""
    n = float(sums["n"])
    if n < 2:
        return np.nan
    mean = float(sums["total"]) / n
    variance = max(float(sums["total_of_squares"]) / n - mean**2, 0.0) * n / (n - 1)
    return centre * float(np.sqrt(variance / n + variance**2 / (2 * (n - 1))))
