"""Skills as raters see them, with severity, halo and moods taken out."""

from salesnb.analysis.profiles.cells import FittedProfiles, fit_profiles
from salesnb.analysis.profiles.profiles import skill_profiles
from salesnb.analysis.profiles.result import PROFILES_ANCHOR, RATERS_ANCHOR, SkillProfiles

__all__ = [
    "PROFILES_ANCHOR",
    "RATERS_ANCHOR",
    "FittedProfiles",
    "SkillProfiles",
    "fit_profiles",
    "skill_profiles",
]
