"""Facts: tables of the snapshot as they were known on a day, with the columns KPIs are made of."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import pandas as pd

from salesnb.errors import DataError, quote_examples
from salesnb.measures.catalogue import (
    AMOUNT,
    BOOKED,
    CYCLE,
    DAY,
    DUE,
    IS_CALL,
    IS_LOST,
    IS_MEETING,
    IS_VALID,
    IS_WON,
    LEAD_WON,
    QUOTA,
)
from salesnb.measures.engine import Engine, Lazy
from salesnb.periods import FiscalCalendar
from salesnb.schema import (
    TABLES,
    activities,
    exchange_rates,
    leads,
    opportunities,
    pipeline_snapshots,
    ratings,
)
from salesnb.sources.snapshot import Snapshot

_INVALID = ("duplicate", "invalid")
_RATE, _RATE_DAY = "rate_to_reporting", "rate_day"
_MINUTES_A_DAY = 1440


def opportunity_facts(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> Lazy:
    """Opportunities created by `as_of`, with their state and converted amount on that day."""
    rows = _with_columns(engine.table("opportunities"), snapshot, "opportunities")
    created, closed = nw.col(opportunities.created_on), nw.col(opportunities.closed_on)
    decided = (nw.col(opportunities.is_closed) & (closed <= as_of)).fill_null(False)
    rows = rows.filter(created.is_null() | (created <= as_of)).with_columns(
        (decided & nw.col(opportunities.is_won)).alias(IS_WON),
        (decided & ~nw.col(opportunities.is_won)).alias(IS_LOST),
        nw.when(decided).then(closed).otherwise(nw.lit(as_of)).alias(_RATE_DAY),
        ((closed.cast(nw.Datetime) - created.cast(nw.Datetime)).dt.total_minutes()
         / _MINUTES_A_DAY).alias(CYCLE),
    )  # fmt: skip
    return _convert(rows, engine, snapshot, as_of)


def lead_facts(engine: Engine, snapshot: Snapshot, opportunity: Lazy, as_of: dt.date) -> Lazy:
    """Leads created by `as_of`, with whether they are valid and became a won opportunity."""
    rows = _with_columns(engine.table("leads"), snapshot, "leads")
    rows = rows.with_columns(nw.col(leads.created_at).cast(nw.Date))
    won = opportunity.select(
        nw.col(opportunities.opportunity_id).alias(leads.converted_opportunity_id),
        nw.col(IS_WON).alias(LEAD_WON),
    )
    rejected = nw.col(leads.rejected_reason).str.to_lowercase().is_in(_INVALID).fill_null(False)
    return (
        rows.filter(nw.col(leads.created_at) <= as_of)
        .join(won, on=leads.converted_opportunity_id, how="left")
        .with_columns((~rejected).alias(IS_VALID), nw.col(LEAD_WON).fill_null(False))
    )


def activity_facts(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> Lazy:
    """Activities started by `as_of`, with whether they count as connected call or held meeting."""
    rows = _with_columns(engine.table("activities"), snapshot, "activities")
    rows = rows.with_columns(nw.col(activities.started_at).cast(nw.Date))
    answered = nw.col(activities.is_connected).fill_null(True)
    shortest = snapshot.company.connected_call_seconds
    long_enough = (nw.col(activities.seconds) >= shortest).fill_null(True)
    kind = nw.col(activities.kind)
    return rows.filter(nw.col(activities.started_at) <= as_of).with_columns(
        ((kind == "call") & answered & long_enough).alias(IS_CALL),
        ((kind == "meeting") & answered).alias(IS_MEETING),
    )


def rating_facts(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> Lazy:
    """Skill scores given by `as_of`; what was not observed is left out."""
    rows = _with_columns(engine.table("ratings"), snapshot, "ratings")
    return rows.filter((nw.col(ratings.rated_on) <= as_of) & ~nw.col(ratings.score).is_null())


def due_facts(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, quotas: pd.DataFrame, as_of: dt.date
) -> Lazy:
    """Open amounts due per quarter beside what the quota still lacks.

    A past quarter is seen on its first day, through the last pipeline picture of the month
    before; the quarter of `as_of` is seen on that day. A quarter that cannot be seen has no rows.
    """
    calendar, now = snapshot.calendar, snapshot.calendar.quarter_of(as_of)
    pictures = _picture_days(engine, snapshot, calendar)
    seen = [*pictures["period"], now]
    quota = quotas[quotas["period"].isin(seen)]
    columns = [opportunities.rep_id, "period", DAY, DUE, QUOTA, BOOKED]
    in_quarter = nw.col(opportunities.expected_close_on).is_between(
        calendar.first_day(now), calendar.last_day(now)
    )
    booked_now = nw.col(IS_WON) & nw.col(opportunities.closed_on).is_between(
        calendar.first_day(now), calendar.last_day(now)
    )
    nothing = nw.lit(None, nw.Float64)
    is_open = ~nw.col(IS_WON) & ~nw.col(IS_LOST)
    amount = nw.col(AMOUNT)
    running = opportunity.filter((is_open & in_quarter) | booked_now).with_columns(
        nw.lit(now).alias("period"), nw.lit(as_of).alias(DAY),
        nw.when(is_open).then(amount).alias(DUE), nw.lit(0.0).alias(QUOTA),
        nw.when(booked_now).then(amount).otherwise(nw.lit(0.0)).alias(BOOKED),
    )  # fmt: skip
    parts = [running.select(*columns)]
    if len(quota):
        parts.append(
            engine.local(quota)
            .with_columns(nothing.alias(DUE), nw.lit(0.0).alias(BOOKED))
            .select(*columns)
        )
    if len(pictures):
        parts.append(_pictured(engine, snapshot, opportunity, pictures, calendar).select(*columns))
    return nw.concat(parts)


def _pictured(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, pictures: pd.DataFrame,
    calendar: FiscalCalendar,
) -> Lazy:  # fmt: skip
    owner = opportunity.select(
        pipeline_snapshots.opportunity_id, opportunities.rep_id, opportunities.currency
    )
    due_in = calendar.days(
        calendar.first_day(pictures["period"].min()), calendar.last_day(pictures["period"].max())
    )[["day", "period"]].rename(
        columns={"day": pipeline_snapshots.expected_close_on, "period": "_due_in"}
    )
    rows = (
        engine.table("pipeline_snapshots")
        .join(engine.local(pictures), on=pipeline_snapshots.as_of)
        .join(engine.local(due_in), on=pipeline_snapshots.expected_close_on)
        .filter(nw.col("_due_in") == nw.col("period"))
        .join(owner, on=pipeline_snapshots.opportunity_id)
        .with_columns(nw.col(pipeline_snapshots.as_of).alias(_RATE_DAY))
    )
    rows = _convert(rows, engine, snapshot, snapshot.as_of)
    return rows.with_columns(
        nw.col(AMOUNT).alias(DUE), nw.lit(0.0).alias(QUOTA), nw.lit(0.0).alias(BOOKED)
    )


def _picture_days(engine: Engine, snapshot: Snapshot, calendar: FiscalCalendar) -> pd.DataFrame:
    """Match each past quarter with the last pipeline picture up to 35 days before its second day.

    Returns
    -------
    DataFrame
        as_of, period, day (the quarter's first).
    """
    empty = pd.DataFrame({pipeline_snapshots.as_of: [], "period": [], DAY: []})
    if not snapshot.has("pipeline_snapshots"):
        return empty
    days = engine.collect(
        engine.table("pipeline_snapshots").select(pipeline_snapshots.as_of).unique()
    )[pipeline_snapshots.as_of]
    days = pd.to_datetime(days).sort_values()
    found = []
    for period in calendar.between(days.min().date(), snapshot.as_of):
        first = pd.Timestamp(calendar.first_day(period))
        near = days[(days <= first) & (days >= first - pd.Timedelta(days=35))]
        if len(near) and period != calendar.quarter_of(snapshot.as_of):
            found.append((near.iloc[-1], period, first))
    return (
        pd.DataFrame(found, columns=[pipeline_snapshots.as_of, "period", DAY]) if found else empty
    )


def _with_columns(rows: Lazy, snapshot: Snapshot, table: str) -> Lazy:
    """Add the declared columns the snapshot's table lacks, all missing."""
    kinds = {
        "text": nw.String(),
        "date": nw.Date(),
        "timestamp": nw.Datetime(),
        "number": nw.Float64(),
        "integer": nw.Int64(),
        "boolean": nw.Boolean(),
    }
    absent = [c for c in TABLES[table].columns.values() if not snapshot.has(table, c)]
    return (
        rows.with_columns(*(nw.lit(None, kinds[c.rule.kind]).alias(str(c)) for c in absent))
        if absent
        else rows
    )


def _convert(rows: Lazy, engine: Engine, snapshot: Snapshot, as_of: dt.date) -> Lazy:
    """Add the amount in the reporting currency at the rate of `_RATE_DAY`; none when <= 0."""
    home = snapshot.company.currency
    currency, amount = nw.col(opportunities.currency), nw.col(opportunities.amount)
    rows = rows.with_columns(currency.fill_null(home))
    rates = daily_rates(snapshot, as_of)
    if rates.empty:
        rows = rows.with_columns(nw.lit(1.0).alias(_RATE))
    else:
        rows = rows.join(engine.local(rates), on=[opportunities.currency, _RATE_DAY], how="left")
    rate = nw.when(currency == home).then(nw.lit(1.0)).otherwise(nw.col(_RATE))
    return rows.with_columns(nw.when(amount > 0).then(amount * rate).alias(AMOUNT))


def check_rates(engine: Engine, snapshot: Snapshot, opportunity: Lazy) -> None:
    """Refuse to add up amounts whose currency has no rate on the day they closed.

    Raises
    ------
    DataError
        Names each currency, its count, and the first day without a rate.
    """
    lacking = opportunity.filter(
        (nw.col(opportunities.amount) > 0) & nw.col(AMOUNT).is_null()
        & (nw.col(opportunities.currency) != snapshot.company.currency)
    )  # fmt: skip
    if not snapshot.has("opportunities", opportunities.currency):
        return
    found = engine.collect(
        lacking.group_by(opportunities.currency).agg(
            nw.len().alias("n"), nw.col(_RATE_DAY).min().alias("first")
        )
    )
    if len(found):
        lines = [
            f"{row['currency']} ({row['n']:,}, first on {row['first']:%Y-%m-%d})"
            for row in found.to_dict("records")
        ]
        raise DataError(
            f"exchange_rates: no rate for the amounts of {quote_examples(sorted(lines))}. "
            f"Add rates into {snapshot.company.currency} from that day."
        )


def daily_rates(snapshot: Snapshot, as_of: dt.date) -> pd.DataFrame:
    """Carry each dated rate forward day by day up to `as_of`.

    Returns
    -------
    DataFrame
        currency, rate_day, rate_to_reporting; empty without exchange rates.
    """
    rates = snapshot.read("exchange_rates")
    if rates.empty:
        return pd.DataFrame()
    rates = rates.assign(**{exchange_rates.rate_on: pd.to_datetime(rates[exchange_rates.rate_on])})
    wide = rates.pivot_table(
        index=exchange_rates.rate_on, columns=exchange_rates.currency, values=exchange_rates.rate
    )
    last = max(pd.Timestamp(as_of), wide.index.max())
    wide = wide.reindex(pd.date_range(wide.index.min(), last, freq="D")).ffill()
    wide.index.name = _RATE_DAY
    long = wide.reset_index().melt(
        id_vars=_RATE_DAY, var_name=opportunities.currency, value_name=_RATE
    )
    return long.dropna()
