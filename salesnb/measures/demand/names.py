"""What the tables of demand are made of: their columns, and words that stand in them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import partial

import pandas as pd

from salesnb.language import mark

OTHER = mark("all others")
"""Stands for the campaigns (sources, segments, reasons) beyond the most frequent of a quarter."""

NO_TOUCH = mark("no touch on record")
"""Stands for what gets the credit of opportunities that no touch came before."""

MODELS = ("first", "last", "linear")
"""Who gets the credit for an opportunity: its first touch, its last, or all of them equally."""

STAGES_OF_REJECTION = ("before touch", "after touch", "after qualified")
"""When sales rejected a lead."""

PLACE = ["team_id", "period"]

LEAD_COUNTS = (
    "all_leads", "duplicates", "invalid", "leads", "touched", "in_time", "time_up", "late",
    "qualified", "qualified_opportunities", "opportunities", "won", "lost", "open", "rejected",
    "rejected_unseen", "qualified_rejected", "qualified_unseen", "rejected_opportunities",
    "waiting",
)  # fmt: skip
"""Of a group of leads; all but the first three are of valid ones, as of the day it is seen.

in_time, time_up
    Touched within the SLA; touched or older than it, as the KPI `sla_share` counts them.
late
    Touched after the SLA.
qualified_opportunities
    Qualified and an opportunity, as `qualified_to_opportunity` counts them.
rejected_unseen
    Rejected without a touch by then.
qualified_rejected, qualified_unseen, rejected_opportunities
    Accepted as qualified and rejected; qualified without any touch; rejected, yet an opportunity.
waiting
    Neither touched, qualified nor rejected.
"""

WAIT_COUNTS = (
    "n", "log_minutes", "qualified", "opportunities", "young", "before", "untouched",
    "untouched_qualified", "touched",
)  # fmt: skip
"""Of valid leads by how long they waited, see `sum_waits`; log_minutes to the base of 2."""

TOTALS = ("opportunities", "won", "booked")

COLUMNS: dict[str, list[str]] = {
    "lead_flow": [
        *PLACE, "source", "campaign", "segment", *LEAD_COUNTS, "booked", "squares",
    ],
    "lead_waits": [*PLACE, "source", "over", "up_to", *WAIT_COUNTS],
    "rejections": [*PLACE, "source", "reason", "stage", "n"],
    "credits": [*PLACE, "source", "campaign", "model", *TOTALS],
    "touch_paths": [*PLACE, "first_source", "last_source", *TOTALS],
    "touch_roles": [*PLACE, "source", "touched", "opened", "closed", "both", "assisted"],
    "source_deals": [*PLACE, "source", *TOTALS],
    "spend": ["source", "period", "spend"],
}  # fmt: skip
"""Tables of demand by name; what is no key is a number."""

KEYS = frozenset(
    {*PLACE, "source", "campaign", "segment", "reason", "stage", "model", "first_source",
     "last_source"}
)  # fmt: skip


def empty_frame(name: str) -> pd.DataFrame:
    """Make one of the tables of demand without any row."""
    frame = pd.DataFrame(columns=COLUMNS[name])
    return frame.astype(
        {column: "object" if column in KEYS else "float64" for column in COLUMNS[name]}
    )


def _table(name: str) -> pd.DataFrame:
    """Declare a table that is empty unless given."""
    declared: pd.DataFrame = field(default_factory=partial(empty_frame, name))
    return declared


@dataclass(frozen=True, eq=False)
class Demand:
    """Leads and what came of them, by team and quarter.

    Attributes
    ----------
    lead_flow, lead_waits, rejections
        Leads by team_id, period of creation and source: how far they got by campaign and segment,
        what followed an answer by how long they waited, and why they were rejected.
    credits, touch_paths, touch_roles
        Opportunities by team_id and period of creation: credited to the source and campaign of
        the touches before them by each model, by sources of the first and the last touch, and by
        what part each source had.
    source_deals, spend
        team_id, period, source: opportunities created, won and booked; source, period, spend.
    """

    lead_flow: pd.DataFrame = _table("lead_flow")
    lead_waits: pd.DataFrame = _table("lead_waits")
    rejections: pd.DataFrame = _table("rejections")
    credits: pd.DataFrame = _table("credits")
    touch_paths: pd.DataFrame = _table("touch_paths")
    touch_roles: pd.DataFrame = _table("touch_roles")
    source_deals: pd.DataFrame = _table("source_deals")
    spend: pd.DataFrame = _table("spend")


DEMAND_FRAMES = tuple(item.name for item in fields(Demand))
"""The tables by name."""
