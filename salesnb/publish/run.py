"""One report: a notebook, executed by papermill with its parameters, published as HTML."""

from __future__ import annotations

import datetime as dt
import secrets
import tempfile
import threading
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError

from salesnb.publish.export import render_report
from salesnb.publish.files import write_whole
from salesnb.publish.kernel import kernel_options, logged
from salesnb.publish.manifest import Parameters, Record, library_versions, read_facts
from salesnb.publish.plan import Job, Plan, needed_tables
from salesnb.sources.snapshot import Snapshot
from salesnb.views.blocks.base import FACTS_MIME

LOGS = "logs"
"""Folder beside the reports for what their kernels wrote to the console."""

PURPOSE = (
    "Personal performance data, for coaching conversations within the team named. "
    "No figure here is by itself a verdict on a person."
)

_MARKER = "papermill-error-cell-tag"
_LONGEST_REASON = 300


@dataclass(frozen=True)
class Outcome:
    """What became of an execution; no reason means that it ran to its end."""

    notebook: NotebookNode
    reason: str = ""
    cell: int | None = None


def run_report(job: Job, plan: Plan, *, stop: threading.Event | None = None) -> Record:
    """Make one report and write `<slug>.html` and `<slug>.ipynb`, each whole.

    Whatever happens in the notebook, the result is a record: a failed report is published as
    incomplete, with the reason and what was finished.

    Parameters
    ----------
    job
        What to run.
    plan
        The batch it belongs to.
    stop
        Once set, nothing is written any more: the batch was interrupted.

    Returns
    -------
    Record
        For the manifest.

    Raises
    ------
    SalesnbError
        A file cannot be written.
    CancelledError
        `stop` was set before the notebook's end.
    """
    started = time.monotonic()
    source = nbformat.read(job.notebook, as_version=4)
    notebook, left_out = leave_out(source, plan.snapshot)
    log = plan.folder / LOGS / f"{job.slug}.log"
    timeout = plan.params.timeout_seconds
    outcome = execute(notebook, job.parameters, timeout_seconds=timeout, log=log)
    if stop is not None and stop.is_set():
        raise CancelledError
    outcome, page = _render(job, plan, outcome, left_out)
    digest = write_whole(plan.folder / f"{job.slug}.html", page)
    write_whole(plan.folder / f"{job.slug}.ipynb", nbformat.writes(outcome.notebook))
    return Record(
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
        seconds=round(time.monotonic() - started, 3),
        built=dt.date.today().isoformat(),
        sha256=digest,
        left_out=tuple((item["section"], item["needs"]) for item in left_out),
        versions=library_versions(),
        **_read_facts(outcome.notebook),
    )


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


def execute(
    notebook: NotebookNode, parameters: Parameters, *, timeout_seconds: int, log: Path
) -> Outcome:
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
    timeout_seconds
        Longest time for one cell.
    log
        File for what the kernel writes to its console and Jupyter has to say.
    """
    token = secrets.token_hex(16)
    watched = _without_outputs(notebook)
    watched.cells.append(nbformat.v4.new_code_cell(f"print({token!r})"))
    failure: Exception | None = None
    done = watched
    with logged(log), tempfile.TemporaryDirectory(prefix="salesnb-") as folder:
        output = Path(folder) / "report.ipynb"
        try:
            papermill.execute_notebook(
                watched,
                output,
                parameters=parameters,
                progress_bar=False,
                execution_timeout=timeout_seconds,
                **kernel_options(Path(folder), log),
            )
        except Exception as error:  # whatever it is, it is this report's failure alone
            failure = error
        if output.is_file():
            try:
                done = nbformat.read(output, as_version=4)
            except Exception as error:  # the disk was full: half a notebook
                failure = failure or error
    reason, cell = _judge(done, token, failure, timeout_seconds=timeout_seconds)
    return Outcome(_strip(done, token), reason, cell)


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
    if not _has_token(done.cells[-1], token):
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


def _has_token(cell: NotebookNode, token: str) -> bool:
    return any(token in output.get("text", "") for output in cell.get("outputs", []))


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
