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
from salesnb.analysis.wording import format_money, name_quarters
from salesnb.language import format_number, format_share, mark, tr, tr_many
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import format_axis, shorten, write_shares
from salesnb.views.process import within_frame
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST = 365
_DASHED = mark(" The dashed line is won / closed, which leaves the open ones out.")


def win_timing_chart(timing: WinTiming) -> Block:
    """Draw the share won by each day with its interval, beside won of closed."""
    if timing.lacking:
        return Note(timing.finding, "missing")
    curve = timing.curve.dropna(subset=["won"])
    curve = curve[curve["day"] <= _LONGEST]
    if curve.empty:
        return Note(timing.finding, "missing")
    last = curve.iloc[-1]
    is_drawn = math.isfinite(timing.naive_rate)
    usual = (
        tr(
            "; a dashed line at the share won of the closed, {share}",
            share=format_share(timing.naive_rate),
        )
        if is_drawn
        else ""
    )
    with use_theme():
        return Figure.from_axes(
            plot_win_timing(curve, timing, width=WIDE),
            narrow=plot_win_timing(curve, timing, width=NARROW),
            title=timing.finding,
            caption=timing.caveat,
            alt=tr(
                "Rising steps of the share won by days since creation, {share} by day {day}"
                "{dashed}.",
                share=format_share(last["won"]), day=format_number(last["day"], group=False),
                dashed=usual,
            ),
            how_to_read=tr(
                "The steps show how many of all opportunities created are won by each day, the "
                "band the 95% interval. Lost ones count as not won, open ones for the days they "
                "were followed."
            )
            + (tr(_DASHED) if is_drawn else ""),
            numbers=within_frame(timing.within),
            anchor=WIN_TIMING_ANCHOR,
        )  # fmt: skip


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
            tr("won of closed"), (1.0, timing.naive_rate), xycoords=("axes fraction", "data"),
            xytext=(-2, 3), textcoords="offset points", ha="right", fontsize=10,
            color=LIGHT["ink2"],
        )  # fmt: skip
    axes.set_xlim(0, max(day.max(), 1.0))
    axes.set_ylim(0, min(top * 1.15, 1.05))
    axes.set_xlabel(tr("Days since creation"))
    axes.set_ylabel(tr("Won"))
    format_axis(axes.yaxis, format_share, most=5)
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
            alt=" ".join([
                tr("Bars of what became of entries by stage."),
                *(
                    tr(
                        "{stage}: {moved} moved on, {lost} lost.",
                        stage=row["stage"], moved=format_share(row["moved"]),
                        lost=format_share(row["lost"]),
                    )
                    for row in rows.to_dict("records")
                ),
            ]),
            how_to_read=tr_many(
                "Each bar holds a stage's entries: those that moved on within {n} day (with the "
                "95% interval as a thin line), then those lost (orange), and those sent back or "
                "still there (grey).",
                "Each bar holds a stage's entries: those that moved on within {n} days (with the "
                "95% interval as a thin line), then those lost (orange), and those sent back or "
                "still there (grey).",
                flow.horizon,
            ),
            numbers=_flow_numbers(rows),
            anchor=STAGE_FLOW_ANCHOR,
        )  # fmt: skip


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
            format_share(share), (0.0, place), xytext=(6, 0), textcoords="offset points",
            va="center", fontsize=10,
        )  # fmt: skip
    axes.set_yticks(places, [shorten(name, width) for name in rows["stage"]])
    axes.set_xlim(0, 1)
    axes.grid(visible=False, axis="y")
    format_axis(axes.xaxis, format_share, most=5 if width > NARROW else 3)
    axes.set_xlabel(tr("Share of entries"))
    return axes


def _flow_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            tr("Stage"): rows["stage"],
            tr("Entries"): rows["n"].map(format_number),
            tr("Moved on"): write_shares(rows["moved"], 1),
            tr("Low"): write_shares(rows["low"], 1),
            tr("High"): write_shares(rows["high"], 1),
            tr("Lost"): write_shares(rows["lost"], 1),
            tr("Went back"): write_shares(rows["back"], 1),
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
            caption=tr(
                "{unit}, {quarter}; the other share: {other}. {caveat}",
                unit=found.unit, quarter=found.period, other=found.other, caveat=found.caveat,
            ),
            alt=tr("Dots with intervals of bookings at stake by stage.")
            + "".join(
                f" {row['stage']}: {format_money(row['stake'], found.currency)}."
                for row in rows.to_dict("records")
            ),
            how_to_read=tr(
                "Each dot is what more would be booked with the other share moved on, the line its "
                "95% interval; left of zero less would be. Orange: fewer move on, beyond chance "
                "after allowing for the number of stages. Grey cannot be told from no difference."
            ),
            numbers=pd.DataFrame(
                {
                    tr("Stage"): rows["stage"],
                    tr("At stake"): [format_money(x, found.currency) for x in rows["stake"]],
                    tr("Low"): [format_money(x, found.currency) for x in rows["stake_low"]],
                    tr("High"): [format_money(x, found.currency) for x in rows["stake_high"]],
                    tr("Bottleneck"): rows["is_bottleneck"].astype(bool),
                }
            ),
            anchor=BOTTLENECKS_ANCHOR,
        )  # fmt: skip


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
    axes.set_xlabel(tr("Bookings at stake"))
    return axes
