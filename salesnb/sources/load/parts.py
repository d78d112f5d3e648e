"""Parts: one file of one block, parsed, cleaned and checked into Parquet; the heavy step.

What comes of a part depends on nothing but the part: its bytes, the block, and how it is read. So
a part that an earlier import has prepared is taken from there (`StoredPart.key`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa

from salesnb.errors import DataError
from salesnb.schema import TABLES, Column
from salesnb.sources.cleaning import infer_conventions, text_expression
from salesnb.sources.load import checks
from salesnb.sources.load.staging import LATEST, LITERAL, MERGED, Stage, literal_rows, raw_name
from salesnb.sources.mapping import Block, FileOptions, Mapping
from salesnb.sources.readers import ROW, RejectedLine, SourcePart
from salesnb.sources.snapshot import StoredPart
from salesnb.sources.sql import identifier, parquet_sql, quoted

_SAMPLE_ROWS, _SAMPLE_TEXTS = 20_000, 2_000
_REASONS, _RAW = "_reasons", "_raw"

OF_ROW, OF_TABLE, OF_LINE = "row", "table", "line"
"""Why a row is in quarantine: for itself, for other rows, or because it could not be split."""
KIND, EXAMPLE, LINE = "_kind", "_example", "line"
"""Columns of quarantine files that readers of the quarantine see in another way or not."""


@dataclass(frozen=True)
class Work:
    """One part to prepare: `part` is None for rows written in the mapping itself."""

    stage: Stage
    part: SourcePart | None
    key: str
    is_shared: bool

    @property
    def file(self) -> str:
        """Name in messages."""
        return LITERAL if self.part is None else self.part.file


@dataclass(frozen=True)
class PreparedPart:
    """A part's rows: those that are right in themselves, and those refused.

    `record` counts them; `good` and `refused` are Parquet files, `refused` None where there are
    none. `is_new` tells whether this import prepared it.
    """

    record: StoredPart
    good: Path
    refused: Path | None
    is_new: bool


@cache
def _code() -> str:
    """Hash the code that parts depend on."""
    digest = hashlib.sha256()
    sources = Path(__file__).parents[1]
    rooms = ("cleaning", "load", "mapping", "readers")
    files = [path for room in rooms for path in (sources / room).glob("*.py")]
    for path in sorted([*files, sources.parent / "columns.py", sources.parent / "schema.py"]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def part_key(
    table: str, number: int, block: Block, part: SourcePart | None, mapping: Mapping,
    lookups: tuple[str, ...],
) -> str:  # fmt: skip
    """Hash everything that what comes of a part depends on.

    `lookups` are the hashes of the sources its values are translated through.
    """
    aliases = {t: mapping.aliases[t] for t in sorted(mapping.aliases)}
    pieces = [
        _code(), table, str(number), block.model_dump_json(), repr(aliases),
        repr(mapping.company.time_zone), *lookups,
    ]  # fmt: skip
    if part is not None:
        pieces += [part.file, part.sha256, part.options.model_dump_json()]
    return hashlib.sha256("\0".join(pieces).encode()).hexdigest()[:16]


def make_stage(
    db: duckdb.DuckDBPyConnection, block: Block, part: SourcePart | None, mapping: Mapping, *,
    table: str, lookups: dict[str, str],
) -> Stage:  # fmt: skip
    """Find out how a part writes numbers and dates, and make the stage that reads it."""
    zone = mapping.company.time_zone
    plain = infer_conventions({}, FileOptions(), time_zone=zone)
    stage = Stage(TABLES[table], block, plain, mapping.aliases, lookups)
    if part is None:
        return stage
    options = part.options
    texts = _sample_texts(db, stage, part)
    found = infer_conventions(texts, options, delimiter=part.delimiter, time_zone=zone)
    return Stage(TABLES[table], block, found, mapping.aliases, lookups)


def _sample_texts(
    db: duckdb.DuckDBPyConnection, stage: Stage, part: SourcePart
) -> dict[Column, list[str]]:
    chosen = [c for c in stage.columns if c.rule.kind in ("date", "timestamp", "number")]
    if not chosen:
        return {}
    lists = ", ".join(
        f"list(distinct {name}) filter ({name} is not null)[1:{_SAMPLE_TEXTS}]"
        for name in map(identifier, chosen)
    )
    texts = stage.texts_sql(part.sample(_SAMPLE_ROWS), chosen)
    try:
        (found,) = db.sql(f"select {lists} from ({texts})").fetchall()
    except duckdb.Error as error:
        raise _unreadable(part.file, error) from error
    return {column: texts or [] for column, texts in zip(chosen, found, strict=True)}


def prepare(
    db: duckdb.DuckDBPyConnection, work: Work, record: StoredPart, *, folder: Path
) -> PreparedPart:
    """Parse, clean and check a part's rows into Parquet files in `folder`.

    Raises
    ------
    DataError
        The part cannot be read to its end.
    """
    staged = folder / f"{work.key}.staged.parquet"
    try:
        relation, is_numbered = _relation(db, work)
        rows = _checked_sql(work.stage, relation, is_numbered=is_numbered)
        write_parquet(db, rows, staged)
        aliases = _count_aliases(db, work, relation)
        n_source = _count(db, relation) if is_numbered else None
    except duckdb.Error as error:
        raise _unreadable(work.file, error) from error
    counts = _count_staged(db, staged)
    n_read = n_source if n_source is not None else counts["rows"]
    try:
        rejected = [] if work.part is None else work.part.rejected(n_read)
    except DataError:
        sure = None if work.part is None else work.part.carefully()
        if sure is None:
            raise
        return prepare(db, replace(work, part=sure), record, folder=folder)
    record = record.model_copy(
        update={
            "read": n_read + len(rejected),
            "left_out": n_read - counts["read"],
            "merged": counts["read"] - counts["rows"],
            "aliases": aliases,
        }
    )
    return _split(db, work, record, staged, rejected, has_bad=counts["bad"] > 0)


def _relation(db: duckdb.DuckDBPyConnection, work: Work) -> tuple[str, bool]:
    """Give the part's rows, numbered where they are read more than once."""
    part, block = work.part, work.stage.block
    if part is None:
        return literal_rows(block), True
    if not work.is_shared and not work.stage.needs_numbers:
        return part.rows(), False
    return part.numbered(db, part.columns), True


def _checked_sql(stage: Stage, relation: str, *, is_numbered: bool) -> str:
    """Select the part's rows, typed, with reasons and original texts of those that are wrong."""
    found = checks.row_checks(stage.declaration, stage.columns)
    typed = stage.typed_sql(relation, is_numbered=is_numbered)
    names = [identifier(column) for column in stage.columns]
    raws = ", ".join(raw_name(column) for column in stage.columns)
    kept = ", ".join([*names, *stage.private(is_numbered=is_numbered)])
    # Joins, as lookups and conditions make them, lose the order of rows.
    order = f" order by {ROW}" if is_numbered else ""
    return (
        f"select {kept}, case when _bad then {checks.findings(found)} end as {_REASONS}, "
        f"case when _bad then [{raws}] end as {_RAW} "
        f"from (select *, {checks.is_bad(found)} as _bad from ({typed})){order}"
    )


def _split(
    db: duckdb.DuckDBPyConnection, work: Work, record: StoredPart, staged: Path,
    rejected: list[RejectedLine], *, has_bad: bool,
) -> PreparedPart:  # fmt: skip
    """Part the staged rows into good and refused ones; where all are good, nothing is copied."""
    declaration = work.stage.declaration
    rows = numbered_rows(db, staged)
    good = f"(select * from {rows} where {_REASONS} is null)"
    repeated = checks.repeated_keys(db, good, declaration.key)
    if repeated is None and not has_bad and not rejected:
        return PreparedPart(record, staged, None, is_new=True)
    db.execute(
        "create or replace temp table dropped (number BIGINT, reason VARCHAR, example VARCHAR)"
    )
    if repeated is not None:
        superseded = _drop_repeated(db, work, repeated)
        record = record.model_copy(update={"superseded": superseded})
    names = ", ".join(identifier(column) for column in work.stage.columns)
    kept = staged.with_name(f"{work.key}.parquet")
    standing = f"{ROW} not in (select number from dropped)"
    write_parquet(db, f"select {names}, {ROW} from {good} where {standing} order by {ROW}", kept)
    refused = staged.with_name(f"{work.key}.refused.parquet")
    n_refused = _write_refused(db, work, rows, rejected, refused)
    staged.unlink()
    return PreparedPart(record, kept, refused if n_refused else None, is_new=True)


def _drop_repeated(db: duckdb.DuckDBPyConnection, work: Work, repeated: str) -> int:
    """List the rows to drop among those of one key; return how many a later row supersedes."""
    declaration, columns = work.stage.declaration, work.stage.columns
    n_superseded = 0
    if work.stage.block.latest_by:
        key = ", ".join(map(identifier, declaration.key))
        latest = f"max({LATEST}) over (partition by {key})"
        db.execute(
            f"insert into dropped select {ROW}, null, null from (select *, "
            f"{LATEST} is distinct from {latest} as _is_old from {repeated}) where _is_old"
        )
        n_superseded = _count(db, "dropped")
        repeated = f"(select * from {repeated} where {ROW} not in (select number from dropped))"
    judged = checks.judge_repeated(declaration, columns, repeated, order=ROW)
    db.execute(f"insert into dropped select {ROW}, reason, example from {judged}")
    return n_superseded


def _write_refused(
    db: duckdb.DuckDBPyConnection, work: Work, rows: str, rejected: list[RejectedLine], path: Path
) -> int:
    columns = work.stage.columns
    raws = ", ".join(
        f"{_RAW}[{at}] as {identifier(column)}" for at, column in enumerate(columns, start=1)
    )
    texts = ", ".join(f"{text_expression(column)} as {identifier(column)}" for column in columns)
    lines = pa.Table.from_pylist(
        [{"number": line.line, "text": line.text, "reason": line.reason} for line in rejected],
        pa.schema({"number": pa.int64(), "text": pa.string(), "reason": pa.string()}),
    )
    db.register("lines", lines)
    file = quoted(work.file)
    write_parquet(
        db,
        f"select * from ("
        f"  select {file} as file, {ROW} as row, {_REASONS}[1].reason as reason, "
        f"    list_transform({_REASONS}, lambda r: r.reason) as all_reasons, "
        f"    '{OF_ROW}' as {KIND}, "
        f"    coalesce({_REASONS}[1].example, {checks.row_text()}) as {EXAMPLE}, "
        f"    null::VARCHAR as {LINE}, {raws} from {rows} where {_REASONS} is not null "
        f"  union all by name select {file} as file, {ROW} as row, d.reason as reason, "
        f"    [d.reason] as all_reasons, '{OF_ROW}' as {KIND}, "
        f"    coalesce(d.example, {checks.row_text()}) as {EXAMPLE}, {texts} "
        f"    from {rows} join dropped d on {ROW} = d.number where d.reason is not null "
        f"  union all by name select {file} as file, reason, [reason] as all_reasons, "
        f"    '{OF_LINE}' as {KIND}, 'line ' || number || ': ' || text[1:60] as {EXAMPLE}, "
        f"    text as {LINE} from lines"
        f") order by row",
        path,
    )
    return _count(db, parquet_sql([path]))


def numbered_rows(db: duckdb.DuckDBPyConnection, path: Path) -> str:
    """Relation of a prepared file with `ROW`; where all rows were good, their place is it."""
    if ROW in db.sql(f"from {parquet_sql([path])} limit 0").columns:
        return parquet_sql([path])
    rows = parquet_sql([path], row_numbers=True)
    return f"(select * exclude (file_row_number), file_row_number + 1 as {ROW} from {rows})"


def write_parquet(db: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write the rows of a query to a Parquet file, in order."""
    db.execute(
        f"copy ({query}) to {quoted(path)} (format parquet, compression zstd, parquet_version v2)"
    )


def _count_staged(db: duckdb.DuckDBPyConnection, staged: Path) -> dict[str, int]:
    relation = parquet_sql([staged])
    is_merged = MERGED in db.sql(f"from {relation} limit 0").columns
    read = f"coalesce(sum({MERGED}), 0)" if is_merged else "count(*)"
    (found,) = db.sql(f"select count(*), {read}, count({_REASONS}) from {relation}").fetchall()
    return dict(zip(("rows", "read", "bad"), map(int, found), strict=True))


def _count_aliases(
    db: duckdb.DuckDBPyConnection, work: Work, relation: str
) -> tuple[tuple[str, str, str, int], ...]:
    query = work.stage.aliases_sql(relation)
    return tuple(row for row in db.sql(query).fetchall() if row[3]) if query else ()


def _count(db: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(db.sql(f"select count(*) from {relation}").fetchall()[0][0])


def _unreadable(file: str, error: duckdb.Error) -> DataError:
    return DataError(
        f"{file}: cannot be read: {str(error).splitlines()[0]} Export it again, or save it as CSV."
    )
