"""What earlier quarters say of the rest of one: presence, wins, amounts, win chances by stage."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.measures.measures import Measures
from salesnb.schema import reps

FEWEST_QUARTERS = 3
"""Whole quarters before one from which its rest can be simulated."""

MOST_QUARTERS = 8
CELL = ["stage", "is_due"]
PRIOR_DEALS = 8.0
"""Open deals that a stage's own win chance must outweigh before it leaves that of all stages."""


@dataclass(frozen=True)
class History:
    """The quarters before one, seen at the same point of each.

    Attributes
    ----------
    period, quarters
        The quarter to foresee and the whole quarters it is learned from, oldest first.
    people
        Indexed by rep_id, everybody who was there: `exposure` (rest-quarters of full capacity in
        the earlier quarters), `wins` in them, `n` and `booked` of all their weeks, and
        `presence` in the rest of this quarter (0-1, weighted by ramp).
    by_quarter
        Indexed by period: `exposure`, `wins`, `booked` and `squares` of the rest of each quarter.
    """

    period: str
    quarters: tuple[str, ...]
    people: pd.DataFrame
    by_quarter: pd.DataFrame


@dataclass(frozen=True)
class Pipeline:
    """Open deals now, and what became of those open at the same point of earlier quarters.

    Attributes
    ----------
    now
        rep_id, stage, is_due, n, amount, squares.
    cells
        Indexed by stage and is_due: `n`, `won`, and `chance` of being won by the quarter's end.
    people
        Indexed by rep_id: `expected` and `won` of the open deals of earlier quarters, and `wins`
        of deals that were not open at the point, within `exposure`.
    ratio
        Amount at close over the amount pictured, of what was won.
    """

    now: pd.DataFrame
    cells: pd.DataFrame
    people: pd.DataFrame
    by_quarter: pd.DataFrame
    ratio: float


def earlier_quarters(measures: Measures, period: str) -> tuple[str, ...]:
    """Name the whole quarters before one, at most eight, oldest first."""
    before = measures.window(measures.calendar.shift(period, -1), MOST_QUARTERS)
    return tuple(quarter for quarter in before if measures.is_whole(quarter))


def read_history(measures: Measures, period: str) -> History | None:
    """Collect what is known at the point of a quarter; None where too few quarters came before."""
    quarters = earlier_quarters(measures, period)
    if len(quarters) < FEWEST_QUARTERS:
        return None
    presence = {quarter: presence_after(measures, quarter) for quarter in (*quarters, period)}
    weeks = measures.weeks[measures.weeks["period"].isin(quarters)]
    rest = weeks[weeks["week"] > 0]
    people = pd.DataFrame(
        {"exposure": pd.DataFrame({q: presence[q] for q in quarters}).sum(axis=1)}
    )
    people["wins"] = _sum_by(rest, "rep_id", ["n"])["n"]
    people[["n", "booked"]] = _sum_by(weeks, "rep_id", ["n", "booked"])
    people["presence"] = presence[period]
    by_quarter = _sum_by(rest, "period", ["n", "booked", "squares"]).reindex(quarters)
    by_quarter["exposure"] = [presence[quarter].sum() for quarter in quarters]
    return History(
        period=period,
        quarters=quarters,
        people=people.fillna(0.0),
        by_quarter=by_quarter.rename(columns={"n": "wins"}).fillna(0.0),
    )


def presence_after(measures: Measures, period: str) -> pd.Series[float]:
    """Measure each rep's share of the rest of a quarter, weighted by ramp.

    Who was not there at the point counts 0, and who was is taken to stay, unless known to leave.
    """
    point, last = point_of(measures, period), measures.calendar.last_day(period)
    length = max((last - point).days, 1)
    hired = pd.to_datetime(measures.people[reps.hired_on]).fillna(pd.Timestamp("1900-01-01"))
    left = pd.to_datetime(measures.people[reps.left_on]).fillna(pd.Timestamp("2200-01-01"))
    here = (hired <= pd.Timestamp(point)) & (left > pd.Timestamp(point))
    is_past = last < measures.as_of
    until = ((left - pd.Timestamp(point)).dt.days - 1).clip(lower=0, upper=length)
    share = pd.Series(1.0, index=here.index) if is_past else until / length
    ramp = measures.company.ramp_days
    if ramp:
        tenure = (pd.Timestamp(point) - hired).dt.days + length / 2
        share = share * (tenure / ramp).clip(upper=1.0)
    share = share.where(here, 0.0).astype(float)
    return pd.Series(share.to_numpy(), index=measures.people[reps.rep_id].to_numpy())


def point_of(measures: Measures, period: str) -> dt.date:
    """Find the day of a quarter from which as many days are left as from `as_of` in its own."""
    now = measures.calendar.quarter_of(measures.as_of)
    left = measures.calendar.last_day(now) - measures.as_of
    return max(
        measures.calendar.last_day(period) - left,
        measures.calendar.first_day(period) - dt.timedelta(days=1),
    )


def read_pipeline(measures: Measures, history: History) -> Pipeline | None:
    """Learn win chances by stage; None without pictures of enough quarters, or of this one."""
    deals = measures.open_deals
    past = deals[deals["period"].isin(history.quarters)]
    now = deals[deals["period"] == history.period]
    pictured = [quarter for quarter in history.quarters if quarter in set(past["period"])]
    if len(pictured) < FEWEST_QUARTERS or now.empty:
        return None
    cells = _win_chances(past, now)
    past = past.assign(expected=past["n"] * _chance_of(past, cells))
    weeks = measures.weeks
    rest = weeks[weeks["period"].isin(pictured) & (weeks["week"] > 0)]
    people = pd.DataFrame(index=history.people.index)
    people["expected"] = _sum_by(past, "rep_id", ["expected"])["expected"]
    people["won"] = _sum_by(past, "rep_id", ["n_won"])["n_won"]
    people["wins"] = _sum_by(rest, "rep_id", ["n"])["n"]
    people = people.fillna(0.0)
    # Owners change between picture and close: of one rep more may be won than was open.
    people["wins"] = (people["wins"] - people["won"]).clip(lower=0.0)
    by_quarter = history.by_quarter.loc[pictured]
    people["exposure"] = _exposure(measures, people, pictured)
    expected = _sum_by(past, "period", ["expected"])["expected"]
    by_quarter = by_quarter.assign(expected=expected.reindex(pictured))
    won_amount = float(past["won_amount"].sum())
    return Pipeline(
        now=now[["rep_id", *CELL, "n", "amount", "squares"]],
        cells=cells,
        people=people,
        by_quarter=by_quarter,
        ratio=float(past["booked"].sum()) / won_amount if won_amount > 0 else 1.0,
    )


def _exposure(measures: Measures, people: pd.DataFrame, quarters: list[str]) -> pd.Series[float]:
    present = pd.DataFrame({quarter: presence_after(measures, quarter) for quarter in quarters})
    return present.sum(axis=1).reindex(people.index).fillna(0.0)


def _win_chances(past: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Estimate the chance of each stage, pulled to that of all stages of the same due state."""
    sums = _sum_by(past, CELL, ["n", "n_won"]).rename(columns={"n_won": "won"})
    both = sums.groupby("is_due")[["n", "won"]].sum()
    everything = (sums["won"].sum() + 0.5) / (sums["n"].sum() + 1.0)
    level = (both["won"] + PRIOR_DEALS * everything) / (both["n"] + PRIOR_DEALS)
    index = pd.MultiIndex.from_frame(
        pd.concat([past[CELL], now[CELL]]).drop_duplicates().sort_values(CELL)
    )
    cells = sums.reindex(index).fillna(0.0)
    around = level.reindex(index.get_level_values("is_due")).fillna(everything).to_numpy()
    chance = (cells["won"] + PRIOR_DEALS * around) / (cells["n"] + PRIOR_DEALS)
    return cells.assign(chance=chance)


def _chance_of(rows: pd.DataFrame, cells: pd.DataFrame) -> np.ndarray:
    return cells["chance"].reindex(pd.MultiIndex.from_frame(rows[CELL])).to_numpy()


def _sum_by(rows: pd.DataFrame, by: str | list[str], what: list[str]) -> pd.DataFrame:
    """Sum by plain keys, whatever categories they have."""
    keys = [by] if isinstance(by, str) else by
    plain = rows.assign(**{key: rows[key].astype(object) for key in keys})
    return plain.groupby(by)[what].sum()
