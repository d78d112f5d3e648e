"""A chart with the words it needs: its finding, what it shows, how to read it, its numbers."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import pandas as pd

from salesnb.errors import ParameterError
from salesnb.language import tr
from salesnb.views.blocks.base import Block, anchor_of, attribute, text, titled
from salesnb.views.blocks.panels import Panel, render_panels
from salesnb.views.blocks.table import render_numbers
from salesnb.views.svg import render_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

SHORTEST_ALT = 30
"""Characters below which an alternative text cannot say what a chart shows."""


@dataclass(frozen=True)
class Figure(Block):
    """A chart whose title states the finding.

    Parameters
    ----------
    title
        The finding as a sentence, computed from the data.
    caption
        What is drawn: measure, period, interval and n.
    alt
        What a reader who cannot see the chart needs, at least `SHORTEST_ALT` characters.
    how_to_read
        Two or three sentences that explain the chart type; empty leaves the fold out.
    numbers
        The values behind the marks, one row each; None leaves the fold out.
    svg, narrow_svg
        Clean drawings (`salesnb.views.svg`) or panels (`salesnb.views.blocks.panels`); the
        narrow one, if any, is shown on phones.
    anchor
        The id that headlines link to; made of the title when empty.

    Raises
    ------
    ParameterError
        When the title is empty or the alternative text too short to be one.
    """

    title: str
    caption: str
    alt: str
    how_to_read: str
    numbers: pd.DataFrame | None = field(compare=False)
    svg: str
    anchor: str = ""
    narrow_svg: str = ""

    def __post_init__(self) -> None:
        if not self.title.strip():
            raise ParameterError("figure: has no title; expected the finding as a sentence.")
        if len(self.alt.strip()) < SHORTEST_ALT:
            raise ParameterError(
                f"figure {self.title!r}: the alternative text has {len(self.alt.strip())} "
                f"characters; expected at least {SHORTEST_ALT}. Say what the chart shows, with "
                "its highest and lowest value."
            )

    @classmethod
    def from_axes(
        cls,
        axes: "Axes",
        *,
        title: str,
        caption: str,
        alt: str,
        how_to_read: str = "",
        numbers: pd.DataFrame | None = None,
        anchor: str = "",
        narrow: "Axes | None" = None,
    ) -> Self:
        """Render the drawing that `axes` belongs to, and close it.

        `narrow` is the same chart drawn `salesnb.views.theme.NARROW` inches wide, for phones;
        without it a phone scrolls the chart sideways.
        """
        return cls(
            title=title,
            caption=caption,
            alt=alt,
            how_to_read=how_to_read,
            numbers=numbers,
            svg=_render_and_close(axes),
            anchor=anchor,
            narrow_svg=_render_and_close(narrow) if narrow is not None else "",
        )

    @classmethod
    def from_panels(
        cls,
        panels: Iterable[Panel],
        *,
        title: str,
        caption: str,
        alt: str,
        how_to_read: str = "",
        numbers: pd.DataFrame | None = None,
        anchor: str = "",
    ) -> Self:
        """Show small multiples; they flow with the page and need no drawing for phones."""
        return cls(
            title=title,
            caption=caption,
            alt=alt,
            how_to_read=how_to_read,
            numbers=numbers,
            svg=render_panels(panels),
            anchor=anchor,
        )

    def render_html(self) -> str:
        """Return a `<figure>` with caption, drawing and two folds."""
        anchor = anchor_of(anchor=self.anchor, title=self.title, kind="fig")
        return (
            f'<figure class="fig" id="{anchor}"><figcaption>{titled(self.title, self.caption)}'
            f"</figcaption>{self._render_plot()}{self._render_how()}"
            f"{render_numbers(self.numbers, title=self.title)}</figure>"
        )

    def render_text(self) -> str:
        """Return title and caption."""
        return "\n".join([tr("Figure: {title}", title=self.title), self.caption]).strip()

    def _render_plot(self) -> str:
        drawing = _describe(self.svg, self.alt)
        if self.narrow_svg:
            narrow = _describe(self.narrow_svg, self.alt)
            drawing = f'<div class="wide">{drawing}</div><div class="narrow">{narrow}</div>'
        label = attribute(tr("Chart: {title}", title=self.title))
        return (
            f'<div class="plot scroll" tabindex="0" role="group" aria-label="{label}">'
            f"{drawing}</div>"
        )

    def _render_how(self) -> str:
        if not self.how_to_read:
            return ""
        words = text(tr("How to read this"))
        return (
            f'<details class="howto"><summary>{words}</summary>'
            f"<p>{text(self.how_to_read)}</p></details>"
        )


def _describe(svg: str, alt: str) -> str:
    tag = svg.split(maxsplit=1)[0]
    return f'{tag} role="img" aria-label="{attribute(alt)}"{svg.removeprefix(tag)}'


def _render_and_close(axes: "Axes") -> str:
    import matplotlib.pyplot as plt

    drawing: Drawing | None = axes.get_figure(root=True)
    if drawing is None:
        raise ParameterError("figure: the axes belong to no drawing; make them with plt.subplots.")
    try:
        return render_svg(drawing)
    finally:
        plt.close(drawing)
