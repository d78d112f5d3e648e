"""What does a large company cost? Seconds and memory, beside hand-written SQL and pandas.

Its import, with all checks, beside a bare `COPY` of the same CSV files to Parquet by DuckDB; then
its measures. Run `python benchmarks/import_and_measure.py`: some fifteen minutes, and 6 GB of
temporary files for 5 million opportunities and 20 million activities; `--rows 200000` is done in a
minute. Every measurement is a process of its own on two processors. Programs take turns; of their
rounds the fastest and the median of memory count. All must have found the same, or the run fails.
Neither salesnb nor the SQL has a memory limit.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHARES = (0.25, 0.5, 1.0)
"""Sizes at which the cost of rows is measured, of `--rows`."""
ROUNDS = {"copy": 3, "import": 3, "scan": 3, "salesnb": 5, "sql": 5, "pandas": 2, "whole": 2}
N_CORES = 2
LARGE = 4_000_000
"""Opportunities from which the targets hold."""

Tables = dict[str, list[str]]
Work = tuple[Callable[[], Any], Callable[[Any, Path], None]]
"""What is measured, and how its result is written."""


@dataclass(frozen=True)
class Cost:
    """What a program took: by the clock, of the processors together, and of memory at its peak."""

    seconds: float
    processor_seconds: float
    megabytes: float


# The company --------------------------------------------------------------------------------


def list_tables(folder: Path) -> Tables:
    """List the files of a snapshot's tables."""
    from salesnb.sources.snapshot import open_snapshot

    snapshot = open_snapshot(folder)
    return {name: [str(path) for path in snapshot.paths(name)] for name in snapshot.index.tables}


# Programs, each run in a process of its own -------------------------------------------------


def prepare_import(snapshot: Path, _: Tables) -> Work:
    from salesnb.sources.load import import_snapshot

    shutil.rmtree(snapshot, ignore_errors=True)  # what is there would be taken over

    def check(imported: Any, _: Path) -> None:
        if imported.report.refused:
            raise AssertionError("a clean company was not accepted whole")

    return lambda: import_snapshot(snapshot.parent / "export", to=snapshot), check


def prepare_copy(snapshot: Path, _: Tables) -> Work:
    import duckdb

    to = snapshot.parent / "copied"
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir()

    def copy() -> None:
        with duckdb.connect() as db:
            for path in sorted((snapshot.parent / "export").glob("*.csv")):
                db.execute(f"copy (from read_csv('{path}')) to '{to / path.stem}.parquet'")

    return copy, lambda nothing, to: None


def prepare_salesnb(snapshot: Path, _: Tables) -> Work:
    from measures_compared import KPIS

    from salesnb.measures.compute import compute_measures
    from salesnb.measures.measures import Measures
    from salesnb.sources.snapshot import open_snapshot

    def write(measures: Measures, to: Path) -> None:
        measures.totals.to_parquet(to / "totals.parquet")
        measures.values.to_parquet(to / "values.parquet")

    opened = open_snapshot(snapshot)
    return lambda: compute_measures(opened, kpis=tuple(KPIS)), write


def prepare_whole(snapshot: Path, _: Tables) -> Work:
    from salesnb.measures.compute import compute_measures
    from salesnb.sources.snapshot import open_snapshot

    opened = open_snapshot(snapshot)
    return lambda: compute_measures(opened), lambda nothing, to: None


def prepare_sql(_: Path, tables: Tables) -> Work:
    from measures_by_sql import measure_by_sql
    from measures_compared import write_sums

    return lambda: measure_by_sql(tables), write_sums


def prepare_pandas(_: Path, tables: Tables) -> Work:
    from measures_by_pandas import measure_by_pandas
    from measures_compared import write_sums

    return lambda: measure_by_pandas(tables), write_sums


def prepare_scan(_: Path, tables: Tables) -> Work:
    from measures_by_sql import scan

    return lambda: scan(tables), lambda nothing, to: None


PROGRAMS = {
    "import": prepare_import, "copy": prepare_copy,
    "scan": prepare_scan, "salesnb": prepare_salesnb, "sql": prepare_sql, "pandas": prepare_pandas,
    "whole": prepare_whole,
}  # fmt: skip


def run_here(program: str, home: Path) -> Cost:
    """Run a program in this process and write what it found."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:N_CORES])
    tables = json.loads((home / "tables.json").read_text(encoding="utf-8"))
    work, write = PROGRAMS[program](home / "snapshot", tables)
    start, start_processor = time.perf_counter(), time.process_time()
    found = work()
    cost = Cost(
        time.perf_counter() - start, time.process_time() - start_processor, peak_megabytes()
    )
    folder = home / program
    folder.mkdir(exist_ok=True)
    write(found, folder)
    return cost


def peak_megabytes() -> float:
    """Most memory this process has held so far, its interpreter and libraries included."""
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage also counts the process this one was forked from
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    import resource

    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def run_apart(program: str, home: Path) -> Cost:
    command = [sys.executable, __file__, "--program", program, "--home", str(home)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def take_turns(programs: tuple[str, ...], home: Path) -> dict[str, Cost]:
    """Run programs round by round, so that what else the machine does meets them all."""
    rounds: dict[str, list[Cost]] = {program: [] for program in programs}
    for number in range(max(ROUNDS[program] for program in programs)):
        for program in programs:
            if number < ROUNDS[program]:
                rounds[program].append(run_apart(program, home))
    return {
        program: Cost(
            min(cost.seconds for cost in costs),
            min(cost.processor_seconds for cost in costs),
            statistics.median(cost.megabytes for cost in costs),
        )
        for program, costs in rounds.items()
    }


# The report ---------------------------------------------------------------------------------


class Report:
    """Rows of question, reached, target."""

    def __init__(self, rows: int) -> None:
        from rich.console import Console
        from rich.table import Table

        self.table = Table("question", "reached", "target", "met")
        self.costs = Table("opportunities", "program", "seconds", "processor s", "MB", "us a row")
        self.console = Console(width=100)
        self.rows = rows
        self.is_met = True

    def add(self, question: str, reached: str, target: str, *, is_met: bool) -> None:
        self.table.add_row(question, reached, target, "yes" if is_met else "NO")
        self.is_met &= is_met

    def add_ratio(self, question: str, ratio: float, target: str, *, is_met: bool) -> None:
        """Add a comparison of costs, judged where rows and not the start of things cost most."""
        if self.rows >= LARGE:
            self.add(question, f"{ratio:.2f} x", target, is_met=is_met)
        else:
            self.table.add_row(question, f"{ratio:.2f} x", f"{target} of {LARGE:,} rows", "-")

    def add_costs(self, rows: int, costs: dict[str, Cost]) -> None:
        for program, cost in costs.items():
            each = f"{cost.seconds / rows * 1e6:.2f}"
            self.costs.add_row(
                f"{rows:,}", program, f"{cost.seconds:.2f}", f"{cost.processor_seconds:.2f}",
                f"{cost.megabytes:,.0f}", each,
            )  # fmt: skip


def report_measures(report: Report, sizes: dict[int, dict[str, Cost]]) -> None:
    """Compare programs at the full size, and sizes of salesnb."""
    for rows, costs in sizes.items():
        report.add_costs(rows, costs)
    full = sizes[report.rows]
    ours, sql, pandas = full["salesnb"], full["sql"], full["pandas"]
    for unit in ("seconds", "processor_seconds", "megabytes"):
        ratio = getattr(ours, unit) / getattr(sql, unit)
        is_met = ratio <= 1.3
        report.add_ratio(f"measures, {unit} of SQL's", ratio, "<= 1.3 x", is_met=is_met)
    for unit, least in (("seconds", 4), ("megabytes", 8)):
        ratio = getattr(pandas, unit) / getattr(ours, unit)
        is_met = ratio >= least
        report.add_ratio(f"measures, pandas' {unit} of ours", ratio, f">= {least} x", is_met=is_met)
    report_growth(report, sizes, "salesnb", "measures")


def report_import(report: Report, sizes: dict[int, dict[str, Cost]]) -> None:
    """Compare the import with a bare copy, and its sizes."""
    full = sizes[report.rows]
    for unit in ("seconds", "processor_seconds"):
        ratio = getattr(full["import"], unit) / getattr(full["copy"], unit)
        report.add_ratio(f"import, {unit} of COPY's", ratio, "<= 3 x", is_met=ratio <= 3)
    report_growth(report, sizes, "import", "import")


def report_growth(
    report: Report, sizes: dict[int, dict[str, Cost]], program: str, name: str
) -> None:
    """Compare what the smallest and the largest size took."""
    smallest = min(sizes)
    more = report.rows / smallest
    full, least = sizes[report.rows][program], sizes[smallest][program]
    growth = full.processor_seconds / least.processor_seconds
    question = f"{name}, processor_seconds of {more:.0f} x the rows"
    # linear, but for the noise of two measurements
    report.add_ratio(question, growth, f"<= {more * 1.15:.1f} x", is_met=growth <= more * 1.15)


def report_differences(report: Report, rows: int, home: Path, programs: tuple[str, ...]) -> None:
    from measures_compared import find_differences

    for program in programs:
        found = find_differences(home / "salesnb", home / program)
        for text in found:
            report.console.print(f"{rows:,} opportunities, {program}: {text}")
        report.add(
            f"measures of {rows:,} differ from {program}'s", f"{len(found)}", "0", is_met=not found
        )


def measure_size(report: Report, rows: int, home: Path) -> dict[str, Cost]:
    """Make a company, import and measure it, and see that all programs found the same."""
    from large_company import write_large_company

    programs = ("scan", "salesnb", "sql") + (("pandas",) if rows == report.rows else ())
    # the SQL and pandas have twelve KPIs, and so has salesnb beside them; `whole` is all it has
    write_large_company(home / "export", rows=rows)
    tables = home / "tables.json"
    tables.write_text("{}", encoding="utf-8")
    imported = take_turns(("copy", "import"), home)
    tables.write_text(json.dumps(list_tables(home / "snapshot")), encoding="utf-8")
    shutil.rmtree(home / "copied")
    costs = take_turns((*programs, "whole"), home)
    report_differences(report, rows, home, programs[2:])
    return {**imported, **costs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000, help="opportunities")
    parser.add_argument("--program", choices=PROGRAMS, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.program:
        sys.stdout.write(json.dumps(vars(run_here(chosen.program, chosen.home))) + "\n")
        return
    report, sizes = Report(chosen.rows), {}
    for share in SHARES:
        rows = int(chosen.rows * share)
        with tempfile.TemporaryDirectory(prefix="salesnb-benchmark-") as home:
            sizes[rows] = measure_size(report, rows, Path(home))
    report_import(report, sizes)
    report_measures(report, sizes)
    report.console.print(report.costs)
    report.console.print(report.table)
    sys.exit(not report.is_met)


if __name__ == "__main__":
    main()
