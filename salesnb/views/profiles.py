"""Skill profiles as tables: people against targets, raters, and how far raters agree."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from salesnb.analysis.profiles import PROFILES_ANCHOR, RATERS_ANCHOR, SkillProfiles
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import MISSING, begin_large, count_things
from salesnb.views.blocks import Block, Cell, Matrix, Note, Table

_KEY = ((2, "surely above target"), (0, "cannot be told"), (-2, "surely below target"))
_MOST_RATERS = 30


def profiles_table(profiles: SkillProfiles) -> Block:
    """Show people by skills against their targets, tinted where a score is surely off."""
    if profiles.lacking:
        return Note(profiles.finding, "missing")
    cells = {(row["rep_id"], row["skill"]): row for row in profiles.cells.to_dict("records")}
    levels = profiles.levels
    return Matrix(
        title=profiles.finding,
        caption=(
            f"{profiles.unit}, forms of {profiles.window[0]} to {profiles.window[-1]}: score (1 to "
            f"5) with severity taken out, and the gap to the role's target. {profiles.caveat}"
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
        return Cell(MISSING, "insufficient evidence" if row["n_raters"] else "not rated")
    gap = row["gap"]
    note = "no target" if np.isnan(gap) else f"{gap:+.1f} to target".replace("-", "−")
    return Cell(
        value=f"{row['score']:.1f}",
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
    cut = f" The {len(shown)} with most forms are shown." if len(shown) < len(raters) else ""
    return Table(
        title=f"{apart} of {count_things(len(raters), 'rater', 'raters')} are stricter or kinder beyond chance",
        caption=(
            f"Whole company, {profiles.window[0]} to {profiles.window[-1]}: points above (kinder) "
            "or below (stricter) the average form, with 90% interval. Halo: how much more (+) or "
            f"less (−) than the average rater somebody sees all skills of a person alike.{cut}"
        ),
        header=("Rater", "Role", "Severity", "90% interval", "Beyond chance", "Halo", "Forms",
                "People"),
        rows=tuple(_rater(row) for row in shown.sort_values("severity").to_dict("records")),
        numeric=frozenset({2, 5, 6, 7}),
        key=(_agreement_note(profiles.agreement),),
        anchor=RATERS_ANCHOR,
    )  # fmt: skip


def _rater(row: dict[Hashable, Any]) -> tuple[str, ...]:
    side = "stricter" if row["severity"] < 0 else "kinder"
    return (
        row["rater"],
        row["role"] or MISSING,
        _signed(row["severity"]),
        f"{_signed(row['low'])} to {_signed(row['high'])}",
        side if row["is_beyond_chance"] else MISSING,
        f"{row['halo']:+.0%}".replace("-", "−"),
        f"{row['n_forms']:.0f}",
        f"{row['n_people']:.0f}",
    )


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _agreement_note(agreement: pd.DataFrame) -> str:
    row = agreement.iloc[-1]
    if np.isnan(row["icc"]):
        return "Too few people have two raters to say how far raters agree."
    return (
        f"Raters as they filled the forms agree on a person's level to {row['icc']:.2f} (ICC(1), "
        f"90% interval {row['low']:.2f} to {row['high']:.2f}; 1 is fully, 0 not at all); the mean "
        f"of {row['k']:.1f} raters is reliable to {row['icc_k']:.2f}, from {row['n_people']:,.0f} "
        "people."
    )


def agreement_table(profiles: SkillProfiles) -> Block:
    """Show how far raters agree, skill by skill."""
    if profiles.agreement.empty:
        return Note(profiles.finding, "missing")
    rows = profiles.agreement
    known = rows[rows["icc"].notna()]
    least = known.iloc[:-1].sort_values("icc") if len(known) > 1 else known
    title = (
        f"Raters agree least on {skill_label(str(least['skill'].iloc[0]))}"
        if len(least) else "Too few people have two raters to say how far raters agree"
    )  # fmt: skip
    return Table(
        title=title,
        caption="ICC(1): reliability of one rater; ICC(k): of the mean of k raters. As given.",
        header=("Skill", "ICC(1)", "90% interval", "ICC(k)", "k", "People", "Scores"),
        rows=tuple(
            (
                begin_large(skill_label(str(row["skill"]))),
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
    )


def _number(value: float) -> str:
    return MISSING if np.isnan(value) else f"{value:.2f}"
