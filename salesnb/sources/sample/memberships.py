"""Who belonged to which team under which manager, from day to day."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.sources.sample.arrays import NEVER
from salesnb.sources.sample.clock import AS_OF, day_of, to_dates
from salesnb.sources.sample.people import People
from salesnb.sources.sample.teams import MANAGER_CHANGES, Teams

_DATED_SINCE = day_of(2022, 1, 1)
"""Before this day the CRM kept no dates: a membership since then has no `valid_from`."""


def memberships_table(people: People, teams: Teams) -> pd.DataFrame:
    """List the memberships; they split at moves and where the manager changes."""
    rows = [row for rep in range(len(people)) for row in _rows_of(rep, people, teams)]
    start = np.array([NEVER if row[3] < _DATED_SINCE else row[3] for row in rows])
    end = np.array([row[4] for row in rows])
    return pd.DataFrame(
        {
            schema.memberships.rep_id: [people.rep_id[row[0]] for row in rows],
            schema.memberships.team_id: [teams.team_id[row[1]] for row in rows],
            schema.memberships.manager_id: [row[2] for row in rows],
            schema.memberships.valid_from: to_dates(start),
            schema.memberships.valid_to: to_dates(end),
        }
    )


def _rows_of(rep: int, people: People, teams: Teams) -> list[tuple[int, int, str, int, int]]:
    """List (rep, team, manager, first day, first day no longer) of one rep."""
    first, last = int(people.hired[rep]), int(people.left[rep])
    moved_on = int(people.moved_on[rep])
    spells = [(int(people.home[rep]), first, min(moved_on, last))]
    if moved_on < last:
        spells.append((int(people.moved_to[rep]), moved_on, last))
    rows = []
    for team, start, end in spells:
        change = MANAGER_CHANGES.get(team, NEVER)
        cuts = [start, change, end] if start < change < min(end, AS_OF) else [start, end]
        for begins, ends in pairwise(cuts):
            rows.append((rep, team, teams.manager_on(team, begins), begins, ends))
    return rows
