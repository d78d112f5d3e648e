"""Composition: a mapping that says only in what it differs from another one.

A layer's settings go over those of the mapping it extends; company, files and aliases key by key.
A table given as a list of blocks replaces the other's, as a change it keeps them, and as null it
is left out.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import Field, model_validator

from salesnb.sources.mapping.blocks import (
    Block,
    Change,
    Mapping,
    file_problems,
    name_problems,
    read_names,
)
from salesnb.sources.mapping.columns import ColumnSpec, Condition
from salesnb.sources.mapping.names import plain_name
from salesnb.sources.mapping.options import Company, FileOptions
from salesnb.sources.mapping.strict import Strict

_Settings = TypeVar("_Settings", Company, FileOptions)
_Part = TypeVar("_Part", Block, ColumnSpec, Condition)


class Layer(Strict):
    """One YAML file, before it is put over what it extends.

    With `optional` all its blocks, columns and conditions are, unless they say otherwise.
    """

    about: str = ""
    extends: str | None = None
    optional: bool = False
    company: Company = Company()
    files: dict[str, FileOptions] = Field(default_factory=dict)
    aliases: dict[str, dict[str, str]] = Field(default_factory=dict)
    instead: dict[str, str] = Field(default_factory=dict, alias="sources")
    tables: dict[str, tuple[Block, ...]]
    changes: dict[str, Change] = Field(default_factory=dict)
    dropped: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _sort_tables(cls, value: Any) -> Any:
        """Tell whole tables, changes and those left out from one another."""
        if not isinstance(value, dict):
            return value
        given = value.get("tables", {} if "extends" in value else None)
        if not isinstance(given, dict):
            return value
        unknown = {"changes", "dropped"} & set(value)
        if unknown:
            raise ValueError(f"unknown key {', '.join(sorted(unknown))}")
        changes = {k: v for k, v in given.items() if isinstance(v, dict)}
        dropped = tuple(k for k, v in given.items() if v is None)
        if value.get("extends") is None and (changes or dropped):
            names = ", ".join([*changes, *dropped])
            raise ValueError(f"tables: {names}: give a list of blocks; a change needs `extends`")
        rest = {k: v for k, v in given.items() if k not in changes and k not in dropped}
        return {**value, "tables": rest, "changes": changes, "dropped": dropped}

    @model_validator(mode="after")
    def _known_names(self) -> Layer:
        fills: dict[str, set[str]] = dict.fromkeys(self.dropped, set())
        for name, blocks in self.tables.items():
            fills[name] = {column for block in blocks for column in block.fills}
        for name, change in self.changes.items():
            added = {column for block in change.add for column in block.fills}
            fills[name] = {*change.columns, *added}
        problems = name_problems(fills, self.aliases)
        if self.extends is None:
            problems += file_problems(self.files, read_names(self.tables, self.instead))
        if problems:
            raise ValueError("; ".join(problems))
        return self


def compose(layer: Layer, base: Mapping | None) -> Mapping:
    """Put a layer over the mapping it extends; on its own it is the whole mapping.

    Raises
    ------
    ValueError
        The whole names a file that no table is read from, or changes a table there is not.
    """
    base = base or Mapping(tables={})
    unknown = [name for name in (*layer.changes, *layer.dropped) if name not in base.tables]
    if unknown:
        raise ValueError(
            f"tables: {layer.extends} does not fill {', '.join(unknown)}, so it cannot be changed; "
            f"give a list of blocks. It fills: {', '.join(base.tables)}"
        )
    tables, changed = _merge_tables(layer, base)
    instead = {**base.instead, **layer.instead}
    read = read_names(tables, instead)
    # What is no longer read, the layer below may still say how to.
    files = {
        name: options for name, options in base.files.items() if not file_problems([name], read)
    }
    files |= {name: _over(given, base.files.get(name)) for name, given in layer.files.items()}
    return Mapping(
        about=layer.about or base.about,
        company=_over(layer.company, base.company),
        files=files,
        aliases={n: {**base.aliases.get(n, {}), **layer.aliases.get(n, {})}
                 for n in {**base.aliases, **layer.aliases}},
        instead=instead,
        tables=tables,
        changed=changed,
    )  # fmt: skip


def _merge_tables(
    layer: Layer, base: Mapping
) -> tuple[dict[str, tuple[Block, ...]], dict[str, Change]]:
    """Merge the tables, and remember what layers changed in them."""
    tables = {name: blocks for name, blocks in base.tables.items() if name not in layer.dropped}
    changed = {name: specs for name, specs in base.changed.items() if name in tables}
    for name, blocks in layer.tables.items():
        tables[name] = tuple(_settled(block, layer) for block in blocks)
        changed.pop(name, None)
    for name, change in layer.changes.items():
        kept = tuple(_altered(block, change) for block in tables.get(name, ()))
        tables[name] = (*kept, *(_settled(block, layer) for block in change.add))
        changed[name] = _both(changed.get(name, Change()), change)
    return tables, changed


def _over(top: _Settings, below: _Settings | None) -> _Settings:
    if below is None:
        return top
    return below.model_copy(update={name: getattr(top, name) for name in top.model_fields_set})


def _settled(block: Block, layer: Layer) -> Block:
    """Write into a block whether it and its parts may be absent, as its file says."""

    def settle(part: _Part) -> _Part:
        said = layer.optional if part.optional is None else part.optional
        return part.model_copy(update={"optional": said})

    parts = {
        "columns": {name: settle(spec) for name, spec in block.columns.items()},
        "skip": {name: settle(item) for name, item in block.skip.items()},
        "only": {name: settle(item) for name, item in block.only.items()},
    }
    return settle(block).model_copy(update=parts)


def _altered(block: Block, change: Change) -> Block:
    """Change a block; where it cannot give a changed column, it keeps its own."""
    if block.rows:
        return block
    columns = dict(block.columns)
    for name, spec in change.columns.items():
        if spec is None:
            columns.pop(name, None)
        else:
            here = spec.model_copy(update={"optional": True})
            others = (columns[name],) if name in columns else ()
            columns[name] = ColumnSpec(alternatives=(here, *others), optional=True)
    updates = {
        "columns": columns,
        "skip": _changed_conditions(block.skip, change.skip),
        "only": _changed_conditions(block.only, change.only),
    }
    return block.model_copy(update={**updates, "latest_by": change.latest_by or block.latest_by})


def _changed_conditions(
    own: dict[str, Condition], changes: dict[str, Condition | None]
) -> dict[str, Condition]:
    given = {plain_name(name) for name in changes}
    kept = {name: item for name, item in own.items() if plain_name(name) not in given}
    said = {name: item for name, item in changes.items() if item is not None}
    return kept | {n: item.model_copy(update={"optional": True}) for n, item in said.items()}


def _both(first: Change, second: Change) -> Change:
    """Remember what several layers changed, the later over the earlier."""
    return Change(
        columns={**first.columns, **second.columns},
        skip={**first.skip, **second.skip},
        only={**first.only, **second.only},
        latest_by=second.latest_by or first.latest_by,
    )
