"""Estimates of rates, counts and means: laws, golden values, planted truth, hostile input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from scipy import stats

from salesnb.analysis.rates import (
    Estimates,
    estimate_counts,
    estimate_effects,
    estimate_log_means,
    estimate_rates,
)
from salesnb.errors import ParameterError

SHARED_DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"

WON = np.array([3, 30, 5, 18, 0, 7])
TRIED = np.array([4, 90, 20, 60, 3, 7])
NAMES = ["Ada", "Ben", "Cy", "Dee", "Eve", "Flo"]

MEASURED = [
    "estimate",
    "low",
    "high",
    "p_top_quartile",
    "p_above",
    "expected_rank",
    "rank_low",
    "rank_high",
    "reliability",
]

tables = st.lists(
    st.integers(0, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=2,
    max_size=15,
)


def log_sums(samples: list[np.ndarray]) -> tuple[list[int], list[float], list[float]]:
    logs = [np.log(sample) for sample in samples]
    return (
        [log.size for log in logs],
        [float(log.sum()) for log in logs],
        [float((log**2).sum()) for log in logs],
    )


def estimate_each_kind(rng: np.random.Generator, n_units: int, n_draws: int) -> list[Estimates]:
    trials = rng.integers(1, 40, n_units)
    samples = [rng.lognormal(8, 0.9, n) for n in trials]
    return [
        estimate_rates(rng.binomial(trials, 0.3), trials, n_draws=n_draws),
        estimate_counts(rng.poisson(0.2 * trials), trials, n_draws=n_draws),
        estimate_effects(rng.normal(5, 2, n_units), rng.gamma(4, 0.3, n_units), n_draws=n_draws),
        estimate_log_means(*log_sums(samples), n_draws=n_draws),
    ]


# --- golden values -----------------------------------------------------------------------------


def read_efron_morris() -> pd.DataFrame:
    path = SHARED_DATA / "efron_morris" / "EfronMorris.csv"
    if not path.exists():
        pytest.skip(f"{path} is not on this machine: it is never copied into the repository")
    return pd.read_csv(path)


def test_efron_morris_batting_beats_raw_more_than_three_times() -> None:
    """First 45 at-bats foretell the rest of 1970; James and Stein's own figure is 3.50."""
    players = read_efron_morris()
    found = estimate_rates(players["r"], np.full(18, 45), labels=players["name"])
    raw_error = ((players["r"] / 45 - players["p"]) ** 2).sum()
    assert raw_error / ((found.estimate - players["p"]) ** 2).sum() >= 3.3
    assert np.mean((found.low <= players["p"]) & (players["p"] <= found.high)) >= 15 / 18
    assert not found.heterogeneity.is_beyond_chance


def midpoints(low: float, high: float, n: int) -> np.ndarray:
    return low + (np.arange(n) + 0.5) * (high - low) / n


def brute_force(
    log_likelihood: Callable[[np.ndarray, np.ndarray], np.ndarray],
    posterior_mean: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *,
    link: np.ndarray,
    log_strength: np.ndarray,
    log_typical: float,
    log_prior: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Integrate on a dense product grid, by scipy.stats' own densities: (R,) posterior means."""
    at, strength = (axis.ravel() for axis in np.meshgrid(link, np.exp(log_strength)))
    pull = strength / (strength + np.exp(log_typical))
    density = log_likelihood(at, strength) + log_prior(at)
    density += 0.5 * np.log(pull) + 1.25 * np.log1p(-pull)
    weight = np.exp(density - density.max())
    return posterior_mean(at, strength) @ weight / weight.sum()


def test_rates_equal_brute_force_integration() -> None:
    pooled = (WON.sum() + 0.5) / (TRIED.sum() + 1)

    def parameters(at: np.ndarray, strength: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean = 1 / (1 + np.exp(-at))
        return strength / (1 - mean), strength / mean

    def log_likelihood(at: np.ndarray, strength: np.ndarray) -> np.ndarray:
        first, second = parameters(at, strength)
        return stats.betabinom.logpmf(WON[:, None], TRIED[:, None], first, second).sum(axis=0)

    def posterior_mean(at: np.ndarray, strength: np.ndarray) -> np.ndarray:
        first, second = parameters(at, strength)
        return (WON[:, None] + first) / (TRIED[:, None] + first + second)

    expected = brute_force(
        log_likelihood,
        posterior_mean,
        link=midpoints(-3.5, 2, 250),
        log_strength=midpoints(np.log(0.25), 11, 250),
        log_typical=float(np.log(TRIED.mean() * pooled * (1 - pooled))),
        log_prior=lambda at: 0.5 * at - np.log1p(np.exp(at)),
    )
    found = estimate_rates(WON, TRIED)
    np.testing.assert_allclose(found.estimate, expected, atol=0.004)
    np.testing.assert_allclose(found.draws.mean(axis=1), expected, atol=0.008)


def test_rates_with_log_trials_equal_brute_force_integration() -> None:
    """As above with the third hyperparameter, the slope, under its Student t(2) x .15 prior."""
    tried = np.array([2, 2, 3, 4, 6, 8, 11, 16, 22, 32, 45, 64])
    won = np.array([2, 1, 2, 2, 3, 3, 4, 4, 5, 6, 8, 9])
    pooled = (won.sum() + 0.5) / (tried.sum() + 1)
    typical = tried.mean() * pooled * (1 - pooled)
    standard = stats.zscore(np.log(tried))
    axes = midpoints(-2.5, 1.5, 50), midpoints(-1.6, 0.8, 50), midpoints(np.log(0.25), 10, 50)
    level, slope, log_strength = (axis.ravel() for axis in np.meshgrid(*axes))
    strength = np.exp(log_strength)
    mean = 1 / (1 + np.exp(-(level + slope * standard[:, None])))
    first, second = strength / (1 - mean), strength / mean
    density = stats.betabinom.logpmf(won[:, None], tried[:, None], first, second).sum(axis=0)
    density += 0.5 * level - np.log1p(np.exp(level)) + stats.t.logpdf(slope, 2, scale=0.15)
    pull = strength / (strength + typical)
    density += 0.5 * np.log(pull) + 1.25 * np.log1p(-pull)
    weight = np.exp(density - density.max())
    expected = ((won[:, None] + first) / (tried[:, None] + first + second)) @ weight / weight.sum()
    np.testing.assert_allclose(estimate_rates(won, tried).estimate, expected, atol=0.006)
    assert expected[0] > expected[-1] + 0.1  # the slope matters here


def test_counts_equal_brute_force_integration() -> None:
    counts, exposure = np.array([3, 30, 5, 18, 0]), np.array([10.0, 60.0, 20.0, 60.0, 4.0])

    def log_likelihood(at: np.ndarray, shape: np.ndarray) -> np.ndarray:
        chance = shape / (shape + exposure[:, None] * np.exp(at))
        return stats.nbinom.logpmf(counts[:, None], shape, chance).sum(axis=0)

    def posterior_mean(at: np.ndarray, shape: np.ndarray) -> np.ndarray:
        return (counts[:, None] + shape) / (exposure[:, None] + shape / np.exp(at))

    expected = brute_force(
        log_likelihood,
        posterior_mean,
        link=midpoints(-3.5, 1.5, 250),
        log_strength=midpoints(np.log(0.25), 11, 250),
        log_typical=float(np.log((counts.sum() + 0.5) / 5)),
        log_prior=lambda at: 0.5 * at - 0.5 * np.exp(at) / ((counts.sum() + 0.5) / exposure.sum()),
    )
    found = estimate_counts(counts, exposure)
    np.testing.assert_allclose(found.estimate, expected, atol=0.004)
    np.testing.assert_allclose(found.draws.mean(axis=1), expected, atol=0.008)


def test_effects_equal_brute_force_integration() -> None:
    values, errors = np.array([9.0, 12.0, 10.0, 17.0]), np.array([3.0, 1.0, 2.0, 1.0])
    typical = 1 / np.mean(errors**-2)

    def between(strength: np.ndarray) -> np.ndarray:
        return typical / strength  # a strength of 1 pulls a typical unit half way

    def log_likelihood(at: np.ndarray, strength: np.ndarray) -> np.ndarray:
        spread = np.sqrt(errors[:, None] ** 2 + between(strength))
        return stats.norm.logpdf(values[:, None], at, spread).sum(axis=0)

    def posterior_mean(at: np.ndarray, strength: np.ndarray) -> np.ndarray:
        own = 1 / errors[:, None] ** 2
        prior = 1 / between(strength)
        return (own * values[:, None] + prior * at) / (own + prior)

    expected = brute_force(
        log_likelihood,
        posterior_mean,
        link=midpoints(-40, 65, 1200),
        log_strength=midpoints(-9, 8, 250),
        log_typical=0.0,
        log_prior=np.zeros_like,
    )
    found = estimate_effects(values, errors)
    np.testing.assert_allclose(found.estimate, expected, atol=0.02)
    np.testing.assert_allclose(found.draws.mean(axis=1), expected, atol=0.15)


def test_log_means_integrate_over_the_noise_too() -> None:
    """Spread of the draws against a grid over centre, between / noise, and the noise variance."""
    logs = np.log([[100.0, 260.0], [300.0, 900.0], [150.0, 250.0], [500.0, 410.0]])
    mean, within = logs.mean(axis=1), ((logs - logs.mean(axis=1, keepdims=True)) ** 2).sum()
    axes = midpoints(-12, 24, 240), midpoints(-8, 8, 80), midpoints(-5, 4, 60)
    centre, log_pull, log_noise = (axis.ravel() for axis in np.meshgrid(*axes))
    noise = np.exp(log_noise)  # of one log; two per unit
    between = noise / 2 * np.exp(-log_pull)
    density = stats.norm.logpdf(mean[:, None], centre, np.sqrt(noise / 2 + between)).sum(axis=0)
    density += -2 * log_noise - within / noise / 2  # four degrees of freedom within
    pull = 1 / (1 + np.exp(-log_pull))
    density += 0.5 * np.log(pull) + 1.25 * np.log1p(-pull)
    weight = np.exp(density - density.max())
    weight /= weight.sum()
    centres = (1 - pull) * mean[:, None] + pull * centre
    expected = centres @ weight
    variance = (centres**2 + between * pull) @ weight - expected**2
    found = estimate_log_means([2] * 4, logs.sum(axis=1), (logs**2).sum(axis=1), n_draws=40_000)
    np.testing.assert_allclose(np.log(found.estimate), expected, atol=0.01)
    spread = np.log(found.draws.astype(float)).std(axis=1)
    np.testing.assert_allclose(spread, np.sqrt(variance), rtol=0.03)


def test_between_sd_is_paule_mandel_of_the_bcg_trials() -> None:
    """The vaccine trials of Colditz et al. (1994); R's metafor prints tau^2 .3181, Q 152.23."""
    cases = np.array([4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27])
    healthy = np.array(
        [119, 300, 228, 13536, 5036, 1361, 2537, 87886, 7470, 1699, 50448, 2493, 16886]
    )
    cases_without = np.array([11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29])
    healthy_without = np.array(
        [128, 274, 209, 12619, 5761, 1079, 619, 87892, 7232, 1600, 27197, 2338, 17825]
    )
    n, n_without = cases + healthy, cases_without + healthy_without
    log_risk_ratio = np.log(cases / n) - np.log(cases_without / n_without)
    errors = np.sqrt(1 / cases - 1 / n + 1 / cases_without - 1 / n_without)
    found = estimate_effects(log_risk_ratio, errors).heterogeneity
    assert found.between_sd**2 == pytest.approx(0.3181, abs=5e-4)
    assert found.statistic == pytest.approx(152.23, abs=0.01)
    assert found.df == 12
    assert found.p_value == pytest.approx(stats.chi2.sf(found.statistic, 12), rel=1e-9)


def test_log_means_are_tested_by_analysis_of_variance() -> None:
    rng = np.random.default_rng(4)
    samples = [rng.lognormal(8 + shift, 0.8, n) for shift, n in ((0, 5), (0.4, 9), (0.9, 4))]
    found = estimate_log_means(*log_sums(samples))
    expected = stats.f_oneway(*[np.log(sample) for sample in samples])
    assert found.heterogeneity.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.heterogeneity.statistic / 2 == pytest.approx(expected.statistic, rel=1e-9)
    np.testing.assert_allclose(found.raw, [stats.gmean(sample) for sample in samples])
    assert found.overall == pytest.approx(stats.gmean(np.concatenate(samples)))


def test_two_small_tables_have_fishers_exact_p() -> None:
    """Of the tables with margins (4, 4) and 4 won, only 4:0 and 0:4 are as far: 2 of 70."""
    found = estimate_rates([4, 0], [4, 4]).heterogeneity
    assert found.p_value == pytest.approx(2 / 70, abs=0.015)
    assert found.statistic == pytest.approx(8.0)  # 8 x phi^2, phi = 1
    assert estimate_rates([2, 2], [4, 4]).heterogeneity.p_value == 1.0


def test_single_unit_keeps_its_rate_with_the_jeffreys_interval() -> None:
    found = estimate_rates([3], [4])
    low, high = stats.beta.ppf([0.05, 0.95], 3.5, 1.5)
    assert found.estimate[0] == found.raw[0] == 0.75
    assert found.low[0] == pytest.approx(low, abs=0.02)
    assert found.high[0] == pytest.approx(high, abs=0.02)
    assert np.isnan(found.reliability[0])
    assert np.isnan(found.heterogeneity.p_value)
    assert (found.p_above[0], found.expected_rank[0]) == (0.5, 1.0)


def test_single_count_and_effect_keep_their_own() -> None:
    count = estimate_counts([6], [3.0])
    assert count.estimate[0] == 2.0
    assert count.high[0] == pytest.approx(stats.gamma.ppf(0.95, 6.5) / 3, rel=0.03)
    effect = estimate_effects([10.0], [2.0])
    assert effect.estimate[0] == 10.0
    assert effect.low[0] == pytest.approx(10 - 1.645 * 2, abs=0.2)


# --- laws --------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_row_order_is_irrelevant(table: list[tuple[int, int]], random) -> None:
    won, tried = np.array(table).T
    names = np.array([f"rep {row}" for row in range(len(table))])
    order = np.array(random.sample(range(len(table)), len(table)))
    straight = estimate_rates(won, tried, labels=names, n_draws=200)
    shuffled = estimate_rates(won[order], tried[order], labels=names[order], n_draws=200)
    pd.testing.assert_frame_equal(
        straight.to_frame().iloc[order].reset_index(drop=True),
        shuffled.to_frame(),
        check_exact=True,
    )
    np.testing.assert_array_equal(straight.draws[order], shuffled.draws)
    assert straight.heterogeneity == shuffled.heterogeneity or len(table) < 2


@settings(max_examples=30, deadline=None)
@given(tables)
def test_every_figure_is_in_its_range(table: list[tuple[int, int]]) -> None:
    won, tried = np.array(table).T
    found = estimate_rates(won, tried, n_draws=200)
    n_units = len(table)
    assert np.all((found.low >= 0) & (found.low <= found.estimate))
    assert np.all((found.estimate <= found.high) & (found.high <= 1))
    assert np.all((found.rank_low >= 1) & (found.rank_low <= found.rank_high))
    assert np.all(found.rank_high <= n_units)
    assert np.all((found.reliability >= 0) & (found.reliability <= 1))
    assert found.p_top_quartile.sum() == pytest.approx(-(-n_units // 4))
    assert found.expected_rank.sum() == pytest.approx(n_units * (n_units + 1) / 2)
    assert np.isnan(found.raw).tolist() == (tried == 0).tolist()


@settings(max_examples=30, deadline=None)
@given(tables)
def test_swapping_won_and_lost_mirrors_the_estimates(table: list[tuple[int, int]]) -> None:
    won, tried = np.array(table).T
    straight = estimate_rates(won, tried, n_draws=200)
    mirrored = estimate_rates(tried - won, tried, n_draws=200, higher_is_better=False)
    np.testing.assert_allclose(mirrored.estimate, 1 - straight.estimate, atol=1e-9)
    np.testing.assert_allclose(mirrored.reliability, straight.reliability, atol=1e-9)
    assert mirrored.heterogeneity.statistic == pytest.approx(
        straight.heterogeneity.statistic, abs=1e-9, nan_ok=True
    )


def test_swapping_won_and_lost_keeps_the_standing() -> None:
    straight = estimate_rates(WON, TRIED)
    mirrored = estimate_rates(TRIED - WON, TRIED, higher_is_better=False)
    np.testing.assert_allclose(mirrored.p_top_quartile, straight.p_top_quartile, atol=0.03)
    np.testing.assert_allclose(mirrored.p_above, straight.p_above, atol=0.03)
    np.testing.assert_allclose(mirrored.low, 1 - straight.high, atol=0.015)


def test_lower_is_better_turns_the_ranks_around() -> None:
    up = estimate_rates(WON, TRIED)
    down = estimate_rates(WON, TRIED, higher_is_better=False)
    np.testing.assert_array_equal(down.estimate, up.estimate)
    np.testing.assert_allclose(down.expected_rank, 7 - up.expected_rank)
    np.testing.assert_array_equal(down.rank_low, 7 - up.rank_high)
    np.testing.assert_allclose(down.p_above, 1 - up.p_above, atol=1e-3)  # but for equal draws


def test_names_do_not_matter() -> None:
    plain = estimate_rates(WON, TRIED).to_frame()
    named = estimate_rates(WON, TRIED, labels=NAMES[::-1]).to_frame()
    pd.testing.assert_frame_equal(plain[MEASURED], named[MEASURED], check_exact=True)
    assert named["label"].tolist() == NAMES[::-1]


def test_exposure_in_hours_divides_the_rates() -> None:
    rng = np.random.default_rng(2)
    exposure = rng.uniform(5, 90, 20)
    counts = rng.poisson(0.3 * exposure)
    days, hours = estimate_counts(counts, exposure), estimate_counts(counts, exposure * 8)
    np.testing.assert_allclose(hours.estimate, days.estimate / 8, rtol=1e-9)
    np.testing.assert_allclose(hours.high, days.high / 8, rtol=1e-5)
    np.testing.assert_array_equal(hours.rank_low, days.rank_low)
    assert hours.heterogeneity.between_sd == pytest.approx(days.heterogeneity.between_sd / 8)
    assert hours.overall == pytest.approx(counts.sum() / exposure.sum() / 8)


def test_values_in_another_currency_scale_and_shift() -> None:
    rng = np.random.default_rng(3)
    values, errors, n = rng.normal(50, 4, 20), rng.gamma(5, 0.6, 20), rng.integers(3, 60, 20)
    dollars = estimate_effects(values, errors, n=n)
    yen = estimate_effects(150 * values + 1000, 150 * errors, n=n)
    np.testing.assert_allclose(yen.estimate, 150 * dollars.estimate + 1000, rtol=1e-9)
    np.testing.assert_allclose(yen.p_top_quartile, dollars.p_top_quartile, atol=0.002)
    np.testing.assert_allclose(yen.reliability, dollars.reliability, rtol=1e-9)


def test_log_means_in_another_currency_scale() -> None:
    rng = np.random.default_rng(3)
    samples = [rng.lognormal(8, 0.9, n) for n in rng.integers(0, 30, 20)]
    euros = estimate_log_means(*log_sums(samples))
    cents = estimate_log_means(*log_sums([100 * sample for sample in samples]))
    np.testing.assert_allclose(cents.estimate, 100 * euros.estimate, rtol=1e-7)
    assert cents.heterogeneity.p_value == pytest.approx(euros.heterogeneity.p_value, rel=1e-6)


def test_equal_evidence_gives_equal_figures_but_own_draws() -> None:
    found = estimate_rates([3, 9, 3, 3], [10, 20, 10, 10])
    alike = found.to_frame().iloc[[0, 2, 3]][MEASURED]
    assert (alike == alike.iloc[0]).all(axis=None)
    assert np.corrcoef(found.draws[[0, 2]])[0, 1] < 0.9  # shared prior, own luck
    assert 2 < found.expected_rank[0] < 4


def test_single_mean_of_logs_is_its_geometric_mean_within_its_interval() -> None:
    sample = np.exp(np.random.default_rng(5).normal(4.1, 0.5, 200))
    found = estimate_log_means(*log_sums([sample]))
    expected = np.exp(np.log(sample).mean())
    assert found.estimate[0] == pytest.approx(expected)
    assert found.low[0] < expected < found.high[0] < 1.2 * expected


def test_seed_decides_everything_and_global_state_is_left_alone() -> None:
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again = estimate_rates(WON, TRIED), estimate_rates(WON, TRIED)
    other = estimate_rates(WON, TRIED, random_state=1)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.testing.assert_array_equal(first.draws, again.draws)
    assert not np.array_equal(first.draws, other.draws)
    np.testing.assert_allclose(first.estimate, other.estimate, rtol=1e-12)
    np.testing.assert_allclose(first.low, other.low, atol=0.02)


def test_more_evidence_for_the_same_rate_pulls_less() -> None:
    found = estimate_rates([3, 12, 48, 20, 10, 30], [4, 16, 64, 80, 50, 100])
    assert np.all(np.diff(found.estimate[:3]) > 0)
    assert found.estimate[2] < 0.75
    assert np.all(np.diff((found.high - found.low)[:3]) < 0)
    assert np.all(np.diff(found.reliability[:3]) > 0)


def test_a_higher_level_widens_every_interval() -> None:
    narrow, wide = estimate_rates(WON, TRIED, level=0.5), estimate_rates(WON, TRIED, level=0.99)
    assert np.all((wide.low < narrow.low) & (narrow.high < wide.high))
    assert np.all((wide.rank_low <= narrow.rank_low) & (narrow.rank_high <= wide.rank_high))


def test_overall_is_pooled_and_not_a_mean_of_rates() -> None:
    assert estimate_rates(WON, TRIED).overall == pytest.approx(63 / 184)
    assert estimate_counts([2, 30], [1.0, 99.0]).overall == pytest.approx(0.32)
    means = estimate_effects([10.0, 20.0], [1.0, 1.0], n=[1, 3])
    assert means.overall == pytest.approx(17.5)
    totals = estimate_effects([10.0, 20.0], [1.0, 9.0])
    assert totals.overall == pytest.approx(15.0)


# --- subsets -----------------------------------------------------------------------------------


def test_within_all_is_the_same() -> None:
    found = estimate_rates(WON, TRIED, labels=NAMES)
    again = found.within(NAMES)
    pd.testing.assert_frame_equal(found.to_frame(), again.to_frame(), check_exact=True)
    assert again.overall == found.overall
    assert again.heterogeneity == found.heterogeneity


def test_within_keeps_the_posterior_and_ranks_anew() -> None:
    found = estimate_rates(WON, TRIED, labels=NAMES)
    team = found.within(["Dee", "Ben", "Eve"])
    rows = [1, 3, 4]
    assert team.labels.tolist() == ["Ben", "Dee", "Eve"]
    np.testing.assert_array_equal(team.draws, found.draws[rows])
    np.testing.assert_array_equal(team.low, found.low[rows])
    assert team.overall == pytest.approx(48 / 153)
    best = found.draws[rows].argmax(axis=0)
    np.testing.assert_allclose(team.p_top_quartile, np.bincount(best, minlength=3) / 4000)
    pooled = (TRIED[rows] / 153) @ found.draws[rows]
    np.testing.assert_allclose(team.p_above, (found.draws[rows] > pooled).mean(axis=1), atol=1e-3)
    assert team.heterogeneity.df == 2


def test_within_of_each_kind_pools_the_subset() -> None:
    rng = np.random.default_rng(8)
    for found in estimate_each_kind(rng, 12, 200):
        team = found.within([0, 5, 7])
        again = team.within([5, 7])
        n, raw = found.n[[5, 7]], found.raw[[5, 7]]
        is_geometric = found.heterogeneity.scale == "log"
        pooled = np.average(np.log(raw) if is_geometric else raw, weights=n)
        assert again.overall == pytest.approx(np.exp(pooled) if is_geometric else pooled)
        assert again.rank_high.max() <= 2
        assert team.heterogeneity.df == 2


def test_within_one_none_and_unknown() -> None:
    found = estimate_rates(WON, TRIED, labels=NAMES)
    alone = found.within(["Cy"])
    assert (alone.expected_rank[0], alone.p_above[0], alone.p_top_quartile[0]) == (1, 0.5, 1)
    assert alone.overall == 0.25
    assert found.within([]).to_frame().empty
    with pytest.raises(ParameterError, match="within: 'labels' has 1 unknown values.*'Zoe'"):
        found.within(["Ada", "Zoe"])


# --- planted truth -----------------------------------------------------------------------------


def draw_trials(rng: np.random.Generator, n_units: int) -> np.ndarray:
    return np.maximum(np.round(rng.lognormal(np.log(12), 0.55, n_units)), 1).astype(int)


def simulate_rates(rng: np.random.Generator, n_units: int) -> tuple[np.ndarray, Estimates]:
    truth, trials = rng.beta(11, 25.7, n_units), draw_trials(rng, n_units)  # SD .075
    return truth, estimate_rates(rng.binomial(trials, truth), trials, n_draws=800)


def simulate_counts(rng: np.random.Generator, n_units: int) -> tuple[np.ndarray, Estimates]:
    truth, exposure = rng.gamma(8, 0.025, n_units), rng.lognormal(np.log(50), 0.4, n_units)
    return truth, estimate_counts(rng.poisson(truth * exposure), exposure, n_draws=800)


def simulate_effects(rng: np.random.Generator, n_units: int) -> tuple[np.ndarray, Estimates]:
    truth, errors = rng.normal(10, 1, n_units), rng.gamma(6, 0.25, n_units)
    return truth, estimate_effects(rng.normal(truth, errors), errors, n_draws=800)


def simulate_log_means(rng: np.random.Generator, n_units: int) -> tuple[np.ndarray, Estimates]:
    truth, n = rng.lognormal(9, 0.25, n_units), draw_trials(rng, n_units)
    unit = np.repeat(np.arange(n_units), n)
    logs = rng.normal(np.log(truth)[unit], 0.9)
    sums, squares = (np.bincount(unit, logs**power, n_units) for power in (1, 2))
    return truth, estimate_log_means(n, sums, squares, n_draws=800)


SIMULATED = [simulate_rates, simulate_counts, simulate_effects, simulate_log_means]


@pytest.mark.parametrize("simulate", SIMULATED)
@pytest.mark.parametrize(("n_units", "n_companies"), [(60, 100), (20, 150)])
def test_intervals_cover_the_truth(simulate, n_units: int, n_companies: int) -> None:
    rng = np.random.default_rng(21)
    covered = []
    for _ in range(n_companies):
        truth, found = simulate(rng, n_units)
        covered.append((found.low <= truth) & (truth <= found.high))
    least, most = (0.88, 0.92) if n_units >= 60 else (0.88, 0.95)
    assert least <= np.mean(covered) <= most


def test_estimates_halve_the_error_of_raw_rates_and_know_the_top_quartile() -> None:
    rng = np.random.default_rng(22)
    raw_error, error, said, is_top = [], [], [], []
    for _ in range(40):
        truth, found = simulate_rates(rng, 200)
        raw_error.append((found.raw - truth) ** 2)
        error.append((found.estimate - truth) ** 2)
        said.append(found.p_top_quartile)
        is_top.append(np.argsort(np.argsort(-truth)) < 50)
    assert np.sqrt(np.mean(error) / np.mean(raw_error)) <= 0.5
    said, is_top = np.concatenate(said), np.concatenate(is_top)
    bins = np.minimum((said * 10).astype(int), 9)
    assert np.abs(np.bincount(bins, said - is_top)).sum() / said.size <= 0.02


def test_log_trials_keep_the_busy_from_being_promoted() -> None:
    """Where busier reps win less, shrinking all to one level would be worse than raw."""
    rng = np.random.default_rng(23)
    raw_right, right = 0.0, 0.0
    for _ in range(40):
        standard = rng.normal(size=200)
        trials = np.maximum(np.round(12 * np.exp(0.9 * standard)), 1).astype(int)
        logit = np.log(0.3 / 0.7) + 0.9 * (-0.7 * standard + 0.51**0.5 * rng.normal(size=200))
        truth = 1 / (1 + np.exp(-logit))
        found = estimate_rates(rng.binomial(trials, truth), trials, n_draws=200)
        best = np.argsort(-truth)[:20]
        raw_right += np.isin(best, np.argsort(-found.raw)[:20]).mean()
        right += np.isin(best, np.argsort(-found.estimate)[:20]).mean()
    assert right >= raw_right


@pytest.mark.parametrize("n_units", [8, 30])
def test_equal_companies_are_seldom_flagged(n_units: int) -> None:
    """200 companies of equal units per kind: at most 5% flagged, plus 2.5 standard errors."""
    rng = np.random.default_rng(24)
    flagged = [
        [found.heterogeneity.is_beyond_chance for found in estimate_each_null(rng, n_units)]
        for _ in range(200)
    ]
    assert np.all(np.mean(flagged, axis=0) <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 200))


def estimate_each_null(rng: np.random.Generator, n_units: int) -> list[Estimates]:
    trials = rng.integers(1, 15, n_units)
    unit = np.repeat(np.arange(n_units), trials)
    logs = rng.normal(9, 0.9, unit.size)
    sums, squares = (np.bincount(unit, logs**power, n_units) for power in (1, 2))
    errors = rng.gamma(4, 0.3, n_units)
    return [
        estimate_rates(rng.binomial(trials, 0.15), trials, n_draws=100),
        estimate_counts(rng.poisson(0.1 * trials), trials, n_draws=100),
        estimate_effects(rng.normal(5, errors), errors, n_draws=100),
        estimate_log_means(trials, sums, squares, n_draws=100),
    ]


def test_unequal_companies_are_flagged_and_measured() -> None:
    rng = np.random.default_rng(25)
    trials = np.full(60, 40)
    found = [
        estimate_rates(rng.binomial(trials, rng.beta(3.9, 9.1, 60)), trials, n_draws=100)
        for _ in range(30)
    ]
    assert all(one.heterogeneity.is_beyond_chance for one in found)
    between = np.mean([one.heterogeneity.between_sd for one in found])
    assert between == pytest.approx(np.sqrt(0.3 * 0.7 / 14), abs=0.01)  # the planted SD, .122


def test_equal_units_are_pulled_to_the_overall_level() -> None:
    rng = np.random.default_rng(26)
    found = estimate_rates(rng.binomial(20, 0.3, 60), np.full(60, 20))
    assert not found.heterogeneity.is_beyond_chance
    assert np.ptp(found.estimate) < np.ptp(found.raw) / 3
    assert np.all(found.rank_high - found.rank_low > 30)


# --- edges -------------------------------------------------------------------------------------


def test_no_units_give_an_empty_result() -> None:
    for found in (
        estimate_rates([], []),
        estimate_counts([], []),
        estimate_effects([], []),
        estimate_log_means([], [], []),
    ):
        assert found.to_frame().shape == (0, 12)
        assert found.draws.shape == (0, 4000)
        assert np.isnan(found.overall)
        assert not found.heterogeneity.is_beyond_chance
        assert repr(found).startswith("No units: nothing to estimate.")


def test_a_unit_without_evidence_gets_the_prior_and_a_wide_interval() -> None:
    cases = [
        (estimate_rates([10, 12, 9, 14, 0], [30, 40, 25, 50, 0]), 0.31),
        (estimate_counts([10, 12, 9, 14, 0], [30, 40, 25, 50, 0]), 0.31),
        (estimate_effects([5.0, 6.0, 5.5, 4.5, np.nan], [1, 1, 1, 1, 0], n=[9, 9, 9, 9, 0]), 5.25),
        (estimate_log_means([4, 4, 4, 4, 0], [20, 21, 20, 19, 0], [103, 112, 102, 92, 0]), 148.4),
    ]
    for found, level in cases:
        assert np.isnan(found.raw[4])
        assert found.n[4] == 0
        assert found.reliability[4] == 0
        assert found.estimate[4] == pytest.approx(level, rel=0.1)
        widths = found.high - found.low
        assert widths[4] == widths.max()


def test_nothing_known_at_all() -> None:
    rates = estimate_rates([0, 0, 0], [0, 0, 0])
    np.testing.assert_allclose(rates.estimate, 0.5)
    assert np.all((rates.low < 0.1) & (rates.high > 0.9))
    for found in (
        estimate_counts([0, 0], [0, 0]),
        estimate_effects([0, 0], [1, 1], n=[0, 0]),
        estimate_log_means([0, 0], [0, 0], [0, 0]),
    ):
        assert np.isnan(found.estimate).all()
        assert np.isnan(found.p_top_quartile).all()
        assert found.rank_low.tolist() == [1, 1]
        assert found.rank_high.tolist() == [2, 2]
        assert np.isnan(found.overall)


@pytest.mark.parametrize("won", [0, 1])
def test_all_lost_or_all_won_is_no_difference(won: int) -> None:
    tried = np.array([1, 4, 10, 40, 3, 8])
    found = estimate_rates(tried * won, tried)
    assert found.heterogeneity.p_value == 1.0
    assert found.heterogeneity.between_sd == 0.0
    assert found.overall == won
    assert np.all(np.abs(found.estimate - won) < 0.1)
    assert np.all((found.rank_low <= 2) & (found.rank_high >= 5))


def test_no_events_at_all_are_no_difference() -> None:
    found = estimate_counts([0, 0, 0], [10.0, 20.0, 400.0])
    assert found.heterogeneity.p_value == 1.0
    assert np.all((found.estimate > 0) & (found.estimate < 0.01))


def test_extreme_sizes_stay_finite() -> None:
    cases = [
        estimate_rates([0, 1, 5 * 10**8, 900_000_000], [1, 1, 10**9, 10**9]),
        estimate_counts([0, 3, 10**7], [1e-9, 1e-6, 1e9]),
        estimate_effects([0.0, 1e6, 2e6, -3.0], [1e-6, 1e-3, 1e5, 1e9]),
        estimate_log_means([1, 2, 3], [5, 10, 15], [25, 50, 75]),  # one amount throughout
    ]
    for found in cases:
        assert np.isfinite(found.to_frame()[MEASURED].to_numpy()).all()


def test_overwhelming_evidence_keeps_the_raw_figures() -> None:
    found = estimate_effects([1.0, 2.0, 5.0], [1e-6, 1e-6, 1e-6])
    np.testing.assert_allclose(found.estimate, [1, 2, 5], rtol=1e-6)
    assert found.expected_rank.tolist() == [3, 2, 1]
    assert (found.rank_low == found.rank_high).all()


def test_single_observations_cannot_tell_noise_from_difference() -> None:
    logs = np.array([4.0, 5.0, 6.0, 7.5])
    found = estimate_log_means([1, 1, 1, 1], logs, logs**2)
    assert not found.heterogeneity.is_beyond_chance
    assert found.heterogeneity.between_sd == 0
    assert np.ptp(np.log(found.estimate)) < np.ptp(logs)


def test_pandas_columns_and_flags_are_read() -> None:
    frame = pd.DataFrame({"won": [3, 5], "tried": [4, 9]}).astype("Int64")
    found = estimate_rates(frame["won"], frame["tried"], labels=pd.Series(["a", "b"]))
    assert found.n.tolist() == [4, 9]
    assert found.n.dtype.kind == "i"
    assert estimate_effects([1.0, 2.0], [1, 1], n=[True, False]).n.tolist() == [1, 0]


# --- hostile input -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("won", "tried", "message"),
    [
        ([5, 2], [4, 3], r"'successes' has 1 values above 'trials'.*'5 in row 0'"),
        ([1, -1], [4, 3], r"'successes' has 1 values that are no counts.*'-1 in row 1'"),
        ([1, 2], [4, 3.5], r"'trials' has 1 values that are no counts.*'3.5 in row 1'"),
        ([1, None], [4, 3], r"'successes' has 1 missing or infinite.*'nan in row 1'"),
        ([1, 2], [4, np.inf], r"'trials' has 1 missing or infinite.*'inf in row 1'"),
        ([1, 2, 3], [4, 3], r"lengths differ: 'successes' has 3, 'trials' has 2"),
        ([[1, 2]], [4, 3], r"'successes' has 2 dimensions"),
        (["1", "2"], [4, 3], r"'successes' is not numeric"),
        (pd.Series([1, pd.NA], dtype="Int64"), [4, 3], r"'successes' has 1 missing or infinite"),
    ],
)
def test_bad_rates_are_refused(won, tried, message: str) -> None:
    with pytest.raises(ParameterError, match=r"estimate_rates: (?s:.*)" + message):
        estimate_rates(won, tried)


def test_all_problems_are_told_at_once_with_five_examples() -> None:
    with pytest.raises(ParameterError) as caught:
        estimate_rates([-1] * 7, [np.nan] * 7)
    message = str(caught.value)
    assert "'successes' has 7 values that are no counts" in message
    assert "'trials' has 7 missing or infinite values" in message
    assert message.count("'-1 in row") == 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: estimate_counts([1], [-2.0]), "'exposure' has 1 negative values"),
        (lambda: estimate_counts([1], [0.0]), "'counts' has 1 values above 0 where 'exposure'"),
        (lambda: estimate_counts([0.5], [2.0]), "'counts' has 1 values that are no counts"),
        (lambda: estimate_effects([1.0], [0.0]), "'standard_errors' has 1 values that are not"),
        (lambda: estimate_effects([np.nan], [1.0]), "'values' has 1 missing"),
        (lambda: estimate_effects([1.0], [1.0], n=[-1]), "'n' has 1 values that are no counts"),
        (lambda: estimate_effects([1.0], [1.0], n=[np.nan]), "'n' has 1 missing"),
        (lambda: estimate_log_means([2], [10.0], [3.0]), "'log_sum_squares' has 1 values"),
        (lambda: estimate_log_means([1], [2.0], [5.0]), "'log_sum_squares' has 1 values"),
        (lambda: estimate_log_means([1], [np.inf], [5.0]), "'log_sum' has 1 missing or infinite"),
        (lambda: estimate_rates([1], [2], level=1.0), "'level' is 1.0"),
        (lambda: estimate_rates([1], [2], n_draws=10), "'n_draws' is 10"),
        (lambda: estimate_rates([1], [2], random_state=-1), "'random_state' is -1"),
        (lambda: estimate_rates([1], [2], labels=["a", "b"]), "'labels' has 2 values; expected 1"),
        (
            lambda: estimate_rates([1, 1], [2, 2], labels=["a", "a"]),
            "'labels' has 1 repeated values.*'a'",
        ),
    ],
)
def test_bad_arguments_are_refused(call: Callable[[], Estimates], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        call()


# --- shown -------------------------------------------------------------------------------------


def render(found: Estimates) -> str:
    console = Console(file=StringIO(), width=200)
    console.print(found)
    return console.file.getvalue()


def test_nobody_is_named_where_units_do_not_differ() -> None:
    names = [f"Person {row}" for row in range(30)]
    wins = np.random.default_rng(6).binomial(10, 0.3, 30)
    found = estimate_rates(wins, np.full(30, 10), labels=names)
    p_value = f"{found.heterogeneity.p_value:.2f}".removeprefix("0")
    expected = f"30 units do not differ beyond chance (p = {p_value}): nobody is ranked."
    for text in (repr(found), render(found)):
        assert text.splitlines()[0].strip() == expected
        assert "Person" not in text
    assert found.finding == expected


def test_the_best_are_named_with_their_intervals_where_units_differ() -> None:
    won, tried = np.array([40, 20, 5, 6, 7, 30, 8]), np.full(7, 50)
    found = estimate_rates(won, tried, labels=[*"ABCDEF", "[red]G"])
    for text in (repr(found), render(found)):
        assert text.startswith("7 units differ beyond chance (p = .001).")
        assert "80.0%" in text
        assert "(2 more)" in text
        assert f"{found.rank_low[0]}-{found.rank_high[0]}" in text
        assert text.index(" A ") < text.index(" F ") < text.index(" B ")
        assert "A place is a range" in text
    assert "[red]G" in render(found.within(["A", "[red]G"]))


def test_geometric_means_say_so() -> None:
    found = estimate_log_means([4, 4], [20, 21], [103, 112])
    assert "geometric means" in repr(found)


def test_estimates_are_frozen_and_frames_follow_the_rows() -> None:
    found = estimate_rates(WON, TRIED, labels=NAMES)
    frame = found.to_frame()
    assert list(frame.columns) == ["label", "n", "raw", *MEASURED]
    assert frame["label"].tolist() == NAMES
    assert frame["raw"].tolist() == pytest.approx((WON / TRIED).tolist())
    with pytest.raises(FrozenInstanceError):
        found.level = 0.5
