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
from salesnb.analysis.impact.levels import BEHAVIOUR, LEARNING, RESULTS
from salesnb.analysis.impact.verdict import Check, Word
from salesnb.analysis.wording import MISSING, begin_large, count_things, name_quarters
from salesnb.language import format_number, format_share, mark, tr, write_day
from salesnb.views.blocks import Block, Note, Remark, Remarks, Table
from salesnb.views.figures.parts import write_signed

Row = dict[Hashable, Any]
VERDICT_ANCHOR, METHODS_ANCHOR, LEVELS_ANCHOR = "impact-verdict", "impact-methods", "impact-levels"
_DESIGNS = {
    "lottery": mark("against those who wait"),
    "team": mark("team against team"),
    "chosen": mark("changes beside the untrained"),
}
_VERDICTS: dict[Word, str] = {
    "worked": mark("worked"),
    "moved the wrong way": mark("moved the wrong way"),
    "no effect found": mark("no effect found"),
    "cannot tell": mark("cannot tell"),
}


def programmes_table(found: Programmes) -> Block:
    """List the programmes with rule, size and dates, and whether anything can be said yet."""
    if found.lacking:
        return Note(found.finding, "missing")
    rows = found.rows.to_dict("records")
    return Table.from_frame(
        pd.DataFrame(
            {
                tr("Programme"): [row["programme"] for row in rows],
                tr("Course"): [row["course"] for row in rows],
                tr("Chosen by"): [row["rule"] or tr("not recorded") for row in rows],
                tr("Judged by"): [tr(_DESIGNS[design]) for design in found.rows["design"]],
                tr("From"): [write_day(row["assigned_on"]) for row in rows],
                tr("Sent"): [row["n_assigned"] for row in rows],
                tr("Completed"): [row["n_completed"] for row in rows],
                tr("State"): [_state(row) for row in rows],
            }
        ),
        title=found.finding,
        caption=tr("Everyone assigned to a course together, the latest first."),
        key=(found.caveat,),
        anchor=PROGRAMMES_ANCHOR,
        numeric=(tr("Sent"), tr("Completed")),
    )


def verdicts_table(found: ProgrammeVerdicts) -> Block:
    """List what each programme did beside what is usually reported of it."""
    if found.lacking:
        return Note(found.finding, "missing")
    rows = [
        (
            impact.programme, impact.course, impact.rule or tr("not recorded"),
            _verdict(impact), impact.write(impact.effect.estimate),
            _span(impact, *impact.effect.interval(0.95)),
            impact.write(impact.kpi_sign * impact.smallest_seen), impact.write(impact.before_after),
        )
        for impact in found.impacts
    ]  # fmt: skip
    return Table(
        title=found.finding,
        caption=tr(
            "{kpi}, to {period}; each judged by its own design.",
            kpi=found.impacts[0].kpi.label, period=found.period,
        ),
        header=(tr("Programme"), tr("Course"), tr("Chosen by"), tr("Verdict"), tr("Effect"),
                tr("95% interval"), tr("Would be seen"), tr("Before and after")),
        rows=tuple(rows),
        numeric=frozenset({4, 5, 6, 7}),
        key=(
            found.caveat,
            tr(
                "Would be seen: the effect that would have been found four times in five; where "
                "people were chosen, by the first comparison alone. Before and after: the trained "
                "people's own change, with what it owes to chance and selection."
            ),
        ),
        anchor=OVERVIEW_ANCHOR,
    )  # fmt: skip


def impact_verdict(impact: TrainingImpact) -> Block:
    """Say what could have been seen, then the verdict, who was compared, and what must hold."""
    if impact.lacking:
        return Note(impact.finding, "missing")
    checks = tuple(Remark(_passed(check), check.text) for check in impact.checks)
    groups = (
        (tr("What could have been seen"), (Remark(_power(impact)),)),
        (tr("Verdict"), (Remark(f"{_verdict(impact)}.", impact.why),)),
        (tr("Who was compared"), (Remark("", impact.design_text),)),
        (tr("What must hold"), checks),
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
        caption=tr(
            "{kpi}, {quarters}. In SD: in standard deviations of people's quarters.",
            kpi=impact.kpi.label,
            quarters=_quarters(impact),
        ),
        header=(
            tr("Way of looking"),
            tr("Effect"),
            tr("95% interval"),
            tr("In SD"),
            tr("Off by"),
        ),
        rows=tuple(_method(impact, row) for row in rows),
        numeric=frozenset({1, 2, 3, 4}),
        key=tuple(f"{tr(row['method'])}: {row['why']}" for row in rows if row["why"]),
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
        caption=tr(
            "{programme}: Kirkpatrick's four levels of what a training can do.",
            programme=impact.name,
        ),
        header=(tr("Level"), tr("Measure"), tr("Figure and 95% interval"), tr("What it says")),
        rows=tuple(_level(impact, row) for row in rows),
        key=(
            tr(
                "Behaviour is what raters see of the trained skill beside the other skills on the "
                "same form, so how strict a rater is cancels. Raters may know who was trained."
            ),
        ),
        anchor=LEVELS_ANCHOR,
        is_sortable=False,
    )


def _power(impact: TrainingImpact) -> str:
    smallest = impact.smallest_seen
    if not np.isfinite(smallest):
        return tr("Nothing: there are too few people or quarters to compare.")
    return tr(
        "An effect of {size} ({n} standard deviations of people's quarters) would have been seen "
        "four times in five{seen_by}. Smaller ones may well be missed.",
        size=impact.write(impact.kpi_sign * smallest),
        n=format_number(smallest / impact.spread, 1, group=False),
        seen_by=impact.seen_by,
    )


def _quarters(impact: TrainingImpact) -> str:
    if not (impact.before and impact.after):
        return tr("training in {period}", period=impact.at)
    return tr(
        "training in {period}, {after} against {before}",
        period=impact.at,
        after=name_quarters(impact.after),
        before=name_quarters(impact.before),
    )


def _methods_title(impact: TrainingImpact) -> str:
    naive = impact.estimates[impact.estimates["role"] == "naive"].iloc[0]
    if not np.isfinite(naive["off_by"]):
        return tr("{programme}: ways of looking", programme=impact.name)
    return tr(
        "Before and after alone would claim {naive}; the fair comparison finds {effect}",
        naive=impact.write(naive["estimate"]),
        effect=impact.write(impact.effect.estimate),
    )


def _method(impact: TrainingImpact, row: Row) -> tuple[str, ...]:
    return (
        tr(row["method"]),
        impact.write(row["estimate"]),
        _span(impact, row["low95"], row["high95"]),
        write_signed(row["in_sd"]),
        impact.write(row["off_by"]) if np.isfinite(row["off_by"]) else MISSING,
    )


def _levels_title(impact: TrainingImpact) -> str:
    behaviour = impact.levels[impact.levels["level"] == BEHAVIOUR].iloc[0]
    low, high = behaviour["low"], behaviour["high"]
    said = {"programme": impact.name, "verdict": tr(_VERDICTS[impact.verdict])}
    if not np.isfinite(low):
        return tr("{programme}: behaviour is not known; result: {verdict}", **said)
    if low > 0:
        return tr(
            "{programme}: beside the untrained the skill's rating moved up; result: {verdict}",
            **said,
        )
    if high < 0:
        return tr(
            "{programme}: beside the untrained the skill's rating moved down; result: {verdict}",
            **said,
        )
    return tr(
        "{programme}: beside the untrained the skill's rating did not move beyond chance; result: "
        "{verdict}",
        **said,
    )


def _level(impact: TrainingImpact, row: Row) -> tuple[str, ...]:
    level, says = row["level"], row["text"]
    if not np.isfinite(row["figure"]):
        figure = MISSING
    elif level == LEARNING:
        figure = format_share(row["figure"])
    else:
        write = impact.write if level == RESULTS else write_signed
        figure, low, high = (write(row[name]) for name in ("figure", "low", "high"))
        figure = tr("{figure} ({low} to {high})", figure=figure, low=low, high=high)
    if level == RESULTS:
        says = f"{_verdict(impact)}."
    return tr(level), begin_large(row["measure"]), figure, says


def _state(row: Row) -> str:
    if row["status"] != READY:
        return str(row["status"])
    return tr(
        "can be judged: {quarters} since",
        quarters=count_things(row["n_after"], "quarter", "quarters"),
    )


def _verdict(impact: TrainingImpact) -> str:
    return begin_large(tr(_VERDICTS[impact.verdict]))


def _passed(check: Check) -> str:
    if check.is_passed is None:
        return tr("{check}: could not be checked.", check=check.name)
    if check.is_passed:
        return tr("{check}: holds.", check=check.name)
    return tr("{check}: does not hold.", check=check.name)


def _span(impact: TrainingImpact, low: float, high: float) -> str:
    return tr("{low} to {high}", low=impact.write(low), high=impact.write(high))
