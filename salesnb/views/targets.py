"""Targets as an indented table: whose, whether parts add up to the whole, what came of them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import pandas as pd

from salesnb.analysis.targets import TARGETS_ANCHOR, TargetTree
from salesnb.analysis.wording import MISSING, format_precise, format_value
from salesnb.measures.privacy import is_about_one
from salesnb.views.blocks import Block, Note, Table

Row = dict[Hashable, Any]
MOST_OWNERS = 40
"""Owners above which only teams, and reps whose target needs attention, are listed."""

_INDENT = "\u00a0" * 3
"""Spaces that neither collapse nor break."""

_STATUSES = {"reconciled": "adds up", "not split": "not split"}
_ISSUES = {
    "no target": "no target set",
    "no owner": "target of an unknown owner",
    "circular": "parents form a circle",
}


def target_table(tree: TargetTree) -> Block:
    """Show targets indented under their parents, with gaps and overlaps in words."""
    if tree.rows.empty or tree.rows["target"].isna().all():
        return Note(tree.finding, "missing")
    rows, left_out = _rows_to_show(tree)
    records = rows.to_dict("records")
    columns: dict[str, list[str]] = {
        "Whose": [f"{_INDENT * row['depth']}{row['owner']}" for row in records],
        "Target": [format_value(tree.kpi, row["target"], tree.currency) for row in records],
    }
    if tree.is_additive:
        columns["Targets below"] = [_below(row, tree) for row in records]
        columns["Difference"] = [describe_difference(row, tree) for row in records]
    columns[tree.kpi.label] = [_actual(row, tree) for row in records]
    if tree.is_additive:
        columns["Of target"] = [_share(row["attainment"]) for row in records]
        if tree.rows["prorated"].notna().any():
            columns["Of prorated"] = [_share(row["prorated_attainment"]) for row in records]
    columns["n"] = [f"{row['n']:,.0f}" for row in records]
    table = Table.from_frame(
        pd.DataFrame(columns),
        title=tree.finding,
        caption=f"{_caption(tree)}{left_out}",
        key=(tree.caveat,) if tree.caveat else (),
        anchor=TARGETS_ANCHOR,
        numeric=set(columns) - {"Whose", "Difference"},
    )
    # Sorted by a column the tree would fall apart.
    return replace(table, is_sortable=False)


def _rows_to_show(tree: TargetTree) -> tuple[pd.DataFrame, str]:
    listed = tree.rows[~tree.rows["owner"].map(is_about_one).astype(bool)]
    if len(listed) <= MOST_OWNERS:
        return listed, ""
    shown = listed[(listed["owner_kind"] == "team") | (listed["issue"] != "")]
    return shown, f" {len(listed) - len(shown):,} reps whose target is in order are left out."


def _caption(tree: TargetTree) -> str:
    so_far = "" if tree.is_over else " so far"
    if not tree.is_additive:
        return f"{tree.unit}, {tree.period}: {tree.kpi.label.lower()}{so_far} beside its target."
    return (
        f"{tree.unit}, {tree.period}: full targets, the sum of those below, and what was "
        f"booked{so_far}. A prorated target leaves out ramp and leave."
    )


def describe_difference(row: Row, tree: TargetTree) -> str:
    """Say in words how a target and those below it differ, or what is wrong with it."""
    parts = []
    if row["status"] in ("gap", "overlap"):
        size = format_precise(tree.kpi, abs(row["gap"]), tree.currency)
        words = "not handed on (gap)" if row["status"] == "gap" else "too much below (overlap)"
        parts.append(f"{size} {words}")
    elif row["status"]:
        parts.append(_STATUSES[row["status"]])
    if row["issue"]:
        parts.append(_ISSUES[row["issue"]])
    return "; ".join(parts) or MISSING


def _below(row: Row, tree: TargetTree) -> str:
    if not row["n_children"]:
        return MISSING
    return f"{format_value(tree.kpi, row['children'], tree.currency)} ({row['n_children']:.0f})"


def _actual(row: Row, tree: TargetTree) -> str:
    return format_value(tree.kpi, row["actual"], tree.currency)


def _share(value: float) -> str:
    return MISSING if pd.isna(value) else f"{value:.0%}"
