"""What every source becomes: parts with columns, whose rows DuckDB can read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb

from salesnb.sources.mapping import FileOptions
from salesnb.sources.sql import identifier, parquet_sql

ROW = "_row"
"""Number of a row within its part, from 1."""


@dataclass(frozen=True)
class RejectedLine:
    """A line of a file that could not be split into columns."""

    line: int
    text: str
    reason: str


class SourcePart(Protocol):
    """One file, sheet or database table of an export; several may make up one source.

    Attributes
    ----------
    file
        Its name in messages and quarantine.
    columns
        Names of its columns, each once.
    sha256, bytes
        Of its content.
    options
        How the mapping says to read it.
    delimiter
        Of a CSV file, else empty.
    notes
        What was done to read it that its reader should know.
    """

    @property
    def file(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def sha256(self) -> str: ...  # noqa: D102
    @property
    def bytes(self) -> int: ...  # noqa: D102
    @property
    def options(self) -> FileOptions: ...  # noqa: D102
    @property
    def delimiter(self) -> str: ...  # noqa: D102
    @property
    def notes(self) -> tuple[str, ...]: ...  # noqa: D102

    def rows(self) -> str:
        """Relation of the rows in order, unnumbered; each is read once, without a copy."""

    def numbered(self, db: duckdb.DuckDBPyConnection, columns: tuple[str, ...]) -> str:
        """Relation of these columns with `ROW`, which may be read several times."""

    def sample(self, n: int) -> str:
        """Relation of the first `n` rows."""

    def rejected(self, n_read: int) -> list[RejectedLine]:
        """List the lines that were not read as rows, where `n_read` were.

        Raises
        ------
        DataError
            Rows and these lines are not all there are; the message says where.
        """

    def carefully(self) -> SourcePart | None:
        """Read the part in a slow way that loses no rows; None where there is no other."""


@dataclass(frozen=True)
class ParquetPart:
    """Rows in a Parquet file: of the export itself, or copied there from a sheet or database."""

    file: str
    path: Path
    columns: tuple[str, ...]
    sha256: str
    bytes: int
    options: FileOptions
    delimiter: str = ""
    notes: tuple[str, ...] = ()

    def rows(self) -> str:
        """Relation of the rows."""
        return parquet_sql([self.path])

    def numbered(self, db: duckdb.DuckDBPyConnection, columns: tuple[str, ...]) -> str:
        """Relation of the rows with their numbers."""
        return numbered_parquet(self.path, columns)

    def sample(self, n: int) -> str:
        """Relation of the first rows."""
        return f"(from {self.rows()} limit {n})"

    def rejected(self, n_read: int) -> list[RejectedLine]:
        """No lines: DuckDB reads all rows of a Parquet file or fails."""
        return []

    def carefully(self) -> None:
        """Parquet is read in one way."""


def numbered_parquet(path: Path, columns: tuple[str, ...]) -> str:
    """Relation of a Parquet file's columns with `ROW`."""
    names = "".join(f"{identifier(name)}, " for name in columns)
    rows = parquet_sql([path], row_numbers=True)
    return f"(select {names}file_row_number + 1 as {ROW} from {rows})"
