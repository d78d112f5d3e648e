"""Plausibility: accepted rows that will mislead, with what they do to the KPIs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import duckdb

from salesnb.message import day_text, figure, message, message_many
from salesnb.schema import activities, leads
from salesnb.sources.mapping import Company
from salesnb.sources.notices.amounts import amount_warnings
from salesnb.sources.notices.notice import (
    FEW_ROWS,
    MISSING_SHARE,
    Notice,
    by_table,
    examples_text,
    kpis_of,
    lacking_kpis,
    part_of,
    rows_of,
    share_text,
)
from salesnb.sources.notices.outcomes import never_filled, outcome_warnings
from salesnb.sources.notices.relations import Relation, complete_relations, fetch_rows
from salesnb.sources.notices.staffing import staffing_warnings
from salesnb.sources.notices.timeline import PLANNED_DAYS, timeline_warnings

LONGEST_HOURS = 12
"""No call or meeting is longer: someone forgot to hang up, or the unit is another."""

ABSURD_SHARE = 0.001
"""From 1 in 1,000 on, absurd lengths are a habit of the export and not a slip."""

SHORT_SHARE = 0.05
"""When fewer than 1 call in 20 is long enough to count, the unit is wrong, not the calls."""

Row = dict[str, Any]
_ACTIVITIES, _LEADS = activities.declaration.name, leads.declaration.name
_IS_CALL = f"{activities.kind} = 'call'"
_CALL_KPIS = kpis_of(activities.kind)


def find_warnings(
    db: duckdb.DuckDBPyConnection, accepted: dict[str, str], *, company: Company, as_of: dt.date
) -> tuple[Notice, ...]:
    """Find what an import should tell beyond refused rows.

    Every table is read by a few aggregating queries, whatever its size. Clean data give none.

    Parameters
    ----------
    accepted
        Table name -> relation of its accepted rows; optional columns may be absent.
    company
        For its currency, fiscal year, shortest call and (where it chose one) day.
    as_of
        Day of the data, see `timeline.last_event`.

    Returns
    -------
    tuple of Notice
        In the order of the model's tables; of their KPIs those that can be computed.
    """
    relations = complete_relations(db, accepted)
    found = [
        *amount_warnings(db, relations, company=company),
        *outcome_warnings(db, relations, as_of=as_of),
        *timeline_warnings(db, relations, company=company, as_of=as_of),
        *staffing_warnings(db, relations),
    ]
    if _LEADS in relations:
        found += _lead_warnings(db, relations[_LEADS])
    if _ACTIVITIES in relations:
        found += _activity_warnings(db, relations[_ACTIVITIES], company=company, as_of=as_of)
    lacking = lacking_kpis({table: relation.columns for table, relation in relations.items()})
    return tuple(
        notice.model_copy(update={"kpis": tuple(k for k in notice.kpis if k not in lacking)})
        for group in by_table(found).values()
        for notice in group
    )


def _lead_warnings(db: duckdb.DuckDBPyConnection, relation: Relation) -> Iterator[Notice]:
    (row,) = fetch_rows(
        db,
        f"select count(*) as n, count(*) filter ({leads.rep_id} is null) as n_ownerless, "
        f"count({leads.converted_opportunity_id}) as n_converted from {relation.sql}",
    )
    n = row["n"]
    if n and relation.has(leads.converted_opportunity_id) and not row["n_converted"]:
        yield never_filled(leads.converted_opportunity_id)
    if n >= FEW_ROWS and row["n_ownerless"] >= MISSING_SHARE * n:
        yield Notice(
            table=_LEADS,
            what=message(
                "{share} ({count} of {n}) have no rep_id.", **part_of(row["n_ownerless"], n)
            ),
            effect=message("The company's figures count them, no rep's and no team's do."),
            kpis=kpis_of(leads.created_at),
            action=message(
                "Export the owner of leads; where leads have none, read the company's figures."
            ),
        )


def _activity_warnings(
    db: duckdb.DuckDBPyConnection, relation: Relation, *, company: Company, as_of: dt.date
) -> Iterator[Notice]:
    a, longest = activities, LONGEST_HOURS * 3600
    is_long, is_late = f"{a.seconds} > {longest}", _late(company, as_of)
    shortest = company.connected_call_seconds
    (row,) = fetch_rows(
        db,
        f"select count(*) as n, count(*) filter ({_IS_CALL}) as n_calls, "
        f"count(*) filter ({_IS_CALL} and {a.is_connected} is null and {a.seconds} is null) "
        "as n_unknown, "
        f"count(*) filter ({_IS_CALL} and {a.seconds} > 0) as n_timed, "
        f"count(*) filter ({_IS_CALL} and {a.seconds} >= {shortest}) as n_long_enough, "
        f"count(*) filter ({is_long}) as n_absurd, max({a.seconds}) as longest, "
        f"arg_max({a.activity_id}, {a.seconds}, 3) filter ({is_long}) as absurd, "
        f"count(*) filter ({is_late}) as n_late, "
        f"max({a.started_at}) filter ({is_late})::DATE as last, "
        f"arg_max({a.activity_id}, {a.started_at}, 3) filter ({is_late}) as late "
        f"from {relation.sql}",
    )
    yield from _after_the_day(row, as_of)
    yield from _absurd_lengths(row, shortest)
    yield from _call_lengths(row, shortest)


def _late(company: Company, as_of: dt.date) -> str:
    """Express that a row lies after `as_of` and cannot just be planned."""
    day = f"{activities.started_at}::DATE"
    planned = f"{day} > DATE '{as_of + dt.timedelta(days=PLANNED_DAYS)}'"
    if company.as_of is not None:  # the company looks back on purpose
        return planned
    done = f"{_IS_CALL} and ({activities.is_connected} or {activities.seconds} > 0)"
    return f"({planned} or {day} > DATE '{as_of}' and {done})"


def _after_the_day(row: Row, as_of: dt.date) -> Iterator[Notice]:
    count = row["n_late"]
    if count:
        yield Notice(
            table=_ACTIVITIES,
            what=message_many(
                "{rows} lies after the data's day {as_of}, the last on {last}{examples}.",
                "{rows} lie after the data's day {as_of}, the last on {last}{examples}.",
                count,
                rows=rows_of(_ACTIVITIES, count),
                as_of=day_text(as_of),
                last=day_text(row["last"]),
                examples=examples_text(row["late"]),
            ),
            effect=message(
                "They are not counted, though they have taken place or cannot be planned yet."
            ),
            kpis=_CALL_KPIS,
            action=message("Correct started_at in the CRM and export again."),
        )


def _absurd_lengths(row: Row, shortest: int) -> Iterator[Notice]:
    if row["n_absurd"] and row["n_absurd"] >= ABSURD_SHARE * row["n"]:
        yield Notice(
            table=_ACTIVITIES,
            what=message(
                "{rows} ({share}) last more than {hours} hours, up to {longest}{examples}.",
                rows=rows_of(_ACTIVITIES, row["n_absurd"]),
                share=share_text(row["n_absurd"], row["n"]),
                hours=figure(LONGEST_HOURS),
                longest=_short(row["longest"] / 3600),
                examples=examples_text(row["absurd"]),
            ),
            effect=message(
                "If lengths are in milliseconds, also calls too short to count (under {shortest} "
                "s) count as connected.",
                shortest=str(shortest),
            ),
            kpis=_CALL_KPIS,
            action=message("Export lengths in seconds."),
        )


def _short(number: float) -> str:
    """Write a number with six digits, without zeros at its end."""
    text = f"{number:,.6g}"
    return text if "e" in text else figure(number, len(text.partition(".")[2]))


def _call_lengths(row: Row, shortest: int) -> Iterator[Notice]:
    """Warn of calls of which nobody knows whether they were answered, or that last no time."""
    if row["n_calls"] >= FEW_ROWS and row["n_unknown"] >= MISSING_SHARE * row["n_calls"]:
        yield Notice(
            table=_ACTIVITIES,
            what=message(
                "{share} of calls ({count} of {n}) have neither is_connected nor seconds.",
                **part_of(row["n_unknown"], row["n_calls"]),
            ),
            effect=message("They count as connected, whether somebody answered or not."),
            kpis=_CALL_KPIS,
            action=message("Export the result or the length of calls."),
        )
    if row["n_timed"] >= FEW_ROWS and row["n_long_enough"] < SHORT_SHARE * row["n_timed"]:
        yield Notice(
            table=_ACTIVITIES,
            what=message(
                "Only {share} of {n} calls with a length last {shortest} s or more.",
                share=share_text(row["n_long_enough"], row["n_timed"]),
                n=figure(row["n_timed"]),
                shortest=str(shortest),
            ),
            effect=message(
                "The others do not count as connected; if lengths are in minutes, nearly all "
                "should."
            ),
            kpis=_CALL_KPIS,
            action=message(
                "Export lengths in seconds, or set connected_call_seconds of the company."
            ),
        )
