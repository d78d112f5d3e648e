"""How figures are written for readers: money, shares, days, counts, with their signs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from salesnb.language import (
    ENGLISH,
    format_number,
    format_share,
    language,
    mark,
    place_symbol,
    tr,
    tr_many,
    write_day,
)
from salesnb.measures.catalogue import Kpi

MISSING = "–"
_LEVELS = {"rep": mark("people"), "team": mark("teams"), "region": mark("regions")}
_ANY_LEVEL = mark("units")
_ONES = {"rep": mark("Rep"), "team": mark("Team"), "region": mark("Region")}
_ANY_ONE = mark("Unit")
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
SHORT = {
    1e9: mark("{symbol}{number}bn"),
    1e6: mark("{symbol}{number}m"),
    1e3: mark("{symbol}{number}k"),
}
"""How amounts from so much on are shortened."""


def format_money(amount: float, currency: str, *, exact: bool = False) -> str:
    """Write an amount with its currency, shortened to three digits unless `exact`.

    >>> format_money(10_005_534, "USD"), format_money(10_005_534, "USD", exact=True)
    ('$10.0m', '$10,005,534')
    """
    if not math.isfinite(amount):
        return MISSING
    symbol = _SYMBOLS.get(currency, f"{currency} ")
    sign, size = ("−" if amount < 0 else ""), abs(amount)
    for step, short in () if exact else SHORT.items():
        if size >= step * 0.9995:
            scaled = size / step
            number = format_number(scaled, 0 if scaled >= 99.95 else 1)
            return f"{sign}{tr(short, number=number, symbol=symbol).strip()}"
    return f"{sign}{place_symbol(format_number(size), symbol)}"


def format_value(kpi: Kpi, value: float, currency: str) -> str:
    """Write a KPI's value in its unit; a dash where it is missing."""
    if value is None or not math.isfinite(value):
        return MISSING
    if kpi.unit == "money":
        return format_money(value, currency)
    if kpi.unit == "share":
        return write_share(value)
    if kpi.unit == "days":
        return tr("{number} days", number=format_number(value, group=False))
    if kpi.unit == "minutes":
        return tr("{number} min", number=format_number(value))
    return format_number(value, 0 if kpi.unit == "count" else 1, group=kpi.unit == "count")


def write_share(value: float) -> str:
    """Write a share, small ones with a decimal place; a dash where it is missing.

    >>> write_share(0.256), write_share(0.0256)
    ('26%', '2.6%')
    """
    if not math.isfinite(value):
        return MISSING
    return format_share(value, 0 if abs(value) >= 0.0995 else 1)


def format_precise(kpi: Kpi, value: float, currency: str) -> str:
    """Write a KPI's value with two more digits than `format_value`, for totals and checks."""
    if value is None or not math.isfinite(value):
        return MISSING
    if kpi.unit == "money":
        return format_money(value, currency, exact=True)
    if kpi.unit == "share":
        return format_share(value, 2)
    if kpi.unit == "days":
        return tr("{number} days", number=format_number(value, 1, group=False))
    return format_number(value, 0 if kpi.unit == "count" else 2, group=kpi.unit == "count")


def format_range(kpi: Kpi, low: float, high: float, currency: str) -> str:
    """Write an interval; a dash where it is missing."""
    if not math.isfinite(low):
        return MISSING
    return f"{format_value(kpi, low, currency)} – {format_value(kpi, high, currency)}"


def format_change(kpi: Kpi, change: float, currency: str) -> str:
    """Write a difference with its sign; shares in points.

    >>> from salesnb.measures.catalogue import find_kpis
    >>> format_change(find_kpis(("win_rate",))[0], -0.031, "USD")
    '−3.1 pts'
    """
    if change is None or not math.isfinite(change):
        return MISSING
    sign = "−" if change < 0 else "+"
    size = abs(change)
    if kpi.unit == "share":
        return tr("{change} pts", change=f"{sign}{format_number(size * 100, 1, group=False)}")
    return f"{sign}{format_value(kpi, size, currency)}"


def begin_large(text: str) -> str:
    """Begin a text with a capital letter and leave the rest as it is.

    >>> begin_large("time in the CRM")
    'Time in the CRM'
    """
    return f"{text[:1].upper()}{text[1:]}"


def within_sentence(label: str) -> str:
    """Write a label as it stands within a sentence: small in English, in others as it is.

    >>> within_sentence("Win rate")
    'win rate'
    """
    return label.lower() if language() == ENGLISH else label


def name_level(by: str) -> str:
    """Name the units of a level.

    >>> name_level("rep"), name_level("branch")
    ('people', 'units')
    """
    return tr(_LEVELS.get(by, _ANY_LEVEL))


def name_one(by: str) -> str:
    """Name one unit of a level, as the head of a column.

    >>> name_one("rep"), name_one("branch")
    ('Rep', 'Unit')
    """
    return tr(_ONES.get(by, _ANY_ONE))


def count_things(n: float, one: str, many: str) -> str:
    """Write a number of things.

    >>> count_things(1, "win", "wins"), count_things(1200, "win", "wins")
    ('1 win', '1,200 wins')
    """
    return f"{format_number(n)} {tr_many(one, many, n)}"


def count_people(n: float) -> str:
    """Write a number of people.

    >>> count_people(1), count_people(1200)
    ('1 person', '1,200 people')
    """
    return count_things(n, "person", "people")


def count_opportunities(n: float) -> str:
    """Write a number of opportunities.

    >>> count_opportunities(1), count_opportunities(1200)
    ('1 opportunity', '1,200 opportunities')
    """
    return count_things(n, "opportunity", "opportunities")


def name_quarters(periods: Sequence[str]) -> str:
    """Name quarters from the first to the last.

    >>> name_quarters(("2026Q1", "2026Q2", "2026Q3")), name_quarters(("2026Q1",))
    ('2026Q1 to 2026Q3', '2026Q1')
    """
    if not periods:
        return tr("no quarter")
    first, last = periods[0], periods[-1]
    return first if len(periods) == 1 else tr("{first} to {last}", first=first, last=last)


def format_day(day: pd.Timestamp) -> str:
    """Write a day, or that there is none.

    >>> format_day(pd.Timestamp("2026-09-30")), format_day(pd.NaT)
    ('2026-09-30', '–')
    """
    return MISSING if pd.isna(day) else write_day(day)


def list_words(words: Sequence[str]) -> str:
    """List words with commas and a last `and`; empty for none.

    >>> list_words(["one", "two", "three"]), list_words(["one"])
    ('one, two and three', 'one')
    """
    if len(words) < 2:
        return "".join(words)
    return tr("{words} and {last}", words=", ".join(words[:-1]), last=words[-1])


def name_some(names: Sequence[str], most: int) -> str:
    """Name the first of many, and say how many more there are.

    >>> name_some(["north", "south", "east"], 2)
    'north, south and 1 more'
    """
    named, more = ", ".join(names[:most]), len(names) - most
    return tr("{names} and {n} more", names=named, n=format_number(more)) if more > 0 else named
