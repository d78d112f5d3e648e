"""Skills: scores with intervals beside their targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.skills import SKILLS_ANCHOR, SkillProfile, skill_label
from salesnb.analysis.wording import MISSING
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import shorten
from salesnb.views.theme import LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def skill_profile(profile: SkillProfile) -> Block:
    """Draw each skill's mean score with its interval, the target and the company's mean."""
    if profile.skills.empty:
        return Note("Nobody was rated by two raters in this quarter.", "missing")
    rows = profile.skills
    with use_theme():
        return Figure.from_axes(
            plot_skills(rows, width=WIDE),
            narrow=plot_skills(rows, width=NARROW),
            title=profile.finding,
            caption=(
                f"{profile.unit}, {profile.period}: mean score and 95% interval, largest gap "
                f"first; tick: target, pale diamond: company. {int(rows['n_ratings'].sum()):,} "
                f"ratings; {profile.n_thin} person-skill pairs with one rater are left out."
            ),
            alt=(
                f"Dot plot of {len(rows)} skills with intervals and targets. Largest gap: "
                f"{skill_label(rows['skill'].iloc[0])}. {profile.finding}"
            ),
            how_to_read=(
                "Where the whole line lies left of the tick, the team is below its target with "
                "at least 95% confidence (orange). Raters differ in strictness, which plain "
                "means do not correct: compare within the team rather than across."
            ),
            numbers=_skill_numbers(rows),
            anchor=SKILLS_ANCHOR,
        )


def plot_skills(rows: pd.DataFrame, *, width: float) -> Axes:
    """Draw dots with intervals from top to bottom in the order of `rows`."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 0.9 + 0.3 * len(rows)))
    places = np.arange(len(rows))[::-1]
    colours = [WORSE if below else UNCLEAR for below in rows["high"] < rows["target"]]
    axes.hlines(places, rows["low"], rows["high"], colors=colours, linewidth=2)
    axes.scatter(rows["company"], places, c=LIGHT["rule"], s=36, marker="D", zorder=2)
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
        "Target": rows["target"].map("{:.2f}".format),
        "Company": rows["company"].map("{:.2f}".format),
        "People": rows["n_reps"].map("{:,.0f}".format),
        "Ratings": rows["n_ratings"].map("{:,.0f}".format),
        "Raters": rows["n_raters"].map("{:,.0f}".format),
    }
    return pd.DataFrame(table).replace("nan", MISSING)
