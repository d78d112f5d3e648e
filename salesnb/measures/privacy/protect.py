"""Measures without names, and without small groups: what reports are made of in such a batch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any, TypeVar

import pandas as pd

from salesnb.errors import ParameterError
from salesnb.measures.demand import Demand
from salesnb.measures.flow import Flow
from salesnb.measures.measures import Measures
from salesnb.measures.privacy.cells import (
    FEWEST_SHOWN,
    add_pools,
    count_people,
    find_moves,
    move,
)
from salesnb.measures.privacy.people import People
from salesnb.message import change_text
from salesnb.privacy import Privacy
from salesnb.schema import feedback, memberships, ratings, reps, targets, trainings
from salesnb.sources.report import LoadReport

Group = TypeVar("Group", Flow, Demand)
_PERSON = {
    str(column)
    for column in (reps.rep_id, memberships.manager_id, ratings.rater_id, feedback.author_id)
}
_TO_BE_SEEN_BY_NOBODY = "‹{code}›"
_ABOUT_ONE = re.compile("‹[A-Z][0-9][A-Z][0-9]›")
_QUOTED = re.compile(r"(?<!\w)('[^']*'|\"[^\"]*\")(?!\w)")
_BY_TEAM = ("weeks", "open_deals", "habits", "contacts", "contacts_life", "capacity")


def is_about_one(text: str) -> bool:
    """Whether a text is about a single person, in reports that show teams only.

    There people go by marks that are to be seen by nobody, so that a text that holds one gives
    itself away.

    >>> is_about_one("‹K7M4› won most"), is_about_one("North won most")
    (True, False)
    """
    return _ABOUT_ONE.search(text) is not None


def hider(people: People, privacy: Privacy) -> Callable[[str], str]:
    """Return what takes names out of a text of the CRM; `named` leaves it as it is.

    Teams can be called by who leads them, and stay told apart.
    """
    if privacy.mode == "named":
        return str
    codes = people.pseudonyms(privacy.key)
    return cache(partial(people.hide, by=lambda one: codes.get(one, "")))


def _codes_of(people: People, privacy: Privacy) -> dict[str, str]:
    """Give each id what stands for it."""
    if privacy.mode == "team_only":
        return people.pseudonyms(privacy.key, _TO_BE_SEEN_BY_NOBODY)
    return people.pseudonyms(privacy.key)


def protect_measures(measures: Measures, people: People, privacy: Privacy) -> Measures:
    """Take names out of measures, and of `team_only` groups of fewer than 5 people too.

    Ids become pseudonyms in every table; so do names of people in every other text, and words of
    names are left out of comments. Rows are ordered anew: their old order told the ids'. Nothing
    else changes.

    Parameters
    ----------
    measures
        As they were computed.
    people
        Of the same snapshot.
    privacy
        What was chosen; `named` gives the measures back.

    Raises
    ------
    ParameterError
        Of `team_only`: in no quarter there are 5 people.
    """
    if privacy.mode == "named":
        return measures
    codes, hide = _codes_of(people, privacy), hider(people, privacy)

    def protect(frame: pd.DataFrame) -> pd.DataFrame:
        return _protect_frame(frame, codes, hide, people.without_words)

    hidden = _map_frames(measures, protect)
    names = hidden.people["rep_id"].astype(object)
    hidden = replace(hidden, people=hidden.people.assign(name=names))
    return _pool(hidden) if privacy.mode == "team_only" else hidden


def protect_teams(frame: pd.DataFrame, people: People, privacy: Privacy) -> pd.DataFrame:
    """Take people out of a table of opportunities, or of sums by team.

    Owners are left out, not replaced: an opportunity's owner is known to all who read the CRM,
    so a pseudonym beside its id would be worth nothing.
    """
    if privacy.mode == "named":
        return frame
    codes, hide = _codes_of(people, privacy), hider(people, privacy)
    blank = {name: "" for name in ("rep_id", "rep") if name in frame}
    return _protect_frame(frame.assign(**blank), codes, hide, people.without_words)


def protect_report(report: LoadReport, people: People, privacy: Privacy) -> LoadReport:
    """Take examples out of what an import tells: who is unknown to the CRM may be in them."""
    if privacy.mode == "named":
        return report

    def told(value: Any) -> Any:
        if isinstance(value, str):
            return change_text(value, lambda text: people.hide(_QUOTED.sub("'…'", text)))
        if isinstance(value, list | tuple):
            return [told(item) for item in value]
        if isinstance(value, dict):
            return {
                key: [] if key == "examples" else item if key in _PLAIN else told(item)
                for key, item in value.items()
            }
        return value

    return LoadReport.model_validate(told(report.model_dump()))


_PLAIN = {"table", "kpis", "compared_with", "absent"}


def _map_frames(measures: Measures, protect: Callable[[pd.DataFrame], pd.DataFrame]) -> Measures:
    changed: dict[str, Any] = {
        name: protect(frame)
        for name, frame in vars(measures).items()
        if isinstance(frame, pd.DataFrame)
    }
    changed["flow"] = _map_parts(measures.flow, protect)
    changed["demand"] = _map_parts(measures.demand, protect)
    return replace(measures, **changed)


def _map_parts(group: Group, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Group:
    parts: dict[str, Any] = {name: change(frame) for name, frame in vars(group).items()}
    return replace(group, **parts)


def _protect_frame(
    frame: pd.DataFrame, codes: Mapping[str, str], hide: Callable[[str], str],
    without_words: Callable[[str], str],
) -> pd.DataFrame:  # fmt: skip
    changed = {}
    is_reps = frame[targets.owner_kind] == "rep" if targets.owner_kind in frame else None
    for name in frame.columns:
        values = frame[name]
        if name in _PERSON:
            changed[name] = _map_texts(values, lambda text: codes.get(text, text))
        elif name == targets.owner_id and is_reps is not None:
            own = _map_texts(values, lambda text: codes.get(text, text))
            changed[name] = own.where(is_reps, _map_texts(values, hide))
        elif name == feedback.comment:
            changed[name] = _map_texts(values, without_words)
        elif not pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            changed[name] = _map_texts(values, hide)
    whole = frame.assign(**changed)
    if reps.rep_id not in whole:
        return whole
    return whole.sort_values(reps.rep_id, kind="stable", ignore_index=True)


def _map_texts(values: pd.Series[Any], change: Callable[[str], str]) -> pd.Series[Any]:
    """Change the texts among values; their kind of column stays."""
    known = values.cat.categories if isinstance(values.dtype, pd.CategoricalDtype) else (
        values.dropna().unique() if values.dtype.kind not in "Mm" else ()
    )  # fmt: skip
    new = {text: change(text) for text in known if isinstance(text, str)}
    new = {old: text for old, text in new.items() if old != text}
    if not new:
        return values
    mapped = values.astype(object).map(lambda value: new.get(value, value))
    is_category = isinstance(values.dtype, pd.CategoricalDtype)
    return mapped.astype("category" if is_category else values.dtype)


def _pool(measures: Measures) -> Measures:
    """Count teams of too few people with others, quarter by quarter and KPI by KPI."""
    parents = dict(zip(measures.teams["team_id"], measures.teams["parent_id"], strict=True))
    heads = count_people(measures.totals, ["period"])
    moves = find_moves(heads, parents, ["period"])
    if heads.empty or heads.groupby(level="period").sum().max() < FEWEST_SHOWN:
        raise ParameterError(
            f"privacy: team_only shows groups of {FEWEST_SHOWN} people and more; in no quarter "
            "there are as many. Use pseudonyms."
        )
    by_kpi = ["period", "kpi"]
    of_kpis = find_moves(count_people(measures.totals, by_kpi), parents, by_kpi)
    of_ratings = find_moves(count_people(measures.ratings, ["period"]), parents, ["period"])
    totals = move(measures.totals, of_kpis, by_kpi)
    changed: dict[str, Any] = {
        name: move(getattr(measures, name), moves, ["period"]) for name in _BY_TEAM
    }
    changed["values"] = move(measures.values, of_kpis, by_kpi)
    changed["ratings"] = move(measures.ratings, of_ratings, ["period"])
    changed["targets"] = _without_small(measures.targets, moves)
    changed["trainings"] = _without_small_groups(measures)
    used = {str(team) for frame in (totals, *changed.values()) if "team_id" in frame
            for team in frame["team_id"].unique()}  # fmt: skip
    changed["teams"] = add_pools(measures.teams, used, set(totals["team_id"]))
    changed["flow"] = _map_parts(measures.flow, lambda frame: move(frame, moves, ["period"]))
    changed["demand"] = _map_parts(measures.demand, lambda frame: move(frame, moves, ["period"]))
    return replace(measures, totals=totals, **changed)


def _without_small(rows: pd.DataFrame, moves: pd.DataFrame) -> pd.DataFrame:
    """Drop targets of teams that are not shown by themselves in that quarter."""
    small = pd.MultiIndex.from_frame(moves[["team_id", "period"]])
    own = pd.MultiIndex.from_frame(rows[[targets.owner_id, targets.period]].astype(object))
    is_small = (rows[targets.owner_kind] == "team").to_numpy() & own.isin(small)
    return rows[~is_small].reset_index(drop=True)


def _without_small_groups(measures: Measures) -> pd.DataFrame:
    """Drop trainings of cohorts, or of a course in a quarter, that too few people were in."""
    rows = measures.trainings
    days = pd.to_datetime(rows[trainings.assigned_on])
    quarters = ["" if pd.isna(day) else measures.calendar.quarter_of(day.date()) for day in days]
    cohort = rows[trainings.cohort].astype(object).fillna("")
    groups = [rows[trainings.course_id].astype(str), cohort.where(cohort != "", quarters)]
    n = rows.groupby([group.to_numpy() for group in groups])[reps.rep_id].transform("nunique")
    return rows[n >= FEWEST_SHOWN].reset_index(drop=True)
