"""KPIs of the sales process: stages, what stalls or slips, forecasts."""

from __future__ import annotations

import narwhals as nw

from salesnb.measures.catalogue.columns import (
    ACTUAL,
    DAY,
    DUE,
    FORECAST,
    HAS_LEFT,
    IN_STAGE,
    IS_FIRST,
    IS_STALLED,
    MOVED_ON,
    SLIPPED,
)
from salesnb.measures.catalogue.kpi import ONE, Kpi, Part, flag
from salesnb.schema import activities, opportunities, pipeline_snapshots, stage_history, stages

_first = nw.when(nw.col(IS_FIRST))
_in_stage = nw.col(IN_STAGE)
_entries = (stage_history.entered_at, stages.stage_order)
_pictured = (
    pipeline_snapshots.amount, pipeline_snapshots.expected_close_on, opportunities.closed_on,
    opportunities.is_won, opportunities.is_closed,
)  # fmt: skip


def _entered(value: nw.Expr) -> Part:
    return Part("stages", stage_history.entered_at, value)


STAGE_CONVERSION = Kpi(
    "stage_conversion", "Stage conversion",
    "reached a later stage or was won / entered the stage, all open stages together",
    "entered in the quarter, matured", "rate", "share", "up",
    _entered(_first.then(flag(nw.col(MOVED_ON)))), _entered(_first.then(ONE)), _entries,
    "a stage that was skipped was not entered; coming back to a stage is not another entry",
    matures=True, is_headline=False,
    importance=0.5,
)  # fmt: skip
STAGE_DAYS = Kpi(
    "stage_days", "Days in a stage",
    "median days from entering a stage to leaving it (Kaplan-Meier), all open stages together",
    "entered in the quarter", "plain", "days", "down",
    _entered(_in_stage), _entered(nw.when(~_in_stage.is_null()).then(ONE)), _entries,
    "what has not left its stage counts as staying at least until now; missing while fewer than "
    "half have left",
    moment=_entered(_in_stage), survival_of=_entered(_in_stage), ended=nw.col(HAS_LEFT),
    is_headline=False,
    importance=0.5,
)  # fmt: skip
STALLED_SHARE = Kpi(
    "stalled_share", "Stalled",
    "open without an answered touch for {stalled_days} days or more / open",
    "open on the quarter's last day, or today when it runs", "rate", "share", "down",
    Part("stalled", DAY, flag(nw.col(IS_STALLED))), Part("stalled", DAY, ONE),
    (opportunities.created_on, opportunities.closed_on, opportunities.is_closed,
     activities.started_at, activities.opportunity_id, activities.is_connected),
    "as good as the logging: what is not in the CRM looks stalled; the last five quarters only",
    window=1, is_stock=True, is_headline=False,
    importance=0.5,
)  # fmt: skip
SLIPPAGE = Kpi(
    "slippage", "Slippage",
    "amount neither won nor lost by the quarter's end / amount due in it on its first day",
    "due at the start of the quarter", "plain", "share", "down",
    Part("pictures", DAY, nw.col(SLIPPED)), Part("pictures", DAY, nw.col(DUE)), _pictured,
    "of quarters that are over and have a picture of the pipeline at their start",
    moment=Part("pictures", DAY, nw.col(DUE)), is_headline=False,
    importance=0.5,
)  # fmt: skip
FORECAST_BIAS = Kpi(
    "forecast_bias", "Forecast bias",
    "(forecast - won) / won, of what was due at the start of the quarter; the forecast is its "
    "amount then x the share of its stage that was won in earlier quarters",
    "due at the start of the quarter", "plain", "share", "neutral",
    Part("forecasts", DAY, nw.col(FORECAST) - nw.col(ACTUAL)),
    Part("forecasts", DAY, nw.col(ACTUAL)), (*_pictured, pipeline_snapshots.stage),
    "0 is best; the CRM's own forecast is not in the data, so this one is made from the past",
    moment=Part("forecasts", DAY, nw.col(FORECAST)), is_headline=False,
    importance=0.3,
)  # fmt: skip
