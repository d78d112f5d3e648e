"""Accepted tables as SQL relations that have every column of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from salesnb.schema import TABLES
from salesnb.sources.cleaning import SQL_TYPES
from salesnb.sources.sql import identifier


@dataclass(frozen=True)
class Relation:
    """One accepted table.

    Attributes
    ----------
    sql
        Relation with all declared columns of the table and no others; those the export does not
        fill are missing in all rows.
    columns
        Columns that the export fills.
    """

    sql: str
    columns: frozenset[str]

    def has(self, *columns: str) -> bool:
        """Whether the export fills all these columns."""
        return self.columns.issuperset(columns)


def complete_relations(
    db: duckdb.DuckDBPyConnection, accepted: dict[str, str]
) -> dict[str, Relation]:
    """Complete each table's relation by the declared columns it lacks."""
    found = {}
    for table, relation in accepted.items():
        given = frozenset(db.sql(f"select * from {relation}").columns)
        selects = [
            identifier(name)
            if name in given
            else f"null::{SQL_TYPES[column.rule.kind]} as {identifier(name)}"
            for name, column in TABLES[table].columns.items()
        ]
        sql = f"(select {', '.join(selects)} from {relation})"
        found[table] = Relation(sql, given.intersection(TABLES[table].columns))
    return found


def fetch_rows(db: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """Run a query and give its rows by the names of its columns."""
    result = db.sql(query)
    return [dict(zip(result.columns, row, strict=True)) for row in result.fetchall()]
