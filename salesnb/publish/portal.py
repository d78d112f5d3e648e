"""The index of reports: what there is, what each found, and which did not finish."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from salesnb.errors import ParameterError
from salesnb.publish.page import render_template, spell_date
from salesnb.publish.sanitise import safe_link
from salesnb.views.blocks import EVIDENCE, Evidence, render_evidence

FLAGS = {"complete": "", "incomplete": "Incomplete", "failed": "Failed", "left-out": "Not made"}
"""Status -> what the portal calls it; a complete report needs no mark."""


@dataclass(frozen=True)
class PortalEntry:
    """One report in the index.

    Parameters
    ----------
    title, kind, team, quarter
        What the report is about; `kind` is such as ``"Team review"``, `team` may be empty.
    href
        Where it is, relative to the index; empty when there is no page to open.
    status, reason
        All but ``complete`` are marked and show the reason; ``left-out`` is no report, only why.
    headline, evidence
        Its main finding, both empty when it has none.
    kpis
        Pairs of name and value as they are to be read, at most four.
    built
        The ISO date it was built on.
    """

    title: str
    kind: str
    team: str
    quarter: str
    href: str
    status: Literal["complete", "incomplete", "failed", "left-out"] = "complete"
    reason: str = ""
    headline: str = ""
    evidence: Evidence | Literal[""] = ""
    kpis: tuple[tuple[str, str], ...] = ()
    built: str = ""

    def __post_init__(self) -> None:
        if self.status not in FLAGS:
            raise ParameterError(
                f"portal entry {self.title!r}: status {self.status!r}; "
                f"expected one of {', '.join(map(repr, FLAGS))}."
            )
        if self.evidence and self.evidence not in EVIDENCE:
            raise ParameterError(
                f"portal entry {self.title!r}: evidence {self.evidence!r}; "
                f"expected one of {', '.join(map(repr, EVIDENCE))}, or none."
            )

    @property
    def link(self) -> str:
        """The link to the report, empty when it leads out of the reports."""
        return safe_link(self.href)

    @property
    def flag(self) -> str:
        """The mark of a report that did not finish."""
        return FLAGS[self.status]

    @property
    def source(self) -> str:
        """Kind, team and date on one line; what the title says already is not repeated."""
        built = f"built {spell_date(self.built)}" if self.built else ""
        about = dict.fromkeys(part for part in (self.kind, self.team, built) if part)
        return " · ".join(part for part in about if part != self.title)

    @property
    def evidence_html(self) -> str:
        """The evidence label as HTML."""
        return render_evidence(self.evidence) if self.evidence else ""


@dataclass(frozen=True)
class Group:
    """The reports of one quarter."""

    quarter: str
    reports: tuple[PortalEntry, ...]


def render_portal(entries: Iterable[PortalEntry], *, title: str, as_of: str) -> str:
    """Render the index page, latest quarter first, entries in the order given.

    Parameters
    ----------
    entries
        The reports; none gives a page that says how to make some.
    title
        The page's heading.
    as_of
        The ISO date of the data; empty leaves it out.

    Returns
    -------
    str
        One self-contained page; equal entries give equal bytes.
    """
    listed = sorted(entries, key=lambda entry: entry.quarter, reverse=True)
    groups = [
        Group(quarter, tuple(group))
        for quarter, group in groupby(listed, key=lambda entry: entry.quarter)
    ]
    return render_template(
        "portal.html.j2",
        title=title,
        lang="en",
        as_of=as_of,
        as_of_words=spell_date(as_of),
        summary=_summarise(listed),
        groups=groups,
        teams=sorted({entry.team for entry in listed if entry.team}),
    )


def _summarise(entries: Sequence[PortalEntry]) -> str:
    """Count the reports, those that did not finish, and what was not made at all."""
    counts = {status: sum(entry.status == status for entry in entries) for status in FLAGS}
    made = len(entries) - counts["left-out"]
    total = f"{made} report{'' if made == 1 else 's'}"
    troubled = [f"{counts[status]} {FLAGS[status].lower()}" for status in FLAGS if FLAGS[status]]
    return ", ".join([total, *(part for part in troubled if not part.startswith("0 "))])
