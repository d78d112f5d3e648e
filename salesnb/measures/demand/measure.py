"""The tables of demand, made in the one pass over the facts."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from salesnb.measures.catalogue.columns import AMOUNT, IS_WON
from salesnb.measures.demand.grouping import GROUP, QUARTER, Grouping, group_owners, read_spend
from salesnb.measures.demand.leads import (
    frequent_names,
    lead_rows,
    sum_flow,
    sum_rejections,
    sum_waits,
)
from salesnb.measures.demand.names import TOTALS, Demand
from salesnb.measures.demand.touches import (
    credited,
    sum_credits,
    sum_paths,
    sum_roles,
    touch_rows,
)
from salesnb.measures.engine import Lazy
from salesnb.measures.prepare import Ground
from salesnb.schema import leads, opportunities


def measure_demand(ground: Ground, amount: Lazy) -> Demand:
    """Add up leads, touches and what came of them, per team and quarter.

    Leads count in the quarter they were created in, for the team of who works them; opportunities
    in that of their creation (`source_deals`: won and booked in that of the close).

    Parameters
    ----------
    ground
        Engine, snapshot, owners, quarters, and the day on which the world is seen.
    amount
        Opportunities as known on that day, with converted amounts.

    Returns
    -------
    Demand
        Tables are empty where the snapshot has nothing for them.
    """
    grouping = group_owners(ground)
    snapshot = ground.snapshot
    found = {}
    if snapshot.has("leads", leads.created_at):
        rows = lead_rows(grouping, amount)
        most = frequent_names(grouping)
        found["lead_flow"] = sum_flow(grouping, rows, most)
        found["lead_waits"] = sum_waits(grouping, rows, most)
        found["rejections"] = sum_rejections(grouping, rows, most)
    if snapshot.has("opportunities", opportunities.created_on) and snapshot.has("touches"):
        deals = credited(grouping, amount)
        touched = touch_rows(grouping, deals)
        found["credits"] = sum_credits(grouping, deals, touched)
        found["touch_paths"] = sum_paths(grouping, touched)
        found["touch_roles"] = sum_roles(grouping, touched)
    if snapshot.has("opportunities", opportunities.source):
        found["source_deals"] = _sum_deals(grouping, amount)
    found["spend"] = read_spend(ground)
    return Demand(**found)


def _sum_deals(grouping: Grouping, amount: Lazy) -> pd.DataFrame:
    """Count opportunities of a source created in a quarter, and won and booked in it."""
    source = str(opportunities.source)
    created = amount.filter(~nw.col(opportunities.created_on).is_null())
    won = amount.filter(nw.col(IS_WON))
    one, none = nw.lit(1.0), nw.lit(0.0)
    parts = (
        (created, opportunities.created_on, (one, none, none)),
        (won, opportunities.closed_on, (none, one, nw.col(AMOUNT).fill_null(0.0))),
    )
    rows = [
        grouping.attribute(part, on).select(
            GROUP, QUARTER, source,
            *(value.alias(name) for value, name in
              zip(values, TOTALS, strict=True)),
        )
        for part, on, values in parts
    ]  # fmt: skip
    whole = nw.concat(rows)
    kept = grouping.keep(whole, {source: grouping.with_paid(grouping.find_most(whole, source))})
    return grouping.sum_up(kept, [source], TOTALS)
