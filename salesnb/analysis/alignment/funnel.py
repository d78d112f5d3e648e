"""Leads by where they come from: how far they get, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from salesnb.analysis.alignment.costs import COSTS, find_costs
from salesnb.analysis.alignment.rows import (
    BY,
    NO_LEADS,
    By,
    called,
    check_choice,
    look_at,
    name_unit,
    order_units,
    tested,
    wilson,
)
from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.multiplicity import control_discoveries
from salesnb.analysis.rates import estimate_rates
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_things, list_words, name_quarters, within_sentence
from salesnb.language import format_share, mark, tr
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

    `label` and `apart`, the units with most and least beside each other, are texts to be said by
    `tr`; `kpi` says the same, if one does.
    """

    step: str
    label: str
    reached: str
    of: str
    apart: str
    kpi: str = ""


STEPS = (
    Step(
        "qualified", mark("Lead to qualified"), "qualified", "leads",
        mark("{most} of the leads from {high} were qualified, and {least} of those from {low}"),
        "lead_to_qualified",
    ),
    Step(
        "opportunity", mark("Qualified to opportunity"), "qualified_opportunities", "qualified",
        mark("{most} of the qualified leads from {high} became an opportunity, and {least} of "
             "those from {low}"),
        "qualified_to_opportunity",
    ),
    Step(
        "won", mark("Opportunity to won"), "won", "opportunities",
        mark("{most} of the opportunities from {high} were won, and {least} of those from {low}"),
    ),
    Step(
        "whole", mark("Lead to won"), "won", "leads",
        mark("{most} of the leads from {high} were won, and {least} of those from {low}"),
        "lead_to_won",
    ),
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
        return tr(
            words.apart,
            most=format_share(high["estimate"]),
            high=name_unit(high["unit"]),
            least=format_share(low["estimate"]),
            low=name_unit(low["unit"]),
        )

    @property
    def finding(self) -> str:
        """Say how many leads got how far, and where units differ."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        rows = self.steps.to_dict("records")
        said, by = self._shares_said(rows), tr(BY[self.by])
        apart = [within_sentence(row["label"]) for row in rows if row["adjusted"] < FALSE_CLAIMS]
        if not apart:
            return tr("{said}; no {by} differs from the others beyond chance.", said=said, by=by)
        return tr(
            "{said}; {by}s differ beyond chance from {steps}.",
            said=said, by=by, steps=list_words(apart),
        )  # fmt: skip

    def _shares_said(self, rows: list[dict[Hashable, Any]]) -> str:
        shown = {row["step"]: row for row in rows if math.isfinite(row["share"])}
        shown = {step: shown[step] for step in ("qualified", "whole") if step in shown}
        n = max((row["n"] for row in shown.values()), default=0.0)
        said = {"unit": self.unit, "leads": count_things(n, "lead", "leads")}
        said |= {step: format_share(row["share"]) for step, row in shown.items()}
        if len(shown) > 1:
            return tr("{unit}: of {leads} {qualified} were qualified and {whole} were won", **said)
        if "qualified" in shown:
            return tr("{unit}: of {leads} {qualified} were qualified", **said)
        if "whole" in shown:
            return tr("{unit}: of {leads} {whole} were won", **said)
        return tr("{unit}: of {leads} nothing more is known", **said)

    @property
    def caveat(self) -> str:
        """Say which leads are counted, and what a difference is not."""
        if self.lacking:
            return ""
        return tr(
            "Leads that came in in {quarters}{why_not_later}. Duplicates and invalid leads are "
            "left out; an opportunity still open counts as not won. Shares are pulled to the "
            "others where leads are few. A {by} also differs in whom it reaches and who works its "
            "leads: this compares, it does not explain.",
            quarters=self.span,
            why_not_later=self.why,
            by=tr(BY[self.by]),
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
            why=tr(
                "{cases} of {quarters}, {n} {by}s compared, each pulled to the others as far as "
                "it is small.",
                cases=count_things(row["n"], "case", "cases"),
                quarters=self.span,
                n=len(rows),
                by=tr(BY[self.by]),
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
        return replace(nothing, lacking=tr(NO_LEADS))
    if not (measures.demand.lead_flow[by] != "").any():
        lacking = tr(
            "telling leads apart by {by} needs {column}", by=tr(BY[by]), column=f"leads.{by}"
        )
        return replace(nothing, lacking=lacking)
    cohorts, why = _mature(measures, period)
    if not cohorts:
        age = count_things(measures.company.maturity_days, "day", "days")
        lacking = tr("no leads up to {quarter} are {age} old yet", quarter=period, age=age)
        return replace(nothing, lacking=lacking)
    view = replace(view, periods=cohorts)
    rows = view.take(measures.demand.lead_flow)
    units = rows.assign(unit=called(rows[by])).groupby("unit", as_index=False)[_SUMS].sum()
    units = order_units(units[units["leads"] > 0], "unit", "leads")
    if units.empty:
        lacking = tr("no lead came in in {quarters}", quarters=view.span)
        return replace(nothing, lacking=lacking)
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
    return measures.window(last, 4), _say_young(young, measures.company.maturity_days)


def _say_young(quarters: list[str], days: int) -> str:
    age = count_things(days, "day", "days")
    if len(quarters) < 2:
        return "".join(
            tr(", as {quarter} is not {age} old yet", quarter=one, age=age) for one in quarters
        )
    names = quarters[0]
    for one in quarters[1:]:
        names = tr("{words} and {last}", words=names, last=one)
    return tr(", as {quarters} are not {age} old yet", quarters=names, age=age)


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
        steps.append((step.step, tr(step.label), n, reached, share, low, high, p_value))
    table = pd.DataFrame(steps, columns=_STEPS[:-1])
    table["adjusted"] = control_discoveries(table["p_value"])
    rows = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=_ROWS)
    return rows, table
