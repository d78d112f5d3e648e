"""Columns: how the text of one of the model's columns is made from an export."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from salesnb.sources.mapping.strict import FALSE_WORDS, TRUE_WORDS, Strict, as_text

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
"""A column's name within a template."""
ORIGINS = (
    "column", "constant", "template", "first_of", "value_of", "sum", "difference", "product",
    "ratio", "seconds_between", "is_filled", "alternatives",
)  # fmt: skip
"""Keys that say what a column is made from; a specification has exactly one."""


def _to_names(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_to_names)]
"""A name, or several of which the first one the export has is meant."""


class FoundIn(Strict):
    """The values of a column of another file."""

    source: Names = Field(alias="from", min_length=1)
    column: Names = Field(min_length=1)


class Lookup(Strict):
    """A translation by another file: where its `key` is the text, its `value`."""

    source: Names = Field(alias="from", min_length=1)
    key: Names = Field(min_length=1)
    value: Names = Field(min_length=1)


class Condition(Strict):
    """What a column of the export is asked: is it one of these, is it found there.

    Letter case does not matter; `true` and `false` mean all the ways files write them, and an
    empty text a missing value. Which column is asked is the condition's key, or `column`.
    """

    column: Names = ()
    is_in: tuple[str, ...] = Field((), alias="is")
    found_in: FoundIn | None = None
    optional: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_values(cls, value: Any) -> Any:
        return value if isinstance(value, (dict, Condition)) else {"is": value}

    @field_validator("is_in", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        items = value if isinstance(value, (list, tuple)) else [value]
        words: list[str] = []
        for item in items:
            if item is True or item is False:
                words += TRUE_WORDS if item else FALSE_WORDS
            else:
                words.append(as_text(item).strip().lower())
        return tuple(words)

    @model_validator(mode="after")
    def _asks_something(self) -> Condition:
        if (not self.is_in) == (self.found_in is None):
            raise ValueError("give either values or `found_in`")
        return self


Word = Literal["lower", "upper", "not", "day", "quarter", "hours_minutes", "minutes_seconds"]


class Step(Strict):
    """One thing done to a text; exactly one of these."""

    word: Word | None = None
    before: str | None = Field(None, min_length=1)
    after: str | None = Field(None, min_length=1)
    scale: float | None = Field(None, allow_inf_nan=False)
    greater_than: float | None = Field(None, allow_inf_nan=False)
    year_start: int = 1

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return {"word": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_one_thing(self) -> Step:
        given = (self.word, self.before, self.after, self.scale, self.greater_than)
        if sum(item is not None for item in given) != 1:
            raise ValueError("a step is exactly one thing; write several as a list")
        return self


class ColumnSpec(Strict):
    """Where one column's values come from, and what is done to them, in the order below.

    Written as a text it is that column, as a list the first that the export can give.
    """

    column: Names = ()
    constant: str | None = None
    template: str | None = None
    value_of: str | None = None
    first_of: tuple[ColumnSpec, ...] = ()
    sum: tuple[ColumnSpec, ...] = ()
    difference: tuple[ColumnSpec, ...] = Field((), max_length=2)
    product: tuple[ColumnSpec, ...] = ()
    ratio: tuple[ColumnSpec, ...] = Field((), max_length=2)
    seconds_between: tuple[ColumnSpec, ...] = Field((), max_length=2)
    is_filled: ColumnSpec | None = None
    alternatives: tuple[ColumnSpec, ...] = ()
    then: tuple[Step, ...] = ()
    lookup: Lookup | None = None
    map: dict[str, str] = Field(default_factory=dict)
    ignore_case: bool = False
    otherwise: str | None = None
    only_if: str | dict[str, Condition] | ColumnSpec | None = Field(
        None, union_mode="left_to_right"
    )
    not_after: str | ColumnSpec | None = Field(None, union_mode="left_to_right")
    if_empty: str | None = None
    optional: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_short(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"column": value}
        return {"alternatives": value} if isinstance(value, list) else value

    @field_validator("then", mode="before")
    @classmethod
    def _one_step(cls, value: Any) -> Any:
        return [value] if isinstance(value, (str, dict)) else value

    @field_validator("map", mode="before")
    @classmethod
    def _map_to_text(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if any(isinstance(key, bool) for key in value):
            raise ValueError("YAML reads yes, no, on and off as true or false; put keys in quotes")
        return {str(key): as_text(item) for key, item in value.items()}

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnSpec:
        given = [name for name in ORIGINS if getattr(self, name) not in (None, ())]
        if len(given) != 1:
            known = ", ".join(ORIGINS[:-1])
            raise ValueError(f"give exactly one of {known}")
        origin = given[0]
        if (
            origin in ("difference", "ratio", "seconds_between")
            and len(self.inputs_of(origin)) != 2
        ):
            raise ValueError(f"`{origin}` needs two columns")
        if self.otherwise is not None and not self.map:
            raise ValueError("`otherwise` needs a `map`")
        if self.ignore_case and not self.map:
            raise ValueError("`ignore_case` needs a `map`")
        if origin in ("constant", "template", "alternatives"):
            needy = [name for name in ("map", "then", "lookup") if getattr(self, name)]
            if needy:
                raise ValueError(f"`{needy[0]}` needs a column or first_of, not {origin}")
        late = [name for name in ("only_if", "not_after", "if_empty") if getattr(self, name)]
        if origin == "alternatives" and late:
            raise ValueError(f"write `{late[0]}` within the items of the list")
        return self

    def inputs_of(self, origin: str) -> tuple[ColumnSpec, ...]:
        """Specifications this one is made from, of one of `ORIGINS`."""
        value = getattr(self, origin)
        if isinstance(value, ColumnSpec):
            return (value,)
        items = value if isinstance(value, tuple) else ()
        return tuple(item for item in items if isinstance(item, ColumnSpec))

    @property
    def parts(self) -> tuple[ColumnSpec, ...]:
        """Specifications within this one."""
        return tuple(part for origin in ORIGINS for part in self.inputs_of(origin))

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names of columns within the template."""
        return tuple(PLACEHOLDER.findall(self.template or ""))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the export's columns this one is made from, those of conditions aside."""
        inner = [name for part in self.parts for name in part.inputs]
        return tuple(dict.fromkeys([*self.column, *self.placeholders, *inner]))

    @property
    def sources(self) -> tuple[Names, ...]:
        """Other files that are looked into, by their alternative names."""
        conditions = self.only_if.values() if isinstance(self.only_if, dict) else ()
        condition = [c for c in (self.only_if, self.not_after) if isinstance(c, ColumnSpec)]
        own = [self.lookup.source] if self.lookup else []
        own += [item.found_in.source for item in conditions if item.found_in]
        inner = [source for part in (*self.parts, *condition) for source in part.sources]
        return (*own, *inner)
