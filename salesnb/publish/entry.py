"""One report as portals and mail list it."""

from dataclasses import dataclass
from typing import Literal

from salesnb.errors import ParameterError
from salesnb.language import mark, tr
from salesnb.publish.kinds import name_kind
from salesnb.publish.manifest import Kpi
from salesnb.publish.page import spell_date
from salesnb.publish.sanitise import safe_link
from salesnb.views.blocks import EVIDENCE, Evidence, render_change, render_evidence

STATUSES = {
    "complete": mark("Complete"),
    "incomplete": mark("Incomplete"),
    "left-out": mark("Not made"),
}
"""Status -> what the portal calls it."""


@dataclass(frozen=True)
class PortalEntry:
    """One report in the index.

    Parameters
    ----------
    title, kind, team, quarter
        What the report is about; `kind` is such as ``"Team review"``, whatever the language, and
        `team` may be empty.
    href
        Where it is, relative to the index; empty when there is no page to open.
    status, reason
        All but ``complete`` are marked and show the reason; ``left-out`` is no report, only why.
    headline, evidence
        Its main finding, both empty when it has none.
    kpis
        Its key figures, at most four.
    built
        The ISO date it was built on.
    pdf
        Where its PDF is, if there is one.
    company
        Whose it is.
    """

    title: str
    kind: str
    team: str
    quarter: str
    href: str
    status: Literal["complete", "incomplete", "left-out"] = "complete"
    reason: str = ""
    headline: str = ""
    evidence: Evidence | Literal[""] = ""
    kpis: tuple[Kpi, ...] = ()
    built: str = ""
    pdf: str = ""
    company: str = ""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ParameterError(
                f"portal entry {self.title!r}: status {self.status!r}; "
                f"expected one of {', '.join(map(repr, STATUSES))}."
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
    def pdf_link(self) -> str:
        """The link to its PDF, empty when it leads out of the reports."""
        return safe_link(self.pdf)

    @property
    def flag(self) -> str:
        """The mark of a report that is not complete."""
        return "" if self.status == "complete" else tr(STATUSES[self.status])

    @property
    def kind_words(self) -> str:
        """What its kind is called."""
        return name_kind(self.kind)

    @property
    def source(self) -> str:
        """Kind, team and date on one line; what the title says already is not repeated."""
        built = tr("built {day}", day=spell_date(self.built)) if self.built else ""
        about = dict.fromkeys(part for part in (self.kind_words, self.team, built) if part)
        return " · ".join(part for part in about if part != self.title)

    @property
    def evidence_words(self) -> str:
        """How far the data support the finding, in words."""
        return tr(EVIDENCE[self.evidence][1]) if self.evidence else ""

    @property
    def evidence_html(self) -> str:
        """The evidence label as HTML."""
        return render_evidence(self.evidence) if self.evidence else ""

    @property
    def figures(self) -> tuple[tuple[str, str, str], ...]:
        """The key figures: name, value, and the change as HTML, if there is a clear one."""
        return tuple(
            (kpi.label, kpi.value, render_change(kpi.change, kpi.direction) if kpi.change else "")
            for kpi in self.kpis
        )
