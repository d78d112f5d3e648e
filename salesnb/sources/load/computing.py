"""Computing with texts: SQL that makes a text of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from salesnb.sources.mapping import FALSE_WORDS, TRUE_WORDS, Step
from salesnb.sources.sql import quoted

_SHORT = 100
"""Length up to which an expression is written again, DuckDB finding that it is the same."""

OPERATIONS = ("sum", "difference", "product", "ratio")

_SIGNS = r"[\s\p{Z}\p{Sc}]"
_NAMED_DAYS = ("%d %b, %Y", "%d %b %Y", "%b %d, %Y", "%d-%b-%Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_CLOCK = r"\d+:[0-5]\d(:[0-5]\d)?"


def is_among(text: str, words: Iterable[str]) -> str:
    """Express whether a text is one of `words`; false where it is missing.

    >>> is_among("A", ["yes", "it's"])
    "coalesce(list_contains(['yes', 'it''s'], A), false)"
    """
    return f"coalesce(list_contains([{', '.join(map(quoted, words))}], {text}), false)"


def do_arithmetic(operation: str, parts: list[str], *, decimal: str) -> str:
    """Compute with numbers: a sum takes a missing part as 0, products and ratios give none then.

    Parameters
    ----------
    operation
        One of `OPERATIONS`.
    parts
        Texts. Where one is no number, it is what is given.
    decimal
        How numbers are written, those computed too.
    """

    def compute(texts: list[str]) -> str:
        return bound([_number(text, decimal) for text in texts], partial(_compute, operation))

    def make(texts: list[str]) -> str:
        unread = [
            f"when {text} is not null and ({_number(text, decimal)}) is null then {text}"
            for text in texts
        ]
        return f"case {' '.join(unread)} else {_number_text(compute(texts), decimal)} end"

    return bound(parts, make)


def _compute(operation: str, numbers: list[str]) -> str:
    if operation == "sum":
        filled = " + ".join(f"coalesce({number}, 0)" for number in numbers)
        return f"case when coalesce({', '.join(numbers)}) is not null then {filled} end"
    if operation == "difference":
        return f"{numbers[0]} - coalesce({numbers[1]}, 0)"
    if operation == "ratio":
        return f"{numbers[0]} / nullif({numbers[1]}, 0)"
    return " * ".join(numbers)


def seconds_between(start: str, end: str) -> str:
    """Count the seconds from one time to another; what is no time is given as it is."""

    def count(texts: list[str]) -> str:
        first, last = (_moment(text, "TIMESTAMPTZ") for text in texts)
        unread = [
            f"when {text} is not null and {moment} is null then {text}"
            for text, moment in zip(texts, (first, last), strict=True)
        ]
        return f"case {' '.join(unread)} else {_number_text(f'epoch({last} - {first})', '.')} end"

    return bound([start, end], count)


def not_after(text: str, other: str) -> str:
    """Give `text`, a day, unless it is after the day `other`."""

    def compare(texts: list[str]) -> str:
        first, last = (f"{_moment(text, 'TIMESTAMP')}::DATE" for text in texts)
        return f"case when coalesce({first} <= {last}, true) then {texts[0]} end"

    return bound([text, other], compare)


def do_step(step: Step, text: str, *, decimal: str) -> str:
    """Do one thing to a text; what it cannot be done to is given as it is."""
    return bound([text], lambda texts: _step(step, texts[0], decimal))


def bound(parts: list[str], make: Callable[[list[str]], str]) -> str:
    """Make an expression of parts; long ones are computed once, as a lambda's parameter.

    No part's subquery is then within the lambda, where DuckDB allows none.
    """
    if max(map(len, parts)) <= _SHORT:
        return make(parts)
    names = [f"v[{n}]" for n in range(1, len(parts) + 1)]
    return f"list_transform([[{', '.join(parts)}]], lambda v: {make(names)})[1]"


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
        return (
            f"case when {is_among(f'lower({text})', TRUE_WORDS)} then 'false' "
            f"when {is_among(f'lower({text})', FALSE_WORDS)} then 'true' else {text} end"
        )
    if step.word == "day":
        day = r"'^(\d{4}-\d{1,2}-\d{1,2})[ T].*$'"
        return f"regexp_replace({text}, {day}, '\\1')"
    if step.word == "quarter":
        return _quarter(text, step.year_start)
    return _clock_seconds(text, 3600 if step.word == "hours_minutes" else 60)


def _number(text: str, decimal: str) -> str:
    """Read a number, written with or without groups of three and a currency sign."""
    group = "." if decimal == "," else ","
    whole = rf"(\d+|\d{{1,3}}([{group}]\d{{3}})+)"
    form = rf"[-+]?({whole}([{decimal}]\d*)?|[{decimal}]\d+)([eE][-+]?\d+)?"
    bare = f"regexp_replace({text}, {quoted(_SIGNS)}, '', 'g')"
    plain = f"replace(replace({bare}, '{group}', ''), '{decimal}', '.')"
    is_number = f"regexp_full_match({bare}, {quoted(form)})"
    return f"case when {is_number} then try_cast({plain} as DOUBLE) end"


def _number_text(number: str, decimal: str) -> str:
    text = f"regexp_replace(({number})::VARCHAR, '\\.0$', '')"
    return text if decimal == "." else f"replace({text}, '.', {quoted(decimal)})"


def _moment(text: str, kind: str) -> str:
    """Read a time that says itself which number is the month."""
    forms = ", ".join(quoted(day + clock) for day in _NAMED_DAYS for clock in _CLOCKS)
    return f"coalesce(try_cast({text} as {kind}), try_strptime({text}, [{forms}])::{kind})"


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
