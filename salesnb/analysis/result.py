"""What every result has in common: a finding in words, a frame, and a way to be shown.

Analysis knows nothing of figures. `views` registers, per type of result, how it is drawn; a
result asks that registry when someone plots it or shows it in a notebook.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from salesnb.errors import SalesnbError


class Shown(Protocol):
    """What a view makes of a result: something a notebook can display."""

    def render_html(self) -> str:
        """Write the result as HTML."""


MOST_ROWS = 8

View = Callable[[Any], Shown]


class Result(ABC):
    """Base of the frozen result dataclasses.

    A subclass gives `finding` (one sentence), `caveat` and `to_frame`.
    """

    _views: ClassVar[dict[tuple[type, str], View]] = {}

    @property
    def tells_of_people(self) -> bool:
        """Whether it is about single people, so that reports of teams only leave it out."""
        return False

    @property
    @abstractmethod
    def finding(self) -> str:
        """The result in one sentence."""

    @property
    def caveat(self) -> str:
        """What the result does not say."""
        return ""

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """Write the result as a table."""

    @classmethod
    def register(cls, *, table: View, plot: View) -> None:
        """Say how results of this class are shown and plotted (called by `views`)."""
        Result._views[cls, "table"] = table
        Result._views[cls, "plot"] = plot

    def plot(self) -> Shown:
        """Draw the result's main figure.

        Raises
        ------
        SalesnbError
            The views were not loaded.
        """
        view = Result._views.get((type(self), "plot"))
        if view is None:
            raise SalesnbError(f"{type(self).__name__}: import salesnb.views before plotting.")
        return view(self)

    def _repr_html_(self) -> str | None:
        view = Result._views.get((type(self), "table"))
        return view(self).render_html() if view else None

    def __repr__(self) -> str:
        shown = self.to_frame().head(MOST_ROWS).round(3)
        table = shown.to_string(index=False) if len(shown) else ""
        return "\n".join(part for part in (self.finding, table, self.caveat) if part)

    def __rich__(self) -> RenderableType:
        """Show finding, the first rows, caveat."""
        frame = self.to_frame()
        table = RichTable()
        for name in frame.columns:
            table.add_column(Text(str(name)))
        for row in frame.head(MOST_ROWS).itertuples(index=False):
            table.add_row(*(Text(_short(value)) for value in row))
        parts: list[RenderableType] = [Text(self.finding, style="bold"), table]
        if self.caveat:
            parts.append(Text(self.caveat, style="dim"))
        return Group(*parts)


def _short(value: object) -> str:
    return f"{value:,.3g}" if isinstance(value, float) else str(value)
