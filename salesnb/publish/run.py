"""One report: a notebook, executed by papermill with its parameters, published as HTML."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from functools import partial
from typing import Any

import nbformat
from nbformat import NotebookNode

from salesnb.analysis.wording import count_people
from salesnb.errors import SalesnbError
from salesnb.language import language, mark, tr, write_day
from salesnb.measures.cache import share_folder
from salesnb.measures.privacy import FEWEST_SHOWN, People
from salesnb.privacy import NAMED, Privacy
from salesnb.publish.execution import Limits, Outcome, execute, one_line, without_outputs
from salesnb.publish.export import render_report
from salesnb.publish.files import hide_in_file, write_whole
from salesnb.publish.guard import inspect_page, inspect_people, without_paths
from salesnb.publish.journal import LOGS
from salesnb.publish.kernel import Isolation
from salesnb.publish.kinds import KINDS, name_kind
from salesnb.publish.manifest import PORTAL, Record, library_versions, read_facts
from salesnb.publish.notebooks import needed_tables, needs_persons, say_texts
from salesnb.publish.plan import Job, Plan
from salesnb.sources.snapshot import Snapshot
from salesnb.views.blocks import EVIDENCE
from salesnb.views.blocks.base import FACTS_MIME

TEAMS_ONLY = mark(
    "This report tells of teams only. Groups of fewer than {n} people are shown together with "
    "others, and parts about single people are left out."
)
PSEUDONYMS = mark(
    "People go by pseudonyms of this quarter; who knows the work may still know who is who."
)
_PRIVACY = {
    "named": mark("named"),
    "pseudonyms": mark("pseudonyms, others each quarter; open opportunities without owners"),
    "team_only": mark("teams only, groups of at least {n} people"),
}
_PERSONS_HIDDEN = mark("people to be told of, which privacy: team_only does not")


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
    source = say_texts(nbformat.read(job.notebook, as_version=4))
    notebook, left_out = leave_out(source, plan.snapshot, plan.privacy)
    log = plan.folder / LOGS / f"{job.slug}.log"
    limits = Limits(plan.params.timeout_seconds, plan.params.report_timeout_seconds)
    attempt = partial(
        execute, notebook, job.parameters, limits=limits, log=log,
        share=share_folder(plan.measures), privacy=plan.privacy,
    )  # fmt: skip
    outcome = attempt(isolation=isolation)
    _check_stop(stop)
    died = outcome.reason if outcome.is_dead else ""
    if died:
        outcome = attempt(isolation="cold")
        _check_stop(stop)
    hide_in_file(log, plan.people)
    outcome, page, executed = _render(job, plan, outcome, left_out)
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
        company=plan.measures.company.name,
        status="failed" if outcome.reason else "complete",
        reason=plan.people.hide(outcome.reason),
        privacy=plan.privacy.tag,
        language=language(),
        cell=outcome.cell,
        kernel=outcome.isolation,
        attempts=2 if died else 1,
        died=plan.people.hide(died),
        seconds=round(time.monotonic() - started, 3),
        built=dt.date.today().isoformat(),
        left_out=tuple((item["section"], item["needs"]) for item in left_out),
        versions=library_versions(),
        **_read_facts(outcome.notebook, plan.people),
    )
    try:
        write_whole(plan.folder / f"{job.slug}.ipynb", executed)
        digest = write_whole(plan.folder / f"{job.slug}.html", page)
    except SalesnbError as error:
        return record.model_copy(update={"status": "failed", "reason": str(error)})
    return record.model_copy(update={"sha256": digest})


def _check_stop(stop: threading.Event | None) -> None:
    if stop is not None and stop.is_set():
        raise CancelledError


def leave_out(
    notebook: NotebookNode, snapshot: Snapshot, privacy: Privacy = NAMED
) -> tuple[NotebookNode, list[dict[str, str]]]:
    """Drop the cells whose tag `needs:<table>` names a table the snapshot does not have.

    In a batch of teams only, `needs:persons` drops what is about single people.

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
        if privacy.mode == "team_only" and needs_persons(cell):
            absent.append(tr(_PERSONS_HIDDEN))
        if not absent:
            kept.append(cell)
            continue
        entry = {"section": section, "needs": ", ".join(absent)}
        if entry not in dropped:
            dropped.append(entry)
    copy = nbformat.from_dict({**notebook, "cells": kept})
    return copy, dropped


def _render(
    job: Job, plan: Plan, outcome: Outcome, left_out: list[dict[str, str]]
) -> tuple[Outcome, str, str]:
    """Make page and file of a notebook; what no page can be made of, or is unsafe, is left out."""
    outcome = replace(outcome, reason=without_paths(outcome.reason))
    bare = without_outputs(outcome.notebook)
    empty = nbformat.from_dict({**bare, "cells": []})
    page = executed = ""
    for notebook in (outcome.notebook, bare, empty):
        outcome = replace(outcome, notebook=notebook)
        notebook.metadata["salesnb"] = _describe(job, plan, outcome, left_out)
        executed = nbformat.writes(notebook)
        page, problem = _try_page(notebook, executed, plan)
        if not problem:
            break
        outcome = replace(outcome, reason=outcome.reason or problem)
    return outcome, page, executed


def _try_page(notebook: NotebookNode, executed: str, plan: Plan) -> tuple[str, str]:
    """Make a page, and say why it cannot be shown; "" where it can."""
    try:
        page = render_report(notebook)
    except Exception as error:
        why = one_line(type(error).__name__, str(error))
        return "", tr("its outputs cannot be shown: {why}", why=why)
    both = f"{page} {executed}"
    problems = (*inspect_page(page), *inspect_people(both, plan.people, plan.privacy))
    why = "; ".join(problems)
    return page, tr("it was not safe to be shown: {why}", why=why) if problems else ""


def _read_facts(notebook: NotebookNode, people: People) -> dict[str, Any]:
    """Collect what blocks say of themselves for the portal; the first of each kind counts.

    Many read the portal, so a finding that names somebody stays in the report.
    """
    found: dict[str, Any] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            told = read_facts(output.get("data", {}).get(FACTS_MIME))
            found = {**told, **found}
    if people.hide(found.get("headline", "")) != found.get("headline", ""):
        found = {**found, "headline": "", "evidence": ""} | next(_further(notebook, people), {})
    return found


def _further(notebook: NotebookNode, people: People) -> Iterator[dict[str, str]]:
    """Find the findings that name nobody, from a block's text: one a line, evidence in English."""
    labels = {label: evidence for evidence, (_, label) in EVIDENCE.items()}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "headline" not in read_facts(output.get("data", {}).get(FACTS_MIME)):
                continue
            for line in "".join(output.data.get("text/plain", "")).splitlines():
                words, _, label = line.removesuffix("]").rpartition(" [")
                if label in labels and people.hide(words) == words:
                    yield {"headline": words, "evidence": labels[label]}


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
        "kicker": name_kind(job.kind),
        "company": measures.company.name,
        "quarter": params.quarter,
        "team": job.team,
        "as_of": measures.as_of.isoformat(),
        "meta": count_people(people) if people is not None else "",
        "notice": _notice(job, plan),
        "status": "incomplete" if outcome.reason else "complete",
        "reason": outcome.reason,
        "left_out": left_out,
        "links": [[tr("All reports"), f"{PORTAL}.html"]],  # others follow: see links
        "provenance": [
            [tr("Snapshot"), plan.snapshot.id],
            [tr("Data as of"), write_day(measures.as_of)],
            [tr("Privacy"), tr(_PRIVACY[plan.privacy.mode], n=FEWEST_SHOWN)],
            [tr("Files"), ", ".join(item.name for item in plan.snapshot.index.originals)],
            [tr("Notebook"), job.notebook.name],
            [tr("Made with"), ", ".join(f"{k} {v}" for k, v in library_versions().items())],
        ],
        "lang": language(),
    }


def _notice(job: Job, plan: Plan) -> str:
    """Say what a report may be used for, if it tells of single people."""
    if job.kind in _IMPERSONAL:
        return ""
    if plan.privacy.mode == "team_only":
        return tr(TEAMS_ONLY, n=FEWEST_SHOWN)
    purpose = plan.params.purpose.text
    return f"{purpose} {tr(PSEUDONYMS)}" if plan.privacy.mode == "pseudonyms" else purpose


_IMPERSONAL = {kind.label for kind in KINDS.values() if not kind.is_personal}
"""Of a customer's own kind of report nobody knows, so it says what it may be used for."""
