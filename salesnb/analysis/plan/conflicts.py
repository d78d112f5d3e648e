"""PlanLimits that no plan can keep to together, in words with the numbers and one action."""

from __future__ import annotations

import numpy as np

from salesnb.analysis.plan.assign import find_conflict, loosen
from salesnb.analysis.plan.limits import Name, Offers, PlanLimits, write_rows
from salesnb.analysis.wording import (
    begin_large,
    count_people,
    count_things,
    format_money,
    list_words,
)
from salesnb.language import format_number, format_share, tr

_ORDER: tuple[Name, ...] = (
    "budget", "hours", "seats", "smallest class", "team share", "everyone",
)  # fmt: skip


def explain_conflict(offers: Offers, limits: PlanLimits, currency: str) -> str:
    """Name the smallest set of limits that cannot be kept together, and what would mend it.

    Every limit of the set is needed for the conflict: it is mended by any one of them giving way.
    """
    names = find_conflict(offers, limits) or tuple(write_rows(offers, limits))
    parts = [_word(name, offers, limits, currency) for name in names]
    ways = [
        way
        for name in sorted(names, key=_ORDER.index)
        if (way := _way_out(name, loosen(offers, limits, names, name), limits, currency))
    ]
    action = ways[0] if ways else tr("loosen one of them")
    for way in ways[1:]:
        action = tr("{action} or {other}", action=action, other=way)
    return tr(
        "These cannot be kept together: {limits}. {action}.",
        limits=list_words(parts),
        action=begin_large(action),
    )


def _word(name: Name, offers: Offers, limits: PlanLimits, currency: str) -> str:
    if name == "budget":
        return tr("a budget of {money}", money=format_money(limits.budget, currency, exact=True))
    if name == "hours":
        return tr("at most {hours} a person", hours=count_things(limits.hours, "hour", "hours"))
    if name == "seats":
        seats = count_things(offers.seats.sum(), "seat", "seats")
        return tr("the {seats} of {n} courses", seats=seats, n=len(offers.seats))
    if name == "smallest class":
        return tr("classes of at least {n}", n=limits.smallest_class)
    if name == "team share":
        return tr(
            "seats for {share} of each team ({n} in all)",
            share=format_share(limits.team_share),
            n=format_number(offers.floors.sum()),
        )
    return tr(
        "a course for each of the {n} who had none within {quarters}",
        n=int(offers.is_due.sum()),
        quarters=count_things(limits.everyone_within, "quarter", "quarters"),
    )


def _way_out(name: Name, amount: float, limits: PlanLimits, currency: str) -> str:
    """Say what one limit would have to be; empty where it alone mends nothing."""
    if not np.isfinite(amount):
        return ""
    if name == "budget":
        needed = np.ceil(limits.budget + amount)
        return tr("raise the budget to {money}", money=format_money(needed, currency, exact=True))
    if name == "hours":
        hours = count_things(np.ceil(limits.hours + amount), "hour", "hours")
        return tr("allow {hours} a person", hours=hours)
    size = np.ceil(amount - 1e-6)
    seats = count_things(size, "seat", "seats")
    if name == "seats":
        return tr("add {seats}", seats=seats)
    if name == "smallest class":
        return tr("hold classes {seats} short of their smallest size in all", seats=seats)
    if name == "team share":
        return tr("ask for {seats} fewer for teams", seats=seats)
    return tr("let {people} wait", people=count_people(size))
