"""Word a result: the finding first, a short table, the caveat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group
from rich.table import Table
from rich.text import Text

from salesnb.language import format_number, format_share, tr, tr_many
from salesnb.summary import printable

if TYPE_CHECKING:
    from salesnb.analysis.rates.result import Estimates

N_SHOWN = 5


def describe_finding(estimates: Estimates) -> str:
    """Say in one sentence whether units differ beyond chance."""
    test, n_units = estimates.heterogeneity, estimates.labels.size
    if n_units == 0:
        return tr("No units: nothing to estimate.")
    if np.isnan(test.p_value):
        with_evidence = int((estimates.n > 0).sum())
        return tr(
            "{units}, {n} with evidence: nothing to compare.",
            units=_count(n_units), n=format_number(with_evidence),
        )  # fmt: skip
    said = {"units": _count(n_units), "p_value": _describe_p(test.p_value)}
    if not test.is_beyond_chance:
        return tr("{units} do not differ beyond chance ({p_value}): nobody is ranked.", **said)
    return tr("{units} differ beyond chance ({p_value}).", **said)


def describe_caveat(estimates: Estimates) -> str:
    """Say what the figures are and are not."""
    if np.isnan(estimates.heterogeneity.p_value):
        return tr("There is no group to learn from or to be compared with.")
    said = [
        tr(
            "Each estimate is pulled toward the group, the more the less evidence; intervals hold "
            "with {share} probability.",
            share=format_share(estimates.level),
        )
    ]
    if estimates.evidence.measure == "geometric mean":
        said.insert(0, tr("Figures are geometric means."))
    if estimates.heterogeneity.is_beyond_chance:
        said.append(tr("A place is a range, not a number: read the rank interval."))
    else:
        said.append(tr("Differences seen here are what equal units show by chance."))
    return " ".join(said)


def tabulate(estimates: Estimates) -> tuple[list[str], list[list[str]]]:
    """Return the head and rows of the short table.

    The units likeliest in the top quartile where units differ; the group alone, no name, where
    they do not.
    """
    if estimates.heterogeneity.is_beyond_chance:
        return _tabulate_units(estimates)
    return _tabulate_group(estimates)


def build_text(estimates: Estimates) -> str:
    """Write the result as plain text."""
    head, rows = tabulate(estimates)
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in [head, *rows]
    ]
    return "\n".join([describe_finding(estimates), *lines, describe_caveat(estimates)])


def build_renderable(estimates: Estimates) -> Group:
    """Lay the result out for rich."""
    head, rows = tabulate(estimates)
    table = Table()
    for name in head:
        table.add_column(Text(name), justify="right")
    for row in rows:
        table.add_row(*map(Text, row))  # labels are data: never read as markup
    finding, caveat = describe_finding(estimates), describe_caveat(estimates)
    return Group(Text(finding, style="bold"), table, Text(caveat, style="dim"))


def _tabulate_units(estimates: Estimates) -> tuple[list[str], list[list[str]]]:
    show = estimates.evidence.show
    best = np.lexsort((estimates.expected_rank, -estimates.p_top_quartile))[:N_SHOWN]
    head = ["label", "n", estimates.evidence.measure, "estimate", _interval(estimates)]
    head += ["P(top quartile)", "rank"]
    rows = [
        [
            printable(str(estimates.labels[row])),
            f"{estimates.n[row]:,.6g}",
            show(estimates.raw[row]),
            show(estimates.estimate[row]),
            f"{show(estimates.low[row])} to {show(estimates.high[row])}",
            f"{estimates.p_top_quartile[row]:.0%}",
            f"{estimates.rank_low[row]:,}-{estimates.rank_high[row]:,}",
        ]
        for row in best
    ]
    hidden = estimates.labels.size - best.size
    if hidden:
        rows.append([f"({hidden:,} more)"] + [""] * (len(head) - 1))
    return head, rows


def _tabulate_group(estimates: Estimates) -> tuple[list[str], list[list[str]]]:
    show = estimates.evidence.show
    head = ["units", "n", f"overall {estimates.evidence.measure}", "estimates"]
    if estimates.labels.size == 0:
        return head, []
    ends = f"{show(estimates.estimate.min())} to {show(estimates.estimate.max())}"
    row = [f"{estimates.labels.size:,}", f"{estimates.n.sum():,.6g}", show(estimates.overall), ends]
    return head, [row]


def _count(n_units: int) -> str:
    return tr_many("{n} unit", "{n} units", n_units)


def _interval(estimates: Estimates) -> str:
    return f"{estimates.level:.0%} interval"


def _describe_p(p_value: float) -> str:
    if p_value < 0.001:
        return tr("p < .001")
    digits = 3 if p_value < 0.1 else 2  # .049 must not read as .05
    whole, _, decimals = f"{p_value:.{digits}f}".partition(".")
    if whole != "0":
        return f"p = {format_number(p_value, digits)}"
    # some languages write the zero before the point, others do not
    return tr("p = .{decimals}", decimals=decimals)
