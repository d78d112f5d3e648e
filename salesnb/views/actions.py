"""Agreed actions as tables: what became of them, and what is next."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from salesnb.analysis.actions import ACTIONS_ANCHOR, STATUSES, AgreedActions
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import MISSING, format_day, format_value, within_sentence
from salesnb.language import format_number, mark, tr, write_day, write_signs
from salesnb.measures.catalogue import Kpi
from salesnb.views.blocks import Block, Note, Table

Row = dict[Hashable, Any]
NEXT_ANCHOR = "next-actions"
MOST_ROWS = 60
_VERDICTS = {
    "better": mark("better, beyond chance"),
    "worse": mark("worse, beyond chance"),
    "no clear change": mark("no clear change"),
}


def actions_table(actions: AgreedActions) -> Block:
    """Show a quarter's actions with owner, state, and the figure then and now."""
    if actions.rows.empty:
        return Note(actions.finding, "missing" if not actions.is_recorded else "info")
    rows = actions.rows.head(MOST_ROWS).to_dict("records")
    caption = tr(
        "{unit}, agreed or due in {period}, as of {day}: the figure in the last quarter before and "
        "the latest since, with the records it rests on.",
        unit=actions.unit,
        period=actions.period,
        day=write_day(actions.as_of),
    )
    table = {
        tr("Who"): [row["owner"] for row in rows],
        tr("What"): [_what(row, actions) for row in rows],
        tr("Due"): [format_day(row["due_on"]) for row in rows],
        tr("Status"): [_status(row) for row in rows],
        tr("Then"): [_figure(row, "before", actions) for row in rows],
        tr("Now"): [_figure(row, "now", actions) for row in rows],
        tr("Target"): [_target(row, actions) for row in rows],
        tr("Change"): [_verdict(row) for row in rows],
    }
    return Table.from_frame(
        pd.DataFrame(table),
        title=actions.finding,
        caption=f"{caption}{_cut(len(actions.rows))}",
        key=(actions.caveat,),
        anchor=ACTIONS_ANCHOR,
    )


def next_actions(actions: AgreedActions) -> Block:
    """Show open actions that are due, and who is surely worse and has none."""
    if not actions.is_recorded:
        return Note(actions.finding, "missing")
    rows = [
        (row["owner"], _what(row, actions), format_day(row["due_on"]), _status(row))
        for row in actions.ahead.to_dict("records")
    ]
    open_ones = len(rows)
    for owner, own in actions.unaddressed.groupby("owner", sort=True):
        named = ", ".join(within_sentence(_kpi_label(kpi, actions)) for kpi in own["kpi"])
        worse = tr("worse than the group: {kpis}", kpis=named)
        rows.append((str(owner), worse, MISSING, tr("none agreed")))
    if not rows:
        return Note(tr("No action is open, and nobody surely worse is without one."), "info")
    title = tr(
        "{n} actions are open and due in {period} or later", n=open_ones, period=actions.period
    )
    if without := actions.unaddressed["rep_id"].nunique():
        title += tr("; {n} people surely worse have none", n=without)
    caption = tr(
        "{unit}: open actions, soonest first; then who is worse than the group with at least 95% "
        "probability and has none.",
        unit=actions.unit,
    )
    return Table.from_frame(
        pd.DataFrame(rows[:MOST_ROWS], columns=[tr("Who"), tr("What"), tr("Due"), tr("Status")]),
        title=title,
        caption=f"{caption}{_cut(len(rows))}",
        anchor=NEXT_ANCHOR,
    )


def _cut(n: int) -> str:
    return tr(" The first {n} are shown.", n=MOST_ROWS) if n > MOST_ROWS else ""


def _status(row: Row) -> str:
    status = str(row["status"])
    return tr(status) if status in STATUSES else status


def _verdict(row: Row) -> str:
    """Say the verdict; the reason why there is none is said where it was found."""
    verdict = str(row["verdict"])
    return tr(_VERDICTS[verdict]) if verdict in _VERDICTS else verdict


def _what(row: Row, actions: AgreedActions) -> str:
    if row["kpi"]:
        return _kpi_label(row["kpi"], actions)
    if row["skill"]:
        return tr("Skill: {skill}", skill=skill_label(row["skill"]))
    return tr("not said")


def _kpi_label(kpi: str, actions: AgreedActions) -> str:
    found = _find_kpi(kpi, actions)
    return found.label if found else skill_label(kpi)


def _find_kpi(kpi: str, actions: AgreedActions) -> Kpi | None:
    return next((item for item in actions.kpis if item.kpi == kpi), None)


def _figure(row: Row, when: str, actions: AgreedActions) -> str:
    value = _value(row, row[when], actions)
    if value == MISSING:
        return value
    return tr("{figure} (n {n})", figure=value, n=format_number(row[f"{when}_n"]))


def _target(row: Row, actions: AgreedActions) -> str:
    value = _value(row, row["target"], actions)
    if value == MISSING or row["is_reached"] not in (True, False):
        return value
    if row["is_reached"]:
        return tr("{figure}, reached", figure=value)
    return tr("{figure}, not reached", figure=value)


def _value(row: Row, value: float, actions: AgreedActions) -> str:
    kpi = _find_kpi(row["kpi"], actions)
    if kpi is not None:
        return format_value(kpi, value, actions.currency)
    return MISSING if pd.isna(value) else write_signs(f"{value:.3g}")
