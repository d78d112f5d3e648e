"""What each member brought to the team's figure: bars that add up to it, and their table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.contributions import CONTRIBUTIONS_ANCHOR, Contributions
from salesnb.analysis.wording import (
    MISSING,
    format_precise,
    format_value,
    name_one,
    within_sentence,
)
from salesnb.language import format_number, format_share, mark, tr, write_signs
from salesnb.views.blocks import Block, Figure, Note, Table
from salesnb.views.figures.parts import (
    evidence_colour,
    format_axis,
    shorten,
    tick_writer,
)
from salesnb.views.theme import LIGHT, NARROW, WIDE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BARS = 30


def contributions_chart(result: Contributions) -> Block:
    """Draw each member's part as a bar from zero; in order of size only where members differ."""
    if result.lacking:
        return Note(result.finding, "missing")
    rows = _gather_small(result)
    write = _tick_writer(result)
    ordered = tr("largest on top") if result.is_beyond_chance else tr("in the order of names")
    ends = rows.sort_values("contribution")
    low, high, whole = ends.iloc[0], ends.iloc[-1], result.write_part(result.whole)
    with use_theme():
        return Figure.from_axes(
            plot_contributions(rows, _axis_label(result), write, width=WIDE),
            narrow=plot_contributions(rows, _axis_label(result), write, width=NARROW),
            title=result.finding,
            caption=tr(
                "{what}; {order}; bars add up to {whole}.",
                what=_caption(result), order=ordered, whole=whole,
            ),
            alt=tr(
                "Bars of {n} parts that add up to {whole}, from {lowest} ({last}) to {highest} "
                "({first}).",
                n=len(rows), whole=whole, lowest=result.write_part(low["contribution"]),
                last=low["unit"], highest=result.write_part(high["contribution"]),
                first=high["unit"],
            ),
            how_to_read=tr(
                "Each bar is what a member adds to the whole or takes from it. Blue ones are "
                "better and orange ones worse than the level of all with at least 95% probability "
                "in this quarter; grey ones cannot be told from it, however long their bar."
            ),
            numbers=_numbers(result),
            anchor=CONTRIBUTIONS_ANCHOR,
        )  # fmt: skip


def contributions_table(result: Contributions) -> Block:
    """List each member's part; the last row is what they add up to."""
    if result.lacking:
        return Note(result.finding, "missing")
    label = within_sentence(result.kpi.label)
    title = (
        tr("Parts of {kpi}", kpi=label) if result.kpi.is_ratio else tr("Shares of {kpi}", kpi=label)
    )
    table = Table.from_frame(
        _numbers(result),
        title=f"{title}, {result.unit}, {result.period}",
        caption=f"{_caption(result)}. {result.caveat}",
        anchor=f"{CONTRIBUTIONS_ANCHOR}-table",
    )
    return replace(table, is_sortable=False)  # the sum stays last


def plot_contributions(
    rows: pd.DataFrame, label: str, write: Callable[[float], str], *, width: float
) -> Axes:
    """Draw bars from top to bottom in the order of `rows`."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 0.9 + 0.27 * len(rows)))
    places = np.arange(len(rows))[::-1]
    colours = [evidence_colour(grade) for grade in rows["evidence"]]
    axes.barh(places, rows["contribution"], color=colours, height=0.62)
    axes.axvline(0, color=LIGHT["ink2"], linewidth=1)
    axes.set_yticks(places, [shorten(name, width) for name in rows["unit"]])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(label)
    format_axis(axes.xaxis, write, most=5 if width > NARROW else 3)
    return axes


def _gather_small(result: Contributions) -> pd.DataFrame:
    """Put the smallest parts of many into one bar, so that the bars still add up."""
    parts = result.parts
    if len(parts) <= MOST_BARS:
        return parts
    sizes = parts["contribution"].abs()
    kept = sizes.sort_values(ascending=False, kind="stable").index[: MOST_BARS - 1]
    others = parts.drop(index=kept)
    rest = {
        "unit": tr("{n} others", n=len(others)), "contribution": others["contribution"].sum(),
        "evidence": 0,
    }  # fmt: skip
    shown = parts[parts.index.isin(kept)]
    return pd.concat([shown, pd.DataFrame([rest])], ignore_index=True)


def _caption(result: Contributions) -> str:
    label, is_team = f"{result.kpi.label}, {result.period}", result.by == "team"
    if not result.kpi.is_ratio:
        if is_team:
            return tr("{kpi}: what each team brought", kpi=label)
        return tr("{kpi}: what each member brought", kpi=label)
    if result.kpi.median_of is not None:
        label = tr("{kpi} as a mean", kpi=label)
    formula = (
        mark("{kpi}: a team's weight in it × (own figure − {reference} of {whose})")
        if is_team
        else mark("{kpi}: a member's weight in it × (own figure − {reference} of {whose})")
    )
    reference = format_value(result.kpi, result.reference, result.currency)
    return tr(formula, kpi=label, reference=reference, whose=result.against)


def _axis_label(result: Contributions) -> str:
    if not result.kpi.is_ratio:
        return result.kpi.label
    if result.kpi.unit == "share":
        return tr("Part of the distance, points")
    return tr("Part of the distance")


def _tick_writer(result: Contributions) -> Callable[[float], str]:
    if result.kpi.is_ratio and result.kpi.unit == "share":
        return lambda value: write_signs(f"{value * 100:.3g}")
    return tick_writer(result.kpi, result.currency)


def _numbers(result: Contributions) -> pd.DataFrame:
    kpi, currency, parts = result.kpi, result.currency, result.parts
    table = pd.DataFrame({name_one(result.by): parts["unit"]})
    if kpi.is_ratio:
        table[kpi.label] = [format_value(kpi, value, currency) for value in parts["value"]]
        table[tr("Weight")] = _shares(parts["weight"])
        table[tr("Part")] = [result.write_part(part) for part in parts["contribution"]]
        whole = (format_value(kpi, result.value, currency), result.write_part(result.whole))
        last = [tr("Together"), whole[0], format_share(1, 1), whole[1]]
    else:
        table[kpi.label] = [format_precise(kpi, part, currency) for part in parts["contribution"]]
        table[tr("Share")] = _shares(parts["weight"])
        last = [tr("Together"), format_precise(kpi, result.value, currency), format_share(1, 1)]
    table["n"] = parts["n"].map(format_number)
    table.loc[len(table)] = [*last, format_number(parts["n"].sum())]
    return table


def _shares(weights: pd.Series[float]) -> list[str]:
    return [format_share(weight, 1) if np.isfinite(weight) else MISSING for weight in weights]
