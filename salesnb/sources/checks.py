"""Checks: every row is accepted, or refused into quarantine with its reasons.

All checks of a table run in one DuckDB pass over its staged rows, so files larger than memory
stream. A staged row is as `cleaning.stage_sql` describes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from salesnb.errors import quote_examples
from salesnb.schema import TABLES, Column, Declaration
from salesnb.sources.report import Refusal
from salesnb.sources.sql import identifier, quoted

EARLIEST, LATEST = "1990-01-01", "2100-01-01"
_FIX = "Correct these rows in the CRM and export again."
_KINDS = {
    "number": "a number",
    "date": "a date",
    "timestamp": "a date and time",
    "boolean": "yes or no",
}
_KIND_FIX = {
    "number": "Correct them, or set `decimal` for the file in your mapping.",
    "date": "Correct them, or set `date_format` for the file in your mapping.",
    "timestamp": "Correct them, or set `date_format` for the file in your mapping.",
    "boolean": "Add a `map` for the column in your mapping.",
}
DUPLICATE = "exact duplicate of an accepted row"
CONFLICT = "same key, different content"


@dataclass(frozen=True)
class Check:
    """One thing that may be wrong with a row."""

    reason: str
    predicate: str
    example: str
    action: str


def row_checks(
    declaration: Declaration, columns: Iterable[Column], references: dict[str, str]
) -> list[Check]:
    """List the checks of a table's rows, in the order in which reasons are given.

    Parameters
    ----------
    declaration
        The table.
    columns
        Those of its columns that the export fills.
    references
        Accepted tables so far: name -> relation to look references up in.
    """
    present = list(columns)
    key = _key_text(declaration)
    checks = [check for column in present for check in _column_checks(column, key)]
    for column in present:
        target = column.rule.references
        if column.rule.on_unknown == "refuse" and target in references:
            checks.append(_reference_check(column, references[target]))
    names = {str(column) for column in present}
    for fault in declaration.faults:
        if all(name in names for name in declaration.columns if name in _words(fault.sql)):
            checks.append(Check(fault.reason, fault.sql, key, _FIX))
    return checks


def judge(
    db: duckdb.DuckDBPyConnection, declaration: Declaration, columns: list[Column],
    checks: list[Check],
) -> None:  # fmt: skip
    """Make `judged_<table>`: the staged rows with `_reasons`, a list of (reason, example)."""
    name = declaration.name
    found = ", ".join(
        f"case when {check.predicate} then {_finding(check.reason, check.example)} end"
        for check in checks
    )
    key_text = _key_text(declaration)
    key = ", ".join(identifier(column) for column in declaration.key)
    content = ", ".join(identifier(column) for column in columns)
    db.execute(f"""
        create temp table judged_{name} as
        with checked as (
            select *, list_filter([{found}], lambda r: r is not null) as _found from staged_{name}
        ), hashed as (
            select *, len(_found) = 0 as _valid, hash({content}) as _content from checked
        ), copies as (
            select *,
                row_number() over (partition by _valid, {key} order by _block, _row) as _copy,
                min(_content) over same <> max(_content) over same as _conflict
            from hashed window same as (partition by _valid, {key})
        )
        select * exclude (_found, _content, _copy, _conflict, _valid),
            case when not _valid then _found
                when _conflict then [{_finding(CONFLICT, key_text)}]
                when _copy > 1 then [{_finding(DUPLICATE, key_text)}]
                else [] end as _reasons
        from copies
    """)


def _finding(reason: str, example: str) -> str:
    return f"{{'reason': {quoted(reason)}, 'example': ({example})::VARCHAR}}"


def count_refusals(
    db: duckdb.DuckDBPyConnection, declaration: Declaration, checks: list[Check]
) -> list[Refusal]:
    """Count the judged rows of a table by their first reason, most frequent first."""
    actions = {check.reason: check.action for check in checks}
    actions[DUPLICATE] = "Nothing to do: one copy was kept."
    actions[CONFLICT] = "Decide which is right and export again; none was kept."
    rows = db.sql(
        "select _reasons[1].reason as reason, count(*) as n, "
        f"    {_examples('_reasons[1].example')} "
        f"from judged_{declaration.name} where len(_reasons) > 0 group by reason "
        "order by n desc, reason"
    ).fetchall()
    return [
        Refusal(reason=reason, count=count, examples=tuple(examples), action=actions[reason])
        for reason, count, examples in rows
    ]


def _examples(expression: str) -> str:
    return f"coalesce(list(distinct {expression} order by {expression})[1:5], [])"


def reference_warnings(
    db: duckdb.DuckDBPyConnection, declaration: Declaration, columns: list[Column],
    accepted: dict[str, str],
) -> list[str]:  # fmt: skip
    """Say which accepted values point at nothing in a table the export has."""
    warnings = []
    for column in columns:
        target = column.rule.references
        if column.rule.on_unknown == "refuse" or target not in accepted:
            continue
        key = identifier(TABLES[target].key[0])
        name = identifier(column)
        count, examples = db.sql(
            f"select count(*), {_examples(name)} from {accepted[declaration.name]} "
            f"where {name} is not null and {name} not in (select {key} from {accepted[target]})"
        ).fetchall()[0]
        if count:
            warnings.append(
                f"{declaration.name}: {column!r} has {count:,} values unknown in {target} "
                f"(e.g. {quote_examples(examples)}). "
                f"Add an alias under aliases: {target}: in your mapping."
            )
    return warnings


def _column_checks(column: Column, key: str) -> list[Check]:
    rule, name, raw = column.rule, identifier(column), identifier(f"raw_{column}")
    checks = []
    empty = f"{name} is null"
    if rule.kind != "text":
        fix, unread = _KIND_FIX[rule.kind], identifier(f"unread_{column}")
        checks.append(Check(f"{column} is not {_KINDS[rule.kind]}", unread, raw, fix))
        empty = f"{empty} and not {unread}"
    if rule.required:
        checks.append(Check(f"{column} is empty", empty, key, _FIX))
    if rule.vocabulary:
        words = ", ".join(map(quoted, rule.vocabulary))
        reason = f"{column} is none of {', '.join(rule.vocabulary)}"
        action = "Add a `map` for the column in your mapping."
        checks.append(Check(reason, f"{name} not in ({words})", raw, action))
    if rule.minimum is not None:
        checks.append(
            Check(f"{column} is below {rule.minimum:g}", f"{name} < {rule.minimum}", raw, _FIX)
        )
    if rule.maximum is not None:
        checks.append(
            Check(f"{column} is above {rule.maximum:g}", f"{name} > {rule.maximum}", raw, _FIX)
        )
    if rule.kind in ("date", "timestamp"):
        outside = f"{name} < DATE '{EARLIEST}' or {name} >= DATE '{LATEST}'"
        checks.append(Check(f"{column} is not a plausible date", outside, raw, _FIX))
    return checks


def _reference_check(column: Column, relation: str) -> Check:
    target = column.rule.references
    key = identifier(TABLES[target].key[0])
    name = identifier(column)
    return Check(
        f"{column} is unknown in {target}",
        f"{name} is not null and {name} not in (select {key} from {relation})",
        name,
        f"Add the missing {target} to the export, or an alias under aliases: {target}: "
        "in your mapping.",
    )


def _key_text(declaration: Declaration) -> str:
    parts = [f"coalesce({identifier(column)}::VARCHAR, '')" for column in declaration.key]
    return f"coalesce(nullif(trim(concat_ws(' ', {', '.join(parts)})), ''), 'row ' || _row)"


def _words(sql: str) -> set[str]:
    return set(sql.replace("(", " ").replace(")", " ").split())
