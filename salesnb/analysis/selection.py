"""Which KPIs reports show, how much each weighs and what it should reach, as parameters say."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from salesnb.errors import ParameterError, join_problems
from salesnb.measures.catalogue import Kpi
from salesnb.measures.measures import Measures
from salesnb.measures.shared import derive


def select_kpis(
    measures: Measures, kpis: str = "", *, weights: str = "", targets: str = ""
) -> Measures:
    """Choose the KPIs that reports show; nothing is measured anew, and the others can be asked for.

    Parameters
    ----------
    measures
        From `load_measures`.
    kpis
        Ids in the order to show them, `win_rate, deal_size`; empty for the headline KPIs.
    weights
        How much a KPI counts beside its usual, in findings and in a composite,
        `win_rate=2, deal_size=0.5`.
    targets
        Values to reach, in the KPI's own unit (a share as 0.3), `win_rate=0.3`.

    Returns
    -------
    Measures
        With `headline` as chosen, first in `kpis`; `importance`, `weight` and `target` as given.

    Raises
    ------
    ParameterError
        A KPI is unknown or was not measured, is named twice, or a weight is not positive; the
        message lists every problem.
    """
    problems: list[str] = []
    chosen = [name.strip() for name in kpis.split(",") if name.strip()]
    problems += [f"kpis: {name!r} is named twice." for name in _repeated(chosen)]
    weight = _numbers("weights", weights, lambda number: number > 0, problems)
    target = _numbers("kpi_targets", targets, math.isfinite, problems)
    for name in dict.fromkeys([*chosen, *weight, *target]):
        try:
            measures.kpi(name)
        except ParameterError as error:
            problems.append(str(error))
    if problems:
        raise ParameterError(join_problems(problems, heading=f"{len(problems)} problem(s)"))
    rest = [kpi for kpi in measures.kpis if kpi.kpi not in chosen]
    weighed = _weigh([*map(measures.kpi, chosen), *rest], weight)
    shown = chosen or [kpi.kpi for kpi in measures.headline]
    selected = tuple(
        replace(kpi, is_headline=kpi.kpi in shown, target=target.get(kpi.kpi, kpi.target))
        for kpi in weighed
    )
    return derive(replace(measures, kpis=selected), measures, f"{kpis!r} {weights!r} {targets!r}")


def _repeated(names: list[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if names.count(name) > 1]


def _numbers(
    setting: str, text: str, is_right: Callable[[float], bool], problems: list[str]
) -> dict[str, float]:
    """Read `name=number, ...`; what cannot be read is added to the problems."""
    found: dict[str, float] = {}
    for item in filter(None, (item.strip() for item in text.split(","))):
        name, _, written = (part.strip() for part in item.partition("="))
        try:
            number = float(written)
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and is_right(number)):
            wanted = "a positive number" if setting == "weights" else "a number"
            problems.append(f"{setting}: {item!r} gives {name!r} no {wanted[2:]}. Write {name}=2.")
            continue
        if name in found:
            problems.append(f"{setting}: {name!r} is named twice.")
        found[name] = number
    return found


def _weigh(kpis: list[Kpi], weights: dict[str, float]) -> list[Kpi]:
    """Multiply importances by their weights; the largest stays 1 at most."""
    importance = [kpi.importance * weights.get(kpi.kpi, 1.0) for kpi in kpis]
    largest = max([1.0, *importance])
    return [
        replace(kpi, importance=value / largest, weight=weights.get(kpi.kpi, 1.0))
        for kpi, value in zip(kpis, importance, strict=True)
    ]
