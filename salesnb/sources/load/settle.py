"""Settling a table: what its parts mean for one another, and for the tables they refer to.

Of rows with one key in several files of one source, the last file's counts: files are deliveries,
and a later one brings what has changed. Rows with one key from different blocks must not
contradict one another. Then rows that refer to what is not there are refused. Rows refused here
are judged anew by every import, for what they lacked may have come.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from salesnb.schema import Column, Declaration
from salesnb.sources.cleaning import SQL_TYPES, text_expression
from salesnb.sources.load import checks
from salesnb.sources.load.parts import (
    EXAMPLE,
    KIND,
    LINE,
    OF_TABLE,
    PreparedPart,
    numbered_rows,
    write_parquet,
)
from salesnb.sources.readers import ROW
from salesnb.sources.snapshot import StoredPart
from salesnb.sources.sql import identifier, parquet_sql, quoted

_PART, _BLOCK = "_part", "_block"


@dataclass(frozen=True)
class Settled:
    """A table's final parts, in order: their records and the names of their files."""

    records: tuple[StoredPart, ...]
    accepted: tuple[str, ...]
    refused: tuple[str, ...]


def settle(
    db: duckdb.DuckDBPyConnection, declaration: Declaration, parts: list[PreparedPart],
    accepted: dict[str, str], *, home: Path, quarantine: Path, fills_up: frozenset[int],
) -> Settled:  # fmt: skip
    """Write a table's accepted and refused rows to `home` and `quarantine`.

    Parameters
    ----------
    declaration, parts
        The table and its prepared parts, in order.
    accepted
        Relations of the tables settled before, to look references up in.
    fills_up
        Blocks that give only rows whose key no block before them has given.
    """
    columns = _columns_of(db, declaration, parts)
    db.execute(
        "create or replace temp table superseded (part INTEGER, number BIGINT);"
        "create or replace temp table crossed "
        "(part INTEGER, number BIGINT, reason VARCHAR, example VARCHAR)"
    )
    rows = _candidates(db, declaration, parts)
    _supersede(db, declaration, parts, rows)
    for block in sorted(fills_up):
        _supersede_known(db, declaration, block, rows)
    _judge_blocks(db, declaration, columns, parts, rows)
    _judge_references(db, declaration, columns, accepted, rows)
    home.mkdir(parents=True, exist_ok=True)
    records, good, refused = [], [], []
    for number, part in enumerate(parts):
        n_superseded = _count(db, f"superseded where part = {number}")
        record = part.record
        records.append(record.model_copy(update={"superseded": record.superseded + n_superseded}))
        name = f"{record.key}.parquet"
        good.append(name)
        _finish_good(db, declaration, part, number, home / name)
        if _finish_refused(db, declaration, part, number, quarantine / name):
            refused.append(name)
    return Settled(tuple(records), tuple(good), tuple(refused))


def _columns_of(
    db: duckdb.DuckDBPyConnection, declaration: Declaration, parts: list[PreparedPart]
) -> list[Column]:
    there = db.sql(f"from {parquet_sql([part.good for part in parts])} limit 0").columns
    return [column for name, column in declaration.columns.items() if name in there]


def _columns_in(
    db: duckdb.DuckDBPyConnection, declaration: Declaration, path: Path
) -> list[Column]:
    there = db.sql(f"from {parquet_sql([path])} limit 0").columns
    return [column for name, column in declaration.columns.items() if name in there]


def _candidates(
    db: duckdb.DuckDBPyConnection, declaration: Declaration, parts: list[PreparedPart]
) -> str:
    """Relation of all rows that are right in themselves, with their part and block."""
    selects = [
        f"select *, {number} as {_PART}, {part.record.block} as {_BLOCK} "
        f"from {_rows_of(db, declaration, part)}"
        for number, part in enumerate(parts)
    ]
    return f"({' union all by name '.join(selects)})"


def _rows_of(db: duckdb.DuckDBPyConnection, declaration: Declaration, part: PreparedPart) -> str:
    """Relation of a part's good rows, those the table refused last time among them."""
    names = [identifier(column) for column in _columns_in(db, declaration, part.good)]
    good = f"select {', '.join([*names, ROW])} from {numbered_rows(db, part.good)}"
    if part.is_new or part.refused is None:
        return f"({good})"
    typed = ", ".join(
        f"{identifier(column)}::{SQL_TYPES[column.rule.kind]} as {identifier(column)}"
        for column in _columns_in(db, declaration, part.good)
    )
    again = (
        f"select {typed}, row as {ROW} from {parquet_sql([part.refused])} "
        f"where {KIND} = '{OF_TABLE}'"
    )
    return f"(({good}) union all ({again}))"


def _supersede(
    db: duckdb.DuckDBPyConnection, declaration: Declaration, parts: list[PreparedPart], rows: str
) -> None:
    """List the rows whose key stands in a later part of their block again."""
    blocks = [part.record.block for part in parts]
    key = ", ".join(map(identifier, declaration.key))
    for block in sorted({block for block in blocks if blocks.count(block) > 1}):
        of_block = f"(select * from {rows} where {_BLOCK} = {block})"
        repeated = checks.repeated_keys(db, of_block, declaration.key, across=_PART)
        if repeated is not None:
            last = f"max({_PART}) over (partition by {key})"
            db.execute(
                f"insert into superseded select {_PART}, {ROW} from "
                f"(select *, {_PART} < {last} as _is_old from {repeated}) where _is_old"
            )


def _supersede_known(
    db: duckdb.DuckDBPyConnection, declaration: Declaration, block: int, rows: str
) -> None:
    """List the rows of a block whose key a block before it has given."""
    key = ", ".join(f"coalesce({identifier(name)}::VARCHAR, '')" for name in declaration.key)
    known = f"(select ({key}) from {_standing(rows)} where {_BLOCK} < {block})"
    db.execute(
        f"insert into superseded select {_PART}, {ROW} from {_standing(rows)} "
        f"where {_BLOCK} = {block} and ({key}) in {known}"
    )


def _standing(rows: str) -> str:
    return (
        f"(select * from {rows} where ({_PART}, {ROW}) not in (select (part, number) "
        "from superseded))"
    )


def _judge_blocks(
    db: duckdb.DuckDBPyConnection, declaration: Declaration, columns: Iterable[Column],
    parts: list[PreparedPart], rows: str,
) -> None:  # fmt: skip
    """Refuse rows of one key that different blocks bring, but for one of exact copies."""
    if len({part.record.block for part in parts}) < 2:
        return
    repeated = checks.repeated_keys(db, _standing(rows), declaration.key, across=_BLOCK)
    if repeated is not None:
        order = f"{_PART}, {ROW}"
        judged = checks.judge_repeated(declaration, columns, repeated, order=order)
        db.execute(f"insert into crossed select {_PART}, {ROW}, reason, example from {judged}")


def _judge_references(
    db: duckdb.DuckDBPyConnection, declaration: Declaration, columns: Iterable[Column],
    accepted: dict[str, str], rows: str,
) -> None:  # fmt: skip
    """Refuse rows that refer to what is not there, for the first such reason."""
    found = checks.reference_checks(declaration, columns, accepted)
    if not found:
        return
    tests = " ".join(f"when {check.predicate} then {at}" for at, check in enumerate(found))
    reasons = ", ".join(quoted(check.reason) for check in found)
    examples = ", ".join(f"{check.example}::VARCHAR" for check in found)
    db.execute(
        f"insert into crossed select {_PART}, {ROW}, [{reasons}][_at + 1], [{examples}][_at + 1] "
        f"from (select *, case {tests} end as _at from {rows}) where _at is not null "
        f"and ({_PART}, {ROW}) not in (select (part, number) from superseded) "
        f"and ({_PART}, {ROW}) not in (select (part, number) from crossed)"
    )


def _finish_good(
    db: duckdb.DuckDBPyConnection, declaration: Declaration, part: PreparedPart, number: int,
    path: Path,
) -> None:  # fmt: skip
    """Write the rows that stand; where nothing changed, the file itself is taken."""
    dropped = (
        f"(select number from superseded where part = {number} "
        f"union all select number from crossed where part = {number})"
    )
    had_refused = not part.is_new and part.refused is not None
    is_same = not _count(db, dropped) and not (had_refused and _count_again(db, part))
    if is_same:
        _take(part.good, path, is_ours=part.is_new)
        return
    rows = _rows_of(db, declaration, part)
    write_parquet(db, f"select * from {rows} where {ROW} not in {dropped} order by {ROW}", path)


def _count_again(db: duckdb.DuckDBPyConnection, part: PreparedPart) -> int:
    if part.refused is None:
        return 0
    return _count(db, f"{parquet_sql([part.refused])} where {KIND} = '{OF_TABLE}'")


def _finish_refused(
    db: duckdb.DuckDBPyConnection, declaration: Declaration, part: PreparedPart, number: int,
    path: Path,
) -> bool:  # fmt: skip
    """Write the refused rows, if there are any: those of the part, and those of the table."""
    n_crossed = _count(db, f"crossed where part = {number}")
    if not n_crossed and not (not part.is_new and _count_again(db, part)):
        if part.refused is None:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        _take(part.refused, path, is_ours=part.is_new)
        return True
    columns = _columns_in(db, declaration, part.good)
    texts = ", ".join(f"{text_expression(c)} as {identifier(c)}" for c in columns)
    selects = [
        f"select {quoted(part.record.file)} as file, {ROW} as row, reason, "
        f"[reason] as all_reasons, '{OF_TABLE}' as {KIND}, "
        f"coalesce(example, {checks.row_text()}) as {EXAMPLE}, null::VARCHAR as {LINE}, {texts} "
        f"from {_rows_of(db, declaration, part)} join crossed on {ROW} = number "
        f"where part = {number}"
    ]
    if part.refused is not None:
        selects.append(f"select * from {parquet_sql([part.refused])} where {KIND} <> '{OF_TABLE}'")
    rows = f"select * from ({' union all by name '.join(selects)})"
    if not _count(db, f"({rows})"):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    write_parquet(db, f"{rows} order by row", path)
    return True


def _take(source: Path, path: Path, *, is_ours: bool) -> None:
    """Move a file of this import; one of the last snapshot is shared, not copied, if it can be."""
    if is_ours:
        source.rename(path)
        return
    try:
        os.link(source, path)
    except OSError:
        shutil.copyfile(source, path)


def _count(db: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(db.sql(f"select count(*) from {relation}").fetchall()[0][0])
