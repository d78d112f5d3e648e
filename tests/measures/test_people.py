"""Time and quotas of people who join, ramp, take leave, move and leave, counted day by day."""

import datetime as dt
from collections import defaultdict
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesnb.measures import people
from salesnb.measures.compute import compute_measures
from salesnb.periods import FiscalCalendar, FiscalWeeks
from salesnb.schema import TABLES

START, LENGTH = dt.date(2025, 11, 20), 250
DAY = dt.timedelta(days=1)
CALENDARS = (
    FiscalCalendar(),
    FiscalCalendar(3),
    FiscalCalendar(2, FiscalWeeks("saturday", "nearest")),
)

days = st.integers(0, LENGTH).map(lambda number: START + number * DAY)
maybe = st.one_of(st.none(), days)
REPS = ("r1", "r2")


def company(
    *, hired=None, left=None, members=(), away=(), off=(), ramp_days=0, quota=1000.0,
    calendar=CALENDARS[0],
):  # fmt: skip
    """A snapshot of people alone: `hired` and `left` by rep, the rest as rows."""
    quarters = calendar.between(START, START + LENGTH * DAY)
    rows = {
        "reps": [(rep, rep, "AE", (hired or {}).get(rep), (left or {}).get(rep)) for rep in REPS],
        "memberships": [(rep, team, None, since, until) for rep, team, since, until in members],
        "leaves": list(away),
        "holidays": [(day, "") for day in off],
        "targets": [("rep", rep, q, "bookings", quota, None) for rep in REPS for q in quarters],
    }
    frames = {
        name: pd.DataFrame(rows[name], columns=list(TABLES[name].columns), dtype=object)
        for name in rows
    }
    return SimpleNamespace(
        read=frames.__getitem__, company=SimpleNamespace(ramp_days=ramp_days), calendar=calendar,
        rows=rows, quarters=quarters, quota=quota,
    )  # fmt: skip


def found(snapshot, as_of):
    """What `people` says: by (rep, team, quarter) share of days, working days and quota."""
    segments = people.complete_memberships(snapshot)
    time = people.active_time(snapshot, segments, snapshot.calendar, snapshot.quarters, as_of)
    quotas = people.prorated_quotas(snapshot, time)
    keys = ["rep_id", "team_id", "period"]
    return (
        time.set_index(keys)["active_share"].to_dict(),
        time.set_index(keys)["working_days"].to_dict(),
        quotas.set_index(keys)["prorated_quota"].to_dict(),
    )


def by_hand(snapshot, as_of):
    """The same, asking of each day whether the rep is there, and where."""
    rows = snapshot.rows
    hired = {rep: since for rep, _, _, since, _ in rows["reps"]}
    left = {rep: until for rep, _, _, _, until in rows["reps"]}
    off = {day for day, _ in rows["holidays"]}
    share, work, quota = defaultdict(float), defaultdict(float), defaultdict(float)
    for quarter in snapshot.quarters:
        first, last = snapshot.calendar.first_day(quarter), snapshot.calendar.last_day(quarter)
        n_days = (last - first).days + 1
        for rep in REPS:
            for day in (first + number * DAY for number in range(n_days)):
                is_employed = (hired[rep] or day) <= day < (left[rep] or day + DAY)
                if not is_employed:
                    continue
                key = rep, team_on(rows["memberships"], rep, day), quarter
                is_there = not any(
                    who == rep and since <= day < until for who, since, until in rows["leaves"]
                )
                is_seen = is_there and day <= as_of
                share[key] += is_seen / n_days
                work[key] += is_seen and day.weekday() < 5 and day not in off
                ramp = ramp_on(day, hired[rep], snapshot.company.ramp_days)
                quota[key] += snapshot.quota * is_there * ramp / n_days
    return dict(share), dict(work), dict(quota)


def team_on(memberships, rep, day):
    """The row to start last by the day holds, unless it has ended: nobody is in two teams."""
    begun = [
        (since or dt.date.min, until or dt.date.max, team)
        for who, team, _, since, until in memberships
        if who == rep and (since or dt.date.min) <= day
    ]
    if not begun:
        return ""
    _, until, team = max(begun)
    return team if day < until else ""


def ramp_on(day, hired, ramp_days):
    """Mean over the day of the straight line from nothing at hiring to all after the ramp."""
    if not ramp_days or hired is None:
        return 1.0
    return min(((day - hired).days + 0.5) / ramp_days, 1.0)


@st.composite
def companies(draw):
    rep, team = st.sampled_from(REPS), st.sampled_from(["t1", "t2", "t3"])

    def spans(first, last):
        return st.tuples(first, last).filter(lambda pair: None in pair or pair[0] <= pair[1])

    def some(kind, most):
        return draw(st.lists(kind, max_size=most))

    members = {
        (who, where, when[0]): (who, where, *when)
        for who, where, when in some(st.tuples(rep, team, spans(maybe, maybe)), 6)
    }
    away = {
        (who, when[0]): (who, *when) for who, when in some(st.tuples(rep, spans(days, days)), 4)
    }
    employed = {who: draw(spans(maybe, maybe)) for who in REPS}
    return company(
        hired={who: when[0] for who, when in employed.items()},
        left={who: when[1] for who, when in employed.items()},
        members=tuple(members.values()),
        away=tuple(away.values()),
        off=tuple(set(some(days, 5))),
        ramp_days=draw(st.sampled_from([0, 1, 30, 180])),
        calendar=draw(st.sampled_from(CALENDARS)),
    )


@settings(max_examples=30)
@given(snapshot=companies(), as_of=days)
def test_time_and_quotas_are_the_count_day_by_day(snapshot, as_of):
    for one, other in zip(found(snapshot, as_of), by_hand(snapshot, as_of), strict=True):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-9)


@settings(max_examples=15)
@given(snapshot=companies(), as_of=days)
def test_moves_split_a_reps_time_and_quota_and_lose_none(snapshot, as_of):
    alone = company(
        hired={row[0]: row[3] for row in snapshot.rows["reps"]},
        left={row[0]: row[4] for row in snapshot.rows["reps"]},
        away=snapshot.rows["leaves"],
        off=[day for day, _ in snapshot.rows["holidays"]],
        ramp_days=snapshot.company.ramp_days,
        calendar=snapshot.calendar,
    )
    for split, whole in zip(found(snapshot, as_of), found(alone, as_of), strict=True):
        added = defaultdict(float)
        for (rep, _, quarter), part in split.items():
            added[rep, "", quarter] += part
        assert whole == pytest.approx(dict(added), rel=1e-9, abs=1e-9)


@settings(max_examples=15)
@given(snapshot=companies())
def test_every_rep_has_one_team_or_none_on_every_day(snapshot):
    rows = people.complete_memberships(snapshot)
    assert set(rows["rep_id"]) == set(REPS)
    for _, part in rows.groupby("rep_id"):
        assert part["valid_from"].iloc[0] == people.EVER
        assert part["valid_to"].iloc[-1] == people.NEVER
        assert list(part["valid_from"].iloc[1:]) == list(part["valid_to"].iloc[:-1])
        assert (part["valid_to"] > part["valid_from"]).all()


# 2026Q1 has 90 days: 31 + 28 + 31; it begins on a Thursday and has 64 weekdays.
Q1, FAR = "2026Q1", dt.date(2026, 6, 30)


def march(day):
    return dt.date(2026, 3, day)


def test_who_joins_and_leaves_within_a_quarter_has_the_days_between():
    joined, left = dt.date(2026, 2, 1), march(2)
    share, work, quota = found(company(hired={"r1": joined}, left={"r1": left}), FAR)
    assert share["r1", "", Q1] == pytest.approx(29 / 90)
    assert work["r1", "", Q1] == 20  # February 2026 has four whole weeks; March 1 is a Sunday
    assert quota["r1", "", Q1] == pytest.approx(1000 * 29 / 90)
    assert ("r1", "", "2026Q2") not in quota
    assert quota["r2", "", Q1] == 1000


def test_leave_while_ramping_takes_the_days_as_they_would_have_counted():
    # hired on January 1 with a ramp of 90 days; away on the last 30 of them
    away = [("r1", march(2), dt.date(2026, 4, 1))]
    hired = {"r1": dt.date(2026, 1, 1)}
    _, _, quota = found(company(hired=hired, away=away, ramp_days=90), FAR)
    assert quota["r1", "", Q1] == pytest.approx(1000 * (60 * 60 / 2 / 90) / 90)
    # a move between teams divides the same quota and changes nothing about it
    members = [("r1", "t1", None, march(15)), ("r1", "t2", march(15), None)]
    _, _, moved = found(company(hired=hired, away=away, ramp_days=90, members=members), FAR)
    assert moved["r1", "t1", Q1] == pytest.approx(quota["r1", "", Q1])
    assert moved["r1", "t2", Q1] == pytest.approx(0.0, abs=1e-9)


def test_a_gap_between_teams_is_time_in_no_team():
    members = [("r1", "t1", None, march(1)), ("r1", "t2", march(11), None)]
    share, work, quota = found(company(members=members), FAR)
    assert {team: share["r1", team, Q1] for team in ("t1", "", "t2")} == pytest.approx(
        {"t1": 59 / 90, "": 10 / 90, "t2": 21 / 90}
    )
    assert work["r1", "", Q1] == 7
    assert quota["r1", "", Q1] == pytest.approx(1000 * 10 / 90)


def test_holidays_are_no_working_days_but_shorten_no_quota():
    off = (dt.date(2026, 1, 1), march(1), march(2))  # a Thursday, a Sunday, a Monday
    share, work, quota = found(company(off=off), FAR)
    assert (share["r1", "", Q1], work["r1", "", Q1], quota["r1", "", Q1]) == (1.0, 62, 1000.0)


def test_holidays_are_read_from_their_table(small_snapshot):
    tables = {
        "holidays": "holiday_on,name\n2026-01-01,New Year\n2026-01-06,Epiphany\n",
        "activities": "activity_id,rep_id,kind,started_at\na1,r1,call,2026-01-12 10:00:00\n",
    }
    measures = compute_measures(small_snapshot(tables, company="as_of: 2026-01-31\n"))
    rows = measures.roll_up(by="rep", kpi="connected_calls", periods=(Q1,)).set_index("unit_id")
    assert rows.loc["r1", "denominator"] == 20  # January 2026 has 22 weekdays
