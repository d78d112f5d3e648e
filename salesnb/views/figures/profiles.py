"""Skill profiles: levels raw and corrected, one person's skills, skills across quarters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.profiles import PROFILES_ANCHOR, SkillProfiles
from salesnb.analysis.skill_trend import SKILL_TREND_ANCHOR, SkillTrend
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import begin_large
from salesnb.errors import ParameterError, meant
from salesnb.language import format_number, tr
from salesnb.views.blocks import Block, Figure, Note, Panel
from salesnb.views.figures.parts import (
    say_both_ends,
    shorten,
    write_numbers,
    write_plain,
    write_ranges,
)
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
    moved = float((rows["level"] - rows["raw"]).abs().max())
    with use_theme():
        return Figure.from_axes(
            _plot_levels(shown, width=WIDE),
            narrow=_plot_levels(shown, width=NARROW),
            title=tr(
                "Taking out how strict raters are moves {unit}'s people by up to {points} points",
                unit=profiles.unit, points=_level(moved),
            ),
            caption=tr(
                "Mean over skills, forms of {first} to {last}. {caveat}{cut}",
                first=profiles.window[0], last=profiles.window[-1], caveat=profiles.caveat,
                cut=say_both_ends(len(rows), MOST_ROWS),
            ),
            alt=tr(
                "Dumbbell plot of raw and corrected mean skill scores of {n} people, from "
                "{highest} down to {lowest}.",
                n=len(rows), highest=_level(rows["level"].iloc[0]),
                lowest=_level(rows["level"].iloc[-1]),
            ),
            how_to_read=tr(
                "The hollow ring is the mean of the scores as given; the dot is what is left when "
                "raters' severity is taken out, with its 90% interval. A ring left of its dot had "
                "strict raters. Where intervals overlap, the order says nothing."
            ),
            numbers=_level_numbers(rows),
            anchor=f"{PROFILES_ANCHOR}-levels",
        )  # fmt: skip


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
    axes.set_xlabel(
        tr("Mean score, 1 to 5 (ring: as given; dot: corrected)")
        if width > NARROW else tr("Ring: as given; dot: corrected")
    )  # fmt: skip
    return axes


def _level_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            tr("Name"): rows["unit"],
            tr("As given"): write_numbers(rows["raw"], 2),
            tr("Corrected"): write_numbers(rows["level"], 2),
            tr("90% interval"): _ranges(rows),
            tr("Raters"): write_numbers(rows["n_raters"]),
            tr("Forms"): write_numbers(rows["n_forms"]),
        }
    )


def _level(points: float) -> str:
    return format_number(points, 1, group=False)


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
    lack = tr(" Insufficient evidence on {n} more.", n=thin) if thin else ""
    if enough.empty:
        said = tr("{name}: insufficient evidence, no skill has two raters.", name=name)
        return Note(said, "missing")
    others = profiles.cells[profiles.cells["is_enough"]].groupby("skill")["score"]
    rows = enough.assign(
        lower=enough["skill"].map(others.quantile(0.25)),
        upper=enough["skill"].map(others.quantile(0.75)),
        against=enough["against_target"],
    ).sort_values(["gap", "skill"])
    below = int((rows["against"] < 0).sum())
    title = tr(
        "{name}: {below} of {n} skills are surely below target",
        name=name, below=below, n=len(rows),
    )  # fmt: skip
    with use_theme():
        return Figure.from_axes(
            plot_skills(rows, width=WIDE),
            narrow=plot_skills(rows, width=NARROW),
            title=title,
            caption=tr(
                "Score and 90% interval, largest gap first; tick: target, pale bar: middle half "
                "of {unit}.{lack} {caveat}",
                unit=profiles.unit, lack=lack, caveat=profiles.caveat,
            ),
            alt=tr(
                "Dot plot of {n} skills with intervals and targets. {title}.",
                n=len(rows), title=title,
            ),
            how_to_read=tr(
                "Orange is surely below and blue surely above the target, allowing for the number "
                "of scores looked at; grey cannot be told."
            ),
            numbers=pd.DataFrame(
                {
                    tr("Skill"): rows["skill"].map(skill_label),
                    tr("Score"): write_numbers(rows["score"], 2),
                    tr("90% interval"): _ranges(rows),
                    tr("Target"): write_numbers(rows["target"], 1),
                    tr("Own score"): write_numbers(rows["self_score"], 1),
                    tr("Raters"): write_numbers(rows["n_raters"]),
                }
            ),
        )  # fmt: skip


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
        caption=tr(
            "{unit}: mean score of the people rated in each quarter, with 90% interval. {caveat}",
            unit=trend.unit, caveat=trend.caveat,
        ),
        alt=tr(
            "Small line charts of {n} skills by quarter. {finding}",
            n=len(trend.changes), finding=trend.finding,
        ),
        how_to_read=tr(
            "Each small chart is one skill on the same scale. Only a change that all the "
            "chart's quarters together support is coloured: blue rose, orange fell."
        ),
        numbers=pd.DataFrame(
            {
                tr("Skill"): trend.points["skill"].map(skill_label),
                tr("Quarter"): trend.points["period"],
                tr("Score"): write_numbers(trend.points["score"], 2),
                tr("90% interval"): _ranges(trend.points),
                tr("People"): write_numbers(trend.points["n_people"]),
                tr("Forms"): write_numbers(trend.points["n_forms"]),
            }
        ),
        anchor=SKILL_TREND_ANCHOR,
    )  # fmt: skip


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
    return write_ranges(
        rows["low"], rows["high"], lambda score: format_number(score, 2, group=False)
    )
