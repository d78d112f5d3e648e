"""What every block shares: how it shows in a notebook and how text becomes HTML."""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Any

from salesnb.summary import printable
from salesnb.views import theme
from salesnb.views.blocks.columns import column_rules

FACTS_MIME = "application/vnd.salesnb.facts+json"
"""Type under which a block tells the portal what it found."""


class Block(ABC):
    """One thing a notebook cell shows: HTML for people, plain text for logs and comparisons."""

    @abstractmethod
    def render_html(self) -> str:
        """Return the block as HTML; every text in it is escaped."""

    @abstractmethod
    def render_text(self) -> str:
        """Return the block as plain text."""

    def facts(self) -> dict[str, Any]:
        """Return what the portal shows of this block; most blocks have nothing."""
        return {}

    def between(self, before: str, after: str) -> "Block":
        """Put sentences before and after the block; an empty one is left out."""
        return Between(self, before, after) if before or after else self

    def __init_subclass__(cls) -> None:
        cls.__repr__ = Block.__repr__  # type: ignore[method-assign]  # a dataclass keeps it

    def __repr__(self) -> str:
        return printable(self.render_text())

    def _repr_html_(self) -> str:
        return f'<style>{notebook_style()}</style><div class="snb">{self.render_html()}</div>'

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, Any]:
        shown = {"text/html": self._repr_html_(), "text/plain": repr(self)}
        return {**shown, FACTS_MIME: self.facts()} if self.facts() else shown


@dataclass(frozen=True)
class Between(Block):
    """A block between two sentences, such as what was found and what that does not say."""

    block: Block
    before: str
    after: str

    def render_html(self) -> str:
        """Return the block between paragraphs."""
        parts = (_paragraph(self.before), self.block.render_html(), _paragraph(self.after))
        return "".join(parts)

    def render_text(self) -> str:
        """Return sentences and block, a line each."""
        return "\n".join(filter(None, (self.before, self.block.render_text(), self.after)))

    def facts(self) -> dict[str, Any]:
        """Return those of the block."""
        return self.block.facts()


def _paragraph(words: str) -> str:
    return f'<div class="md"><p>{text(words)}</p></div>' if words else ""


def text(value: object) -> str:
    """Escape untrusted text for use between tags.

    >>> text("R&D <b>")
    'R&amp;D &lt;b&gt;'
    """
    return escape(printable(str(value)), quote=False).replace("\u00a0", "&nbsp;")


def breakable(value: object) -> str:
    """Escape untrusted text for a cell; a word longer than a column is wide may break.

    >>> breakable("Ana " + "W" * 26)
    'Ana WWWWWWWWWWWW<wbr>WWWWWWWWWWWW<wbr>WW'
    """
    parts = re.split(r"(\S{25,})", str(value))
    return "".join(
        "<wbr>".join(text(part[at : at + 12]) for at in range(0, len(part), 12))
        if place % 2
        else text(part)
        for place, part in enumerate(parts)
    )


def attribute(value: object) -> str:
    """Escape untrusted text for use inside a double-quoted attribute.

    >>> attribute('" onload=')
    '&quot; onload='
    """
    return text(value).replace('"', "&quot;")


def anchor_of(*, anchor: str, title: str, kind: str) -> str:
    """Return the block's id: the anchor asked for, or one made of its kind and title.

    >>> anchor_of(anchor="", title="Élan & Co.", kind="fig")
    'fig-elan-co'
    """
    return slug(anchor) if anchor else f"{kind}-{slug(title)}"


def slug(title: str) -> str:
    """Turn a title into lower-case letters, digits and hyphens; at most 48 characters.

    >>> slug("Are the differences real?")
    'are-the-differences-real'
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-")
    return words or "x" + sha256(title.encode("utf-8", "replace")).hexdigest()[:8]


def hidden(words: str) -> str:
    """Return words for screen readers only, or nothing for no words."""
    return f'<span class="sr">{text(words)}</span>' if words else ""


def titled(title: str, caption: str) -> str:
    """Return the title and caption lines that open a figure or a table."""
    lines = f'<b class="ft">{text(title)}</b>'
    return lines + (f'<span class="fc">{text(caption)}</span>' if caption else "")


def notebook_style() -> str:
    """Return the small style sheet a block carries in JupyterLab; reports have their own.

    A notebook keeps white paper in every JupyterLab theme, as a printed figure would.
    """
    palette = f".snb{{{theme.css_declarations(theme.LIGHT)}}}"
    return palette + " ".join(_NOTEBOOK_RULES.split()) + column_rules(8, within=".snb ")


_NOTEBOOK_RULES = """
.snb{max-width:960px;padding:4px 12px;background:var(--paper);color:var(--ink);
 font:14px/1.5 -apple-system,"Segoe UI",Roboto,Arial,"Liberation Sans",sans-serif;
 font-variant-numeric:tabular-nums}
.snb figure{margin:0}
.snb .ft,.snb .fc,.snb .why{display:block}
.snb .ft,.snb .hl b{font-size:1.05em}
.snb .fc,.snb small,.snb .why,.snb .key{color:var(--ink2)}
.snb svg text{font-family:Arial,"Liberation Sans",Arimo,sans-serif}
.snb .pn{display:grid;grid-template-columns:repeat(auto-fill,minmax(205px,1fr));gap:16px 24px}
.snb .pn svg{fill:none;stroke:var(--ink2)}.snb .pn text{font-size:10px;fill:var(--ink2);stroke:none}
.snb .pn .e{text-anchor:end}.snb .pn .g{stroke:var(--grid)}.snb .pn .f{stroke:var(--rule)}
.snb .pn .b{fill:var(--band);stroke:none}.snb .pn .c{stroke-dasharray:3.6 1.8}
.snb .pn .l{stroke-width:1.6}.snb .pn .d{stroke-width:5;stroke-linecap:round}
.snb .sr,.snb .narrow{position:absolute;width:1px;height:1px;overflow:hidden;
 clip-path:inset(50%)}
.snb .scroll{overflow-x:auto}
.snb table{border-collapse:collapse;font-size:13px}
.snb th,.snb td{padding:4px 10px;text-align:left;border-bottom:1px solid var(--grid)}
.snb .mx b{font-weight:600;white-space:nowrap}.snb .mx i{font-size:.7em;font-style:normal}
.snb .mx small{color:var(--ink2)}.snb .mx .sp{display:block}
.snb .p1{background:var(--better1)}.snb .p2{background:var(--better2)}
.snb .p3{background:var(--better3)}.snb .n1{background:var(--worse1)}
.snb .n2{background:var(--worse2)}.snb .n3{background:var(--worse3)}
.snb .sp{flex:none;width:54px;height:20px;fill:none;stroke:var(--ink2)}
.snb .sp path+path{stroke:var(--ink);stroke-width:4;stroke-linecap:round}
.snb .mx tbody th{max-width:180px}
.snb bdi,.snb .hl li{overflow-wrap:anywhere}
.snb .key{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:4px 16px}
.snb .key i{display:inline-block;width:16px;height:10px;margin-right:6px;
 border:1px solid var(--rule)}
.snb .kpis{display:flex;flex-wrap:wrap;gap:8px 32px}
.snb dd{margin:0}.snb .kpis b{display:block;font-size:1.6em;line-height:1.2}
.snb small{display:block}.snb .ev{margin-left:6px;color:var(--ink2)}.snb .ev i{display:none}
.snb .up{color:var(--betterink)}.snb .down{color:var(--worseink)}
"""
