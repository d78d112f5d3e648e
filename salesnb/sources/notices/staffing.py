"""Who was where: reps without a team, sales outside employment, overlaps, circles of teams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb

from salesnb.message import figure, listing, message, message_many
from salesnb.schema import memberships, opportunities, reps, teams
from salesnb.sources.notices.notice import (
    Notice,
    examples_text,
    kpis_of,
    rows_of,
    share_text,
)
from salesnb.sources.notices.relations import Relation, fetch_rows

OUTSIDE_SHARE = 0.01
"""A hundredth of all closed opportunities in no team, or of nobody employed, can be one team's
whole quarter."""

_EVER, _NEVER = "DATE '1900-01-01'", "DATE '2200-01-01'"
_REP = opportunities.rep_id
_CLOSING = kpis_of(opportunities.closed_on)
Row = dict[str, Any]


def staffing_warnings(
    db: duckdb.DuckDBPyConnection, relations: dict[str, Relation]
) -> Iterator[Notice]:
    """Warn of sales that no team or no employed rep can be credited with, and of odd teams."""
    if teams.declaration.name in relations:
        yield from _circles(db, relations[teams.declaration.name])
    if memberships.declaration.name in relations:
        yield from _overlaps(db, relations)
    yield from _without_owner(db, relations[opportunities.declaration.name])
    rows = _owners(db, relations)
    if memberships.declaration.name in relations:
        yield from _without_team(rows)
    yield from _not_employed(rows)


def _without_owner(db: duckdb.DuckDBPyConnection, relation: Relation) -> Iterator[Notice]:
    (row,) = fetch_rows(
        db,
        f"select count(*) as n, count(*) filter ({_REP} is null) as n_unowned from {relation.sql}",
    )
    count = row["n_unowned"]
    if count:
        yield Notice(
            table="opportunities",
            what=message_many(
                "{rows} ({share}) has no owner.",
                "{rows} ({share}) have no owner.",
                count,
                rows=rows_of("opportunities", count),
                share=share_text(count, row["n"]),
            ),
            effect=message("The company's figures count them, no rep's and no team's do."),
            kpis=_CLOSING,
            action=message("Give them an owner in the CRM and import again."),
        )


def _owners(db: duckdb.DuckDBPyConnection, relations: dict[str, Relation]) -> list[Row]:
    """Count each owner's closed opportunities: all, those in no team, those while not employed."""
    closed_on, people = f"c.{opportunities.closed_on}", relations["reps"].sql
    return fetch_rows(
        db,
        f"with spans as ({_spans(relations)}), "
        f"closed as (select {_REP} as _rep, {opportunities.closed_on}, count(*) as n "
        f"from {relations['opportunities'].sql} "
        f"where {opportunities.is_closed} and {_REP} is not null group by all) "
        f"select c._rep as rep, any_value(r.{reps.name}) as name, sum(c.n)::BIGINT as n, "
        f"{_sum_where('s._rep is null')} as n_teamless, "
        f"{_sum_where(f'{closed_on} < r.{reps.hired_on}')} as n_before, "
        f"{_sum_where(f'{closed_on} >= r.{reps.left_on}')} as n_after, "
        "bool_or(m._rep is not null) as is_member from closed c "
        f"left join spans s on c._rep = s._rep and {closed_on} >= s._from and {closed_on} < s._to "
        "left join (select distinct _rep from spans) m on m._rep = c._rep "
        f"left join {people} r on r.{_REP} = c._rep group by c._rep order by n desc, c._rep",
    )


def _sum_where(condition: str) -> str:
    return f"coalesce(sum(c.n) filter ({condition}), 0)::BIGINT"


def _spans(relations: dict[str, Relation]) -> str:
    """Cut memberships as the measures do: a later one ends an earlier one.

    Every day lies in one team at most; each span has `_next`, the team that cut it short.
    """
    m = memberships
    if m.declaration.name not in relations:
        return f"select '' as _rep, '' as _team, {_EVER} as _from, {_EVER} as _to where false"
    return (
        "select * replace (least(_to, coalesce(_following, _to)) as _to), "
        "_following < _to as _is_cut from (select *, lead(_from) over following as _following, "
        f"lead(_team) over following as _next from (select {_REP} as _rep, {m.team_id} as _team, "
        f"coalesce({m.valid_from}, {_EVER}) as _from, coalesce({m.valid_to}, {_NEVER}) as _to "
        f"from {relations[m.declaration.name].sql}) "
        "window following as (partition by _rep order by _from, _to, _team))"
    )


def _overlaps(db: duckdb.DuckDBPyConnection, relations: dict[str, Relation]) -> Iterator[Notice]:
    rows = fetch_rows(
        db,
        f"select coalesce(any_value(r.{reps.name}), s._rep) as name, count(*) as n, "
        "first(s._team order by s._from) as team, first(s._next order by s._from) as following "
        f"from ({_spans(relations)}) s left join {relations['reps'].sql} r on r.{_REP} = s._rep "
        "where s._is_cut and s._team <> s._next group by s._rep order by n desc, name",
    )
    if rows:
        count = sum(row["n"] for row in rows)
        shown = [
            message("{name} in {team} and {next_team}", name=row["name"], team=row["team"],
                    next_team=row["following"])
            for row in rows
        ]  # fmt: skip
        yield Notice(
            table="memberships",
            what=message_many(
                "{memberships} of {reps} overlaps with a later one in another team{examples}.",
                "{memberships} of {reps} overlap with a later one in another team{examples}.",
                count,
                memberships=rows_of("memberships", count),
                reps=rows_of("reps", len(rows)),
                examples=examples_text(shown),
            ),
            effect=message(
                "The later start ends the earlier one: a rep is counted in one team a day."
            ),
            kpis=_CLOSING,
            action=message(
                "Put in valid_to where a rep has changed team; nobody is counted twice."
            ),
        )


def _without_team(rows: list[Row]) -> Iterator[Notice]:
    strangers = [row for row in rows if not row["is_member"]]
    total = sum(row["n"] for row in rows)
    if strangers:
        count = sum(row["n"] for row in strangers)
        yield Notice(
            table="memberships",
            what=message_many(
                "{reps} with {opportunities} closed is in no team{examples}.",
                "{reps} with {opportunities} closed are in no team{examples}.",
                len(strangers),
                reps=rows_of("reps", len(strangers)),
                opportunities=rows_of("opportunities", count),
                examples=examples_text(row["name"] or row["rep"] for row in strangers),
            ),
            effect=message(
                "The company's figures count them ({share} of all closed), no team's do.",
                share=share_text(count, total),
            ),
            kpis=_CLOSING,
            action=message("Add their memberships and import again."),
        )
    gaps = [row for row in rows if row["is_member"] and row["n_teamless"]]
    count = sum(row["n_teamless"] for row in gaps)
    if count >= OUTSIDE_SHARE * total and gaps:
        gaps.sort(key=lambda row: -row["n_teamless"])
        yield Notice(
            table="memberships",
            what=message(
                "{opportunities} ({share} of closed) of {reps} closed on days their owner was in "
                "no team{examples}.",
                opportunities=rows_of("opportunities", count),
                share=share_text(count, total),
                reps=rows_of("reps", len(gaps)),
                examples=examples_text(row["name"] or row["rep"] for row in gaps),
            ),
            effect=message("The company's figures count them, no team's do."),
            kpis=_CLOSING,
            action=message("Close the gaps between valid_from and valid_to in memberships."),
        )


def _not_employed(rows: list[Row]) -> Iterator[Notice]:
    total = sum(row["n"] for row in rows)
    before, after = (sum(row[name] for row in rows) for name in ("n_before", "n_after"))
    if not total or before + after < OUTSIDE_SHARE * total or not before + after:
        return
    who = sorted(rows, key=lambda row: -(row["n_before"] + row["n_after"]))
    names = [row["name"] or row["rep"] for row in who if row["n_before"] + row["n_after"]]
    yield Notice(
        table="reps",
        what=message(
            "{opportunities} ({share} of closed) closed when their owner was not employed: "
            "{before} before hired_on, {after} after left_on{examples}.",
            opportunities=rows_of("opportunities", before + after),
            share=share_text(before + after, total),
            before=figure(before),
            after=figure(after),
            examples=examples_text(names),
        ),
        effect=message(
            "They count for the owner, whose working days and quota of that time are 0."
        ),
        kpis=_CLOSING,
        action=message("Correct hired_on and left_on, or hand over what leavers owned."),
    )


def _circles(db: duckdb.DuckDBPyConnection, relation: Relation) -> Iterator[Notice]:
    t = teams
    rows = fetch_rows(db, f"select {t.team_id}, {t.name}, {t.parent_id} from {relation.sql}")
    parents = {row[t.team_id]: row[t.parent_id] for row in rows}
    names = {row[t.team_id]: row[t.name] for row in rows}
    circles = find_circles(parents)
    if circles:
        shown = [
            listing((names[team] for team in (*circle, circle[0])), between=" in ")
            for circle in circles
        ]
        count = sum(map(len, circles))
        yield Notice(
            table="teams",
            what=message_many(
                "{teams} lies within itself{examples}.",
                "{teams} lie within one another{examples}.",
                count,
                teams=rows_of("teams", count),
                examples=examples_text(shown),
            ),
            effect=message("Each of them counts as a team at the top, without the others."),
            kpis=_CLOSING,
            action=message("Correct parent_id: the topmost team has none."),
        )


def find_circles(parents: dict[str, str | None]) -> list[tuple[str, ...]]:
    """Find teams that are their own parent, by however many steps.

    Returns
    -------
    list of tuple
        Each circle once, from its first team (in order of id) upwards.

    Examples
    --------
    >>> find_circles({"a": "b", "b": "a", "c": "a", "d": None, "e": "e"})
    [('a', 'b'), ('e',)]
    """
    circles: list[tuple[str, ...]] = []
    settled: set[str] = set()
    for start in sorted(parents):
        path: list[str] = []
        team: str | None = start
        while team is not None and team in parents and team not in settled:
            settled.add(team)
            path.append(team)
            team = parents[team]
        if team in path:
            circle = path[path.index(team) :]
            first = circle.index(min(circle))
            circles.append((*circle[first:], *circle[:first]))
    return sorted(circles)
