"""Benchmarks as a matrix of KPIs by what they are compared with."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from salesnb.analysis.benchmarks import BENCHMARKS_ANCHOR, FEWEST_TEAMS, Benchmarks
from salesnb.analysis.wording import MISSING, count_things, format_range, format_value
from salesnb.language import format_number, mark, tr, write_day
from salesnb.measures.catalogue import Kpi
from salesnb.views.blocks import Block, Cell, Matrix, Note
from salesnb.views.figures.parts import shorten
from salesnb.views.theme import WIDE

_KEY = (
    (3, mark("clearly better than the teams together")), (2, mark("better")),
    (1, mark("leans better")), (0, mark("cannot be told from them")), (-1, mark("leans worse")),
    (-2, mark("worse")), (-3, mark("clearly worse")),
)  # fmt: skip
_UNCOMPARED = mark("not judged")
_Row = dict[Hashable, Any]


def benchmark_table(found: Benchmarks) -> Block:
    """Show KPIs by comparisons; only a difference from the other teams is tinted."""
    if found.gap or found.rows.empty:
        return Note(found.finding, "missing")
    teams = tr("Teams") if found.is_company else tr("Other teams")
    columns = [tr("This quarter"), tr("Own past"), tr("Year before"), teams]
    kpis = {kpi.kpi: kpi for kpi in found.kpis}
    rows = [
        (kpis[row["kpi"]].label, _cells(found, kpis[row["kpi"]], row))
        for row in found.rows.to_dict("records")
    ]
    if len(found.external):
        columns.append(tr("External"))
    return Matrix(
        title=found.finding,
        caption=tr(
            "{unit}, {quarter}. Own past: median and range of up to eight whole quarters before. "
            "{teams}: middle half of them, estimated over several quarters. {caveat}",
            unit=found.unit,
            quarter=found.period,
            teams=teams,
            caveat=found.caveat,
        ),
        columns=columns,
        rows=rows,
        key=_KEY if found.rows["is_judged"].any() else (),
        anchor=BENCHMARKS_ANCHOR,
        corner=tr("KPI"),
        numbers=_numbers(found, kpis) if len(found.external) else None,
    )


def _cells(found: Benchmarks, kpi: Kpi, row: _Row) -> list[Cell]:
    def write(value: float) -> str:
        return format_value(kpi, value, found.currency)

    past = format_range(kpi, row["lowest"], row["highest"], found.currency)
    quarters = count_things(row["n_quarters"], "quarter", "quarters")
    cells = [
        Cell(
            write(row["value"]),
            tr("{quarter}, n {n}", quarter=row["period"], n=format_number(row["n"])),
            words=_UNCOMPARED,
        ),
        Cell(write(row["median"]), f"{past}, {quarters}", words=_UNCOMPARED),
        Cell(write(row["year_value"]), row["year_period"], words=_UNCOMPARED),
        _team_cell(found, kpi, row),
    ]
    return [*cells, _external_cell(found, kpi)] if len(found.external) else cells


def _team_cell(found: Benchmarks, kpi: Kpi, row: _Row) -> Cell:
    """Show the quartiles of the teams, and beside them the unit's own figure."""
    value = format_range(kpi, row["first_quartile"], row["third_quartile"], found.currency)
    here = _say_own(format_value(kpi, row["compared"], found.currency), kpi)
    note = count_things(row["n_teams"], "team", "teams")
    if row["n_teams"] < FEWEST_TEAMS:
        note = tr("only {teams}", teams=note)
    return Cell(
        value=value,
        note=f"{here}; {note}" if here else note,
        tint=row["evidence"] if row["is_judged"] else 0,
        words=dict(_KEY)[row["evidence"]] if row["is_judged"] else _UNCOMPARED,
    )


def _say_own(value: str, kpi: Kpi) -> str:
    """Say the unit's own figure, and whether it is that of one rep."""
    if value == MISSING:
        return "" if kpi.is_ratio else tr("per rep")
    return (
        tr("here {value}", value=value) if kpi.is_ratio else tr("here {value} per rep", value=value)
    )


def _external_cell(found: Benchmarks, kpi: Kpi) -> Cell:
    """Show the newest figure from outside with its source; all are in the fold."""
    rows = found.external[found.external["kpi"] == kpi.kpi]
    if rows.empty:
        return Cell(MISSING, words=mark("no external figure"))
    newest = rows.sort_values("dated", ascending=False, kind="stable").iloc[0]
    note = f"{shorten(newest['source'], WIDE)}, {write_day(newest['dated'])}"
    if newest["is_old"]:
        note = tr("{figure}, old", figure=note)
    if len(rows) > 1:
        note = tr("{figure}; {n} more below", figure=note, n=format_number(len(rows) - 1))
    return Cell(
        value=format_value(kpi, newest["value"], found.currency),
        note=note,
        words=_UNCOMPARED,
    )


def _numbers(found: Benchmarks, kpis: dict[str, Kpi]) -> pd.DataFrame:
    rows = found.external.to_dict("records")
    return pd.DataFrame(
        {
            tr("KPI"): [kpis[row["kpi"]].label for row in rows],
            tr("External figure"): [
                format_value(kpis[row["kpi"]], row["value"], found.currency) for row in rows
            ],
            tr("Range"): [
                format_range(kpis[row["kpi"]], row["low"], row["high"], found.currency)
                for row in rows
            ],
            tr("Source"): [row["source"] for row in rows],
            tr("Dated"): [
                tr("{day} (old)", day=write_day(row["dated"]))
                if row["is_old"]
                else write_day(row["dated"])
                for row in rows
            ],
            tr("What it counts"): [row["definition"] or MISSING for row in rows],
        }
    )
