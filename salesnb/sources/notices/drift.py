"""Drift: how an import differs from the one before where it should not."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from salesnb.message import figure, listing, message, message_many
from salesnb.schema import TABLES, opportunities, reps
from salesnb.sources.notices.drift_values import value_drift
from salesnb.sources.notices.drift_volumes import volume_drift
from salesnb.sources.notices.notice import (
    KPIS_OF,
    Notice,
    by_table,
    examples_text,
    rows_of,
    table_kpis,
)
from salesnb.sources.notices.relations import Relation, complete_relations, fetch_rows
from salesnb.sources.snapshot import Snapshot
from salesnb.sources.sql import identifier, quoted


def find_drift(
    db: duckdb.DuckDBPyConnection, accepted: dict[str, str], previous: Snapshot
) -> tuple[Notice, ...]:
    """Find what has changed since the snapshot before and should not have.

    New rows of new days are no drift. What is: tables, columns and values come and gone, months
    already reported that have other figures, columns that have become empty, amounts on another
    level, and reps who are gone with what they owned. The same data twice give nothing.

    Parameters
    ----------
    accepted
        Table name -> relation of its accepted rows.
    previous
        The snapshot to compare with.

    Returns
    -------
    tuple of Notice
        In the order of the model's tables.
    """
    before = complete_relations(
        db, {table: _relation(previous, table) for table in previous.index.tables}
    )
    now = complete_relations(db, accepted)
    both = [table for table in TABLES if table in now and table in before]
    found = [
        *_tables(now, before),
        *(notice for table in both for notice in _columns(table, now[table], before[table])),
        *volume_drift(db, now, before, until=previous.as_of),
        *value_drift(db, now, before, until=previous.as_of),
        *_vanished_reps(db, now, before),
    ]
    return tuple(notice for group in by_table(found).values() for notice in group)


def _relation(snapshot: Snapshot, table: str) -> str:
    paths = ", ".join(quoted(path) for path in snapshot.paths(table))
    columns = ", ".join(map(identifier, snapshot.columns(table)))
    parquet = f"read_parquet([{paths}], union_by_name = true, hive_partitioning = false)"
    return f"(select {columns} from {parquet})"


def _tables(now: dict[str, Relation], before: dict[str, Relation]) -> Iterator[Notice]:
    for table in TABLES:
        if table in before and table not in now:
            yield Notice(
                table=table,
                what=message("The table is gone; the import before had it."),
                effect=message("What is made from it is left out of all reports."),
                kpis=table_kpis(table),
                action=message("Export it again, or take this for granted from now on."),
            )
        elif table in now and table not in before:
            yield Notice(
                table=table,
                what=message("The table is new."),
                effect=message("What is made from it appears in reports, also on past quarters."),
                kpis=table_kpis(table),
            )


def _columns(table: str, now: Relation, before: Relation) -> Iterator[Notice]:
    declared = TABLES[table].columns
    gone = [name for name in declared if name in before.columns - now.columns]
    new = [name for name in declared if name in now.columns - before.columns]
    if gone:
        yield Notice(
            table=table,
            what=message_many(
                "Column {columns} is gone; the import before had it.",
                "{n} columns ({columns}) are gone; the import before had them.",
                len(gone),
                columns=listing(gone),
            ),
            effect=message("What is made from it is left out of all reports."),
            kpis=_kpis_of(table, gone),
            action=message("Export it again, or correct its name in your mapping."),
        )
    if new:
        yield Notice(
            table=table,
            what=message_many(
                "Column {columns} is new.",
                "{n} columns ({columns}) are new.",
                len(new),
                columns=listing(new),
            ),
            effect=message("What is made from it appears in reports, also on past quarters."),
            kpis=_kpis_of(table, new),
        )


def _kpis_of(table: str, columns: list[str]) -> tuple[str, ...]:
    kpis = [kpi for column in columns for kpi in KPIS_OF.get((table, column), ())]
    return tuple(dict.fromkeys(kpis))


def _vanished_reps(
    db: duckdb.DuckDBPyConnection, now: dict[str, Relation], before: dict[str, Relation]
) -> Iterator[Notice]:
    rep, owner = f"r.{reps.rep_id}", f"o.{opportunities.rep_id}"
    rows = fetch_rows(
        db,
        f"select any_value(r.{reps.name}) as name, count(*) as n, "
        f"count(*) filter (not o.{opportunities.is_closed}) as n_open "
        f"from {before['reps'].sql} r join {before['opportunities'].sql} o on {owner} = {rep} "
        f"where {rep} not in (select {reps.rep_id} from {now['reps'].sql}) "
        f"group by {rep} order by n_open desc, n desc, name",
    )
    if rows:
        n, n_open = (sum(row[name] for row in rows) for name in ("n", "n_open"))
        yield Notice(
            table="reps",
            what=message_many(
                "{reps} of the import before is gone{examples}, who owned {opportunities}, "
                "{n_open} of them open.",
                "{reps} of the import before are gone{examples}, who owned {opportunities}, "
                "{n_open} of them open.",
                len(rows),
                reps=rows_of("reps", len(rows)),
                examples=examples_text(row["name"] for row in rows),
                opportunities=rows_of("opportunities", n),
                n_open=figure(n_open),
            ),
            effect=message(
                "What still names them as owner is refused, so past quarters lose their sales."
            ),
            kpis=table_kpis("opportunities"),
            action=message("Keep leavers in reps, with left_on, and hand over what is open."),
        )
