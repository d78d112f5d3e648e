"""What is planted in the sample company: sizes, strengths and the random streams."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from salesnb.errors import ParameterError

FEWEST_REPS = 16


@dataclass(frozen=True)
class Settings:
    """Size, seed and the planted strengths; logits unless a unit is named.

    The defaults are the sample company's; `truth/parameters.json` records them.
    """

    reps: int
    seed: int
    company: str = "Nordwind Instruments"
    currency: str = "EUR"
    volume: float = 22.0  # opportunities a ramped rep creates in a quarter
    volume_sd: float = 0.15  # log, own effort beyond the territory
    lead_share: float = 0.4  # of these opportunities that began as a lead
    potential_sd: float = 0.5  # log, half of it acts on volume and half on deal size
    win_probability: float = 0.262  # typical opportunity of a typical ramped rep
    win_sd: float = 0.38  # between reps
    skill_share: float = 0.5  # of that variance explained by skills
    win_per_log_volume: float = -0.15
    win_per_cycle: float = -0.2  # for a cycle one SD longer
    win_per_log_amount: float = -0.1
    handover: float = -0.3  # an opportunity taken over from a leaver
    ramp_days: int = 270
    ramp_win: float = -0.8  # on the first day, fading until ramped
    ramp_volume: float = 0.35  # share of full volume on the first day
    ramp_skill: float = -0.6  # score points on the first day
    deal_median: float = 15_000.0  # EUR
    deal_sd: float = 0.45  # log
    growth: float = 0.008  # of deal size in a quarter
    cycle_median: float = 62.0  # days
    cycle_sd: float = 0.5  # log
    response_median: float = 170.0  # business minutes until a lead's first touch
    response_effect: float = -0.3  # on qualifying a lead, for a response e times slower
    level_sd: float = 0.4  # score points, overall skill level between reps
    profile_gap: float = 1.1  # score points an archetype lacks in its weak skills
    contacts_won: float = 1.1  # contacts beyond the first of an opportunity that is won, mean
    contacts_lost: float = 0.6  # and of one that is not
    rater_leniency_sd: float = 0.35  # score points
    rating_noise_sd: float = 0.5  # score points

    def __post_init__(self) -> None:
        """Refuse sizes the company cannot have."""
        if self.reps < FEWEST_REPS:
            raise ParameterError(
                f"reps: {self.reps} is too few for a company of 8 teams. "
                f"Ask for {FEWEST_REPS} or more."
            )
        if self.seed < 0:
            raise ParameterError(f"seed: {self.seed} is negative. Use 0 or more.")

    def stream(self, concern: str) -> np.random.Generator:
        """Make the random numbers of one concern; no other concern draws from them."""
        return np.random.default_rng([self.seed, zlib.crc32(concern.encode())])
