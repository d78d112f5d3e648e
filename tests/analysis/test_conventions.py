import numpy as np
import pytest
from made_company import make_measures

from salesnb.analysis.conventions import compare_conventions
from salesnb.errors import ParameterError
from salesnb.views.tables import conventions_table

KPIS = ("win_rate", "win_rate_value", "close_rate", "won_within_T", "deal_size")


def rows_of(*, value_won=40.0, logs=4 * 2.995732273553991, rep="A1"):
    """One rep won 4 of 10 closed in 2026Q1 and 5 of 20 created; `logs` is of four of 20."""
    missing = (np.nan, np.nan)
    return [
        (rep, "A", "2026Q1", "win_rate", 4.0, 10.0, 10.0, *missing),
        (rep, "A", "2026Q1", "win_rate_value", value_won, 100.0, 10.0, *missing),
        (rep, "A", "2026Q1", "close_rate", 5.0, 20.0, 20.0, *missing),
        (rep, "A", "2026Q1", "won_within_T", 3.0, 20.0, 20.0, *missing),
        (rep, "A", "2026Q1", "deal_size", 160.0, 4.0, 4.0, logs, 1.0),
    ]


def pairs_of(rows, **options):
    found = compare_conventions(make_measures(rows, kpis=KPIS), period="2026Q1", **options)
    return found, found.to_frame().set_index("question")


def test_both_conventions_are_there_with_their_n_and_why():
    found, pairs = pairs_of(rows_of(value_won=10.0))
    share = pairs.loc["share won"]
    assert (share["first_value"], share["first_n"]) == (0.4, 10)
    assert (share["second_value"], share["why"]) == (
        0.1, "Larger ones are lost more often than smaller ones.",
    )  # fmt: skip
    cohort = pairs.loc["closed or created"]
    assert (cohort["first_value"], cohort["second_value"], cohort["second_n"]) == (0.4, 0.25, 20)
    assert "all 20 created" in cohort["why"]
    assert "5 are won by now" in cohort["why"]
    late = pairs.loc["won by now or in time"]
    assert late["second_value"] == 0.15
    assert late["why"].startswith("10.0% of what was created in 2026Q1 was won later")
    size = pairs.loc["size of an opportunity won"]
    assert (size["first_value"], size["second_value"]) == (40.0, pytest.approx(20.0))
    assert "2.0 times what is typical" in size["why"]
    assert found.finding == (
        "Acme, share won: 40% by number of opportunities, 10% by their amounts."
    )


@pytest.mark.parametrize(
    ("value_won", "why"),
    [(40.0, "about equally often"), (70.0, "are won more often"), (39.5, "about equally often")],
)
def test_the_reason_follows_the_figures(value_won, why):
    _, pairs = pairs_of(rows_of(value_won=value_won))
    assert why in pairs.loc["share won", "why"]


def test_what_has_no_amount_is_not_mistaken_for_what_is_small():
    # 10 closed, 4 won; 5 have an amount, of these 4 were won and their share of the amount is 80%
    rows = [
        (*row[:4], 80.0, 100.0, 5.0, *row[7:]) if row[3] == "win_rate_value" else row
        for row in rows_of()
    ]
    _, pairs = pairs_of(rows)
    assert pairs.loc["share won", "why"] == (
        "5 of 10 have no amount and are not in the second; of the rest 80% were won, and large and "
        "small ones are won about equally often."
    )


def test_what_was_not_measured_is_said_and_a_table_shows_the_rest():
    measures = make_measures(rows_of(), kpis=("win_rate", "deal_size"))
    found = compare_conventions(measures, period="2026Q1", team="A")
    assert list(found.pairs["question"]) == ["size of an opportunity won"]
    assert "win_rate_value needs" in found.caveat
    assert "close_rate needs" in found.caveat
    assert "typical amount" in conventions_table(found).render_html()


def test_nothing_and_the_unknown():
    nothing = make_measures([], kpis=KPIS)
    found = compare_conventions(nothing, period="2026Q1")
    assert "too little in 2026Q1" in found.finding
    with pytest.raises(ParameterError, match="no data for '2030Q1'"):
        compare_conventions(nothing, period="2030Q1")
