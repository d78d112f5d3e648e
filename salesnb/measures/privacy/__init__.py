"""What was measured, without names or small groups, as the privacy of a batch asks."""

from salesnb.measures.privacy.cells import FEWEST_SHOWN, is_pool
from salesnb.measures.privacy.people import People, read_people
from salesnb.measures.privacy.protect import (
    hider,
    is_about_one,
    protect_measures,
    protect_report,
    protect_teams,
)

__all__ = [
    "FEWEST_SHOWN",
    "People",
    "hider",
    "is_about_one",
    "is_pool",
    "protect_measures",
    "protect_report",
    "protect_teams",
    "read_people",
]
