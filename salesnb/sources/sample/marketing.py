"""Marketing: campaigns and segments of leads, rejections at the handover, and touches.

Nothing here changes what becomes of a lead. A campaign or segment is drawn knowing it, so that the
odds of qualifying differ between campaigns of a source by the planted effect exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.sources.sample.arrays import NEVER, Bools, Floats, Ints, Texts, texts
from salesnb.sources.sample.clock import AS_OF, DAY, EXPORTED_AT, FIRST, to_moments
from salesnb.sources.sample.deals import Deals
from salesnb.sources.sample.ids import crm_ids
from salesnb.sources.sample.leads import Leads
from salesnb.sources.sample.market import SOURCES
from salesnb.sources.sample.settings import Settings

_NOT_YET = NEVER * DAY
_HANDED_BACK = (0.3, 0.6, 0.3, 0.3, 0.2, 0.0, 0.0)
"""By source: share of the qualified leads without an opportunity that sales has rejected."""
_BACK_REASONS = ("no budget", "bad timing", "no fit", "already a customer")
_BACK_SHARES = (0.3, 0.3, 0.3, 0.1)
_MOST_BEFORE, _MOST_AFTER = 2, 2
_OWN_TOUCHED = 0.25
"""Share of the opportunities reps found themselves that marketing touched before."""


@dataclass(frozen=True)
class Campaign:
    """A campaign of a source: its share of the leads that did not qualify, its effect (logit)."""

    source: str
    name: str
    share: float
    qualify: float


CAMPAIGNS = (
    Campaign("Website", "Always-on Search", 0.45, 0.0),
    Campaign("Website", "Spectra Giveaway", 0.55, -0.8),
    Campaign("Trade Fair", "Lab Days Roadshow", 0.4, 0.0),
    Campaign("Trade Fair", "Autumn Fair", 0.6, 0.0),
    Campaign("Webinar", "Calibration Basics", 0.5, 0.0),
    Campaign("Webinar", "UV in Practice", 0.5, 0.0),
    Campaign("Partner", "Partner Days", 1.0, 0.0),
    Campaign("Referral", "Customers Recommend", 1.0, 0.0),
)
SEGMENTS = (("Small business", 0.5, -0.4), ("Mid-market", 0.35, 0.0), ("Enterprise", 0.15, 0.0))
"""Customer segments: share of the leads that did not qualify, effect on qualifying (logit)."""


@dataclass(frozen=True)
class Role:
    """How often a source is the first touch before a lead came in, and the last before it sold.

    `opens` and `closes` are shares of the touches added before and after the lead's own.
    """

    source: str
    opens: float
    closes: float


ROLES = (
    Role("Website", 0.2, 0.1),
    Role("Trade Fair", 0.6, 0.05),
    Role("Webinar", 0.1, 0.7),
    Role("Partner", 0.05, 0.1),
    Role("Referral", 0.05, 0.05),
)
OPENED, CLOSED = 0.55, 0.5
"""Share of leads touched before they came in; of those qualified, touched after."""


@dataclass(frozen=True)
class Marketing:
    """What marketing says of each lead; minutes are of the rejection."""

    campaign: Texts
    segment: Texts
    reason: Texts
    rejected: Ints


def market(leads: Leads, settings: Settings) -> Marketing:
    """Give each lead its campaign, segment and rejection."""
    rng = settings.stream("campaigns")
    is_qualified = leads.qualified < _NOT_YET
    names = texts([name for name, *_ in SEGMENTS])
    shares = np.array([share for _, share, _ in SEGMENTS])
    effects = np.array([effect for *_, effect in SEGMENTS])
    segment = names[_draw_by_outcome(shares, effects, is_qualified, rng)]
    reason, rejected = _reject(leads, rng)
    return Marketing(_draw_campaigns(leads, is_qualified, rng), segment, reason, rejected)


def _draw_by_outcome(
    shares: Floats, effects: Floats, happened: Bools, rng: np.random.Generator
) -> Ints:
    """Draw one of several, so that the odds of what happened differ by the effects."""
    tilted = shares * np.exp(effects)
    chances = np.where(happened[:, None], tilted / tilted.sum(), shares / shares.sum())
    lot = rng.random(len(happened))
    found: Ints = (lot[:, None] > chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return found


def _draw_campaigns(leads: Leads, is_qualified: Bools, rng: np.random.Generator) -> Texts:
    campaign = np.full(len(leads.rep), None, dtype=object)
    for number, source in enumerate(SOURCES):
        of_source = [campaign for campaign in CAMPAIGNS if campaign.source == source.name]
        here = leads.source == number
        if of_source:
            drawn = _draw_by_outcome(
                np.array([one.share for one in of_source]),
                np.array([one.qualify for one in of_source]), is_qualified[here], rng,
            )  # fmt: skip
            campaign[here] = texts([one.name for one in of_source])[drawn]
    return campaign


def _reject(leads: Leads, rng: np.random.Generator) -> tuple[Texts, Ints]:
    """Let sales hand back some qualified leads, and date all rejections.

    The others are as `leads` has them: rejected without a touch, or after it.
    """
    n = len(leads.rep)
    qualified, reason = leads.qualified, leads.reason.copy()
    since = np.where(leads.touched < _NOT_YET, leads.touched, leads.created)
    handed_back = (qualified < _NOT_YET) & (leads.converted == _NOT_YET)
    handed_back &= rng.random(n) < np.array(_HANDED_BACK)[leads.source]
    given = texts(_BACK_REASONS)[rng.choice(len(_BACK_REASONS), n, p=_BACK_SHARES)]
    since = np.where(handed_back, qualified, since)
    rejected = since + rng.integers(20, 9 * DAY, n)
    handed_back &= rejected < EXPORTED_AT
    reason[handed_back] = given[handed_back]
    has_reason = np.array([one is not None for one in reason], dtype=bool)
    # What the CRM shows as rejected was so by the day of the export.
    rejected = np.clip(np.minimum(rejected, EXPORTED_AT - 1), since, None)
    return reason, np.where(has_reason, rejected, _NOT_YET)


def add_marketing(table: pd.DataFrame, leads: Leads, marketing: Marketing) -> pd.DataFrame:
    """Add to the table of leads what marketing says."""
    kept = leads.created >= FIRST * DAY
    columns = schema.leads
    return table.assign(
        **{
            columns.campaign: marketing.campaign[kept],
            columns.segment: marketing.segment[kept],
            columns.rejected_reason: marketing.reason[kept],
            columns.rejected_at: to_moments(marketing.rejected[kept]),
        }
    )


@dataclass(frozen=True)
class _Touches:
    """Touches by position of their lead or deal (-1: none), source and minute."""

    lead: Ints
    deal: Ints
    source: Ints
    minute: Ints


def touches_table(
    leads: Leads, lead_ids: Texts, marketing: Marketing, deals: Deals, deal_ids: Texts,
    settings: Settings,
) -> pd.DataFrame:  # fmt: skip
    """List the touches of leads of the export's period and of opportunities, in order of time.

    A lead's own source is a touch when it comes in. Before it other sources may have opened, after
    it others close; opportunities that were no lead are touched themselves.

    Parameters
    ----------
    lead_ids
        Identifiers of the leads of the export's period, in order.
    """
    rng = settings.stream("touches")
    kept = np.flatnonzero(leads.created >= FIRST * DAY)
    parts = [_own(leads, kept), _before(leads, kept, rng), _after(leads, kept, rng)]
    parts.append(_on_deals(deals, rng))
    whole = _Touches(*(np.concatenate([getattr(p, f) for p in parts]) for f in _FIELDS))
    order = np.lexsort((whole.source, whole.deal, whole.lead, whole.minute))
    whole = _Touches(*(getattr(whole, f)[order] for f in _FIELDS))
    names_of_leads = np.full(len(leads.rep) + 1, None, dtype=object)
    names_of_leads[kept] = lead_ids
    names_of_deals = np.full(len(deals) + 1, None, dtype=object)
    names_of_deals[:-1] = deal_ids
    columns = schema.touches
    is_own = (whole.lead >= 0) & (whole.minute == leads.created[whole.lead])
    return pd.DataFrame(
        {
            columns.touch_id: crm_ids("00v", len(order), rng),
            columns.lead_id: names_of_leads[whole.lead],
            columns.opportunity_id: names_of_deals[whole.deal],
            columns.source: texts([source.name for source in SOURCES])[whole.source],
            columns.campaign: np.where(
                is_own, marketing.campaign[whole.lead], _any_campaign(whole.source, rng)
            ),
            columns.touched_at: to_moments(whole.minute),
        }
    )


_FIELDS = ("lead", "deal", "source", "minute")


def _own(leads: Leads, kept: Ints) -> _Touches:
    nowhere = np.full(len(kept), -1)
    return _Touches(kept, nowhere, leads.source[kept], leads.created[kept])


def _before(leads: Leads, kept: Ints, rng: np.random.Generator) -> _Touches:
    """Touch some leads up to two months before they come in."""
    times = (rng.random(len(kept)) < OPENED) * rng.integers(1, _MOST_BEFORE + 1, len(kept))
    lead = np.repeat(kept, times)
    minute = leads.created[lead] - rng.integers(60, 60 * DAY, len(lead))
    is_known = minute >= FIRST * DAY
    lead, minute = lead[is_known], minute[is_known]
    return _Touches(lead, np.full(len(lead), -1), _draw_role("opens", len(lead), rng), minute)


def _after(leads: Leads, kept: Ints, rng: np.random.Generator) -> _Touches:
    """Touch some qualified leads until they become an opportunity."""
    ready = kept[leads.qualified[kept] < _NOT_YET]
    times = (rng.random(len(ready)) < CLOSED) * rng.integers(1, _MOST_AFTER + 1, len(ready))
    lead = np.repeat(ready, times)
    start = leads.created[lead]
    end = np.minimum(leads.converted[lead], leads.qualified[lead] + 9 * DAY)
    minute = start + 1 + (rng.random(len(lead)) * (end - start - 1)).astype(np.int64)
    source = _draw_role("closes", len(lead), rng)
    is_known = minute < EXPORTED_AT
    nowhere = np.full(int(is_known.sum()), -1)
    return _Touches(lead[is_known], nowhere, source[is_known], minute[is_known])


def _on_deals(deals: Deals, rng: np.random.Generator) -> _Touches:
    """Touch customers of some opportunities that reps found themselves, before and after."""
    own = np.flatnonzero(deals.lead < 0)
    deal = own[rng.random(len(own)) < _OWN_TOUCHED]
    day = deals.created[deal] + rng.integers(-45, 30, len(deal))
    is_known = (day >= FIRST) & (day < AS_OF)
    deal, day = deal[is_known], day[is_known]
    minute = day * DAY + rng.integers(8 * 60, 18 * 60, len(deal))
    return _Touches(np.full(len(deal), -1), deal, _draw_role("closes", len(deal), rng), minute)


def _draw_role(role: str, n: int, rng: np.random.Generator) -> Ints:
    chances = [getattr(one, role) for one in ROLES]
    places = [[source.name for source in SOURCES].index(one.source) for one in ROLES]
    drawn: Ints = np.array(places)[rng.choice(len(ROLES), n, p=chances)]
    return drawn


def _any_campaign(source: Ints, rng: np.random.Generator) -> Texts:
    """Take a campaign of each touch's source."""
    names = np.full((len(SOURCES), 2), None, dtype=object)
    for number, one in enumerate(SOURCES):
        of_source = [campaign.name for campaign in CAMPAIGNS if campaign.source == one.name]
        if of_source:
            names[number] = [of_source[0], of_source[-1]]
    return names[source, rng.integers(0, 2, len(source))]


def campaign_truth() -> pd.DataFrame:
    """Give each campaign's planted effect on qualifying, against the first of its source."""
    return pd.DataFrame(
        {
            schema.leads.source: [one.source for one in CAMPAIGNS],
            schema.leads.campaign: [one.name for one in CAMPAIGNS],
            "share_of_unqualified": [one.share for one in CAMPAIGNS],
            "qualify_logit_effect": [one.qualify for one in CAMPAIGNS],
        }
    )


def role_truth() -> pd.DataFrame:
    """Give how often each source opens and closes, of the touches before and after a lead's own."""
    return pd.DataFrame(
        {
            schema.touches.source: [one.source for one in ROLES],
            "opens_share": [one.opens for one in ROLES],
            "closes_share": [one.closes for one in ROLES],
            "touched_before": OPENED,
            "touched_after": CLOSED,
        }
    )
