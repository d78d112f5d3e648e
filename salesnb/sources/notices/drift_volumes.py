"""Volumes against the import before: rows a table, and rows of months already reported."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pandas as pd

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

    word: str
    value: str
    kpis: tuple[str, ...]
    is_money: bool = False


_CLOSING = kpis_of(opportunities.closed_on)
_CLOSED = (
    Measured("closed", f"count(*) filter ({opportunities.is_closed})", _CLOSING),
    Measured("won", f"count(*) filter ({opportunities.is_won})", _CLOSING),
    Measured(
        "in won amounts",
        f"coalesce(sum({opportunities.amount}) filter ({opportunities.is_won} and "
        f"{opportunities.amount} > 0), 0)",
        WON_AMOUNT_KPIS,
        is_money=True,
    ),
)
MONTHLY: dict[Column, tuple[Measured, ...]] = {
    opportunities.created_on: (Measured("created", "count(*)", kpis_of(opportunities.created_on)),),
    opportunities.closed_on: _CLOSED,
    leads.created_at: (Measured("created", "count(*)", kpis_of(leads.created_at)),),
    activities.started_at: (Measured("started", "count(*)", kpis_of(activities.started_at)),),
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
    for number, figure in enumerate(measured):
        pair = pd.DataFrame(
            {"before": joined[f"{number}_before"], "now": joined[f"{number}_now"]}
        ).astype(float)
        pair = pair[(pair > 0).any(axis=1)]
        notices = [*_reach(column, figure, pair), *_changed(column, figure, pair)]
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


def _reach(column: Column, figure: Measured, pair: pd.DataFrame) -> Iterator[Notice]:
    """Tell that the export begins later, or earlier, than the one before."""
    early = pair[~_is_kept(pair)]
    lost, gained = int(early["before"].sum()), int(early["now"].sum())
    if figure.is_money or len(early) == len(pair) or max(lost, gained) < FEWEST_ROWS:
        return
    first = pair.index[_is_kept(pair).to_numpy()][0]
    how = "no longer goes" if lost > gained else "now goes"
    yield Notice(
        table=column.table,
        what=f"The export {how} back before {first:%Y-%m}: "
        f"{rows_of(column.table, max(lost, gained))} {figure.word} from {early.index[0]:%Y-%m} on "
        f"are {'gone' if lost > gained else 'new'}.",
        effect="Quarters of that time have other figures than those already reported.",
        kpis=figure.kpis,
        action="Export the whole history again." if lost > gained else "",
    )


def _changed(column: Column, figure: Measured, pair: pd.DataFrame) -> Iterator[Notice]:
    """Tell of months already reported that have lost or gained."""
    pair = pair[_is_kept(pair)]
    change = pair["now"] - pair["before"]
    least = 0 if figure.is_money else FEWEST_ROWS
    lost_share = MONEY_SHARE if figure.is_money else LOST_SHARE
    gained_share = MONEY_SHARE if figure.is_money else GAINED_SHARE
    lost = pair[(-change >= least) & (-change > lost_share * pair["before"])]
    gained = pair[(change >= least) & (change > gained_share * pair["before"])]
    if lost.empty and gained.empty:
        return
    parts = [
        f"{len(months)} {'has' if len(months) == 1 else 'have'} {verb}: {_named(months, figure)}"
        for months, verb in ((lost, "lost"), (gained, "gained"))
        if len(months)
    ]
    yield Notice(
        table=column.table,
        what=f"Of {len(pair)} months already known, {'; '.join(parts)}.",
        effect="Quarters already reported have other figures now.",
        kpis=figure.kpis,
        action=_action(column, is_lost=len(lost) >= len(gained)),
    )


def _action(column: Column, *, is_lost: bool) -> str:
    if is_lost:
        return (
            f"See whether the export leaves some {column.table} out (a filter, deleted or merged "
            f"rows, a changed {column})."
        )
    return f"See why old {column.table} were added, or {column} was changed."


def _named(months: pd.DataFrame, figure: Measured) -> str:
    """Name the months that changed most, in order of time."""
    size = (months["now"] - months["before"]).abs()
    shown = months.loc[size.sort_values(ascending=False, kind="stable").index[:MOST_MONTHS]]
    texts = [
        f"{month:%Y-%m} had {row['before']:,.0f} {figure.word}, now {row['now']:,.0f}"
        for month, row in shown.sort_index().iterrows()
    ]
    more = len(months) - len(shown)
    return ", ".join(texts) + (f" and {more:,} more" if more else "")


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
        listed = "; ".join(
            f"{table} had {shrunk[table][0]:,}, now {shrunk[table][1]:,}" for table in tables
        )
        yield Notice(
            table=tables[0] if len(tables) == 1 else SEVERAL,
            what=f"Fewer rows than in the import before: {listed}."
            if len(tables) == 1
            else f"{len(tables)} tables have fewer rows than in the import before: {listed}.",
            effect="What was made from them is no longer counted.",
            kpis=tuple(dict.fromkeys(kpi for table in tables for kpi in table_kpis(table))),
            action="See whether the export leaves some out.",
        )


def _doubled(sizes: dict[str, tuple[int, int]]) -> Iterator[Notice]:
    for table, (before, now) in sizes.items():
        if before >= FEW_ROWS and now >= GROWTH_TIMES * before:
            yield Notice(
                table=table,
                what=f"{now:,} rows, {now / before:.1f} times the {before:,} of the import before.",
                effect="If an export was added twice under other keys, everything counts twice.",
                kpis=table_kpis(table),
                action=f"See that each {row_of(table)} is there once.",
            )
