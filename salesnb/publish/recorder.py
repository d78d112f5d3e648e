"""What happens in a batch, told as it comes and written down."""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import dataclass, field

from salesnb.publish.journal import Journal
from salesnb.publish.kernel import Isolation
from salesnb.publish.manifest import Manifest, Record
from salesnb.publish.plan import Job, Plan
from salesnb.publish.run import run_report


@dataclass(frozen=True)
class Started:
    """A report was begun; `running` with it, `waiting` behind it."""

    job: Job
    running: int
    waiting: int


@dataclass(frozen=True)
class Done:
    """One job's outcome; `is_new` is False where the report was up to date already."""

    job: Job
    record: Record
    is_new: bool


Event = Started | Done
Events = Generator[Event, None, None]


@dataclass
class Recorder:
    """A running batch: what is written down of it, one thread at a time."""

    plan: Plan
    manifest: Manifest
    journal: Journal
    isolation: Isolation
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def make(self, job: Job) -> Record:
        """Make a report and record it in the same thread: an interruption parts them not."""
        record = run_report(job, self.plan, isolation=self.isolation, stop=self.stop)
        self.record(record)
        return record

    def record(self, record: Record) -> None:
        """Write a report down; one that was not written is not, so the page before still counts."""
        if not record.sha256:
            return
        with self.lock:
            before = self.manifest.reports.get(record.slug)
            if before is not None:  # the PDF that is there is still of the same page, or dropped
                record = record.model_copy(update={"pdf": before.pdf})
            self.manifest.reports[record.slug] = record
            self.journal.add("report", record=record)

    def settle(self, record: Record) -> None:
        """Write down what has changed beside a report."""
        with self.lock:
            self.manifest.reports[record.slug] = record
            self.journal.add("settled", record=record)

    def begin(self, job: Job) -> None:
        """Write down that a report is begun."""
        with self.lock:
            self.journal.add("started", slug=job.slug)
