"""Training impact as blocks: programmes, verdict, methods side by side, Kirkpatrick's levels."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from salesnb.analysis.impact import (
    OVERVIEW_ANCHOR,
    PROGRAMMES_ANCHOR,
    READY,
    Programmes,
    ProgrammeVerdicts,
    TrainingImpact,
)
from salesnb.analysis.wording import MISSING, begin_large, count_things
from salesnb.views.blocks import Block, Note, Remark, Remarks, Table

Row = dict[Hashable, Any]
VERDICT_ANCHOR, METHODS_ANCHOR, LEVELS_ANCHOR = "impact-verdict", "impact-methods", "impact-levels"
_PASSED = {True: "holds", False: "does not hold", None: "could not be checked"}
_DESIGNS = {
    "lottery": "against those who wait",
    "team": "team against team",
    "chosen": "changes beside the untrained",
}


def programmes_table(found: Programmes) -> Block:
    """List the programmes with rule, size and dates, and whether anything can be said yet."""
    if found.lacking:
        return Note(found.finding, "missing")
    rows = found.rows.to_dict("records")
    return Table.from_frame(
        pd.DataFrame(
            {
                "Programme": [row["programme"] for row in rows],
                "Course": [row["course"] for row in rows],
                "Chosen by": [row["rule"] or "not recorded" for row in rows],
                "Judged by": [_DESIGNS[row["design"]] for row in rows],
                "From": [f"{row['assigned_on']:%Y-%m-%d}" for row in rows],
                "Sent": [row["n_assigned"] for row in rows],
                "Completed": [row["n_completed"] for row in rows],
                "State": [_state(row) for row in rows],
            }
        ),
        title=found.finding,
        caption="Everyone assigned to a course together, the latest first.",
        key=(found.caveat,),
        anchor=PROGRAMMES_ANCHOR,
        numeric=("Sent", "Completed"),
    )


def verdicts_table(found: ProgrammeVerdicts) -> Block:
    """List what each programme did beside what is usually reported of it."""
    if found.lacking:
        return Note(found.finding, "missing")
    rows = [
        (
            impact.programme, impact.course, impact.rule or "not recorded",
            begin_large(impact.verdict), impact.write(impact.effect.estimate),
            " to ".join(impact.write(end) for end in impact.effect.interval(0.95)),
            impact.write(impact.kpi_sign * impact.smallest_seen), impact.write(impact.before_after),
        )
        for impact in found.impacts
    ]  # fmt: skip
    return Table(
        title=found.finding,
        caption=f"{found.impacts[0].kpi.label}, to {found.period}; each judged by its own design.",
        header=("Programme", "Course", "Chosen by", "Verdict", "Effect", "95% interval",
                "Would be seen", "Before and after"),
        rows=tuple(rows),
        numeric=frozenset({4, 5, 6, 7}),
        key=(
            found.caveat,
            "Would be seen: the effect that would have been found four times in five; where people "
            "were chosen, by the first comparison alone. Before and after: the trained people's "
            "own change, with what it owes to chance and selection.",
        ),
        anchor=OVERVIEW_ANCHOR,
    )  # fmt: skip


def impact_verdict(impact: TrainingImpact) -> Block:
    """Say what could have been seen, then the verdict, who was compared, and what must hold."""
    if impact.lacking:
        return Note(impact.finding, "missing")
    checks = tuple(
        Remark(f"{check.name}: {_PASSED[check.is_passed]}.", check.text) for check in impact.checks
    )
    groups = (
        ("What could have been seen", (Remark(_power(impact)),)),
        ("Verdict", (Remark(f"{begin_large(impact.verdict)}.", impact.why),)),
        ("Who was compared", (Remark("", impact.design_text),)),
        ("What must hold", checks),
    )
    return Remarks(
        title=impact.finding,
        caption=f"{impact.kpi.label}, {_quarters(impact)}. {impact.caveat}",
        groups=tuple((name, remarks) for name, remarks in groups if remarks),
        anchor=f"{VERDICT_ANCHOR}-{impact.kpi.kpi}",
    )


def impact_methods(impact: TrainingImpact) -> Block:
    """Show the effect beside what is usually reported, and what that counts as training."""
    rows = impact.estimates[impact.estimates["estimate"].notna()].to_dict("records")
    if not rows:
        return Note(impact.finding, "missing")
    return Table(
        title=_methods_title(impact),
        caption=(
            f"{impact.kpi.label}, {_quarters(impact)}. In SD: in standard deviations of people's "
            "quarters."
        ),
        header=("Way of looking", "Effect", "95% interval", "In SD", "Off by"),
        rows=tuple(_method(impact, row) for row in rows),
        numeric=frozenset({1, 2, 3, 4}),
        key=tuple(f"{row['method']}: {row['why']}" for row in rows if row["why"]),
        anchor=f"{METHODS_ANCHOR}-{impact.kpi.kpi}",
        is_sortable=False,
    )


def impact_levels(impact: TrainingImpact) -> Block:
    """Show Kirkpatrick's four levels, as far as the data go."""
    if impact.levels.empty:
        return Note(impact.finding, "missing")
    rows = impact.levels.to_dict("records")
    return Table(
        title=_levels_title(impact),
        caption=f"{impact.name}: Kirkpatrick's four levels of what a training can do.",
        header=("Level", "Measure", "Figure and 95% interval", "What it says"),
        rows=tuple(_level(impact, row) for row in rows),
        key=(
            "Behaviour is what raters see of the trained skill beside the other skills on the same "
            "form, so how strict a rater is cancels. Raters may know who was trained.",
        ),
        anchor=LEVELS_ANCHOR,
        is_sortable=False,
    )


def _power(impact: TrainingImpact) -> str:
    smallest = impact.smallest_seen
    if not np.isfinite(smallest):
        return "Nothing: there are too few people or quarters to compare."
    size = impact.write(impact.kpi_sign * smallest)
    return (
        f"An effect of {size} ({smallest / impact.spread:.1f} standard deviations of people's "
        f"quarters) would have been seen four times in five{impact.seen_by}. Smaller ones may well "
        "be missed."
    )


def _quarters(impact: TrainingImpact) -> str:
    if not (impact.before and impact.after):
        return f"training in {impact.at}"
    spans = [
        quarters[0] if len(quarters) == 1 else f"{quarters[0]} to {quarters[-1]}"
        for quarters in (impact.before, impact.after)
    ]
    return f"training in {impact.at}, {spans[1]} against {spans[0]}"


def _methods_title(impact: TrainingImpact) -> str:
    naive = impact.estimates[impact.estimates["role"] == "naive"].iloc[0]
    if not np.isfinite(naive["off_by"]):
        return f"{impact.name}: ways of looking"
    return (
        f"Before and after alone would claim {impact.write(naive['estimate'])}; the fair "
        f"comparison finds {impact.write(impact.effect.estimate)}"
    )


def _method(impact: TrainingImpact, row: Row) -> tuple[str, ...]:
    return (
        str(row["method"]),
        impact.write(row["estimate"]),
        f"{impact.write(row['low95'])} to {impact.write(row['high95'])}",
        f"{row['in_sd']:+.2f}".replace("-", "−"),
        impact.write(row["off_by"]) if np.isfinite(row["off_by"]) else MISSING,
    )


def _levels_title(impact: TrainingImpact) -> str:
    behaviour = impact.levels[impact.levels["level"] == "3 Behaviour"].iloc[0]
    if not np.isfinite(behaviour["low"]):
        return f"{impact.name}: behaviour is not known; result: {impact.verdict}"
    low, high = behaviour["low"], behaviour["high"]
    moved = "moved up" if low > 0 else "moved down" if high < 0 else "did not move beyond chance"
    return (
        f"{impact.name}: beside the untrained the skill's rating {moved}; result: {impact.verdict}"
    )


def _level(impact: TrainingImpact, row: Row) -> tuple[str, ...]:
    number, says = row["level"][0], row["text"]
    if not np.isfinite(row["figure"]):
        figure = MISSING
    elif number == "2":
        figure = f"{row['figure']:.0%}"
    elif number == "4":
        figure, low, high = (impact.write(row[name]) for name in ("figure", "low", "high"))
        figure = f"{figure} ({low} to {high})"
    else:
        figure = f"{row['figure']:+.2f} ({row['low']:+.2f} to {row['high']:+.2f})"
    if number == "4":
        says = begin_large(f"{impact.verdict}.")
    return row["level"], begin_large(row["measure"]), figure.replace("-", "−"), says


def _state(row: Row) -> str:
    if row["status"] != READY:
        return str(row["status"])
    return f"{READY}: {count_things(row['n_after'], 'quarter', 'quarters')} since"
