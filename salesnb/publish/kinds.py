"""The kinds of reports: what each is called, what it needs, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from salesnb.language import mark, tr
from salesnb.params import ReportName


@dataclass(frozen=True)
class Kind:
    """One kind of report.

    Attributes
    ----------
    label
        What it is known by, and called in English; `name_kind` says it.
    slug
        Its file's name without suffix, or what the file's name begins with where there are several.
    title
        Its heading; empty where it is the company's name, or that of what it is about.
    each
        Of what there is one report each.
    needs
        Tables without which it has nothing to say.
    takes
        Settings of a batch, besides snapshot, quarter and day, that its notebook has parameters
        for.
    is_personal
        Whether it holds figures of single people, and so says what it may be used for.
    """

    label: str
    slug: str = ""
    title: str = ""
    each: Literal["company", "team", "programme"] = "company"
    needs: tuple[str, ...] = ()
    takes: frozenset[str] = frozenset()
    is_personal: bool = True


_COMPARED = frozenset({"catalogue", "benchmarks", "kpis", "weights", "kpi_targets"})
_PLANNED = frozenset({"budget", "hours"})
SETTINGS = _COMPARED | _PLANNED
"""All settings of a batch that a notebook may have parameters for."""

PIPELINE: ReportName = "pipeline_priorities"
KINDS: dict[ReportName, Kind] = {
    "company_review": Kind(mark("Company review"), slug="company", takes=_COMPARED),
    "team_review": Kind(mark("Team review"), each="team", takes=_COMPARED | _PLANNED),
    PIPELINE: Kind(mark("Open opportunities"), slug="pipeline-", each="team"),
    "sales_process": Kind(
        mark("Sales process"),
        slug="process",
        title=mark("Sales process"),
        is_personal=False,
        takes=frozenset({"catalogue"}),
    ),
    "marketing_alignment": Kind(
        mark("Marketing and sales"),
        slug="marketing",
        title=mark("Marketing and sales"),
        is_personal=False,
        needs=("leads",),
        takes=frozenset({"catalogue"}),
    ),
    "skill_segments": Kind(
        mark("Skill segments"),
        slug="skills",
        title=mark("Skills and training plan"),
        needs=("ratings",),
        takes=_PLANNED | {"catalogue"},
    ),
    "training_impact": Kind(
        mark("Training impact"),
        slug="training-",
        each="programme",
        needs=("trainings",),
        takes=frozenset({"catalogue"}),
    ),
    "data_quality": Kind(
        mark("Data quality"),
        slug="data-quality",
        title=mark("Data quality"),
        is_personal=False,
    ),
}
"""All kinds, in the order of the portal."""

_NAMES = {name for kind in KINDS.values() for name in (kind.label, kind.title)}


def name_kind(name: str) -> str:
    """Say the label or title of a kind in the language spoken; a customer's own stays as it is."""
    return tr(name) if name in _NAMES else name
