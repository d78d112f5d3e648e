"""Leave of a drawing what draws.

Text stays text, colours become CSS variables, ids cannot collide with another figure's, and
nothing can run or be fetched: elements and attributes outside a short list are left out.
"""

import hashlib
import re
from html import escape
from xml.etree import ElementTree

from salesnb.errors import ParameterError
from salesnb.views import theme

ELEMENTS = {
    "circle": {"cx", "cy", "r"},
    "clipPath": set[str](),
    "defs": set[str](),
    "ellipse": {"cx", "cy", "rx", "ry"},
    "g": set[str](),
    "image": {"href", "x", "y", "width", "height"},
    "line": {"x1", "y1", "x2", "y2"},
    "path": {"d"},
    "pattern": {"patternUnits", "x", "y", "width", "height"},
    "polygon": {"points"},
    "polyline": {"points"},
    "rect": {"x", "y", "width", "height"},
    "svg": {"viewBox", "width"},
    "text": {"x", "y"},
    "tspan": {"x", "y", "dx", "dy"},
    "use": {"href", "x", "y"},
}
"""Elements that survive, each with its own attributes."""

COMMON_ATTRIBUTES = {"id", "style", "clip-path", "transform"}
"""Attributes that survive on every element."""

_PROPERTIES = re.compile(
    r"(fill|stroke|clip|font)(-[a-z]+)*|opacity|text-anchor|dominant-baseline|image-rendering"
)
_VALUE = re.compile(r"url\(#[\w-]+\)|(?!.*url\()[\w#%.,\s+()-]*", re.IGNORECASE)
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NUMBER = re.compile(r"-?\d+\.\d+")


def clean_svg(source: str) -> str:
    """Keep of an SVG document what draws; drop what names, styles globally, links or runs.

    Parameters
    ----------
    source
        A well-formed SVG document.

    Returns
    -------
    str
        One `<svg>` element, ids prefixed by a hash of the drawing.

    Raises
    ------
    ParameterError
        When the document is not well-formed XML, declares entities or is not an SVG.
    """
    root = parse_svg(source)
    root.set("style", "fill:var(--ink);stroke-linejoin:round")
    return clean_drawing(root)


def parse_svg(source: str) -> ElementTree.Element:
    """Parse an SVG document; characters that XML does not know are left out.

    Raises
    ------
    ParameterError
        As `clean_svg`.
    """
    if "<!ENTITY" in source:
        raise ParameterError("svg: declares an entity; expected a drawing. Save the figure anew.")
    try:
        root = ElementTree.fromstring(_ILLEGAL.sub("", source))
    except ElementTree.ParseError as error:
        raise ParameterError(f"svg: {error}; expected well-formed XML.") from error
    if _local(root.tag) != "svg":
        raise ParameterError(f"svg: starts with <{_local(root.tag)}>; expected <svg>.")
    return root


def clean_drawing(root: ElementTree.Element) -> str:
    """Write a drawing that was parsed; its root gets a width, its ids a prefix of their own."""
    root.set("width", str(round(_width_px(root))))
    _rename_ids(root)
    return _write(root)


def _width_px(root: ElementTree.Element) -> float:
    """Return the natural width; matplotlib's unit is the point, a browser's the pixel."""
    return float(root.get("viewBox", "0 0 480 0").split()[2]) * 96 / 72


def _write(element: ElementTree.Element) -> str:
    tag = _local(element.tag)
    inside = "".join(_write_child(child) for child in element)
    if tag not in ELEMENTS:
        return inside if tag == "a" else ""
    if tag in ("text", "tspan"):
        inside = escape(element.text or "", quote=False) + inside
    attributes = _attributes(element, tag)
    if tag == "g" and not attributes:
        return inside
    is_invisible = tag == "path" and 'style="fill:none"' in attributes and " id=" not in attributes
    if is_invisible or (tag in ("g", "defs") and not inside):
        return ""
    return f"<{tag}{attributes}>{inside}</{tag}>"


def _write_child(child: ElementTree.Element) -> str:
    in_text = bool(child.tail and child.tail.strip())
    return _write(child) + (escape(child.tail or "", quote=False) if in_text else "")


def _attributes(element: ElementTree.Element, tag: str) -> str:
    allowed = ELEMENTS[tag] | (COMMON_ATTRIBUTES - ({"id"} if tag in ("g", "image") else set()))
    styles = {key: element.attrib[key] for key in ("fill", "stroke") if key in element.attrib}
    values = {_local(key): value for key, value in element.attrib.items()}
    if styles:
        values["style"] = ";".join(
            [*(f"{key}:{value}" for key, value in styles.items()), values.get("style", "")]
        )
    kept = {key: clean_attribute(key, value) for key, value in values.items() if key in allowed}
    return "".join(f' {key}="{_quote(value)}"' for key, value in kept.items() if value)


def clean_attribute(key: str, value: str) -> str:
    """Return an attribute's short, harmless form, or nothing.

    >>> clean_attribute("href", "javascript:alert(1)"), clean_attribute("clip-path", "url(#a)")
    ('', 'url(#a)')
    """
    if key == "style":
        return clean_style(value)
    if key == "href":
        embedded = re.sub(r"\s", "", value)
        return embedded if re.match(r"#[\w-]+$|data:image/png;base64,", embedded) else ""
    if key == "clip-path":
        return value if re.fullmatch(r"url\(#[\w-]+\)", value) else ""
    if key == "transform":
        return "" if value.startswith("rotate(-0 ") else _shorten(value)
    if key in ("d", "points"):
        return re.sub(r"\s*([A-Za-z])\s*", r"\1", " ".join(_shorten(value).split()))
    return value if key == "id" else _shorten(value)


def clean_style(style: str) -> str:
    """Keep the drawing properties of a style attribute, in the page's colours.

    >>> clean_style("fill: #0b5cad; position: fixed; stroke: url(https://example.org)")
    'fill:var(--blue)'
    """
    kept = []
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font":  # older matplotlib writes the shorthand, families last
            value = re.sub(r"(px).*", r"\1 Arial,sans-serif", value)
        if name == "font-family":  # the page's style sheet decides
            continue
        if _PROPERTIES.fullmatch(name) and _VALUE.fullmatch(value):
            kept.append(f"{name}:{_recolour(_shorten(value))}")
    return ";".join(kept)


def _recolour(value: str) -> str:
    return re.sub(r"#[0-9a-fA-F]{6}\b", lambda hit: theme.css_variable(hit.group()), value)


def _shorten(value: str) -> str:
    def shorter(hit: re.Match[str]) -> str:
        return f"{float(hit.group()):.2f}".rstrip("0").rstrip(".")

    return re.sub(r"(?<![\d.])-0(?![\d.])", "0", _NUMBER.sub(shorter, value))


def _rename_ids(root: ElementTree.Element) -> None:
    """Prefix the ids that are used by a hash of the drawing, and drop the others."""
    prefix = "s" + hashlib.sha256(_write(root).encode()).hexdigest()[:8]
    found = [_find_references(*pair) for element in root.iter() for pair in element.items()]
    used = dict.fromkeys(name for names in found for name in names)
    names = {old: f"{prefix}-{number}" for number, old in enumerate(used)}
    for element in root.iter():
        for key, value in element.items():
            for old in _find_references(key, value):
                value = value.replace(f"#{old}", f"#{names[old]}")
            element.set(key, value)
        element.set("id", names.get(element.get("id", ""), ""))


def _find_references(key: str, value: str) -> list[str]:
    if _local(key) == "href":
        return [value[1:]] if value.startswith("#") else []
    return re.findall(r"url\(#([\w-]+)\)", value)


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _quote(value: str) -> str:
    return escape(value, quote=False).replace('"', "&quot;")
