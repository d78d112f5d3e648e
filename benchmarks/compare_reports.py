"""What does a report cost its reader and its maker? Beside pages other programs make of the data.

The same team of the sample company, as a page each by salesnb, nbconvert (the same notebook, its
usual template), ydata-profiling, evidently and quantstats. Each is opened without a network, by
axe, by Lighthouse and without script; then made again of a company whose texts attack the reader.

The other programs are installed, in the versions named here, into environments of their own in the
cache folder (`SALESNB_CACHE`), Lighthouse too where npm is there. They are run, never shipped.

Run `python benchmarks/compare_reports.py --write docs/side-by-side.md`: half an hour of two idle
cores. `--pictures` names a folder for pictures of the pages.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from batch import SUBREAPER, Cost, measure, plans
from pages_measured import TESTS, Attacked, Browser, Seen, browser
from rates_recovery import Report

sys.path[:0] = [str(TESTS), str(TESTS / "browser")]

from hostile_texts import hostile_snapshot  # noqa: E402
from lighthouse import Scores, best_of, install_lighthouse, served  # noqa: E402

from salesnb.measures.cache import cache_folder, load_measures, load_snapshot, share_folder  # noqa: E402
from salesnb.publish.kernel import ONE_THREAD  # noqa: E402
from salesnb.sources.snapshot import Snapshot  # noqa: E402

ROOT = Path(__file__).parents[1]
QUARTER, TEAM, NAME = "2026Q3", "north", "North"
OURS, PORTAL, PLAIN = "salesnb", "its portal", "nbconvert"
OTHERS = {
    "ydata-profiling": ("ydata-profiling==4.18.4", "setuptools==80.9.0"),
    "evidently": ("evidently==0.7.23", "pandas==2.3.3"),
    "quantstats": ("quantstats==0.0.86",),
}
"""What is installed for each; the second is what it needs and does not ask for."""
LICENCES = {
    OURS: "Apache-2.0", PORTAL: "Apache-2.0", PLAIN: "BSD-3-Clause", "ydata-profiling": "MIT",
    "evidently": "Apache-2.0", "quantstats": "Apache-2.0",
}  # fmt: skip
MOST_BYTES, LEAST_FAST, MOST_SHIFT = 300_000, 95, 0.01
BEGIN, END = "% measured: begin", "% measured: end"
_QUIET = {"DO_NOT_TRACK": "1", "YDATA_PROFILING_NO_ANALYTICS": "True", "MPLBACKEND": "agg"}
_MAKE = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from reports_by_others import MAKERS; "
    "MAKERS[sys.argv[1]](*sys.argv[2:])"
)


@dataclass
class Page:
    """A page, what making it cost, and all that was measured of it; none where it was not."""

    path: Path | None = None
    hostile: Path | None = None
    costs: dict[str, Cost] = field(default_factory=dict)
    seen: Seen | None = None
    attacked: Attacked | None = None
    scores: dict[str, Scores] = field(default_factory=dict)


def install(name: str, home: Path) -> Path | None:
    """Install another program into an environment of its own; return its Python."""
    pins = OTHERS[name]
    folder = home / re.sub(r"\W+", "-", "-".join(pins))
    python = folder / "bin" / "python"
    if (folder / "whole").is_file():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    uv = shutil.which("uv")
    made = [uv, "venv", "-q", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
    filled = [uv, "pip", "install", "-q", "--python", str(python)] if uv else [
        str(python), "-m", "pip", "install", "-q"
    ]  # fmt: skip
    for command in ([*made, str(folder)], [*filled, *pins]):
        if subprocess.run(command, check=False).returncode:
            print(f"{name} could not be installed: its column is not measured")
            return None
    (folder / "whole").touch()
    return python


def team_rows(snapshot: Snapshot) -> pd.DataFrame:
    """Take the team's opportunities, with the names of people and accounts instead of keys."""
    members = snapshot.read("memberships")
    people = members.loc[members["team_id"] == TEAM, "rep_id"].unique()
    rows = snapshot.read("opportunities")
    rows = rows[rows["rep_id"].isin(people)]
    for table, key in (("reps", "rep_id"), ("accounts", "account_id")):
        kept = snapshot.read(table)
        names = kept[[key, *({"name", "industry", "country"} & set(kept.columns))]]
        rows = rows.merge(names.rename(columns={"name": table[:-1]}), on=key, how="left")
    return rows.drop(columns=["rep_id", "account_id"])


def team_name(snapshot: Snapshot) -> str:
    teams = snapshot.read("teams")
    return str(teams.loc[teams["team_id"] == TEAM, "name"].iloc[0])


def run_ours(folder: Path, snapshot: str, *more: str) -> tuple[Path, Cost]:
    """Make team reviews and a portal by one command; return their folder."""
    given = folder / "params.yaml"
    params = {
        "snapshot": snapshot, "quarter": QUARTER, "reports": ["team_review"],
        "notebooks": str(ROOT / "notebooks"), "out": str(folder / "reports"),
    }  # fmt: skip
    folder.mkdir(parents=True)
    given.write_text(json.dumps(params), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("salesnb")), "run", str(given), *more]
    cost = measure(1, command)
    out = folder / "reports" / QUARTER
    return out, Cost(len(list(out.glob("*.ipynb"))), cost.wall, cost.cpu, cost.peak, {})


def make_ours(folder: Path, hostile: Snapshot) -> dict[str, Page]:
    """Make the review from nothing, from kept measures and in a batch; and by nbconvert."""
    page, portal, plain = Page(), Page(), Page()
    one = f"--team={TEAM}"
    _, page.costs["first, nothing computed"] = run_ours(folder / "first", "", one)
    shared = share_folder(load_measures())
    shutil.rmtree(shared, ignore_errors=True)
    _, page.costs["one, measures kept"] = run_ours(folder / "one", "", one)
    shutil.rmtree(shared, ignore_errors=True)
    out, page.costs["each of a batch of 8"] = run_ours(folder / "batch", "")
    attacked, _ = run_ours(folder / "hostile", str(hostile.folder), one)
    page.path, portal.path, plain.path = out / f"{TEAM}.html", out / "index.html", folder / "n.html"
    (page.hostile,) = (
        path for path in attacked.glob("*.html") if path.with_suffix(".ipynb").exists()
    )
    portal.hostile, plain.hostile = attacked / "index.html", folder / "h.html"

    shutil.rmtree(shared, ignore_errors=True)
    (plan,) = plans(folder, "", (QUARTER,))
    (job,) = (job for job in plan.jobs if job.parameters.get("team") == TEAM)
    made, given = folder / "n.ipynb", folder / "n.yaml"
    given.write_text(json.dumps(job.parameters), encoding="utf-8")
    python = [sys.executable, "-m"]
    run = [*python, "papermill", str(job.notebook), str(made), "-f", str(given)]
    convert = [*python, "nbconvert", "--to", "html", "--output-dir", str(folder)]
    plain.costs["one, measures kept"] = measure(1, run, [*convert, str(made)])
    measure(1, [*convert, "--output", "h", str(page.hostile.with_suffix(".ipynb"))])
    return {OURS: page, PORTAL: portal, PLAIN: plain}


def make_other(name: str, python: Path, folder: Path, snapshots: Iterable[Snapshot]) -> Page:
    """Make the page of a team and of the hostile team by another program."""
    paths, costs = [], []
    for place, snapshot in enumerate(snapshots):
        data, made = folder / f"{place}.csv", folder / f"{name}-{place}.html"
        if not data.is_file():
            team_rows(snapshot).to_csv(data, index=False)
        here = str(Path(__file__).parent)
        command = [str(python), "-W", "ignore", "-c", _MAKE, here, name, str(data), str(made)]
        costs.append(measure(1, [*command, team_name(snapshot)]))
        paths.append(made)
    return Page(*paths, {"from nothing": costs[0]})


def look_at(page: Page, eyes: Browser, command: tuple[str, ...] | None, tries: int) -> None:
    """Measure a page in the browser, then by Lighthouse."""
    if page.path is None or page.hostile is None:
        return
    page.seen, page.attacked = eyes.look(page.path), eyes.attack(page.hostile)
    if command is None:
        return
    for way, preset, is_zipped in (
        ("phone", "phone", False),
        ("phone, zipped", "phone", True),
        ("desktop", "desktop", False),
    ):
        with served(page.path.parent, is_zipped=is_zipped) as address:
            url = f"{address}/{page.path.name}"
            try:
                page.scores[way] = best_of(command, url, tries=tries, preset=preset)
            except RuntimeError as error:
                print(f"not measured, {way}: {error}")


def rows_of(pages: dict[str, Page]) -> dict[str, list[str]]:
    """Write each question's answer for each page."""

    def seen(write: Callable[[Seen], str]) -> list[str]:
        return [write(page.seen) if page.seen else "not measured" for page in pages.values()]

    def attacked(write: Callable[[Attacked], str]) -> list[str]:
        found = [page.attacked for page in pages.values()]
        return [write(one) if one else "not measured" for one in found]

    def scored(way: str, write: Callable[[Scores], str]) -> list[str]:
        found = [page.scores.get(way) for page in pages.values()]
        return [write(one) if one else "not measured" for one in found]

    return {
        "version": [_version(name) for name in pages],
        "licence": [LICENCES[name] for name in pages],
        "size, kB (compressed)": seen(lambda s: f"{s.size / 1e3:,.0f} ({s.zipped / 1e3:,.0f})"),
        "network requests when opened": seen(lambda s: f"{s.asked}"),
        "axe: rules broken (places)": seen(lambda s: f"{s.rules} ({s.places})"),
        "performance, phone": scored("phone", lambda s: f"{s.performance}"),
        "performance, phone, sent compressed": scored(
            "phone, zipped", lambda s: f"{s.performance}"
        ),
        "performance, desktop": scored("desktop", lambda s: f"{s.performance}"),
        "accessibility": scored("phone", lambda s: f"{s.accessibility}"),
        "best practices": scored("phone", lambda s: f"{s.best_practices}"),
        "layout shift, phone": scored("phone", lambda s: f"{s.shift:.3f}"),
        "wider than a phone of 390 px by, px": seen(lambda s: f"{s.overflow}"),
        "hostile text ran": attacked(lambda a: "**yes**" if a.ran else "no"),
        "hostile text made it ask elsewhere": attacked(lambda a: "**yes**" if a.asked else "no"),
        "words visible without script": seen(
            lambda s: f"{s.words_without_script / max(s.words, 1):.0%} of {s.words:,}"
        ),
    }


def _version(name: str) -> str:
    if name in OTHERS:
        return OTHERS[name][0].partition("==")[2]
    return version("nbconvert" if name == PLAIN else "salesnb")


def write_table(pages: dict[str, Page], tools: str) -> str:
    """Write what was measured as tables for the page of documentation."""
    lines = ["|  | " + " | ".join(pages) + " |", "|---" * (len(pages) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows_of(pages).items()]
    lines += ["", "What making a page took, on two cores:", ""]
    lines += ["| page | made | seconds | processor seconds |", "|---|---|---|---|"]
    for name, page in pages.items():
        for how, cost in page.costs.items():
            each = f"{cost.wall / cost.n:.1f} | {cost.cpu / cost.n:.1f}"
            lines.append(f"| {name} | {how} | {each} |")
    return "\n".join([*lines, "", f"Measured with {tools}."])


def put_between(text: str, table: str) -> str:
    """Put the tables between a page's two marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise SystemExit(f"the page lacks the marks {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def judge(report: Report, pages: dict[str, Page]) -> None:
    """Hold our pages to what they promise, beside the best of the others."""
    rivals = [page for name, page in pages.items() if name not in (OURS, PORTAL)]
    for name in (OURS, PORTAL):
        page = pages[name]
        if page.seen is None or page.attacked is None:
            continue
        checks: list[tuple[str, Callable[[Page], float | None], str, float]] = [
            ("bytes", lambda p: p.seen and p.seen.size, "<=", MOST_BYTES),
            ("requests", lambda p: p.seen and p.seen.asked, "<=", 0),
            ("axe, places", lambda p: p.seen and p.seen.places, "<=", 0),
            ("overflow, px", lambda p: p.seen and p.seen.overflow, "<=", 0),
            ("hostile texts that ran", lambda p: p.attacked and p.attacked.ran, "<=", 0),
            ("hostile requests", lambda p: p.attacked and p.attacked.asked, "<=", 0),
        ]
        for way in page.scores:
            checks += [
                (f"performance, {way}", _score(way, "performance"), ">=", LEAST_FAST),
                (f"accessibility, {way}", _score(way, "accessibility"), ">=", 100),
                (f"best practices, {way}", _score(way, "best_practices"), ">=", 100),
                (f"layout shift, {way}", _score(way, "shift"), "<=", MOST_SHIFT),
            ]
        for what, ask, sign, bound in checks:
            reached = ask(page)
            if reached is None:
                continue
            theirs = [found for rival in rivals if (found := ask(rival)) is not None]
            best = (min if sign == "<=" else max)(theirs, default=float("nan"))
            is_met = reached <= bound if sign == "<=" else reached >= bound
            report.add(f"{name}: {what}", f"{best:g}", reached, f"{sign} {bound:g}", is_met=is_met)


def _score(way: str, name: str) -> Callable[[Page], float | None]:
    return lambda page: getattr(page.scores[way], name) if way in page.scores else None


def describe_tools(command: tuple[str, ...] | None, eyes: Browser, tries: int) -> str:
    """Name the tools with their versions."""
    found = "no Lighthouse (it needs node and npm)"
    if command:
        ran = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        found = f"Lighthouse {ran.stdout.strip()} (looks at a page: {tries} at most)"
    axe = f"axe-core of axe-playwright-python {version('axe-playwright-python')}"
    return f"Chromium {eyes.version}, {axe}, {found}, Python {sys.version.split()[0]}"


def main() -> None:
    """Make all pages, measure them, print and write the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", type=Path, help="page whose tables are renewed")
    parser.add_argument("--pictures", type=Path, help="folder for pictures of the pages")
    parser.add_argument("--tries", type=int, default=3, help="looks by Lighthouse; the best counts")
    asked = parser.parse_args()
    os.environ.update(ONE_THREAD | _QUIET)
    ctypes.CDLL(None).prctl(SUBREAPER, 1)
    kept = cache_folder()
    pythons = {name: install(name, kept / "others") for name in OTHERS}
    command = install_lighthouse(kept / "lighthouse")
    report = Report()
    with tempfile.TemporaryDirectory() as named:
        folder = Path(named)
        os.environ["SALESNB_CACHE"] = str(folder / "cache")
        hostile = hostile_snapshot(folder)
        pages = make_ours(folder / "ours", hostile)
        for name, python in pythons.items():
            snapshots = (load_snapshot(), hostile)
            pages[name] = make_other(name, python, folder, snapshots) if python else Page()
        with browser() as eyes:
            tools = describe_tools(command, eyes, asked.tries)
            for name, page in pages.items():
                look_at(page, eyes, command, asked.tries)
                report.console.print(f"{name}: {page.seen} {page.attacked} {page.scores}")
                if asked.pictures and page.path:
                    asked.pictures.mkdir(exist_ok=True)
                    eyes.picture(page.path, asked.pictures / f"{name}.png")
    table = write_table(pages, tools)
    print(table)
    if asked.write:
        text = put_between(asked.write.read_text(encoding="utf-8"), table)
        asked.write.write_text(text, encoding="utf-8")
    judge(report, pages)
    report.close()


if __name__ == "__main__":
    main()
