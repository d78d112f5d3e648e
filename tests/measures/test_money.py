"""Amounts in several currencies: the rate of the day of the close, or a refusal that helps."""

import datetime as dt
from collections import defaultdict

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_company import REPS, import_tables

from salesnb.errors import DataError
from salesnb.measures.compute import compute_measures

START, LAST = dt.date(2026, 1, 1), 80
AS_OF = START + dt.timedelta(days=LAST)
HEAD = "opportunity_id,rep_id,created_on,qualified_on,closed_on,is_won,is_closed,amount,currency\n"
RATES = "currency,rate_on,rate\n"

days = st.integers(0, LAST).map(lambda number: START + dt.timedelta(days=number))
codes = st.sampled_from(["EUR", "GBP", "USD", None])


@pytest.fixture
def book(small_snapshot):
    """Import won opportunities of (day, amount, currency) and rates; give the bookings."""

    def find(deals, rates=None, *, as_of=None):
        rows = "".join(
            f"o{n},r1,2026-01-01,,{day},true,true,{amount},{code}\n"
            for n, (day, amount, code) in enumerate(deals)
        )
        tables = {"opportunities": HEAD + rows}
        if rates is not None:
            tables["exchange_rates"] = RATES + "".join(
                f"{code},{day},{rate}\n" for code, day, rate in rates
            )
        snapshot = small_snapshot(tables, company="as_of: 2026-03-22\n")
        rows = compute_measures(snapshot, as_of=as_of).roll_up(by="company", kpi="bookings")
        return rows["numerator"].sum()

    return find


@settings(max_examples=15)
@given(
    deals=st.lists(
        st.tuples(days, st.sampled_from(["won", "lost", "open"]), codes, st.integers(-1, 999)),
        min_size=1, max_size=6,
    ),
    rates=st.dictionaries(
        st.tuples(st.sampled_from(["EUR", "GBP"]), days), st.sampled_from([0.5, 1.25, 0.0]),
        max_size=4,
    ),
)  # fmt: skip
def test_amounts_are_converted_at_the_last_rate_by_the_close_or_refused_by_currency(
    tmp_path_factory, deals, rates
):
    frame = pd.DataFrame(
        [
            (f"o{n}", "r1", START, START, None if state == "open" else day, state == "won",
             state != "open", amount, code)
            for n, (day, state, code, amount) in enumerate(deals)
        ],
        columns=HEAD.strip().split(","),
    )  # fmt: skip
    dated = pd.DataFrame(
        [(*key, rate) for key, rate in rates.items()], columns=RATES.strip().split(",")
    )
    tables = {"reps": REPS, "opportunities": frame, "exchange_rates": dated}
    folder = tmp_path_factory.mktemp("money")
    snapshot = import_tables(folder, tables, company=f"as_of: {AS_OF}\n", strict=True)

    booked = qualified = 0.0
    lacking = defaultdict(list)
    for day, state, code, amount in deals:
        day = AS_OF if state == "open" else day
        by_then = sorted((on, rate) for (of, on), rate in rates.items() if of == code and on <= day)
        rate = 1.0 if code in ("USD", None) else by_then[-1][1] if by_then else 0.0
        if amount > 0 and not rate:
            lacking[code].append(day)
        booked += amount * rate * (state == "won" and amount > 0)
        qualified += amount * rate * (amount > 0)
    if lacking:
        with pytest.raises(DataError, match="exchange_rates: no rate") as caught:
            compute_measures(snapshot)
        for code, missing in lacking.items():
            assert f"'{code} ({len(missing)}, first on {min(missing)})'" in str(caught.value)
        assert str(caught.value).count("first on") == len(lacking)
    else:
        rows = compute_measures(snapshot).roll_up(by="company", pool=True)
        sums = rows.set_index("kpi")["numerator"]
        assert sums.get("bookings", 0.0) == pytest.approx(booked)
        # all was qualified on the first day of the one quarter there is
        assert sums.get("pipeline_created", 0.0) == pytest.approx(qualified)


def test_a_rate_holds_from_its_day_until_the_next(book):
    rates = [("EUR", "2026-01-10", 2), ("EUR", "2026-02-01", 3)]
    assert book([("2026-01-10", 100, "EUR")], rates) == 200
    assert book([("2026-01-31", 100, "EUR")], rates) == 200
    assert book([("2026-02-01", 100, "EUR"), ("2026-03-22", 10, "EUR")], rates) == 330


def test_an_open_amount_is_converted_on_the_day_it_is_seen(small_snapshot):
    tables = {
        "opportunities": HEAD + "o1,r1,2026-01-01,2026-01-01,,false,false,100,EUR\n",
        "exchange_rates": RATES + "EUR,2026-01-01,2\nEUR,2026-02-01,3\n",
    }
    snapshot = small_snapshot(tables, company="as_of: 2026-03-22\n")

    def qualified(as_of):
        measures = compute_measures(snapshot, as_of=as_of)
        return measures.roll_up(by="company", kpi="pipeline_created")["numerator"].sum()

    assert [qualified(dt.date(2026, 1, 31)), qualified(dt.date(2026, 2, 1))] == [200, 300]


def test_a_rate_that_begins_after_the_close_is_missing_and_what_is_not_converted_needs_none(book):
    rates = [("EUR", "2026-02-02", 2)]
    with pytest.raises(DataError, match=r"'EUR \(1, first on 2026-02-01\)'"):
        book([("2026-02-01", 100, "EUR"), ("2026-02-02", 100, "EUR")], rates)
    assert book([("2026-02-01", 0, "EUR"), ("2026-02-01", 7, "USD")], rates) == 7
    assert book([("2026-02-01", 7, "")]) == 7


def test_a_rate_of_the_reporting_currency_into_itself_is_one(book):
    assert book([("2026-02-01", 7, "USD")], [("USD", "2026-01-01", 5)]) == 7


def test_the_refusal_says_what_to_do_and_names_the_currencies_with_most_amounts(book):
    deals = [("2026-02-03", 5, f"A{letter}A") for letter in "GFEDCBA"]
    with pytest.raises(DataError) as caught:
        book([*deals, ("2026-02-02", 5, "AGA"), ("2026-02-04", 5, "AFA")])
    assert str(caught.value) == (
        "exchange_rates: no rate for the amounts of 'AFA (2, first on 2026-02-03)', "
        "'AGA (2, first on 2026-02-02)', 'AAA (1, first on 2026-02-03)', "
        "'ABA (1, first on 2026-02-03)', 'ACA (1, first on 2026-02-03)' and 2 more currencies. "
        "Add rates into USD from that day, correct wrong codes by a `map` of the currency in your "
        "mapping, or correct the company's currency."
    )


def test_codes_are_upper_case_and_without_blanks_whatever_the_export_writes(book):
    rates = [(" eur", "2026-01-01", 2)]
    assert book([("2026-02-01", 100, " Eur "), ("2026-02-01", 10, "usd"), ("2026-02-01", 1, " ")],
                rates) == 211  # fmt: skip


def test_two_rates_of_a_day_that_differ_by_letters_alone_contradict_each_other(small_snapshot):
    rates = RATES + "eur,2026-01-01,2\nEUR,2026-01-01,3\ngbp,2026-01-01,4\nGBP,2026-01-01,4\n"
    snapshot = small_snapshot({"exchange_rates": rates})
    (load,) = (load for load in snapshot.report.tables if load.table == "exchange_rates")
    assert {refusal.reason: refusal.count for refusal in load.refusals} == {
        "same key, different content": 2, "exact duplicate of an accepted row": 1,
    }  # fmt: skip
    assert snapshot.read("exchange_rates")["currency"].tolist() == ["GBP"]
