"""What is left when a batch, its kernels, its server or its disk are killed."""

import errno
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import forkserver, resource_tracker

import pytest
from tiny_batch import QUARTER, is_running, make_params, write_notebook, write_notebooks

from salesnb.errors import ParameterError, SalesnbError
from salesnb.publish.batch import run_batch
from salesnb.publish.journal import JOURNAL, locked, read_state
from salesnb.publish.kernel import running_kernels
from salesnb.publish.plan import make_plan
from salesnb.publish.recorder import Done
from salesnb.publish.status import read_status

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes and limits are Linux's")
REPORTS = ("team_review", "company_review", "data_quality")
N_MANY = 500


@pytest.fixture
def folder(tmp_path):
    """Return a folder with notebooks that take a third of a second each."""
    cells = ("# Q?", "import time; time.sleep(0.3)", "quarter, team")
    write_notebooks(tmp_path / "notebooks", **dict.fromkeys(REPORTS, cells))
    return tmp_path


def run(snapshot, folder, **options):
    changes = options.pop("changes", {})
    params = make_params(snapshot, folder, reports=REPORTS, **changes)
    return run_batch(make_plan(params), workers=2, **options)


def start(snapshot, folder):
    """Run the batch in a process of its own."""
    params = folder / "params.yaml"
    params.write_text(
        json.dumps(
            {
                "snapshot": str(snapshot), "quarter": QUARTER, "out": str(folder / "reports"),
                "notebooks": str(folder / "notebooks"), "reports": list(REPORTS),
            }
        )
    )  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-c", "from salesnb.cli import main; main()", "run", str(params), "-j2"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def check(folder):
    """Check that what is recorded is there, whole, and that no page is half a file."""
    reports = folder / "reports" / QUARTER
    records = read_state(reports).manifest.reports
    for slug, record in records.items():
        page = (reports / f"{slug}.html").read_bytes()
        assert hashlib.sha256(page).hexdigest() == record.sha256
        json.loads((reports / f"{slug}.ipynb").read_text(encoding="utf-8"))
    for page in reports.glob("*.html"):
        assert page.read_text(encoding="utf-8").rstrip().endswith("</html>")
    return records


def made_of(folder):
    """Count how often each report was recorded as made."""
    lines = (folder / "reports" / QUARTER / JOURNAL).read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines if line.endswith("}")]
    counts = {}
    for entry in entries:
        if entry["event"] == "report":
            slug = entry["record"]["slug"]
            counts[slug] = counts.get(slug, 0) + 1
    return counts


def kernels_of(process):
    """List the processes below one."""
    import psutil

    try:
        return [one.pid for one in psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


@linux
def test_a_killed_kernel_is_tried_once_more_cold_and_that_is_recorded(tiny_company, folder):
    mark = folder / "killed"
    suicide = (
        f"import os\nif not os.path.exists({str(mark)!r}):\n"
        f"    open({str(mark)!r}, 'w').close()\n    os.kill(os.getpid(), 9)"
    )
    write_notebook(folder / "notebooks" / "data_quality.ipynb", "# Q?", suicide, "'shown'")
    records = run(tiny_company, folder).done
    record = next(one.record for one in records if one.job.slug == "data-quality")
    assert (record.status, record.kernel, record.attempts) == ("complete", "cold", 2)
    assert record.died == "cell 3 ended the kernel: killed, or out of memory"
    others = [one.record for one in records if one.job.slug != "data-quality"]
    assert {(one.kernel, one.attempts, one.died) for one in others} == {("warm", 1, "")}


@linux
def test_a_kernel_that_is_always_killed_fails_its_report_alone(tiny_company, folder):
    write_notebook(
        folder / "notebooks" / "data_quality.ipynb", "# Q?", "import os; os.kill(os.getpid(), 9)"
    )
    result = run(tiny_company, folder)
    (failed,) = result.failed
    assert failed.record.attempts == 2
    assert failed.record.reason == "cell 3 ended the kernel: killed, or out of memory"
    assert len(check(folder)) == 4


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("1 / 0", "cell 3 raised ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(0)", "cell 3 stopped the kernel (SystemExit)"),
        ("import time; time.sleep(60)", "cell 3 took longer than 3 s (timeout_seconds)"),
    ],
)
def test_what_no_second_try_would_mend_is_not_tried_again(tiny_company, folder, cell, reason):
    write_notebook(folder / "notebooks" / "data_quality.ipynb", "# Q?", cell)
    result = run(tiny_company, folder, changes={"timeout_seconds": 3})
    (failed,) = result.failed
    assert (failed.record.reason, failed.record.attempts) == (reason, 1)
    assert len(check(folder)) == 4
    assert running_kernels() == ()


@linux
def test_when_the_server_is_killed_its_kernels_die_and_all_is_made_again(tiny_company, folder):
    killed = []

    def kill():
        until = time.monotonic() + 60
        while not running_kernels() and time.monotonic() < until:
            time.sleep(0.01)
        killed.append(forkserver._forkserver._forkserver_pid)
        os.kill(killed[0], signal.SIGKILL)

    run(tiny_company, folder)
    killer = threading.Thread(target=kill)
    killer.start()
    result = run(tiny_company, folder, force=True)
    killer.join()
    assert killed
    assert not result.failed
    assert len(check(folder)) == 4


@linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_after_a_signal_to_the_batch_a_new_run_completes_it(tiny_company, folder, number):
    process = start(tiny_company, folder)
    journal = folder / "reports" / QUARTER / JOURNAL
    until = time.monotonic() + 60
    while not (journal.exists() and b'"report"' in journal.read_bytes()):
        assert time.monotonic() < until
        time.sleep(0.02)
    below = kernels_of(process)
    os.kill(process.pid, number)
    process.wait(30)
    before = check(folder)
    assert 1 <= len(before) < 4 or number != signal.SIGKILL
    until = time.monotonic() + 10
    while any(map(is_running, below)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(is_running, below))
    if number == signal.SIGKILL:
        assert not read_status(journal.parent).is_whole
    result = run(tiny_company, folder)
    assert not result.failed
    assert {one.job.slug for one in result.done if not one.is_new} == set(before)
    assert set(made_of(folder).values()) == {1}
    assert len(check(folder)) == 4


@linux
@pytest.mark.parametrize("n_kills", [2, pytest.param(100, marks=pytest.mark.bench)])
def test_after_random_kills_every_report_is_complete_and_none_was_made_twice(
    tiny_company, folder, n_kills
):
    """A batch that was whole begins anew in an empty folder."""
    luck, reports = random.Random(n_kills), folder / "reports"
    for _ in range(n_kills):
        process = start(tiny_company, folder)
        time.sleep(luck.uniform(1.0, 5.0))
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        if (reports / QUARTER / JOURNAL).is_file() and len(check(folder)) == 4:
            assert set(made_of(folder).values()) == {1}
            shutil.rmtree(reports)
    assert not run(tiny_company, folder).failed
    assert set(made_of(folder).values()) == {1}
    assert len(check(folder)) == 4
    assert not list((reports / QUARTER).glob(".*.tmp"))


@linux
@pytest.mark.bench
def test_five_hundred_reports_leave_nothing_behind(tiny_company, folder):
    """Nothing is lost, and neither processes, open files nor memory grow."""
    import psutil

    cells = ("# Q?", "import pandas as pd, matplotlib.pyplot as plt", "plt.plot([1, 2]); quarter")
    write_notebook(folder / "notebooks" / "data_quality.ipynb", *cells)
    params = make_params(tiny_company, folder, reports=("data_quality",))
    plan = make_plan(params)
    (job,) = plan.jobs
    jobs = tuple(replace(job, slug=f"report-{number:03}") for number in range(N_MANY))
    process, seen = psutil.Process(), []

    def look(event):
        if isinstance(event, Done):
            own = process.memory_full_info().uss
            seen.append((own, process.num_fds(), process.num_threads()))

    result = run_batch(replace(plan, jobs=jobs), workers=2, on_event=look)
    assert not result.failed
    assert len(check(folder)) == N_MANY
    assert set(made_of(folder).values()) == {1}
    assert running_kernels() == ()
    ours = {forkserver._forkserver._forkserver_pid, resource_tracker._resource_tracker._pid}
    assert {one.pid for one in process.children(recursive=True)} <= ours
    (early, files, threads), (late, files_now, threads_now) = seen[N_MANY // 5], seen[-1]
    assert files_now <= files + 2
    assert threads_now <= threads + 2
    assert late - early < 20_000_000


@contextmanager
def small_disk(path, options="size=2m"):
    """Mount a disk of two megabytes; skipped where that is not allowed."""
    path.mkdir()
    options = ["-t", "tmpfs", "-o", options, "tmpfs", str(path)]
    if (
        shutil.which("mount") is None
        or subprocess.run(["mount", *options], capture_output=True, check=False).returncode
    ):
        pytest.skip("no disk can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@linux
def test_a_disk_that_fills_up_fails_what_did_not_fit_and_keeps_the_rest(
    tiny_company, folder, monkeypatch
):
    monkeypatch.setattr("salesnb.publish.plan._ROOM", 0)
    big = "from IPython.display import HTML; HTML('<p>' + 'x' * 3_000_000 + '</p>')"
    write_notebook(folder / "notebooks" / "data_quality.ipynb", "# Q?", big)
    with small_disk(folder / "reports"):
        result = run(tiny_company, folder)
        (failed,) = result.failed
        assert failed.job.slug == "data-quality"
        assert "cannot be written (No space left on device)" in failed.record.reason
        assert set(check(folder)) == {"north", "r-d-red-x-red", "company"}
        write_notebook(folder / "notebooks" / "data_quality.ipynb", "# Q?", "'small'")
        again = run(tiny_company, folder)
        assert {one.job.slug for one in again.done if one.is_new} == {"data-quality"}
        assert len(check(folder)) == 4


@linux
def test_a_folder_that_cannot_be_written_is_named_before_any_report(tiny_company, folder):
    with small_disk(folder / "reports", options="ro"):
        with pytest.raises(ParameterError, match="reports"):
            run(tiny_company, folder)
        assert running_kernels() == ()


@linux
def test_a_folder_that_becomes_read_only_ends_the_batch_and_keeps_what_is_there(
    tiny_company, folder, monkeypatch
):
    def refuse(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def forbid(event):
        if isinstance(event, Done):
            monkeypatch.setattr("salesnb.publish.journal.os.write", refuse)
            monkeypatch.setattr("salesnb.publish.files.os.open", refuse)

    with pytest.raises(SalesnbError, match=r"cannot be written \(Read-only file system\)"):
        run(tiny_company, folder, on_event=forbid)
    monkeypatch.undo()
    assert running_kernels() == ()
    before = check(folder)
    assert 1 <= len(before) < 4
    again = run(tiny_company, folder)
    assert {one.job.slug for one in again.done if not one.is_new} == set(before)
    assert len(check(folder)) == 4


def test_two_batches_into_one_folder_are_refused(tiny_company, folder):
    run(tiny_company, folder)
    with (
        locked(folder / "reports" / QUARTER),
        pytest.raises(ParameterError, match="another batch is writing there"),
    ):
        run(tiny_company, folder)
    assert not run(tiny_company, folder).failed


def test_half_a_line_of_the_journal_is_passed_over(tiny_company, folder):
    """A batch that is killed has not put links into its pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("salesnb.publish.batch.gather", lambda _: ())
        run(tiny_company, folder)
    journal = folder / "reports" / QUARTER / JOURNAL
    content = journal.read_bytes()
    cut = content.rindex(b'{"event":"report"') + 40
    journal.write_bytes(content[:cut])
    known = read_state(journal.parent).manifest.reports
    assert len(known) == 3
    result = run(tiny_company, folder)
    assert len([one for one in result.done if one.is_new]) == 1
    assert len(check(folder)) == 4


def test_reports_are_begun_only_where_there_is_memory(tiny_company, folder, monkeypatch):
    most = []
    monkeypatch.setattr("salesnb.publish.memory.available", lambda: 10)
    run(tiny_company, folder, on_event=lambda event: most.append(getattr(event, "running", 0)))
    assert max(most) == 1
    monkeypatch.setattr("salesnb.publish.memory.available", lambda: 10**12)
    run(tiny_company, folder, force=True, on_event=lambda e: most.append(getattr(e, "running", 0)))
    assert max(most) == 2
