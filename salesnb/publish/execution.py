"""One notebook in a kernel of its own, and whether it really ran to its end."""

from __future__ import annotations

import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
from papermill.exceptions import PapermillExecutionError

from salesnb.language import tr
from salesnb.privacy import NAMED, Privacy
from salesnb.publish.kernel import (
    Isolation,
    end_kernels,
    isolation_of,
    kernel_options,
    logged,
)
from salesnb.publish.manifest import Parameters

_AGAIN = 0.1
"""Seconds between two tries to end a kernel."""

_ENGINE = "salesnb"
"""Name of the engine below."""

_MARKER = "papermill-error-cell-tag"
_LONGEST_REASON = 300


class _SavingOnce(NBClientEngine):  # type: ignore[misc]
    """Saves the notebook when it has ended, in whatever way; twice a cell costs a second."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: NotebookExecutionManager, kernel_name: str, **options: Any
    ) -> None:
        path, nb_man.output_path = nb_man.output_path, None
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        finally:
            nb_man.output_path = path


papermill_engines.register(_ENGINE, _SavingOnce)


@dataclass(frozen=True)
class Outcome:
    """What became of an execution; no reason means that it ran to its end.

    `isolation` is how its kernel was really started; `is_dead` says that the kernel ended where
    nobody had asked it to.
    """

    notebook: NotebookNode
    reason: str = ""
    cell: int | None = None
    isolation: Isolation = "cold"
    is_dead: bool = False


@dataclass(frozen=True)
class Limits:
    """Longest time in seconds for one cell, and for all of a report."""

    cell: int
    report: int


def execute(
    notebook: NotebookNode, parameters: Parameters, *, limits: Limits, log: Path,
    isolation: Isolation = "cold", share: Path | None = None, privacy: Privacy = NAMED,
) -> Outcome:  # fmt: skip
    """Execute a notebook in a kernel of its own and find out whether it really ended.

    Papermill reports a notebook as completed when its kernel was killed, timed out or left by
    `sys.exit`. So a last cell prints a token that only this call knows: without it in the
    outputs the notebook did not run to its end.

    Parameters
    ----------
    notebook
        Its outputs, if it has any, are not used.
    parameters
        What its parameters cell is given.
    limits
        A kernel that takes longer in all is ended.
    log
        File for what the kernel writes to its console and Jupyter has to say.
    isolation
        Whether the kernel is forked from a warm process.
    share
        Folder of what reports of a batch have in common.
    privacy
        What the kernel may tell of people.
    """
    token = secrets.token_hex(16)
    watched = without_outputs(notebook)
    watched.cells.append(nbformat.v4.new_code_cell(f"print({token!r})"))
    failure: Exception | None = None
    done = watched
    late = threading.Event()
    with (
        logged(log),
        tempfile.TemporaryDirectory(prefix="salesnb-") as folder,
        _ended_after(limits.report, log, late),
    ):
        output = Path(folder) / "report.ipynb"
        try:
            papermill.execute_notebook(
                watched,
                output,
                parameters=parameters,
                progress_bar=False,
                engine_name=_ENGINE,
                execution_timeout=limits.cell,
                **kernel_options(
                    Path(folder), log, isolation=isolation, share=share, privacy=privacy
                ),
            )
        except Exception as error:  # whatever it is, it is this report's failure alone
            failure = error
        if output.is_file():
            try:
                done = nbformat.read(output, as_version=4)
            except Exception as error:  # the disk was full: half a notebook
                failure = failure or error
    reason, cell = _judge(done, token, failure, timeout_seconds=limits.cell)
    is_dead = _is_dead(failure) and not late.is_set()
    if reason and late.is_set():
        reason = tr(
            "{cell} was running when the report had taken {seconds} s in all "
            "(report_timeout_seconds)",
            cell=_name(cell),
            seconds=limits.report,
        )
    return Outcome(_strip(done, token), reason, cell, isolation_of(log), is_dead)


@contextmanager
def _ended_after(seconds: int, log: Path, late: threading.Event) -> Iterator[None]:
    """End the kernel of a log after so many seconds, and say so in `late`."""
    done = threading.Event()

    def watch() -> None:
        if done.wait(seconds):
            return
        late.set()
        while not done.wait(_AGAIN):  # it may be about to start
            end_kernels(log)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _is_dead(failure: Exception | None) -> bool:
    """Whether the kernel ended, or never spoke; a cell that raised or took too long is no such."""
    return isinstance(failure, DeadKernelError) or (
        isinstance(failure, RuntimeError) and "Kernel died" in str(failure)
    )


def without_outputs(notebook: NotebookNode) -> NotebookNode:
    """Copy a notebook without results: those it was saved with are of another snapshot."""
    copy: NotebookNode = nbformat.from_dict(notebook)
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return copy


def _judge(
    done: NotebookNode, token: str, failure: Exception | None, *, timeout_seconds: int
) -> tuple[str, int | None]:
    """Say in one line why an execution failed, and in which cell; ('', None) when it did not."""
    if isinstance(failure, PapermillExecutionError):
        cell = failure.exec_count
        error = one_line(failure.ename, failure.evalue)
        return tr("{cell} raised {error}", cell=_name(cell), error=error), cell
    cell = _last_started(done)
    if isinstance(failure, CellTimeoutError):
        return tr(
            "{cell} took longer than {seconds} s (timeout_seconds)",
            cell=_name(cell),
            seconds=timeout_seconds,
        ), cell
    if isinstance(failure, DeadKernelError):
        return tr("{cell} ended the kernel: killed, or out of memory", cell=_name(cell)), cell
    if failure is not None:
        return one_line(type(failure).__name__, str(failure)), None
    stopped = [output for cell in done.cells for output in _errors(cell)]
    if stopped:
        error = str(stopped[0].ename)
        return tr("{cell} stopped the kernel ({error})", cell=_name(cell), error=error), cell
    if token not in _said(done.cells[-1]):
        return tr("the kernel stopped before the notebook's end"), None
    return "", None


def _name(cell: int | None) -> str:
    return tr("cell {number}", number=cell) if cell else tr("a cell")


def one_line(name: str, said: str) -> str:
    """Join an error's name and words on one line, cut where it is too long for a list."""
    line = " ".join(f"{name}: {said}".split()).removesuffix(":")
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}…"


def _last_started(done: NotebookNode) -> int | None:
    """Return the number of the last cell that began to run, as in `In [3]`; None before any.

    Papermill notes when it starts a cell; a killed kernel may not have said its number.
    """
    started = [
        cell
        for cell in done.cells
        if cell.cell_type == "code"
        and cell.source.strip()
        and cell.metadata.get("papermill", {}).get("start_time")
    ]
    return len(started) or None


def _errors(cell: NotebookNode) -> list[NotebookNode]:
    return [output for output in cell.get("outputs", []) if output.output_type == "error"]


def _said(cell: NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.get("outputs", []))


def _strip(notebook: NotebookNode, token: str) -> NotebookNode:
    """Take out the watching cell, papermill's error notes and what changes from run to run."""
    notebook.cells = [
        cell for cell in notebook.cells if _MARKER not in _tags(cell) and token not in cell.source
    ]
    notebook.metadata.pop("papermill", None)
    for position, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        cell["id"] = f"cell-{position}"
    return notebook


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))
