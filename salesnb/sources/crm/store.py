"""The folder of an export: one Parquet file an object, replaced when a fetch has succeeded.

Everything is text, as the CRM said it; the import converts and counts. Each file's metadata say
what was asked for and up to when, so that the next fetch can ask for the changes only and no
state lies beside the data.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from salesnb.errors import ParameterError, SalesnbError
from salesnb.sources.sql import identifier, quoted

Row = Mapping[str, Any]

STAMP = "SystemModstamp"
_KEY = "salesnb.fetch"
_WORK = ".fetch-"
_KEPT = "kept"
_PRIVATE = 0o600
_ABANDONED = 86_400.0


@dataclass(frozen=True)
class Question:
    """What a file holds: of which account, since when, which fields."""

    crm: str
    address: str
    since: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Stored:
    """A file of an earlier fetch."""

    path: Path
    question: Question
    until: str
    """The latest change in it, as the CRM writes times; empty for none."""


@contextmanager
def open_export(folder: Path, stems: Iterable[str]) -> Iterator[Path]:
    """Make a hidden work folder within an export's folder, gone when the block ends.

    Raises
    ------
    ParameterError
        The folder is a file, or holds files of these names that no fetch has written.
    """
    _check_folder(folder, {_plain(stem) for stem in stems})
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_abandoned(folder)
    work = Path(tempfile.mkdtemp(prefix=_WORK, dir=folder))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if not any(folder.iterdir()):
            folder.rmdir()


def _check_folder(folder: Path, stems: set[str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise ParameterError(f"{folder}: is a file. Give a folder for the export.")
    if not folder.is_dir():
        return
    foreign = [
        path.name
        for path in sorted(folder.iterdir())
        if _plain(path.stem) in stems and read_stored(path) is None
    ]
    if foreign:
        raise ParameterError(
            f"{folder}: {', '.join(foreign)}: not written by a fetch, and would be mistaken for "
            "what is fetched. Move it away, or give another folder."
        )


def _plain(stem: str) -> str:
    """Write a name as presets compare them: without case, blanks, underscores and hyphens."""
    return re.sub(r"[\s_-]+", "", stem).casefold()


def _remove_abandoned(folder: Path) -> None:
    """Remove what fetches that were killed have left; the younger may be of one that runs."""
    for path in folder.glob(f"{_WORK}*"):
        if time.time() - path.stat().st_mtime > _ABANDONED:
            shutil.rmtree(path, ignore_errors=True)


def read_stored(path: Path) -> Stored | None:
    """Read what an earlier fetch wrote about a file; none where no fetch wrote it."""
    if not path.is_file():
        return None
    try:
        note = (pq.read_metadata(path).metadata or {}).get(_KEY.encode())
        content = json.loads(note) if note else None
        if not content:
            return None
        fields = tuple(content["question"].pop("fields"))
        return Stored(path, Question(**content["question"], fields=fields), content["until"])
    except (pa.ArrowInvalid, ValueError, KeyError, TypeError):
        return None


Write = Callable[[Iterable[Row]], None]


@contextmanager
def open_table(path: Path, columns: Sequence[str]) -> Iterator[Write]:
    """Open a Parquet file of text; the function given writes rows into it, a page at a time."""
    schema = pa.schema([(name, pa.string()) for name in columns])

    def write(rows: Iterable[Row]) -> None:
        texts = [[as_text(row.get(name)) for name in columns] for row in rows]
        arrays = [pa.array(values, pa.string()) for values in zip(*texts, strict=True)]
        if texts:
            writer.write_table(pa.table(arrays, schema=schema))

    with pq.ParquetWriter(path, schema) as writer:
        yield write


def write_rows(path: Path, columns: Sequence[str], pages: Iterable[Iterable[Row]]) -> None:
    """Write pages of rows as a Parquet file of text; columns a row lacks are missing."""
    with open_table(path, columns) as write:
        for page in pages:
            write(page)


def as_text(value: object) -> str | None:
    """Write a JSON value as text; numbers in full, lists and objects as JSON.

    >>> as_text(1e16), as_text(True), as_text(None), as_text(["a"])
    ('10000000000000000', 'true', None, '["a"]')
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return format(Decimal(repr(value)).normalize(), "f")
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    # JSON can hold half of a character, which is no text.
    return str(value).encode("utf-8", errors="replace").decode("utf-8")


def merge_rows(
    path: Path, question: Question, *, key: tuple[str, ...], stamp: str, new: Path,
    old: Path | None = None, deleted: str = "", only: Path | None = None,
) -> None:  # fmt: skip
    """Write rows fetched, and of an earlier file those that they do not replace.

    Parameters
    ----------
    path
        To write.
    question
        Kept with the file.
    key, stamp
        Columns that identify a row, and the one that says when it was last changed (or none). Of
        rows with one key the new one is kept, of several new ones the latest; without a key none.
    new, old
        Files of rows fetched, and of an earlier fetch.
    deleted
        Column that is true of rows deleted in the CRM: they are left out.
    only
        File with the keys that exist in the CRM: others are left out.
    """
    names = ", ".join(identifier(name) for name in key)
    rows = f"select *, 0 as _age from {_read(new)}"
    if old:
        rows += f" union all by name select *, 1 as _age from {_read(old)}"
    latest = f", {identifier(stamp)} desc nulls last" if stamp else ""
    conditions = [f"{identifier(name)} is not null" for name in key]
    if deleted:
        conditions.append(f"{identifier(deleted)} is distinct from 'true'")
    if only:
        conditions.append(f"{names} in (select {names} from {_read(only)})")
    sql = (
        f"select * exclude (_age) from (select * from ({rows}) qualify row_number() over "
        f"(partition by {names} order by _age{latest}) = 1) "
        f"where {' and '.join(conditions)} order by {names}"
    )
    with _database(path.parent) as db:
        note = {"question": asdict(question), "until": _last(db, stamp, rows)}
        extra = f"kv_metadata {{{quoted(_KEY)}: {quoted(json.dumps(note))}}}"
        db.execute(f"copy ({sql}) to {quoted(str(path))} (format parquet, {extra})")


def count_rows(path: Path) -> int:
    """Count the rows of a Parquet file."""
    return int(pq.read_metadata(path).num_rows)


def count_absent(path: Path, *, of: Path, key: tuple[str, ...], until: str = "") -> int:
    """Count the rows of one file that another lacks.

    Parameters
    ----------
    path
        Where they may lack.
    of
        Whose rows are counted.
    key
        Columns that identify a row.
    until
        Count only those last changed up to then.
    """
    names = ", ".join(identifier(name) for name in key)
    stamp = f' where "{STAMP}" <= {quoted(until)}' if until else ""
    with _database(path.parent) as db:
        sql = f"select {names} from {_read(of)}{stamp} except select {names} from {_read(path)}"
        return int(db.sql(f"select count(*) from ({sql})").fetchall()[0][0])


@contextmanager
def _database(work: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Connect to DuckDB, which spills into the work folder."""
    with duckdb.connect() as db:
        db.execute(f"set temp_directory = {quoted(str(work / 'spill'))}")
        yield db


def _read(path: Path) -> str:
    return f"read_parquet({quoted(str(path))}, hive_partitioning = false)"


def _last(db: duckdb.DuckDBPyConnection, stamp: str, rows: str) -> str:
    if not stamp:
        return ""
    found = db.sql(f"select max({identifier(stamp)}) from ({rows})").fetchall()[0][0]
    return str(found or "")


def replace_files(drafts: Sequence[Path], folder: Path) -> None:
    """Put finished files in their place, all of them or none.

    Raises
    ------
    SalesnbError
        One cannot be replaced; those that were are as before.
    """
    kept = drafts[0].parent / _KEPT
    kept.mkdir()
    done: list[Path] = []
    try:
        for draft in drafts:
            target = folder / draft.name
            draft.chmod(_PRIVATE)  # personal data: only their owner reads them
            _flush(draft)
            if target.exists():
                _copy(target, kept / draft.name)
            done.append(target)
            draft.replace(target)
    except BaseException as error:
        for target in done:
            _put_back(kept / target.name, target)
        if isinstance(error, OSError):
            raise SalesnbError(
                f"{folder}: cannot be written ({error.strerror or error}); it is as before. "
                "Close programs that have its files open, and fetch again."
            ) from error
        raise


def _copy(path: Path, to: Path) -> None:
    try:
        os.link(path, to)
    except OSError:  # a file system without links
        shutil.copy2(path, to)


def _put_back(kept: Path, target: Path) -> None:
    if kept.exists():
        kept.replace(target)
    else:
        target.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
