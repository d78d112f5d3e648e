"""The past days that stand where `as_of` does: in its month, and in its quarter."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from salesnb.periods import FiscalCalendar

MOST_POINTS = 48
"""Past days looked back upon, about one a month."""
_HALF_MONTH = pd.Timedelta(days=15)


def list_points(calendar: FiscalCalendar, as_of: dt.date, first: pd.Timestamp) -> list[dt.date]:
    """List one day a month before `as_of` that stands as it does, oldest first.

    Of each quarter one day has exactly as many days left of the quarter. The other months have the
    day with as many days left of the month: what is won in a time ahead depends on how many ends
    of months and quarters it holds, so it is learned from days that stand alike.

    Parameters
    ----------
    calendar
        The company's.
    as_of
        The day stood on.
    first
        Day before which nothing is known.

    Examples
    --------
    >>> days = list_points(FiscalCalendar(), dt.date(2026, 8, 15), pd.Timestamp("2026-03-31"))
    >>> [f"{day:%m-%d}" for day in days]
    ['04-14', '05-15', '06-14', '07-15']
    """
    now = pd.Timestamp(as_of)
    running = calendar.quarter_of(as_of)
    left = calendar.last_day(running) - as_of
    quarters = calendar.window(running, MOST_POINTS // 3 + 1)
    alike = pd.DatetimeIndex([calendar.last_day(quarter) - left for quarter in quarters])
    ends = pd.date_range(end=now + pd.offsets.MonthEnd(0), periods=MOST_POINTS, freq="ME")
    others = ends - (ends[-1] - now)
    days = list(alike) + [
        day for day in others if all(abs(day - known) > _HALF_MONTH for known in alike)
    ]
    known = sorted(day for day in days if first <= day < now)
    return [day.date() for day in known[-MOST_POINTS:]]
