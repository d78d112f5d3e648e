import calendar
import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesnb.errors import ParameterError
from salesnb.periods import FiscalCalendar, FiscalWeeks

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
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


WEEKS = st.builds(
    FiscalWeeks,
    st.sampled_from(WEEKDAYS),
    st.sampled_from(["last", "nearest"]),
    st.sampled_from([1, 2, 3, 4]),
)
CALENDARS = st.builds(FiscalCalendar, MONTHS, WEEKS, st.sampled_from(["end", "start"]))


@given(fiscal=CALENDARS, day=DAYS)
def test_every_day_is_in_one_quarter_of_whole_weeks_and_quarters_meet(fiscal, day):
    quarter = fiscal.quarter_of(day)
    first, last = fiscal.first_day(quarter), fiscal.last_day(quarter)
    assert first <= day <= last
    assert WEEKDAYS[last.weekday()] == fiscal.weeks.ends_on
    assert fiscal.quarter_of(first) == fiscal.quarter_of(last) == quarter
    following = fiscal.shift(quarter, 1)
    assert fiscal.quarter_of(last + dt.timedelta(days=1)) == following
    assert fiscal.first_day(following) == last + dt.timedelta(days=1)
    weeks = ((last - first).days + 1) / 7
    assert weeks == 13 or (weeks == 14 and int(quarter[-1]) == fiscal.weeks.long_quarter)


@given(fiscal=CALENDARS, year=st.integers(1950, 2150))
def test_a_year_of_weeks_ends_about_its_last_months_end_and_is_named_by_it(fiscal, year):
    last = fiscal.last_day(f"{year}Q4")
    # the month before the one in which years start, in the year of its end or of the year's start
    ahead = fiscal.named_by == "start" and fiscal.start_month > 1
    month, named = (fiscal.start_month - 1) or 12, year + ahead
    month_end = dt.date(named, month, calendar.monthrange(named, month)[1])
    apart = (last - month_end).days
    assert apart in (range(-6, 1) if fiscal.weeks.anchor == "last" else range(-3, 4))


@given(fiscal=CALENDARS, year=st.integers(1990, 2090))
def test_quarters_of_weeks_end_where_pandas_says(fiscal, year):
    offset = pd.tseries.offsets.FY5253Quarter(
        weekday=WEEKDAYS.index(fiscal.weeks.ends_on),
        startingMonth=(fiscal.start_month - 1) or 12,
        qtr_with_extra_week=fiscal.weeks.long_quarter,
        variation=fiscal.weeks.anchor,
    )
    ends = [pd.Timestamp(fiscal.last_day(f"{year}Q4"))]
    for _ in range(24):
        ends.append(ends[-1] + offset)
    names = [fiscal.quarter_of(end.date()) for end in ends]
    assert names == [fiscal.shift(f"{year}Q4", by) for by in range(25)]
    assert [fiscal.last_day(name) for name in names] == [end.date() for end in ends]


@given(fiscal=CALENDARS, day=DAYS, by=st.integers(-30, 30))
def test_quarters_of_weeks_shift_as_quarters_of_months_do(fiscal, day, by):
    quarter = fiscal.quarter_of(day)
    assert fiscal.shift(quarter, by) == FiscalCalendar().shift(quarter, by)
    assert fiscal.window(quarter, 5) == FiscalCalendar().window(quarter, 5)


@given(fiscal=CALENDARS, first=DAYS, length=st.integers(0, 800))
def test_between_and_days_of_weeks_agree_with_asking_day_by_day(fiscal, first, length):
    last = first + dt.timedelta(days=length)
    days = [first + dt.timedelta(days=n) for n in range(length + 1)]
    one_by_one = [fiscal.quarter_of(day) for day in days]
    assert fiscal.between(first, last) == tuple(dict.fromkeys(one_by_one))
    frame = fiscal.days(first, last)
    assert (list(frame["day"].dt.date), list(frame["period"])) == (days, one_by_one)


def long_years(fiscal, years):
    return [
        year for year in years
        if (fiscal.last_day(f"{year}Q4") - fiscal.first_day(f"{year}Q1")).days == 53 * 7 - 1
    ]  # fmt: skip


def test_the_retail_years_are_those_of_the_national_retail_federation():
    # nrf.com, 4-5-4 calendar: 53 weeks in FY'00, '06, '12, '17 and '23; 2023 began on January 29,
    # 2024 on February 4, 2025 on February 2
    retail = FiscalCalendar(2, FiscalWeeks("saturday", "nearest"), named_by="start")
    assert long_years(retail, range(2000, 2025)) == [2000, 2006, 2012, 2017, 2023]
    starts = {2023: (1, 29), 2024: (2, 4), 2025: (2, 2)}
    assert {year: retail.first_day(f"{year}Q1") for year in starts} == {
        year: dt.date(year, *day) for year, day in starts.items()
    }
    assert retail.last_day("2023Q4") == dt.date(2024, 2, 3)
    assert retail.quarter_of(dt.date(2023, 1, 28)) == "2022Q4"
    by_end = FiscalCalendar(2, FiscalWeeks("saturday", "nearest"))
    assert by_end.last_day("2024Q4") == dt.date(2024, 2, 3)


def test_quarters_end_as_in_reports_to_the_sec():
    # Apple: the 52 or 53 weeks to the last Saturday of September, the extra week in the first
    # quarter. Periods of its reports: 10-K to 2022-09-24, 10-Q to 2022-12-31 (14 weeks), 10-Q to
    # 2023-04-01 and 2023-07-01, 10-K to 2023-09-30 (53 weeks), 10-K to 2024-09-28.
    apple = FiscalCalendar(10, FiscalWeeks("saturday", "last", long_quarter=1))
    ends = ("2022-09-24", "2022-12-31", "2023-04-01", "2023-07-01", "2023-09-30")
    quarters = ("2022Q4", "2023Q1", "2023Q2", "2023Q3", "2023Q4")
    assert tuple(apple.last_day(quarter).isoformat() for quarter in quarters) == ends
    assert apple.last_day("2024Q4") == dt.date(2024, 9, 28)
    assert long_years(apple, range(2018, 2025)) == [2023]


def test_a_year_that_ends_in_the_next_january_keeps_its_name():
    # the Saturday nearest to the end of December 2021 is the first of January 2022
    fiscal = FiscalCalendar(1, FiscalWeeks("saturday", "nearest"))
    assert fiscal.quarter_of(dt.date(2022, 1, 1)) == "2021Q4"
    assert fiscal.quarter_of(dt.date(2022, 1, 2)) == "2022Q1"
    # and the last Friday of 2022 is the 30th of December
    fiscal = FiscalCalendar(1, FiscalWeeks("friday", "last"))
    assert fiscal.quarter_of(dt.date(2022, 12, 31)) == "2023Q1"


@given(day=DAYS, start_month=MONTHS)
def test_a_year_named_by_its_start_is_one_behind_unless_it_starts_in_january(day, start_month):
    by_end = FiscalCalendar(start_month)
    by_start = FiscalCalendar(start_month, named_by="start")
    behind = by_end.shift(by_end.quarter_of(day), -4 * (start_month > 1))
    assert by_start.quarter_of(day) == behind
    assert by_start.first_day(behind) == by_end.first_day(by_end.quarter_of(day))


@pytest.mark.parametrize(
    ("setting", "make"),
    [
        ("fiscal_weeks: ends_on: 'sat' is none of monday, tue", lambda: FiscalWeeks("sat", "last")),
        ("fiscal_weeks: anchor: 'first' is none of last, nearest",
         lambda: FiscalWeeks("friday", "first")),
        ("fiscal_weeks: long_quarter: 5 is none of 1, 2, 3, 4",
         lambda: FiscalWeeks("friday", "last", 5)),
        ("fiscal_year_named_by: 'middle' is none of end, start",
         lambda: FiscalCalendar(named_by="middle")),
    ],
)  # fmt: skip
def test_a_setting_that_is_none_of_those_there_are_is_refused(setting, make):
    with pytest.raises(ParameterError, match=setting):
        make()


def test_between_reversed_days_there_is_no_quarter():
    assert FiscalCalendar().between(dt.date(2026, 7, 1), dt.date(2026, 6, 30)) == ()
    assert FiscalCalendar().between(dt.date(2026, 7, 2), dt.date(2026, 7, 1)) == ()
    assert FiscalCalendar().days(dt.date(2026, 7, 2), dt.date(2026, 7, 1)).empty


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
