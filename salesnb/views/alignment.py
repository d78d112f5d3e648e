"""Marketing and sales as tables: leads on their way, answers, handover, credit, the signed one."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd

from salesnb.analysis.alignment import (
    AlignmentTable,
    Attribution,
    Handover,
    LeadFunnel,
    ResponseEffect,
)
from salesnb.analysis.alignment.answers import OUTCOMES, RESPONSE_ANCHOR
from salesnb.analysis.alignment.attribution import ATTRIBUTION_ANCHOR
from salesnb.analysis.alignment.costs import PER_BOOKED
from salesnb.analysis.alignment.funnel import FUNNEL_ANCHOR
from salesnb.analysis.alignment.handover import HANDOVER_ANCHOR, say_sign
from salesnb.analysis.alignment.table import ALIGNMENT_ANCHOR
from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.wording import MISSING, begin_large, count_things, format_money
from salesnb.measures.demand.names import MODELS, NO_TOUCH, STAGES_OF_REJECTION
from salesnb.views.blocks import Block, Note, Table

Row = dict[Hashable, Any]
COSTS_ANCHOR, SLA_ANCHOR = f"{FUNNEL_ANCHOR}-costs", f"{RESPONSE_ANCHOR}-sla"


def _share(value: float) -> str:
    if not math.isfinite(value):
        return MISSING
    return f"{value:.0%}" if abs(value) >= 0.0995 else f"{value:.1%}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else MISSING


def _between(low: float, high: float) -> str:
    return f"{_share(low)} – {_share(high)}" if math.isfinite(low) else MISSING


def lead_table(funnel: LeadFunnel) -> Block:
    """Show each unit's way from lead to win: shares with intervals, and n."""
    if funnel.lacking:
        return Note(funnel.finding, "missing")
    steps = funnel.steps.to_dict("records")
    cells = {(row["unit"], row["step"]): row for row in funnel.rows.to_dict("records")}
    apart = {
        step["step"]: "they differ" if step["adjusted"] < FALSE_CLAIMS else "no clear difference"
        for step in steps
    }
    return Table(
        title=funnel.finding,
        caption=f"{begin_large(funnel.by)}s, with 90% intervals. {funnel.caveat}",
        header=(begin_large(funnel.by), "Leads", *(step["label"] for step in steps)),
        rows=(
            *(
                (unit, _leads(cells, unit), *(_cell(cells.get((unit, s["step"]))) for s in steps))
                for unit in dict.fromkeys(funnel.rows["unit"])
            ),
            (f"All ({funnel.unit})", f"{steps[0]['n']:,.0f}", *(
                f"{_share(step['share'])} ({_between(step['low'], step['high'])}); "
                f"{apart[step['step']]}" for step in steps
            )),
        ),
        numeric=frozenset({1}),
        anchor=f"{FUNNEL_ANCHOR}-{funnel.by}",
    )  # fmt: skip


def _leads(cells: dict[tuple[Any, Any], Row], unit: str) -> str:
    first = next(row for (name, _), row in cells.items() if name == unit)
    return f"{first['n']:,.0f}"


def _cell(row: Row | None) -> str:
    if row is None:
        return MISSING
    return f"{_share(row['estimate'])} ({_between(row['low'], row['high'])}), n {row['n']:,.0f}"


def lead_costs(funnel: LeadFunnel) -> Block:
    """Show what a lead, an opportunity and a win of each source cost, with intervals."""
    if funnel.lacking:
        return Note(funnel.finding, "missing")
    if funnel.costs.empty:
        return Note(
            f"{funnel.unit}: what leads cost needs the table sources with a spend, and is known of "
            "the company's sources only.", "missing",
        )  # fmt: skip
    costs = funnel.costs.to_dict("records")
    kinds = list(dict.fromkeys(row["what"] for row in costs))
    cells = {(row["unit"], row["what"]): row for row in costs}
    units = list(dict.fromkeys(row["unit"] for row in costs))
    wins = funnel.costs[(funnel.costs["what"] == "opportunity") & funnel.costs["cost"].notna()]
    ends = wins.sort_values(["cost", "unit"])
    title = f"{funnel.unit}: what leads of {funnel.span} have cost"
    if len(ends) > 1 and ends.iloc[0]["high"] < ends.iloc[-1]["low"]:
        low, high = (_money(ends.iloc[place]["cost"], funnel.currency) for place in (0, -1))
        title = (
            f"{funnel.unit}: an opportunity from a lead cost {low} ({ends.iloc[0]['unit']}) to "
            f"{high} ({ends.iloc[-1]['unit']})"
        )
    return Table(
        title=title,
        caption=(
            f"Spend of {funnel.span} over what came of the leads of these quarters, with 90% "
            "intervals of what chance may make of the counts; the spend itself is as booked. "
            "Opportunities without a lead are not in it."
        ),
        header=("Source", "Spend", *(f"Per {kind}" for kind in kinds)),
        rows=tuple(
            (unit, _money(cells[unit, kinds[0]]["spend"], funnel.currency),
             *(_cost(cells[unit, kind], funnel.currency) for kind in kinds))
            for unit in units
        ),
        numeric=frozenset({1}),
        anchor=COSTS_ANCHOR,
    )  # fmt: skip


def _money(value: float, currency: str) -> str:
    return format_money(value, currency)


def _cost(row: Row, currency: str) -> str:
    if not math.isfinite(row["cost"]):
        return f"{MISSING}; more than {_money(row['low'], currency)}"
    if row["what"] == PER_BOOKED:
        high = f"{row['high']:.2f}" if math.isfinite(row["high"]) else "?"
        return f"{row['cost']:.2f} ({row['low']:.2f} – {high})"
    low, high = (_money(row[end], currency) for end in ("low", "high"))
    return f"{_money(row['cost'], currency)} ({low} – {high})"


def response_table(effect: ResponseEffect) -> Block:
    """Show the SLA, the difference it goes with, and who is not compared."""
    if effect.lacking and not effect.in_time.n_due:
        return Note(effect.finding, "missing")
    one, who = effect.in_time, effect.waiting
    words = OUTCOMES[effect.outcome]
    rows = [
        (f"Answered within {count_things(one.minutes, 'minute', 'minutes')}", _share(one.share),
         f"{one.n_in_time:,.0f} of {one.n_due:,.0f} whose time is up or that were touched"),
    ]  # fmt: skip
    if math.isfinite(one.difference):
        missed, low, high = one.missed
        rows += [
            (f"Of those in time {words}", _share(one.raw_early), count_things(one.n_early, "lead", "leads")),
            (f"Of those answered late {words}", _share(one.raw_late), count_things(one.n_late, "lead", "leads")),
            ("Difference within source, team and quarter", f"{one.difference * 100:+.1f} points",
             f"95% interval {one.low * 100:+.1f} to {one.high * 100:+.1f} points"),
            ("Goes with being late", f"{count_things(round(missed), 'lead', 'leads')} fewer that {words}",
             f"{low:,.0f} to {high:,.0f}, if the late ones were like those in time; an "
             "association, not a promise"),
        ]  # fmt: skip
    if math.isfinite(effect.slope.value):
        rows.append(_naive(effect))
    rows += [
        ("Untouched so far", f"{who.n_untouched:,.0f}",
         f"not counted as slow; of them qualified nonetheless: {who.n_untouched_reached:,.0f}"),
        ("Answered too recently", f"{who.n_young:,.0f}",
         f"less than {count_things(effect.days, 'day', 'days')} ago: left out"),
        ("Decided before the first touch", f"{who.n_before:,.0f}", "left out"),
    ]  # fmt: skip
    return Table(
        title=_title_of_sla(effect),
        caption=f"{effect.unit}, {effect.window[0]} to {effect.window[-1]}. {effect.caveat}",
        header=("What", "Figure", "Rests on"),
        rows=tuple((what, figure.replace("-", "−"), why) for what, figure, why in rows),
        anchor=SLA_ANCHOR,
        is_sortable=False,
    )


def _title_of_sla(effect: ResponseEffect) -> str:
    one = effect.in_time
    said = f"{effect.unit}: {_share(one.share)} of leads were answered within the SLA"
    if not math.isfinite(one.difference):
        return said
    if one.low <= 0 <= one.high:
        return f"{said}; no clear difference to the late ones"
    way = "more" if one.difference > 0 else "less"
    ends = sorted((abs(one.low), abs(one.high)))
    return (
        f"{said}; these {OUTCOMES[effect.outcome]} {abs(one.difference) * 100:.0f} points {way} "
        f"often than the late ones ({ends[0] * 100:.0f} to {ends[1] * 100:.0f})"
    )


def _naive(effect: ResponseEffect) -> tuple[str, str, str]:
    def change(value: float) -> str:
        return f"{(math.exp(value) - 1) * 100:+.0f}%"

    return (
        "Odds with each doubling of the wait",
        change(effect.slope.value),
        f"95% interval {change(effect.slope.low)} to {change(effect.slope.high)}; without "
        f"adjustment {change(effect.unadjusted.value)}, with untouched leads as slow ones "
        f"{change(effect.as_slow.value)}".replace("-", "−"),
    )


def handover_table(found: Handover) -> Block:
    """Show by source what sales took up in time, late, not yet, and what it rejected."""
    if found.lacking:
        return Note(found.finding, "missing")
    differ = "differ" if found.differs("source") else "do not differ"
    return Table(
        title=found.finding,
        caption=(
            f"{found.unit}, {found.period}; sources {differ} beyond chance in what is rejected. "
            f"{found.caveat}"
        ),
        header=("Source", "Leads", "In time", "Late", "Not yet", "Rejected", "Accepted",
                "Accepted, then handed back"),
        rows=tuple(
            (row["unit"], f"{row['leads']:,.0f}", _share(row["in_time"] / row["leads"]),
             _share(row["late"] / row["leads"]), _share(row["untouched"] / row["leads"]),
             f"{_share(row['rejected_share'])} ({_between(row['low'], row['high'])})",
             _number(row["qualified"]), _number(row["qualified_rejected"]))
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
        return Note(f"{found.unit}: no lead of {found.period} was rejected with a reason.", "info")
    first = found.reasons.iloc[0]
    return Table(
        title=(
            f"{found.unit}: {_share(first['share'])} of the rejections of {found.period} are for "
            f"{first['reason']}"
        ),
        caption="Reasons as sales wrote them, in small letters, by how far the lead had got.",
        header=("Reason", "Leads", "Share", *(begin_large(s) for s in STAGES_OF_REJECTION),
                "Mostly of"),
        rows=tuple(
            (row["reason"], f"{row['n']:,.0f}", _share(row["share"]),
             *(f"{row[stage]:,.0f}" for stage in STAGES_OF_REJECTION), row["top_source"])
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
            f"{found.unit}: the records of marketing and sales on the leads of {found.period} do "
            "not contradict each other.", "info",
        )  # fmt: skip
    most = told.iloc[0]
    return Table(
        title=f"{found.unit}: {say_sign(most.to_dict())}",
        caption=f"Leads of {found.period}, 90% intervals. A record to clear up, not a verdict.",
        header=("What", "Marketing says", "Sales says", "Leads", "Share"),
        rows=tuple(
            (row["what"], row["marketing_says"], row["sales_says"],
             f"{row['n']:,.0f} of {row['of']:,.0f}",
             f"{_share(row['share'])} ({_between(row['low'], row['high'])})")
            for row in found.signs.to_dict("records")
        ),
        anchor=f"{HANDOVER_ANCHOR}-signs",
    )  # fmt: skip


def attribution_table(found: Attribution) -> Block:
    """Show opportunities and bookings by the three models side by side, and why they differ."""
    if found.lacking:
        return Note(found.finding, "missing")
    rows = found.rows.to_dict("records")
    total = found.totals.iloc[0]

    def counts(row: Row) -> tuple[str, ...]:
        return (
            *(f"{row[f'opportunities_{model}']:,.0f}" for model in MODELS),
            *(_money(row[f"booked_{model}"], found.currency) for model in MODELS),
        )

    whole = (
        "All", *(f"{total['opportunities']:,.0f}" for _ in MODELS),
        *(_money(total["booked"], found.currency) for _ in MODELS),
    )  # fmt: skip
    return Table(
        title=_title_of_credit(found),
        caption=f"Opportunities, then bookings, by each rule. {found.caveat}",
        header=(
            begin_large(found.by), "First touch", "Last touch", "All touches", "Booked, first",
            "Booked, last", "Booked, all",
        ),
        rows=(
            *((begin_large(row["unit"]) if row["unit"] == NO_TOUCH else row["unit"], *counts(row))
              for row in rows),
            whole,
        ),
        numeric=frozenset(range(1, 7)),
        key=tuple(row["why"] for row in rows),
        anchor=f"{ATTRIBUTION_ANCHOR}-{found.by}",
    )  # fmt: skip


def _title_of_credit(found: Attribution) -> str:
    """Say on whose bookings the rules differ most."""
    rows = found.touched
    gap = (rows["booked_first"] - rows["booked_last"]).abs()
    most = rows.iloc[int(gap.to_numpy().argmax())]
    first, last = (_money(most[f"booked_{model}"], found.currency) for model in ("first", "last"))
    return (
        f"{found.unit}: by its first touches {most['unit']} gets {first} of the bookings, by its "
        f"last touches {last}"
    )


def signed_table(found: AlignmentTable) -> Block:
    """Show the one table that marketing and sales both sign, with its definitions."""
    if found.lacking:
        return Note(found.finding, "missing")
    columns = found.columns
    return Table(
        title=found.finding,
        caption=f"{found.unit}, {found.period}. {found.caveat}",
        header=("Source", *(column.label for column in columns)),
        rows=tuple(
            (row["unit"], *(_write(row[column.name], column.name, found) for column in columns))
            for row in found.to_frame().to_dict("records")
        ),
        numeric=frozenset(
            place for place, column in enumerate(columns, start=1) if column.name != "top_reason"
        ),
        key=found.definitions,
        anchor=ALIGNMENT_ANCHOR,
        is_sortable=False,
    )


def _write(value: Any, column: str, found: AlignmentTable) -> str:
    if pd.isna(value):
        return MISSING
    if column == "top_reason":
        return str(value)
    if column == "in_time_share":
        return _share(float(value))
    if column in ("spend", "booked", "cost_per_opportunity"):
        return _money(float(value), found.currency)
    return f"{value:,.0f}"
