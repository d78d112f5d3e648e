"""Rates: successes out of trials. Beta-binomial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, gammaln, log_expit, logit
from scipy.stats import chi2

from salesnb.analysis.rates.checks import (
    find_bad,
    find_not_counts,
    find_not_finite,
    read_columns,
    refuse,
)
from salesnb.analysis.rates.evidence import (
    DrawArray,
    FloatArray,
    Posterior,
    RowArray,
    pool_by_size,
)
from salesnb.analysis.rates.heterogeneity import (
    N_SIMULATED,
    Heterogeneity,
    compare_to_simulated,
    find_between_variance,
    untested,
)
from salesnb.analysis.rates.prior import (
    add_slope_prior,
    build_design,
    log_slope_prior,
    pick_points,
    weigh_priors,
)
from salesnb.analysis.rates.result import Estimates, Settings, summarise

MOST_TRIALS_SIMULATED = 10**9  # numpy's bound for the hypergeometric


def estimate_rates(
    successes: ArrayLike,
    trials: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    higher_is_better: bool = True,
    level: float = 0.90,
    n_draws: int = 4000,
    random_state: int = 0,
) -> Estimates:
    """Estimate each unit's true rate from few trials, pulled toward its group.

    Nothing is excluded: a unit without trials gets the group's prior, with its wide interval.
    Empty input gives an empty result. A single unit has no group to learn from: its estimate is
    its own rate with the Jeffreys interval, and its reliability is NaN.

    Parameters
    ----------
    successes, trials : (R,) whole numbers, 0 <= successes <= trials.
    labels : (R,) distinct names, 0..R-1 when None.
    higher_is_better : whether rank 1 is the highest rate.
    level : probability of the intervals.
    n_draws : posterior draws kept per unit.
    random_state : seed; the order of the rows does not matter.

    Returns
    -------
    Estimates with rates in 0-1.

    Raises
    ------
    ParameterError
        When an argument is missing, not a count, of another length, or successes > trials.

    Notes
    -----
    successes ~ Binomial(trials, rate); rate ~ Beta with mean linear in log(trials) on the logit
    scale (from 12 units of varying trials on) and about the same standard deviation on that
    scale for all. Hyperparameters are integrated over, so intervals stay honest with 20 units.

    Source: Efron & Morris (1975), JASA 70, 311-319; Morris (1983), JASA 78, 47-55.

    Examples
    --------
    >>> found = estimate_rates([3, 30, 5, 18], [4, 90, 20, 60], labels=list("ABCD"))
    >>> found.to_frame()[["label", "raw", "estimate"]].round(2)
      label   raw  estimate
    0     A  0.75      0.39
    1     B  0.33      0.33
    2     C  0.25      0.30
    3     D  0.30      0.31
    """
    columns = read_columns("estimate_rates", {"successes": successes, "trials": trials})
    problems = find_not_finite(columns)
    for name, values in columns.items():
        problems += find_not_counts(name, values)
    problems += find_bad(
        "successes",
        columns["successes"],
        columns["successes"] > columns["trials"],
        "values above 'trials'; expected successes <= trials",
        "Count the same records in both.",
    )
    refuse("estimate_rates", problems)
    settings = Settings("estimate_rates", higher_is_better, level, n_draws, random_state)
    return summarise(Proportions(columns["successes"], columns["trials"]), labels, settings)


@dataclass(frozen=True, eq=False)
class Proportions:
    """Successes out of trials of R units."""

    successes: FloatArray
    trials: FloatArray
    measure = "rate"

    @property
    def size(self) -> NDArray[np.int64]:
        """(R,) trials."""
        return self.trials.astype(np.int64)

    @property
    def raw(self) -> FloatArray:
        """(R,) successes / trials, NaN without trials."""
        safe = np.where(self.trials > 0, self.trials, np.nan)
        return np.asarray(self.successes / safe)

    @property
    def keys(self) -> tuple[FloatArray, ...]:
        """All there is about a unit."""
        return self.successes, self.trials

    def take(self, rows: RowArray) -> Self:
        """Return the evidence of some units."""
        return type(self)(self.successes[rows], self.trials[rows])

    def pool(self, figures: NDArray[Any]) -> NDArray[Any]:
        """Return the trial-weighted rate."""
        return pool_by_size(figures, self.size)

    def show(self, figure: float) -> str:
        """Write a rate as a percentage."""
        return f"{figure:.1%}"

    def test_heterogeneity(self, random_state: int) -> Heterogeneity:
        """Test equal rates by Pearson's statistic against tables of the same margins.

        Given its margins a table of equal rates is multivariate hypergeometric, whatever the
        common rate: the level holds at any number of trials.
        """
        known = self.trials > 0
        won, tried = self.successes[known], self.trials[known]
        n_units = tried.size
        if n_units < 2:
            return untested("rate", n_units)
        rate = won.sum() / tried.sum()
        noise = rate * (1 - rate)
        if noise == 0:  # all lost or all won: units could not be more alike
            return Heterogeneity(0.0, n_units - 1, 1.0, 0.0, "rate")
        statistic, p_value = _compare_tables(won, tried, random_state)
        between = find_between_variance(won / tried, noise / tried)
        return Heterogeneity(statistic, n_units - 1, p_value, between**0.5, "rate")

    def infer(self, n_draws: int, random_state: int) -> Posterior:
        """Integrate the beta posteriors over the group's priors."""
        generator = np.random.default_rng([random_state, 0])
        if self.trials.size == 1:
            return self._infer_alone(n_draws, generator)
        family = BetaBinomial(self.successes, self.trials, build_design(self.trials))
        priors = weigh_priors(family)
        prior_won, prior_lost = family.parameters(priors.beta, priors.strength)
        first = self.successes[:, None] + prior_won.T
        total = self.trials[:, None] + (prior_won + prior_lost).T
        picked = pick_points(priors.weight, n_draws, generator)
        draws = _draw_beta(first, total - first, picked, generator)
        estimate = (first / total) @ priors.weight
        return Posterior(estimate, (self.trials[:, None] / total) @ priors.weight, draws)

    def _infer_alone(self, n_draws: int, generator: np.random.Generator) -> Posterior:
        first, second = self.successes + 0.5, self.trials - self.successes + 0.5
        estimate = np.where(self.trials > 0, self.raw, 0.5)
        once = np.zeros(n_draws, dtype=np.intp)
        draws = _draw_beta(first[:, None], second[:, None], once, generator)
        return Posterior(estimate, np.array([np.nan]), draws)


@dataclass(frozen=True, eq=False)
class BetaBinomial:
    """The marginal likelihood of rates under Beta priors, mean on the logit scale.

    `strength` is 1 / variance of the logit rates: the Beta is worth strength / (mean (1 - mean))
    trials, so that rates near 0 or 1 differ less in points, as much in odds.
    The intercept's prior is Beta(1/2, 1/2) on the rate, symmetric and proper, so that groups
    that won all or nothing have an answer; the slope's is normal.
    """

    successes: FloatArray
    trials: FloatArray
    design: FloatArray

    @property
    def log_typical(self) -> float:
        """Log of the mean trials' information: a prior of this strength pulls half way."""
        mean_trials = max(self.trials.sum(), 1) / max((self.trials > 0).sum(), 1)
        pooled = expit(self.start()[0])
        return float(np.log(mean_trials * pooled * (1 - pooled)))

    @property
    def log_range(self) -> tuple[float, float]:
        """Log strength from a logit SD of 2, as wide as a flat prior, to practically equal."""
        low = float(np.log(0.25))
        return low, max(self.log_typical, low) + 8

    def mean(self, beta: FloatArray) -> FloatArray:
        """(K, R) prior means."""
        return np.clip(expit(beta @ self.design.T), 1e-9, 1 - 1e-9)

    def parameters(self, beta: FloatArray, strength: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(K, R) each: the prior's two parameters, pseudo-trials won and lost."""
        mean = self.mean(beta)
        return strength[:, None] / (1 - mean), strength[:, None] / mean

    def start(self) -> FloatArray:
        """Begin at the pooled rate."""
        pooled = (self.successes.sum() + 0.5) / (self.trials.sum() + 1)
        return np.concatenate([[logit(pooled)], np.zeros(self.design.shape[1] - 1)])

    def score(self, beta: FloatArray, strength: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the quasi-score with beta-binomial variance, and its information."""
        mean = self.mean(beta)
        total = strength[:, None] / (mean * (1 - mean))
        inflation = 1 + (self.trials - 1) / (total + 1)
        residual = (self.successes - self.trials * mean) / inflation
        weight = self.trials * mean * (1 - mean) / inflation
        score = residual @ self.design
        information = np.einsum("kr,rp,rq->kpq", weight, self.design, self.design, optimize=True)
        centre = expit(beta[:, 0])
        score[:, 0] += 0.5 - centre
        information[:, 0, 0] += centre * (1 - centre)
        return add_slope_prior(beta, score, information)

    def log_posterior(self, beta: FloatArray, strength: FloatArray) -> FloatArray:
        """Return the exact log marginal likelihood plus the coefficients' log prior."""
        first, second = self.parameters(beta, strength)
        total = first + second
        log_likelihood = (
            gammaln(self.successes + first)
            - gammaln(first)
            + gammaln(self.trials - self.successes + second)
            - gammaln(second)
            + gammaln(total)
            - gammaln(self.trials + total)
        ).sum(axis=1)
        log_prior = 0.5 * (log_expit(beta[:, 0]) + log_expit(-beta[:, 0]))
        return np.asarray(log_likelihood + log_prior + log_slope_prior(beta))


def _compare_tables(won: FloatArray, tried: FloatArray, random_state: int) -> tuple[float, float]:
    """Return Pearson's statistic and its p-value among tables of the same margins."""
    rate = won.sum() / tried.sum()

    def pearson(won: NDArray[Any]) -> NDArray[Any]:
        squares = won.astype(np.float64) ** 2 @ (1 / tried)
        return np.asarray((squares - tried.sum() * rate**2) / (rate * (1 - rate)))

    statistic = float(pearson(won))
    if tried.sum() >= MOST_TRIALS_SIMULATED:
        return statistic, float(chi2.sf(statistic, tried.size - 1))
    tables = np.random.default_rng([random_state, 1]).multivariate_hypergeometric(
        tried.astype(np.int64), int(won.sum()), size=N_SIMULATED, method="marginals"
    )
    return statistic, compare_to_simulated(statistic, pearson(tables))


def _draw_beta(
    first: FloatArray, second: FloatArray, picked: RowArray, generator: np.random.Generator
) -> DrawArray:
    """Draw (R, D) betas whose parameters are the `picked` columns of (R, H) tables."""
    draws = np.empty((first.shape[0], picked.size), dtype=np.float32)
    first, second = first.astype(np.float32), second.astype(np.float32)
    for row in range(draws.shape[0]):  # row by row: a whole table of parameters is never held
        won = generator.standard_gamma(first[row, picked], dtype=np.float32)
        lost = generator.standard_gamma(second[row, picked], dtype=np.float32)
        draws[row] = won / (won + lost)
    # float32 cannot tell draws this near 0 or 1 apart; left tied, their ranks would follow rows
    for edge, reach in ((0.0, 1e-9), (1.0, -1e-5)):
        tied = draws == edge
        draws[tied] = edge + reach * generator.random(int(tied.sum()), dtype=np.float32)
    return draws
