"""Rating forms of a company whose skill segments are known, or that has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

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


@dataclass(frozen=True)
class Company:
    """Forms as in `Measures.ratings`; true profiles (reps x skills, as raters see them)."""

    ratings: pd.DataFrame
    archetype: NDArray[np.int64]
    profiles: Floats
    rep_ids: NDArray[np.str_]


def draw_profiles(rng: np.random.Generator, n_reps: int, gap: float) -> tuple[Floats, Floats]:
    """Draw archetypes of equal size and the profiles around them."""
    archetype = rng.permutation(np.arange(n_reps) % len(WEAK))
    weak = np.zeros((len(WEAK), N_SKILLS))
    for row, lacking in enumerate(WEAK):
        weak[row, list(lacking)] = gap
    own = rng.normal(0, _OWN_SD, (n_reps, N_SKILLS))
    return archetype, weak.mean() - weak[archetype] + own


def make_company(
    rng: np.random.Generator,
    profiles: Floats,
    *,
    archetype: NDArray[np.int64] | None = None,
    base: float | Floats = _BASE,
    leniency_sd: float = _LENIENCY_SD,
    view_sd: float = 0.0,
    scale: float = 1.0,
) -> Company:
    """Let managers, peers and coaches rate: whole points 1-5 with leniency, halo, mood, chance.

    Parameters
    ----------
    profiles
        Reps x skills, in points.
    base
        Level of the company, of each skill where an array: high ones are cut at 5.
    view_sd
        How much managers differ in how strictly they see single skills.
    """
    n_reps = len(profiles)
    level = rng.normal(0, _LEVEL_SD, n_reps)
    true = base + level[:, None] + scale * profiles
    team = np.arange(n_reps) // _TEAM
    n_teams = int(team[-1]) + 1
    managers, coaches = n_reps + np.arange(n_teams), n_reps + n_teams + np.arange(max(n_teams // 4, 2))
    n_raters = n_reps + n_teams + len(coaches)
    leniency = rng.normal(0, leniency_sd, n_raters)
    halo = rng.uniform(*_HALO, n_raters)
    view = rng.normal(0, 1, (n_raters, N_SKILLS)) * view_sd
    peers = team * _TEAM + rng.permuted(np.arange(n_reps) % _TEAM + 1) % _TEAM
    raters = (managers[team], np.minimum(peers, n_reps - 1), rng.choice(coaches, n_reps))
    parts = []
    for role, rater in enumerate(raters):
        given = np.flatnonzero(rater != np.arange(n_reps))
        parts.append((given, rater[given], np.full(len(given), role)))
    rep, rater, role = (np.concatenate(column) for column in zip(*parts, strict=True))
    mean = true[rep].mean(axis=1, keepdims=True)
    seen = mean + (1 - halo[rater])[:, None] * (true[rep] - mean) + view[rater]
    seen = seen + (leniency[rater] + rng.normal(0, _MOOD_SD, len(rep)))[:, None]
    score = np.clip(np.round(seen + rng.normal(0, _NOISE_SD, seen.shape)), 1, 5)
    form, skill = np.nonzero(rng.random(score.shape) >= _MISSING)
    names = np.array([f"R{number:05d}" for number in range(n_raters)])
    ratings = pd.DataFrame(
        {
            "form_id": np.char.add("F", form.astype(str)),
            "rep_id": names[rep[form]],
            "team_id": np.char.add("T", team[rep[form]].astype(str)),
            "rater_id": names[rater[form]],
            "rater_role": np.array(ROLES)[role[form]],
            "period": PERIOD,
            "skill": np.array(SKILLS)[skill],
            "score": score[form, skill],
        }
    )
    centred = profiles - profiles.mean(axis=1, keepdims=True)
    seen_by_average = (centred - centred.mean(axis=0)) * (1 - np.mean(_HALO)) * scale
    groups = np.zeros(n_reps, np.int64) if archetype is None else archetype
    return Company(ratings, groups, seen_by_average, names[:n_reps])


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
}


def segment_free(rng: np.random.Generator, name: str, n_reps: int) -> Company:
    """Make a company without segments of one kind of `NULLS`."""
    null = NULLS[name]
    return make_company(rng, null.draw(rng, n_reps), base=null.base, view_sd=null.view_sd)


def segmented(rng: np.random.Generator, n_reps: int, gap: float) -> Company:
    """Make a company of five archetypes."""
    archetype, profiles = draw_profiles(rng, n_reps, gap)
    return make_company(rng, profiles, archetype=archetype)
