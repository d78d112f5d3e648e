"""Feedback as it is known: to whom, by whom, when, of what kind, and who managed whom."""

from __future__ import annotations

from typing import Final

import pandas as pd

from salesnb.language import mark, tr
from salesnb.measures.measures import Measures
from salesnb.schema import feedback, memberships

NOT_SAID = mark("not said")
DAY: Final = "datetime64[s]"
LACKING = mark("it needs the feedback table; the snapshot has none")


def kind_label(kind: str) -> str:
    """Write a kind of feedback as it was recorded, or that it was not.

    >>> kind_label("praise")
    'praise'
    """
    return tr(NOT_SAID) if kind == NOT_SAID else kind


def known_feedback(measures: Measures) -> pd.DataFrame:
    """List feedback in order of days.

    Returns
    -------
    DataFrame
        rep_id, author_id, given_on (timestamp), period, kind (`not said` where missing), skill and
        comment ('' where missing).
    """
    rows = measures.feedback
    frame = pd.DataFrame(
        {
            "rep_id": rows[feedback.rep_id],
            "author_id": _filled(rows[feedback.author_id], ""),
            "given_on": pd.to_datetime(rows[feedback.given_on]).astype(DAY),
            "kind": _filled(rows[feedback.kind], NOT_SAID).str.strip().str.lower(),
            "skill": _filled(rows[feedback.skill], ""),
            "comment": _filled(rows[feedback.comment], ""),
            "feedback_id": rows[feedback.feedback_id],
        }
    )
    frame = frame.sort_values(["given_on", "feedback_id"], ignore_index=True)
    days = {day: measures.calendar.quarter_of(day.date()) for day in frame["given_on"].unique()}
    period = frame["given_on"].map(days).astype(object)
    return frame.assign(period=period).drop(columns="feedback_id")


def _filled(column: pd.Series[str], otherwise: str) -> pd.Series[str]:
    return column.astype(object).where(column.notna(), otherwise).astype("str")


def people_at_work(measures: Measures, period: str, team_id: str | None) -> list[str]:
    """List who has a record in the quarter, in the team or the whole company."""
    if team_id is not None:
        return list(measures.members(team_id, period))
    rows = measures.totals[measures.totals["period"] == period]
    return sorted(set(rows["rep_id"]) - {""})


def closing_day(measures: Measures, period: str) -> pd.Timestamp:
    """Return the last day of a quarter that is known."""
    return pd.Timestamp(min(measures.calendar.last_day(period), measures.as_of))


def managed_by(measures: Measures, period: str, team_id: str | None) -> pd.DataFrame:
    """Say who managed each one last in the quarter: rep_id, manager_id, team_id."""
    rows = measures.memberships
    if team_id is not None:
        rows = rows[rows[memberships.team_id].isin(measures.teams_within(team_id))]
    begins = pd.to_datetime(rows[memberships.valid_from])
    ends = pd.to_datetime(rows[memberships.valid_to])
    first = pd.Timestamp(measures.calendar.first_day(period))
    held = ~(begins > closing_day(measures, period)) & ~(ends <= first)
    held &= rows[memberships.manager_id].notna()
    order = begins[held].sort_values(kind="stable", na_position="first").index
    last = rows.loc[order].drop_duplicates(memberships.rep_id, keep="last")
    return last[["rep_id", "manager_id", "team_id"]].reset_index(drop=True)
