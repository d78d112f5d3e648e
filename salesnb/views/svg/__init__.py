"""Turn a matplotlib figure into a small SVG that is safe to put inside a page."""

from salesnb.views.svg.clean import (
    COMMON_ATTRIBUTES,
    ELEMENTS,
    clean_attribute,
    clean_style,
    clean_svg,
)
from salesnb.views.svg.render import render_svg

__all__ = [
    "COMMON_ATTRIBUTES",
    "ELEMENTS",
    "clean_attribute",
    "clean_style",
    "clean_svg",
    "render_svg",
]
