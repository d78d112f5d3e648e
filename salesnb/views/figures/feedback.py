"""Feedback drawn: who gets any by manager or quarter, and how skills moved after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.feedback import FeedbackEffect, FeedbackLoop
from salesnb.analysis.feedback.result import FEEDBACK_ANCHOR
from salesnb.analysis.feedback.verdict import EFFECT_ANCHOR, FELL, MOVED
from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.wording import MISSING, begin_large
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import format_axis, shorten
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HOW_COVERED = (
    "The dot is the share of people who got any written feedback, the line its interval: with few "
    "people it is long. Managers' dots are pulled to each other as far as their people are few. "
    "Grey cannot be told from the rest."
)
_HOW_EFFECT = (
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
            caption=f"Share of people with any written feedback, {about}. {loop.caveat}",
            alt=(
                f"Dot plot of the share of people with feedback in {len(rows)} rows, from "
                f"{rows['share'].min():.0%} to {rows['share'].max():.0%}. {loop.coverage}"
            ),
            how_to_read=_HOW_COVERED,
            numbers=_coverage_numbers(rows),
            anchor=f"{FEEDBACK_ANCHOR}-coverage",
        )


def _coverage_rows(loop: FeedbackLoop) -> tuple[pd.DataFrame, str]:
    columns = ["label", "n_people", "n_covered", "share", "low", "high"]
    if len(loop.managers) > 1:
        rows = loop.managers.rename(columns={"estimate": "share"})
        return rows[columns], f"{loop.period}, by manager with 90% interval"
    rows = loop.quarters.rename(columns={"period": "label"})
    return rows[rows["n_people"] > 0][columns], "by quarter with 95% interval"


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
    format_axis(axes.xaxis, lambda value: f"{value:.0%}", most=5)
    axes.set_xlabel(f"People with feedback (line: {loop.unit} in {loop.period})" if width > NARROW
                    else "People with feedback")  # fmt: skip
    return axes


def _coverage_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Row": rows["label"],
            "People": rows["n_people"],
            "With feedback": rows["n_covered"],
            "Estimate": [f"{share:.0%}" for share in rows["share"]],
            "Interval": _intervals(rows["low"], rows["high"], "{:.0%} – {:.0%}"),
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
            caption=(
                f"Points (1 to 5) by which skills with feedback moved beyond the same people's "
                f"other skills, all ratings to {effect.period}. {effect.caveat}"
            ),
            alt=(
                f"Dot plot with intervals of {len(rows)} kinds of feedback; all together "
                f"{first['effect']:+.2f} points, from {first['low']:+.2f} to {first['high']:+.2f}. "
                f"{effect.finding}"
            ),
            how_to_read=_HOW_EFFECT,
            numbers=_effect_numbers(effect),
            anchor=EFFECT_ANCHOR,
        )


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
    axes.set_yticks(places, [begin_large(kind) for kind in rows["kind"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.grid(visible=False, axis="y")
    format_axis(axes.xaxis, lambda value: f"{value:+.2f}".replace("-", "−"), most=5)
    axes.set_xlabel("Points beyond the same people's other skills" if width > NARROW else "Points")
    return axes


def _effect_numbers(effect: FeedbackEffect) -> pd.DataFrame:
    rows = effect.rows
    return pd.DataFrame(
        {
            "Feedback": [begin_large(kind) for kind in rows["kind"]],
            "Skills": rows["n"],
            "People": rows["n_people"],
            "Difference": _points(rows["effect"]),
            "95% interval": _intervals(rows["low"], rows["high"], "{:+.2f} – {:+.2f}"),
            "Second method": _points(rows["bound"]),
            "Before feedback": _points(rows["placebo"]),
            "Naive": _points(rows["naive"]),
            "Could be seen": [
                f"{value:.2f}" if np.isfinite(value) else MISSING for value in rows["detectable"]
            ],
            "Says": rows["verdict"],
        }
    )


def _points(values: pd.Series[float]) -> list[str]:
    return [
        f"{value:+.2f}".replace("-", "−") if np.isfinite(value) else MISSING for value in values
    ]


def _intervals(lows: pd.Series[float], highs: pd.Series[float], pattern: str) -> list[str]:
    return [
        pattern.format(low, high).replace("-", "−") if np.isfinite(low) else MISSING
        for low, high in zip(lows, highs, strict=True)
    ]
