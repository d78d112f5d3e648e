"""Open opportunities as tables: what deserves attention, the quarter, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from typing import Any

from salesnb.analysis.pipeline import (
    FORECAST_ANCHOR,
    METHODS,
    PRIORITIES_ANCHOR,
    SCORES_ANCHOR,
    PipelineForecast,
    PipelinePriorities,
    PipelineScores,
)
from salesnb.analysis.wording import MISSING, begin_large, format_money
from salesnb.language import format_number, format_share, mark, tr, tr_many, write_day
from salesnb.views.blocks import Block, Note, Table

Row = dict[Hashable, Any]
MOST_SHOWN = 20
METHODS_ANCHOR = f"{SCORES_ANCHOR}-methods"
_PARTS = {
    "booked": mark("Booked so far"),
    "open": mark("Of what is open"),
    "new": mark("Of what is not open yet"),
    "total": mark("The quarter"),
}


def _share(value: float) -> str:
    return format_share(value, 1)


def _two_places(value: float) -> str:
    return format_number(value, 2, group=False)


def _three_places(value: float) -> str:
    return format_number(value, 3, group=False)


_FIGURES: dict[str, tuple[str, Callable[[float], str]]] = {
    "error": (mark("Chances off by, on average"), _share),
    "slope": (mark("Slope (1 is right)"), _two_places),
    "brier": (mark("Brier score (lower is better)"), _three_places),
    "log_loss": (mark("Log loss (lower is better)"), _three_places),
    "auc": (mark("AUC (parts won from not won; .5 is guessing)"), _two_places),
}


def priorities_table(found: PipelinePriorities, *, most: int = MOST_SHOWN) -> Block:
    """List what deserves attention first, with reasons and a next step from its rule."""
    if found.rows.empty:
        return Note(found.finding, "missing")
    shown = found.rows.head(most).to_dict("records")
    said = [
        tr(
            "Open opportunities of {unit}; the chance is that of being won within {days} days.",
            unit=found.unit,
            days=found.horizon_days,
        )
    ]
    if found.n_open > len(shown):
        n, of = format_number(len(shown), group=False), format_number(found.n_open)
        said.append(tr("The first {n} of {of} are shown.", n=n, of=of))
    return Table(
        title=found.finding,
        caption=" ".join(said),
        # what to do and why come first: a phone shows the first three columns
        header=(
            tr("Opportunity"),
            tr("Next step"),
            tr("Why"),
            tr("Chance"),
            tr("Value"),
            tr("Expected"),
            tr("Rep, stage"),
            tr("Id"),
        ),
        rows=tuple(_priority(row, found.currency) for row in shown),
        numeric=frozenset({3, 4, 5}),
        key=(
            *(
                (tr("~ has no amount: the mean won amount of its product."),)
                if any(row["is_value_typical"] for row in shown)
                else ()
            ),
            found.caveat,
        ),
        anchor=PRIORITIES_ANCHOR,
    )


def _priority(row: Row, currency: str) -> tuple[str, ...]:
    name, identifier = row["account"], row["opportunity_id"]
    typical = "~" if row["is_value_typical"] else ""
    return (
        name or identifier,
        row["step"],
        _reasons(row),
        MISSING if math.isnan(row["p"]) else format_share(row["p"]),
        f"{typical}{format_money(row['value'], currency)}",
        format_money(row["expected"], currency),
        ", ".join(part for part in (row["rep"], row["stage"]) if part) or MISSING,
        identifier,
    )


def _reasons(row: Row) -> str:
    parts = []
    if row["because"]:
        parts.append(tr("step: {reason}", reason=row["because"]))
    if row["lowers"]:
        parts.append(tr("lowers: {reasons}", reasons=row["lowers"]))
    if row["raises"]:
        parts.append(tr("raises: {reasons}", reasons=row["raises"]))
    return begin_large("; ".join(parts)) if parts else MISSING


def forecast_table(found: PipelineForecast) -> Block:
    """Show the parts of a quarter's forecast, its coverage, and what past ones were worth."""
    if found.lacking:
        return Note(found.finding, "missing")
    rows = [_part(row, found) for row in found.parts.to_dict("records")]
    return Table(
        title=found.finding,
        caption=tr_many(
            "{unit}, {quarter}, {n} day to go. Range: 90% interval.",
            "{unit}, {quarter}, {n} days to go. Range: 90% interval.",
            found.days_left,
            unit=found.unit,
            quarter=found.period,
        ),
        header=(
            tr("What"),
            tr("Opportunities"),
            tr("Amount"),
            tr("Expected"),
            tr("Range"),
        ),
        rows=(*rows, *_beside(found)),
        numeric=frozenset({1, 2, 3}),
        key=tuple(line for line in (found.caveat,) if line),
        anchor=FORECAST_ANCHOR,
        is_sortable=False,
    )


def _part(row: Row, found: PipelineForecast) -> tuple[str, ...]:
    n, name = row["n"], str(row["part"])
    ends = f"{found.money(row['low'])} – {found.money(row['high'])}"
    is_range = math.isfinite(row["low"]) and name != "booked"
    return (
        tr(_PARTS[name]),
        format_number(n) if math.isfinite(n) else MISSING,
        found.money(row["amount"]) if math.isfinite(row["amount"]) else MISSING,
        found.money(row["expected"]),
        ends if is_range else MISSING,
    )


def _beside(found: PipelineForecast) -> list[tuple[str, ...]]:
    """List target, coverage and slippage."""
    rows: list[tuple[str, ...]] = []
    if found.target > 0:
        rows.append((tr("Target"), MISSING, MISSING, found.money(found.target), MISSING))
    if math.isfinite(found.coverage):
        what = tr("Open and due, over what the target lacks")
        times = tr("{n} times", n=format_number(found.coverage, 1, group=False))
        rows.append((what, MISSING, found.money(found.due), times, MISSING))
    if math.isfinite(found.slipped):
        what = tr_many(
            "Due amounts that moved out, {n} quarter before",
            "Due amounts that moved out, {n} quarters before",
            found.n_slipped,
        )
        rows.append((what, MISSING, MISSING, format_share(found.slipped), MISSING))
    return rows


def methods_table(scores: PipelineScores) -> Block:
    """Show how right chances were on later months, beside the share won of each stage."""
    if scores.quality is None or scores.table_quality is None:
        return Note(f"{scores.company.name}: {scores.why_not}.", "missing")
    own, table = scores.quality, scores.table_quality
    rows = [
        (
            tr(label),
            _with_ends(write, own.figures.loc[name].to_dict()),
            _with_ends(write, table.figures.loc[name].to_dict()),
        )
        for name, (label, write) in _FIGURES.items()
    ]
    rows.append((tr("Wins expected over wins that came"), _two_places(own.sum_ratio),
                 _two_places(table.sum_ratio)))  # fmt: skip
    leaks = tuple(
        tr("Left out: {column}, which {reason}.", column=leak.feature.name, reason=leak.reason)
        for leak in scores.leaks
    )
    return Table(
        title=_judged(scores),
        caption=tr(
            "{pictures} pictures of {opportunities} opportunities, {first} to {last}; 95% "
            "intervals. By chance alone they would be {share} off.",
            pictures=format_number(own.n),
            opportunities=format_number(own.n_opportunities),
            first=write_day(own.first_day),
            last=write_day(own.last_day),
            share=_share(own.by_chance),
        ),
        header=(
            tr("Figure"),
            begin_large(tr(METHODS[scores.method])),
            tr("Share won of each stage"),
        ),
        rows=tuple(rows),
        key=(*leaks, tr("Rep, team and manager are no part of a chance.")),
        anchor=METHODS_ANCHOR,
        is_sortable=False,
    )


def _judged(scores: PipelineScores) -> str:
    own, table = scores.quality, scores.table_quality
    if own is None or table is None or scores.method == "table":
        return tr("No model foresees better than the share won of each stage, so that is used")
    return tr(
        "{method} foresees {share} better than the share won of each stage",
        method=begin_large(tr(METHODS[scores.method])),
        share=format_share(1 - own.value("brier") / table.value("brier")),
    )


def _with_ends(write: Callable[[float], str], row: Row) -> str:
    value, low, high = (write(row[name]) for name in ("value", "low", "high"))
    return f"{value} ({low} – {high})"
