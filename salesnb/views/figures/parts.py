"""What the figures share: rows of a matrix, short names, colours and axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import pandas as pd
from matplotlib.axis import Axis

from salesnb.analysis.matrix import PerformanceMatrix
from salesnb.analysis.wording import MISSING, format_value, name_quarters
from salesnb.language import format_number, format_share, mark, tr, write_signs
from salesnb.measures.catalogue import Kpi
from salesnb.views.blocks import Note
from salesnb.views.theme import BETTER, NARROW, UNCLEAR, WORSE

_UNITS = {"rep": mark("reps"), "team": mark("teams"), "region": mark("regions")}
_ANY_UNITS = mark("units")


def name_units(by: str) -> str:
    """Name what a matrix has a row of, more than one."""
    return tr(_UNITS.get(by, _ANY_UNITS))


def find_gap(matrix: PerformanceMatrix, kpi: str) -> Note | None:
    """Say why a KPI cannot be drawn; None when it can."""
    if kpi not in matrix.estimates or not len(matrix.units):
        why = matrix.missing.get(kpi) or tr("not in this matrix")
        return Note(f"{kpi}: {why}.", "missing")
    item = find_kpi(matrix, kpi)
    if estimated_rows(matrix, item).empty:
        window = name_window(matrix, kpi)
        said = tr("{kpi}: nobody here has a record in {quarters}.", kpi=item.label, quarters=window)
        return Note(said, "missing")
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
    return name_quarters(row["window"])


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
    return write_signs(f"{value:,.4g}")


def write_percent(value: float) -> str:
    """Write a share's tick with the decimals it needs, three digits at most."""
    written = f"{value * 100:.3g}"
    digits = 0 if "e" in written else len(written.partition(".")[2])
    return format_share(value, digits)


def write_signed(value: float) -> str:
    """Write a difference in points with its sign; a dash where it is missing."""
    if not math.isfinite(value):
        return MISSING
    return format_number(value, 2, sign=True, group=False)


def tick_writer(kpi: Kpi, currency: str) -> Callable[[float], str]:
    """Make the function that writes a KPI's ticks."""
    if kpi.unit == "money":
        return value_writer(kpi, currency)
    if kpi.unit == "share":
        return write_percent
    return write_plain


def write_shares(shares: Iterable[float], digits: int = 0) -> list[str]:
    """Write a column of shares."""
    return [format_share(share, digits) for share in shares]


def write_numbers(values: Iterable[float], digits: int = 0, *, group: bool = False) -> list[str]:
    """Write a column of numbers; a dash where one is missing."""
    return [
        format_number(value, digits, group=group) if math.isfinite(value) else MISSING
        for value in values
    ]


def write_ranges(
    lows: Iterable[float], highs: Iterable[float], write: Callable[[float], str]
) -> list[str]:
    """Write a column of intervals."""
    return [f"{write(low)} – {write(high)}" for low, high in zip(lows, highs, strict=True)]


def say_first(n: int, most: int) -> str:
    """Say that only the first of `n` rows are shown; nothing where all are."""
    return tr(" The first {most} of {n} are shown.", most=most, n=n) if n > most else ""


def say_both_ends(n: int, most: int) -> str:
    """Say that only the first and the last of `n` rows are shown; nothing where all are."""
    return tr(" The first and last {n} are shown.", n=most // 2) if n > most else ""
