import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trained_company import BEFORE, RULES, as_panel, study_of, train, train_in_turn

from salesnb.analysis.impact.effect import UNKNOWN, Effect, estimate_effect, permutation_p_value
from salesnb.analysis.impact.estimators import (
    compare_means,
    overlap,
    symmetric_did,
    team_effect,
    within_teams,
)
from salesnb.analysis.impact.explain import list_checks
from salesnb.analysis.impact.naive import pre_post
from salesnb.analysis.impact.staggered import NEVER, staggered_effect
from salesnb.analysis.impact.study import compare
from salesnb.analysis.impact.verdict import Check, decide
from salesnb.analysis.impact.windows import symmetric_windows, waitlist_windows


def golden_panel():
    """Arithmetic without chance, so that another package could be given the same."""
    rows, quarters = np.arange(60), np.arange(9)
    i, t = rows[:, None], quarters[None]
    at = np.where(rows % 3 == 0, 4, np.where(rows % 3 == 1, 6, NEVER))
    y = np.sin(i * 1.7) + 0.3 * np.cos(t * 2.1) + 0.5 * np.sin(i * 12.9898 + t * 78.233)
    return as_panel(y + 0.4 * np.where(t >= at[:, None], t - at[:, None] + 1, 0), rows % 4), at


def test_groups_in_turn_are_as_pyfixest_estimates_them():
    # pyfixest 0.60: feols("y ~ i(rel, ref=-1) | unit + time", CRV1 by unit), group 4 and the never
    panel, at = golden_panel()
    rows = (at == 4) | (at == NEVER)
    found = staggered_effect(panel.take(rows), at[rows], selection=0, longest=9, from_quarter=0)
    effects = found.by_quarter.set_index("relative")
    expected = {-4: -0.007262, -3: 0.001809, -2: -0.006201, 0: 0.396187, 1: 0.797255, 2: 1.199032,
                3: 1.594577, 4: 2.001294}  # fmt: skip
    assert effects["estimate"].drop(-1).to_dict() == pytest.approx(expected, abs=1e-6)
    errors = {-4: 0.207097, 0: 0.229645, 4: 0.167504}
    assert effects["error"][list(errors)].to_dict() == pytest.approx(errors, rel=0.011)


def test_all_groups_together_are_near_did2s_and_far_from_two_way_effects():
    # pyfixest 0.60: event_study(estimator="did2s") 1.050597, "twfe" 0.807964; planted 1.05
    panel, at = golden_panel()
    found = staggered_effect(panel, at, selection=0, base=4, longest=9, from_quarter=0).overall
    assert found.estimate == pytest.approx(1.050597, abs=1e-3)
    assert (found.n_trained, found.n_compared) == (40, 20)


def test_the_regression_is_as_pyfixest_estimates_it():
    # pyfixest 0.60: feols("y ~ tr + lag + C(team)", vcov="HC2"), quarter 6 on quarter 2
    panel, at = golden_panel()
    rows = at != 6
    y = panel.numerator[rows]
    found = estimate_effect(y[:, 6], at[rows] == 4, covariates=y[:, [2]], groups=panel.groups[rows])
    assert found.estimate == pytest.approx(1.218917114352604, rel=1e-9)
    # which multiplies HC2 by n / (n - k) besides: 40 people, 6 coefficients
    assert found.error == pytest.approx(0.1476917301098401 * (34 / 40) ** 0.5, rel=1e-9)


def test_two_groups_have_the_freedom_of_welch():
    # HC2 with Bell and McCaffrey's freedom is Welch's t without covariates; its freedom is taken
    # at equal variances: (1/n + 1/m)^2 / (1/(n^2 (n-1)) + 1/(m^2 (m-1)))
    y = np.array([1.0, 2, 4, 8, 3, 5, 9])
    found = estimate_effect(y, np.array([True] * 3 + [False] * 4))
    assert found.estimate == pytest.approx(7 / 3 - 25 / 4)
    assert found.error == pytest.approx(np.sqrt(y[:3].var(ddof=1) / 3 + y[3:].var(ddof=1) / 4))
    assert found.freedom == pytest.approx((1 / 3 + 1 / 4) ** 2 / (1 / (9 * 2) + 1 / (16 * 3)))


def test_the_national_supported_work_experiment(shared_data):
    people = pd.read_csv(shared_data / "nsw_experiment/nsw_mixtape.csv")
    found = estimate_effect(people["re78"].to_numpy(float), people["treat"].to_numpy() == 1)
    assert found.estimate == pytest.approx(1794, rel=0.005)
    assert found.error == pytest.approx(671, rel=0.005)  # Imbens and Rubin's Neyman error: $671


@given(st.integers(0, 10**6), st.floats(-50, 50), st.floats(0.1, 20))
@settings(max_examples=25, deadline=None)
def test_level_order_and_seasons_do_not_matter_and_scale_scales(seed, level, scale):
    rng = np.random.default_rng(seed)
    panel, trained = train(rng, "random", n=60)
    windows = symmetric_windows(BEFORE, len(panel.periods))
    base = symmetric_did(panel, trained, windows)
    order, season = rng.permutation(60), rng.normal(0, 3, len(panel.periods))
    moved = as_panel((panel.numerator + level + season) * scale, np.arange(60) % 10)
    found = symmetric_did(moved.take(order), trained[order], windows)
    assert found.estimate == pytest.approx(base.estimate * scale, rel=1e-6, abs=1e-8)
    assert found.error == pytest.approx(base.error * scale, rel=1e-6)


def test_windows_are_as_long_and_as_far_from_the_selection():
    for at in range(12):
        for n_periods in range(at + 1, 16):
            windows = symmetric_windows(at, n_periods)
            assert len(windows.before) == len(windows.after) <= 4
            if windows.is_usable:
                middle = windows.selection.mean()
                assert windows.after.min() - middle == middle - windows.before.max()
    assert waitlist_windows(2, 9).before.tolist() == [0, 1]


def test_a_fading_spell_cancels_at_equal_distance_only():
    fade = 0.5 ** np.abs(np.arange(14) - 7.5)  # a weak spell around the two quarters before 9
    panel = as_panel(np.outer(np.arange(20) < 5, -fade) + np.eye(20)[:, :14] * 1e-6, [0] * 20)
    trained = np.arange(20) < 5
    windows = symmetric_windows(9, 14)
    assert symmetric_did(panel, trained, windows).estimate == pytest.approx(0, abs=1e-5)
    assert pre_post(compare(study_of(panel, trained), panel)).estimate > 0.3


@pytest.mark.parametrize("rule", RULES)
def test_a_useless_training_is_not_called_working_by_any_rule(rule):
    found, claims, naive = [], 0, []
    for seed in range(40):
        panel, trained = train(np.random.default_rng(seed), rule)
        one = compare(study_of(panel, trained), panel)
        spread = panel.spread(one.windows.before)
        verdict = decide(one.effect, one.bound, list_checks(one), spread=spread, sign=1.0)
        claims += verdict.word == "worked"
        found.append((one.effect.estimate, one.effect.error))
        naive.append(pre_post(one).estimate)
    estimates, errors = np.array(found).T
    # 40 companies: the mean's own error is .12 / sqrt(40) = .02
    assert abs(estimates.mean()) <= 0.07
    assert (np.abs(estimates) <= 1.99 * errors).mean() >= 0.85
    assert claims <= 4  # 40 x 2.5% = 1; P(more than 4) is below .005
    if rule.startswith("weakest"):
        assert np.mean(naive) > 0.4


def test_half_a_standard_deviation_is_found_most_of_the_time():
    worked = 0
    for seed in range(20):
        panel, trained = train(np.random.default_rng(seed), "volunteers", effect=0.5)
        one = compare(study_of(panel, trained), panel)
        spread = panel.spread(one.windows.before)
        worked += decide(one.effect, one.bound, list_checks(one), spread=spread, sign=1.0).word == (
            "worked"
        )
    assert worked >= 14


def test_groups_in_turn_are_not_biased_by_effects_that_grow():
    found = []
    for seed in range(30):
        panel, at = train_in_turn(np.random.default_rng(seed))
        one = staggered_effect(panel, at, base=3).overall
        found.append((one.estimate - 0.25 * 2.5, one.error))
    bias, error = np.array(found).T
    assert abs(bias.mean()) <= 0.05
    assert (np.abs(bias) <= 1.98 * error).mean() >= 0.85


def test_a_small_lottery_is_drawn_again_within_teams():
    # of the 6 ways to draw 2 of 4, 2 give as large a difference as [0, 1] against [2, 3]; with a
    # second team alike 2 of 36: both teams at the same extreme
    y, trained = np.arange(4.0), np.array([False, False, True, True])
    one = {"covariates": np.empty((4, 0)), "groups": np.full(4, "a", object)}
    p_value = permutation_p_value(y, trained, n_draws=4000, random_state=0, **one)
    assert p_value == pytest.approx(2 / 6, abs=0.025)
    two = {"covariates": np.empty((8, 0)), "groups": np.repeat(["a", "b"], 4).astype(object)}
    p_value = permutation_p_value(
        np.tile(y, 2), np.tile(trained, 2), n_draws=4000, random_state=0, **two
    )
    assert p_value == pytest.approx(2 / 36, abs=0.012)
    apart = {**two, "groups": np.where(np.tile(trained, 2), "a", "b").astype(object)}
    nobody = permutation_p_value(np.tile(y, 2), np.tile(trained, 2), n_draws=9, random_state=0,
                                 **apart)  # fmt: skip
    assert np.isnan(nobody)


def test_teams_are_compared_by_hand():
    # two quarters; teams change by 1, 1.2, 1.4 and the trained one by 3; one outlier person each
    y = np.array([[0, 1.0], [0, 1.0], [0, 1.2], [0, 1.2], [0, 1.4], [0, 1.4], [0, 3.0], [0, 3.0]])
    panel = as_panel(y, [0, 0, 1, 1, 2, 2, 3, 3])
    trained = np.arange(8) >= 6
    found = team_effect(panel, trained, np.array([0]), np.array([1]))
    assert found.estimate == pytest.approx(3 - 1.2)
    assert (found.n_trained, found.n_compared, found.freedom) == (1, 3, 2)
    assert found.error == pytest.approx(np.sqrt(0.08 / 2 * (1 + 1 / 3)))
    assert within_teams(panel, trained) is None


def test_untrained_people_who_are_not_comparable_allow_no_verdict():
    rng = np.random.default_rng(0)
    trained = np.arange(100) < 20
    y = rng.normal(0, 1, (100, 14)) - 6 * trained[:, None]
    y[:, 10:] += 2 * trained[:, None]  # a large rise, and still far below everyone
    panel = as_panel(y, np.arange(100) % 5)
    one = compare(study_of(panel, trained), panel)
    assert overlap(panel, trained, one.windows) < 0.2
    verdict = decide(one.effect, one.bound, list_checks(one), spread=1.0, sign=1.0)
    assert verdict.word == "cannot tell"
    assert "not comparable" in verdict.why


def test_people_who_were_moving_apart_before_allow_no_verdict():
    rng = np.random.default_rng(0)
    trained = np.arange(100) % 20 < 4
    y = rng.normal(0, 0.5, (100, 14)) + 0.3 * trained[:, None] * (np.arange(14) - 6)
    panel = as_panel(y, np.arange(100) % 5)
    one = compare(study_of(panel, trained), panel)
    verdict = decide(one.effect, one.bound, list_checks(one), spread=1.0, sign=1.0)
    assert verdict.word == "cannot tell"


GOOD, WEAK = Effect(0.5, 0.1, 50, 40, 160), Effect(0.05, 0.1, 50, 40, 160)
FAIL, PASS = Check("a", "It failed.", False), Check("a", "", None)


@pytest.mark.parametrize(
    ("effect", "bound", "checks", "options", "word"),
    [
        (GOOD, GOOD, (PASS,), {}, "worked"),
        (GOOD, None, (), {}, "worked"),
        (GOOD, WEAK, (PASS,), {}, "cannot tell"),
        (GOOD, GOOD, (FAIL,), {}, "cannot tell"),
        (GOOD, GOOD, (), {"sign": -1.0}, "moved the wrong way"),
        (GOOD, None, (), {"sign": -1.0}, "moved the wrong way"),
        (GOOD, WEAK, (), {"sign": -1.0}, "cannot tell"),
        (GOOD, None, (), {"permutation_p": 0.2}, "no effect found"),
        (WEAK, WEAK, (), {}, "no effect found"),
        (WEAK, WEAK, (), {"spread": 0.1}, "cannot tell"),
        (UNKNOWN, UNKNOWN, (), {}, "cannot tell"),
        (Effect(0.5, 0.1, 3, 3, 160), None, (), {}, "cannot tell"),
        (Effect(0.5, 0.1, 6, 1, 7), None, (), {"is_of_teams": True}, "worked"),
    ],
)
def test_verdicts(effect, bound, checks, options, word):
    assert decide(effect, bound, checks, **{"spread": 1.0, "sign": 1.0, **options}).word == word


def test_one_person_nobody_and_alike_outcomes_are_unknown_not_errors():
    assert not compare_means(np.array([1.0]), np.array([True])).is_known
    assert not estimate_effect(np.ones(6), np.ones(6, bool)).is_known
    assert not estimate_effect(np.ones(6), np.arange(6) < 3).is_known
    assert np.isnan(UNKNOWN.smallest_seen)
    assert np.isnan(UNKNOWN.p_value)
    panel, trained = train(np.random.default_rng(0), "random", n=20, after=1)
    short = study_of(panel, trained, at=len(panel.periods) - 1)
    assert not compare(short, panel).effect.is_known
