"""Is it real: each unit's estimate with its interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.matrix import PerformanceMatrix, grade_evidence
from salesnb.analysis.rates import Estimates
from salesnb.language import format_number, format_share, mark, tr
from salesnb.measures.catalogue import Kpi
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import (
    estimated_rows,
    evidence_colour,
    find_gap,
    find_kpi,
    format_axis,
    name_units,
    name_window,
    say_first,
    shorten,
    tick_writer,
    value_writer,
    write_plain,
)
from salesnb.views.theme import LIGHT, NARROW, WIDE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 40
_HOW = mark(
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
    units = name_units(matrix.by)
    better, worse = int((rows["evidence"] >= 2).sum()), int((rows["evidence"] <= -2).sum())
    if not matrix.is_beyond_chance(kpi):
        title = tr(
            "{kpi} does not differ between {units} beyond chance", kpi=item.label, units=units
        )
    elif better or worse:
        title = tr(
            "{kpi}: {better} of {n} {units} better, {worse} worse than the group",
            kpi=item.label, better=better, n=len(rows), units=units, worse=worse,
        )  # fmt: skip
    else:
        title = tr(
            "{kpi} differs between {units}, but nobody stands out surely",
            kpi=item.label, units=units,
        )  # fmt: skip
    shown = rows.head(MOST_ROWS)
    cut = say_first(len(rows), MOST_ROWS)
    top, bottom = rows.iloc[0], rows.iloc[-1]
    value, ticks = value_writer(item, matrix.currency), tick_writer(item, matrix.currency)
    with use_theme():
        return Figure.from_axes(
            plot_caterpillar(shown, item.label, ticks, width=WIDE),
            narrow=plot_caterpillar(shown, item.label, ticks, width=NARROW),
            title=title,
            caption=tr(
                "{kpi}, {quarters}: estimate and 90% interval, {n} records; vertical line: the "
                "group's level.{cut}",
                kpi=item.label, quarters=name_window(matrix, kpi),
                n=format_number(int(rows["n"].sum())), cut=cut,
            ),
            alt=tr(
                "Dot plot of {kpi} of {n} {units} with 90% intervals. Top of the list {highest}, "
                "lowest {lowest}. {title}.",
                kpi=item.label, n=len(rows), units=units, highest=value(top["estimate"]),
                lowest=value(bottom["estimate"]), title=title,
            ),
            how_to_read=tr(_HOW),
            numbers=_caterpillar_numbers(rows, item, matrix),
            anchor=f"real-{kpi}",
        )  # fmt: skip


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
            plot_caterpillar(shown, tr("Estimate"), write_plain, width=WIDE),
            narrow=plot_caterpillar(shown, tr("Estimate"), write_plain, width=NARROW),
            title=estimates.finding,
            caption=tr(
                "Estimate and {level} interval; line: the group's level.",
                level=format_share(estimates.level),
            ),
            alt=tr(
                "Dot plot of {n} estimates with intervals. {finding}",
                n=len(rows), finding=estimates.finding,
            ),
            how_to_read=tr(_HOW),
            numbers=frame.drop(columns=["p_above"]).round(3),
            anchor="estimates",
        )  # fmt: skip


def _caterpillar_numbers(rows: pd.DataFrame, kpi: Kpi, matrix: PerformanceMatrix) -> pd.DataFrame:
    value = value_writer(kpi, matrix.currency)
    ranked = matrix.is_beyond_chance(kpi.kpi)
    table = pd.DataFrame(
        {
            tr("Name"): rows["unit"],
            tr("Observed"): rows["raw"].map(value),
            tr("Estimate"): rows["estimate"].map(value),
            tr("Low"): rows["low"].map(value),
            tr("High"): rows["high"].map(value),
            "n": rows["n"].map(format_number),
        }
    )
    if ranked:
        table[tr("Rank")] = [
            f"{low}–{high}" for low, high in zip(rows["rank_low"], rows["rank_high"], strict=True)
        ]
        table[tr("P(top quartile)")] = rows["p_top_quartile"].map(format_share)
    return table
