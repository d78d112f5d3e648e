import calendar
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesnb.errors import ParameterError
from salesnb.periods import FiscalCalendar

MONTHS = st.integers(1, 12)
DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2099, 12, 31))


def name_by_hand(day, start_month):
    """Months since the start of the fiscal year; the year is that of the fiscal year's end."""
    months = (day.month - start_month) % 12
    starts = day.year if day.month >= start_month else day.year - 1
    return f"{starts if start_month == 1 else starts + 1}Q{months // 3 + 1}"


@given(day=DAYS, start_month=MONTHS)
def test_a_day_is_in_the_quarter_counted_by_hand(day, start_month):
    assert FiscalCalendar(start_month).quarter_of(day) == name_by_hand(day, start_month)


@given(day=DAYS, start_month=MONTHS)
def test_quarters_meet_without_gap_or_overlap(day, start_month):
    fiscal = FiscalCalendar(start_month)
    quarter = fiscal.quarter_of(day)
    first, last = fiscal.first_day(quarter), fiscal.last_day(quarter)
    assert first <= day <= last
    assert first.day == 1
    assert (first.month - start_month) % 3 == 0
    assert last.day == calendar.monthrange(last.year, last.month)[1]
    assert fiscal.first_day(fiscal.shift(quarter, 1)) == last + dt.timedelta(days=1)
    assert fiscal.quarter_of(first) == fiscal.quarter_of(last) == quarter


@given(day=DAYS, start_month=MONTHS, by=st.integers(-30, 30))
def test_shifts_add_up_and_a_window_ends_with_its_quarter(day, start_month, by):
    fiscal = FiscalCalendar(start_month)
    quarter = fiscal.quarter_of(day)
    assert fiscal.shift(fiscal.shift(quarter, by), -by) == quarter
    window = fiscal.window(quarter, 5)
    assert window[-1] == quarter
    assert [fiscal.shift(q, 1) for q in window[:-1]] == list(window[1:])


@given(start_month=MONTHS, first=DAYS, length=st.integers(0, 800))
def test_between_and_days_agree_with_the_day_by_day_count(start_month, first, length):
    fiscal = FiscalCalendar(start_month)
    last = first + dt.timedelta(days=length)
    days = [first + dt.timedelta(days=n) for n in range(length + 1)]
    by_hand = [name_by_hand(day, start_month) for day in days]
    assert fiscal.between(first, last) == tuple(dict.fromkeys(by_hand))
    frame = fiscal.days(first, last)
    assert list(frame["day"].dt.date) == days
    assert list(frame["period"]) == by_hand


def test_between_reversed_days_there_is_no_quarter():
    assert FiscalCalendar().between(dt.date(2026, 7, 1), dt.date(2026, 6, 30)) == ()


@pytest.mark.parametrize("quarter", ["2026Q5", "2026Q0", "2026 Q3", "Q3", "", "26Q3", "2026Q33"])
def test_what_is_no_quarter_is_refused_with_an_example(quarter):
    fiscal = FiscalCalendar()
    for ask in (fiscal.first_day, fiscal.last_day, lambda name: fiscal.shift(name, 1)):
        with pytest.raises(ParameterError, match=f"quarter: '{quarter}' is not.*like 2026Q3"):
            ask(quarter)


@pytest.mark.parametrize("month", [0, 13, -1])
def test_a_year_starts_in_one_of_twelve_months(month):
    with pytest.raises(ParameterError, match=f"fiscal_year_start: {month} is not a month"):
        FiscalCalendar(month)
