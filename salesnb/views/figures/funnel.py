"""Is it real: observed rates inside the limits of chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import binom, false_discovery_control, norm

from salesnb.analysis.finding import FALSE_DIFFERENCES
from salesnb.analysis.matrix import PerformanceMatrix
from salesnb.analysis.wording import within_sentence
from salesnb.language import format_number, tr
from salesnb.measures.catalogue import Kpi
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import (
    estimated_rows,
    find_gap,
    find_kpi,
    format_axis,
    name_units,
    name_window,
    shorten,
    tick_writer,
    write_shares,
)
from salesnb.views.theme import BETTER, LIGHT, NARROW, WIDE, WORSE, any_letters, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PLACES = tuple((side, up) for up in (-4, 4, -12) for side in ("left", "right"))
"""Where a name may stand beside its point: to its right or left, points above."""

_LIMITS = ((0.95, "better1"), (0.998, "band"))


def funnel(matrix: PerformanceMatrix, kpi: str) -> Block:
    """Draw each unit's observed rate against its n, inside the limits of chance.

    Parameters
    ----------
    matrix
        Who stands where.
    kpi
        Id of a rate; for another family, or a KPI the matrix lacks, a note says why.
    """
    note = find_gap(matrix, kpi)
    if note:
        return note
    item = find_kpi(matrix, kpi)
    if item.family != "rate":
        said = tr("{kpi} is not a rate, so it has no funnel.", kpi=item.label)
        return Note(said, "missing")
    rows = find_outliers(estimated_rows(matrix, item))
    flagged = rows[rows["is_outlier"]]
    units = name_units(matrix.by)
    title = (
        tr(
            "{kpi}: {outside} of {n} {units} lie outside what chance produces",
            kpi=item.label, outside=len(flagged), n=len(rows), units=units,
        )
        if len(flagged)
        else tr(
            "{kpi}: all {n} {units} lie within what chance produces",
            kpi=item.label, n=len(rows), units=units,
        )
    )  # fmt: skip
    with use_theme():
        return Figure.from_axes(
            plot_funnel(rows, item, width=WIDE),
            narrow=plot_funnel(rows, item, width=NARROW),
            title=title,
            caption=tr(
                "Observed {kpi} by number of records, {quarters}. Bands: 95% and 99.8% limits "
                "around the group's level.",
                kpi=within_sentence(item.label), quarters=name_window(matrix, kpi),
            ),
            alt=tr(
                "Funnel plot of {kpi} against n for {n} {units}; {outside} lie outside the limits "
                "after correction for their number.",
                kpi=item.label, n=len(rows), units=units, outside=len(flagged),
            ),
            how_to_read=tr(
                "Rates from few records scatter widely, so the limits are wide on the left. Of "
                "twenty equal people one falls outside the 95% band by chance; only those coloured "
                "remain outliers once the number of people is allowed for (Benjamini-Hochberg). "
                "Where names would hide one another, some are in the numbers only."
            ),
            numbers=pd.DataFrame(
                {
                    tr("Name"): rows["unit"],
                    "n": rows["n"].map(format_number),
                    item.label: write_shares(rows["raw"], 1),
                    tr("Outlier"): rows["is_outlier"],
                }
            ),
            anchor=f"funnel-{kpi}",
        )  # fmt: skip


def find_outliers(rows: pd.DataFrame) -> pd.DataFrame:
    """Test each unit's wins against the group's rate, allowing for the number of units.

    Parameters
    ----------
    rows
        n, raw (observed rate) and group (pooled rate) a unit.

    Returns
    -------
    DataFrame
        The rows with `p_value` (two-sided binomial) and `is_outlier` (false discovery rate 5%).
    """
    wins = (rows["raw"] * rows["n"]).round()
    below = binom.cdf(wins, rows["n"], rows["group"])
    above = binom.sf(wins - 1, rows["n"], rows["group"])
    p_value = np.minimum(1.0, 2 * np.minimum(below, above))
    outlier = false_discovery_control(p_value) < FALSE_DIFFERENCES if len(rows) else p_value < 0
    return rows.assign(p_value=p_value, is_outlier=outlier)


def plot_funnel(rows: pd.DataFrame, kpi: Kpi, *, width: float) -> Axes:
    """Draw rates against n with control bands; outliers are coloured and named."""
    import matplotlib.pyplot as plt
    import seaborn as sns

    _, axes = plt.subplots(figsize=(width, 3.9))
    centre = float(rows["group"].iloc[0])
    sizes = np.geomspace(2, float(rows["n"].max()) * 1.08, 120)
    error = np.sqrt(centre * (1 - centre) / sizes)
    for level, colour in reversed(_LIMITS):
        reach = norm.ppf((1 + level) / 2) * error
        low, high = np.clip(centre - reach, 0, 1), np.clip(centre + reach, 0, 1)
        axes.fill_between(sizes, low, high, color=LIGHT[colour], linewidth=0)
    axes.axhline(centre, color=LIGHT["ink2"], linewidth=1)
    better = (rows["raw"] > rows["group"]) == (kpi.direction != "down")
    state = np.where(~rows["is_outlier"], "unclear", np.where(better, "better", "worse"))
    sns.scatterplot(
        x=rows["n"], y=rows["raw"], hue=state, s=42, linewidth=0, ax=axes, legend=False,
        palette={"unclear": LIGHT["ink3"], "better": BETTER, "worse": WORSE},
    )  # fmt: skip
    axes.set_xlim(0, sizes.max())
    axes.set_ylim(max(0.0, rows["raw"].min() - 0.15), min(1.0, rows["raw"].max() + 0.15))
    axes.set_xlabel(tr("Records (n)"))
    axes.set_ylabel(kpi.label)
    format_axis(axes.yaxis, tick_writer(kpi, ""), most=5)
    _name_outliers(axes, rows, width)
    return axes


def _name_outliers(axes: Axes, rows: pd.DataFrame, width: float) -> None:
    """Name outliers where a name hides nothing, the rarest first; the rest are in the numbers."""
    from matplotlib.transforms import Bbox

    points = axes.transData.transform(rows[["n", "raw"]].to_numpy(dtype=float))
    taken = [Bbox.from_bounds(x - 4, y - 4, 8, 8) for x, y in points]
    for row in rows[rows["is_outlier"]].sort_values(["p_value", "unit"]).to_dict("records"):
        name = axes.annotate(
            shorten(row["unit"], width), (row["n"], row["raw"]), xytext=(0, 0),
            textcoords="offset points", fontsize=10,
        )  # fmt: skip
        for side, up in _PLACES:
            name.set(ha=side, position=(6 if side == "left" else -6, up))
            with any_letters():
                box = name.get_window_extent()
            is_inside = axes.bbox.x0 < box.x0 and box.x1 < axes.bbox.x1
            if is_inside and not box.count_overlaps(taken):
                taken.append(box)
                break
        else:
            name.remove()
