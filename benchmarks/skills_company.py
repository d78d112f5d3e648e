"""Rating forms of a company whose skill segments are known, or that has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from salesnb.measures.measures import SUMS, Measures
from salesnb.periods import FiscalCalendar
from salesnb.schema import TABLES
from salesnb.sources.mapping import Company as Firm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

N_SKILLS = 13
WEAK = ((0, 1, 2), (3, 4, 5), (6, 7), (8, 9), (10, 11, 12))
"""The skills each archetype lacks, by position; together they are all of them."""
SKILLS = tuple(f"skill_{number:02d}" for number in range(N_SKILLS))
PERIOD = "2026Q3"
ROLES = ("manager", "peer", "coach")

_TEAM = 8
_BASE, _LEVEL_SD, _OWN_SD = 3.2, 0.4, 0.2
_LENIENCY_SD, _MOOD_SD, _NOISE_SD = 0.35, 0.22, 0.5
_HALO = (0.05, 0.4)
_MISSING = 0.15
_DRIFT_SD = 0.1


@dataclass(frozen=True)
class Company:
    """Measures with the forms, archetypes, and true profiles as the average rater sees them.

    `profiles` is reps x skills in points from the company's mean, level taken out.
    """

    measures: Measures
    archetype: Ints
    profiles: Floats

    @property
    def rep_ids(self) -> pd.Index:
        """Reps in the order of `archetype` and `profiles`."""
        return pd.Index(self.measures.people["rep_id"])


def draw_profiles(rng: np.random.Generator, n_reps: int, gap: float) -> tuple[Ints, Floats]:
    """Draw archetypes of equal size and the profiles around them."""
    archetype = rng.permutation(np.arange(n_reps) % len(WEAK))
    weak = np.zeros((len(WEAK), N_SKILLS))
    for row, lacking in enumerate(WEAK):
        weak[row, list(lacking)] = gap
    return archetype, weak.mean() - weak[archetype] + rng.normal(0, _OWN_SD, (n_reps, N_SKILLS))


def make_company(
    rng: np.random.Generator,
    profiles: Floats,
    *,
    archetype: Ints | None = None,
    base: float = _BASE,
    view_sd: float = 0.0,
    region_sd: float = 0.0,
) -> Company:
    """Let a manager, a peer and a coach rate everybody.

    Parameters
    ----------
    profiles
        Reps x skills, in points.
    base
        Level of the company: high ones are cut at 5.
    view_sd, region_sd
        How much raters, and the raters of two regions, differ in how they see single skills.
    """
    n_reps = len(profiles)
    team = np.arange(n_reps) // _TEAM
    true = base + rng.normal(0, _LEVEL_SD, (n_reps, 1)) + profiles
    region = team % 2
    true = true + (region_sd * rng.normal(size=(2, N_SKILLS)))[region]
    raters = _choose_raters(rng, team)
    ratings = _rate(rng, true, raters, view_sd)
    ratings["team_id"] = np.char.add("T", team[ratings["rep"]].astype(str))
    centred = profiles - profiles.mean(axis=1, keepdims=True)
    seen = (centred - centred.mean(axis=0)) * (1 - np.mean(_HALO))
    groups = np.zeros(n_reps, np.int64) if archetype is None else archetype
    return Company(_measures(ratings, team), groups, seen)


def _choose_raters(rng: np.random.Generator, team: Ints) -> Ints:
    """Choose a manager, a peer of the team and a coach for everybody (columns)."""
    n_reps, n_teams = len(team), int(team[-1]) + 1
    size = np.bincount(team)[team]
    place = np.arange(n_reps) - team * _TEAM
    step = rng.integers(1, np.maximum(size, 2))
    peers = team * _TEAM + (place + step) % size
    coaches = n_reps + n_teams + rng.integers(0, max(n_teams // 4, 2), n_reps)
    return np.column_stack([n_reps + team, peers, coaches])


def _rate(rng: np.random.Generator, true: Floats, raters: Ints, view_sd: float) -> pd.DataFrame:
    """Give whole points 1-5, blurred by leniency, halo, mood and chance; some are missing."""
    n_raters = int(raters.max()) + 1
    leniency = rng.normal(0, _LENIENCY_SD, n_raters)
    flat = 1 - rng.uniform(*_HALO, n_raters)
    view = view_sd * rng.normal(size=(n_raters, N_SKILLS))
    rep, role = np.divmod(np.arange(raters.size), len(ROLES))
    rater = raters[rep, role]
    mean = true[rep].mean(axis=1, keepdims=True)
    seen = mean + flat[rater][:, None] * (true[rep] - mean) + view[rater]
    seen = seen + (leniency[rater] + rng.normal(0, _MOOD_SD, len(rep)))[:, None]
    score = np.clip(np.round(seen + rng.normal(0, _NOISE_SD, seen.shape)), 1, 5)
    form, skill = np.nonzero((rng.random(score.shape) >= _MISSING) & (rater != rep)[:, None])
    return pd.DataFrame(
        {
            "form_id": np.char.add("F", form.astype(str)),
            "rep": rep[form],
            "rep_id": _names(rep[form]),
            "rater_id": _names(rater[form]),
            "rater_role": np.array(ROLES)[role[form]],
            "period": PERIOD,
            "skill": np.array(SKILLS)[skill],
            "score": score[form, skill],
        }
    )


def _names(numbers: Ints) -> NDArray[np.str_]:
    return np.char.add("R", np.char.zfill(numbers.astype(str), 6))


def _measures(ratings: pd.DataFrame, team: Ints) -> Measures:
    calendar = FiscalCalendar()
    reps = _names(np.arange(len(team)))
    teams = np.char.add("T", np.unique(team).astype(str))
    empty = {
        name: pd.DataFrame(columns=[str(column) for column in TABLES[name].columns])
        for name in ("skills", "targets", "actions", "territories")
    }
    return Measures(
        totals=pd.DataFrame(columns=["rep_id", "team_id", "period", "kpi", *SUMS]),
        values=pd.DataFrame(),
        weeks=pd.DataFrame(),
        open_deals=pd.DataFrame(),
        ratings=ratings.drop(columns="rep"),
        people=pd.DataFrame(
            {"rep_id": reps, "name": reps, "role": "AE", "hired_on": None, "left_on": None}
        ),
        teams=pd.DataFrame({"team_id": teams, "name": teams, "parent_id": "", "has_members": True}),
        kpis=(),
        missing={},
        periods=(PERIOD,),
        first_close=calendar.first_day(PERIOD),
        company=Firm(name="Simulated"),
        as_of=calendar.last_day(PERIOD),
        snapshot_id="simulated",
        **empty,
    )


def _normal(rng: np.random.Generator, n: int) -> Floats:
    return rng.normal(0, 0.55, (n, N_SKILLS))


def _skewed(rng: np.random.Generator, n: int) -> Floats:
    """Most have no gap in a skill, few have a large one."""
    return 0.55 * (1 - rng.gamma(1.0, 1.0, (n, N_SKILLS)))


def _heavy(rng: np.random.Generator, n: int) -> Floats:
    return 0.4 * rng.standard_t(3, (n, N_SKILLS))


def _heavy_people(rng: np.random.Generator, n: int) -> Floats:
    """Some people have extreme profiles throughout."""
    return rng.normal(0, 0.4, (n, N_SKILLS)) / np.sqrt(rng.chisquare(3, (n, 1)) / 3)


def _zero_inflated(rng: np.random.Generator, n: int) -> Floats:
    """Half of the people have no profile at all."""
    return rng.normal(0, 0.8, (n, N_SKILLS)) * (rng.random((n, 1)) < 0.5)


def _rare_gaps(rng: np.random.Generator, n: int) -> Floats:
    """Single gaps that go together with nothing."""
    return -1.2 * (rng.random((n, N_SKILLS)) < 0.15) + rng.normal(0, 0.2, (n, N_SKILLS))


def _factors(rng: np.random.Generator, n: int) -> Floats:
    return 0.4 * rng.normal(size=(n, 3)) @ rng.normal(size=(3, N_SKILLS)) + rng.normal(
        0, 0.2, (n, N_SKILLS)
    )


def _continuum(rng: np.random.Generator, n: int) -> Floats:
    """From hunter to farmer, evenly."""
    return rng.uniform(-1, 1, (n, 1)) * rng.normal(0, 0.8, N_SKILLS) + rng.normal(
        0, 0.2, (n, N_SKILLS)
    )


def _skewed_continuum(rng: np.random.Generator, n: int) -> Floats:
    return (rng.gamma(1.0, 1.0, (n, 1)) - 1) * rng.normal(0, 0.6, N_SKILLS) + rng.normal(
        0, 0.2, (n, N_SKILLS)
    )


def _none(rng: np.random.Generator, n: int) -> Floats:
    return np.zeros((n, N_SKILLS))


@dataclass(frozen=True)
class Null:
    """A way in which people differ without falling into segments."""

    draw: Callable[[np.random.Generator, int], Floats]
    base: float = _BASE
    view_sd: float = 0.0
    region_sd: float = 0.0


NULLS = {
    "normal": Null(_normal),
    "no profiles": Null(_none),
    "skewed": Null(_skewed),
    "heavy-tailed": Null(_heavy),
    "extreme people": Null(_heavy_people),
    "zero-inflated": Null(_zero_inflated),
    "ceiling": Null(_normal, base=4.6),
    "single gaps": Null(_rare_gaps),
    "three factors": Null(_factors),
    "continuum": Null(_continuum),
    "skewed continuum": Null(_skewed_continuum),
    "raters of other views": Null(_normal, view_sd=0.5),
    "regions of other views": Null(_normal, region_sd=0.6),
}


def segment_free(rng: np.random.Generator, name: str, n_reps: int) -> Company:
    """Make a company without segments of one kind of `NULLS`."""
    null = NULLS[name]
    return make_company(
        rng, null.draw(rng, n_reps), base=null.base, view_sd=null.view_sd,
        region_sd=null.region_sd,
    )  # fmt: skip


def segmented(rng: np.random.Generator, n_reps: int, gap: float) -> Company:
    """Make a company of five archetypes."""
    archetype, profiles = draw_profiles(rng, n_reps, gap)
    return make_company(rng, profiles, archetype=archetype)


def next_quarter(rng: np.random.Generator, company: Company, profiles: Floats) -> Company:
    """Rate the same people again after their profiles have moved a little."""
    moved = profiles + rng.normal(0, _DRIFT_SD, profiles.shape)
    return make_company(rng, moved, archetype=company.archetype)
