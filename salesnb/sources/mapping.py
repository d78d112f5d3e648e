"""Mappings: which column of an export becomes which column of the model, as YAML.

A mapping says, per table of the model, where its rows come from::

    company: {name: Acme, currency: EUR, fiscal_year_start: 2}
    files: {deals.csv: {encoding: latin-1, date_format: "%d/%m/%Y", decimal: ","}}
    aliases: {products: {GTXPro: GTX Pro}}
    tables:
      opportunities:
        - from: deals
          columns:
            opportunity_id: Record ID
            is_won: {column: Stage, map: {Closed Won: "true"}, otherwise: "false"}
            currency: {constant: EUR}

Everything is declared; nothing is evaluated.
"""

from __future__ import annotations

import datetime as dt
import re
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import duckdb
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from salesnb.errors import DataError, ParameterError, join_problems
from salesnb.periods import FiscalCalendar, FiscalWeeks, NamedBy
from salesnb.schema import TABLES

SUFFIXES = (".csv", ".parquet")
"""Of the files an export may have."""

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Company(_Strict):
    """What holds for the whole company and every report on it."""

    name: str = "Company"
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$", description="reporting currency, ISO 4217")
    fiscal_year_start: int = Field(1, ge=1, le=12, description="month in which fiscal years start")
    fiscal_year_named_by: NamedBy = Field("end", description="the year of its start or its end")
    fiscal_weeks: FiscalWeeks | None = Field(None, description="for years of 52 or 53 whole weeks")
    as_of: dt.date | None = Field(None, description="day of the export; default: its last event")
    maturity_days: int = Field(90, ge=0, description="age at which a created cohort is compared")
    connected_call_seconds: int = Field(60, ge=0, description="shortest call that counts")
    ramp_days: int = Field(0, ge=0, description="days over which a new rep's quota grows to full")

    @property
    def calendar(self) -> FiscalCalendar:
        """The company's fiscal calendar."""
        return FiscalCalendar(self.fiscal_year_start, self.fiscal_weeks, self.fiscal_year_named_by)


class FileOptions(_Strict):
    """How to read one file."""

    encoding: Literal["utf-8", "utf-16", "latin-1"] = "utf-8"
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    date_format: str | None = None
    decimal: str = Field(".", pattern=r"^[.,]$")

    @field_validator("date_format")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        try:
            with duckdb.connect() as db:
                db.execute("select try_strptime('', ?)", [value])
        except duckdb.Error as error:
            raise ValueError(f"{value!r} is no date format; write it like %d/%m/%Y") from error
        return value


class ColumnSpec(_Strict):
    """Where one column's values come from: a column, a constant, a template or the first filled."""

    column: str | None = None
    constant: str | None = None
    template: str | None = None
    first_of: tuple[str, ...] = ()
    map: dict[str, str] = Field(default_factory=dict)
    otherwise: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @field_validator("map", mode="before")
    @classmethod
    def _map_to_text(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if any(isinstance(key, bool) for key in value):
            raise ValueError("YAML reads yes, no, on and off as true or false; put keys in quotes")
        return {str(key): _as_text(item) for key, item in value.items()}

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnSpec:
        origins = [self.column, self.constant, self.template, self.first_of or None]
        if sum(origin is not None for origin in origins) != 1:
            raise ValueError("give exactly one of column, constant, template, first_of")
        if self.otherwise is not None and not self.map:
            raise ValueError("`otherwise` needs a `map`")
        if self.map and not (self.column or self.first_of):
            raise ValueError("`map` needs a column or first_of")
        return self

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the export's columns this one is made from."""
        if self.template is not None:
            return tuple(_PLACEHOLDER.findall(self.template))
        return (self.column,) if self.column is not None else self.first_of


class Block(_Strict):
    """Rows of one table: from a file, or written in the mapping itself."""

    source: str | None = Field(None, alias="from")
    columns: dict[str, ColumnSpec] = Field(default_factory=dict)
    rows: tuple[dict[str, Any], ...] = ()
    distinct: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> Block:
        if (self.source is None) == (not self.rows):
            raise ValueError("give either `from` with `columns`, or `rows`")
        if self.source is not None and not self.columns:
            raise ValueError("`from` needs `columns`")
        return self

    @property
    def fills(self) -> frozenset[str]:
        """Names of the model's columns this block gives values to."""
        return frozenset([*self.columns, *(name for row in self.rows for name in row)])


class Mapping(_Strict):
    """A whole mapping, checked against the data model."""

    about: str = ""
    company: Company = Company()
    files: dict[str, FileOptions] = Field(default_factory=dict)
    aliases: dict[str, dict[str, str]] = Field(default_factory=dict)
    tables: dict[str, tuple[Block, ...]]

    @model_validator(mode="after")
    def _known_names(self) -> Mapping:
        problems = [
            f"{part}: {name!r} is not a table; known: {', '.join(TABLES)}"
            for part, names in (("tables", self.tables), ("aliases", self.aliases))
            for name in names
            if name not in TABLES
        ]
        for name, declaration in TABLES.items():
            fills = {column for block in self.tables.get(name, ()) for column in block.fills}
            unknown = sorted(fills - set(declaration.columns))
            if unknown:
                known = ", ".join(declaration.columns)
                problems.append(
                    f"tables: {name}: unknown columns {', '.join(unknown)}; known: {known}"
                )
        unread = [name for name in self.files if file_stem(name) not in self.sources]
        if unread:
            read = ", ".join(self.sources)
            problems.append(f"files: no table is read from {', '.join(unread)}; read: {read}")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """Stems of the files the tables are read from."""
        blocks = [block for blocks in self.tables.values() for block in blocks]
        return tuple(sorted({file_stem(block.source) for block in blocks if block.source}))


def file_stem(name: str) -> str:
    """Name of a file without its suffix, as `from:` may give it.

    >>> file_stem("deals.2026.csv"), file_stem("deals.2026")
    ('deals.2026', 'deals.2026')
    """
    path = Path(name)
    return path.stem if path.suffix.lower() in SUFFIXES else name


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def preset_names() -> tuple[str, ...]:
    """Names of the mappings that come with the package."""
    folder = resources.files("salesnb.sources") / "presets"
    return tuple(
        sorted(p.name.removesuffix(".yaml") for p in folder.iterdir() if p.name.endswith(".yaml"))
    )


def read_preset(name: str) -> Mapping:
    """Read one of the package's mappings.

    Raises
    ------
    ParameterError
        There is no such preset; the message lists those there are.
    """
    if name not in preset_names():
        known = ", ".join(preset_names())
        raise ParameterError(f"--preset: there is no preset {name!r}. Choose one of: {known}.")
    resource = resources.files("salesnb.sources") / "presets" / f"{name}.yaml"
    return _parse(resource.read_text(encoding="utf-8"), where=f"preset {name}")


def read_mapping(path: Path) -> Mapping:
    """Read a mapping from a YAML file.

    Raises
    ------
    ParameterError
        The file is missing, is not YAML, or names tables or columns that do not exist; the
        message lists every problem.
    """
    if not path.is_file():
        raise ParameterError(f"{path}: there is no such mapping file.")
    return _parse(_read_text(path), where=str(path))


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterError(f"{path}: not UTF-8: {error}. Save it as UTF-8.") from error


def _parse(text: str, *, where: str) -> Mapping:
    try:
        return Mapping.model_validate(_parse_yaml(text, where=where))
    except ValidationError as error:
        raise ParameterError(f"{where}: {describe_validation(error)}") from error


def _parse_yaml(text: str, *, where: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ParameterError(f"{where}: not valid YAML: {error}") from error


def describe_validation(error: ValidationError) -> str:
    """Write pydantic's findings as one line each: place, what is wrong, what was given."""
    problems = [
        f"{'.'.join(str(part) for part in item['loc']) or 'file'}: {item['msg']}"
        for item in error.errors()
    ]
    return join_problems(problems, heading=f"{len(problems)} problem(s)")


def identity_mapping(columns_by_file: dict[str, tuple[str, ...]], company: Company) -> Mapping:
    """Map an export that already has the model's names: files named like tables, columns alike.

    Parameters
    ----------
    columns_by_file
        Column names of each file, by the file's stem.
    company
        Settings that hold for all tables.

    Raises
    ------
    DataError
        No file is named like a table of the model.
    """
    tables = {}
    for name, declaration in TABLES.items():
        if name in columns_by_file:
            present = [column for column in declaration.columns if column in columns_by_file[name]]
            columns = {column: ColumnSpec(column=column) for column in present}
            if columns:
                tables[name] = (Block.model_validate({"from": name, "columns": columns}),)
    if not set(columns_by_file) & set(TABLES):
        found = ", ".join(sorted(columns_by_file))
        raise DataError(
            f"no file is named like a table of the model (found: {found}). "
            f"Give --preset ({', '.join(preset_names())}) or --mapping."
        )
    return Mapping(company=company, tables=tables)


def read_company(path: Path) -> Company:
    """Read `company.yaml` beside an export; the key `company` is the company's name.

    Raises
    ------
    ParameterError
        The file is not YAML, or a setting is unknown or wrong; the message lists every problem.
    """
    content = _parse_yaml(_read_text(path), where=str(path))
    if isinstance(content, dict) and "company" in content:
        content = {**content, "name": content["company"]}
        del content["company"]
    try:
        return Company.model_validate({} if content is None else content)
    except ValidationError as error:
        raise ParameterError(f"{path}: {describe_validation(error)}") from error
