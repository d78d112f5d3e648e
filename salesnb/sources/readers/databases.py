"""Databases: DuckDB files, and anything SQLAlchemy has a driver for, read in chunks."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

from salesnb.errors import DataError, ParameterError
from salesnb.sources.mapping import FileOptions
from salesnb.sources.readers.csv import unique_names
from salesnb.sources.readers.part import ParquetPart
from salesnb.sources.sql import identifier, quoted

PASSWORD = "SALESNB_DB_PASSWORD"
"""Environment variable with a database's password."""
_CHUNK = 20_000
_SYSTEM = ("information_schema", "pg_catalog", "mysql", "performance_schema", "sys")


def duckdb_tables(path: Path) -> list[str]:
    """List the tables and views of a DuckDB file; those of other schemas as schema.table.

    Raises
    ------
    DataError
        It is not a DuckDB file, or another process is writing to it.
    """
    with _open_duckdb(path) as db:
        rows = db.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_catalog = 'given' order by all"
        ).fetchall()
    return [table if schema == "main" else f"{schema}.{table}" for schema, table in rows]


def _open_duckdb(path: Path) -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    try:
        db.execute(f"attach {quoted(path)} as given (read_only)")
    except duckdb.Error as error:
        db.close()
        raise DataError(
            f"{path.name}: cannot be opened as a DuckDB file ({str(error).splitlines()[0]}). "
            "Close what writes to it, or export its tables as Parquet."
        ) from error
    return db


def open_duckdb_table(path: Path, table: str, options: FileOptions, *, copy: Path) -> ParquetPart:
    """Copy a table of a DuckDB file to a Parquet file."""
    schema, _, name = table.rpartition(".")
    where = f"{path.name}, table {table}"
    relation = f"given.{identifier(schema or 'main')}.{identifier(name)}"
    try:
        with _open_duckdb(path) as db:
            db.execute(f"copy (from {relation}) to {quoted(copy)} (format parquet)")
            columns = tuple(db.sql(f"select * from {relation} limit 0").columns)
    except duckdb.Error as error:
        raise DataError(f"{where}: cannot be read: {str(error).splitlines()[0]}") from error
    return _copied(where, copy, columns, options)


def open_url(url: str) -> sa.Engine:
    """Connect to a database.

    The password is taken from the environment (`PASSWORD`); one in the URL is refused, because
    it would be kept in the shell's history.

    Raises
    ------
    ParameterError
        The URL is wrong, holds a password, or its driver is not installed.
    """
    try:
        parsed = sa.make_url(url)
        if parsed.password:
            raise ParameterError(
                f"{parsed.render_as_string(hide_password=True)}: holds a password. Put it into "
                f"the environment variable {PASSWORD} and take it out of the URL."
            )
        return sa.create_engine(parsed.set(password=os.environ.get(PASSWORD)))
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise ParameterError(
            f"{url.partition(':')[0]}: its driver is not installed ({error}). Install it, e.g. "
            "pip install pg8000, and write postgresql+pg8000://user@host/database."
        ) from error
    except SQLAlchemyError as error:
        raise ParameterError(
            f"source: this is no database URL ({error}). Write it like "
            "postgresql+pg8000://user@host/database."
        ) from error


def sql_tables(engine: sa.Engine) -> list[str]:
    """List a database's tables and views; those of other schemas as schema.table.

    Raises
    ------
    DataError
        The database does not answer, or refuses.
    """
    try:
        inspector = sa.inspect(engine)
        home = inspector.default_schema_name
        return [
            table if schema == home else f"{schema}.{table}"
            for schema in inspector.get_schema_names()
            if schema not in _SYSTEM
            for table in (
                *inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)
            )
        ]  # fmt: skip
    except Exception as error:  # drivers raise what they like
        raise _failed(engine, error) from error


def open_sql_table(
    engine: sa.Engine, table: str, *, copy: Path, most_rows: int | None = None
) -> ParquetPart:
    """Copy a table of a database as text to a Parquet file, in chunks."""
    where = f"{engine.url.database}, table {table}"
    schema, _, name = table.rpartition(".")
    chosen = sa.select(sa.text("*")).select_from(sa.table(name, schema=schema or None))
    chosen = chosen.limit(most_rows)
    try:
        with engine.connect() as connection:
            streaming = connection.execution_options(stream_results=True, max_row_buffer=_CHUNK)
            result = streaming.execute(chosen)
            columns = unique_names(list(result.keys()))
            _write(result.partitions(_CHUNK), columns, copy)
    except Exception as error:  # drivers raise what they like
        raise _failed(engine, error) from error
    return _copied(where, copy, columns, FileOptions())


def _failed(engine: sa.Engine, error: Exception) -> DataError:
    url = engine.url.render_as_string(hide_password=True)
    said = str(error).splitlines()[0][:300]
    return DataError(
        f"{url}: the database cannot be read: {said}. Check host, name, user and {PASSWORD}."
    )


def _write(chunks: Iterable[Sequence[sa.Row[Any]]], columns: tuple[str, ...], copy: Path) -> None:
    schema = pa.schema([(name, pa.string()) for name in columns])
    with pq.ParquetWriter(copy, schema) as writer:
        for rows in chunks:
            cells = [pa.array([_as_text(row[at]) for row in rows], pa.string())
                     for at in range(len(columns))]  # fmt: skip
            writer.write_table(pa.Table.from_arrays(cells, schema=schema))


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return str(value)


def _copied(where: str, copy: Path, columns: tuple[str, ...], options: FileOptions) -> ParquetPart:
    with copy.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return ParquetPart(where, copy, columns, digest, copy.stat().st_size, options)
