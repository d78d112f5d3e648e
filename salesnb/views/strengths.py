"""Strengths and weaknesses in words, and evaluated skills in the form of the matrix."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd

from salesnb.analysis.skill_matrix import SKILL_MATRIX_ANCHOR, SkillMatrix
from salesnb.analysis.skills import skill_label
from salesnb.analysis.strengths import STRENGTHS_ANCHOR, Strengths
from salesnb.analysis.wording import MISSING, begin_large, name_one
from salesnb.language import format_number, mark, tr, tr_many
from salesnb.views.blocks import GROUP_KEY, Block, Cell, Matrix, Note, Table


def strengths_table(found: Strengths) -> Block:
    """Show what stands out about each unit in words; those about whom nothing does come below."""
    if not found.n_units:
        return Note(
            tr("Nobody has a record in these quarters, so nobody can stand out."), "missing"
        )
    if found.items.empty:
        return Note(f"{found.finding} {found.caveat}", "info")
    units = found.items.drop_duplicates("unit_id")
    rows = [
        (unit, _list(found.of(key, "strength")), _list(found.of(key, "weakness")))
        for key, unit in zip(units["unit_id"], units["unit"], strict=True)
    ]
    names = ", ".join(found.quiet)
    quiet = tr("Nothing stands out: {names}.", names=names) if names else ""
    return Table(
        title=found.finding,
        caption=tr(
            "To {quarter}, largest first. Only what is so sure that, of all that was looked at "
            "about one of them, less than 5% is expected to be wrong.",
            quarter=found.period,
        ),
        header=(name_one(found.by), tr("Strengths"), tr("Weaknesses")),
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
        caption=tr(
            "{unit}, ratings of {quarters}: score (1 to 5) over raters other than the person, and "
            "their number. {caveat}",
            unit=matrix.unit,
            quarters=matrix.span,
            caveat=matrix.caveat,
        ),
        columns=[begin_large(skill_label(skill)) for skill in matrix.skills],
        rows=rows,
        key=GROUP_KEY,
        anchor=SKILL_MATRIX_ANCHOR,
        reference=(tr("All"), [_group_cell(matrix, skill) for skill in matrix.skills]),
        numbers=_numbers(matrix.scores),
    )


def _cell(row: dict[Hashable, Any] | None) -> Cell:
    if row is None:
        return Cell(MISSING, tr("not rated"))
    if not row["is_enough"]:
        return Cell(MISSING, tr_many("{n} rater", "{n} raters", 1))
    raters = tr_many("{n} rater", "{n} raters", row["n_raters"])
    return Cell(
        value=_score(row["score"]),
        note=(tr("{raters}, below target", raters=raters) if row["against_target"] < 0 else raters),
        tint=int(row["evidence"]),
        sort_value=float(row["score"]),
    )


def _group_cell(matrix: SkillMatrix, skill: str) -> Cell:
    rows = matrix.scores[(matrix.scores["skill"] == skill) & matrix.scores["is_enough"]]
    target = rows["target"].mean()
    note = "" if math.isnan(target) else tr("target {target}", target=_score(target))
    value = MISSING if rows.empty else _score(rows["score"].mean())
    return Cell(value, note, words=mark("the group"))


def _score(score: float, digits: int = 1) -> str:
    return format_number(score, digits) if math.isfinite(score) else MISSING


def _numbers(scores: pd.DataFrame) -> pd.DataFrame:
    rows = scores[scores["is_enough"]]
    return pd.DataFrame(
        {
            tr("Rep"): rows["unit"],
            tr("Skill"): rows["skill"].map(skill_label),
            tr("Score"): [_score(score, 2) for score in rows["score"]],
            tr("90% interval"): [
                f"{_score(low)} – {_score(high)}"
                for low, high in zip(rows["low"], rows["high"], strict=True)
            ],
            tr("Target"): [_score(target) for target in rows["target"]],
            tr("Raters"): [format_number(n) for n in rows["n_raters"]],
        }
    )
