"""Touches: which of them came before an opportunity, and which gets the credit for it."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from salesnb.measures import facts
from salesnb.measures.catalogue.columns import AMOUNT, IS_WON
from salesnb.measures.demand.grouping import GROUP, QUARTER, Grouping
from salesnb.measures.demand.names import COLUMNS, MODELS, NO_TOUCH, PLACE, TOTALS
from salesnb.measures.engine import Lazy
from salesnb.schema import leads, opportunities, touches

_KEY = str(opportunities.opportunity_id)
_CREATED = opportunities.created_on
_LED_TO, _DAY, _ONE, _PLACE, _OF = "led_to", "touch_day", "one", "place", "of"
_BOOKED = "booked"
_FIRST, _LAST = "first_source", "last_source"
_NAMES = [str(touches.source), str(touches.campaign)]


def credited(grouping: Grouping, amount: Lazy) -> Lazy:
    """List opportunities with team and quarter of their creation, whether won, and what booked."""
    rows = amount.filter(~nw.col(_CREATED).is_null())
    rows = grouping.attribute(rows, _CREATED)
    booked = nw.when(nw.col(IS_WON)).then(nw.col(AMOUNT)).fill_null(0.0)
    return rows.select(
        GROUP, QUARTER, _KEY, _CREATED,
        nw.when(nw.col(IS_WON)).then(nw.lit(1.0)).otherwise(nw.lit(0.0)).alias("won"),
        booked.alias(_BOOKED),
    )  # fmt: skip


def touch_rows(grouping: Grouping, deals: Lazy) -> Lazy:
    """List the touches up to the day an opportunity was created, each with its place among them.

    A touch of a lead is one of the opportunity the lead became. Of touches at one moment the one
    with the smaller identifier came first.
    """
    ground = grouping.ground
    engine, snapshot = ground.engine, ground.snapshot
    rows = facts.read_columns(
        engine, snapshot, touches.touch_id, touches.lead_id, touches.opportunity_id,
        touches.source, touches.campaign, touches.touched_at,
    )  # fmt: skip
    if snapshot.has("leads"):
        led = facts.read_columns(engine, snapshot, leads.lead_id, leads.converted_opportunity_id)
        became = nw.col(leads.converted_opportunity_id)
        led = led.filter(~became.is_null()).select(leads.lead_id, became.alias(_LED_TO))
        rows = rows.join(led, on=touches.lead_id, how="left").with_columns(
            nw.coalesce(_KEY, _LED_TO).alias(_KEY)
        )
    day = nw.col(touches.touched_at).cast(nw.Date)
    rows = rows.filter(~nw.col(_KEY).is_null()).with_columns(
        day.alias(_DAY), nw.lit(1.0).alias(_ONE)
    )
    rows = rows.join(deals, on=_KEY).filter(nw.col(_DAY) <= nw.col(_CREATED))
    rows = grouping.keep(rows, {name: grouping.find_most(rows, name) for name in _NAMES})
    order = [str(touches.touched_at), str(touches.touch_id)]
    return rows.with_columns(
        nw.col(_ONE).cum_sum().over(_KEY, order_by=order).alias(_PLACE),
        nw.col(_ONE).sum().over(_KEY).alias(_OF),
    )


def sum_credits(grouping: Grouping, deals: Lazy, touched: Lazy) -> pd.DataFrame:
    """Credit opportunities to sources and campaigns by each model; all models add up the same."""
    one, none = nw.lit(1.0), nw.lit(0.0)
    place, of = nw.col(_PLACE), nw.col(_OF)
    shares = {
        "first": nw.when(place == 1).then(one).otherwise(none),
        "last": nw.when(place == of).then(one).otherwise(none),
        "linear": one / of,
    }
    touched = touched.with_columns(one.alias("opportunities"))
    rows = touched.with_columns(
        *((share * nw.col(name)).alias(f"{model}:{name}")
          for model, share in shares.items() for name in TOTALS)
    )  # fmt: skip
    found = grouping.sum_up(
        rows, _NAMES, [f"{model}:{name}" for model in shares for name in TOTALS]
    )
    without = deals.join(touched.select(_KEY).unique(), on=_KEY, how="anti").with_columns(
        one.alias("opportunities"), *(nw.lit(NO_TOUCH).alias(name) for name in _NAMES)
    )
    rest = grouping.sum_up(without, _NAMES, TOTALS)
    return _by_model(found, rest)


def _by_model(found: pd.DataFrame, rest: pd.DataFrame) -> pd.DataFrame:
    """Bring credits to one row a model; rows of nothing are left out."""
    keys = [*PLACE, *_NAMES]
    frames = []
    for model in MODELS:
        columns = {f"{model}:{name}": name for name in TOTALS}
        frames.append(found[[*keys, *columns]].rename(columns=columns).assign(model=model))
        frames.append(rest.assign(model=model))
    whole = pd.concat(frames, ignore_index=True)
    whole = whole[whole["opportunities"] > 0]
    order = whole["model"].map({model: number for number, model in enumerate(MODELS)})
    whole = whole.assign(_order=order).sort_values([*keys, "_order"], ignore_index=True)
    return whole[COLUMNS["credits"]]


def sum_paths(grouping: Grouping, touched: Lazy) -> pd.DataFrame:
    """Count opportunities by the sources of their first and last touch."""
    source = nw.col(touches.source)
    place, of = nw.col(_PLACE), nw.col(_OF)
    ends = touched.with_columns(
        nw.when(place == 1).then(source).alias(_FIRST),
        nw.when(place == of).then(source).alias(_LAST),
    )
    ends = ends.group_by(GROUP, _KEY).agg(
        *(nw.col(name).max() for name in (_FIRST, _LAST, "won", _BOOKED))
    )
    ends = ends.with_columns(nw.lit(1.0).alias("opportunities"))
    return grouping.sum_up(ends, [_FIRST, _LAST], TOTALS)


def sum_roles(grouping: Grouping, touched: Lazy) -> pd.DataFrame:
    """Count, for each source, the opportunities it touched, opened, closed or only assisted."""
    source = str(touches.source)
    place, of = nw.col(_PLACE), nw.col(_OF)
    rows = touched.with_columns(
        nw.when(place == 1).then(nw.lit(1.0)).otherwise(nw.lit(0.0)).alias("opened"),
        nw.when(place == of).then(nw.lit(1.0)).otherwise(nw.lit(0.0)).alias("closed"),
    )
    rows = rows.group_by(GROUP, _KEY, source).agg(nw.col("opened").max(), nw.col("closed").max())
    opened, closed = nw.col("opened"), nw.col("closed")
    rows = rows.with_columns(
        nw.lit(1.0).alias("touched"),
        (opened * closed).alias("both"),
        ((1.0 - opened) * (1.0 - closed)).alias("assisted"),
    )
    return grouping.sum_up(rows, [source], ("touched", "opened", "closed", "both", "assisted"))
