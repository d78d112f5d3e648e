"""What the models of a mapping share: they are frozen, and refuse what they do not know."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

TRUE_WORDS = (
    "true", "t", "yes", "y", "1", "ja", "oui", "si", "sí", "wahr", "vrai", "verdadero",
)  # fmt: skip
FALSE_WORDS = ("false", "f", "no", "n", "0", "nein", "non", "falsch", "faux", "falso")


class Strict(BaseModel):
    """A frozen model without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def as_text(value: object) -> str:
    """Write a YAML scalar as the text it stands for.

    >>> as_text(True), as_text(2.5)
    ('true', '2.5')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)
