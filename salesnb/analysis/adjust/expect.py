"""What was to be expected of each rep, and whether good reps were given good patches."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as t_distribution

from salesnb.analysis.adjust.result import Method
from salesnb.language import format_number, format_share, tr
from salesnb.measures.measures import Measures

WIN_RATE = "win_rate"
SELECTED = 0.05
"""Level of the test of whether good reps were given good patches."""

_FEWEST_FITTED = 12
_FULL_TENURE_DAYS = 730
_SMALLEST_SPREAD = 0.05
_LEAST_ELASTICITY = 0.5


@dataclass(frozen=True, eq=False)
class Expected:
    """What was to be expected of each rep, up to a common factor, and how it was found."""

    relative: NDArray[np.float64]
    method: Method
    why: str
    elasticity: float = field(default=np.nan)


@dataclass(frozen=True)
class Selection:
    """Whether people with more potential win more often: correlation and one-sided p-value."""

    correlation: float
    p_value: float

    @property
    def is_found(self) -> bool:
        """Whether good reps were given good patches."""
        return self.p_value < SELECTED


def find_selection(measures: Measures, rows: pd.DataFrame, window: tuple[str, ...]) -> Selection:
    """Test whether the better reps have the better territories.

    A larger patch brings more opportunities, not more wins in a hundred: win rates that rise
    with potential show how patches were given. Missing (not found) below 12 reps with both, or
    where either hardly varies.
    """
    untested = Selection(np.nan, np.nan)
    if all(kpi.kpi != WIN_RATE for kpi in measures.kpis):
        return untested
    sums = measures.roll_up(by="rep", periods=window, kpi=WIN_RATE, pool=True)
    sums = sums.set_index("unit_id").reindex(rows["rep_id"])
    won, closed = sums["numerator"].to_numpy(float), sums["denominator"].to_numpy(float)
    potential = rows["potential"].to_numpy(float)
    used = (closed > 0) & (potential > 0)
    if used.sum() < _FEWEST_FITTED or np.log(potential[used]).std() < _SMALLEST_SPREAD:
        return untested
    won, closed, log_potential = won[used], closed[used], np.log(potential[used])
    if not 0 < won.sum() < closed.sum():
        return untested
    # weighted by evidence, where people differ beyond chance: 25 closed are half of certainty
    return _correlate(log_potential, (won + 0.5) / (closed + 1), closed / (closed + 25))


def _correlate(
    one: NDArray[np.float64], two: NDArray[np.float64], weights: NDArray[np.float64]
) -> Selection:
    """Test a weighted correlation for being above 0."""
    first, second = (
        (each - np.average(each, weights=weights)) * np.sqrt(weights) for each in (one, two)
    )
    size = float(np.sqrt((first @ first) * (second @ second)))
    if size <= 1e-12:
        return Selection(np.nan, np.nan)
    correlation = float(first @ second) / size
    df = one.size - 2
    statistic = correlation * np.sqrt(df / max(1 - correlation**2, 1e-12))
    return Selection(correlation, float(t_distribution.sf(statistic, df)))


def expect(rows: pd.DataFrame, selection: Selection) -> Expected:
    """Choose how to adjust and say what was to be expected of each rep."""
    exposure = rows["exposure"].to_numpy()
    potential = rows["potential"].to_numpy()
    has_potential = np.isfinite(potential) & (potential > 0)
    if not has_potential.any():
        relative, slopes = _fit(rows, np.zeros((len(rows), 0)), np.zeros(len(rows)))
        why = (
            tr("no territory has a potential: only season and tenure could be taken out")
            if slopes.size
            else tr("no territory has a potential: only season could be taken out")
        )
        return Expected(relative * exposure, "without potential", why)
    logs = np.log(np.where(has_potential, potential, np.nan))
    n_fitted = int((has_potential & (rows["bookings"] > 0)).sum())
    if n_fitted < _FEWEST_FITTED:
        why = tr(
            "only {n} people with bookings have a potential, too few for a regression: bookings "
            "are divided by potential",
            n=n_fitted,
        )
    elif logs[has_potential].std() < _SMALLEST_SPREAD:
        why = tr("potential hardly varies: bookings are divided by it")
    else:
        relative, slopes = _fit(rows, logs[:, None], np.zeros(len(rows)))
        # where potential hardly moves bookings, dividing by it would make differences
        if not selection.is_found or slopes[0] < _LEAST_ELASTICITY:
            why = tr(
                "season, territory and tenure taken out by robust regression: {share} more "
                "potential goes with {more} more bookings",
                share=format_share(0.1),
                more=format_share(np.expm1(slopes[0] * np.log(1.1))),
            )
            return Expected(relative * exposure, "residual", why, float(slopes[0]))
        why = tr(
            "good reps were given good patches (win rates rise with potential, correlation "
            "{correlation}), so a regression would credit the patch with their skill: bookings "
            "are divided by potential instead",
            correlation=format_number(selection.correlation, 2, group=False),
        )
    relative, _ = _fit(rows, np.zeros((len(rows), 0)), logs)
    return Expected(relative * exposure, "per potential", why, 1.0)


def _fit(
    rows: pd.DataFrame, covariates: NDArray[np.float64], offset: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit log bookings a quarter; return each rep's relative expectation and the slopes.

    Tenure is a covariate where it varies within the first two years; unknown ones count as the
    median.
    """
    tenure = np.log1p(np.minimum(rows["tenure_days"].to_numpy(), _FULL_TENURE_DAYS) / 30)
    rate = rows["bookings"].to_numpy() / rows["exposure"].to_numpy()
    base = np.isfinite(offset) & np.isfinite(covariates).all(axis=1)
    fitted = base & (rate > 0)
    tenure = np.where(
        np.isfinite(tenure),
        tenure,
        np.nanmedian(tenure) if fitted.any() and np.isfinite(tenure).any() else 0.0,
    )
    if fitted.sum() >= _FEWEST_FITTED and tenure[fitted].std() >= _SMALLEST_SPREAD:
        covariates = np.column_stack([covariates, tenure])
    if not covariates.shape[1]:
        return np.where(base, np.exp(offset), np.nan), np.empty(0)
    target = np.log(rate[fitted]) - offset[fitted]
    centre = covariates[fitted].mean(axis=0)
    from sklearn.linear_model import HuberRegressor  # slow to import

    model = HuberRegressor(alpha=0.0, max_iter=1000)
    slopes = model.fit(covariates[fitted] - centre, target).coef_
    with np.errstate(invalid="ignore"):
        relative = np.exp(offset + (covariates - centre) @ slopes)
    return np.where(base, relative, np.nan), np.asarray(slopes)
