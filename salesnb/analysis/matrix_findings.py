"""What a matrix offers a reader to know: in which KPIs units differ, and who stands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.finding import FALSE_DIFFERENCES, Candidate
from salesnb.analysis.wording import begin_large, list_words, name_level, name_some, within_sentence
from salesnb.language import tr

if TYPE_CHECKING:
    from salesnb.analysis.matrix import PerformanceMatrix
    from salesnb.measures.catalogue import Kpi

MOST_NAMED = 3
_ANCHORS = {"rep": "matrix", "team": "matrix-teams", "region": "matrix-regions"}


def matrix_anchor(matrix: PerformanceMatrix) -> str:
    """Name the id of a matrix on a page; a page may hold that of people and that of teams."""
    return _ANCHORS[matrix.by]


def difference_candidates(matrix: PerformanceMatrix) -> tuple[Candidate, ...]:
    """Offer one sentence a KPI that was compared, and one on those in which nobody differs.

    Nobody is named on a KPI in which units do not differ beyond chance within the matrix.
    """
    tested = matrix.differences[matrix.differences["is_compared"]]
    p_values = dict(zip(tested["kpi"], tested["p_value"].astype(float), strict=True))
    offered = [
        _offer_difference(matrix, kpi, p_values[kpi.kpi])
        for kpi in matrix.kpis
        if kpi.kpi in p_values
    ]
    equal = _offer_equality(matrix)
    return (*offered, *([equal] if equal else []))


def _offer_difference(matrix: PerformanceMatrix, kpi: Kpi, p_value: float) -> Candidate:
    rows = matrix.scores[matrix.scores["kpi"] == kpi.kpi]
    better, worse = rows[rows["evidence"] >= 2], rows[rows["evidence"] <= -2]
    is_told = matrix.is_beyond_chance(kpi.kpi) and len(better) + len(worse) > 0
    sides = [tr("{n} better", n=len(better))] if len(better) else []
    sides += [tr("{n} worse", n=len(worse))] if len(worse) else []
    return Candidate(
        text=tr(
            "{kpi}: of {n} {units}, {sides} than the group's level.",
            kpi=kpi.label,
            n=len(rows),
            units=name_level(matrix.by),
            sides=list_words(sides),
        ),
        why=_name_units(better, worse, len(rows)),
        anchor=matrix_anchor(matrix),
        effect=_spread(rows) if is_told else 0.0,
        p_value=p_value,
        kpi=kpi.kpi,
    )


def _spread(rows: pd.DataFrame) -> float:
    """Measure how far units typically are from their group, as a share of its level."""
    apart = (rows["estimate"] / rows["group"] - 1).to_numpy(dtype=float)
    known = apart[np.isfinite(apart)]
    return float(min(np.sqrt(np.mean(known**2)), 1.0)) if len(known) else 0.0


def _name_units(better: pd.DataFrame, worse: pd.DataFrame, of: int) -> str:
    parts = [tr("Better: {names}.", names=_name_surest(better))] if len(better) else []
    parts += [tr("Worse: {names}.", names=_name_surest(worse))] if len(worse) else []
    if len(better) + len(worse) < of:
        parts.append(tr("The others cannot be told from the group."))
    return " ".join(parts)


def _name_surest(side: pd.DataFrame) -> str:
    surest = side.reindex((side["p_above"] - 0.5).abs().sort_values(ascending=False).index)
    return name_some(list(surest["unit"]), MOST_NAMED)


def _offer_equality(matrix: PerformanceMatrix) -> Candidate | None:
    """Say of the KPIs in which units do not differ, that they do not."""
    compared = matrix.differences[matrix.differences["is_compared"]]
    equal = compared[compared["p_adjusted"] >= FALSE_DIFFERENCES]
    if equal.empty:
        return None
    labels = {kpi.kpi: within_sentence(kpi.label) for kpi in matrix.kpis}
    first = equal.iloc[0]["kpi"] if "win_rate" not in set(equal["kpi"]) else "win_rate"
    named = ", ".join(labels[name] for name in equal["kpi"])
    return Candidate(
        text=begin_large(
            tr(
                "{units} do not differ beyond chance in {named}.",
                units=name_level(matrix.by),
                named=named,
            )
        ),
        why=tr("Differences of this size arise among equals, so nobody is ranked on them."),
        anchor=matrix_anchor(matrix),
        effect=0.0,
        p_value=np.nan,
        kpi=first,
    )
