"""Resolution: a mapping brought together with what an export really has."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from salesnb.errors import quote_examples
from salesnb.schema import TABLES, Declaration
from salesnb.sources.mapping.blocks import Block, Change, Mapping
from salesnb.sources.mapping.columns import ColumnSpec
from salesnb.sources.mapping.names import file_stem, find_name
from salesnb.sources.mapping.specs import Export, Scope, resolve_conditions, resolve_spec

LITERAL = "the mapping"
"""Origin of rows that are written in the mapping itself."""

_RENAME = "or change the names under tables: in your mapping."


@dataclass(frozen=True)
class Resolution:
    """What is read from an export.

    Attributes
    ----------
    tables
        Per table the blocks that apply. All names of sources and columns are exact, and no
        alternatives are left; a table without such a block is not there.
    problems
        What has to be put right before anything can be read, each with the one action.
    left_out
        Optional tables, blocks and columns the export does not have, in words.
    numbers
        Per table the places its blocks have in the mapping, from 0.
    """

    tables: dict[str, tuple[Block, ...]]
    problems: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    numbers: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of all sources needed, those that are only looked into included."""
        blocks = [block for blocks in self.tables.values() for block in blocks]
        groups = [group for block in blocks for group in (block.sources, *block.lookups)]
        return tuple(sorted({name for group in groups for name in group}))


@dataclass(frozen=True)
class _Outcome:
    """What became of a block: it applies, or not for these reasons."""

    block: Block | None = None
    problems: tuple[str, ...] = ()
    missing_file: str = ""
    reason: str = ""
    """Why an optional block is left out."""
    lacks: tuple[str, ...] = ()
    """Optional columns of the model it cannot fill."""
    is_unread: bool = False
    fills_up: bool = False
    """Whether it would only add to what other blocks of the table give."""


def resolve(
    mapping: Mapping, headers: Map[str, tuple[str, ...]], *,
    unread: Iterable[str] = (), names: Map[str, str] | None = None,
) -> Resolution:  # fmt: skip
    """Find out which blocks and columns of a mapping an export can give.

    Parameters
    ----------
    mapping
        With alternatives and optional parts.
    headers
        Per source of the export, by its stem, the names of its columns. Only those that are
        needed are asked for; one without columns could not be opened.
    unread
        Sources the export has that could not be opened: what is read from them is passed over,
        for the reader has said why.
    names
        How messages call a source, for instance by its file's whole name; default: as in
        `headers`.

    Returns
    -------
    Resolution
        Where it has `problems`, its tables cannot be loaded.
    """
    export = Export(
        headers,
        tuple(unread),
        {file_stem(name): file_stem(to) for name, to in mapping.instead.items()},
        mapping.company.fiscal_year_start,
        names,
    )
    tables, numbers, problems, left_out, missing = {}, {}, [], [], []
    for name, declaration in TABLES.items():
        given = mapping.tables.get(name, ())
        outcomes = [_resolve_block(block, declaration, export) for block in given]
        blocks = tuple(outcome.block for outcome in outcomes if outcome.block)
        if blocks:
            tables[name] = blocks
            numbers[name] = tuple(at for at, outcome in enumerate(outcomes) if outcome.block)
        missing += [outcome.missing_file for outcome in outcomes if outcome.missing_file]
        problems += _table_problems(declaration, outcomes, export)
        problems += _check_change(mapping.changed.get(name, Change()), name, outcomes, export)
        left_out += _describe_left_out(name, outcomes, export)
    problems = [
        *_check_files(missing, sorted(map(export.call, [*headers, *export.unread]))),
        *problems,
    ]
    return Resolution(
        tables, tuple(dict.fromkeys(problems)), tuple(dict.fromkeys(left_out)), numbers
    )


def _check_files(missing: Iterable[str], found: Iterable[str]) -> list[str]:
    names = list(dict.fromkeys(missing))
    if not names:
        return []
    there = ", ".join(found) or "nothing"
    return [
        f"{len(names)} file(s) missing ({', '.join(names)}); found: {there}. "
        "Export them, or change `from:` in your mapping."
    ]


def _resolve_block(block: Block, declaration: Declaration, export: Export) -> _Outcome:
    if not block.sources:
        needed = [c for c in declaration.required_columns if c not in block.fills]
        return _Outcome(block, problems=_needs(LITERAL, declaration, needed))
    source = export.find(block.sources)
    if source.name is None:
        if block.optional:
            return _Outcome(reason=f"no file {source.lacks}", fills_up=block.only_new)
        if " (may be " in source.lacks:
            problem = f"{declaration.name}: from: {source.lacks}. Write the one you mean exactly."
            return _Outcome(problems=(problem,))
        return _Outcome(missing_file=" or ".join(export.wanted(block.sources)))
    if source.name not in export.headers or not export.headers[source.name]:
        return _Outcome(is_unread=True)
    return _resolve_columns(block, source.name, declaration, export)


def _resolve_columns(
    block: Block, source: str, declaration: Declaration, export: Export
) -> _Outcome:
    """Make the names of a block's columns exact, once its source is known."""
    known = export.headers[source]
    scope = Scope(export, known, block.columns, optional=bool(block.optional))
    outcomes = {name: resolve_spec(spec, scope) for name, spec in block.columns.items()}
    skip, only = (resolve_conditions(part, scope) for part in (block.skip, block.only))
    latest = find_name(block.latest_by, known)
    absent = {name: " and ".join(o.lacks) for name, o in outcomes.items() if o.spec is None}
    strict = [text for name, text in absent.items() if not block.columns[name].optional]
    strict += [*skip.lacks, *only.lacks]
    if block.latest_by and latest.name is None and not block.optional:
        strict.append(latest.lacks)
    columns = {name: outcome.spec for name, outcome in outcomes.items() if outcome.spec}
    resolved = block.model_copy(update={
        "sources": (source,),
        "columns": columns,
        "skip": skip.found,
        "only": only.found,
        "latest_by": (latest.name,) if latest.name else (),
    })  # fmt: skip
    where = export.call(source)
    problems = _missing_columns(where, list(dict.fromkeys(strict)), known)
    wanted = dict.fromkeys([*map(str, declaration.required_columns), *block.only_filled])
    needed = [column for column in wanted if column not in columns]
    if not block.optional:
        strict_needed = [c for c in needed if c not in absent or block.columns[c].optional]
        problems += _needs(where, declaration, strict_needed)
        problems += _missing_columns(where, list(only.lacks_optional), known)
    elif not problems and (needed or only.lacks_optional):
        lacks = [f"{absent[c]} for {c}" if c in absent else str(c) for c in needed]
        reason = f"no {', no '.join([*lacks, *only.lacks_optional])} in {where}"
        return _Outcome(reason=reason, fills_up=block.only_new)
    loose = tuple(name for name in absent if block.columns[name].optional and name not in needed)
    return _Outcome(None if problems else resolved, problems=problems, lacks=loose)


def _missing_columns(source: str, lacks: list[str], known: Iterable[str]) -> tuple[str, ...]:
    if not lacks:
        return ()
    return (
        f"{source}: {len(lacks)} column(s) missing ({', '.join(lacks)}); the file has "
        f"{quote_examples(known, most=30)}. Export them, {_RENAME}",
    )


def _needs(where: str, declaration: Declaration, needed: Iterable[str]) -> tuple[str, ...]:
    names = list(needed)
    if not names:
        return ()
    return (
        f"{where}: {declaration.name} needs {len(names)} more column(s): {', '.join(names)}. "
        f"Add them to the export or under tables: {declaration.name}: in your mapping.",
    )


def _table_problems(
    declaration: Declaration, outcomes: list[_Outcome], export: Export
) -> list[str]:
    problems = [problem for outcome in outcomes for problem in outcome.problems]
    is_there = any(o.block or o.missing_file or o.is_unread for o in outcomes)
    is_there = is_there or (not outcomes and declaration.name in export.unread)
    if declaration.required and not is_there and not problems:
        name = declaration.name
        reasons = "; ".join(outcome.reason for outcome in outcomes)
        if not reasons:
            return [f"{name}: the table is required and has no source."]
        found = ", ".join(map(export.call, export.headers)) or "nothing"
        problems.append(
            f"{name}: the table is required and has no source: {reasons}. Found: {found}. Export "
            "it, or say under sources: in your mapping which file is read instead."
        )
    return problems


def _describe_left_out(name: str, outcomes: list[_Outcome], export: Export) -> list[str]:
    """Say what optional is not there; of a table that is, blocks that would only fill up aside."""
    has_blocks = any(outcome.block for outcome in outcomes)
    given = [o.reason for o in outcomes if o.reason and not (has_blocks and o.fills_up)]
    reasons = list(dict.fromkeys(given))
    lines = [f"{name}: {reason}." for reason in reasons]
    if reasons and not has_blocks:
        lines = [f"{name}: {'; '.join(reasons)}."]
    for outcome in outcomes:
        if outcome.block and outcome.lacks:
            columns = ", ".join(outcome.lacks)
            where = export.call(str(outcome.block.source))
            lines.append(f"{name}: {where} has no column for {columns}.")
    return lines


def _check_change(
    change: Change, table: str, outcomes: Iterable[_Outcome], export: Export
) -> list[str]:
    """Check that what a mapping changes is there in at least one of the table's sources.

    A changed column that no source has would go unnoticed: the block keeps its own then.
    """
    blocks = [outcome.block for outcome in outcomes if outcome.block and outcome.block.sources]
    if not blocks:
        return []
    lacks: list[str] = []
    for spec in change.columns.values():
        if spec is not None and not spec.optional:
            lacks += _lacks_everywhere(spec, blocks, export)
    for header, condition in [*change.skip.items(), *change.only.items()]:
        if condition is not None and not condition.optional:
            lacks += _lacks_everywhere(
                ColumnSpec(column=condition.column or (header,)), blocks, export
            )
    if not lacks:
        return []
    files = ", ".join(dict.fromkeys(export.call(str(block.source)) for block in blocks))
    known = [name for block in blocks for name in export.headers[str(block.source)]]
    return [
        f"{files}: {len(lacks)} column(s) missing ({', '.join(lacks)}), named in your change of "
        f"{table}; the file has {quote_examples(known, most=30)}. Export them, {_RENAME}"
    ]


def _lacks_everywhere(spec: ColumnSpec, blocks: list[Block], export: Export) -> list[str]:
    lacks: list[str] = []
    for block in blocks:
        scope = Scope(export, export.headers[str(block.source)], block.columns)
        outcome = resolve_spec(spec, scope)
        if outcome.spec is not None:
            return []
        lacks += outcome.lacks
    return list(dict.fromkeys(lacks))
