"""Text files: read once byte by byte, so that nothing odd passes as text.

One pass over the file finds its hash, its lines, whether quoted texts hold line ends, and whether
its bytes are what its encoding allows. A file DuckDB would not read as it is, is copied as UTF-8
with line feeds for line ends, also within quoted texts.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from salesnb.errors import DataError
from salesnb.message import figure, message

_CHUNK = 1 << 22
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
FALLBACK = "cp1252"
"""What Windows programs write in Western Europe and America where it is not Unicode."""


@dataclass(frozen=True)
class TextFile:
    """A text file in UTF-8: the one given, or a copy of it.

    Attributes
    ----------
    path
        Where to read it.
    sha256, bytes
        Of the file given.
    n_lines
        Lines, the last with or without an end.
    has_quoted_ends
        Whether a line end stands within double quotes.
    line_end
        As DuckDB names it: backslash n, or backslash r backslash n.
    notes
        What was guessed.
    """

    path: Path
    sha256: str
    bytes: int
    n_lines: int
    has_quoted_ends: bool
    line_end: str
    notes: tuple[str, ...] = ()


class _NotInEncodingError(Exception):
    """A byte is not what its encoding allows: where it is in the file, and what is around it."""

    def __init__(self, place: int, near: bytes) -> None:
        super().__init__(place, near)
        self.place, self.near = place, near


@dataclass
class _Scan:
    """What one pass over bytes in UTF-8 finds."""

    n_bytes: int = 0
    n_lf: int = 0
    n_cr: int = 0
    n_crlf: int = 0
    last: bytes = b""
    is_quoted: bool = False
    has_quoted_ends: bool = False

    def add(self, chunk: bytes) -> None:
        self.n_lf += int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == ord("\n")))
        if b"\r" in chunk or self.last == b"\r":
            self.n_cr += chunk.count(b"\r")
            self.n_crlf += chunk.count(b"\r\n") + (self.last == b"\r" and chunk[:1] == b"\n")
        self._add_quotes(chunk)
        self.n_bytes += len(chunk)
        self.last = chunk[-1:]

    def _add_quotes(self, chunk: bytes) -> None:
        if b'"' not in chunk:
            self.has_quoted_ends |= self.is_quoted and (b"\n" in chunk or b"\r" in chunk)
            return
        content = np.frombuffer(chunk, np.uint8)
        quotes = np.flatnonzero(content == ord('"'))
        ends = np.flatnonzero((content == ord("\n")) | (content == ord("\r")))
        before = np.searchsorted(quotes, ends) + self.is_quoted
        self.has_quoted_ends |= bool((before % 2).any())
        self.is_quoted ^= len(quotes) % 2 == 1

    @property
    def is_even(self) -> bool:
        """Whether all line ends are of one kind that DuckDB is told."""
        return self.n_cr == 0 or self.n_cr == self.n_crlf == self.n_lf

    @property
    def n_lines(self) -> int:
        return self.n_lf + (self.last not in (b"\n", b""))


def open_text(path: Path, encoding: str | None, *, label: str, copy: Path) -> TextFile:
    """Open a text file, plain or gzipped, making a copy only where DuckDB needs one.

    Raises
    ------
    DataError
        It is empty, holds zero bytes, or is not in its encoding; the message says where.
    """
    with _open(path) as stream:
        start = stream.read(4)
    if not start:
        raise DataError(f"{label}: the file is empty. Export it again.")
    told = next((name for mark, name in _BOMS if start.startswith(mark)), None)
    is_plain = path.suffix.lower() != ".gz"
    chosen = encoding or told or "utf-8"
    notes: tuple[str, ...] = ()
    if chosen == "utf-8":
        digest = hashlib.sha256()
        try:
            scan = _scan(path, digest, label)
        except _NotInEncodingError as error:
            if encoding or told:
                raise _wrong(label, error, "utf-8") from error
            chosen, notes = FALLBACK, (_guessed(error),)
        else:
            if is_plain and scan.is_even:
                return _finish(path, digest.hexdigest(), scan, notes)
    _copy(path, chosen, copy, label)
    with path.open("rb") as stream:
        given = hashlib.file_digest(stream, "sha256")
    return _finish(copy, given.hexdigest(), _scan(copy, hashlib.sha256(), label), notes, given=path)


def _finish(
    path: Path, sha256: str, scan: _Scan, notes: tuple[str, ...], *, given: Path | None = None
) -> TextFile:
    return TextFile(
        path=path,
        sha256=sha256,
        bytes=(given or path).stat().st_size,
        n_lines=scan.n_lines,
        has_quoted_ends=scan.has_quoted_ends,
        line_end="\\r\\n" if scan.n_crlf else "\\n",
        notes=notes,
    )


def _open(path: Path) -> BinaryIO:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def _chunks(path: Path, label: str) -> Iterator[bytes]:
    try:
        with _open(path) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except (gzip.BadGzipFile, EOFError) as error:
        raise DataError(f"{label}: is not a whole gzip file ({error}). Export it again.") from error


def _scan(path: Path, digest: hashlib._Hash, label: str) -> _Scan:
    """Pass over a file once, as far as it is UTF-8."""
    scan = _Scan()
    decoder = codecs.getincrementaldecoder("utf-8")(errors="strict")
    with ThreadPoolExecutor(1) as beside:
        for chunk in _chunks(path, label):
            hashed = beside.submit(digest.update, chunk)
            _check_zero(label, chunk, scan.n_bytes)
            pending = decoder.getstate()[0]
            if pending or not chunk.isascii():
                _decode(decoder, chunk, at=scan.n_bytes - len(pending))
            scan.add(chunk)
            hashed.result()
    pending = decoder.getstate()[0]
    _decode(decoder, b"", at=scan.n_bytes - len(pending), final=True)
    return scan


def _decode(
    decoder: codecs.IncrementalDecoder, chunk: bytes, *, at: int, final: bool = False
) -> str:
    """Decode a chunk of which the decoder's first byte is byte `at` of the file."""
    try:
        return decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        near = error.object[max(0, error.start - 12) : error.start + 12]
        raise _NotInEncodingError(at + error.start, near) from error


def _check_zero(label: str, chunk: bytes, done: int) -> None:
    at = chunk.find(b"\0")
    if at >= 0:
        raise DataError(
            f"{label}: byte {done + at:,} is zero, which no text has. It is another kind of "
            "file, or UTF-16 without its mark. Save it as CSV (UTF-8)."
        )


def _copy(path: Path, encoding: str, copy: Path, label: str) -> None:
    """Write the file again in UTF-8 with line feeds, which is what DuckDB reads fastest."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    done, held = 0, ""
    with copy.open("w", encoding="utf-8", newline="") as out:
        for chunk in _with_end(_chunks(path, label)):
            pending = len(decoder.getstate()[0])
            try:
                text = held + _decode(decoder, chunk, at=done - pending, final=not chunk)
            except _NotInEncodingError as error:
                raise _wrong(label, error, encoding) from error
            done += len(chunk)
            held = "\r" if text.endswith("\r") and chunk else ""
            out.write(re.sub("\r\n?", "\n", text[: len(text) - len(held)]))


def _with_end(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield from chunks
    yield b""


def _wrong(label: str, error: _NotInEncodingError, encoding: str) -> DataError:
    return DataError(
        f"{label}: byte {error.place:,} is not {encoding} (near "
        f"{error.near.decode('latin-1')!r}). Set its encoding under files: {label}: in your "
        "mapping, e.g. cp1252."
    )


def _guessed(error: _NotInEncodingError) -> str:
    near = error.near.decode(FALLBACK, errors="replace")
    return message(
        "is not UTF-8 (byte {place}, near {near}), so it was read as {encoding}. Set its encoding "
        "under files: in your mapping if letters look wrong.",
        place=figure(error.place), near=repr(near), encoding=FALLBACK,
    )  # fmt: skip
