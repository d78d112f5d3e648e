"""What the figures share: rows of a matrix, short names, colours and axes."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from matplotlib.axis import Axis

from salesnb.analysis.matrix import PerformanceMatrix
from salesnb.analysis.wording import format_value
from salesnb.measures.catalogue import Kpi
from salesnb.views.blocks import Note
from salesnb.views.theme import BETTER, NARROW, UNCLEAR, WORSE

UNITS = {"rep": "reps", "team": "teams", "region": "regions"}


def find_gap(matrix: PerformanceMatrix, kpi: str) -> Note | None:
    """Say why a KPI cannot be drawn; None when it can."""
    if kpi not in matrix.estimates or not len(matrix.units):
        return Note(f"{kpi}: {matrix.missing.get(kpi, 'not in this matrix')}.", "missing")
    item = find_kpi(matrix, kpi)
    if estimated_rows(matrix, item).empty:
        window = name_window(matrix, kpi)
        return Note(f"{item.label}: nobody here has a record in {window}.", "missing")
    return None


def find_kpi(matrix: PerformanceMatrix, kpi: str) -> Kpi:
    """Find a KPI's definition."""
    return next(item for item in matrix.kpis if item.kpi == kpi)


def estimated_rows(matrix: PerformanceMatrix, kpi: Kpi) -> pd.DataFrame:
    """Take a KPI's units that have records, the best first."""
    rows = matrix.scores[matrix.scores["kpi"] == kpi.kpi]
    rows = rows[rows["raw"].notna()]
    ascending = kpi.direction == "down"
    return rows.sort_values(["estimate", "unit"], ascending=[ascending, True], ignore_index=True)


def name_window(matrix: PerformanceMatrix, kpi: str) -> str:
    """Name the quarters a KPI was estimated over."""
    row = matrix.differences[matrix.differences["kpi"] == kpi].iloc[0]
    window = row["window"]
    return window[0] if len(window) == 1 else f"{window[0]} to {window[-1]}"


def value_writer(kpi: Kpi, currency: str) -> Callable[[float], str]:
    """Make the function that writes a KPI's values."""
    return lambda value: format_value(kpi, value, currency)


def evidence_colour(grade: int) -> str:
    """Colour a mark by its evidence; grey below 95%."""
    return BETTER if grade >= 2 else WORSE if grade <= -2 else UNCLEAR


def shorten(name: str, width: float) -> str:
    """Cut a name to what fits beside a figure."""
    most = 28 if width > NARROW else 14
    return name if len(name) <= most else f"{name[: most - 1]}…"


def format_axis(axis: Axis, write: Callable[[float], str], *, most: int) -> None:
    """Write at most `most` ticks of an axis by `write`."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(most))
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))


def write_plain(value: float) -> str:
    """Write a tick that has no unit."""
    return f"{value:,.4g}"


def tick_writer(kpi: Kpi, currency: str) -> Callable[[float], str]:
    """Make the function that writes a KPI's ticks."""
    if kpi.unit == "money":
        return value_writer(kpi, currency)
    if kpi.unit == "share":
        return lambda value: f"{value * 100:.3g}%"
    return write_plain
