"""What changed: quarters with control limits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.seasons import SEASONAL_FROM
from salesnb.analysis.trend import Trend
from salesnb.analysis.trend_findings import TREND_ANCHOR
from salesnb.analysis.wording import format_range, format_value
from salesnb.measures.catalogue import Kpi
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import format_axis, tick_writer
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def trend_chart(trend: Trend) -> Block:
    """Draw every KPI over the quarters with its control limits, as small multiples."""
    if trend.points.empty:
        return Note("There are no quarters to follow.", "missing")
    last = trend.last()
    outside = last[last["is_outside"]]
    quarters = sorted(trend.points["period"].unique())
    with use_theme():
        return Figure.from_axes(
            plot_trend(trend, width=WIDE, columns=3),
            narrow=plot_trend(trend, width=NARROW, columns=1),
            title=trend.finding,
            caption=(
                f"{trend.unit}, {quarters[0]} to {quarters[-1]}. Band: where a quarter falls when "
                "nothing but chance changes (3 standard errors around the dashed line, which is "
                f"the level of the quarters before). {trend.caveat}"
            ),
            alt=(
                f"Small line charts of {len(trend.kpis)} KPIs over {len(quarters)} quarters with "
                f"control limits; {len(outside)} end outside them. {trend.finding}"
            ),
            how_to_read=(
                "A point inside the band needs no explanation. A point outside is marked: look for "
                "a cause. Limits are computed from the quarters before only, and widen where the "
                f"past was unsteady. From {SEASONAL_FROM} quarters before on, the dashed line and "
                "the band move with a season that repeats each year. A hollow point is a quarter "
                "so far: it has no band, and nothing follows from it yet."
            ),
            numbers=_trend_numbers(trend),
            anchor=TREND_ANCHOR,
        )


def plot_trend(trend: Trend, *, width: float, columns: int) -> Axes:
    """Draw one small line chart a KPI; returns the first axes of the drawing."""
    import matplotlib.pyplot as plt

    rows = math.ceil(len(trend.kpis) / columns)
    _, grid = plt.subplots(rows, columns, figsize=(width, 1.95 * rows), squeeze=False)
    cells = list(grid.ravel())
    for axes, kpi in zip(cells, trend.kpis, strict=False):
        points = trend.points[trend.points["kpi"] == kpi.kpi].reset_index(drop=True)
        _plot_one_trend(axes, points, kpi, trend.currency)
    for axes in cells[len(trend.kpis) :]:
        axes.set_axis_off()
    first: Axes = cells[0]
    return first


def _plot_one_trend(axes: Axes, points: pd.DataFrame, kpi: Kpi, currency: str) -> None:
    place = np.arange(len(points))
    axes.fill_between(
        place, points["low"].astype(float), points["high"].astype(float),
        color=LIGHT["band"], linewidth=0, step="mid",
    )  # fmt: skip
    axes.plot(place, points["centre"], color=LIGHT["ink2"], linewidth=0.9, linestyle=(0, (4, 2)))
    axes.plot(place, points["value"].mask(points["is_running"]), color=LIGHT["ink2"], linewidth=1.6)
    is_running = bool(points["is_running"].iloc[-1])
    axes.plot(
        place[-1:], points["value"].iloc[-1:], color=LIGHT["ink2"], marker="o", markersize=4,
        markerfacecolor="none" if is_running else LIGHT["ink2"], clip_on=False,
    )  # fmt: skip
    marked = points.assign(place=place)[points["is_outside"]]
    for row in marked.to_dict("records"):
        good = (row["z"] > 0) == (kpi.direction == "up")
        colour = UNCLEAR if kpi.direction == "neutral" else BETTER if good else WORSE
        axes.plot(
            row["place"], row["value"], marker="D", markersize=7, color=colour, linestyle="none"
        )
    axes.set_title(kpi.label, fontsize=10.5)
    ends = sorted({0, len(points) - 1})
    names = [f"{points['period'][end]}{_so_far(points['is_running'][end])}" for end in ends]
    axes.set_xticks(ends, names)
    labels = axes.get_xticklabels()
    labels[0].set_horizontalalignment("left")
    labels[-1].set_horizontalalignment("right")
    axes.set_xlim(-0.4, max(len(points) - 0.6, 0.4))
    axes.set_ylim(*_span(points))
    axes.grid(visible=False, axis="x")
    format_axis(axes.yaxis, tick_writer(kpi, currency), most=3)


def _so_far(is_running: object) -> str:
    return " so far" if is_running else ""


def _span(points: pd.DataFrame) -> tuple[float, float]:
    """Give a small chart room: at least a fifth of its level, so that small moves look small."""
    shown = points[["value", "low", "high"]].to_numpy(dtype=float)
    shown = shown[np.isfinite(shown)]
    if not len(shown):
        return 0.0, 1.0
    low, high = float(shown.min()), float(shown.max())
    room = max(0.15 * (high - low), 0.2 * abs(high), 1e-9)
    return max(0.0, low - room), high + room


def _trend_numbers(trend: Trend) -> pd.DataFrame:
    kpis = {kpi.kpi: kpi for kpi in trend.kpis}
    return pd.DataFrame(
        [
            {
                "KPI": kpis[row["kpi"]].label,
                "Quarter": f"{row['period']}{_so_far(row['is_running'])}",
                "Value": format_value(kpis[row["kpi"]], row["value"], trend.currency),
                "Usual": format_value(kpis[row["kpi"]], row["centre"], trend.currency),
                "Limits": format_range(kpis[row["kpi"]], row["low"], row["high"], trend.currency),
                "n": f"{row['n']:,.0f}",
            }
            for row in trend.points.to_dict("records")
        ]
    )
