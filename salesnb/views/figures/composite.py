"""One figure of many: composite with interval, and how sure each quarter of the ranks is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.composite import COMPOSITE_ANCHOR, QUARTERS, CompositeScore
from salesnb.analysis.composite.result import SURE
from salesnb.analysis.wording import MISSING, within_sentence
from salesnb.language import format_number, format_share, mark, tr
from salesnb.views.blocks import Block, Figure, Note, Table
from salesnb.views.figures.parts import say_first, shorten
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 40
_HOW = mark(
    "Left: the mean percentile among peers (50 is the middle) with its 90% interval. Right: how "
    "likely each quarter of the ranks is, over chance and over any choice of weights; blue is "
    "the best quarter, orange the last, grey between. A long blue bar is a place that holds "
    "however the KPIs are weighted; a bar of all colours is a place that says little."
)
_COLOURS = (BETTER, LIGHT["rule"], LIGHT["grid"], WORSE)
_HEADS = (
    mark("Best quarter"), mark("2nd quarter"), mark("3rd quarter"), mark("Last quarter")
)  # fmt: skip


def composite_chart(score: CompositeScore) -> Block:
    """Draw each unit's composite with interval beside the chances of its rank, best on top."""
    rows = _scored(score)
    if rows.empty:
        return Note(score.finding, "missing")
    shown = rows.head(MOST_ROWS)
    cut = say_first(len(rows), MOST_ROWS)
    n_groups = len(set(rows["group"]))
    among = tr("all shown") if n_groups == 1 else tr("peers ({n} groups)", n=n_groups)
    top, bottom = rows.iloc[0], rows.iloc[-1]
    with use_theme():
        return Figure.from_axes(
            _plot(shown, width=WIDE),
            narrow=_plot(shown, width=NARROW),
            title=score.finding,
            caption=tr(
                "Mean percentile of {n} KPIs among {peers}, four quarters to {quarter}. "
                "{caveat}{cut}",
                n=int((score.weights["share"] > 0).sum()), peers=among, quarter=score.period,
                caveat=score.caveat, cut=cut,
            ),
            alt=tr(
                "Dot plot of the composite of {n} units, {highest} at the top to {lowest}, with "
                "bars of rank chances. {finding}",
                n=len(rows), highest=format_number(top["composite"]),
                lowest=format_number(bottom["composite"]), finding=score.finding,
            ),
            how_to_read=tr(_HOW),
            numbers=_numbers(score),
            anchor=COMPOSITE_ANCHOR,
        )  # fmt: skip


def composite_table(score: CompositeScore) -> Block:
    """Show each unit's composite, interval, rank interval and chances; missing where not scored."""
    if score.scores.empty or not score.is_beyond_chance:
        return Note(score.finding, "missing")
    weights = ", ".join(
        f"{within_sentence(row['label'])} {format_share(row['share'])}"
        for row in score.weights.to_dict("records")
        if row["share"] > 0
    )
    return Table.from_frame(
        _numbers(score),
        title=score.finding,
        caption=score.caveat,
        key=(
            tr(
                "Weights: {weights}. No KPI has more than its capped share, and a percentile ends "
                "at 100, so no single figure buys the others.",
                weights=weights,
            ),
            tr("KPIs known: a missing KPI is left out of the mean, never counted as zero."),
        ),
        anchor=f"{COMPOSITE_ANCHOR}-table",
    )


def _scored(score: CompositeScore) -> pd.DataFrame:
    rows = score.scores[score.scores["is_scored"]]
    return rows.sort_values(["composite", "unit"], ascending=[False, True], ignore_index=True)


def _plot(rows: pd.DataFrame, *, width: float) -> Axes:
    import matplotlib.pyplot as plt

    height = 1.0 + 0.27 * len(rows)
    shares = (3, 2) if width > NARROW else (1, 1)
    _, (left, right) = plt.subplots(
        1, 2, figsize=(width, height), sharey=True, gridspec_kw={"width_ratios": shares}
    )
    places = np.arange(len(rows))[::-1]
    colours = [
        BETTER if best >= SURE else WORSE if last >= SURE else UNCLEAR
        for best, last in zip(rows[QUARTERS[0]], rows[QUARTERS[-1]], strict=True)
    ]
    left.axvline(50, color=LIGHT["ink2"], linewidth=1, zorder=1)
    left.hlines(places, rows["low"], rows["high"], colors=colours, linewidth=2)
    left.scatter(rows["composite"], places, c=colours, s=30, zorder=3)
    left.set_xlim(0, 100)
    left.set_xlabel(tr("Composite") if width > NARROW else tr("Score"))
    left.set_yticks(places, [shorten(name, width) for name in rows["unit"]])
    left.set_ylim(-0.7, len(rows) - 0.3)
    start = np.zeros(len(rows))
    for name, colour in zip(QUARTERS, _COLOURS, strict=True):
        part = 100 * rows[name].to_numpy(dtype=float)
        right.barh(places, part, left=start, color=colour, height=0.7, linewidth=0)
        start = start + part
    right.set_xlim(0, 100)
    ends = (0, 50, 100) if width > NARROW else (0, 100)
    right.set_xticks(ends, [format_share(end / 100) for end in ends])
    right.set_xlabel(tr("Chance of each quarter") if width > NARROW else tr("Chances"))
    for axes in (left, right):
        axes.grid(visible=False, axis="y")
    first: Axes = left
    return first


def _numbers(score: CompositeScore) -> pd.DataFrame:
    rows = pd.concat([_scored(score), score.scores[~score.scores["is_scored"]]])
    table = pd.DataFrame({tr("Name"): rows["unit"]})
    if len(set(rows["group"])) > 1:
        table[tr("Peers")] = rows["group"]
    table[tr("Composite")] = rows["composite"].round(0)
    table[tr("90% interval")] = _ranges(rows["low"], rows["high"])
    table[tr("Rank among peers")] = _ranges(rows["rank_low"], rows["rank_high"])
    for head, name in zip(_HEADS, QUARTERS, strict=True):
        table[tr(head)] = [
            format_share(share) if np.isfinite(share) else MISSING for share in rows[name]
        ]
    table[tr("KPIs known")] = rows["n_kpis"]
    return table


def _ranges(low: pd.Series[float], high: pd.Series[float]) -> list[str]:
    return [
        MISSING if not np.isfinite(one) else f"{format_number(one)}–{format_number(two)}"
        for one, two in zip(low, high, strict=True)
    ]
