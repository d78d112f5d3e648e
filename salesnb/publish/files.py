"""Files that are whole or not there: written beside, flushed, then renamed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

PRIVATE = 0o600
"""Reports hold personal performance data: only their owner reads them."""


def write_whole(path: Path, text: str) -> str:
    """Write a text file so that a reader sees the old content or all of the new.

    Returns
    -------
    str
        SHA-256 of the bytes written.
    """
    content = text.encode("utf-8")
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
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
