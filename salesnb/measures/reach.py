"""What is spent and which accounts are reached: facts of companies more than of people."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd

from salesnb.measures import facts
from salesnb.measures.catalogue.columns import BOUGHT, DAY, IS_REACHED, SPEND
from salesnb.measures.engine import Engine, Lazy
from salesnb.measures.people import MONTH, OWNER, UNASSIGNED
from salesnb.schema import (
    accounts,
    activities,
    memberships,
    opportunities,
    reps,
    sources,
    territories,
)
from salesnb.sources.snapshot import Snapshot

_rep = memberships.rep_id


def share_spend(
    engine: Engine, snapshot: Snapshot, created: Lazy, names: pd.DataFrame, months: pd.DataFrame
) -> pd.DataFrame:
    """Share each source's spend of a quarter equally by the opportunities created from it.

    What was spent on a source without any opportunity is of nobody: the company's alone.

    Parameters
    ----------
    engine, snapshot
        Where `sources` are.
    created
        Opportunities with their owner at creation.
    names
        Owners' rep_id, team_id and period.
    months
        Months of owners, as `people.owner_months` gives them.

    Returns
    -------
    DataFrame
        owner, spend_allocated, opportunities_of_paid_sources; one row an owner and source.
    """
    spent = snapshot.read("sources")[[sources.source, sources.period, sources.spend]]
    spent = spent.dropna(subset=[sources.spend]).rename(columns={sources.period: "period"})
    counted = created.filter(~nw.col(opportunities.source).is_null())
    counts = engine.collect(
        counted.group_by(OWNER, opportunities.source).agg(nw.len().alias(BOUGHT))
    )
    keys = [sources.source, "period"]
    rows = counts.assign(period=counts[OWNER].map(names["period"]).astype(object))
    rows = spent.merge(rows, on=keys, how="left")
    nobody = months[months[_rep] == UNASSIGNED].drop_duplicates("period")
    nobodys = rows["period"].map(nobody.set_index("period")[OWNER])
    whole = rows.groupby(keys)[BOUGHT].transform("sum")
    share = np.where(whole > 0, rows[BOUGHT] / whole.where(whole > 0), 1.0)
    found = pd.DataFrame(
        {
            OWNER: rows[OWNER].fillna(nobodys),
            SPEND: rows[sources.spend].astype(float) * share,
            BOUGHT: rows[BOUGHT].astype(float),
        }
    ).dropna(subset=[OWNER])
    return found.astype({OWNER: "int32"})


def reach_accounts(
    engine: Engine, snapshot: Snapshot, months: pd.DataFrame, periods: tuple[str, ...],
    as_of: dt.date,
) -> pd.DataFrame:  # fmt: skip
    """List target accounts by quarter, their owner, and whether somebody reached them in it.

    The owner works the account's territory now, and is in the team of the quarter's last day (or
    of `as_of`); where there is none, or was not employed then, the account is of nobody.

    Returns
    -------
    DataFrame
        owner, is_reached_account.
    """
    wanted = snapshot.read("accounts")[
        [accounts.account_id, accounts.is_target, accounts.territory_id]
    ]
    wanted = wanted[wanted[accounts.is_target].fillna(False).astype(bool)]
    worked = snapshot.read("territories")[[territories.territory_id, territories.rep_id]]
    wanted = wanted.merge(worked, on=accounts.territory_id, how="left")
    ends = [min(snapshot.calendar.last_day(period), as_of) for period in periods]
    quarters = pd.DataFrame({"period": list(periods), DAY: pd.to_datetime(ends)})
    rows = wanted[[accounts.account_id, _rep]].merge(quarters, how="cross")
    staff = snapshot.read("reps").set_index(reps.rep_id)
    hired, left = (
        rows[_rep].map(pd.to_datetime(staff[name])) for name in (reps.hired_on, reps.left_on)
    )
    is_there = ~(hired > rows[DAY]) & ~(left <= rows[DAY])
    rows[_rep] = rows[_rep].where(is_there & rows[_rep].notna(), UNASSIGNED).astype(object)
    rows[MONTH] = rows[DAY].dt.year * 12 + rows[DAY].dt.month
    rows = rows.merge(months.drop(columns="period"), on=[_rep, MONTH])
    rows = rows[
        (rows[DAY] >= rows[memberships.valid_from]) & (rows[DAY] < rows[memberships.valid_to])
    ]
    touched = _touched_accounts(engine, snapshot, wanted[accounts.account_id], periods, as_of)
    rows = rows.merge(touched, on=[accounts.account_id, "period"], how="left", indicator=True)
    return pd.DataFrame({OWNER: rows[OWNER], IS_REACHED: rows["_merge"] == "both"})


def _touched_accounts(
    engine: Engine, snapshot: Snapshot, wanted: pd.Series[str], periods: tuple[str, ...],
    as_of: dt.date,
) -> pd.DataFrame:  # fmt: skip
    """Pair accounts with the quarters in which an answered touch is logged: account_id, period."""
    calendar = snapshot.calendar
    days = calendar.days(calendar.first_day(periods[0]), as_of)
    days = days.rename(columns={"day": activities.started_at})
    accounts_of = facts.read_columns(
        engine, snapshot, opportunities.opportunity_id, opportunities.account_id
    ).join(engine.local(wanted.drop_duplicates().to_frame()), on=accounts.account_id)
    touched = facts.read_columns(
        engine, snapshot, activities.opportunity_id, activities.started_at, activities.is_connected
    ).filter(nw.col(activities.is_connected))
    touched = touched.with_columns(nw.col(activities.started_at).cast(nw.Date))
    pairs = touched.join(accounts_of, on=opportunities.opportunity_id).join(
        engine.local(days), on=activities.started_at
    )
    return engine.collect(pairs.select(accounts.account_id, "period").unique())
