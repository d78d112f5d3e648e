"""The fiscal calendar: quarters by name, their days, and the days' quarters."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import pandas as pd

from salesnb.errors import ParameterError

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_QUARTER = re.compile(r"(19|2[01])[0-9]{2}Q[1-4]")


@dataclass(frozen=True)
class FiscalCalendar:
    """Quarters of a fiscal year that starts on the first of `start_month`.

    A fiscal year is named after the calendar year in which it ends, as pandas does.

    Raises
    ------
    ParameterError
        `start_month` is not 1 to 12.

    Examples
    --------
    >>> FiscalCalendar(start_month=2).quarter_of(dt.date(2026, 1, 31))
    '2026Q4'
    """

    start_month: int = 1

    def __post_init__(self) -> None:
        """Refuse a month there is not."""
        if self.start_month not in range(1, 13):
            raise ParameterError(
                f"fiscal_year_start: {self.start_month!r} is not a month. Give 1 to 12."
            )

    @property
    def _frequency(self) -> str:
        return f"Q-{_MONTHS[(self.start_month - 2) % 12]}"

    def _period(self, quarter: str) -> pd.Period:
        if not _QUARTER.fullmatch(quarter):
            raise ParameterError(f"quarter: {quarter!r} is not a quarter. Write it like 2026Q3.")
        return pd.Period(quarter, freq=self._frequency)

    def quarter_of(self, day: dt.date) -> str:
        """Name the quarter a day falls in."""
        return str(pd.Period(day, freq=self._frequency))

    def first_day(self, quarter: str) -> dt.date:
        """First day of a quarter."""
        return self._period(quarter).start_time.date()

    def last_day(self, quarter: str) -> dt.date:
        """Last day of a quarter."""
        return self._period(quarter).end_time.date()

    def shift(self, quarter: str, by: int) -> str:
        """Quarter `by` quarters later (earlier when negative).

        >>> FiscalCalendar().shift("2026Q1", -1)
        '2025Q4'
        """
        return str(self._period(quarter) + by)

    def window(self, quarter: str, n: int) -> tuple[str, ...]:
        """Name the `n` quarters that end with `quarter`, oldest first."""
        return tuple(self.shift(quarter, -back) for back in range(n - 1, -1, -1))

    def between(self, first: dt.date, last: dt.date) -> tuple[str, ...]:
        """Name all quarters from the one of `first` to the one of `last`; none when reversed."""
        quarters = pd.period_range(first, last, freq=self._frequency)
        return tuple(str(quarter) for quarter in quarters)

    def days(self, first: dt.date, last: dt.date) -> pd.DataFrame:
        """List each day from `first` to `last` with its quarter.

        Returns
        -------
        DataFrame
            Columns `day` (datetime64) and `period` (2026Q3).
        """
        day = pd.date_range(first, last, freq="D")
        period = day.to_period(self._frequency).astype(str)
        return pd.DataFrame({"day": day, "period": period})
