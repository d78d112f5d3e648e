"""Open opportunities as tables: what deserves attention, the quarter, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Hashable
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
from salesnb.analysis.wording import MISSING, begin_large, count_things, format_money
from salesnb.views.blocks import Block, Note, Table

Row = dict[Hashable, Any]
MOST_SHOWN = 20
METHODS_ANCHOR = f"{SCORES_ANCHOR}-methods"
_PARTS = {
    "booked": "Booked so far",
    "open": "Of what is open",
    "new": "Of what is not open yet",
    "total": "The quarter",
}
_FIGURES = {
    "error": ("Chances off by, on average", "{:.1%}"),
    "slope": ("Slope (1 is right)", "{:.2f}"),
    "brier": ("Brier score (lower is better)", "{:.3f}"),
    "log_loss": ("Log loss (lower is better)", "{:.3f}"),
    "auc": ("AUC (parts won from not won; .5 is guessing)", "{:.2f}"),
}


def priorities_table(found: PipelinePriorities, *, most: int = MOST_SHOWN) -> Block:
    """List what deserves attention first, with reasons and a next step from its rule."""
    if found.rows.empty:
        return Note(found.finding, "missing")
    shown = found.rows.head(most).to_dict("records")
    more = (
        f" The first {len(shown)} of {found.n_open:,} are shown."
        if found.n_open > len(shown)
        else ""
    )
    return Table(
        title=found.finding,
        caption=(
            f"Open opportunities of {found.unit}; the chance is that of being won within "
            f"{found.horizon_days} days.{more}"
        ),
        # what to do and why come first: a phone shows the first three columns
        header=(
            "Opportunity",
            "Next step",
            "Why",
            "Chance",
            "Value",
            "Expected",
            "Rep, stage",
            "Id",
        ),
        rows=tuple(_priority(row, found.currency) for row in shown),
        numeric=frozenset({3, 4, 5}),
        key=(
            *(
                ("~ has no amount: the mean won amount of its product.",)
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
        MISSING if math.isnan(row["p"]) else f"{row['p']:.0%}",
        f"{typical}{format_money(row['value'], currency)}",
        format_money(row["expected"], currency),
        ", ".join(part for part in (row["rep"], row["stage"]) if part) or MISSING,
        identifier,
    )


def _reasons(row: Row) -> str:
    parts = [
        f"{word}: {row[side]}"
        for side, word in (("lowers", "lowers"), ("raises", "raises"))
        if row[side]
    ]
    if row["because"]:
        parts.insert(0, f"step: {row['because']}")
    return begin_large("; ".join(parts)) if parts else MISSING


def forecast_table(found: PipelineForecast) -> Block:
    """Show the parts of a quarter's forecast, its coverage, and what past ones were worth."""
    if found.lacking:
        return Note(found.finding, "missing")
    rows = [_part(row, found) for row in found.parts.to_dict("records")]
    return Table(
        title=found.finding,
        caption=(
            f"{found.unit}, {found.period}, {count_things(found.days_left, 'day', 'days')} to go. Range: 90% "
            "interval."
        ),
        header=("What", "Opportunities", "Amount", "Expected", "Range"),
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
        _PARTS[name],
        f"{n:,.0f}" if math.isfinite(n) else MISSING,
        found.money(row["amount"]) if math.isfinite(row["amount"]) else MISSING,
        found.money(row["expected"]),
        ends if is_range else MISSING,
    )


def _beside(found: PipelineForecast) -> list[tuple[str, ...]]:
    """List target, coverage and slippage."""
    rows: list[tuple[str, ...]] = []
    if found.target > 0:
        rows.append(("Target", MISSING, MISSING, found.money(found.target), MISSING))
    if math.isfinite(found.coverage):
        what = "Open and due, over what the target lacks"
        rows.append((what, MISSING, found.money(found.due), f"{found.coverage:.1f} times", MISSING))
    if math.isfinite(found.slipped):
        rows.append(
            (
                f"Due amounts that moved out, {count_things(found.n_slipped, 'quarter', 'quarters')} before",
                MISSING,
                MISSING,
                f"{found.slipped:.0%}",
                MISSING,
            )
        )
    return rows


def methods_table(scores: PipelineScores) -> Block:
    """Show how right chances were on later months, beside the share won of each stage."""
    if scores.quality is None or scores.table_quality is None:
        return Note(f"{scores.company.name}: {scores.why_not}.", "missing")
    own, table = scores.quality, scores.table_quality
    rows = [
        (
            label,
            _with_ends(shape, own.figures.loc[name].to_dict()),
            _with_ends(shape, table.figures.loc[name].to_dict()),
        )
        for name, (label, shape) in _FIGURES.items()
    ]
    rows.append(("Wins expected over wins that came", f"{own.sum_ratio:.2f}",
                 f"{table.sum_ratio:.2f}"))  # fmt: skip
    leaks = tuple(f"Left out: {leak.feature.name}, which {leak.reason}." for leak in scores.leaks)
    return Table(
        title=_judged(scores),
        caption=(
            f"{own.n:,} pictures of {own.n_opportunities:,} opportunities, "
            f"{own.first_day:%Y-%m-%d} to {own.last_day:%Y-%m-%d}; 95% intervals. By chance alone "
            f"they would be {own.by_chance:.1%} off."
        ),
        header=("Figure", begin_large(METHODS[scores.method]), "Share won of each stage"),
        rows=tuple(rows),
        key=(*leaks, "Rep, team and manager are no part of a chance."),
        anchor=METHODS_ANCHOR,
        is_sortable=False,
    )


def _judged(scores: PipelineScores) -> str:
    own, table = scores.quality, scores.table_quality
    if own is None or table is None or scores.method == "table":
        return "No model foresees better than the share won of each stage, so that is used"
    better = 1 - own.value("brier") / table.value("brier")
    return (
        f"{begin_large(METHODS[scores.method])} foresees {better:.0%} better than the share won "
        "of each stage"
    )


def _with_ends(shape: str, row: Row) -> str:
    value, low, high = (shape.format(row[name]) for name in ("value", "low", "high"))
    return f"{value} ({low} – {high})"
