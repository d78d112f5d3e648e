"""Expressions: SQL that makes the text of a model's column from an export's columns.

Every column of an export is taken as text without the blanks around it, and an empty one as
missing. What is computed from texts is text again; a text that cannot be computed with (a word
where a number is needed) is kept as it is, so that `checks` refuses the row and shows it.
"""

from __future__ import annotations

from collections.abc import Mapping as Map

from salesnb.sources.load import computing
from salesnb.sources.mapping import TRUE_WORDS, Block, ColumnSpec, Condition, FoundIn, Lookup
from salesnb.sources.mapping.columns import PLACEHOLDER
from salesnb.sources.sql import identifier, quoted

_NO_LOOKUPS: Map[str, str] = {}


def raw_expression(
    spec: ColumnSpec, *, lookups: Map[str, str] = _NO_LOOKUPS, decimal: str = "."
) -> str:
    """Express the text a column is made from, before `map` is applied to it.

    Parameters
    ----------
    spec
        Resolved: with exact names and no alternatives.
    lookups
        Per source that is looked into, an SQL relation.
    decimal
        How the source writes decimal points; numbers that are computed are written so too.

    Returns
    -------
    str
        Of type VARCHAR. With `only_if` or `not_after`, which need the row, the `map` is applied
        within it.
    """
    if spec.only_if is None and spec.not_after is None:
        return _unmapped(spec, lookups, decimal)
    bare = spec.model_copy(update={"only_if": None, "not_after": None, "if_empty": None})
    value = full_expression(bare, lookups=lookups, decimal=decimal)
    if isinstance(spec.not_after, ColumnSpec):
        other = full_expression(spec.not_after, lookups=lookups, decimal=decimal)
        value = computing.not_after(value, other)
    return f"case when {_only_if(spec, lookups, decimal)} then {value} end"


def mapped_expression(spec: ColumnSpec, raw: str) -> str:
    """Replace the text `raw` by what the spec's `map` says; an empty text means missing."""
    return _mapped(spec, f"nullif({raw}, '')")


def full_expression(
    spec: ColumnSpec, *, lookups: Map[str, str] = _NO_LOOKUPS, decimal: str = "."
) -> str:
    """Express a column's text with all that the mapping says, straight from the source."""
    if spec.constant is not None:
        return _mapped(spec, _text_or_null(spec.constant))
    return _mapped(spec, raw_expression(spec, lookups=lookups, decimal=decimal))


def _mapped(spec: ColumnSpec, raw: str) -> str:
    """Apply `map` and `if_empty` to a text that is never empty.

    No `nullif`, no list after `in`: DuckDB computes what they are of anew for each comparison.
    """
    text = raw
    if spec.map and spec.only_if is None and spec.not_after is None:
        text = computing.bound([raw], lambda texts: _replaced(spec, texts[0]))
    return f"coalesce({text}, {_text_or_null(spec.if_empty)})" if spec.if_empty else text


def _replaced(spec: ColumnSpec, text: str) -> str:
    key = f"lower({text})" if spec.ignore_case else text
    pairs = {(k.lower() if spec.ignore_case else k): to for k, to in spec.map.items()}
    rest = text if spec.otherwise is None else _text_or_null(spec.otherwise)
    return f"{case_expression(key, pairs)} else {rest} end"


def _text_or_null(text: str) -> str:
    return quoted(text) if text else "NULL"


def left_out_expression(block: Block, *, lookups: Map[str, str] = _NO_LOOKUPS) -> str:
    """Express whether the mapping leaves a row of a resolved block's source out; never missing."""
    reasons = [_condition(item, lookups) for item in block.skip.values()]
    reasons += [f"not {_condition(item, lookups)}" for item in block.only.values()]
    reasons += [
        f"({full_expression(block.columns[name], lookups=lookups)}) is null"
        for name in block.only_filled
    ]
    return f"({' or '.join(reasons)})" if reasons else "false"


def latest_expression(block: Block) -> str:
    """Express the text by which rows of one key are compared for `latest_by`: the greatest stays.

    Times are compared as times, numbers as numbers, and what is neither as text; a missing value
    is least.
    """
    text = _text(block.latest_by[0])
    time = f"strftime(try_cast({text} as TIMESTAMP), '%Y-%m-%d %H:%M:%S.%f')"
    # Moved so far that numbers have one length, and none a sign.
    number = f"(try_cast({text} as DECIMAL(28, 6)) + {5 * 10**20}::DECIMAL(28, 6))::VARCHAR"
    return f"coalesce({time}, {number}, {text}, '')"


def case_expression(text: str, replacements: Map[str, str]) -> str:
    """Begin a `case` that gives for each text its replacement; `else` and `end` are to follow."""
    cases = " ".join(
        f"when {quoted(key)} then {_text_or_null(to)}" for key, to in replacements.items()
    )
    return f"case {text} {cases}"


def _text(name: str) -> str:
    """Trim a column's text, which seldom is needed: what begins with a blank is below '!'."""
    text = f"{identifier(name)}::VARCHAR"
    trimmed = f"case when {text} < '!' or suffix({text}, ' ') then trim({text}) else {text} end"
    return f"nullif({trimmed}, '')"


def _unmapped(spec: ColumnSpec, lookups: Map[str, str], decimal: str) -> str:
    text = _origin(spec, lookups, decimal)
    for step in spec.then:
        text = computing.do_step(step, text, decimal=decimal)
    return text if spec.lookup is None else _lookup(spec, spec.lookup, text, lookups)


def _origin(spec: ColumnSpec, lookups: Map[str, str], decimal: str) -> str:
    if spec.constant is not None:
        return quoted(spec.constant)
    if spec.template is not None:
        return _template(spec.template)
    if spec.column:
        (name,) = spec.column
        return _text(name)
    if not spec.parts or spec.alternatives or spec.value_of is not None:
        raise ValueError(f"not resolved: {spec}")
    parts = [full_expression(part, lookups=lookups, decimal=decimal) for part in spec.parts]
    if spec.first_of:
        return parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"
    if spec.is_filled is not None:
        return f"case when {parts[0]} is null then 'false' else 'true' end"
    if spec.seconds_between:
        return computing.seconds_between(*parts)
    operation = next(name for name in computing.OPERATIONS if getattr(spec, name))
    return computing.do_arithmetic(operation, parts, decimal=decimal)


def _template(template: str) -> str:
    pieces = []
    for position, piece in enumerate(PLACEHOLDER.split(template)):
        if piece:
            pieces.append(_text(piece) if position % 2 else quoted(piece))
    return f"({' || '.join(pieces)})" if pieces else "''"


def _lookup(spec: ColumnSpec, lookup: Lookup, text: str, lookups: Map[str, str]) -> str:
    """Translate a text by another file; of several rows with one key the smallest value counts."""
    key, value = _free_names(spec)
    rows = f"select {_text(lookup.key[0])} as {key}, {_text(lookup.value[0])} as {value}"
    table = f"({rows} from {lookups[lookup.source[0]]})"
    return f"(select min({value}) from {table} where {key} = {text})"


def _free_names(spec: ColumnSpec) -> tuple[str, str]:
    """Name two columns as none is named that an expression needs: within a subquery its own win."""
    used = " ".join(spec.inputs).lower()
    key = "_key"
    while key in used:
        key += "_"
    return identifier(key), identifier(key.replace("_key", "_value_of_key"))


def _only_if(spec: ColumnSpec, lookups: Map[str, str], decimal: str) -> str:
    """Express whether `only_if` holds for a row; never missing."""
    if isinstance(spec.only_if, ColumnSpec):
        text = full_expression(spec.only_if, lookups=lookups, decimal=decimal)
        return computing.is_among(f"lower({text})", TRUE_WORDS)
    items = spec.only_if.values() if isinstance(spec.only_if, dict) else ()
    return " and ".join(_condition(item, lookups) for item in items) or "true"


def _condition(condition: Condition, lookups: Map[str, str]) -> str:
    text = _text(condition.column[0])
    if condition.found_in is not None:
        return f"coalesce({text} in {_values(condition.found_in, lookups)}, false)"
    return computing.is_among(f"coalesce(lower({text}), '')", condition.is_in)


def _values(place: FoundIn, lookups: Map[str, str]) -> str:
    text = _text(place.column[0])
    return f"(select {text} from {lookups[place.source[0]]} where {text} is not null)"
