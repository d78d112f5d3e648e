"""Expressions: SQL that makes the text of a model's column from an export's columns.

Every column of an export is taken as text without the blanks around it, and an empty one as
missing. What is computed from texts is text again; a text that cannot be computed with (a word
where a number is needed) is kept as it is, so that `checks` refuses the row and shows it.
"""

from __future__ import annotations

from collections.abc import Mapping as Map

from salesnb.sources.mapping import (
    FALSE_WORDS,
    TRUE_WORDS,
    Block,
    ColumnSpec,
    Condition,
    FoundIn,
    Lookup,
    Step,
)
from salesnb.sources.mapping.columns import PLACEHOLDER
from salesnb.sources.sql import identifier, quoted

_NO_LOOKUPS: Map[str, str] = {}
_SIGNS = r"[\s\p{Z}\p{Sc}]"
_ISO = r"\d{4}-\d{1,2}-\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|UTC|[-+]\d{2}(:?\d{2})?))?)?"
_NAMED_DAYS = ("%d %b, %Y", "%d %b %Y", "%b %d, %Y", "%d-%b-%Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_CLOCK = r"\d+:[0-5]\d(:[0-5]\d)?"


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
    condition = _holds(spec, value, lookups, decimal)
    return f"case when {condition} then {value} end"


def mapped_expression(spec: ColumnSpec, raw: str) -> str:
    """Replace the text `raw` by what the spec's `map` says; an empty text means missing."""
    text = f"nullif({raw}, '')"
    if spec.map and spec.only_if is None and spec.not_after is None:
        key = f"lower({raw})" if spec.ignore_case else raw
        pairs = {(k.lower() if spec.ignore_case else k): to for k, to in spec.map.items()}
        rest = raw if spec.otherwise is None else quoted(spec.otherwise)
        text = f"nullif({case_expression(key, pairs)} else {rest} end, '')"
    return (
        text if spec.if_empty is None else f"coalesce({text}, nullif({quoted(spec.if_empty)}, ''))"
    )


def full_expression(
    spec: ColumnSpec, *, lookups: Map[str, str] = _NO_LOOKUPS, decimal: str = "."
) -> str:
    """Express a column's text with all that the mapping says, straight from the source."""
    return mapped_expression(spec, raw_expression(spec, lookups=lookups, decimal=decimal))


def left_out_expression(block: Block, *, lookups: Map[str, str] = _NO_LOOKUPS) -> str:
    """Express whether the mapping leaves a row of a resolved block's source out; never missing."""
    reasons = [_condition(item, lookups) for item in block.skip.values()]
    reasons += [f"not {_condition(item, lookups)}" for item in block.only.values()]
    reasons += [
        f"({full_expression(block.columns[name], lookups=lookups)}) is null"
        for name in block.only_filled
    ]
    return f"({' or '.join(reasons)})" if reasons else "false"


def latest_order(block: Block) -> str:
    """Express by what the rows of one key are ordered for `latest_by`, the one to keep first.

    Times are compared as times, numbers as numbers, and what is neither as text.
    """
    text = _text(block.latest_by[0])
    kinds = [f"try_cast({text} as {kind}) desc nulls last" for kind in ("TIMESTAMP", "DOUBLE")]
    return ", ".join([*kinds, f"{text} desc nulls last"])


def case_expression(text: str, replacements: Map[str, str]) -> str:
    """Begin a `case` that gives for each text its replacement; `else` and `end` are to follow."""
    cases = " ".join(f"when {quoted(key)} then {quoted(to)}" for key, to in replacements.items())
    return f"case {text} {cases}"


def _text(name: str) -> str:
    return f"nullif(trim({identifier(name)}::VARCHAR), '')"


def _unmapped(spec: ColumnSpec, lookups: Map[str, str], decimal: str) -> str:
    text = _origin(spec, lookups, decimal)
    for step in spec.then:
        text = _step(step, text, decimal)
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
        return _seconds_between(*parts)
    return _arithmetic(spec, parts, decimal)


def _template(template: str) -> str:
    pieces = []
    for position, piece in enumerate(PLACEHOLDER.split(template)):
        if piece:
            pieces.append(_text(piece) if position % 2 else quoted(piece))
    return f"({' || '.join(pieces)})" if pieces else "''"


def _arithmetic(spec: ColumnSpec, parts: list[str], decimal: str) -> str:
    """Compute with numbers: a sum takes a missing part as 0, products and ratios give none then."""
    numbers = [_number(part, decimal) for part in parts]
    if spec.sum:
        filled = [f"coalesce({number}, 0)" for number in numbers]
        result = (
            f"case when coalesce({', '.join(numbers)}) is not null then {' + '.join(filled)} end"
        )
    elif spec.difference:
        result = f"{numbers[0]} - coalesce({numbers[1]}, 0)"
    elif spec.ratio:
        result = f"{numbers[0]} / nullif({numbers[1]}, 0)"
    else:
        result = " * ".join(numbers)
    unread = [
        f"when {part} is not null and {number} is null then {part}"
        for part, number in zip(parts, numbers, strict=True)
    ]
    return f"case {' '.join(unread)} else {_number_text(result, decimal)} end"


def _number(text: str, decimal: str) -> str:
    """Read a number, written with or without groups of three and a currency sign."""
    group = "." if decimal == "," else ","
    whole = rf"(\d+|\d{{1,3}}([{group}]\d{{3}})+)"
    form = rf"[-+]?({whole}([{decimal}]\d*)?|[{decimal}]\d+)([eE][-+]?\d+)?"
    bare = f"regexp_replace({text}, {quoted(_SIGNS)}, '', 'g')"
    plain = f"replace(replace({bare}, '{group}', ''), '{decimal}', '.')"
    return (
        f"case when regexp_full_match({bare}, {quoted(form)}) then try_cast({plain} as DOUBLE) end"
    )


def _number_text(number: str, decimal: str) -> str:
    text = f"regexp_replace(({number})::VARCHAR, '\\.0$', '')"
    return text if decimal == "." else f"replace({text}, '.', {quoted(decimal)})"


def _seconds_between(start: str, end: str) -> str:
    first, last = _moment(start, "TIMESTAMPTZ"), _moment(end, "TIMESTAMPTZ")
    unread = [
        f"when {text} is not null and {moment} is null then {text}"
        for text, moment in ((start, first), (end, last))
    ]
    seconds = f"regexp_replace(epoch({last} - {first})::VARCHAR, '\\.0$', '')"
    return f"case {' '.join(unread)} else {seconds} end"


def _moment(text: str, kind: str) -> str:
    """Read a time that says itself which number is the month."""
    iso = f"case when regexp_full_match({text}, {quoted(_ISO)}) then {text} end"
    forms = ", ".join(quoted(day + clock) for day in _NAMED_DAYS for clock in _CLOCKS)
    return f"coalesce(try_cast({iso} as {kind}), try_strptime({text}, [{forms}])::{kind})"


def _step(step: Step, text: str, decimal: str) -> str:
    if step.before is not None:
        return f"nullif(trim(split_part({text}, {quoted(step.before)}, 1)), '')"
    if step.after is not None:
        at = f"strpos({text}, {quoted(step.after)})"
        rest = f"substr({text}, {at} + {len(step.after)})"
        return f"nullif(trim(case when {at} > 0 then {rest} else {text} end), '')"
    if step.scale is not None:
        number = _number(text, decimal)
        scaled = _number_text(f"{number} * {step.scale!r}::DOUBLE", decimal)
        return f"case when {number} is null then {text} else {scaled} end"
    if step.greater_than is not None:
        number = _number(text, decimal)
        limit = f"{step.greater_than!r}::DOUBLE"
        return f"case when {number} is null then {text} else ({number} > {limit})::VARCHAR end"
    return _word_step(step, text)


def _word_step(step: Step, text: str) -> str:
    if step.word in ("lower", "upper"):
        return f"{step.word}({text})"
    if step.word == "not":
        word = f"lower({text})"
        return (
            f"case when {word} in {_words(TRUE_WORDS)} then 'false' "
            f"when {word} in {_words(FALSE_WORDS)} then 'true' else {text} end"
        )
    if step.word == "day":
        day = r"'^(\d{4}-\d{1,2}-\d{1,2})[ T].*$'"
        return f"regexp_replace({text}, {day}, '\\1')"
    if step.word == "quarter":
        return _quarter(text, step.year_start)
    return _clock_seconds(text, 3600 if step.word == "hours_minutes" else 60)


def _clock_seconds(text: str, first: int) -> str:
    """Add up 1:30, whose first number is worth `first` seconds, or 1:30:00."""
    parts = [f"try_cast(split_part({text}, ':', {n}) as BIGINT)" for n in (1, 2, 3)]
    two = f"{parts[0]} * {first} + {parts[1]} * {first // 60}"
    three = f"{parts[0]} * 3600 + {parts[1]} * 60 + {parts[2]}"
    seconds = f"(case when {parts[2]} is null then {two} else {three} end)::VARCHAR"
    return f"case when regexp_full_match({text}, {quoted(_CLOCK)}) then {seconds} else {text} end"


def _quarter(text: str, year_start: int) -> str:
    """Name the fiscal quarter of a day; a fiscal year has the name of the year it ends in."""
    day = _moment(text, "TIMESTAMP")
    ahead = (13 - year_start) % 12
    # From the first of the month: a later month may lack the day, and the last of it is another.
    moved = f"(date_trunc('month', {day}) + INTERVAL {ahead} MONTH)"
    name = f"year({moved}) || 'Q' || quarter({moved})"
    return f"case when {day} is null then {text} else {name} end"


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


def _holds(spec: ColumnSpec, value: str, lookups: Map[str, str], decimal: str) -> str:
    """Express whether `only_if` and `not_after` hold for a row; never missing."""
    reasons = []
    if isinstance(spec.only_if, ColumnSpec):
        text = full_expression(spec.only_if, lookups=lookups, decimal=decimal)
        reasons.append(f"coalesce(lower({text}) in {_words(TRUE_WORDS)}, false)")
    elif isinstance(spec.only_if, dict):
        reasons += [_condition(item, lookups) for item in spec.only_if.values()]
    if isinstance(spec.not_after, ColumnSpec):
        other = full_expression(spec.not_after, lookups=lookups, decimal=decimal)
        first, last = (f"{_moment(text, 'TIMESTAMP')}::DATE" for text in (value, other))
        reasons.append(f"coalesce({first} <= {last}, true)")
    return " and ".join(reasons) or "true"


def _condition(condition: Condition, lookups: Map[str, str]) -> str:
    text = _text(condition.column[0])
    if condition.found_in is not None:
        return f"coalesce({text} in {_values(condition.found_in, lookups)}, false)"
    words = _words(condition.is_in)
    return f"(coalesce(lower({text}), '') in {words})"


def _values(place: FoundIn, lookups: Map[str, str]) -> str:
    text = _text(place.column[0])
    return f"(select {text} from {lookups[place.source[0]]} where {text} is not null)"


def _words(words: tuple[str, ...]) -> str:
    return f"({', '.join(map(quoted, words))})"
