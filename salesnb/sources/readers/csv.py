"""CSV files: found out how they are written, read as text, and counted a second way.

A reader never guesses a type: columns stay text until `cleaning` converts them and counts what
could not be converted.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from salesnb.errors import DataError
from salesnb.sources.mapping import FileOptions
from salesnb.sources.readers.part import RejectedLine, numbered_parquet
from salesnb.sources.readers.text import TextFile, open_text
from salesnb.sources.sql import identifier, literal_path, quoted

_DELIMITERS = ",;\t|"
_SAMPLE = 1 << 16
csv.field_size_limit(1 << 27)


@dataclass(frozen=True)
class CsvPart:
    """Rows in a CSV file; `number` tells it apart from the other CSV files of an import."""

    file: str
    text: TextFile
    columns: tuple[str, ...]
    options: FileOptions
    delimiter: str
    number: int
    skip: int = 0
    _stage: Path = field(default_factory=Path)

    @property
    def sha256(self) -> str:
        """Hash of the file as it came."""
        return self.text.sha256

    @property
    def bytes(self) -> int:
        """Size of the file as it came."""
        return self.text.bytes

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to read it."""
        return tuple(f"{self.file}: {note}" for note in self.text.notes)

    def rows(self) -> str:
        """Relation of the rows; lines that cannot be split are set aside."""
        return self._read(
            f"store_rejects = true, rejects_table = 'rejected_{self.number}', "
            f"rejects_scan = 'scans_{self.number}', rejects_limit = 0"
        )

    def numbered(self, db: duckdb.DuckDBPyConnection, columns: tuple[str, ...]) -> str:
        """Relation of the rows with their numbers; the first call makes a copy on disk."""
        if not self._stage.exists():
            names = ", ".join(map(identifier, self.columns))
            db.execute(f"copy (select {names} from {self.rows()}) to {quoted(self._stage)}")
        return numbered_parquet(self._stage, columns)

    def sample(self, n: int) -> str:
        """Relation of the first rows."""
        return f"(from {self._read('ignore_errors = true')} limit {n})"

    def rejected(self, db: duckdb.DuckDBPyConnection) -> list[RejectedLine]:
        """List the lines DuckDB could not split into columns, in order."""
        name = f"rejected_{self.number}"
        known = db.sql(f"select count(*) from duckdb_tables() where table_name = '{name}'")
        if not known.fetchall()[0][0]:
            return []
        rows = db.sql(
            f"select line, any_value(csv_line), min(error_type::VARCHAR) from {name} "
            "group by line order by line"
        ).fetchall()
        return [
            RejectedLine(line, text, f"line cannot be split: {kind.lower().replace('_', ' ')}")
            for line, text, kind in rows
        ]

    def check_all_read(self, n_read: int) -> None:
        """Check that the rows DuckDB read or rejected are all the file has.

        A quote that is never closed swallows the rows after it. So unless each line is a row, the
        rows are counted a second time, by Python.

        Raises
        ------
        DataError
            Where the first row begins whose quotes are wrong, or how many rows were not read.
        """
        if n_read == self.text.n_lines - 1 - self.skip and not self.text.has_quoted_ends:
            return
        n_rows = self._count_rows()
        if n_rows != n_read:
            raise DataError(
                f"{self.file}: {n_read:,} of {n_rows:,} rows could be read. Export it again, or "
                "save it as CSV with one kind of line end."
            )

    def _read(self, errors: str) -> str:
        types = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in self.columns)
        # In parallel DuckDB takes lines within a quoted text for rows.
        parallel = "false" if self.text.has_quoted_ends else "true"
        path = quoted(literal_path(self.text.path))
        return (
            f"read_csv({path}, columns = {{{types}}}, auto_detect = false, "
            f"header = true, skip = {self.skip}, delim = {quoted(self.delimiter)}, quote = '\"', "
            f"escape = '\"', comment = '', new_line = {quoted(self.text.line_end)}, "
            f"parallel = {parallel}, {errors}, hive_partitioning = false)"
        )

    def _count_rows(self) -> int:
        """Count the rows below the header as Python's reader splits them."""
        line = n_rows = 0
        with self.text.path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, delimiter=self.delimiter, strict=True)
            try:
                for row in reader:
                    # DuckDB reads a blank line as a row where there is one column, else passes it.
                    n_rows += bool(row) or len(self.columns) == 1
                    line = reader.line_num
            except csv.Error as error:
                raise DataError(
                    f"{self.file}: the row that begins in line {line + 1:,} has a quote that is "
                    "not closed or not doubled; the rows after it cannot be told apart. Correct "
                    "its quoting and export again."
                ) from error
        return n_rows - 1 - self.skip


def open_csv(
    path: Path, options: FileOptions, *, label: str, workspace: Path, number: int
) -> CsvPart:
    """Find out how a CSV file is written.

    Parameters
    ----------
    path, options, label
        The file, what the mapping says of it, and its name in messages.
    workspace
        Folder for copies: of a file in another encoding, and of numbered rows.
    number
        Tells the files of one import apart.

    Raises
    ------
    DataError
        The file is empty, binary, has no header, or is not in the encoding it should be in.
    """
    text = open_text(path, options.encoding, label=label, copy=workspace / f"text{number}.csv")
    with text.path.open(encoding="utf-8-sig", newline="") as stream:
        beginning = stream.read(_SAMPLE)
    first, rest = _split_line(beginning)
    told = first.lower()
    skip = int(told.startswith("sep=") and len(told) == 5)  # Excel's own way to say it
    if skip:
        beginning = rest
    if not _split_line(beginning)[0].strip():
        raise DataError(
            f"{label}: the first line is blank; expected column names. Export it again."
        )
    delimiter = options.delimiter or (told[4] if skip else find_delimiter(beginning))
    columns = _column_names(label, beginning, delimiter)
    stage = workspace / f"rows{number}.parquet"
    return CsvPart(label, text, columns, options, delimiter, number, skip, stage)


def _split_line(text: str) -> tuple[str, str]:
    lines = text.splitlines(keepends=True)
    first = lines[0] if lines else ""
    return first.rstrip("\r\n"), text[len(first) :]


def find_delimiter(beginning: str) -> str:
    r"""Find what splits most of the first lines into as many cells as the header has.

    >>> find_delimiter("name;amount\nA, B;1,5\n")
    ';'
    """
    scores = {}
    for delimiter in _DELIMITERS:
        rows = list(csv.reader(beginning.splitlines(keepends=True)[:50], delimiter=delimiter))
        width = len(rows[0])
        alike = sum(len(row) == width for row in rows) / len(rows)
        scores[delimiter] = (alike if width > 1 else 0.0, width)
    return max(scores, key=lambda delimiter: scores[delimiter])


def _column_names(file: str, beginning: str, delimiter: str) -> tuple[str, ...]:
    """Read the header; columns without a name or with one twice get their number too."""
    reader = csv.reader(beginning.splitlines(keepends=True), delimiter=delimiter, strict=True)
    try:
        return unique_names(next(reader))
    except csv.Error as error:
        raise DataError(f"{file}: line 1 cannot be split: {error}. Export it again.") from error


def unique_names(header: list[str]) -> tuple[str, ...]:
    """Name columns: one without a name, or with one that was there, gets its number too.

    >>> unique_names(["a", "", "A"])
    ('a', 'column1', 'A_2')
    """
    names: list[str] = []
    for position, cell in enumerate(header):
        name = cell.strip() or f"column{position}"
        while name.lower() in {other.lower() for other in names}:
            name = f"{name}_{position}"
        names.append(name)
    return tuple(names)
