"""Discovery: the sources an export holds, by the names a mapping may ask for."""

from __future__ import annotations

import glob
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from salesnb.errors import DataError, quote_examples
from salesnb.sources.mapping import SUFFIXES
from salesnb.sources.readers import databases, excel

BOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
DUCKDB = (".duckdb", ".ddb")
_DEPTH = 3
_DATE = (
    r"(?:19|20)\d{2}(?:[-_.]?(?:0[1-9]|1[0-2])(?:[-_.]?(?:0[1-9]|[12]\d|3[01]))?|[-_]?[qQ][1-4])?"
)
_PART = rf"(?:{_DATE}|part[-_]?\d+.*|\d+)"
_ONLY_PART = re.compile(_PART)
_BEFORE, _AFTER = re.compile(rf"{_DATE}[-_. ]+"), re.compile(rf"[-_. ]+(?:{_DATE}|part[-_]?\d+)$")
_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Found:
    """One thing that can be opened: a file, a sheet or a table of a database.

    Attributes
    ----------
    name
        Its own name, without suffix.
    family
        The name it shares with others of its kind: `deals` of `deals_2026-01`.
    origin
        The file, or the database's URL.
    inner
        Sheet or table within it.
    """

    name: str
    family: str
    origin: str
    inner: str = ""

    @property
    def label(self) -> str:
        """As messages name it; with its folder where one of the two is only a month or part."""
        path = Path(self.origin)
        name = path.name
        if _ONLY_PART.fullmatch(path.parent.name) or _ONLY_PART.fullmatch(_stem(path)):
            name = f"{path.parent.name}/{name}"
        return f"{name}, {self.inner}" if self.inner else name


def is_url(source: str) -> bool:
    """Whether a source is a database's URL."""
    return "://" in source


def find_sources(source: str) -> list[Found]:
    """List what can be read: of a file, a folder, a pattern, or a database.

    In a folder, sub-folders are looked into where their names, or those of the files in them, say
    a month or a part only: `2026-01/deals.csv`, `deals/2026-01.csv`, `deals/part-0.parquet`.

    Raises
    ------
    DataError
        There is nothing, nothing readable, or one name in two formats.
    """
    if is_url(source):
        engine = databases.open_url(source)
        return [Found(name, name, source, name) for name in databases.sql_tables(engine)]
    path = Path(source)
    if path.is_file():
        if not _is_readable(path):
            raise DataError(f"{path}: is not {_readable()}. Save it as CSV (UTF-8).")
        return list(_in_file(path))
    if path.is_dir():
        files = list(_files_in(path))
        what = f"{path}: no {_readable()} files. Export your tables into it."
    elif glob.has_magic(source):
        matches = sorted(glob.glob(source, recursive=True))  # noqa: PTH207 - a pattern may be absolute
        files = [Path(match) for match in matches if _is_readable(Path(match))]
        what = f"{source}: matches no {_readable()} file. Check the pattern; put it in quotes."
    else:
        raise DataError(f"{source}: there is no such folder. Give the folder of your export.")
    if not files:
        raise DataError(what)
    found = [item for file in files for item in _in_file(file)]
    _check_formats(source, found)
    return found


def group(found: list[Found], asked: Collection[str]) -> dict[str, tuple[Found, ...]]:
    """Group what was found into sources: by its own name where a mapping asks for it, else family.

    A source's parts are in natural order: 2 before 10.
    """
    sources: dict[str, list[Found]] = defaultdict(list)
    for item in found:
        sources[item.name if item.name in asked else item.family].append(item)
    return {name: tuple(sorted(items, key=_natural)) for name, items in sources.items()}


def _natural(item: Found) -> tuple[tuple[int, str], ...]:
    pieces = _NUMBER.split(f"{item.origin}\0{item.inner}")
    return tuple((int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces)


def _readable() -> str:
    return ", ".join(SUFFIXES[:-1]) + f" or {SUFFIXES[-1]}"


def _is_readable(path: Path) -> bool:
    return path.is_file() and bool(_suffix(path)) and not path.name.startswith((".", "_", "~$"))


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), "")


def _stem(path: Path) -> str:
    return path.name[: len(path.name) - len(_suffix(path))]


def _files_in(folder: Path, depth: int = 1) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if _is_readable(path):
            yield path
        elif path.is_dir() and depth < _DEPTH and not path.name.startswith((".", "_")):
            inner = list(_files_in(path, depth + 1))
            is_month = bool(_ONLY_PART.fullmatch(path.name))
            if is_month or all(_ONLY_PART.fullmatch(_stem(file)) for file in inner):
                yield from inner


def _in_file(path: Path) -> Iterator[Found]:
    suffix = _suffix(path)
    if suffix in BOOKS:
        sheets = excel.sheet_names(path)
        for sheet in sheets:
            name = sheet if len(sheets) > 1 else _stem(path)
            yield Found(name, _family(path.with_name(name)), str(path), sheet)
    elif suffix in DUCKDB:
        for table in databases.duckdb_tables(path):
            yield Found(table, table, str(path), table)
    else:
        yield Found(_stem(path), _family(path.with_name(_stem(path))), str(path))


def _family(path: Path) -> str:
    """Name what a file shares with others: its stem without a date, or its folder's name."""
    for part in reversed(path.absolute().parts[-_DEPTH:]):
        if not _ONLY_PART.fullmatch(part):
            bare = _BEFORE.sub("", part, count=1) if _BEFORE.match(part) else part
            hit = _AFTER.search(bare)
            return bare[: hit.start()] if hit else bare
    return path.name


def _check_formats(source: str, found: list[Found]) -> None:
    seen: dict[tuple[str, str], Found] = {}
    for item in found:
        if item.inner:
            continue
        key = (str(Path(item.origin).parent), item.name)
        other = seen.setdefault(key, item)
        if other is not item:
            raise DataError(
                f"{source}: {other.label} and {item.label} hold the same table. Keep one."
            )


def describe(found: list[Found]) -> str:
    """Name what was found, for messages."""
    return quote_examples([item.label for item in found], most=20)


def describe_absence(folder: Path) -> str:
    """Say that there is no snapshot, what is there instead, and how to make one."""
    inside = folder.iterdir() if folder.is_dir() else [folder]
    if any(path.is_file() and path.name.lower().endswith(SUFFIXES) for path in inside):
        return (
            f"{folder}: is an export, not a snapshot. Import it first: "
            f"salesnb import {folder} --to snapshots/mine"
        )
    return f"{folder}: there is no snapshot. Make one: salesnb import SOURCE --to {folder}"
