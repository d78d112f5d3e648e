"""The command line: arguments in, exit code out; everything else is in the package."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from salesnb.errors import ParameterError, SalesnbError

if TYPE_CHECKING:
    from salesnb.publish.plan import Plan

_ENDLESS = 10_000
_STANDARD_OUTPUT = Path("-")


class Isolated(StrEnum):
    """How kernels are started."""

    warm = "warm"
    cold = "cold"


class Units(StrEnum):
    """What a batch makes one report of."""

    company = "company"
    team = "team"


class LogFormats(StrEnum):
    """How a run is told."""

    text = "text"
    json = "json"


app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Sales Performance Matrix and reports from CRM exports.",
)


def _console(*, stderr: bool = False) -> Console:
    """Print names as they are, [red] or not; in a file or pipe a table's row is one line."""
    plain = Console(stderr=stderr, soft_wrap=True, markup=False, emoji=False, highlight=False)
    if not plain.is_terminal:
        plain.width = _ENDLESS
    return plain


out, err = _console(), _console(stderr=True)


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="Folder to write the export into.")],
    reps: Annotated[int, typer.Option(help="People in the company.")] = 120,
    seed: Annotated[int, typer.Option(help="Same seed, same company.")] = 7,
) -> None:
    """Write the raw export of a fictitious company, with the truth it was made from."""
    from salesnb.sources.sample import sample_company

    out.print(str(sample_company(folder, reps=reps, seed=seed)))


@app.command(name="import")
def import_(
    source: Annotated[
        str, typer.Argument(help="A file, folder or pattern of files, or a database's URL.")
    ],
    to: Annotated[
        Path | None, typer.Option(help="Snapshot folder; with --guess the mapping's file.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Mapping of the package, e.g. maven.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="Mapping of your own, YAML.")] = None,
    guess: Annotated[
        bool, typer.Option("--guess", help="Only propose a mapping, as YAML to edit.")
    ] = False,
    append: Annotated[
        bool, typer.Option("--append", help="Add to what the snapshot holds, by its mapping.")
    ] = False,
    strict: Annotated[bool, typer.Option(help="Refuse the import if any row is refused.")] = False,
    json: Annotated[
        Path | None,
        typer.Option(
            help="Write the report as JSON into this file; - for standard output.",
            allow_dash=True, dir_okay=False, writable=True,
        ),
    ] = None,
) -> None:  # fmt: skip
    """Check an export and make it a snapshot, or propose how to."""
    if guess:
        given = {
            "--preset": preset, "--mapping": mapping, "--append": append, "--strict": strict,
            "--json": json,
        }  # fmt: skip
        _guess(source, to=to, unused=[name for name, value in given.items() if value])
        return
    if to is None:
        raise ParameterError("Missing option '--to': the folder of the snapshot.")
    from salesnb.sources.load import import_snapshot

    snapshot = import_snapshot(
        source, to=to, preset=preset, mapping=mapping, append=append, strict=strict
    )
    told = err if json == _STANDARD_OUTPUT else out
    told.print(snapshot.report)
    told.print(f"Snapshot {snapshot.id}, data as of {snapshot.as_of}, in {snapshot.folder}")
    told.print(f"Next: salesnb run {snapshot.folder}")
    if json is not None:
        _write(snapshot.report.to_json(), json)


def _guess(source: str, *, to: Path | None, unused: list[str]) -> None:
    """Print the guess and write its YAML, to standard output if to no file."""
    from salesnb.sources.guess import guess_mapping, read_previews

    if unused:
        raise ParameterError(f"{', '.join(unused)}: not with --guess, which imports nothing.")
    if to is not None and to.exists():
        raise ParameterError(f"--to {to}: is there already. Give a new file for the mapping.")
    previews = read_previews(source)
    guess = guess_mapping(previews.tables)
    for problem in previews.problems:
        err.print(f"salesnb: {problem}")
    (err if to is None else out).print(guess)
    if to is None:
        sys.stdout.write(guess.to_yaml())
        return
    try:
        to.write_text(guess.to_yaml(), encoding="utf-8")
    except OSError as error:
        raise ParameterError(f"--to {to}: cannot be written: {error.strerror}.") from error
    out.print(f"Next: edit {to}, then salesnb import {source} --mapping {to} --to SNAPSHOT")


def _write(text: str, path: Path) -> None:
    """Write a text to a file, or to standard output as it is."""
    if path == _STANDARD_OUTPUT:
        sys.stdout.write(f"{text}\n")
        return
    try:
        path.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise ParameterError(f"--json {path}: cannot be written: {error.strerror}.") from error


@app.command()
def fetch(
    crm: Annotated[str, typer.Argument(help="salesforce or hubspot.")],
    to: Annotated[Path, typer.Option(help="Folder for the export.")],
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Facts created or changed from this day on."),
    ] = None,
    objects: Annotated[str, typer.Option(help="Only these, e.g. Opportunity,User.")] = "",
    fields: Annotated[str, typer.Option(help="More fields, e.g. Opportunity.Region__c.")] = "",
) -> None:
    """Fetch an export from a CRM; credentials are from the environment or the keyring."""
    from salesnb.sources.crm import fetch_crm

    with _stoppable("The folder is as it was."):
        report = fetch_crm(
            crm,
            to=to,
            since=since.date() if since else None,
            objects=_split(objects),
            fields=_split(fields),
            on_done=lambda file: err.print(f"fetched   {file.name}  {file.rows:,} rows"),
        )
    out.print(report)
    out.print(f"Next: salesnb import {to} --preset {crm} --to SNAPSHOT")


@app.command()
def check(
    params: Annotated[Path, typer.Argument(help="Batch parameters, params/*.yaml.")],
    snapshot: Annotated[str | None, typer.Option(help="Replaces the file's snapshot.")] = None,
) -> None:
    """Check everything about a batch that can be checked without a kernel."""
    from salesnb.params import read_params
    from salesnb.publish.plan import make_plan

    plan = make_plan(read_params(params, snapshot=snapshot))
    out.print(f"{len(plan.jobs)} reports for {plan.params.quarter} into {plan.folder}:")
    for job in plan.jobs:
        out.print(f"  {job.slug}.html  {job.kind}, {job.title}")
    _tell_left_out(plan, out)


@app.command()
def run(
    params: Annotated[
        Path, typer.Argument(help="Batch parameters, params/*.yaml; or a snapshot's folder.")
    ],
    quarter: Annotated[
        list[str] | None, typer.Option(help="Replaces the file's quarter; repeatable.")
    ] = None,
    team: Annotated[list[str] | None, typer.Option(help="Only these teams; repeatable.")] = None,
    snapshot: Annotated[str | None, typer.Option(help="Replaces the file's snapshot.")] = None,
    language: Annotated[str | None, typer.Option(help="Replaces the file's language.")] = None,
    jobs: Annotated[
        int | None, typer.Option("-j", min=1, help="Reports at a time; default one a core.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Make up-to-date reports again.")] = False,
    isolation: Annotated[
        Isolated,
        typer.Option(help="warm: kernels are forked, where possible; cold: each from nothing."),
    ] = Isolated.warm,
    cluster: Annotated[
        str, typer.Option(help="Address of a Dask scheduler whose workers make the reports.")
    ] = "",
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Print complete reports as PDF too, by Chromium.")
    ] = False,
    log_format: Annotated[
        LogFormats, typer.Option(help="json: one JSON object a line on standard error.")
    ] = LogFormats.text,
) -> None:
    """Run a batch: one HTML report per notebook, team and training programme, and a portal.

    Each quarter has a folder and a portal of its own; all are checked before any is begun.
    """
    from salesnb.params import read_params

    has_failed = False
    with _stoppable("What is finished is kept; run it again for the rest."):
        given = {"teams": team or None, "snapshot": snapshot, "language": language}
        quarters: list[str | None] = list(dict.fromkeys(quarter)) if quarter else [None]
        asked = [read_params(params, quarter=one, **given) for one in quarters]
        if isolation is Isolated.warm and not cluster:  # the server loads while all is planned
            from salesnb.publish.kernel import warm_up

            warm_up(asked[0].notebooks / f"{name}.ipynb" for name in asked[0].reports)
        from salesnb.publish.batch import run_batch
        from salesnb.publish.pdf import MISSING, find_browser
        from salesnb.publish.plan import make_plan
        from salesnb.publish.tell import summarise, telling

        plans = [make_plan(one) for one in asked]
        browser = find_browser() if pdf else None
        if pdf and browser is None:
            err.print(MISSING)

        for plan in plans:
            _tell_left_out(plan, err)
            title, total = plan.params.quarter, len(plan.jobs)
            with telling(err, title=title, total=total, log_format=log_format.value) as tell:
                result = run_batch(
                    plan, workers=jobs or os.cpu_count() or 1, force=force,
                    isolation=isolation.value, cluster=cluster, browser=browser, on_event=tell,
                )  # fmt: skip
            for line in (*result.unprinted, *result.notes):
                err.print(line)
            err.print(summarise(result))
            out.print(str(result.portal))
            has_failed = has_failed or bool(result.failed or result.unprinted)
    if has_failed:
        raise typer.Exit(1)


@app.command()
def status(
    folder: Annotated[Path, typer.Argument(help="Folder of reports, such as reports/2026Q3.")],
) -> None:
    """Show what became of a folder's reports, and whether a batch is writing there now."""
    from salesnb.publish.status import read_status

    found = read_status(folder)
    out.print(found)
    if not found.is_whole:
        raise typer.Exit(1)


@app.command(name="plan")
def plan_(
    params: Annotated[Path, typer.Argument(help="Batch parameters, params/*.yaml.")],
    to: Annotated[Path, typer.Option(help="Folder for the plan's files.")],
    quarter: Annotated[str | None, typer.Option(help="Replaces the file's quarter.")] = None,
) -> None:
    """Write the company's training plan within the batch's budget and hours, as CSV and Excel."""
    from salesnb.language import speaking
    from salesnb.params import read_params
    from salesnb.publish.handout import plan_company, write_plan

    asked = read_params(params, quarter=quarter)
    with speaking(asked.language):
        made = plan_company(asked)
        out.print("\n".join(map(str, write_plan(made, to))))
        err.print(f"{made.finding} {made.caveat}".strip())


@app.command(name="new-notebook")
def new_notebook(
    name: Annotated[Path, typer.Argument(help="Its file, such as notebooks/renewals.")],
    question: Annotated[str, typer.Option(help="What it asks: its heading.")] = "",
    each: Annotated[
        Units, typer.Option(help="What a batch makes one report of: the company, or each team.")
    ] = Units.company,
) -> None:
    """Write a notebook to begin from: a question, parameters, claims with their calls, checks."""
    from salesnb.publish.starter import make_starter, write_starter

    path = write_starter(name, make_starter(question, each=each.value))
    out.print(str(path))
    err.print(f"Next: jupyter lab {path}; in a batch's params: own_reports: [{path}]")


@app.command(name="lint-notebook")
def lint_notebook(
    files: Annotated[list[Path], typer.Argument(help="Notebooks to check.")],
) -> None:
    """Check how notebooks are made: question, parameters, short calls, no logic, no typed numbers.

    Exit code 1 when there is something to do.
    """
    from salesnb.publish.lint import lint_file

    problems = [problem for file in files for problem in lint_file(file)]
    for problem in problems:
        out.print(problem)
    err.print(f"{len(files)} notebooks checked, {len(problems)} problems.")
    if problems:
        raise typer.Exit(1)


@app.command()
def kpis(
    catalogue: Annotated[
        Path | None, typer.Option(help="Python file with KPIs of your own, shown too; it is run.")
    ] = None,
) -> None:
    """Print the KPI catalogue."""
    from rich.table import Table

    from salesnb.measures.catalogue import find_kpis, read_kpis

    table = Table("KPI", "Formula", "Cohort", "Family", "Unit", "Better", "Needs", "Beware")
    table.columns[0].no_wrap = True
    for kpi in find_kpis(own=read_kpis(catalogue or "")):
        needs = ", ".join(sorted({column.table for column in kpi.needs}))
        table.add_row(
            kpi.kpi, kpi.formula, kpi.cohort, kpi.family, kpi.unit, kpi.direction, needs, kpi.caveat
        )
    out.print(table)


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _tell_left_out(plan: Plan, console: Console) -> None:
    for label, reason in plan.left_out:
        console.print(f"left out  {label} {reason}.")


class _Stopped(BaseException):
    """A signal asks this process to end; its number is the argument."""


def _stop(number: int, _: object) -> NoReturn:
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)  # tidying up takes a second; let nothing break it
    raise _Stopped(number)


@contextmanager
def _stoppable(state: str) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM stop the block in order, then say the state and exit (130, 143)."""
    before = {one: signal.signal(one, _stop) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except _Stopped as stopped:
        err.print(f"salesnb: interrupted. {state}")
        raise typer.Exit(128 + stopped.args[0]) from None
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def main() -> None:
    """Run the command line; our own errors become one message and their exit code."""
    try:
        app()
    except SalesnbError as error:
        err.print(f"salesnb: {error}", style="bold")
        sys.exit(error.exit_code)
