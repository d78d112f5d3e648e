"""CSV files: found out how they are written, read as text, and counted a second way.

A reader never guesses a type: columns stay text until `cleaning` converts them and counts what
could not be converted.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from salesnb.errors import DataError
from salesnb.message import listing, message
from salesnb.sources.mapping import FileOptions
from salesnb.sources.readers.part import RejectedLine, numbered_parquet
from salesnb.sources.readers.text import TextFile, open_text
from salesnb.sources.sql import identifier, literal_path, quoted

_DELIMITERS = ",;\t|"
_SAMPLE = 1 << 16
_QUOTES = message("line cannot be split: stray quote")
_FEW_COLUMNS = message("line cannot be split: missing columns")
_MANY_COLUMNS = message("line cannot be split: too many columns")
UNSPLIT_REASONS = (_QUOTES, _FEW_COLUMNS, _MANY_COLUMNS)
"""Why a line could not be split into columns."""

_BLANK = "blank"
csv.field_size_limit(1 << 27)


@dataclass(frozen=True)
class CsvPart:
    """Rows in a CSV file, read in parallel unless it `is_careful`; `_stage` is for its copy."""

    file: str
    text: TextFile
    columns: tuple[str, ...]
    options: FileOptions
    delimiter: str
    skip: int = 0
    _stage: Path = field(default_factory=Path)
    is_careful: bool = False

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
        return tuple(listing([self.file, note], between=": ") for note in self.text.notes)

    def rows(self) -> str:
        """Relation of the rows; lines that cannot be split are passed over."""
        types = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in self.columns)
        # In parallel DuckDB takes lines within a quoted text for rows, and loses rows after a
        # stray quote.
        parallel = "false" if self.text.has_quoted_ends or self.is_careful else "true"
        path = quoted(literal_path(self.text.path))
        # DuckDB would list the errors, one a missing cell: of a ragged file they fill memory.
        return (
            f"read_csv({path}, columns = {{{types}}}, auto_detect = false, ignore_errors = true, "
            f"header = true, skip = {self.skip}, delim = {quoted(self.delimiter)}, quote = '\"', "
            f"escape = '\"', comment = '', new_line = {quoted(self.text.line_end)}, "
            f"parallel = {parallel}, hive_partitioning = false)"
        )

    def numbered(self, db: duckdb.DuckDBPyConnection, columns: tuple[str, ...]) -> str:
        """Relation of the rows with their numbers; the first call makes a copy on disk."""
        if not self._stage.exists():
            names = ", ".join(map(identifier, self.columns))
            db.execute(f"copy (select {names} from {self.rows()}) to {quoted(self._stage)}")
        return numbered_parquet(self._stage, columns)

    def sample(self, n: int) -> str:
        """Relation of the first rows."""
        return f"(from {self.rows()} limit {n})"

    def carefully(self) -> CsvPart | None:
        """Read it in the slow way, which no stray quote confuses; None where that is done."""
        stage = self._stage.with_suffix(".careful.parquet")
        return None if self.is_careful else replace(self, is_careful=True, _stage=stage)

    def rejected(self, n_read: int) -> list[RejectedLine]:
        """List the lines that could not be split into columns, and check that this is all.

        A quote that is never closed swallows the rows after it. So unless each line was read as a
        row, Python splits them a second time.

        Raises
        ------
        DataError
            Where the first row begins whose quotes are wrong, or how many rows were not read.
        """
        if n_read == self.text.n_lines - 1 - self.skip and not self.text.has_quoted_ends:
            return []
        n_rows, found = 0, []
        for line, text, fault in self._split_by_python():
            n_rows += 1
            if fault == _QUOTES and len(text.splitlines()) > 1:
                raise self._unclosed(line)
            if fault:
                found.append(RejectedLine(line, text, fault))
        if n_read + len(found) != n_rows:
            raise DataError(
                f"{self.file}: {n_read:,} of {n_rows:,} rows could be read. Export it again, or "
                "save it as CSV with one kind of line end."
            )
        return found

    def _unclosed(self, line: int) -> DataError:
        return DataError(
            f"{self.file}: the row that begins in line {line:,} has a quote that is not closed or "
            "not doubled; the rows after it cannot be told apart. Correct its quoting and export "
            "again."
        )

    def _split_by_python(self) -> Iterator[tuple[int, str, str]]:
        """Split the rows below the header: first line, text, what is wrong."""
        taken: list[str] = []

        def lines() -> Iterator[str]:
            for line in stream:
                taken.append(line)
                yield line

        with self.text.path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(lines(), delimiter=self.delimiter, strict=True)
            while True:
                first, fault = reader.line_num + 1, ""
                taken.clear()
                try:
                    fault = self._find_fault(next(reader))
                except StopIteration:
                    return
                except csv.Error:
                    fault = _QUOTES
                if first > 1 + self.skip and fault != _BLANK:
                    yield first, "".join(taken).rstrip("\r\n"), fault

    def _find_fault(self, cells: list[str]) -> str:
        """Say why DuckDB does not read a row; it passes over empty cells at the end."""
        width = len(self.columns)
        if not cells and width > 1:
            return _BLANK
        if cells and len(cells) < width:
            return _FEW_COLUMNS
        return _MANY_COLUMNS if any(cells[width:]) else ""


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
    return CsvPart(label, text, columns, options, delimiter, skip, stage)


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
