"""Skill profiles as tables: people against targets, raters, and how far raters agree."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from salesnb.analysis.profiles import PROFILES_ANCHOR, RATERS_ANCHOR, SkillProfiles
from salesnb.analysis.profiles.agreement import OVERALL
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import MISSING, begin_large, count_things
from salesnb.language import format_number, format_share, mark, tr
from salesnb.views.blocks import Block, Cell, Matrix, Note, Table
from salesnb.views.figures.parts import write_signed

_KEY = (
    (2, mark("surely above target")),
    (0, mark("cannot be told")),
    (-2, mark("surely below target")),
)
_ROLES = (mark("manager"), mark("peer"), mark("coach"))
_MOST_RATERS = 30


def profiles_table(profiles: SkillProfiles) -> Block:
    """Show people by skills against their targets, tinted where a score is surely off."""
    if profiles.lacking:
        return Note(profiles.finding, "missing")
    cells = {(row["rep_id"], row["skill"]): row for row in profiles.cells.to_dict("records")}
    levels = profiles.levels
    return Matrix(
        title=profiles.finding,
        caption=tr(
            "{unit}, forms of {first} to {last}: score (1 to 5) with severity taken out, and the "
            "gap to the role's target. {caveat}",
            unit=profiles.unit,
            first=profiles.window[0],
            last=profiles.window[-1],
            caveat=profiles.caveat,
        ),
        columns=[begin_large(skill_label(skill)) for skill in profiles.skills],
        rows=[
            (unit, [_cell(cells[rep, skill]) for skill in profiles.skills])
            for rep, unit in zip(levels["rep_id"], levels["unit"], strict=True)
        ],
        key=_KEY,
        anchor=PROFILES_ANCHOR,
    )


def _cell(row: dict[Hashable, Any]) -> Cell:
    if not row["is_enough"]:
        return Cell(MISSING, tr("insufficient evidence") if row["n_raters"] else tr("not rated"))
    note = tr("no target")
    if not np.isnan(row["gap"]):
        gap = format_number(row["gap"], 1, sign=True, group=False)
        note = tr("{gap} to target", gap=gap)
    return Cell(
        value=format_number(row["score"], 1, group=False),
        note=note,
        tint=2 * int(row["against_target"]),
        sort_value=float(row["score"]),
    )


def raters_table(profiles: SkillProfiles) -> Block:
    """Show who rates how strictly; named as strict or kind only what is beyond chance."""
    if profiles.raters.empty:
        return Note(profiles.finding, "missing")
    raters = profiles.raters
    shown = raters.sort_values("n_forms", ascending=False, kind="stable").head(_MOST_RATERS)
    apart = int(raters["is_beyond_chance"].sum())
    caption = tr(
        "Whole company, {first} to {last}: points above (kinder) or below (stricter) the average "
        "form, with 90% interval. Halo: how much more (+) or less (−) than the average rater "
        "somebody sees all skills of a person alike.",
        first=profiles.window[0],
        last=profiles.window[-1],
    )
    if len(shown) < len(raters):
        caption += tr(" The {n} with most forms are shown.", n=len(shown))
    return Table(
        title=tr(
            "{n} of {raters} are stricter or kinder beyond chance",
            n=apart, raters=count_things(len(raters), "rater", "raters"),
        ),
        caption=caption,
        header=(tr("Rater"), tr("Role"), tr("Severity"), tr("90% interval"), tr("Beyond chance"),
                tr("Halo"), tr("Forms"), tr("People")),
        rows=tuple(_rater(row) for row in shown.sort_values("severity").to_dict("records")),
        numeric=frozenset({2, 5, 6, 7}),
        key=(_agreement_note(profiles.agreement),),
        anchor=RATERS_ANCHOR,
    )  # fmt: skip


def _rater(row: dict[Hashable, Any]) -> tuple[str, ...]:
    side = tr("stricter") if row["severity"] < 0 else tr("kinder")
    role = row["role"]
    return (
        row["rater"],
        tr(role) if role in _ROLES else role or MISSING,
        write_signed(row["severity"]),
        tr("{low} to {high}", low=write_signed(row["low"]), high=write_signed(row["high"])),
        side if row["is_beyond_chance"] else MISSING,
        format_share(row["halo"], sign=True),
        f"{row['n_forms']:.0f}",
        f"{row['n_people']:.0f}",
    )


def _agreement_note(agreement: pd.DataFrame) -> str:
    row = agreement.iloc[-1]
    if np.isnan(row["icc"]):
        return tr("Too few people have two raters to say how far raters agree.")
    return tr(
        "Raters as they filled the forms agree on a person's level to {icc} (ICC(1), 90% interval "
        "{low} to {high}; 1 is fully, 0 not at all); the mean of {k} raters is reliable to "
        "{icc_k}, from {n} people.",
        icc=_number(row["icc"]),
        low=_number(row["low"]),
        high=_number(row["high"]),
        k=format_number(row["k"], 1, group=False),
        icc_k=_number(row["icc_k"]),
        n=format_number(row["n_people"]),
    )


def agreement_table(profiles: SkillProfiles) -> Block:
    """Show how far raters agree, skill by skill."""
    if profiles.agreement.empty:
        return Note(profiles.finding, "missing")
    rows = profiles.agreement
    known = rows[rows["icc"].notna()]
    least = known.iloc[:-1].sort_values("icc") if len(known) > 1 else known
    title = (
        tr("Raters agree least on {skill}", skill=_skill(least["skill"].iloc[0]))
        if len(least)
        else tr("Too few people have two raters to say how far raters agree")
    )
    return Table(
        title=title,
        caption=tr(
            "ICC(1): reliability of one rater; ICC(k): of the mean of k raters. As given."
        ),
        header=(tr("Skill"), "ICC(1)", tr("90% interval"), "ICC(k)", "k", tr("People"),
                tr("Scores")),
        rows=tuple(
            (
                begin_large(_skill(row["skill"])),
                _number(row["icc"]),
                f"{_number(row['low'])} – {_number(row['high'])}",
                _number(row["icc_k"]),
                _number(row["k"]),
                f"{row['n_people']:.0f}",
                f"{row['n_scores']:.0f}",
            )
            for row in rows.to_dict("records")
        ),
        numeric=frozenset({1, 3, 4, 5, 6}),
        anchor="agreement",
    )  # fmt: skip


def _skill(skill: object) -> str:
    return tr(OVERALL) if skill == OVERALL else skill_label(str(skill))


def _number(value: float) -> str:
    return MISSING if np.isnan(value) else format_number(value, 2, group=False)
