"""Dates and times: SQL that reads whatever an export writes, or gives missing.

Forms that say what they are, are always read: ISO, month names, compact ISO (20260105), Excel's
serial days, milliseconds since 1970. Whether 05/01/2026 is in January or in May is a convention
of the file; without one it is no date.
"""

from __future__ import annotations

from dataclasses import dataclass

from salesnb.sources.sql import quoted

_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
_QUICK = r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?"
_ISO_DAY = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_ISO = rf"{_ISO_DAY}(?:[ T]{_CLOCK})?"
_ISO_WITH_OFFSET = rf"{_ISO_DAY}[ T]{_CLOCK} ?(?:Z|UTC|[-+]\d{{2}}(?::?\d{{2}})?)"
_SPLIT = rf"^(.*?\d)(?:,? +({_CLOCK}(?: ?[AaPp][Mm])?))?$"
NUMERIC_DAY = r"(\d{1,2})([-/.])(\d{1,2})[-/.](?:\d{4}|\d{2})"
"""A day whose text does not tell the order of day and month."""

_NAMED_DAYS = (
    (r"\d{1,2} [A-Za-z]{3} \d{4}", "%d %b %Y"),
    (r"\d{1,2} [A-Za-z]{3}, \d{4}", "%d %b, %Y"),
    (r"\d{1,2}-[A-Za-z]{3}-\d{4}", "%d-%b-%Y"),
    (r"\d{1,2}-[A-Za-z]{3}-\d{2}", "%d-%b-%y"),
    (r"[A-Za-z]{3} \d{1,2}, \d{4}", "%b %d, %Y"),
    (r"\d{1,2} [A-Za-z]{4,9} \d{4}", "%d %B %Y"),
    (r"[A-Za-z]{4,9} \d{1,2}, \d{4}", "%B %d, %Y"),
    (r"(?:19|20)\d{6}", "%Y%m%d"),
    (r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d"),
)
_EXCEL = (  # days since 1900 as Excel counts them, 1990-01-01 to 2099-12-31
    "case when n >= 32874 and n < 73051 "
    "then TIMESTAMP '1899-12-30' + to_milliseconds(round(n * 86400000)::BIGINT) end"
)


@dataclass(frozen=True)
class Clock:
    """Time zones of a file's times (`given`) and of the company (`wanted`), IANA names.

    Without `wanted` times stay as they are written, whatever offset they say; without `given`
    those that say no offset do.
    """

    given: str | None = None
    wanted: str | None = None


def moment_expression(text: str, *, day_first: bool | None, clock: Clock, is_day: bool) -> str:
    """Read the SQL expression `text` as a TIMESTAMP; missing where it is none.

    Parameters
    ----------
    text
        VARCHAR.
    day_first
        Order of day and month where both are numbers; None refuses such texts.
    clock
        How times are brought to the company's zone.
    is_day
        The column holds days: a midnight that says no offset is a day, which no zone moves.
    """
    # The first test is quick and true for nearly all texts of nearly all exports.
    quick = f"regexp_full_match({text}, '{_QUICK}')"
    iso = f"try_cast({text} as TIMESTAMP)"
    said = iso
    if clock.wanted:
        said = f"timezone({quoted(clock.wanted)}, try_cast({text} as TIMESTAMPTZ))"
    local = (
        f"case when regexp_full_match({text}, '{_ISO}') then {iso} "
        f"else {_other_forms(text, day_first=day_first)} end"
    )
    return (
        f"case when {quick} then {_moved(iso, clock, is_day=is_day)} "
        f"when regexp_full_match({text}, '{_ISO_WITH_OFFSET}') then {said} "
        f"else {_moved(local, clock, is_day=is_day)} end"
    )


def format_expression(text: str, form: str, *, clock: Clock, is_day: bool) -> str:
    """Read `text` by the one format `form` as a TIMESTAMP; missing where it does not fit."""
    return _moved(f"try_strptime({text}, {quoted(form)})::TIMESTAMP", clock, is_day=is_day)


def _moved(moment: str, clock: Clock, *, is_day: bool) -> str:
    if not clock.given or not clock.wanted or clock.given == clock.wanted:
        return moment
    there = f"timezone({quoted(clock.wanted)}, timezone({quoted(clock.given)}, m))"
    if is_day:
        there = f"case when m = date_trunc('day', m) then m else {there} end"
    return _let("m", moment, there)


def _other_forms(text: str, *, day_first: bool | None) -> str:
    """Read what is not ISO; costly, and seldom reached."""
    forms = [*_NAMED_DAYS, *([] if day_first is None else _numeric_days(day_first=day_first))]
    days = " ".join(
        f"when regexp_full_match(p.day, '{pattern}') then try_strptime(p.day, '{form}')"
        for pattern, form in forms
    )
    time = (
        "case when p.time = '' then TIME '00:00' when ends_with(lower(p.time), 'm') "
        "then try_strptime(replace(p.time, ' ', ''), ['%I:%M%p', '%I:%M:%S%p'])::TIME "
        "else try_cast(p.time as TIME) end"
    )
    split = f"regexp_extract({text}, '{_SPLIT}', ['day', 'time'])"
    excel = f"when regexp_full_match({text}, '\\d{{5}}(\\.\\d+)?') then " + _let(
        "n", f"{text}::DOUBLE", _EXCEL
    )
    epoch = (
        f"when regexp_full_match({text}, '\\d{{13}}') "
        f"then make_timestamp_ms(try_cast({text} as BIGINT))"
    )
    moment = _let("p", split, f"(case {days} end)::DATE + ({time})")
    return f"case {excel} {epoch} else {moment} end"


def _let(name: str, value: str, result: str) -> str:
    """Name a value, so that it is computed once however often `result` uses it."""
    return f"list_transform([{value}], lambda {name}: {result})[1]"


def _numeric_days(*, day_first: bool) -> list[tuple[str, str]]:
    forms = []
    for mark in "/.-":
        order = f"%d{mark}%m{mark}" if day_first else f"%m{mark}%d{mark}"
        short = rf"\d{{1,2}}[{mark}]\d{{1,2}}[{mark}]"
        forms += [(rf"{short}\d{{4}}", f"{order}%Y"), (rf"{short}\d{{2}}", f"{order}%y")]
    return forms
