"""What the tables say of opportunities as of days: touches, stages, and what they are."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import pandas as pd

from salesnb.measures import facts
from salesnb.measures.catalogue.columns import AMOUNT, DAY, IS_LOST, IS_WON
from salesnb.measures.engine import Engine, Lazy
from salesnb.measures.flow import stays
from salesnb.schema import accounts, activities, opportunities, stage_history
from salesnb.sources.snapshot import Snapshot

_KEY = opportunities.opportunity_id
_STARTED, _KNOWN, _ANSWERED, _ENTERED, _NEXT = "on_day", "known_on", "answered", "entered", "next"
_RECENT = 30
"""Days of touches that are recent."""
_KINDS = ("call", "meeting", "email")
TOUCHES = ["touches_30", "n_meetings", "untouched_days", "n_kinds"]


def read_touches(engine: Engine, snapshot: Snapshot, keys: Lazy) -> pd.DataFrame:
    """Count touches of each opportunity that were in the CRM by the day asked for.

    What was logged later is not known yet, however early it happened.

    Returns
    -------
    DataFrame
        opportunity_id, day, touches_30 (of the last 30 days), n_meetings held, untouched_days
        (since the last answered one) and n_kinds of answered ones; no row without any touch.
    """
    if not snapshot.has("activities", activities.opportunity_id):
        return pd.DataFrame(columns=[_KEY, DAY, *TOUCHES])
    day = nw.col(DAY)
    rows = keys.join(_known_touches(engine, snapshot), on=_KEY).filter(nw.col(_KNOWN) <= day)
    age = (day - nw.col(_STARTED)).cast(nw.Int64)
    one, nothing = nw.lit(1.0), nw.lit(0.0)
    answered = nw.col(_ANSWERED)
    met = answered & (nw.col(activities.kind) == "meeting")
    kinds = [
        nw.when(answered & (nw.col(activities.kind) == kind)).then(one).otherwise(nothing)
        .max().alias(f"has_{kind}")
        for kind in _KINDS
    ]  # fmt: skip
    found = rows.group_by(_KEY, DAY).agg(
        nw.when(age < _RECENT).then(one).otherwise(nothing).sum().alias("touches_30"),
        nw.when(met).then(one).otherwise(nothing).sum().alias("n_meetings"),
        nw.when(answered).then(age).min().cast(nw.Float64).alias("untouched_days"),
        *kinds,
    )
    table = engine.collect(found)
    table["n_kinds"] = table[[f"has_{kind}" for kind in _KINDS]].sum(axis=1)
    return table[[_KEY, DAY, *TOUCHES]]


def _known_touches(engine: Engine, snapshot: Snapshot) -> Lazy:
    rows = facts.read_columns(
        engine, snapshot, activities.opportunity_id, activities.kind, activities.started_at,
        activities.logged_at, activities.is_connected,
    )  # fmt: skip
    started = nw.col(activities.started_at).cast(nw.Date)
    logged = nw.col(activities.logged_at).cast(nw.Date).fill_null(started)
    rows = rows.filter(~nw.col(activities.opportunity_id).is_null())
    return rows.select(
        nw.col(activities.opportunity_id).alias(_KEY),
        activities.kind,
        started.alias(_STARTED),
        nw.when(logged > started).then(logged).otherwise(started).alias(_KNOWN),
        nw.col(activities.is_connected).fill_null(True).alias(_ANSWERED),
    )


def read_stages(engine: Engine, snapshot: Snapshot, keys: Lazy, as_of: dt.date) -> pd.DataFrame:
    """Find the stage each opportunity was in at the end of the day asked for.

    Returns
    -------
    DataFrame
        opportunity_id, day, stage_then, stage_days (in it), n_stages (entries by then) and n_back
        (entries into a stage before the one left); no row before the first entry.
    """
    columns = ["stage_then", "stage_days", "n_stages", "n_back"]
    if not snapshot.has("stage_history"):
        return pd.DataFrame(columns=[_KEY, DAY, *columns])
    day = nw.col(DAY)
    rows = keys.join(_entries(engine, snapshot, as_of), on=_KEY)
    until = nw.col(_NEXT)
    rows = rows.filter(nw.col(_ENTERED) <= day, until.is_null() | (until > day))
    found = rows.select(
        _KEY,
        DAY,
        nw.col(stage_history.stage).alias("stage_then"),
        (day - nw.col(_ENTERED)).cast(nw.Int64).cast(nw.Float64).alias("stage_days"),
        nw.col("n_stages").cast(nw.Float64),
        nw.col("n_back").cast(nw.Float64),
    )
    return engine.collect(found)


def _entries(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> Lazy:
    """Take the entries the flow counts, with the next one, how many came so far, how many back."""
    rows = stays.find_entries(engine, snapshot, stays.stage_list(snapshot), as_of)
    sequence = stays.order_of_entries()

    def beside(name: str, by: int) -> nw.Expr:
        return nw.col(name).shift(by).over(_KEY, order_by=sequence)

    is_listed = nw.col(stays.KIND) != stays.UNKNOWN
    rows = rows.with_columns(
        nw.when(is_listed).then(nw.col(stays.RANK)).alias("_place"), nw.lit(1).alias("_one")
    )
    back = (nw.col("_place") < beside("_place", 1)).fill_null(False)
    rows = rows.with_columns(
        beside(stays.ENTERED_ON, -1).alias(_NEXT),
        nw.when(back).then(nw.lit(1)).otherwise(nw.lit(0)).alias("_back"),
    )
    return rows.select(
        _KEY,
        stage_history.stage,
        nw.col(stays.ENTERED_ON).alias(_ENTERED),
        _NEXT,
        nw.col("_one").cum_sum().over(_KEY, order_by=sequence).alias("n_stages"),
        nw.col("_back").cum_sum().over(_KEY, order_by=sequence).alias("n_back"),
    )


def read_nature(engine: Engine, snapshot: Snapshot) -> pd.DataFrame:
    """Read what opportunities are, as the CRM says today.

    Returns
    -------
    DataFrame
        opportunity_id, source, type, product_id, account_id, account (its name) and industry.
    """
    rows = facts.read_columns(
        engine, snapshot, opportunities.opportunity_id, opportunities.source, opportunities.type,
        opportunities.product_id, opportunities.account_id,
    )  # fmt: skip
    if not snapshot.has("accounts"):
        found = engine.collect(rows)
        return found.assign(account=found[opportunities.account_id], industry=None)
    named = facts.read_columns(
        engine, snapshot, accounts.account_id, accounts.name, accounts.industry
    ).select(accounts.account_id, nw.col(accounts.name).alias("account"), accounts.industry)
    found = engine.collect(rows.join(named, on=opportunities.account_id, how="left"))
    return found.assign(account=found["account"].fillna(found[opportunities.account_id]))


def read_first_wins(engine: Engine, amount: Lazy) -> pd.Series[pd.Timestamp]:
    """Find the day on which each account first bought."""
    won = amount.filter(nw.col(IS_WON), ~nw.col(opportunities.account_id).is_null())
    first = nw.col(opportunities.closed_on).min()
    found = engine.collect(won.group_by(opportunities.account_id).agg(first))
    return pd.to_datetime(found.set_index(opportunities.account_id)[opportunities.closed_on])


def count_ages(engine: Engine, amount: Lazy, as_of: dt.date) -> pd.DataFrame:
    """Count opportunities by the age at which they were won or lost, or that they have reached.

    What was closed before the first close is not in the data. So older ones were not watched from
    their beginning: they come in at the age they had that day.

    Returns
    -------
    DataFrame
        age_days, n_entered (watched from that age on), n_won, n_lost, n_open; without a day of
        creation there is no age.
    """
    closed, created = nw.col(opportunities.closed_on), nw.col(opportunities.created_on)
    is_ended = nw.col(IS_WON) | nw.col(IS_LOST)
    closes = engine.collect(amount.filter(is_ended).select(closed.min()))
    first = pd.to_datetime(closes[opportunities.closed_on]).fillna(pd.Timestamp(as_of)).iloc[0]
    rows = amount.filter(~created.is_null()).with_columns(is_ended.alias("_is_ended"))
    end = nw.when(nw.col("_is_ended")).then(closed).otherwise(nw.lit(as_of))
    watched = nw.when(created < first.date()).then(nw.lit(first.date())).otherwise(created)
    # a close before the creation is a slip of the record
    watched = nw.when(watched > end).then(end).otherwise(watched)
    rows = rows.with_columns(
        (end - created).cast(nw.Int64).cast(nw.Float64).alias("age_days"),
        (watched - created).cast(nw.Int64).cast(nw.Float64).alias("_entry"),
        *(
            nw.when(met).then(nw.lit(1.0)).otherwise(nw.lit(0.0)).alias(name)
            for name, met in (
                ("n_won", nw.col(IS_WON)),
                ("n_lost", nw.col("_is_ended") & ~nw.col(IS_WON)),
                ("n_open", ~nw.col("_is_ended")),
            )
        ),
    )
    entered = engine.collect(rows.group_by("_entry").agg(nw.len().cast(nw.Float64).alias("n")))
    entered = entered.rename(columns={"_entry": "age_days", "n": "n_entered"})
    ended = ["n_won", "n_lost", "n_open"]
    sums = engine.collect(rows.group_by("age_days").agg(*(nw.col(name).sum() for name in ended)))
    ages = entered.merge(sums, on="age_days", how="outer").fillna(0.0).astype("float64")
    return ages.sort_values("age_days", ignore_index=True)


def sum_bookings(engine: Engine, amount: Lazy) -> pd.DataFrame:
    """Add up what was won by owner and day: rep_id, closed_on, n, booked."""
    won = amount.filter(nw.col(IS_WON), ~nw.col(AMOUNT).is_null())
    sums = won.group_by(opportunities.rep_id, opportunities.closed_on).agg(
        nw.len().cast(nw.Float64).alias("n"), nw.col(AMOUNT).sum().alias("booked")
    )
    found = engine.collect(sums)
    found[opportunities.closed_on] = pd.to_datetime(found[opportunities.closed_on])
    order = [opportunities.closed_on, opportunities.rep_id]
    return found.sort_values(order, ignore_index=True)


def mean_bookings(engine: Engine, snapshot: Snapshot, amount: Lazy) -> pd.DataFrame:
    """Add up what was won by product: product_id ('' where unknown), n, booked."""
    product = facts.read_columns(
        engine, snapshot, opportunities.opportunity_id, opportunities.product_id
    )
    won = amount.filter(nw.col(IS_WON), ~nw.col(AMOUNT).is_null())
    rows = won.select(opportunities.opportunity_id, AMOUNT).join(
        product, on=opportunities.opportunity_id
    )
    rows = rows.with_columns(nw.col(opportunities.product_id).fill_null(""))
    sums = rows.group_by(opportunities.product_id).agg(
        nw.len().cast(nw.Float64).alias("n"), nw.col(AMOUNT).sum().alias("booked")
    )
    return engine.collect(sums).sort_values(opportunities.product_id, ignore_index=True)
