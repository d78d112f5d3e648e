"""Marketing and sales as tables: leads on their way, answers, handover, credit, the signed one."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd

from salesnb.analysis.alignment import (
    AlignmentTable,
    Attribution,
    LeadFunnel,
    ResponseEffect,
)
from salesnb.analysis.alignment.answers import OUTCOMES, RESPONSE_ANCHOR
from salesnb.analysis.alignment.attribution import ATTRIBUTION_ANCHOR
from salesnb.analysis.alignment.costs import PER_BOOKED
from salesnb.analysis.alignment.funnel import FUNNEL_ANCHOR
from salesnb.analysis.alignment.rows import BY, name_unit
from salesnb.analysis.alignment.table import ALIGNMENT_ANCHOR
from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.wording import MISSING, begin_large, count_things, format_money, write_share
from salesnb.language import format_number, format_share, mark, tr, tr_many
from salesnb.measures.demand.names import MODELS, NO_TOUCH
from salesnb.views.blocks import Block, Note, Table

Row = dict[Hashable, Any]
COSTS_ANCHOR, SLA_ANCHOR = f"{FUNNEL_ANCHOR}-costs", f"{RESPONSE_ANCHOR}-sla"
_INTERVALS = {
    "source": mark("Sources, with 90% intervals."),
    "campaign": mark("Campaigns, with 90% intervals."),
    "segment": mark("Segments, with 90% intervals."),
}
_COSTS = {
    "lead": mark("Per lead"),
    "qualified lead": mark("Per qualified lead"),
    "opportunity": mark("Per opportunity"),
    "win": mark("Per win"),
    PER_BOOKED: mark("Per 1 of bookings"),
}


def write_count(value: float) -> str:
    """Write a number of leads; a dash where it is missing."""
    return format_number(value) if math.isfinite(value) else MISSING


def write_ends(low: float, high: float) -> str:
    """Write an interval of a share; a dash where it is missing."""
    return f"{write_share(low)} – {write_share(high)}" if math.isfinite(low) else MISSING


def lead_table(funnel: LeadFunnel) -> Block:
    """Show each unit's way from lead to win: shares with intervals, and n."""
    if funnel.lacking:
        return Note(funnel.finding, "missing")
    steps = funnel.steps.to_dict("records")
    cells = {(row["unit"], row["step"]): row for row in funnel.rows.to_dict("records")}
    return Table(
        title=funnel.finding,
        caption=f"{tr(_INTERVALS[funnel.by])} {funnel.caveat}",
        header=(begin_large(tr(BY[funnel.by])), tr("Leads"), *(step["label"] for step in steps)),
        rows=(
            *(
                (name_unit(unit), _leads(cells, unit),
                 *(_cell(cells.get((unit, step["step"]))) for step in steps))
                for unit in dict.fromkeys(funnel.rows["unit"])
            ),
            (tr("All ({unit})", unit=funnel.unit), format_number(steps[0]["n"]),
             *map(_sum_up, steps)),
        ),
        numeric=frozenset({1}),
        anchor=f"{FUNNEL_ANCHOR}-{funnel.by}",
    )  # fmt: skip


def _leads(cells: dict[tuple[Any, Any], Row], unit: str) -> str:
    first = next(row for (name, _), row in cells.items() if name == unit)
    return format_number(first["n"])


def _cell(row: Row | None) -> str:
    if row is None:
        return MISSING
    return tr("{share}, n {n}", share=_with_ends(row, "estimate"), n=format_number(row["n"]))


def _sum_up(step: Row) -> str:
    share = _with_ends(step, "share")
    if step["adjusted"] < FALSE_CLAIMS:
        return tr("{share}; they differ", share=share)
    return tr("{share}; no clear difference", share=share)


def _with_ends(row: Row, name: str) -> str:
    return f"{write_share(row[name])} ({write_ends(row['low'], row['high'])})"


def lead_costs(funnel: LeadFunnel) -> Block:
    """Show what a lead, an opportunity and a win of each source cost, with intervals."""
    if funnel.lacking:
        return Note(funnel.finding, "missing")
    if funnel.costs.empty:
        return Note(
            tr("{unit}: what leads cost needs the table sources with a spend, and is known of the "
               "company's sources only.", unit=funnel.unit),
            "missing",
        )  # fmt: skip
    costs = funnel.costs.to_dict("records")
    kinds = list(dict.fromkeys(row["what"] for row in costs))
    cells = {(row["unit"], row["what"]): row for row in costs}
    units = list(dict.fromkeys(row["unit"] for row in costs))
    wins = funnel.costs[(funnel.costs["what"] == "opportunity") & funnel.costs["cost"].notna()]
    ends = wins.sort_values(["cost", "unit"])
    title = tr("{unit}: what leads of {quarters} have cost", unit=funnel.unit, quarters=funnel.span)
    if len(ends) > 1 and ends.iloc[0]["high"] < ends.iloc[-1]["low"]:
        low, high = (_money(ends.iloc[place]["cost"], funnel.currency) for place in (0, -1))
        title = tr(
            "{unit}: an opportunity from a lead cost {low} ({cheapest}) to {high} ({dearest})",
            unit=funnel.unit,
            low=low,
            cheapest=name_unit(ends.iloc[0]["unit"]),
            high=high,
            dearest=name_unit(ends.iloc[-1]["unit"]),
        )
    return Table(
        title=title,
        caption=tr(
            "Spend of {quarters} over what came of the leads of these quarters, with 90% "
            "intervals of what chance may make of the counts; the spend itself is as booked. "
            "Opportunities without a lead are not in it.",
            quarters=funnel.span,
        ),
        header=(tr("Source"), tr("Spend"), *(tr(_COSTS[kind]) for kind in kinds)),
        rows=tuple(
            (name_unit(unit), _money(cells[unit, kinds[0]]["spend"], funnel.currency),
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
        least = _money(row["low"], currency)
        return tr("{missing}; more than {amount}", missing=MISSING, amount=least)
    if row["what"] == PER_BOOKED:
        high = _rate(row["high"]) if math.isfinite(row["high"]) else "?"
        return f"{_rate(row['cost'])} ({_rate(row['low'])} – {high})"
    low, high = (_money(row[end], currency) for end in ("low", "high"))
    return f"{_money(row['cost'], currency)} ({low} – {high})"


def _rate(value: float) -> str:
    return format_number(value, 2, group=False)


def response_table(effect: ResponseEffect) -> Block:
    """Show the SLA, the difference it goes with, and who is not compared."""
    if effect.lacking and not effect.in_time.n_due:
        return Note(effect.finding, "missing")
    one, who = effect.in_time, effect.waiting
    rows = [
        (tr_many("Answered within {n} minute", "Answered within {n} minutes", one.minutes),
         write_share(one.share),
         tr("{n} of {of} whose time is up or that were touched", n=format_number(one.n_in_time),
            of=format_number(one.n_due))),
    ]  # fmt: skip
    if math.isfinite(one.difference):
        rows += _differences(effect)
    if math.isfinite(effect.slope.value):
        rows.append(_naive(effect))
    rows += [
        (tr("Untouched so far"), format_number(who.n_untouched),
         tr("not counted as slow; of them qualified nonetheless: {n}",
            n=format_number(who.n_untouched_reached))),
        (tr("Answered too recently"), format_number(who.n_young),
         tr_many("less than {n} day ago: left out", "less than {n} days ago: left out",
                 effect.days)),
        (tr("Decided before the first touch"), format_number(who.n_before), tr("left out")),
    ]  # fmt: skip
    return Table(
        title=_title_of_sla(effect),
        caption=tr(
            "{unit}, {first} to {last}. {caveat}",
            unit=effect.unit,
            first=effect.window[0],
            last=effect.window[-1],
            caveat=effect.caveat,
        ),
        header=(tr("What"), tr("Figure"), tr("Rests on")),
        rows=tuple(rows),
        anchor=SLA_ANCHOR,
        is_sortable=False,
    )


def _differences(effect: ResponseEffect) -> list[tuple[str, str, str]]:
    """List what became of leads answered in time and late, and what goes with being late."""
    one, outcome = effect.in_time, tr(OUTCOMES[effect.outcome])
    missed, fewest, most = one.missed
    change, low, high = (
        format_number(100 * value, 1, sign=True, group=False)
        for value in (one.difference, one.low, one.high)
    )
    return [
        (tr("Of those in time {outcome}", outcome=outcome), write_share(one.raw_early),
         count_things(one.n_early, "lead", "leads")),
        (tr("Of those answered late {outcome}", outcome=outcome), write_share(one.raw_late),
         count_things(one.n_late, "lead", "leads")),
        (tr("Difference within source, team and quarter"), tr("{change} points", change=change),
         tr("95% interval {low} to {high} points", low=low, high=high)),
        (tr("Goes with being late"),
         tr("{leads} fewer that {outcome}", leads=count_things(round(missed), "lead", "leads"),
            outcome=outcome),
         tr("{low} to {high}, if the late ones were like those in time; an association, not a "
            "promise", low=format_number(fewest), high=format_number(most))),
    ]  # fmt: skip


def _title_of_sla(effect: ResponseEffect) -> str:
    one = effect.in_time
    said = tr(
        "{unit}: {share} of leads were answered within the SLA",
        unit=effect.unit,
        share=write_share(one.share),
    )
    if not math.isfinite(one.difference):
        return said
    if one.low <= 0 <= one.high:
        return tr("{said}; no clear difference to the late ones", said=said)
    low, high = sorted((abs(one.low), abs(one.high)))
    words = {
        "said": said,
        "outcome": tr(OUTCOMES[effect.outcome]),
        "points": format_number(abs(one.difference) * 100, group=False),
        "low": format_number(low * 100, group=False),
        "high": format_number(high * 100, group=False),
    }
    if one.difference > 0:
        return tr(
            "{said}; these {outcome} {points} points more often than the late ones ({low} to "
            "{high})",
            **words,
        )
    return tr(
        "{said}; these {outcome} {points} points less often than the late ones ({low} to {high})",
        **words,
    )


def _naive(effect: ResponseEffect) -> tuple[str, str, str]:
    def change(value: float) -> str:
        return format_share(math.exp(value) - 1, sign=True)

    return (
        tr("Odds with each doubling of the wait"),
        change(effect.slope.value),
        tr(
            "95% interval {low} to {high}; without adjustment {unadjusted}, with untouched leads "
            "as slow ones {as_slow}",
            low=change(effect.slope.low),
            high=change(effect.slope.high),
            unadjusted=change(effect.unadjusted.value),
            as_slow=change(effect.as_slow.value),
        ),
    )


def attribution_table(found: Attribution) -> Block:
    """Show opportunities and bookings by the three models side by side, and why they differ."""
    if found.lacking:
        return Note(found.finding, "missing")
    rows = found.rows.to_dict("records")
    total = found.totals.iloc[0]

    def counts(row: Row) -> tuple[str, ...]:
        return (
            *(format_number(row[f"opportunities_{model}"]) for model in MODELS),
            *(_money(row[f"booked_{model}"], found.currency) for model in MODELS),
        )

    whole = (
        tr("All"), *(format_number(total["opportunities"]) for _ in MODELS),
        *(_money(total["booked"], found.currency) for _ in MODELS),
    )  # fmt: skip
    return Table(
        title=_title_of_credit(found),
        caption=tr(
            "Opportunities, then bookings, by each rule. {caveat}", caveat=found.caveat
        ),
        header=(
            begin_large(tr(BY[found.by])), tr("First touch"), tr("Last touch"), tr("All touches"),
            tr("Booked, first"), tr("Booked, last"), tr("Booked, all"),
        ),
        rows=(
            *((_name_credited(row["unit"]), *counts(row)) for row in rows),
            whole,
        ),
        numeric=frozenset(range(1, 7)),
        key=tuple(row["why"] for row in rows),
        anchor=f"{ATTRIBUTION_ANCHOR}-{found.by}",
    )  # fmt: skip


def _name_credited(unit: str) -> str:
    return begin_large(name_unit(unit)) if unit == NO_TOUCH else name_unit(unit)


def _title_of_credit(found: Attribution) -> str:
    """Say on whose bookings the rules differ most."""
    rows = found.touched
    gap = (rows["booked_first"] - rows["booked_last"]).abs()
    most = rows.iloc[int(gap.to_numpy().argmax())]
    first, last = (_money(most[f"booked_{model}"], found.currency) for model in ("first", "last"))
    return tr(
        "{unit}: by its first touches {source} gets {first} of the bookings, by its last touches "
        "{last}",
        unit=found.unit,
        source=name_unit(most["unit"]),
        first=first,
        last=last,
    )


def signed_table(found: AlignmentTable) -> Block:
    """Show the one table that marketing and sales both sign, with its definitions."""
    if found.lacking:
        return Note(found.finding, "missing")
    columns = found.columns
    return Table(
        title=found.finding,
        caption=f"{found.unit}, {found.period}. {found.caveat}",
        header=(tr("Source"), *(column.label for column in columns)),
        rows=tuple(
            (
                name_unit(row["unit"]),
                *(_write(row[column.name], column.name, found) for column in columns),
            )
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
        return name_unit(str(value))
    if column == "in_time_share":
        return write_share(float(value))
    if column in ("spend", "booked", "cost_per_opportunity"):
        return _money(float(value), found.currency)
    return format_number(value)
