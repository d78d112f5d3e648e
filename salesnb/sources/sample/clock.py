"""Days and minutes of the sample company as integers counted from a Monday."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt

from salesnb.sources.sample.arrays import NEVER, Ints

START = dt.date(2023, 1, 2)
"""Day 0, a Monday: three quarters before the export begins, so that it opens with a pipeline."""

FIRST = (dt.date(2023, 10, 1) - START).days
LAST = (dt.date(2026, 9, 30) - START).days
AS_OF = (dt.date(2026, 10, 5) - START).days
DAYS = AS_OF + 1
DAY = 24 * 60
EXPORTED_AT = AS_OF * DAY + 7 * 60
"""The minute of the export, before that day's work."""

OPENS, CLOSES = 8 * 60, 18 * 60
_OFFICE = CLOSES - OPENS


def day_of(year: int, month: int, day: int) -> int:
    """Count the days from `START` to a date."""
    return (dt.date(year, month, day) - START).days


def to_dates(days: Ints) -> npt.NDArray[np.datetime64]:
    """Turn days into dates; `NEVER` becomes NaT."""
    dates = np.datetime64(START, "D") + np.asarray(days).astype("timedelta64[D]")
    return np.where(days >= NEVER, np.datetime64("NaT"), dates).astype("datetime64[s]")


def to_moments(minutes: Ints, seconds: Ints | int = 0) -> npt.NDArray[np.datetime64]:
    """Turn minutes (and seconds into the minute) into timestamps; `NEVER` days become NaT."""
    past = (np.asarray(minutes) * 60 + seconds).astype("timedelta64[s]")
    moments = np.datetime64(START, "s") + past
    return np.where(minutes >= NEVER * DAY, np.datetime64("NaT"), moments).astype("datetime64[s]")


def quarter_of(days: Ints) -> Ints:
    """Find the calendar quarter of each day, as a number; 0 is 1970Q1."""
    dates = np.datetime64(START, "D") + np.asarray(days).astype("timedelta64[D]")
    return dates.astype("datetime64[M]").astype(np.int64) // 3


def quarter_start(quarters: Ints) -> Ints:
    """Find the first day of each quarter number."""
    months = (np.asarray(quarters) * 3).astype("datetime64[M]")
    return (months.astype("datetime64[D]") - np.datetime64(START, "D")).astype(np.int64)


def quarter_name(quarter: int) -> str:
    """Name a quarter number, 2026Q3."""
    return f"{1970 + quarter // 4}Q{quarter % 4 + 1}"


def quarter_number(name: str) -> int:
    """Find the number of a quarter by its name.

    >>> quarter_name(quarter_number("2026Q3"))
    '2026Q3'
    """
    year, quarter = name.split("Q")
    return (int(year) - 1970) * 4 + int(quarter) - 1


def export_quarters() -> Ints:
    """Find the numbers of the quarters the export covers in full."""
    first, last = quarter_of(np.array([FIRST, LAST])).tolist()
    return np.arange(first, last + 1)


def is_workday(days: Ints) -> npt.NDArray[np.bool_]:
    """Tell Monday to Friday from the weekend."""
    return np.asarray(days) % 7 < 5


def workday_from(days: Ints) -> Ints:
    """Move weekend days to the next Monday."""
    return np.where(is_workday(days), days, days + 7 - days % 7)


def workday_until(days: Ints) -> Ints:
    """Move weekend days to the Friday before."""
    return days - np.maximum(days % 7 - 4, 0)


def add_office_minutes(minutes: Ints, office_minutes: Ints) -> Ints:
    """Let office time pass: Monday to Friday, 8:00 to 18:00.

    >>> friday_evening = np.array([4 * DAY + 20 * 60])
    >>> monday = add_office_minutes(friday_evening, np.array([30])) - 7 * DAY
    >>> monday.tolist() == [OPENS + 30]
    True
    """
    day, minute = minutes // DAY, minutes % DAY
    is_open = is_workday(day)
    whole_days = day // 7 * 5 + np.minimum(day % 7, 5)
    today = np.where(is_open, np.clip(minute - OPENS, 0, _OFFICE), 0)
    office = whole_days * _OFFICE + today + office_minutes
    workday = office // _OFFICE
    moments: Ints = (workday // 5 * 7 + workday % 5) * DAY + OPENS + office % _OFFICE
    return moments
