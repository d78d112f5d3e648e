"""Blocks and whole mappings: which rows become rows of which table."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Map
from typing import Any

from pydantic import Field, model_validator

from salesnb.schema import TABLES
from salesnb.sources.mapping.columns import ColumnSpec, Condition, Names
from salesnb.sources.mapping.names import file_stem, plain_name
from salesnb.sources.mapping.options import Company, FileOptions
from salesnb.sources.mapping.strict import Strict

EVERY_FILE = "*"
"""Key under `files:` for what holds unless a file says otherwise."""


class Block(Strict):
    """Rows of one table: from a file, or written in the mapping itself.

    Of the file's rows those that `skip` (any of it) or not `only` (all of it) holds for are left
    out, and those without a value in a column of `only_filled`. Then, `latest_by` keeps one row a
    key, `add_up` makes rows one that differ in that column only, and `distinct` those that do not
    differ at all. `only_new` takes rows whose key no block above has given.
    """

    sources: Names = Field((), alias="from")
    columns: dict[str, ColumnSpec] = Field(default_factory=dict)
    rows: tuple[dict[str, Any], ...] = ()
    skip: dict[str, Condition] = Field(default_factory=dict)
    only: dict[str, Condition] = Field(default_factory=dict)
    only_filled: Names = ()
    only_new: bool = False
    latest_by: Names = ()
    add_up: str | None = None
    distinct: bool = False
    optional: bool | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Block:
        if (not self.sources) == (not self.rows):
            raise ValueError("give either `from` with `columns`, or `rows`")
        if self.sources and not self.columns:
            raise ValueError("`from` needs `columns`")
        together = [n for n in ("distinct", "latest_by", "add_up") if getattr(self, n)]
        if len(together) > 1:
            raise ValueError(f"give one of {', '.join(together)}")
        own = [*self.only_filled, *([self.add_up] if self.add_up else [])]
        unfilled = [name for name in own if name not in self.fills]
        if unfilled:
            raise ValueError(f"`columns` does not fill {', '.join(unfilled)}")
        return self

    @property
    def source(self) -> str | None:
        """The file its rows are from, the first where there are alternatives."""
        return self.sources[0] if self.sources else None

    @property
    def fills(self) -> frozenset[str]:
        """Names of the model's columns this block gives values to."""
        return frozenset([*self.columns, *(name for row in self.rows for name in row)])

    @property
    def lookups(self) -> tuple[Names, ...]:
        """Other files that are looked into, by their alternative names."""
        conditions = [*self.skip.values(), *self.only.values()]
        found_in = [item.found_in.source for item in conditions if item.found_in]
        return (*found_in, *(s for spec in self.columns.values() for s in spec.sources))


class Change(Strict):
    """In what a table differs: columns and conditions over those there are, blocks after them.

    Null takes a column or condition away.
    """

    columns: dict[str, ColumnSpec | None] = Field(default_factory=dict)
    skip: dict[str, Condition | None] = Field(default_factory=dict)
    only: dict[str, Condition | None] = Field(default_factory=dict)
    latest_by: Names = ()
    add: tuple[Block, ...] = ()


class Mapping(Strict):
    """A whole mapping, checked against the data model."""

    about: str = ""
    company: Company = Company()
    files: dict[str, FileOptions] = Field(default_factory=dict)
    aliases: dict[str, dict[str, str]] = Field(default_factory=dict)
    instead: dict[str, str] = Field(default_factory=dict, alias="sources")
    tables: dict[str, tuple[Block, ...]]
    changed: dict[str, Change] = Field(default_factory=dict)
    """What layers have changed, written by `compose`; it must be there."""

    @model_validator(mode="after")
    def _known_names(self) -> Mapping:
        fills = {
            name: {column for block in blocks for column in block.fills}
            for name, blocks in self.tables.items()
        }
        problems = name_problems(fills, self.aliases) + file_problems(self.files, self.sources)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """Stems of the files that may be read, all alternatives included."""
        return read_names(self.tables, self.instead)

    def options(self, source: str) -> FileOptions:
        """Tell how the file `source` is written: what its own entry says, over that of `*`."""
        own = [
            options for name, options in self.files.items()
            if name != EVERY_FILE and plain_name(file_stem(name)) == plain_name(file_stem(source))
        ]  # fmt: skip
        found = self.files.get(EVERY_FILE, FileOptions())
        for options in own:
            said = {name: getattr(options, name) for name in options.model_fields_set}
            found = found.model_copy(update=said)
        return found


def read_names(tables: Map[str, Iterable[Block]], instead: Map[str, str]) -> tuple[str, ...]:
    """List the stems of the files that tables may be read from, all alternatives included."""
    blocks = [block for blocks in tables.values() for block in blocks]
    groups = [group for block in blocks for group in (block.sources, *block.lookups)]
    names = [name for group in groups for name in group]
    return tuple(sorted({file_stem(name) for name in [*names, *instead.values()]}))


def file_problems(files: Iterable[str], sources: Iterable[str]) -> list[str]:
    """Say which entries under `files:` are of files that no table is read from."""
    read = {plain_name(name) for name in sources}
    unread = [
        name for name in files if name != EVERY_FILE and plain_name(file_stem(name)) not in read
    ]
    known = ", ".join(sources)
    return [f"files: no table is read from {', '.join(unread)}; read: {known}"] if unread else []


def name_problems(fills: Map[str, Iterable[str]], aliases: Iterable[str]) -> list[str]:
    """Say which tables and columns the data model does not have.

    Parameters
    ----------
    fills
        Names of the columns that are filled, by table.
    aliases
        Tables that aliases are given for.
    """
    problems = [
        f"{part}: {name!r} is not a table; known: {', '.join(TABLES)}"
        for part, names in (("tables", fills), ("aliases", aliases))
        for name in names
        if name not in TABLES
    ]
    for name, declaration in TABLES.items():
        unknown = sorted(set(fills.get(name, ())) - set(declaration.columns))
        if unknown:
            known = ", ".join(declaration.columns)
            problems.append(f"tables: {name}: unknown columns {', '.join(unknown)}; known: {known}")
    return problems
