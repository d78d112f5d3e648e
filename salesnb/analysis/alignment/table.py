"""The one table that marketing and sales both sign: a quarter by source, with its definitions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from salesnb.analysis.alignment.rows import ALL, called, look_at, order_units, share_of
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_opportunities, count_things
from salesnb.errors import DataError
from salesnb.language import format_number, mark, tr
from salesnb.measures.demand.names import OTHER, TOTALS
from salesnb.measures.measures import Measures

ALIGNMENT_ANCHOR = "alignment"
MARKETING, SALES, BOTH = "marketing", "sales", "marketing and sales"
_SIGN = {
    MARKETING: mark("Marketing signs."),
    SALES: mark("Sales signs."),
    BOTH: mark("Marketing and sales sign."),
}
_INVALID = ("duplicate", "invalid")
_LEADS = ["leads", "in_time", "time_up", "qualified", "rejected"]


@dataclass(frozen=True)
class SignedColumn:
    """A column of the table, who answers for it, and what it means."""

    name: str
    label: str
    owner: str
    definition: str


COLUMNS = (
    SignedColumn("leads", mark("Leads"), MARKETING,
                 mark("valid leads that came in in the quarter")),
    SignedColumn("spend", mark("Spend"), MARKETING, mark("spent on the source in the quarter")),
    SignedColumn("in_time_share", mark("In time"), SALES,
                 mark("touched within the SLA / leads whose time is up or that were touched")),
    SignedColumn("qualified", mark("Accepted"), SALES,
                 mark("of these leads, those accepted as qualified so far")),
    SignedColumn("rejected", mark("Rejected"), SALES,
                 mark("of these leads, those rejected so far")),
    SignedColumn("top_reason", mark("Reason"), SALES,
                 mark("the most frequent reason, duplicate and invalid leads aside")),
    SignedColumn("opportunities", mark("Opportunities"), BOTH,
                 mark("created in the quarter from the source, from a lead or not")),
    SignedColumn("won", mark("Won"), SALES, mark("won in the quarter, whenever they came in")),
    SignedColumn("booked", mark("Bookings"), SALES, mark("amount of those won in the quarter")),
    SignedColumn("cost_per_opportunity", mark("Cost of one"), BOTH,
                 mark("spend / opportunities of the quarter, for sources with a spend")),
)  # fmt: skip
"""What is signed, in the order of the table."""


@dataclass(frozen=True, eq=False, repr=False)
class AlignmentTable(Result):
    """A quarter by source: what marketing brought, what sales did with it, what came of it.

    Attributes
    ----------
    period, unit
        Quarter, and name of the company.
    rows
        One row a source: unit, leads, spend, in_time, time_up, in_time_share, qualified, rejected,
        top_reason, opportunities, won, booked, cost_per_opportunity; missing where not known.
    total
        The same for all sources: sums, and shares of sums.
    checks
        what, table and kpi: a sum of the table beside the catalogue's figure, and is_equal.
    currency
        Of spend and bookings.
    sla_minutes
        Business minutes in which a lead is due.
    lacking
        Why there is nothing to show; empty when there is.
    """

    period: str
    unit: str
    rows: pd.DataFrame
    total: pd.Series[float]
    checks: pd.DataFrame
    currency: str
    sla_minutes: int
    lacking: str = ""

    @property
    def columns(self) -> tuple[SignedColumn, ...]:
        """The columns that are known of any source, in the language spoken."""
        return tuple(
            replace(column, label=tr(column.label), definition=tr(column.definition))
            for column in COLUMNS
            if column.name in self.rows and self.rows[column.name].notna().any()
        )

    @property
    def finding(self) -> str:
        """Say what came in, what was accepted, and what came of it."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        total = self.total
        parts = []
        if math.isfinite(total["leads"]):
            leads = count_things(total["leads"], "lead", "leads")
            if math.isfinite(total["qualified"]):
                accepted = format_number(total["qualified"])
                leads = tr("{leads}, {n} of them accepted", leads=leads, n=accepted)
            parts.append(leads)
        if math.isfinite(total["opportunities"]):
            made, won = count_opportunities(total["opportunities"]), format_number(total["won"])
            parts.append(tr("{opportunities}, {won} won", opportunities=made, won=won))
        if not self.is_reconciled:
            parts.append(tr("the sums do not agree with the KPIs"))
        return f"{self.unit}, {self.period}: {'; '.join(parts)}."

    @property
    def is_reconciled(self) -> bool:
        """Whether all sums agree with the catalogue's figures."""
        return bool(self.checks["is_equal"].all())

    @property
    def definitions(self) -> tuple[str, ...]:
        """Define each known column, and say who answers for it."""
        sla = tr(" (the SLA: {minutes} business minutes)", minutes=self.sla_minutes)
        return tuple(
            f"{column.label}: {column.definition}"
            f"{sla if column.name == 'in_time_share' else ''}. {tr(_SIGN[column.owner])}"
            for column in self.columns
        )

    @property
    def caveat(self) -> str:
        """Say what stands beside each other without being of the same cohort."""
        if self.lacking:
            return ""
        return tr(
            "Opportunities and wins of a quarter are not those of its leads, which take longer: "
            "for these see the cohorts that are old enough. The sums are those of the KPIs."
        )

    def check(self) -> pd.DataFrame:
        """Return the sums beside the catalogue's.

        Raises
        ------
        DataError
            A sum differs by more than rounding.
        """
        apart = self.checks[~self.checks["is_equal"]]
        if len(apart):
            raise DataError(f"alignment: the table and the KPIs differ in {list(apart['what'])}.")
        return self.checks.round(2)

    def to_frame(self) -> pd.DataFrame:
        """List one row a source, and all of them."""
        if self.lacking:
            return self.rows.copy()
        whole = self.total.to_frame().T.assign(unit=ALL)
        return pd.concat([self.rows, whole], ignore_index=True)[list(self.rows.columns)]


_ROWS = [
    "unit", "leads", "spend", "in_time", "time_up", "in_time_share", "qualified", "rejected",
    "top_reason", "opportunities", "won", "booked", "cost_per_opportunity",
]  # fmt: skip


def alignment_table(measures: Measures, *, period: str) -> AlignmentTable:
    """Put a quarter's leads, their handover, opportunities and spend on one table by source.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without leads or sources the result says so.
    period
        Fiscal quarter.

    Returns
    -------
    AlignmentTable
        Its sums are those of the catalogue's KPIs, which `checks` shows.

    Raises
    ------
    ParameterError
        The quarter is unknown.
    """
    view = look_at(measures, period, None, n=1)
    company = measures.company
    nothing = AlignmentTable(
        period, view.unit, pd.DataFrame(columns=_ROWS), pd.Series(dtype=float),
        pd.DataFrame(columns=["what", "table", "kpi", "is_equal"]), company.currency,
        company.sla_minutes,
    )  # fmt: skip
    flow, deals = view.take(measures.demand.lead_flow), view.take(measures.demand.source_deals)
    if measures.demand.lead_flow.empty:
        lacking = tr("one table for marketing and sales needs the table leads")
        return replace(nothing, lacking=lacking)
    if flow.empty and deals.empty:
        lacking = tr("nothing came in in {quarter}", quarter=period)
        return replace(nothing, lacking=lacking)
    leads = _sum_by_source(flow, _LEADS)
    parts = [leads, _sum_by_source(deals, list(TOTALS)), _spend_of(measures, period)]
    rows = pd.concat(parts, axis=1).rename_axis("unit").reset_index()
    rows = _finish(rows, measures)
    reasons = view.take(measures.demand.rejections)
    rows["top_reason"] = rows["unit"].map(_top_reasons(reasons)).astype(object)
    total = _finish(rows.sum(numeric_only=True, min_count=1).to_frame().T, measures).iloc[0]
    total = total.astype(object)  # it holds a reason beside the sums
    rows = order_units(rows.assign(_size=rows["leads"].fillna(-1)), "unit", "_size")[_ROWS]
    paid = rows[rows["spend"].notna()]
    total["cost_per_opportunity"] = share_of(paid["spend"].sum(), paid["opportunities"].sum())
    total["top_reason"] = _top_reasons(reasons.assign(source=ALL)).get(ALL, None)
    checks = _check(measures, period, total, paid)
    return replace(nothing, rows=rows, total=total, checks=checks)


def _sum_by_source(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return rows.assign(unit=called(rows["source"])).groupby("unit")[columns].sum()


def _spend_of(measures: Measures, period: str) -> pd.DataFrame:
    spent = measures.demand.spend[measures.demand.spend["period"] == period]
    return spent.assign(unit=called(spent["source"])).groupby("unit")[["spend"]].sum()


def _finish(rows: pd.DataFrame, measures: Measures) -> pd.DataFrame:
    """Add shares; what was not looked at stays missing, what was looked at in vain is 0."""
    sums = {"leads": _LEADS, "opportunities": list(TOTALS)}
    for columns in sums.values():
        rows[columns] = rows[columns].fillna(0.0)
    unknown = {"lead_to_qualified": ["qualified"], "sla_share": ["in_time", "time_up"]}
    for kpi, columns in unknown.items():
        if kpi in measures.missing:
            rows[columns] = np.nan
    if measures.demand.rejections.empty and not measures.demand.lead_flow["rejected"].any():
        rows["rejected"] = np.nan
    if measures.demand.source_deals.empty:
        rows[list(TOTALS)] = np.nan
    rows["in_time_share"] = rows["in_time"] / rows["time_up"].where(rows["time_up"] > 0)
    count = rows["opportunities"].where(rows["opportunities"] > 0)
    return rows.assign(cost_per_opportunity=rows["spend"] / count)


def _top_reasons(rows: pd.DataFrame) -> dict[str, str]:
    """Find the most frequent reason of each source; of equal ones the first of the alphabet."""
    kept = rows[~rows["reason"].isin([*_INVALID, OTHER, ""])]
    kept = kept.assign(unit=called(kept["source"]))
    sums = kept.groupby(["unit", "reason"])["n"].sum().reset_index()
    sums = sums.sort_values(["n", "reason"], ascending=[False, True]).drop_duplicates("unit")
    return dict(zip(sums["unit"], sums["reason"], strict=True))


def _check(
    measures: Measures, period: str, total: pd.Series[float], paid: pd.DataFrame
) -> pd.DataFrame:
    """Put the table's sums beside the catalogue's."""
    known = {kpi.kpi for kpi in measures.kpis}
    figures = measures.roll_up(by="company", periods=(period,)).set_index("kpi")

    def of(kpi: str, part: str) -> float:
        return float(figures[part].get(kpi, 0.0))

    sums: list[tuple[str, str, float, Callable[[], float]]] = [
        ("Leads", "leads", total["leads"], lambda: of("leads", "numerator")),
        ("Accepted", "lead_to_qualified", total["qualified"],
         lambda: of("lead_to_qualified", "numerator")),
        ("Answered in time", "sla_share", total["in_time"], lambda: of("sla_share", "numerator")),
        ("Due", "sla_share", total["time_up"], lambda: of("sla_share", "denominator")),
        ("Won", "win_rate", total["won"], lambda: of("win_rate", "numerator")),
        ("Bookings", "bookings", total["booked"], lambda: of("bookings", "numerator")),
        ("Spend", "cost_per_opportunity", paid["spend"].sum(),
         lambda: of("cost_per_opportunity", "numerator")),
        ("Opportunities of sources with spend", "cost_per_opportunity",
         paid["opportunities"].sum(), lambda: of("cost_per_opportunity", "denominator")),
    ]  # fmt: skip
    rows = [
        (what, float(value), find())
        for what, kpi, value, find in sums
        if kpi in known and math.isfinite(value)
    ]
    frame = pd.DataFrame(rows, columns=["what", "table", "kpi"])
    return frame.assign(is_equal=np.isclose(frame["table"], frame["kpi"], rtol=1e-9, atol=1e-6))
