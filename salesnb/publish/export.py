"""Turn an executed notebook into one HTML page: text, figures and tables, no code."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbconvert.exporters import TemplateExporter
from nbformat import NotebookNode
from traitlets import default

from salesnb import errors
from salesnb.language import mark, speakable, speaking, tr
from salesnb.publish.cells import find_errors, plain_text, read_heading, render_cells
from salesnb.publish.info import ReportInfo, read_info
from salesnb.publish.page import SPEECH, TEMPLATES, Assets, fit_assets, spell_date
from salesnb.publish.shorten import shorten_page

KICKER = mark("Sales performance report")
INTERRUPTED = mark(
    "A step of this report stopped before its end, so some parts below are missing. "
    "The parts that are shown are complete."
)

_SECTION = re.compile(r'(?=<div class="md"><h2 )')
_SECTION_HEADING = re.compile(r'<h2 id="([^"]*)">(.*?)</h2>', re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """A line of the table of contents."""

    anchor: str
    heading: str


@dataclass(frozen=True)
class Page:
    """A report, ready for the template; `sections` are clean HTML, all else is plain text."""

    info: ReportInfo
    heading: str
    sections: tuple[str, ...]
    problem: str
    assets: Assets

    @property
    def title(self) -> str:
        """The large heading."""
        return self.info.title or self.info.team or self.heading or tr("Report")

    @property
    def question(self) -> str:
        """The notebook's own heading, unless it already is the large one."""
        return self.heading if self.heading != self.title else ""

    @property
    def kicker(self) -> str:
        """The small line above the heading."""
        parts = (self.info.company, self.info.kicker or tr(KICKER))
        return " · ".join(part for part in parts if part)

    @property
    def window_title(self) -> str:
        """What the browser's tab says."""
        parts = (self.title, self.info.quarter, self.info.kicker or tr(KICKER))
        return " – ".join(part for part in parts if part)

    @property
    def as_of(self) -> str:
        """The date of the data in words."""
        return spell_date(self.info.as_of)

    @property
    def has_about(self) -> bool:
        """Whether there is anything to say in the closing section."""
        return bool(self.info.left_out or self.info.provenance)

    @property
    def contents(self) -> tuple[Entry, ...]:
        """The sections by heading, in order."""
        headings = (hit for part in self.sections for hit in _SECTION_HEADING.finditer(part))
        listed = tuple(Entry(hit[1], plain_text(hit[2])) for hit in headings)
        about = Entry("page-about", tr("About this report"))
        return (*listed, about) if self.has_about else listed


class ReportExporter(TemplateExporter):
    """nbconvert exporter ``salesnb``: one self-contained page, safe whatever the outputs hold."""

    export_from_notebook = "Sales report"
    output_mimetype = "text/html"

    @default("file_extension")
    def _default_file_extension(self) -> str:
        return ".html"

    @default("template_name")
    def _default_template_name(self) -> str:
        return TEMPLATES.name

    @default("extra_template_basedirs")
    def _default_template_folders(self) -> list[str]:
        return [str(Path(TEMPLATES).parent)]

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **settings: Any) -> Any:
        """Render a notebook in its language; the page is as short as HTML allows."""
        with speaking(speakable(read_info(nb).lang)):
            page, resources = super().from_notebook_node(nb, resources, **settings)
        return shorten_page(str(page)), resources

    def _create_environment(self) -> Any:
        """Let the template say texts."""
        environment = super()._create_environment()  # type: ignore[no-untyped-call]
        environment.globals |= SPEECH
        return environment

    def default_filters(self) -> Any:
        """Add the filter that builds the page to nbconvert's own."""
        yield from super().default_filters()  # type: ignore[no-untyped-call]
        yield "report_page", build_page


def render_report(notebook: NotebookNode) -> str:
    """Render an executed notebook as a report.

    Parameters
    ----------
    notebook
        Code, streams and execution counts are not shown; results and markdown are cleaned by
        `salesnb.publish.sanitise`. ``metadata["salesnb"]`` gives the words around it
        (`salesnb.publish.info.ReportInfo`). A cell that failed gives a banner and a note.

    Returns
    -------
    str
        The page; equal notebooks give equal bytes.
    """
    exporter = ReportExporter()  # type: ignore[no-untyped-call]
    return str(exporter.from_notebook_node(notebook)[0])


def build_page(notebook: NotebookNode) -> Page:
    """Gather what the template needs."""
    info = read_info(notebook)
    body = render_cells(notebook)
    return Page(
        info=info,
        heading=read_heading(notebook),
        sections=tuple(part for part in _SECTION.split(body) if part.strip()),
        problem=_describe_problem(notebook, info),
        assets=fit_assets(body),
    )


def _describe_problem(notebook: NotebookNode, info: ReportInfo) -> str:
    """Say in plain words why a report is incomplete; "" when it is complete.

    The message of one of our own errors is written for readers; any other stays in the notebook.
    """
    failed = list(find_errors(notebook))
    if info.status == "complete" and not failed:
        return ""
    told = [error.evalue for error in failed if _is_written_for_readers(error.ename)]
    return info.reason or (str(told[0]) if told else tr(INTERRUPTED))


def _is_written_for_readers(name: str) -> bool:
    kind = getattr(errors, name, None)
    return isinstance(kind, type) and issubclass(kind, errors.SalesnbError)
