"""RunParams: what a batch is asked to do, read from params/*.yaml and checked."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal, get_args

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from salesnb.errors import ParameterError, join_problems
from salesnb.language import ENGLISH, check_language, mark, tr
from salesnb.periods import check_quarter
from salesnb.privacy import Mode
from salesnb.secrecy import name_secrets
from salesnb.sources.mapping import describe_validation

ReportName = Literal[
    "team_review", "company_review", "pipeline_priorities", "sales_process", "marketing_alignment",
    "skill_segments", "training_impact", "data_quality",
]  # fmt: skip
REPORTS: tuple[ReportName, ...] = get_args(ReportName)
ALL = ("all",)


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _blank_is_none(value: object) -> object:
    return None if value == "" else value


Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]
Day = Annotated[dt.date | None, BeforeValidator(_blank_is_none)]
Limit = Annotated[
    Annotated[float, Field(ge=0, allow_inf_nan=False)] | None, BeforeValidator(_blank_is_none)
]


def _quarter(value: str) -> str:
    try:
        if value:
            check_quarter(value)
    except ParameterError as error:
        raise ValueError(str(error).removeprefix("quarter: ")) from error
    return value


Quarter = Annotated[str, AfterValidator(_quarter)]


def _language(value: str) -> str:
    try:
        return check_language(value)
    except ParameterError as error:
        raise ValueError(str(error).removeprefix("language: ")) from error


Language = Annotated[str, AfterValidator(_language)]


class PlanParams(BaseModel):
    """What a quarter's training plan may spend."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget: Limit = Field(None, description="money for all courses; blank: no limit")
    hours: Limit = Field(None, description="hours away from selling, a person; blank: no limit")


class PurposeParams(BaseModel):
    """What a report that holds individual figures says of itself, before anything else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use: str = Field(
        mark("These are personal performance data, for coaching conversations."),
        description="what for",
    )
    readers: str = Field(
        mark("They are for the people named and those who lead them."), description="for whom"
    )
    verdict: str = Field(
        mark(
            "No figure here is by itself a verdict on a person, and nothing is decided by it alone."
        ),
        min_length=1,
        description="that no automatic verdict is made; cannot be blank",
    )

    @property
    def text(self) -> str:
        """All of it; what was not set is said in the language spoken."""
        usual = {field.default for field in type(self).model_fields.values()}
        parts = (self.use, self.readers, self.verdict)
        return " ".join(tr(part) if part in usual else part for part in parts if part)


class RunParams(BaseModel):
    """One batch.

    Scalars are read from YAML as the text that was written, so that a team called NO is a name
    and a date is a date.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    snapshot: str = Field(description="snapshot folder; empty for the sample company")
    quarter: Quarter = Field("", description="fiscal quarter, 2026Q3; empty: the last whole one")
    reports: tuple[ReportName, ...] = Field(
        REPORTS, description="one whose tables the snapshot lacks is left out"
    )
    own_reports: Names = Field((), description="notebooks of your own, each a kind of report")
    teams: Names = Field(ALL, min_length=1, description="`all`, or ids or names of teams")
    programmes: Names = Field(
        ALL, min_length=1, description="`all`, or names of training programmes, mostly cohorts"
    )
    plan: PlanParams = Field(PlanParams(), description="what the training plan may spend")
    engine: Literal["duckdb", "spark"] = Field("duckdb", description="where sums are computed")
    spark_master: str = Field(
        "", description="where Spark runs: local[4], spark://..., sc://...; empty: as it is set up"
    )
    catalogue: str = Field("", description="Python file with KPIs of your own; it is run")
    kpis: Names = Field((), description="KPIs of the matrix, in order; default the headline ones")
    weights: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        {}, description="how much findings about a KPI count beside their usual"
    )
    kpi_targets: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = Field(
        {}, description="values KPIs are to reach"
    )
    as_of: Day = Field(None, description="see the world as on this day")
    out: Path = Field(Path("reports"), description="reports are written to out/quarter")
    notebooks: Path = Field(Path("notebooks"), description="folder of the notebooks")
    timeout_seconds: int = Field(600, ge=1, description="longest time for one cell")
    report_timeout_seconds: int = Field(3600, ge=1, description="longest time for one report")
    benchmarks: str = Field("", description="YAML file of external figures to compare with")
    title: str = Field("", description="heading of the portal; default the company's name")
    base_url: str = Field(
        "", pattern=r"^(https?://[^\s\"'<>?#]+)?$", description="where `out` is published, for mail"
    )
    language: Language = Field(
        ENGLISH, description="in which reports are written: docs/language.md"
    )
    privacy: Mode = Field("named", description="what reports tell of people: docs/threats.md")
    purpose: PurposeParams = Field(
        PurposeParams(), description="what reports that hold individual figures say of their use"
    )

    @model_validator(mode="after")
    def _check_reports(self) -> RunParams:
        if not self.reports and not self.own_reports:
            raise ValueError("reports: there are none. Name at least one, or own_reports.")
        return self

    def selection(self) -> dict[str, str]:
        """Write KPIs, weights and targets as `select_kpis` takes them; empty ones are left out."""
        texts = {
            "kpis": ", ".join(self.kpis),
            "weights": _write_numbers(self.weights),
            "kpi_targets": _write_numbers(self.kpi_targets),
        }
        return {name: text for name, text in texts.items() if text}


def _write_numbers(numbers: dict[str, float]) -> str:
    return ", ".join(f"{name}={number!r}" for name, number in numbers.items())


def read_params(path: Path, **overrides: object) -> RunParams:
    """Read a batch's parameters; `overrides` replace what the file says, unless None.

    The folder of a snapshot does for a file: all its reports of the last whole quarter.

    Raises
    ------
    ParameterError
        The file is missing or not YAML, a key is unknown, a value has the wrong type, or something
        looks like a secret, which is not repeated; the message lists every problem.
    """
    content = {"snapshot": str(path)} if path.is_dir() else _read_yaml(path)
    given = {key: value for key, value in overrides.items() if value is not None}
    _refuse_secrets(path, {**content, **given})
    try:
        return RunParams.model_validate({**content, **given})
    except ValidationError as error:
        known = list(RunParams.model_fields)
        raise ParameterError(
            f"{path}: {describe_validation(error, known)}\nKnown keys: {', '.join(known)}."
        ) from error


def _read_yaml(path: Path) -> dict[str, object]:
    if not path.is_file():
        raise ParameterError(f"{path}: there is no such file. See params/ for examples.")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # what is written there is not quoted: it may be a secret
        raise ParameterError(f"{path}: not valid YAML: {_describe_syntax(error)}.") from None
    if not isinstance(content, dict):
        raise ParameterError(f"{path}: expected `key: value` lines. See params/ for examples.")
    return content


def _refuse_secrets(path: Path, content: dict[str, object]) -> None:
    """Refuse parameters that hold a secret: they are copied into manifests and notebooks."""
    found = [f"{key}: looks like {what}." for key, what in name_secrets(content)]
    if found:
        raise ParameterError(
            join_problems(found, heading=f"{path}: {len(found)} secret(s)")
            + "\nParameters are written beside the reports. Take it out, and give it to what needs "
            "it by the environment."
        )


def _describe_syntax(error: Exception) -> str:
    """Say where YAML breaks, and how, without a word of what is written there."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else "it cannot be read"
    return f"line {mark.line + 1}, column {mark.column + 1} breaks its rules"
