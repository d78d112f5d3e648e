"""The look: two palettes, type sizes and the context that draws figures in them.

Figures are always drawn in the light palette. `salesnb.views.svg` then replaces each of its
hexes by the CSS variable of the same name, so the page alone decides between light and dark.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

LIGHT = MappingProxyType(
    {
        "ink": "#1b1f24",
        "ink2": "#454c55",
        "ink3": "#646c76",
        "grey": "#7a828c",
        "rule": "#c3c9d1",
        "grid": "#e4e7eb",
        "band": "#eceff3",
        "paper": "#ffffff",
        "page": "#f6f7f9",
        "blue": "#0b5cad",
        "orange": "#c2500a",
        "rose": "#641229",
        "teal": "#1ba879",
        "purple": "#9a88e0",
        "better1": "#e6f0f9",
        "better2": "#cfe2f4",
        "better3": "#a9cdec",
        "worse1": "#fcefe5",
        "worse2": "#f8dcc6",
        "worse3": "#f1bd95",
        "betterink": "#0b4f8f",
        "worseink": "#8f3c05",
    }
)
"""Name of a colour -> its hex on white paper; each hex occurs once."""

DARK = MappingProxyType(
    {
        "ink": "#eceff3",
        "ink2": "#c2c9d2",
        "ink3": "#a1a9b4",
        "grey": "#8d96a1",
        "rule": "#4a525d",
        "grid": "#2c333c",
        "band": "#262d36",
        "paper": "#1a1f26",
        "page": "#12161b",
        "blue": "#6db1f2",
        "orange": "#f59a56",
        "rose": "#ea4a84",
        "teal": "#7ff0cf",
        "purple": "#5b7ff5",
        "better1": "#1b2c3d",
        "better2": "#1d3a57",
        "better3": "#1f4d7a",
        "worse1": "#33271d",
        "worse2": "#4c2f1a",
        "worse3": "#6b3d17",
        "betterink": "#a9d3fa",
        "worseink": "#ffc495",
    }
)
"""The same names in the dark palette."""

CATEGORICAL = tuple(LIGHT[name] for name in ("blue", "orange", "rose", "teal", "purple"))
"""Hues for unordered groups, in the order to use them; at most three in one chart."""

BETTER, WORSE, UNCLEAR = LIGHT["blue"], LIGHT["orange"], LIGHT["grey"]
"""A mark that is better, worse, or cannot be told apart; never red and green."""

TYPE_PX = MappingProxyType(
    {"h1": 34, "h2": 24, "h3": 18, "figure_title": 17, "body": 16, "table": 15, "note": 13}
)
"""Type sizes of the page in CSS pixels."""

WIDE, NARROW = 8.8, 3.5
"""Figure widths in inches: the report's column on a screen, and a phone."""

FONTS = ("Arial", "Liberation Sans", "Arimo", "DejaVu Sans")
"""Faces to measure text with, best first; the first three share their metrics."""

CROWDED = 500
"""More marks than this in one layer are drawn as pixels, not as vectors."""


def css_variable(colour: str) -> str:
    """Return the CSS variable of a light-palette hex, or the colour itself when it has none.

    >>> css_variable("#0B5CAD"), css_variable("#000000"), css_variable("#123456")
    ('var(--blue)', 'var(--ink)', '#123456')
    """
    name = _VARIABLES.get(colour.lower())
    return colour if name is None else f"var(--{name})"


def css_declarations(palette: MappingProxyType[str, str]) -> str:
    """Return a palette as CSS custom properties.

    >>> css_declarations(DARK)[:27]
    '--ink:#eceff3;--ink2:#c2c9d'
    """
    return ";".join(f"--{name}:{colour}" for name, colour in palette.items())


@contextmanager
def any_letters() -> Iterator[None]:
    """Measure text of any script; a face without its letters only misjudges widths.

    The browser has letters of its own.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


@contextmanager
def use_theme() -> Iterator[None]:
    """Draw with seaborn in the report's look; matplotlib's settings are put back afterwards.

    Text is never read as mathematics: a name such as ``$x$`` comes from the CRM.
    """
    import matplotlib as mpl
    import seaborn as sns

    settings = _axes_settings() | _size_settings() | _output_settings()
    with mpl.rc_context():
        sns.set_theme(context="notebook", style="ticks", palette=list(CATEGORICAL), rc=settings)
        yield


def _axes_settings() -> dict[str, Any]:
    ink, ink2 = LIGHT["ink"], LIGHT["ink2"]
    return {
        "font.family": ["sans-serif"],
        "font.sans-serif": _installed_fonts(),
        "text.color": ink,
        "axes.edgecolor": LIGHT["rule"],
        "axes.facecolor": "none",
        "axes.labelcolor": ink2,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.facecolor": "none",
        "grid.color": LIGHT["grid"],
        "xtick.color": ink2,
        "ytick.color": ink2,
    }


def _size_settings() -> dict[str, Any]:
    return {
        "font.size": 10.5,
        "axes.labelsize": 10.5,
        "axes.titlesize": 11,
        "xtick.labelsize": 10,
        "ytick.labelsize": 10,
        "legend.fontsize": 10,
        "axes.linewidth": 0.8,
        "grid.linewidth": 0.7,
        "lines.linewidth": 2,
        "lines.markersize": 6,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "xtick.minor.size": 0,
        "ytick.minor.size": 0,
    }


def _output_settings() -> dict[str, Any]:
    return {
        "text.parse_math": False,
        "axes.formatter.use_mathtext": False,
        "axes.unicode_minus": True,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "figure.figsize": (WIDE, 3.6),
        "legend.frameon": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "salesnb",
    }


def _installed_fonts() -> list[str]:
    from matplotlib import font_manager

    known = set(font_manager.get_font_names())
    return [name for name in FONTS if name in known]


_VARIABLES = {"#000000": "ink", **{colour: name for name, colour in LIGHT.items()}}
