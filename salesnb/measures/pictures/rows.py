"""Which opportunities were open on past days that stand as today does, and which are now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import narwhals as nw
import pandas as pd

from salesnb.measures import facts
from salesnb.measures.catalogue.columns import AMOUNT, DAY, IS_LOST, IS_WON
from salesnb.measures.engine import Engine, Lazy
from salesnb.measures.pace import PICTURE_AGE
from salesnb.measures.pictures.points import list_points
from salesnb.schema import opportunities, pipeline_snapshots
from salesnb.sources.snapshot import Snapshot

Origin = Literal["pictures", "stages", "nothing"]
"""What past months are known from: pictures of the pipeline, entries into stages, or not at all."""

_FINAL = "final_amount"
IS_OLDER = "is_stage_older"
"""Whether the stage shown is that of an earlier day."""
_ROWS = [
    opportunities.opportunity_id, DAY, opportunities.rep_id, opportunities.stage, IS_OLDER,
    "amount", opportunities.expected_close_on, opportunities.created_on, opportunities.closed_on,
    "is_won", "booked",
]  # fmt: skip


@dataclass(frozen=True)
class OpenRows:
    """Opportunities on days on which they were open; `keys` are the same rows in the engine."""

    past: pd.DataFrame
    now: pd.DataFrame
    keys: Lazy
    origin: Origin


def list_open(engine: Engine, snapshot: Snapshot, amount: Lazy, as_of: dt.date) -> OpenRows:
    """List what was open at past points, with what came of it by `as_of`, and what is now.

    Points are the days of `list_points`. Where the CRM has no pictures, who was open follows from
    the dates, and the amounts of that time are unknown.

    Returns
    -------
    OpenRows
        Of each row: opportunity_id, day, rep_id (owner on that day), stage and amount (reporting
        currency) and expected_close_on known that day, whether the stage is that of an earlier
        day (`IS_OLDER`), created_on, closed_on (missing where it is
        open on `as_of`), is_won, and booked, the amount at close of what was won.
    """
    origin = _origin(snapshot)
    present = _open_now(engine, snapshot, amount, as_of)
    keys = present.select(opportunities.opportunity_id, DAY)
    past = pd.DataFrame(columns=_ROWS)
    if origin != "nothing":
        make = _pictured if origin == "pictures" else _dated
        before = make(engine, snapshot, amount, as_of)
        keys = nw.concat([keys, before.select(opportunities.opportunity_id, DAY)])
        past = engine.collect(before.select(*_ROWS))
    return OpenRows(_sorted(past), _sorted(engine.collect(present.select(*_ROWS))), keys, origin)


def _origin(snapshot: Snapshot) -> Origin:
    needed = (pipeline_snapshots.amount, pipeline_snapshots.expected_close_on)
    if all(snapshot.has("pipeline_snapshots", column) for column in needed):
        return "pictures"
    return "stages" if snapshot.has("stage_history") else "nothing"


def _sorted(rows: pd.DataFrame) -> pd.DataFrame:
    """Bring rows into an order that no engine decides."""
    days = {name: pd.to_datetime(rows[name]) for name in _DAYS}
    rows = rows.assign(**days, is_won=rows["is_won"].fillna(False).astype(bool))
    return rows.sort_values([DAY, opportunities.opportunity_id], ignore_index=True)


_DAYS = (
    DAY, str(opportunities.expected_close_on), str(opportunities.created_on),
    str(opportunities.closed_on),
)  # fmt: skip


def _open_now(engine: Engine, snapshot: Snapshot, amount: Lazy, as_of: dt.date) -> Lazy:
    """List what is open on `as_of`.

    Seen from later, the CRM's stage, amount and date are those of that later day: of an earlier
    day only a picture of the month before knows them.
    """
    rows = amount.filter(~nw.col(IS_WON), ~nw.col(IS_LOST)).select(
        opportunities.opportunity_id, opportunities.rep_id, opportunities.created_on,
        opportunities.currency, opportunities.expected_close_on, AMOUNT,
    )  # fmt: skip
    if as_of >= snapshot.as_of:
        stage = facts.read_columns(
            engine, snapshot, opportunities.opportunity_id, opportunities.stage
        )
        rows = rows.join(stage, on=opportunities.opportunity_id, how="left")
        rows = rows.with_columns(nw.lit(False).alias(IS_OLDER))
    else:
        rows = rows.drop(AMOUNT, str(opportunities.expected_close_on))
        rows = _as_last_pictured(engine, snapshot, rows, as_of)
    return rows.with_columns(
        nw.lit(as_of).alias(DAY),
        nw.col(opportunities.stage).fill_null("").alias(opportunities.stage),
        nw.col(AMOUNT).alias("amount"),
        nw.lit(None, nw.Date).alias(opportunities.closed_on),
        nw.lit(False).alias("is_won"),
        nw.lit(None, nw.Float64).alias("booked"),
    )


def _as_last_pictured(engine: Engine, snapshot: Snapshot, rows: Lazy, as_of: dt.date) -> Lazy:
    """Add stage, amount and expected close of the last picture; missing without a young one."""
    if _origin(snapshot) != "pictures":
        return rows.with_columns(
            nw.lit("").alias(opportunities.stage),
            nw.lit(False).alias(IS_OLDER),
            nw.lit(None, nw.Float64).alias(AMOUNT),
            nw.lit(None, nw.Date).alias(opportunities.expected_close_on),
        )
    days = facts.picture_days(engine)
    now = pd.Timestamp(as_of)
    young = days[(days <= now) & (days >= now - pd.Timedelta(days=PICTURE_AGE))]
    last = engine.local(pd.DataFrame({pipeline_snapshots.as_of: young.tail(1)}))
    pictured = facts.read_columns(
        engine, snapshot, pipeline_snapshots.as_of, pipeline_snapshots.opportunity_id,
        pipeline_snapshots.stage, pipeline_snapshots.amount, pipeline_snapshots.expected_close_on,
    ).join(last, on=pipeline_snapshots.as_of)  # fmt: skip
    rows = rows.join(pictured, on=opportunities.opportunity_id, how="left")
    rows = rows.with_columns(
        nw.lit(as_of).alias(facts.RATE_DAY),
        (nw.col(pipeline_snapshots.as_of) < as_of).fill_null(True).alias(IS_OLDER),
    )
    return facts.convert(rows, engine, snapshot, as_of)


def _outcomes(amount: Lazy) -> Lazy:
    """Say of each opportunity how it ended by `as_of`, if it did."""
    decided = nw.col(IS_WON) | nw.col(IS_LOST)
    return amount.select(
        opportunities.opportunity_id, opportunities.rep_id, opportunities.currency,
        opportunities.created_on,
        nw.when(decided).then(nw.col(opportunities.closed_on)).alias(opportunities.closed_on),
        nw.col(IS_WON).alias("is_won"),
        nw.when(nw.col(IS_WON)).then(nw.col(AMOUNT)).alias("booked"),
    )  # fmt: skip


def _pictured(engine: Engine, snapshot: Snapshot, amount: Lazy, as_of: dt.date) -> Lazy:
    """List what was open at each point: what its last picture holds, and what began since.

    Amounts and expected closes are those of the picture; of what began since they are not known.
    """
    pictured_on = pipeline_snapshots.as_of
    seen = engine.local(_last_pictures(facts.picture_days(engine), snapshot, as_of))
    pictured = facts.read_columns(
        engine, snapshot, pictured_on, pipeline_snapshots.opportunity_id,
        pipeline_snapshots.stage, pipeline_snapshots.amount, pipeline_snapshots.expected_close_on,
    ).with_columns(nw.lit(1).alias("_is_pictured"))  # fmt: skip
    day, created, closed = (
        nw.col(name) for name in (DAY, opportunities.created_on, opportunities.closed_on)
    )
    rows = _outcomes(amount).join(seen, how="cross").filter(closed.is_null() | (closed > day))
    rows = rows.join(pictured, on=[pictured_on, opportunities.opportunity_id], how="left")
    began_since = (created > nw.col(pictured_on)) & (created <= day)
    rows = rows.filter(~nw.col("_is_pictured").is_null() | began_since)
    rows = rows.with_columns(day.alias(facts.RATE_DAY))
    rows = facts.with_owner(rows, engine, snapshot, facts.RATE_DAY)
    return facts.convert(rows, engine, snapshot, as_of).with_columns(
        nw.col(opportunities.stage).fill_null("").alias(opportunities.stage),
        (day > nw.col(pictured_on)).alias(IS_OLDER),
        nw.col(AMOUNT).alias("amount"),
    )


def _last_pictures(
    days: pd.Series[pd.Timestamp], snapshot: Snapshot, as_of: dt.date
) -> pd.DataFrame:
    """Find the last picture of each point: `day` and `as_of`; without a young one it is none."""
    if days.empty:
        return pd.DataFrame(columns=[DAY, pipeline_snapshots.as_of], dtype="datetime64[ns]")
    points = pd.DataFrame({DAY: pd.to_datetime(list_points(snapshot.calendar, as_of, days.min()))})
    pictures = pd.DataFrame({pipeline_snapshots.as_of: days.astype("datetime64[ns]")})
    return pd.merge_asof(
        points.astype("datetime64[ns]"), pictures, left_on=DAY, right_on=pipeline_snapshots.as_of,
        tolerance=pd.Timedelta(days=PICTURE_AGE),
    ).dropna(ignore_index=True)  # fmt: skip


def _dated(engine: Engine, snapshot: Snapshot, amount: Lazy, as_of: dt.date) -> Lazy:
    """List what was open at each point since the first close, as its dates tell.

    Before the first close the export knows only what lasted until then.
    """
    ended = amount.filter(nw.col(IS_WON) | nw.col(IS_LOST))
    found = engine.collect(ended.select(nw.col(opportunities.closed_on).min()))
    first = pd.to_datetime(found[opportunities.closed_on]).fillna(pd.Timestamp(as_of)).iloc[0]
    points = list_points(snapshot.calendar, as_of, first)
    days = engine.local(pd.DataFrame({DAY: pd.to_datetime(points).astype("datetime64[ns]")}))
    created, closed = nw.col(opportunities.created_on), nw.col(opportunities.closed_on)
    rows = _outcomes(amount).join(days, how="cross")
    rows = rows.filter(created <= nw.col(DAY), closed.is_null() | (closed > nw.col(DAY)))
    rows = rows.with_columns(nw.col(DAY).alias(facts.RATE_DAY))
    rows = facts.with_owner(rows, engine, snapshot, facts.RATE_DAY)
    return rows.with_columns(
        nw.lit("").alias(opportunities.stage),
        nw.lit(False).alias(IS_OLDER),
        nw.lit(None, nw.Float64).alias("amount"),
        nw.lit(None, nw.Date).alias(opportunities.expected_close_on),
    )
