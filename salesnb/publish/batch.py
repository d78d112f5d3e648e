"""Many reports: run side by side, recorded one by one, gathered in a portal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from salesnb.analysis.pipeline import load_pipeline_scores
from salesnb.errors import SalesnbError
from salesnb.publish.files import write_whole
from salesnb.publish.kernel import end_kernels
from salesnb.publish.kinds import KINDS, PIPELINE
from salesnb.publish.manifest import Manifest, Record, read_manifest, write_manifest
from salesnb.publish.plan import PORTAL, Job, Plan
from salesnb.publish.portal import PortalEntry, render_portal
from salesnb.publish.run import run_report


@dataclass(frozen=True)
class Done:
    """One job's outcome; `is_new` is False where the report was up to date already."""

    job: Job
    record: Record
    is_new: bool


@dataclass(frozen=True)
class BatchResult:
    """What a batch left behind."""

    portal: Path
    done: tuple[Done, ...]

    @property
    def failed(self) -> tuple[Done, ...]:
        """Reports that did not finish."""
        return tuple(item for item in self.done if item.record.status == "failed")


@dataclass(frozen=True)
class _Run:
    """A running batch, as its threads share it."""

    plan: Plan
    manifest: Manifest
    stop: threading.Event
    lock: threading.Lock

    def make(self, job: Job) -> Record:
        """Make a report and record it in the same thread: an interruption parts them not."""
        record = run_report(job, self.plan, stop=self.stop)
        with self.lock:
            self.manifest.reports[job.slug] = record
            write_manifest(self.manifest, self.plan.folder)
        return record


def run_batch(
    plan: Plan,
    *,
    workers: int = 1,
    force: bool = False,
    on_done: Callable[[Done], None] = lambda _: None,
) -> BatchResult:
    """Make all reports of a plan that are not up to date, then the portal.

    A failed report does not stop the others. The manifest is written after every report, so
    that what an interrupted batch has finished is not made again. An interruption (an exception
    in this thread, such as KeyboardInterrupt, or from `on_done`) ends all kernels; manifest,
    files and portal agree also then.

    Parameters
    ----------
    plan
        From `make_plan`.
    workers
        Reports made at the same time, each in a kernel process of its own.
    force
        Make reports again that are up to date.
    on_done
        Called with each outcome as it comes.

    Returns
    -------
    BatchResult

    Raises
    ------
    SalesnbError
        A file cannot be written; the reports made before are complete.
    """
    manifest = read_manifest(plan.folder)
    manifest.left_out = plan.left_out
    run = _Run(plan, manifest, threading.Event(), threading.Lock())
    portal = plan.folder / f"{PORTAL}.html"
    done = []
    try:
        with closing(_outcomes(run, workers=workers, force=force)) as outcomes:
            for item in outcomes:
                done.append(item)
                on_done(item)
    finally:
        write_manifest(manifest, plan.folder)
        write_whole(portal, _render(plan, manifest))
    return BatchResult(portal, tuple(done))


def _learn_once(plan: Plan, waiting: list[Job]) -> None:
    """Learn the chances that several reports read, before they all do at the same time.

    What is wrong with them is left for the reports to say.
    """
    if any(job.notebook.stem == PIPELINE for job in waiting):
        day = plan.params.as_of.isoformat() if plan.params.as_of else ""
        with suppress(SalesnbError):
            load_pipeline_scores(plan.params.snapshot, as_of=day)


def _outcomes(run: _Run, *, workers: int, force: bool) -> Generator[Done, None, None]:
    plan = run.plan
    known = {} if force else dict(run.manifest.reports)
    current = {
        job.slug: known[job.slug]
        for job in plan.jobs
        if job.slug in known and known[job.slug].is_current(job.fingerprint, plan.folder)
    }
    for job in plan.jobs:
        if job.slug in current:
            yield Done(job, current[job.slug], is_new=False)
    waiting = [job for job in plan.jobs if job.slug not in current]
    _learn_once(plan, waiting)
    futures: dict[Future[Record], Job] = {}
    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            futures.update((pool.submit(run.make, job), job) for job in waiting)
            for future in as_completed(futures):
                yield Done(futures[future], future.result(), is_new=True)
        except BaseException:
            run.stop.set()
            _end(list(futures))
            raise


def _end(futures: list[Future[Record]]) -> None:
    """End the kernels of what runs and wait for its threads; what has not begun never will."""
    running = [future for future in futures if not future.cancel()]
    while wait(running, timeout=0.1).not_done:
        end_kernels()  # again and again: a thread may be about to start one


def _render(plan: Plan, manifest: Manifest) -> str:
    order = {kind.label: place for place, kind in enumerate(KINDS.values())}
    records = sorted(
        manifest.reports.values(), key=lambda r: (order.get(r.kind, len(order)), r.title)
    )
    entries = [
        PortalEntry(
            title=record.title,
            kind=record.kind,
            team=record.team,
            quarter=record.quarter,
            href=f"{record.slug}.html",
            status="complete" if record.status == "complete" else "incomplete",
            reason=record.reason,
            headline=record.headline,
            evidence=record.evidence,
            kpis=record.kpis,
            built=record.built,
        )
        for record in records
    ]
    entries += [
        PortalEntry(
            title=label,
            kind=label,
            team="",
            quarter=plan.params.quarter,
            href="",
            status="left-out",
            reason=f"It {reason}.",
        )
        for label, reason in manifest.left_out
    ]
    title = plan.params.title or plan.measures.company.name
    return render_portal(entries, title=title, as_of=plan.measures.as_of.isoformat())
