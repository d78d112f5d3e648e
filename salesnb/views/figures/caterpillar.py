"""Is it real: each unit's estimate with its interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.matrix import PerformanceMatrix, grade_evidence
from salesnb.analysis.rates import Estimates
from salesnb.measures.catalogue import Kpi
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import (
    UNITS,
    estimated_rows,
    evidence_colour,
    find_gap,
    find_kpi,
    format_axis,
    name_window,
    shorten,
    tick_writer,
    value_writer,
    write_plain,
)
from salesnb.views.theme import LIGHT, NARROW, WIDE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 40
_HOW = (
    "The dot is the best estimate after pulling small samples toward the peers; the line holds "
    "the true value in 9 of 10 cases. Blue is better and orange worse than the group with at "
    "least 95% probability; grey cannot be told from the group."
)


def caterpillar(matrix: PerformanceMatrix, kpi: str) -> Block:
    """Draw each unit's estimate with its 90% interval, best on top; grey cannot be told apart.

    Parameters
    ----------
    matrix
        Who stands where.
    kpi
        Id of the KPI; when the matrix lacks it, a note says why.
    """
    note = find_gap(matrix, kpi)
    if note:
        return note
    item = find_kpi(matrix, kpi)
    rows = estimated_rows(matrix, item)
    units = UNITS.get(matrix.by, "units")
    better, worse = int((rows["evidence"] >= 2).sum()), int((rows["evidence"] <= -2).sum())
    if not matrix.is_beyond_chance(kpi):
        title = f"{item.label} does not differ between {units} beyond chance"
    elif better or worse:
        title = (
            f"{item.label}: {better} of {len(rows)} {units} better, {worse} worse than the group"
        )
    else:
        title = f"{item.label} differs between {units}, but nobody stands out surely"
    shown = rows.head(MOST_ROWS)
    cut = f" The first {MOST_ROWS} of {len(rows)} are shown." if len(rows) > MOST_ROWS else ""
    top, bottom = rows.iloc[0], rows.iloc[-1]
    value, ticks = value_writer(item, matrix.currency), tick_writer(item, matrix.currency)
    with use_theme():
        return Figure.from_axes(
            plot_caterpillar(shown, item.label, ticks, width=WIDE),
            narrow=plot_caterpillar(shown, item.label, ticks, width=NARROW),
            title=title,
            caption=(
                f"{item.label}, {name_window(matrix, kpi)}: estimate and 90% interval, "
                f"{int(rows['n'].sum()):,} records; vertical line: the group's level.{cut}"
            ),
            alt=(
                f"Dot plot of {item.label} of {len(rows)} {units} with 90% intervals. Top of the "
                f"list {value(top['estimate'])}, lowest {value(bottom['estimate'])}. {title}."
            ),
            how_to_read=_HOW,
            numbers=_caterpillar_numbers(rows, item, matrix),
            anchor=f"real-{kpi}",
        )


def plot_caterpillar(
    rows: pd.DataFrame, label: str, write: Callable[[float], str], *, width: float
) -> Axes:
    """Draw dots with intervals from top to bottom in the order of `rows`."""
    import matplotlib.pyplot as plt

    height = 0.9 + 0.27 * len(rows)
    _, axes = plt.subplots(figsize=(width, height))
    places = np.arange(len(rows))[::-1]
    colours = [evidence_colour(grade) for grade in rows["evidence"]]
    axes.hlines(places, rows["low"], rows["high"], colors=colours, linewidth=2)
    axes.scatter(rows["estimate"], places, c=colours, s=30, zorder=3)
    axes.axvline(float(rows["group"].iloc[0]), color=LIGHT["ink2"], linewidth=1, zorder=1)
    axes.set_yticks(places, [shorten(name, width) for name in rows["unit"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(label)
    format_axis(axes.xaxis, write, most=5 if width > NARROW else 3)
    return axes


def estimates_figure(estimates: Estimates) -> Block:
    """Draw estimates that belong to no KPI, as `estimate_rates` and its sisters give them."""
    if not len(estimates.labels) or not np.isfinite(estimates.estimate).any():
        return Note(estimates.finding, "missing")
    frame = estimates.to_frame()
    is_real = estimates.heterogeneity.is_beyond_chance
    rows = frame.assign(
        unit=frame["label"].map(str),
        group=estimates.overall,
        evidence=grade_evidence(frame["p_above"], is_real=is_real),
    ).sort_values(["expected_rank", "unit"], ignore_index=True)
    shown = rows.head(MOST_ROWS)
    with use_theme():
        return Figure.from_axes(
            plot_caterpillar(shown, "Estimate", write_plain, width=WIDE),
            narrow=plot_caterpillar(shown, "Estimate", write_plain, width=NARROW),
            title=estimates.finding,
            caption=f"Estimate and {estimates.level:.0%} interval; line: the group's level.",
            alt=f"Dot plot of {len(rows)} estimates with intervals. {estimates.finding}",
            how_to_read=_HOW,
            numbers=frame.drop(columns=["p_above"]).round(3),
            anchor="estimates",
        )


def _caterpillar_numbers(rows: pd.DataFrame, kpi: Kpi, matrix: PerformanceMatrix) -> pd.DataFrame:
    value = value_writer(kpi, matrix.currency)
    ranked = matrix.is_beyond_chance(kpi.kpi)
    table = pd.DataFrame(
        {
            "Name": rows["unit"],
            "Observed": rows["raw"].map(value),
            "Estimate": rows["estimate"].map(value),
            "Low": rows["low"].map(value),
            "High": rows["high"].map(value),
            "n": rows["n"].map("{:,.0f}".format),
        }
    )
    if ranked:
        table["Rank"] = [
            f"{low}–{high}" for low, high in zip(rows["rank_low"], rows["rank_high"], strict=True)
        ]
        table["P(top quartile)"] = rows["p_top_quartile"].map("{:.0%}".format)
    return table
