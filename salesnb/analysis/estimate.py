"""Estimates of KPIs: each family of figures with the method that fits it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesnb.analysis.rates import (
    Estimates,
    estimate_counts,
    estimate_effects,
    estimate_log_means,
    estimate_rates,
    take_plain,
)
from salesnb.measures.catalogue import Kpi


def estimate_kpi(kpi: Kpi, sums: pd.DataFrame, *, n_draws: int = 2000) -> Estimates:
    """Estimate a KPI for each unit from its sums, by the method of the KPI's family.

    Parameters
    ----------
    kpi
        Its family decides: wins of trials, events per exposure, a mean on logs, or a sum whose
        variance is that of a random number of random amounts. `plain` figures are taken as they
        are.
    sums
        Indexed by unit; numerator, denominator, n, total, total_of_squares (missing means 0), and
        for `plain` figures `value`.
    n_draws
        Posterior draws.

    Returns
    -------
    Estimates
        On the KPI's scale; totals and counts without a ratio are per full quarter of one rep.
    """
    labels = list(sums.index)
    better = kpi.direction != "down"
    if kpi.family == "plain":
        return take_plain(sums["value"], labels=labels, higher_is_better=better, n_draws=n_draws)
    sums = sums.fillna(0.0)
    numerator, denominator = sums["numerator"].to_numpy(), sums["denominator"].to_numpy()
    if kpi.family == "rate":
        return estimate_rates(
            numerator, denominator, labels=labels, higher_is_better=better, n_draws=n_draws
        )
    if kpi.family == "count":
        # Events without exposure, as of a rep before the first day, say nothing about a rate.
        return estimate_counts(
            np.where(denominator > 0, numerator, 0.0), denominator / kpi.scale, labels=labels,
            higher_is_better=better, n_draws=n_draws,
        )  # fmt: skip
    n = sums["n"].to_numpy()
    if kpi.family == "log_mean":
        return estimate_log_means(
            n, sums["total"].to_numpy(), sums["total_of_squares"].to_numpy(),
            labels=labels, higher_is_better=better, n_draws=n_draws,
        )  # fmt: skip
    known = denominator > 0
    value = np.divide(numerator, denominator, out=np.zeros(len(n)), where=known)
    error = compound_error(n, sums["total_of_squares"].to_numpy(), denominator)
    return estimate_effects(
        value, error, n=known, weights=denominator, labels=labels, higher_is_better=better,
        n_draws=n_draws,
    )  # fmt: skip


def compound_error(
    n: np.ndarray, total_of_squares: np.ndarray, denominator: np.ndarray
) -> np.ndarray:
    """Estimate the standard error of a sum of a random number of random amounts over a known one.

    The variance of a compound Poisson sum is the expected number times the mean square of an
    amount; the mean square is pooled over units, and half an event keeps units without any
    from looking certain. Units without a denominator get 1, to be ignored.
    """
    mean_square = max(float(total_of_squares.sum()), 1e-9) / max(float(n.sum()), 1.0)
    spread = np.sqrt((n + 0.5) * mean_square)
    known = denominator > 0
    return np.asarray(np.divide(spread, denominator, out=np.ones(len(n)), where=known))
