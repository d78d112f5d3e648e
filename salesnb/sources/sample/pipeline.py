"""The open pipeline month by month: how amounts and expected closing days drift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.sources.sample.arrays import Bools, Floats, Ints, Texts, texts
from salesnb.sources.sample.clock import (
    DAY,
    DAYS,
    FIRST,
    quarter_of,
    quarter_start,
    to_dates,
    workday_from,
    workday_until,
)
from salesnb.sources.sample.deals import Deals
from salesnb.sources.sample.decisions import Decisions
from salesnb.sources.sample.market import STAGES
from salesnb.sources.sample.paths import Path
from salesnb.sources.sample.settings import Settings

_OPTIMISM, _GUESS_SD = -0.18, 0.4  # log, of the days still to go
_REVISED, _NEGLECTED, _QUARTER_END = 0.3, 0.1, 0.5
_AMOUNT_BIAS, _AMOUNT_SD, _AMOUNT_SETTLES = 0.07, 0.22, 0.35  # log


@dataclass(frozen=True)
class Pipeline:
    """Pictures of the open pipeline and, per opportunity, what the CRM shows last.

    `day`, `deal`, `drift` (log of amount over final amount) and `expected` (day) are one entry
    a picture; `last_drift` and `last_expected` one an opportunity.
    """

    day: Ints
    deal: Ints
    drift: Floats
    expected: Ints
    last_drift: Floats
    last_expected: Ints


def month_ends() -> Ints:
    """Last days of the months from the eve of the export's period to its end."""
    dates = to_dates(np.arange(FIRST - 1, DAYS)).astype("datetime64[D]")
    is_last = (dates + 1).astype("datetime64[M]") != dates.astype("datetime64[M]")
    return np.flatnonzero(is_last) + FIRST - 1


def picture_pipeline(deals: Deals, decisions: Decisions, settings: Settings) -> Pipeline:
    """Take a picture of the open pipeline at every month's end, carrying the reps' guesses on."""
    rng = settings.stream("pipeline")
    n = len(deals)
    is_neglected = rng.random(n) < _NEGLECTED
    rounds_up = rng.random(n) < _QUARTER_END
    drift = rng.normal(_AMOUNT_BIAS, _AMOUNT_SD, n)
    expected = _guess(deals.created, decisions.closed, rounds_up, rng)
    pictures = []
    for day in month_ends():
        deal = np.flatnonzero((deals.created <= day) & (decisions.closed > day))
        lot = rng.random(len(deal))
        is_old = deals.created[deal] < day - 20
        overdue = expected[deal] <= day
        is_revised = is_old & ~is_neglected[deal] & ((lot < _REVISED) | (overdue & (lot < 0.85)))
        now = np.full(len(deal), day)
        guess = _guess(now, decisions.closed[deal], rounds_up[deal], rng)
        expected[deal] = np.where(is_revised, guess, expected[deal])
        settles = is_old & (rng.random(len(deal)) < _AMOUNT_SETTLES)
        drift[deal] = np.where(settles, drift[deal] / 3, drift[deal])
        pictures.append((now, deal, drift[deal], expected[deal]))
    columns = [np.concatenate(column) for column in zip(*pictures, strict=True)]
    last_drift = np.where(decisions.is_closed, 0.0, drift)
    return Pipeline(columns[0], columns[1], columns[2], columns[3], last_drift, expected)


def _guess(now: Ints, closed: Ints, rounds_up: Bools, rng: np.random.Generator) -> Ints:
    """Guess the closing day as reps do: too early, often the last day of a quarter."""
    error = np.exp(rng.normal(_OPTIMISM, _GUESS_SD, len(now)))
    guess = now + np.maximum(2, (closed - now) * error).astype(np.int64)
    quarter_end = workday_until(quarter_start(quarter_of(guess) + 1) - 1)
    return np.where(rounds_up & (quarter_end > now), quarter_end, workday_from(guess))


def pipeline_snapshots_table(
    pipeline: Pipeline, path: Path, amounts: Floats, deal_ids: Texts
) -> pd.DataFrame:
    """List the pictures.

    Parameters
    ----------
    amounts
        Final amount of each opportunity in its own currency.
    """
    names = texts([name for name, *_ in STAGES])
    stage = path.stage_on(pipeline.deal, (pipeline.day + 1) * DAY - 1)
    return pd.DataFrame(
        {
            schema.pipeline_snapshots.as_of: to_dates(pipeline.day),
            schema.pipeline_snapshots.opportunity_id: deal_ids[pipeline.deal],
            schema.pipeline_snapshots.stage: names[stage],
            schema.pipeline_snapshots.amount: np.round(
                amounts[pipeline.deal] * np.exp(pipeline.drift), 2
            ),
            schema.pipeline_snapshots.expected_close_on: to_dates(pipeline.expected),
        }
    )
