"""When courses are held: classes on working days, nobody twice a day, teams not emptied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.plan.limits import PlanLimits
from salesnb.analysis.plan.result import SESSIONS

HOURS_A_DAY = 8.0
LARGEST_CLASS = 12
_RUSH_DAYS = 10
"""Working days at a quarter's end that are only used when no others are left."""


@dataclass(frozen=True, eq=False)
class Timetable:
    """When everybody is where.

    Attributes
    ----------
    sessions
        One row a class: `session` (course and number), course, first and last day, people.
    lines
        `session`, `starts_on`, `ends_on` of each line; empty and missing where no day was left.
    """

    sessions: pd.DataFrame
    lines: pd.DataFrame


class _Diary:
    """Who is away on which working day."""

    def __init__(self, days: pd.DatetimeIndex, heads: pd.Series[int], share: float) -> None:
        self.days = days
        self.most = {
            team: max(1, int(np.floor(share * size + 1e-9))) for team, size in heads.items()
        }
        self.busy: set[tuple[str, int]] = set()
        self.away: dict[tuple[str, int], int] = {}

    def find(self, members: pd.DataFrame, length: int, starts: range) -> int | None:
        """Find the first day on which all members are free and no team is emptied."""
        sizes = members["team_id"].value_counts()
        for start in starts:
            days = range(start, start + length)
            if days[-1] >= len(self.days):
                return None
            is_free = not any((rep, day) in self.busy for rep in members["rep_id"] for day in days)
            if is_free and all(
                self.away.get((team, day), 0) + size <= self.most[team]
                for team, size in zip(map(str, sizes.index), sizes, strict=True)
                for day in days
            ):
                return start
        return None

    def enter(self, members: pd.DataFrame, length: int, start: int) -> None:
        for rep, team in zip(members["rep_id"], members["team_id"], strict=True):
            for day in range(start, start + length):
                self.busy.add((rep, day))
                self.away[team, day] = self.away.get((team, day), 0) + 1


def schedule(
    lines: pd.DataFrame, heads: pd.Series[int], limits: PlanLimits, *, first: dt.date,
    last: dt.date, holidays: Sequence[dt.date] = (),
) -> Timetable:  # fmt: skip
    """Split courses into classes and date them.

    Members of a team are spread over the classes of a course. Long courses are placed first;
    the last two weeks of the quarter, in which deals are closed, are used last.

    Parameters
    ----------
    lines
        rep_id, team_id, course_id, course, `hours`.
    heads
        People of each team, by team_id.
    first, last
        Days between which courses are held.
    holidays
        Days on which nobody works, besides weekends.
    """
    days = pd.bdate_range(first, last)
    days = days[~days.isin(pd.to_datetime(list(holidays)))]
    diary = _Diary(days, heads, limits.away_share)
    placed = pd.DataFrame(
        {"session": "", "starts_on": pd.NaT, "ends_on": pd.NaT}, index=lines.index
    ).astype({"starts_on": "datetime64[s]", "ends_on": "datetime64[s]"})
    sessions = []
    for course_id, group in _longest_first(lines):
        length = max(1, int(np.ceil(group["hours"].iloc[0] / HOURS_A_DAY)))
        number = 0
        for members in _split(group, diary, limits.smallest_class):
            start = _find_start(diary, members, length)
            if start is None:
                continue
            diary.enter(members, length, start)
            number += 1
            name, begins, ends = f"{course_id}-{number}", days[start], days[start + length - 1]
            placed.loc[members.index, "session"] = name
            placed.loc[members.index, "starts_on"] = begins
            placed.loc[members.index, "ends_on"] = ends
            course = group["course"].iloc[0]
            sessions.append((name, course_id, course, begins, ends, len(members)))
    table = pd.DataFrame(sessions, columns=SESSIONS)
    return Timetable(table.sort_values(["starts_on", "session"], ignore_index=True), placed)


def _longest_first(lines: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    groups = [(str(course), group) for course, group in lines.groupby("course_id")]
    return sorted(groups, key=lambda each: (-each[1]["hours"].iloc[0], -len(each[1]), each[0]))


def _split(group: pd.DataFrame, diary: _Diary, smallest: int) -> list[pd.DataFrame]:
    """Deal a course's people, team by team, into as few classes as size and teams allow.

    None is smaller than asked for, even where a team then has too many away and no day is left.
    """
    ordered = group.sort_values(["team_id", "rep_id"])
    of_team = ordered["team_id"].value_counts()
    by_team = max(int(np.ceil(size / diary.most[team])) for team, size in of_team.items())
    n_classes = max(int(np.ceil(len(ordered) / LARGEST_CLASS)), by_team)
    n_classes = min(n_classes, max(len(ordered) // max(smallest, 1), 1))
    return [ordered.iloc[number::n_classes] for number in range(n_classes)]


def _find_start(diary: _Diary, members: pd.DataFrame, length: int) -> int | None:
    quiet = max(0, len(diary.days) - _RUSH_DAYS - length + 1)
    early = diary.find(members, length, range(quiet))
    return (
        early if early is not None else diary.find(members, length, range(quiet, len(diary.days)))
    )
