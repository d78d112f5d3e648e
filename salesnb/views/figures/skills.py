"""Skills: scores with intervals beside their targets, of a team or a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.skills import SKILLS_ANCHOR, SkillProfile, skill_label
from salesnb.language import format_number, tr
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import shorten, write_numbers, write_ranges
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def skill_profile(profile: SkillProfile) -> Block:
    """Draw each skill's mean score with its interval, its people's middle half and the target."""
    if profile.skills.empty:
        said = tr("Nobody was rated by two raters in {quarters}.", quarters=profile.span)
        return Note(said, "missing")
    rows = profile.skills.assign(against=-profile.skills["is_below"].astype(int))
    with use_theme():
        return Figure.from_axes(
            plot_skills(rows, width=WIDE),
            narrow=plot_skills(rows, width=NARROW),
            title=profile.finding,
            caption=tr(
                "{unit}, forms of {quarters}: mean score and 95% interval, largest gap first; "
                "pale bar: middle half of its people, tick: target. {ratings} ratings; {pairs} "
                "person-skill pairs with one rater are left out. {caveat}",
                unit=profile.unit, quarters=profile.span,
                ratings=format_number(int(rows["n_ratings"].sum())), pairs=profile.n_thin,
                caveat=profile.caveat,
            ),
            alt=tr(
                "Dot plot of {n} skills with intervals and targets. Largest gap: {skill}. "
                "{finding}",
                n=len(rows), skill=skill_label(rows["skill"].iloc[0]), finding=profile.finding,
            ),
            how_to_read=tr(
                "Orange is surely below the target, allowing for the number of skills looked at. "
                "The line is the 95% interval of the one skill. The pale bar holds the middle half "
                "of the people, so a long bar is a team that differs within itself."
            ),
            numbers=_skill_numbers(rows),
            anchor=SKILLS_ANCHOR,
        )  # fmt: skip


def plot_skills(rows: pd.DataFrame, *, width: float) -> Axes:
    """Draw dots with intervals from top to bottom in the order of `rows`.

    `rows` has skill, score, low, high, lower, upper (the bar), target and `against` it: -1 below,
    1 above, 0 unclear.
    """
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 0.9 + 0.3 * len(rows)))
    places = np.arange(len(rows))[::-1]
    tints = {-1: WORSE, 0: UNCLEAR, 1: BETTER}
    colours = [tints[side] for side in rows["against"]]
    axes.hlines(places, rows["lower"], rows["upper"], colors=LIGHT["grid"], linewidth=9, zorder=1)
    axes.hlines(places, rows["low"], rows["high"], colors=colours, linewidth=2)
    axes.scatter(rows["score"], places, c=colours, s=30, zorder=3)
    axes.scatter(rows["target"], places, c=LIGHT["ink"], s=90, marker="|", zorder=4)
    axes.set_yticks(places, [shorten(skill_label(name), width) for name in rows["skill"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(tr("Score, 1 to 5"))
    return axes


def _skill_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    table = {
        tr("Skill"): [skill_label(name) for name in rows["skill"]],
        tr("Score"): write_numbers(rows["score"], 2),
        tr("Low"): write_numbers(rows["low"], 2),
        tr("High"): write_numbers(rows["high"], 2),
        tr("Middle half"): write_ranges(
            rows["lower"], rows["upper"], lambda score: format_number(score, 1, group=False)
        ),
        tr("Target"): write_numbers(rows["target"], 2),
        tr("Company"): write_numbers(rows["company"], 2),
        tr("People"): write_numbers(rows["n_reps"], group=True),
        tr("Ratings"): write_numbers(rows["n_ratings"], group=True),
        tr("Raters"): write_numbers(rows["n_raters"], group=True),
    }
    return pd.DataFrame(table)
