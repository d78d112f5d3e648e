"""Draw the same with less: marks that look alike become one path, texts of one style one group.

matplotlib writes a drawing artist by artist, each with its own style, clip path and definitions.
Here it is read as a flat list of marks in the order they are painted. A mark joins an earlier
one of the same look when nothing painted in between touches it, so the picture stays the same;
only texts move, to the very top, where no mark can hide them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, SubElement

from salesnb.views.svg.paths import (
    DOT,
    Box,
    Command,
    find_box,
    move_path,
    read_circle,
    read_path,
    write_number,
    write_path,
)

_EVERYWHERE: Box = (-1e9, -1e9, 1e9, 1e9)
_DEFAULTS = {
    "stroke-dashoffset": "0",
    "stroke-linecap": "butt",
    "stroke-linejoin": "round",
    "stroke-width": "1",
}
"""What a mark looks like when it does not say; the root says round joins."""

_UNFILLED = ("fill", "none")
"""The look the root gives to all marks that do not say."""

_BLACK = "#000000"
_SLACK = 1.0
"""Points by which a mark may reach over its clip's edge and still be drawn whole."""


@dataclass
class _Mark:
    """Shapes of one look; `source` is an element that is kept as it is."""

    look: tuple[tuple[str, str], ...] = ()
    clip: str = ""
    shape: list[Command] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    source: Element | None = None

    def touches(self, box: Box) -> bool:
        return any(
            own[0] < box[2] and box[0] < own[2] and own[1] < box[3] and box[1] < own[3]
            for own in self.boxes
        )

    def takes(self, other: _Mark) -> bool:
        """Whether the other mark can be drawn with this one; overlaps must not mix or cancel."""
        if self.source is not None or (self.look, self.clip) != (other.look, other.clip):
            return False
        is_line = ("fill", "none") in self.look
        is_opaque = not any("opacity" in name for name, _ in self.look)
        return (is_line and is_opaque) or not self.touches(other.boxes[0])


def shrink(root: Element) -> Element:
    """Return a drawing of matplotlib's with fewer, shorter elements.

    Parameters
    ----------
    root
        The `<svg>` as matplotlib wrote it; any element it does not know is kept as it is.

    Returns
    -------
    Element
        A new `<svg>` with the same view box.
    """
    reader = _Reader(root)
    marks: list[_Mark] = []
    for mark in reader.marks:
        _place(mark, marks)
    return _compose(root.get("viewBox", ""), marks, reader)


class _Reader:
    """Reads a drawing into `marks`, `texts`, the clips' boxes and patterns to keep."""

    def __init__(self, root: Element) -> None:
        found = {element.get("id", ""): element for element in root.iter()}
        self._shapes = {name: item for name, item in found.items() if _local(item) == "path"}
        self.clips = {name: item for name, item in found.items() if _local(item) == "clipPath"}
        self.patterns = [item for item in found.values() if _local(item) == "pattern"]
        self.texts: list[Element] = []
        self.marks = list(self._read(root, ""))

    def _read(self, element: Element, clip: str) -> Iterator[_Mark]:
        kind = _local(element)
        clip = element.get("clip-path", "")[5:-1] or clip
        if kind in ("svg", "g") and not {"transform", "style"} & set(element.attrib):
            for child in element:
                yield from self._read(child, clip)
        elif clip and not self._is_box(clip):
            yield _Mark(clip=clip, boxes=[_EVERYWHERE], source=element)
        elif kind == "path" and "transform" not in element.attrib:
            yield from self._draw(element.get("d", ""), _read_style(element), clip)
        elif kind == "use" and _target(element) in self._shapes:
            shape = self._shapes[_target(element)]
            look = {**_read_style(element), **_read_style(shape)}
            at = float(element.get("x", "0")), float(element.get("y", "0"))
            yield from self._draw(shape.get("d", ""), look, clip, at)
        elif kind == "text" and not clip:
            self.texts.append(element)
        elif kind not in ("defs", "metadata", "style"):
            yield _Mark(clip=clip, boxes=[_EVERYWHERE], source=element)

    def _draw(
        self, data: str, look: dict[str, str], clip: str, at: tuple[float, float] = (0.0, 0.0)
    ) -> Iterator[_Mark]:
        """Yield what a shape draws; a circle becomes a dot, or a dot upon a larger one."""
        shape = read_path(data)
        if len(shape) < 2 or (look.get("fill") == "none" and "stroke" not in look):
            return
        shape = move_path(shape, *at)
        for part, style in _as_dots(shape, look) or [(shape, look)]:
            width = float(style.get("stroke-width", "1")) if "stroke" in style else 0.0
            box = find_box(part, margin=width / 2)
            room = self._find_room(clip)
            if room is None or _reach(box, room) <= _SLACK:
                yield _Mark(_sort_style(style), "", part, [box])
            elif _touch(box, room):
                yield _Mark(_sort_style(style), clip, part, [box])

    def _is_box(self, clip: str) -> bool:
        return _local(self.clips[clip][0]) == "rect"

    def _find_room(self, clip: str) -> Box | None:
        """Return the box a clip leaves; None without a clip."""
        if not clip:
            return None
        inside = self.clips[clip][0]
        x, y, width, height = (float(inside.get(key, "0")) for key in ("x", "y", "width", "height"))
        return x, y, x + width, y + height


def _as_dots(
    shape: list[Command], look: dict[str, str]
) -> list[tuple[list[Command], dict[str, str]]]:
    """Write a filled circle as a line of no length with round ends; nothing for other shapes."""
    circle = read_circle(shape)
    is_opaque = not any("opacity" in name or "dash" in name for name in look)
    if circle is None or look.get("fill", _BLACK) == "none" or not is_opaque:
        return []
    x, y, radius = circle
    fill, edge = look.get("fill", _BLACK), look.get("stroke", "none")
    width = float(look.get("stroke-width", "1")) if edge != "none" else 0.0
    sizes = {fill: 2 * radius + width} if edge in (fill, "none") else {
        edge: 2 * radius + width, fill: 2 * radius - width
    }  # fmt: skip
    return [
        (
            [("M", (x, y)), (DOT, ())],
            {"stroke": colour, "stroke-width": f"{size:.1f}", "stroke-linecap": "round",
             "fill": "none"},
        )
        for colour, size in sizes.items()
    ]  # fmt: skip


def _place(mark: _Mark, marks: list[_Mark]) -> None:
    """Add a mark to the last one that takes it, unless something it touches lies in between."""
    for earlier in reversed(marks):
        if earlier.takes(mark):
            earlier.shape += mark.shape
            earlier.boxes += mark.boxes
            return
        if earlier.touches(mark.boxes[0]):
            break
    marks.append(mark)


def _compose(view_box: str, marks: list[_Mark], reader: _Reader) -> Element:
    root = Element("svg", {"viewBox": view_box, "style": "fill:none;stroke-linejoin:round"})
    clips = dict.fromkeys(mark.clip for mark in marks if mark.clip)
    if clips or reader.patterns:
        defs = SubElement(root, "defs")
        defs.extend(reader.patterns)
        defs.extend(reader.clips[name] for name in clips)
    for mark in marks:
        element = mark.source
        if element is None:
            style = ";".join(
                f"{name}:{value}" for name, value in mark.look if (name, value) != _UNFILLED
            )
            element = Element("path", {"style": style, "d": write_path(mark.shape)})
        if mark.clip:
            holder = SubElement(root, "g", {"clip-path": f"url(#{mark.clip})"})
            holder.append(element)
        else:
            root.append(element)
    _compose_texts(root, reader.texts)
    return root


def _compose_texts(root: Element, texts: list[Element]) -> None:
    groups: dict[str, Element] = {}
    for text in texts:
        style = {"fill": _BLACK, **_read_style(text)}
        style = {name: value for name, value in style.items() if value != "start"}
        written = ";".join(f"{name}:{value}" for name, value in style.items())
        if written not in groups:
            groups[written] = SubElement(root, "g", {"style": written})
        places = {key: _round(text.get(key, "0")) for key in ("x", "y")}
        if text.get("transform", "rotate(-0 ").startswith("rotate(-0 "):
            placed = places
        else:
            placed = {**places, "transform": text.get("transform", "")}
        SubElement(groups[written], "text", placed).text = text.text


def _read_style(element: Element) -> dict[str, str]:
    pairs = (part.partition(":") for part in element.get("style", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if value}


def _sort_style(style: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Write a look so that equal looks are equal, without what it need not say."""
    said = {"fill": _BLACK, **style}
    if "stroke" not in said:
        said = {name: value for name, value in said.items() if not name.startswith("stroke")}
    return tuple(
        sorted((name, value) for name, value in said.items() if _DEFAULTS.get(name) != value)
    )


def _reach(box: Box, room: Box) -> float:
    """How far a box reaches over the room's edge."""
    return max(room[0] - box[0], room[1] - box[1], box[2] - room[2], box[3] - room[3])


def _touch(one: Box, two: Box) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


def _round(number: str) -> str:
    return write_number(round(10 * float(number)))


def _target(element: Element) -> str:
    references = (value for key, value in element.items() if key.rpartition("}")[2] == "href")
    return next(references, "")[1:]


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]
