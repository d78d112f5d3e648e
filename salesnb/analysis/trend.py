"""Trends: quarters of one unit against what its own past makes likely."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import norm

from salesnb.analysis.finding import Candidate
from salesnb.analysis.result import Result
from salesnb.analysis.seasons import (
    LEVEL_OF,
    SEASONAL_FROM,
    Past,
    as_normal,
    expect_season,
    reach_of,
)
from salesnb.analysis.trend_findings import change_candidates
from salesnb.analysis.wording import within_sentence
from salesnb.errors import ParameterError
from salesnb.language import tr, tr_many
from salesnb.measures.catalogue import Kpi
from salesnb.measures.measures import Measures

CONTROL = 3.0
"""Width of control limits in standard errors (Shewhart)."""

CLEAR = float(norm.ppf(0.975))
"""Distance from the past, in standard errors, at which a change is called clear."""

_SHORTEST_PAST = 3
_SHOWN = 12
_FETCHED = 20
"""Quarters used: those before the ones shown tell seasons from chance."""

_LEAST_CENTRE = 0.05
"""Least a season leaves of the level."""


@dataclass(frozen=True, eq=False, repr=False)
class Trend(Result):
    """Quarters of a team or the company.

    Attributes
    ----------
    period, unit
        The last quarter and the unit's name.
    points
        One row a KPI and quarter: `value`, `n`, `centre` (level of the quarters before, moved by
        the season), `low` and `high` (control limits for that quarter's n), `z` (distance from
        the centre in standard errors, as of a normal distribution), `is_outside` the limits,
        `season` (share by which this quarter of the year is above the year's level),
        `is_running` (not over yet). Centre and limits are missing where fewer than three quarters
        come before and of a running quarter; the season where fewer than eight do.
    kpis
        Definitions, in order.
    """

    period: str
    unit: str
    points: pd.DataFrame
    kpis: tuple[Kpi, ...]
    currency: str

    def last(self) -> pd.DataFrame:
        """Take each KPI's last quarter, with the quarter `before` and its value `previous`.

        A running quarter has neither: what is there so far is no change from a full quarter.
        """
        earlier = self.points.groupby("kpi", sort=False)[["value", "period"]].shift(1)
        earlier = earlier.mask(self.points["is_running"])
        rows = self.points.assign(previous=earlier["value"], before=earlier["period"])
        return rows.groupby("kpi", sort=False).tail(1).reset_index(drop=True)

    @property
    def is_running(self) -> bool:
        """Whether the last quarter is not over yet."""
        return bool(len(self.points)) and bool(self.points["is_running"].any())

    @property
    def finding(self) -> str:
        """Name the KPIs whose last quarter lies outside its limits."""
        if self.points.empty:
            return tr("{unit}: there are no quarters to follow.", unit=self.unit)
        last = self.last()
        if last["z"].isna().all():
            if self.is_running:
                return tr(
                    "{unit}: {period} is not over, so nothing is compared with the past.",
                    unit=self.unit, period=self.period,
                )  # fmt: skip
            return tr(
                "{unit}: too few quarters are known, so nothing is compared with the past.",
                unit=self.unit,
            )
        outside = last[last["is_outside"]]
        if outside.empty:
            if last["z"].notna().all():
                return tr(
                    "{unit}: every KPI is within what its past quarters make likely.",
                    unit=self.unit,
                )
            return tr(
                "{unit}: every KPI that can be compared is within what its past quarters make "
                "likely.",
                unit=self.unit,
            )
        labels = {kpi.kpi: within_sentence(kpi.label) for kpi in self.kpis}
        return tr_many(
            "{unit}: {named} lies outside what past quarters make likely.",
            "{unit}: {named} lie outside what past quarters make likely.",
            len(outside),
            unit=self.unit,
            named=", ".join(labels[name] for name in outside["kpi"]),
        )

    @property
    def caveat(self) -> str:
        """Say what the limits leave out."""
        if self.points.empty:
            return ""
        compared = self.points[self.points["z"].notna()]
        last = compared.groupby("kpi", sort=False).tail(1)
        texts = [_say_seasons(last["season"].notna())]
        if self.is_running:
            texts.append(
                tr(
                    "{period} is not over: its figures are so far, compared with none.",
                    period=self.period,
                )
            )
        return " ".join(texts)

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer each KPI's last quarter against what its past makes likely."""
        return change_candidates(self)

    def to_frame(self) -> pd.DataFrame:
        """List one row a KPI and quarter."""
        return self.points.copy()


def _say_seasons(taken: pd.Series[bool]) -> str:
    if len(taken) and taken.all():
        return tr(
            "Limits hold chance and the seasons of the past; changes of people are not taken out, "
            "and growth counts as a change."
        )
    if taken.any():
        return tr(
            "Seasons are taken out of KPIs with {n} quarters before, not of others; changes of "
            "people are not.",
            n=SEASONAL_FROM,
        )
    return tr(
        "Limits hold chance only: seasons and changes of people are not taken out. Seasons need "
        "{n} quarters before.",
        n=SEASONAL_FROM,
    )


def quarter_trend(
    measures: Measures, *, period: str, team: str | None = None,
    kpis: tuple[str, ...] | None = None,
) -> Trend:  # fmt: skip
    """Follow a team or the company over up to twelve quarters.

    Immature quarters of created cohorts are left out. A last quarter that is not over is shown as
    it is so far and compared with nothing.

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
    chosen = measures.choose_kpis(kpis or None)
    quarters = tuple(
        p for p in measures.calendar.window(period, _FETCHED)
        if p in measures.periods and (p == period or measures.is_whole(p))
    )  # fmt: skip
    running = period if measures.calendar.last_day(period) > measures.as_of else None
    shown = measures.calendar.window(period, _SHOWN)
    rows = measures.roll_up(by="company", periods=quarters, team=team_id)
    frames = []
    for kpi in chosen:
        mature = [p for p in quarters if measures.is_mature(kpi, p)]
        sums = rows[(rows["kpi"] == kpi.kpi) & rows["period"].isin(mature)]
        sums = sums.sort_values("period", ignore_index=True)
        limits = add_limits(sums, kpi, running=running).assign(kpi=kpi.kpi)
        frames.append(limits[limits["period"].isin(shown)])
    points = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    return Trend(
        period=period,
        unit=measures.unit_name(team_id),
        points=points,
        kpis=tuple(kpi for kpi in chosen if len(points) and kpi.kpi in set(points["kpi"])),
        currency=measures.company.currency,
    )


def add_limits(sums: pd.DataFrame, kpi: Kpi, *, running: str | None = None) -> pd.DataFrame:
    """Compare each quarter with what those before it make likely.

    With fewer than eight before it that is their pooled level; from eight on it is the level of
    the last eight, moved by the season as `expect_season` finds it in all of them.

    Parameters
    ----------
    sums
        One row a quarter, oldest first: period, value and the sums of a roll-up.
    kpi
        Its family gives the standard error.
    running
        A quarter that is not over: it is compared with nothing.

    Returns
    -------
    DataFrame
        period, value, n, centre, low, high, z, is_outside, season, is_running.
    """
    out = sums[["period", "value", "n"]].reset_index(drop=True)
    found = [
        _UNKNOWN if period == running else _expect(sums.iloc[:position], sums.iloc[position], kpi)
        for position, period in enumerate(out["period"])
    ]
    usual = pd.DataFrame(found, columns=["centre", "error", "freedom", "season"], dtype=float)
    centre, freedom = usual["centre"], usual["freedom"]
    reach = usual["error"] * freedom.map(partial(reach_of, CONTROL))
    away = (out["value"] - centre) / usual["error"]
    z = [as_normal(far, free) for far, free in zip(away, freedom, strict=True)]
    out["centre"], out["low"], out["high"] = centre, (centre - reach).clip(lower=0), centre + reach
    out["z"] = np.array(z, dtype=float)
    out["is_outside"] = out["z"].abs() > CONTROL
    out["season"] = usual["season"]
    out["is_running"] = out["period"] == running
    return out


@dataclass(frozen=True)
class _Usual:
    """What a quarter's past makes likely."""

    centre: float = np.nan
    error: float = np.nan
    freedom: float = np.inf
    season: float = np.nan


_UNKNOWN = _Usual()


def _expect(past: pd.DataFrame, now: pd.Series[float], kpi: Kpi) -> _Usual:
    """Expect a quarter from those before it, its season taken out where that can be known."""
    recent = past.iloc[-LEVEL_OF:]
    known = recent["value"].notna().sum()
    if known < _SHORTEST_PAST or kpi.family == "plain":
        return _UNKNOWN
    centre = _level(recent, kpi)
    seasonal = _expect_with_season(past, now, kpi, centre) if centre > 0 else None
    return seasonal or _expect_level(recent, now, kpi, centre)


def _level(past: pd.DataFrame, kpi: Kpi) -> float:
    if not kpi.is_ratio or kpi.median_of is not None:
        return float(past["value"].mean())
    total = past.loc[past["denominator"] > 0, "denominator"].sum()
    return float(past["numerator"].sum() / total * kpi.scale) if total > 0 else np.nan


def _expect_level(past: pd.DataFrame, now: pd.Series[float], kpi: Kpi, centre: float) -> _Usual:
    """Expect the pooled level.

    Where quarters have differed more than chance alone explains, the error is widened to their
    own spread (Laney's correction), so that an unsteady past raises no alarm.
    """
    values = past["value"].to_numpy(dtype=float)
    known = int(np.isfinite(values).sum())
    errors = np.array([chance_error(row, kpi, centre) for _, row in past.iterrows()])
    spread = float(np.std((values - centre) / errors, ddof=1))
    widened = max(1.0, spread) if np.isfinite(spread) else 1.0
    share_of_past = float(np.sqrt(1 + 1 / known))
    return _Usual(centre, chance_error(now, kpi, centre) * widened * share_of_past)


def _expect_with_season(
    past: pd.DataFrame, now: pd.Series[float], kpi: Kpi, level: float
) -> _Usual | None:
    """Expect the level and the season; None where too few quarters are known."""
    if past["value"].notna().sum() < SEASONAL_FROM:
        return None
    pooled = _pool_moments(pd.concat([past, now.to_frame().T]).infer_objects(), kpi)
    # A past quarter without a win is as unsure as others, not unknown.
    before, this = pooled.iloc[:-1].assign(n=pooled["n"].clip(lower=1)), pooled.iloc[-1]
    errors = np.array([chance_error(row, kpi, level) for _, row in before.iterrows()]) / level
    ratios = before["value"].to_numpy(dtype=float) / level - 1
    known = np.isfinite(ratios) & np.isfinite(errors) & (errors > 0)
    if known.sum() < SEASONAL_FROM:
        return None
    places = np.array([_place(period) for period in before["period"]], dtype=float)
    quarters = Past(ratios[known], errors[known], places[known])
    found = expect_season(quarters, _place(now["period"]))
    share = max(1 + found.ratio, _LEAST_CENTRE)
    error = chance_error(this, kpi, level * share)
    if kpi.family in ("total", "attainment"):
        error *= float(np.sqrt(share))  # as many more or fewer amounts as the season brings
    variance = found.spread * error**2 + level**2 * found.variance
    return _Usual(level * share, float(np.sqrt(variance)), found.freedom, found.season)


def _place(period: object) -> int:
    """Give a quarter its place in time: four a year."""
    return 4 * int(str(period)[:4]) + int(str(period)[-1]) - 1


def _pool_moments(sums: pd.DataFrame, kpi: Kpi) -> pd.DataFrame:
    """Give each quarter the variance of an amount that recent quarters have together.

    A quarter's own would make quarters of small amounts look sure, and the level too low.
    """
    recent = sums.iloc[-LEVEL_OF - 1 :]
    if kpi.family in ("total", "attainment"):
        return sums.assign(total_of_squares=recent["total_of_squares"].mean())
    if kpi.family == "log_mean":
        several = recent[recent["n"] > 1]
        squares = (several["total_of_squares"] - several["total"] ** 2 / several["n"]).sum()
        variance = squares / max((several["n"] - 1).sum(), 1)
        return sums.assign(total=0.0, total_of_squares=variance * (sums["n"] - 1))
    return sums


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
