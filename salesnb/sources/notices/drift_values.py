"""Values against the import before: words come and gone, columns emptied, levels shifted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import duckdb

from salesnb.message import Message, day_text, figure, listing, message
from salesnb.schema import (
    TABLES,
    Column,
    activities,
    leads,
    memberships,
    opportunities,
    reps,
    targets,
)
from salesnb.sources.notices.notice import (
    FEW_ROWS,
    Notice,
    kpis_of,
    share_text,
)
from salesnb.sources.notices.relations import Relation, fetch_rows
from salesnb.sources.sql import identifier

WORD_SHARE = 0.01
"""Values of fewer rows come and go by themselves."""

EMPTIED_SHARE = 0.1
"""A column that is missing in 10 rows of 100 more than before was not just filled less well."""

LEVEL_TIMES = 5.0
"""Medians move by a few per cent from import to import; by five times only with their unit."""

MOST_WORDS = 5

_COMPARED = message("Comparisons over time by it break off here.")
WORDS: dict[Column, Message] = {
    opportunities.stage: message("Time in stage and the funnel break off here."),
    opportunities.source: _COMPARED,
    opportunities.type: _COMPARED,
    opportunities.loss_reason: _COMPARED,
    opportunities.currency: message("Amounts need an exchange rate in every currency."),
    leads.source: _COMPARED,
    activities.kind: message("Calls and meetings are told apart by it."),
    reps.role: message("People are compared within their role: peer groups are others now."),
    memberships.team_id: message("Team figures of past quarters move with their members."),
}
"""Columns of few words -> what it means when a word comes or goes."""

_LEVELS: tuple[tuple[Column, Column | None, tuple[str, ...]], ...] = (
    (
        opportunities.amount, opportunities.created_on,
        kpis_of(opportunities.amount),
    ),
    (activities.seconds, activities.started_at, kpis_of(activities.kind)),
    (targets.target, None, kpis_of(targets.target)),
)  # fmt: skip
"""Amounts, the column that dates them, and the KPIs made of them."""


def value_drift(
    db: duckdb.DuckDBPyConnection, now: dict[str, Relation], before: dict[str, Relation], *,
    until: dt.date,
) -> Iterator[Notice]:  # fmt: skip
    """Compare the words of columns, what is missing, and the level of amounts.

    `until` is the day of the snapshot before: later rows are new.
    """
    for table in TABLES:
        if table in now and table in before:
            yield from _emptied(db, table, now[table], before[table])
    for column, effect in WORDS.items():
        if _both_have(column, now, before):
            yield from _words(db, column, effect, now[column.table], before[column.table])
    for column, dated, kpis in _LEVELS:
        if _both_have(column, now, before):
            yield from _level(db, column, dated, kpis, now, before, until)


def _both_have(column: Column, now: dict[str, Relation], before: dict[str, Relation]) -> bool:
    return all(column.table in side and side[column.table].has(column) for side in (now, before))


def _emptied(
    db: duckdb.DuckDBPyConnection, table: str, now: Relation, before: Relation
) -> Iterator[Notice]:
    columns = [name for name in TABLES[table].columns if now.has(name) and before.has(name)]
    counts = ", ".join(f"count({identifier(name)}) as {identifier(name)}" for name in columns)
    new, old = (
        fetch_rows(db, f"select count(*) as _n, {counts} from {side.sql}")[0]
        for side in (now, before)
    )
    if min(new["_n"], old["_n"]) < FEW_ROWS:
        return
    for name in columns:
        missing, was = 1 - new[name] / new["_n"], 1 - old[name] / old["_n"]
        if missing - was >= EMPTIED_SHARE:
            yield Notice(
                table=table,
                what=message(
                    "{column} is missing in {share} of rows; in the import before it was {was}.",
                    column=name,
                    share=share_text(missing, 1),
                    was=share_text(was, 1),
                ),
                effect=message("Figures made from it lack these rows."),
                kpis=kpis_of(TABLES[table].columns[name]),
                action=message(
                    "See that the export fills {column}, and that its mapping still fits.",
                    column=name,
                ),
            )


def _words(
    db: duckdb.DuckDBPyConnection, column: Column, effect: str, now: Relation, before: Relation
) -> Iterator[Notice]:
    rows = fetch_rows(
        db,
        f"with new as ({_word_counts(now, column)}), old as ({_word_counts(before, column)}) "
        "select word, new.n as n_new, old.n as n_old, new.whole as new_whole, "
        "old.whole as old_whole from new full join old using (word) "
        f"where new.n is null and old.n >= {WORD_SHARE} * old.whole "
        f"or old.n is null and new.n >= {WORD_SHARE} * new.whole "
        "order by coalesce(new.n / new.whole, old.n / old.whole) desc, word",
    )
    gone = [_word(row, "old") for row in rows if row["n_new"] is None]
    new = [_word(row, "new") for row in rows if row["n_old"] is None]
    if not gone and not new:
        return
    yield Notice(
        table=column.table,
        what=_come_and_gone(column, gone, new),
        effect=effect,
        kpis=kpis_of(column),
        action=message(
            "If they were only renamed, map the old names to the new ones in your mapping."
        )
        if gone and new
        else message("See that this is so in the CRM too."),
    )


def _come_and_gone(column: Column, gone: list[str], new: list[str]) -> Message:
    if not new:
        return message("Values of {column} gone: {gone}.", column=column, gone=_listed(gone))
    if not gone:
        return message("Values of {column} new: {new}.", column=column, new=_listed(new))
    return message(
        "Values of {column} gone: {gone}; new: {new}.",
        column=column, gone=_listed(gone), new=_listed(new),
    )  # fmt: skip


def _word_counts(relation: Relation, column: Column) -> str:
    return (
        f"select {column} as word, count(*) as n, sum(count(*)) over () as whole "
        f"from {relation.sql} where {column} is not null group by word"
    )


def _word(row: dict[str, Any], side: str) -> str:
    share = share_text(row[f"n_{side}"], row[f"{side}_whole"])
    return message("{word} ({share} of rows)", word=repr(row["word"]), share=share)


def _listed(words: list[str]) -> str:
    shown, more = listing(words[:MOST_WORDS]), len(words) - MOST_WORDS
    if more <= 0:
        return shown
    return message("{words} and {more} more", words=shown, more=figure(more))


def _level(
    db: duckdb.DuckDBPyConnection, column: Column, dated: Column | None, kpis: tuple[str, ...],
    now: dict[str, Relation], before: dict[str, Relation], until: dt.date,
) -> Iterator[Notice]:  # fmt: skip
    """Tell that the median of all rows, or of those since, is of another order."""
    table = column.table
    since = "false" if dated is None else f"{dated}::DATE > DATE '{until}'"
    (old,) = fetch_rows(
        db,
        f"select median({column}) as usual, count(*) as n from {before[table].sql} "
        f"where {column} > 0",
    )
    (new,) = fetch_rows(
        db,
        f"select median({column}) as usual, count(*) as n, median({column}) filter ({since}) "
        f"as since, count(*) filter ({since}) as n_since from {now[table].sql} where {column} > 0",
    )
    if min(old["n"], new["n"]) < FEW_ROWS:
        return
    usual, was = new["usual"], figure(old["usual"])
    what = message(
        "The median {column} is {usual}; in the import before it was {was}.",
        column=column, usual=figure(usual), was=was,
    )  # fmt: skip
    if not _is_other_level(usual, old["usual"]) and new["n_since"] >= FEW_ROWS:
        usual = new["since"]
        what = message(
            "The median {column} of the {n} rows since {until} is {usual}; in the import before "
            "it was {was}.",
            column=column, n=figure(new["n_since"]), until=day_text(until), usual=figure(usual),
            was=was,
        )  # fmt: skip
    if _is_other_level(usual, old["usual"]):
        yield Notice(
            table=table,
            what=what,
            effect=message("A change of currency or unit moves every figure made from it."),
            kpis=kpis,
            action=message("See in which unit {column} was exported.", column=column),
        )


def _is_other_level(usual: float, before: float) -> bool:
    return not 1 / LEVEL_TIMES < usual / before < LEVEL_TIMES
