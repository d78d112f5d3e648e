"""Strengths and weaknesses: what surely sets a person or team apart, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.matrix import PerformanceMatrix
from salesnb.analysis.result import Result
from salesnb.analysis.skill_matrix import SkillMatrix
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import begin_large, format_value, list_words, name_level
from salesnb.errors import ParameterError
from salesnb.language import format_number, tr
from salesnb.measures.catalogue import Kpi

Side = Literal["strength", "weakness"]
STRENGTHS_ANCHOR = "strengths"
_Item = tuple[object, ...]
SMALLEST = 0.1
"""Share of the group's level by which something must differ to be worth a word."""

FEW = 5
"""Records below which a figure is said to rest on few."""

_ITEMS = ["unit_id", "unit", "side", "name", "kind", "text", "probability"]


@dataclass(frozen=True, eq=False, repr=False)
class Strengths(Result):
    """What stands out about each unit, where the evidence supports it.

    Attributes
    ----------
    period, by
        Quarter, and whether units are reps, teams or regions.
    items
        One row a strength or weakness, the largest first within a unit: unit_id, unit,
        `side`, `name` of the KPI or skill, `kind` (`kpi` or `skill`), the evidence as `text`,
        and the `probability` that the unit is on that side of the group.
    quiet
        Names of the units about which nothing stands out.
    n_units
        Units looked at.
    """

    period: str
    by: str
    items: pd.DataFrame
    quiet: tuple[str, ...]
    n_units: int

    def of(self, unit_id: str, side: Side) -> tuple[str, ...]:
        """List a unit's strengths or weaknesses in words."""
        rows = self.items[(self.items["unit_id"] == unit_id) & (self.items["side"] == side)]
        return tuple(rows["text"])

    @property
    def finding(self) -> str:
        """Say about how many something stands out."""
        said = {"units": name_level(self.by), "of": self.n_units}
        loud = self.n_units - len(self.quiet)
        if not loud:
            return tr("Nothing stands out about any of {of} {units}.", **said)
        if not self.quiet:
            return tr("Something stands out about each of {of} {units}.", **said)
        return tr(
            "Something stands out about {n} of {of} {units}; about the other {others} nothing "
            "does.",
            n=loud, others=len(self.quiet), **said,
        )  # fmt: skip

    @property
    def caveat(self) -> str:
        """Say what it means that nothing stands out."""
        return tr(
            "That nothing stands out says that the records cannot tell someone from the group, "
            "not that everything is well."
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a strength or weakness."""
        return self.items.copy()


def strengths(
    matrix: PerformanceMatrix, skills: SkillMatrix | None = None, *, most: int = 3
) -> Strengths:
    """Find each unit's strengths and weaknesses across KPIs and evaluated skills.

    Only what differs beyond chance counts, and of it what is better or worse than the group by at
    least a tenth and so surely that of all that is looked at about a unit less than 5% is expected
    to be wrong; of skills also what is surely below the role's target. For most people that is
    nothing. What somebody is given, such as leads, is neither.

    Parameters
    ----------
    matrix
        Who stands where: reps, teams or regions.
    skills
        Evaluated skills of the same people; None or without ratings leaves them out.
    most
        Strengths, and weaknesses, of a unit at most.

    Returns
    -------
    Strengths

    Raises
    ------
    ParameterError
        Skills were given beside a matrix that is not of people.
    """
    if skills is not None and matrix.by != "rep":
        raise ParameterError("skills: are of people. Use a matrix with by='rep', or leave it out.")
    looks = _count_looks(matrix, skills)
    rows = _items_of_kpis(matrix, looks)
    if skills is not None:
        rows += _items_of_skills(skills, looks)
    items = pd.DataFrame(rows, columns=[*_ITEMS, "_weight"])
    keys = ["unit", "unit_id", "side", "_weight", "name"]
    items = items.sort_values(keys, ascending=[True, True, True, False, True])
    items = items.groupby(["unit_id", "side"], sort=False).head(most)
    names = matrix.scores.drop_duplicates("unit_id").set_index("unit_id")["unit"]
    loud = set(items["unit_id"])
    return Strengths(
        period=matrix.period,
        by=matrix.by,
        items=items.drop(columns="_weight").reset_index(drop=True),
        quiet=tuple(names[unit] for unit in matrix.units if unit not in loud),
        n_units=len(matrix.units),
    )


def _items_of_kpis(matrix: PerformanceMatrix, looks: pd.Series[int]) -> list[_Item]:
    kpis = {kpi.kpi: kpi for kpi in matrix.kpis if not _is_given(kpi)}
    scores = matrix.scores[matrix.scores["kpi"].isin(list(kpis))]
    items = []
    for _, row in scores[_is_sure(scores, looks)].iterrows():
        kpi = kpis[str(row["kpi"])]
        weight = abs(row["estimate"] / row["group"] - 1) * kpi.importance
        items.append(
            _item(row, name=kpi.label, kind="kpi", weight=weight,
                  text=_word_kpi(kpi, row, matrix.currency))
        )  # fmt: skip
    return items


def _items_of_skills(skills: SkillMatrix, looks: pd.Series[int]) -> list[_Item]:
    scores = skills.scores[skills.scores["unit_id"].isin(looks.index)]
    scores = scores.rename(columns={"score": "estimate"})
    is_apart = _is_sure(scores, looks)
    is_below = scores["against_target"] < 0
    # Above the group but below the target is neither.
    told = (is_apart & ~(is_below & (scores["evidence"] > 0))) | (
        is_below & (scores["evidence"] <= 0)
    )
    return [
        _item(
            row,
            name=begin_large(skill_label(str(row["skill"]))),
            kind="skill",
            weight=abs(row["estimate"] / row["group"] - 1),
            text=_word_skill(row, is_apart=bool(row["is_apart"])),
        )
        for _, row in scores.assign(is_apart=is_apart)[told].iterrows()
    ]


def _count_looks(matrix: PerformanceMatrix, skills: SkillMatrix | None) -> pd.Series[int]:
    """Count the KPIs and skills that are looked at about each unit."""
    given = {kpi.kpi for kpi in matrix.kpis if _is_given(kpi)}
    compared = matrix.differences.loc[matrix.differences["is_compared"], "kpi"]
    looks = pd.Series(len(set(compared) - given), index=list(matrix.units))
    if skills is not None:
        rated = skills.scores.groupby("unit_id")["is_enough"].sum()
        looks = looks + rated.reindex(looks.index, fill_value=0)
    return looks.astype(int)


def _is_given(kpi: Kpi) -> bool:
    """Whether a KPI counts what somebody is given, such as leads: routing is no strength."""
    return kpi.family == "count" and not kpi.is_ratio


def _is_sure(scores: pd.DataFrame, looks: pd.Series[int]) -> pd.Series[bool]:
    """Find what is so sure that, of all that is said of one unit, hardly anything is wrong."""
    wrong = np.minimum(scores["p_above"], 1 - scores["p_above"]).astype(float)
    allowed = FALSE_CLAIMS / scores["unit_id"].map(looks).astype(float).clip(lower=1)
    return (scores["evidence"] != 0) & (wrong <= allowed) & (_distance(scores) >= SMALLEST)


def _distance(scores: pd.DataFrame) -> pd.Series[float]:
    """Measure how far from its group each unit is, as a share of the group's level."""
    return (scores["estimate"] / scores["group"] - 1).abs().astype(float)


def _item(row: pd.Series[float], *, name: str, kind: str, text: str, weight: float) -> _Item:
    is_better = row["evidence"] > 0
    probability = float(row["p_above"] if is_better else 1 - row["p_above"])
    side: Side = "strength" if is_better else "weakness"
    return (row["unit_id"], row["unit"], side, name, kind, text, probability, float(weight))


def _word_kpi(kpi: Kpi, row: pd.Series[float], currency: str) -> str:
    said = {
        "kpi": kpi.label,
        "figure": format_value(kpi, row["estimate"], currency),
        "group": format_value(kpi, row["group"], currency),
        "n": format_number(row["n"]),
    }
    if row["n"] < FEW:
        said["n"] = tr("{n}, few records", n=said["n"])
    if kpi.is_ratio:
        return tr("{kpi} about {figure}, the group {group} (n {n})", **said)
    return tr("{kpi} about {figure} a quarter, the group {group} (n {n})", **said)


def _word_skill(row: pd.Series[float], *, is_apart: bool) -> str:
    label = begin_large(skill_label(str(row["skill"])))
    group, target, score = (
        format_number(row[name], 1, group=False) for name in ("group", "target", "estimate")
    )
    parts = [tr("the group {score}", score=group)] if is_apart else []
    if row["against_target"] < 0:
        parts.append(tr("surely below the target of {score}", score=target))
    return tr(
        "{skill} {score} of 5, {beside} ({n} raters)",
        skill=label, score=score, beside=list_words(parts),
        n=format_number(row["n_raters"], group=False),
    )  # fmt: skip
