"""The kinds of reports: what each is called, what it needs, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from salesnb.params import ReportName


@dataclass(frozen=True)
class Kind:
    """One kind of report.

    Attributes
    ----------
    label
        What the portal calls it.
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
    "company_review": Kind("Company review", slug="company", takes=_COMPARED),
    "team_review": Kind("Team review", each="team", takes=_COMPARED | _PLANNED),
    PIPELINE: Kind("Open opportunities", slug="pipeline-", each="team"),
    "sales_process": Kind(
        "Sales process",
        slug="process",
        title="Sales process",
        is_personal=False,
        takes=frozenset({"catalogue"}),
    ),
    "marketing_alignment": Kind(
        "Marketing and sales",
        slug="marketing",
        title="Marketing and sales",
        is_personal=False,
        needs=("leads",),
        takes=frozenset({"catalogue"}),
    ),
    "skill_segments": Kind(
        "Skill segments",
        slug="skills",
        title="Skills and training plan",
        needs=("ratings",),
        takes=_PLANNED | {"catalogue"},
    ),
    "training_impact": Kind(
        "Training impact",
        slug="training-",
        each="programme",
        needs=("trainings",),
        takes=frozenset({"catalogue"}),
    ),
    "data_quality": Kind(
        "Data quality", slug="data-quality", title="Data quality", is_personal=False
    ),
}
"""All kinds, in the order of the portal."""
