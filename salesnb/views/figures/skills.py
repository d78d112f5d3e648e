"""Skills: scores with intervals beside their targets, of a team or a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.skills import SKILLS_ANCHOR, SkillProfile, skill_label
from salesnb.analysis.wording import MISSING
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import shorten
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def skill_profile(profile: SkillProfile) -> Block:
    """Draw each skill's mean score with its interval, its people's middle half and the target."""
    if profile.skills.empty:
        return Note(f"Nobody was rated by two raters in {profile.span}.", "missing")
    rows = profile.skills.assign(against=-profile.skills["is_below"].astype(int))
    with use_theme():
        return Figure.from_axes(
            plot_skills(rows, width=WIDE),
            narrow=plot_skills(rows, width=NARROW),
            title=profile.finding,
            caption=(
                f"{profile.unit}, forms of {profile.span}: mean score and 95% interval, largest "
                f"gap first; pale bar: middle half of its people, tick: target. "
                f"{int(rows['n_ratings'].sum()):,} ratings; {profile.n_thin} person-skill pairs "
                f"with one rater are left out. {profile.caveat}"
            ),
            alt=(
                f"Dot plot of {len(rows)} skills with intervals and targets. Largest gap: "
                f"{skill_label(rows['skill'].iloc[0])}. {profile.finding}"
            ),
            how_to_read=(
                "Orange is surely below the target, allowing for the number of skills looked at. "
                "The line is the 95% interval of the one skill. The pale bar holds the middle half "
                "of the people, so a long bar is a team that differs within itself."
            ),
            numbers=_skill_numbers(rows),
            anchor=SKILLS_ANCHOR,
        )


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
    axes.set_xlabel("Score, 1 to 5")
    return axes


def _skill_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    table = {
        "Skill": rows["skill"].map(skill_label),
        "Score": rows["score"].map("{:.2f}".format),
        "Low": rows["low"].map("{:.2f}".format),
        "High": rows["high"].map("{:.2f}".format),
        "Middle half": _ranges(rows["lower"], rows["upper"]),
        "Target": rows["target"].map("{:.2f}".format),
        "Company": rows["company"].map("{:.2f}".format),
        "People": rows["n_reps"].map("{:,.0f}".format),
        "Ratings": rows["n_ratings"].map("{:,.0f}".format),
        "Raters": rows["n_raters"].map("{:,.0f}".format),
    }
    return pd.DataFrame(table).replace("nan", MISSING)


def _ranges(low: pd.Series[float], high: pd.Series[float]) -> list[str]:
    return [f"{one:.1f} – {two:.1f}" for one, two in zip(low, high, strict=True)]
