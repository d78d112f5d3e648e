"""The competency framework as a YAML file: groups of skills, anchors, targets and weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import yaml
from pydantic import Field, ValidationError, model_validator

from salesnb.errors import ParameterError, quote_examples
from salesnb.schema import skills
from salesnb.sources.mapping import describe_validation
from salesnb.sources.mapping.strict import Strict

DEFAULT_FRAMEWORK = Path(__file__).with_name("skills.yaml")
OTHER_ROLES = "any other role"
ANY_ROLE = ""
"""Role of the rows whose targets hold for roles that are not named."""

_SCALE = (1, 2, 3, 4, 5)
_ANCHORS = (
    skills.anchor_1, skills.anchor_2, skills.anchor_3, skills.anchor_4, skills.anchor_5,
)  # fmt: skip
_Target = Annotated[float, Field(ge=1, le=5)]
_Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Skills = dict[str, dict[int, str]]


class _Framework(Strict):
    targets: dict[str, _Target]
    weights: dict[str, _Weight] = {}
    groups: dict[str, _Skills] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> _Framework:
        names = [skill for members in self.groups.values() for skill in members]
        problems = [
            f"{skill}: has anchors for {sorted(anchors)}; expected one sentence for each of 1 to 5"
            for members in self.groups.values()
            for skill, anchors in members.items()
            if set(anchors) != set(_SCALE)
        ]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            problems.append(f"{quote_examples(twice)}: in two groups; keep it in one")
        unknown = [name for name in self.weights if name not in names]
        if unknown:
            problems.append(
                f"weights: {quote_examples(unknown)} is no skill of the groups; correct the name"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self


def skill_framework(path: str | Path | None = None) -> pd.DataFrame:
    """Read a competency framework: the package's own, or yours.

    Parameters
    ----------
    path
        YAML file with `targets` by role (score 1-5; `any other role` for the rest), `weights` by
        skill (1 where not named) and `groups` of skills with a sentence for each score of 1 to 5,
        as `salesnb/sources/skills.yaml` has them; default that one.

    Returns
    -------
    DataFrame
        skill, role, group, weight, target, anchor_1 to anchor_5: one row a skill and role, an
        empty role for any other.

    Raises
    ------
    ParameterError
        The file is missing, is not YAML or is no framework; the message lists every problem.
    """
    file = DEFAULT_FRAMEWORK if path is None else Path(path)
    framework = _parse(file)
    rows = [
        {
            skills.skill: skill,
            skills.role: ANY_ROLE if role == OTHER_ROLES else role,
            skills.group: group,
            skills.weight: framework.weights.get(skill, 1.0),
            skills.target: target,
            **{name: anchors[score] for name, score in zip(_ANCHORS, _SCALE, strict=True)},
        }
        for role, target in framework.targets.items()
        for group, members in framework.groups.items()
        for skill, anchors in members.items()
    ]
    return pd.DataFrame(rows)


def _parse(file: Path) -> _Framework:
    try:
        content: Any = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ParameterError(
            f"{file}: there is no such file. Copy {DEFAULT_FRAMEWORK} and edit it."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(f"{file}: not valid YAML: {error}") from error
    try:
        return _Framework.model_validate(content)
    except ValidationError as error:
        raise ParameterError(
            f"{file}: {describe_validation(error)}\nSee {DEFAULT_FRAMEWORK} for an example."
        ) from error
