"""Tables and texts of a report, made from results."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any, Literal

import pandas as pd

from salesnb.analysis.conventions import CONVENTIONS_ANCHOR, Conventions
from salesnb.analysis.insights import Findings
from salesnb.analysis.matrix import PerformanceMatrix
from salesnb.analysis.matrix_findings import matrix_anchor
from salesnb.analysis.trend import CLEAR, Trend
from salesnb.analysis.wording import (
    MISSING,
    begin_large,
    format_change,
    format_precise,
    format_range,
    format_value,
    name_one,
    name_quarters,
)
from salesnb.language import format_number, mark, tr, tr_many
from salesnb.measures.catalogue import Kpi, find_kpis
from salesnb.measures.measures import Measures
from salesnb.views.blocks import (
    GROUP_KEY,
    Block,
    Cell,
    Definition,
    Definitions,
    Headline,
    Headlines,
    Matrix,
    Note,
    Table,
    Tile,
    Tiles,
)

Row = dict[Hashable, Any]


def matrix_table(matrix: PerformanceMatrix) -> Block:
    """Show who stands where; a cell is tinted only where the evidence supports it."""
    if not matrix.kpis or matrix.scores.empty:
        return Note(tr("Nobody has a record in these quarters, so there is no matrix."), "missing")
    columns = [_column_label(kpi, matrix) for kpi in matrix.kpis]
    cells = {(row["unit_id"], row["kpi"]): row for row in matrix.scores.to_dict("records")}
    trends = {key: tuple(rows) for key, rows in matrix.trend.groupby(["unit_id", "kpi"])["value"]}
    names = matrix.scores.drop_duplicates("unit_id").set_index("unit_id")["unit"]
    rows = [
        (
            names[unit],
            [_cell(cells[unit, kpi.kpi], kpi, matrix, trends) for kpi in matrix.kpis],
        )
        for unit in matrix.units
    ]
    return Matrix(
        title=matrix.finding,
        caption=tr(
            "The four quarters to {period} (coverage: this quarter). Totals are per full quarter "
            "of one rep; rates, sizes and times are pulled toward the peers where records are "
            "few. Small: 90% rank interval where ranks mean something, else n. Line: the last "
            "eight quarters.",
            period=matrix.period,
        ),
        columns=columns,
        rows=rows,
        key=GROUP_KEY,
        anchor=matrix_anchor(matrix),
        corner=name_one(matrix.by),
        reference=_reference(matrix),
        numbers=_numbers(matrix),
    )  # fmt: skip


def _reference(matrix: PerformanceMatrix) -> tuple[str, list[Cell]]:
    """Make the row of the group's own figures."""
    cells = []
    for kpi in matrix.kpis:
        row = matrix.group[matrix.group["kpi"] == kpi.kpi].iloc[0]
        value = format_value(kpi, row["level"], matrix.currency)
        cells.append(Cell(value, _count(row["n"]), words=mark("the group")))
    return (tr("All"), cells)


def _count(n: float) -> str:
    return tr("n {n}", n=format_number(n))


def _column_label(kpi: Kpi, matrix: PerformanceMatrix) -> str:
    period = matrix.scores.loc[matrix.scores["kpi"] == kpi.kpi, "period"].iloc[0]
    return kpi.label if period == matrix.period else f"{kpi.label} ({period})"


def _cell(
    score: Row, kpi: Kpi, matrix: PerformanceMatrix, trends: dict[Any, tuple[float, ...]]
) -> Cell:
    shown = score["estimate"] if kpi.is_estimated else score["raw"]
    known = score["n"] > 0 and not math.isnan(shown)
    ranked = matrix.is_beyond_chance(kpi.kpi) and known
    note = _rank(score["rank_low"], score["rank_high"]) if ranked else _count(score["n"])
    return Cell(
        value=format_value(kpi, shown, matrix.currency) if known else MISSING,
        note=note if known else tr("no record"),
        tint=int(score["evidence"]),
        sparkline=trends.get((score["unit_id"], kpi.kpi), ()),
        sort_value=float(shown) if known else None,
    )


def _rank(low: int, high: int) -> str:
    return tr("rank {places}", places=f"{low}" if low == high else f"{low}–{high}")


def _numbers(matrix: PerformanceMatrix) -> pd.DataFrame:
    """List raw figure, estimate, interval and n of every cell."""
    kpis = {kpi.kpi: kpi for kpi in matrix.kpis}
    return pd.DataFrame(
        [
            {
                name_one(matrix.by): row["unit"],
                tr("KPI"): kpis[row["kpi"]].label,
                tr("In the quarter"): format_value(kpis[row["kpi"]], row["value"], matrix.currency),
                tr("In the window"): format_value(kpis[row["kpi"]], row["raw"], matrix.currency),
                tr("Estimate"): format_value(kpis[row["kpi"]], row["estimate"], matrix.currency),
                tr("90% interval"): format_range(
                    kpis[row["kpi"]], row["low"], row["high"], matrix.currency
                ),
                tr("n"): format_number(row["n"]),
            }
            for row in matrix.scores.sort_values(["unit", "kpi"], kind="stable").to_dict("records")
        ]
    )


def kpi_tiles(trend: Trend) -> Block:
    """Show each KPI's last quarter against what its past makes likely."""
    kpis = {kpi.kpi: kpi for kpi in trend.kpis}
    tiles = []
    for row in trend.last().to_dict("records"):
        kpi = kpis[row["kpi"]]
        tiles.append(
            Tile(
                label=_tile_label(kpi, row, trend.period),
                value=format_value(kpi, row["value"], trend.currency),
                change=_tile_change(kpi, row, trend.currency),
                direction=_direction(kpi, row["z"]),
                note=_tile_note(kpi, row, trend.currency),
            )
        )
    return Tiles(tuple(tiles))


def _tile_label(kpi: Kpi, row: Row, period: str) -> str:
    """Name the KPI, with its quarter where that is not the report's or not over."""
    if row["is_running"]:
        return tr("{kpi}, {quarter} so far", kpi=kpi.label, quarter=row["period"])
    return kpi.label if row["period"] == period else f"{kpi.label}, {row['period']}"


def _tile_change(kpi: Kpi, row: Row, currency: str) -> str:
    change = format_change(kpi, row["value"] - row["previous"], currency)
    return (
        ""
        if change == MISSING
        else tr("{change} vs {quarter}", change=change, quarter=row["before"])
    )


def _tile_note(kpi: Kpi, row: Row, currency: str) -> str:
    centre = format_value(kpi, row["centre"], currency)
    said = [_word_target(kpi, row["value"], currency)]
    if centre != MISSING:
        quarter = "" if math.isnan(row["season"]) else str(row["period"])[-2:]
        said.append(
            tr("usually {value} in a {quarter}", value=centre, quarter=quarter)
            if quarter
            else tr("usually {value}", value=centre)
        )
    return "; ".join([*filter(None, said), _count(row["n"])])


def _word_target(kpi: Kpi, value: float, currency: str) -> str:
    """Say whether the figure has reached the target set for it; nothing where none is set."""
    if kpi.target is None or math.isnan(value):
        return ""
    target = format_value(kpi, kpi.target, currency)
    if kpi.direction == "neutral":
        return tr("target {target}", target=target)
    if value < kpi.target if kpi.direction == "up" else value > kpi.target:
        return tr("target {target} missed", target=target)
    return tr("target {target} reached", target=target)


def _direction(kpi: Kpi, z: float) -> Literal["up", "down", "flat"]:
    if math.isnan(z) or abs(z) < CLEAR or kpi.direction == "neutral":
        return "flat"
    return "up" if (z > 0) == (kpi.direction == "up") else "down"


def headlines(findings: Findings) -> Block:
    """Show the findings, each linked to the table or figure behind it.

    A report keeps only the links to what is on its page.
    """
    return Headlines(
        tuple(Headline(item.text, item.why, item.evidence, item.anchor) for item in findings.items)
    )


def window_totals(measures: Measures, *, period: str) -> Block:
    """Show the company's figures over the last four quarters together."""
    quarters = measures.window(period, 4)
    rows = []
    for kpi in measures.headline:
        used = tuple(p for p in quarters if measures.is_mature(kpi, p))
        used = used[-kpi.window :]
        found = measures.roll_up(by="company", periods=used, kpi=kpi.kpi, pool=True)
        if len(found):
            row = found.iloc[0]
            value = format_precise(kpi, row["value"], measures.company.currency)
            rows.append((kpi.label, name_quarters(used), value, format_number(row["n"])))
    return Table.from_frame(
        pd.DataFrame(rows, columns=[tr("KPI"), tr("Quarters"), tr("Value"), tr("n")]),
        title=tr("{company}: up to four quarters pooled", company=measures.company.name),
        caption=tr(
            "Sums over sums; a rate of several quarters is never a mean of quarterly rates."
        ),
        anchor="window",
    )


def quarter_records(measures: Measures, *, period: str) -> Block:
    """Show how many records each KPI of a quarter rests on."""
    rows = measures.roll_up(by="company", periods=(period,)).set_index("kpi")
    table = [
        (kpi.label, format_number(rows["n"].get(kpi.kpi, 0.0)), _state(measures, kpi, period))
        for kpi in measures.headline
    ]
    return Table.from_frame(
        pd.DataFrame(table, columns=[tr("KPI"), tr("Records"), tr("State")]),
        title=tr("What the KPIs of {period} rest on", period=period),
        anchor="records",
    )


def _state(measures: Measures, kpi: Kpi, period: str) -> str:
    if measures.is_mature(kpi, period):
        return tr("complete")
    return tr_many(
        "not mature: shown once every record is {n} day old",
        "not mature: shown once every record is {n} days old",
        measures.company.maturity_days,
    )


def definitions(measures: Measures) -> Block:
    """Show how every KPI is computed and what to beware of."""
    return Definitions(
        tuple(
            Definition(kpi.label, _sentence(f"{kpi.formula}; {kpi.cohort}"), _sentence(kpi.caveat))
            for kpi in measures.headline
        )
    )


def conventions_table(conventions: Conventions) -> Block:
    """Show figures of one question by two conventions, and why they part."""
    if conventions.pairs.empty:
        return Note(f"{conventions.finding} {conventions.caveat}", "missing")
    rows = [
        (
            begin_large(row["question"]),
            tr("{value} by {convention}", value=first, convention=row["first"]),
            format_number(row["first_n"]),
            tr("{value} by {convention}", value=second, convention=row["second"]),
            format_number(row["second_n"]), row["why"],
        )
        for row, (first, second) in zip(
            conventions.pairs.to_dict("records"), conventions.texts, strict=True
        )
    ]  # fmt: skip
    n_one, n_other = tr("n"), tr("n of the other")
    columns = [
        tr("Question"), tr("One convention"), n_one, tr("The other"), n_other,
        tr("Why they differ"),
    ]  # fmt: skip
    return Table.from_frame(
        pd.DataFrame(rows, columns=columns),
        title=conventions.finding,
        caption=conventions.caveat,
        anchor=CONVENTIONS_ANCHOR,
        numeric=(n_one, n_other),
    )


def missing_kpis(measures: Measures) -> Block:
    """Say which KPIs are left out and what they need."""
    if not measures.missing:
        return Note(tr("All KPIs of the catalogue could be computed."), "info")
    needs: dict[str, list[str]] = {}
    labels = {kpi.kpi: kpi.label for kpi in find_kpis()}
    for name, need in measures.missing.items():
        needs.setdefault(need, []).append(labels.get(name, name))
    lines = [
        tr("for want of {tables}: {kpis}", tables=need, kpis=", ".join(named))
        for need, named in needs.items()
    ]
    return Note(tr("KPIs left out {reasons}.", reasons="; ".join(lines)), "missing")


def _sentence(text: str) -> str:
    return f"{begin_large(text)}."
