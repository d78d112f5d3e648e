"""The import: an export's sources, through a mapping and the checks, into a Snapshot."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping as Headers
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from salesnb.errors import DataError, ParameterError, join_problems
from salesnb.schema import TABLES
from salesnb.sources import checks
from salesnb.sources.drift import find_drift
from salesnb.sources.mapping import (
    Block,
    Company,
    FileOptions,
    Mapping,
    Resolution,
    identity_mapping,
    read_company,
    read_mapping,
    read_preset,
    resolve,
)
from salesnb.sources.notices import Notice
from salesnb.sources.parts import (
    EXAMPLE,
    KIND,
    OF_LINE,
    PreparedPart,
    Work,
    make_stage,
    part_key,
    prepare,
)
from salesnb.sources.plausibility import find_warnings
from salesnb.sources.readers import Found, SourcePart, find_sources, group, open_part
from salesnb.sources.report import LoadReport, Refusal, TableLoad
from salesnb.sources.settle import Settled, settle
from salesnb.sources.snapshot import (
    FORMAT,
    INCOMING,
    QUARANTINE,
    Index,
    Snapshot,
    StoredPart,
    StoredTable,
    claim_folder,
    commit,
    content_id,
    describe_table,
    is_whole,
    open_snapshot,
)
from salesnb.sources.sql import parquet_sql, quoted
from salesnb.sources.staging import LITERAL
from salesnb.sources.timeline import last_event


@dataclass(frozen=True)
class _Task:
    """One part of a source, and what one block makes of it."""

    table: str
    number: int
    block: Block
    source: str = ""
    part: SourcePart | None = None


@dataclass
class _Import:
    """State of one running import."""

    db: duckdb.DuckDBPyConnection
    content: Path
    workspace: Path
    mapping: Mapping
    opened: _Opened
    previous: Snapshot | None
    is_append: bool
    accepted: dict[str, str] = field(default_factory=dict)
    settled: dict[str, Settled] = field(default_factory=dict)
    loads: list[TableLoad] = field(default_factory=list)
    left_out: tuple[str, ...] = ()
    shared: frozenset[int] = frozenset()
    n_reused: int = 0


def import_snapshot(
    source: str | Path,
    *,
    to: str | Path,
    preset: str | None = None,
    mapping: str | Path | None = None,
    append: bool = False,
    strict: bool = False,
) -> Snapshot:
    """Import an export into a checked snapshot.

    Nothing is dropped silently: a row that cannot be used is in the snapshot's quarantine with
    its reasons, and per table read = left out + merged + superseded + accepted + refused.

    Parameters
    ----------
    source
        A file or folder (CSV, Parquet, Excel, DuckDB), a pattern such as ``exports/*/*.csv``, or
        a database's URL. Files whose names differ by a date or number are parts of one source.
    to
        Snapshot folder; created, or its content replaced once the import has succeeded. A folder
        that holds anything but a snapshot is refused.
    preset, mapping
        Name of a mapping of the package, or a YAML file. Without either the sources must have the
        model's names.
    append
        Add the source to what the snapshot holds, by the mapping it was made with. The result is
        that of importing everything at once.
    strict
        Refuse the whole import when any row was refused.

    Returns
    -------
    Snapshot
        Its `report` is the LoadReport.

    Raises
    ------
    ParameterError
        Preset, mapping or `to` is wrong, or there is no snapshot to append to.
    DataError
        A source or column is missing or unreadable, or no usable row is left in a required table.
        The message lists every problem; an existing snapshot is untouched.
    """
    if preset and mapping:
        raise ParameterError("--preset and --mapping: give one of them.")
    folder = claim_folder(Path(to))
    content = Path(tempfile.mkdtemp(prefix=INCOMING, dir=folder))
    try:
        workspace = content / "work"
        workspace.mkdir()
        previous = _previous(folder, is_needed=append)
        given = _choose_mapping(preset, mapping, previous if append else None)
        with duckdb.connect() as db:
            db.execute(f"set temp_directory = {quoted(workspace)}; set TimeZone = 'UTC'")
            opened = _Opened(db, str(source), given, previous if append else None, workspace)
            run, tasks = _open(db, content, workspace, given, opened, previous, is_append=append)
            for name in TABLES:
                _load_table(run, name, [task for task in tasks if task.table == name])
            _check_result(run, strict=strict)
            index = _make_index(run, given)
        shutil.rmtree(workspace)
        return commit(content, folder, index)
    finally:
        shutil.rmtree(content, ignore_errors=True)
        if not any(folder.iterdir()):
            folder.rmdir()


def _previous(folder: Path, *, is_needed: bool) -> Snapshot | None:
    """Open what the folder holds; where it is not needed, a broken snapshot is none."""
    with suppress(DataError):
        return open_snapshot(folder)
    if is_needed:
        raise ParameterError(
            f"--append: {folder} holds no whole snapshot to add to. Import everything without it."
        )
    return None


def _choose_mapping(
    preset: str | None, mapping: str | Path | None, appended: Snapshot | None
) -> Mapping | None:
    given = read_preset(preset) if preset else read_mapping(Path(mapping)) if mapping else None
    if appended is None:
        return given
    kept = appended.index.mapping
    if given is not None and given != kept:
        raise ParameterError(
            "--append: the snapshot was made with another mapping. Import everything again, or "
            "leave --preset and --mapping out to use the snapshot's."
        )
    return kept


class _Opened(Headers[str, tuple[str, ...]]):
    """The sources of an export and their columns; each is opened when it is first asked for.

    Appending, the sources of the snapshot are known too, by what they were.
    """

    def __init__(
        self, db: duckdb.DuckDBPyConnection, source: str, mapping: Mapping | None,
        appended: Snapshot | None, workspace: Path,
    ) -> None:  # fmt: skip
        self.source = source
        self.problems: list[str] = []
        self._db = db
        self._workspace = workspace
        self.found = group(find_sources(source), mapping.sources if mapping else ())
        self._mapping = mapping
        self._parts: dict[str, list[SourcePart]] = {}
        self._known: dict[str, tuple[str, ...]] = {}
        for part in appended.index.parts if appended else ():
            if part.source:
                self._known[part.source] = _union(self._known.get(part.source, ()), part.columns)

    def __iter__(self) -> Iterator[str]:
        """Names of the sources."""
        return iter({**self.found, **self._known})

    def __len__(self) -> int:
        """Count the sources."""
        return len({**self.found, **self._known})

    def __getitem__(self, name: str) -> tuple[str, ...]:
        """Columns of a source: of all its parts together."""
        if name not in self.found and name not in self._known:
            raise KeyError(name)
        columns = self._known.get(name, ())
        for part in self.parts(name):
            columns = _union(columns, part.columns)
        return columns

    def parts(self, name: str) -> list[SourcePart]:
        """Open the parts of a source; those that cannot be are among the problems."""
        if name not in self._parts:
            self._parts[name] = []
            for found in self.found.get(name, ()):
                self._open(name, found)
        return self._parts[name]

    def _open(self, name: str, found: Found) -> None:
        number = sum(map(len, self._parts.values()))
        options = self._mapping.options(name) if self._mapping else FileOptions()
        try:
            part = open_part(self._db, found, options, workspace=self._workspace, number=number)
        except DataError as error:
            self.problems.append(str(error))
        else:
            self._parts[name].append(part)

    @property
    def used(self) -> tuple[str, ...]:
        """Names of the sources that were opened, and of those known from before."""
        return tuple({**self._parts, **self._known})

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of the opened sources of which a part could not be opened."""
        return tuple(
            name
            for name, parts in self._parts.items()
            if len(parts) < len(self.found.get(name, ()))
        )

    @property
    def labels(self) -> dict[str, str]:
        """Names of the sources in messages: a single file's own."""
        return {name: f[0].label for name, f in self.found.items() if len(f) == 1}

    def unused(self) -> tuple[str, ...]:
        """List the files that nothing was read from."""
        rest = [f for name, items in self.found.items() if name not in self._parts for f in items]
        return tuple(dict.fromkeys(found.label for found in rest))


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _open(
    db: duckdb.DuckDBPyConnection, content: Path, workspace: Path, mapping: Mapping | None,
    opened: _Opened, previous: Snapshot | None, *, is_append: bool,
) -> tuple[_Import, list[_Task]]:  # fmt: skip
    """Match sources and mapping; what is wrong with either is said at once."""
    if mapping is None:
        company = _company(opened.source, previous if is_append else None)
        mapping, is_given = _identity(opened, company), False
    else:
        is_given = True
    resolution = resolve(mapping, opened, unread=opened.broken, names=opened.labels)
    tasks, problems = _make_tasks(resolution, mapping, opened, is_given=is_given)
    problems = [*opened.problems, *resolution.problems, *problems]
    if problems:
        problems = list(dict.fromkeys(problems))
        heading = f"{opened.source}: {len(problems)} problem(s)"
        raise DataError(join_problems(problems, heading=heading))
    run = _Import(db, content, workspace, mapping, opened, previous, is_append)
    run.left_out = resolution.left_out
    uses = Counter(id(task.part) for task in tasks)
    run.shared = frozenset(part for part, count in uses.items() if count > 1)
    return run, tasks


def _company(source: str, appended: Snapshot | None) -> Company:
    if appended is not None:
        return appended.company
    settings = Path(source) / "company.yaml"
    return read_company(settings) if settings.is_file() else Company()


def _identity(opened: _Opened, company: Company) -> Mapping:
    names = [name for name in opened if name in TABLES]
    columns = {name: opened[name] if name in names else () for name in opened}
    return identity_mapping(columns, company)


def _make_tasks(
    resolution: Resolution, mapping: Mapping, opened: _Opened, *, is_given: bool
) -> tuple[list[_Task], list[str]]:
    """List what each part of each source becomes.

    Parts of one source may differ in their columns, so each is resolved for itself.
    """
    tasks: list[_Task] = []
    problems: list[str] = []
    for table, blocks in resolution.tables.items():
        for number, block in zip(resolution.numbers[table], blocks, strict=True):
            if block.source is None:
                tasks.append(_Task(table, number, block))
                continue
            for part in opened.parts(block.source):
                alone = _resolve_part(resolution, mapping, opened, block.source, part, is_given)
                problems += alone.problems
                tasks += [
                    _Task(table, number, own, block.source, part)
                    for at, own in zip(
                        alone.numbers.get(table, ()), alone.tables.get(table, ()), strict=True
                    )
                    if at == number
                ]
    return tasks, problems


def _resolve_part(
    whole: Resolution, mapping: Mapping, opened: _Opened, source: str, part: SourcePart,
    is_given: bool,
) -> Resolution:  # fmt: skip
    if set(part.columns) == set(opened[source]):
        return whole
    headers = {name: opened[name] for name in opened.used}
    headers[source] = part.columns
    if not is_given:
        mapping = identity_mapping(
            {name: columns for name, columns in headers.items()}, mapping.company
        )
    return resolve(mapping, headers, names={**opened.labels, source: part.file})


def _load_table(run: _Import, name: str, tasks: list[_Task]) -> None:
    """Prepare the parts of a table, or take them from the last snapshot, and settle them."""
    kept = _kept_parts(run, name) if run.is_append else []
    keys = {part.record.key for part in kept}
    parts = list(kept)
    for task in tasks:
        key = _key_of(run, task)
        if key not in keys:
            keys.add(key)
            parts.append(_prepare(run, task, key))
    if not parts:
        return
    parts.sort(key=lambda part: part.record.block)
    run.n_reused += sum(not part.is_new for part in parts)
    home, quarantine = run.content / name, run.content / QUARANTINE / name
    blocks = run.mapping.tables.get(name, ())
    fills_up = frozenset(number for number, block in enumerate(blocks) if block.only_new)
    settled = settle(
        run.db, TABLES[name], parts, run.accepted, home=home, quarantine=quarantine,
        fills_up=fills_up,
    )  # fmt: skip
    run.accepted[name] = parquet_sql([home / file for file in settled.accepted])
    run.settled[name] = settled
    run.loads.append(_count_load(run, name, settled))


def _key_of(run: _Import, task: _Task) -> str:
    lookups = [
        part.sha256 for group in task.block.lookups for name in group
        for part in run.opened.parts(name)
    ]  # fmt: skip
    return part_key(task.table, task.number, task.block, task.part, run.mapping, tuple(lookups))


def _prepare(run: _Import, task: _Task, key: str) -> PreparedPart:
    """Prepare a part, unless the last snapshot holds it whole."""
    stored = None if run.previous is None else _stored_part(run.previous, task.table, key)
    if stored is not None and not stored.record.superseded:
        return stored
    part = task.part
    lookups = {name: _lookup_sql(run, name) for group in task.block.lookups for name in group}
    stage = make_stage(run.db, task.block, part, run.mapping, table=task.table, lookups=lookups)
    record = StoredPart(key=key, table=task.table, block=task.number, file=LITERAL)
    if part is not None:
        record = record.model_copy(
            update={
                "file": part.file,
                "source": task.source,
                "columns": part.columns,
                "sha256": part.sha256,
                "bytes": part.bytes,
                "notes": part.notes,
            }
        )
    work = Work(stage, part, key, is_shared=id(part) in run.shared)
    return prepare(run.db, work, record, folder=run.workspace)


def _lookup_sql(run: _Import, name: str) -> str:
    parts = run.opened.parts(name)
    rows = [f"from {part.numbered(run.db, part.columns)}" for part in parts]
    return f"({' union all by name '.join(rows)})"


def _stored_part(snapshot: Snapshot, table: str, key: str) -> PreparedPart | None:
    """Find a part in a snapshot, if its files are as they were written."""
    record = next((p for p in snapshot.index.parts if (p.table, p.key) == (table, key)), None)
    if record is None:
        return None
    name = f"{key}.parquet"
    home = snapshot.folder / snapshot.id
    paths: list[Path | None] = []
    for folder, tables in (
        (home / table, snapshot.index.tables),
        (home / QUARANTINE / table, snapshot.index.quarantine),
    ):
        files = tables[table].files if table in tables else ()
        stored = next((file for file in files if file.name == name), None)
        if stored is not None and not is_whole(folder, stored):
            return None
        paths.append(None if stored is None else folder / name)
    good, refused = paths
    return None if good is None else PreparedPart(record, good, refused, is_new=False)


def _kept_parts(run: _Import, table: str) -> list[PreparedPart]:
    """List the parts of the snapshot that is appended to; `open_snapshot` saw that it is whole."""
    if run.previous is None:
        return []
    records = [part for part in run.previous.index.parts if part.table == table]
    kept = [_stored_part(run.previous, table, record.key) for record in records]
    return [part for part in kept if part is not None]


def _count_load(run: _Import, name: str, settled: Settled) -> TableLoad:
    records = settled.records
    load = TableLoad(
        table=name,
        files=tuple(dict.fromkeys(record.file for record in records)),
        read=sum(record.read for record in records),
        left_out=sum(record.left_out for record in records),
        merged=sum(record.merged for record in records),
        superseded=sum(record.superseded for record in records),
        accepted=_count(run, run.accepted[name]),
        refusals=_count_refusals(run, name, settled),
    )
    if not load.reconciles:  # pragma: no cover - a defect of ours, never of the data
        raise AssertionError(f"{name}: rows do not reconcile: {load}")
    return load


def _count_refusals(run: _Import, name: str, settled: Settled) -> tuple[Refusal, ...]:
    """Count the refused rows of a table by their first reason, most frequent first."""
    if not settled.refused:
        return ()
    folder = run.content / QUARANTINE / name
    rows = run.db.sql(
        f"select reason, any_value({KIND}), count(*) as n, {checks.examples_sql(EXAMPLE)} "
        f"from {parquet_sql([folder / file for file in settled.refused])} "
        "group by reason order by n desc, reason"
    ).fetchall()
    actions = checks.actions(TABLES[name])
    return tuple(
        Refusal(
            reason=reason,
            count=count,
            examples=tuple(examples),
            action=checks.UNSPLIT if kind == OF_LINE else actions[reason],
        )
        for reason, kind, count, examples in rows
    )


def _count(run: _Import, relation: str) -> int:
    return int(run.db.sql(f"select count(*) from {relation}").fetchall()[0][0])


def _describe_aliases(run: _Import) -> list[str]:
    lines = []
    for table, settled in run.settled.items():
        counts: Counter[tuple[str, str, str]] = Counter()
        for record in settled.records:
            for column, alias, proper, count in record.aliases:
                counts[column, alias, proper] += count
        lines += [
            f"{table}: {count:,} rows with {column} {alias!r} read as {proper!r}."
            for (column, alias, proper), count in counts.items()
        ]
    return lines


def _check_result(run: _Import, *, strict: bool) -> None:
    problems = []
    for load in run.loads:
        if TABLES[load.table].required and not load.accepted:
            reasons = "; ".join(f"{r.count:,} x {r.reason}" for r in load.refusals)
            why = f"all {load.read:,} rows were refused: {reasons}" if load.read else "has no rows"
            problems.append(f"{', '.join(load.files)}: {load.table} {why}. Export it again.")
    if problems:
        raise DataError(join_problems(problems, heading=f"{len(problems)} problem(s)"))
    refused = [
        f"{load.table}: {r.count:,} x {r.reason} (e.g. {', '.join(r.examples)}). {r.action}"
        for load in run.loads
        for r in load.refusals
    ]
    if strict and refused:
        raise DataError(join_problems(refused, heading="--strict: rows were refused"))


def _make_index(run: _Import, given: Mapping | None) -> Index:
    parts = tuple(record for settled in run.settled.values() for record in settled.records)
    tables, quarantine = {}, {}
    for name, settled in run.settled.items():
        tables[name] = describe_table(run.content / name, settled.accepted)
        if settled.refused:
            folder = run.content / QUARANTINE / name
            quarantine[name] = describe_table(folder, settled.refused)
    company = run.mapping.company
    as_of = company.as_of or last_event(run.db, run.accepted)
    new_id = content_id(parts, company, as_of)
    return Index(
        format=FORMAT,
        id=new_id,
        as_of=as_of,
        company=company,
        mapping=given,
        parts=parts,
        tables=tables,
        quarantine=quarantine,
        report=_make_report(run, tables, as_of, new_id),
    )


def _make_report(
    run: _Import, tables: dict[str, StoredTable], as_of: dt.date, new_id: str
) -> LoadReport:
    warnings = [
        Notice(table=record.table, what=note, effect="", action="")
        for settled in run.settled.values() for record in settled.records for note in record.notes
    ]  # fmt: skip
    for name, table in tables.items():
        warnings += checks.reference_warnings(run.db, TABLES[name], table.columns, run.accepted)
    warnings += find_warnings(run.db, run.accepted, company=run.mapping.company, as_of=as_of)
    drift, compared_with = _compare(run, new_id)
    return LoadReport(
        tables=tuple(run.loads),
        warnings=tuple(warnings),
        drift=drift,
        compared_with=compared_with,
        resolved=tuple(_describe_aliases(run)),
        left_out=run.left_out,
        absent=tuple(name for name in TABLES if name not in tables),
        unused_files=run.opened.unused(),
        reused_parts=run.n_reused,
    )


def _compare(run: _Import, new_id: str) -> tuple[tuple[Notice, ...], str]:
    """Find what changed since the snapshot before, and its id.

    The same content again keeps what its first import found: against itself it has no drift.
    """
    previous = run.previous
    if previous is None:
        return (), ""
    if previous.id == new_id:
        return previous.report.drift, previous.report.compared_with
    try:
        return find_drift(run.db, run.accepted, previous), previous.id
    except duckdb.IOException:  # imports that ran beside this one have removed its files
        return (), ""
