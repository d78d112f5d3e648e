"""Batches on a Dask cluster of two processes on this machine."""

import os
import signal
import sys
import time

import dask
import pytest
from distributed import LocalCluster
from tiny_batch import QUARTER, make_params, write_notebook, write_notebooks

from salesnb.errors import ParameterError
from salesnb.publish.batch import run_batch
from salesnb.publish.journal import read_state
from salesnb.publish.plan import make_plan

REPORTS = ("team_review", "company_review", "data_quality")


@pytest.fixture(scope="module")
def cluster():
    # workers may have children of their own: kernels are forked there too
    with (
        dask.config.set({"distributed.worker.daemon": False}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0,
            processes=True,
        ) as made,
    ):  # fmt: skip
        yield made


@pytest.fixture
def plan(tiny_company, tmp_path):
    write_notebooks(tmp_path / "notebooks", **dict.fromkeys(REPORTS, ("# Q?", "quarter")))
    return lambda: make_plan(make_params(tiny_company, tmp_path, reports=REPORTS))


def test_a_cluster_gives_what_this_machine_gives(plan, cluster, tmp_path):
    events = []
    there = run_batch(plan(), cluster=cluster.scheduler_address, on_event=events.append)
    pages = {one.job.slug: one.record.sha256 for one in there.done}
    assert len(pages) == 4
    assert not there.failed
    assert len(events) == 8
    here = run_batch(plan(), workers=2)
    assert {one.is_new for one in here.done} == {False}
    again = run_batch(plan(), workers=2, force=True)
    assert {one.job.slug: one.record.sha256 for one in again.done} == pages
    if sys.platform == "linux":
        assert {one.record.kernel for one in there.done} == {"warm"}


@pytest.mark.skipif(sys.platform != "linux", reason="signals are POSIX")
def test_a_killed_worker_costs_no_report(plan, cluster, tmp_path):
    pid = tmp_path / "pid"
    cell = (
        "import os, time, psutil\n"
        f"if not os.path.exists({str(pid)!r}):\n"
        "    family = psutil.Process().parents()\n"
        "    worker = next(p for p in family if 'spawn_main' in ' '.join(p.cmdline()))\n"
        f"    open({str(pid)!r}, 'w').write(str(worker.pid))\n"
        "    time.sleep(60)"
    )
    write_notebook(tmp_path / "notebooks" / "company_review.ipynb", "# Q?", cell, "'shown'")
    killed = []

    def kill(_):
        until = time.monotonic() + 60
        while not killed and time.monotonic() < until:
            if pid.exists() and pid.read_text():
                killed.append(int(pid.read_text()))
                os.kill(killed[0], signal.SIGKILL)
            time.sleep(0.05)

    events = []

    def tell(event):
        events.append(event)
        if len(events) == 4:
            kill(event)

    result = run_batch(plan(), cluster=cluster.scheduler_address, on_event=tell)
    assert killed
    assert not result.failed
    assert len(read_state(tmp_path / "reports" / QUARTER).manifest.reports) == 4


def test_without_a_scheduler_it_says_so(plan):
    with pytest.raises(
        ParameterError, match=r"cluster: no scheduler answers at 'tcp://127.0.0.1:1'"
    ):
        run_batch(plan(), cluster="tcp://127.0.0.1:1")
