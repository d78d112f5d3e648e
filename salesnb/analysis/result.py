"""What every result has in common: a finding in words, a frame, and a way to be shown.

Analysis knows nothing of figures. `views` registers, per type of result, how it is drawn; a
result asks that registry when someone plots it or shows it in a notebook.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Protocol

from salesnb.errors import SalesnbError
from salesnb.summary import Summarised


class Shown(Protocol):
    """What a view makes of a result: something a notebook can display."""

    def render_html(self) -> str:
        """Write the result as HTML."""

    def render_text(self) -> str:
        """Write the result as plain text."""

    def between(self, before: str, after: str) -> Shown:
        """Put sentences before and after it, those that are not empty."""

    def _repr_mimebundle_(self) -> dict[str, Any]: ...


View = Callable[[Any], Shown]


class Result(Summarised):
    """Base of the frozen result dataclasses."""

    _views: ClassVar[dict[tuple[type, str], View]] = {}

    @property
    def tells_of_people(self) -> bool:
        """Whether it is about single people, so that reports of teams only leave it out."""
        return False

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

    def _repr_html_(self) -> str:
        return str(self._repr_mimebundle_()["text/html"])

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, Any]:
        """Show the result as `views` does, with finding and caveat where the view has none."""
        view = Result._views.get((type(self), "table"))
        if view is None:
            return {"text/html": super()._repr_html_(), "text/plain": repr(self)}
        block = view(self)
        said = block.render_text()
        before, after = ("" if words in said else words for words in (self.finding, self.caveat))
        return {**block.between(before, after)._repr_mimebundle_(), "text/plain": repr(self)}
