"""What a notebook cell shows; each block escapes its texts, because names come from a CRM."""

from salesnb.views.blocks.base import Block, slug
from salesnb.views.blocks.figure import Figure
from salesnb.views.blocks.findings import (
    EVIDENCE,
    Definition,
    Definitions,
    Evidence,
    Headline,
    Headlines,
    Note,
    Tile,
    Tiles,
    render_change,
    render_evidence,
)
from salesnb.views.blocks.matrix import GROUP_KEY, STANDARD_KEY, Cell, Matrix
from salesnb.views.blocks.panels import Panel
from salesnb.views.blocks.remarks import Remark, Remarks
from salesnb.views.blocks.table import Table

__all__ = [
    "GROUP_KEY",
    "EVIDENCE",
    "STANDARD_KEY",
    "Block",
    "Cell",
    "Definition",
    "Definitions",
    "Evidence",
    "Figure",
    "Headline",
    "Headlines",
    "Matrix",
    "Note",
    "Panel",
    "Remark",
    "Remarks",
    "Table",
    "Tile",
    "Tiles",
    "render_change",
    "render_evidence",
    "slug",
]
