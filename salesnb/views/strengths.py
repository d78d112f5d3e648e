"""Strengths and weaknesses in words, and evaluated skills in the form of the matrix."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd

from salesnb.analysis.skill_matrix import SKILL_MATRIX_ANCHOR, SkillMatrix
from salesnb.analysis.skills import skill_label
from salesnb.analysis.strengths import STRENGTHS_ANCHOR, Strengths
from salesnb.analysis.wording import MISSING, begin_large
from salesnb.views.blocks import Block, Cell, Matrix, Note, Table

_UNITS = {"rep": "Rep", "team": "Team", "region": "Region"}
_KEY = (
    (3, "clearly better than the group"), (2, "better"), (1, "leans better"),
    (0, "cannot be told from the group"), (-1, "leans worse"), (-2, "worse"),
    (-3, "clearly worse"),
)  # fmt: skip


def strengths_table(found: Strengths) -> Block:
    """Show what stands out about each unit in words; those about whom nothing does come below."""
    if not found.n_units:
        return Note("Nobody has a record in these quarters, so nobody can stand out.", "missing")
    if found.items.empty:
        return Note(f"{found.finding} {found.caveat}", "info")
    units = found.items.drop_duplicates("unit_id")
    rows = [
        (unit, _list(found.of(key, "strength")), _list(found.of(key, "weakness")))
        for key, unit in zip(units["unit_id"], units["unit"], strict=True)
    ]
    quiet = f"Nothing stands out: {', '.join(found.quiet)}." if found.quiet else ""
    return Table(
        title=found.finding,
        caption=(
            f"To {found.period}, largest first. Only what is so sure that, of all that was looked "
            "at about one of them, less than 5% is expected to be wrong."
        ),
        header=(_UNITS[found.by], "Strengths", "Weaknesses"),
        rows=tuple(rows),
        key=tuple(line for line in (quiet, found.caveat) if line),
        anchor=STRENGTHS_ANCHOR,
        is_sortable=False,
    )


def _list(texts: tuple[str, ...]) -> str:
    return f"{'. '.join(texts)}.".replace("(n ", "(n\u00a0") if texts else MISSING


def skill_table(matrix: SkillMatrix) -> Block:
    """Show people by evaluated skills; a cell is tinted only where the evidence supports it."""
    if matrix.lacking:
        return Note(matrix.finding, "missing")
    cells = {(row["unit_id"], row["skill"]): row for row in matrix.scores.to_dict("records")}
    people = matrix.scores.drop_duplicates("unit_id")
    rows = [
        (unit, [_cell(cells.get((key, skill))) for skill in matrix.skills])
        for key, unit in zip(people["unit_id"], people["unit"], strict=True)
    ]
    return Matrix(
        title=matrix.finding,
        caption=(
            f"{matrix.unit}, ratings of {matrix.span}: score (1 to 5) over raters other than the "
            f"person, and their number. {matrix.caveat}"
        ),
        columns=[begin_large(skill_label(skill)) for skill in matrix.skills],
        rows=rows,
        key=_KEY,
        anchor=SKILL_MATRIX_ANCHOR,
        reference=("All", [_group_cell(matrix, skill) for skill in matrix.skills]),
        numbers=_numbers(matrix.scores),
    )


def _cell(row: dict[Hashable, Any] | None) -> Cell:
    if row is None:
        return Cell(MISSING, "not rated")
    if not row["is_enough"]:
        return Cell(MISSING, "1 rater")
    below = ", below target" if row["against_target"] < 0 else ""
    return Cell(
        value=f"{row['score']:.1f}",
        note=f"{row['n_raters']:.0f} raters{below}",
        tint=int(row["evidence"]),
        sort_value=float(row["score"]),
    )


def _group_cell(matrix: SkillMatrix, skill: str) -> Cell:
    rows = matrix.scores[(matrix.scores["skill"] == skill) & matrix.scores["is_enough"]]
    target = rows["target"].mean()
    note = "" if math.isnan(target) else f"target {target:.1f}"
    value = MISSING if rows.empty else f"{rows['score'].mean():.1f}"
    return Cell(value, note, words="the group")


def _numbers(scores: pd.DataFrame) -> pd.DataFrame:
    rows = scores[scores["is_enough"]]
    return pd.DataFrame(
        {
            "Rep": rows["unit"],
            "Skill": rows["skill"].map(skill_label),
            "Score": rows["score"].map("{:.2f}".format),
            "90% interval": [
                f"{low:.1f} – {high:.1f}"
                for low, high in zip(rows["low"], rows["high"], strict=True)
            ],
            "Target": rows["target"].map("{:.1f}".format).replace("nan", MISSING),
            "Raters": rows["n_raters"].map("{:.0f}".format),
        }
    )
