"""Leads handed over from marketing to sales: what came of them, why not, who contradicts whom."""

from __future__ import annotations

from salesnb.analysis.alignment import Handover
from salesnb.analysis.alignment.handover import HANDOVER_ANCHOR, say_sign
from salesnb.analysis.alignment.rows import name_unit
from salesnb.analysis.wording import write_share
from salesnb.language import format_number, mark, tr
from salesnb.measures.demand.names import STAGES_OF_REJECTION
from salesnb.views.alignment import write_count, write_ends
from salesnb.views.blocks import Block, Note, Table

_REJECTED = {
    "before touch": mark("Before touch"),
    "after touch": mark("After touch"),
    "after qualified": mark("After qualified"),
}


def handover_table(found: Handover) -> Block:
    """Show by source what sales took up in time, late, not yet, and what it rejected."""
    if found.lacking:
        return Note(found.finding, "missing")
    names = {"unit": found.unit, "quarter": found.period, "caveat": found.caveat}
    return Table(
        title=found.finding,
        caption=(
            tr("{unit}, {quarter}; sources differ beyond chance in what is rejected. {caveat}",
               **names)
            if found.differs("source")
            else tr("{unit}, {quarter}; sources do not differ beyond chance in what is rejected. "
                    "{caveat}", **names)
        ),
        header=(tr("Source"), tr("Leads"), tr("In time"), tr("Late"), tr("Not yet"),
                tr("Rejected"), tr("Accepted"), tr("Accepted, then handed back")),
        rows=tuple(
            (name_unit(row["unit"]), format_number(row["leads"]),
             write_share(row["in_time"] / row["leads"]),
             write_share(row["late"] / row["leads"]), write_share(row["untouched"] / row["leads"]),
             f"{write_share(row['rejected_share'])} ({write_ends(row['low'], row['high'])})",
             write_count(row["qualified"]), write_count(row["qualified_rejected"]))
            for row in found.sources.to_dict("records")
        ),
        numeric=frozenset({1, 2, 3, 4, 6, 7}),
        anchor=HANDOVER_ANCHOR,
    )  # fmt: skip


def reasons_table(found: Handover) -> Block:
    """Show why leads were rejected, and when on the way."""
    if found.lacking:
        return Note(found.finding, "missing")
    if found.reasons.empty:
        return Note(
            tr("{unit}: no lead of {quarter} was rejected with a reason.", unit=found.unit,
               quarter=found.period),
            "info",
        )  # fmt: skip
    first = found.reasons.iloc[0]
    return Table(
        title=tr(
            "{unit}: {share} of the rejections of {quarter} are for {reason}",
            unit=found.unit,
            share=write_share(first["share"]),
            quarter=found.period,
            reason=name_unit(first["reason"]),
        ),
        caption=tr("Reasons as sales wrote them, in small letters, by how far the lead had got."),
        header=(tr("Reason"), tr("Leads"), tr("Share"),
                *(tr(_REJECTED[stage]) for stage in STAGES_OF_REJECTION), tr("Mostly of")),
        rows=tuple(
            (name_unit(row["reason"]), format_number(row["n"]), write_share(row["share"]),
             *(format_number(row[stage]) for stage in STAGES_OF_REJECTION),
             name_unit(row["top_source"]))
            for row in found.reasons.to_dict("records")
        ),
        numeric=frozenset(range(1, 6)),
        anchor=f"{HANDOVER_ANCHOR}-reasons",
    )  # fmt: skip


def signs_table(found: Handover) -> Block:
    """Show where marketing's and sales' records contradict each other."""
    if found.lacking:
        return Note(found.finding, "missing")
    told = found.signs[found.signs["n"] > 0].sort_values(
        "share", ascending=False, kind="stable"
    )  # fmt: skip
    if told.empty:
        return Note(
            tr("{unit}: the records of marketing and sales on the leads of {quarter} do not "
               "contradict each other.", unit=found.unit, quarter=found.period),
            "info",
        )  # fmt: skip
    most = told.iloc[0]
    return Table(
        title=f"{found.unit}: {say_sign(most.to_dict())}",
        caption=tr(
            "Leads of {quarter}, 90% intervals. A record to clear up, not a verdict.",
            quarter=found.period,
        ),
        header=(tr("What"), tr("Marketing says"), tr("Sales says"), tr("Leads"), tr("Share")),
        rows=tuple(
            (row["what"], row["marketing_says"], row["sales_says"],
             tr("{n} of {of}", n=format_number(row["n"]), of=format_number(row["of"])),
             f"{write_share(row['share'])} ({write_ends(row['low'], row['high'])})")
            for row in found.signs.to_dict("records")
        ),
        anchor=f"{HANDOVER_ANCHOR}-signs",
    )  # fmt: skip
