"""Staging: SQL that brings one part of a source to the columns of a table of the model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from salesnb.schema import Column, Declaration
from salesnb.sources.cleaning import SQL_TYPES, Conventions, typed_expression
from salesnb.sources.load.expressions import (
    case_expression,
    latest_expression,
    left_out_expression,
    mapped_expression,
    raw_expression,
)
from salesnb.sources.mapping import LITERAL, Block, ColumnSpec
from salesnb.sources.readers import ROW
from salesnb.sources.sql import identifier, quoted

__all__ = ["LATEST", "LITERAL", "MERGED", "Stage", "literal_rows", "raw_name", "text_name"]

MERGED, LATEST = "_merged", "_latest"


@dataclass(frozen=True)
class Stage:
    """A block of a mapping over one part of its source.

    Attributes
    ----------
    declaration, block
        The table, and which of its columns come from where.
    conventions
        How the part writes numbers and dates.
    aliases
        Per referenced table: other names of its keys.
    lookups
        Relations of the sources that values are translated through, by name.
    """

    declaration: Declaration
    block: Block
    conventions: Conventions
    aliases: dict[str, dict[str, str]] = field(default_factory=dict)
    lookups: dict[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns the block fills, and the key."""
        given = {*self.block.fills, *self.declaration.key}
        return tuple(c for name, c in self.declaration.columns.items() if name in given)

    @property
    def needs_numbers(self) -> bool:
        """Whether rows must be read more than once, or told apart, to be staged."""
        block = self.block
        leaves_out = block.skip or block.only or block.only_filled
        return bool(
            block.distinct
            or block.add_up
            or leaves_out
            or block.latest_by
            or block.lookups
            or self._aliased
        )

    @property
    def _aliased(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if self.aliases.get(c.rule.references))

    def _spec(self, column: Column) -> ColumnSpec | None:
        if self.block.source is None:
            return ColumnSpec(column=(str(column),)) if column in self.block.fills else None
        return self.block.columns.get(column)

    def _raw(self, column: Column) -> str:
        spec = self._spec(column)
        return (
            "NULL"
            if spec is None
            else raw_expression(spec, lookups=self.lookups, decimal=self.conventions.decimal)
        )

    def _text(self, column: Column) -> str:
        spec = self._spec(column)
        raw = raw_name(column)
        return raw if spec is None else mapped_expression(spec, raw)

    def texts_sql(self, relation: str, columns: Iterable[Column]) -> str:
        """Select the texts from which columns are converted, by the columns' names."""
        chosen = list(columns)
        raws = ", ".join(f"{self._raw(c)}::VARCHAR as {raw_name(c)}" for c in chosen)
        texts = ", ".join(f"{self._text(c)} as {identifier(c)}" for c in chosen)
        return f"select {texts} from (select {raws} from {relation})"

    def typed_sql(self, relation: str, *, is_numbered: bool) -> str:
        """Select the part's rows, typed.

        Per column of the table: its text as exported (`raw_name`), what the mapping made of it
        (`text_name`), and its value. With `is_numbered` also `ROW`, and where the block asks for
        them `MERGED` and `LATEST`.
        """
        keep = self.private(is_numbered=is_numbered)
        raws = [f"{self._raw(c)}::VARCHAR as {raw_name(c)}" for c in self.columns]
        if self.block.latest_by:
            raws.append(f"{latest_expression(self.block)} as {LATEST}")
        numbered = [ROW] if is_numbered else []
        where = self._kept()
        rows = f"select {', '.join([*numbered, *raws])} from {relation}{where}"
        if self.block.distinct:
            firsts = ", ".join(
                f"first({raw_name(c)} order by {ROW}) as {raw_name(c)}" for c in self.columns
            )
            grouped = ", ".join(self._text(c) for c in self.columns)
            rows = (
                f"select min({ROW}) as {ROW}, count(*) as {MERGED}, {firsts} from ({rows}) "
                f"group by {grouped} order by {ROW}"
            )
        if self.block.add_up:
            rows = self._added_up(rows)
        raws = [raw_name(c) for c in self.columns]
        texts = [f"{self._text(c)} as {text_name(c)}" for c in self.columns]
        typed = [f"{self._typed(c)} as {identifier(c)}" for c in self.columns]
        rows = f"select {', '.join([*keep, *raws, *texts])} from ({rows})"
        return f"select *, {', '.join(typed)} from ({rows})"

    def _added_up(self, rows: str) -> str:
        """Make rows one that differ in one number only, and add it up."""
        added = next(c for c in self.columns if c == self.block.add_up)
        rest = [c for c in self.columns if c != added]
        number = typed_expression(added, self._text(added), self.conventions)
        firsts = [f"first({raw_name(c)} order by {ROW}) as {raw_name(c)}" for c in rest]
        # A row whose number cannot be read is kept for itself, to be refused.
        odd = f"case when {number} is null then {ROW} end"
        total = f"replace(sum({number})::VARCHAR, '.', {quoted(self.conventions.decimal)})"
        total = f"coalesce({total}, first({raw_name(added)})) as {raw_name(added)}"
        groups = ", ".join([*(self._text(c) for c in rest), odd])
        return (
            f"select min({ROW}) as {ROW}, count(*) as {MERGED}, {', '.join([*firsts, total])} "
            f"from ({rows}) group by {groups} order by min({ROW})"
        )

    def private(self, *, is_numbered: bool) -> list[str]:
        """Name the columns beside the table's own that `typed_sql` selects."""
        return [
            *([ROW] if is_numbered else []),
            *([MERGED] if self.block.distinct or self.block.add_up else []),
            *([LATEST] if self.block.latest_by else []),
        ]

    def _kept(self) -> str:
        """Leave out the rows the mapping skips."""
        if self.block.source is None:
            return ""
        return f" where not {left_out_expression(self.block, lookups=self.lookups)}"

    def _typed(self, column: Column) -> str:
        text = text_name(column)
        aliases = self.aliases.get(column.rule.references)
        if aliases:
            return f"{case_expression(text, aliases)} else {text} end"
        return (
            f"({typed_expression(column, text, self.conventions)})::{SQL_TYPES[column.rule.kind]}"
        )

    def aliases_sql(self, relation: str) -> str:
        """Count what aliases put right: rows of column, alias, proper name, count."""
        counts = [
            f"select {quoted(column)}, {quoted(alias)}, {quoted(proper)}, "
            f"count(*) filter (where {identifier(column)} = {quoted(alias)}) from texts"
            for column in self._aliased
            for alias, proper in self.aliases[column.rule.references].items()
        ]
        texts = self.texts_sql(relation, self._aliased)
        return f"with texts as ({texts}) " + " union all ".join(counts) if counts else ""


def literal_rows(block: Block) -> str:
    """Make a relation of the rows written in the mapping itself, all text, with `ROW`."""
    names = list(dict.fromkeys(name for row in block.rows for name in row))
    lines = []
    for number, row in enumerate(block.rows, start=1):
        values = ["NULL" if row.get(name) is None else quoted(_plain(row[name])) for name in names]
        lines.append(f"({', '.join([str(number), *values])})")
    columns = ", ".join([ROW, *map(identifier, names)])
    return f"(select * from (values {', '.join(lines)}) as literal({columns}))"


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def raw_name(column: str) -> str:
    """Name a column's text as exported."""
    return identifier(f"raw_{column}")


def text_name(column: str) -> str:
    """Name the text that a column's value is read from."""
    return identifier(f"text_{column}")
