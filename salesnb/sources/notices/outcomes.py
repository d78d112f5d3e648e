"""Outcomes and times that mislead: who is missing, entered late, or waits for ever."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import Any

import duckdb

from salesnb.message import day_text, figure, message, percentage
from salesnb.schema import Column, opportunities
from salesnb.sources.notices.notice import (
    FEW_ROWS,
    MISSING_SHARE,
    Notice,
    days_text,
    examples_text,
    kpis_of,
    part_of,
)
from salesnb.sources.notices.relations import Relation, fetch_rows

SAME_DAY_SHARE = 0.2
"""A fifth of wins created on the day they were won is a habit of entering late, not luck."""

FAR_CYCLE_SHARE = 0.005
"""The median does not feel a few endless cycles; the typical (geometric) mean does from here."""

FAR_CYCLE_RANGES = 3.0
"""Far out is this many interquartile ranges above the upper quartile, on logs (Tukey)."""

OVERDUE_DAYS = 90
"""A quarter past its expected close date, nobody expects it any more."""

IDLE_SHARE = 0.1
"""A tenth of the open pipeline is enough to change what coverage and close rate say."""

_TABLE = opportunities.declaration.name
_WON, _CLOSED = opportunities.is_won, opportunities.is_closed
_CYCLE = f"({opportunities.closed_on} - {opportunities.created_on})"
Row = dict[str, Any]


def outcome_warnings(
    db: duckdb.DuckDBPyConnection, relations: dict[str, Relation], *, as_of: dt.date
) -> Iterator[Notice]:
    """Warn of missing dates and outcomes, late entry, far-out cycles and a stale pipeline."""
    relation = relations[_TABLE]
    (row,) = fetch_rows(db, _profile(relation, as_of))
    yield from _missing_outcomes(row)
    yield from _missing_dates(row)
    yield from _never_filled(relation, row)
    yield from _late_entry(row)
    yield from _cycles(db, relation, row)
    yield from _stale_pipeline(db, relation, row, as_of)


def _profile(relation: Relation, as_of: dt.date) -> str:
    overdue = as_of - dt.timedelta(days=OVERDUE_DAYS)
    o = opportunities
    return (
        f"select count(*) as n, count(*) filter ({_WON}) as won, "
        f"count(*) filter ({_CLOSED}) as closed, "
        f"count(*) filter ({o.created_on} is null) as n_undated, "
        f"count(*) filter ({_WON} and {o.qualified_on} is null) as n_unqualified, "
        f"count(*) filter (not {_CLOSED} and {o.expected_close_on} is null) as n_unexpected, "
        f"count(*) filter (not {_CLOSED} and {o.expected_close_on} < DATE '{overdue}') "
        "as n_overdue, "
        f"count({o.created_on}) as has_created_on, count({o.amount}) as has_amount, "
        f"count({o.qualified_on}) as has_qualified_on, "
        f"count({o.expected_close_on}) as has_expected_close_on, "
        f"count(*) filter ({_WON} and {_CYCLE} = 0) as n_same_day, "
        f"count({_CYCLE}) filter ({_WON}) as n_cycles, "
        f"quantile_cont(ln(greatest({_CYCLE}, 1)), [0.25, 0.5, 0.75]) filter ({_WON}) as logs, "
        f"min({o.expected_close_on}) filter (not {_CLOSED}) as first_expected "
        f"from {relation.sql}"
    )


def _missing_outcomes(row: Row) -> Iterator[Notice]:
    if row["closed"] < FEW_ROWS:
        return
    if row["won"] in (0, row["closed"]):
        yield _one_outcome(row["closed"], is_all_lost=row["won"] == 0)
    if row["n"] == row["closed"]:
        yield Notice(
            table=_TABLE,
            what=message("All {n} opportunities are closed.", n=figure(row["n"])),
            effect=message("Without the open ones the last quarters look better than they are."),
            kpis=("close_rate", "pipeline_created", "pipeline_coverage"),
            action=message("Export open opportunities too."),
        )


def _one_outcome(n: int, *, is_all_lost: bool) -> Notice:
    return Notice(
        table=_TABLE,
        what=message("None of the {n} closed opportunities is won.", n=figure(n))
        if is_all_lost
        else message("None of the {n} closed opportunities is lost.", n=figure(n)),
        effect=message(
            "Everybody's win rate is {share}.", share=percentage(0 if is_all_lost else 1)
        ),
        kpis=("win_rate", "close_rate"),
        action=message("Export won opportunities too, or map what marks them.")
        if is_all_lost
        else message("Export lost opportunities too, or map what marks them."),
    )


def _missing_dates(row: Row) -> Iterator[Notice]:
    o, n_open = opportunities, row["n"] - row["closed"]
    undated, unqualified, unexpected = (
        part_of(row["n_undated"], row["n"]),
        part_of(row["n_unqualified"], row["won"]),
        part_of(row["n_unexpected"], n_open),
    )
    cases = (
        (o.created_on, row["n_undated"], row["n"],
         message("{share} of opportunities ({count} of {n}) have no {column}.", **undated,
                 column=o.created_on),
         message("They are in no cohort of created opportunities and have no sales cycle.")),
        (o.qualified_on, row["n_unqualified"], row["won"],
         message("{share} of won ({count} of {n}) have no {column}.", **unqualified,
                 column=o.qualified_on),
         message("They were sold, but never counted as pipeline.")),
        (o.expected_close_on, row["n_unexpected"], n_open,
         message("{share} of open ({count} of {n}) have no {column}.", **unexpected,
                 column=o.expected_close_on),
         message("They cover no quarter's quota.")),
    )  # fmt: skip
    for column, count, n, what, effect in cases:
        if row[f"has_{column}"] and count and count >= MISSING_SHARE * n:
            yield Notice(
                table=_TABLE,
                what=what,
                effect=effect,
                kpis=kpis_of(column),
                action=message("Fill {column} in the CRM and export again.", column=column),
            )


def _never_filled(relation: Relation, row: Row) -> Iterator[Notice]:
    """Warn of columns that are there but empty in all rows: their KPIs are 0, not left out."""
    o = opportunities
    for column in (o.created_on, o.amount, o.qualified_on, o.expected_close_on):
        if row["n"] and relation.has(column) and not row[f"has_{column}"]:
            yield never_filled(column)


def never_filled(column: Column) -> Notice:
    """Say that a column is there and empty."""
    return Notice(
        table=column.table,
        what=message("{column} is empty in all rows.", column=column),
        effect=message("Figures made from it are 0 or blank instead of being left out."),
        kpis=kpis_of(column),
        action=message("Export {column}, or take it out of your mapping.", column=column),
    )


def _late_entry(row: Row) -> Iterator[Notice]:
    count, n = row["n_same_day"], row["n_cycles"]
    if n >= FEW_ROWS and count >= SAME_DAY_SHARE * n:
        yield Notice(
            table=_TABLE,
            what=message(
                "{share} of won ({count} of {n}) were created on the day they were won.",
                **part_of(count, n),
            ),
            effect=message(
                "They were written down once they were won; the lost ones may never have been: "
                "sales cycles are too short and win rates too high."
            ),
            kpis=("cycle_days", "win_rate", "close_rate"),
            action=message(
                "Ask who enters opportunities late, and read these KPIs with that in mind."
            ),
        )


def _cycles(db: duckdb.DuckDBPyConnection, relation: Relation, row: Row) -> Iterator[Notice]:
    if row["n_cycles"] < FEW_ROWS:
        return
    longest = _longest_cycle(row)
    (far,) = fetch_rows(
        db,
        f"select count(*) as n, arg_max({opportunities.opportunity_id}, {_CYCLE}, 3) as ids "
        f"from {relation.sql} where {_WON} and {_CYCLE} > {longest}",
    )
    if far["n"] >= FAR_CYCLE_SHARE * row["n_cycles"]:
        yield Notice(
            table=_TABLE,
            what=message(
                "{count} of {n} won took more than {longest} from created to closed{examples}; "
                "{usual} are usual.",
                count=figure(far["n"]),
                n=figure(row["n_cycles"]),
                longest=days_text(longest),
                examples=examples_text(far["ids"]),
                usual=days_text(round(math.exp(row["logs"][1]))),
            ),
            effect=message("They stretch the typical sales cycle of their owners."),
            kpis=("cycle_days",),
            action=message(
                "Correct created_on, or see whether old opportunities are opened again."
            ),
        )


def _longest_cycle(row: Row) -> int:
    """Days beyond which a cycle is far out (Tukey's fence on logs, and five times the median)."""
    lower, middle, upper = row["logs"]
    return round(math.exp(max(upper + FAR_CYCLE_RANGES * (upper - lower), middle + math.log(5))))


def _stale_pipeline(
    db: duckdb.DuckDBPyConnection, relation: Relation, row: Row, as_of: dt.date
) -> Iterator[Notice]:
    n_open = row["n"] - row["closed"]
    if n_open < FEW_ROWS:
        return
    if row["n_overdue"] >= IDLE_SHARE * n_open:
        yield Notice(
            table=_TABLE,
            what=message(
                "{share} of open ({count} of {n}) should have closed more than {days} days ago, "
                "the oldest by {first}.",
                **part_of(row["n_overdue"], n_open),
                days=figure(OVERDUE_DAYS),
                first=day_text(row["first_expected"]),
            ),
            effect=message("They are open, but cover no quarter that is still to come."),
            kpis=("pipeline_coverage", "close_rate"),
            action=message("Close them or date them anew in the CRM."),
        )
    if row["n_cycles"] < FEW_ROWS:
        return
    (old,) = fetch_rows(
        db,
        f"with cycles as (select max({_CYCLE}) as longest from {relation.sql} "
        f"where {_WON} and {_CYCLE} <= {_longest_cycle(row)}) "
        f"select count(*) as n, any_value(longest) as longest, "
        f"arg_min({opportunities.opportunity_id}, {opportunities.created_on}, 3) as ids "
        f"from {relation.sql}, cycles where not {_CLOSED} and "
        f"DATE '{as_of}' - {opportunities.created_on} > longest",
    )
    if old["n"] >= IDLE_SHARE * n_open:
        yield Notice(
            table=_TABLE,
            what=message(
                "{share} of open ({count} of {n}) are older than any won one was when it closed "
                "({longest}){examples}.",
                **part_of(old["n"], n_open),
                longest=days_text(old["longest"]),
                examples=examples_text(old["ids"]),
            ),
            effect=message(
                "Hardly any of them will be won; they hold the close rate down and fill the "
                "pipeline."
            ),
            kpis=("close_rate", "pipeline_created", "pipeline_coverage"),
            action=message("Close what is dead in the CRM."),
        )
