"""The import: an export's files, through a mapping and the checks, into a Snapshot."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from salesnb.errors import DataError, ParameterError, join_problems
from salesnb.schema import TABLES, Column, Declaration, activities, leads, opportunities
from salesnb.sources import checks
from salesnb.sources.cleaning import LITERAL, check_block_columns, identifier, stage_sql
from salesnb.sources.mapping import (
    Block,
    Company,
    FileOptions,
    Mapping,
    identity_mapping,
    read_company,
    read_mapping,
    read_preset,
)
from salesnb.sources.readers import SourceFile, list_files, open_file, quoted, rejected_lines
from salesnb.sources.report import LoadReport, Refusal, TableLoad
from salesnb.sources.snapshot import (
    FORMAT,
    Index,
    OriginalFile,
    Snapshot,
    commit,
    content_id,
    describe_table,
)

_EVENTS = (
    (opportunities, opportunities.created_on),
    (opportunities, opportunities.closed_on),
    (activities, activities.started_at),
    (leads, leads.created_at),
)


@dataclass
class _Import:
    """State of one running import."""

    db: duckdb.DuckDBPyConnection
    mapping: Mapping
    files: dict[str, SourceFile]
    content: Path
    accepted: dict[str, str] = field(default_factory=dict)
    loads: list[TableLoad] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)


def import_snapshot(
    source: str | Path,
    *,
    to: str | Path,
    preset: str | None = None,
    mapping: str | Path | None = None,
    strict: bool = False,
) -> Snapshot:
    """Import an export into a checked snapshot.

    Nothing is dropped silently: a row that cannot be used is in the snapshot's quarantine with
    its reasons, and per table read = merged + accepted + refused.

    Parameters
    ----------
    source
        Folder of CSV and Parquet files (or one file).
    to
        Snapshot folder; created, or its content replaced once the import has succeeded.
    preset, mapping
        Name of a mapping of the package, or a YAML file. Without either the files must have the
        model's names.
    strict
        Refuse the whole import when any row was refused.

    Returns
    -------
    Snapshot
        Its `report` is the LoadReport.

    Raises
    ------
    ParameterError
        Preset or mapping is wrong.
    DataError
        A file or column is missing or unreadable, or no usable row is left in a required table.
        The message lists every problem; an existing snapshot is untouched.
    """
    if preset and mapping:
        raise ParameterError("--preset and --mapping: give one of them.")
    folder = Path(to)
    folder.mkdir(parents=True, exist_ok=True)
    content = Path(tempfile.mkdtemp(prefix=".incoming-", dir=folder))
    try:
        with tempfile.TemporaryDirectory() as spill, duckdb.connect() as db:
            db.execute(f"set temp_directory = {quoted(spill)}")
            run = _open(db, Path(source), preset, mapping, content)
            for name in TABLES:
                if name in run.mapping.tables:
                    _load_table(run, TABLES[name], run.mapping.tables[name])
            _check_result(run, strict=strict)
            index = _make_index(run)
        return commit(content, folder, index)
    finally:
        shutil.rmtree(content, ignore_errors=True)
        if not any(folder.iterdir()):
            folder.rmdir()


def _open(
    db: duckdb.DuckDBPyConnection, source: Path, preset: str | None,
    mapping_path: str | Path | None, content: Path,
) -> _Import:  # fmt: skip
    paths = list_files(source)
    mapping = None
    if preset or mapping_path:
        mapping = read_preset(preset) if preset else read_mapping(Path(str(mapping_path)))
        wanted = {
            _stem(block.source) for blocks in mapping.tables.values() for block in blocks
            if block.source
        }  # fmt: skip
        absent = sorted(wanted - set(paths))
        if absent:
            found = ", ".join(path.name for path in paths.values())
            raise DataError(
                f"{source}: {len(absent)} file(s) missing ({', '.join(absent)}); found: {found}. "
                "Export them, or change `from:` in your mapping."
            )
        paths = {stem: paths[stem] for stem in sorted(wanted)}
    files, problems = _open_files(db, paths, mapping.files if mapping else {})
    if not mapping and not problems:
        settings = source / "company.yaml"
        company = read_company(settings) if settings.is_file() else Company()
        mapping = identity_mapping(
            {stem: tuple(file.columns) for stem, file in files.items()}, company
        )
    if mapping:
        problems += _check_mapping(mapping, files)
    if problems or mapping is None:
        raise DataError(join_problems(problems, heading=f"{source}: {len(problems)} problem(s)"))
    return _Import(db, mapping, files, content)


def _open_files(
    db: duckdb.DuckDBPyConnection, paths: dict[str, Path], options: dict[str, FileOptions]
) -> tuple[dict[str, SourceFile], list[str]]:
    files, problems = {}, []
    for stem, path in paths.items():
        try:
            chosen = options.get(path.name, options.get(stem, FileOptions()))
            files[stem] = open_file(db, path, chosen)
        except DataError as error:
            problems.append(str(error))
    return files, problems


def _check_mapping(mapping: Mapping, files: dict[str, SourceFile]) -> list[str]:
    problems = []
    for name, declaration in TABLES.items():
        blocks = mapping.tables.get(name, ())
        if declaration.required and not blocks:
            problems.append(f"{name}: the table is required and has no source.")
        for block in blocks:
            file = files.get(_stem(block.source)) if block.source else None
            where = file.name if file else LITERAL
            needed = [c for c in declaration.required_columns if c not in block.fills]
            if needed:
                problems.append(
                    f"{where}: {name} needs {len(needed)} more column(s): {', '.join(needed)}. "
                    f"Add them to the export or under tables: {name}: in your mapping."
                )
            if file:
                problems += check_block_columns(block, file)
    return problems


def _load_table(run: _Import, declaration: Declaration, blocks: tuple[Block, ...]) -> None:
    given = {name for block in blocks for name in block.fills} | set(declaration.key)
    columns = [column for name, column in declaration.columns.items() if name in given]
    name = declaration.name
    selects = [
        stage_sql(run.mapping, block, columns, run.files.get(_stem(block.source)))
        for block in blocks
    ]
    run.db.execute(f"create temp table staged_{name} as {' union all by name '.join(selects)}")
    found = checks.row_checks(declaration, columns, run.accepted)
    checks.judge(run.db, declaration, columns, found)
    path = _write_tables(run, name, columns)
    refusals = [*checks.count_refusals(run.db, declaration, found), *_split_failures(run, blocks)]
    run.accepted[name] = f"read_parquet({quoted(path)})"
    run.loads.append(_count_load(run, name, blocks, refusals))
    run.warnings += checks.reference_warnings(run.db, declaration, columns, run.accepted)
    run.resolved += _count_aliases(run, name, columns)
    run.db.execute(f"drop table staged_{name}; drop table judged_{name}")


def _write_tables(run: _Import, name: str, columns: list[Column]) -> Path:
    path = run.content / f"{name}.parquet"
    names = ", ".join(identifier(column) for column in columns)
    how = "(format parquet, compression zstd)"
    run.db.execute(
        f"copy (select {names} from judged_{name} where len(_reasons) = 0 order by _file, _row) "
        f"to {quoted(path)} {how}"
    )
    raws = ", ".join(f"{identifier(f'raw_{column}')} as {identifier(column)}" for column in columns)
    refused = f"from judged_{name} where len(_reasons) > 0"
    if run.db.sql(f"select count(*) {refused}").fetchall()[0][0]:
        quarantine = run.content / "quarantine"
        quarantine.mkdir(exist_ok=True)
        run.db.execute(
            f"copy (select _file as file, _row as row, _reasons[1].reason as reason, "
            f"list_transform(_reasons, lambda r: r.reason) as all_reasons, {raws} {refused} "
            f"order by _file, _row) to {quoted(quarantine / f'{name}.parquet')} {how}"
        )
    return path


def _split_failures(run: _Import, blocks: tuple[Block, ...]) -> list[Refusal]:
    """Count CSV lines that DuckDB could not split into columns: they belong to the table too."""
    counts: dict[str, list[tuple[int, str]]] = {}
    used = [str(run.files[_stem(block.source)].path) for block in blocks if block.source]
    for path, line, text, reason in rejected_lines(run.db):
        for _ in range(used.count(path)):
            counts.setdefault(reason, []).append((line, text))
    action = "Correct the quoting of these lines and export again."
    return [
        Refusal(
            reason=reason,
            count=len(lines),
            examples=tuple(f"line {line}: {text[:60]}" for line, text in lines[:5]),
            action=action,
        )
        for reason, lines in sorted(counts.items())
    ]


def _count_load(
    run: _Import, name: str, blocks: tuple[Block, ...], refusals: list[Refusal]
) -> TableLoad:
    staged, kept, accepted = run.db.sql(
        f"select coalesce(sum(_merged), 0)::BIGINT, count(*), count(*) filter (len(_reasons) = 0) "
        f"from judged_{name}"
    ).fetchall()[0]
    unsplit = sum(r.count for r in refusals) - (kept - accepted)
    files = [run.files[_stem(b.source)].name if b.source else LITERAL for b in blocks]
    load = TableLoad(
        table=name,
        files=tuple(dict.fromkeys(files)),
        read=staged + unsplit,
        merged=staged - kept,
        accepted=accepted,
        refusals=tuple(refusals),
    )
    if not load.reconciles:  # pragma: no cover - a defect of ours, never of the data
        raise AssertionError(f"{name}: rows do not reconcile: {load}")
    return load


def _count_aliases(run: _Import, name: str, columns: list[Column]) -> list[str]:
    lines = []
    for column in columns:
        for alias, proper in run.mapping.aliases.get(column.rule.references, {}).items():
            count = run.db.sql(
                f"select count(*) from staged_{name} "
                f"where {identifier(f'raw_{column}')} = {quoted(alias)}"
            ).fetchall()[0][0]
            if count:
                lines.append(f"{name}: {count:,} rows with {column} {alias!r} read as {proper!r}.")
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


def _make_index(run: _Import) -> Index:
    tables = {
        load.table: describe_table(run.content / f"{load.table}.parquet") for load in run.loads
    }
    as_of = run.mapping.company.as_of or _last_event(run)
    used = [file for file in run.files.values() if _is_used(run, file)]
    report = LoadReport(
        tables=tuple(run.loads),
        warnings=(*run.warnings, *_undated_warning(run)),
        resolved=tuple(run.resolved),
        absent=tuple(name for name in TABLES if name not in tables),
        unused_files=tuple(file.name for file in run.files.values() if file not in used),
    )
    return Index(
        format=FORMAT,
        id=content_id(tables, run.mapping.company, as_of),
        as_of=as_of,
        company=run.mapping.company,
        tables=tables,
        originals=tuple(
            OriginalFile(name=file.name, sha256=file.sha256(), bytes=file.path.stat().st_size)
            for file in used
        ),
        report=report,
    )


def _is_used(run: _Import, file: SourceFile) -> bool:
    return any(load for load in run.loads if file.name in load.files)


def _last_event(run: _Import) -> dt.date:
    """Find the day of the last thing that happened; closing dates count for closed ones only."""
    days: list[dt.date | None] = []
    for table, column in _EVENTS:
        relation = run.accepted.get(table.declaration.name)
        if relation is None or column not in _columns_of(run, relation):
            continue
        only = f"where {opportunities.is_closed}" if column == opportunities.closed_on else ""
        days += run.db.sql(f"select max({column})::DATE from {relation} {only}").fetchall()[0]
    dated = [day for day in days if day is not None]
    if not dated:
        raise DataError("no opportunity has a date. Map created_on or closed_on, or set as_of.")
    last: dt.date = max(dated)
    return last


def _undated_warning(run: _Import) -> list[str]:
    relation = run.accepted[opportunities.declaration.name]
    if opportunities.created_on not in _columns_of(run, relation):
        return []
    count = run.db.sql(
        f"select count(*) from {relation} where {opportunities.created_on} is null"
    ).fetchall()[0][0]
    if not count:
        return []
    return [
        f"opportunities: {count:,} have no created_on; they are left out of KPIs over created "
        "opportunities (close_rate) and of cycle_days."
    ]


def _columns_of(run: _Import, relation: str) -> set[str]:
    return set(run.db.sql(f"select * from {relation}").columns)


def _stem(name: str | None) -> str:
    return Path(name or "").stem if name and name.endswith((".csv", ".parquet")) else name or ""
