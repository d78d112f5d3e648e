"""How a batch is told while it runs: a live table, plain lines, or JSON lines; and its summary."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal, Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from salesnb.progress import silence
from salesnb.publish.batch import BatchResult
from salesnb.publish.recorder import Done, Event, Started

LogFormat = Literal["text", "json"]
_SLOWEST = 3
_COLUMNS = (
    SpinnerColumn(),
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TimeRemainingColumn(),
)


class Teller(Protocol):
    """Is told each event."""

    def __call__(self, event: Event) -> None:
        """Show an event."""


@contextmanager
def telling(console: Console, *, title: str, total: int, log_format: LogFormat) -> Iterator[Teller]:
    """Tell a batch's events: live where the console is a terminal, line by line where it is not.

    Parameters
    ----------
    console
        Where to.
    title, total
        What the batch is called, and how many reports it has.
    log_format
        `json`: one JSON object a line, whatever the console is.
    """
    if log_format == "json":
        yield _Json(console)
    elif not console.is_terminal:
        yield _Lines(console)
    else:
        with silence(), Progress(*_COLUMNS, console=console) as progress:
            yield _Live(progress, title, total)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, event: Event) -> None:
        if isinstance(event, Done):
            self._console.print(describe(event))


class _Live:
    """A bar for the batch and a line for each report that runs."""

    def __init__(self, progress: Progress, title: str, total: int) -> None:
        self._progress = progress
        self._whole = progress.add_task(title, total=total)
        self._running: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, Started):
            slug = event.job.slug
            self._running[slug] = self._progress.add_task(f"  {slug}", total=1)
            return
        task = self._running.pop(event.job.slug, None)
        if task is not None:
            self._progress.remove_task(task)
        self._progress.advance(self._whole)
        self._progress.console.print(describe(event))


class _Json:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()

    def __call__(self, event: Event) -> None:
        said: dict[str, object] = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": "started" if isinstance(event, Started) else "done",
            "slug": event.job.slug,
        }
        if isinstance(event, Started):
            said |= {"running": event.running, "waiting": event.waiting}
        else:
            record = event.record
            said |= {
                "status": record.status, "is_new": event.is_new, "seconds": record.seconds,
                "kernel": record.kernel, "attempts": record.attempts, "reason": record.reason,
                "cell": record.cell,
            }  # fmt: skip
        self._console.print(json.dumps(said))


def describe(done: Done) -> str:
    """Say in one line what became of a report: its file, and for a failure cell and exception."""
    record = done.record
    if not done.is_new:
        return f"current   {done.job.slug}.html"
    again = f" (second try: {record.died})" if record.died else ""
    if record.status == "failed":
        return f"FAILED    {done.job.slug}.html  {record.notebook}: {record.reason}{again}"
    return f"done      {done.job.slug}.html  {record.seconds:.1f} s{again}"


def summarise(result: BatchResult) -> str:
    """Count what became of a batch's reports, and name the slowest."""
    slowest = result.slowest
    n, made, failed = len(result.done), len(slowest), len(result.failed)
    counted = (
        f"{n} report{'' if n == 1 else 's'}: {made - failed} made, {n - made} up to date, "
        f"{failed} failed."
    )
    if made < 2:
        return counted
    named = [f"{item.job.slug} {item.record.seconds:.1f} s" for item in slowest[:_SLOWEST]]
    return f"{counted} Slowest: {', '.join(named)}."
