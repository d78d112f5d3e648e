"""Draw a matplotlib figure once, at the size it says, and write it as a small SVG."""

import io
from typing import TYPE_CHECKING, Any

from salesnb.language import ENGLISH, language, write_signs
from salesnb.views import theme
from salesnb.views.svg.clean import clean_drawing, parse_svg
from salesnb.views.svg.fit import fit_axes
from salesnb.views.svg.shrink import shrink

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS, PIXELS = 72, 144
"""Units an inch has in a drawing, and pixels in a layer drawn as such."""


def render_svg(figure: "Figure") -> str:
    """Render a matplotlib figure as a clean SVG; the figure is left open.

    Layers of more than `salesnb.views.theme.CROWDED` marks are embedded as pixels, which keeps
    a page small; they do not follow the dark palette.

    Parameters
    ----------
    figure
        Any matplotlib figure; drawn inside `salesnb.views.theme.use_theme` it also follows the
        page's palette.

    Returns
    -------
    str
        One `<svg>` element; equal figures give equal bytes.
    """
    import matplotlib as mpl

    for axes in figure.axes:
        _rasterise_crowded(axes)
        _speak(axes)
    settings: dict[Any, Any] = {
        "svg.fonttype": "none", "svg.hashsalt": "salesnb",
        "figure.constrained_layout.use": False, "figure.autolayout": False,
    }  # fmt: skip
    with mpl.rc_context(settings), theme.any_letters():
        written = _draw(figure)
    return clean_drawing(shrink(parse_svg(written)))


def _draw(figure: "Figure") -> str:
    """Measure the labels, place the axes and draw, all with one renderer and so one measuring."""
    from matplotlib.backends.backend_mixed import MixedModeRenderer
    from matplotlib.backends.backend_svg import RendererSVG

    written = io.StringIO()
    figure.set_layout_engine(None)
    figure.dpi = POINTS
    width, height = figure.get_size_inches()
    size = width * POINTS, height * POINTS
    writer: Any = RendererSVG
    vectors = writer(*size, written, image_dpi=PIXELS, metadata={"Date": None})
    mixed: Any = MixedModeRenderer
    renderer = mixed(figure, width, height, PIXELS, vectors)
    fit_axes(figure, renderer)
    figure.draw(renderer)
    renderer.finalize()
    return written.getvalue()


def _speak(axes: "Axes") -> None:
    """Write plain numbers on the axes as the language does; matplotlib writes them in English."""
    from matplotlib.ticker import ScalarFormatter

    class Spoken(ScalarFormatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return write_signs(super().__call__(x, pos))

    if language() == ENGLISH:
        return
    for axis in (axes.xaxis, axes.yaxis):
        if type(axis.get_major_formatter()) is ScalarFormatter:
            axis.set_major_formatter(Spoken())


def _rasterise_crowded(axes: "Axes") -> None:
    from matplotlib.collections import PathCollection

    for artist in axes.collections:
        if isinstance(artist, PathCollection):
            _rasterise(artist, len(artist.get_offsets()))  # type: ignore[arg-type]
    for line in axes.lines:
        if line.get_marker() not in ("None", "", " ", None):
            _rasterise(line, len(line.get_xdata()))  # type: ignore[arg-type]


def _rasterise(artist: "Artist", n_marks: int) -> None:
    if n_marks > theme.CROWDED:
        artist.set_rasterized(True)
