"""Leads: where they come from, how fast they are touched, and which become opportunities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from salesnb import schema
from salesnb.sources.sample.arrays import NEVER, Bools, Floats, Ints, Texts, keep_where, texts
from salesnb.sources.sample.clock import (
    CLOSES,
    DAY,
    EXPORTED_AT,
    FIRST,
    OPENS,
    add_office_minutes,
    is_workday,
    to_moments,
)
from salesnb.sources.sample.demand import rates_by_day, sample_days
from salesnb.sources.sample.ids import crm_ids
from salesnb.sources.sample.market import SOURCES
from salesnb.sources.sample.people import People
from salesnb.sources.sample.settings import Settings
from salesnb.sources.sample.talent import Talent

_NOT_YET = NEVER * DAY
_CONVERSION = 0.215  # of all leads, from the effects below
_DUPLICATE, _INVALID, _UNTOUCHED = 0.05, 0.06, 0.04
_QUALIFY, _CONVERT = -0.35, 0.56
_RESPONSE_REP_SD, _RESPONSE_SD = 0.4, 1.25  # log
_REASONS = ("no fit", "no budget", "no response", "student or private")
_ON_SATURDAY = 0.06


@dataclass(frozen=True)
class Leads:
    """Leads in order of arrival; minutes are `_NOT_YET` for what did not happen.

    `source` is a position in `SOURCES`, `reason` the rejection or None.
    """

    rep: Ints
    source: Ints
    created: Ints
    touched: Ints
    qualified: Ints
    converted: Ints
    reason: Texts

    @property
    def is_converted(self) -> Bools:
        """Tell which became an opportunity."""
        return self.converted < _NOT_YET


def generate_leads(people: People, talent: Talent, settings: Settings) -> Leads:
    """Let leads come in, be touched, qualified and converted."""
    rng = settings.stream("leads")
    per_day = settings.lead_share * talent.volume / _CONVERSION
    rep, day = sample_days(rates_by_day(people, per_day, settings), rng)
    day = np.where(rng.random(len(day)) < _ON_SATURDAY, day - day % 7 + 5, day)
    minute = np.clip(rng.normal(13 * 60, 200, len(day)), 5, DAY - 5).astype(np.int64)
    order = np.argsort(day * DAY + minute, kind="stable")
    created, rep = (day * DAY + minute)[order], rep[order]
    n = len(rep)
    source = rng.choice(len(SOURCES), n, p=[source.share for source in SOURCES])
    lot = rng.random(n)
    is_valid = lot >= _DUPLICATE + _INVALID
    response = _draw_responses(rep, len(people), settings, rng)
    until = np.minimum(EXPORTED_AT, people.left[rep] * DAY)
    touched = add_office_minutes(created, response)
    touched[(rng.random(n) < _UNTOUCHED) | (touched >= until)] = _NOT_YET
    qualifies = is_valid & (rng.random(n) < _qualify_chance(source, response, settings))
    qualified = _follow_up(touched, qualifies, until, rng, days=6)
    converted = _follow_up(qualified, rng.random(n) < _CONVERT, until, rng, days=9)
    reason = _draw_reasons(lot, is_valid & (touched < _NOT_YET) & ~qualifies, rng)
    return Leads(rep, source, created, touched, qualified, converted, reason)


def _draw_responses(rep: Ints, n_reps: int, settings: Settings, rng: np.random.Generator) -> Ints:
    """Office minutes to the first touch: some reps are quicker than others."""
    habit = rng.normal(0, _RESPONSE_REP_SD, n_reps)
    log_minutes = habit[rep] + rng.normal(0, _RESPONSE_SD, len(rep))
    minutes = settings.response_median * np.exp(log_minutes)
    return np.clip(minutes, 2, 12_000).astype(np.int64)


def _qualify_chance(source: Ints, response: Ints, settings: Settings) -> Floats:
    quality = np.array([source.qualify for source in SOURCES])[source]
    slowness = np.log(response / settings.response_median)
    chance: Floats = expit(_QUALIFY + quality + settings.response_effect * slowness)
    return chance


def _follow_up(
    since: Ints, happens: Bools, until: Ints, rng: np.random.Generator, *, days: int
) -> Ints:
    """Moment in office hours within `days` after another, where it happens before `until`."""
    later = since // DAY + rng.integers(0, days, len(since))
    later = later + np.where(is_workday(later), 0, 2)
    minute = np.maximum(rng.integers(OPENS, CLOSES, len(since)), since % DAY + 1)
    moment = later * DAY + minute
    return np.where(happens & (since < _NOT_YET) & (moment < until), moment, _NOT_YET)


def _draw_reasons(lot: Floats, was_refused: Bools, rng: np.random.Generator) -> Texts:
    n = len(lot)
    given = texts(_REASONS)[rng.integers(0, len(_REASONS), n)]
    reason = keep_where(was_refused & (rng.random(n) < 0.7), given)
    reason[lot < _DUPLICATE + _INVALID] = "invalid"
    reason[lot < _DUPLICATE] = "duplicate"
    return reason


def leads_table(leads: Leads, became: Texts, people: People, settings: Settings) -> pd.DataFrame:
    """List the leads of the export's period as sales sees them.

    Parameters
    ----------
    became
        The opportunity of each lead, or None.
    """
    kept = leads.created >= FIRST * DAY
    names = texts([source.name for source in SOURCES])
    rng = settings.stream("lead ids")
    return pd.DataFrame(
        {
            schema.leads.lead_id: crm_ids("00Q", int(kept.sum()), rng),
            schema.leads.rep_id: people.rep_id[leads.rep[kept]],
            schema.leads.source: names[leads.source[kept]],
            schema.leads.created_at: to_moments(leads.created[kept]),
            schema.leads.qualified_at: to_moments(leads.qualified[kept]),
            schema.leads.first_touch_at: to_moments(leads.touched[kept]),
            schema.leads.converted_opportunity_id: became[kept],
            schema.leads.rejected_reason: leads.reason[kept],
        }
    )
