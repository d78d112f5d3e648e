"""The sales process as figures: won by each day, what becomes of stages, what is at stake."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.process import (
    BOTTLENECKS_ANCHOR,
    STAGE_FLOW_ANCHOR,
    WIN_TIMING_ANCHOR,
    Bottlenecks,
    StageFlow,
    WinTiming,
)
from salesnb.analysis.wording import count_things, format_money, name_quarters
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import format_axis, shorten
from salesnb.views.process import within_frame
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST = 365
_DASHED = " The dashed line is won / closed, which leaves the open ones out."


def win_timing_chart(timing: WinTiming) -> Block:
    """Draw the share won by each day with its interval, beside won of closed."""
    if timing.lacking:
        return Note(timing.finding, "missing")
    curve = timing.curve.dropna(subset=["won"])
    curve = curve[curve["day"] <= _LONGEST]
    if curve.empty:
        return Note(timing.finding, "missing")
    last = curve.iloc[-1]
    usual = f"; a dashed line at the share won of the closed, {timing.naive_rate:.0%}"
    is_drawn = math.isfinite(timing.naive_rate)
    with use_theme():
        return Figure.from_axes(
            plot_win_timing(curve, timing, width=WIDE),
            narrow=plot_win_timing(curve, timing, width=NARROW),
            title=timing.finding,
            caption=timing.caveat,
            alt=(
                f"Rising steps of the share won by days since creation, {last['won']:.0%} by day "
                f"{last['day']:.0f}{usual if is_drawn else ''}."
            ),
            how_to_read=(
                "The steps show how many of all opportunities created are won by each day, the "
                "band the 95% interval. Lost ones count as not won, open ones for the days they "
                "were followed." + (_DASHED if is_drawn else "")
            ),
            numbers=within_frame(timing.within),
            anchor=WIN_TIMING_ANCHOR,
        )


def plot_win_timing(curve: pd.DataFrame, timing: WinTiming, *, width: float) -> Axes:
    """Draw steps of shares by day, from `curve`."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 3.6))
    day = curve["day"].to_numpy(float)
    low, high, won = (curve[name].to_numpy(float) for name in ("low", "high", "won"))
    axes.fill_between(day, low, high, step="post", color=LIGHT["better2"], linewidth=0)
    axes.step(day, won, where="post", color=BETTER)
    axes.axvline(timing.maturity, color=LIGHT["rule"], linewidth=1)
    top = float(np.nanmax([high.max(), 0.05]))
    if np.isfinite(timing.naive_rate):
        top = max(top, timing.naive_rate)
        axes.axhline(timing.naive_rate, color=LIGHT["orange"], linewidth=1.4, linestyle=(0, (4, 3)))
        axes.annotate(
            "won of closed", (1.0, timing.naive_rate), xycoords=("axes fraction", "data"),
            xytext=(-2, 3), textcoords="offset points", ha="right", fontsize=10,
            color=LIGHT["ink2"],
        )  # fmt: skip
    axes.set_xlim(0, max(day.max(), 1.0))
    axes.set_ylim(0, min(top * 1.15, 1.05))
    axes.set_xlabel("Days since creation")
    axes.set_ylabel("Won")
    format_axis(axes.yaxis, "{:.0%}".format, most=5)
    return axes


def stage_flow_chart(flow: StageFlow) -> Block:
    """Draw what became of entries into each stage: moved on with its interval, lost, gone back."""
    rows = flow.rows.dropna(subset=["moved"])
    if flow.lacking or rows.empty:
        return Note(flow.finding, "missing")
    with use_theme():
        return Figure.from_axes(
            plot_stage_flow(rows, width=WIDE),
            narrow=plot_stage_flow(rows, width=NARROW),
            title=flow.finding,
            caption=f"{flow.unit}, {name_quarters(flow.periods)}. {flow.caveat}",
            alt="Bars of what became of entries by stage. "
            + " ".join(
                f"{row['stage']}: {row['moved']:.0%} moved on, {row['lost']:.0%} lost."
                for row in rows.to_dict("records")
            ),
            how_to_read=(
                f"Each bar holds a stage's entries: those that moved on within "
                f"{count_things(flow.horizon, 'day', 'days')} (with the 95% interval as a thin line), then those "
                "lost (orange), and those sent back or still there (grey)."
            ),
            numbers=_flow_numbers(rows),
            anchor=STAGE_FLOW_ANCHOR,
        )


def plot_stage_flow(rows: pd.DataFrame, *, width: float) -> Axes:
    """Draw stacked bars from top to bottom in the order of `rows`."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 0.9 + 0.42 * len(rows)))
    places = np.arange(len(rows))[::-1]
    moved, lost, low, high = (
        rows[name].to_numpy(float) for name in ("moved", "lost", "low", "high")
    )
    axes.barh(places, 1.0, color=LIGHT["band"], height=0.55)
    axes.barh(places, moved, color=LIGHT["better3"], height=0.55)
    axes.barh(places, lost, left=moved, color=LIGHT["worse3"], height=0.55)
    axes.hlines(places, low, high, color=LIGHT["ink"], linewidth=1.6)
    for place, share in zip(places, moved, strict=True):
        axes.annotate(
            f"{share:.0%}", (0.0, place), xytext=(6, 0), textcoords="offset points", va="center",
            fontsize=10,
        )  # fmt: skip
    axes.set_yticks(places, [shorten(name, width) for name in rows["stage"]])
    axes.set_xlim(0, 1)
    axes.grid(visible=False, axis="y")
    format_axis(axes.xaxis, "{:.0%}".format, most=5 if width > NARROW else 3)
    axes.set_xlabel("Share of entries")
    return axes


def _flow_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Stage": rows["stage"],
            "Entries": rows["n"].map("{:,}".format),
            "Moved on": rows["moved"].map("{:.1%}".format),
            "Low": rows["low"].map("{:.1%}".format),
            "High": rows["high"].map("{:.1%}".format),
            "Lost": rows["lost"].map("{:.1%}".format),
            "Went back": rows["back"].map("{:.1%}".format),
        }
    )


def bottlenecks_chart(found: Bottlenecks) -> Block:
    """Draw what is at stake in each stage with its interval, coloured only beyond chance."""
    rows = found.rows.dropna(subset=["stake_low"])
    if found.lacking or rows.empty:
        return Note(found.finding, "missing" if found.lacking else "info")
    with use_theme():
        return Figure.from_axes(
            plot_bottlenecks(rows, found.currency, width=WIDE),
            narrow=plot_bottlenecks(rows, found.currency, width=NARROW),
            title=found.finding,
            caption=f"{found.unit}, {found.period}; the other share: {found.other}. {found.caveat}",
            alt="Dots with intervals of bookings at stake by stage. "
            + " ".join(
                f"{row['stage']}: {format_money(row['stake'], found.currency)}."
                for row in rows.to_dict("records")
            ),
            how_to_read=(
                "Each dot is what more would be booked with the other share moved on, the line its "
                "95% interval; left of zero less would be. Orange: fewer move on, beyond chance "
                "after allowing for the number of stages. Grey cannot be told from no difference."
            ),
            numbers=pd.DataFrame(
                {
                    "Stage": rows["stage"],
                    "At stake": [format_money(x, found.currency) for x in rows["stake"]],
                    "Low": [format_money(x, found.currency) for x in rows["stake_low"]],
                    "High": [format_money(x, found.currency) for x in rows["stake_high"]],
                    "Bottleneck": rows["is_bottleneck"].astype(bool),
                }
            ),
            anchor=BOTTLENECKS_ANCHOR,
        )


def plot_bottlenecks(rows: pd.DataFrame, currency: str, *, width: float) -> Axes:
    """Draw dots with intervals from top to bottom in the order of `rows`."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 1.0 + 0.36 * len(rows)))
    places = np.arange(len(rows))[::-1]
    stake, low, high = (rows[name].to_numpy(float) for name in ("stake", "stake_low", "stake_high"))
    colours = [WORSE if is_one else UNCLEAR for is_one in rows["is_bottleneck"]]
    axes.axvline(0, color=LIGHT["ink2"], linewidth=1)
    axes.hlines(places, low, high, colors=colours, linewidth=2)
    axes.scatter(stake, places, c=colours, s=36, zorder=3)
    axes.set_yticks(places, [shorten(name, width) for name in rows["stage"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.grid(visible=False, axis="y")
    format_axis(
        axes.xaxis, lambda x: format_money(x, currency), most=5 if width > NARROW else 3
    )  # fmt: skip
    axes.set_xlabel("Bookings at stake")
    return axes
