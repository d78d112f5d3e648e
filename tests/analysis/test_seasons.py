import numpy as np
import pytest
from scipy.stats import norm, t

from salesnb.analysis import seasons
from salesnb.analysis.seasons import Past, expect_season


def made_past(seed=0, n=12, noise=0.05):
    generator = np.random.default_rng(seed)
    places = np.arange(3.0, 3 + n)
    ratios = 0.2 * (places % 4 == 3) + 0.01 * places + generator.normal(0, noise, n)
    return Past(ratios, np.linspace(0.04, 0.06, n), places)


def test_expectation_and_variance_are_those_of_bayes_with_flat_priors(monkeypatch):
    """One variance of seasons: least squares with a row a season that says it is 0."""
    monkeypatch.setattr(seasons, "_DEVIATIONS", np.array([0.1]))
    past = made_past(noise=0.01)
    found = expect_season(past, 15)
    design = np.column_stack(
        [np.ones(12), past.places - past.places[-8:].mean(), past.places[:, None] % 4 == range(4)]
    )
    prior = np.column_stack([np.zeros((4, 2)), np.eye(4)]) / 0.1
    rows = np.vstack([design / past.errors[:, None], prior])
    answer = np.linalg.lstsq(rows, np.append(past.ratios / past.errors, np.zeros(4)))[0]
    wanted = np.array([1, 0, 0, 0, 0, 1])
    assert found.ratio == pytest.approx(wanted @ answer)
    assert found.season == pytest.approx(answer[5] - answer[2:].mean())
    assert (found.spread, found.freedom) == (1.0, np.inf)
    assert found.variance == pytest.approx(wanted @ np.linalg.inv(rows.T @ rows) @ wanted)


def test_spread_and_freedom_are_those_of_the_residuals(monkeypatch):
    monkeypatch.setattr(seasons, "_DEVIATIONS", np.zeros(1))  # plain regression: 12 - 2 left
    past = made_past(noise=0.3)
    line = np.polyfit(past.places, past.ratios, 1, w=1 / past.errors)
    away = (past.ratios - np.polyval(line, past.places)) / past.errors
    found = expect_season(past, 15)
    spread = np.sum(away**2) / 10
    assert found.spread == pytest.approx(spread)
    assert found.freedom == pytest.approx(10 * (spread / (spread - 1)) ** 2)


def test_limits_and_z_are_as_unlikely_as_those_of_a_normal():
    for freedom in (3.0, 12.0, 1e7):
        reach = seasons.reach_of(3.0, freedom)
        assert t.sf(reach, freedom) == pytest.approx(norm.sf(3.0))
        assert seasons.as_normal(-reach, freedom) == pytest.approx(-3.0)
    assert seasons.reach_of(3.0, 1e7) == pytest.approx(3.0, abs=1e-4)
    assert np.isnan(seasons.as_normal(np.nan, 5.0))
    assert np.isfinite(seasons.as_normal(1e6, 40.0))
