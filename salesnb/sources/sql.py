"""Texts and names written into DuckDB's SQL."""

from __future__ import annotations

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
