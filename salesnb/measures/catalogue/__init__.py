"""The KPI catalogue: what is measured, as data.

`CATALOGUE` holds all there is. A company's own KPIs are read from a Python file.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import get_args

from salesnb.errors import ParameterError, meant
from salesnb.language import ENGLISH, speaking, tr
from salesnb.measures.catalogue import leads, outcomes, people, process
from salesnb.measures.catalogue.kpi import Direction as Direction
from salesnb.measures.catalogue.kpi import Fact as Fact
from salesnb.measures.catalogue.kpi import Family as Family
from salesnb.measures.catalogue.kpi import Kpi as Kpi
from salesnb.measures.catalogue.kpi import Part as Part
from salesnb.measures.catalogue.kpi import Unit as Unit
from salesnb.measures.catalogue.kpi import flag as flag
from salesnb.sources.mapping import Company

TEMPLATES = (
    outcomes.BOOKINGS,
    outcomes.QUOTA_ATTAINMENT,
    outcomes.ADJUSTED_ATTAINMENT,
    outcomes.QUOTA_PARTICIPATION,
    outcomes.WIN_RATE,
    outcomes.WIN_RATE_VALUE,
    outcomes.CLOSE_RATE,
    outcomes.WON_WITHIN_T,
    outcomes.NO_DECISION_RATE,
    outcomes.DEAL_SIZE,
    outcomes.CYCLE_DAYS,
    outcomes.SALES_VELOCITY,
    outcomes.DISCOUNT_RATE,
    outcomes.CONCENTRATION,
    outcomes.PIPELINE_CREATED,
    outcomes.PIPELINE_COVERAGE,
    process.STAGE_CONVERSION,
    process.STAGE_DAYS,
    process.STALLED_SHARE,
    process.SLIPPAGE,
    process.FORECAST_BIAS,
    leads.LEADS,
    leads.LEAD_TO_QUALIFIED,
    leads.QUALIFIED_TO_OPPORTUNITY,
    leads.LEAD_TO_WON,
    leads.RESPONSE_MINUTES,
    leads.SLA_SHARE,
    leads.COST_PER_OPPORTUNITY,
    leads.CONNECTED_CALLS,
    leads.MEETINGS_PER_100,
    leads.ACCOUNT_COVERAGE,
    people.RAMP,
    people.SKILL_GAP,
)
WORDS = ("label", "formula", "cohort", "caveat")
"""What readers see of a KPI."""

_SETTINGS = ("maturity_days", "stalled_days", "sla_minutes", "opens_at", "closes_at")


def word_kpis(kpis: Iterable[Kpi], company: Company) -> tuple[Kpi, ...]:
    """Say the words of KPIs in the language spoken, a company's settings filled in."""
    return tuple(
        replace(
            kpi,
            label=_fill(tr(kpi.label), company),
            formula=_fill(tr(kpi.formula), company),
            cohort=_fill(tr(kpi.cohort), company),
            caveat=_fill(tr(kpi.caveat), company),
        )
        for kpi in kpis
    )


def _fill(text: str, company: Company) -> str:
    for name in _SETTINGS:
        text = text.replace(f"{{{name}}}", str(getattr(company, name)))
    return text


with speaking(ENGLISH):  # whoever imports this first
    CATALOGUE = word_kpis(TEMPLATES, Company())
    """Every KPI, in the order reports show them, in English, of a company that has set nothing."""


def find_kpis(
    names: Iterable[str] | None = None, *, own: tuple[Kpi, ...] = (),
    company: Company | None = None,
) -> tuple[Kpi, ...]:  # fmt: skip
    """Find KPIs by id, in catalogue order; all of them for None.

    Parameters
    ----------
    names
        Ids.
    own
        KPIs beside the catalogue's, as `read_kpis` gives them.
    company
        Whose settings fill the words; default one that has set nothing.

    Raises
    ------
    ParameterError
        A name is not in the catalogue.
    """
    kpis = (*TEMPLATES, *own)
    chosen = None if names is None else set(names)
    known = [kpi.kpi for kpi in kpis]
    unknown = sorted((chosen or set()) - set(known))
    if unknown:
        raise ParameterError(
            f"kpis: unknown {', '.join(unknown)}. Known: {', '.join(known)}."
            f"{meant(unknown[0], known)}"
        )
    found = (kpi for kpi in kpis if chosen is None or kpi.kpi in chosen)
    return word_kpis(found, company or Company())


def read_kpis(path: str | Path) -> tuple[Kpi, ...]:
    """Read a company's own KPIs: a Python file that defines KPIS, a list of `Kpi`.

    The file is run as it is: give one that you trust. An empty path gives none.

    Raises
    ------
    ParameterError
        The file is missing, does not run, defines no KPIS, one has the id of another, or is made
        of a fact that there is not.
    """
    if not str(path):
        return ()
    file = Path(path)
    if not file.is_file():
        raise ParameterError(f"catalogue: {file}: there is no such file. See docs/kpis.md.")
    try:
        own = runpy.run_path(str(file)).get("KPIS")
    except Exception as error:
        raise ParameterError(
            f"catalogue: {file} does not run: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(own, list | tuple) or not all(isinstance(kpi, Kpi) for kpi in own):
        raise ParameterError(f"catalogue: {file}: expected KPIS, a list of Kpi. See docs/kpis.md.")
    names = [kpi.kpi for kpi in (*TEMPLATES, *own)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParameterError(f"catalogue: {file}: {', '.join(twice)} is there already. Rename it.")
    facts = {part.fact for kpi in own for part in kpi.parts}
    if strange := sorted(facts - set(get_args(Fact))):
        known = ", ".join(get_args(Fact))
        raise ParameterError(f"catalogue: {file}: no fact {', '.join(strange)}. Known: {known}.")
    return tuple(own)
