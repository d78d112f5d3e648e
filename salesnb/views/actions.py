"""Agreed actions as tables: what became of them, and what is next."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from salesnb.analysis.actions import ACTIONS_ANCHOR, AgreedActions
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import MISSING, format_day, format_value
from salesnb.measures.catalogue import Kpi
from salesnb.views.blocks import Block, Note, Table

Row = dict[Hashable, Any]
NEXT_ANCHOR = "next-actions"
MOST_ROWS = 60
_VERDICTS = {"better": "better, beyond chance", "worse": "worse, beyond chance"}


def actions_table(actions: AgreedActions) -> Block:
    """Show a quarter's actions with owner, state, and the figure then and now."""
    if actions.rows.empty:
        return Note(actions.finding, "missing" if not actions.is_recorded else "info")
    rows = actions.rows.head(MOST_ROWS).to_dict("records")
    cut = f" The first {MOST_ROWS} are shown." if len(actions.rows) > MOST_ROWS else ""
    table = {
        "Who": [row["owner"] for row in rows],
        "What": [_what(row, actions) for row in rows],
        "Due": [format_day(row["due_on"]) for row in rows],
        "Status": [row["status"] for row in rows],
        "Then": [_figure(row, "before", actions) for row in rows],
        "Now": [_figure(row, "now", actions) for row in rows],
        "Target": [_target(row, actions) for row in rows],
        "Change": [_VERDICTS.get(row["verdict"], row["verdict"]) for row in rows],
    }
    return Table.from_frame(
        pd.DataFrame(table),
        title=actions.finding,
        caption=(
            f"{actions.unit}, agreed or due in {actions.period}, as of {actions.as_of:%Y-%m-%d}: "
            "the figure in the last quarter before and the latest since, with the records it "
            f"rests on.{cut}"
        ),
        key=(actions.caveat,),
        anchor=ACTIONS_ANCHOR,
    )


def next_actions(actions: AgreedActions) -> Block:
    """Show open actions that are due, and who is surely worse and has none."""
    if not actions.is_recorded:
        return Note(actions.finding, "missing")
    rows = [
        (row["owner"], _what(row, actions), format_day(row["due_on"]), row["status"])
        for row in actions.ahead.to_dict("records")
    ]
    open_ones = len(rows)
    for owner, own in actions.unaddressed.groupby("owner", sort=True):
        named = ", ".join(_kpi_label(kpi, actions).lower() for kpi in own["kpi"])
        rows.append((str(owner), f"worse than the group: {named}", MISSING, "none agreed"))
    if not rows:
        return Note("No action is open, and nobody surely worse is without one.", "info")
    without = actions.unaddressed["rep_id"].nunique()
    worse = f"; {without} people surely worse have none" if without else ""
    cut = f" The first {MOST_ROWS} are shown." if len(rows) > MOST_ROWS else ""
    return Table.from_frame(
        pd.DataFrame(rows[:MOST_ROWS], columns=["Who", "What", "Due", "Status"]),
        title=f"{open_ones} actions are open and due in {actions.period} or later{worse}",
        caption=(
            f"{actions.unit}: open actions, soonest first; then who is worse than the group with "
            f"at least 95% probability and has none.{cut}"
        ),
        anchor=NEXT_ANCHOR,
    )


def _what(row: Row, actions: AgreedActions) -> str:
    if row["kpi"]:
        return _kpi_label(row["kpi"], actions)
    return f"Skill: {skill_label(row['skill'])}" if row["skill"] else "not said"


def _kpi_label(kpi: str, actions: AgreedActions) -> str:
    found = _find_kpi(kpi, actions)
    return found.label if found else skill_label(kpi)


def _find_kpi(kpi: str, actions: AgreedActions) -> Kpi | None:
    return next((item for item in actions.kpis if item.kpi == kpi), None)


def _figure(row: Row, when: str, actions: AgreedActions) -> str:
    value = _value(row, row[when], actions)
    return value if value == MISSING else f"{value} (n {row[f'{when}_n']:,.0f})"


def _target(row: Row, actions: AgreedActions) -> str:
    value = _value(row, row["target"], actions)
    reached = {True: ", reached", False: ", not reached"}.get(row["is_reached"], "")
    return value if value == MISSING else f"{value}{reached}"


def _value(row: Row, value: float, actions: AgreedActions) -> str:
    kpi = _find_kpi(row["kpi"], actions)
    if kpi is not None:
        return format_value(kpi, value, actions.currency)
    return MISSING if pd.isna(value) else f"{value:.3g}"
