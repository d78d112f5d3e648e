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
from salesnb.language import format_number, format_share, mark, tr, tr_many, write_day
from salesnb.measures.measures import Measures
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import format_axis, write_ranges, write_shares
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HOW_RELIABLE = mark(
    "Each dot is a tenth of the pictures: across, the chance given; up, the share that was won, "
    "with its 90% interval. On the line chances are right; below it they promise too much."
)
_HOW_PAST = mark(
    "The dot is what was expected, on the day that lies as far before the quarter's end, to be won "
    "of what was open, with its 90% interval; the bar is what came of it. Nothing known later "
    "went in. The hollow dot is the running quarter."
)
_HOW_AGES = mark(
    "Bars count what is open by its age, those beyond the upright line in orange: none as old was "
    "ever won."
)


def reliability_chart(scores: PipelineScores) -> Block:
    """Draw chances beside the shares that came, on months after those they were learned from."""
    if scores.quality is None:
        return Note(f"{scores.company.name}: {scores.why_not}.", "missing")
    quality = scores.quality
    title = tr(
        "Chances were off by {points} points on average, on months they had not seen",
        points=format_number(quality.value("error") * 100, 1, group=False),
    )
    with use_theme():
        return Figure.from_axes(
            _plot_reliability(quality.table, WIDE),
            narrow=_plot_reliability(quality.table, NARROW),
            title=title,
            caption=tr(
                "{pictures} pictures of {opportunities} opportunities from {first} to {last}; won "
                "within {days} days.",
                pictures=format_number(quality.n),
                opportunities=format_number(quality.n_opportunities),
                first=write_day(quality.first_day), last=write_day(quality.last_day),
                days=scores.horizon_days,
            ),
            alt=tr(
                "Chances of {n} groups beside shares won. {title}.",
                n=len(quality.table), title=title,
            ),
            how_to_read=tr(_HOW_RELIABLE),
            numbers=_reliability_numbers(quality.table),
            anchor=SCORES_ANCHOR,
        )  # fmt: skip


def _plot_reliability(table: pd.DataFrame, width: float) -> Axes:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(width, min(width, 4.2)))
    axes.plot([0, 1], [0, 1], color=LIGHT["ink2"], linewidth=1, zorder=1)
    axes.vlines(table["p"], table["share_low"], table["share_high"], colors=BETTER, linewidth=2)
    axes.scatter(table["p"], table["share"], c=BETTER, s=34, zorder=3)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    for axis in (axes.xaxis, axes.yaxis):
        format_axis(axis, format_share, most=5)
    axes.set_xlabel(tr("Chance given"))
    axes.set_ylabel(tr("Share won"))
    return axes


def _reliability_numbers(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            tr("Chance"): write_shares(table["p"], 1),
            tr("Won"): write_shares(table["share"], 1),
            tr("90% interval"): write_ranges(
                table["share_low"], table["share_high"], lambda share: format_share(share, 1)
            ),
            tr("Pictures"): table["n"],
        }
    )


def forecast_chart(found: PipelineForecast) -> Block:
    """Draw past forecasts of what was open beside what came of it, and the running quarter's."""
    if found.lacking:
        return Note(found.finding, "missing")
    if found.past.empty:
        said = tr("{unit}: too little came before to foresee a past quarter.", unit=found.unit)
        return Note(said, "info")
    n_in = int(found.past["actual"].between(found.past["low"], found.past["high"]).sum())
    quarters = count_things(len(found.past), "quarter", "quarters")
    title = (
        mark("Forecasts of what was open promised {share} more than came, over {quarters}")
        if found.bias > 0
        else mark("Forecasts of what was open promised {share} less than came, over {quarters}")
    )
    title = tr(title, share=format_share(abs(found.bias)), quarters=quarters)
    with use_theme():
        return Figure.from_axes(
            _plot_past(found, WIDE),
            narrow=_plot_past(found, NARROW),
            title=title,
            caption=tr(
                "{unit}: {inside} of {quarters} ended within the interval they were given, made "
                "with what was known then alone.",
                unit=found.unit, inside=n_in, quarters=quarters,
            ),
            alt=tr(
                "Expected and actual amounts of {quarters}. {title}.",
                quarters=quarters, title=title,
            ),
            how_to_read=tr(_HOW_PAST),
            numbers=_past_numbers(found),
            anchor=f"{FORECAST_ANCHOR}-past",
        )  # fmt: skip


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
    axes.set_xlabel(tr("Won of what was open"))
    return axes


def _past_numbers(found: PipelineForecast) -> pd.DataFrame:
    past = found.past
    return pd.DataFrame(
        {
            tr("Quarter"): past["period"],
            tr("Open then"): past["n"].map(format_number),
            tr("Expected"): past["expected"].map(found.money),
            tr("90% interval"): write_ranges(past["low"], past["high"], found.money),
            tr("Came"): past["actual"].map(found.money),
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
        said = tr(
            "{unit}: ages cannot be compared; days of creation or wins are missing.", unit=unit
        )
        return Note(said, "missing")
    n_older = int(known["is_older"].sum())
    title = (
        tr_many(
            "{n} of {all} is older than any that was ever won",
            "{n} of {all} are older than any that was ever won",
            n_older, all=count_open(len(rows)),
        )
        if n_older else tr("No open opportunity is older than the oldest that was won")
    )  # fmt: skip
    unknown = len(rows) - len(known)
    without = (
        tr_many(" {n} has no day of creation.", " {n} have no day of creation.", unknown)
        if unknown
        else ""
    )
    with use_theme():
        return Figure.from_axes(
            _plot_ages(known, scores, WIDE),
            narrow=_plot_ages(known, scores, NARROW),
            title=title,
            caption=tr(
                "{unit} on {day}. The oldest one ever won took {days} days.{without}",
                unit=unit, day=write_day(scores.as_of),
                days=format_number(scores.oldest_won, group=False), without=without,
            ),
            alt=tr(
                "Histogram of the ages of {opportunities}. {title}.",
                opportunities=count_open(len(known)), title=title,
            ),
            how_to_read=tr(_HOW_AGES),
            numbers=_age_numbers(known, scores),
            anchor=AGES_ANCHOR,
        )  # fmt: skip


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
    axes.set_xlabel(
        tr("Age in days (line: the oldest ever won)") if width > NARROW else tr("Age in days")
    )
    axes.set_ylabel(tr("Open opportunities"))
    axes.grid(visible=False, axis="x")
    return axes


def _age_numbers(known: pd.DataFrame, scores: PipelineScores) -> pd.DataFrame:
    edges = _edges(known, scores)
    won = scores.ages
    opened, _ = np.histogram(known["age_days"], bins=edges)
    counts, _ = np.histogram(won["age_days"], bins=edges, weights=won["n_won"])
    return pd.DataFrame(
        {
            tr("Age in days"): [
                f"{np.ceil(low):.0f} – {np.ceil(high) - 1:.0f}"
                for low, high in zip(edges[:-1], edges[1:], strict=True)
            ],
            tr("Open"): opened,
            tr("Won ever at that age"): counts.astype(int),
        }
    )
