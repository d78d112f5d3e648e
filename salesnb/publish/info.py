"""What a notebook's ``metadata["salesnb"]`` says about its report; every key is optional."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from nbformat import NotebookNode

from salesnb.language import ENGLISH, language
from salesnb.publish.sanitise import safe_link


@dataclass(frozen=True)
class Link:
    """A link in the page's header."""

    label: str
    href: str


@dataclass(frozen=True)
class LeftOut:
    """A part of the report that is not there, and the data it needs."""

    section: str
    needs: str


@dataclass(frozen=True)
class ReportInfo:
    """The words around a report.

    Parameters
    ----------
    title, quarter, kicker, company
        The heading; the page falls back from `title` to the team, then to the notebook's heading.
    team
        The team the report is about.
    as_of, meta, notice
        The date of the data, one line about their size, one line about what they may be used for.
    status, reason
        ``incomplete`` shows a banner with the reason.
    left_out, provenance, links
        Parts left out, pairs of label and value, links to other reports.
    lang
        The language of the text, as in ``<html lang>``; where none is given, that spoken.
    """

    title: str = ""
    kicker: str = ""
    company: str = ""
    quarter: str = ""
    team: str = ""
    as_of: str = ""
    meta: str = ""
    notice: str = ""
    status: str = "complete"
    reason: str = ""
    left_out: tuple[LeftOut, ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()
    links: tuple[Link, ...] = ()
    lang: str = ENGLISH


_TEXTS = [field.name for field in fields(ReportInfo) if field.type is str]


def read_info(notebook: NotebookNode) -> ReportInfo:
    """Read a report's words; unknown keys are ignored, unsafe links left out."""
    found: Mapping[str, Any] = notebook.metadata.get("salesnb") or {}
    texts = {"lang": language()} | {key: str(found[key]) for key in _TEXTS if found.get(key)}
    links = [Link(str(label), safe_link(str(href))) for label, href in found.get("links") or ()]
    return ReportInfo(
        **texts,
        left_out=tuple(
            LeftOut(str(part["section"]), str(part.get("needs") or ""))
            for part in found.get("left_out") or ()
        ),
        provenance=tuple(
            (str(label), str(value)) for label, value in found.get("provenance") or ()
        ),
        links=tuple(link for link in links if link.href),
    )
