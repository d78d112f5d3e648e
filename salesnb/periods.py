"""The fiscal calendar: quarters by name, their days, and the days' quarters."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from salesnb.errors import ParameterError

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Anchor = Literal["last", "nearest"]
NamedBy = Literal["end", "start"]

_WEEKDAYS: tuple[str, ...] = get_args(Weekday)
_QUARTER = re.compile(r"(19|2[01])[0-9]{2}Q[1-4]")
_YEAR = re.compile(r"(19|2[01])[0-9]{2}")
_PART = re.compile(r"q ?([1-4])(?![0-9])|(?<![0-9])([1-4]) ?q", re.IGNORECASE)
_WEEK = 7
_WEEKS_A_QUARTER = 13


@dataclass(frozen=True)
class FiscalWeeks:
    """How fiscal years of 52 or 53 whole weeks end (4-4-5, 4-5-4, 5-4-4: quarters are the same).

    Attributes
    ----------
    ends_on
        Weekday on which every quarter ends.
    anchor
        The year ends on the `last` such weekday of its last month, or on the one `nearest` to
        that month's last day.
    long_quarter
        Quarter that takes the 53rd week.

    Raises
    ------
    ParameterError
        A setting is none of those there are; the message lists them.
    """

    ends_on: Weekday
    anchor: Anchor
    long_quarter: Literal[1, 2, 3, 4] = 4

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        _check_choice("fiscal_weeks: ends_on", self.ends_on, _WEEKDAYS)
        _check_choice("fiscal_weeks: anchor", self.anchor, get_args(Anchor))
        _check_choice("fiscal_weeks: long_quarter", self.long_quarter, (1, 2, 3, 4))


@dataclass(frozen=True)
class FiscalCalendar:
    """Quarters of a fiscal year that starts in `start_month`.

    Attributes
    ----------
    start_month
        1 to 12. Without `weeks` the year starts on the first of the month.
    weeks
        For years of whole weeks: `start_month` then says after which month's end they end.
    named_by
        A fiscal year is named after the calendar year of the month in which it ends, as pandas
        does, or in which it starts, as retailers do.

    Raises
    ------
    ParameterError
        `start_month` is not 1 to 12, or `named_by` is unknown.

    Examples
    --------
    >>> FiscalCalendar(start_month=2).quarter_of(dt.date(2026, 1, 31))
    '2026Q4'
    >>> retail = FiscalCalendar(2, FiscalWeeks("saturday", "nearest"), named_by="start")
    >>> retail.first_day("2024Q1").isoformat()
    '2024-02-04'
    """

    start_month: int = 1
    weeks: FiscalWeeks | None = None
    named_by: NamedBy = "end"

    def __post_init__(self) -> None:
        """Refuse a month there is not."""
        if self.start_month not in range(1, 13):
            raise ParameterError(
                f"fiscal_year_start: {self.start_month!r} is not a month. Give 1 to 12."
            )
        _check_choice("fiscal_year_named_by", self.named_by, get_args(NamedBy))

    # A quarter's position counts quarters from the first of the year 0, years named by their end.

    @property
    def _years_ahead(self) -> int:
        """How far the year a fiscal year ends in is ahead of its name."""
        return int(self.named_by == "start" and self.start_month > 1)

    def _name(self, position: int) -> str:
        return f"{position // 4 - self._years_ahead}Q{position % 4 + 1}"

    def _position(self, quarter: str) -> int:
        check_quarter(quarter)
        return 4 * (int(quarter[:4]) + self._years_ahead) + int(quarter[5]) - 1

    def _position_of(self, day: dt.date) -> int:
        months = 12 * day.year + day.month - self.start_month + 12 * (self.start_month > 1)
        if self.weeks is None:
            return months // 3
        # A year of weeks begins up to a week before the first of its month, or after it.
        position = months // 3 + 1
        while self._first_of(position).toordinal() > day.toordinal():
            position -= 1
        return position

    def _first_of(self, position: int) -> dt.date:
        year, quarter = divmod(position, 4)
        if self.weeks is None:
            return _first_of_month(self._first_month(year) + 3 * quarter)
        first, after = self._first_in_weeks(year), self._first_in_weeks(year + 1)
        weeks = _WEEKS_A_QUARTER * quarter
        if quarter >= self.weeks.long_quarter:
            weeks += (after - first).days // _WEEK - 4 * _WEEKS_A_QUARTER
        return first + dt.timedelta(days=_WEEK * weeks)

    def _first_month(self, year: int) -> int:
        """Month in which a fiscal year starts, counted from the year 0."""
        return 12 * (year - (self.start_month > 1)) + self.start_month - 1

    def _first_in_weeks(self, year: int) -> dt.date:
        """Find the day after the year before has ended."""
        assert self.weeks is not None
        month_end = _first_of_month(self._first_month(year)) - dt.timedelta(days=1)
        since = (month_end.weekday() - _WEEKDAYS.index(self.weeks.ends_on)) % _WEEK
        is_nearer_ahead = self.weeks.anchor == "nearest" and since > _WEEK // 2
        return month_end + dt.timedelta(days=1 - since + (_WEEK if is_nearer_ahead else 0))

    def quarter_of(self, day: dt.date) -> str:
        """Name the quarter a day falls in."""
        return self._name(self._position_of(day))

    def first_day(self, quarter: str) -> dt.date:
        """First day of a quarter."""
        return self._first_of(self._position(quarter))

    def last_day(self, quarter: str) -> dt.date:
        """Last day of a quarter."""
        return self._first_of(self._position(quarter) + 1) - dt.timedelta(days=1)

    def shift(self, quarter: str, by: int) -> str:
        """Quarter `by` quarters later (earlier when negative).

        >>> FiscalCalendar().shift("2026Q1", -1)
        '2025Q4'
        """
        return self._name(self._position(quarter) + by)

    def window(self, quarter: str, n: int) -> tuple[str, ...]:
        """Name the `n` quarters that end with `quarter`, oldest first."""
        return tuple(self.shift(quarter, -back) for back in range(n - 1, -1, -1))

    def between(self, first: dt.date, last: dt.date) -> tuple[str, ...]:
        """Name all quarters from the one of `first` to the one of `last`; none when reversed."""
        if first > last:
            return ()
        positions = range(self._position_of(first), self._position_of(last) + 1)
        return tuple(map(self._name, positions))

    def days(self, first: dt.date, last: dt.date) -> pd.DataFrame:
        """List each day from `first` to `last` with its quarter.

        Returns
        -------
        DataFrame
            Columns `day` (datetime64) and `period` (2026Q3).
        """
        day = pd.date_range(first, last, freq="D")
        quarters = self.between(first, last)
        starts = pd.DatetimeIndex([self.first_day(quarter) for quarter in quarters])
        place = starts.searchsorted(day, side="right") - 1
        return pd.DataFrame({"day": day, "period": np.array(quarters, dtype=object)[place]})


def check_quarter(quarter: object) -> None:
    """Refuse what does not name a quarter.

    Raises
    ------
    ParameterError
        It does not; where year and quarter can be read in it, the message says how to write it.

    >>> check_quarter("Q3/2026")
    Traceback (most recent call last):
    ...
    salesnb.errors.ParameterError: quarter: 'Q3/2026' is not a quarter. Write it like 2026Q3.
    """
    if isinstance(quarter, str) and _QUARTER.fullmatch(quarter):
        return
    year, part = _YEAR.search(str(quarter)), _PART.search(str(quarter))
    like = f"{year[0]}Q{part[1] or part[2]}" if year and part else "2026Q3"
    raise ParameterError(f"quarter: {quarter!r} is not a quarter. Write it like {like}.")


def _check_choice(setting: str, value: object, known: tuple[object, ...]) -> None:
    if value not in known:
        raise ParameterError(f"{setting}: {value!r} is none of {', '.join(map(str, known))}.")


def _first_of_month(month: int) -> dt.date:
    """First day of a month, counted from January of the year 0."""
    return dt.date(month // 12, month % 12 + 1, 1)
