import numpy as np
import pandas as pd
import pytest
from made_company import QUARTERS, make_measures
from scipy.stats import gamma, norm

from salesnb.analysis.plan import skill_importance
from salesnb.analysis.plan.importance import find_weights, pair
from salesnb.analysis.plan.outcomes import find_outcomes
from salesnb.analysis.plan.positive import _SCALES, _SHAPES, draw_effects
from salesnb.analysis.plan.ridge import Rows, fit_toward
from salesnb.errors import ParameterError
from salesnb.measures.cache import load_measures
from salesnb.sources.sample.framework import importance, skill_names


def simulate_rows(rng, effects, *, n_reps=150, n_quarters=6, own_sd=0.2, noise=0.3, same_sd=0.6):
    """Simulate people's skills, and results of several quarters with a part of their own."""
    person = np.tile(np.arange(n_reps), n_quarters)
    skills = rng.normal(3, same_sd, (n_reps, len(effects)))
    own = rng.normal(0, own_sd, n_reps)
    quarter = np.repeat(np.arange(n_quarters), n_reps)
    outcome = (skills @ effects + own)[person] + rng.normal(0, noise, len(person)) + 0.1 * quarter
    return Rows(
        skills[person], outcome, np.full(len(person), noise**2), person, np.eye(n_quarters)[quarter]
    )


def test_without_any_data_the_weights_stand():
    nothing = Rows(np.empty((0, 2)), np.empty(0), np.empty(0), np.empty(0, int), np.empty((0, 1)))
    fit = fit_toward(nothing, np.array([3.0, 1.0]), total=0.4)
    np.testing.assert_allclose(fit.mean, [0.3, 0.1])
    assert np.isnan(fit.p_weights)
    assert fit.draws[:, 0].std() > 0.2


def test_with_much_data_least_squares_stands_whatever_the_weights():
    rng = np.random.default_rng(1)
    rows = simulate_rows(rng, np.array([0.3, 0.0, 0.1]), n_reps=4_000, own_sd=0.05, noise=0.1)
    fit = fit_toward(rows, np.array([0.1, 1.0, 1.0]))
    everything = np.column_stack([rows.skills, rows.controls])
    least_squares = np.linalg.lstsq(everything, rows.outcome)[0][:3]
    np.testing.assert_allclose(fit.mean, least_squares, atol=0.004)
    assert fit.p_weights < 1e-6


def test_intervals_hold_the_truth_and_right_weights_are_not_contradicted():
    rng = np.random.default_rng(2)
    held, p_values = [], []
    for _ in range(30):
        weights = rng.uniform(0.5, 2, 6)
        effects = 0.3 * weights / weights.sum() * rng.gamma(3, 1 / 3, 6)
        fit = fit_toward(simulate_rows(rng, effects), weights)
        low, high = np.quantile(fit.draws, [0.05, 0.95], axis=0)
        held.append((low <= effects) & (effects <= high))
        right = fit_toward(simulate_rows(rng, 0.3 * weights / weights.sum()), weights)
        p_values.append(right.p_weights)
    assert np.mean(held) == pytest.approx(0.9, abs=0.06)
    assert np.mean(np.array(p_values) < 0.05) <= 0.15
    assert np.median(p_values) == pytest.approx(0.5, abs=0.2)


def test_people_are_not_as_much_evidence_as_their_quarters():
    rng = np.random.default_rng(3)
    effects = np.array([0.1, 0.1])
    rows = simulate_rows(rng, effects, own_sd=0.6, n_reps=40)
    split = Rows(rows.skills, rows.outcome, rows.noise, np.arange(len(rows.outcome)), rows.controls)
    one, many = (fit_toward(each, np.ones(2)) for each in (rows, split))
    assert one.draws[:, 0].var() > 1.3 * many.draws[:, 0].var()


def test_scaling_the_outcome_scales_the_effects():
    rows = simulate_rows(np.random.default_rng(4), np.array([0.2, 0.05]))
    scaled = Rows(rows.skills, 3 * rows.outcome, 9 * rows.noise, rows.person, rows.controls)
    weights = np.array([1.0, 2.0])
    one, three = fit_toward(rows, weights), fit_toward(scaled, weights, total=0.9)
    np.testing.assert_allclose(3 * one.mean, three.mean, rtol=1e-6)
    np.testing.assert_allclose(3 * one.draws, three.draws, rtol=1e-6)


def test_skills_that_do_not_vary_are_left_to_the_weights():
    rows = simulate_rows(np.random.default_rng(5), np.array([0.2, 0.0]))
    same = np.column_stack([rows.skills, np.full(len(rows.outcome), 3.0)])
    fit = fit_toward(Rows(same, rows.outcome, rows.noise, rows.person, rows.controls), np.ones(3))
    assert np.isfinite(fit.mean).all()
    assert fit.draws[:, 2].var() > fit.draws[:, 0].var()


def test_no_skill_is_taken_to_do_harm_but_it_is_told_when_results_look_so():
    rows = simulate_rows(np.random.default_rng(6), np.array([0.3, -0.3]))
    fit = fit_toward(rows, np.ones(2))
    assert (fit.draws >= 0).all()
    assert fit.mean[1] < 0.02
    assert fit.p_positive[1] < 0.01 < 0.99 < fit.p_positive[0]


def test_draws_have_the_moments_of_their_density():
    # one skill: its density on a grid, the prior added up over the shapes and scales it may have
    precision, found = np.array([[30.0]]), np.array([6.0])
    drawn = draw_effects(precision, found, np.ones(1), 0.5)[:, 0]
    effect = (np.arange(6_000) + 0.5) / 2_000
    shape, scale = _SHAPES[:, None, None], _SCALES[None, :, None]
    prior = gamma.pdf(effect, shape, scale=0.5 * scale / shape) * norm.pdf(scale, 1, 1)
    density = prior.sum(axis=(0, 1)) * np.exp(found * effect - 15 * effect**2)
    mean = np.average(effect, weights=density)
    assert drawn.mean() == pytest.approx(mean, abs=0.01)
    spread = np.average((effect - mean) ** 2, weights=density) ** 0.5
    assert drawn.std() == pytest.approx(spread, rel=0.05)


def test_outcomes_are_what_was_won_against_everybody():
    rows = [
        ("A1", "A", QUARTERS[0], "win_rate", 6, 10, 10, np.nan, np.nan),
        ("A2", "A", QUARTERS[0], "win_rate", 0, 10, 10, np.nan, np.nan),
        ("A3", "A", QUARTERS[0], "win_rate", 0, 0, 0, np.nan, np.nan),
    ]
    found = find_outcomes(make_measures(rows, kpis=("win_rate",)), "win_rate", QUARTERS[:1])
    assert list(found["rep_id"]) == ["A1", "A2"]
    # .3 on average: slope .21, so .3 apart is 1.43 on the log odds, from 10 with a variance 1/2.1
    np.testing.assert_allclose(found["outcome"], [0.3 / 0.21, -0.3 / 0.21])
    np.testing.assert_allclose(found["noise"], 1 / 2.1)


def test_a_skill_nobody_has_seen_counts_as_the_others():
    scores = pd.DataFrame(
        {"rep_id": ["A", "A", "B", "B", "C"], "skill": ["x", "y", "x", "y", "x"],
         "score": [4.0, 3.0, 2.0, 2.0, 4.0]}
    )  # fmt: skip
    results = pd.DataFrame({"rep_id": ["C", "A", "Z"], "outcome": 0.0})
    known, found = pair(scores, results, ("x", "y"))
    assert list(known["rep_id"]) == ["A", "C"]
    np.testing.assert_allclose(found, [[4, 3], [4, 2.5 + 4 - 10 / 3]])


def test_weights_that_say_nothing_count_alike():
    framework = pd.DataFrame({"skill": ["x", "y"], "group": "all", "weight": [0.0, 0.0]})
    assert list(find_weights(framework)["weight"]) == [1.0, 1.0]
    assert list(find_weights(framework.drop(columns="weight"))["weight"]) == [1.0, 1.0]


def company(**options):
    rows = [("A1", "A", quarter, "win_rate", 2, 10, 10, np.nan, np.nan) for quarter in QUARTERS]
    return make_measures(rows, kpis=("win_rate",), **options)


def test_without_ratings_the_weights_stand_and_it_is_said():
    framework = [("listening", "AE", "all", 3.0), ("closing", "AE", "all", 3.0)]
    found = skill_importance(company(skills=framework), period=QUARTERS[-1])
    assert "as the manager weighs them" in found.finding
    assert "Assumed" in found.caveat
    np.testing.assert_allclose(found.skills["importance"], 0.15)
    assert found.candidates() == ()


def test_what_is_unknown_is_refused_or_said():
    empty = skill_importance(company(), period=QUARTERS[-1])
    assert "the framework names no skill" in empty.finding
    with pytest.raises(ParameterError, match="outcome: 'leads' is none of win_rate, bookings"):
        skill_importance(company(), period=QUARTERS[-1], outcome="leads")
    with pytest.raises(ParameterError, match="no data for '2031Q1'"):
        skill_importance(company(), period="2031Q1")


@pytest.fixture(scope="module")
def sample():
    truth = pd.Series(importance(), index=list(skill_names()))
    return skill_importance(load_measures(), period="2026Q3"), truth


def test_the_sample_companys_importance_is_learned(sample):
    found, truth = sample
    skills = found.skills.set_index("skill")
    learned = np.corrcoef(skills["importance"].reindex(truth.index), truth)[0, 1]
    by_weight = np.corrcoef(skills["weight"].reindex(truth.index), truth)[0, 1]
    assert learned > by_weight > 0.5
    # the planted shares of winning, as large in sum as estimated: within the intervals
    scaled = truth.reindex(skills.index) * skills["importance"].sum()
    inside = (skills["low"] <= scaled) & (scaled <= skills["high"])
    assert inside.mean() >= 0.8
    assert len(found.candidates()) == 1
