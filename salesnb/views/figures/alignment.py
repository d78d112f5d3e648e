"""Marketing and sales drawn: shares by source, outcomes by wait, and who opens and closes."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from salesnb.analysis.alignment import Attribution, LeadFunnel, ResponseEffect
from salesnb.analysis.alignment.answers import OUTCOMES, RESPONSE_ANCHOR
from salesnb.analysis.alignment.attribution import ATTRIBUTION_ANCHOR
from salesnb.analysis.alignment.funnel import FUNNEL_ANCHOR
from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.wording import MISSING, begin_large
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import format_axis, shorten
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HOW_LEADS = (
    "The dot is the share that got further, the line its 90% interval; small ones are pulled to "
    "the others. The vertical line is all together. Grey cannot be told from it."
)
_HOW_RESPONSE = (
    "Each dot is the share of leads with the outcome among those answered in that time, with the "
    "same mix of source, team and quarter everywhere; the band is its 95% interval. The hollow "
    "rings are the plain shares."
)
_HOW_CREDIT = (
    "The ring is the share of opportunities that the row's touch came first of, the dot the share "
    "that its touch came last before. A long line means that the models disagree about the row."
)


def lead_chart(funnel: LeadFunnel, step: str = "qualified") -> Block:
    """Draw the share of leads that got further by unit, with intervals."""
    if funnel.lacking:
        return Note(funnel.finding, "missing")
    rows = funnel.rows[funnel.rows["step"] == step]
    if rows.empty:
        return Note(f"{funnel.unit}: no lead could get to the step {step!r}.", "missing")
    about = funnel.steps[funnel.steps["step"] == step].iloc[0]
    if funnel.differs(step):
        rows = rows.sort_values(["estimate", "unit"], ascending=[False, True])
        title = f"{funnel.unit}: {funnel.apart(step)}"
    else:
        title = (
            f"{funnel.unit}: {about['label'].lower()} is {about['share']:.0%}; no {funnel.by} "
            "differs beyond chance"
        )
    with use_theme():
        return Figure.from_axes(
            _plot_leads(rows, about, funnel, WIDE),
            narrow=_plot_leads(rows, about, funnel, NARROW),
            title=title,
            caption=f"{about['label']}, with 90% intervals. {funnel.caveat}",
            alt=(
                f"Dot plot of {len(rows)} {funnel.by}s, shares from {rows['estimate'].min():.0%} "
                f"to {rows['estimate'].max():.0%}. {title}"
            ),
            how_to_read=_HOW_LEADS,
            numbers=_lead_numbers(rows, funnel.by),
            anchor=f"{FUNNEL_ANCHOR}-{funnel.by}-{step}",
        )


def _plot_leads(
    rows: pd.DataFrame, about: pd.Series[float], funnel: LeadFunnel, width: float
) -> Axes:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 1.1 + 0.34 * len(rows)))
    places = np.arange(len(rows))[::-1]
    overall = float(about["share"])
    is_real = funnel.differs(str(about["step"]))
    colours = [
        BETTER if is_real and low > overall else WORSE if is_real and high < overall else UNCLEAR
        for low, high in zip(rows["low"], rows["high"], strict=True)
    ]
    axes.axvline(overall, color=LIGHT["ink2"], linewidth=1, zorder=1)
    axes.hlines(places, rows["low"], rows["high"], colors=colours, linewidth=2)
    axes.scatter(rows["estimate"], places, c=colours, s=34, zorder=3)
    axes.set_yticks(places, [shorten(unit, width) for unit in rows["unit"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    format_axis(axes.xaxis, lambda value: f"{value * 100:.3g}%", most=5)
    axes.set_xlabel(
        f"{about['label']} (line: all, {overall:.0%})" if width > NARROW else str(about["label"])
    )
    return axes


def _lead_numbers(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            begin_large(by): rows["unit"],
            "Could": [f"{value:,.0f}" for value in rows["n"]],
            "Did": [f"{value:,.0f}" for value in rows["reached"]],
            "Share": [f"{value:.1%}" for value in rows["raw"]],
            "Estimate": [f"{value:.1%}" for value in rows["estimate"]],
            "90% interval": [
                f"{low:.1%} – {high:.1%}"
                for low, high in zip(rows["low"], rows["high"], strict=True)
            ],
        }
    )


def response_chart(effect: ResponseEffect) -> Block:
    """Draw the share of leads with the outcome by how long they waited, with its band."""
    if effect.lacking:
        return Note(effect.finding, "missing")
    rows = effect.curve[effect.curve["share"].notna()].reset_index(drop=True)
    if len(rows) < 2:
        return Note(f"{effect.unit}: too few waits of different length to draw.", "info")
    first, last = rows.iloc[0], rows.iloc[-1]
    words = OUTCOMES[effect.outcome]
    with use_theme():
        return Figure.from_axes(
            _plot_response(rows, effect, WIDE),
            narrow=_plot_response(rows, effect, NARROW),
            title=effect.finding,
            caption=f"Share of answered leads that {words}. {effect.caveat}",
            alt=(
                f"Line with band over {len(rows)} ranges of the wait, from {first['share']:.0%} "
                f"for the fastest to {last['share']:.0%} for the slowest. {effect.finding}"
            ),
            how_to_read=_HOW_RESPONSE,
            numbers=pd.DataFrame(
                {
                    "Wait": [_range(row) for row in rows.to_dict("records")],
                    "Leads": [f"{value:,.0f}" for value in rows["n"]],
                    begin_large(words): [f"{value:,.0f}" for value in rows["reached"]],
                    "Share": [f"{value:.1%}" for value in rows["raw"]],
                    "Same mix": [f"{value:.1%}" for value in rows["share"]],
                    "95% interval": [
                        f"{low:.1%} – {high:.1%}"
                        for low, high in zip(rows["low"], rows["high"], strict=True)
                    ],
                }
            ),
            anchor=RESPONSE_ANCHOR,
        )


def _range(row: dict[Hashable, Any]) -> str:
    over, up_to = (_time(row[name]) for name in ("over", "up_to"))
    if not math.isfinite(row["up_to"]):
        return f"over {over}"
    return f"{over} – {up_to}" if row["over"] else f"up to {up_to}"


def _short_range(row: dict[Hashable, Any]) -> str:
    if math.isfinite(row["up_to"]):
        return f"to\n{_time(row['up_to'])}"
    return f"over\n{_time(row['over'])}"


def _time(minutes: float) -> str:
    if not math.isfinite(minutes):
        return MISSING
    return f"{minutes:.0f} min" if minutes < 60 else f"{minutes / 60:.0f} h"


def _plot_response(rows: pd.DataFrame, effect: ResponseEffect, width: float) -> Axes:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 3.6 if width > NARROW else 3.0))
    places = np.arange(len(rows))
    colour = BETTER if effect.is_beyond_chance else UNCLEAR
    axes.fill_between(places, rows["low"], rows["high"], color=LIGHT["band"], zorder=1)
    axes.plot(places, rows["share"], color=colour, linewidth=2, zorder=2)
    axes.scatter(places, rows["raw"], s=44, facecolors=LIGHT["paper"], edgecolors=LIGHT["ink3"],
                 linewidths=1.2, zorder=3)  # fmt: skip
    axes.scatter(places, rows["share"], c=colour, s=30, zorder=4)
    name = _range if width > NARROW else _short_range
    labels = [name(row) for row in rows.to_dict("records")]
    axes.set_xticks(places, labels)
    axes.tick_params(axis="x", labelsize=9 if width > NARROW else 7)
    axes.set_ylim(bottom=0)
    format_axis(axes.yaxis, lambda value: f"{value:.0%}", most=5)
    axes.set_xlabel("Business time until the first touch")
    axes.set_ylabel(begin_large(OUTCOMES[effect.outcome]))
    return axes


def attribution_chart(found: Attribution) -> Block:
    """Draw what share of opportunities each one opens and closes."""
    if found.lacking:
        return Note(found.finding, "missing")
    rows = found.touched.reset_index(drop=True)
    with use_theme():
        return Figure.from_axes(
            _plot_credit(rows, WIDE),
            narrow=_plot_credit(rows, NARROW),
            title=found.finding,
            caption=(
                f"Share of the {found.n_touched:,.0f} touched opportunities each {found.by} opens "
                f"and closes. {found.caveat}"
            ),
            alt=f"Dumbbell plot of {len(rows)} {found.by}s. {found.finding}",
            how_to_read=_HOW_CREDIT,
            numbers=pd.DataFrame(
                {
                    begin_large(found.by): rows["unit"],
                    "Opens": [f"{value:.1%}" for value in rows["opens_share"]],
                    "Closes": [f"{value:.1%}" for value in rows["closes_share"]],
                    "All touches equally": [
                        f"{value / max(found.n_touched, 1):.1%}"
                        for value in rows["opportunities_linear"]
                    ],
                }
            ),
            anchor=f"{ATTRIBUTION_ANCHOR}-{found.by}-chart",
        )


def _plot_credit(rows: pd.DataFrame, width: float) -> Axes:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 1.3 + 0.36 * len(rows)))
    places = np.arange(len(rows))[::-1]
    is_clear = rows["adjusted"] < FALSE_CLAIMS
    colours = [LIGHT["blue"] if clear else UNCLEAR for clear in is_clear]
    axes.hlines(places, rows["opens_share"], rows["closes_share"], colors=colours, linewidth=2)
    axes.scatter(rows["opens_share"], places, s=48, facecolors=LIGHT["paper"], edgecolors=colours,
                 linewidths=1.6, zorder=3, label="opens")  # fmt: skip
    axes.scatter(rows["closes_share"], places, c=colours, s=40, zorder=4, label="closes")
    axes.set_yticks(places, [shorten(unit, width) for unit in rows["unit"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    format_axis(axes.xaxis, lambda value: f"{value:.0%}", most=5)
    axes.set_xlabel("Share of touched opportunities (ring: opens, dot: closes)" if width > NARROW
                    else "Ring: opens, dot: closes")  # fmt: skip
    return axes
