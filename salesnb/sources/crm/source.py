"""What a CRM's module offers to a fetch, and what a fetch gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from salesnb.sources.crm.api import Api


@dataclass(frozen=True)
class Job:
    """One object to fetch.

    Attributes
    ----------
    name
        Of the object.
    work, folder
        Where finished files go, and where those of the last fetch are.
    since
        Day (ISO) from which on changed facts are wanted; empty for all.
    fields
        Fields wanted besides the usual ones.
    """

    name: str
    work: Path
    folder: Path
    since: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class FetchedFile:
    """One file of the export.

    Attributes
    ----------
    name
        Its stem.
    rows
        It has now.
    received
        Rows the CRM sent in this fetch.
    removed
        Rows the last fetch's file had and this one has not.
    how
        "whole" or "changes".
    notes
        What is missing or was decided, in words.
    """

    name: str
    rows: int
    received: int
    removed: int
    how: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A CRM.

    Attributes
    ----------
    name
        As `salesnb fetch` takes it; also the preset's.
    files
        Per object the stems of the files it becomes.
    required
        Objects no export is of use without.
    on_request
        Objects fetched only when asked for.
    connect
        Reads the credentials and gives the API; sends nothing.
    fetch
        Fetches one object into the job's work folder.
    """

    name: str
    files: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    on_request: tuple[str, ...]
    connect: Callable[[], Api]
    fetch: Callable[[Api, Job], Sequence[FetchedFile]]


@dataclass(frozen=True)
class FetchReport:
    """What a fetch brought."""

    crm: str
    folder: Path
    files: tuple[FetchedFile, ...]
    left_out: tuple[str, ...] = ()

    @property
    def finding(self) -> str:
        """The fetch in one sentence."""
        received = sum(file.received for file in self.files)
        removed = sum(file.removed for file in self.files)
        gone = f", {removed:,} rows are gone" if removed else ""
        return f"{self.folder}: {len(self.files)} files, {received:,} rows received{gone}."

    @property
    def notes(self) -> tuple[str, ...]:
        """What is missing or was decided, in words."""
        return (*(note for file in self.files for note in file.notes), *self.left_out)

    def to_frame(self) -> pd.DataFrame:
        """List one row a file: file, rows, received, removed, how."""
        rows = [(f.name, f.rows, f.received, f.removed, f.how) for f in self.files]
        return pd.DataFrame(rows, columns=["file", "rows", "received", "removed", "how"])

    def __rich__(self) -> RenderableType:
        """Show finding, files, notes."""
        table = RichTable("file", "rows", "received", "removed", "how")
        for column in table.columns[1:4]:
            column.justify = "right"
        for f in self.files:
            cells = (f.name, f"{f.rows:,}", f"{f.received:,}", f"{f.removed:,}", f.how)
            table.add_row(*map(Text, cells))
        return Group(Text(self.finding, style="bold"), table, *map(Text, self.notes))
