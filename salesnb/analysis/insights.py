"""Findings: what a reader must know, computed from results, with how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd
from scipy.stats import norm

from salesnb.analysis.matrix import FALSE_CLAIMS, PerformanceMatrix
from salesnb.analysis.result import Result
from salesnb.analysis.trend import Trend
from salesnb.analysis.wording import format_change, format_value
from salesnb.measures.catalogue import Kpi

Evidence = Literal["strong", "moderate", "not enough evidence"]
MOST_NAMED = 3


@dataclass(frozen=True)
class Finding:
    """One sentence, its reason, how sure it is, its KPI, and what kind of result shows it."""

    text: str
    why: str
    evidence: Evidence
    kpi: str
    kind: Literal["change", "difference"]
    strength: float


@dataclass(frozen=True, eq=False, repr=False)
class Findings(Result):
    """The findings of a report, strongest first."""

    items: tuple[Finding, ...]

    @property
    def finding(self) -> str:
        """The first one, or that there is none."""
        return self.items[0].text if self.items else "Nothing stands out this quarter."

    def to_frame(self) -> pd.DataFrame:
        """List one row a finding."""
        return pd.DataFrame([vars(item) for item in self.items])


def find_insights(matrix: PerformanceMatrix, trend: Trend, *, most: int = 5) -> Findings:
    """Say what stands out: changes beyond chance, and who differs beyond chance.

    Changes are judged together, so that at most 5% of quiet quarters report any. Nobody is named
    on a KPI in which people do not differ beyond chance.

    Parameters
    ----------
    matrix
        Who stands where.
    trend
        The same team or company over quarters.
    most
        Findings at most.

    Returns
    -------
    Findings
        Changes and differences by certainty times the KPI's importance; where nobody differs,
        that comes as one finding, last.
    """
    changes = _find_changes(trend)
    differences = [
        finding
        for kpi in matrix.kpis
        if matrix.is_beyond_chance(kpi.kpi) and (finding := _find_difference(matrix, kpi))
    ]
    ranked = sorted([*changes, *differences], key=lambda item: -item.strength)
    equal = _find_equality(matrix)
    room = most - 1 if equal else most
    return Findings((*ranked[:room], *([equal] if equal else [])))


def _find_changes(trend: Trend) -> list[Finding]:
    last = trend.last()
    last = last[last["z"].notna()]
    p_values = 2 * norm.sf(last["z"].abs())
    adjusted = _adjust(p_values)
    found = []
    for (_, row), p_value in zip(last.iterrows(), adjusted, strict=True):
        if p_value >= FALSE_CLAIMS:
            continue
        kpi = next(k for k in trend.kpis if k.kpi == row["kpi"])
        found.append(_word_change(kpi, row, trend, p_value))
    return found


def _adjust(p_values: object) -> list[float]:
    """Bound the chance of any false claim among these (Holm)."""
    ordered = pd.Series(p_values, dtype=float).sort_values()
    factors = range(len(ordered), 0, -1)
    stepped = (ordered * list(factors)).cummax().clip(upper=1.0)
    return list(stepped.sort_index())


def _word_change(kpi: Kpi, row: pd.Series[float], trend: Trend, p_value: float) -> Finding:
    way = "up" if row["value"] > row["centre"] else "down"
    value = format_value(kpi, row["value"], trend.currency)
    usual = format_value(kpi, row["centre"], trend.currency)
    change = format_change(kpi, row["value"] - row["centre"], trend.currency)
    return Finding(
        text=f"{kpi.label} {way} to {value} in {row['period']}, from a usual {usual}.",
        why=(
            f"A change of {change} from the quarters before, from {row['n']:,.0f} records, is "
            f"{abs(row['z']):.1f} standard errors; seasons are not taken out."
        ),
        evidence="strong" if p_value < 0.01 else "moderate",
        kpi=kpi.kpi,
        kind="change",
        strength=abs(float(row["z"])) * kpi.importance,
    )


def _find_difference(matrix: PerformanceMatrix, kpi: Kpi) -> Finding | None:
    rows = matrix.scores[(matrix.scores["kpi"] == kpi.kpi) & (matrix.scores["evidence"].abs() >= 2)]
    better, worse = rows[rows["evidence"] > 0], rows[rows["evidence"] < 0]
    if rows.empty:
        return None
    of = int((matrix.scores["kpi"] == kpi.kpi).sum())
    who = {"rep": "people", "team": "teams"}.get(matrix.by, "units")
    sides = [
        f"{len(side)} {word}" for side, word in ((better, "better"), (worse, "worse")) if len(side)
    ]
    return Finding(
        text=f"{kpi.label}: of {of} {who}, {' and '.join(sides)} than the group's level.",
        why=_name_units(better, worse, of),
        evidence="strong" if (rows["evidence"].abs() == 3).any() else "moderate",
        kpi=kpi.kpi,
        kind="difference",
        strength=(2.0 + len(rows) / max(of, 1)) * kpi.importance,
    )


def _name_units(better: pd.DataFrame, worse: pd.DataFrame, of: int) -> str:
    parts = []
    for side, word in ((better, "Better"), (worse, "Worse")):
        if len(side):
            surest = side.reindex((side["p_above"] - 0.5).abs().sort_values(ascending=False).index)
            names = list(surest["unit"].head(MOST_NAMED))
            more = f" and {len(side) - len(names)} more" if len(side) > len(names) else ""
            parts.append(f"{word}: {', '.join(names)}{more}.")
    if len(better) + len(worse) < of:
        parts.append("The others cannot be told from the group.")
    return " ".join(parts)


def _find_equality(matrix: PerformanceMatrix) -> Finding | None:
    """Say of the rates that people do not differ in, that they do not."""
    compared = matrix.differences[matrix.differences["is_compared"]]
    equal = compared[compared["p_adjusted"] >= FALSE_CLAIMS]
    if equal.empty:
        return None
    labels = {kpi.kpi: kpi.label.lower() for kpi in matrix.kpis}
    who = {"rep": "People", "team": "Teams"}.get(matrix.by, "Units")
    first = equal.iloc[0]["kpi"] if "win_rate" not in set(equal["kpi"]) else "win_rate"
    named = ", ".join(labels[name] for name in equal["kpi"])
    return Finding(
        text=f"{who} do not differ beyond chance in {named}.",
        why="Differences of this size arise among equals, so nobody is ranked on them.",
        evidence="not enough evidence",
        kpi=first,
        kind="difference",
        strength=0.0,
    )
