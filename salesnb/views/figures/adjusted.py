"""Raw beside adjusted: what territory, tenure and season had made of bookings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.adjust import ADJUSTED_ANCHOR, AdjustedPerformance
from salesnb.analysis.adjust.result import SURE
from salesnb.analysis.wording import MISSING, format_money
from salesnb.language import format_number, mark, tr
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import say_both_ends, shorten
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 40
_HOW = mark(
    "1 is what was to be expected. The hollow ring is raw bookings against the company's mean, "
    "the dot is bookings against what territory, tenure and season make likely, pulled toward 1 "
    "where wins are few, with its 90% interval. A ring far from its dot is a territory that "
    "flatters or hides. Blue is above and orange below 1 with at least 95% probability."
)


def adjusted_chart(adjusted: AdjustedPerformance) -> Block:
    """Draw each rep's raw figure beside the adjusted one with its interval, best on top."""
    rows = adjusted.rows[adjusted.rows["rank"].notna()]
    if rows.empty:
        return Note(adjusted.finding, "missing")
    rows = rows.sort_values(["estimate", "name"], ascending=[False, True], ignore_index=True)
    shown = _choose(rows)
    cut = say_both_ends(len(rows), MOST_ROWS)
    is_real = adjusted.is_beyond_chance
    top, bottom = rows.iloc[0], rows.iloc[-1]
    first, last = adjusted.window[0], adjusted.window[-1]
    with use_theme():
        return Figure.from_axes(
            _plot(shown, is_real=is_real, width=WIDE),
            narrow=_plot(shown, is_real=is_real, width=NARROW),
            title=adjusted.finding,
            caption=tr(
                "Bookings over expected, {first} to {last}. {caveat}{cut}",
                first=first, last=last, caveat=adjusted.caveat, cut=cut,
            ),
            alt=tr(
                "Dumbbell plot of raw and adjusted bookings of {n} people; adjusted from {highest} "
                "to {lowest} of what was to be expected. {finding}",
                n=len(rows), highest=_index(top["estimate"]), lowest=_index(bottom["estimate"]),
                finding=adjusted.finding,
            ),
            how_to_read=tr(_HOW),
            numbers=_numbers(adjusted, is_real=is_real),
            anchor=ADJUSTED_ANCHOR,
        )  # fmt: skip


def _choose(rows: pd.DataFrame) -> pd.DataFrame:
    """Take both ends where not all fit."""
    half = MOST_ROWS // 2
    return rows if len(rows) <= MOST_ROWS else pd.concat([rows.head(half), rows.tail(half)])


def _plot(rows: pd.DataFrame, *, is_real: bool, width: float) -> Axes:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 1.2 + 0.27 * len(rows)))
    places = np.arange(len(rows))[::-1]
    colours = [_colour(chance, is_real=is_real) for chance in rows["p_above"]]
    axes.axvline(1, color=LIGHT["ink2"], linewidth=1, zorder=1)
    axes.hlines(places, rows["raw"], rows["estimate"], colors=LIGHT["rule"], linewidth=1.2)
    axes.hlines(places, rows["low"], rows["high"], colors=colours, linewidth=2)
    axes.scatter(
        rows["raw"], places, s=34, zorder=2, facecolors=LIGHT["paper"],
        edgecolors=LIGHT["ink3"], linewidths=1.3, label="raw",
    )  # fmt: skip
    axes.scatter(rows["estimate"], places, c=colours, s=30, zorder=3, label="adjusted")
    axes.set_yticks(places, [shorten(name, width) for name in rows["name"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(
        tr("Index, 1 = as expected (ring: raw; dot: adjusted)")
        if width > NARROW else tr("Ring: raw; dot: adjusted")
    )  # fmt: skip
    return axes


def _colour(chance: float, *, is_real: bool) -> str:
    if not is_real:
        return UNCLEAR
    return BETTER if chance >= SURE else WORSE if chance <= 1 - SURE else UNCLEAR


def _numbers(adjusted: AdjustedPerformance, *, is_real: bool) -> pd.DataFrame:
    rows = adjusted.rows.sort_values(["estimate", "name"], ascending=[False, True])
    table = pd.DataFrame(
        {
            tr("Name"): rows["name"],
            tr("Potential"): [
                format_money(value, adjusted.currency) for value in rows["potential"]
            ],
            tr("Bookings"): [format_money(value, adjusted.currency) for value in rows["bookings"]],
            tr("Expected"): [format_money(value, adjusted.currency) for value in rows["expected"]],
            tr("Raw"): rows["raw"].round(2),
            tr("Adjusted"): rows["estimate"].round(2),
            tr("90% interval"): [
                f"{_index(low)}–{_index(high)}" if np.isfinite(low) else MISSING
                for low, high in zip(rows["low"], rows["high"], strict=True)
            ],
            tr("Won"): rows["n"].round(0),
        }
    )
    if is_real:
        table[tr("Place, raw")] = rows["raw_rank"]
        table[tr("Place, adjusted")] = rows["rank"]
    return table


def _index(value: float) -> str:
    return format_number(value, 2, group=False)
