"""Interactions drawn: odds raw beside adjusted, and loads of the teams side by side."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.interactions import Capacity, WinningPatterns
from salesnb.analysis.interactions.capacity_result import (
    CAPACITY_ANCHOR,
    LOAD_NAMES,
    LOADS,
    write_load,
)
from salesnb.analysis.interactions.patterns_result import PATTERNS_ANCHOR
from salesnb.analysis.interactions.steps import write_odds
from salesnb.analysis.wording import (
    MISSING,
    begin_large,
    count_people,
    count_things,
    within_sentence,
)
from salesnb.language import format_number, mark, tr, write_signs
from salesnb.measures.contacts import LANDMARK_DAYS, SILENCE
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import format_axis, shorten, write_shares
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW, _GAP = 0.3, 0.7
_HOW_PATTERNS = mark(
    "Each dot is the odds of winning against the first line of its block, on a scale of ratios: "
    "right of x1 is won more often. The dot compares alike opportunities, the line is its 95% "
    "interval; the hollow ring is the raw figure. Grey patterns cannot be told from chance. Only "
    "what was done in the first days counts, among those still open then, so that won ones do not "
    "gain by living differently."
)
_HOW_CAPACITY = mark(
    "One panel a load, one dot a team with its 95% interval; the vertical line is all together. "
    "Coloured only where teams differ beyond chance: more is neither better nor worse."
)


def patterns_chart(found: WinningPatterns) -> Block:
    """Draw the odds of each step, raw beside adjusted; a note where there is nothing."""
    if found.lacking or found.patterns.empty:
        return Note(found.finding, "missing" if found.lacking else "info")
    with use_theme():
        return Figure.from_axes(
            _plot_patterns(found, WIDE),
            narrow=_plot_patterns(found, NARROW),
            title=found.finding,
            caption=tr(
                "{n} opportunities of {people} people created in {first} to {last} and open "
                "{days} days later; won within {horizon} days. {caveat}",
                n=format_number(found.n), people=found.n_people, first=found.window[0],
                last=found.window[-1], days=LANDMARK_DAYS, horizon=found.horizon,
                caveat=found.caveat,
            ),
            alt=tr(
                "Forest plot of {steps} steps of {patterns} patterns; adjusted odds from {lowest} "
                "to {highest}. {finding}",
                steps=len(found.steps), patterns=len(found.patterns),
                lowest=write_odds(found.steps["adjusted"].min()),
                highest=write_odds(found.steps["adjusted"].max()), finding=found.finding,
            ),
            how_to_read=tr(_HOW_PATTERNS),
            numbers=_pattern_numbers(found),
            anchor=PATTERNS_ANCHOR,
        )  # fmt: skip


def _plot_patterns(found: WinningPatterns, width: float) -> Axes:
    import matplotlib.pyplot as plt

    rows = found.steps.reset_index(drop=True)
    block = rows["pattern"].ne(rows["pattern"].shift()).cumsum()
    places = -(np.arange(len(rows)) + _GAP * 2 * block.to_numpy(float))
    height = 1.0 + _ROW * (len(rows) + 2 * _GAP * block.max())
    _, axes = plt.subplots(figsize=(width, height))
    clear = set(found.clear["pattern"])
    colours = [
        UNCLEAR if name not in clear else BETTER if value >= 1 else WORSE
        for name, value in zip(rows["pattern"], rows["adjusted"], strict=True)
    ]
    known = rows["low"].notna().to_numpy()
    axes.axvline(1, color=LIGHT["ink2"], linewidth=1, zorder=1)
    axes.hlines(
        places[known], rows.loc[known, "low"], rows.loc[known, "high"],
        colors=[colour for colour, is_known in zip(colours, known, strict=True) if is_known],
        linewidth=2, zorder=2,
    )  # fmt: skip
    axes.scatter(rows["raw"], places, s=42, zorder=3, facecolors="none",
                 edgecolors=LIGHT["ink3"], linewidths=1.2)  # fmt: skip
    axes.scatter(rows["adjusted"], places, c=colours, s=26, zorder=4)
    heads = rows.groupby(block).head(1).index
    labels = found.patterns.set_index("pattern")["label"]
    for at in heads:
        axes.text(0, places[at] + 0.85, labels[rows["pattern"][at]],
                  transform=axes.get_yaxis_transform(), ha="left", va="center",
                  fontweight="bold", color=LIGHT["ink2"],
                  bbox={"facecolor": LIGHT["paper"], "edgecolor": "none", "pad": 1})  # fmt: skip
    axes.set_yticks(places, [_name_row(row, width) for row in rows.to_dict("records")])
    axes.set_ylim(places.min() - 0.7, places.max() + 1.5)
    _scale_odds(axes, rows, width)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(tr("Odds against the first line (ring: raw)") if width > NARROW else tr("Odds"))
    return axes


def _name_row(row: dict[Hashable, Any], width: float) -> str:
    """Name a step; beside a narrow figure without what the head of its block says."""
    if width > NARROW or row["pattern"] == SILENCE:
        return begin_large(row["label"])
    return begin_large(shorten(row["short"], width))


def _scale_odds(axes: Axes, rows: pd.DataFrame, width: float) -> None:
    """Make equal ratios equally far, with ticks a reader knows."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    figures = rows[["raw", "adjusted", "low", "high"]].to_numpy(float)
    low, high = np.nanmin(figures), np.nanmax(figures)
    steps = 2.0 ** np.arange(-6, 7, 1 if width > NARROW else 2)
    axes.set_xscale("log")
    axes.set_xlim(min(low, 0.8) / 1.15, max(high, 1.25) * 1.15)
    inside = steps[(steps >= min(low, 0.8) / 1.15) & (steps <= max(high, 1.25) * 1.15)]
    axes.xaxis.set_major_locator(FixedLocator(inside.tolist()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _write_odds(value)))


def _write_odds(ratio: float) -> str:
    return f"x{ratio:.0f}" if ratio >= 1 else f"x1/{1 / ratio:.0f}"


def _pattern_numbers(found: WinningPatterns) -> pd.DataFrame:
    rows = found.steps
    labels = found.patterns.set_index("pattern")["label"]
    return pd.DataFrame(
        {
            tr("Pattern"): rows["pattern"].map(labels),
            tr("Step"): rows["label"].map(begin_large),
            tr("Opportunities"): rows["n"].map(format_number),
            tr("Won"): write_shares(rows["win_rate"]),
            tr("Raw odds"): [write_odds(value) for value in rows["raw"]],
            tr("Alike ones"): [write_odds(value) for value in rows["adjusted"]],
            tr("95% interval"): [
                f"{write_odds(low)} – {write_odds(high)}" if np.isfinite(low) else MISSING
                for low, high in zip(rows["low"], rows["high"], strict=True)
            ],
        }
    )


def capacity_chart(found: Capacity) -> Block:
    """Draw the teams' loads side by side; a note where nothing is known."""
    if found.lacking or found.teams.empty:
        return Note(found.finding, "missing" if found.lacking else "info")
    loads = [load for load in LOADS if found.teams[load].notna().any()]
    first = found.teams[loads[0]]
    with use_theme():
        return Figure.from_axes(
            _plot_capacity(found, loads, WIDE),
            narrow=_plot_capacity(found, loads, NARROW),
            title=found.finding,
            caption=f"{found.unit}, {found.period}, {count_people(found.n_people)}. {found.caveat}",
            alt=tr(
                "Dot plots of {loads} of {teams}; {load} from {lowest} to {highest}. {finding}",
                loads=count_things(len(loads), "load", "loads"),
                teams=count_things(len(found.teams), "team", "teams"),
                load=within_sentence(tr(LOAD_NAMES[loads[0]])),
                lowest=write_load(float(first.min())), highest=write_load(float(first.max())),
                finding=found.finding,
            ),
            how_to_read=tr(_HOW_CAPACITY),
            numbers=_capacity_numbers(found, loads),
            anchor=CAPACITY_ANCHOR,
        )  # fmt: skip


def _plot_capacity(found: Capacity, loads: list[str], width: float) -> Axes:
    import matplotlib.pyplot as plt

    columns = 2 if width > NARROW else 1
    lines = -(-len(loads) // columns)
    size = 0.9 + 0.26 * len(found.teams)
    _, grid = plt.subplots(
        lines, columns, figsize=(width, size * lines), squeeze=False, sharey=True,
        layout="constrained",
    )  # fmt: skip
    panels = grid.ravel().tolist()
    places = np.arange(len(found.teams))[::-1]
    for axes, load in zip(panels, loads, strict=False):
        values = found.teams[load].to_numpy(float)
        colour = BETTER if load in found.differing else UNCLEAR
        now, _ = found.load(load)
        if np.isfinite(now):
            axes.axvline(now, color=LIGHT["ink2"], linewidth=1, zorder=1)
        low, high = (found.teams[f"{load}_{end}"].to_numpy(float) for end in ("low", "high"))
        known = np.isfinite(low)
        axes.hlines(places[known], low[known], high[known], colors=colour, linewidth=2, zorder=2)
        axes.scatter(values, places, c=colour, s=32, zorder=3)
        axes.set_yticks(places, [shorten(label, width) for label in found.teams["label"]])
        axes.set_ylim(-0.7, len(places) - 0.3)
        axes.set_xlim(0, max(float(np.nanmax(np.append(values, high[known]))) * 1.06, 1e-3))
        axes.grid(visible=False, axis="y")
        format_axis(axes.xaxis, _write_tick, most=5)
        axes.set_xlabel(tr(LOAD_NAMES[load]))
    for axes in panels[len(loads) :]:
        axes.set_visible(False)
    first: Axes = panels[0]
    return first


def _capacity_numbers(found: Capacity, loads: list[str]) -> pd.DataFrame:
    teams = found.teams
    differ = found.differ.set_index("load")["adjusted"]
    shown = {
        _head(load, is_real=differ.get(load, 1.0) < FALSE_CLAIMS): [
            f"{write_load(row[load])} ({write_load(row[f'{load}_low'])} – "
            f"{write_load(row[f'{load}_high'])})"
            for row in teams.to_dict("records")
        ]
        for load in loads
    }
    return pd.DataFrame(
        {
            tr("Team"): teams["label"],
            tr("People"): teams["n_people"],
            tr("Working days"): teams["working_days"].map(format_number),
            **shown,
        }
    )


def _head(load: str, *, is_real: bool) -> str:
    name = tr(LOAD_NAMES[load])
    return tr("{load} (teams differ)", load=name) if is_real else name


def _write_tick(load: float) -> str:
    return write_signs(f"{load:,.3g}")
