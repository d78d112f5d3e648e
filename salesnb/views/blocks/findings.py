"""Words and numbers a report opens and closes with: headlines, tiles, notes, definitions."""

from dataclasses import dataclass
from typing import Any, Literal

from salesnb.errors import ParameterError
from salesnb.language import mark, tr
from salesnb.views.blocks.base import Block, hidden, slug, text

Evidence = Literal["strong", "moderate", "assumption", "not enough evidence"]
"""How far the data support a finding."""

EVIDENCE: dict[Evidence, tuple[int, str]] = {
    "strong": (3, mark("Strong evidence")),
    "moderate": (2, mark("Moderate evidence")),
    "assumption": (1, mark("Rests on an assumption")),
    "not enough evidence": (1, mark("Not enough evidence")),
}
"""Evidence -> bars filled of three, and the label."""

_DIRECTIONS = {
    "up": ("▲", mark("better: ")),
    "down": ("▼", mark("worse: ")),
    "flat": ("", mark("no clear change: ")),
}
_NOTE_LABELS = {"missing": mark("Left out"), "limit": mark("Limit"), "info": mark("Note")}


@dataclass(frozen=True)
class Headline:
    """A computed finding: what, why, how sure, and the id of the figure or table behind it."""

    text: str
    why: str
    evidence: Evidence
    anchor: str = ""

    def __post_init__(self) -> None:
        _check_one_of(self.evidence, tuple(EVIDENCE), what=f"headline {self.text!r}: evidence")


@dataclass(frozen=True)
class Headlines(Block):
    """The findings a reader must not miss, most important first."""

    items: tuple[Headline, ...]

    def render_html(self) -> str:
        """Return an ordered list; no findings give a sentence that says so."""
        if not self.items:
            words = text(tr("No finding stands out this time."))
            return f'<p class="none">{words}</p>'
        return f'<ol class="hl">{"".join(_render_headline(item) for item in self.items)}</ol>'

    def facts(self) -> dict[str, Any]:
        """Return the first finding and its evidence."""
        if not self.items:
            return {}
        return {"headline": self.items[0].text, "evidence": self.items[0].evidence}

    def render_text(self) -> str:
        """Return one line per finding; its evidence is in English, for `publish` reads it."""
        return "\n".join(f"{item.text} [{EVIDENCE[item.evidence][1]}]" for item in self.items)


@dataclass(frozen=True)
class Tile:
    """One KPI at a glance.

    Parameters
    ----------
    label, value
        The KPI's name and its value as it is to be read.
    change
        The change and what it is against, such as ``"−3 pts vs Q2"``.
    direction
        ``up`` better, ``down`` worse, ``flat`` no clear change; the sign follows the meaning,
        so a shorter cycle is ``up``.
    note
        A last small line: target or interval.
    """

    label: str
    value: str
    change: str = ""
    direction: Literal["up", "down", "flat"] = "flat"
    note: str = ""

    def __post_init__(self) -> None:
        _check_one_of(self.direction, tuple(_DIRECTIONS), what=f"tile {self.label!r}: direction")


@dataclass(frozen=True)
class Tiles(Block):
    """KPIs side by side."""

    items: tuple[Tile, ...]

    def render_html(self) -> str:
        """Return a definition list, one group per tile."""
        return f'<dl class="kpis">{"".join(_render_tile(item) for item in self.items)}</dl>'

    def facts(self) -> dict[str, Any]:
        """Return the first values, by name; with their change where it is a clear one."""
        return {"kpis": [_tell(item) for item in self.items[:3]]}

    def render_text(self) -> str:
        """Return one line per tile."""
        return "\n".join(
            " ".join(part for part in (f"{item.label}: {item.value}", item.change) if part)
            for item in self.items
        )


@dataclass(frozen=True)
class Note(Block):
    """A remark set off from the text: what is missing, a limit of the data, or information."""

    text: str
    kind: Literal["missing", "limit", "info"] = "info"

    def __post_init__(self) -> None:
        _check_one_of(self.kind, tuple(_NOTE_LABELS), what="note: kind")

    def render_html(self) -> str:
        """Return the remark with its label."""
        return (
            f'<div class="note {self.kind}" role="note"><b>{text(tr(_NOTE_LABELS[self.kind]))}</b> '
            f"{text(self.text)}</div>"
        )

    def render_text(self) -> str:
        """Return label and remark."""
        return f"{tr(_NOTE_LABELS[self.kind])}: {self.text}"


@dataclass(frozen=True)
class Definition:
    """A term, what it means here, and what to beware of."""

    term: str
    definition: str
    caveat: str = ""


@dataclass(frozen=True)
class Definitions(Block):
    """The terms of a report, in the order given."""

    items: tuple[Definition, ...]

    def render_html(self) -> str:
        """Return a definition list; each term can be linked to as ``def-<term>``."""
        return f'<dl class="defs">{"".join(_render_definition(item) for item in self.items)}</dl>'

    def render_text(self) -> str:
        """Return one line per term."""
        return "\n".join(
            " ".join(part for part in (f"{item.term}: {item.definition}", item.caveat) if part)
            for item in self.items
        )


def render_evidence(evidence: Evidence) -> str:
    """Return an evidence label: three bars, filled by strength, and the words."""
    filled, words = EVIDENCE[evidence]
    return f'<span class="ev ev{filled}"><i></i><i></i><i></i>{text(tr(words))}</span>'


def _render_headline(item: Headline) -> str:
    words = text(tr("See the evidence"))
    link = f' <a class="see" href="#{slug(item.anchor)}">{words}</a>' if item.anchor else ""
    return (
        f"<li><b>{text(item.text)}</b> {render_evidence(item.evidence)}"
        f'<span class="why">{text(item.why)}{link}</span></li>'
    )


def _tell(item: Tile) -> list[str]:
    is_clear = item.change and item.direction != "flat"
    return [item.label, item.value, *((item.change, item.direction) if is_clear else ())]


def render_change(change: str, direction: Literal["up", "down", "flat"]) -> str:
    """Return a change with its sign, and for screen readers the words for it."""
    sign, said = _DIRECTIONS[direction]
    shown = f'<span aria-hidden="true">{sign}</span> ' if sign else ""
    return f'<span class="{direction}">{shown}{hidden(tr(said))}{text(change)}</span>'


def _render_tile(item: Tile) -> str:
    change = render_change(item.change, item.direction)
    return (
        f"<div><dt>{text(item.label)}</dt><dd><b>{text(item.value)}</b>"
        + (change if item.change else "")
        + (f"<small>{text(item.note)}</small>" if item.note else "")
        + "</dd></div>"
    )


def _render_definition(item: Definition) -> str:
    caveat = f"<small>{text(item.caveat)}</small>" if item.caveat else ""
    return (
        f'<div id="def-{slug(item.term)}"><dt>{text(item.term)}</dt>'
        f"<dd>{text(item.definition)}{caveat}</dd></div>"
    )


def _check_one_of(value: str, allowed: tuple[str, ...], *, what: str) -> None:
    if value not in allowed:
        raise ParameterError(f"{what} {value!r}; expected one of {', '.join(map(repr, allowed))}.")
