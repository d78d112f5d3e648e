import pytest
from made_company import make_measures

from salesnb.analysis.matrix import performance_matrix
from salesnb.analysis.selection import select_kpis
from salesnb.errors import ParameterError


@pytest.fixture
def measures():
    rows = [
        (rep, "A", "2026Q2", kpi, 4.0, 9.0, 9.0, 8.0, 9.0)
        for rep in ("A1", "A2", "A3")
        for kpi in ("win_rate", "deal_size", "bookings", "win_rate_value", "stalled_share")
    ]
    names = ("win_rate", "deal_size", "bookings", "win_rate_value", "stalled_share")
    return make_measures(rows, kpis=names)


def test_nothing_asked_changes_nothing(measures):
    assert select_kpis(measures).kpis == measures.kpis
    assert [k.kpi for k in measures.headline] == ["bookings", "win_rate", "deal_size"]


def test_kpis_are_shown_in_the_order_given_and_the_others_can_be_asked_for(measures):
    chosen = select_kpis(measures, "stalled_share, win_rate")
    matrix = performance_matrix(chosen, period="2026Q2", n_draws=300)
    assert [kpi.kpi for kpi in matrix.kpis] == ["stalled_share", "win_rate"]
    assert chosen.kpi("bookings").label == "Bookings"


def test_weights_and_targets_reach_the_definitions(measures):
    chosen = select_kpis(measures, weights="win_rate=2, bookings=0.5", targets="win_rate=0.3")
    assert chosen.kpi("win_rate").target == 0.3
    assert chosen.kpi("bookings").target is None
    weights = {kpi.kpi: kpi.importance for kpi in chosen.kpis}
    usual = {kpi.kpi: kpi.importance for kpi in measures.kpis}
    assert weights["win_rate"] / weights["deal_size"] == pytest.approx(
        2 * usual["win_rate"] / usual["deal_size"]
    )
    assert weights["bookings"] / weights["deal_size"] == pytest.approx(
        usual["bookings"] / usual["deal_size"] / 2
    )
    assert max(weights.values()) == 1


def test_every_problem_is_named(measures):
    with pytest.raises(ParameterError) as caught:
        select_kpis(measures, "win, win_rate, win_rate", weights="deal_size=0", targets="leads=x")
    said = str(caught.value)
    assert said.startswith("4 problem(s)")
    for text in ("'win' is unknown", "'win_rate' is named twice", "weights: 'deal_size=0'",
                 "kpi_targets: 'leads=x' gives 'leads' no number"):  # fmt: skip
        assert text in said


def test_plain_figures_are_shown_as_they_are_and_nobody_is_compared(measures):
    matrix = performance_matrix(
        measures, period="2026Q2", kpis=("win_rate_value", "win_rate"), n_draws=300
    )
    scores = matrix.scores[matrix.scores["kpi"] == "win_rate_value"]
    assert scores["estimate"].tolist() == scores["raw"].tolist() == [4 / 9] * 3
    assert scores[["low", "high", "p_above", "p_top_quartile"]].isna().all(axis=None)
    assert scores["rank_low"].tolist() == [1] * 3
    assert scores["rank_high"].tolist() == [3] * 3
    assert set(scores["evidence"]) == {0}
    compared = matrix.differences.set_index("kpi")["is_compared"].to_dict()
    assert compared["win_rate_value"] is False or not compared["win_rate_value"]
