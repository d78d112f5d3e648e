"""The package's competency framework, what each skill truly weighs, and where it tells."""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.sources.framework import skill_framework
from salesnb.sources.sample.arrays import Floats
from salesnb.sources.sample.people import ROLES

ARCHETYPES = MappingProxyType(
    {
        "order taker": ("prospecting_targeting", "account_business_acumen", "adaptability"),
        "presenter": ("active_listening", "discovery", "communication"),
        "friend": ("qualification", "negotiation_commitment"),
        "improviser": ("process_data_discipline", "product_market_knowledge"),
        "lone expert": ("relationship_stakeholders", "value_presentation", "objection_handling"),
    }
)
"""The skills each archetype lacks; together they are all the skills."""

IMPORTANCE = MappingProxyType(
    {
        "discovery": 3.0,
        "negotiation_commitment": 3.0,
        "qualification": 2.0,
        "objection_handling": 2.0,
        "value_presentation": 1.5,
        "relationship_stakeholders": 1.5,
    }
)
"""True relative weight of a skill in winning; 0.5 where not named."""

STAGE_SKILLS = (
    ("prospecting_targeting", "qualification"),
    ("discovery", "active_listening"),
    ("product_market_knowledge", "value_presentation"),
    ("objection_handling", "relationship_stakeholders"),
    ("negotiation_commitment",),
)
"""The skills that keep an opportunity from being lost at each open stage."""


@cache
def skill_names() -> tuple[str, ...]:
    """Name all skills, in the framework's order."""
    return tuple(dict.fromkeys(skill_framework()[schema.skills.skill]))


def positions(skills: tuple[str, ...]) -> list[int]:
    """Positions of skills in the framework's order."""
    return [skill_names().index(skill) for skill in skills]


def importance() -> Floats:
    """Weigh each skill's true part in winning; the weights sum to 1."""
    weights = np.array([IMPORTANCE.get(skill, 0.5) for skill in skill_names()])
    shares: Floats = weights / weights.sum()
    return shares


def skills_table() -> pd.DataFrame:
    """List every skill for every role, with target, weight and anchors."""
    framework = skill_framework()
    return framework[framework[schema.skills.role].isin(ROLES)].reset_index(drop=True)
