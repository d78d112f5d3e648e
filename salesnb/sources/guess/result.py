"""Guess: what was found for each table of the model, how sure, and what was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from salesnb.schema import TABLES, Column
from salesnb.sources.guess.yaml_text import write_yaml


@dataclass(frozen=True)
class ColumnGuess:
    """Where a column's values come from.

    Attributes
    ----------
    column
        Of the model.
    spec
        As a mapping says it: a header, or `map`, `template`, ...
    inputs
        The export's columns it is made from.
    confidence
        That this is right, 0-1.
    reason
        Why, in words.
    alternatives
        Other columns it may be.
    """

    column: Column
    spec: str | dict[str, Any]
    inputs: tuple[str, ...]
    confidence: float
    reason: str
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableGuess:
    """Which source holds a table's rows, and which of its rows: `options` as a block has them."""

    table: str
    source: str
    confidence: float
    reason: str
    columns: tuple[ColumnGuess, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    alternatives: tuple[str, ...] = ()

    @property
    def unfilled(self) -> tuple[str, ...]:
        """Required columns of the model that nothing was found for."""
        filled = {str(item.column) for item in self.columns}
        return tuple(c for c in TABLES[self.table].required_columns if c not in filled)


@dataclass(frozen=True)
class FileGuess:
    """How a source writes dates and numbers, where its values tell, and what they leave open."""

    source: str
    options: dict[str, str]
    reason: str


@dataclass(frozen=True)
class Guess:
    """A proposed mapping.

    Attributes
    ----------
    tables
        Blocks of rows in the model's order; activities may have several.
    files
        Options of the sources.
    aliases
        Per table: values that are a key but for blanks and case, with the key.
    currency
        Reporting currency, empty where nothing tells; why it is this one.
    unplaced_columns
        Per source that is used: its columns nothing was made of.
    unused_sources
        Sources no table was read from, with their columns.
    """

    tables: tuple[TableGuess, ...]
    files: tuple[FileGuess, ...] = ()
    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    currency: str = ""
    currency_reason: str = ""
    unplaced_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unused_sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def unfilled(self) -> dict[str, tuple[str, ...]]:
        """Per table: required columns that nothing was found for; all, where it has no source."""
        found = {block.table: block.unfilled for block in self.tables if block.unfilled}
        names = {block.table for block in self.tables}
        absent = {
            name: tuple(map(str, declaration.required_columns))
            for name, declaration in TABLES.items()
            if declaration.required and name not in names
        }
        return {
            name: tuple(map(str, (absent | found)[name]))
            for name in TABLES
            if name in absent | found
        }

    @property
    def is_complete(self) -> bool:
        """Whether the required tables have all their required columns."""
        return not any(TABLES[name].required for name in self.unfilled)

    @property
    def finding(self) -> str:
        """The guess in one sentence."""
        n = sum(len(block.columns) for block in self.tables)
        names = list(dict.fromkeys(block.table for block in self.tables))
        text = f"{n} columns placed in {len(names)} tables ({', '.join(names) or 'none'})."
        lacking = [name for name in self.unfilled if TABLES[name].required]
        if not lacking:
            return f"{text} Everything required was found."
        what = "; ".join(f"{name}: {', '.join(self.unfilled[name])}" for name in lacking)
        return f"{text} Required and not found: {what}."

    def to_frame(self) -> pd.DataFrame:
        """List one row a placed column: table, source, column, from, confidence, reason, or."""
        rows = [
            (
                block.table, block.source, str(item.column), ", ".join(item.inputs),
                item.confidence, item.reason, ", ".join(item.alternatives),
            )
            for block in self.tables
            for item in block.columns
        ]  # fmt: skip
        names = ["table", "source", "column", "from", "confidence", "reason", "alternatives"]
        return pd.DataFrame(rows, columns=names)

    def to_yaml(self) -> str:
        """Write the mapping as YAML to edit, each line with its confidence and reason."""
        return write_yaml(self)

    def __rich__(self) -> RenderableType:
        """Show the finding, the placed columns, and what was not placed."""
        table = RichTable("Table", "Column", "From", "Confidence", "Why")
        table.columns[3].justify = "right"
        for block in self.tables:
            for item in block.columns:
                where = f"{block.source}: {', '.join(item.inputs) or _constant(item.spec)}"
                cells = (block.table, item.column, where, f"{item.confidence:.2f}", _why(item))
                table.add_row(*map(Text, map(str, cells)))
        parts: list[RenderableType] = [Text(self.finding, style="bold"), table]
        for name, columns in self.unplaced_columns.items():
            if not columns:
                continue
            parts.append(Text(f"Not placed of {name}: {', '.join(columns)}"))
        for name in self.unused_sources:
            parts.append(Text(f"No table is read from {name}."))
        for name, columns in self.unfilled.items():
            parts.append(Text(f"Not found for {name}: {', '.join(columns)}"))
        return Group(*parts)


def _constant(spec: str | dict[str, Any]) -> str:
    return f"always {spec['constant']}" if isinstance(spec, dict) and "constant" in spec else ""


def _why(item: ColumnGuess) -> str:
    rest = f"; or {', '.join(item.alternatives)}" if item.alternatives else ""
    return item.reason + rest
