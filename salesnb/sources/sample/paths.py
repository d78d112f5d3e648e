"""The way of each opportunity through the stages, minute by minute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.sources.sample.arrays import NEVER, Bools, Floats, Ints, Texts, texts
from salesnb.sources.sample.clock import CLOSES, DAY, EXPORTED_AT, OPENS, to_moments, workday_until
from salesnb.sources.sample.deals import Deals
from salesnb.sources.sample.decisions import Decisions
from salesnb.sources.sample.market import OPEN_STAGES, STAGES
from salesnb.sources.sample.settings import Settings

WON, LOST = OPEN_STAGES, OPEN_STAGES + 1
_STAGE_LENGTHS = (0.8, 1.0, 1.15, 1.25, 0.9)
_SKIPPED, _STARTS_QUALIFIED, _REOPENED = 0.07, 0.4, 0.05
_BACK_TO, _REOPENED_FROM = 2, 3
_LONG = 6 * DAY


@dataclass(frozen=True)
class Path:
    """Entries into stages, sorted by opportunity and minute; some lie after the export."""

    deal: Ints
    stage: Ints
    minute: Ints

    def stage_on(self, deals: Ints, minutes: Ints | int) -> Ints:
        """Stage of each opportunity at a minute, which must not be before its creation."""
        scale = NEVER * DAY
        keys = self.deal * scale + np.minimum(self.minute, scale - 1)
        last = np.searchsorted(keys, deals * scale + minutes, side="right") - 1
        return self.stage[last]

    def qualified_days(self, n_deals: int) -> Ints:
        """Day each opportunity was first qualified before the export, or `NEVER`."""
        is_qualified = np.array([flag for _, flag, *_ in STAGES])[self.stage]
        days = np.full(n_deals, NEVER)
        counted = is_qualified & (self.minute < EXPORTED_AT)
        np.minimum.at(days, self.deal[counted], self.minute[counted] // DAY)
        return days


def walk_stages(deals: Deals, decisions: Decisions, settings: Settings) -> Path:
    """Let every opportunity pass its stages in order, with skips and an occasional return."""
    rng = settings.stream("stages")
    n = len(deals)
    visited = _visits(deals, decisions, rng)
    entered = _entries(deals, decisions, visited, rng)
    last = np.where(visited, entered, 0).max(axis=1)
    closing = decisions.closed * DAY + rng.integers(9 * 60, CLOSES, n)
    closing = np.maximum(closing, last + 1)
    back, again, is_back = _returns(visited, entered, closing, rng)
    deal, stage = np.nonzero(visited)
    parts = [
        (deal, stage, entered[deal, stage]),
        (is_back, np.full(len(is_back), _BACK_TO), back),
        (is_back, np.full(len(is_back), _REOPENED_FROM), again),
        (np.arange(n), np.where(decisions.is_won, WON, LOST), closing),
    ]
    all_deals, all_stages, all_minutes = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((all_minutes, all_deals))
    return Path(all_deals[order], all_stages[order], all_minutes[order])


def _visits(deals: Deals, decisions: Decisions, rng: np.random.Generator) -> Bools:
    n = len(deals)
    last = np.where(decisions.is_won, OPEN_STAGES - 1, decisions.lost_at)[:, None]
    stage = np.arange(OPEN_STAGES)[None, :]
    skipped = rng.random((n, OPEN_STAGES)) < _SKIPPED
    skipped[:, 0] = (deals.type > 0) & (rng.random(n) < _STARTS_QUALIFIED)
    return (stage <= last) & ~(skipped & (stage < last))


def _entries(deals: Deals, decisions: Decisions, visited: Bools, rng: np.random.Generator) -> Ints:
    """Minute at which each visited stage is entered, rising along the way."""
    weights = rng.gamma(2.0, np.array(_STAGE_LENGTHS), visited.shape) * visited
    passed = np.cumsum(weights, axis=1) - weights
    through: Floats = passed / weights.sum(axis=1, keepdims=True)
    length = (decisions.closed - deals.created)[:, None]
    days = workday_until(deals.created[:, None] + np.floor(through * length).astype(np.int64))
    days = np.maximum(days, deals.created[:, None])
    entered = days * DAY + rng.integers(OPENS, CLOSES - 60, visited.shape)
    latest = np.zeros(len(deals), dtype=np.int64)
    for stage in range(visited.shape[1]):
        entered[:, stage] = np.maximum(entered[:, stage], latest + 1)
        latest = np.where(visited[:, stage], entered[:, stage], latest)
    return entered


def _returns(
    visited: Bools, entered: Ints, closing: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Send some proposals back to evaluation and forward again; minutes and opportunities."""
    after = np.where(visited[:, -1], entered[:, -1], closing)
    gap = after - entered[:, _REOPENED_FROM]
    lot = rng.random(len(visited))
    chosen = np.flatnonzero(visited[:, _REOPENED_FROM] & (gap > _LONG) & (lot < _REOPENED))
    start = entered[chosen, _REOPENED_FROM]
    return _in_office(start + gap[chosen] // 3), _in_office(start + gap[chosen] * 2 // 3), chosen


def _in_office(minutes: Ints) -> Ints:
    """Move moments into the office hours of the workday before or on which they fall."""
    minute = OPENS + minutes % DAY * (CLOSES - OPENS) // DAY
    return workday_until(minutes // DAY) * DAY + minute


def stage_history_table(path: Path, deal_ids: Texts, settings: Settings) -> pd.DataFrame:
    """List the entries into stages before the export."""
    kept = path.minute < EXPORTED_AT
    names = texts([name for name, *_ in STAGES])
    seconds = settings.stream("stage seconds").integers(0, 60, len(path.minute))
    return pd.DataFrame(
        {
            schema.stage_history.opportunity_id: deal_ids[path.deal[kept]],
            schema.stage_history.stage: names[path.stage[kept]],
            schema.stage_history.entered_at: to_moments(path.minute[kept], seconds[kept]),
        }
    )
