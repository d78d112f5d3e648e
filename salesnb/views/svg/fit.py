"""Give the axes of a figure all the room their labels leave, measured once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

Sizes = NDArray[np.float64]

_PAD, _GAP = 3.0, 10.0
"""Points around a figure, and between neighbours in a grid."""


def fit_axes(figure: Figure, renderer: RendererBase) -> None:
    """Place the axes of one grid so that every label is inside the figure.

    matplotlib's own layout measures all labels four times a drawing; here they are measured
    once. That is enough, because their number and size do not depend on where the axes are.

    Parameters
    ----------
    figure
        Its axes are moved; those that are not cells of one grid stay where they are.
    renderer
        Measures the labels, in points.
    """
    cells = [(axes, place) for axes in figure.axes if (place := _find_cell(axes))]
    grids = {place.get_gridspec() for _, place in cells}
    if len(cells) < len(figure.axes) or len(grids) != 1:
        return
    grid = grids.pop()
    margins = np.zeros((4, max(grid.nrows, grid.ncols)))
    for axes, place in cells:
        column, row = place.colspan.start, place.rowspan.start
        sides = zip((column, column, row, row), _overhang(axes, renderer), strict=True)
        for side, (spot, size) in enumerate(sides):
            margins[side, spot] = max(margins[side, spot], size)
    width, height = figure.get_size_inches() * 72
    lefts, widths = _divide(width, margins[0], margins[1], grid.get_width_ratios(), grid.ncols)
    tops, heights = _divide(height, margins[2], margins[3], grid.get_height_ratios(), grid.nrows)
    for axes, place in cells:
        column, row = place.colspan.start, place.rowspan.start
        axes.set_position((
            lefts[column] / width, 1 - (tops[row] + heights[row]) / height,
            widths[column] / width, heights[row] / height,
        ))  # fmt: skip


def _find_cell(axes: Axes) -> SubplotSpec | None:
    """Return where in a grid axes are; None when that is not one cell."""
    place = axes.get_subplotspec()
    is_cell = place is not None and len(place.rowspan) == len(place.colspan) == 1
    return place if is_cell else None


def _overhang(axes: Axes, renderer: RendererBase) -> tuple[float, float, float, float]:
    """Points that labels reach out of the axes to the left, right, top and bottom."""
    inside = axes.bbox
    outside = axes.get_tightbbox(renderer) or inside
    return (
        max(inside.x0 - outside.x0, 0.0), max(outside.x1 - inside.x1, 0.0),
        max(outside.y1 - inside.y1, 0.0), max(inside.y0 - outside.y0, 0.0),
    )  # fmt: skip


def _divide(
    whole: float, before: Sizes, after: Sizes, ratios: ArrayLike, n: int
) -> tuple[Sizes, Sizes]:
    """Return where cells begin and how long they are, along one side of the figure."""
    before, after = before[:n], after[:n]
    room = whole - 2 * _PAD - _GAP * (n - 1) - before.sum() - after.sum()
    sizes = max(room, 0.1 * whole) * np.asarray(ratios) / np.sum(ratios)
    steps = before + sizes + after + _GAP
    return _PAD + np.concatenate([[0.0], np.cumsum(steps)[:-1]]) + before, sizes
