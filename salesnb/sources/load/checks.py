"""Checks: what may be wrong with a row, and with rows of one key.

All checks of a row are one SQL expression over its staged columns (`staging.Stage.typed_sql`), so
files larger than memory stream.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from salesnb.message import Message, figure, listing, message
from salesnb.schema import TABLES, Column, Declaration, leads, teams
from salesnb.sources.load.staging import raw_name, text_name
from salesnb.sources.notices.notice import Notice, kpis_of
from salesnb.sources.readers import ROW
from salesnb.sources.readers.csv import UNSPLIT_REASONS
from salesnb.sources.sql import chosen, identifier, quoted

EARLIEST, LATEST = "1990-01-01", "2100-01-01"
_FIX = message("Correct these rows in the CRM and export again.")
_DATES = message(
    "Correct them, or set `date_format` for the file in your mapping, e.g. %d/%m/%Y where the day "
    "comes first."
)
_KIND_FIX = {
    "number": message("Correct them, or set `decimal` for the file in your mapping."),
    "date": _DATES,
    "timestamp": _DATES,
    "boolean": message("Add a `map` for the column in your mapping."),
}
_EFFECTS: dict[tuple[str, str], tuple[Message, tuple[str, ...]]] = {
    ("teams", teams.parent_id): (
        message("Their teams belong to no region that is known."),
        (),
    ),
    ("leads", leads.converted_opportunity_id): (
        message("These leads count as not won."),
        kpis_of(leads.converted_opportunity_id),
    ),
}
"""Table and column -> what a value unknown elsewhere does to figures, and to which KPIs."""

DUPLICATE = message("exact duplicate of an accepted row")
CONFLICT = message("same key, different content")
_ACTIONS = {
    DUPLICATE: message("Nothing to do: one copy was kept."),
    CONFLICT: message("Decide which is right and export again; none was kept."),
}
_UNSPLIT = message("Correct the quoting of these lines and export again.")


@dataclass(frozen=True)
class Check:
    """One thing that may be wrong with a row."""

    reason: Message
    predicate: str
    example: str
    action: Message


def row_checks(declaration: Declaration, columns: Iterable[Column]) -> list[Check]:
    """List the checks of a table's rows, in the order in which reasons are given.

    Parameters
    ----------
    declaration
        The table.
    columns
        Those of its columns that the export fills.
    """
    present = list(columns)
    key = key_text(declaration)
    checks = [check for column in present for check in _column_checks(column, key)]
    names = {str(column) for column in present}
    for fault in declaration.faults:
        if all(name in names for name in declaration.columns if name in _words(fault.sql)):
            checks.append(Check(message(fault.reason), fault.sql, key, _FIX))
    return checks


def is_bad(checks: list[Check]) -> str:
    """Express whether any check fails."""
    failing = " or ".join(f"coalesce({check.predicate}, false)" for check in checks)
    return f"({failing or 'false'})"


def findings(checks: list[Check]) -> str:
    """Express the list of (reason, example) of the checks that fail."""
    found = ", ".join(
        f"case when {check.predicate} then {_finding(check.reason, check.example)} end"
        for check in checks
    )
    return f"list_filter([{found}], lambda r: r is not null)"


def _finding(reason: str, example: str) -> str:
    return f"{{'reason': {quoted(reason)}, 'example': ({example})::VARCHAR}}"


def reference_checks(
    declaration: Declaration, columns: Iterable[Column], accepted: dict[str, str]
) -> list[Check]:
    """List the checks of references that refuse, into the tables accepted so far."""
    checks = []
    for column in columns:
        target = column.rule.references
        if column.rule.on_unknown == "refuse" and target in accepted:
            key, name = identifier(TABLES[target].key[0]), identifier(column)
            unknown = f"{name} not in (select {key} from {accepted[target]})"
            action = message(
                "Add the missing {table} to the export, or an alias under aliases: {table}: in "
                "your mapping.",
                table=target,
            )
            reason = message("{column} is unknown in {table}", column=column, table=target)
            checks.append(Check(reason, f"{name} is not null and {unknown}", name, action))
    return checks


def actions(declaration: Declaration) -> dict[Message, Message]:
    """Say what to do about each reason a row or line of the table may be refused for."""
    columns = list(declaration.columns.values())
    known = [*row_checks(declaration, columns), *reference_checks(declaration, columns, _ANY)]
    of_rows = {check.reason: check.action for check in known}
    return {**of_rows, **_ACTIONS, **dict.fromkeys(UNSPLIT_REASONS, _UNSPLIT)}


_ANY = dict.fromkeys(TABLES, "")


def repeated_keys(
    db: duckdb.DuckDBPyConnection, relation: str, key: Iterable[str], *, across: str = ""
) -> str | None:
    """Find the rows of a relation whose key another has; nearly always there are none.

    Parameters
    ----------
    relation
        Rows to compare.
    key
        Names of the key's columns.
    across
        A column: only keys that stand in rows that differ in it.

    Returns
    -------
    str or None
        A relation of those rows, with `_key`, the key's hash.
    """
    hashed = f"hash({', '.join(map(identifier, key))})"
    kinds = f"having count(distinct {across}) > 1" if across else "having count(*) > 1"
    rows = f"select {hashed} as _key{', ' + across if across else ''} from {relation}"
    db.execute(
        f"create or replace temp table repeated as select _key from ({rows}) group by _key {kinds}"
    )
    if not db.sql("select count(*) from repeated").fetchall()[0][0]:
        return None
    return f"(select *, {hashed} as _key from {relation} where {hashed} in (from repeated))"


def judge_repeated(
    declaration: Declaration, columns: Iterable[str], relation: str, *, order: str
) -> str:
    """Select the rows to refuse among those of one key, with `reason` and `example`.

    Exact copies are refused but for the first by `order`; rows that contradict one another all.
    """
    key = ", ".join(map(identifier, declaration.key))
    content = ", ".join(map(identifier, columns))
    return f"""(
        with copies as (
            select *, row_number() over (partition by {key} order by {order}) as _copy,
                min(_content) over same <> max(_content) over same as _conflict
            from (select *, hash({content}) as _content from {relation})
            window same as (partition by {key})
        )
        select * exclude (_content, _copy, _conflict),
            case when _conflict then {quoted(CONFLICT)} else {quoted(DUPLICATE)} end as reason,
            {key_text(declaration)} as example
        from copies where _conflict or _copy > 1
    )"""


def reference_warnings(
    db: duckdb.DuckDBPyConnection, declaration: Declaration, columns: Iterable[str],
    accepted: dict[str, str],
) -> list[Notice]:  # fmt: skip
    """Say which accepted values point at nothing in a table the export has."""
    warnings = []
    for column in (declaration.columns[name] for name in columns):
        target = column.rule.references
        if column.rule.on_unknown == "refuse" or target not in accepted:
            continue
        key = identifier(TABLES[target].key[0])
        name = identifier(column)
        count, examples = db.sql(
            f"select count(*), {examples_sql(name)} from {accepted[declaration.name]} "
            f"where {name} is not null and {name} not in (select {key} from {accepted[target]})"
        ).fetchall()[0]
        if count:
            effect, kpis = _EFFECTS.get((declaration.name, column), ("", ()))
            warnings.append(
                Notice(
                    table=declaration.name,
                    what=message(
                        "{column} has {n} values unknown in {table} (e.g. {examples}).",
                        column=repr(column),
                        n=figure(count),
                        table=target,
                        examples=listing(dict.fromkeys(examples), is_quoted=True),
                    ),
                    effect=effect,
                    kpis=kpis,
                    action=message(
                        "Add an alias under aliases: {table}: in your mapping.", table=target
                    ),
                )
            )
    return warnings


def examples_sql(expression: str) -> str:
    """Express the first five distinct values of an expression, in order, as a list."""
    return f"coalesce(list(distinct {expression} order by {expression})[1:5], [])"


def _column_checks(column: Column, key: str) -> list[Check]:
    rule, name, raw = column.rule, identifier(column), raw_name(column)
    checks = []
    empty = f"{name} is null"
    if rule.kind != "text":
        fix = _KIND_FIX[rule.kind]
        unread = f"({text_name(column)} is not null and {name} is null)"
        checks.append(Check(_unread(column), unread, raw, fix))
        empty = f"{text_name(column)} is null"
    if rule.required and not rule.nullable:
        checks.append(Check(message("{column} is empty", column=column), empty, key, _FIX))
    if rule.vocabulary:
        unknown = chosen(name, dict.fromkeys(rule.vocabulary, "false"), otherwise="true")
        reason = message(
            "{column} is none of {words}", column=column, words=listing(rule.vocabulary)
        )
        action = message("Add a `map` for the column in your mapping.")
        checks.append(Check(reason, f"{name} is not null and {unknown}", raw, action))
    if rule.minimum is not None:
        reason = message("{column} is below {limit}", column=column, limit=f"{rule.minimum:g}")
        checks.append(Check(reason, f"{name} < {rule.minimum}", raw, _FIX))
    if rule.maximum is not None:
        reason = message("{column} is above {limit}", column=column, limit=f"{rule.maximum:g}")
        checks.append(Check(reason, f"{name} > {rule.maximum}", raw, _FIX))
    if rule.kind in ("date", "timestamp"):
        outside = f"{name} < DATE '{EARLIEST}' or {name} >= DATE '{LATEST}'"
        reason = message("{column} is not a plausible date", column=column)
        checks.append(Check(reason, outside, raw, _FIX))
    return checks


def _unread(column: Column) -> Message:
    """Say that a text is not of the column's kind."""
    match column.rule.kind:
        case "number":
            return message("{column} is not a number", column=column)
        case "date":
            return message("{column} is not a date", column=column)
        case "timestamp":
            return message("{column} is not a date and time", column=column)
        case _:
            return message("{column} is not yes or no", column=column)


def key_text(declaration: Declaration) -> str:
    """Express a row's key as text for examples; of a row without one, its number if known."""
    parts = [f"coalesce({identifier(column)}::VARCHAR, '')" for column in declaration.key]
    return f"nullif(trim(concat_ws(' ', {', '.join(parts)})), '')"


def _words(sql: str) -> set[str]:
    return set(sql.replace("(", " ").replace(")", " ").split())


def row_text() -> str:
    """Express a row's number as text, for rows without a key."""
    return f"'row ' || {ROW}"
