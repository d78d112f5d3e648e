"""Many reports: run side by side, recorded one by one, gathered in a portal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from salesnb.publish.files import write_whole
from salesnb.publish.manifest import Record, read_manifest, write_manifest
from salesnb.publish.plan import Job, Plan
from salesnb.publish.portal import PortalEntry, render_portal
from salesnb.publish.run import run_report

PORTAL = "index.html"


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


def run_batch(
    plan: Plan,
    *,
    workers: int = 1,
    force: bool = False,
    on_done: Callable[[Done], None] = lambda _: None,
) -> BatchResult:
    """Make all reports of a plan that are not up to date, then the portal.

    A failed report does not stop the others. The manifest is written after every report, so
    that what an interrupted batch has finished is not made again.

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
    """
    manifest = read_manifest(plan.folder)
    done = []
    for item in _outcomes(plan, manifest.reports, workers=workers, force=force):
        manifest.reports[item.job.slug] = item.record
        if item.is_new:
            write_manifest(manifest, plan.folder)
        done.append(item)
        on_done(item)
    portal = plan.folder / PORTAL
    write_whole(portal, _render(plan, list(manifest.reports.values())))
    return BatchResult(portal, tuple(done))


def _outcomes(plan: Plan, known: dict[str, Record], *, workers: int, force: bool) -> Iterator[Done]:
    current = {
        job.slug: known[job.slug]
        for job in plan.jobs
        if not force
        and job.slug in known
        and known[job.slug].is_current(job.fingerprint, plan.folder)
    }
    for job in plan.jobs:
        if job.slug in current:
            yield Done(job, current[job.slug], is_new=False)
    waiting = [job for job in plan.jobs if job.slug not in current]
    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures: dict[Future[Record], Job] = {
            pool.submit(run_report, job, plan): job for job in waiting
        }
        try:
            for future in as_completed(futures):
                yield Done(futures[future], future.result(), is_new=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _render(plan: Plan, records: list[Record]) -> str:
    order = {"Company review": 0, "Team review": 1}
    records = sorted(records, key=lambda r: (order.get(r.kind, 2), r.title))
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
    title = plan.params.title or plan.measures.company.name
    return render_portal(entries, title=title, as_of=plan.measures.as_of.isoformat())
