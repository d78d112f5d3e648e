"""What a long call is doing, told to a person who waits and to nobody else.

Somebody waits at a terminal, or at a notebook whose cell was run by hand: only such cells may ask
for input, those of papermill, nbconvert and nbclient may not. Logs, pipes and batch kernels stay
as they are. What is told appears after a second, and never before a call has proved long.
"""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 1.0
"""Seconds a call may take before anything is shown."""
_EVERY = 0.5


class Place(Protocol):
    """Where a wait is shown."""

    def show(self, text: str) -> None:
        """Show a line in the place of the last one."""

    def end(self, text: str) -> None:
        """Show that it is over."""


class _Terminal:
    """A line with a spinner on standard error, which goes when the call ends."""

    def __init__(self) -> None:
        from rich.console import Console

        self._status = Console(stderr=True, markup=False).status("", spinner="dots")
        self._status.start()

    def show(self, text: str) -> None:
        from rich.text import Text

        self._status.update(Text(text))

    def end(self, text: str) -> None:
        self._status.stop()


class _Notebook:
    """A line of a cell's output, which says in the end how long it took."""

    def __init__(self) -> None:
        from IPython.display import DisplayHandle

        self._line = DisplayHandle()
        self._is_shown = False

    def show(self, text: str) -> None:
        if self._is_shown:
            self._line.update({"text/plain": text}, raw=True)
        else:
            self._line.display({"text/plain": text}, raw=True)
        self._is_shown = True

    def end(self, text: str) -> None:
        self.show(text)


class _Wait:
    """A long call: shown by a thread of its own once it has proved long."""

    def __init__(self, title: str, open_place: Callable[[], Place]) -> None:
        self.title, self.step = title, ""
        self._open_place = open_place
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._place: Place | None = None
        context = contextvars.copy_context()  # a notebook knows by it whose output this is
        self._thread = threading.Thread(target=context.run, args=(self._watch,), daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        pause = PATIENCE
        while not self._ended.wait(pause):
            with suppress(Exception):  # a broken display must not break the work
                self._place = self._place or self._open_place()
                self._place.show(self._say())
            pause = _EVERY

    def _say(self) -> str:
        step = f": {self.step}" if self.step else ""
        return f"{self.title}{step} ({self._seconds():.0f} s)"

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def end(self, how: str) -> None:
        self._ended.set()
        self._thread.join()
        if self._place is not None:
            with suppress(Exception):
                self._place.end(f"{self.title}: {how} {self._seconds():.0f} s")


_current: _Wait | None = None
_is_silent = False


@contextmanager
def waiting(title: str) -> Iterator[None]:
    """Tell that a block of work is being done; within another it is a step of that one."""
    global _current
    if _current is not None:
        outer = _current.step
        step(title[:1].lower() + title[1:])
        try:
            yield
        finally:
            step(outer)
        return
    opening = _find_place()
    if opening is None:
        yield
        return
    _current = _Wait(title, opening)
    how = "stopped after"
    try:
        yield
        how = "done in"
    finally:
        ended, _current = _current, None
        ended.end(how)


def step(text: str) -> None:
    """Say what the long call is at; nothing outside of one, and in other threads."""
    if _current is not None and threading.current_thread() is threading.main_thread():
        _current.step = text


def long(title: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function that can take long say so, while it runs, to whoever waits for it."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def told(*args: P.args, **kwargs: P.kwargs) -> T:
            with waiting(title):
                return function(*args, **kwargs)

        return told

    return decorate


@contextmanager
def silence() -> Iterator[None]:
    """Show nothing within the block, as something else tells how it goes."""
    global _is_silent
    before, _is_silent = _is_silent, True
    try:
        yield
    finally:
        _is_silent = before


def _find_place() -> Callable[[], Place] | None:
    """Find where somebody waits; None where nobody does."""
    if _is_silent or threading.current_thread() is not threading.main_thread():
        return None
    kernel = _find_kernel()
    if kernel is not None:
        get_parent = getattr(kernel, "get_parent", None)
        asked = get_parent("shell").get("content", {}) if get_parent else {}
        return _Notebook if asked.get("allow_stdin") else None
    return _Terminal if sys.stderr is not None and sys.stderr.isatty() else None


def _find_kernel() -> object | None:
    """Find the notebook kernel this runs in, without loading IPython for it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None)
