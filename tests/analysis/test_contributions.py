import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_company import QUARTERS, make_measures, simulate

from salesnb import views
from salesnb.analysis.contributions import contributions, split_sums
from salesnb.errors import ParameterError
from salesnb.measures.catalogue import find_kpis

NOW, BEFORE = QUARTERS[-1], QUARTERS[-2]
RATE, SUM = find_kpis(("win_rate",))[0], find_kpis(("bookings",))[0]
HOSTILE = "<img src=x onerror=alert(1)>"


def rates(*rows, kpi="win_rate"):
    """Make measures of (rep, team, quarter, won, decided)."""
    full = [(*row[:3], kpi, row[3], row[4], row[4], np.nan, np.nan) for row in rows]
    return make_measures(full, kpis=(kpi,))


@st.composite
def sums(draw):
    decided = draw(st.lists(st.integers(0, 400), min_size=1, max_size=25))
    won = [draw(st.integers(0, n)) for n in decided]
    frame = pd.DataFrame({"numerator": won, "denominator": decided, "n": decided}, dtype=float)
    return frame.rename_axis("unit_id")


# Parts add up ------------------------------------------------------------------------------


@given(sums(), st.floats(0, 1))
def test_the_parts_of_a_rate_add_up_to_its_distance(frame, reference):
    parts = split_sums(frame, RATE, reference)
    if frame["denominator"].sum() == 0:
        assert parts["contribution"].isna().all()
        return
    distance = frame["numerator"].sum() / frame["denominator"].sum() - reference
    assert math.fsum(parts["contribution"]) == pytest.approx(distance, abs=1e-12)
    assert parts["weight"].sum() == pytest.approx(1.0, abs=1e-12)
    each = parts["weight"] * (parts["value"] - reference)
    pd.testing.assert_series_equal(
        each[parts["value"].notna()], parts["contribution"][parts["value"].notna()],
        check_names=False, rtol=1e-9, atol=1e-12,
    )  # fmt: skip


@given(st.lists(st.integers(0, 10**11), min_size=1, max_size=40))
def test_the_parts_of_a_total_add_up_to_the_cent(cents):
    frame = pd.DataFrame({"numerator": [c / 100 for c in cents], "denominator": 1.0, "n": 1.0})
    parts = split_sums(frame, SUM, math.nan)
    assert round(math.fsum(parts["contribution"]) * 100) == sum(cents)
    if sum(cents):
        assert parts["weight"].sum() == pytest.approx(1.0, abs=1e-9)


@given(sums(), st.floats(0, 1), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(frame, reference, random):
    order = list(range(len(frame)))
    random.shuffle(order)
    one = split_sums(frame, RATE, reference)
    other = split_sums(frame.iloc[order], RATE, reference).sort_index()
    pd.testing.assert_frame_equal(one, other, rtol=1e-12)


def test_golden_parts_of_a_rate():
    # By hand: the company has 40 of 100; A1 has 10 of 40 (weight 2/3), A2 10 of 20 (1/3).
    measures = rates(("A1", "A", NOW, 10, 40), ("A2", "A", NOW, 10, 20), ("B1", "B", NOW, 20, 40))
    found = contributions(measures, period=NOW, kpi="win_rate", team="Team A")
    parts = found.parts.set_index("unit_id")
    assert (found.value, found.reference, found.against) == (1 / 3, 0.4, "the company")
    assert parts["contribution"].to_dict() == pytest.approx({"A1": -0.1, "A2": 1 / 30})
    assert found.whole == pytest.approx(-1 / 15)
    assert found.finding == (
        "Team A: win rate of 33% in 2026Q2 is 6.7 pts below the 40% of the company; its 2 people "
        "do not differ beyond chance, so none is singled out."
    )


def test_who_came_and_left_and_what_is_nobodys_are_parts_too():
    # A2 had been in team B before, and a fact of nobody is in team A.
    measures = rates(
        ("A1", "A", NOW, 5, 10), ("A2", "A", NOW, 1, 2), ("A2", "B", NOW, 9, 9),
        ("", "A", NOW, 0, 4), ("B1", "B", NOW, 3, 6),
    )  # fmt: skip
    found = contributions(measures, period=NOW, kpi="win_rate", team="Team A")
    assert list(found.parts["unit"]) == ["Rep A1", "Rep A2", "Without an owner"]
    assert found.parts["value"].tolist() == [0.5, 0.5, 0.0]
    assert found.value == pytest.approx(6 / 16)
    assert math.fsum(found.parts["contribution"]) == pytest.approx(found.whole, abs=1e-12)


def test_the_company_is_split_among_teams_and_what_is_in_none():
    measures = rates(
        ("A1", "A", NOW, 5, 10), ("B1", "B", NOW, 1, 10), ("B2", "", NOW, 2, 4),
        ("A1", "A", BEFORE, 6, 10), ("B1", "B", BEFORE, 6, 10),
    )  # fmt: skip
    found = contributions(measures, period=NOW, kpi="win_rate")
    assert list(found.parts["unit"]) == ["Team A", "Team B", "In no team"]
    assert (found.reference, found.against) == (0.6, BEFORE)
    assert math.fsum(found.parts["contribution"]) == pytest.approx(8 / 24 - 0.6, abs=1e-12)


def test_a_total_is_what_the_roll_up_says():
    company = simulate(np.random.default_rng(2), win_rates=np.full(20, 0.3))
    found = contributions(company, period=NOW, team="Team A")
    whole = company.roll_up(by="company", periods=(NOW,), team="A", kpi="bookings")
    assert found.whole == pytest.approx(whole["numerator"].iloc[0], rel=1e-12)
    assert math.fsum(found.parts["contribution"]) == pytest.approx(found.whole, rel=1e-12)
    assert found.parts["weight"].sum() == pytest.approx(1.0)


@pytest.mark.parametrize("against", ["company", "previous"])
def test_a_mean_on_logs_is_split_as_a_mean(against):
    company = simulate(np.random.default_rng(2), win_rates=np.full(20, 0.3))
    found = contributions(company, period=NOW, kpi="deal_size", team="A", against=against)
    assert math.fsum(found.parts["contribution"]) == pytest.approx(found.whole, rel=1e-9)


# Who may be put in order -------------------------------------------------------------------


def test_equals_come_by_name_and_grey():
    company = simulate(np.random.default_rng(3), win_rates=np.full(24, 0.3))
    found = contributions(company, period=NOW, kpi="win_rate", team="A")
    assert list(found.parts["unit"]) == sorted(found.parts["unit"])
    assert (found.parts["evidence"] == 0).all()
    assert "none is singled out" in found.finding


def test_equals_are_put_in_order_in_at_most_five_percent_of_teams():
    claims = 0
    for seed in range(60):
        company = simulate(np.random.default_rng(seed), win_rates=np.full(16, 0.3))
        claims += contributions(company, period=NOW, kpi="win_rate").is_beyond_chance
        claims += contributions(company, period=NOW, kpi="win_rate", team="A").is_beyond_chance
    assert claims <= 13  # 120 x 5% = 6; P(more than 13) is below .01 at a true 5%


def test_who_differs_is_named_and_comes_first():
    measures = rates(
        *((f"A{n}", "A", NOW, 100 if n == 3 else 20, 100) for n in range(6)),
        ("B1", "B", NOW, 20, 100),
    )  # fmt: skip
    found = contributions(measures, period=NOW, kpi="win_rate", team="A")
    assert found.is_beyond_chance
    assert found.parts["unit_id"].iloc[0] == "A3"
    assert found.parts["evidence"].iloc[0] == 3
    assert found.finding.startswith("Team A: win rate of 33% in 2026Q2 is 1.9 pts above the 31% of")
    assert found.finding.split("; its ")[1].startswith("6 people differ: Rep A3 better; Rep A5, ")


# Little or nothing -------------------------------------------------------------------------


def test_one_rep_is_the_whole():
    found = contributions(rates(("A1", "A", NOW, 1, 4)), period=NOW, kpi="win_rate", team="A")
    assert found.finding.endswith("; all of it one person's.")
    assert math.isnan(found.p_value)


@pytest.mark.parametrize(
    ("measures", "said"),
    [
        (rates(("A1", "A", BEFORE, 1, 4)), "Win rate has no records in 2026Q2"),
        (rates(("A1", "A", NOW, 0, 0)), "Win rate has no records in 2026Q2"),
        (rates(("A1", "A", NOW, 1, 4)), "Win rate has nothing to compare 2026Q2 with"),
    ],
)
def test_what_cannot_be_split_says_why(measures, said):
    found = contributions(measures, period=NOW, kpi="win_rate")
    assert found.finding == f"Acme: {said}."
    assert found.parts.empty
    assert views.contributions_chart(found).text == found.finding
    assert views.contributions_table(found).text == found.finding


def test_a_young_cohort_gives_the_last_old_enough():
    measures = rates(("A1", "A", "2026Q1", 1, 4), ("A1", "A", NOW, 4, 4), kpi="close_rate")
    assert contributions(measures, period=NOW, kpi="close_rate").period == "2026Q1"
    young = replace(measures, periods=(NOW,))
    assert (
        "no cohort that is old enough" in contributions(young, period=NOW, kpi="close_rate").finding
    )


def test_a_comparison_there_is_not_is_refused():
    measures = rates(("A1", "A", NOW, 1, 4))
    with pytest.raises(ParameterError, match="against: 'best' is unknown. Known: company"):
        contributions(measures, period=NOW, against="best", kpi="win_rate")
    with pytest.raises(ParameterError, match="the company is not compared with itself"):
        contributions(measures, period=NOW, against="company", kpi="win_rate")


def test_a_neutral_figure_singles_nobody_out():
    measures = rates(
        *((f"A{n}", "A", NOW, 900 * (n == 0) + 10, 60) for n in range(6)), kpi="connected_calls"
    )
    found = contributions(measures, period=NOW, kpi="connected_calls", team="A")
    assert found.finding == (
        "Team A: connected calls a day of 2.7 in 2026Q2 is that of the company; neither more nor "
        "less of it is better, so none is singled out."
    )
    assert list(found.parts["unit_id"]) == [f"A{n}" for n in range(6)]


def test_all_can_be_nobodys():
    found = contributions(rates(("", "A", NOW, 1, 4)), period=NOW, kpi="win_rate", team="A")
    assert found.finding.endswith("; all of it is nobody's.")
    assert list(found.parts["unit"]) == ["Without an owner"]


# How it is shown ---------------------------------------------------------------------------


def test_the_table_ends_with_the_sum_and_the_bars_of_many_still_add_up():
    company = simulate(np.random.default_rng(3), win_rates=np.full(80, 0.3))
    found = contributions(company, period=NOW, team="A")
    table = views.contributions_table(found)
    assert len(table.rows) == 41
    assert table.rows[-1][0] == "Together"
    assert table.rows[-1][2] == "100.0%"
    chart = views.contributions_chart(found)
    assert "11 others" in chart.svg
    assert chart.anchor == "contributions"


def test_names_are_text():
    measures = rates(("A1", "A", NOW, 1, 4), ("A2", "A", NOW, 1, 4))
    people = measures.people.assign(name=[HOSTILE, "Ana"])
    found = contributions(replace(measures, people=people), period=NOW, kpi="win_rate", team="A")
    for block in (views.contributions_chart(found), views.contributions_table(found)):
        assert "<img" not in block.render_html()
