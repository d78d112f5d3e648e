"""Values: SQL that converts a text to a column's kind."""

from __future__ import annotations

from salesnb.schema import Column, Kind
from salesnb.sources.cleaning.conventions import Conventions
from salesnb.sources.cleaning.dates import format_expression, moment_expression
from salesnb.sources.cleaning.numbers import number_expression
from salesnb.sources.sql import chosen, identifier

SQL_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
}
_TRUE = "true t yes y 1 ja oui si sí wahr vrai verdadero"
_FALSE = "false f no n 0 nein non falsch faux falso"


def typed_expression(column: Column, text: str, conventions: Conventions) -> str:
    """Convert the SQL expression `text` to the column's kind; missing where it cannot be."""
    kind = column.rule.kind
    if kind == "boolean":
        meanings = {
            **dict.fromkeys(_TRUE.split(), "true"),
            **dict.fromkeys(_FALSE.split(), "false"),
        }
        return chosen(f"lower({text})", meanings)
    if kind == "number":
        return number_expression(text, decimal=conventions.decimal)
    if kind in ("date", "timestamp"):
        return f"try_cast({_moment(column, text, conventions)} as {SQL_TYPES[kind]})"
    return f"upper({text})" if column.rule.letters == "upper" else text


def _moment(column: Column, text: str, conventions: Conventions) -> str:
    is_day = column.rule.kind == "date"
    if conventions.date_format:
        return format_expression(
            text, conventions.date_format, clock=conventions.clock, is_day=is_day
        )
    return moment_expression(
        text, day_first=conventions.day_first, clock=conventions.clock, is_day=is_day
    )


def text_expression(column: Column) -> str:
    """Write a value of the column as a text that `typed_expression` reads as the same value."""
    name = identifier(column)
    if column.rule.kind == "number":
        return f"regexp_replace({name}::VARCHAR, '\\.0$', '')"
    return f"{name}::VARCHAR"
