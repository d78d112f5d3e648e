"""The sales process as tables: stages, steps, bottlenecks, habits, and units side by side."""

from __future__ import annotations

import math

import pandas as pd

from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.process import (
    BOTTLENECKS_ANCHOR,
    COMPARISON_ANCHOR,
    COMPLIANCE_ANCHOR,
    TEAM_BOTTLENECKS_ANCHOR,
    Bottlenecks,
    Compliance,
    ProcessComparison,
    StageFlow,
    TeamBottlenecks,
)
from salesnb.analysis.process.compare import BY, DAYS, MOVED, WON_IN_TIME
from salesnb.analysis.wording import MISSING, begin_large, count_things, format_money, name_quarters
from salesnb.language import format_number, format_share, mark, tr, tr_many
from salesnb.views.blocks import Block, Note, Table

STAGES_ANCHOR, STEPS_ANCHOR = "process-stages", "process-steps"
_BEGINNING = mark("(beginning)")
MOST_TEAMS = 8


def stages_table(flow: StageFlow) -> Block:
    """Show, stage by stage, what became of entries and how long they stayed."""
    if flow.lacking:
        return Note(flow.finding, "missing")
    rows = flow.rows.to_dict("records")
    return Table(
        title=_days_title(flow),
        caption=f"{flow.unit}, {name_quarters(flow.periods)}. {flow.caveat}",
        header=(tr("Stage"), tr("Entries"), tr("Skipped"), tr("Came back in"), tr("Moved on"),
                tr("95% interval"), tr("Lost"), tr("Went back"), tr("Median days"),
                tr("95% interval of days")),
        rows=tuple(
            (
                str(row["stage"]), format_number(row["n"]), format_number(row["n_skipped"]),
                format_number(row["n_reentered"]), share(row["moved"]),
                span(row["low"], row["high"]), share(row["lost"]), share(row["back"]),
                days(row["days"]), _days_span(row["days_low"], row["days_high"]),
            )
            for row in rows
        ),
        numeric=frozenset(range(1, 10)),
        key=(
            tr("What is usually reported, moved on of those that have ended, and the median of "
               "their days: {stages}.", stages=_naive(flow)),
        ),
        anchor=STAGES_ANCHOR,
        is_sortable=False,
    )  # fmt: skip


def _days_title(flow: StageFlow) -> str:
    timed = flow.rows.dropna(subset=["days"]).sort_values(["days", "stage"])
    if timed.empty:
        return tr("{unit}: too little has ended to say how long any stage takes", unit=flow.unit)
    quick, slow = timed.iloc[0], timed.iloc[-1]
    return tr(
        "{unit}: from {fewest} in {quickest} to {most} in {slowest} in the median",
        unit=flow.unit,
        fewest=_count_days(quick["days"]),
        quickest=quick["stage"],
        most=_count_days(slow["days"]),
        slowest=slow["stage"],
    )


def _naive(flow: StageFlow) -> str:
    return "; ".join(
        f"{row['stage']} {share(row['naive_moved'])}, {_count_days(row['naive_days'])}"
        for row in flow.rows.to_dict("records")
    )


def steps_table(flow: StageFlow) -> Block:
    """Show from where to where opportunities stepped, as shares of all steps from a stage."""
    if flow.lacking:
        return Note(flow.finding, "missing")
    if flow.steps.empty:
        return Note(
            tr("{unit}: no step was taken in {quarters}.", unit=flow.unit,
               quarters=name_quarters(flow.periods)),
            "missing",
        )  # fmt: skip
    steps = flow.steps.astype({"from_stage": str, "to_stage": str})
    wide = steps.pivot_table("n", "from_stage", "to_stage", aggfunc="sum", fill_value=0)
    order = ["", *flow.rows["stage"]]
    others = [name for name in (*wide.index, *wide.columns) if name not in order]
    order = [*order, *dict.fromkeys(others)]
    rows = [name for name in order if name in wide.index]
    columns = [name for name in order if name in wide.columns]
    most = steps.sort_values(["n", "from_stage", "to_stage"]).iloc[-1]
    return Table(
        title=tr(
            "The most frequent step is {begin} to {end} ({times})",
            begin=most["from_stage"] or tr(_BEGINNING),
            end=most["to_stage"],
            times=count_things(most["n"], "time", "times"),
        ),
        caption=tr(
            "{unit}, {quarters}: of all steps from the stage of a row, the share to that of a "
            "column. Entries into closed stages are as the history has them.",
            unit=flow.unit,
            quarters=name_quarters(flow.periods),
        ),
        header=(tr("From"), tr("Steps"), *columns),
        rows=tuple(
            (
                name or tr(_BEGINNING), format_number(wide.loc[name].sum()),
                *(_step(wide.loc[name, to], wide.loc[name].sum()) for to in columns),
            )
            for name in rows
        ),
        numeric=frozenset(range(1, len(columns) + 2)),
        anchor=STEPS_ANCHOR,
        is_sortable=False,
    )  # fmt: skip


def _step(n: float, whole: float) -> str:
    return format_share(n / whole, 1) if n else MISSING


def bottlenecks_table(found: Bottlenecks) -> Block:
    """Show all stages with what is at stake in each, the most first."""
    if found.lacking:
        return Note(found.finding, "missing")
    return Table(
        title=found.finding,
        caption=tr("{unit}, {quarter}; there: {other}. {caveat}", unit=found.unit,
                   quarter=found.period, other=found.other, caveat=found.caveat),
        header=(tr("Stage"), tr("Entries"), tr("Moved on"), tr("There"), tr("Difference"),
                tr("At stake"), tr("95% interval"), tr("Verdict")),
        rows=tuple(
            (
                str(row["stage"]), format_number(row["n"]), share(row["moved"]),
                share(row["moved_other"]),
                points(row["by"]), format_money(row["stake"], found.currency),
                _money_span(row["stake_low"], row["stake_high"], found.currency), _verdict(row),
            )
            for row in found.rows.to_dict("records")
        ),
        numeric=frozenset(range(1, 7)),
        anchor=f"{BOTTLENECKS_ANCHOR}-table",
        is_sortable=False,
    )  # fmt: skip


def team_bottlenecks_table(found: TeamBottlenecks) -> Block:
    """Show the bottlenecks of all teams, or what comes nearest to one."""
    if found.lacking:
        return Note(found.finding, "missing")
    shown = found.found if len(found.found) else found.rows.head(MOST_TEAMS)
    which = tr("All bottlenecks.")
    if found.found.empty:
        which = tr("None holds; the {n} largest.", n=format_number(len(shown)))
    return Table(
        title=found.finding,
        caption=tr(
            "{company}, {quarter}: each team beside the rest of the company. {which} {caveat}",
            company=found.company,
            quarter=found.period,
            which=which,
            caveat=found.caveat,
        ),
        header=(tr("Team"), tr("Stage"), tr("Entries"), tr("Moved on"), tr("Elsewhere"),
                tr("At stake"), tr("95% interval"), tr("Verdict")),
        rows=tuple(
            (
                str(row["team"]), str(row["stage"]), format_number(row["n"]), share(row["moved"]),
                share(row["moved_other"]), format_money(row["stake"], found.currency),
                _money_span(row["stake_low"], row["stake_high"], found.currency), _verdict(row),
            )
            for row in shown.to_dict("records")
        ),
        numeric=frozenset({2, 3, 4, 5, 6}),
        anchor=TEAM_BOTTLENECKS_ANCHOR,
    )  # fmt: skip


def _verdict(row: dict[object, float]) -> str:
    if math.isnan(row["p_value"]):
        return tr("too few to tell")
    if row["is_bottleneck"]:
        return tr("bottleneck")
    if row["adjusted"] < FALSE_CLAIMS:
        return tr("moves on more")
    return tr("no clear difference")


def compliance_table(found: Compliance) -> Block:
    """Show how often the process is kept to, before and now."""
    if found.rows.empty:
        return Note(found.finding, "missing")
    return Table(
        title=found.finding,
        caption=tr(
            "{unit}, {quarter} beside {before}. {caveat}",
            unit=found.unit,
            quarter=found.period,
            before=name_quarters(found.before),
            caveat=found.caveat,
        ),
        header=(tr("What"), tr("Cases"), tr("Of"), tr("Share"), tr("95% interval"), tr("Before"),
                tr("Change"), tr("Teams")),
        rows=tuple(
            (
                str(row["label"]), format_number(row["n"]), format_number(row["of"]),
                fine(row["share"]),
                f"{fine(row['low'])} – {fine(row['high'])}", fine(row["share_before"]),
                _said(row["changed"], tr("changed"), tr("no clear change")),
                _said(row["teams_differ"], tr("differ"), tr("no clear difference")),
            )
            for row in found.rows.to_dict("records")
        ),
        numeric=frozenset({1, 2, 3, 4, 5}),
        key=(
            tr("{missing}: too few cases to test, or nothing to compare with. All tests of the "
               "table are corrected together.", missing=MISSING),
        ),
        anchor=COMPLIANCE_ANCHOR,
        is_sortable=False,
    )  # fmt: skip


def _said(p_value: float, real: str, quiet: str) -> str:
    if math.isnan(p_value):
        return MISSING
    return real if p_value < FALSE_CLAIMS else quiet


def comparison_table(found: ProcessComparison) -> Block:
    """Show units side by side; figures without a difference beyond chance say so in the heading."""
    if found.rows.empty:
        return Note(found.finding, "missing")
    keys = list(dict.fromkeys(zip(found.rows["figure"], found.rows["stage"], strict=True)))
    cells = {
        (figure, stage, unit): (figure, value)
        for figure, stage, unit, value in zip(
            *(found.rows[name] for name in ("figure", "stage", "unit", "estimate")), strict=True
        )
    }
    units = sorted(set(found.rows["unit"]))
    return Table(
        title=found.finding,
        caption=f"{found.company}, {found.caveat}",
        header=(begin_large(tr(BY[found.by])), *(_heading(found, *key) for key in keys)),
        rows=tuple((unit, *(_cell(cells.get((*key, unit))) for key in keys)) for unit in units),
        numeric=frozenset(range(1, len(keys) + 1)),
        key=(tr("* no difference beyond chance between them."),),
        anchor=f"{COMPARISON_ANCHOR}-{found.by}",
    )


def _heading(found: ProcessComparison, figure: str, stage: str) -> str:
    name = {
        WON_IN_TIME: tr_many("Won within {n} day", "Won within {n} days", found.horizon),
        MOVED: tr("{stage}: moved on", stage=stage),
        DAYS: tr("{stage}: days", stage=stage),
    }[figure]
    return name if found.is_beyond_chance(figure, stage) else f"{name}*"


def _cell(found: tuple[str, float] | None) -> str:
    if found is None:
        return MISSING
    figure, value = found
    return days(value) if figure == DAYS else share(value)


def share(value: float) -> str:
    """Write a share; a dash where it is missing."""
    return format_share(value) if math.isfinite(value) else MISSING


def fine(value: float) -> str:
    """Write a small share with a decimal."""
    return format_share(value, 1) if math.isfinite(value) else MISSING


def span(low: float, high: float) -> str:
    """Write an interval of shares."""
    return f"{share(low)} – {share(high)}" if math.isfinite(low) else MISSING


def days(value: float) -> str:
    """Write days; a dash where fewer than half have ended."""
    return format_number(value, group=False) if math.isfinite(value) else MISSING


def _count_days(value: float) -> str:
    if not math.isfinite(value):
        return tr("days not known")
    return count_things(round(value), "day", "days")


def _days_span(low: float, high: float) -> str:
    return f"{days(low)} – {days(high)}" if math.isfinite(low) else MISSING


def points(value: float) -> str:
    """Write a difference of shares in points."""
    if not math.isfinite(value):
        return MISSING
    return tr("{change} pts", change=format_number(value * 100, 1, sign=True, group=False))


def _money_span(low: float, high: float, currency: str) -> str:
    if not math.isfinite(low):
        return MISSING
    return f"{format_money(low, currency)} – {format_money(high, currency)}"


def within_frame(within: pd.DataFrame) -> pd.DataFrame:
    """Write the shares by a number of days as texts."""
    return pd.DataFrame(
        {
            tr("Within days"): [days(row["days"]) for row in within.to_dict("records")],
            tr("Won"): within["won"].map(fine),
            tr("95% interval"): [
                f"{fine(low)} – {fine(high)}" if math.isfinite(low) else MISSING
                for low, high in zip(within["low"], within["high"], strict=True)
            ],
            tr("Lost"): within["lost"].map(fine),
            tr("Open"): within["open"].map(fine),
            tr("Won of the closed"): within["naive"].map(fine),
        }
    )
