"""One report: a notebook, executed by papermill with its parameters, published as HTML."""

from __future__ import annotations

import datetime as dt
import secrets
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError

from salesnb.errors import NotebookError
from salesnb.publish.export import render_report
from salesnb.publish.files import write_whole
from salesnb.publish.manifest import Record, library_versions
from salesnb.publish.plan import Job, Plan
from salesnb.schema import TABLES
from salesnb.sources.snapshot import Snapshot
from salesnb.views.blocks.base import FACTS_MIME

_NEEDS = "needs:"
_KERNEL = "python3"
_MARKER = "papermill-error-cell-tag"


PURPOSE = (
    "Personal performance data, for coaching conversations within the team named. "
    "No figure here is by itself a verdict on a person."
)


@dataclass(frozen=True)
class Outcome:
    """What became of an execution; no reason means that it ran to its end."""

    notebook: NotebookNode
    reason: str = ""
    cell: int | None = None


def run_report(job: Job, plan: Plan) -> Record:
    """Make one report and write `<slug>.html` and `<slug>.ipynb`, each whole.

    Whatever happens in the notebook, the result is a record: a failed report is published as
    incomplete, with the reason and what was finished. Only an unwritable folder raises.

    Parameters
    ----------
    job
        What to run.
    plan
        The batch it belongs to.

    Returns
    -------
    Record
        For the manifest.
    """
    started = time.monotonic()
    source = nbformat.read(job.notebook, as_version=4)
    notebook, left_out = leave_out(source, plan.snapshot)
    outcome = execute(notebook, job.parameters, timeout_seconds=plan.params.timeout_seconds)
    facts = _read_facts(outcome.notebook)
    outcome.notebook.metadata["salesnb"] = _describe(job, plan, outcome, left_out)
    page = render_report(outcome.notebook)
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
        headline=facts.get("headline", ""),
        evidence=facts.get("evidence", ""),
        kpis=tuple((label, value) for label, value in facts.get("kpis", [])[:4]),
        left_out=tuple((item["section"], item["needs"]) for item in left_out),
        versions=library_versions(),
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
        `section` (the first heading among the dropped cells) and `needs`, once a section.
    """
    kept, dropped = [], []
    section = ""
    for cell in notebook.cells:
        needed = [tag.removeprefix(_NEEDS) for tag in _tags(cell) if tag.startswith(_NEEDS)]
        unknown = [table for table in needed if table not in TABLES]
        if unknown:
            raise NotebookError(f"tag needs:{unknown[0]}: there is no such table.")
        absent = [table for table in needed if not snapshot.has(table)]
        if not absent:
            kept.append(cell)
            continue
        if cell.cell_type == "markdown" and cell.source.lstrip().startswith("#"):
            section = cell.source.lstrip().splitlines()[0].lstrip("# ").strip()
        entry = {"section": section, "needs": ", ".join(absent)}
        if entry not in dropped:
            dropped.append(entry)
    copy = nbformat.from_dict({**notebook, "cells": kept})
    return copy, dropped


def execute(notebook: NotebookNode, parameters: dict[str, str], *, timeout_seconds: int) -> Outcome:
    """Execute a notebook in a kernel of its own and find out whether it really ended.

    Papermill reports a notebook as completed when its kernel was killed, timed out or left by
    `sys.exit`. So a last cell prints a token that only this call knows: without it in the
    outputs the notebook did not run to its end.
    """
    token = secrets.token_hex(16)
    watched = nbformat.from_dict(notebook)
    watched.cells.append(nbformat.v4.new_code_cell(f"print({token!r})"))
    with tempfile.TemporaryDirectory(prefix="salesnb-") as folder:
        output = Path(folder) / "report.ipynb"
        failure: Exception | None = None
        try:
            papermill.execute_notebook(
                watched,
                output,
                parameters=parameters,
                kernel_name=_KERNEL,
                progress_bar=False,
                execution_timeout=timeout_seconds,
            )
        except Exception as error:  # whatever it is, it is this report's failure alone
            failure = error
        done = nbformat.read(output, as_version=4) if output.is_file() else watched
    reason, cell = _judge(done, token, failure)
    return Outcome(_strip(done, token), reason, cell)


def _judge(done: NotebookNode, token: str, failure: Exception | None) -> tuple[str, int | None]:
    """Say in one line why an execution failed, and in which cell; ('', None) when it did not."""
    if isinstance(failure, PapermillExecutionError):
        where = f"cell {failure.exec_count}" if failure.exec_count else "a cell"
        said = f": {failure.evalue}".rstrip(": ") if failure.evalue else ""
        return f"{where} raised {failure.ename}{said}", failure.exec_count
    if failure is not None:
        said = next(iter(str(failure).strip().splitlines()), "")
        return f"{type(failure).__name__}: {said}".rstrip(": "), None
    stopped = [output for cell in done.cells for output in _errors(cell)]
    if stopped:
        return f"a cell stopped the kernel ({stopped[0].ename})", None
    if not _has_token(done.cells[-1], token):
        return "the kernel stopped before the notebook's end", None
    return "", None


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


def _read_facts(notebook: NotebookNode) -> dict[str, Any]:
    """Collect what blocks say of themselves for the portal; the first of each kind counts."""
    facts: dict[str, Any] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for key, value in (output.get("data", {}).get(FACTS_MIME) or {}).items():
                facts.setdefault(key, value)
    return facts


def _describe(
    job: Job, plan: Plan, outcome: Outcome, left_out: list[dict[str, str]]
) -> dict[str, Any]:
    """Write what the page's header and footer say."""
    measures, params = plan.measures, plan.params
    people = len(measures.members(job.parameters["team"], params.quarter)) if job.team else None
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
