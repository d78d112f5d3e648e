"""Texts and names written into DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path


def quoted(value: Path | str) -> str:
    """Write a text as an SQL literal.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Write a column name as an SQL identifier.

    >>> print(identifier('6" pipe'))
    "6"" pipe"
    """
    return '"' + name.replace('"', '""') + '"'


def chosen(value: str, results: Mapping[str, str], *, otherwise: str = "null") -> str:
    """Write the choice of an expression by texts that another one equals.

    As `in (...)`, or a list, DuckDB makes a join of it, which loses the order of rows.

    >>> chosen("a", {"x": "true"})
    "case a when 'x' then true else null end"
    """
    cases = " ".join(f"when {quoted(text)} then {result}" for text, result in results.items())
    return f"case {value} {cases} else {otherwise} end"


def literal_path(path: Path) -> str:
    """Name a file to DuckDB, which would look for others where a name has wildcards.

    >>> literal_path(Path("a[1]*.csv"))
    'a[[]1][*].csv'
    """
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path))


def parquet_sql(paths: Iterable[Path], *, row_numbers: bool = False) -> str:
    """Express the rows of Parquet files, in order; columns some lack are missing there.

    A folder's name adds no columns. `row_numbers` adds `file_row_number`, from 0.
    """
    files = ", ".join(quoted(literal_path(path)) for path in paths)
    numbers = ", file_row_number = true" if row_numbers else ""
    return f"read_parquet([{files}], union_by_name = true, hive_partitioning = false{numbers})"
