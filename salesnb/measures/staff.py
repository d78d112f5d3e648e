"""What is known of people from few rows: who reached the quota, how long it took, skill gaps."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd

from salesnb.measures.catalogue.columns import (
    AMOUNT,
    DAY,
    EXPECTED,
    GAP,
    HAS_RAMPED,
    IS_ATTAINED,
    IS_RAMPED,
    QUOTA,
    RAMP_DAYS,
    WEIGHT,
)
from salesnb.measures.engine import Engine, Lazy
from salesnb.measures.people import MONTH, OWNER, RAMPED_SHARE
from salesnb.schema import memberships, ratings, reps, skills, targets, territories
from salesnb.sources.snapshot import Snapshot

FEWEST_RATERS = 2
_REACHED = 1 - 1e-9
"""Share of a quota from which on it is reached: what sums of floats lose is given back."""
_MONTHS = 3
_rep, _team = memberships.rep_id, memberships.team_id
_OWNER = [_rep, _team, "period"]


def monthly_bookings(engine: Engine, won: Lazy) -> pd.DataFrame:
    """Sum won amounts, of rows with an owner, by owner and month: owner, owner_month, booked."""
    sums = won.group_by(OWNER, MONTH).agg(nw.col(AMOUNT).sum().alias("booked"))
    return engine.collect(sums)


def share_bookings(
    snapshot: Snapshot, active: pd.DataFrame, booked: pd.DataFrame, names: pd.DataFrame
) -> pd.DataFrame:
    """Share each quarter's bookings out by potential of territory and ramped time.

    What is shared out is what the reps with a known potential have booked.

    Returns
    -------
    DataFrame
        owner, day (the quarter's first), bookings_expected (money).
    """
    areas = snapshot.read("territories").dropna(subset=[territories.rep_id, territories.potential])
    potential = areas.groupby(territories.rep_id)[territories.potential].sum().astype(float)
    rows = active.join(potential, on=_rep)
    rows["_parts"] = rows[territories.potential] * rows[RAMPED_SHARE]
    rows = rows[rows["_parts"] > 0]
    won = names.join(booked.groupby(OWNER)["booked"].sum())
    shared = won[won.index.isin(rows[OWNER])].groupby("period")["booked"].sum()
    parts = rows["_parts"] / rows.groupby("period")["_parts"].transform("sum")
    amount = rows["period"].map(shared.to_dict()).astype(float)
    return pd.DataFrame({OWNER: rows[OWNER], DAY: rows[DAY], EXPECTED: parts * amount})


def find_attained(
    snapshot: Snapshot, quotas: pd.DataFrame, booked: pd.DataFrame, names: pd.DataFrame
) -> pd.DataFrame:
    """Say who reached the quota: each rep once a quarter, in the team of most of the quota.

    Returns
    -------
    DataFrame
        owner, is_quota_attained, is_ramped_with_quota (hired longer ago than the ramp takes, on
        the quarter's first day).
    """
    keys = [_rep, "period"]
    won = booked.groupby(OWNER)["booked"].sum().rename("booked")
    by_rep = names.join(won).groupby(keys)["booked"].sum()
    rows = quotas[quotas[QUOTA] > 0].sort_values(
        [*keys, QUOTA, _team], ascending=[True, True, False, True]
    )
    quota = rows.groupby(keys)[QUOTA].sum()
    rows = rows.drop_duplicates(keys).drop(columns=QUOTA).join(quota, on=keys)
    hired = pd.to_datetime(snapshot.read("reps").set_index(reps.rep_id)[reps.hired_on])
    ramped_on = rows[_rep].map(hired) + pd.Timedelta(days=snapshot.company.ramp_days)
    reached = rows.join(by_rep, on=keys)["booked"] >= rows[QUOTA] * _REACHED
    is_ramped = ~(ramped_on > pd.to_datetime(rows["day"]))
    return pd.DataFrame({OWNER: rows[OWNER], IS_ATTAINED: reached, IS_RAMPED: is_ramped})


def find_ramps(
    snapshot: Snapshot, months: pd.DataFrame, booked: pd.DataFrame, as_of: dt.date
) -> pd.DataFrame:
    """Measure how long those hired since the first quarter took to earn a full quota.

    Evaluated at the end of each calendar month, over it and the two before, none of them begun
    before hiring. Reps without a quota in any three such months are left out.

    Returns
    -------
    DataFrame
        owner (on the day of hiring), days_to_full_quota, has_reached_full_quota.
    """
    staff = snapshot.read("reps")[[reps.rep_id, reps.hired_on, reps.left_on]]
    staff = staff.assign(
        **{name: pd.to_datetime(staff[name]) for name in (reps.hired_on, reps.left_on)}
    )
    staff = staff[staff[reps.hired_on] <= pd.Timestamp(as_of)]
    hires = staff.merge(_owner_on(months, staff[reps.rep_id], staff[reps.hired_on]), on=_rep)
    windows = _quarters_of_months(snapshot, months, booked, hires)
    left = hires[reps.left_on]
    last = left.where(left <= pd.Timestamp(as_of), pd.Timestamp(as_of))
    windows = windows.merge(hires.assign(_last=last), on=_rep)
    windows = windows[windows["ends_on"] <= windows["_last"]]
    reached = windows[windows["booked"] >= windows["quota"] * _REACHED]
    first = reached.groupby(_rep)["ends_on"].min()
    hires = hires.assign(_last=last)[hires[_rep].isin(windows[_rep])]
    done = hires[[_rep]].join(first, on=_rep)["ends_on"]
    took = (done.fillna(hires["_last"]) - hires[reps.hired_on]).dt.days
    return pd.DataFrame(
        {OWNER: hires[OWNER], RAMP_DAYS: took.astype(float), HAS_RAMPED: done.notna()}
    )


def _owner_on(
    months: pd.DataFrame, who: pd.Series[str], days: pd.Series[pd.Timestamp]
) -> pd.DataFrame:
    """Find the owner of reps, each on a day; those of days without an owner are left out."""
    asked = pd.DataFrame({_rep: who, "_on": days, MONTH: days.dt.year * 12 + days.dt.month})
    rows = asked.merge(months, on=[_rep, MONTH])
    holds = (rows["_on"] >= rows[memberships.valid_from]) & (
        rows["_on"] < rows[memberships.valid_to]
    )
    return rows.loc[holds, [_rep, OWNER]]


def _quarters_of_months(
    snapshot: Snapshot, months: pd.DataFrame, booked: pd.DataFrame, hires: pd.DataFrame
) -> pd.DataFrame:
    """Sum bookings and full quotas over each three whole months since hiring.

    Returns
    -------
    DataFrame
        rep_id, ends_on, booked, quota; only where each of the three months has a quota.
    """
    numbers = np.sort(months[MONTH].unique())
    begins = pd.to_datetime([f"{(n - 1) // 12}-{(n - 1) % 12 + 1:02d}-01" for n in numbers])
    middle = [snapshot.calendar.quarter_of(day.date() + dt.timedelta(days=14)) for day in begins]
    ends = begins + pd.offsets.MonthEnd(0)
    grid = pd.DataFrame({MONTH: numbers, "begins_on": begins, "ends_on": ends, "period": middle})
    grid = hires[[_rep, reps.hired_on]].merge(grid, how="cross")
    grid = grid[grid["begins_on"] >= grid[reps.hired_on]]
    quotas = snapshot.read("targets")
    quotas = quotas[(quotas[targets.owner_kind] == "rep") & (quotas[targets.kpi] == "bookings")]
    quotas = quotas[[targets.owner_id, targets.period, targets.target]].set_axis(
        [_rep, "period", "quota"], axis=1
    )
    owners = months.drop_duplicates(OWNER).set_index(OWNER)[_rep]
    won = booked.assign(**{_rep: booked[OWNER].map(owners)})
    by_month = won.groupby([_rep, MONTH])["booked"].sum().reset_index()
    grid = grid.merge(quotas, on=[_rep, "period"], how="left").merge(
        by_month, on=[_rep, MONTH], how="left"
    )
    grid["booked"] = grid["booked"].fillna(0.0)
    grid["quota"] = grid["quota"].astype(float).where(grid["quota"] > 0) / _MONTHS
    grid = grid.sort_values([_rep, MONTH])
    rolled = grid.groupby(_rep)[["booked", "quota"]].rolling(_MONTHS).sum()
    grid[["booked", "quota"]] = rolled.reset_index(level=0, drop=True)
    return grid.dropna(subset=["quota"])[[_rep, "ends_on", "booked", "quota"]]


def find_skill_gaps(snapshot: Snapshot, rated: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    """Weigh what each rep lacks of the target of a skill, by the mean of at least two raters.

    Parameters
    ----------
    snapshot
        Its framework gives targets and weights by role; a missing weight is 1.
    rated
        Skill scores with rep_id, team_id, period, as measures keep them.
    names
        Owners' rep_id, team_id and period.

    Returns
    -------
    DataFrame
        owner, weighted_skill_gap, skill_weight; one row a skill.
    """
    keys = [*_OWNER, ratings.skill]
    raters = rated.groupby([*keys, ratings.rater_id], as_index=False)[ratings.score].mean()
    means = raters.groupby(keys)[ratings.score].agg(["mean", "size"])
    means = means[means["size"] >= FEWEST_RATERS].reset_index()
    roles = snapshot.read("reps")[[reps.rep_id, reps.role]]
    columns = [skills.skill, skills.role, skills.weight, skills.target]
    framework = snapshot.read("skills")[columns].dropna(subset=[skills.target])
    rows = means.merge(roles, on=_rep).merge(framework, on=[skills.skill, skills.role])
    rows = rows.merge(names.reset_index(), on=_OWNER)
    weight = rows[skills.weight].astype(float).fillna(1.0)
    gap = weight * (rows[skills.target].astype(float) - rows["mean"].astype(float))
    return pd.DataFrame({OWNER: rows[OWNER], GAP: gap, WEIGHT: weight})
