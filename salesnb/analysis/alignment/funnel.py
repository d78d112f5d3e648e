"""Leads by where they come from: how far they get, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from salesnb.analysis.alignment.costs import COSTS, find_costs
from salesnb.analysis.alignment.rows import (
    NO_LEADS,
    By,
    called,
    check_choice,
    look_at,
    order_units,
    tested,
    wilson,
)
from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.multiplicity import control_discoveries
from salesnb.analysis.rates import estimate_rates
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_things, list_words, name_quarters
from salesnb.measures.catalogue import find_kpis
from salesnb.measures.demand.names import LEAD_COUNTS, OTHER
from salesnb.measures.measures import Measures

FUNNEL_ANCHOR = "lead-funnel"
_SUMS = [*LEAD_COUNTS, "booked", "squares"]
_ROWS = ["unit", "step", "n", "reached", "raw", "estimate", "low", "high"]
_STEPS = ["step", "label", "n", "reached", "share", "low", "high", "p_value", "adjusted"]


@dataclass(frozen=True)
class Step:
    """A step on the way: how many of which got further.

    `said_of` and `said` are both in words; `kpi` says the same, if one does.
    """

    step: str
    label: str
    reached: str
    of: str
    said_of: str
    said: str
    kpi: str = ""


STEPS = (
    Step("qualified", "Lead to qualified", "qualified", "leads", "leads", "were qualified",
         "lead_to_qualified"),
    Step("opportunity", "Qualified to opportunity", "qualified_opportunities", "qualified",
         "qualified leads", "became an opportunity", "qualified_to_opportunity"),
    Step("won", "Opportunity to won", "won", "opportunities", "opportunities", "were won"),
    Step("whole", "Lead to won", "won", "leads", "leads", "were won", "lead_to_won"),
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class LeadFunnel(Result):
    """How far leads got, by where they come from.

    Attributes
    ----------
    period, unit, by
        Quarter asked for, name of the team or company, and what leads are told apart by.
    cohorts, why
        Quarters in which the leads came in, and why not later ones.
    rows
        One row a unit and step: n that could, reached, raw share, and the estimate with 90%
        interval low to high, pulled to the others as far as n is small.
    steps
        step, label, n, reached, share (0-1) with 90% interval, and p_value: the chance of units so
        far apart among equal ones; adjusted for the number of steps.
    costs
        unit, what, n, spend, cost with 90% interval; empty but for a company's sources with spend.
    currency
        Of the costs.
    lacking
        Why there is nothing to show; empty when there is.
    """

    period: str
    unit: str
    by: By
    cohorts: tuple[str, ...]
    why: str
    rows: pd.DataFrame
    steps: pd.DataFrame
    costs: pd.DataFrame
    currency: str
    lacking: str = ""

    @property
    def span(self) -> str:
        """Name the quarters in which the leads came in."""
        return name_quarters(self.cohorts)

    def differs(self, step: str) -> bool:
        """Whether units differ in a step beyond chance."""
        rows = self.steps[self.steps["step"] == step]
        return bool((rows["adjusted"] < FALSE_CLAIMS).any())

    def apart(self, step: str) -> str:
        """Say of which unit most, and of which least, got further in a step."""
        rows = self.rows[(self.rows["step"] == step) & (self.rows["unit"] != OTHER)]
        rows = rows.sort_values("estimate", kind="stable")
        low, high = rows.iloc[0], rows.iloc[-1]
        words = next(item for item in STEPS if item.step == step)
        return (
            f"{high['estimate']:.0%} of the {words.said_of} from {high['unit']} {words.said}, and "
            f"{low['estimate']:.0%} of those from {low['unit']}"
        )

    @property
    def finding(self) -> str:
        """Say how many leads got how far, and where units differ."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        rows = self.steps.to_dict("records")
        words = {"qualified": "were qualified", "whole": "were won"}
        shown = [row for row in rows if row["step"] in words and math.isfinite(row["share"])]
        parts = [f"{row['share']:.0%} {words[row['step']]}" for row in shown]
        n = max((row["n"] for row in shown), default=0.0)
        known = " and ".join(parts) or "nothing more is known"
        said = f"{self.unit}: of {count_things(n, 'lead', 'leads')} {known}"
        apart = [row["label"].lower() for row in rows if row["adjusted"] < FALSE_CLAIMS]
        if not apart:
            return f"{said}; no {self.by} differs from the others beyond chance."
        return f"{said}; {self.by}s differ beyond chance from {list_words(apart)}."

    @property
    def caveat(self) -> str:
        """Say which leads are counted, and what a difference is not."""
        if self.lacking:
            return ""
        return (
            f"Leads that came in in {self.span}{self.why}. Duplicates and invalid leads are left "
            "out; an opportunity still open counts as not won. Shares are pulled to the others "
            f"where leads are few. A {self.by} also differs in whom it reaches and who works its "
            "leads: this compares, it does not explain."
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a unit and step."""
        return self.rows.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer each step's difference between units as a test."""
        if self.lacking:
            return ()
        return tuple(
            self._offer(row) for row in self.steps.to_dict("records")
            if math.isfinite(row["p_value"])
        )  # fmt: skip

    def _offer(self, row: dict[Hashable, Any]) -> Candidate:
        rows = self.rows[self.rows["step"] == row["step"]]
        rows = rows[rows["unit"] != OTHER].sort_values("estimate", kind="stable")
        low, high = rows.iloc[0], rows.iloc[-1]
        kpi = next((step.kpi for step in STEPS if step.step == row["step"]), "")
        return Candidate(
            text=f"{self.unit}: {self.apart(str(row['step']))}.",
            why=(
                f"{count_things(row['n'], 'case', 'cases')} of {self.span}, {len(rows)} {self.by}s "
                "compared, each pulled to the others as far as it is small."
            ),
            anchor=f"{FUNNEL_ANCHOR}-{self.by}",
            effect=float(high["estimate"] - low["estimate"]),
            p_value=float(row["p_value"]),
            kpi=kpi,
        )


def lead_funnel(
    measures: Measures, *, period: str, by: By = "source", team: str | None = None,
    n_draws: int = 2000,
) -> LeadFunnel:  # fmt: skip
    """Follow leads from coming in to a win, by source, campaign or segment.

    Only cohorts old enough are looked at, up to four quarters of them. Whether units differ is
    tested first, all steps together (Benjamini-Hochberg).

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without leads the result says so.
    period
        Fiscal quarter; of cohorts that are too young the ones before are taken.
    by
        What leads are told apart by.
    team
        Id or name; None is the whole company.
    n_draws
        Posterior draws a unit.

    Returns
    -------
    LeadFunnel

    Raises
    ------
    ParameterError
        Quarter, team or `by` is unknown.
    """
    check_choice("by", by, ("source", "campaign", "segment"))
    view = look_at(measures, period, team)
    nothing = LeadFunnel(
        period, view.unit, by, (), "", pd.DataFrame(columns=_ROWS), pd.DataFrame(columns=_STEPS),
        pd.DataFrame(columns=COSTS), measures.company.currency,
    )  # fmt: skip
    if measures.demand.lead_flow.empty:
        return replace(nothing, lacking=NO_LEADS)
    if not (measures.demand.lead_flow[by] != "").any():
        return replace(nothing, lacking=f"telling leads apart by {by} needs leads.{by}")
    cohorts, why = _mature(measures, period)
    if not cohorts:
        age = count_things(measures.company.maturity_days, "day", "days")
        return replace(nothing, lacking=f"no leads up to {period} are {age} old yet")
    view = replace(view, periods=cohorts)
    rows = view.take(measures.demand.lead_flow)
    units = rows.assign(unit=called(rows[by])).groupby("unit", as_index=False)[_SUMS].sum()
    units = order_units(units[units["leads"] > 0], "unit", "leads")
    if units.empty:
        return replace(nothing, lacking=f"no lead came in in {view.span}")
    known = tuple(step for step in STEPS if step.kpi not in measures.missing)
    found, steps = _compare(units, known, n_draws)
    costs = nothing.costs
    if by == "source" and team is None:
        costs = find_costs(measures, view, units)
    return replace(nothing, cohorts=cohorts, why=why, rows=found, steps=steps, costs=costs)


def _mature(measures: Measures, period: str) -> tuple[tuple[str, ...], str]:
    """Name the last quarters whose leads are old enough, and say why not later ones."""
    kpi = find_kpis(("lead_to_won",), company=measures.company)[0]
    last = measures.latest_mature(kpi, period)
    if last is None:
        return (), ""
    young = [p for p in measures.periods if last < p <= period]
    why = ""
    if young:
        verb = "is" if len(young) == 1 else "are"
        names = " and ".join(young)
        age = count_things(measures.company.maturity_days, "day", "days")
        why = f", as {names} {verb} not {age} old yet"
    return measures.window(last, 4), why


def _compare(
    units: pd.DataFrame, known: tuple[Step, ...], n_draws: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimate each step's shares of units, and test whether units differ."""
    frames, steps = [], []
    for step in known:
        some = units[units[step.of] > 0]
        n, reached = float(some[step.of].sum()), float(some[step.reached].sum())
        p_value = math.nan
        if len(some):
            rates = estimate_rates(
                some[step.reached], some[step.of], labels=list(some["unit"]), n_draws=n_draws
            )
            shown = rates.to_frame()[["label", "raw", "estimate", "low", "high"]]
            counts = some[["unit", step.of, step.reached]].set_axis(
                ["unit", "n", "reached"], axis=1
            )
            frame = counts.merge(shown.rename(columns={"label": "unit"}), on="unit")
            frames.append(frame.assign(step=step.step)[_ROWS])
            p_value = tested(float(rates.heterogeneity.p_value)) if len(some) > 1 else math.nan
        low, high = wilson(reached, n)
        share = reached / n if n else math.nan
        steps.append((step.step, step.label, n, reached, share, low, high, p_value))
    table = pd.DataFrame(steps, columns=_STEPS[:-1])
    table["adjusted"] = control_discoveries(table["p_value"])
    rows = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=_ROWS)
    return rows, table
