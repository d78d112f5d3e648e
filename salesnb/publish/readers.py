"""Where each kind of reader starts: which report first, which next, and why, from the findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from salesnb.language import mark, tr
from salesnb.params import ReportName
from salesnb.publish.entry import PortalEntry
from salesnb.publish.kinds import KINDS
from salesnb.views.blocks import EVIDENCE

_PATHS: dict[str, tuple[tuple[ReportName, str], ...]] = {
    mark("Manager"): (
        ("team_review", mark("Your team: who stands where, what of it is real, what to do next.")),
        ("pipeline_priorities", mark("Your team's open opportunities that deserve attention.")),
    ),
    mark("Training lead"): (
        ("skill_segments", mark("Which skill gaps people share, and the plan within the budget.")),
        ("training_impact", mark("Whether a training worked, judged by how people were chosen.")),
    ),
    mark("Executive"): (
        (
            "company_review",
            mark("Which teams stand out, what changed, whether targets are in reach."),
        ),
        ("sales_process", mark("Where opportunities are lost and how long stages take.")),
        ("marketing_alignment", mark("Whether marketing and sales see the same leads.")),
    ),
}


@dataclass(frozen=True)
class Step:
    """One thing to open.

    Attributes
    ----------
    why
        What its reader learns.
    lead
        The report to open first: finished, with the best supported finding, then with most KPIs
        that are clearly worse. None where there is none.
    others
        Other reports of the kind and quarter, in the portal's order.
    missing
        Why there is no report.
    """

    why: str
    lead: PortalEntry | None
    others: tuple[PortalEntry, ...] = ()
    missing: str = ""


@dataclass(frozen=True)
class Start:
    """What a reader opens, in order."""

    reader: str
    steps: tuple[Step, ...]


def find_starts(entries: Sequence[PortalEntry]) -> tuple[Start, ...]:
    """Find where each reader starts among the reports of a portal.

    Of each kind the latest quarter that has reports counts. A reader for whom nothing was made
    or left out is not named.

    Parameters
    ----------
    entries
        The portal's, in its order.
    """
    starts = []
    for reader, path in _PATHS.items():
        steps = [_find_step(entries, KINDS[name].label, tr(why)) for name, why in path]
        known = tuple(step for step in steps if step is not None)
        starts += [Start(tr(reader), known)] if any(step.lead for step in known) else []
    return tuple(starts)


def _find_step(entries: Sequence[PortalEntry], kind: str, why: str) -> Step | None:
    alike = [entry for entry in entries if entry.kind == kind]
    made = [entry for entry in alike if entry.link]
    if not made:
        reasons = [entry.reason for entry in alike]
        return Step(why, None, missing=reasons[0]) if reasons else None
    latest = max(entry.quarter for entry in made)
    current = [entry for entry in made if entry.quarter == latest]
    lead = max(current, key=_weigh)  # the first of equals
    return Step(why, lead, tuple(entry for entry in current if entry is not lead))


def _weigh(entry: PortalEntry) -> tuple[bool, int, int]:
    certainty = EVIDENCE[entry.evidence][0] if entry.evidence else 0
    worse = sum(kpi.direction == "down" for kpi in entry.kpis)
    return entry.status == "complete", certainty, worse
