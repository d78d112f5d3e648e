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
from salesnb.sources.cleaning import check_block_columns, stage_sql
from salesnb.sources.mapping import (
    LITERAL,
    Block,
    Company,
    FileOptions,
    Mapping,
    file_stem,
    identity_mapping,
    read_company,
    read_mapping,
    read_preset,
)
from salesnb.sources.readers import (
    SourceFile,
    check_all_read,
    list_files,
    open_file,
    parquet_sql,
    rejected_lines,
)
from salesnb.sources.report import LoadReport, Refusal, TableLoad
from salesnb.sources.snapshot import (
    FORMAT,
    INCOMING,
    QUARANTINE,
    Index,
    OriginalFile,
    Snapshot,
    claim_folder,
    commit,
    content_id,
    describe_tables,
)
from salesnb.sources.sql import identifier, quoted

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
    unused: tuple[str, ...]
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
        Snapshot folder; created, or its content replaced once the import has succeeded. A folder
        that holds anything but a snapshot is refused.
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
        Preset, mapping or `to` is wrong.
    DataError
        A file or column is missing or unreadable, or no usable row is left in a required table.
        The message lists every problem; an existing snapshot is untouched.
    """
    if preset and mapping:
        raise ParameterError("--preset and --mapping: give one of them.")
    folder = claim_folder(Path(to))
    content = Path(tempfile.mkdtemp(prefix=INCOMING, dir=folder))
    try:
        with tempfile.TemporaryDirectory() as spill, duckdb.connect() as db:
            db.execute(f"set temp_directory = {quoted(spill)}; set TimeZone = 'UTC'")
            run = _open(db, Path(source), _read_given(preset, mapping), content)
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


def _read_given(preset: str | None, mapping: str | Path | None) -> Mapping | None:
    if preset:
        return read_preset(preset)
    return read_mapping(Path(mapping)) if mapping else None


def _open(
    db: duckdb.DuckDBPyConnection, source: Path, mapping: Mapping | None, content: Path
) -> _Import:
    paths = list_files(source)
    wanted = mapping.sources if mapping else tuple(name for name in TABLES if name in paths)
    files, problems = _open_files(db, source, paths, wanted, mapping.files if mapping else {})
    if mapping is None and (files or not problems):
        settings = source / "company.yaml"
        company = read_company(settings) if settings.is_file() else Company()
        columns = {stem: files[stem].columns if stem in files else () for stem in paths}
        mapping = identity_mapping(columns, company)
    if mapping is not None:
        problems += _check_mapping(mapping, files, broken=set(wanted) - set(files))
    if problems or mapping is None:
        raise DataError(join_problems(problems, heading=f"{source}: {len(problems)} problem(s)"))
    unused = tuple(path.name for stem, path in paths.items() if stem not in mapping.sources)
    return _Import(db, mapping, files, unused, content)


def _open_files(
    db: duckdb.DuckDBPyConnection, source: Path, paths: dict[str, Path],
    wanted: tuple[str, ...], options: dict[str, FileOptions],
) -> tuple[dict[str, SourceFile], list[str]]:  # fmt: skip
    files, problems = {}, []
    chosen = {file_stem(name): given for name, given in options.items()}
    absent = [stem for stem in wanted if stem not in paths]
    if absent:
        found = ", ".join(path.name for path in paths.values())
        problems.append(
            f"{source}: {len(absent)} file(s) missing ({', '.join(absent)}); found: {found}. "
            "Export them, or change `from:` in your mapping."
        )
    for stem in wanted:
        if stem in paths:
            try:
                files[stem] = open_file(db, paths[stem], chosen.get(stem, FileOptions()))
            except DataError as error:
                problems.append(str(error))
    return files, problems


def _check_mapping(
    mapping: Mapping, files: dict[str, SourceFile], *, broken: set[str]
) -> list[str]:
    problems = []
    for name, declaration in TABLES.items():
        blocks = mapping.tables.get(name, ())
        if declaration.required and not blocks and name not in broken:
            problems.append(f"{name}: the table is required and has no source.")
        for block in blocks:
            file = files.get(file_stem(block.source)) if block.source else None
            where = file.name if file else block.source or LITERAL
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
    files = [run.files[file_stem(b.source)] if b.source else None for b in blocks]
    names = tuple(dict.fromkeys(file.name if file else LITERAL for file in files))
    selects = [
        stage_sql(run.mapping, block, number, columns, file)
        for number, (block, file) in enumerate(zip(blocks, files, strict=True))
    ]
    found = checks.row_checks(declaration, columns, run.accepted)
    try:
        run.db.execute(f"create temp table staged_{name} as {' union all by name '.join(selects)}")
    except duckdb.Error as error:
        raise DataError(
            f"{', '.join(names)}: cannot be read: {str(error).splitlines()[0]} "
            "Export it again; a CSV may have one kind of line end only."
        ) from error
    unsplit = _split_failures(run, name, files)
    checks.judge(run.db, declaration, columns, found)
    path = _write_tables(run, name, columns)
    refusals = [*checks.count_refusals(run.db, declaration, found), *unsplit]
    run.accepted[name] = parquet_sql(path)
    run.loads.append(_count_load(run, name, names, refusals, sum(r.count for r in unsplit)))
    run.warnings += checks.reference_warnings(run.db, declaration, columns, run.accepted)
    run.resolved += _count_aliases(run, name, columns)
    run.db.execute(f"drop table staged_{name}; drop table judged_{name}")


def _write_tables(run: _Import, name: str, columns: list[Column]) -> Path:
    path = run.content / f"{name}.parquet"
    names = ", ".join(identifier(column) for column in columns)
    how = "(format parquet, compression zstd)"
    run.db.execute(
        f"copy (select {names} from judged_{name} where len(_reasons) = 0 order by _block, _row) "
        f"to {quoted(path)} {how}"
    )
    raws = ", ".join(f"{identifier(f'raw_{column}')} as {identifier(column)}" for column in columns)
    refused = f"from judged_{name} where len(_reasons) > 0"
    if _count(run, refused):
        quarantine = run.content / QUARANTINE
        quarantine.mkdir(exist_ok=True)
        run.db.execute(
            f"copy (select _file as file, _row as row, _reasons[1].reason as reason, "
            f"list_transform(_reasons, lambda r: r.reason) as all_reasons, {raws} {refused} "
            f"order by _block, _row) to {quoted(quarantine / f'{name}.parquet')} {how}"
        )
    return path


def _split_failures(run: _Import, name: str, files: list[SourceFile | None]) -> list[Refusal]:
    """Count CSV lines that DuckDB could not split into columns: they belong to the table too.

    Sees also that no other line was lost.
    """
    counts: dict[str, list[str]] = {}
    rejected = rejected_lines(run.db)
    for number, file in enumerate(files):
        if file is None:
            continue
        lines = [row for row in rejected if row[0] == str(file.path)]
        for _, line, text, reason in lines:
            counts.setdefault(reason, []).append(f"line {line}: {text[:60]}")
        n_read = _count(run, f"from staged_{name} where _block = {number}", "sum(_merged)")
        check_all_read(file, n_read + len(lines))
    action = "Correct the quoting of these lines and export again."
    return [
        Refusal(reason=reason, count=len(lines), examples=tuple(lines[:5]), action=action)
        for reason, lines in sorted(counts.items())
    ]


def _count_load(
    run: _Import, name: str, files: tuple[str, ...], refusals: list[Refusal], n_unsplit: int
) -> TableLoad:
    staged = _count(run, f"from staged_{name}", "sum(_merged)")
    load = TableLoad(
        table=name,
        files=files,
        read=staged + n_unsplit,
        merged=staged - _count(run, f"from staged_{name}"),
        accepted=_count(run, f"from {run.accepted[name]}"),
        refusals=tuple(refusals),
    )
    if not load.reconciles:  # pragma: no cover - a defect of ours, never of the data
        raise AssertionError(f"{name}: rows do not reconcile: {load}")
    return load


def _count(run: _Import, relation: str, what: str = "count(*)") -> int:
    return int(run.db.sql(f"select coalesce({what}, 0) {relation}").fetchall()[0][0])


def _count_aliases(run: _Import, name: str, columns: list[Column]) -> list[str]:
    lines = []
    for column in columns:
        for alias, proper in run.mapping.aliases.get(column.rule.references, {}).items():
            count = _count(
                run,
                f"from staged_{name} where {identifier(f'raw_{column}')} = {quoted(alias)} "
                f"and {identifier(column)} = {quoted(proper)}",
            )
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
    tables = describe_tables(run.content)
    quarantine = describe_tables(run.content / QUARANTINE)
    as_of = run.mapping.company.as_of or _last_event(run)
    report = LoadReport(
        tables=tuple(run.loads),
        warnings=(*run.warnings, *_undated_warning(run)),
        resolved=tuple(run.resolved),
        absent=tuple(name for name in TABLES if name not in tables),
        unused_files=run.unused,
    )
    return Index(
        format=FORMAT,
        id=content_id(tables, quarantine, run.mapping.company, as_of),
        as_of=as_of,
        company=run.mapping.company,
        tables=tables,
        quarantine=quarantine,
        originals=tuple(
            OriginalFile(name=file.name, sha256=file.sha256(), bytes=file.path.stat().st_size)
            for stem, file in run.files.items()
            if stem in run.mapping.sources
        ),
        report=report,
    )


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
        raise DataError(
            "opportunities: no row has a date, so the day of the export is unknown. Map created_on "
            "or closed_on, or set as_of of the company."
        )
    last: dt.date = max(dated)
    return last


def _undated_warning(run: _Import) -> list[str]:
    relation = run.accepted[opportunities.declaration.name]
    if opportunities.created_on not in _columns_of(run, relation):
        return []
    count = _count(run, f"from {relation} where {opportunities.created_on} is null")
    if not count:
        return []
    return [
        f"opportunities: {count:,} have no created_on; they are left out of KPIs over created "
        "opportunities (close_rate) and of cycle_days."
    ]


def _columns_of(run: _Import, relation: str) -> set[str]:
    return set(run.db.sql(f"select * from {relation}").columns)
