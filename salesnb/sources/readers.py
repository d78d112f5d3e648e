"""Readers: files of an export as DuckDB relations, text kept as text.

A reader never guesses a type: CSV columns stay text until `cleaning` converts them and counts
what could not be converted. Parquet columns keep the types they were written with.
"""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path

import duckdb

from salesnb.errors import DataError
from salesnb.sources.mapping import FileOptions

SUFFIXES = (".csv", ".parquet")
_DELIMITERS = ",;\t|"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class SourceFile:
    """One file of an export and how DuckDB reads it."""

    path: Path
    options: FileOptions
    columns: dict[str, str]
    """Column name -> DuckDB type."""
    sql: str
    """Table function that yields the file's rows."""

    @property
    def name(self) -> str:
        """File name, as used in messages."""
        return self.path.name

    def sha256(self) -> str:
        """Hash of the file's bytes."""
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


def list_files(folder: Path) -> dict[str, Path]:
    """Find the readable files of a folder by stem (or the one file given).

    Raises
    ------
    DataError
        The folder is missing, holds nothing readable, or holds one name in two formats.
    """
    if folder.is_file():
        return {folder.stem: folder}
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder. Give the folder of your export.")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES:
            continue
        if path.stem in files:
            raise DataError(
                f"{folder}: {files[path.stem].name} and {path.name} hold the same table. Keep one."
            )
        files[path.stem] = path
    if not files:
        raise DataError(f"{folder}: no {' or '.join(SUFFIXES)} files. Export your tables into it.")
    return files


def open_file(db: duckdb.DuckDBPyConnection, path: Path, options: FileOptions) -> SourceFile:
    """Find out a file's columns and how to read it, without reading its rows.

    Raises
    ------
    DataError
        The file is empty, is not in its encoding, or is not what its suffix says.
    """
    if path.stat().st_size == 0:
        raise DataError(f"{path.name}: the file is empty. Export it again.")
    if path.suffix.lower() == ".csv":
        delimiter = options.delimiter or _find_delimiter(path, options.encoding)
        sql = _csv_sql(path, options, delimiter)
    else:
        sql = f"read_parquet({quoted(path)})"
    try:
        described = db.sql(f"describe select * from {sql}").fetchall()
    except duckdb.Error as error:
        first_line = str(error).splitlines()[0]
        raise DataError(f"{path.name}: cannot be read: {first_line}") from error
    return SourceFile(path, options, {row[0]: row[1] for row in described}, sql)


def rejected_lines(db: duckdb.DuckDBPyConnection) -> list[tuple[str, int, str, str]]:
    """List the CSV lines DuckDB could not split into columns since the connection was opened.

    Returns
    -------
    list of (path, line number, text of the line, reason)
    """
    known = db.sql("select count(*) from duckdb_tables() where table_name = 'reject_errors'")
    if not known.fetchall()[0][0]:
        return []
    return db.sql(
        "select s.file_path, e.line, any_value(e.csv_line), "
        " 'line cannot be split: ' || lower(replace(any_value(e.error_type::varchar), '_', ' '))"
        " from reject_errors e join reject_scans s using (scan_id, file_id)"
        " group by all order by 1, 2"
    ).fetchall()


def _csv_sql(path: Path, options: FileOptions, delimiter: str) -> str:
    _check_encoding(path, options.encoding)
    return (
        f"read_csv({quoted(path)}, all_varchar = true, header = true, auto_detect = true, "
        f"delim = {quoted(delimiter)}, quote = '\"', escape = '\"', "
        f"encoding = '{options.encoding}', comment = '', skip = 0, store_rejects = true)"
    )


def _find_delimiter(path: Path, encoding: str) -> str:
    with path.open(encoding=encoding, errors="replace") as stream:
        header = stream.readline()
    unquoted = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=unquoted.count)


def _check_encoding(path: Path, encoding: str) -> None:
    """Decode the whole file once: a wrong encoding must not pass as odd characters."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    done = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                at = done + error.start
                bad = error.object[max(0, error.start - 12) : error.start + 12]
                raise DataError(
                    f"{path.name}: byte {at:,} is not {encoding} (near {bad.decode('latin-1')!r}). "
                    f"Set its encoding under files: {path.name}: in your mapping, e.g. latin-1."
                ) from error
            done += len(chunk)


def quoted(value: Path | str) -> str:
    """Write a text as an SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"
