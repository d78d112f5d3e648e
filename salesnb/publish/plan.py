"""The plan of a batch: which reports, with which parameters, all checked before any kernel."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat

from salesnb.analysis.external import read_external
from salesnb.analysis.selection import select_kpis
from salesnb.analysis.wording import list_words
from salesnb.errors import ParameterError, join_problems, quote_examples
from salesnb.language import speaking, tag, tr
from salesnb.measures.cache import (
    cache_folder,
    code_fingerprint,
    file_fingerprint,
    load_measures,
    load_snapshot,
)
from salesnb.measures.measures import Measures
from salesnb.measures.pictures import load_pipeline
from salesnb.measures.privacy import FEWEST_SHOWN, People, hider, read_people
from salesnb.measures.spark import stop_session
from salesnb.params import RunParams
from salesnb.privacy import NAMED, Privacy, choose
from salesnb.publish.files import make_private_folder
from salesnb.publish.kinds import KINDS, PIPELINE, Kind, name_kind
from salesnb.publish.manifest import PORTAL, Parameters, library_versions
from salesnb.publish.notebooks import (
    NEEDS,
    PARAMETERS_TAG,
    needed_tables,
    parameter_names,
)
from salesnb.publish.own import own_kind
from salesnb.publish.units import (
    Unit,
    find_programmes,
    find_small_teams,
    find_teams,
    settle_quarter,
)
from salesnb.schema import TABLES
from salesnb.sources.snapshot import Snapshot
from salesnb.views.blocks import slug

_ROOM = 50_000_000


@dataclass(frozen=True)
class Job:
    """One report to make.

    Attributes
    ----------
    slug
        File name without suffix, unique in the batch.
    notebook
        Template notebook.
    parameters
        What its parameters cell is given.
    kind, title, team
        For the portal; the kind as `name_kind` takes it, the title in the batch's language.
    fingerprint
        Hash of all a report depends on: notebook, parameters, language, data, code and libraries.
    """

    slug: str
    notebook: Path
    parameters: Parameters
    kind: str
    title: str
    team: str
    fingerprint: str


@dataclass(frozen=True)
class Plan:
    """A checked batch.

    Attributes
    ----------
    measures
        As reports may show them.
    left_out
        Kinds of reports that cannot be made, and why.
    privacy
        What reports tell of people, and the key of pseudonyms.
    people
        Whom no log may name.
    """

    params: RunParams
    snapshot: Snapshot
    measures: Measures
    jobs: tuple[Job, ...]
    folder: Path
    left_out: tuple[tuple[str, str], ...] = ()
    privacy: Privacy = NAMED
    people: People = People({}, ())


def make_plan(params: RunParams, privacy: Privacy | None = None) -> Plan:
    """Check a batch against its data and notebooks, and list its reports.

    Parameters
    ----------
    params
        What is asked.
    privacy
        With the key of another machine that makes reports of the same batch; None makes the key
        of this machine's secret.

    Raises
    ------
    ParameterError
        Quarter or team is unknown, there is nothing to make, two teams would share a file, a
        notebook is missing or lacks its parameters, or the output folder cannot be written; the
        message lists every problem.
    DataError
        The snapshot is missing or not whole.
    """
    with speaking(params.language):
        return _plan(params, privacy)


def _plan(params: RunParams, privacy: Privacy | None) -> Plan:
    snapshot = load_snapshot(params.snapshot)
    params = settle(params)
    people = read_people(snapshot)
    privacy = privacy or choose_for(params)
    measures = load_for(params, privacy)
    hide = hider(people, privacy)  # teams can be called by who leads them
    params = params.model_copy(
        update={name: tuple(map(hide, getattr(params, name))) for name in ("teams", "programmes")}
    )
    problems = [
        *_check_quarter(params, measures),
        *_check_selection(params, measures),
        *_check_benchmarks(params, measures),
    ]
    # a wrong name is refused whether or not a report asks for it
    found = {
        "team": find_teams(params, measures, problems),
        "programme": find_programmes(params, measures, problems),
        "company": [Unit("", measures.company.name)],
    }
    jobs: list[Job] = []
    left_out: list[tuple[str, str]] = []
    for notebook, kind in _choose_kinds(params).items():
        units, reason = _choose_units(kind, found, snapshot, params.quarter)
        jobs += [_make_job(params, privacy, snapshot, notebook, kind, unit) for unit in units]
        left_out += [(kind.label, reason)] if reason else []
    left_out += _leave_small_out(params, measures)
    problems += _check_slugs(jobs)
    problems += [line for job in _one_each(jobs) for line in check_notebook(job)]
    if not jobs and not problems:
        reasons = "; ".join(f"{label} {reason}" for label, reason in left_out)
        problems.append(f"reports: nothing to make: {reasons}.")
    folder = params.out / params.quarter
    problems += _check_folder(folder)
    if problems:
        raise ParameterError(join_problems(problems, heading=f"{len(problems)} problem(s)"))
    return Plan(
        params, snapshot, measures, tuple(jobs), folder, tuple(left_out), privacy, people
    )  # fmt: skip


def settle(params: RunParams) -> RunParams:
    """Name the quarter where the batch names none: the last whole one."""
    return params if params.quarter else settle_quarter(params, load_for(params, NAMED))


def choose_for(params: RunParams) -> Privacy:
    """Choose what a batch's reports tell of people, with the key of its quarter."""
    return choose(params.privacy, params.quarter, cache_folder())


def load_for(params: RunParams, privacy: Privacy) -> Measures:
    """Load a batch's measures, and its open opportunities where a report is about them.

    Spark ends here, as kernels read what it computed and need its memory.
    """
    day, engine, master = params.as_of or "", params.engine, params.spark_master
    try:
        if PIPELINE in params.reports:
            load_pipeline(params.snapshot, as_of=day, engine=engine, spark_master=master)
        return load_measures(
            params.snapshot, as_of=day, engine=engine, spark_master=master,
            catalogue=params.catalogue, privacy=privacy,
        )  # fmt: skip
    finally:
        stop_session()


def _check_quarter(params: RunParams, measures: Measures) -> list[str]:
    """List what is wrong with the quarter."""
    try:
        measures.check_period(params.quarter)
    except ParameterError as error:
        return [str(error)]
    return []


def _check_selection(params: RunParams, measures: Measures) -> list[str]:
    """List what is wrong with the KPIs, weights and targets asked for."""
    texts = params.selection()
    try:
        select_kpis(
            measures,
            texts.get("kpis", ""),
            weights=texts.get("weights", ""),
            targets=texts.get("kpi_targets", ""),
        )
    except ParameterError as error:
        return [str(error)]
    return []


def _check_benchmarks(params: RunParams, measures: Measures) -> list[str]:
    """List what is wrong with the external figures given."""
    try:
        read_external(params.benchmarks, measures)
    except ParameterError as error:
        return [str(error)]
    return []


def _choose_kinds(params: RunParams) -> dict[Path, Kind]:
    """List the notebooks to run, with what kind of report each gives."""
    ours = {params.notebooks / f"{name}.ipynb": KINDS[name] for name in params.reports}
    return ours | {Path(path): own_kind(Path(path)) for path in params.own_reports}


def _choose_units(
    kind: Kind, found: dict[str, list[Unit]], snapshot: Snapshot, quarter: str
) -> tuple[list[Unit], str]:
    """List what there is to report on, and say why there is nothing if so."""
    absent = [table for table in kind.needs if not snapshot.has(table)]
    if absent:
        return [], tr("needs {tables}; the snapshot has none", tables=list_words(absent))
    if kind.title:
        return [Unit("", name_kind(kind.title))], ""
    nothing = {
        "team": tr("has no team with members in {quarter}", quarter=quarter),
        "programme": tr("has no programme that had begun by the end of {quarter}", quarter=quarter),
    }
    units = found[kind.each]
    return units, "" if units else nothing[kind.each]


def _leave_small_out(params: RunParams, measures: Measures) -> list[tuple[str, str]]:
    """Say which teams have no report of their own because they are few people."""
    if params.privacy != "team_only" or params.quarter not in measures.periods:
        return []
    kinds = [KINDS[name] for name in dict.fromkeys(params.reports) if KINDS[name].each == "team"]
    small = find_small_teams(params, measures) if kinds else []
    reason = tr(
        "is not made for {teams}: they are fewer than {n} people, or would tell of a team that "
        "is, and are shown together",
        teams=", ".join(small),
        n=FEWEST_SHOWN,
    )
    return [(kind.label, reason) for kind in kinds if small]


def _make_job(
    params: RunParams, privacy: Privacy, snapshot: Snapshot, notebook: Path, kind: Kind, unit: Unit
) -> Job:
    parameters: Parameters = {"snapshot": _given_snapshot(params), "quarter": params.quarter}
    if params.as_of:
        parameters["as_of"] = params.as_of.isoformat()
    parameters |= {key: value for key, value in _settings(params).items() if key in kind.takes}
    if unit.key:
        parameters[kind.each] = unit.key
    return Job(
        slug=f"{kind.slug}{slug(unit.name)}" if unit.key else kind.slug,
        notebook=notebook,
        parameters=parameters,
        kind=kind.label,
        title=unit.name,
        team=unit.name if kind.each == "team" else "",
        fingerprint=_fingerprint(
            notebook,
            parameters,
            snapshot,
            f"{privacy.tag}{tag()} {params.purpose.text}"
            + file_fingerprint(params.catalogue)
            + file_fingerprint(str(parameters.get("benchmarks", ""))),
        ),
    )


def _settings(params: RunParams) -> Parameters:
    """Gather what a batch has set, by the names of notebooks' parameters."""
    files = {"catalogue": params.catalogue, "benchmarks": params.benchmarks}
    return {
        **{name: str(Path(path).resolve()) for name, path in files.items() if path},
        **params.selection(),
        # no limit is told too: notebooks have limits of their own
        "budget": params.plan.budget,
        "hours": params.plan.hours,
    }


def _given_snapshot(params: RunParams) -> str:
    return str(Path(params.snapshot).resolve()) if params.snapshot else ""


def _fingerprint(notebook: Path, parameters: Parameters, snapshot: Snapshot, files: str) -> str:
    source = notebook.read_bytes() if notebook.is_file() else b""
    paths = ("snapshot", "catalogue", "benchmarks")
    values = {key: value for key, value in parameters.items() if key not in paths}
    text = f"{sorted(values.items())} {snapshot.id} {code_fingerprint()} {library_versions()}"
    text += files
    return hashlib.sha256(source + text.encode()).hexdigest()[:16]


def _check_slugs(jobs: list[Job]) -> list[str]:
    taken: dict[str, Job] = {}
    problems = []
    for job in jobs:
        if job.slug == PORTAL:
            problems.append(f"{job.title!r} would be written over the portal. Rename the team.")
        other = taken.setdefault(job.slug, job)
        if other is not job:
            problems.append(
                f"{other.title!r} and {job.title!r} would both be written to {job.slug}.html. "
                "Rename one of them."
            )
    return problems


def _one_each(jobs: list[Job]) -> list[Job]:
    return list({job.notebook: job for job in jobs}.values())


def check_notebook(job: Job) -> list[str]:
    """Check that a job's notebook exists and takes exactly the parameters it will be given."""
    path = job.notebook
    if not path.is_file():
        return [f"{path}: there is no such notebook. Set `notebooks:` to their folder."]
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        return [f"{path}: cannot be read as a notebook ({type(error).__name__}). Restore it."]
    known = parameter_names(notebook)
    if known is None:
        return [
            f"{path}: no cell of assignments has the tag {PARAMETERS_TAG!r}. Tag the cell of "
            "defaults."
        ]
    problems = []
    unknown = sorted(set(job.parameters) - known)
    if unknown:
        problems.append(
            f"{path}: takes no parameter {quote_examples(unknown)}; it has "
            f"{quote_examples(sorted(known))}. Add it to the {PARAMETERS_TAG!r} cell."
        )
    tables = [table for cell in notebook.cells for table in needed_tables(cell)]
    strange = [table for table in tables if table not in TABLES]
    if strange:
        problems.append(
            f"{path}: there is no table {quote_examples(strange)}, as in the tag "
            f"{NEEDS}{strange[0]}. Known: {', '.join(TABLES)}."
        )
    return problems


def _check_folder(folder: Path) -> list[str]:
    try:
        make_private_folder(folder)
    except OSError as error:
        return [f"{folder}: cannot be created ({error.strerror}). Set `out:` to another folder."]
    if not os.access(folder, os.W_OK):
        return [f"{folder}: is not writable. Change its permissions or set `out:`."]
    free = shutil.disk_usage(folder).free
    if free < _ROOM:
        return [f"{folder}: {free / 1e6:,.0f} MB free; at least {_ROOM / 1e6:,.0f} MB are needed."]
    return []
