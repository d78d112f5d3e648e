"""How fast leads are answered, in minutes of business hours."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd

from salesnb.measures import facts
from salesnb.measures.catalogue.columns import (
    IS_IN_TIME,
    IS_TIME_UP,
    IS_TOUCHED,
    MINUTES,
    WAITED,
)
from salesnb.measures.engine import Engine, Lazy
from salesnb.schema import holidays, leads
from salesnb.sources.mapping import Company
from salesnb.sources.snapshot import Snapshot

_CREATED, _END = "created_on_day", "waited_until"
_STEPS = ((60.0, 5.0), (480.0, 30.0))
"""Minutes up to which a time is kept to so many minutes; longer ones to eight hours."""


def response_facts(
    engine: Engine, snapshot: Snapshot, periods: tuple[str, ...], as_of: dt.date
) -> Lazy:
    """Read valid leads created by `as_of`, with the business minutes until the first human touch.

    A lead that was not touched by then has waited until the end of that day.
    """
    rows = facts.read_columns(
        engine, snapshot, leads.rep_id, leads.created_at, leads.first_touch_at,
        leads.rejected_reason,
    ).filter(facts.is_valid_lead())  # fmt: skip
    rows = add_waits(rows, engine, snapshot, periods, as_of)
    return rows.with_columns(_rounded(nw.col(WAITED)).alias(MINUTES))


def add_waits(
    rows: Lazy, engine: Engine, snapshot: Snapshot, periods: tuple[str, ...], as_of: dt.date
) -> Lazy:
    """Say how many business minutes each lead had waited by its first touch, or by `as_of`.

    Leads created outside the quarters are left out; `created_at` becomes a day.
    """
    company = snapshot.company
    touched = nw.col(leads.first_touch_at)
    is_touched = (touched.cast(nw.Date) <= as_of).fill_null(False)
    rows = rows.with_columns(
        nw.col(leads.created_at).cast(nw.Date).alias(_CREATED),
        nw.when(is_touched).then(touched.cast(nw.Date)).otherwise(nw.lit(as_of)).alias(_END),
        is_touched.alias(IS_TOUCHED),
    )
    days = _business_days(snapshot, periods, as_of)
    for name in (_CREATED, _END):
        rows = rows.join(engine.local(_named(days, name)), on=name)
    whole = nw.lit(float((company.closes_at - company.opens_at) * 60))
    ended = nw.when(nw.col(IS_TOUCHED)).then(_into_day(touched, company)).otherwise(whole)
    waited = _minutes_at(_END, ended) - _minutes_at(
        _CREATED, _into_day(nw.col(leads.created_at), company)
    )
    in_time = waited <= company.sla_minutes
    return rows.with_columns(
        waited.alias(WAITED),
        (nw.col(IS_TOUCHED) & in_time).alias(IS_IN_TIME),
        (nw.col(IS_TOUCHED) | ~in_time).alias(IS_TIME_UP),
        nw.col(_CREATED).alias(leads.created_at),
    )


def _business_days(snapshot: Snapshot, periods: tuple[str, ...], as_of: dt.date) -> pd.DataFrame:
    """List the days with the business minutes `before` each and whether it `is_open`."""
    days = pd.date_range(snapshot.calendar.first_day(periods[0]), as_of)
    off = pd.to_datetime(snapshot.read("holidays")[holidays.holiday_on])
    is_open = (days.day_of_week < 5) & ~days.isin(off)
    minutes = np.where(is_open, (snapshot.company.closes_at - snapshot.company.opens_at) * 60.0, 0)
    return pd.DataFrame(
        {"day": days, "before": np.cumsum(minutes) - minutes, "is_open": is_open.astype(float)}
    )


def _named(days: pd.DataFrame, name: str) -> pd.DataFrame:
    """Name the columns of the days after the column they are joined to."""
    return days.rename(
        columns={"day": name, "before": f"{name}_before", "is_open": f"{name}_is_open"}
    )


def _into_day(moment: nw.Expr, company: Company) -> nw.Expr:
    """Count the business minutes of a moment's day that are over."""
    minutes = (
        moment.dt.hour().cast(nw.Float64) * 60
        + moment.dt.minute().cast(nw.Float64)
        + moment.dt.second().cast(nw.Float64) / 60
        - company.opens_at * 60
    )
    whole = float((company.closes_at - company.opens_at) * 60)
    clipped = nw.when(minutes > whole).then(nw.lit(whole)).otherwise(minutes)
    return nw.when(minutes > 0).then(clipped).otherwise(nw.lit(0.0))


def _minutes_at(day: str, into: nw.Expr) -> nw.Expr:
    return nw.col(f"{day}_before") + nw.col(f"{day}_is_open") * into


def _rounded(minutes: nw.Expr) -> nw.Expr:
    """Round times so that few distinct ones are kept."""
    found = (minutes / 480).round(0) * 480
    for longest, step in reversed(_STEPS):
        found = nw.when(minutes <= longest).then((minutes / step).round(0) * step).otherwise(found)
    return found
