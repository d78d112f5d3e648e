"""The history of the pipeline, opportunity by opportunity: what a chance can be learned from."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.errors import ParameterError
from salesnb.language import tr
from salesnb.measures import facts, people
from salesnb.measures.catalogue.columns import DAY
from salesnb.measures.engine import DuckDBEngine, Engine
from salesnb.measures.pictures import signs
from salesnb.measures.pictures.features import FEATURES
from salesnb.measures.pictures.rows import IS_OLDER, OpenRows, Origin, list_open
from salesnb.periods import FiscalCalendar
from salesnb.progress import long
from salesnb.schema import accounts, activities, memberships, opportunities, reps, teams
from salesnb.sources.mapping import Company
from salesnb.sources.snapshot import Snapshot
from salesnb.summary import Summarised

_KEY = str(opportunities.opportunity_id)
_TEXTS = [feature.name for feature in FEATURES if feature.kind == "text"]
NAMES = [feature.name for feature in FEATURES]
SHOWN = ["rep_id", "rep", "team_id", "account", "amount", "expected_close_on", "created_on"]
OUTCOME = ["rep_id", "team_id", "amount", "closed_on", "is_won", "booked"]
"""Columns beside the features: what a reader sees of an open one, and what came of a past one."""


@dataclass(frozen=True, eq=False, repr=False)
class PipelineHistory(Summarised):
    """Open opportunities now, and on past days that stand alike, each as it was known that day.

    Attributes
    ----------
    open
        One row an opportunity open on `as_of`: opportunity_id, day, names and dates to show
        (`SHOWN`), and the `FEATURES`. Rep and team are names to show, not features.
    past
        One row an opportunity and past day on which it was open: opportunity_id, day, what came
        of it by `as_of` (`OUTCOME`: closed_on is missing where it is still open, booked is the
        amount at close), and the `FEATURES` of that day.
    ages
        age_days, n_entered, n_won, n_lost, n_open: from what age all opportunities were watched, at
        what age they ended, or what age the open ones have reached.
    bookings
        team_id, closed_on, n, booked: what was won by day, in the reporting currency.
    products
        product_id, n, booked: what was won by product.
    teams
        team_id, parent_id.
    origin
        What past days are known from: `pictures`, `stages` or `nothing`.
    lacking
        What the snapshot has no data for, in words.
    """

    open: pd.DataFrame
    past: pd.DataFrame
    ages: pd.DataFrame
    bookings: pd.DataFrame
    products: pd.DataFrame
    teams: pd.DataFrame
    origin: Origin
    lacking: tuple[str, ...]
    company: Company
    as_of: dt.date
    snapshot_id: str

    @property
    def finding(self) -> str:
        """Say how much is open, and how much of the past there is to learn from."""
        days = self.past["day"].nunique()
        return (
            f"{self.company.name}: {len(self.open):,} opportunities open on {self.as_of}; "
            f"{len(self.past):,} on {days:,} past days to learn from."
        )

    @property
    def caveat(self) -> str:
        """Say what the snapshot has no data for."""
        return f"Not known: {'; '.join(self.lacking)}." if self.lacking else ""

    def to_frame(self) -> pd.DataFrame:
        """List one row an opportunity that is open."""
        return self.open.copy()

    @property
    def calendar(self) -> FiscalCalendar:
        """The company's fiscal calendar."""
        return self.company.calendar

    @property
    def oldest_won(self) -> float:
        """Age in days of the oldest opportunity that was ever won; missing without any."""
        won = self.ages.loc[self.ages["n_won"] > 0, "age_days"]
        return float(won.max()) if len(won) else float("nan")


@long("Reading the open opportunities")
def compute_pipeline(
    snapshot: Snapshot, *, as_of: dt.date | None = None, engine: Engine | None = None
) -> PipelineHistory:
    """Read open opportunities, now and on past days, with what was known of them then.

    Past days stand where `as_of` does: of each quarter one has as many days left, the others as
    many of their month. What was open then is what the last picture of the pipeline holds, at most
    35 days old, and what began since; without pictures who
    was open follows from dates and stages, without amounts; else there is no past. An activity
    counts from the day it was logged. Source, type, industry and product are those of today, as
    no CRM export tells their past.

    Parameters
    ----------
    snapshot
        The checked data.
    as_of
        Day on which the world is seen. Default: the snapshot's.
    engine
        Where to read; default DuckDB in this process.

    Returns
    -------
    PipelineHistory

    Raises
    ------
    ParameterError
        `as_of` is after the snapshot.
    DataError
        An exchange rate is missing.
    """
    as_of = as_of or snapshot.as_of
    if as_of > snapshot.as_of:
        raise ParameterError(f"as_of: {as_of} is after the snapshot's {snapshot.as_of}.")
    engine = engine or DuckDBEngine(snapshot)
    opportunity = facts.opportunity_facts(engine, snapshot, as_of)
    amount = facts.amount_facts(engine, snapshot, opportunity, as_of)
    facts.check_rates(engine, snapshot, amount)
    rows = list_open(engine, snapshot, amount, as_of)
    segments = people.complete_memberships(snapshot)
    past, now = _with_features(engine, snapshot, rows, as_of)
    first_wins = signs.read_first_wins(engine, amount)
    nature = signs.read_nature(engine, snapshot)
    past, now = (
        _typed(_with_team(_with_nature(part, nature, first_wins), segments), snapshot)
        for part in (past, now)
    )
    names = snapshot.read("reps").set_index(reps.rep_id)[reps.name]
    now = now.assign(rep=now["rep_id"].map(names).fillna(now["rep_id"]).fillna(""))
    booked = signs.sum_bookings(engine, amount)
    booked = _with_team(booked.assign(**{DAY: booked[opportunities.closed_on]}), segments)
    keys = ["team_id", "closed_on"]
    return PipelineHistory(
        open=now[[_KEY, DAY, *SHOWN, *NAMES]],
        past=past[[_KEY, DAY, *OUTCOME, *NAMES]],
        ages=signs.count_ages(engine, amount, as_of),
        bookings=booked.groupby(keys, as_index=False)[["n", "booked"]].sum(),
        products=signs.mean_bookings(engine, snapshot, amount),
        teams=people.team_tree(snapshot, segments)[[teams.team_id, teams.parent_id]],
        origin=rows.origin,
        lacking=_lacking(snapshot, rows, now),
        company=snapshot.company,
        as_of=as_of,
        snapshot_id=snapshot.id,
    )


def _with_features(
    engine: Engine, snapshot: Snapshot, rows: OpenRows, as_of: dt.date
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add what is known as of each row's day."""
    both = pd.concat([rows.past, rows.now], ignore_index=True) if len(rows.past) else rows.now
    for found in (
        signs.read_stages(engine, snapshot, rows.keys, as_of),
        signs.read_touches(engine, snapshot, rows.keys),
    ):
        found = found.assign(**{DAY: pd.to_datetime(found[DAY])})
        both = both.merge(found, on=[_KEY, DAY], how="left")
    both = _add_drift(_add_dates(both, snapshot.calendar))
    if snapshot.has("activities", activities.opportunity_id):
        both = _fill_quiet(both)
    is_now = (both[DAY] == pd.Timestamp(as_of)).to_numpy()
    return both[~is_now], both[is_now]


def _add_dates(both: pd.DataFrame, calendar: FiscalCalendar) -> pd.DataFrame:
    """Add ages and days to go."""
    day = both[DAY]
    left = {one: (calendar.last_day(calendar.quarter_of(one.date())) - one.date()).days
            for one in day.unique()}  # fmt: skip
    age = (day - both["created_on"]).dt.days.astype(float)
    due = (both["expected_close_on"] - day).dt.days.astype(float)
    shown, then = both["stage"].replace("", None), both["stage_then"].astype(object)
    # the history knows the stage of the day, an older picture only what it was before
    stage = shown.where(~both[IS_OLDER].astype(bool), then.fillna(shown)).fillna(then)
    return both.assign(
        stage=stage.fillna(""),
        age_days=age,
        due_days=due,
        is_overdue=(due < 0).astype(float).where(due.notna()),
        quarter_days_left=day.map(left).astype(float),
        log_amount=np.log(both["amount"].astype(float)),
    ).drop(columns=["stage_then", IS_OLDER])


def _fill_quiet(rows: pd.DataFrame) -> pd.DataFrame:
    """Say of opportunities without a known touch that there was none since they began."""
    names = ("touches_30", "n_meetings", "n_kinds")
    return rows.assign(
        **{name: rows[name].fillna(0.0) for name in names},
        untouched_days=rows["untouched_days"].fillna(rows["age_days"]),
    )


def _add_drift(both: pd.DataFrame) -> pd.DataFrame:
    """Add what changed between earlier pictures of the same opportunity and this one."""
    both = both.sort_values([_KEY, DAY], ignore_index=True)
    by = both.groupby(_KEY)
    before = by["expected_close_on"].shift()
    moved = (both["expected_close_on"] > before).astype(float)
    known = by["log_amount"].transform("first")
    n_postponed = moved.groupby(both[_KEY]).cumsum()
    has_dates = both["expected_close_on"].notna().any()
    return both.assign(
        n_postponed=n_postponed if has_dates else np.nan,
        amount_drift=both["log_amount"] - known,
    )


def _with_nature(
    rows: pd.DataFrame, nature: pd.DataFrame, first_wins: pd.Series[pd.Timestamp]
) -> pd.DataFrame:
    rows = rows.merge(nature, on=_KEY, how="left")
    first = pd.to_datetime(rows[accounts.account_id].map(first_wins.to_dict()))
    is_customer = (first <= rows[DAY]).astype(float).where(rows[accounts.account_id].notna())
    return rows.assign(is_customer=is_customer, account=rows["account"].fillna(""))


def _with_team(rows: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Add the team that each row's rep was in on its day; '' where in none."""
    pairs = rows[["rep_id", DAY]].drop_duplicates()
    spells = segments.rename(columns={memberships.rep_id: "rep_id"})
    held = pairs.merge(spells, on="rep_id")
    inside = (held[DAY] >= held["valid_from"]) & (held[DAY] < held["valid_to"])
    held = held.loc[inside, ["rep_id", DAY, "team_id"]]
    found = rows.merge(held, on=["rep_id", DAY], how="left")
    return found.assign(team_id=found["team_id"].fillna(""))


def _typed(rows: pd.DataFrame, snapshot: Snapshot) -> pd.DataFrame:
    """Give columns their types; texts that are missing are ''."""
    out = rows.assign(**{name: rows[name].astype(object).fillna("") for name in _TEXTS})
    numbers = [name for name in NAMES if name not in _TEXTS]
    out = out.astype(dict.fromkeys([*numbers, "amount", "booked"], "float64"))
    return out.sort_values([DAY, _KEY], ignore_index=True)


def _lacking(snapshot: Snapshot, rows: OpenRows, now: pd.DataFrame) -> tuple[str, ...]:
    """Say what there is no data for."""
    needs = {
        "pipeline_snapshots": tr("past amounts and expected closing dates"),
        "stage_history": tr("days in a stage and steps back"),
        "activities": tr("touches"),
    }
    found = [
        tr("{what} (needs {table})", what=what, table=table)
        for table, what in needs.items()
        if not snapshot.has(table)
    ]
    if len(now) and now["amount"].isna().all():
        found.append(tr("amounts of open opportunities"))
    return tuple(found)
