"""The Snapshot: checked tables as Parquet, committed whole by one small file.

Layout of a snapshot folder::

    snapshot.json                          names the current content; replacing it is the commit
    <id>/<table>/<part>.parquet            accepted rows, a file for each part of the export
    <id>/quarantine/<table>/<part>.parquet refused rows with reason and original text

Files of one table may lack columns that others have. Columns that begin with `_` are the import's
own: `_row` is the row's number in its file of the export.

Content folders are never changed once named. An import that fails leaves `snapshot.json` and
what it names as they were. What an import that was killed has left is removed by later ones.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from salesnb.errors import DataError, ParameterError, quote_examples
from salesnb.message import AnyText
from salesnb.periods import FiscalCalendar
from salesnb.schema import TABLES
from salesnb.sources.mapping import Company, Mapping
from salesnb.sources.readers.discover import describe_absence
from salesnb.sources.report import LoadReport
from salesnb.summary import Summarised

INDEX = "snapshot.json"
QUARANTINE = "quarantine"
INCOMING = ".incoming-"
"""How the names of content folders begin until they are committed."""
FORMAT: Literal[3] = 3

_OURS = re.compile(rf"[0-9a-f]{{12}}|{re.escape(INCOMING)}.*|{re.escape(INDEX)}\..*\.tmp")
_PRIVATE = "_"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StoredFile(_Frozen):
    """One Parquet file of the snapshot, by its name within its table's folder.

    `columns` are the model's, or of a refused row; the import's own are not listed.
    """

    name: str
    rows: int
    columns: tuple[str, ...]
    sha256: str
    bytes: int


class StoredTable(_Frozen):
    """The Parquet files that hold a table's rows, in order."""

    files: tuple[StoredFile, ...]

    @property
    def rows(self) -> int:
        """Rows over all files."""
        return sum(file.rows for file in self.files)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the model that any file has."""
        return tuple(dict.fromkeys(name for file in self.files for name in file.columns))


class StoredPart(_Frozen):
    """One part of the export, and what came of it.

    Attributes
    ----------
    key
        Hash of all that its rows depend on; the name of its files.
    table, block
        The table it went to, and by which block of the mapping.
    file, source, columns
        Name in messages, name a mapping asks for, and columns of the export.
    sha256, bytes
        Of the export's file; empty and 0 for rows written in the mapping.
    read, left_out, merged, superseded
        Rows read; left out by the mapping; made one with others; replaced by a later row.
    aliases
        Column, alias, proper name, and how many rows it put right.
    notes
        What its reader should know.
    """

    key: str
    table: str
    block: int
    file: str
    source: str = ""
    columns: tuple[str, ...] = ()
    sha256: str = ""
    bytes: int = 0
    read: int = 0
    left_out: int = 0
    merged: int = 0
    superseded: int = 0
    aliases: tuple[tuple[str, str, str, int], ...] = ()
    notes: tuple[AnyText, ...] = ()


class OriginalFile(_Frozen):
    """One file of the export the snapshot was made from."""

    name: str
    sha256: str
    bytes: int


class Index(_Frozen):
    """Content of `snapshot.json`."""

    format: Literal[3]
    id: str
    as_of: dt.date
    company: Company
    mapping: Mapping | None
    parts: tuple[StoredPart, ...]
    tables: dict[str, StoredTable]
    quarantine: dict[str, StoredTable]
    report: LoadReport

    @property
    def originals(self) -> tuple[OriginalFile, ...]:
        """Files of the export, each once."""
        named = {(p.file, p.sha256): p for p in self.parts if p.sha256}
        return tuple(
            OriginalFile(name=p.file, sha256=p.sha256, bytes=p.bytes) for p in named.values()
        )


@dataclass(frozen=True, repr=False)
class Snapshot(Summarised):
    """A checked, immutable set of tables; open one with `open_snapshot`."""

    folder: Path
    index: Index

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits over content and settings."""
        return self.index.id

    @property
    def as_of(self) -> dt.date:
        """Day the data describe."""
        return self.index.as_of

    @property
    def company(self) -> Company:
        """Company-wide settings."""
        return self.index.company

    @property
    def calendar(self) -> FiscalCalendar:
        """The company's fiscal calendar."""
        return self.company.calendar

    @property
    def report(self) -> LoadReport:
        """What the import accepted and refused."""
        return self.index.report

    @property
    def finding(self) -> str:
        """Whose data they are, of which day, and what the import made of them."""
        return f"{self.company.name}, data as of {self.as_of}. {self.report.finding}"

    def to_frame(self) -> pd.DataFrame:
        """List one row a table, as the load report does."""
        return self.report.to_frame()

    def has(self, table: str, *columns: str) -> bool:
        """Whether the snapshot has the table with all these columns."""
        stored = self.index.tables.get(table)
        return stored is not None and set(columns) <= set(stored.columns)

    def columns(self, table: str) -> tuple[str, ...]:
        """Columns of the model that the snapshot's table has; none for an absent table."""
        stored = self.index.tables.get(table)
        return () if stored is None else stored.columns

    def paths(self, table: str) -> tuple[Path, ...]:
        """Parquet files that together hold a table's accepted rows; none for an absent table."""
        stored = self.index.tables.get(table)
        home = self.folder / self.id / table
        return () if stored is None else tuple(home / file.name for file in stored.files)

    def read(self, table: str) -> pd.DataFrame:
        """Read a whole table; an absent table gives no rows and all declared columns."""
        declared = list(TABLES[table].columns)
        if not self.has(table):
            return pd.DataFrame(columns=declared)
        frame: pd.DataFrame = _read_files(self.paths(table)).to_pandas()
        absent = [column for column in declared if column not in frame.columns]
        return frame.assign(**dict.fromkeys(absent))[
            [column for column in frame.columns if column in declared] + absent
        ]

    def read_quarantine(self, table: str) -> pd.DataFrame:
        """Read the refused rows of a table: file, row, reasons, and original text.

        A line that could not be split into columns has no row number; it is whole in `line`.
        """
        stored = self.index.quarantine.get(table)
        if stored is None:
            return pd.DataFrame()
        home = self.folder / self.id / QUARANTINE / table
        files = [home / file.name for file in stored.files]
        frame: pd.DataFrame = _read_files(files).to_pandas()
        private = [name for name in frame.columns if name.startswith(_PRIVATE)]
        return frame.drop(columns=private).astype({"row": "Int64"})


def _read_files(paths: Iterable[Path]) -> pa.Table:
    return pa.concat_tables([pq.read_table(path) for path in paths], promote_options="default")


def open_snapshot(folder: str | Path) -> Snapshot:
    """Open a snapshot and check that it is whole.

    Parameters
    ----------
    folder
        Folder given to `salesnb import --to`.

    Raises
    ------
    DataError
        There is no snapshot, its index cannot be read, or a file is missing or was changed.
    """
    folder = Path(folder)
    path = folder / INDEX
    if not path.is_file():
        raise DataError(describe_absence(folder))
    try:
        index = Index.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DataError(f"{path}: cannot be read as a snapshot index. Import again.") from error
    broken = list(_broken_files(folder / index.id, index))
    if broken:
        raise DataError(f"{folder}: missing or changed files ({', '.join(broken)}). Import again.")
    return Snapshot(folder, index)


def claim_folder(folder: Path) -> Path:
    """Make the folder of a snapshot, or see that it holds nothing else.

    Raises
    ------
    ParameterError
        It is a file, or holds what no import has written.
    """
    if folder.exists() and not folder.is_dir():
        raise ParameterError(f"{folder}: is a file. Give a folder for the snapshot.")
    folder.mkdir(parents=True, exist_ok=True)
    strange = [path.name for path in sorted(folder.iterdir()) if not _OURS.fullmatch(path.name)]
    if strange and INDEX not in strange:
        raise ParameterError(
            f"{folder}: holds {len(strange)} file(s) that are no snapshot "
            f"({quote_examples(strange)}). Give a new or an empty folder."
        )
    return folder


def describe_table(folder: Path, names: Iterable[str]) -> StoredTable:
    """Describe a table's files for the index, in order."""
    return StoredTable(files=tuple(_describe(folder / name) for name in names))


def _describe(path: Path) -> StoredFile:
    meta = pq.read_metadata(path)
    names = meta.schema.to_arrow_schema().names
    return StoredFile(
        name=path.name,
        rows=meta.num_rows,
        columns=tuple(name for name in names if not name.startswith(_PRIVATE)),
        sha256=_hash(path),
        bytes=path.stat().st_size,
    )


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_whole(folder: Path, file: StoredFile) -> bool:
    """Whether a file is there and as the index says."""
    path = folder / file.name
    is_there = path.is_file() and path.stat().st_size == file.bytes
    return is_there and _hash(path) == file.sha256


def _broken_files(home: Path, index: Index) -> Iterator[str]:
    """Name the content's files that are missing or not as the index says."""
    for part, tables in (("", index.tables), (QUARANTINE, index.quarantine)):
        for name, stored in tables.items():
            for file in stored.files:
                if not is_whole(home / part / name, file):
                    yield f"{name}/{file.name}"


def content_id(parts: Iterable[StoredPart], company: Company, as_of: dt.date) -> str:
    """Hash what reports depend on: the parts, which settle all rows, and the settings."""
    keys = [part.key for part in parts]
    text = "\n".join([*keys, company.model_dump_json(), as_of.isoformat(), str(FORMAT)])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def commit(incoming: Path, folder: Path, index: Index) -> Snapshot:
    """Make `incoming` (a finished content folder within `folder`) the current content.

    The previous content is kept, so that readers already open can finish; older ones go.
    """
    previous, since = _current(folder)
    _place(incoming, folder / index.id, index)
    draft = folder / f"{INDEX}.{os.getpid()}.tmp"
    draft.write_text(index.model_dump_json(indent=1), encoding="utf-8")
    _sync(draft)
    draft.replace(folder / INDEX)
    _sync(folder)
    for path in folder.iterdir():
        if _OURS.fullmatch(path.name) and path.name not in (index.id, previous):
            _remove_old(path, since)
    return Snapshot(folder, index)


def _remove_old(path: Path, since: float) -> None:
    """Remove what is older than the last commit; the younger may be of an import that runs."""
    with suppress(FileNotFoundError):
        if path.stat().st_mtime < since:
            _remove(path)


def _place(incoming: Path, home: Path, index: Index) -> None:
    """Rename finished content to its name, unless it is there already and whole."""
    if home.exists() and any(_broken_files(home, index)):
        _remove(home)
    if home.exists():
        _remove(incoming)
        return
    _sync_tree(incoming)
    incoming.rename(home)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _current(folder: Path) -> tuple[str | None, float]:
    """Find the id of the current content, and when it was committed."""
    path = folder / INDEX
    if not path.is_file():
        return None, 0.0
    since = path.stat().st_mtime
    try:
        return Index.model_validate_json(path.read_bytes()).id, since
    except ValidationError:
        return None, since


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    if os.name == "nt":
        return  # Windows flushes neither folders nor files open for reading
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
