"""The import from beginning to end."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import duckdb

from salesnb.errors import DataError, ParameterError
from salesnb.message import figure, message
from salesnb.progress import long, step
from salesnb.schema import TABLES
from salesnb.sources.load.export import Export
from salesnb.sources.load.expressions import left_out_expression
from salesnb.sources.load.parts import PreparedPart, Work, make_stage, part_key, prepare
from salesnb.sources.load.settle import settle
from salesnb.sources.load.staging import LITERAL
from salesnb.sources.load.state import Import
from salesnb.sources.load.summary import check_result, count_load, make_report
from salesnb.sources.load.tasks import Task, match
from salesnb.sources.mapping import Block, Mapping, read_mapping, read_preset
from salesnb.sources.notices.notice import Notice
from salesnb.sources.notices.timeline import last_event
from salesnb.sources.snapshot import (
    FORMAT,
    INCOMING,
    QUARANTINE,
    Index,
    Snapshot,
    StoredPart,
    claim_folder,
    commit,
    content_id,
    describe_table,
    is_whole,
    open_snapshot,
)
from salesnb.sources.sql import parquet_sql, quoted


@long("Importing")
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
            appended = previous if append else None
            export = Export(db, str(source), given, appended, workspace)
            matched = match(export, given, company=appended.company if appended else None)
            uses = Counter(id(task.part) for task in matched.tasks)
            shared = frozenset(part for part, count in uses.items() if count > 1)
            run = Import(
                db, content, workspace, matched.mapping, export, previous, append,
                matched.left_out, shared,
            )  # fmt: skip
            _load_tables(run, matched.tasks)
            if again := _without_skips(run, matched.tasks):
                _forget(run)
                _load_tables(run, again)
            check_result(run, strict=strict)
            index = _make_index(run, given)
        shutil.rmtree(workspace)
        return commit(content, folder, index)
    finally:
        shutil.rmtree(content, ignore_errors=True)
        with suppress(FileNotFoundError):  # an error of ours must not hide the first
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


def _load_tables(run: Import, tasks: Iterable[Task]) -> None:
    """Prepare and settle all tables, those that others refer to first."""
    for name in TABLES:
        step(name)
        parts = _parts_of(run, name, [task for task in tasks if task.table == name])
        if parts:
            _settle(run, name, parts)
            run.n_reused += sum(not part.is_new for part in parts)
            run.loads.append(count_load(run, name))


def _without_skips(run: Import, tasks: Iterable[Task]) -> list[Task]:
    """Find out whether `skip` left a required table without a row, and take it out then.

    What holds for every row, tells none apart: an export may be of deleted records only, or the
    CRM's flag mean something else. A warning says so. None where all is as it should be.
    """
    emptied = {
        load.table for load in run.loads
        if TABLES[load.table].required and load.left_out and not load.accepted
    }  # fmt: skip
    sources = {task.source for task in tasks if task.table in emptied and task.block.skip}
    if not sources or run.is_append:
        return []
    for load in run.loads:
        if load.table in emptied:
            run.notices.append(
                Notice(
                    table=load.table,
                    what=message(
                        "All {n} rows are such as the mapping skips.", n=figure(load.left_out)
                    ),
                    effect=message("They were kept, for without them there would be none."),
                    action=message("Export live records, or change `skip` in your mapping."),
                )
            )
    return [
        replace(task, block=_telling(run, task)) if task.source in sources else task
        for task in tasks
    ]


def _telling(run: Import, task: Task) -> Block:
    """Keep of a block's `skip` what does not hold for all rows of the part."""
    part = task.part
    if part is None:
        return task.block
    rows = part.numbered(run.db, part.columns)
    kept = {}
    for name, condition in task.block.skip.items():
        alone = task.block.model_copy(
            update={"skip": {name: condition}, "only": {}, "only_filled": ()}
        )
        test = left_out_expression(alone, lookups=_lookups(run, task.block))
        if run.count(f"{rows} where not {test}"):
            kept[name] = condition
    return task.block.model_copy(update={"skip": kept})


def _forget(run: Import) -> None:
    """Undo what was settled."""
    for name in run.settled:
        for folder in (run.content / name, run.content / QUARANTINE / name):
            shutil.rmtree(folder, ignore_errors=True)
    run.accepted.clear()
    run.settled.clear()
    run.loads.clear()
    run.n_reused = 0


def _parts_of(run: Import, name: str, tasks: list[Task]) -> list[PreparedPart]:
    """List a table's prepared parts; of one file that comes twice, each is a part."""
    parts = _kept_parts(run, name) if run.is_append else []
    kept = {part.record.key for part in parts}
    times: Counter[str] = Counter()
    for task in tasks:
        key = _key_of(run, task)
        if key not in kept:
            times[key] += 1
            parts.append(_prepare(run, task, key if times[key] == 1 else f"{key}-{times[key]}"))
    return sorted(parts, key=lambda part: part.record.block)


def _settle(run: Import, name: str, parts: list[PreparedPart]) -> None:
    home, quarantine = run.content / name, run.content / QUARANTINE / name
    blocks = run.mapping.tables.get(name, ())
    fills_up = frozenset(number for number, block in enumerate(blocks) if block.only_new)
    settled = settle(
        run.db, TABLES[name], parts, run.accepted, home=home, quarantine=quarantine,
        fills_up=fills_up,
    )  # fmt: skip
    run.accepted[name] = parquet_sql([home / file for file in settled.accepted])
    run.settled[name] = settled


def _key_of(run: Import, task: Task) -> str:
    lookups = [
        part.sha256 for group in task.block.lookups for name in group
        for part in run.export.parts(name)
    ]  # fmt: skip
    return part_key(task.table, task.number, task.block, task.part, run.mapping, tuple(lookups))


def _prepare(run: Import, task: Task, key: str) -> PreparedPart:
    """Prepare a part, unless the last snapshot holds it whole."""
    stored = None if run.previous is None else _stored_part(run.previous, task.table, key)
    if stored is not None and not stored.record.superseded:
        return stored
    part = task.part
    lookups = _lookups(run, task.block)
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


def _lookups(run: Import, block: Block) -> dict[str, str]:
    return {name: _lookup_sql(run, name) for group in block.lookups for name in group}


def _lookup_sql(run: Import, name: str) -> str:
    parts = run.export.parts(name)
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


def _kept_parts(run: Import, table: str) -> list[PreparedPart]:
    """List the parts of the snapshot that is appended to; `open_snapshot` saw that it is whole."""
    if run.previous is None:
        return []
    records = [part for part in run.previous.index.parts if part.table == table]
    kept = [_stored_part(run.previous, table, record.key) for record in records]
    return [part for part in kept if part is not None]


def _make_index(run: Import, given: Mapping | None) -> Index:
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
        report=make_report(run, tables, as_of, new_id),
    )
