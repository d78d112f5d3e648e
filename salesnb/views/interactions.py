"""Interactions as tables: odds by pattern, and what people's days hold."""

from __future__ import annotations

import math

from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.interactions import Capacity, WinningPatterns
from salesnb.analysis.interactions.capacity_result import (
    CAPACITY_ANCHOR,
    LOAD_NAMES,
    LOADS,
    write_load,
)
from salesnb.analysis.interactions.patterns_result import PATTERNS_ANCHOR
from salesnb.analysis.interactions.steps import STEP_WORDS, write_odds
from salesnb.analysis.wording import MISSING, begin_large, count_people
from salesnb.language import format_number, tr, tr_many
from salesnb.measures.contacts import LANDMARK_DAYS
from salesnb.views.blocks import Block, Note, Table
from salesnb.views.tables import Row


def patterns_table(found: WinningPatterns) -> Block:
    """Show the odds of one step more of each pattern: naive, raw and adjusted in turn."""
    if found.lacking or found.patterns.empty:
        return Note(found.finding, "missing" if found.lacking else "info")
    return Table(
        title=found.contrast or found.finding,
        caption=tr(
            "Odds of winning for one step more; x1 is no difference. {rests_on} Over whole lives: "
            "{n} closed ones.",
            rests_on=_rests_on(found),
            n=format_number(found.n_closed),
        ),
        header=(
            tr("Pattern"), tr("One step"), tr("Over whole lives"),
            tr("First {days} days, raw", days=LANDMARK_DAYS), tr("Alike ones"), tr("95% interval"),
            tr("Same stage"), tr("Beside the others"), tr("Says"),
        ),
        rows=tuple(_pattern_row(row) for row in found.patterns.to_dict("records")),
        numeric=frozenset({2, 3, 4, 5, 6, 7}),
        key=(
            tr("Alike ones: the same person's, of like type, source, size and quarter."),
            tr(
                "Same stage: also both qualified or both not by day {day}; a pattern that brings "
                "an opportunity forward loses by it.",
                day=LANDMARK_DAYS,
            ),
            tr(
                "Beside the others: all patterns at once; they go together, so the parts are "
                "unsure."
            ),
        ),
        anchor=f"{PATTERNS_ANCHOR}-table",
    )  # fmt: skip


def _pattern_row(row: Row) -> tuple[str, ...]:
    odds = [write_odds(row[name]) for name in ("naive", "raw", "adjusted")]
    interval = f"{write_odds(row['low'])} – {write_odds(row['high'])}"
    is_clear = row["q_value"] < FALSE_CLAIMS
    says = tr("beyond chance") if is_clear else tr("no clear difference")
    step = tr(STEP_WORDS[str(row["pattern"])])
    others = [write_odds(row[name]) for name in ("same_stage", "together")]
    return str(row["label"]), step, *odds, interval, *others, says


def _rests_on(found: WinningPatterns) -> str:
    return tr(
        "{n} opportunities of {people} people created in {first} to {last} and open {days} days "
        "later, {won} won within {horizon} days; {alike} can be compared with alike ones.",
        n=format_number(found.n),
        people=format_number(found.n_people, group=False),
        first=found.window[0],
        last=found.window[-1],
        days=LANDMARK_DAYS,
        won=format_number(found.n_won),
        horizon=found.horizon,
        alike=format_number(found.n_alike),
    )


def capacity_table(found: Capacity) -> Block:
    """Show what a week of one person holds, and the loads now and before."""
    if found.lacking:
        return Note(found.finding, "missing")
    measured = tr("per week and person")
    week = [
        (row["what"], write_load(row["now"]), write_load(row["before"]), measured, "")
        for row in found.week.to_dict("records")
        if math.isfinite(row["now"])
    ]
    return Table(
        title=found.week_said,
        caption=tr(
            "{unit}, {quarter}: {people} with {days}. {caveat}",
            unit=found.unit,
            quarter=found.period,
            people=count_people(found.n_people),
            days=tr_many("{n} working day", "{n} working days", found.working_days),
            caveat=found.caveat,
        ),
        header=(
            tr("What"),
            found.period,
            begin_large(found.past_said),
            tr("Measured"),
            tr("Same people, change"),
        ),
        rows=(*_load_rows(found), *week),
        numeric=frozenset({1, 2}),
        key=(found.busy_said,),
        anchor=f"{CAPACITY_ANCHOR}-table",
        is_sortable=False,
    )


def _load_rows(found: Capacity) -> list[tuple[str, ...]]:
    changes = {row["load"]: row for row in found.changes.to_dict("records")}
    rows: list[tuple[str, ...]] = []
    for load in LOADS:
        now, before = found.load(load)
        if math.isfinite(now):
            change = _change(changes[load])
            rows.append((tr(LOAD_NAMES[load]), write_load(now), write_load(before), "", change))
    return rows


def _change(row: Row) -> str:
    if not math.isfinite(row["ratio"]):
        return MISSING
    ends = f"{write_odds(row['low'])} – {write_odds(row['high'])}"
    n = format_number(row["n"], group=False)
    said = {"ratio": write_odds(row["ratio"]), "ends": ends, "n": n}
    if row["p_adjusted"] < FALSE_CLAIMS:
        return tr("{ratio} ({ends}), n {n}", **said)
    return tr("{ratio} ({ends}), n {n}; no clear change", **said)
