import numpy as np
from made_company import QUARTERS, make_measures, simulate

from salesnb.analysis.insights import find_insights
from salesnb.analysis.matrix import performance_matrix
from salesnb.analysis.trend import quarter_trend

NOW = QUARTERS[-1]


def insights(measures):
    matrix = performance_matrix(measures, period=NOW, n_draws=300)
    return find_insights(matrix, quarter_trend(measures, period=NOW))


def test_equal_people_are_said_to_be_equal_and_nobody_is_named():
    company = simulate(np.random.default_rng(3), win_rates=np.full(24, 0.3))
    items = insights(company).items
    equal = [item for item in items if "do not differ beyond chance" in item.text]
    assert len(equal) == 1
    assert "win rate" in equal[0].text
    assert equal[0].evidence == "not enough evidence"
    assert not any("Rep " in item.text + item.why for item in items)


def test_a_difference_names_the_surest_first_and_counts_the_rest():
    rates = np.concatenate([np.full(20, 0.15), np.full(20, 0.45)])
    company = simulate(np.random.default_rng(1), win_rates=rates, closed=25)
    found = next(item for item in insights(company).items if item.kpi == "win_rate")
    assert found.evidence == "strong"
    assert found.kind == "difference"
    assert found.text.startswith("Win rate: of 40 people, ")
    named = found.why.split("Better: ")[1].split(" and ")[0].split(", ")
    assert len(named) == 3
    assert all(int(name.removeprefix("Rep ")[1:]) >= 20 for name in named)


def test_a_clear_fall_is_the_first_finding():
    rows = []
    for rep in ("A1", "A2"):
        for quarter in QUARTERS:
            wins = 20 if quarter == NOW else 60
            rows.append((rep, "A", quarter, "win_rate", wins, 200, 200, np.nan, np.nan))
    items = insights(make_measures(rows, kpis=("win_rate",))).items
    assert items[0].text == "Win rate down to 10% in 2026Q2, from a usual 30%."
    assert items[0].kind == "change"
    assert items[0].evidence == "strong"


def test_quiet_quarters_rarely_report_a_change():
    reports = 0
    for seed in range(60):
        company = simulate(np.random.default_rng(seed), win_rates=np.full(16, 0.3), closed=20)
        reports += any(item.kind == "change" for item in insights(company).items)
    assert reports <= 8  # 60 x 5% = 3; limits learned from five quarters make it a little more
