"""The journal of a folder of reports: what happened in it, line by line, never rewritten.

A batch that is killed leaves no more than half a line. `manifest.json` is what the journal adds up
to, written when a batch ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from salesnb.errors import DataError, ParameterError
from salesnb.publish.files import PRIVATE, explained
from salesnb.publish.manifest import (
    MAIL,
    MANIFEST,
    PORTAL,
    About,
    Manifest,
    Record,
    read_manifest,
)

JOURNAL = "manifest.jsonl"
LOCK = ".lock"
LOGS = "logs"
"""Folder beside the reports for what their kernels wrote to the console."""
EventName = Literal["began", "started", "report", "settled", "ended"]


class Entry(BaseModel):
    """One line: a batch began or ended; a report was begun, recorded, or settled.

    `slugs` are the reports a batch is to make or has found up to date, `left_out` the kinds of
    reports it cannot make, and why. A report is settled when something beside what it says has
    changed: its links, or its PDF.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: EventName
    at: str
    slug: str = ""
    slugs: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    about: About = About()
    record: Record | None = None


@dataclass
class State:
    """What a folder's journal adds up to.

    Attributes
    ----------
    manifest
        The latest record of each report whose page is there.
    planned
        Reports of the last batch.
    open
        Those of them that were started but not recorded.
    has_ended
        Whether the last batch came to its end.
    """

    manifest: Manifest = field(default_factory=Manifest)
    planned: tuple[str, ...] = ()
    open: frozenset[str] = frozenset()
    has_ended: bool = True


class Journal:
    """Appends to a folder's journal; each entry is on the disk before the next thing is done."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL
        with explained(self.path):
            self._handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)
            if _ends_within_a_line(self.path):
                os.write(self._handle, b"\n")

    def add(self, event: EventName, **said: object) -> None:
        """Append an entry.

        Raises
        ------
        SalesnbError
            It cannot be written; half an entry is skipped when the journal is read.
        """
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = Entry.model_validate({"event": event, "at": at, **said})
        line = entry.model_dump_json(exclude_defaults=True).encode() + b"\n"
        with explained(self.path):
            written = os.write(self._handle, line)
            if written < len(line):
                raise OSError(None, "the disk is full")
            os.fsync(self._handle)

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)


def _ends_within_a_line(path: Path) -> bool:
    with path.open("rb") as stream:
        if not stream.seek(0, os.SEEK_END):
            return False
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) != b"\n"


def read_state(folder: Path) -> State:
    """Add up a folder's journal; a folder without one has no reports, or an older manifest's.

    Raises
    ------
    DataError
        A line is not one of ours; half a line, where a batch was killed, is passed over.
    """
    path = folder / JOURNAL
    if not path.is_file():
        return State(read_manifest(folder))
    state = State()
    reports: dict[str, Record] = {}
    for entry in _read_entries(path):
        if entry.event == "began":
            state.planned, state.open, state.has_ended = entry.slugs, frozenset(), False
            state.manifest.left_out, state.manifest.about = entry.left_out, entry.about
        elif entry.event == "started":
            state.open |= {entry.slug}
        elif entry.event == "report" and entry.record is not None:
            state.open -= {entry.record.slug}
            reports[entry.record.slug] = entry.record
        elif entry.event == "settled" and entry.record is not None:
            reports[entry.record.slug] = entry.record
        else:
            state.has_ended = True
    there = {slug: one for slug, one in reports.items() if (folder / f"{slug}.html").is_file()}
    state.manifest.reports = there
    return state


def remove_others(folder: Path, manifest: Manifest, privacy: str) -> None:
    """Remove reports made under another privacy, from the folder and from its manifest.

    Reports of two modes side by side would tell who is who. The portal and the journal go first,
    as they quote what reports say; all can be made again.
    """
    others = [slug for slug, record in manifest.reports.items() if record.privacy != privacy]
    if not others:
        return
    for name in (f"{PORTAL}.html", f"{MAIL}.html", f"{MAIL}.txt", MANIFEST, JOURNAL):
        (folder / name).unlink(missing_ok=True)
    for slug in others:
        for path in (f"{slug}.html", f"{slug}.pdf", f"{slug}.ipynb", f"{LOGS}/{slug}.log"):
            (folder / path).unlink(missing_ok=True)
        del manifest.reports[slug]


def _read_entries(path: Path) -> Iterator[Entry]:
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        try:
            if line:
                yield Entry.model_validate_json(line)
        except ValidationError as error:
            if all(problem["type"] == "json_invalid" for problem in error.errors()):
                continue  # a batch was killed while it wrote the line
            raise DataError(
                f"{path}: line {number} cannot be read. Move the file away and run again."
            ) from error


@contextmanager
def locked(folder: Path, *, patience: float = 0) -> Iterator[None]:
    """Keep other batches out of a folder; the lock ends with the process, however that ends.

    Parameters
    ----------
    folder
        Where.
    patience
        Seconds to wait for who is there already.

    Raises
    ------
    ParameterError
        Another batch is writing into the folder.
    """
    lock = FileLock(folder / LOCK, timeout=patience, mode=PRIVATE)
    try:
        lock.acquire()
    except Timeout:
        raise ParameterError(
            f"{folder}: another batch is writing there. Wait until it has ended (salesnb status "
            f"{folder}), or set `out:` to another folder."
        ) from None
    try:
        yield
    finally:
        lock.release()


def is_locked(folder: Path) -> bool:
    """Whether a batch is writing into a folder now."""
    try:
        with locked(folder):
            return False
    except ParameterError:
        return True
    except OSError:  # who may not write there cannot tell
        return False
