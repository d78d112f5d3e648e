"""Many reports: run side by side, recorded one by one, gathered in a portal."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from salesnb.language import speaking
from salesnb.publish.gather import gather
from salesnb.publish.journal import Journal, locked, read_state, remove_others
from salesnb.publish.kernel import Isolation, end_kernels, running_kernels, warm_up
from salesnb.publish.manifest import PORTAL, About, Record
from salesnb.publish.memory import Memory
from salesnb.publish.pdf import Browser, print_reports
from salesnb.publish.plan import Job, Plan
from salesnb.publish.recorder import Done, Event, Events, Recorder, Started

_PATIENCE = 2.0
"""Seconds to wait for another quarter's batch that puts its links into these pages."""
_LOOK = 0.5
"""Seconds between two looks at the memory that reports need."""


@dataclass(frozen=True)
class BatchResult:
    """What a batch left behind."""

    portal: Path
    done: tuple[Done, ...]
    unprinted: tuple[str, ...] = ()
    """Reports whose PDF could not be printed, and why."""
    notes: tuple[str, ...] = ()
    """What beside the reports could not be brought up to date, and why."""

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
    cluster: str = "", browser: Browser | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
) -> BatchResult:  # fmt: skip
    """Make all reports of a plan that are not up to date, then what stands beside them.

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
    browser
        Prints the complete reports as PDF; None leaves the PDFs that are there, dropping those
        whose report has changed.
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
    with speaking(plan.params.language), locked(plan.folder, patience=_PATIENCE):
        manifest = read_state(plan.folder).manifest
        remove_others(plan.folder, manifest, plan.privacy.tag)
        manifest.left_out = plan.left_out
        with closing(Journal(plan.folder)) as journal:
            run = Recorder(plan, manifest, journal, isolation)
            slugs = tuple(job.slug for job in plan.jobs)
            about = About(
                title=plan.params.title or plan.measures.company.name,
                as_of=plan.measures.as_of.isoformat(),
                base_url=plan.params.base_url,
                language=plan.params.language,
            )
            journal.add("began", slugs=slugs, left_out=plan.left_out, about=about)
            return _run(
                run, workers=workers, force=force, cluster=cluster, browser=browser,
                on_event=on_event,
            )  # fmt: skip


def _run(
    run: Recorder, *, workers: int, force: bool, cluster: str, browser: Browser | None,
    on_event: Callable[[Event], None],
) -> BatchResult:  # fmt: skip
    current, waiting = _part(run, force=force)
    done = [Done(job, record, is_new=False) for job, record in current]
    unprinted: tuple[str, ...] = ()
    try:
        for item in done:
            on_event(item)
        with closing(_make_all(run, waiting, workers=workers, cluster=cluster)) as events:
            for event in events:
                if isinstance(event, Done):
                    done.append(event)
                on_event(event)
        if browser is not None:
            unprinted = print_reports(run, browser, workers=workers)
    finally:
        notes = gather(run.plan.folder)
    run.journal.add("ended")
    portal = run.plan.folder / f"{PORTAL}.html"
    return BatchResult(portal, tuple(done), unprinted, notes)


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
        warm_up({job.notebook for job in jobs})
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
