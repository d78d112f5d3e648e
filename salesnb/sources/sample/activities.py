"""Calls, meetings and e-mails: on opportunities while they are open, and to find new ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.sources.sample.arrays import Bools, Floats, Ints, Texts, keep_where, texts
from salesnb.sources.sample.clock import (
    AS_OF,
    CLOSES,
    DAY,
    EXPORTED_AT,
    FIRST,
    OPENS,
    to_moments,
    workday_until,
)
from salesnb.sources.sample.deals import Deals
from salesnb.sources.sample.decisions import Decisions
from salesnb.sources.sample.demand import presence, sample_days
from salesnb.sources.sample.ids import crm_ids
from salesnb.sources.sample.people import People
from salesnb.sources.sample.settings import Settings
from salesnb.sources.sample.talent import Talent

KINDS = ("call", "meeting", "email")
CALL, MEETING, EMAIL = range(3)
_DEAL_KINDS, _SEARCH_KINDS = (0.52, 0.2, 0.28), (0.8, 0.02, 0.18)
_TOUCHES, _WON_TOUCHES, _LOST_TOUCHES = 0.105, 1.25, 0.85  # a day, and times that
_SEARCH, _STYLE_SD = 1.45, 0.3  # a workday; log, between reps
_CONNECTED, _CONNECT_SD, _HELD, _ANSWERED = 0.36, 0.06, 0.87, 0.3
_TALK, _TALK_SD, _RING = 230, 0.9, 35  # seconds
_LATE, _VERY_LATE = 0.16, 0.05
_MAIN_CONTACT = 1.5  # 1 talks to all contacts equally, more rather to the first


@dataclass(frozen=True)
class _Touches:
    """Who did something when, on which opportunity (-1: none)."""

    rep: Ints
    minute: Ints
    deal: Ints
    kind: Ints


def activities_table(
    deals: Deals, decisions: Decisions, people: People, talent: Talent, deal_ids: Texts,
    settings: Settings,
) -> pd.DataFrame:  # fmt: skip
    """List the activities logged before the export, in order of logging."""
    rng = settings.stream("activities")
    touches = _gather(deals, decisions, people, talent, settings, rng)
    n = len(touches.rep)
    connects = _CONNECTED + rng.normal(0, _CONNECT_SD, len(people))
    chance = np.array([0.0, _HELD, _ANSWERED])[touches.kind]
    chance = np.where(touches.kind == CALL, connects[touches.rep], chance)
    is_connected = rng.random(n) < chance
    seconds = _lengths(touches.kind, is_connected, rng)
    logged = _log_times(touches.minute, seconds, rng)
    order = np.argsort(logged, kind="stable")
    order = order[logged[order] < EXPORTED_AT]
    linked = keep_where(touches.deal >= 0, deal_ids[touches.deal])
    started_seconds = rng.integers(0, 60, n)
    columns = schema.activities
    return pd.DataFrame(
        {
            columns.activity_id: crm_ids("00T", len(order), settings.stream("activity ids")),
            columns.rep_id: people.rep_id[touches.rep[order]],
            columns.kind: texts(KINDS)[touches.kind[order]],
            columns.started_at: to_moments(touches.minute[order], started_seconds[order]),
            columns.logged_at: to_moments(logged[order], 59),
            columns.seconds: seconds[order],
            columns.is_connected: is_connected[order],
            columns.opportunity_id: linked[order],
            columns.contact_id: _contacts(touches.deal, decisions, settings)[order],
        }
    )


def _contacts(deal: Ints, decisions: Decisions, settings: Settings) -> Texts:
    """Name who each touch of an opportunity was with: mostly the first of its contacts."""
    rng = settings.stream("contacts")
    mean = np.where(decisions.is_won, settings.contacts_won, settings.contacts_lost)
    known = 1 + rng.poisson(mean)
    names = crm_ids("003", int(known.sum()), settings.stream("contact ids"))
    first = np.cumsum(known) - known
    place = np.floor(known[deal] * rng.random(len(deal)) ** _MAIN_CONTACT).astype(np.int64)
    return keep_where(deal >= 0, names[first[deal] + place])


def _gather(
    deals: Deals, decisions: Decisions, people: People, talent: Talent, settings: Settings,
    rng: np.random.Generator,
) -> _Touches:  # fmt: skip
    """Touch open opportunities and search for new ones, on days at work only."""
    style = rng.lognormal(0, _STYLE_SD, len(people))
    deal, touched = _deal_days(deals, decisions, talent, style, settings, rng)
    is_handed = touched >= decisions.handed_on[deal]
    worker = np.where(is_handed, decisions.owner[deal], deals.creator[deal])
    searcher, searched = sample_days(_SEARCH * style[:, None] * presence(people), rng)
    rep, day = np.concatenate([worker, searcher]), np.concatenate([touched, searched])
    kept = (day >= FIRST) & people.is_present(rep, day)
    kind = np.concatenate(
        [rng.choice(3, len(deal), p=_DEAL_KINDS), rng.choice(3, len(searcher), p=_SEARCH_KINDS)]
    )
    minute = day * DAY + rng.integers(OPENS, CLOSES - 30, len(day))
    about = np.concatenate([deal, np.full(len(searcher), -1)])
    return _Touches(rep[kept], minute[kept], about[kept], kind[kept])


def _deal_days(
    deals: Deals, decisions: Decisions, talent: Talent, style: Floats, settings: Settings,
    rng: np.random.Generator,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Days on which each opportunity is touched; busy reps touch each less often."""
    until = np.minimum(decisions.closed, AS_OF - 1)
    since = np.maximum(deals.created, FIRST - 7)
    busy = np.sqrt(settings.volume / talent.volume)
    pull = np.where(decisions.is_won, _WON_TOUCHES, _LOST_TOUCHES)
    pull = np.where(~decisions.is_won & (decisions.reason == 0), _LOST_TOUCHES**2, pull)
    rate = _TOUCHES * (style * busy)[deals.creator] * pull
    count = rng.poisson(rate * np.maximum(until - since + 1, 0))
    deal = np.repeat(np.arange(len(deals)), count)
    through = rng.random(len(deal))
    day = since[deal] + np.floor(through * (until - since + 1)[deal]).astype(np.int64)
    return deal, np.maximum(workday_until(day), deals.created[deal])


def _lengths(kind: Ints, is_connected: Bools, rng: np.random.Generator) -> Floats:
    """Seconds of calls and held meetings; a call not answered rings, an e-mail has no length."""
    n = len(kind)
    talk = np.round(_TALK * rng.lognormal(0, _TALK_SD, n)) + 5
    ring = rng.integers(4, _RING, n).astype(float)
    held = rng.choice([1500.0, 1800.0, 2700.0, 3600.0, 5400.0], n, p=[0.15, 0.3, 0.25, 0.22, 0.08])
    call = np.where(is_connected, np.minimum(talk, 5_400), ring)
    return np.choose(kind, [call, np.where(is_connected, held, 0.0), np.full(n, np.nan)])


def _log_times(minute: Ints, seconds: Floats, rng: np.random.Generator) -> Ints:
    """Minutes of logging: mostly at once, some that evening or next day, few days later."""
    n, lot = len(minute), rng.random(len(minute))
    ended = minute + np.ceil(np.nan_to_num(seconds) / 60).astype(np.int64)
    delay = rng.integers(0, 25, n)
    delay = np.where(lot < _LATE, rng.integers(60, DAY, n), delay)
    return ended + np.where(lot < _VERY_LATE, rng.integers(DAY, 10 * DAY, n), delay)
