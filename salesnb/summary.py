"""What everything an analyst looks at has in common: a finding in words, a table, a caveat.

Names and texts come from a CRM: nothing in them is read as markup, and nothing in them reaches a
terminal that would steer it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

_MOST = (8, 8)
_MOST_IN_HTML = (40, 12)
"""Rows and columns that are shown."""
_WIDEST = 40
_UNPRINTABLE = re.compile("[^\t\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(words: str) -> str:
    r"""Take out of a text what steers a terminal or is no character.

    >>> printable("North\x1b[2J")
    'North[2J'
    """
    return _UNPRINTABLE.sub("", words)


class Summarised(ABC):
    """Base of what is shown by itself in a notebook, a terminal and a log.

    A subclass gives `finding` (one sentence), `to_frame` and, if there is one, a `caveat`.
    """

    @property
    @abstractmethod
    def finding(self) -> str:
        """What it is or says, in one sentence."""

    @property
    def caveat(self) -> str:
        """What it does not say."""
        return ""

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """Write it as a table."""

    def __repr__(self) -> str:
        shown, more = _shorten(self.to_frame())
        table = shown.to_string(index=False, max_colwidth=_WIDEST) if len(shown) else ""
        parts = (self.finding, table, more, self.caveat)
        return printable("\n".join(part for part in parts if part))

    def __rich__(self) -> RenderableType:
        """Show finding, the first rows, caveat."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        shown, more = _shorten(self.to_frame())
        table = Table()
        for name in shown.columns:
            table.add_column(Text(printable(str(name))))
        for row in shown.itertuples(index=False):
            table.add_row(*(Text(printable(_short(value))) for value in row))
        parts: list[RenderableType] = [Text(printable(self.finding), style="bold"), table]
        parts += [Text(printable(words), style="dim") for words in (more, self.caveat) if words]
        return Group(*parts)

    def _repr_html_(self) -> str:
        shown, more = _shorten(self.to_frame(), _MOST_IN_HTML)
        table = shown.to_html(index=False, border=0) if len(shown) else ""
        notes = "".join(f"<p>{escape(words)}</p>" for words in (more, self.caveat) if words)
        return printable(f"<p><b>{escape(self.finding)}</b></p>{table}{notes}")

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, Any]:
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}


def _shorten(frame: pd.DataFrame, most: tuple[int, int] = _MOST) -> tuple[pd.DataFrame, str]:
    """Take a table's first rows and columns, and say what more there is."""
    shown = frame.iloc[: most[0], : most[1]]
    numbers = shown.select_dtypes("number").columns
    shown = shown.assign(**{name: shown[name].round(3) for name in numbers})
    if shown.shape == frame.shape:
        return shown, ""
    n_rows, n_columns = frame.shape
    return shown, f"The first of {n_rows:,} rows and {n_columns} columns; all: .to_frame()"


def _short(value: object) -> str:
    return f"{value:,.3g}" if isinstance(value, float) else str(value)
