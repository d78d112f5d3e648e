"""Skill profiles: levels raw and corrected, one person's skills, skills across quarters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.profiles import PROFILES_ANCHOR, SkillProfiles
from salesnb.analysis.skill_trend import SKILL_TREND_ANCHOR, SkillTrend
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import MISSING, begin_large
from salesnb.errors import ParameterError, meant
from salesnb.views.blocks import Block, Figure, Note, Panel
from salesnb.views.figures.parts import shorten, write_plain
from salesnb.views.figures.skills import plot_skills
from salesnb.views.theme import (
    BETTER,
    LIGHT,
    NARROW,
    UNCLEAR,
    WIDE,
    WORSE,
    css_variable,
    use_theme,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 40


def levels_chart(profiles: SkillProfiles) -> Block:
    """Draw each person's mean score as given beside the corrected one with its interval."""
    if profiles.lacking:
        return Note(profiles.finding, "missing")
    rows = profiles.levels.sort_values(["level", "unit"], ascending=[False, True])
    half = MOST_ROWS // 2
    shown = rows if len(rows) <= MOST_ROWS else pd.concat([rows.head(half), rows.tail(half)])
    cut = f" The first and last {half} are shown." if len(shown) < len(rows) else ""
    moved = float((rows["level"] - rows["raw"]).abs().max())
    with use_theme():
        return Figure.from_axes(
            _plot_levels(shown, width=WIDE),
            narrow=_plot_levels(shown, width=NARROW),
            title=(
                f"Taking out how strict raters are moves {profiles.unit}'s people by up to "
                f"{moved:.1f} points"
            ),
            caption=(
                f"Mean over skills, forms of {profiles.window[0]} to {profiles.window[-1]}. "
                f"{profiles.caveat}{cut}"
            ),
            alt=(
                f"Dumbbell plot of raw and corrected mean skill scores of {len(rows)} people, from "
                f"{rows['level'].iloc[0]:.1f} down to {rows['level'].iloc[-1]:.1f}."
            ),
            how_to_read=(
                "The hollow ring is the mean of the scores as given; the dot is what is left when "
                "raters' severity is taken out, with its 90% interval. A ring left of its dot had "
                "strict raters. Where intervals overlap, the order says nothing."
            ),
            numbers=_level_numbers(rows),
            anchor=f"{PROFILES_ANCHOR}-levels",
        )


def _plot_levels(rows: pd.DataFrame, *, width: float) -> Axes:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 1.2 + 0.27 * len(rows)))
    places = np.arange(len(rows))[::-1]
    axes.hlines(places, rows["raw"], rows["level"], colors=LIGHT["rule"], linewidth=1.2)
    axes.hlines(places, rows["low"], rows["high"], colors=UNCLEAR, linewidth=2)
    axes.scatter(
        rows["raw"], places, s=34, zorder=2, facecolors=LIGHT["paper"],
        edgecolors=LIGHT["ink3"], linewidths=1.3,
    )  # fmt: skip
    axes.scatter(rows["level"], places, c=UNCLEAR, s=30, zorder=3)
    axes.set_yticks(places, [shorten(name, width) for name in rows["unit"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("Mean score, 1 to 5 (ring: as given; dot: corrected)" if width > NARROW
                    else "Ring: as given; dot: corrected")  # fmt: skip
    return axes


def _level_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Name": rows["unit"],
            "As given": rows["raw"].map("{:.2f}".format),
            "Corrected": rows["level"].map("{:.2f}".format),
            "90% interval": _ranges(rows),
            "Raters": rows["n_raters"].map("{:.0f}".format),
            "Forms": rows["n_forms"].map("{:.0f}".format),
        }
    )


def person_skills(profiles: SkillProfiles, rep: str) -> Block:
    """Draw one person's skills, largest gap to target first, beside the middle half of the others.

    Parameters
    ----------
    profiles
        Skills of several people.
    rep
        Id, or name where only one has it.

    Raises
    ------
    ParameterError
        The person is not among those shown; the message names who is most alike.
    """
    if profiles.lacking:
        return Note(profiles.finding, "missing")
    cells = profiles.cells[profiles.cells["rep_id"] == _find_rep(profiles, rep)]
    name, enough = cells["unit"].iloc[0], cells[cells["is_enough"]]
    thin = len(cells) - len(enough)
    lack = f" Insufficient evidence on {thin} more." if thin else ""
    if enough.empty:
        return Note(f"{name}: insufficient evidence, no skill has two raters.", "missing")
    others = profiles.cells[profiles.cells["is_enough"]].groupby("skill")["score"]
    rows = enough.assign(
        lower=enough["skill"].map(others.quantile(0.25)),
        upper=enough["skill"].map(others.quantile(0.75)),
        against=enough["against_target"],
    ).sort_values(["gap", "skill"])
    below = int((rows["against"] < 0).sum())
    title = f"{name}: {below} of {len(rows)} skills are surely below target"
    with use_theme():
        return Figure.from_axes(
            plot_skills(rows, width=WIDE),
            narrow=plot_skills(rows, width=NARROW),
            title=title,
            caption=(
                f"Score and 90% interval, largest gap first; tick: target, pale bar: middle half "
                f"of {profiles.unit}.{lack} {profiles.caveat}"
            ),
            alt=f"Dot plot of {len(rows)} skills with intervals and targets. {title}.",
            how_to_read=(
                "Orange is surely below and blue surely above the target, allowing for the number "
                "of scores looked at; grey cannot be told."
            ),
            numbers=pd.DataFrame(
                {
                    "Skill": rows["skill"].map(skill_label),
                    "Score": rows["score"].map("{:.2f}".format),
                    "90% interval": _ranges(rows),
                    "Target": rows["target"].map("{:.1f}".format).replace("nan", MISSING),
                    "Own score": rows["self_score"].map("{:.1f}".format).replace("nan", MISSING),
                    "Raters": rows["n_raters"].map("{:.0f}".format),
                }
            ),
        )


def _find_rep(profiles: SkillProfiles, rep: str) -> str:
    people = profiles.cells.drop_duplicates("rep_id")
    for column in ("rep_id", "unit"):
        found = people.loc[people[column] == rep, "rep_id"]
        if len(found) == 1:
            return str(found.iloc[0])
    known = [*people["unit"], *people["rep_id"]]
    raise ParameterError(
        f"rep: {rep!r} is not in these profiles of {len(people)} people. Give an id, or a name "
        f"that one of them has; .to_frame() lists both.{meant(rep, known)}"
    )


def skill_trend_chart(trend: SkillTrend) -> Block:
    """Draw small multiples of skills across quarters with intervals; real changes in colour."""
    if trend.lacking:
        return Note(trend.finding, "missing")
    return Figure.from_panels(
        _make_panels(trend),
        title=trend.finding,
        caption=(
            f"{trend.unit}: mean score of the people rated in each quarter, with 90% interval. "
            f"{trend.caveat}"
        ),
        alt=f"Small line charts of {len(trend.changes)} skills by quarter. {trend.finding}",
        how_to_read=(
            "Each small chart is one skill on the same scale. Only a change that all the "
            "chart's quarters together support is coloured: blue rose, orange fell."
        ),
        numbers=pd.DataFrame(
            {
                "Skill": trend.points["skill"].map(skill_label),
                "Quarter": trend.points["period"],
                "Score": trend.points["score"].map("{:.2f}".format),
                "90% interval": _ranges(trend.points),
                "People": trend.points["n_people"].map("{:.0f}".format),
                "Forms": trend.points["n_forms"].map("{:.0f}".format),
            }
        ),
        anchor=SKILL_TREND_ANCHOR,
    )


def _make_panels(trend: SkillTrend) -> list[Panel]:
    ends = trend.points[["low", "high"]].to_numpy(dtype=float)
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    room = 0.05 * (high - low) or 0.5
    rows = {
        skill: points.set_index("period")[["score", "low", "high"]].astype(float)
        for skill, points in trend.points.groupby("skill")
    }
    panels = []
    for change in trend.changes.to_dict("records"):
        points = rows[change["skill"]].reindex(trend.window)
        colour = UNCLEAR
        if change["is_beyond_chance"]:
            colour = BETTER if change["change"] > 0 else WORSE
        panels.append(
            Panel(
                title=begin_large(skill_label(str(change["skill"]))),
                values=points["score"].tolist(),
                low=points["low"].tolist(),
                high=points["high"].tolist(),
                span=(low - room, high + room),
                write=write_plain,
                ends=(trend.window[0], trend.window[-1]),
                colour=css_variable(colour),
                is_dotted=True,
            )
        )
    return panels


def _ranges(rows: pd.DataFrame) -> list[str]:
    return [f"{low:.2f} – {high:.2f}" for low, high in zip(rows["low"], rows["high"], strict=True)]
