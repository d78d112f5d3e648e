"""Where a quarter will end: bookings so far, likely ends and chances beside targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.outlook import (
    OUTLOOK_ANCHOR,
    Outlook,
    describe_calibration,
    format_chance,
)
from salesnb.analysis.wording import MISSING, count_things, format_money
from salesnb.language import format_number, format_share, mark, tr
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import format_axis, shorten
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 40
_LIKELY = 0.9
_FARTHEST = 2.0
"""Share of the target at which a line is cut."""
_BASES = {"set": mark("set"), "prorated": mark("prorated")}
_HOW = mark(
    "The bar is what is booked, as a share of the target (the upright line at 100%). The thin line "
    "holds the quarter's end in 9 of 10 cases, the dot its middle. The figure at the right is the "
    "chance to reach the target; blue is at least 90%, orange at most 10%, grey is open."
)


def outlook_chart(outlook: Outlook) -> Block:
    """Draw each unit's bookings and likely end as a share of its target, with the chance to hit."""
    rows = _rows_to_draw(outlook)
    if rows.empty:
        return Note(outlook.finding, "missing")
    shown = rows.head(MOST_ROWS)
    cut = tr(" The first {most} of {n} are drawn.", most=MOST_ROWS, n=len(rows))
    cut = cut if len(rows) > MOST_ROWS else ""
    with use_theme():
        return Figure.from_axes(
            plot_outlook(shown, width=WIDE),
            narrow=plot_outlook(shown, width=NARROW),
            title=outlook.finding,
            caption=f"{_caption(outlook)}{cut}",
            alt=tr(
                "Bars of bookings as a share of target for {n} units. {finding}",
                n=len(shown), finding=outlook.finding,
            ),
            how_to_read=_how_to_read(outlook),
            numbers=_numbers(rows, outlook),
            anchor=OUTLOOK_ANCHOR,
        )  # fmt: skip


def _caption(outlook: Outlook) -> str:
    wins = count_things(outlook.rows["n"].iloc[0], "win", "wins")
    if outlook.is_over:
        return tr(
            "{quarter}, final: bookings as a share of the target, {wins}.",
            quarter=outlook.period, wins=wins,
        )  # fmt: skip
    return tr(
        "{quarter}, {days} days to go: bookings so far ({wins}) and likely end (90% interval) as "
        "a share of the target. {caveat}",
        quarter=outlook.period, days=outlook.days_left, wins=wins, caveat=outlook.caveat,
    )  # fmt: skip


def _how_to_read(outlook: Outlook) -> str:
    if not outlook.has_chances:
        return ""
    return " ".join([tr(_HOW), *map(describe_calibration, outlook.calibration)])


def _rows_to_draw(outlook: Outlook) -> pd.DataFrame:
    """Take the whole and its next level: teams of the company, reps of a team; surest first."""
    rows = outlook.rows[outlook.rows["target"] > 0]
    if rows.empty:
        return rows
    below = "rep" if outlook.rows["level"].iloc[0] == "team" else "team"
    whole = rows[rows.index == 0]
    parts = rows[(rows["level"] == below) & (rows.index != 0)]
    order = parts.sort_values(["p_hit", "attainment", "unit"], ascending=[False, False, True])
    return pd.concat([whole, order], ignore_index=True)


def plot_outlook(rows: pd.DataFrame, *, width: float) -> Axes:
    """Draw bars with likely ends from top to bottom in the order of `rows`."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 0.9 + 0.3 * len(rows)))
    places = np.arange(len(rows))[::-1]
    target = rows["target"].to_numpy()
    low, middle, high = (
        np.minimum(rows[name].to_numpy(dtype=float) / target, _FARTHEST)
        for name in ("low", "median", "high")
    )
    booked = np.minimum(rows["attainment"].to_numpy(dtype=float), _FARTHEST)
    colours = [_colour(row) for row in rows.to_dict("records")]
    axes.barh(places, booked, color=LIGHT["rule"], height=0.5, zorder=1)
    if rows["p_hit"].notna().any():
        axes.hlines(places, low, high, colors=colours, linewidth=2, zorder=3)
        axes.scatter(middle, places, c=colours, s=28, zorder=4)
    else:
        axes.scatter(booked, places, c=colours, s=28, zorder=4)
    axes.axvline(1.0, color=LIGHT["ink"], linewidth=1.2, zorder=2)
    axes.set_yticks(places, [shorten(name, width) for name in rows["unit"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    reach = np.nanmax([1.1, *booked, *high[np.isfinite(high)]])
    axes.set_xlim(0, reach * 1.05)
    axes.grid(visible=False, axis="y")
    format_axis(axes.xaxis, format_share, most=5 if width > NARROW else 3)
    axes.set_xlabel(tr("Share of target"))
    for place, row in zip(places, rows.to_dict("records"), strict=True):
        said = format_chance(row["p_hit"])
        said = format_share(row["attainment"]) if said == MISSING else said
        axes.annotate(
            said, (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=10,
            color=LIGHT["ink2"], annotation_clip=False,
        )  # fmt: skip
    return axes


def _colour(row: dict[object, float]) -> str:
    chance = row["p_hit"]
    if pd.isna(chance):
        chance = float(row["attainment"] >= 1)
    return BETTER if chance >= _LIKELY else WORSE if chance <= 1 - _LIKELY else UNCLEAR


def _numbers(rows: pd.DataFrame, outlook: Outlook) -> pd.DataFrame:
    def money(name: str) -> pd.Series[str]:
        return rows[name].map(lambda value: format_money(value, outlook.currency))

    table = {
        tr("Name"): rows["unit"],
        tr("Target"): money("target"),
        tr("Which"): [tr(_BASES.get(basis, basis)) for basis in rows["basis"]],
        tr("Booked"): money("booked"),
        tr("Of target"): rows["attainment"].map(format_share),
        tr("Wins"): rows["n"].map(format_number),
    }
    if outlook.has_chances:
        table |= {
            tr("End, low"): money("low"),
            tr("End, middle"): money("median"),
            tr("End, high"): money("high"),
            tr("Chance"): rows["p_hit"].map(format_chance),
        }
    return pd.DataFrame(table)
