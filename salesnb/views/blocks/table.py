"""A plain table: text left, numbers right, sortable where script runs."""

import datetime as dt
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from salesnb.analysis.wording import SHORT
from salesnb.errors import ParameterError
from salesnb.language import ENGLISH, format_number, language, tr, write_day
from salesnb.views.blocks.base import Block, anchor_of, attribute, breakable, text, titled
from salesnb.views.blocks.columns import align_columns, is_stacked, name_columns

MISSING = "–"
"""Stands where a value is missing."""

_SYMBOLS = "€$£¥"


@dataclass(frozen=True)
class Table(Block):
    """A plain table whose first column names the row.

    Parameters
    ----------
    title, caption
        The finding, and what the columns hold; an empty caption is left out.
    header
        Column headings.
    rows
        Texts as they are to be read, one tuple per row.
    numeric
        Positions of the columns to set right-aligned.
    key
        Notes under the table, one line each.
    anchor
        The id that headlines link to; made of the title when empty.
    is_sortable
        Whether a heading sorts the table.
    """

    title: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    key: tuple[str, ...] = ()
    anchor: str = ""
    is_sortable: bool = True

    def __post_init__(self) -> None:
        ragged = [row[0] if row else "" for row in self.rows if len(row) != len(self.header)]
        if ragged:
            raise ParameterError(
                f"table {self.title!r}: {len(ragged)} rows (e.g. {ragged[0]!r}) do not have "
                f"{len(self.header)} cells, one for each heading."
            )

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        title: str,
        caption: str = "",
        key: tuple[str, ...] = (),
        anchor: str = "",
        numeric: Collection[str] | None = None,
    ) -> Self:
        """Show a frame's columns in their order; its index is not shown.

        Numbers are written with thousands separators and as many decimals as their column
        needs, at most two; texts stay as they are; missing values become a dash. Columns of
        numbers, or of texts that read as numbers, are right-aligned unless `numeric` names the
        columns to align.
        """
        content = table_from_frame(frame, numeric=numeric)
        return cls(
            title=title,
            caption=caption,
            header=content.header,
            rows=content.rows,
            numeric=content.numeric,
            key=key,
            anchor=anchor,
        )

    def render_html(self) -> str:
        """Return a titled card around the table."""
        anchor = anchor_of(anchor=self.anchor, title=self.title, kind="tbl")
        content = Content(self.header, self.rows, self.numeric)
        notes = "".join(f"<li>{text(line)}</li>" for line in self.key)
        return (
            f'<div class="tbl" id="{anchor}">{titled(self.title, self.caption)}'
            f"{render_table(content, label=self.title, sortable=self.is_sortable)}"
            + (f'<ul class="key">{notes}</ul>' if notes else "")
            + "</div>"
        )

    def render_text(self) -> str:
        """Return title, header and rows, columns aligned."""
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(width) if position in self.numeric else cell.ljust(width)
                for position, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in (self.header, *self.rows)
        ]
        return "\n".join([tr("Table: {title}", title=self.title), *lines])


@dataclass(frozen=True)
class Content:
    """The header, texts and right-aligned columns of a table, without its title."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int]


def table_from_frame(frame: pd.DataFrame, *, numeric: Collection[str] | None = None) -> Content:
    """Write a frame's values as texts and find its columns of numbers."""
    columns = [_format_column(frame.iloc[:, position]) for position in range(frame.shape[1])]
    header = tuple(str(name) for name in frame.columns)
    right = frozenset(
        position
        for position, column in enumerate(columns)
        if (_reads_as_numbers(column) if numeric is None else header[position] in numeric)
    )
    rows = tuple(zip(*columns, strict=True)) if columns else ()
    return Content(header, rows, right)


def render_table(content: Content, *, label: str, sortable: bool = False) -> str:
    """Return a `<table>` in its own sideways-scrolling box."""
    kinds = ["t", *(["sort"] if sortable else [])]
    kinds += align_columns(content.header, content.rows, content.numeric)
    names = ""
    if is_stacked(content.header, content.rows):
        kinds.append("k")
        names = name_columns(content.header)
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in content.header)
    spans = [1] * len(content.rows) if sortable else _find_spans(content.rows)
    body = "".join(
        _render_row(row, span=span, sortable=sortable)
        for row, span in zip(content.rows, spans, strict=True)
    )
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{attribute(label)}">'
        f'<table class="{" ".join(kinds)}"{names}><caption class="sr">{text(label)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def render_numbers(numbers: pd.DataFrame | None, *, title: str) -> str:
    """Return a fold with the numbers behind a figure, or nothing for None."""
    if numbers is None:
        return ""
    table = render_table(table_from_frame(numbers), label=tr("Numbers: {title}", title=title))
    words = text(tr("Show the numbers"))
    return f'<details class="data"><summary>{words}</summary>{table}</details>'


def read_number(shown: str) -> float | None:
    """Return the number a text shows, for sorting; None when it shows none.

    >>> read_number("€1.2m"), read_number("−3%"), read_number("1,303"), read_number("8–14")
    (1200000.0, -3.0, 1303.0, None)
    """
    numeral = _find_numeral(language())
    hit = numeral.pattern.fullmatch(shown.strip())
    if hit is None:
        return None
    digits = hit["whole"].replace(numeral.group, "")
    size = float(f"{digits}.{hit['part'] or 0}") * numeral.scales[hit["scale"]]
    return -size if hit["sign"] else size


@dataclass(frozen=True)
class _Numeral:
    """What a number looks like in a language, what groups its thousands, and its scales."""

    pattern: re.Pattern[str]
    group: str
    scales: dict[str, float]


@lru_cache(maxsize=4)
def _find_numeral(code: str) -> _Numeral:
    """Learn from what the language spoken, which is `code`, writes."""
    written = format_number(1234.5, 1)
    group, decimal = written[1], written[-2]
    scales = {"": 1.0} | {
        tr(short, number="", symbol="").strip(): size for size, short in SHORT.items()
    }
    # words of one list, so that a translator can give as many forms as the language has
    units = tr("pt pts point points day days hour hours h").split()
    pattern = re.compile(
        rf"[<>≤≥~±+]?\s*(?P<sign>[-−]?)\s*[{_SYMBOLS}]?"
        rf"(?P<whole>\d+|\d{{1,3}}({re.escape(group)}\d{{3}})+)"
        rf"({re.escape(decimal)}(?P<part>\d+))?\s*"
        rf"(?P<scale>{_one_of(scales)})\s*(%|×|{_one_of(units)}|[{_SYMBOLS}]|[A-Z]{{3}})?"
    )
    return _Numeral(pattern, group, scales)


def _one_of(words: Collection[str]) -> str:
    return "|".join(re.escape(word) for word in words)


def _read_sort_value(shown: str) -> float | None:
    """Return what a text sorts by, for numbers and for days that do not sort as texts."""
    pattern = _find_day(language())
    day = pattern.fullmatch(shown) if pattern else None
    if day is None:
        return read_number(shown)
    # no day of the calendar, for a text of the customer's may only look like one
    return (12 * int(day["year"]) + int(day["month"])) * 31 + int(day["day"])


@lru_cache(maxsize=4)
def _find_day(code: str) -> re.Pattern[str] | None:
    """Learn how a day of three numbers is written; None where days sort as texts, as in English."""
    shown = re.escape(write_day(dt.date(2033, 11, 22)))
    if code == ENGLISH or not all(number in shown for number in ("2033", "11", "22")):
        return None
    for number, name in (("2033", r"(?P<year>\d{4})"), ("11", r"(?P<month>\d\d?)")):
        shown = shown.replace(number, name, 1)
    return re.compile(shown.replace("22", r"(?P<day>\d\d?)", 1))


def format_sort_value(value: float | None) -> str:
    """Return the attribute that lets a column sort by number, or nothing."""
    if value is None or not math.isfinite(value):
        return ""
    return f' data-v="{value:.6g}"'


def _render_row(row: tuple[str, ...], *, span: int, sortable: bool) -> str:
    """Write a row; its first cell spans `span` rows, or was written above when that is 0."""
    cells = []
    if row and span:
        scope = f'scope="rowgroup" rowspan="{span}"' if span > 1 else 'scope="row"'
        cells.append(f"<th {scope}><bdi>{breakable(row[0])}</bdi></th>")
    for shown in row[1:]:
        value = format_sort_value(_read_sort_value(shown)) if sortable else ""
        cells.append(f"<td{value}>{breakable(shown)}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _find_spans(rows: tuple[tuple[str, ...], ...]) -> list[int]:
    """Say how many rows each first cell stands for: n for the first of n equal ones, then 0."""
    spans: list[int] = []
    for first, group in groupby(rows, key=lambda row: row[:1]):
        n = len(list(group))
        spans += [n, *[0] * (n - 1)] if first else [1] * n
    return spans


def _format_column(column: "pd.Series[Any]") -> tuple[str, ...]:
    if pd.api.types.is_bool_dtype(column):
        yes, no = tr("yes"), tr("no")
        return tuple(MISSING if pd.isna(value) else yes if value else no for value in column)
    if not pd.api.types.is_numeric_dtype(column):
        return tuple(MISSING if pd.isna(value) else _format_other(value) for value in column)
    values = column.astype(float).to_numpy(na_value=np.nan)
    decimals = _decimals_needed(values)
    return tuple(
        format_number(value, decimals) if math.isfinite(value) else MISSING
        for value in (values.round(decimals) + 0.0)
    )


def _format_other(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return write_day(value)
    return str(value)


def _decimals_needed(values: NDArray[np.floating[Any]]) -> int:
    finite = values[np.isfinite(values)].round(2)
    return next((n for n in (0, 1) if np.array_equal(finite, finite.round(n))), 2)


def _reads_as_numbers(column: tuple[str, ...]) -> bool:
    shown = [value for value in column if value != MISSING]
    return bool(shown) and all(read_number(value) is not None for value in shown)
