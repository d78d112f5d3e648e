"""Did the training work: quarter by quarter around it, with the quarters before shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.impact import TrainingImpact
from salesnb.analysis.wording import MISSING
from salesnb.language import format_number, mark, tr
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import format_axis
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FURTHEST = 8
"""Quarters before the training that are drawn at most."""
_ROLES = {
    "earlier": mark("before"), "before": mark("before, compared"), "left out": mark("left out"),
    "chosen": mark("chosen by, left out"), "training": mark("training"),
    "after": mark("after, compared"),
}  # fmt: skip
_HOW = mark(
    "A dot is how much further the trained moved than those they are compared with, since the "
    "quarters before, with its 95% interval. Before the training the dots should lie around zero. "
    "In the shaded quarters people may have been chosen: a dip there goes back by itself. The "
    "dashed line is the trained people's own change, which is what a look at before and after sees."
)


def impact_chart(impact: TrainingImpact) -> Block:
    """Draw the event study with the naive line beside."""
    rows = _shown(impact.event_study)
    if impact.lacking or rows.empty:
        return Note(impact.finding, "missing")
    after = rows[rows["role"] == "after"]
    with use_theme():
        return Figure.from_axes(
            plot_impact(impact, rows, width=WIDE),
            narrow=plot_impact(impact, rows, width=NARROW),
            title=impact.finding,
            caption=tr(
                "{kpi} by quarter from the training (0, {quarter}). {design}",
                kpi=impact.kpi.label, quarter=impact.at, design=impact.design_text,
            ),
            alt=tr(
                "Event study of {n} quarters: effect by quarter with intervals; after the "
                "training from {lowest} to {highest}. {finding}",
                n=len(rows), lowest=impact.write(after["effect"].min()),
                highest=impact.write(after["effect"].max()), finding=impact.finding,
            ),
            how_to_read=tr(_HOW),
            numbers=_numbers(impact, rows),
            anchor=impact.anchor,
        )  # fmt: skip


def plot_impact(impact: TrainingImpact, rows: pd.DataFrame, *, width: float) -> Axes:
    """Draw dots with intervals by relative quarter."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    _, axes = plt.subplots(figsize=(width, 3.6 if width > NARROW else 3.0))
    chosen = rows.loc[rows["role"] == "chosen", "relative"]
    if len(chosen):
        axes.axvspan(
            chosen.min() - 0.5, chosen.max() + 0.5, color=LIGHT["band"], linewidth=0, zorder=0
        )
    axes.axhline(0, color=LIGHT["ink2"], linewidth=1, zorder=1)
    axes.axvline(0, color=LIGHT["rule"], linewidth=1, linestyle=(0, (2, 2)), zorder=1)
    axes.plot(
        rows["relative"], rows["trained"], color=LIGHT["grey"], linewidth=1.3,
        linestyle=(0, (4, 2)), zorder=2,
    )  # fmt: skip
    colours = [_colour(impact, row["role"], row["low"], row["high"]) for _, row in rows.iterrows()]
    axes.vlines(rows["relative"], rows["low"], rows["high"], colors=colours, linewidth=2, zorder=3)
    axes.scatter(rows["relative"], rows["effect"], c=colours, s=34, zorder=4)
    axes.xaxis.set_major_locator(MaxNLocator(12 if width > NARROW else 6, integer=True))
    axes.set_xlim(rows["relative"].min() - 0.6, rows["relative"].max() + 0.6)
    axes.grid(visible=False, axis="x")
    format_axis(axes.yaxis, lambda value: _write_tick(impact, value), most=5)
    axes.set_xlabel(
        tr("Quarters from the training (dashed: the trained people's own change)")
        if width > NARROW else tr("Quarters from the training")
    )  # fmt: skip
    return axes


def _write_tick(impact: TrainingImpact, change: float) -> str:
    """Write a change as in the text, but whole points without decimals."""
    points = round(change * impact.kpi.scale * 100, 1)
    if impact.kpi.unit != "share" or impact.kpi.family == "log_mean" or points % 1:
        return impact.write(change)
    return tr("{change} pts", change=format_number(points, sign=True, group=False))


def _shown(events: pd.DataFrame) -> pd.DataFrame:
    known = events[events["effect"].notna() & np.isfinite(events["low"].astype(float))]
    if not (known["role"] == "after").any():
        return known.head(0)
    return known[known["relative"] >= -FURTHEST].reset_index(drop=True)


def _colour(impact: TrainingImpact, role: str, low: float, high: float) -> str:
    """Colour only what came after and is beyond chance."""
    if role != "after" or low <= 0 <= high:
        return UNCLEAR
    return BETTER if (low > 0) == (impact.kpi_sign > 0) else WORSE


def _numbers(impact: TrainingImpact, rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            tr("Quarter"): rows["period"].replace("", MISSING),
            tr("From training"): [format_number(n, sign=True) for n in rows["relative"]],
            tr("Use"): [tr(_ROLES[role]) for role in rows["role"]],
            tr("Effect"): rows["effect"].map(impact.write),
            tr("95% interval"): [
                tr("{low} to {high}", low=impact.write(low), high=impact.write(high))
                for low, high in zip(rows["low"], rows["high"], strict=True)
            ],
            tr("Trained, own change"): rows["trained"].map(impact.write),
            tr("Untrained, own change"): rows["untrained"].map(impact.write),
        }
    )
