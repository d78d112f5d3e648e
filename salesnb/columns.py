"""How the data model is declared: columns that know their rules, tables that file themselves.

A `Column` is a `str` that also knows its kind, unit and rules, so `opportunities.rep_id` is
both the name to select by and the declaration that `sources.checks` enforces.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, Literal

Kind = Literal["text", "date", "timestamp", "number", "boolean"]
Reference = Literal["refuse", "warn"]


@dataclass(frozen=True)
class Rule:
    """What a column holds.

    A table needs its `required` columns, and each row a value in them unless they are `nullable`;
    key columns are required unless `nullable`. `references` names a table; a value unknown there
    is refused or warned of, by `on_unknown`. Codes are of `letters` "upper", whatever the export
    writes; other text stays as it is.
    """

    kind: Kind
    about: str
    required: bool = False
    nullable: bool = False
    unit: str = ""
    vocabulary: tuple[str, ...] = ()
    letters: Literal["as written", "upper"] = "as written"
    minimum: float | None = None
    maximum: float | None = None
    references: str = ""
    on_unknown: Reference = "warn"


class Column(str):
    """A column's name, with its `rule` and the table it belongs to."""

    __slots__ = ("rule", "table")
    rule: Rule
    table: str

    def __new__(cls, name: str, rule: Rule, table: str) -> Column:
        """Make the named column."""
        self = super().__new__(cls, name)
        self.rule = rule
        self.table = table
        return self

    def __getnewargs__(self) -> tuple[str, Rule, str]:  # type: ignore[override]
        """Say how it is made again: results that hold columns are kept as pickles."""
        return str(self), self.rule, self.table


def _column(kind: Kind, about: str, **rule: object) -> Column:
    return Column("", Rule(kind, about, **rule), "")  # type: ignore[arg-type]


text = partial(_column, "text")
date = partial(_column, "date")
timestamp = partial(_column, "timestamp")
number = partial(_column, "number")
boolean = partial(_column, "boolean")


@dataclass(frozen=True)
class Fault:
    """What may not hold within a row: `reason` in words, `sql` a predicate over its columns."""

    reason: str
    sql: str


@dataclass(frozen=True)
class Declaration:
    """One table as a value: what `sources` and the docs loop over."""

    name: str
    about: str
    key: tuple[str, ...]
    columns: dict[str, Column] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    required: bool = False

    @property
    def required_columns(self) -> tuple[Column, ...]:
        """Columns a table must have."""
        return tuple(column for column in self.columns.values() if column.rule.required)


class Table:
    """Base of the tables below: names its columns and files itself in `TABLES`."""

    key: ClassVar[tuple[str, ...]] = ()
    faults: ClassVar[tuple[Fault, ...]] = ()
    required: ClassVar[bool] = False
    declaration: ClassVar[Declaration]

    def __init_subclass__(cls) -> None:
        """Give each declared column its name and register the table."""
        columns = {}
        for name, value in list(vars(cls).items()):
            if isinstance(value, Column):
                rule = value.rule
                is_key = name in cls.key and not rule.nullable
                rule = replace(rule, required=rule.required or is_key)
                columns[name] = Column(name, rule, cls.__name__)
                setattr(cls, name, columns[name])
        about = (cls.__doc__ or "").strip().splitlines()[0]
        cls.declaration = Declaration(
            cls.__name__, about, cls.key, columns, cls.faults, cls.required
        )
        TABLES[cls.__name__] = cls.declaration


TABLES: dict[str, Declaration] = {}
"""Every table of the model by name, in the order of declaration (referenced tables come first)."""
