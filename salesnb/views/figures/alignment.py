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
from salesnb.analysis.alignment.rows import BY, By, name_unit
from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.wording import MISSING, begin_large, within_sentence
from salesnb.language import format_number, format_share, mark, tr
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import (
    format_axis,
    shorten,
    write_numbers,
    write_percent,
    write_ranges,
    write_shares,
)
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HOW_LEADS = mark(
    "The dot is the share that got further, the line its 90% interval; small ones are pulled to "
    "the others. The vertical line is all together. Grey cannot be told from it."
)
_HOW_RESPONSE = mark(
    "Each dot is the share of leads with the outcome among those answered in that time, with the "
    "same mix of source, team and quarter everywhere; the band is its 95% interval. The hollow "
    "rings are the plain shares."
)
_HOW_CREDIT = mark(
    "The ring is the share of opportunities that the row's touch came first of, the dot the share "
    "that its touch came last before. A long line means that the models disagree about the row."
)

_MANY = {"source": mark("sources"), "campaign": mark("campaigns"), "segment": mark("segments")}
_ALIKE = {
    "source": mark("{unit}: {step} is {share}; no source differs beyond chance"),
    "campaign": mark("{unit}: {step} is {share}; no campaign differs beyond chance"),
    "segment": mark("{unit}: {step} is {share}; no segment differs beyond chance"),
}
_CREDITED = {
    "source": mark("Share of the {n} touched opportunities each source opens and closes. {caveat}"),
    "campaign": mark(
        "Share of the {n} touched opportunities each campaign opens and closes. {caveat}"
    ),
}


def lead_chart(funnel: LeadFunnel, step: str = "qualified") -> Block:
    """Draw the share of leads that got further by unit, with intervals."""
    if funnel.lacking:
        return Note(funnel.finding, "missing")
    rows = funnel.rows[funnel.rows["step"] == step]
    if rows.empty:
        said = tr(
            "{unit}: no lead could get to the step {step}.", unit=funnel.unit, step=f"{step!r}"
        )
        return Note(said, "missing")
    about = funnel.steps[funnel.steps["step"] == step].iloc[0]
    label = str(about["label"])
    if funnel.differs(step):
        rows = rows.sort_values(["estimate", "unit"], ascending=[False, True])
        title = f"{funnel.unit}: {funnel.apart(step)}"
    else:
        title = tr(
            _ALIKE[funnel.by], unit=funnel.unit, step=within_sentence(label),
            share=format_share(about["share"]),
        )  # fmt: skip
    with use_theme():
        return Figure.from_axes(
            _plot_leads(rows, about, funnel, WIDE),
            narrow=_plot_leads(rows, about, funnel, NARROW),
            title=title,
            caption=tr(
                "{step}, with 90% intervals. {caveat}",
                step=label, caveat=funnel.caveat,
            ),
            alt=tr(
                "Dot plot of {n} {things}, shares from {lowest} to {highest}. {title}",
                n=len(rows), things=tr(_MANY[funnel.by]), title=title,
                lowest=format_share(rows["estimate"].min()),
                highest=format_share(rows["estimate"].max()),
            ),
            how_to_read=tr(_HOW_LEADS),
            numbers=_lead_numbers(rows, funnel.by),
            anchor=f"{FUNNEL_ANCHOR}-{funnel.by}-{step}",
        )  # fmt: skip


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
    axes.set_yticks(places, [shorten(name_unit(unit), width) for unit in rows["unit"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    format_axis(axes.xaxis, write_percent, most=5)
    label = str(about["label"])
    axes.set_xlabel(
        tr("{step} (line: all, {share})", step=label, share=format_share(overall))
        if width > NARROW else label
    )  # fmt: skip
    return axes


def _lead_numbers(rows: pd.DataFrame, by: By) -> pd.DataFrame:
    return pd.DataFrame(
        {
            begin_large(tr(BY[by])): [name_unit(unit) for unit in rows["unit"]],
            tr("Could"): write_numbers(rows["n"], group=True),
            tr("Did"): write_numbers(rows["reached"], group=True),
            tr("Share"): write_shares(rows["raw"], 1),
            tr("Estimate"): write_shares(rows["estimate"], 1),
            tr("90% interval"): _intervals(rows),
        }
    )


def response_chart(effect: ResponseEffect) -> Block:
    """Draw the share of leads with the outcome by how long they waited, with its band."""
    if effect.lacking:
        return Note(effect.finding, "missing")
    rows = effect.curve[effect.curve["share"].notna()].reset_index(drop=True)
    if len(rows) < 2:
        said = tr("{unit}: too few waits of different length to draw.", unit=effect.unit)
        return Note(said, "info")
    first, last = rows.iloc[0], rows.iloc[-1]
    words = tr(OUTCOMES[effect.outcome])
    with use_theme():
        return Figure.from_axes(
            _plot_response(rows, effect, WIDE),
            narrow=_plot_response(rows, effect, NARROW),
            title=effect.finding,
            caption=tr(
                "Share of answered leads that {did}. {caveat}", did=words, caveat=effect.caveat
            ),
            alt=tr(
                "Line with band over {n} ranges of the wait, from {first} for the fastest to "
                "{last} for the slowest. {finding}",
                n=len(rows), first=format_share(first["share"]), last=format_share(last["share"]),
                finding=effect.finding,
            ),
            how_to_read=tr(_HOW_RESPONSE),
            numbers=pd.DataFrame(
                {
                    tr("Wait"): [_range(row) for row in rows.to_dict("records")],
                    tr("Leads"): write_numbers(rows["n"], group=True),
                    begin_large(words): write_numbers(rows["reached"], group=True),
                    tr("Share"): write_shares(rows["raw"], 1),
                    tr("Same mix"): write_shares(rows["share"], 1),
                    tr("95% interval"): _intervals(rows),
                }
            ),
            anchor=RESPONSE_ANCHOR,
        )  # fmt: skip


def _intervals(rows: pd.DataFrame) -> list[str]:
    return write_ranges(rows["low"], rows["high"], lambda share: format_share(share, 1))


def _range(row: dict[Hashable, Any]) -> str:
    over, up_to = (_time(row[name]) for name in ("over", "up_to"))
    if not math.isfinite(row["up_to"]):
        return tr("over {time}", time=over)
    return f"{over} – {up_to}" if row["over"] else tr("up to {time}", time=up_to)


def _short_range(row: dict[Hashable, Any]) -> str:
    if math.isfinite(row["up_to"]):
        return tr("to\n{time}", time=_time(row["up_to"]))
    return tr("over\n{time}", time=_time(row["over"]))


def _time(minutes: float) -> str:
    if not math.isfinite(minutes):
        return MISSING
    if minutes < 60:
        return tr("{number} min", number=format_number(minutes, group=False))
    return tr("{number} h", number=format_number(minutes / 60, group=False))


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
    format_axis(axes.yaxis, format_share, most=5)
    axes.set_xlabel(tr("Business time until the first touch"))
    axes.set_ylabel(begin_large(tr(OUTCOMES[effect.outcome])))
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
            caption=tr(
                _CREDITED[found.by], n=format_number(found.n_touched), caveat=found.caveat
            ),
            alt=tr(
                "Dumbbell plot of {n} {things}. {finding}",
                n=len(rows), things=tr(_MANY[found.by]), finding=found.finding,
            ),
            how_to_read=tr(_HOW_CREDIT),
            numbers=pd.DataFrame(
                {
                    begin_large(tr(BY[found.by])): [name_unit(unit) for unit in rows["unit"]],
                    tr("Opens"): write_shares(rows["opens_share"], 1),
                    tr("Closes"): write_shares(rows["closes_share"], 1),
                    tr("All touches equally"): write_shares(
                        rows["opportunities_linear"] / max(found.n_touched, 1), 1
                    ),
                }
            ),
            anchor=f"{ATTRIBUTION_ANCHOR}-{found.by}-chart",
        )  # fmt: skip


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
    axes.set_yticks(places, [shorten(name_unit(unit), width) for unit in rows["unit"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    format_axis(axes.xaxis, format_share, most=5)
    axes.set_xlabel(
        tr("Share of touched opportunities (ring: opens, dot: closes)")
        if width > NARROW else tr("Ring: opens, dot: closes")
    )  # fmt: skip
    return axes
