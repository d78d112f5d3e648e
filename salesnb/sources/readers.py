"""Readers: files of an export as DuckDB relations, text kept as text.

A reader never guesses a type: CSV columns stay text until `cleaning` converts them and counts
what could not be converted. Parquet columns keep the types they were written with.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import duckdb

from salesnb.errors import DataError
from salesnb.sources.mapping import SUFFIXES, FileOptions
from salesnb.sources.sql import quoted

_DELIMITERS = ",;\t|"
_CHUNK = 1 << 20
_CODECS = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "latin-1": "latin-1"}


@dataclass(frozen=True)
class SourceFile:
    """One file of an export and how DuckDB reads it."""

    path: Path
    options: FileOptions
    columns: tuple[str, ...]
    sql: str
    """Table function that yields the file's rows."""
    delimiter: str = ""
    """Of a CSV file."""
    n_lines: int = 0
    """Lines of a CSV file below the first."""

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
    readable = " or ".join(SUFFIXES)
    if folder.is_file():
        if folder.suffix.lower() not in SUFFIXES:
            raise DataError(f"{folder}: is not {readable}. Save it as CSV (UTF-8).")
        return {folder.stem: folder}
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder. Give the folder of your export.")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        if path.stem in files:
            raise DataError(
                f"{folder}: {files[path.stem].name} and {path.name} hold the same table. Keep one."
            )
        files[path.stem] = path
    if not files:
        raise DataError(f"{folder}: no {readable} files. Export your tables into it.")
    return files


def open_file(db: duckdb.DuckDBPyConnection, path: Path, options: FileOptions) -> SourceFile:
    """Find out a file's columns and how to read it; of a CSV also that its encoding holds.

    Raises
    ------
    DataError
        The file is empty, is not in its encoding, or is not what its suffix says.
    """
    if path.stat().st_size == 0:
        raise DataError(f"{path.name}: the file is empty. Export it again.")
    if path.suffix.lower() == ".csv":
        return _open_csv(path, options)
    sql = parquet_sql(path)
    try:
        columns = tuple(db.sql(f"select * from {sql}").columns)
    except duckdb.Error as error:
        first_line = str(error).splitlines()[0]
        raise DataError(
            f"{path.name}: is not a Parquet file ({first_line}). Export it again."
        ) from error
    return SourceFile(path, options, columns, sql)


def parquet_sql(path: Path) -> str:
    """Express the rows of a Parquet file; its folder's name adds no columns."""
    return f"read_parquet({quoted(path)}, hive_partitioning = false)"


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
        " 'line cannot be split: ' || lower(replace(min(e.error_type::varchar), '_', ' '))"
        " from reject_errors e join reject_scans s using (scan_id, file_id)"
        " group by all order by 1, 2"
    ).fetchall()


def check_all_read(file: SourceFile, n_read: int) -> None:
    """Check that the rows DuckDB read or rejected are all a CSV file has.

    A quote that is never closed swallows the rows after it. So unless each line is a row, the
    rows are counted a second time, by Python.

    Raises
    ------
    DataError
        Where the first row begins whose quotes are wrong, or how many rows were not read.
    """
    if file.path.suffix.lower() != ".csv" or n_read == file.n_lines:
        return
    n_rows = _count_rows(file)
    if n_rows != n_read:
        raise DataError(
            f"{file.name}: {n_read:,} of {n_rows:,} rows could be read. Export it again, or save "
            "it as CSV with one kind of line end."
        )


def _open_csv(path: Path, options: FileOptions) -> SourceFile:
    n_lines = _count_lines(path, options.encoding)
    header = _header_line(path, options.encoding)
    delimiter = options.delimiter or _find_delimiter(header)
    columns = _column_names(path, options.encoding, delimiter)
    types = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in columns)
    # One thread: in parallel DuckDB takes lines within a quoted text for rows.
    sql = (
        f"read_csv({quoted(path)}, columns = {{{types}}}, auto_detect = false, header = true, "
        f"delim = {quoted(delimiter)}, quote = '\"', escape = '\"', comment = '', "
        f"encoding = '{options.encoding}', store_rejects = true, parallel = false, "
        "hive_partitioning = false)"
    )
    return SourceFile(path, options, columns, sql, delimiter, n_lines)


def _header_line(path: Path, encoding: str) -> str:
    with path.open(encoding=_CODECS[encoding]) as stream:
        header = stream.readline(_CHUNK)
    if not header.strip():
        raise DataError(
            f"{path.name}: the first line is blank; expected column names. Export it again."
        )
    return header


def _find_delimiter(header: str) -> str:
    unquoted = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=unquoted.count)


def _column_names(path: Path, encoding: str, delimiter: str) -> tuple[str, ...]:
    """Read the header; columns without a name or with one twice get their number too."""
    with path.open(encoding=_CODECS[encoding], newline="") as stream:
        try:
            header = next(csv.reader(stream, delimiter=delimiter, strict=True))
        except csv.Error as error:
            raise DataError(
                f"{path.name}: line 1 cannot be split: {error}. Export it again."
            ) from error
    names: list[str] = []
    for position, cell in enumerate(header):
        name = cell.strip() or f"column{position}"
        while name.lower() in {other.lower() for other in names}:
            name = f"{name}_{position}"
        names.append(name)
    return tuple(names)


def _count_lines(path: Path, encoding: str) -> int:
    """Decode the whole file once: a wrong encoding must not pass as odd characters.

    Returns the number of lines below the first.
    """
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    done = n_ends = 0
    last = ""
    with path.open("rb") as stream:
        if encoding == "utf-16" and stream.peek(2)[:2] != codecs.BOM_UTF16_LE:
            raise DataError(
                f"{path.name}: is not little-endian UTF-16 with a byte order mark, the only one "
                "that is read. Save it as UTF-8."
            )
        while True:
            chunk = stream.read(_CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                at = done - pending + error.start
                bad = error.object[max(0, error.start - 12) : error.start + 12]
                raise DataError(
                    f"{path.name}: byte {at:,} is not {encoding} (near {bad.decode('latin-1')!r}). "
                    f"Set its encoding under files: {path.name}: in your mapping, e.g. latin-1."
                ) from error
            n_ends += text.count("\n")
            last = text[-1:] or last
            done += len(chunk)
            if not chunk:
                return n_ends - (last == "\n")


def _count_rows(file: SourceFile) -> int:
    """Count the rows below the header as Python's reader splits them."""
    line = n_rows = 0
    with file.path.open(encoding=_CODECS[file.options.encoding], newline="") as stream:
        reader = csv.reader(stream, delimiter=file.delimiter, strict=True)
        try:
            for row in reader:
                # DuckDB reads a blank line as a row where there is one column, else passes it.
                n_rows += bool(row) or len(file.columns) == 1
                line = reader.line_num
        except csv.Error as error:
            raise DataError(
                f"{file.name}: the row that begins in line {line + 1:,} has a quote that is not "
                "closed or not doubled; the rows after it cannot be told apart. Correct its "
                "quoting and export again."
            ) from error
    return n_rows - 1
