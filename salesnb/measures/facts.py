"""Facts: tables of the snapshot as they were known on a day, with the columns KPIs are made of."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import pandas as pd

from salesnb.errors import DataError, quote_examples
from salesnb.measures.catalogue.columns import (
    AMOUNT,
    CYCLE,
    IS_CALL,
    IS_LOST,
    IS_MEETING,
    IS_UNDECIDED,
    IS_VALID,
    IS_WON,
    LEAD_CONVERTED,
    LEAD_QUALIFIED,
    LEAD_WON,
    LIST_AMOUNT,
    WON_IN_TIME,
)
from salesnb.measures.engine import DTYPES, Engine, Lazy
from salesnb.measures.people import EVER, MONTH, NEVER, UNASSIGNED
from salesnb.schema import (
    Column,
    activities,
    exchange_rates,
    leads,
    memberships,
    opportunities,
    owner_history,
    pipeline_snapshots,
    ratings,
)
from salesnb.sources.snapshot import Snapshot

_FOUND = "is_found"
_INVALID = ("duplicate", "invalid")
_RATE = "rate_to_reporting"
RATE_DAY = "rate_day"
_OWNER, _SINCE, _UNTIL = "owner_then", "owned_since", "owned_until"
_MOST = 5
"""Currencies an error names."""


def opportunity_facts(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> Lazy:
    """Opportunities created by `as_of`, with their state on that day.

    All that is said of one is of its owner at close, of an open one of the owner on `as_of`.
    """
    rows = read_columns(
        engine, snapshot, opportunities.opportunity_id, opportunities.rep_id,
        opportunities.created_on, opportunities.qualified_on, opportunities.closed_on,
        opportunities.expected_close_on, opportunities.is_won, opportunities.is_closed,
        opportunities.amount, opportunities.currency, opportunities.list_amount,
        opportunities.loss_reason, opportunities.source, opportunities.account_id,
        opportunities.type,
    )  # fmt: skip
    company = snapshot.company
    reasons = [reason.strip().lower() for reason in company.no_decision_reasons]
    reason = nw.col(opportunities.loss_reason).str.strip_chars().str.to_lowercase()
    created, closed = nw.col(opportunities.created_on), nw.col(opportunities.closed_on)
    decided = (nw.col(opportunities.is_closed) & (closed <= as_of)).fill_null(False)
    rows = rows.filter(created.is_null() | (created <= as_of)).with_columns(
        (decided & nw.col(opportunities.is_won)).alias(IS_WON),
        (decided & ~nw.col(opportunities.is_won)).alias(IS_LOST),
        nw.when(decided).then(closed).otherwise(nw.lit(as_of)).alias(RATE_DAY),
        # DuckDB's difference of dates is a count of days, Spark's an interval of days.
        (closed - created).cast(nw.Int64).cast(nw.Float64).alias(CYCLE),
    ).with_columns(
        (nw.col(IS_WON) & (nw.col(CYCLE) <= company.maturity_days)).alias(WON_IN_TIME),
        (nw.col(IS_LOST) & reason.is_in(reasons)).alias(IS_UNDECIDED),
    )  # fmt: skip
    return with_owner(rows, engine, snapshot, RATE_DAY)


def amount_facts(engine: Engine, snapshot: Snapshot, opportunity: Lazy, as_of: dt.date) -> Lazy:
    """Opportunities with their converted amount; what counts no money is spared the rates."""
    rows = convert(opportunity, engine, snapshot, as_of)
    listed = nw.when(nw.col(opportunities.list_amount) > 0).then(nw.col(opportunities.list_amount))
    at_rate = listed * nw.col(AMOUNT) / nw.col(opportunities.amount)
    return rows.with_columns(at_rate.alias(LIST_AMOUNT))


def lead_facts(engine: Engine, snapshot: Snapshot, opportunity: Lazy, as_of: dt.date) -> Lazy:
    """Leads created by `as_of`, with whether they are valid, were qualified and won by then."""
    rows = _leads(engine, snapshot, as_of)
    won = _converted(rows, opportunity.filter(nw.col(IS_WON)))
    rows = rows.join(won, on=leads.converted_opportunity_id, how="left")
    return rows.with_columns((~nw.col(_FOUND).is_null()).alias(LEAD_WON))


def qualified_lead_facts(
    engine: Engine, snapshot: Snapshot, opportunity: Lazy, as_of: dt.date
) -> Lazy:
    """Find valid leads qualified by `as_of`, and whether they were an opportunity by then."""
    rows = _leads(engine, snapshot, as_of).filter(nw.col(IS_VALID) & nw.col(LEAD_QUALIFIED))
    known = _converted(rows, opportunity)
    rows = rows.join(known, on=leads.converted_opportunity_id, how="left")
    return rows.with_columns((~nw.col(_FOUND).is_null()).alias(LEAD_CONVERTED))


def _leads(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> Lazy:
    rows = read_columns(
        engine, snapshot, leads.rep_id, leads.created_at, leads.converted_opportunity_id,
        leads.rejected_reason, leads.qualified_at,
    )  # fmt: skip
    qualified = nw.col(leads.qualified_at).cast(nw.Date) <= as_of
    rows = rows.with_columns(nw.col(leads.created_at).cast(nw.Date))
    return rows.filter(nw.col(leads.created_at) <= as_of).with_columns(
        is_valid_lead().alias(IS_VALID), qualified.fill_null(False).alias(LEAD_QUALIFIED)
    )


def _converted(rows: Lazy, opportunity: Lazy) -> Lazy:
    """List the opportunities that were leads; all of them at once would fill memory."""
    converted = nw.col(leads.converted_opportunity_id)
    found = opportunity.select(
        nw.col(opportunities.opportunity_id).alias(leads.converted_opportunity_id)
    )
    named = rows.select(converted).filter(~converted.is_null())
    found = found.join(named, on=leads.converted_opportunity_id, how="semi")
    return found.with_columns(nw.lit(True).alias(_FOUND))


def is_valid_lead() -> nw.Expr:
    """Whether a lead is neither a duplicate nor invalid."""
    reason = nw.col(leads.rejected_reason).str.to_lowercase()
    return ~reason.is_in(_INVALID).fill_null(False)


def activity_facts(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> Lazy:
    """Activities started by `as_of` that are a connected call or a held meeting."""
    rows = read_columns(
        engine, snapshot, activities.rep_id, activities.kind, activities.started_at,
        activities.seconds, activities.is_connected,
    )  # fmt: skip
    rows = rows.with_columns(nw.col(activities.started_at).cast(nw.Date))
    answered = nw.col(activities.is_connected).fill_null(True)
    shortest = snapshot.company.connected_call_seconds
    long_enough = (nw.col(activities.seconds) >= shortest).fill_null(True)
    is_call, is_meeting = (nw.col(activities.kind) == kind for kind in ("call", "meeting"))
    # Most rows are mails and unanswered calls: they need not find their owner.
    counts = nw.when(is_call).then(answered & long_enough).when(is_meeting).then(answered)
    return rows.filter(
        nw.col(activities.started_at) <= as_of, counts.otherwise(nw.lit(False))
    ).with_columns(is_call.alias(IS_CALL), is_meeting.alias(IS_MEETING))


def rating_facts(engine: Engine, snapshot: Snapshot, as_of: dt.date) -> Lazy:
    """Skill scores given by `as_of`; what was not observed is left out."""
    rows = read_columns(
        engine, snapshot, ratings.form_id, ratings.rep_id, ratings.rater_id, ratings.rater_role,
        ratings.skill, ratings.score, ratings.rated_on,
    )  # fmt: skip
    return rows.filter((nw.col(ratings.rated_on) <= as_of) & ~nw.col(ratings.score).is_null())


def picture_days(engine: Engine) -> pd.Series[pd.Timestamp]:
    """List the days of the pictures of the pipeline, the first first."""
    table = engine.table("pipeline_snapshots").select(pipeline_snapshots.as_of).unique()
    days = pd.to_datetime(engine.collect(table)[pipeline_snapshots.as_of])
    return days.sort_values(ignore_index=True)


def pictured_amounts(engine: Engine, snapshot: Snapshot, pictured: Lazy, as_of: dt.date) -> Lazy:
    """Give what pictures hold its owner, and its converted amount, on the picture's day."""
    rows = pictured.with_columns(nw.col(pipeline_snapshots.as_of).alias(RATE_DAY))
    return convert(with_owner(rows, engine, snapshot, RATE_DAY), engine, snapshot, as_of)


def with_owner(rows: Lazy, engine: Engine, snapshot: Snapshot, on: str) -> Lazy:
    """Give each opportunity to who owned it at the end of the day `on`.

    Of changes at one moment the later rep_id counts. Before the first change it is who handed it
    over; where the history does not say, the owner stays who it was.
    """
    if not snapshot.has("owner_history"):
        return rows
    spells = _ownership(
        read_columns(
            engine, snapshot, owner_history.opportunity_id, owner_history.rep_id,
            owner_history.owned_from, owner_history.previous_rep_id,
        )
    )  # fmt: skip
    start, end = nw.col(_SINCE), nw.col(_UNTIL)
    rows = rows.join(spells, on=opportunities.opportunity_id, how="left")
    rows = rows.filter(start.is_null() | ((nw.col(on) >= start) & (nw.col(on) < end)))
    return rows.with_columns(
        nw.coalesce(_OWNER, opportunities.rep_id).alias(opportunities.rep_id)
    ).drop(_OWNER, _SINCE, _UNTIL)


def _ownership(history: Lazy) -> Lazy:
    """Cut all time at an opportunity's changes of owner, from `_SINCE` to before `_UNTIL`."""
    day = nw.col(owner_history.owned_from).cast(nw.Date)
    order = [owner_history.owned_from, owner_history.rep_id]

    def beside(by: int) -> nw.Expr:
        return nw.col(_SINCE).shift(by).over(owner_history.opportunity_id, order_by=order)

    changes = history.with_columns(day.alias(_SINCE)).with_columns(
        beside(-1).fill_null(NEVER.date()).alias(_UNTIL), beside(1).is_null().alias("_is_first")
    )
    columns = [owner_history.opportunity_id, _OWNER, _SINCE, _UNTIL]
    after = changes.with_columns(nw.col(owner_history.rep_id).alias(_OWNER))
    before = changes.filter(nw.col("_is_first")).select(
        owner_history.opportunity_id,
        nw.col(owner_history.previous_rep_id).alias(_OWNER),
        nw.lit(EVER.date()).alias(_SINCE),
        nw.col(_SINCE).alias(_UNTIL),
    )
    return nw.concat([before, after.select(*columns)])


def with_team(rows: Lazy, owners: Lazy, on: str) -> Lazy:
    """Give each row its `OWNER`: the rep, the team on the day `on`, and that day's quarter.

    Rows of a day outside the quarters of `owners`, or without a day, are left out. Every rep is
    known: the import has refused the others.
    """
    day = nw.col(on)
    rows = rows.with_columns(
        nw.col(memberships.rep_id).fill_null(UNASSIGNED),
        (day.dt.year() * 12 + day.dt.month()).alias(MONTH),
    ).join(owners, on=[memberships.rep_id, MONTH])
    return rows.filter(
        (day >= nw.col(memberships.valid_from)) & (day < nw.col(memberships.valid_to))
    )


def read_columns(engine: Engine, snapshot: Snapshot, *columns: Column) -> Lazy:
    """Open these columns of a table; those the snapshot lacks are missing throughout."""
    table = columns[0].table
    return engine.table(table).select(
        *(
            nw.col(column) if snapshot.has(table, column)
            else nw.lit(None, DTYPES[column.rule.kind]).alias(str(column))
            for column in columns
        )
    )  # fmt: skip


def convert(rows: Lazy, engine: Engine, snapshot: Snapshot, as_of: dt.date) -> Lazy:
    """Add the amount in the reporting currency at the rate of `RATE_DAY`; none when <= 0.

    A rate of 0 is no rate.
    """
    currency, amount = nw.col(opportunities.currency), nw.col(opportunities.amount)
    rates = daily_rates(snapshot, as_of)
    if rates.empty:
        rows = rows.with_columns(nw.lit(None, nw.Float64).alias(_RATE))
    else:
        rows = rows.join(engine.local(rates), on=[opportunities.currency, RATE_DAY], how="left")
    is_home = currency.is_null() | (currency == snapshot.company.currency)
    rate = nw.when(is_home).then(nw.lit(1.0)).otherwise(nw.col(_RATE))
    return rows.with_columns(nw.when((amount > 0) & (rate > 0)).then(amount * rate).alias(AMOUNT))


def check_rates(engine: Engine, snapshot: Snapshot, converted: Lazy) -> None:
    """Refuse to add up amounts whose currency has no rate on the day they are converted.

    Raises
    ------
    DataError
        Names the currencies with most amounts, how many, and the first day without a rate.
    """
    if not snapshot.has("opportunities", opportunities.currency):
        return
    lacking = converted.filter(
        nw.col(opportunities.amount) > 0,
        nw.col(opportunities.currency) != snapshot.company.currency,
        nw.col(AMOUNT).is_null(),
    )
    found = engine.collect(
        lacking.group_by(opportunities.currency).agg(
            nw.len().alias("n"), nw.col(RATE_DAY).min().alias("first")
        )
    )
    if len(found):
        rows = found.sort_values(["n", opportunities.currency], ascending=[False, True])
        lines = [
            f"{row['currency']} ({row['n']:,}, first on {row['first']:%Y-%m-%d})"
            for row in rows.to_dict("records")
        ]
        shown = quote_examples(lines, most=_MOST)
        if len(lines) > _MOST:
            shown = f"{shown} and {len(lines) - _MOST:,} more currencies"
        raise DataError(
            f"exchange_rates: no rate for the amounts of {shown}. "
            f"Add rates into {snapshot.company.currency} from that day, correct wrong codes by a "
            "`map` of the currency in your mapping, or correct the company's currency."
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
    wide.index.name = RATE_DAY
    long = wide.reset_index().melt(
        id_vars=RATE_DAY, var_name=opportunities.currency, value_name=_RATE
    )
    return long.dropna()
