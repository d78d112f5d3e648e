"""Teams, their regions and managers, and what happens to whole teams."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.sources.sample.arrays import Ints, Texts, texts
from salesnb.sources.sample.clock import day_of
from salesnb.sources.sample.ids import crm_ids
from salesnb.sources.sample.settings import Settings

ROOT = "company"
REGIONS = (("region-continental", "Continental"), ("region-atlantic", "Atlantic"))
_FEWEST, _SIZE = 8, 15
_STAFF_IDS = 50_000_000


@dataclass(frozen=True)
class Patch:
    """Where a team sells; its region is a position in `REGIONS`."""

    name: str
    region: int
    country: str
    currency: str


PATCHES = (
    Patch("North", 0, "Netherlands", "EUR"),
    Patch("Rhine", 0, "Germany", "EUR"),
    Patch("Iberia", 0, "Spain", "EUR"),
    Patch("Adria", 0, "Italy", "EUR"),
    Patch("Gallia", 1, "France", "EUR"),
    Patch("Britain", 1, "United Kingdom", "GBP"),
    Patch("Lakes", 1, "United States", "USD"),
    Patch("Pacific", 1, "United States", "USD"),
)


@dataclass(frozen=True)
class TeamEffect:
    """A team's true shift in one quarter; a fall costs opportunities at `stage`."""

    team: int
    quarter: str
    win: float
    stage: str


TEAM_EFFECTS = (
    TeamEffect(team=0, quarter="2026Q3", win=-0.75, stage="Proposal"),
    TeamEffect(team=2, quarter="2026Q3", win=0.6, stage=""),
)
TRAINED_AS_A_WHOLE = 5
"""The team trained as a whole: neither of those above."""

MANAGER_CHANGES = {0: day_of(2025, 4, 1), 6: day_of(2024, 8, 19)}
"""Teams (of the first eight) whose manager changes, and the new one's first day."""


@dataclass(frozen=True)
class Teams:
    """All teams by position; `successors` has a manager's id or None."""

    team_id: Texts
    name: Texts
    patch: Ints
    managers: Texts
    successors: Texts
    coaches: Texts

    def __len__(self) -> int:
        """Count the teams."""
        return len(self.team_id)

    def manager_on(self, team: int, day: int) -> str:
        """Name the manager of a team on a day."""
        changes = MANAGER_CHANGES.get(team, day + 1) <= day
        return str(self.successors[team] if changes else self.managers[team])


def found_teams(settings: Settings) -> Teams:
    """Found the teams: eight, or more to keep about 15 reps in each."""
    count = max(_FEWEST, round(settings.reps / _SIZE)) if settings.reps > 160 else _FEWEST
    patch = np.arange(count) % len(PATCHES)
    rounds = np.arange(count) // len(PATCHES) + 1
    suffix = ["" if r == 1 else f" {r}" for r in rounds]
    names = [PATCHES[p].name + s for p, s in zip(patch, suffix, strict=True)]
    n_coaches = max(3, count // 4)
    rng = settings.stream("staff ids")
    staff = crm_ids("005", count + len(MANAGER_CHANGES) + n_coaches, rng, start=_STAFF_IDS)
    successors = np.full(count, None, dtype=object)
    successors[list(MANAGER_CHANGES)] = staff[count : count + len(MANAGER_CHANGES)]
    return Teams(
        team_id=texts([name.lower().replace(" ", "-") for name in names]),
        name=texts(names),
        patch=patch,
        managers=staff[:count],
        successors=successors,
        coaches=staff[-n_coaches:],
    )


def teams_table(teams: Teams, settings: Settings) -> pd.DataFrame:
    """List the company, its regions and its teams."""
    region_ids = [slug for slug, _ in REGIONS]
    parents = [region_ids[PATCHES[patch].region] for patch in teams.patch]
    return pd.DataFrame(
        {
            schema.teams.team_id: [ROOT, *region_ids, *teams.team_id],
            schema.teams.name: [settings.company, *(name for _, name in REGIONS), *teams.name],
            schema.teams.parent_id: [None, *[ROOT] * len(REGIONS), *parents],
        }
    )
