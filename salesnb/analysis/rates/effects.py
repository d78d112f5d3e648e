"""Means and other values with a standard error. Normal-normal, also on logs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2
from scipy.stats import f as f_distribution

from salesnb.analysis.rates.checks import (
    Columns,
    find_bad,
    find_not_counts,
    find_not_finite,
    read_columns,
    refuse,
)
from salesnb.analysis.rates.evidence import (
    FloatArray,
    Posterior,
    RowArray,
    pool_by_size,
    show_number,
)
from salesnb.analysis.rates.heterogeneity import (
    Heterogeneity,
    find_between_variance,
    untested,
)
from salesnb.analysis.rates.normal import NormalNormal
from salesnb.analysis.rates.prior import build_design
from salesnb.analysis.rates.result import Estimates, Settings, summarise


def estimate_effects(
    values: ArrayLike,
    standard_errors: ArrayLike,
    *,
    n: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    higher_is_better: bool = True,
    level: float = 0.90,
    n_draws: int = 4000,
    random_state: int = 0,
) -> Estimates:
    """Estimate each unit's true value from one with a known standard error, pulled to its group.

    Nothing is excluded: a unit of n = 0 gets the group's prior (its value and standard error are
    not read). Empty input gives an empty result; n = 0 throughout gives NaN. A single unit keeps
    its own value and normal interval, with NaN reliability.

    Parameters
    ----------
    values : (R,) means or totals, any unit.
    standard_errors : (R,) > 0, same unit, taken as known.
    n : (R,) observations behind each mean: weights of the overall level (sum / sum) and, where
        they vary, a covariate. None for totals: each counts once and n is 1.
    weights : (R,) >= 0, weights of the overall level where n is not the right one, such as the
        quotas that bookings were divided by. None: n.
    labels : (R,) distinct names, 0..R-1 when None.
    higher_is_better : whether rank 1 is the highest value.
    level : probability of the intervals.
    n_draws : posterior draws kept per unit.
    random_state : seed; the order of the rows does not matter.

    Returns
    -------
    Estimates in the unit of `values`.

    Raises
    ------
    ParameterError
        When an argument is missing, infinite or of another length, a standard error is not
        positive, or n is not a count.

    Notes
    -----
    value ~ Normal(true value, standard error); true value ~ Normal around the group's mean,
    linear in log(n) from 12 units of varying n on. The reported between-unit SD is
    Paule-Mandel's; the estimates integrate over it.

    Source: Paule & Mandel (1982), J. Res. NBS 87, 377-385; Morris (1983), JASA 78, 47-55;
    Daniels (1999), Canad. J. Statist. 27, 567-578 (prior of the between variance).

    Examples
    --------
    >>> found = estimate_effects([9.0, 12.0, 10.0, 17.0], [3.0, 1.0, 2.0, 1.0], labels=list("ABCD"))
    >>> found.to_frame()[["label", "raw", "estimate"]].round(1)
      label   raw  estimate
    0     A   9.0      10.8
    1     B  12.0      12.1
    2     C  10.0      10.9
    3     D  17.0      16.5
    """
    given = {"values": values, "standard_errors": standard_errors, "n": n, "weights": weights}
    columns = read_columns(
        "estimate_effects", {name: column for name, column in given.items() if column is not None}
    )
    size = columns.setdefault("n", np.ones_like(columns["values"]))
    weight = columns.setdefault("weights", size)
    known = size != 0
    used: Columns = {name: np.where(known, column, 1.0) for name, column in columns.items()}
    problems = find_not_finite(used) + find_not_counts("n", size)
    problems += find_bad(
        "standard_errors",
        used["standard_errors"],
        used["standard_errors"] <= 0,
        "values that are not positive; expected standard errors > 0",
        "Give units without spread a pooled standard error.",
    )
    problems += find_bad(
        "weights",
        used["weights"],
        used["weights"] < 0,
        "negative values; expected weights >= 0",
        "Give what the values were divided by.",
    )
    refuse("estimate_effects", problems)
    noise = np.where(known, used["standard_errors"] ** 2, np.inf)
    evidence = Effects(
        np.where(known, used["values"], 0.0), noise, size, np.where(known, weight, 0.0)
    )
    settings = Settings("estimate_effects", higher_is_better, level, n_draws, random_state)
    return summarise(evidence, labels, settings)


def estimate_log_means(
    n: ArrayLike,
    log_sum: ArrayLike,
    log_sum_squares: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    higher_is_better: bool = True,
    level: float = 0.90,
    n_draws: int = 4000,
    random_state: int = 0,
) -> Estimates:
    """Estimate each unit's geometric mean of a positive amount or duration, pulled to its group.

    Results are geometric means, not arithmetic ones, on the original scale: `raw` is
    exp(mean of logs). Nothing is excluded: a unit of n = 0 gets the group's prior. Empty input
    gives an empty result; n = 0 throughout gives NaN.

    Parameters
    ----------
    n : (R,) observations.
    log_sum, log_sum_squares : (R,) sums of log(x) and of log(x)^2, natural logs.
    labels : (R,) distinct names, 0..R-1 when None.
    higher_is_better : whether rank 1 is the highest mean; False for durations.
    level : probability of the intervals.
    n_draws : posterior draws kept per unit.
    random_state : seed; the order of the rows does not matter.

    Returns
    -------
    Estimates in the unit of x, > 0; heterogeneity is on the log scale.

    Raises
    ------
    ParameterError
        When an argument is missing, infinite or of another length, n is not a count, or the
        sums cannot belong to n numbers.

    Notes
    -----
    Logs are normal with one variance, pooled within units; its own uncertainty is integrated
    over too. When no unit has two observations noise cannot be told from differences: all
    spread is then taken as noise, and units do not differ.

    Source: as `estimate_effects`; the test is the one-way analysis of variance (Fisher 1925).

    Examples
    --------
    >>> logs = np.log([[100.0, 200.0], [300.0, 900.0], [150.0, 250.0]])
    >>> found = estimate_log_means([2, 2, 2], logs.sum(axis=1), (logs**2).sum(axis=1))
    >>> found.to_frame()[["label", "raw", "estimate"]].round(0)
      label    raw  estimate
    0     0  141.0     173.0
    1     1  520.0     391.0
    2     2  194.0     211.0
    """
    given = {"n": n, "log_sum": log_sum, "log_sum_squares": log_sum_squares}
    columns = read_columns("estimate_log_means", given)
    refuse("estimate_log_means", find_not_finite(columns) + find_not_counts("n", columns["n"]))
    size, sums, squares = columns.values()
    mean = sums / np.maximum(size, 1)
    within = squares - sums * mean
    tolerance = 1e-9 * np.abs(squares)  # what rounding does to a difference of sums
    is_alone = (size <= 1) & ((within > tolerance) | (squares > 0) & (size == 0))
    problems = find_bad(
        "log_sum_squares",
        squares,
        (within < -tolerance) | is_alone,
        "values that no n numbers of that sum have; expected sums over the same records",
        "Sum log(x) and log(x)^2 over the rows that n counts.",
    )
    refuse("estimate_log_means", problems)
    evidence = _pool_within(size, mean, float(np.maximum(within, 0).sum()))
    settings = Settings("estimate_log_means", higher_is_better, level, n_draws, random_state)
    return summarise(evidence, labels, settings)


def _pool_within(size: FloatArray, mean: FloatArray, within: float) -> LogMeans:
    """Return the evidence with noise in units of the pooled within variance."""
    known = size > 0
    df = int(size.sum() - known.sum())
    if df > 0:
        variance = within / df
    else:
        variance = float(np.var(mean[known], ddof=1)) if known.sum() > 1 else 1.0
    # identical amounts throughout: a floor keeps the arithmetic finite
    variance = max(variance, 1e-12)
    noise = np.divide(variance, size, out=np.full(size.size, np.inf), where=known)
    return LogMeans(np.where(known, mean, 0.0), noise, size, size, df)


@dataclass(frozen=True, eq=False)
class Effects:
    """Values with sampling variances of R units; infinite noise is no evidence.

    With `noise_df` > 0 the noise is known up to a common factor, estimated with so many
    degrees of freedom.
    """

    values: FloatArray
    noise: FloatArray
    observations: FloatArray
    weights: FloatArray
    noise_df: int = 0
    measure = "value"
    scale = "value"

    @property
    def size(self) -> NDArray[np.int64]:
        """(R,) observations."""
        return self.observations.astype(np.int64)

    @property
    def raw(self) -> FloatArray:
        """(R,) values, NaN without evidence."""
        return np.where(self.observations > 0, self.values, np.nan)

    @property
    def keys(self) -> tuple[FloatArray, ...]:
        """All there is about a unit."""
        return self.values, self.noise, self.observations, self.weights

    def take(self, rows: RowArray) -> Self:
        """Return the evidence of some units; the noise factor stays the whole group's."""
        return replace(
            self,
            values=self.values[rows],
            noise=self.noise[rows],
            observations=self.observations[rows],
            weights=self.weights[rows],
        )

    def pool(self, figures: NDArray[Any]) -> NDArray[Any]:
        """Return the weighted mean."""
        return pool_by_size(figures, self.weights)

    def show(self, figure: float) -> str:
        """Write a value."""
        return show_number(figure)

    def test_heterogeneity(self, random_state: int) -> Heterogeneity:
        """Test equal true values by Cochran's Q: chi-square, or F when the noise is estimated."""
        known = np.isfinite(self.noise)
        values, noise = self.values[known], self.noise[known]
        if values.size < 2:
            return untested(self.scale, values.size)
        centre = np.sum(values / noise) / np.sum(1 / noise)
        statistic, df = float(np.sum((values - centre) ** 2 / noise)), values.size - 1
        if self.noise_df:
            p_value = float(f_distribution.sf(statistic / df, df, self.noise_df))
        else:
            p_value = float(chi2.sf(statistic, df))
        between = find_between_variance(values, noise) ** 0.5
        return Heterogeneity(statistic, df, p_value, between, self.scale)

    def infer(self, n_draws: int, random_state: int) -> Posterior:
        """Integrate the normal posteriors over the group's priors."""
        n_units = self.values.size
        if not np.isfinite(self.noise).any():
            nothing = np.full(n_units, np.nan)
            return Posterior(nothing, nothing, np.full((n_units, n_draws), np.nan, np.float32))
        generator = np.random.default_rng([random_state, 0])
        if n_units == 1:
            deviation = generator.standard_normal((1, n_draws)) * self.noise[:, None] ** 0.5
            if self.noise_df:
                factor = generator.chisquare(self.noise_df, n_draws) / self.noise_df
                deviation /= factor**0.5
            draws = (self.values[:, None] + deviation).astype(np.float32)
            return Posterior(self.values, np.array([np.nan]), draws)
        return NormalNormal(self.values, self.noise, self.noise_df, build_design(self.size)).infer(
            n_draws, generator
        )


@dataclass(frozen=True, eq=False)
class LogMeans(Effects):
    """Means of logs, reported as geometric means."""

    measure = "geometric mean"
    scale = "log"

    @property
    def raw(self) -> FloatArray:
        """(R,) geometric means."""
        return np.asarray(np.exp(super().raw))

    def pool(self, figures: NDArray[Any]) -> NDArray[Any]:
        """Return the geometric mean over all observations."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.exp(super().pool(np.log(figures))))

    def infer(self, n_draws: int, random_state: int) -> Posterior:
        """Infer on the log scale and go back."""
        logs = super().infer(n_draws, random_state)
        return Posterior(np.exp(logs.estimate), logs.reliability, np.exp(logs.draws))
