"""Open opportunities drawn: are chances right, did forecasts come true, how old is what is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.pipeline import (
    AGES_ANCHOR,
    FORECAST_ANCHOR,
    SCORES_ANCHOR,
    PipelineForecast,
    PipelineScores,
)
from salesnb.analysis.pipeline.teams import count_open
from salesnb.analysis.wording import count_things, format_money
from salesnb.measures.measures import Measures
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import format_axis
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HOW_RELIABLE = (
    "Each dot is a tenth of the pictures: across, the chance given; up, the share that was won, "
    "with its 90% interval. On the line chances are right; below it they promise too much."
)
_HOW_PAST = (
    "The dot is what was expected, on the day that lies as far before the quarter's end, to be won "
    "of what was open, with its 90% interval; the bar is what came of it. Nothing known later "
    "went in. The hollow dot is the running quarter."
)
_HOW_AGES = (
    "Bars count what is open by its age, those beyond the upright line in orange: none as old was "
    "ever won."
)


def reliability_chart(scores: PipelineScores) -> Block:
    """Draw chances beside the shares that came, on months after those they were learned from."""
    if scores.quality is None:
        return Note(f"{scores.company.name}: {scores.why_not}.", "missing")
    quality = scores.quality
    off = quality.value("error") * 100
    title = f"Chances were off by {off:.1f} points on average, on months they had not seen"
    with use_theme():
        return Figure.from_axes(
            _plot_reliability(quality.table, WIDE),
            narrow=_plot_reliability(quality.table, NARROW),
            title=title,
            caption=(
                f"{quality.n:,} pictures of {quality.n_opportunities:,} opportunities from "
                f"{quality.first_day:%Y-%m-%d} to {quality.last_day:%Y-%m-%d}; won within "
                f"{scores.horizon_days} days."
            ),
            alt=f"Chances of {len(quality.table)} groups beside shares won. {title}.",
            how_to_read=_HOW_RELIABLE,
            numbers=_reliability_numbers(quality.table),
            anchor=SCORES_ANCHOR,
        )


def _plot_reliability(table: pd.DataFrame, width: float) -> Axes:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, min(width, 4.2)))
    axes.plot([0, 1], [0, 1], color=LIGHT["ink2"], linewidth=1, zorder=1)
    axes.vlines(table["p"], table["share_low"], table["share_high"], colors=BETTER, linewidth=2)
    axes.scatter(table["p"], table["share"], c=BETTER, s=34, zorder=3)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    for axis in (axes.xaxis, axes.yaxis):
        format_axis(axis, lambda value: f"{value:.0%}", most=5)
    axes.set_xlabel("Chance given")
    axes.set_ylabel("Share won")
    return axes


def _reliability_numbers(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Chance": table["p"].map("{:.1%}".format),
            "Won": table["share"].map("{:.1%}".format),
            "90% interval": [
                f"{low:.1%} – {high:.1%}"
                for low, high in zip(table["share_low"], table["share_high"], strict=True)
            ],
            "Pictures": table["n"],
        }
    )


def forecast_chart(found: PipelineForecast) -> Block:
    """Draw past forecasts of what was open beside what came of it, and the running quarter's."""
    if found.lacking:
        return Note(found.finding, "missing")
    if found.past.empty:
        return Note(f"{found.unit}: too little came before to foresee a past quarter.", "info")
    n_in = int(found.past["actual"].between(found.past["low"], found.past["high"]).sum())
    word = "more" if found.bias > 0 else "less"
    title = (
        f"Forecasts of what was open promised {abs(found.bias):.0%} {word} than came, over "
        f"{count_things(len(found.past), 'quarter', 'quarters')}"
    )
    with use_theme():
        return Figure.from_axes(
            _plot_past(found, WIDE),
            narrow=_plot_past(found, NARROW),
            title=title,
            caption=(
                f"{found.unit}: {n_in} of {count_things(len(found.past), 'quarter', 'quarters')} ended within the "
                "interval they were given, made with what was known then alone."
            ),
            alt=f"Expected and actual amounts of {count_things(len(found.past), 'quarter', 'quarters')}. {title}.",
            how_to_read=_HOW_PAST,
            numbers=_past_numbers(found),
            anchor=f"{FORECAST_ANCHOR}-past",
        )


def _plot_past(found: PipelineForecast, width: float) -> Axes:
    import matplotlib.pyplot as plt

    now = found.part("open")
    past = found.past
    _, axes = plt.subplots(figsize=(width, 1.2 + 0.36 * (len(past) + 1)))
    places = np.arange(len(past) + 1)[::-1]
    axes.barh(places[:-1], past["actual"], color=LIGHT["rule"], height=0.55, zorder=1)
    inside = past["actual"].between(past["low"], past["high"])
    colours = [UNCLEAR if kept else WORSE for kept in inside]
    axes.hlines(places[:-1], past["low"], past["high"], colors=colours, linewidth=2, zorder=2)
    axes.scatter(past["expected"], places[:-1], c=colours, s=34, zorder=3)
    axes.hlines(places[-1], now["low"], now["high"], colors=BETTER, linewidth=2, zorder=2)
    axes.scatter(
        [now["expected"]], [places[-1]], s=40, facecolors=LIGHT["paper"], edgecolors=BETTER,
        zorder=3,
    )  # fmt: skip
    axes.set_yticks(places, [*past["period"], found.period])
    axes.set_xlim(0, None)
    axes.grid(visible=False, axis="y")
    most = 5 if width > NARROW else 3
    format_axis(axes.xaxis, lambda value: format_money(value, found.currency), most=most)
    axes.set_xlabel("Won of what was open")
    return axes


def _past_numbers(found: PipelineForecast) -> pd.DataFrame:
    past = found.past
    return pd.DataFrame(
        {
            "Quarter": past["period"],
            "Open then": past["n"].map("{:,.0f}".format),
            "Expected": past["expected"].map(found.money),
            "90% interval": [
                f"{found.money(low)} – {found.money(high)}"
                for low, high in zip(past["low"], past["high"], strict=True)
            ],
            "Came": past["actual"].map(found.money),
        }
    )


def ages_chart(scores: PipelineScores, measures: Measures, team: str | None = None) -> Block:
    """Draw how old open opportunities are, beside the ages at which others were won.

    Parameters
    ----------
    scores, measures
        From `score_pipeline`, and of the same snapshot.
    team
        Id or name: what is open there, beside all that was won. None or '' is the company.
    """
    ids = measures.ids_within(team or None)
    unit = measures.unit_name(measures.find_team(team) if team else None)
    rows = scores.open if ids is None else scores.open[scores.open["team_id"].isin(ids)]
    known = rows[rows["age_days"].notna()]
    if known.empty or not np.isfinite(scores.oldest_won):
        return Note(f"{unit}: ages cannot be compared; days of creation or wins are missing.",
                    "missing")  # fmt: skip
    n_older = int(known["is_older"].sum())
    title = (
        f"{n_older:,} of {count_open(len(rows))} {'is' if n_older == 1 else 'are'} "
        "older than any that was ever won"
        if n_older else "No open opportunity is older than the oldest that was won"
    )  # fmt: skip
    unknown = len(rows) - len(known)
    without = (
        f" {unknown:,} {'has' if unknown == 1 else 'have'} no day of creation." if unknown else ""
    )
    with use_theme():
        return Figure.from_axes(
            _plot_ages(known, scores, WIDE),
            narrow=_plot_ages(known, scores, NARROW),
            title=title,
            caption=(
                f"{unit} on {scores.as_of}. The oldest one ever won took {scores.oldest_won:.0f} "
                f"days.{without}"
            ),
            alt=f"Histogram of the ages of {count_open(len(known))}. {title}.",
            how_to_read=_HOW_AGES,
            numbers=_age_numbers(known, scores),
            anchor=AGES_ANCHOR,
        )


def _edges(known: pd.DataFrame, scores: PipelineScores) -> np.ndarray:
    """Cut ages into equal steps of which one ends at the oldest won."""
    step = (scores.oldest_won + 1) / 6
    last = max(known["age_days"].max(), scores.oldest_won) + 1
    return np.asarray(np.arange(0, last + step, step))


def _plot_ages(known: pd.DataFrame, scores: PipelineScores, width: float) -> Axes:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, 3.2))
    edges = _edges(known, scores)
    older = known["is_older"]
    for rows, colour in ((known[~older], UNCLEAR), (known[older], WORSE)):
        axes.hist(rows["age_days"], bins=list(edges), color=colour, zorder=2)
    axes.axvline(scores.oldest_won, color=LIGHT["ink"], linewidth=1.2, zorder=3)
    axes.set_xlabel("Age in days (line: the oldest ever won)" if width > NARROW else "Age in days")
    axes.set_ylabel("Open opportunities")
    axes.grid(visible=False, axis="x")
    return axes


def _age_numbers(known: pd.DataFrame, scores: PipelineScores) -> pd.DataFrame:
    edges = _edges(known, scores)
    won = scores.ages
    opened, _ = np.histogram(known["age_days"], bins=edges)
    counts, _ = np.histogram(won["age_days"], bins=edges, weights=won["n_won"])
    return pd.DataFrame(
        {
            "Age in days": [
                f"{np.ceil(low):.0f} – {np.ceil(high) - 1:.0f}"
                for low, high in zip(edges[:-1], edges[1:], strict=True)
            ],
            "Open": opened,
            "Won ever at that age": counts.astype(int),
        }
    )
