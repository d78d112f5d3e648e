"""Opportunities as they are opened: by whom, why, how large."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from salesnb.sources.sample.arrays import Bools, Floats, Ints
from salesnb.sources.sample.clock import AS_OF, DAY, FIRST, quarter_of
from salesnb.sources.sample.demand import rates_by_day, sample_days
from salesnb.sources.sample.leads import Leads
from salesnb.sources.sample.market import ACCOUNTS_PER_TERRITORY, CUSTOMER, OUTBOUND, PRODUCTS
from salesnb.sources.sample.people import People
from salesnb.sources.sample.settings import Settings
from salesnb.sources.sample.talent import Talent

TYPES = ("new business", "expansion", "renewal")
TYPE_WIN = (-0.07, 0.15, 0.45)
_TYPE_SIZE = (0.0, -0.15, 0.05)  # log
_LEAD_TYPES, _OWN_TYPES = (0.92, 0.08, 0.0), (0.44, 0.33, 0.23)
_CARE_PRODUCTS = 2
"""The last products are sold with renewals."""


@dataclass(frozen=True)
class Deals:
    """Opportunities as opened, in order of creation.

    `lead` is a position in the leads or -1; `size` the log of the EUR value over the typical
    one, `value` that value; `pace` the log cycle in standard deviations.
    """

    creator: Ints
    created: Ints
    lead: Ints
    source: Ints
    type: Ints
    account: Ints
    product: Ints
    size: Floats
    value: Floats
    pace: Floats

    def __len__(self) -> int:
        """Count the opportunities."""
        return len(self.creator)

    def take(self, kept: Bools) -> Deals:
        """Keep some of the opportunities."""
        return Deals(**{f.name: getattr(self, f.name)[kept] for f in fields(self)})


def open_deals(people: People, talent: Talent, leads: Leads, settings: Settings) -> Deals:
    """Open the opportunities that leads became and those reps found themselves."""
    rng = settings.stream("deals")
    creator, created, lead = _arrivals(people, talent, leads, settings, rng)
    n, is_own = len(creator), lead < 0
    kind = np.where(is_own, rng.choice(3, n, p=_OWN_TYPES), rng.choice(3, n, p=_LEAD_TYPES))
    own_source = np.where(kind == 0, OUTBOUND, CUSTOMER)
    growth = settings.growth * (quarter_of(created) - quarter_of(np.array(FIRST)))
    size = rng.normal(np.array(_TYPE_SIZE)[kind], settings.deal_sd)
    patch = talent.patch[creator]
    account = people.territory[creator] * ACCOUNTS_PER_TERRITORY
    return Deals(
        creator=creator,
        created=created,
        lead=lead,
        source=np.where(is_own, own_source, leads.source[lead]),
        type=kind,
        account=account + rng.integers(0, ACCOUNTS_PER_TERRITORY, n),
        product=_choose_products(size, kind, rng),
        size=size,
        value=settings.deal_median * np.exp(size + patch / 2 + growth),
        pace=rng.normal(0, 1, n),
    ).take(created < AS_OF)


def _arrivals(
    people: People, talent: Talent, leads: Leads, settings: Settings, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Rep, day and lead (or -1) of each opportunity, in order of days."""
    own_rate = (1 - settings.lead_share) * talent.volume
    own_rep, own_day = sample_days(rates_by_day(people, own_rate, settings), rng)
    born = np.flatnonzero(leads.is_converted)
    creator = np.concatenate([leads.rep[born], own_rep])
    created = np.concatenate([leads.converted[born] // DAY, own_day])
    lead = np.concatenate([born, np.full(len(own_rep), -1)])
    order = np.argsort(created, kind="stable")
    return creator[order], created[order], lead[order]


def _choose_products(size: Floats, kind: Ints, rng: np.random.Generator) -> Ints:
    """Sell dearer products in larger opportunities, care and cloud in renewals."""
    n_new = len(PRODUCTS) - _CARE_PRODUCTS
    rank = np.clip(np.round(2.5 + 1.8 * size + rng.normal(0, 0.8, len(size))), 0, n_new - 1)
    care = n_new + rng.integers(0, _CARE_PRODUCTS, len(size))
    return np.where(kind == 2, care, rank.astype(np.int64))
