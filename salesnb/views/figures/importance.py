"""What to train: how much each skill matters against how far people are below target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm

from salesnb.analysis.plan import IMPORTANCE_ANCHOR, SkillImportance
from salesnb.analysis.profiles import SkillProfiles
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import begin_large
from salesnb.language import format_number, format_share, mark, tr
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import shorten, write_numbers
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PLACES = tuple((sign, step) for step in (0, 1, -1, 2, -2, 3, -3) for sign in (1, -1))
"""Where a name may stand: right or left of its dot, some lines above or below."""
_SURE = 0.95
"""Chance of an effect from which it is drawn as sure."""
_HOW = mark(
    "Each dot is a skill. To the right people are further below target; higher up a point of the "
    "skill goes with more bookings, the line is the 90% interval of that. Top right is what to "
    "train first: it matters and people lack it (orange where both are above the middle of all "
    "skills, the dashed lines). Where lines are long and overlap, the order is not sure."
)


def importance_chart(importance: SkillImportance) -> Block:
    """Draw what a point of each skill brings, beside what the manager's weights say."""
    if importance.skills.empty:
        return Note(importance.finding, "missing")
    rows = importance.skills.sort_values(["importance", "skill"], ignore_index=True)
    with use_theme():
        return Figure.from_axes(
            _plot_dots(rows, width=WIDE),
            narrow=_plot_dots(rows, width=NARROW),
            title=importance.finding,
            caption=tr(
                "Bookings that a point more goes with, and 90% interval. {caveat}",
                caveat=importance.caveat,
            ),
            alt=tr(
                "Dot plot of what a point of {n} skills brings, from {lowest} to {highest} of "
                "bookings. {finding}",
                n=len(rows), lowest=format_share(rows["importance"].iloc[0], sign=True),
                highest=format_share(rows["importance"].iloc[-1], sign=True),
                finding=importance.finding,
            ),
            how_to_read=tr(
                "The dot is what results of later quarters say, drawn toward the manager's "
                "weights where people are few; the diamond is what the weights alone say. No skill "
                "is taken to lose bookings; blue ones surely bring some. Intervals that overlap "
                "are no order."
            ),
            numbers=_numbers(rows),
            anchor=IMPORTANCE_ANCHOR,
        )  # fmt: skip


def quadrant_chart(importance: SkillImportance, profiles: SkillProfiles) -> Block:
    """Draw importance against the mean gap to target: what matters and is lacking."""
    rows = _join(importance, profiles)
    if rows.empty:
        return Note(profiles.finding if profiles.lacking else importance.finding, "missing")
    first = rows[rows["is_first"]].sort_values("priority", ascending=False)
    named = ", ".join(skill_label(str(name)) for name in first["skill"].head(3))
    title = (
        tr(
            "{unit}: what matters more than most and is further below target than most is "
            "{skills}.",
            unit=profiles.unit, skills=named,
        )
        if len(first)
        else tr(
            "{unit}: no skill both matters more and lacks more than most.", unit=profiles.unit
        )
    )  # fmt: skip
    top = rows.iloc[0]
    with use_theme():
        return Figure.from_axes(
            _plot_quadrant(rows, width=WIDE),
            narrow=_plot_quadrant(rows, width=NARROW),
            title=title,
            caption=tr(
                "{unit}, {quarter}: mean gap to target over people with enough raters (none where "
                "above it) against the bookings a point goes with. {caveat}",
                unit=profiles.unit, quarter=profiles.period, caveat=importance.caveat,
            ),
            alt=tr(
                "Scatter of {n} skills by gap and importance. Most to gain: {skill}, {gap} points "
                "below target, a point goes with {share} bookings.",
                n=len(rows), skill=skill_label(top["skill"]),
                gap=format_number(top["gap"], 1, group=False),
                share=format_share(top["importance"], sign=True),
            ),
            how_to_read=tr(_HOW),
            numbers=_numbers(rows),
            anchor="train-first",
        )  # fmt: skip


def _join(importance: SkillImportance, profiles: SkillProfiles) -> pd.DataFrame:
    """Put importance beside the mean gap; what promises most comes first.

    Who is above the target has no gap: people cannot make up for each other.
    """
    cells = profiles.cells[profiles.cells["is_enough"] & profiles.cells["target"].notna()]
    gap, sd = ((cells["target"] - cells["score"]).astype(float), cells["error"].astype(float))
    cells = cells.assign(below=gap * norm.cdf(gap / sd) + sd * norm.pdf(gap / sd))
    gaps = cells.groupby("skill").agg(gap=("below", "mean"), n_reps=("rep_id", "nunique"))
    rows = importance.skills.merge(gaps, on="skill")
    rows["priority"] = rows["gap"] * rows["importance"]
    rows["is_first"] = (rows["importance"] > rows["importance"].median()) & (
        rows["gap"] > rows["gap"].median()
    )
    return rows.sort_values(["priority", "skill"], ascending=[False, True], ignore_index=True)


def _plot_dots(rows: pd.DataFrame, *, width: float) -> Axes:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 0.9 + 0.3 * len(rows)))
    places = np.arange(len(rows))
    colours = [BETTER if chance >= _SURE else UNCLEAR for chance in rows["p_positive"]]
    axes.axvline(0, color=LIGHT["ink2"], linewidth=1, zorder=1)
    axes.hlines(places, 100 * rows["low"], 100 * rows["high"], colors=colours, linewidth=2)
    axes.scatter(100 * rows["by_weight"], places, c=LIGHT["rule"], s=36, marker="D", zorder=2)
    axes.scatter(100 * rows["importance"], places, c=colours, s=30, zorder=3)
    axes.set_yticks(places, [shorten(skill_label(name), width) for name in rows["skill"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(
        tr("More bookings for a point, % (dot: learned; diamond: by weight)")
        if width > NARROW
        else tr("More bookings for a point, %")
    )
    return axes


def _plot_quadrant(rows: pd.DataFrame, *, width: float) -> Axes:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 4.6 if width > NARROW else 4.2))
    colours = [WORSE if first else UNCLEAR for first in rows["is_first"]]
    axes.vlines(rows["gap"], 100 * rows["low"], 100 * rows["high"], colors=LIGHT["grid"])
    axes.axhline(100 * rows["importance"].median(), color=LIGHT["ink3"], ls="--", linewidth=1)
    axes.axvline(rows["gap"].median(), color=LIGHT["ink3"], ls="--", linewidth=1)
    axes.scatter(rows["gap"], 100 * rows["importance"], c=colours, s=40, zorder=3)
    axes.margins(x=0.12)
    _label(axes, rows, width)
    axes.set_xlabel(tr("Mean gap to target, points"))
    axes.set_ylabel(tr("More bookings for a point, %"))
    return axes


def _label(axes: Axes, rows: pd.DataFrame, width: float) -> None:
    """Name dots beside them where no other name or dot is; first those to train first.

    A name for which there is no room is left to the numbers.
    """
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    letter, line = (right - left) * 0.075 / (width - 1), (high - low) / 21
    taken = [
        (x - letter, x + letter, y - line / 4, y + line / 4)
        for x, y in zip(rows["gap"], 100 * rows["importance"], strict=True)
    ]
    ordered = rows.sort_values(["is_first", "priority"], ascending=False)
    for skill, x, y in zip(ordered["skill"], ordered["gap"], 100 * ordered["importance"],
                           strict=True):  # fmt: skip
        name = shorten(begin_large(skill_label(str(skill))), width)
        for sign, step in _PLACES:
            near, far = x + sign * 1.5 * letter, x + sign * (len(name) + 1.5) * letter
            start, end, middle = min(near, far), max(near, far), y + step * line
            box = (start, end, middle - line / 2, middle + line / 2)
            if start < left or end > right or any(_overlap(box, other) for other in taken):
                continue
            taken.append(box)
            axes.plot([x, near], [y, middle], color=LIGHT["ink3"], linewidth=0.7, zorder=2)
            axes.text(near, middle, name, ha="left" if sign > 0 else "right", va="center",
                      fontsize=9, color=LIGHT["ink"])  # fmt: skip
            break


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def _numbers(rows: pd.DataFrame) -> pd.DataFrame:
    table = {
        tr("Skill"): [skill_label(name) for name in rows["skill"]],
        tr("Bookings a point"): _shares(rows["importance"]),
        tr("90% interval"): [
            tr("{low} to {high}", low=low, high=high)
            for low, high in zip(_shares(rows["low"]), _shares(rows["high"]), strict=True)
        ],
        tr("By weight"): _shares(rows["by_weight"]),
        tr("Weight"): write_numbers(rows["weight"], 2),
    }
    if "gap" in rows:
        table[tr("Gap")] = write_numbers(rows["gap"], 2)
        table[tr("People")] = write_numbers(rows["n_reps"], group=True)
    return pd.DataFrame(table)


def _shares(values: pd.Series[float]) -> list[str]:
    return [format_share(value, 1, sign=True) for value in values]
