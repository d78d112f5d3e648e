"""Patterns that are worth a look, with what else may be behind them."""

from __future__ import annotations

from salesnb.analysis.gaming import CHECKS, GAMING_ANCHOR, GamingChecks
from salesnb.analysis.wording import begin_large
from salesnb.views.blocks import Block, Note, Table


def gaming_table(found: GamingChecks) -> Block:
    """List the patterns that are worth a look; a note says so where there is none."""
    if found.signs.empty:
        return Note(f"{found.finding} {found.caveat}", "missing")
    if found.flagged.empty:
        return Note(f"{found.finding} {found.caveat}", "info")
    checks = {check.check: check for check in CHECKS}
    rows = tuple(
        (
            row["unit"], checks[row["check"]].label, row["text"],
            begin_large(checks[row["check"]].reason),
        )
        for row in found.flagged.to_dict("records")
    )  # fmt: skip
    return Table(
        title=found.finding,
        caption=(
            f"The four quarters to {found.period}, beside the rest of the company. Allowing for "
            f"all {len(found.signs):,} comparisons, at most one in twenty of these is chance."
        ),
        header=("Rep", "Pattern", "What was seen", "May also be"),
        rows=rows,
        key=(found.caveat,),
        anchor=GAMING_ANCHOR,
        is_sortable=False,
    )
