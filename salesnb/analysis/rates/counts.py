"""Counts: events per unit of exposure. Gamma-Poisson."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

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
    show_number,
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

SCALE = "rate per unit of exposure"


def estimate_counts(
    counts: ArrayLike,
    exposure: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    higher_is_better: bool = True,
    level: float = 0.90,
    n_draws: int = 4000,
    random_state: int = 0,
) -> Estimates:
    """Estimate each unit's true rate of events per unit of exposure, pulled toward its group.

    Nothing is excluded: a unit without exposure gets the group's prior. Empty input gives an
    empty result; no exposure at all gives NaN. A single unit keeps its own rate, with the
    Jeffreys interval and NaN reliability.

    Parameters
    ----------
    counts : (R,) whole numbers of events.
    exposure : (R,) amounts of opportunity for events, e.g. working days, >= 0; the results are
        per unit of it, and it is the `n` of the result.
    labels : (R,) distinct names, 0..R-1 when None.
    higher_is_better : whether rank 1 is the highest rate.
    level : probability of the intervals.
    n_draws : posterior draws kept per unit.
    random_state : seed; the order of the rows does not matter.

    Returns
    -------
    Estimates in events per unit of exposure, >= 0.

    Raises
    ------
    ParameterError
        When an argument is missing, negative or of another length, counts are not whole, or
        events happened without exposure.

    Notes
    -----
    count ~ Poisson(exposure x rate); rate ~ Gamma of a common shape with mean log-linear in
    log(exposure), from 12 units of varying exposure on. Hyperparameters are integrated over.

    Source: Christiansen & Morris (1997), JASA 92, 618-632.

    Examples
    --------
    >>> found = estimate_counts([3, 30, 5, 21], [10, 60, 20, 60], labels=list("ABCD"))
    >>> found.to_frame()[["label", "raw", "estimate"]].round(2)
      label   raw  estimate
    0     A  0.30      0.36
    1     B  0.50      0.45
    2     C  0.25      0.33
    3     D  0.35      0.36
    """
    columns = read_columns("estimate_counts", {"counts": counts, "exposure": exposure})
    problems = find_not_finite(columns) + find_not_counts("counts", columns["counts"])
    problems += find_bad(
        "exposure",
        columns["exposure"],
        columns["exposure"] < 0,
        "negative values; expected exposure >= 0",
        "Correct the dates or hours they come from.",
    )
    problems += find_bad(
        "counts",
        columns["counts"],
        (columns["counts"] > 0) & (columns["exposure"] == 0),
        "values above 0 where 'exposure' is 0; expected no events without exposure",
        "Count both over the same time.",
    )
    refuse("estimate_counts", problems)
    settings = Settings("estimate_counts", higher_is_better, level, n_draws, random_state)
    return summarise(Events(columns["counts"], columns["exposure"]), labels, settings)


@dataclass(frozen=True, eq=False)
class Events:
    """Counts over the exposure of R units."""

    counts: FloatArray
    exposure: FloatArray
    measure = SCALE

    @property
    def size(self) -> FloatArray:
        """(R,) exposure."""
        return self.exposure

    @property
    def raw(self) -> FloatArray:
        """(R,) counts / exposure, NaN without exposure."""
        safe = np.where(self.exposure > 0, self.exposure, np.nan)
        return np.asarray(self.counts / safe)

    @property
    def keys(self) -> tuple[FloatArray, ...]:
        """All there is about a unit."""
        return self.counts, self.exposure

    def take(self, rows: RowArray) -> Self:
        """Return the evidence of some units."""
        return type(self)(self.counts[rows], self.exposure[rows])

    def pool(self, figures: NDArray[Any]) -> NDArray[Any]:
        """Return the exposure-weighted rate."""
        return pool_by_size(figures, self.size)

    def show(self, figure: float) -> str:
        """Write a rate."""
        return show_number(figure)

    def test_heterogeneity(self, random_state: int) -> Heterogeneity:
        """Test equal rates by Pearson's statistic against tables of the same total.

        Given their total, counts of equal rates are multinomial in proportion to exposure,
        whatever the common rate: the level holds however few the events.
        """
        known = self.exposure > 0
        counts, exposure = self.counts[known], self.exposure[known]
        total, n_units = counts.sum(), exposure.size
        if n_units < 2:
            return untested(SCALE, n_units)
        if total == 0:  # no events: units could not be more alike
            return Heterogeneity(0.0, n_units - 1, 1.0, 0.0, SCALE)
        share = exposure / exposure.sum()

        def pearson(counts: NDArray[Any]) -> NDArray[Any]:
            return np.asarray((counts.astype(np.float64) ** 2) @ (1 / share) / total - total)

        generator = np.random.default_rng([random_state, 1])
        tables = generator.multinomial(int(total), share, size=N_SIMULATED)
        p_value = compare_to_simulated(float(pearson(counts)), pearson(tables))
        noise = total / exposure.sum() / exposure
        between = find_between_variance(counts / exposure, noise)
        return Heterogeneity(float(pearson(counts)), n_units - 1, p_value, between**0.5, SCALE)

    def infer(self, n_draws: int, random_state: int) -> Posterior:
        """Integrate the gamma posteriors over the group's priors."""
        n_units = self.counts.size
        if not self.exposure.any():
            nothing = np.full(n_units, np.nan)
            return Posterior(nothing, nothing, np.full((n_units, n_draws), np.nan, np.float32))
        generator = np.random.default_rng([random_state, 0])
        if n_units == 1:
            alone = generator.standard_gamma(self.counts[:, None] + 0.5, size=(1, n_draws))
            draws = (alone / self.exposure[:, None]).astype(np.float32)
            return Posterior(self.raw, np.array([np.nan]), draws)
        family = GammaPoisson(self.counts, self.exposure, build_design(self.exposure))
        priors = weigh_priors(family)
        shape = self.counts[:, None] + priors.strength
        prior_exposure = priors.strength / family.mean(priors.beta).T
        total = self.exposure[:, None] + prior_exposure
        picked = pick_points(priors.weight, n_draws, generator)
        draws = _draw_gamma(shape, total, picked, generator)
        reliability = (self.exposure[:, None] / total) @ priors.weight
        return Posterior((shape / total) @ priors.weight, reliability, draws)


@dataclass(frozen=True, eq=False)
class GammaPoisson:
    """The marginal likelihood of counts under Gamma priors, mean on the log scale.

    `strength` is the Gamma's shape: the prior is worth as much as that many events. The
    intercept's prior is Gamma too, proper, and worth half an event at the pooled rate: without
    it few units of very unequal counts have no answer.
    """

    counts: FloatArray
    exposure: FloatArray
    design: FloatArray

    @property
    def pooled(self) -> float:
        """Pooled rate, above 0 even without events."""
        return float((self.counts.sum() + 0.5) / self.exposure.sum())

    @property
    def log_typical(self) -> float:
        """Log of the mean count of units with exposure: a prior of this shape pulls half way."""
        return float(np.log((self.counts.sum() + 0.5) / (self.exposure > 0).sum()))

    @property
    def log_range(self) -> tuple[float, float]:
        """Log shape from a coefficient of variation of 2 to practically equal units."""
        low = float(np.log(0.25))
        return low, max(self.log_typical, low) + 8

    def mean(self, beta: FloatArray) -> FloatArray:
        """(K, R) prior mean rates."""
        return np.asarray(np.exp(beta @ self.design.T))

    def start(self) -> FloatArray:
        """Begin at the pooled rate."""
        return np.concatenate([[np.log(self.pooled)], np.zeros(self.design.shape[1] - 1)])

    def score(self, beta: FloatArray, strength: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the negative-binomial score and its expected information."""
        expected = self.exposure * self.mean(beta)
        inflation = 1 + expected / strength[:, None]
        score = ((self.counts - expected) / inflation) @ self.design
        weight = expected / inflation
        information = np.einsum("kr,rp,rq->kpq", weight, self.design, self.design, optimize=True)
        prior_events = 0.5 * np.exp(beta[:, 0]) / self.pooled
        score[:, 0] += 0.5 - prior_events
        information[:, 0, 0] += prior_events
        return add_slope_prior(beta, score, information)

    def log_posterior(self, beta: FloatArray, strength: FloatArray) -> FloatArray:
        """Return the exact log marginal likelihood plus the coefficients' log prior."""
        shape = strength[:, None]
        expected = self.exposure * self.mean(beta)
        log_likelihood = (
            gammaln(self.counts + shape)
            - gammaln(shape)
            + self.counts * (np.log(np.maximum(expected, 1e-300)) - np.log(shape + expected))
            - shape * np.log1p(expected / shape)
        ).sum(axis=1)
        log_prior = 0.5 * (beta[:, 0] - np.exp(beta[:, 0]) / self.pooled)
        return np.asarray(log_likelihood + log_prior + log_slope_prior(beta))


def _draw_gamma(
    shape: FloatArray, total: FloatArray, picked: RowArray, generator: np.random.Generator
) -> DrawArray:
    """Draw (R, D) gammas whose parameters are the `picked` columns of (R, H) tables."""
    draws = np.empty((shape.shape[0], picked.size), dtype=np.float32)
    shape, scale = shape.astype(np.float32), (1 / total).astype(np.float32)
    for row in range(draws.shape[0]):
        draws[row] = generator.standard_gamma(shape[row, picked], dtype=np.float32)
        draws[row] *= scale[row, picked]
    # underflown to 0 and tied; left so, their ranks would follow the rows
    tied = draws == 0
    reach = np.float32(1e-9 * draws.mean())
    draws[tied] = reach * generator.random(int(tied.sum()), dtype=np.float32)
    return draws
