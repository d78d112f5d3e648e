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
from salesnb.analysis.interactions.steps import STEP_WORDS
from salesnb.analysis.wording import MISSING, begin_large, count_people, count_things
from salesnb.measures.contacts import LANDMARK_DAYS
from salesnb.views.blocks import Block, Note, Table
from salesnb.views.tables import Row


def patterns_table(found: WinningPatterns) -> Block:
    """Show the odds of one step more of each pattern: naive, raw and adjusted in turn."""
    if found.lacking or found.patterns.empty:
        return Note(found.finding, "missing" if found.lacking else "info")
    return Table(
        title=found.contrast or found.finding,
        caption=(
            f"Odds of winning for one step more; x1 is no difference. {_rests_on(found)} "
            f"Over whole lives: {found.n_closed:,} closed ones."
        ),
        header=(
            "Pattern", "One step", "Over whole lives", f"First {LANDMARK_DAYS} days, raw",
            "Alike ones", "95% interval", "Same stage", "Beside the others", "Says",
        ),
        rows=tuple(_pattern_row(row) for row in found.patterns.to_dict("records")),
        numeric=frozenset({2, 3, 4, 5, 6, 7}),
        key=(
            "Alike ones: the same person's, of like type, source, size and quarter.",
            f"Same stage: also both qualified or both not by day {LANDMARK_DAYS}; a pattern that "
            "brings an opportunity forward loses by it.",
            "Beside the others: all patterns at once; they go together, so the parts are unsure.",
        ),
        anchor=f"{PATTERNS_ANCHOR}-table",
    )  # fmt: skip


def _pattern_row(row: Row) -> tuple[str, ...]:
    odds = [_odds(row[name]) for name in ("naive", "raw", "adjusted")]
    interval = f"{_odds(row['low'])} – {_odds(row['high'])}"
    says = "beyond chance" if row["q_value"] < FALSE_CLAIMS else "no clear difference"
    step = STEP_WORDS[str(row["pattern"])]
    others = [_odds(row[name]) for name in ("same_stage", "together")]
    return str(row["label"]), step, *odds, interval, *others, says


def _odds(value: float) -> str:
    return f"x{value:.2f}" if math.isfinite(value) else MISSING


def _rests_on(found: WinningPatterns) -> str:
    return (
        f"{found.n:,} opportunities of {found.n_people} people created in {found.window[0]} to "
        f"{found.window[-1]} and open {LANDMARK_DAYS} days later, {found.n_won:,} won within "
        f"{found.horizon} days; {found.n_alike:,} can be compared with alike ones."
    )


def capacity_table(found: Capacity) -> Block:
    """Show what a week of one person holds, and the loads now and before."""
    if found.lacking:
        return Note(found.finding, "missing")
    week = [
        (row["what"], write_load(row["now"]), write_load(row["before"]), "per week and person", "")
        for row in found.week.to_dict("records")
        if math.isfinite(row["now"])
    ]
    return Table(
        title=found.week_said,
        caption=f"{found.unit}, {found.period}: {count_people(found.n_people)} with "
        f"{count_things(found.working_days, 'working day', 'working days')}. {found.caveat}",
        header=(
            "What",
            found.period,
            begin_large(found.past_said),
            "Measured",
            "Same people, change",
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
            rows.append((LOAD_NAMES[load], write_load(now), write_load(before), "", change))
    return rows


def _change(row: Row) -> str:
    if not math.isfinite(row["ratio"]):
        return MISSING
    clear = "" if row["p_adjusted"] < FALSE_CLAIMS else "; no clear change"
    return f"x{row['ratio']:.2f} (x{row['low']:.2f} – x{row['high']:.2f}), n {row['n']:.0f}{clear}"
