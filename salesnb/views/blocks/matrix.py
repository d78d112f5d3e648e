"""The Sales Performance Matrix: who stands where, tinted only where the evidence supports it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from salesnb.errors import ParameterError
from salesnb.language import mark, tr
from salesnb.views.blocks.base import Block, anchor_of, attribute, hidden, text, titled
from salesnb.views.blocks.columns import is_stacked, name_columns
from salesnb.views.blocks.table import format_sort_value, read_number, render_numbers
from salesnb.views.svg.paths import DOT, Command, write_path

ARROWS = {3: "▲▲", 2: "▲", 1: "△", 0: "", -1: "▽", -2: "▼", -3: "▼▼"}
"""Tint -> the sign that goes with it, so that colour is never alone."""

WORDS = {
    3: mark("clearly better"),
    2: mark("better"),
    1: mark("leans better"),
    0: mark("about the team level"),
    -1: mark("leans worse"),
    -2: mark("worse"),
    -3: mark("clearly worse"),
}
"""Tint -> the words a screen reader says when a cell brings none of its own."""

MOST_BESIDE = 6
"""Columns up to which a cell has room for its line beside the value."""

STANDARD_KEY = tuple((tint, WORDS[tint]) for tint in (3, 2, 0, -2, -3))
"""The key under a matrix; give another when `tint` 1 and -1 occur or zero means another level."""

GROUP_KEY = (
    (3, mark("clearly better than the group")), (2, WORDS[2]), (1, WORDS[1]),
    (0, mark("cannot be told from the group")), (-1, WORDS[-1]), (-2, WORDS[-2]), (-3, WORDS[-3]),
)  # fmt: skip
"""The key where zero is the level of a group."""


@dataclass(frozen=True)
class Cell:
    """One measure of one person or team.

    Parameters
    ----------
    value
        The value as it is to be read; large.
    note
        A second, small line, such as the rank interval ``"10–12"``.
    tint
        -3 clearly worse ... 3 clearly better; 0 where the evidence supports neither.
    words
        What the tint means, for screen readers, in English and marked; `WORDS` when empty.
    sparkline
        Values of past periods, oldest first; NaN leaves a gap.
    sort_value
        The number to sort by; read from `value` when None.
    """

    value: str
    note: str = ""
    tint: int = 0
    words: str = ""
    sparkline: tuple[float, ...] = ()
    sort_value: float | None = None

    def __post_init__(self) -> None:
        if self.tint not in ARROWS:
            raise ParameterError(f"matrix cell: tint {self.tint!r}; expected a whole -3 to 3.")

    def render_html(self) -> str:
        """Return the cell as a `<td>`."""
        tint = f' class="{_tint_class(self.tint)}"' if self.tint else ""
        sort_value = read_number(self.value) if self.sort_value is None else self.sort_value
        arrow = ARROWS[self.tint]
        sign = f' <i aria-hidden="true">{arrow}</i>' if arrow else ""
        said = hidden(f", {tr(self.words or WORDS[self.tint])}")
        note = f"<small>{text(self.note)}</small>" if self.note else ""
        return (
            f"<td{tint}{format_sort_value(sort_value)}><b>{text(self.value)}{sign}{said}</b>{note}"
            f"{render_sparkline(self.sparkline)}</td>"
        )


@dataclass(frozen=True)
class Matrix(Block):
    """Rows of people or teams by columns of measures.

    Parameters
    ----------
    title, caption
        The finding; what the large value, the small line and the sparkline are.
    columns
        Names of the measures.
    rows
        Pairs of a name and its cells, one cell per column.
    key
        Pairs of tint and meaning, in English and marked.
    anchor
        The id that headlines link to; made of the title when empty.
    corner
        Heading of the first column; when empty that of reps.
    reference
        A row to compare with, such as the team's; it stays on top when the table is sorted.
    numbers
        Every figure behind the cells, one row each, folded away; None leaves the fold out.

    Raises
    ------
    ParameterError
        When a row does not have one cell per column.
    """

    title: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    key: Sequence[tuple[int, str]] = STANDARD_KEY
    anchor: str = ""
    corner: str = ""
    reference: tuple[str, Sequence[Cell]] | None = None
    numbers: pd.DataFrame | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        rows = [*self.rows, *([self.reference] if self.reference else [])]
        ragged = [label for label, cells in rows if len(cells) != len(self.columns)]
        if ragged:
            raise ParameterError(
                f"matrix {self.title!r}: {len(ragged)} rows (e.g. {ragged[0]!r}) do not have "
                f"{len(self.columns)} cells, one for each column."
            )

    def render_html(self) -> str:
        """Return a titled card around the matrix and its key."""
        anchor = anchor_of(anchor=self.anchor, title=self.title, kind="mx")
        header = self._header()
        head = "".join(f'<th scope="col">{text(name)}</th>' for name in header)
        body = "".join(_render_row(row) for row in self.rows)
        top = f'<tbody class="ref">{_render_row(self.reference)}</tbody>' if self.reference else ""
        return (
            f'<div class="tbl long" id="{anchor}">{titled(self.title, self.caption)}'
            f'<div class="scroll" tabindex="0" role="group" aria-label="{attribute(self.title)}">'
            f'<table{self._describe_table()}><caption class="sr">{text(self.title)}</caption>'
            f"<thead><tr>{head}</tr></thead>{top}<tbody>{body}</tbody></table></div>"
            f"{self._render_key()}{render_numbers(self.numbers, title=self.title)}</div>"
        )

    def _header(self) -> tuple[str, ...]:
        return (self.corner or tr("Rep"), *self.columns)

    def _describe_table(self) -> str:
        """Return attributes: whether lines have room beside values, and names for phones."""
        has_lines = any(cell.sparkline for _, cells in self.rows for cell in cells)
        header = self._header()
        kinds = ["mx", "sort"]
        kinds += ["many"] if len(self.columns) > MOST_BESIDE else ["line"] if has_lines else []
        kinds += ["k"] if is_stacked(header) else []
        names = name_columns(header) if is_stacked(header) else ""
        return f' class="{" ".join(kinds)}"{names}'

    def render_text(self) -> str:
        """Return one line per row: values with their signs."""
        rows = [*([self.reference] if self.reference else []), *self.rows]
        lines = [
            f"{label}: " + ", ".join(f"{cell.value} {ARROWS[cell.tint]}".rstrip() for cell in cells)
            for label, cells in rows
        ]
        return "\n".join([tr("Matrix: {title}", title=self.title), ", ".join(self.columns), *lines])

    def _render_key(self) -> str:
        items = "".join(
            f'<li><i class="{_tint_class(tint)}"></i>'
            f"{f'{ARROWS[tint]} {text(tr(words))}'.strip()}</li>"
            for tint, words in self.key
        )
        return f'<ul class="key">{items}</ul>' if items else ""


def render_sparkline(values: Sequence[float]) -> str:
    """Draw values as a tiny line with a dot on the last; fewer than two values draw nothing.

    >>> render_sparkline((1.0, 2.0))[61:-6]
    'd="m3 17 47-14"></path><path d="m50 3h0"></path>'
    """
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < 2:
        return ""
    low, span = min(finite), (max(finite) - min(finite)) or 1.0
    flat = max(finite) == min(finite)
    step = 47 / (len(values) - 1)
    line: list[Command] = []
    is_drawing = False
    for position, value in enumerate(values):
        if math.isfinite(value):
            at = 3 + step * position, 10.0 if flat else 17 - 14 * (value - low) / span
            line.append(("L" if is_drawing else "M", at))
        is_drawing = math.isfinite(value)
    dot = write_path([("M", line[-1][1]), (DOT, ())])
    return (
        f'<svg class="sp" viewBox="0 0 54 20" aria-hidden="true"><path d="{write_path(line)}">'
        f'</path><path d="{dot}"></path></svg>'
    )


def _render_row(row: tuple[str, Sequence[Cell]]) -> str:
    label, cells = row
    shown = "".join(cell.render_html() for cell in cells)
    return f'<tr><th scope="row"><bdi>{text(label)}</bdi></th>{shown}</tr>'


def _tint_class(tint: int) -> str:
    return f"{'p' if tint > 0 else 'n'}{abs(tint)}" if tint else "p0"
