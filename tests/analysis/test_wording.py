import pytest

from salesnb.analysis.wording import (
    format_change,
    format_money,
    format_precise,
    format_value,
    within_sentence,
)
from salesnb.language import speaking
from salesnb.measures.catalogue import find_kpis

KPI = {kpi.kpi: kpi for kpi in find_kpis()}


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0"), (999, "$999"), (999.6, "$1.0k"), (12_345, "$12.3k"), (999_600, "$1.0m"),
        (123_456_789, "$123m"), (-2_500_000, "−$2.5m"), (3.2e9, "$3.2bn"), (float("nan"), "–"),
    ],
)  # fmt: skip
def test_money_is_shortened_to_three_digits(amount, text):
    assert format_money(amount, "USD") == text


def test_an_unknown_currency_is_written_out():
    assert format_money(1_500, "CHF") == "CHF 1.5k"


@pytest.mark.parametrize(
    ("kpi", "value", "short", "precise"),
    [
        ("win_rate", 0.63150052, "63%", "63.15%"),
        ("win_rate", 0.043, "4.3%", "4.30%"),
        ("cycle_days", 57.0, "57 days", "57.0 days"),
        ("bookings", 10_005_534.0, "$10.0m", "$10,005,534"),
        ("leads", 3_425.0, "3,425", "3,425"),
        ("connected_calls", 2.345, "2.3", "2.35"),
        ("win_rate", float("nan"), "–", "–"),
    ],
)
def test_values_are_written_in_their_unit(kpi, value, short, precise):
    assert format_value(KPI[kpi], value, "USD") == short
    assert format_precise(KPI[kpi], value, "USD") == precise


def test_changes_carry_their_sign_and_shares_are_points():
    assert format_change(KPI["win_rate"], -0.165, "USD") == "−16.5 pts"
    assert format_change(KPI["bookings"], 2_700.0, "EUR") == "+€2.7k"


@pytest.mark.parametrize(
    ("code", "text"), [("en", "share of stalled deals"), ("de", "Share of stalled Deals")]
)
def test_a_label_within_a_sentence_is_small_but_where_nouns_are_capital(code, text):
    with speaking(code):
        assert within_sentence("Share of stalled Deals") == text
