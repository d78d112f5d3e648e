"""When work comes in: seasons, ramping and presence as rates per rep and day."""

from __future__ import annotations

import numpy as np

from salesnb.sources.sample.arrays import Bools, Floats, Ints
from salesnb.sources.sample.clock import AS_OF, DAYS, is_workday, to_dates
from salesnb.sources.sample.people import People
from salesnb.sources.sample.settings import Settings
from salesnb.sources.sample.talent import ramp

WORKDAYS_A_QUARTER = 65.0
_MONTHS = (0.9, 1.0, 1.08, 1.0, 1.0, 1.0, 0.95, 0.78, 1.15, 1.2, 1.12, 0.75)
_WINDS_DOWN_DAYS, _WINDS_DOWN = 45, 0.5  # before a parental leave or leaving


def presence(people: People) -> Bools:
    """Tell for each rep and day whether the rep works."""
    rep = np.arange(len(people))[:, None]
    days = np.arange(DAYS)[None, :]
    return people.is_present(rep, days) & is_workday(days) & (days < AS_OF)


def rates_by_day(people: People, per_quarter: Floats, settings: Settings) -> Floats:
    """Spread the arrivals a ramped rep has in a quarter over reps and days.

    They follow the season and the ramp and fade before a parental leave and before leaving.
    """
    days = np.arange(DAYS)[None, :]
    month = to_dates(np.arange(DAYS)).astype("datetime64[M]").astype(int) % 12
    season = np.array(_MONTHS)[month]
    ramped = ramp(days - people.hired[:, None], settings.ramp_volume, settings, ramped=1.0)
    ends = np.minimum(np.where(people.is_parental, people.away_from, people.left), people.left)
    fading = (days >= ends[:, None] - _WINDS_DOWN_DAYS) & (days < ends[:, None])
    share = season * ramped * np.where(fading, _WINDS_DOWN, 1.0) * presence(people)
    rates: Floats = per_quarter[:, None] / WORKDAYS_A_QUARTER * share
    return rates


def sample_days(rates: Floats, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Draw arrivals from the rates: their reps and days."""
    counts = rng.poisson(rates)
    rep, day = np.nonzero(counts)
    times = counts[rep, day]
    return np.repeat(rep, times), np.repeat(day, times)
