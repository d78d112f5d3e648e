"""Expressions: SQL that makes the text of a model's column from an export's columns."""

from __future__ import annotations

from salesnb.sources.mapping import ColumnSpec
from salesnb.sources.sql import identifier, quoted


def raw_expression(spec: ColumnSpec, *, lookups: dict[str, str] | None = None) -> str:
    """Express the text a column is made from, as the export has it (blanks around it aside)."""
    if spec.constant is not None:
        return quoted(spec.constant)
    if spec.template is not None:
        return _template_expression(spec.template)
    inputs = [_as_text(name) for name in spec.inputs]
    return inputs[0] if len(inputs) == 1 else f"coalesce({', '.join(inputs)})"


def mapped_expression(spec: ColumnSpec, raw: str) -> str:
    """Replace the text `raw` by what the spec's `map` says; an empty text means missing."""
    if not spec.map:
        return f"nullif({raw}, '')"
    rest = raw if spec.otherwise is None else quoted(spec.otherwise)
    return f"nullif({case_expression(raw, spec.map)} else {rest} end, '')"


def case_expression(text: str, replacements: dict[str, str]) -> str:
    cases = " ".join(f"when {quoted(key)} then {quoted(to)}" for key, to in replacements.items())
    return f"case {text} {cases}"


def _as_text(name: str) -> str:
    """Trim a column's text, which seldom is needed: what begins with a blank is below '!'."""
    text = f"{identifier(name)}::VARCHAR"
    trimmed = f"case when {text} < '!' or suffix({text}, ' ') then trim({text}) else {text} end"
    return f"nullif({trimmed}, '')"


def _template_expression(template: str) -> str:
    pieces = []
    for position, piece in enumerate(template.replace("}", "{").split("{")):
        if piece:
            pieces.append(_as_text(piece) if position % 2 else quoted(piece))
    return " || ".join(pieces)
