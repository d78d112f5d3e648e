"""Small multiples: line charts that flow with the page, so one drawing serves every width."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from salesnb.views.blocks.base import attribute, text
from salesnb.views.svg.paths import DOT, Command, write_number, write_path

WIDTH, HEIGHT = 200.0, 84.0
"""Points of a panel's drawing; the page shows it as wide as its column."""

_TOP, _BOTTOM, _RIGHT = 6.0, 16.0, 5.0
_PLAIN = "var(--ink2)"
_DIAMOND = ((0.0, 5.0), (5.0, 0.0), (0.0, -5.0), (-5.0, 0.0))
_WIDTHS = {".": 2.8, ",": 2.8, "%": 8.9, "m": 8.3, "k": 5.0, "b": 5.6, "n": 5.6, "-": 3.4}
_DIGIT = 5.6
"""Points a letter of the axis takes at 10 points; the font is not known before it is shown."""


@dataclass(frozen=True)
class Panel:
    """One small line chart of values at places 0, 1, 2 and on.

    Parameters
    ----------
    title
        What is shown.
    values
        One a place; NaN leaves a gap.
    low, high
        Ends of the band behind the line, one a place; NaN where there is none.
    span
        Lowest and highest value of the vertical axis.
    write
        Writes a value for the vertical axis.
    ends
        Names of the first and the last place.
    centre
        A dashed line through the band; empty for none.
    marked
        Place and colour of values to mark.
    colour
        CSS colour of the line.
    is_stepped
        Whether the band keeps its width around a place, or goes straight to the next.
    is_open
        Whether the last value is a hollow point apart from the line, as it is not final.
    is_dotted
        Whether every value has a dot, or the last one only.
    """

    title: str
    values: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    span: tuple[float, float]
    write: Callable[[float], str]
    ends: tuple[str, str]
    centre: Sequence[float] = ()
    marked: Sequence[tuple[int, str]] = ()
    colour: str = _PLAIN
    is_stepped: bool = False
    is_open: bool = False
    is_dotted: bool = False

    def render_html(self) -> str:
        """Return the title above the drawing, which is hidden from screen readers."""
        ticks = find_ticks(*self.span)
        shown = [self.write(tick) for tick in ticks]
        scale = _Scale(self.span, len(self.values), 4 + max(map(_measure, shown), default=0.0))
        floor = HEIGHT - _BOTTOM
        grid = [
            command for tick in ticks
            for command in _line([(scale.left, scale.y(tick)), (WIDTH - _RIGHT, scale.y(tick))])
        ]  # fmt: skip
        frame = [(scale.left, _TOP), (scale.left, floor), (WIDTH - _RIGHT, floor)]
        labels = "".join(
            _label(scale.left - 3, scale.y(tick) + 3.6, words)
            for tick, words in zip(ticks, shown, strict=True)
        )
        first, last = self.ends
        label_of_last = _label(WIDTH, HEIGHT - 4, last) if len(self.values) > 1 else ""
        return (
            f'<div><b>{text(self.title)}</b><svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" '
            f'aria-hidden="true">{_path("g", grid)}{_path("b", self._band(scale))}'
            f"{_path('c', scale.line(self.centre))}{_path('f', _line(frame))}"
            f'{self._draw_values(scale)}<g class="e">{labels}{label_of_last}</g>'
            f"{_label(scale.left, HEIGHT - 4, first)}</svg></div>"
        )

    def _band(self, scale: "_Scale") -> list[Command]:
        """Return closed shapes, one for each run of places that have a band."""
        shapes: list[Command] = []
        for run in _runs(self.low):
            ends = [(place - 0.5, place + 0.5) if self.is_stepped else (place,) for place in run]
            across = [(min(max(x, run[0]), run[-1]), place)
                      for place, xs in zip(run, ends, strict=True) for x in xs]  # fmt: skip
            over = [scale.at(x, self.high[place]) for x, place in across]
            under = [scale.at(x, self.low[place]) for x, place in reversed(across)]
            shapes += [*_line([*over, *under]), ("Z", ())]
        return shapes

    def _draw_values(self, scale: "_Scale") -> str:
        style = "" if self.colour == _PLAIN else f"stroke:{self.colour}"
        dots: list[Command] = []
        drawn = _path("l", scale.line(self.values[: -1 if self.is_open else None]), style)
        known = [place for place, value in enumerate(self.values) if math.isfinite(value)]
        last = len(self.values) - 1
        dotted = [place for place in known if self.is_dotted or place == last]
        for place in dotted:
            x, y = scale.at(place, self.values[place])
            if place == last and self.is_open:
                drawn += f'<circle class="o" cx="{_short(x)}" cy="{_short(y)}" r="2.5"></circle>'
            else:
                dots += [("M", (x, y)), (DOT, ())]
        drawn += _path("d", dots, style)
        for place, colour in self.marked:
            x, y = scale.at(place, self.values[place])
            corners = [(x + dx, y + dy) for dx, dy in _DIAMOND]
            drawn += _path("", [*_line(corners), ("Z", ())], f"fill:{colour}")
        return drawn


class _Scale:
    """From places and values to points of the drawing."""

    def __init__(self, span: tuple[float, float], n_places: int, left: float) -> None:
        self.left = left
        self._low, self._high = span
        self._step = (WIDTH - _RIGHT - 6 - left) / max(n_places - 1, 1)

    def y(self, value: float) -> float:
        share = (value - self._low) / (self._high - self._low)
        return HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * share

    def at(self, place: float, value: float) -> tuple[float, float]:
        return self.left + 4 + self._step * place, self.y(value)

    def line(self, values: Sequence[float]) -> list[Command]:
        """Return lines through the known values, interrupted by the others."""
        return [
            command for run in _runs(values)
            for command in _line([self.at(place, values[place]) for place in run])
        ]  # fmt: skip


def render_panels(panels: Iterable[Panel]) -> str:
    """Return the panels side by side, as many in a row as the page has room for."""
    return f'<div class="pn">{"".join(panel.render_html() for panel in panels)}</div>'


def find_ticks(low: float, high: float) -> list[float]:
    """Return two to four round values between two others.

    >>> find_ticks(0, 1.3), find_ticks(12, 19)
    ([0.0, 0.5, 1.0], [12.5, 15.0, 17.5])
    """
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(3).tick_values(low, high)
    return [float(tick) for tick in ticks if low <= tick <= high]


def _runs(values: Sequence[float]) -> list[list[int]]:
    """Split places into runs of known values."""
    runs: list[list[int]] = [[]]
    for place, value in enumerate(values):
        if math.isfinite(value):
            runs[-1].append(place)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _line(points: Sequence[tuple[float, float]]) -> list[Command]:
    return [("M" if number == 0 else "L", point) for number, point in enumerate(points)]


def _path(name: str, shape: Sequence[Command], style: str = "") -> str:
    if not shape:
        return ""
    look = (f' class="{name}"' if name else "") + (f' style="{attribute(style)}"' if style else "")
    return f'<path{look} d="{write_path(shape)}"></path>'


def _label(x: float, y: float, words: str) -> str:
    return f'<text x="{_short(x)}" y="{_short(y)}">{text(words)}</text>'


def _measure(words: str) -> float:
    return sum(_WIDTHS.get(letter, _DIGIT) for letter in words)


def _short(number: float) -> str:
    return write_number(round(10 * number))
