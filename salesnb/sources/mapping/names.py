"""Names: which source or column of an export a mapping means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

SUFFIXES = (
    ".csv", ".csv.gz", ".tsv", ".txt", ".parquet", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods",
    ".duckdb", ".ddb",
)  # fmt: skip
"""Of the files an export may have."""

_BETWEEN = re.compile(r"[\s_-]+")


@dataclass(frozen=True)
class Match:
    """The name found, or why there is none: `lacks` says it in words."""

    name: str | None
    lacks: str = ""


@lru_cache(maxsize=10_000)
def plain_name(name: str) -> str:
    """Write a name without case, blanks, underscores and hyphens.

    >>> plain_name("Created Date") == plain_name("created_date") == plain_name("CreatedDate")
    True
    """
    return _BETWEEN.sub("", name).casefold()


def find_name(wanted: Iterable[str], names: Iterable[str]) -> Match:
    """Find the first of the names `wanted` that is among `names`.

    Each is looked for as it is written, then without regard to case, blanks, underscores and
    hyphens; where two names are alike then, neither is taken.

    >>> find_name(["Created On", "created_date"], ["Id", "CreatedDate"]).name
    'CreatedDate'
    >>> find_name(["Amount", "ARR"], ["amount", "AMOUNT"]).lacks
    "'Amount' (may be 'amount' or 'AMOUNT') or 'ARR'"
    """
    found = list(names)
    lacks = []
    for name in wanted:
        alike = [name] if name in found else [n for n in found if plain_name(n) == plain_name(name)]
        if len(alike) == 1:
            return Match(alike[0])
        doubt = f" (may be {' or '.join(map(repr, alike))})" if alike else ""
        lacks.append(f"{name!r}{doubt}")
    return Match(None, " or ".join(lacks))


def file_stem(name: str) -> str:
    """Name of a file without its suffix, as `from:` may give it.

    >>> file_stem("deals.2026.csv"), file_stem("deals.2026")
    ('deals.2026', 'deals.2026')
    """
    ends = [suffix for suffix in SUFFIXES if name.lower().endswith(suffix)]
    return name[: -len(max(ends, key=len))] if ends else name
