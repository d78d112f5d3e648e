"""What a mapping says about the company and about how files are written."""

from __future__ import annotations

import codecs
import datetime as dt
from typing import Annotated
from zoneinfo import ZoneInfo

import duckdb
from pydantic import AfterValidator, Field, field_validator, model_validator

from salesnb.periods import FiscalCalendar, FiscalWeeks, NamedBy
from salesnb.sources.mapping.strict import Strict


def _known_zone(name: str | None) -> str | None:
    try:
        return name and ZoneInfo(name).key
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{name!r} is no time zone; write it like UTC or Europe/Berlin") from error


TimeZone = Annotated[str | None, AfterValidator(_known_zone)]


NO_DECISION = (
    "no decision", "no budget", "no response", "no action", "status quo", "stalled", "went dark",
    "unresponsive", "postponed", "project cancelled",
)  # fmt: skip


class Company(Strict):
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
    time_zone: TimeZone = Field(None, description="IANA name; times are brought to it")
    no_decision_reasons: tuple[str, ...] = Field(
        NO_DECISION,
        min_length=1,
        description="reasons of a loss that mean that the customer did not decide",
    )
    stalled_days: int = Field(30, ge=1, description="days without an answered touch that stall")
    sla_minutes: int = Field(60, ge=1, description="business minutes in which a lead is due")
    opens_at: int = Field(9, ge=0, le=23, description="hour at which business begins")
    closes_at: int = Field(17, ge=1, le=24, description="hour at which business ends")

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Company:
        if self.opens_at >= self.closes_at:
            raise ValueError("`opens_at` must be before `closes_at`")
        return self

    @property
    def calendar(self) -> FiscalCalendar:
        """The company's fiscal calendar."""
        return FiscalCalendar(self.fiscal_year_start, self.fiscal_weeks, self.fiscal_year_named_by)


class FileOptions(Strict):
    """How to read one file."""

    encoding: str | None = Field(None, description="default: UTF-8, or what the file begins with")
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    date_format: str | None = None
    decimal: str | None = Field(None, pattern=r"^[.,]$")
    time_zone: TimeZone = Field(None, description="IANA name, of times that say no offset")

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        try:
            return value and codecs.lookup(value).name
        except LookupError as error:
            raise ValueError(f"{value!r} is no encoding; write it like utf-8 or cp1252") from error

    @field_validator("date_format")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        try:
            with duckdb.connect() as db:
                db.execute("select try_strptime('', ?)", [value])
        except duckdb.Error as error:
            raise ValueError(f"{value!r} is no date format; write it like %d/%m/%Y") from error
        return value
