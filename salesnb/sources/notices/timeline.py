"""Events by day: the last one, and what their rhythm says of holes, heaps and mistyped dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from salesnb.errors import DataError
from salesnb.message import Message, day_text, figure, message, message_many
from salesnb.periods import FiscalCalendar
from salesnb.schema import TABLES, Column, activities, leads, opportunities
from salesnb.sources.mapping import Company
from salesnb.sources.notices.notice import (
    FEW_ROWS,
    Notice,
    days_text,
    examples_text,
    kpis_of,
    row_of,
    rows_of,
    share_text,
)
from salesnb.sources.notices.relations import Relation, complete_relations, fetch_rows
from salesnb.sources.sql import identifier

STRAY_SHARE = 0.005
STRAY_GAP_DAYS = 60
"""The last events are taken for mistyped when they are at most this share of all and stand more
than this many days, and three times the longest usual gap, after the rest."""

CLOCK_DAYS = 1
"""An event may be a day after `today`: its time is kept as written, in any time zone."""

PLANNED_DAYS = 366
"""Dates this long after an `as_of` that the company chose can only be mistyped."""

STALE_DAYS = 14
STALE_TIMES = 3
"""A table ends early when nothing happened for more than two weeks and three times the longest
gap of the year before."""

SPAN_DAYS = 28
SPANS, FEWEST_SPANS = 13, 6
"""Volumes are compared over four whole weeks, with those of the year (at least half) before."""
LOW_TO_MEDIAN, LOW_TO_LOWEST = 0.5, 0.7
"""A span is short when it has less than half the usual rows and 30% less than the lowest: a
season repeats within the year, so that alone is not below the lowest."""

HEAP_SHARE = 0.2
"""A fifth of all rows on one day is a migration or a clean-up, not business."""

FIRST_SHARE = 0.3
"""One day in 30 is the first of a month; ten times as many are months written as days."""

_WORDS = {
    opportunities.created_on: message("created"),
    opportunities.closed_on: message("closed"),
    leads.created_at: message("created"),
    activities.started_at: message("started"),
}
EVENTS = (
    opportunities.created_on, opportunities.closed_on, leads.created_at, activities.started_at,
)  # fmt: skip
"""Columns whose dates say that something has happened."""

Days = NDArray[np.datetime64]


@dataclass(frozen=True)
class DayCounts:
    """How many rows of a table each day has, by one column; days in order, none twice.

    A closing date counts for closed opportunities only. `missing` counts rows without a day.
    """

    column: Column
    days: Days
    counts: NDArray[np.int64]
    missing: int

    @property
    def total(self) -> int:
        """Rows that have a day."""
        return int(self.counts.sum())

    def up_to(self, day: dt.date) -> DayCounts:
        """Keep the days up to and including `day`."""
        keep = self.days <= np.datetime64(day)
        return DayCounts(self.column, self.days[keep], self.counts[keep], self.missing)

    def after(self, day: dt.date) -> int:
        """Count the rows after `day`."""
        return int(self.counts[self.days > np.datetime64(day)].sum())

    def without_strays(self) -> DayCounts:
        """Drop the few last days that stand far from the rest (see STRAY_SHARE)."""
        if len(self.days) < 3:
            return self
        gaps = np.diff(self.days).astype(int)
        share = self.counts.cumsum() / self.total
        within = (share[:-1] >= 0.01) & (share[1:] <= 0.99)
        longest = max(int(gaps[within].max(initial=0)) * STALE_TIMES, STRAY_GAP_DAYS)
        cuts = np.flatnonzero((gaps > longest) & (1 - share[:-1] <= STRAY_SHARE))
        if not len(cuts):
            return self
        end = int(cuts[0]) + 1
        return DayCounts(self.column, self.days[:end], self.counts[:end], self.missing)


def last_event(
    db: duckdb.DuckDBPyConnection, accepted: dict[str, str], *, today: dt.date | None = None
) -> dt.date:
    """Find the day of the last thing that happened, which the data are then as of.

    Mistyped dates would move that day into the future and leave every quarter half empty. So
    dates after `today` are ignored (unless all are: then it is `today` that is wrong), and so are
    a few last ones that stand far from the rest. `find_warnings` says which dates lie after it.

    Parameters
    ----------
    accepted
        Table name -> relation of its accepted rows.
    today
        A day after which nothing in the export can have happened, as the day its newest file
        was written.

    Raises
    ------
    DataError
        No row has a date.
    """
    counted = count_days(db, complete_relations(db, accepted))
    known = [days for days in counted if days.total]
    if not known:
        raise DataError(
            "opportunities: no row has a date, so the day of the export is unknown. Map created_on "
            "or closed_on, or set as_of of the company."
        )
    if today is not None:
        latest = today + dt.timedelta(days=CLOCK_DAYS)
        past = [days.up_to(latest) for days in known]
        known = [days for days in past if days.total] or known
    last: dt.date = max(_last(days.without_strays()) for days in known)
    return last


def count_days(
    db: duckdb.DuckDBPyConnection, relations: dict[str, Relation]
) -> tuple[DayCounts, ...]:
    """Count the events of each day by each column of EVENTS that the export fills."""
    return tuple(
        _count_column(db, relations[column.table], column)
        for column in EVENTS
        if column.table in relations and relations[column.table].has(column)
    )


def _count_column(db: duckdb.DuckDBPyConnection, relation: Relation, column: Column) -> DayCounts:
    only = f"where {opportunities.is_closed}" if column == opportunities.closed_on else ""
    found = db.sql(
        f"select {identifier(column)}::DATE as day, count(*) as n from {relation.sql} {only} "
        "group by day order by day nulls last"
    ).fetchnumpy()
    day = np.ma.asarray(found["day"])
    known = ~np.ma.getmaskarray(day) & ~np.isnat(np.ma.getdata(day))
    counts = np.ma.getdata(found["n"]).astype(np.int64)
    days = np.ma.getdata(day)[known].astype("datetime64[D]")
    return DayCounts(column, days, counts[known], int(counts[~known].sum()))


def timeline_warnings(
    db: duckdb.DuckDBPyConnection, relations: dict[str, Relation], *, company: Company,
    as_of: dt.date,
) -> list[Notice]:  # fmt: skip
    """Warn of dates after `as_of`, of tables that end early, and of days that are no days."""
    grace = 0 if company.as_of is None else PLANNED_DAYS
    latest = as_of + dt.timedelta(days=grace)
    found: list[Notice] = []
    for days in count_days(db, relations):
        if days.column.table != activities.declaration.name:  # meetings may be planned
            found += _too_late(db, relations[days.column.table], days, as_of, latest)
        known = days.up_to(as_of)
        found += _ends_early(known, as_of, FiscalCalendar(company.fiscal_year_start))
        found += _heaped(known)
        found += _only_firsts(known)
    return found


def _too_late(
    db: duckdb.DuckDBPyConnection, relation: Relation, days: DayCounts, as_of: dt.date,
    latest: dt.date,
) -> Iterator[Notice]:  # fmt: skip
    count = days.after(latest)
    if not count:
        return
    column, table = days.column, days.column.table
    key = identifier(TABLES[table].key[0])
    only = f"and {opportunities.is_closed}" if column == opportunities.closed_on else ""
    rows = fetch_rows(
        db,
        f"select {key} as id, {column}::DATE as day from {relation.sql} "
        f"where {column}::DATE > DATE '{latest}' {only} order by day desc, id limit 3",
    )
    shown = examples_text(
        message("{name} on {day}", name=str(row["id"]), day=day_text(row["day"])) for row in rows
    )
    yield Notice(
        table=table,
        what=message_many(
            "{rows} is {word} after {day}{examples}.",
            "{rows} are {word} after {day}{examples}.",
            count,
            rows=rows_of(table, count),
            word=_WORDS[column],
            day=day_text(latest),
            examples=shown,
        ),
        effect=message(
            "The data are as of {day}, so they count as still open.", day=day_text(as_of)
        )
        if column == opportunities.closed_on
        else message(
            "The data are as of {day}, so they are not counted at all.", day=day_text(as_of)
        ),
        kpis=kpis_of(column),
        action=message("Correct these dates in the CRM and export again."),
    )


def _ends_early(days: DayCounts, as_of: dt.date, calendar: FiscalCalendar) -> list[Notice]:
    """Warn of a table whose last rows are older than they should be, or too few."""
    if days.total < FEW_ROWS:
        return []
    last = _last(days)
    behind = (as_of - last).days
    year = days.days[days.days >= days.days[-1] - np.timedelta64(365, "D")]
    usual = int(np.diff(year).astype(int).max(initial=1))
    if behind > max(STALE_DAYS, STALE_TIMES * usual):
        what = message(
            "The last {row} was {word} on {last}, {behind} before the data's day {as_of}; in the "
            "year before there was one at least every {usual}.",
            row=row_of(days.column.table), word=_WORDS[days.column], last=day_text(last),
            behind=days_text(behind), as_of=day_text(as_of), usual=days_text(usual),
        )  # fmt: skip
        return [_incomplete(days.column, what, calendar, last, as_of)]
    return _short_span(days, as_of, calendar)


def _short_span(days: DayCounts, as_of: dt.date, calendar: FiscalCalendar) -> list[Notice]:
    age = (np.datetime64(as_of) - days.days).astype(int) // SPAN_DAYS
    n_whole = min(int((np.datetime64(as_of) - days.days[0]).astype(int)) // SPAN_DAYS, SPANS + 1)
    if n_whole <= FEWEST_SPANS:
        return []
    volumes = np.bincount(age, weights=days.counts, minlength=n_whole)[:n_whole]
    now, before = int(volumes[0]), volumes[1:]
    usual, lowest = float(np.median(before)), int(before.min())
    if usual < FEW_ROWS or now >= LOW_TO_MEDIAN * usual or now >= LOW_TO_LOWEST * lowest:
        return []
    first = as_of - dt.timedelta(days=SPAN_DAYS - 1)
    what = message_many(
        "Only {rows} was {word} in the {days} days to {as_of}; the {n_spans} such spans before "
        "had {lowest} to {highest}, usually {usual}.",
        "Only {rows} were {word} in the {days} days to {as_of}; the {n_spans} such spans before "
        "had {lowest} to {highest}, usually {usual}.",
        now, rows=rows_of(days.column.table, now), word=_WORDS[days.column],
        days=figure(SPAN_DAYS), as_of=day_text(as_of), n_spans=figure(len(before)),
        lowest=figure(lowest), highest=figure(int(before.max())), usual=figure(usual),
    )  # fmt: skip
    return [_incomplete(days.column, what, calendar, first, as_of)]


def _incomplete(
    column: Column, what: Message, calendar: FiscalCalendar, first: dt.date, last: dt.date
) -> Notice:
    *before, quarter = calendar.between(first, last)[-2:]
    return Notice(
        table=column.table,
        what=what,
        effect=message(
            "If the export stops early, {before} and {quarter} are too low.",
            before=before[0],
            quarter=quarter,
        )
        if before
        else message("If the export stops early, {quarter} is too low.", quarter=quarter),
        kpis=kpis_of(column),
        action=message(
            "See that the export holds all {table} up to {day}, or set an earlier as_of of the "
            "company.",
            table=column.table,
            day=day_text(last),
        ),
    )


def _heaped(days: DayCounts) -> Iterator[Notice]:
    if days.total < FEW_ROWS:
        return
    top = int(days.counts.argmax())
    count = int(days.counts[top])
    if count <= HEAP_SHARE * days.total:
        return
    column = days.column
    yield Notice(
        table=column.table,
        what=message_many(
            "{rows} ({share}) was {word} on one day, {day}.",
            "{rows} ({share}) were {word} on one day, {day}.",
            count,
            rows=rows_of(column.table, count),
            share=share_text(count, days.total),
            word=_WORDS[column],
            day=day_text(days.days[top].astype(dt.date)),
        ),
        effect=message(
            "That is the day of a migration, a clean-up or a default, not of business: "
            "times counted from it are wrong, and its quarter is too high."
        ),
        kpis=kpis_of(column),
        action=message(
            "Export the original dates, or leave {column} of these rows empty.", column=column
        ),
    )


def _only_firsts(days: DayCounts) -> Iterator[Notice]:
    firsts = days.days == days.days.astype("datetime64[M]").astype("datetime64[D]")
    count = int(days.counts[firsts].sum())
    heap = int(days.counts.max(initial=0))
    if days.total < FEW_ROWS or count - heap <= FIRST_SHARE * days.total:
        return
    column = days.column
    yield Notice(
        table=column.table,
        what=message(
            "{share} of {n} {column} are the first of a month.",
            share=share_text(count, days.total),
            n=figure(days.total),
            column=column,
        ),
        effect=message(
            "Months were written down, not days: times counted from them are wrong by up to "
            "a month."
        ),
        kpis=kpis_of(column),
        action=message("Export the day in {column}.", column=column),
    )


def _last(days: DayCounts) -> Any:
    return days.days[-1].astype(dt.date)
