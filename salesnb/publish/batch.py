"""Many reports: run side by side, recorded one by one, gathered in a portal."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from salesnb.analysis.pipeline import load_pipeline_scores
from salesnb.errors import SalesnbError
from salesnb.publish.files import write_whole
from salesnb.publish.journal import Journal, locked, read_state, remove_others
from salesnb.publish.kernel import ONE_THREAD, Isolation, end_kernels, running_kernels
from salesnb.publish.kinds import KINDS, PIPELINE
from salesnb.publish.manifest import Manifest, Record, write_manifest
from salesnb.publish.memory import Memory
from salesnb.publish.plan import PORTAL, Job, Plan
from salesnb.publish.portal import PortalEntry, render_portal
from salesnb.publish.recorder import Done, Event, Events, Recorder, Started
from salesnb.publish.warm import learn_imports, start_server

_LOOK = 0.5
"""Seconds between two looks at the memory that reports need."""


@dataclass(frozen=True)
class BatchResult:
    """What a batch left behind."""

    portal: Path
    done: tuple[Done, ...]

    @property
    def failed(self) -> tuple[Done, ...]:
        """Reports that did not finish."""
        return tuple(item for item in self.done if item.record.status == "failed")

    @property
    def slowest(self) -> tuple[Done, ...]:
        """Reports made now, the slowest first."""
        made = [item for item in self.done if item.is_new]
        return tuple(sorted(made, key=lambda item: -item.record.seconds))


def run_batch(
    plan: Plan, *, workers: int = 1, force: bool = False, isolation: Isolation = "warm",
    cluster: str = "", on_event: Callable[[Event], None] = lambda _: None,
) -> BatchResult:  # fmt: skip
    """Make all reports of a plan that are not up to date, then the portal.

    A failed report does not stop the others. Every report is in the journal before the next thing
    is done, so that what an interrupted or killed batch has finished is not made again. An
    interruption (an exception in this thread, such as KeyboardInterrupt, or from `on_event`) ends
    all kernels; journal, manifest, files and portal agree also then.

    Parameters
    ----------
    plan
        From `make_plan`.
    workers
        Reports made at the same time, each in a kernel process of its own; fewer where memory is
        short.
    force
        Make reports again that are up to date.
    isolation
        `warm`: kernels are forked from a process that has loaded everything (Linux); `cold`: each
        is started from nothing. What they give is the same.
    cluster
        Address of a Dask scheduler whose workers make the reports instead, into the same folder,
        which all must reach.
    on_event
        Called with each report that is begun or done, as it comes.

    Returns
    -------
    BatchResult

    Raises
    ------
    ParameterError
        Another batch is writing into the folder, or there is no such cluster.
    SalesnbError
        A file cannot be written; the reports made before are complete.
    """
    with locked(plan.folder):
        manifest = read_state(plan.folder).manifest
        remove_others(plan.folder, manifest, plan.privacy.tag)
        manifest.left_out = plan.left_out
        with closing(Journal(plan.folder)) as journal:
            run = Recorder(plan, manifest, journal, isolation)
            slugs = tuple(job.slug for job in plan.jobs)
            journal.add("began", slugs=slugs, left_out=plan.left_out)
            return _run(run, workers=workers, force=force, cluster=cluster, on_event=on_event)


def _run(
    run: Recorder, *, workers: int, force: bool, cluster: str, on_event: Callable[[Event], None]
) -> BatchResult:
    current, waiting = _part(run, force=force)
    done = [Done(job, record, is_new=False) for job, record in current]
    portal = run.plan.folder / f"{PORTAL}.html"
    try:
        for item in done:
            on_event(item)
        with closing(_make_all(run, waiting, workers=workers, cluster=cluster)) as events:
            for event in events:
                if isinstance(event, Done):
                    done.append(event)
                on_event(event)
    finally:
        write_manifest(run.manifest, run.plan.folder)
        write_whole(portal, _render(run.plan, run.manifest))
    run.journal.add("ended")
    return BatchResult(portal, tuple(done))


def _learn_once(plan: Plan, waiting: list[Job]) -> None:
    """Learn the chances that several reports read, before they all do at the same time.

    What is wrong with them is left for the reports to say.
    """
    if any(job.notebook.stem == PIPELINE for job in waiting):
        day = plan.params.as_of.isoformat() if plan.params.as_of else ""
        with suppress(SalesnbError):
            load_pipeline_scores(plan.params.snapshot, as_of=day)


def _part(run: Recorder, *, force: bool) -> tuple[list[tuple[Job, Record]], list[Job]]:
    """Part the jobs whose reports are up to date, with those, from those to be made."""
    current, waiting = [], []
    for job in run.plan.jobs:
        known = None if force else run.manifest.reports.get(job.slug)
        if known is not None and known.is_current(job.fingerprint, run.plan.folder):
            current.append((job, known))
        else:
            waiting.append(job)
    return current, waiting


def _make_all(run: Recorder, jobs: list[Job], *, workers: int, cluster: str) -> Events:
    if cluster and jobs:
        from salesnb.publish.cluster import make_on_cluster  # an extra

        return make_on_cluster(run, jobs, address=cluster)
    if run.isolation == "warm" and jobs:
        start_server(learn_imports({job.notebook for job in jobs}), ONE_THREAD)
    _learn_once(run.plan, jobs)
    return _make_here(run, jobs, workers=workers)


def _make_here(run: Recorder, jobs: list[Job], *, workers: int) -> Events:
    """Make reports in threads of this process, as many at a time as fit into memory."""
    waiting, running, memory = deque(jobs), dict[Future[Record], Job](), Memory()
    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < workers and _fits(memory, running):
                    job = waiting.popleft()
                    run.begin(job)
                    running[pool.submit(run.make, job)] = job
                    yield Started(job, len(running), len(waiting))
                ended, _ = wait(running, timeout=_LOOK, return_when=FIRST_COMPLETED)
                memory.look(running_kernels())
                for future in ended:
                    yield Done(running.pop(future), future.result(), is_new=True)
        except BaseException:
            run.stop.set()
            _end(list(running))
            raise


def _fits(memory: Memory, running: dict[Future[Record], Job]) -> bool:
    """Whether one more report may be begun; the first always may."""
    return not running or memory.admits(running_kernels())


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
