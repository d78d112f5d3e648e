"""One report: a notebook, executed by papermill with its parameters, published as HTML."""

from __future__ import annotations

import datetime as dt
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError

from salesnb.errors import SalesnbError
from salesnb.publish.export import render_report
from salesnb.publish.files import write_whole
from salesnb.publish.kernel import Isolation, end_kernels, kernel_options, logged
from salesnb.publish.manifest import Parameters, Record, library_versions, read_facts
from salesnb.publish.plan import Job, Plan, needed_tables
from salesnb.publish.warm import KIND
from salesnb.sources.snapshot import Snapshot
from salesnb.views.blocks.base import FACTS_MIME

LOGS = "logs"
"""Folder beside the reports for what their kernels wrote to the console."""

PURPOSE = (
    "Personal performance data, for coaching conversations within the team named. "
    "No figure here is by itself a verdict on a person."
)

_WATCH = "import os as _os\nprint({token!r} + ' ' + _os.environ.get({kind!r}, ''))"
"""Last cell: proves that the notebook ran to its end, and says how its kernel was started."""

_MARKER = "papermill-error-cell-tag"
_LONGEST_REASON = 300


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


def run_report(
    job: Job, plan: Plan, *, isolation: Isolation = "cold", stop: threading.Event | None = None
) -> Record:
    """Make one report and write `<slug>.html` and `<slug>.ipynb`, each whole.

    Whatever happens in the notebook, the result is a record: a failed report is published as
    incomplete, with the reason and what was finished. Where the kernel died, and only then, it is
    tried once more in a cold one.

    Parameters
    ----------
    job
        What to run.
    plan
        The batch it belongs to.
    isolation
        Whether the kernel is forked from a warm process.
    stop
        Once set, nothing is written any more: the batch was interrupted.

    Returns
    -------
    Record
        For the manifest; without a sha256 where a file could not be written: the page that was
        there before is unchanged.

    Raises
    ------
    CancelledError
        `stop` was set before the notebook's end.
    """
    started = time.monotonic()
    source = nbformat.read(job.notebook, as_version=4)
    notebook, left_out = leave_out(source, plan.snapshot)
    log = plan.folder / LOGS / f"{job.slug}.log"
    limits = Limits(plan.params.timeout_seconds, plan.params.report_timeout_seconds)
    outcome = execute(notebook, job.parameters, limits=limits, log=log, isolation=isolation)
    _check_stop(stop)
    died = outcome.reason if outcome.is_dead else ""
    if died:
        outcome = execute(notebook, job.parameters, limits=limits, log=log, isolation="cold")
        _check_stop(stop)
    outcome, page = _render(job, plan, outcome, left_out)
    record = Record(
        slug=job.slug,
        kind=job.kind,
        title=job.title,
        team=job.team,
        quarter=plan.params.quarter,
        notebook=job.notebook.name,
        parameters=job.parameters,
        fingerprint=job.fingerprint,
        snapshot_id=plan.snapshot.id,
        status="failed" if outcome.reason else "complete",
        reason=outcome.reason,
        cell=outcome.cell,
        kernel=outcome.isolation,
        attempts=2 if died else 1,
        died=died,
        seconds=round(time.monotonic() - started, 3),
        built=dt.date.today().isoformat(),
        left_out=tuple((item["section"], item["needs"]) for item in left_out),
        versions=library_versions(),
        **_read_facts(outcome.notebook),
    )
    try:
        write_whole(plan.folder / f"{job.slug}.ipynb", nbformat.writes(outcome.notebook))
        digest = write_whole(plan.folder / f"{job.slug}.html", page)
    except SalesnbError as error:
        return record.model_copy(update={"status": "failed", "reason": str(error)})
    return record.model_copy(update={"sha256": digest})


def _check_stop(stop: threading.Event | None) -> None:
    if stop is not None and stop.is_set():
        raise CancelledError


def leave_out(
    notebook: NotebookNode, snapshot: Snapshot
) -> tuple[NotebookNode, list[dict[str, str]]]:
    """Drop the cells whose tag `needs:<table>` names a table the snapshot does not have.

    Returns
    -------
    notebook
        A copy without them.
    left_out
        `section` (the heading they stand under) and `needs`, each pair once.
    """
    kept, dropped = [], []
    section = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.lstrip().startswith("#"):
            section = cell.source.lstrip().splitlines()[0].lstrip("# ").strip()
        absent = [table for table in needed_tables(cell) if not snapshot.has(table)]
        if not absent:
            kept.append(cell)
            continue
        entry = {"section": section, "needs": ", ".join(absent)}
        if entry not in dropped:
            dropped.append(entry)
    copy = nbformat.from_dict({**notebook, "cells": kept})
    return copy, dropped


@dataclass(frozen=True)
class Limits:
    """Longest time in seconds for one cell, and for all of a report."""

    cell: int
    report: int


def execute(
    notebook: NotebookNode, parameters: Parameters, *, limits: Limits, log: Path,
    isolation: Isolation = "cold",
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
    """
    token = secrets.token_hex(16)
    watched = _without_outputs(notebook)
    watched.cells.append(nbformat.v4.new_code_cell(_WATCH.format(token=token, kind=KIND)))
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
                execution_timeout=limits.cell,
                **kernel_options(Path(folder), log, isolation=isolation),
            )
        except Exception as error:  # whatever it is, it is this report's failure alone
            failure = error
        if output.is_file():
            try:
                done = nbformat.read(output, as_version=4)
            except Exception as error:  # the disk was full: half a notebook
                failure = failure or error
    reason, cell = _judge(done, token, failure, timeout_seconds=limits.cell)
    said = _said(done.cells[-1]) if done.cells else ""
    started: Isolation = "warm" if f"{token} warm" in said else "cold"
    is_dead = _is_dead(failure) and not late.is_set()
    if reason and late.is_set():
        limit = f"{limits.report} s in all (report_timeout_seconds)"
        reason = f"{_name(cell)} was running when the report had taken {limit}"
    return Outcome(_strip(done, token), reason, cell, started, is_dead)


@contextmanager
def _ended_after(seconds: int, log: Path, late: threading.Event) -> Iterator[None]:
    """End the kernel of a log after so many seconds, and say so in `late`."""

    def end() -> None:
        late.set()
        end_kernels(log)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _is_dead(failure: Exception | None) -> bool:
    """Whether the kernel ended, or never spoke; a cell that raised or took too long is no such."""
    return isinstance(failure, DeadKernelError) or (
        isinstance(failure, RuntimeError) and "Kernel died" in str(failure)
    )


def _without_outputs(notebook: NotebookNode) -> NotebookNode:
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
        return f"{_name(cell)} raised {_one_line(failure.ename, failure.evalue)}", cell
    cell = _last_started(done)
    if isinstance(failure, CellTimeoutError):
        return f"{_name(cell)} took longer than {timeout_seconds} s (timeout_seconds)", cell
    if isinstance(failure, DeadKernelError):
        return f"{_name(cell)} ended the kernel: killed, or out of memory", cell
    if failure is not None:
        return _one_line(type(failure).__name__, str(failure)), None
    stopped = [output for cell in done.cells for output in _errors(cell)]
    if stopped:
        return f"{_name(cell)} stopped the kernel ({stopped[0].ename})", cell
    if token not in _said(done.cells[-1]):
        return "the kernel stopped before the notebook's end", None
    return "", None


def _name(cell: int | None) -> str:
    return f"cell {cell}" if cell else "a cell"


def _one_line(name: str, said: str) -> str:
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


def _render(
    job: Job, plan: Plan, outcome: Outcome, left_out: list[dict[str, str]]
) -> tuple[Outcome, str]:
    """Make the page; outputs that no page can be made of are left out and named."""
    outcome.notebook.metadata["salesnb"] = _describe(job, plan, outcome, left_out)
    try:
        return outcome, render_report(outcome.notebook)
    except Exception as error:
        reason = f"its outputs cannot be shown: {_one_line(type(error).__name__, str(error))}"
        bare = Outcome(_without_outputs(outcome.notebook), outcome.reason or reason, outcome.cell)
        bare.notebook.metadata["salesnb"] = _describe(job, plan, bare, left_out)
        return bare, render_report(bare.notebook)


def _read_facts(notebook: NotebookNode) -> dict[str, Any]:
    """Collect what blocks say of themselves for the portal; the first of each kind counts."""
    found: dict[str, Any] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            told = read_facts(output.get("data", {}).get(FACTS_MIME))
            found = {**told, **found}
    return found


def _describe(
    job: Job, plan: Plan, outcome: Outcome, left_out: list[dict[str, str]]
) -> dict[str, Any]:
    """Write what the page's header and footer say."""
    measures, params = plan.measures, plan.params
    people = (
        len(measures.members(str(job.parameters["team"]), params.quarter)) if job.team else None
    )
    return {
        "title": job.title,
        "kicker": job.kind,
        "company": measures.company.name,
        "quarter": params.quarter,
        "team": job.team,
        "as_of": measures.as_of.isoformat(),
        "meta": f"{people} people" if people is not None else "",
        "notice": PURPOSE,
        "status": "incomplete" if outcome.reason else "complete",
        "reason": outcome.reason,
        "left_out": left_out,
        "links": [["All reports", "index.html"]],
        "provenance": [
            ["Snapshot", plan.snapshot.id],
            ["Data as of", measures.as_of.isoformat()],
            ["Files", ", ".join(item.name for item in plan.snapshot.index.originals)],
            ["Notebook", job.notebook.name],
            ["Made with", ", ".join(f"{k} {v}" for k, v in library_versions().items())],
        ],
    }
