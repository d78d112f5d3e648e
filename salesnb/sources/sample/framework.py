"""The competency framework from `skills.yaml`, its weights, and where each skill tells."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import yaml

from salesnb import schema
from salesnb.sources.sample.arrays import Floats
from salesnb.sources.sample.people import ROLES

_FILE = Path(__file__).parents[1] / "skills.yaml"
_ANCHORS = (
    schema.skills.anchor_1,
    schema.skills.anchor_2,
    schema.skills.anchor_3,
    schema.skills.anchor_4,
    schema.skills.anchor_5,
)
_TARGETS = {ROLES[0]: 3.0, ROLES[1]: 3.5}
_MANAGER_WEIGHTS = MappingProxyType(
    {"negotiation_commitment": 1.5, "discovery": 1.25, "prospecting_targeting": 1.25}
)

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
def _groups() -> dict[str, dict[str, dict[int, str]]]:
    content: dict[str, dict[str, dict[str, dict[int, str]]]] = yaml.safe_load(
        _FILE.read_text(encoding="utf-8")
    )
    return content["groups"]


@cache
def skill_names() -> tuple[str, ...]:
    """Name all skills, in the framework's order."""
    return tuple(skill for group in _groups().values() for skill in group)


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
    rows = [
        {
            schema.skills.skill: skill,
            schema.skills.role: role,
            schema.skills.group: group,
            schema.skills.weight: _MANAGER_WEIGHTS.get(skill, 1.0),
            schema.skills.target: target,
            **dict(zip(_ANCHORS, anchors.values(), strict=True)),
        }
        for role, target in _TARGETS.items()
        for group, members in _groups().items()
        for skill, anchors in members.items()
    ]
    return pd.DataFrame(rows)
