"""Patterns that are worth a look, with what else may be behind them."""

from __future__ import annotations

from salesnb.analysis.gaming import CHECKS, GAMING_ANCHOR, GamingChecks
from salesnb.analysis.wording import begin_large
from salesnb.language import format_number, tr
from salesnb.views.blocks import Block, Note, Table


def gaming_table(found: GamingChecks) -> Block:
    """List the patterns that are worth a look; a note says so where there is none."""
    if found.signs.empty:
        return Note(f"{found.finding} {found.caveat}", "missing")
    if found.flagged.empty:
        return Note(f"{found.finding} {found.caveat}", "info")
    labels = {check.check: tr(check.label) for check in CHECKS}
    reasons = {check.check: begin_large(tr(check.reason)) for check in CHECKS}
    rows = tuple(
        (row["unit"], labels[row["check"]], row["text"], reasons[row["check"]])
        for row in found.flagged.to_dict("records")
    )
    return Table(
        title=found.finding,
        caption=tr(
            "The four quarters to {quarter}, beside the rest of the company. Allowing for all {n} "
            "comparisons, at most one in twenty of these is chance.",
            quarter=found.period,
            n=format_number(len(found.signs)),
        ),
        header=(tr("Rep"), tr("Pattern"), tr("What was seen"), tr("May also be")),
        rows=rows,
        key=(found.caveat,),
        anchor=GAMING_ANCHOR,
        is_sortable=False,
    )
