"""What many reports of a batch have in common is found once, and read by the others.

Only kernels that a batch has started share: `SHARE` names their folder. Elsewhere `shared`
functions are plain functions. What is shared is known by what made it: the measures as they were
loaded, and arguments that are plain values or were shared themselves.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
import os
import pickle
import sys
import tempfile
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache, wraps
from importlib.metadata import version
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from filelock import FileLock

from salesnb.language import tag

SHARE = "SALESNB_SHARE"
"""Environment variable of a batch's kernels: the folder of what they share."""

_log = logging.getLogger(__name__)

_LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn")
_PLAIN = (str, int, float, bool, type(None))

P = ParamSpec("P")
T = TypeVar("T")
_names: dict[int, tuple[weakref.ref[Any], str]] = {}
"""Of objects that were shared or loaded: what made them, by identity."""


class _Unknown(Exception):  # noqa: N818 - not an error: then nothing is shared
    """An argument was made by something nobody knows."""


def remember(made: T, name: str) -> T:
    """Remember what made an object, so that what is found from it can be shared."""
    key = id(made)
    _names[key] = (weakref.ref(made, lambda _: _names.pop(key, None)), name)
    return made


def name_of(made: object) -> str:
    """Say what made an object, as it was remembered; 'unknown' where nobody knows."""
    return _remembered(made) or "unknown"


def _remembered(made: object) -> str:
    reference, name = _names.get(id(made), (None, ""))
    return name if reference is not None and reference() is made else ""


def derive(made: T, source: object, how: str) -> T:
    """Remember an object as made from another; without a trace where nobody knows that one."""
    with suppress(_Unknown):
        remember(made, f"{_name(source)} {how}")
    return made


def shared(function: Callable[P, T]) -> Callable[P, T]:
    """Let kernels of a batch share what a pure function gives.

    The first to need it computes it while the others wait; where it was killed the next one
    does. What cannot be read is computed again.
    """
    signature = inspect.signature(function)
    own_name = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def found(*args: P.args, **kwargs: P.kwargs) -> T:
        folder = os.environ.get(SHARE)
        if not folder:
            return function(*args, **kwargs)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        try:
            told = ", ".join(f"{key}={_name(value)}" for key, value in bound.arguments.items())
        except _Unknown:
            return function(*args, **kwargs)
        made_of = f"{own_name}({told}) {_versions()}{tag()}"  # results hold texts
        name = hashlib.sha256(made_of.encode()).hexdigest()
        path = Path(folder) / f"{function.__name__}-{name[:24]}.pickle"
        made = _find(path, lambda: function(*args, **kwargs))
        with suppress(TypeError):  # a tuple or a number is known by its value
            remember(made, name)
        return made

    return found


def _find(path: Path, make: Callable[[], T]) -> T:
    try:
        return cast(T, _read(path))
    except FileNotFoundError:
        pass
    except Exception as why:
        _log.warning("%s cannot be read and is made again: %s", path.name, why)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(f"{path}.lock", mode=0o600):
        with suppress(Exception):  # another has made it meanwhile
            return cast(T, _read(path))
        made = make()
        with suppress(OSError):  # a full disk costs time, not the report
            _write(path, made)
    return made


def _read(path: Path) -> Any:
    """Read what only this user can have written."""
    with path.open("rb") as stream:
        if hasattr(os, "getuid") and os.fstat(stream.fileno()).st_uid != os.getuid():
            raise PermissionError(path)
        return pickle.load(stream)


def _write(path: Path, made: object) -> None:
    handle, draft = tempfile.mkstemp(prefix=".draft-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            pickle.dump(made, stream, protocol=pickle.HIGHEST_PROTOCOL)
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)


@cache
def _versions() -> str:
    """Name what else decides results, and whether they can be read."""
    return f"{sys.version_info[:2]} {[version(name) for name in _LIBRARIES]}"


def _name(value: object) -> str:
    """Write down what made a value."""
    if name := _remembered(value):
        return name
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_name, value))})"
    if isinstance(value, Mapping):
        pairs = sorted((_name(key), _name(item)) for key, item in value.items())
        return f"{{{pairs}}}"
    if is_dataclass(value) and not isinstance(value, type):
        parts = [f"{one.name}={_name(getattr(value, one.name))}" for one in fields(value)]
        return f"{type(value).__qualname__}({', '.join(parts)})"
    raise _Unknown
