"""The summary of an import: its LoadReport, and whether the result may be kept."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import duckdb

from salesnb.errors import DataError, join_problems
from salesnb.message import figure, message
from salesnb.schema import TABLES
from salesnb.sources.load import checks
from salesnb.sources.load.parts import EXAMPLE
from salesnb.sources.load.settle import Settled
from salesnb.sources.load.state import Import
from salesnb.sources.notices.drift import find_drift
from salesnb.sources.notices.notice import Notice
from salesnb.sources.notices.plausibility import find_warnings
from salesnb.sources.report import LoadReport, Refusal, TableLoad
from salesnb.sources.snapshot import QUARANTINE, StoredTable
from salesnb.sources.sql import parquet_sql


def count_load(run: Import, name: str) -> TableLoad:
    """Count what became of a settled table's rows."""
    settled = run.settled[name]
    records = settled.records
    load = TableLoad(
        table=name,
        files=tuple(dict.fromkeys(record.file for record in records)),
        read=sum(record.read for record in records),
        left_out=sum(record.left_out for record in records),
        merged=sum(record.merged for record in records),
        superseded=sum(record.superseded for record in records),
        accepted=run.count(run.accepted[name]),
        refusals=_count_refusals(run, name, settled),
    )
    if not load.reconciles:  # pragma: no cover - a defect of ours, never of the data
        raise AssertionError(f"{name}: rows do not reconcile: {load}")
    return load


def _count_refusals(run: Import, name: str, settled: Settled) -> tuple[Refusal, ...]:
    """Count the refused rows of a table by their first reason, most frequent first."""
    if not settled.refused:
        return ()
    folder = run.content / QUARANTINE / name
    rows = run.db.sql(
        f"select reason, count(*) as n, {checks.examples_sql(EXAMPLE)} "
        f"from {parquet_sql([folder / file for file in settled.refused])} "
        "group by reason order by n desc, reason"
    ).fetchall()
    known = checks.actions(TABLES[name])
    messages = {str(reason): reason for reason in known}
    return tuple(
        Refusal(
            reason=messages[reason],
            count=count,
            examples=tuple(examples),
            action=known[messages[reason]],
        )
        for reason, count, examples in rows
    )


def _describe_aliases(run: Import) -> list[str]:
    lines: list[str] = []
    for table, settled in run.settled.items():
        counts: Counter[tuple[str, str, str]] = Counter()
        for record in settled.records:
            for column, alias, proper, count in record.aliases:
                counts[column, alias, proper] += count
        lines += [
            message(
                "{table}: {n} rows with {column} {alias} read as {proper}.",
                table=table,
                n=figure(count),
                column=column,
                alias=repr(alias),
                proper=repr(proper),
            )
            for (column, alias, proper), count in counts.items()
        ]
    return lines


def check_result(run: Import, *, strict: bool) -> None:
    """Refuse a result without a usable row in a required table, or (strict) with a refused row.

    Raises
    ------
    DataError
        Names the tables with their reasons.
    """
    problems = []
    for load in run.loads:
        if TABLES[load.table].required and not load.accepted:
            reasons = [f"{r.count:,} x {r.reason}" for r in load.refusals]
            reasons += [f"{load.left_out:,} x left out by the mapping"] if load.left_out else []
            why = f"all {load.read:,} rows were refused: {'; '.join(reasons)}"
            why = why if load.read else "has no rows"
            problems.append(f"{', '.join(load.files)}: {load.table} {why}. Export it again.")
    if problems:
        raise DataError(join_problems(problems, heading=f"{len(problems)} problem(s)"))
    refused = [
        f"{load.table}: {r.count:,} x {r.reason} (e.g. {', '.join(r.examples)}). {r.action}"
        for load in run.loads
        for r in load.refusals
    ]
    if strict and refused:
        raise DataError(join_problems(refused, heading="--strict: rows were refused"))


def make_report(
    run: Import, tables: dict[str, StoredTable], as_of: dt.date, new_id: str
) -> LoadReport:
    """Say what came in, what was refused, what misleads and what changed."""
    warnings = [*run.notices]
    warnings += [
        Notice(table=record.table, what=note, effect="", action="")
        for settled in run.settled.values() for record in settled.records for note in record.notes
    ]  # fmt: skip
    for name, table in tables.items():
        warnings += checks.reference_warnings(run.db, TABLES[name], table.columns, run.accepted)
    warnings += find_warnings(run.db, run.accepted, company=run.mapping.company, as_of=as_of)
    drift, compared_with = _compare(run, new_id)
    return LoadReport(
        tables=tuple(run.loads),
        warnings=tuple(warnings),
        drift=drift,
        compared_with=compared_with,
        resolved=tuple(_describe_aliases(run)),
        left_out=run.left_out,
        absent=tuple(name for name in TABLES if name not in tables),
        unused_files=run.export.unused(),
        reused_parts=run.n_reused,
    )


def _compare(run: Import, new_id: str) -> tuple[tuple[Notice, ...], str]:
    """Find what changed since the snapshot before, and its id.

    The same content again keeps what its first import found: against itself it has no drift.
    """
    previous = run.previous
    if previous is None:
        return (), ""
    if previous.id == new_id:
        return previous.report.drift, previous.report.compared_with
    try:
        return find_drift(run.db, run.accepted, previous), previous.id
    except duckdb.IOException:  # imports that ran beside this one have removed its files
        return (), ""
