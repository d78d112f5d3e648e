"""Benchmarks as a matrix of KPIs by what they are compared with."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from salesnb.analysis.benchmarks import BENCHMARKS_ANCHOR, FEWEST_TEAMS, Benchmarks
from salesnb.analysis.wording import MISSING, count_things, format_range, format_value
from salesnb.measures.catalogue import Kpi
from salesnb.views.blocks import Block, Cell, Matrix, Note
from salesnb.views.figures.parts import shorten
from salesnb.views.theme import WIDE

_KEY = (
    (3, "clearly better than the teams together"), (2, "better"), (1, "leans better"),
    (0, "cannot be told from them"), (-1, "leans worse"), (-2, "worse"), (-3, "clearly worse"),
)  # fmt: skip
_UNCOMPARED = "not judged"
_Row = dict[Hashable, Any]


def benchmark_table(found: Benchmarks) -> Block:
    """Show KPIs by comparisons; only a difference from the other teams is tinted."""
    if found.gap or found.rows.empty:
        return Note(found.finding, "missing")
    teams = "Teams" if found.is_company else "Other teams"
    columns = ["This quarter", "Own past", "Year before", teams]
    kpis = {kpi.kpi: kpi for kpi in found.kpis}
    rows = [
        (kpis[row["kpi"]].label, _cells(found, kpis[row["kpi"]], row))
        for row in found.rows.to_dict("records")
    ]
    if len(found.external):
        columns.append("External")
    return Matrix(
        title=found.finding,
        caption=(
            f"{found.unit}, {found.period}. Own past: median and range of up to eight whole "
            f"quarters before. {teams}: middle half of them, estimated over several quarters. "
            f"{found.caveat}"
        ),
        columns=columns,
        rows=rows,
        key=_KEY if found.rows["is_judged"].any() else (),
        anchor=BENCHMARKS_ANCHOR,
        corner="KPI",
        numbers=_numbers(found, kpis) if len(found.external) else None,
    )


def _cells(found: Benchmarks, kpi: Kpi, row: _Row) -> list[Cell]:
    def write(value: float) -> str:
        return format_value(kpi, value, found.currency)

    past = format_range(kpi, row["lowest"], row["highest"], found.currency)
    quarters = count_things(row["n_quarters"], "quarter", "quarters")
    cells = [
        Cell(write(row["value"]), f"{row['period']}, n {row['n']:,.0f}", words=_UNCOMPARED),
        Cell(write(row["median"]), f"{past}, {quarters}", words=_UNCOMPARED),
        Cell(write(row["year_value"]), row["year_period"], words=_UNCOMPARED),
        _team_cell(found, kpi, row),
    ]
    return [*cells, _external_cell(found, kpi)] if len(found.external) else cells


def _team_cell(found: Benchmarks, kpi: Kpi, row: _Row) -> Cell:
    """Show the quartiles of the teams, and beside them the unit's own figure."""
    each = "" if kpi.is_ratio else "per rep"
    own = format_value(kpi, row["compared"], found.currency)
    few = "only " if row["n_teams"] < FEWEST_TEAMS else ""
    value = format_range(kpi, row["first_quartile"], row["third_quartile"], found.currency)
    here = each if own == MISSING else f"here {own} {each}".rstrip()
    note = f"{few}{count_things(row['n_teams'], 'team', 'teams')}"
    return Cell(
        value=value,
        note=f"{here}; {note}" if here else note,
        tint=row["evidence"] if row["is_judged"] else 0,
        words=dict(_KEY)[row["evidence"]] if row["is_judged"] else _UNCOMPARED,
    )


def _external_cell(found: Benchmarks, kpi: Kpi) -> Cell:
    """Show the newest figure from outside with its source; all are in the fold."""
    rows = found.external[found.external["kpi"] == kpi.kpi]
    if rows.empty:
        return Cell(MISSING, words="no external figure")
    newest = rows.sort_values("dated", ascending=False, kind="stable").iloc[0]
    more = f"; {len(rows) - 1} more below" if len(rows) > 1 else ""
    old = ", old" if newest["is_old"] else ""
    return Cell(
        value=format_value(kpi, newest["value"], found.currency),
        note=f"{shorten(newest['source'], WIDE)}, {newest['dated']}{old}{more}",
        words=_UNCOMPARED,
    )


def _numbers(found: Benchmarks, kpis: dict[str, Kpi]) -> pd.DataFrame:
    rows = found.external.to_dict("records")
    return pd.DataFrame(
        {
            "KPI": [kpis[row["kpi"]].label for row in rows],
            "External figure": [
                format_value(kpis[row["kpi"]], row["value"], found.currency) for row in rows
            ],
            "Range": [
                format_range(kpis[row["kpi"]], row["low"], row["high"], found.currency)
                for row in rows
            ],
            "Source": [row["source"] for row in rows],
            "Dated": [f"{row['dated']}{' (old)' if row['is_old'] else ''}" for row in rows],
            "What it counts": [row["definition"] or MISSING for row in rows],
        }
    )
