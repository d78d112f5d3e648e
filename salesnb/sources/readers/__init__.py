"""Readers: files, workbooks and databases as parts whose rows DuckDB reads, text kept as text."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb

from salesnb.errors import DataError
from salesnb.sources.mapping import FileOptions
from salesnb.sources.readers import databases, discover, excel
from salesnb.sources.readers.csv import open_csv
from salesnb.sources.readers.discover import Found, find_sources, group
from salesnb.sources.readers.part import ROW, ParquetPart, RejectedLine, SourcePart
from salesnb.sources.sql import parquet_sql

__all__ = ["ROW", "Found", "RejectedLine", "SourcePart", "find_sources", "group", "open_part"]


def open_part(
    db: duckdb.DuckDBPyConnection, found: Found, options: FileOptions, *, workspace: Path,
    number: int, most_rows: int | None = None,
) -> SourcePart:  # fmt: skip
    """Open what discovery found, copying to `workspace` what DuckDB cannot read as it is.

    `number` tells the parts of one import apart. `most_rows` are enough, where a copy is made.

    Raises
    ------
    DataError
        It is empty, not what its suffix says, or not in the encoding it should be in.
    """
    copy = workspace / f"copy{number}.parquet"
    if discover.is_url(found.origin):
        engine = databases.open_url(found.origin)
        return databases.open_sql_table(engine, found.inner, copy=copy, most_rows=most_rows)
    path = Path(found.origin)
    if path.suffix.lower() in discover.BOOKS:
        return excel.open_sheet(path, found.inner, options, label=found.label, copy=copy)
    if path.suffix.lower() in discover.DUCKDB:
        return databases.open_duckdb_table(path, found.inner, options, copy=copy)
    if path.suffix.lower() == ".parquet":
        return _open_parquet(db, path, options, label=found.label)
    return open_csv(path, options, label=found.label, workspace=workspace, number=number)


def _open_parquet(
    db: duckdb.DuckDBPyConnection, path: Path, options: FileOptions, *, label: str
) -> ParquetPart:
    if path.stat().st_size == 0:
        raise DataError(f"{label}: the file is empty. Export it again.")
    try:
        columns = tuple(db.sql(f"select * from {parquet_sql([path])} limit 0").columns)
    except duckdb.Error as error:
        first_line = str(error).splitlines()[0]
        raise DataError(
            f"{label}: is not a Parquet file ({first_line}). Export it again."
        ) from error
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return ParquetPart(label, path, columns, digest, path.stat().st_size, options)
