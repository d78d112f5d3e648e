"""Feedback drawn: who gets any by manager or quarter, and how skills moved after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.feedback import FeedbackEffect, FeedbackLoop
from salesnb.analysis.feedback.effect import ALL
from salesnb.analysis.feedback.records import kind_label
from salesnb.analysis.feedback.result import FEEDBACK_ANCHOR
from salesnb.analysis.feedback.verdict import EFFECT_ANCHOR, FELL, MOVED
from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.wording import MISSING, begin_large
from salesnb.language import format_share, mark, tr
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import (
    format_axis,
    shorten,
    write_numbers,
    write_shares,
    write_signed,
)
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HOW_COVERED = mark(
    "The dot is the share of people who got any written feedback, the line its interval: with few "
    "people it is long. Managers' dots are pulled to each other as far as their people are few. "
    "Grey cannot be told from the rest."
)
_HOW_EFFECT = mark(
    "0 means that skills with feedback moved as the same people's other skills did. The dot is the "
    "difference with its 95% interval; the square is a second method that errs to the other side. "
    "The hollow ring is the naive figure, after less before, which mixes in what moves by itself. "
    "Only where both methods agree is anything claimed."
)


def coverage_chart(loop: FeedbackLoop) -> Block:
    """Draw the share of people with any feedback by manager, or by quarter of a single one."""
    if loop.lacking:
        return Note(loop.finding, "missing")
    rows, about = _coverage_rows(loop)
    with use_theme():
        return Figure.from_axes(
            _plot_coverage(rows, loop, WIDE),
            narrow=_plot_coverage(rows, loop, NARROW),
            title=loop.coverage,
            caption=tr(
                "Share of people with any written feedback, {about}. {caveat}",
                about=about, caveat=loop.caveat,
            ),
            alt=tr(
                "Dot plot of the share of people with feedback in {n} rows, from {lowest} to "
                "{highest}. {finding}",
                n=len(rows), lowest=format_share(rows["share"].min()),
                highest=format_share(rows["share"].max()), finding=loop.coverage,
            ),
            how_to_read=tr(_HOW_COVERED),
            numbers=_coverage_numbers(rows),
            anchor=f"{FEEDBACK_ANCHOR}-coverage",
        )  # fmt: skip


def _coverage_rows(loop: FeedbackLoop) -> tuple[pd.DataFrame, str]:
    columns = ["label", "n_people", "n_covered", "share", "low", "high"]
    if len(loop.managers) > 1:
        rows = loop.managers.rename(columns={"estimate": "share"})
        about = tr("{quarter}, by manager with 90% interval", quarter=loop.period)
        return rows[columns], about
    rows = loop.quarters.rename(columns={"period": "label"})
    return rows[rows["n_people"] > 0][columns], tr("by quarter with 95% interval")


def _plot_coverage(rows: pd.DataFrame, loop: FeedbackLoop, width: float) -> Axes:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 1.1 + 0.34 * len(rows)))
    places = np.arange(len(rows))[::-1]
    overall = float(loop.now["share"])
    is_real = loop.differ < FALSE_CLAIMS
    colours = [
        BETTER if is_real and low > overall else WORSE if is_real and high < overall else UNCLEAR
        for low, high in zip(rows["low"], rows["high"], strict=True)
    ]
    axes.axvline(overall, color=LIGHT["ink2"], linewidth=1, zorder=1)
    axes.hlines(places, rows["low"], rows["high"], colors=colours, linewidth=2)
    axes.scatter(rows["share"], places, c=colours, s=34, zorder=3)
    axes.set_yticks(places, [shorten(label, width) for label in rows["label"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlim(0, 1)
    axes.grid(visible=False, axis="y")
    format_axis(axes.xaxis, format_share, most=5)
    axes.set_xlabel(
        tr(
            "People with feedback (line: {unit} in {quarter})",
            unit=loop.unit, quarter=loop.period,
        )
        if width > NARROW else tr("People with feedback")
    )  # fmt: skip
    return axes


def _coverage_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            tr("Row"): rows["label"],
            tr("People"): rows["n_people"],
            tr("With feedback"): rows["n_covered"],
            tr("Estimate"): write_shares(rows["share"]),
            tr("Interval"): _intervals(rows["low"], rows["high"], format_share),
        }
    )


def effect_chart(effect: FeedbackEffect) -> Block:
    """Draw how skills moved after feedback, by kind; a note where there are too few."""
    if effect.lacking:
        return Note(effect.finding, "missing")
    rows = effect.rows[effect.rows["effect"].notna()]
    if rows.empty:
        return Note(effect.finding, "info")
    first = rows.iloc[0]
    with use_theme():
        return Figure.from_axes(
            _plot_effect(rows, WIDE),
            narrow=_plot_effect(rows, NARROW),
            title=effect.finding,
            caption=tr(
                "Points (1 to 5) by which skills with feedback moved beyond the same people's "
                "other skills, all ratings to {quarter}. {caveat}",
                quarter=effect.period, caveat=effect.caveat,
            ),
            alt=tr(
                "Dot plot with intervals of {n} kinds of feedback; all together {points} points, "
                "from {low} to {high}. {finding}",
                n=len(rows), points=write_signed(first["effect"]), low=write_signed(first["low"]),
                high=write_signed(first["high"]), finding=effect.finding,
            ),
            how_to_read=tr(_HOW_EFFECT),
            numbers=_effect_numbers(effect),
            anchor=EFFECT_ANCHOR,
        )  # fmt: skip


def _plot_effect(rows: pd.DataFrame, width: float) -> Axes:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 1.3 + 0.5 * len(rows)))
    places = np.arange(len(rows))[::-1]
    way = {MOVED: BETTER, FELL: WORSE}
    colours = [way.get(verdict, UNCLEAR) for verdict in rows["verdict"]]
    axes.axvline(0, color=LIGHT["ink2"], linewidth=1, zorder=1)
    axes.hlines(places + 0.1, rows["low"], rows["high"], colors=colours, linewidth=2)
    axes.hlines(places - 0.14, rows["bound_low"], rows["bound_high"], colors=LIGHT["rule"],
                linewidth=2)  # fmt: skip
    axes.scatter(rows["naive"], places + 0.1, s=40, zorder=2, facecolors=LIGHT["paper"],
                 edgecolors=LIGHT["ink3"], linewidths=1.3)  # fmt: skip
    axes.scatter(rows["effect"], places + 0.1, c=colours, s=34, zorder=3)
    axes.scatter(rows["bound"], places - 0.14, c=LIGHT["ink3"], s=22, marker="s", zorder=3)
    axes.set_yticks(places, [_name_kind(kind) for kind in rows["kind"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.grid(visible=False, axis="y")
    format_axis(axes.xaxis, write_signed, most=5)
    axes.set_xlabel(
        tr("Points beyond the same people's other skills") if width > NARROW else tr("Points")
    )
    return axes


def _effect_numbers(effect: FeedbackEffect) -> pd.DataFrame:
    rows = effect.rows
    return pd.DataFrame(
        {
            tr("Feedback"): [_name_kind(kind) for kind in rows["kind"]],
            tr("Skills"): rows["n"],
            tr("People"): rows["n_people"],
            tr("Difference"): _points(rows["effect"]),
            tr("95% interval"): _intervals(rows["low"], rows["high"], write_signed),
            tr("Second method"): _points(rows["bound"]),
            tr("Before feedback"): _points(rows["placebo"]),
            tr("Naive"): _points(rows["naive"]),
            tr("Could be seen"): write_numbers(rows["detectable"], 2),
            tr("Says"): [tr(verdict) for verdict in rows["verdict"]],
        }
    )


def _name_kind(kind: str) -> str:
    return tr("All") if kind == ALL else begin_large(kind_label(kind))


def _points(values: pd.Series[float]) -> list[str]:
    return [write_signed(value) for value in values]


def _intervals(
    lows: pd.Series[float], highs: pd.Series[float], write: Callable[[float], str]
) -> list[str]:
    return [
        f"{write(low)} – {write(high)}" if np.isfinite(low) else MISSING
        for low, high in zip(lows, highs, strict=True)
    ]
