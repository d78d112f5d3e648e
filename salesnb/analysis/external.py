"""Named figures from outside the company, as a user writes them with source and date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from salesnb.errors import ParameterError, join_problems
from salesnb.measures.catalogue import Kpi
from salesnb.measures.measures import Measures

_KEY = "benchmarks"
_PAGE = "See docs/benchmarks.md."
_ACTIONS = {
    "kpi": "Use an id that `salesnb kpis` prints.",
    "source": "Name who published the figure and where.",
    "dated": "Give the day it was published, as 2026-01-31.",
    "value": "Give one number, a share as 0.25.",
}
Number = Annotated[float, Field(allow_inf_nan=False)]


class ExternalFigure(BaseModel):
    """A KPI's figure that somebody published.

    Attributes
    ----------
    kpi, value
        Id of the KPI, and its figure on the KPI's own scale: a share as 0.25, money in the
        company's currency.
    source, dated
        Who published it, and when.
    definition
        What the source counts, where that is not what the KPI counts.
    low, high
        A range around it, as the source gives it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    kpi: Annotated[str, Field(min_length=1)]
    value: Number
    source: Annotated[str, Field(min_length=1)]
    dated: dt.date
    definition: str = ""
    low: Number | None = None
    high: Number | None = None

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high come together")
        if self.low is None or self.high is None:
            return self
        if not self.low <= self.value <= self.high:
            raise ValueError(f"{self.value:g} is not within {self.low:g} to {self.high:g}")
        return self


def read_external(path: str | Path, measures: Measures) -> tuple[ExternalFigure, ...]:
    """Read figures to compare with: a YAML file with a list under `benchmarks:`.

    An empty path gives none. KPIs that the data cannot measure are known all the same.

    Raises
    ------
    ParameterError
        The file is missing or not YAML; an entry lacks its source or date, names an unknown KPI,
        or has a value that cannot be one. The message names every entry and what to do.
    """
    if not str(path):
        return ()
    file = Path(path)
    known = {kpi.kpi: kpi for kpi in measures.kpis}
    figures, problems = [], []
    for place, entry in enumerate(_read_entries(file), start=1):
        name = str(entry.get("kpi", "")) if isinstance(entry, dict) else ""
        where = f"entry {place} ({name})" if name else f"entry {place}"
        try:
            figure = ExternalFigure.model_validate(entry)
        except ValidationError as error:
            problems += [f"{where}: {line}" for line in _describe(error)]
            continue
        problems += [f"{where}: {line}" for line in _check(figure, known, measures.missing)]
        figures.append(figure)
    if problems:
        heading = f"benchmarks: {file}: {len(problems)} problem(s)"
        raise ParameterError(join_problems(problems, heading=heading))
    return tuple(figures)


def _read_entries(file: Path) -> list[object]:
    if not file.is_file():
        raise ParameterError(f"benchmarks: {file}: there is no such file. {_PAGE}")
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(f"benchmarks: {file}: not valid YAML: {error}") from error
    entries = content.get(_KEY) if isinstance(content, dict) and set(content) == {_KEY} else None
    if not isinstance(entries, list):
        raise ParameterError(
            f"benchmarks: {file}: expected one key, `{_KEY}:`, and a list under it. {_PAGE}"
        )
    return entries


def _describe(error: ValidationError) -> list[str]:
    """Write pydantic's findings, each with the one thing to do."""
    lines = []
    for item in error.errors():
        name = str(item["loc"][0]) if item["loc"] else ""
        said = f"{name}: {item['msg']}" if name else item["msg"].removeprefix("Value error, ")
        lines.append(f"{said}. {_ACTIONS.get(name, _PAGE)}")
    return lines


def _check(figure: ExternalFigure, known: dict[str, Kpi], missing: Collection[str]) -> list[str]:
    if figure.kpi not in known and figure.kpi not in missing:
        return [f"kpi: {figure.kpi!r} is unknown. {_ACTIONS['kpi']}"]
    kpi = known.get(figure.kpi)
    ends = (figure.value, figure.low, figure.high)
    if kpi is not None and kpi.family == "rate":
        over = [end for end in ends if end is not None and not 0 <= end <= kpi.scale]
        if over:
            return [
                f"value: {over[0]:g} is not within 0 to {kpi.scale:g}, as {figure.kpi} is. "
                f"{_ACTIONS['value']}"
            ]
    return []
