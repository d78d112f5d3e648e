"""Tasks: which part of which source becomes rows of which table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from salesnb.errors import DataError, join_problems
from salesnb.schema import TABLES
from salesnb.sources.load.export import Export
from salesnb.sources.mapping import (
    Block,
    Company,
    Mapping,
    Resolution,
    identity_mapping,
    read_company,
    resolve,
)
from salesnb.sources.readers import SourcePart


@dataclass(frozen=True)
class Task:
    """One part of a source, and what one block makes of it."""

    table: str
    number: int
    block: Block
    source: str = ""
    part: SourcePart | None = None


@dataclass(frozen=True)
class Match:
    """An export and a mapping matched: what is to be done, and what the export does not have."""

    mapping: Mapping
    tasks: tuple[Task, ...]
    left_out: tuple[str, ...]


def match(export: Export, mapping: Mapping | None, *, company: Company | None) -> Match:
    """Match an export with a mapping, or with the model's own names where there is none.

    `company` holds where there is no mapping; None reads it from the export.

    Raises
    ------
    DataError
        Sources or columns are missing or unreadable; all that is wrong is said at once.
    """
    is_given = mapping is not None
    if mapping is None:
        mapping = _identity(export, company or _company(export.source))
    resolution = resolve(mapping, export, unread=export.broken, names=export.labels)
    tasks, problems = _make_tasks(resolution, mapping, export, is_given=is_given)
    problems = list(dict.fromkeys([*export.problems, *resolution.problems, *problems]))
    if problems:
        heading = f"{export.source}: {len(problems)} problem(s)"
        raise DataError(join_problems(problems, heading=heading))
    return Match(mapping, tuple(tasks), resolution.left_out)


def _company(source: str) -> Company:
    settings = Path(source) / "company.yaml"
    return read_company(settings) if settings.is_file() else Company()


def _identity(export: Export, company: Company) -> Mapping:
    names = [name for name in export if name in TABLES]
    columns = {name: export[name] if name in names else () for name in export}
    return identity_mapping(columns, company)


def _make_tasks(
    resolution: Resolution, mapping: Mapping, export: Export, *, is_given: bool
) -> tuple[list[Task], list[str]]:
    """List what each part of each source becomes.

    Parts of one source may differ in their columns, so each is resolved for itself.
    """
    tasks: list[Task] = []
    problems: list[str] = []
    for table, blocks in resolution.tables.items():
        for number, block in zip(resolution.numbers[table], blocks, strict=True):
            if block.source is None:
                tasks.append(Task(table, number, block))
                continue
            for part in export.parts(block.source):
                alone = _resolve_part(resolution, mapping, export, block.source, part, is_given)
                problems += alone.problems
                tasks += [
                    Task(table, number, own, block.source, part)
                    for at, own in zip(
                        alone.numbers.get(table, ()), alone.tables.get(table, ()), strict=True
                    )
                    if at == number
                ]
    return tasks, problems


def _resolve_part(
    whole: Resolution, mapping: Mapping, export: Export, source: str, part: SourcePart,
    is_given: bool,
) -> Resolution:  # fmt: skip
    if set(part.columns) == set(export[source]):
        return whole
    headers = {name: export[name] for name in export.used}
    headers[source] = part.columns
    if not is_given:
        mapping = identity_mapping(headers, mapping.company)
    return resolve(mapping, headers, names={**export.labels, source: part.file})
