"""What the reps are truly capable of, and the territories they work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from salesnb.sources.sample.arrays import Floats, Ints
from salesnb.sources.sample.framework import ARCHETYPES, importance, positions, skill_names
from salesnb.sources.sample.people import People
from salesnb.sources.sample.settings import Settings

_SENIOR_LEVEL = 0.25
_OWN_SKILL_SD = 0.2
_BASE_SKILL = 3.1


@dataclass(frozen=True)
class Talent:
    """True figures of each rep once ramped and before any training.

    `patch` is the log potential of the rep's territory, `win` the logit of winning a typical
    opportunity, `volume` the opportunities created in a quarter.
    """

    archetype: Ints
    level: Floats
    skills: Floats
    patch: Floats
    win: Floats
    volume: Floats


def territory_potentials(people: People, settings: Settings) -> Floats:
    """Draw the log potential of every territory, mean 0."""
    rng = settings.stream("territories")
    potential = rng.normal(0, settings.potential_sd, int(people.territory.max()) + 1)
    centred: Floats = potential - potential.mean()
    return centred


def draw_talent(people: People, settings: Settings) -> Talent:
    """Draw skills, volume and winning; winning follows skills and falls with volume."""
    rng = settings.stream("talent")
    n = len(people)
    archetype = rng.permutation(np.arange(n) % len(ARCHETYPES))
    level = rng.normal(0, settings.level_sd, n) + _SENIOR_LEVEL * people.is_senior
    skills = _draw_skills(archetype, level, settings, rng)
    patch = territory_potentials(people, settings)[people.territory]
    log_volume = patch / 2 + rng.normal(0, settings.volume_sd, n)
    share = settings.skill_share
    mix = np.sqrt(share) * _standardise((skills * importance()).sum(axis=1))
    mix = mix + np.sqrt(1 - share) * _standardise(rng.normal(size=n))
    win = logit(settings.win_probability) + settings.win_sd * mix
    return Talent(
        archetype=archetype,
        level=level,
        skills=skills,
        patch=patch,
        win=win + settings.win_per_log_volume * (log_volume - log_volume.mean()),
        volume=settings.volume * np.exp(log_volume),
    )


def _draw_skills(
    archetype: Ints, level: Floats, settings: Settings, rng: np.random.Generator
) -> Floats:
    weak = np.zeros((len(ARCHETYPES), len(skill_names())))
    for row, lacking in enumerate(ARCHETYPES.values()):
        weak[row, positions(lacking)] = settings.profile_gap
    own = rng.normal(0, _OWN_SKILL_SD, (len(level), len(skill_names())))
    skills: Floats = _BASE_SKILL + level[:, None] + weak.mean() - weak[archetype] + own
    return skills


def _standardise(values: Floats) -> Floats:
    spread: Floats = (values - values.mean()) / values.std()
    return spread


def ramp(tenure: Ints, at_start: float, settings: Settings, *, ramped: float) -> Floats:
    """Go from `at_start` on the first day to `ramped` after the ramp.

    >>> settings = Settings(reps=16, seed=1)
    >>> ramp(np.array([0, 135, 400]), -0.8, settings, ramped=0.0).tolist()
    [-0.8, -0.4, 0.0]
    """
    done = np.clip(tenure / settings.ramp_days, 0, 1)
    return at_start + (ramped - at_start) * done
