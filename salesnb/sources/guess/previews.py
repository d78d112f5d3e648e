"""Previews: the first rows of every source of an export, as text."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from salesnb.errors import DataError, join_problems
from salesnb.sources.mapping import FileOptions
from salesnb.sources.readers import find_sources, group, open_part
from salesnb.sources.sql import identifier, quoted

ROWS = 5_000


@dataclass(frozen=True)
class Previews:
    """First rows by source, and which sources could not be read."""

    tables: dict[str, pd.DataFrame]
    problems: tuple[str, ...] = ()


def read_previews(source: str | Path, *, rows: int = ROWS) -> Previews:
    """Read the first rows of all there is in a folder, file or database.

    Of a source of several files the first is read; all cells are text or missing.

    Raises
    ------
    DataError
        Nothing can be read; the message lists every problem.
    """
    tables: dict[str, pd.DataFrame] = {}
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as db:
        db.execute(f"set temp_directory = {quoted(folder)}; set TimeZone = 'UTC'")
        for number, (name, parts) in enumerate(group(find_sources(str(source)), ()).items()):
            try:
                part = open_part(
                    db, parts[0], FileOptions(), workspace=Path(folder), number=number,
                    most_rows=rows,
                )  # fmt: skip
                cells = ", ".join(
                    f"nullif(trim({identifier(c)}::VARCHAR), '') as {identifier(c)}"
                    for c in part.columns
                )
                tables[name] = db.sql(f"select {cells} from {part.sample(rows)}").df()
            except DataError as error:
                problems.append(str(error))
    if not tables:
        heading = f"{source}: {len(problems)} problem(s)"
        raise DataError(join_problems(problems, heading=heading))
    return Previews(tables, tuple(problems))
