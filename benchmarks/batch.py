"""What does a batch cost? Beside papermill and nbconvert as used today, and the cells alone.

24 team reviews of the sample company (eight teams, three quarters), each way in a process of its
own, one after the other, with the measures already computed; then batches of 12, 48 and 200.
Processor time is that of all processes, those that outlive their parents included.

Run `python benchmarks/batch.py`: half an hour of two idle cores.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, replace
from io import StringIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
from rates_recovery import Report

from salesnb.analysis.pipeline import load_pipeline_scores
from salesnb.measures.cache import load_measures, share_folder
from salesnb.measures.shared import SHARE
from salesnb.params import RunParams
from salesnb.publish.kernel import ONE_THREAD
from salesnb.publish.memory import proportional_size
from salesnb.publish.plan import Job, Plan, make_plan
from salesnb.sources.load import import_snapshot
from salesnb.sources.sample import sample_company

ROOT = Path(__file__).parents[1]
QUARTERS, SIZES, REPS = ("2026Q1", "2026Q2", "2026Q3"), (12, 48, 200), 240
WORKERS = 2
LESS_WALL, LESS_CPU, POOL_WALL, POOL_CPU, FLOOR = 6.0, 3.5, 1.8, 2.0, 1.6
LINEAR, GROWTH = 1.25, 1.15
"""Most that a report of the largest batch may cost, and the batch need, over the smallest."""

SUBREAPER = 36  # PR_SET_CHILDSUBREAPER: processes whose parent is gone come to this one
_LOOK = 1.0  # seconds between two looks at memory


@dataclass(frozen=True)
class Cost:
    """What some reports took: seconds by the clock and of processors, bytes at the peak (PSS)."""

    n: int
    wall: float
    cpu: float
    peak: int
    told: dict[str, Any]

    def __str__(self) -> str:
        """Give what one report took."""
        each = f"{self.wall / self.n:.2f} s, CPU {self.cpu / self.n:.2f} s"
        return f"{each}, peak {self.peak / 1e6:.0f} MB"


def measure(n: int, *commands: list[str]) -> Cost:
    """Run commands one after the other, and add up what they and all below them took."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    peak, done = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(peak, done), daemon=True)
    watcher.start()
    told = ""
    for command in commands:
        ran = subprocess.run(command, capture_output=True, check=False)
        if ran.returncode:
            raise SystemExit(f"{command} failed:\n{ran.stderr.decode()[-3000:]}")
        told = ran.stdout.decode()
    wall = time.perf_counter() - start
    with suppress(ChildProcessError):  # those that outlived their parents
        while True:
            os.waitpid(-1, 0)
    done.set()
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    last = told.strip().splitlines()[-1] if told.strip() else ""
    return Cost(n, wall, cpu, peak[0], json.loads(last) if last.startswith("{") else {})


def _watch(peak: list[int], done: threading.Event) -> None:
    while not done.wait(_LOOK):
        with suppress(psutil.Error):
            below = psutil.Process().children(recursive=False)
            peak[0] = max(peak[0], sum(proportional_size(one.pid) for one in below))


def plans(folder: Path, snapshot: str = "", quarters: tuple[str, ...] = QUARTERS) -> list[Plan]:
    """Plan the team reviews of each quarter."""
    given: dict[str, Any] = {"snapshot": snapshot, "reports": ["team_review"], "out": folder}
    notebooks = ROOT / "notebooks"
    return [
        make_plan(RunParams(quarter=quarter, notebooks=notebooks, **given)) for quarter in quarters
    ]


def jobs_of(folder: Path) -> list[Job]:
    """List the 24 team reviews."""
    return [job for plan in plans(folder) for job in plan.jobs]


def by_cli(folder: Path) -> Cost:
    """Papermill and nbconvert on the command line, one report after the other."""
    commands = []
    jobs = jobs_of(folder)
    for number, job in enumerate(jobs):
        made, given = folder / f"{number}.ipynb", folder / f"{number}.yaml"
        given.write_text(json.dumps(job.parameters))
        python = [sys.executable, "-m"]
        commands += [
            [*python, "papermill", str(job.notebook), str(made), "-f", str(given)],
            [*python, "nbconvert", "--to", "html", str(made)],
        ]
    return measure(len(jobs), *commands)


def by_pool(folder: Path) -> None:
    """Papermill and nbconvert called from two processes."""
    spawn = get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=spawn) as pool:
        for _ in pool.map(_make, enumerate(jobs_of(folder)), [folder] * len(QUARTERS) * 99):
            pass


def _make(numbered: tuple[int, Job], folder: Path) -> None:
    import papermill
    from nbconvert import HTMLExporter

    number, job = numbered
    made = folder / f"{number}.ipynb"
    papermill.execute_notebook(job.notebook, made, parameters=job.parameters, progress_bar=False)
    page, _ = HTMLExporter().from_filename(str(made))
    made.with_suffix(".html").write_text(page, encoding="utf-8")


def by_cells(folder: Path) -> None:
    """Run the cells in one process that has loaded everything: the floor of any way to run them."""
    import nbformat
    from IPython.core.interactiveshell import InteractiveShell

    from salesnb.publish.preload import preload
    from salesnb.publish.warm import learn_imports

    shell = InteractiveShell.instance()
    jobs = jobs_of(folder)
    preload(",".join(learn_imports({job.notebook for job in jobs})))
    from matplotlib_inline.backend_inline import _enable_matplotlib_integration

    _enable_matplotlib_integration()  # type: ignore[no-untyped-call]
    sources = {job.notebook: nbformat.read(job.notebook, as_version=4).cells for job in jobs}
    wall, cpu = time.perf_counter(), time.process_time()
    for job in jobs:
        shell.reset()
        for cell in sources[job.notebook]:
            if cell.cell_type == "code":
                with redirect_stdout(StringIO()):
                    ran = shell.run_cell(cell.source)
                ran.raise_error()
                if "parameters" in cell.metadata.get("tags", []):
                    shell.user_ns.update(job.parameters)
    spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    print(json.dumps(spent))


def by_salesnb(folder: Path) -> Cost:
    """Run one command for all quarters."""
    given = folder / "params.yaml"
    given.write_text(
        json.dumps(
            {
                "snapshot": "", "quarter": QUARTERS[0], "reports": ["team_review"],
                "notebooks": str(ROOT / "notebooks"), "out": str(folder / "reports"),
            }
        )
    )  # fmt: skip
    command = [str(Path(sys.executable).with_name("salesnb")), "run", str(given)]
    quarters = [f"--quarter={quarter}" for quarter in QUARTERS]
    cost = measure(len(jobs_of(folder)), [*command, "-j", str(WORKERS), *quarters])
    made = list((folder / "reports").glob("*/*.ipynb"))
    if len(made) != cost.n:
        raise SystemExit(f"{len(made)} of {cost.n} reports")
    return cost


def by_one_batch(folder: Path, n: int, snapshot: str) -> None:
    """Run a batch of so many reviews, the latest quarters first, and tell what is left open."""
    from salesnb.publish.batch import run_batch

    measures = load_measures(snapshot)
    latest = tuple(reversed(measures.periods))
    found = plans(folder, snapshot, latest)
    named = [(job, plan.params.quarter) for plan in found for job in plan.jobs]
    jobs = [replace(job, slug=f"{job.slug}-{quarter}") for job, quarter in named]
    if len(jobs) < n:
        raise SystemExit(f"only {len(jobs)} reviews")
    result = run_batch(replace(found[0], jobs=tuple(jobs[:n])), workers=WORKERS)
    process = psutil.Process()
    told = {
        "failed": len(result.failed),
        "made": len(result.done),
        "files": process.num_fds(),
        "threads": process.num_threads(),
        "own": proportional_size(os.getpid()),
    }
    print(json.dumps(told))


def _this(way: str, folder: Path, *more: str) -> list[str]:
    return [sys.executable, str(Path(__file__)), "--way", way, "--folder", str(folder), *more]


def report_ways(report: Report, folder: Path) -> None:
    """Compare the ways over the same 24 reviews."""
    measures = load_measures()
    load_pipeline_scores()
    shared = share_folder(measures)
    ways: dict[str, Callable[[Path], Cost]] = {
        "salesnb": by_salesnb,
        "the cells": lambda f: _floor(measure(24, _this("cells", f))),
        "the cells, all shared": lambda f: _with_share(shared, f),
        "two processes": lambda f: measure(24, _this("pool", f)),
        "command line": by_cli,
    }
    costs = {}
    for name, run in ways.items():
        if name == "salesnb":
            shutil.rmtree(shared, ignore_errors=True)
        home = folder / name.replace(" ", "-").replace(",", "")
        home.mkdir()
        costs[name] = run(home)
        report.console.print(f"{name}: a report {costs[name]}")
    ours = costs["salesnb"]
    for name, wall, cpu in (
        ("command line", LESS_WALL, LESS_CPU),
        ("two processes", POOL_WALL, POOL_CPU),
    ):
        other = costs[name]
        for what, least, ratio in (
            ("clock", wall, other.wall / ours.wall),
            ("CPU", cpu, other.cpu / ours.cpu),
        ):
            report.add(
                f"{what}: {name} over salesnb", str(other), ratio, f">= {least}",
                is_met=ratio >= least,
            )  # fmt: skip
    for name in ("the cells", "the cells, all shared"):
        floor = costs[name]
        ratio = ours.wall / floor.wall
        report.add(
            f"clock: salesnb over {name}", str(floor), ratio, f"<= {FLOOR}", is_met=ratio <= FLOOR
        )
        ratio = ours.cpu / floor.cpu
        report.add(f"CPU: salesnb over {name}", str(floor), ratio, "-", is_met=True)


def _floor(cost: Cost) -> Cost:
    """Take what the cells took, without what loading did."""
    return replace(cost, wall=cost.told["wall"], cpu=cost.told["cpu"])


def _with_share(shared: Path, folder: Path) -> Cost:
    os.environ[SHARE] = str(shared)
    try:
        return _floor(measure(24, _this("cells", folder)))
    finally:
        del os.environ[SHARE]


def report_growth(report: Report, folder: Path) -> None:
    """Run ever larger batches of a larger sample company, each from an empty folder."""
    export = sample_company(folder / "export", reps=REPS)
    snapshot = str(import_snapshot(export, to=folder / "snapshot").folder)
    load_pipeline_scores(snapshot)
    shared = share_folder(load_measures(snapshot))
    costs = []
    for n in SIZES:
        shutil.rmtree(shared, ignore_errors=True)
        way = _this("batch", folder / str(n), "--n", str(n), "--snapshot", snapshot)
        costs.append(measure(n, way))
        report.console.print(f"{n} reports: each {costs[-1]}; {costs[-1].told}")
    first, last = costs[0], costs[-1]
    told = [cost.told for cost in costs]
    lost = sum(one["failed"] + n - one["made"] for n, one in zip(SIZES, told, strict=True))
    report.add("reports lost or failed", "-", lost, "0", is_met=lost == 0)
    for what, now, before, most in (
        ("CPU of a report, 200 over 12", last.cpu / last.n, first.cpu / first.n, LINEAR),
        ("peak of memory, 200 over 12", last.peak, first.peak, GROWTH),
        ("memory of the driver", last.told["own"], first.told["own"], GROWTH),
        ("open files of the driver", last.told["files"], first.told["files"], 1.0),
    ):
        report.add(what, f"{before:.3g}", now / before, f"<= {most}", is_met=now <= most * before)


def main() -> None:
    """Run all, or one way on its own, as the comparison starts them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--way", default="")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--n", type=int, default=0)
    parser.add_argument("--snapshot", default="")
    parser.add_argument("--only", default="", help="ways or growth")
    asked = parser.parse_args()
    if asked.way:
        ways = {"pool": by_pool, "cells": by_cells}
        if asked.way == "batch":
            by_one_batch(asked.folder, asked.n, asked.snapshot)
        else:
            ways[asked.way](asked.folder)
        return
    os.environ.update(ONE_THREAD)
    ctypes.CDLL(None).prctl(SUBREAPER, 1)
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["SALESNB_CACHE"] = str(folder / "cache")
        parts = {"ways": report_ways, "growth": report_growth}
        for part, run in parts.items():
            if asked.only in ("", part):
                run(report, folder)
    report.close()


if __name__ == "__main__":
    main()
