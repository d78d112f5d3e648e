"""The Snapshot: checked tables as Parquet, committed whole by one small file.

Layout of a snapshot folder::

    snapshot.json            names the current content; replacing it is the commit
    <id>/<table>.parquet     accepted rows
    <id>/quarantine/<table>.parquet   refused rows with reason and original text

Content folders are never changed once named. An import that fails leaves `snapshot.json` and
what it names as they were.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from salesnb.errors import DataError
from salesnb.periods import FiscalCalendar
from salesnb.schema import TABLES
from salesnb.sources.mapping import Company
from salesnb.sources.report import LoadReport

INDEX = "snapshot.json"
FORMAT = 1


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StoredTable(_Frozen):
    """One Parquet file of the snapshot."""

    rows: int
    columns: tuple[str, ...]
    sha256: str
    bytes: int


class OriginalFile(_Frozen):
    """One file of the export the snapshot was made from."""

    name: str
    sha256: str
    bytes: int


class Index(_Frozen):
    """Content of `snapshot.json`."""

    format: int
    id: str
    as_of: dt.date
    company: Company
    tables: dict[str, StoredTable]
    originals: tuple[OriginalFile, ...]
    report: LoadReport


@dataclass(frozen=True)
class Snapshot:
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
        return FiscalCalendar(self.company.fiscal_year_start)

    @property
    def report(self) -> LoadReport:
        """What the import accepted and refused."""
        return self.index.report

    def has(self, table: str, *columns: str) -> bool:
        """Whether the snapshot has the table with all these columns."""
        stored = self.index.tables.get(table)
        return stored is not None and set(columns) <= set(stored.columns)

    def path(self, table: str) -> Path:
        """Parquet file of a table's accepted rows."""
        return self.folder / self.id / f"{table}.parquet"

    def read(self, table: str) -> pd.DataFrame:
        """Read a whole table; an absent table gives no rows and all declared columns."""
        if not self.has(table):
            return pd.DataFrame(columns=list(TABLES[table].columns))
        frame: pd.DataFrame = pq.read_table(self.path(table)).to_pandas()
        absent = [column for column in TABLES[table].columns if column not in frame.columns]
        return frame.assign(**dict.fromkeys(absent))

    def read_quarantine(self, table: str) -> pd.DataFrame:
        """Read the refused rows of a table: file, row, reason and original text."""
        path = self.folder / self.id / "quarantine" / f"{table}.parquet"
        return pq.read_table(path).to_pandas() if path.is_file() else pd.DataFrame()


def open_snapshot(folder: str | Path) -> Snapshot:
    """Open a snapshot and check that it is whole.

    Parameters
    ----------
    folder
        Folder given to `salesnb import --to`.

    Raises
    ------
    DataError
        There is no snapshot, its index cannot be read, or a file is missing or has another size.
    """
    folder = Path(folder)
    path = folder / INDEX
    if not path.is_file():
        raise DataError(
            f"{folder}: there is no snapshot. Make one: salesnb import SOURCE --to {folder}"
        )
    try:
        index = Index.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DataError(f"{path}: cannot be read as a snapshot index. Import again.") from error
    snapshot = Snapshot(folder, index)
    broken = [
        f"{name}.parquet"
        for name, stored in index.tables.items()
        if not snapshot.path(name).is_file() or snapshot.path(name).stat().st_size != stored.bytes
    ]
    if broken:
        raise DataError(f"{folder}: missing or changed files ({', '.join(broken)}). Import again.")
    return snapshot


def describe_table(path: Path) -> StoredTable:
    """Describe a Parquet file for the index."""
    meta = pq.read_metadata(path)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    columns = tuple(pq.read_schema(path).names)
    return StoredTable(
        rows=meta.num_rows, columns=columns, sha256=digest, bytes=path.stat().st_size
    )


def content_id(tables: dict[str, StoredTable], company: Company, as_of: dt.date) -> str:
    """Hash what results depend on: the tables' bytes and the settings."""
    parts = [f"{name} {stored.sha256}" for name, stored in sorted(tables.items())]
    text = "\n".join([*parts, company.model_dump_json(), as_of.isoformat(), str(FORMAT)])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def commit(incoming: Path, folder: Path, index: Index) -> Snapshot:
    """Make `incoming` (a finished content folder within `folder`) the current content.

    The previous content is kept, so that readers already open can finish; older ones go.
    """
    previous = _current_id(folder)
    home = folder / index.id
    if home.exists():
        shutil.rmtree(incoming)
    else:
        _sync_tree(incoming)
        incoming.rename(home)
    draft = folder / f"{INDEX}.{os.getpid()}.tmp"
    draft.write_text(index.model_dump_json(indent=1), encoding="utf-8")
    _sync(draft)
    draft.replace(folder / INDEX)
    _sync(folder)
    for path in folder.iterdir():
        if path.is_dir() and path.name not in (index.id, previous):
            shutil.rmtree(path, ignore_errors=True)
    return Snapshot(folder, index)


def _current_id(folder: Path) -> str | None:
    path = folder / INDEX
    if not path.is_file():
        return None
    try:
        return Index.model_validate_json(path.read_bytes()).id
    except ValidationError:
        return None


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
