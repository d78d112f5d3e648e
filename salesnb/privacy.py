"""What a batch has chosen: named, pseudonyms or team_only, and the key of its pseudonyms.

The key of a quarter is made of a secret that never leaves the cache folder of who runs batches.
Kernels are told the quarter's key by their environment, so no notebook can forget the choice and
no file of a report holds it. Who deletes the secret makes old pseudonyms untraceable for good.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from salesnb.errors import DataError, ParameterError

Mode = Literal["named", "pseudonyms", "team_only"]
MODES: tuple[Mode, ...] = get_args(Mode)
PRIVACY = "SALESNB_PRIVACY"
"""Environment variable of a batch's kernels: what was chosen, and the key."""

SECRET = "privacy.key"
_BYTES = 32


@dataclass(frozen=True)
class Privacy:
    """A mode, and the key that pseudonyms are made of, as hexadecimal digits."""

    mode: Mode = "named"
    key: str = field(default="", repr=False)

    @property
    def tag(self) -> str:
        """Mode and a hash of the key: what differs in it must not stand side by side."""
        if self.mode == "named":
            return self.mode
        return f"{self.mode}-{hashlib.sha256(self.key.encode()).hexdigest()[:8]}"

    def to_text(self) -> str:
        """Write it for the environment of a kernel."""
        return f"{self.mode}:{self.key}"


NAMED = Privacy()
"""People have their names."""


def choose(mode: Mode, quarter: str, folder: Path) -> Privacy:
    """Choose a mode for a quarter's reports; all that are made of one secret agree.

    Parameters
    ----------
    mode
        What may be read of people.
    quarter
        Its pseudonyms are of no other.
    folder
        Where the secret is kept, made there on first use and readable by its owner alone.

    Raises
    ------
    DataError
        The secret cannot be read or made.
    """
    if mode == "named":
        return NAMED
    secret = _read_secret(folder / SECRET)
    return Privacy(mode, hmac.new(secret, quarter.encode(), hashlib.sha256).hexdigest())


def read_choice() -> Privacy:
    """Read what this kernel's batch has chosen; outside of a batch people have their names.

    Raises
    ------
    ParameterError
        What the environment says cannot be read: then nobody is named by mistake.
    """
    return read_text(os.environ.get(PRIVACY, ""))


def read_text(told: str) -> Privacy:
    """Read what `Privacy.to_text` has written; an empty text says nothing, so `named`."""
    mode, _, key = told.partition(":")
    if not told:
        return NAMED
    for known in MODES:
        if known == mode and (key or mode == "named"):
            return Privacy(known, key)
    raise ParameterError(f"{PRIVACY}: cannot be read. Unset it, or let salesnb run set it.")


def _read_secret(path: Path) -> bytes:
    try:
        if not path.is_file():
            _make_secret(path)
        secret = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read or made ({error.strerror or error}). Mend the folder, or move "
            "the cache: SALESNB_CACHE."
        ) from error
    if len(secret) != _BYTES:
        raise DataError(
            f"{path}: is no key of pseudonyms. Remove it: a new one gives everybody other ones."
        )
    return secret


def _make_secret(path: Path) -> None:
    """Make the secret whole and private at once; of two that make it the first wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_bytes(_BYTES))
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
