"""How opportunities end: who owns them then, when, with what chance, won or lost, and where."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.special import expit, logit

from salesnb.sources.sample.arrays import NEVER, Bools, Floats, Ints
from salesnb.sources.sample.clock import (
    AS_OF,
    quarter_number,
    quarter_of,
    quarter_start,
    workday_from,
    workday_until,
)
from salesnb.sources.sample.deals import TYPE_WIN, Deals
from salesnb.sources.sample.framework import STAGE_SKILLS, positions
from salesnb.sources.sample.market import OPEN_STAGES, SOURCES, STAGES
from salesnb.sources.sample.people import People
from salesnb.sources.sample.settings import Settings
from salesnb.sources.sample.talent import Talent, ramp
from salesnb.sources.sample.teams import TEAM_EFFECTS
from salesnb.sources.sample.training import Trainings

_CYCLE_BY_SIZE, _CYCLE_BY_TYPE = 0.15, (0.0, -0.15, -0.3)  # log
_LOST_AT = (0.25, 0.27, 0.24, 0.155, 0.085)
_LOST_AFTER = (0.6, 0.75, 0.9, 1.0, 1.05)  # of the cycle
_SKILL_HOLDS = -0.5  # log share lost at a stage, for a point more in its skills
_STALLED, _STALLED_CYCLE = 0.27, 1.45
LOSS_REASONS = ("no decision", "price", "competitor", "no budget", "timing", "product fit")
_REASON_SHARES = (0.0, 0.29, 0.27, 0.18, 0.14, 0.12)
_WARP, _PULLED, _PULLED_AT_YEAR_END = 0.72, 0.18, 0.32
_PULL_DAYS, _CROWDED_DAYS, _CROWDED = 24, 25, 0.3
_HANDED_OVER, _FORGOTTEN_DAYS = 0.85, 150
_YEAR_END = 0.1


@dataclass(frozen=True)
class Decisions:
    """The end of each opportunity, as if known; `closed` may lie after the export.

    `owner` is the rep at the end, `handed_on` the day of a handover or `NEVER`; `probability`
    the true chance of winning; `lost_at` the stage a lost one was lost at; `reason` a position in
    `LOSS_REASONS`.
    """

    owner: Ints
    handed_on: Ints
    probability: Floats
    is_won: Bools
    closed: Ints
    lost_at: Ints
    reason: Ints

    @property
    def is_closed(self) -> Bools:
        """Tell which are closed at the export."""
        return self.closed < AS_OF

    def take(self, kept: Bools) -> Decisions:
        """Keep some of the opportunities."""
        return Decisions(**{f.name: getattr(self, f.name)[kept] for f in fields(self)})


def decide(
    deals: Deals, people: People, talent: Talent, trainings: Trainings, settings: Settings
) -> Decisions:
    """Bring every opportunity to its end."""
    rng = settings.stream("decisions")
    n = len(deals)
    due = _postpone(deals.creator, _decision_days(deals, settings), people, rng)
    fate = _hand_over(deals, due, people, rng)
    own = rep_logit(fate.owner, due, people, talent, trainings, settings)
    own = own + deal_logit(deals, settings) + settings.handover * (fate.handed_on < NEVER)
    own = own + _YEAR_END * (quarter_of(due) % 4 == 3)
    shift, at_stage = _team_shift(fate.owner, due, people)
    probability = np.where(fate.is_dropped, 0.0, expit(own + shift))
    is_won = rng.random(n) < probability
    extra = np.clip(expit(own) - expit(own + shift), 0, None) / (1 - expit(own + shift))
    lost_at = _lost_stages(fate.owner, talent, extra, at_stage, rng)
    is_stalled = rng.random(n) < expit(logit(_STALLED) + 0.5 * deals.pace)
    after = np.array(_LOST_AFTER)[lost_at] * np.where(is_stalled, _STALLED_CYCLE, 1.0)
    days = (due - deals.created) * np.where(is_won, 1.0, after)
    closed = _rush(deals.created + days.astype(np.int64), deals.created, is_won, rng)
    reason = rng.choice(len(LOSS_REASONS), n, p=_REASON_SHARES)
    return Decisions(
        owner=fate.owner,
        handed_on=fate.handed_on,
        probability=probability,
        is_won=is_won,
        closed=_fit_ownership(closed, due, deals, fate, people, rng),
        lost_at=lost_at,
        reason=np.where(is_stalled | fate.is_dropped, 0, reason),
    )


def rep_logit(
    rep: Ints, day: Ints, people: People, talent: Talent, trainings: Trainings, settings: Settings
) -> Floats:
    """Find each rep's logit of winning a typical opportunity: talent, ramp and training."""
    ramping = ramp(day - people.hired[rep], settings.ramp_win, settings, ramped=0.0)
    return talent.win[rep] + ramping + trainings.win_lift(rep, day)


def deal_logit(deals: Deals, settings: Settings) -> Floats:
    """Find what an opportunity's own nature adds to the logit of winning it."""
    by_source = np.array([source.win for source in SOURCES])[deals.source]
    by_type = np.array(TYPE_WIN)[deals.type]
    by_size = settings.win_per_log_amount * deals.size
    nature: Floats = by_source + by_type + by_size + settings.win_per_cycle * deals.pace
    return nature


def _decision_days(deals: Deals, settings: Settings) -> Ints:
    log_cycle = np.log(settings.cycle_median) + settings.cycle_sd * deals.pace
    log_cycle = log_cycle + _CYCLE_BY_SIZE * deals.size + np.array(_CYCLE_BY_TYPE)[deals.type]
    days = np.clip(np.exp(log_cycle), 4, 540).astype(np.int64)
    return workday_from(deals.created + days)


def _postpone(rep: Ints, due: Ints, people: People, rng: np.random.Generator) -> Ints:
    """Let what falls into a sick leave wait; colleagues cover the long parental ones."""
    waits = (due >= people.away_from[rep]) & (due < people.away_until[rep])
    waits &= ~people.is_parental[rep]
    later = people.away_until[rep] + rng.integers(0, 15, len(rep))
    return np.where(waits, workday_from(later), due)


@dataclass(frozen=True)
class _Fate:
    """What becomes of opportunities whose creator leaves first; of the others, nothing."""

    owner: Ints
    handed_on: Ints
    is_dropped: Bools
    is_forgotten: Bools


def _hand_over(deals: Deals, due: Ints, people: People, rng: np.random.Generator) -> _Fate:
    """Hand most to colleagues who stay and drop some; of recent leavers a few lie forgotten."""
    owner, lot = deals.creator.copy(), rng.random(len(deals))
    left = people.left[deals.creator]
    affected = due >= left
    is_forgotten = affected & (due > AS_OF) & (left > AS_OF - _FORGOTTEN_DAYS) & (lot < 0.35)
    is_handed = affected & ~is_forgotten & (lot < _HANDED_OVER)
    handed = np.flatnonzero(is_handed)
    by_leaver = handed[np.argsort(deals.creator[handed], kind="stable")]
    leavers, starts = np.unique(deals.creator[by_leaver], return_index=True)
    for leaver, group in zip(leavers, np.split(by_leaver, starts[1:]), strict=False):
        owner[group] = rng.choice(_colleagues(int(leaver), people), len(group))
    handed_on = np.where(is_handed, left, NEVER)
    return _Fate(owner, handed_on, affected & ~is_handed & ~is_forgotten, is_forgotten)


def _colleagues(leaver: int, people: People) -> Ints:
    """Those of the leaver's team that day who stay; anyone who stays where there is none."""
    day = np.full(len(people), people.left[leaver])
    everyone = np.arange(len(people))
    stays = people.is_present(everyone, day) & (people.left == NEVER)
    team = people.team_on(everyone, day)
    same: Ints = everyone[stays & (team == team[leaver])]
    others: Ints = everyone[stays]
    return same if len(same) else others


def _fit_ownership(
    closed: Ints, due: Ints, deals: Deals, fate: _Fate, people: People, rng: np.random.Generator
) -> Ints:
    """Let leavers close nothing once gone, and new owners nothing before they took over."""
    n = len(deals)
    left = people.left[deals.creator]
    dropped = workday_until(left - rng.integers(1, 8, n))
    taken_up = workday_from(np.where(fate.handed_on < NEVER, fate.handed_on, 0))
    is_own = (fate.handed_on == NEVER) & ~fate.is_forgotten
    closed = np.where(fate.is_dropped, dropped, closed)
    closed = np.where(is_own & (closed >= left), workday_until(left - 1), closed)
    closed = np.where(fate.is_forgotten, np.maximum(closed, due), closed)
    closed = np.maximum(closed, workday_from(taken_up + rng.integers(0, 20, n) * (taken_up > 0)))
    return np.maximum(closed, deals.created)


def _team_shift(owner: Ints, due: Ints, people: People) -> tuple[Floats, Ints]:
    """Find what happens to whole teams: the shift in winning, the stage where a fall shows."""
    team, quarter = people.team_on(owner, due), quarter_of(due)
    shift, at_stage = np.zeros(len(owner)), np.zeros(len(owner), dtype=np.int64)
    names = [stage for stage, *_ in STAGES]
    for effect in TEAM_EFFECTS:
        is_hit = (team == effect.team) & (quarter == quarter_number(effect.quarter))
        shift[is_hit] = effect.win
        at_stage[is_hit] = names.index(effect.stage) if effect.stage else 0
    return shift, at_stage


def _lost_stages(
    owner: Ints, talent: Talent, extra: Floats, at_stage: Ints, rng: np.random.Generator
) -> Ints:
    """Draw where each would be lost: where its owner is weak, or where the team fails."""
    relevant = np.stack([talent.skills[:, positions(s)].mean(axis=1) for s in STAGE_SKILLS], axis=1)
    weight = np.array(_LOST_AT) * np.exp(
        _SKILL_HOLDS * (relevant - relevant.mean(axis=1, keepdims=True))
    )
    share = (weight / weight.sum(axis=1, keepdims=True))[owner] * (1 - extra)[:, None]
    share[np.arange(len(owner)), at_stage] += extra
    lot = rng.random(len(owner))
    stage: Ints = (np.cumsum(share, axis=1) < lot[:, None]).sum(axis=1)
    return np.minimum(stage, OPEN_STAGES - 1)


def _rush(closed: Ints, created: Ints, is_won: Bools, rng: np.random.Generator) -> Ints:
    """Crowd closings towards quarter ends and pull some wins back before them."""
    n, quarter = len(closed), quarter_of(closed)
    start, end = quarter_start(quarter), quarter_start(quarter + 1)
    through = (closed - start) / (end - start)
    late = start + np.floor((end - start) * through**_WARP).astype(np.int64)
    is_crowded = (end - late <= _CROWDED_DAYS) & (rng.random(n) < _CROWDED)
    late = np.where(is_crowded, np.maximum(late, end - rng.integers(1, 7, n)), late)
    chance = np.where(quarter % 4 == 0, _PULLED_AT_YEAR_END, _PULLED)
    pulled = start - rng.integers(1, 9, n)
    can = is_won & (late - start < _PULL_DAYS) & (pulled > created + 5)
    rushed = np.where(can & (rng.random(n) < chance), pulled, late)
    return np.maximum(workday_until(rushed), created)
