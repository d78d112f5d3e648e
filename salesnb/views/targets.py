"""Targets as an indented table: whose, whether parts add up to the whole, what came of them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import pandas as pd

from salesnb.analysis.targets import TARGETS_ANCHOR, TargetTree
from salesnb.analysis.wording import MISSING, format_precise, format_value, within_sentence
from salesnb.language import format_number, format_share, mark, tr
from salesnb.measures.privacy import is_about_one
from salesnb.views.blocks import Block, Note, Table

Row = dict[Hashable, Any]
MOST_OWNERS = 40
"""Owners above which only teams, and reps whose target needs attention, are listed."""

_INDENT = "\u00a0" * 3
"""Spaces that neither collapse nor break."""

_STATUSES = {"reconciled": mark("adds up"), "not split": mark("not split")}
_ISSUES = {
    "no target": mark("no target set"),
    "no owner": mark("target of an unknown owner"),
    "circular": mark("parents form a circle"),
}


def target_table(tree: TargetTree) -> Block:
    """Show targets indented under their parents, with gaps and overlaps in words."""
    if tree.rows.empty or tree.rows["target"].isna().all():
        return Note(tree.finding, "missing")
    rows, left_out = _rows_to_show(tree)
    records = rows.to_dict("records")
    whose, difference = tr("Whose"), tr("Difference")
    columns: dict[str, list[str]] = {
        whose: [f"{_INDENT * row['depth']}{row['owner']}" for row in records],
        tr("Target"): [format_value(tree.kpi, row["target"], tree.currency) for row in records],
    }
    if tree.is_additive:
        columns[tr("Targets below")] = [_below(row, tree) for row in records]
        columns[difference] = [describe_difference(row, tree) for row in records]
    columns[tree.kpi.label] = [_actual(row, tree) for row in records]
    if tree.is_additive:
        columns[tr("Of target")] = [_share(row["attainment"]) for row in records]
        if tree.rows["prorated"].notna().any():
            columns[tr("Of prorated")] = [_share(row["prorated_attainment"]) for row in records]
    columns[tr("n")] = [format_number(row["n"]) for row in records]
    table = Table.from_frame(
        pd.DataFrame(columns),
        title=tree.finding,
        caption=f"{_caption(tree)}{left_out}",
        key=(tree.caveat,) if tree.caveat else (),
        anchor=TARGETS_ANCHOR,
        numeric=set(columns) - {whose, difference},
    )
    # Sorted by a column the tree would fall apart.
    return replace(table, is_sortable=False)


def _rows_to_show(tree: TargetTree) -> tuple[pd.DataFrame, str]:
    listed = tree.rows[~tree.rows["owner"].map(is_about_one).astype(bool)]
    if len(listed) <= MOST_OWNERS:
        return listed, ""
    shown = listed[(listed["owner_kind"] == "team") | (listed["issue"] != "")]
    left_out = tr(
        "{n} reps whose target is in order are left out.",
        n=format_number(len(listed) - len(shown)),
    )
    return shown, f" {left_out}"


def _caption(tree: TargetTree) -> str:
    names = {"unit": tree.unit, "quarter": tree.period}
    if not tree.is_additive:
        kpi = within_sentence(tree.kpi.label)
        if tree.is_over:
            return tr("{unit}, {quarter}: {kpi} beside its target.", kpi=kpi, **names)
        return tr("{unit}, {quarter}: {kpi} so far beside its target.", kpi=kpi, **names)
    if tree.is_over:
        return tr(
            "{unit}, {quarter}: full targets, the sum of those below, and what was booked. A "
            "prorated target leaves out ramp and leave.",
            **names,
        )
    return tr(
        "{unit}, {quarter}: full targets, the sum of those below, and what was booked so far. A "
        "prorated target leaves out ramp and leave.",
        **names,
    )


def describe_difference(row: Row, tree: TargetTree) -> str:
    """Say in words how a target and those below it differ, or what is wrong with it."""
    parts, status, issue = [], row["status"], row["issue"]
    if status in ("gap", "overlap"):
        size = format_precise(tree.kpi, abs(row["gap"]), tree.currency)
        parts.append(
            tr("{amount} not handed on (gap)", amount=size)
            if status == "gap"
            else tr("{amount} too much below (overlap)", amount=size)
        )
    elif status:
        parts.append(tr(_STATUSES[status]))
    if issue:
        parts.append(tr(_ISSUES[issue]))
    return "; ".join(parts) or MISSING


def _below(row: Row, tree: TargetTree) -> str:
    if not row["n_children"]:
        return MISSING
    below = format_value(tree.kpi, row["children"], tree.currency)
    return f"{below} ({format_number(row['n_children'])})"


def _actual(row: Row, tree: TargetTree) -> str:
    return format_value(tree.kpi, row["actual"], tree.currency)


def _share(value: float) -> str:
    return MISSING if pd.isna(value) else format_share(value)
