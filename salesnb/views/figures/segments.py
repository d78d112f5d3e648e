"""Skill segments: one panel of dots a segment on a common axis, and who is in them."""

from __future__ import annotations

import math
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.segments import SEGMENTS_ANCHOR, SkillSegments, Verdict
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import count
from salesnb.views.blocks import Block, Figure, Note, Table
from salesnb.views.figures.parts import shorten
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEMBERS_ANCHOR = "segment-members"
_COLUMNS = 3
_NARROW_SKILLS = 5
_ROW, _HEAD = 0.22, 0.75
_HOW = (
    "Each panel is a segment. A dot left of the line is a skill its people have less of than "
    "the company, one to the right a skill they have more of, when everybody's overall level is "
    "taken out; the bar is its 95% interval. Coloured are the skills that set the segment apart: "
    "surely, and by at least a quarter point. On a phone each panel shows those furthest from "
    "the line."
)


def segments_chart(found: SkillSegments) -> Block:
    """Draw the profile of each described segment; without segments say so."""
    if found.described.empty:
        kind = "missing" if found.lacking else "info"
        return Note(f"{found.finding} {found.caveat}".strip(), kind)
    named = found.described
    with use_theme():
        return Figure.from_axes(
            _plot(found, width=WIDE, columns=min(_COLUMNS, len(named))),
            narrow=_plot(found, width=NARROW, columns=1),
            title=found.finding,
            caption=(
                f"{found.unit}, {found.period}: points above or below the company's mean in each "
                f"skill, level taken out, with 95% interval. {found.caveat}"
            ),
            alt=(
                f"Small dot plots of {count(len(named), 'segment')}. "
                + " ".join(
                    f"{name}: {size} people." for name, size in zip(
                        named["name"], named["size"], strict=True
                    )
                )
            ),
            how_to_read=_HOW,
            numbers=_numbers(found),
            anchor=SEGMENTS_ANCHOR,
        )  # fmt: skip


def segments_table(found: SkillSegments) -> Block:
    """List segments with their size, stability and level, and the people in them."""
    if found.verdict is Verdict.NONE:
        return segments_chart(found)
    rows = found.segments
    return Table.from_frame(
        pd.DataFrame(
            {
                "Segment": rows["name"],
                "People": rows["size"],
                "Share": rows["share"].map("{:.0%}".format),
                "Between segments": rows["n_between"],
                "Found again": rows["stability"].map("{:.0%}".format),
                "Level": rows["level"].map("{:.1f}".format),
                "Name": np.where(rows["is_kept"], "as before", "new"),
            }
        ),
        title=found.finding,
        caption=f"{found.unit}, {found.period}. {found.caveat}",
        key=(
            "Between segments: likelier than not, but not surely, of this segment.",
            "Found again: overlap with the segment that other samples of people give; below 60% "
            "it is not described.",
        ),
        anchor=f"{SEGMENTS_ANCHOR}-table",
    )


def members_table(found: SkillSegments) -> Block:
    """List the people with their segment and how surely they belong to it."""
    if found.verdict is Verdict.NONE:
        return segments_chart(found)
    rows = found.members
    return Table.from_frame(
        pd.DataFrame(
            {
                "Name": rows["unit"],
                "Segment": rows["name"],
                "Membership": rows["membership"].map("{:.0%}".format),
                "": np.where(rows["is_between"], "between segments", ""),
                "Level": rows["level"].map("{:.1f}".format),
            }
        ),
        title=f"{found.unit}: {_surely(rows)}",
        caption=(
            f"{found.period}. Membership: how probable the segment is for the person; below 70% "
            "the person is between segments: plan for them one by one. A segment says which "
            "skills to look at, not how good somebody is."
        ),
        anchor=MEMBERS_ANCHOR,
    )


def _surely(members: pd.DataFrame) -> str:
    n_between = int(members["is_between"].sum())
    n_sure = len(members) - n_between
    verb = "belongs" if n_sure == 1 else "belong"
    return f"{n_sure} of {len(members)} people surely {verb} to a segment"


def _plot(found: SkillSegments, *, width: float, columns: int) -> Axes:
    """Draw one panel a described segment; returns the first axes."""
    import matplotlib.pyplot as plt

    panels = [_rows(found, number, width) for number in found.described["segment"]]
    n_rows = math.ceil(len(panels) / columns)
    height = _HEAD + _ROW * max(len(rows) for rows in panels)
    is_shared = width > NARROW
    _, grid = plt.subplots(
        n_rows, columns, figsize=(width, height * n_rows), squeeze=False, sharex=True,
        sharey="all" if is_shared else "none",
    )  # fmt: skip
    cells = list(grid.ravel())
    titles = found.described[["name", "size"]].itertuples(index=False)
    for axes, rows, (name, size) in zip(cells, panels, titles, strict=False):
        _plot_one(axes, rows, width)
        axes.set_title(fill(f"{name} ({size})", 34 if is_shared else 40), fontsize=10)
    for axes in cells[len(panels) :]:
        axes.set_axis_off()
    for axes in cells[max(len(panels) - columns, 0) : len(panels)]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("Points from company")
    first: Axes = cells[0]
    return first


def _rows(found: SkillSegments, number: int, width: float) -> pd.DataFrame:
    rows = found.profile[found.profile["segment"] == number]
    if width > NARROW:
        return rows
    furthest = rows["gap"].abs().sort_values(ascending=False, kind="stable")
    return rows.loc[furthest.index[:_NARROW_SKILLS]].sort_values("gap")


def _plot_one(axes: Axes, rows: pd.DataFrame, width: float) -> None:
    places = np.arange(len(rows))[::-1]
    colours = [
        UNCLEAR if not is_marked else WORSE if gap < 0 else BETTER
        for gap, is_marked in zip(rows["gap"], rows["is_marked"], strict=True)
    ]
    axes.axvline(0, color=LIGHT["ink2"], linewidth=1, zorder=1)
    axes.hlines(places, rows["low"], rows["high"], colors=colours, linewidth=2)
    axes.scatter(rows["gap"], places, c=colours, s=24, zorder=3)
    axes.set_yticks(places, [shorten(skill_label(name), width) for name in rows["skill"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.grid(visible=False, axis="y")


def _numbers(found: SkillSegments) -> pd.DataFrame:
    names = found.segments.set_index("segment")["name"]
    rows = found.profile
    return pd.DataFrame(
        {
            "Segment": rows["segment"].map(names),
            "Skill": rows["skill"].map(skill_label),
            "From company": rows["gap"].map("{:+.2f}".format).str.replace("-", "−"),
            "95% interval": [
                f"{low:+.2f} – {high:+.2f}".replace("-", "−")
                for low, high in zip(rows["low"], rows["high"], strict=True)
            ],
            "People": rows["n"].map("{:.0f}".format),
            "Sets apart": np.where(rows["is_marked"], "yes", ""),
        }
    )
