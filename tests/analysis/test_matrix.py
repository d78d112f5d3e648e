import numpy as np
import pandas as pd
import pytest
from made_company import QUARTERS, make_measures, simulate

from salesnb.analysis.estimate import compound_error
from salesnb.analysis.matrix import grade_evidence, performance_matrix
from salesnb.errors import ParameterError

NOW = QUARTERS[-1]


def unequal(seed=1):
    rates = np.concatenate([np.full(20, 0.15), np.full(20, 0.45)])
    return simulate(np.random.default_rng(seed), win_rates=rates, closed=25)


def test_equal_people_are_told_apart_in_at_most_five_percent_of_companies():
    claims = 0
    for seed in range(80):
        company = simulate(np.random.default_rng(seed), win_rates=np.full(24, 0.3))
        matrix = performance_matrix(company, period=NOW, n_draws=200)
        claims += bool(matrix.differences["is_beyond_chance"].any())
    assert claims <= 9  # 80 x 5% = 4; P(more than 9) is below .01 at a true 5%


def test_where_nobody_differs_nothing_is_tinted_and_nobody_is_ranked():
    company = simulate(np.random.default_rng(3), win_rates=np.full(24, 0.3))
    matrix = performance_matrix(company, period=NOW, n_draws=200)
    assert not matrix.differences["is_beyond_chance"].any()
    assert (matrix.scores["evidence"] == 0).all()
    assert matrix.finding == "The people do not differ beyond chance on any KPI: nobody is ranked."


def test_planted_differences_are_found_on_the_right_side():
    matrix = performance_matrix(unequal(), period=NOW, n_draws=500)
    scores = matrix.scores[matrix.scores["kpi"] == "win_rate"].set_index("unit_id")
    strong = scores["evidence"].abs() >= 2
    is_good = np.array([int(rep[1:]) >= 20 for rep in scores.index])
    assert matrix.is_beyond_chance("win_rate")
    assert strong.mean() > 0.8
    assert ((scores["evidence"] > 0) == is_good)[strong].all()


def test_estimates_beat_raw_rates():
    generator = np.random.default_rng(5)
    truth = np.clip(generator.normal(0.3, 0.05, 60), 0.1, 0.6)
    matrix = performance_matrix(
        simulate(generator, win_rates=truth, closed=5), period=NOW, n_draws=500
    )
    scores = matrix.scores[matrix.scores["kpi"] == "win_rate"]
    true = truth[[int(rep[1:]) for rep in scores["unit_id"]]]
    raw, shrunk = ((scores[name] - true) ** 2 for name in ("raw", "estimate"))
    assert shrunk.mean() < 0.6 * raw.mean()
    assert ((scores["low"] <= true) & (scores["high"] >= true)).sum() >= 49  # of 60, at 90%


def test_order_of_rows_does_not_matter():
    company = unequal()
    shuffled = make_measures(
        company.totals.sample(frac=1, random_state=1).to_numpy().tolist(),
        kpis=("win_rate", "bookings", "deal_size"),
    )
    one, two = (
        performance_matrix(measures, period=NOW, n_draws=200).scores.sort_values(
            ["kpi", "unit_id"], ignore_index=True
        )
        for measures in (company, shuffled)
    )
    pd.testing.assert_frame_equal(one, two)


def test_a_team_shows_its_members_among_the_whole_company():
    company = unequal()
    whole = performance_matrix(company, period=NOW, n_draws=200)
    team = performance_matrix(company, period=NOW, team="Team A", n_draws=200)
    assert team.units == tuple(unit for unit in whole.units if unit.startswith("A"))
    both = whole.scores.merge(team.scores, on=["unit_id", "kpi"], suffixes=("", "_team"))
    assert np.allclose(both["estimate"], both["estimate_team"])
    assert team.scores["rank_high"].max() <= 20


def test_the_groups_level_is_a_ratio_of_sums():
    rows = [
        ("A1", "A", NOW, "win_rate", 1, 2, 2, np.nan, np.nan),
        ("A2", "A", NOW, "win_rate", 90, 100, 100, np.nan, np.nan),
    ]
    matrix = performance_matrix(make_measures(rows, kpis=("win_rate",)), period=NOW)
    assert matrix.group["level"].iloc[0] == pytest.approx(91 / 102)


def test_the_level_people_are_compared_with_is_a_ratio_of_sums_too():
    rows = [
        ("A1", "A", NOW, "quota_attainment", 90.0, 900.0, 3, 90.0, 3_000.0),
        ("A2", "A", NOW, "quota_attainment", 100.0, 100.0, 3, 100.0, 3_400.0),
    ]
    matrix = performance_matrix(make_measures(rows, kpis=("quota_attainment",)), period=NOW)
    assert matrix.differences["overall"].iloc[0] == pytest.approx(190 / 1000)
    assert matrix.group["level"].iloc[0] == pytest.approx(190 / 1000)


def test_people_without_records_are_named_and_not_compared():
    rows = [
        ("A1", "A", NOW, "bookings", 500.0, 1.0, 3, 500.0, 90_000.0),
        ("A2", "A", NOW, "bookings", 700.0, 1.0, 4, 700.0, 130_000.0),
        ("A3", "A", NOW, "bookings", 0.0, 1.0, 0, 0.0, 0.0),
    ]
    company = make_measures(rows, kpis=("bookings",), names={"A3": "Silent Sam"})
    matrix = performance_matrix(company, period=NOW)
    assert matrix.units == ("A1", "A2")
    assert matrix.silent == ("Silent Sam",)


def test_someone_with_only_losses_counts_as_zero_wins_not_as_absent():
    rows = [
        ("A1", "A", NOW, "win_rate", 0, 8, 8, np.nan, np.nan),
        ("A2", "A", NOW, "win_rate", 4, 8, 8, np.nan, np.nan),
    ]
    matrix = performance_matrix(make_measures(rows, kpis=("win_rate",)), period=NOW)
    assert matrix.scores.set_index("unit_id")["raw"].to_dict() == {"A1": 0.0, "A2": 0.5}


def test_an_immature_cohort_is_shown_by_its_last_mature_quarter():
    rows = [
        (rep, "A", quarter, "close_rate", 3, 10, 10, np.nan, np.nan)
        for rep in ("A1", "A2")
        for quarter in QUARTERS
    ]
    matrix = performance_matrix(make_measures(rows, kpis=("close_rate",)), period=NOW)
    assert set(matrix.scores["period"]) == {"2026Q1"}  # 2026Q2 ended five days ago
    young = make_measures(rows, kpis=("close_rate",), maturity_days=2000)
    shown = performance_matrix(young, period=NOW)
    assert shown.missing == {"close_rate": "no cohort is old enough yet"}
    assert shown.scores.empty


def test_close_rate_differs_only_where_win_rate_does():
    generator = np.random.default_rng(0)
    rows = []
    for rep in range(30):
        for quarter in QUARTERS:
            created, open_share = 40, (0.6 if rep % 2 else 0.0)
            closed = int(created * (1 - open_share))
            won = generator.binomial(closed, 0.5)
            key = (f"A{rep:02d}", "A", quarter)
            rows.append((*key, "win_rate", won, closed, closed, np.nan, np.nan))
            rows.append((*key, "close_rate", won, created, created, np.nan, np.nan))
    company = make_measures(rows, kpis=("win_rate", "close_rate"))
    matrix = performance_matrix(company, period=NOW, n_draws=200)
    p = matrix.differences.set_index("kpi")["p_adjusted"]
    assert p["win_rate"] > 0.05 > p["close_rate"]
    assert not matrix.is_beyond_chance("close_rate")
    assert (matrix.scores["evidence"] == 0).all()


def test_a_neutral_kpi_is_never_tinted():
    rows = [
        (f"A{rep}", "A", NOW, "connected_calls", 10 + 90 * rep, 60.0, 10 + 90 * rep, np.nan, np.nan)
        for rep in range(8)
    ]
    matrix = performance_matrix(make_measures(rows, kpis=("connected_calls",)), period=NOW)
    assert (matrix.scores["evidence"] == 0).all()
    assert not matrix.differences["is_compared"].any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"period": "2031Q1"}, "no data for '2031Q1'; they cover 2025Q1 to 2026Q2"),
        ({"period": NOW, "team": "Nowhere"}, "team: 'Nowhere' is unknown. Known: 'Team A'"),
        ({"period": NOW, "by": "company"}, "a company has no peers"),
        ({"period": NOW, "by": "team", "team": "A"}, "only members can be shown"),
        ({"period": NOW, "kpis": ("nps",)}, "kpi: 'nps' is unknown"),
    ],
)
def test_wrong_requests_say_what_is_known(arguments, message):
    with pytest.raises(ParameterError, match=message):
        performance_matrix(unequal(), **arguments)


def test_grades_follow_the_thresholds():
    p = pd.Series([0.005, 0.03, 0.07, 0.5, 0.91, 0.96, 0.995])
    assert list(grade_evidence(p, is_real=True)) == [-3, -2, -1, 0, 1, 2, 3]
    assert list(grade_evidence(p, is_real=False)) == [0] * 7


def test_the_error_of_a_sum_is_that_of_a_random_number_of_random_amounts():
    # Independent check: simulate compound Poisson sums and compare their spread.
    generator = np.random.default_rng(0)
    sums = [generator.lognormal(3, 0.5, generator.poisson(30)).sum() for _ in range(4000)]
    amounts = generator.lognormal(3, 0.5, 100_000)
    n = np.array([30.0, 30.0])
    squares = n * (amounts**2).mean()
    error = compound_error(n, squares, np.array([1.0, 2.0]))
    assert error[0] == pytest.approx(np.std(sums), rel=0.05)
    assert error[1] == pytest.approx(error[0] / 2)
