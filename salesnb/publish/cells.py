"""Notebook cells -> clean HTML: text and results are shown, code and its chatter are not."""

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape

from nbconvert.filters import markdown2html
from nbformat import NotebookNode

from salesnb.errors import ParameterError
from salesnb.language import mark, tr
from salesnb.publish.sanitise import clean_html
from salesnb.views.blocks import Note, slug
from salesnb.views.blocks.base import attribute, text
from salesnb.views.svg import clean_svg

HIDDEN_TAGS = {"remove-cell", "remove-output", "papermill-error-cell-tag"}
"""Cells with one of these tags show nothing."""

STOPPED = mark("This step did not finish, so what it would have shown is missing.")
UNDESCRIBED = mark("A picture has no alternative text and is not shown.")

_HEADING = re.compile(r"<h([1-6])[^>]*>(.*?)</h\1>", re.DOTALL)
_PILCROW = re.compile(r'<a class="anchor-link".*?</a>', re.DOTALL)
_SILENT = re.compile(r'<img(?![^>]* alt="[^"]+")[^>]*>')
_ID = re.compile(r' id="([^"]*)"(?=[^<>]*>)')
_NO_RESULT = re.compile(r"\[?<.*>\]?|Text\(.*\)|None", re.DOTALL)


def render_cells(notebook: NotebookNode) -> str:
    """Render all cells; ids are unique and links inside the page lead somewhere."""
    shown = "".join(_render_cell(cell) for cell in notebook.cells if not _is_hidden(cell))
    return _drop_dead_links(_number_repeated_ids(_anchor_headings(shown)))


def read_heading(notebook: NotebookNode) -> str:
    """Return the text of the first top-level heading, "" when there is none."""
    sources = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    levels = (hit for source in sources for hit in _HEADING.finditer(_render_markdown(source)))
    return next((plain_text(hit[2]) for hit in levels if hit[1] == "1"), "")


def find_errors(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """Yield the error outputs, in order."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                yield output


def plain_text(fragment: str) -> str:
    """Return the text of clean HTML.

    >>> plain_text("Are <em>they</em> R&amp;D?")
    'Are they R&D?'
    """
    return unescape(re.sub(r"<[^>]*>", "", fragment)).strip()


def _is_hidden(cell: NotebookNode) -> bool:
    return bool(HIDDEN_TAGS.intersection(cell.metadata.get("tags", ())))


def _render_cell(cell: NotebookNode) -> str:
    if cell.cell_type == "markdown":
        prose = _HEADING.sub(_lift_heading, _render_markdown(cell.source))
        return f'<div class="md">{prose}</div>' if prose.strip() else ""
    return "".join(_render_output(output) for output in cell.get("outputs", ()))


def _lift_heading(hit: re.Match[str]) -> str:
    """Drop a top-level heading, the page has its own, and keep the others."""
    return "" if hit[1] == "1" else f"<h{hit[1]}>{hit[2]}</h{hit[1]}>"


def _render_markdown(source: str) -> str:
    return _clean_foreign(_PILCROW.sub("", markdown2html(source)))


def _clean_foreign(fragment: str) -> str:
    """Clean HTML that is not ours; a picture in it without words is named, not shown."""
    return _SILENT.sub(lambda _: f"<em>{text(tr(UNDESCRIBED))}</em>", clean_html(fragment))


def _render_output(output: NotebookNode) -> str:
    if output.output_type == "error":
        return Note(tr(STOPPED), kind="missing").render_html()
    if output.output_type not in ("display_data", "execute_result"):
        return ""
    data = {kind: "".join(value) for kind, value in output.data.items() if kind in _RENDERERS}
    kind = next((kind for kind in _RENDERERS if kind in data), None)
    return "" if kind is None else _RENDERERS[kind](data[kind], _read_alt(output))


def _render_html(content: str, _alt: str) -> str:
    cleaned = _clean_foreign(content)
    if cleaned.startswith('<div class="snb">'):
        return cleaned
    demoted = _HEADING.sub(_demote_heading, cleaned).replace("<th></th>", "<td></td>")
    return _scrolling(f'<div class="md">{demoted}</div>')


def _render_svg(content: str, alt: str) -> str:
    try:
        drawing = clean_html(clean_svg(content))
    except ParameterError:
        return ""
    label = f'<svg role="img" aria-label="{attribute(alt)}"'
    return _picture(drawing.replace("<svg", label, 1), alt)


def _render_png(content: str, alt: str) -> str:
    source = "".join(content.split())
    picture = f'<img src="data:image/png;base64,{attribute(source)}" alt="{attribute(alt)}">'
    return _picture(clean_html(picture), alt)


def _render_prose(content: str, _alt: str) -> str:
    return f'<div class="md">{_HEADING.sub(_demote_heading, _render_markdown(content))}</div>'


def _render_plain(content: str, _alt: str) -> str:
    """Show a printed value; the name of an object is no result."""
    if _NO_RESULT.fullmatch(content.strip()):
        return ""
    return _scrolling(f"<pre>{text(content)}</pre>")


_RENDERERS = {
    "text/html": _render_html,
    "image/svg+xml": _render_svg,
    "image/png": _render_png,
    "text/markdown": _render_prose,
    "text/plain": _render_plain,
}


def _picture(picture: str, alt: str) -> str:
    """Show a picture that has an alternative text; say so when it has none."""
    if not alt:
        return Note(tr(UNDESCRIBED), kind="missing").render_html()
    return f'<div class="fig">{_scrolling(picture)}</div>'


def _read_alt(output: NotebookNode) -> str:
    """Return the alternative text a cell gave its picture, for its kind or for all kinds."""
    metadata = output.metadata
    places = [metadata, *(metadata.get(kind, {}) for kind in ("image/png", "image/svg+xml"))]
    return next((str(place["alt"]).strip() for place in places if place.get("alt")), "")


def _demote_heading(hit: re.Match[str]) -> str:
    level = max(3, int(hit[1]))
    return f"<h{level}>{hit[2]}</h{level}>"


def _scrolling(content: str) -> str:
    label = attribute(tr("Result"))
    return f'<div class="out scroll" tabindex="0" role="group" aria-label="{label}">{content}</div>'


def _anchor_headings(body: str) -> str:
    def anchored(hit: re.Match[str]) -> str:
        return f'<h{hit[1]} id="{slug(plain_text(hit[2]))}">{hit[2]}</h{hit[1]}>'

    return _HEADING.sub(anchored, body)


def _number_repeated_ids(body: str) -> str:
    """Make ids unique; a drawing shown twice may use the first one's definitions."""
    seen: Counter[str] = Counter()

    def numbered(hit: re.Match[str]) -> str:
        seen[hit[1]] += 1
        return hit[0] if seen[hit[1]] == 1 else f' id="{hit[1]}-{seen[hit[1]]}"'

    return _ID.sub(numbered, body)


def _drop_dead_links(body: str) -> str:
    """Remove links to what is not there: a figure can be left out for want of data."""
    there = set(_ID.findall(body))

    def kept(hit: re.Match[str]) -> str:
        if hit["target"] in there:
            return hit[0]
        return "" if 'class="see"' in hit[0] else hit["words"]

    pattern = r'<a(?: class="[^"]*")? href="#(?P<target>[^"]*)"[^<>]*>(?P<words>.*?)</a>'
    return re.sub(pattern, kept, body, flags=re.DOTALL)
