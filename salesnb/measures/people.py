"""Who was where and for how long: memberships, active days and quotas, as small frames."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from salesnb.measures.catalogue.columns import ACTIVE_SHARE, DAY, QUOTA, WORKING_DAYS
from salesnb.periods import FiscalCalendar
from salesnb.schema import holidays, leaves, memberships, reps, targets, teams
from salesnb.sources.snapshot import Snapshot

UNASSIGNED = ""
"""Team of facts whose owner was in no team that day, and rep of facts without an owner."""

OWNER, MONTH = "owner", "owner_month"
"""Number of a rep in a team in a quarter, and the month (12 x year + month) it is found by."""

EVER, NEVER = pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")
_rep, _team = memberships.rep_id, memberships.team_id
_start, _end = memberships.valid_from, memberships.valid_to
_SEGMENT = [_rep, _team, _start, _end]
_OWNER = [_rep, _team, "period"]
RAMPED_SHARE = "ramped_share"
_A_DAY = pd.Timedelta(days=1)


def complete_memberships(snapshot: Snapshot) -> pd.DataFrame:
    """Give every rep a team on every day: gaps become UNASSIGNED, later rows end earlier ones.

    Returns
    -------
    DataFrame
        rep_id, team_id, valid_from (inclusive), valid_to (exclusive). Per rep the rows cover all
        days from EVER to NEVER exactly once, so that a fact is counted in exactly one team. Of
        two rows that start on one day the one that ends later counts, then the later team_id.
    """
    rows = snapshot.read("memberships")[_SEGMENT]
    rows = rows.assign(
        **{
            _start: _days(rows[_start]).fillna(EVER),
            _end: _days(rows[_end]).fillna(NEVER),
        }
    ).sort_values([_rep, _start, _end, _team])
    following = rows.groupby(_rep)[_start].shift(-1).fillna(NEVER)
    rows[_end] = np.minimum(rows[_end], following)
    rows = rows[rows[_end] > rows[_start]]
    everyone = snapshot.read("reps")[reps.rep_id]
    gaps = _gaps(rows, everyone)
    whole = pd.concat([rows, gaps], ignore_index=True)
    return whole.sort_values([_rep, _start], kind="stable", ignore_index=True)


def _gaps(rows: pd.DataFrame, everyone: pd.Series[str]) -> pd.DataFrame:
    """Find the days before, between and after a rep's memberships."""
    starts = pd.concat(
        [pd.DataFrame({_rep: everyone, _start: EVER}),
         rows[[_rep, _end]].rename(columns={_end: _start})]
    )  # fmt: skip
    ends = pd.concat(
        [rows[[_rep, _start]].rename(columns={_start: _end}),
         pd.DataFrame({_rep: everyone, _end: NEVER})]
    )  # fmt: skip
    starts = starts.sort_values([_rep, _start], kind="stable", ignore_index=True)
    ends = ends.sort_values([_rep, _end], kind="stable", ignore_index=True)
    gaps = pd.DataFrame(
        {_rep: starts[_rep], _team: UNASSIGNED, _start: starts[_start], _end: ends[_end]}
    )
    return gaps[gaps[_end] > gaps[_start]]


def owner_months(
    segments: pd.DataFrame, calendar: FiscalCalendar, periods: tuple[str, ...]
) -> pd.DataFrame:
    """Cut memberships at quarters and months, so that a fact finds its team by equality.

    A month of a rep is one row but where the rep changes team: a join on rep and month gives
    hardly more rows than there are facts, whatever the number of memberships.

    Returns
    -------
    DataFrame
        rep_id, team_id, period, owner_month, valid_from (inclusive), valid_to (exclusive), and
        owner, a number from 0 in the order of rep_id, team_id and period. Facts without an owner
        are UNASSIGNED's.
    """
    nobody = pd.DataFrame(
        {_rep: [UNASSIGNED], _team: [UNASSIGNED], _start: [EVER], _end: [NEVER]}
    )  # fmt: skip
    segments = pd.concat([segments, nobody], ignore_index=True)
    days = calendar.days(calendar.first_day(periods[0]), calendar.last_day(periods[-1]))
    days[MONTH] = days["day"].dt.year * 12 + days["day"].dt.month
    months = days.groupby(["period", MONTH], as_index=False)["day"].agg(["min", "max"])
    start = np.maximum.outer(segments[_start].to_numpy(), months["min"].to_numpy())
    end = np.minimum.outer(segments[_end].to_numpy(), (months["max"] + _A_DAY).to_numpy())
    segment, month = np.nonzero(end > start)
    rows = segments[[_rep, _team]].take(segment).reset_index(drop=True)
    rows[["period", MONTH]] = months[["period", MONTH]].take(month).reset_index(drop=True)
    rows[_start], rows[_end] = start[segment, month], end[segment, month]
    rows[OWNER] = rows.groupby(_OWNER).ngroup().astype("int32")
    return rows


def active_time(
    snapshot: Snapshot, segments: pd.DataFrame, calendar: FiscalCalendar,
    periods: tuple[str, ...], as_of: dt.date,
) -> pd.DataFrame:  # fmt: skip
    """Measure each rep's time in each team and quarter, net of leave, from hiring to leaving.

    Returns
    -------
    DataFrame
        rep_id, team_id, period, active_share (0-1, of the quarter's days) and working_days
        (Monday to Friday but for holidays), both up to `as_of`, and ramped_share (of the whole
        quarter, each day weighted by ramp), which prorates a quota. `DAY` is the quarter's first.
    """
    rows = _time_in_quarters(snapshot, segments, calendar, periods)
    away = _disjoint_leaves(snapshot.read("leaves"))
    closed = _days(snapshot.read("holidays")[holidays.holiday_on])
    ramp = snapshot.company.ramp_days
    known = rows["_to"].where(rows["_to"] <= pd.Timestamp(as_of), pd.Timestamp(as_of) + _A_DAY)
    seen = rows.assign(_to=known.clip(lower=rows["_from"]))
    length = (rows["_after"] - rows["_first"]).dt.days
    present = _present_time(seen, away, holidays=closed, ramp_days=ramp)
    planned = _present_time(rows, away, holidays=closed, ramp_days=ramp)
    out = pd.DataFrame(
        {
            _rep: rows[_rep],
            _team: rows[_team],
            "period": rows["period"],
            DAY: rows["_first"],
            ACTIVE_SHARE: present["days"] / length,
            WORKING_DAYS: present["weekdays"].astype(float),
            RAMPED_SHARE: planned["ramped"] / length,
        }
    )
    keys = [_rep, _team, "period", DAY]
    return out.groupby(keys, as_index=False)[[ACTIVE_SHARE, WORKING_DAYS, RAMPED_SHARE]].sum()


def _time_in_quarters(
    snapshot: Snapshot, segments: pd.DataFrame, calendar: FiscalCalendar, periods: tuple[str, ...]
) -> pd.DataFrame:
    """Cut memberships at quarters, hiring and leaving: `_from` (inclusive) to `_to`."""
    employed = snapshot.read("reps")[[reps.rep_id, reps.hired_on, reps.left_on]]
    hired = _days(employed[reps.hired_on]).fillna(EVER)
    left = _days(employed[reps.left_on]).fillna(NEVER)
    bounds = pd.DataFrame({_rep: employed[reps.rep_id], "_hired": hired, "_left": left})
    quarters = pd.DataFrame(
        {
            "period": list(periods),
            "_first": pd.to_datetime([calendar.first_day(p) for p in periods]),
            "_after": pd.to_datetime([calendar.last_day(p) for p in periods]) + _A_DAY,
        }
    )
    rows = segments.merge(bounds, on=_rep).merge(quarters, how="cross")
    rows["_from"] = rows[[_start, "_hired", "_first"]].max(axis=1)
    rows["_to"] = rows[[_end, "_left", "_after"]].min(axis=1)
    return rows[rows["_to"] > rows["_from"]].reset_index(drop=True)


def prorated_quotas(snapshot: Snapshot, active: pd.DataFrame) -> pd.DataFrame:
    """Split each rep's full quota over teams by active, ramp-weighted time.

    Returns
    -------
    DataFrame
        rep_id, team_id, period, day, prorated_quota (money).
    """
    rows = snapshot.read("targets")
    is_quota = (rows[targets.owner_kind] == "rep") & (rows[targets.kpi] == "bookings")
    quotas = rows.loc[is_quota, [targets.owner_id, targets.period, targets.target]]
    quotas = quotas.rename(columns={targets.owner_id: _rep, targets.period: "period"})
    merged = active.merge(quotas, on=[_rep, "period"])
    merged[QUOTA] = merged[targets.target].astype(float) * merged[RAMPED_SHARE]
    return merged[[*_OWNER, DAY, QUOTA]]


def team_tree(snapshot: Snapshot, segments: pd.DataFrame) -> pd.DataFrame:
    """List the teams with their names and parents: trees, of any depth.

    Teams known only by membership or as a parent are included. Teams that lie within one another
    in a circle are all at the top.

    Returns
    -------
    DataFrame
        team_id, name, parent_id ('' at the top), has_members.
    """
    known = snapshot.read("teams")[[teams.team_id, teams.name, teams.parent_id]]
    used = pd.Index(segments[_team].unique())
    named = {*used, *known[teams.parent_id].dropna()} - {UNASSIGNED}
    extra = sorted(named - set(known[teams.team_id]))
    more = pd.DataFrame({teams.team_id: extra, teams.name: extra, teams.parent_id: UNASSIGNED})
    tree = pd.concat([known.astype(object), more.astype(object)], ignore_index=True)
    parents = dict(zip(tree[teams.team_id], tree[teams.parent_id].fillna(UNASSIGNED), strict=True))
    circular = [team for team in parents if _is_within_itself(team, parents)]
    parents |= dict.fromkeys(circular, UNASSIGNED)
    tree[teams.parent_id] = tree[teams.team_id].map(parents)
    tree["has_members"] = tree[teams.team_id].isin(used)
    return tree.sort_values(teams.team_id, kind="stable", ignore_index=True)


def _is_within_itself(team: str, parents: dict[str, str]) -> bool:
    """Whether a team is its own parent, by however many steps."""
    above, seen = parents[team], {UNASSIGNED}
    while above != team and above not in seen:
        seen.add(above)
        above = parents[above]
    return above == team


def _days(column: pd.Series[Any]) -> pd.Series[pd.Timestamp]:
    return pd.Series(pd.to_datetime(column).astype("datetime64[s]"), index=column.index)


def _disjoint_leaves(away: pd.DataFrame) -> pd.DataFrame:
    """List leaves as rep_id, `_away` and `_back`; of overlapping ones no day is in two."""
    spans = pd.DataFrame(
        {
            _rep: away[leaves.rep_id].astype(object),
            "_away": _days(away[leaves.valid_from]),
            "_back": _days(away[leaves.valid_to]),
        }
    ).sort_values([_rep, "_away", "_back"], ignore_index=True)
    back_so_far = spans.groupby(_rep)["_back"].cummax().groupby(spans[_rep]).shift(1)
    spans["_away"] = spans["_away"].clip(lower=back_so_far.fillna(EVER))
    return spans[spans["_back"] > spans["_away"]]


def _present_time(
    rows: pd.DataFrame, away: pd.DataFrame, *, holidays: pd.Series[pd.Timestamp], ramp_days: int
) -> pd.DataFrame:
    """Count the time within each row's [_from, _to) that is not leave: see `_count_time`."""
    pairs = rows[[_rep, "_hired", "_from", "_to"]].reset_index(names="_at").merge(away, on=_rep)
    start = pairs[["_from", "_away"]].max(axis=1)
    absent = pairs.assign(_from=start, _to=pairs[["_to", "_back"]].min(axis=1).clip(lower=start))
    lost = _count_time(absent, holidays, ramp_days).groupby(pairs["_at"]).sum()
    return _count_time(rows, holidays, ramp_days) - lost.reindex(rows.index, fill_value=0)


def _count_time(
    rows: pd.DataFrame, holidays: pd.Series[pd.Timestamp], ramp_days: int
) -> pd.DataFrame:
    """Count `days`, `weekdays` that are no holidays, and days weighted by ramp (`ramped`)."""
    first, after = (rows[name].to_numpy().astype("datetime64[D]") for name in ("_from", "_to"))
    off = holidays.to_numpy().astype("datetime64[D]")
    from_hire, to_hire = (rows[name] - rows["_hired"] for name in ("_from", "_to"))
    ramped = _quota_days(to_hire.dt.days, ramp_days) - _quota_days(from_hire.dt.days, ramp_days)
    return pd.DataFrame(
        {
            "days": (rows["_to"] - rows["_from"]).dt.days,
            "weekdays": np.busday_count(first, after, holidays=off),
            "ramped": ramped,
        }
    )


def _quota_days(since_hire: pd.Series[int], ramp_days: int) -> pd.Series[float]:
    """Add up the share of a full quota over the days since hiring; it grows linearly to full."""
    days = since_hire.astype(float)
    if not ramp_days:
        return days
    return days.clip(upper=ramp_days) ** 2 / (2 * ramp_days) + (days - ramp_days).clip(lower=0)
