"""The reps: who they are, when they came and left, and where they belonged."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.sources.sample.arrays import NEVER, Bools, Ints, Texts, texts
from salesnb.sources.sample.clock import AS_OF, FIRST, day_of, to_dates, workday_from
from salesnb.sources.sample.ids import crm_ids
from salesnb.sources.sample.names import FIRST_NAMES, LAST_NAMES
from salesnb.sources.sample.settings import Settings
from salesnb.sources.sample.teams import PATCHES, Teams

ROLES = ("Account Executive", "Senior Account Executive")
ODD_ID, ODD_NAME = "NA", "Nerea Arriaga"
"""An old user whose identifier is her initials, which careless readers take for missing."""

_REPLACED, _GONE, _GROWTH = 0.13, 0.035, 0.09
_PARENTAL, _SICK, _MOVED = 0.11, 0.16, 0.07


@dataclass(frozen=True)
class People:
    """One entry a rep, in order of hiring; days are `NEVER` for what does not happen.

    `home` is the first team, `moved_to` the team from `moved_on`; at most one move and one
    absence each.
    """

    rep_id: Texts
    name: Texts
    is_senior: Bools
    hired: Ints
    left: Ints
    territory: Ints
    home: Ints
    moved_on: Ints
    moved_to: Ints
    away_from: Ints
    away_until: Ints
    is_parental: Bools

    def __len__(self) -> int:
        """Count the reps."""
        return len(self.rep_id)

    def team_on(self, rep: Ints, day: Ints) -> Ints:
        """Team of each rep on each day."""
        return np.where(day >= self.moved_on[rep], self.moved_to[rep], self.home[rep])

    def is_present(self, rep: Ints, day: Ints) -> Bools:
        """Tell whether each rep is employed and not on leave on each day."""
        is_employed = (day >= self.hired[rep]) & (day < self.left[rep])
        is_away = (day >= self.away_from[rep]) & (day < self.away_until[rep])
        return is_employed & ~is_away


def hire_people(settings: Settings, teams: Teams) -> People:
    """Hire the reps, move some between teams and send some on leave."""
    rng = settings.stream("people")
    n = settings.reps
    territory, hired, left = _staff_territories(n, rng)
    blank = np.full(n, NEVER)
    people = People(
        rep_id=np.full(n, None, dtype=object),
        name=_person_names(n, rng),
        is_senior=(hired < -500) & (rng.random(n) < 0.45),
        hired=workday_from(hired),
        left=np.where(left < NEVER, workday_from(left), NEVER),
        territory=territory,
        home=territory % len(teams),
        moved_on=blank,
        moved_to=territory % len(teams),
        away_from=blank,
        away_until=blank,
        is_parental=np.zeros(n, dtype=bool),
    )
    people = _send_on_leave(_move(_order_by_hiring(people), teams, rng), rng)
    return _identify(people, settings)


def _staff_territories(n: int, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Draw territory, first and last day of first occupants, growth and successors of leavers."""
    n_replaced, n_gone = max(1, round(_REPLACED * n)), max(1, round(_GONE * n))
    n_territories = n - n_replaced
    fate = rng.permutation(n_territories)
    replaced, gone = fate[:n_replaced], fate[n_replaced : n_replaced + n_gone]
    grown = fate[n_replaced + n_gone :][: max(1, round(_GROWTH * n))]
    territory, hired, left = np.arange(n), -rng.integers(20, 2_500, n), np.full(n, NEVER)
    hired[grown] = rng.integers(FIRST + 30, AS_OF - 100, len(grown))
    left[replaced] = rng.integers(FIRST + 60, AS_OF - 200, n_replaced)
    left[gone] = rng.integers(AS_OF - 150, AS_OF - 12, n_gone)
    territory[n_territories:] = replaced
    hired[n_territories:] = left[replaced] + rng.integers(12, 80, n_replaced)
    return territory, hired, left


def _order_by_hiring(people: People) -> People:
    order = np.argsort(people.hired, kind="stable")
    return replace(people, **{f.name: getattr(people, f.name)[order] for f in fields(people)})


def _identify(people: People, settings: Settings) -> People:
    """Give identifiers in order of hiring, and the odd one to a rep who stays throughout."""
    rep_id = crm_ids("005", len(people), settings.stream("rep ids"))
    name = people.name.copy()
    stays = (people.hired < 0) & (people.left == NEVER) & (people.moved_on == NEVER)
    odd = np.flatnonzero(stays & (people.away_from == NEVER))[2]
    rep_id[odd], name[odd] = ODD_ID, ODD_NAME
    return replace(people, rep_id=rep_id, name=name)


def _person_names(count: int, rng: np.random.Generator) -> Texts:
    first, last = FIRST_NAMES.split(), LAST_NAMES.split()
    pairs = rng.choice(len(first) * len(last), count, replace=False)
    return texts([f"{first[pair // len(last)]} {last[pair % len(last)]}" for pair in pairs])


def _move(people: People, teams: Teams, rng: np.random.Generator) -> People:
    """Move some of those who stay within their region, every other one inside a quarter."""
    settled = np.flatnonzero((people.hired < 0) & (people.left == NEVER))
    count = max(2, round(_MOVED * len(people)))
    movers = rng.choice(settled, min(count, len(settled) // 3), replace=False)
    starts = [day_of(y, m, 1) for y in (2024, 2025, 2026) for m in (1, 4, 7)]
    offset = np.where(np.arange(len(movers)) % 2 == 0, 0, rng.integers(20, 70, len(movers)))
    region = np.array([PATCHES[patch].region for patch in teams.patch])
    moved_on, moved_to = people.moved_on.copy(), people.moved_to.copy()
    moved_on[movers] = rng.choice(starts, len(movers)) + offset
    for rep in movers:
        same_region = np.flatnonzero(region == region[people.home[rep]])
        moved_to[rep] = rng.choice(same_region[same_region != people.home[rep]])
    return replace(people, moved_on=moved_on, moved_to=moved_to)


def _send_on_leave(people: People, rng: np.random.Generator) -> People:
    """Give some an absence: parental or sick, after half a year and while they are employed."""
    n = len(people)
    lot = rng.random(n)
    is_parental = lot < _PARENTAL
    length = np.where(is_parental, rng.integers(90, 190, n), rng.integers(14, 50, n))
    start = workday_from(rng.integers(FIRST, AS_OF - 25, n))
    until = workday_from(start + length)
    fits = (start > people.hired + 180) & (until < people.left) & (people.moved_on == NEVER)
    is_away = (lot < _PARENTAL + _SICK) & fits
    return replace(
        people,
        away_from=np.where(is_away, start, NEVER),
        away_until=np.where(is_away, until, NEVER),
        is_parental=is_parental & is_away,
    )


def reps_table(people: People) -> pd.DataFrame:
    """List the reps."""
    return pd.DataFrame(
        {
            schema.reps.rep_id: people.rep_id,
            schema.reps.name: people.name,
            schema.reps.role: texts(ROLES)[people.is_senior.astype(int)],
            schema.reps.hired_on: to_dates(people.hired),
            schema.reps.left_on: to_dates(people.left),
        }
    )


def leaves_table(people: People) -> pd.DataFrame:
    """List the absences."""
    away = np.flatnonzero(people.away_from < NEVER)
    return pd.DataFrame(
        {
            schema.leaves.rep_id: people.rep_id[away],
            schema.leaves.valid_from: to_dates(people.away_from[away]),
            schema.leaves.valid_to: to_dates(people.away_until[away]),
        }
    )
