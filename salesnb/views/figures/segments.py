"""Skill segments: one panel of dots a segment on a common axis, and who is in them."""

from __future__ import annotations

import math
from collections.abc import Collection
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.segments import BETWEEN, SEGMENTS_ANCHOR, STABLE, SkillSegments, Verdict
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import MISSING, count_people, count_things, name_some
from salesnb.language import format_share, mark, tr
from salesnb.views.blocks import Block, Figure, Note, Table
from salesnb.views.figures.parts import (
    shorten,
    write_numbers,
    write_ranges,
    write_shares,
    write_signed,
)
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEMBERS_ANCHOR = "segment-members"
_COLUMNS = 3
_NARROW_SKILLS = 5
_NARROW_LETTERS = 16
_MOST_LISTED = 60
_ROW, _NARROW_ROW, _HEAD = 0.22, 0.32, 0.95
_HOW = mark(
    "Each panel is a segment. A dot left of the line is a skill its people have less of than "
    "the company, one to the right a skill they have more of, when everybody's overall level is "
    "taken out; the bar is its 95% interval. Coloured are the skills that set the segment apart: "
    "surely, and by at least a quarter point. On a phone each panel shows those furthest from "
    "the line."
)

_VERDICTS = {
    Verdict.PROVISIONAL: mark("provisional"),
    Verdict.CONFIRMED: mark("confirmed"),
}


def segments_chart(found: SkillSegments) -> Block:
    """Draw the profile of each described segment; without segments say so."""
    if found.described.empty:
        words = f"{found.finding} {found.caveat}".strip()
        return Note(words, "missing" if found.lacking else "info")
    named = found.described
    with use_theme():
        return Figure.from_axes(
            _plot(found, width=WIDE, columns=min(_COLUMNS, len(named))),
            narrow=_plot(found, width=NARROW, columns=1),
            title=found.finding,
            caption=tr(
                "{unit}, {quarter}: points above or below the company's mean in each skill, level "
                "taken out, with 95% interval. {caveat}",
                unit=found.unit, quarter=found.period, caveat=found.caveat,
            ),
            alt=" ".join([
                tr(
                    "Small dot plots of {segments}.",
                    segments=count_things(len(named), "segment", "segments"),
                ),
                *(
                    tr("{segment}: {n} people.", segment=name, n=size)
                    for name, size in zip(named["name"], named["size"], strict=True)
                ),
            ]),
            how_to_read=tr(_HOW),
            numbers=_numbers(found),
            anchor=SEGMENTS_ANCHOR,
        )  # fmt: skip


def segments_table(found: SkillSegments) -> Block:
    """List segments with their size, level and how surely they would be found again."""
    if found.verdict is Verdict.NONE:
        return segments_chart(found)
    rows = found.segments
    return Table.from_frame(
        pd.DataFrame(
            {
                tr("Segment"): rows["name"],
                tr("People"): rows["size"],
                tr("Between segments"): rows["n_between"],
                tr("Found again"): write_shares(rows["stability"]),
                tr("Level"): write_numbers(rows["level"], 1),
                tr("Same shape as last quarter"): np.where(rows["is_kept"], tr("yes"), tr("new")),
            }
        ),
        title=tr(
            "{unit}: {segments}, {verdict}",
            unit=found.unit, verdict=tr(_VERDICTS[found.verdict]),
            segments=count_things(len(rows), "skill segment", "skill segments"),
        ),
        caption=f"{found.unit}, {found.period}. {found.caveat}",
        key=(
            tr(
                "Between segments: people who belong to this segment more likely than to another, "
                "but with less than {share} probability.",
                share=format_share(BETWEEN),
            ),
            tr(
                "Found again: overlap with the segment that other samples of people give; below "
                "{share} it is not described.",
                share=format_share(STABLE),
            ),
            tr("Level: mean skill of its people, 1 to 5; it plays no part in the segments."),
        ),
        anchor=f"{SEGMENTS_ANCHOR}-table",
    )  # fmt: skip


def members_table(found: SkillSegments, *, teams: Collection[str] | None = None) -> Block:
    """List the people of each segment, and apart those who are between segments.

    Parameters
    ----------
    found
        Segments of the company.
    teams
        Ids of the teams whose people are listed; None lists everybody.
    """
    if found.verdict is Verdict.NONE:
        return segments_chart(found)
    people = found.members
    if teams is not None:
        people = people[people["team_id"].isin(teams)]
    n_sure = int((~people["is_between"]).sum())
    rows = []
    for number, name in zip(found.segments["segment"], found.segments["name"], strict=True):
        own = people[people["segment"] == number]
        rows.append(
            (name, _names(own[~own["is_between"]]), _names(own[own["is_between"]]))
        )  # fmt: skip
    return Table(
        title=tr(
            "{unit}: {n} of {people} surely belong to a segment",
            unit=found.unit, n=n_sure, people=count_people(len(people)),
        ),
        caption=tr(
            "{quarter}. For those between segments plan one by one. A segment says which skills "
            "to look at, not how good somebody is.",
            quarter=found.period,
        ),
        header=(tr("Segment"), tr("Surely"), tr("Between segments, nearest to this one")),
        rows=tuple(rows),
        anchor=MEMBERS_ANCHOR,
        is_sortable=False,
    )  # fmt: skip


def _names(people: pd.DataFrame) -> str:
    return name_some(sorted(people["unit"]), _MOST_LISTED) or MISSING


def _plot(found: SkillSegments, *, width: float, columns: int) -> Axes:
    """Draw one panel a described segment; returns the first axes."""
    import matplotlib.pyplot as plt

    panels = [_rows(found, number, width) for number in found.described["segment"]]
    n_rows = math.ceil(len(panels) / columns)
    is_shared = width > NARROW
    row = _ROW if is_shared else _NARROW_ROW
    height = _HEAD + row * max(len(rows) for rows in panels)
    _, grid = plt.subplots(
        n_rows, columns, figsize=(width, height * n_rows), squeeze=False, sharex=True,
        sharey="all" if is_shared else "none",
    )  # fmt: skip
    cells = list(grid.ravel())
    titles = found.described[["name", "size"]].itertuples(index=False)
    for axes, rows, (name, size) in zip(cells, panels, titles, strict=False):
        _plot_one(axes, rows, width)
        axes.set_title(fill(f"{name} ({size})", 27 if is_shared else 42), fontsize=10)
    for axes in cells[len(panels) :]:
        axes.set_axis_off()
    for axes in cells[max(len(panels) - columns, 0) : len(panels)]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(tr("Points from company"))
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
    axes.set_yticks(places, [_label(name, width) for name in rows["skill"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.grid(visible=False, axis="y")


def _label(skill: str, width: float) -> str:
    label = shorten(skill_label(skill), WIDE)
    return label if width > NARROW else fill(label, _NARROW_LETTERS)


def _numbers(found: SkillSegments) -> pd.DataFrame:
    names = found.segments.set_index("segment")["name"]
    rows = found.profile
    return pd.DataFrame(
        {
            tr("Segment"): rows["segment"].map(names),
            tr("Skill"): rows["skill"].map(skill_label),
            tr("From company"): [write_signed(gap) for gap in rows["gap"]],
            tr("95% interval"): write_ranges(rows["low"], rows["high"], write_signed),
            tr("People"): write_numbers(rows["n"]),
            tr("Sets apart"): np.where(rows["is_marked"], tr("yes"), ""),
        }
    )
