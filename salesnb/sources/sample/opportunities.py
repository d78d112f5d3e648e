"""The opportunities as the CRM shows them, and what they brought in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.sources.sample.arrays import NEVER, Floats, Ints, Texts, keep_where, texts
from salesnb.sources.sample.clock import AS_OF, EXPORTED_AT, quarter_of, quarter_start, to_dates
from salesnb.sources.sample.deals import TYPES, Deals
from salesnb.sources.sample.decisions import LOSS_REASONS, Decisions
from salesnb.sources.sample.market import (
    CURRENCIES,
    PRODUCTS,
    SOURCES,
    STAGES,
    ExchangeRates,
    team_currencies,
)
from salesnb.sources.sample.paths import LOST, WON, Path
from salesnb.sources.sample.people import People
from salesnb.sources.sample.pipeline import Pipeline
from salesnb.sources.sample.settings import Settings
from salesnb.sources.sample.teams import Teams

_LAST_DAYS = 8
_RUSH_SIZE, _RUSH_DISCOUNT = 0.08, 0.03
_DISCOUNT, _HABIT_SD, _DISCOUNT_SD = 0.1, 0.03, 0.05
_BLANKED = 0.35  # of lost opportunities, whose amount is set to 0


@dataclass(frozen=True)
class Amounts:
    """Final amount and discount of each opportunity, in its currency (`CURRENCIES`)."""

    currency: Ints
    amount: Floats
    discount: Floats


def price_deals(
    deals: Deals, decisions: Decisions, people: People, teams: Teams, rates: ExchangeRates,
    settings: Settings,
) -> Amounts:  # fmt: skip
    """Price every opportunity; the last days of a quarter bring larger ones, discounted more."""
    rng = settings.stream("amounts")
    n = len(deals)
    quarter_end = quarter_start(quarter_of(decisions.closed) + 1)
    is_rushed = decisions.is_won & (quarter_end - decisions.closed <= _LAST_DAYS)
    currency = team_currencies(teams)[people.territory[deals.creator] % len(teams)]
    value = deals.value * np.exp(_RUSH_SIZE * is_rushed) / rates.on(currency, deals.created)
    habit = rng.normal(0, _HABIT_SD, len(people))[decisions.owner]
    discount = _DISCOUNT + habit + _RUSH_DISCOUNT * is_rushed + rng.normal(0, _DISCOUNT_SD, n)
    return Amounts(currency, np.round(value, 2), np.clip(np.round(discount, 3), 0, 0.4))


def bookings_by_quarter(
    decisions: Decisions, amounts: Amounts, rates: ExchangeRates, n_reps: int, quarters: Ints
) -> Floats:
    """Bookings (reporting currency) of each rep (row) in each of the quarters (column)."""
    counted = decisions.is_won & decisions.is_closed
    value = amounts.amount * rates.on(amounts.currency, decisions.closed)
    column = quarter_of(decisions.closed) - quarters[0]
    counted &= (column >= 0) & (column < len(quarters))
    bookings = np.zeros((n_reps, len(quarters)))
    np.add.at(bookings, (decisions.owner[counted], column[counted]), value[counted])
    return bookings


def opportunities_table(
    deals: Deals, decisions: Decisions, amounts: Amounts, pipeline: Pipeline, path: Path,
    people: People, deal_ids: Texts, account_ids: Texts, settings: Settings,
) -> pd.DataFrame:  # fmt: skip
    """List the opportunities as they stand at the export."""
    is_closed = decisions.is_closed
    is_won, is_lost = is_closed & decisions.is_won, is_closed & ~decisions.is_won
    is_blanked = is_lost & (settings.stream("blanked").random(len(deals)) < _BLANKED)
    shown = np.round(amounts.amount * np.exp(pipeline.last_drift), 2)
    listed = np.round(shown / (1 - amounts.discount), 2)
    columns = schema.opportunities
    return pd.DataFrame(
        {
            columns.opportunity_id: deal_ids,
            columns.rep_id: people.rep_id[_owner_now(deals, decisions)],
            columns.account_id: account_ids[deals.account],
            columns.product_id: _names(PRODUCTS)[deals.product],
            columns.source: texts([s.name for s in SOURCES])[deals.source],
            columns.created_on: to_dates(deals.created),
            columns.qualified_on: to_dates(path.qualified_days(len(deals))),
            columns.closed_on: to_dates(np.where(is_closed, decisions.closed, NEVER)),
            columns.expected_close_on: to_dates(pipeline.last_expected),
            columns.stage: _names(STAGES)[stage_now(decisions, path)],
            columns.is_won: is_won,
            columns.is_closed: is_closed,
            columns.amount: np.where(is_blanked, 0.0, shown),
            columns.list_amount: np.where(is_blanked, np.nan, listed),
            columns.currency: texts(CURRENCIES)[amounts.currency],
            columns.type: texts(TYPES)[deals.type],
            columns.loss_reason: keep_where(is_lost, texts(LOSS_REASONS)[decisions.reason]),
        }
    )


def stage_now(decisions: Decisions, path: Path) -> Ints:
    """Stage of each opportunity at the export."""
    n = len(decisions.closed)
    now = path.stage_on(np.arange(n), EXPORTED_AT - 1)
    ended = np.where(decisions.is_won, WON, LOST)
    return np.where(decisions.is_closed, ended, now)


def _owner_now(deals: Deals, decisions: Decisions) -> Ints:
    """Rep who owns each opportunity at the export: later handovers have not happened yet."""
    return np.where(decisions.handed_on <= AS_OF, decisions.owner, deals.creator)


def _names(rows: tuple[tuple[str, *tuple[object, ...]], ...]) -> Texts:
    return texts([name for name, *_ in rows])
