"""Files that are whole or not there: written beside, flushed, then renamed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from salesnb.errors import SalesnbError
from salesnb.measures.privacy import People

PRIVATE = 0o600
"""Reports hold personal performance data: only their owner reads them."""


def write_whole(path: Path, text: str) -> str:
    """Write a text file so that a reader sees the old content or all of the new.

    Returns
    -------
    str
        SHA-256 of the bytes written.

    Raises
    ------
    SalesnbError
        The file cannot be written; what was there before is unchanged.
    """
    # outputs can hold halves of characters
    return write_bytes_whole(path, text.encode("utf-8", errors="replace"))


def write_bytes_whole(path: Path, content: bytes) -> str:
    """Write any file as `write_whole` does."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with explained(path):
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    return hashlib.sha256(content).hexdigest()


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above that are not there, that only their owner enters."""
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(exist_ok=True)  # refuses a file of that name


def start_private(path: Path) -> None:
    """Make an empty file that only its owner reads, in a folder that only its owner enters.

    Raises
    ------
    SalesnbError
        It cannot be made.
    """
    with explained(path):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.unlink(missing_ok=True)
        path.touch(mode=PRIVATE)


def hide_in_file(path: Path, people: People) -> None:
    """Take whom a log names out of it."""
    if path.is_file():
        told = path.read_text(encoding="utf-8", errors="replace")
        hidden = people.hide(told)
        if hidden != told:
            write_whole(path, hidden)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say in words which file could not be written, and what to do.

    Raises
    ------
    SalesnbError
        In place of any error of the system.
    """
    try:
        yield
    except OSError as error:
        raise SalesnbError(
            f"{path}: cannot be written ({error.strerror or error}). A file that was there is "
            "unchanged. Free some space or mend the folder, and run again."
        ) from error
