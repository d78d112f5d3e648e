"""Volumes against the import before: rows a table, and rows of months already reported."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pandas as pd

from salesnb.message import Message, figure, listing, message, message_many
from salesnb.schema import Column, activities, leads, opportunities
from salesnb.sources.notices.notice import (
    FEW_ROWS,
    SEVERAL,
    WON_AMOUNT_KPIS,
    Notice,
    kpis_of,
    row_of,
    rows_of,
    table_kpis,
)
from salesnb.sources.notices.relations import Relation, fetch_rows

FEWEST_ROWS = 3
"""One or two rows corrected by hand are no drift."""

LOST_SHARE = 0.01
"""A month that lost a hundredth of its rows has other rates than those already reported."""

GAINED_SHARE = 0.05
"""Late entries add a few rows to a month; a twentieth is more than late."""

MONEY_SHARE = 0.05
"""Single amounts are corrected now and then; a twentieth of a month's is no detail."""

LATE_DAYS = 31
"""A month is known once it had ended this long before: until then late entries still arrive."""

GROWTH_TIMES = 2
"""No table doubles from one import to the next, but for one that was imported twice."""

MOST_TABLES = 2
"""Shrunken tables told one by one."""

MOST_MONTHS = 3
"""Months named one by one."""


@dataclass(frozen=True)
class Measured:
    """One figure of a month: `value` in SQL, `word` for what it counts, the KPIs made of it."""

    word: Message
    value: str
    kpis: tuple[str, ...]
    is_money: bool = False


_CLOSING = kpis_of(opportunities.closed_on)
_CLOSED = (
    Measured(message("closed"), f"count(*) filter ({opportunities.is_closed})", _CLOSING),
    Measured(message("won"), f"count(*) filter ({opportunities.is_won})", _CLOSING),
    Measured(
        message("in won amounts"),
        f"coalesce(sum({opportunities.amount}) filter ({opportunities.is_won} and "
        f"{opportunities.amount} > 0), 0)",
        WON_AMOUNT_KPIS,
        is_money=True,
    ),
)
MONTHLY: dict[Column, tuple[Measured, ...]] = {
    opportunities.created_on: (
        Measured(message("created"), "count(*)", kpis_of(opportunities.created_on)),
    ),
    opportunities.closed_on: _CLOSED,
    leads.created_at: (Measured(message("created"), "count(*)", kpis_of(leads.created_at)),),
    activities.started_at: (
        Measured(message("started"), "count(*)", kpis_of(activities.started_at)),
    ),
}
"""Column that dates rows -> figures of its months; of one column the first that differs is told,
as the others follow from it."""


def volume_drift(
    db: duckdb.DuckDBPyConnection, now: dict[str, Relation], before: dict[str, Relation], *,
    until: dt.date,
) -> list[Notice]:  # fmt: skip
    """Compare months already known on `until`, the day of the snapshot before, and row counts."""
    found = [
        notice
        for column, measured in MONTHLY.items()
        if all(column.table in side and side[column.table].has(column) for side in (now, before))
        for notice in _months(db, column, measured, now, before, until)
    ]
    told = {notice.table for notice in found}
    sizes = {
        table: _sizes(db, now[table], before[table])
        for table in now
        if table in before and table not in told
    }
    return [*found, *_shrunk(sizes), *_doubled(sizes)]


def _months(
    db: duckdb.DuckDBPyConnection, column: Column, measured: tuple[Measured, ...],
    now: dict[str, Relation], before: dict[str, Relation], until: dt.date,
) -> Iterator[Notice]:  # fmt: skip
    last = until - dt.timedelta(days=LATE_DAYS)
    old, new = (_by_month(db, side[column.table], column, measured, last) for side in (before, now))
    joined = old.merge(
        new, how="outer", left_index=True, right_index=True, suffixes=("_before", "_now")
    ).fillna(0)
    for number, one in enumerate(measured):
        pair = pd.DataFrame(
            {"before": joined[f"{number}_before"], "now": joined[f"{number}_now"]}
        ).astype(float)
        pair = pair[(pair > 0).any(axis=1)]
        notices = [*_reach(column, one, pair), *_changed(column, one, pair)]
        if notices:
            yield from notices
            return


def _by_month(
    db: duckdb.DuckDBPyConnection, relation: Relation, column: Column,
    measured: tuple[Measured, ...], last: dt.date,
) -> pd.DataFrame:  # fmt: skip
    """Add up the figures of each month that had ended on `last`."""
    values = ", ".join(f'{one.value} as "{number}"' for number, one in enumerate(measured))
    sums = ", ".join(f'sum("{number}") as "{number}"' for number in range(len(measured)))
    by_day = f"select {column}::DATE as day, {values} from {relation.sql} group by day"
    rows = fetch_rows(  # by day first: it is three times as fast as by month
        db,
        f"select date_trunc('month', day)::TIMESTAMP as month, {sums} from ({by_day}) "
        f"where date_trunc('month', day) + interval 1 month <= DATE '{last}' group by month",
    )
    names = [str(number) for number in range(len(measured))]
    return pd.DataFrame(rows, columns=["month", *names]).set_index("month").astype(float)


def _is_kept(pair: pd.DataFrame) -> pd.Series[bool]:
    """Mark the months from the first to the last that both imports have."""
    shared = pair.index[(pair > 0).all(axis=1)]
    if not len(shared):
        return pd.Series(True, index=pair.index)
    return pd.Series(pair.index >= shared[0], index=pair.index)


def _reach(column: Column, measured: Measured, pair: pd.DataFrame) -> Iterator[Notice]:
    """Tell that the export begins later, or earlier, than the one before."""
    early = pair[~_is_kept(pair)]
    lost, gained = int(early["before"].sum()), int(early["now"].sum())
    if measured.is_money or len(early) == len(pair) or max(lost, gained) < FEWEST_ROWS:
        return
    first = pair.index[_is_kept(pair).to_numpy()][0]
    values = {
        "month": f"{first:%Y-%m}",
        "rows": rows_of(column.table, max(lost, gained)),
        "word": measured.word,
        "begin": f"{early.index[0]:%Y-%m}",
    }
    yield Notice(
        table=column.table,
        what=message(
            "The export no longer goes back before {month}: {rows} {word} from {begin} on are "
            "gone.",
            **values,
        )
        if lost > gained
        else message(
            "The export now goes back before {month}: {rows} {word} from {begin} on are new.",
            **values,
        ),
        effect=message("Quarters of that time have other figures than those already reported."),
        kpis=measured.kpis,
        action=message("Export the whole history again.") if lost > gained else "",
    )


def _changed(column: Column, measured: Measured, pair: pd.DataFrame) -> Iterator[Notice]:
    """Tell of months already reported that have lost or gained."""
    pair = pair[_is_kept(pair)]
    change = pair["now"] - pair["before"]
    least = 0 if measured.is_money else FEWEST_ROWS
    lost_share = MONEY_SHARE if measured.is_money else LOST_SHARE
    gained_share = MONEY_SHARE if measured.is_money else GAINED_SHARE
    lost = pair[(-change >= least) & (-change > lost_share * pair["before"])]
    gained = pair[(change >= least) & (change > gained_share * pair["before"])]
    if lost.empty and gained.empty:
        return
    parts = [
        message_many(
            "{n} has lost: {months}", "{n} have lost: {months}",
            len(lost), months=_named(lost, measured),
        ),
        message_many(
            "{n} has gained: {months}", "{n} have gained: {months}",
            len(gained), months=_named(gained, measured),
        ),
    ]  # fmt: skip
    there = [part for part, months in zip(parts, (lost, gained), strict=True) if len(months)]
    yield Notice(
        table=column.table,
        what=message(
            "Of {n} months already known, {changes}.",
            n=figure(len(pair)),
            changes=listing(there, between="; "),
        ),
        effect=message("Quarters already reported have other figures now."),
        kpis=measured.kpis,
        action=_action(column, is_lost=len(lost) >= len(gained)),
    )


def _action(column: Column, *, is_lost: bool) -> str:
    if is_lost:
        return message(
            "See whether the export leaves some {table} out (a filter, deleted or merged rows, a "
            "changed {column}).",
            table=column.table, column=column,
        )  # fmt: skip
    return message(
        "See why old {table} were added, or {column} was changed.",
        table=column.table, column=column,
    )  # fmt: skip


def _named(months: pd.DataFrame, measured: Measured) -> str:
    """Name the months that changed most, in order of time."""
    size = (months["now"] - months["before"]).abs()
    shown = months.loc[size.sort_values(ascending=False, kind="stable").index[:MOST_MONTHS]]
    texts = [
        message(
            "{month} had {before} {word}, now {now}",
            month=f"{month:%Y-%m}",
            before=figure(row["before"]),
            word=measured.word,
            now=figure(row["now"]),
        )
        for month, row in shown.sort_index().iterrows()
    ]
    more = len(months) - len(shown)
    if not more:
        return listing(texts)
    return message("{words} and {more} more", words=listing(texts), more=figure(more))


def _sizes(db: duckdb.DuckDBPyConnection, now: Relation, before: Relation) -> tuple[int, int]:
    """Count the rows before and now."""
    (row,) = fetch_rows(
        db,
        f"select (select count(*) from {now.sql}) as now, "
        f"(select count(*) from {before.sql}) as before",
    )
    return row["before"], row["now"]


def _shrunk(sizes: dict[str, tuple[int, int]]) -> Iterator[Notice]:
    """Tell which tables have fewer rows; when they are many, in one notice, for one cause."""
    shrunk = {
        table: (before, now)
        for table, (before, now) in sizes.items()
        if before - now >= FEWEST_ROWS and before - now > LOST_SHARE * before
    }
    groups = [list(shrunk)] if len(shrunk) > MOST_TABLES else [[table] for table in shrunk]
    for tables in groups:
        listed = listing(
            (
                message(
                    "{table} had {before}, now {now}",
                    table=table,
                    before=figure(shrunk[table][0]),
                    now=figure(shrunk[table][1]),
                )
                for table in tables
            ),
            between="; ",
        )
        yield Notice(
            table=tables[0] if len(tables) == 1 else SEVERAL,
            what=message("Fewer rows than in the import before: {listed}.", listed=listed)
            if len(tables) == 1
            else message(
                "{n} tables have fewer rows than in the import before: {listed}.",
                n=figure(len(tables)),
                listed=listed,
            ),
            effect=message("What was made from them is no longer counted."),
            kpis=tuple(dict.fromkeys(kpi for table in tables for kpi in table_kpis(table))),
            action=message("See whether the export leaves some out."),
        )


def _doubled(sizes: dict[str, tuple[int, int]]) -> Iterator[Notice]:
    for table, (before, now) in sizes.items():
        if before >= FEW_ROWS and now >= GROWTH_TIMES * before:
            yield Notice(
                table=table,
                what=message(
                    "{n} rows, {times} times the {before} of the import before.",
                    n=figure(now),
                    times=figure(now / before, 1),
                    before=figure(before),
                ),
                effect=message(
                    "If an export was added twice under other keys, everything counts twice."
                ),
                kpis=table_kpis(table),
                action=message("See that each {row} is there once.", row=row_of(table)),
            )
