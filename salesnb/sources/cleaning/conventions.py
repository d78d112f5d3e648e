"""Conventions of a file: what a decimal point is, whether days come before months.

They are found in the file's own values, and only where those leave no doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from salesnb.schema import Column, Kind
from salesnb.sources.cleaning.dates import NUMERIC_DAY, Clock
from salesnb.sources.mapping import FileOptions

_DAY = re.compile(NUMERIC_DAY)
_NOT_DIGITS = re.compile(r"[^\d.,]")


@dataclass(frozen=True)
class Conventions:
    """How a file writes numbers and dates.

    `day_first` is None where the file does not tell; where `date_format` is given, it holds alone.
    """

    decimal: str = "."
    day_first: bool | None = None
    date_format: str | None = None
    clock: Clock = field(default_factory=Clock)


def infer_conventions(
    samples: Mapping[Column, Iterable[str]], options: FileOptions, *,
    delimiter: str = "", time_zone: str | None = None,
) -> Conventions:  # fmt: skip
    """Complete what a mapping says about a file from the file's own values.

    Parameters
    ----------
    samples
        Texts of the columns of the model that hold dates, times and numbers.
    options
        What the mapping says; it goes before what is found.
    delimiter
        Of a CSV file: a semicolon is used where the comma is a decimal point.
    time_zone
        The company's.
    """
    numbers = _texts_of(samples, ("number",))
    days = _texts_of(samples, ("date", "timestamp"))
    found = infer_decimal(numbers) or ("," if delimiter == ";" else ".")
    return Conventions(
        decimal=options.decimal or found,
        day_first=infer_day_first(days),
        date_format=options.date_format,
        clock=Clock(options.time_zone, time_zone),
    )


def _texts_of(samples: Mapping[Column, Iterable[str]], kinds: tuple[Kind, ...]) -> list[str]:
    return [
        text for column, texts in samples.items() if column.rule.kind in kinds for text in texts
    ]


def infer_day_first(texts: Iterable[str]) -> bool | None:
    """Find whether days come before months: by a number above 12, or by points between them.

    None where nothing tells, or where values contradict one another.

    >>> infer_day_first(["05/01/2026", "31/01/2026"]), infer_day_first(["05/01/2026"])
    (True, None)
    """
    hits = [hit for text in texts if (hit := _DAY.match(text))]
    is_day_first = any(int(hit[1]) > 12 for hit in hits)
    is_month_first = any(int(hit[3]) > 12 for hit in hits)
    if is_day_first != is_month_first:
        return is_day_first
    has_points_only = bool(hits) and all(hit[2] == "." for hit in hits)
    return True if has_points_only and not is_month_first else None


def infer_decimal(texts: Iterable[str]) -> str | None:
    """Find the decimal point of numbers; None where nothing tells, or both are used.

    A text such as 1.234 tells nothing: it may be grouped.

    >>> infer_decimal(["1.234", "1.234,50"]), infer_decimal(["1.234"])
    (',', None)
    """
    marks = {mark for text in texts if (mark := _decimal_of(text))}
    return marks.pop() if len(marks) == 1 else None


def _decimal_of(text: str) -> str | None:
    bare = _NOT_DIGITS.sub("", text)
    points, commas = bare.count("."), bare.count(",")
    if points and commas:
        return max(".,", key=bare.rfind)
    if points > 1 or commas > 1:
        return "," if points else "."
    mark = "." if points else ","
    before, _, after = bare.partition(mark)
    is_grouped = len(after) == 3 and 1 <= len(before) <= 3
    return None if not after or is_grouped else mark
