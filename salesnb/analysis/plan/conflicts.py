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
    action = " or ".join(ways) if ways else "loosen one of them"
    return f"These cannot be kept together: {list_words(parts)}. {begin_large(action)}."


def _word(name: Name, offers: Offers, limits: PlanLimits, currency: str) -> str:
    if name == "budget":
        return f"a budget of {format_money(limits.budget, currency, exact=True)}"
    if name == "hours":
        return f"at most {count_things(limits.hours, 'hour', 'hours')} a person"
    if name == "seats":
        return f"the {count_things(offers.seats.sum(), 'seat', 'seats')} of {len(offers.seats)} courses"
    if name == "smallest class":
        return f"classes of at least {limits.smallest_class}"
    if name == "team share":
        return f"seats for {limits.team_share:.0%} of each team ({offers.floors.sum():,.0f} in all)"
    n_due = int(offers.is_due.sum())
    return (
        f"a course for each of the {n_due} who had none within "
        f"{count_things(limits.everyone_within, 'quarter', 'quarters')}"
    )


def _way_out(name: Name, amount: float, limits: PlanLimits, currency: str) -> str:
    """Say what one limit would have to be; empty where it alone mends nothing."""
    if not np.isfinite(amount):
        return ""
    if name == "budget":
        needed = np.ceil(limits.budget + amount)
        return f"raise the budget to {format_money(needed, currency, exact=True)}"
    if name == "hours":
        return f"allow {count_things(np.ceil(limits.hours + amount), 'hour', 'hours')} a person"
    more = count_things(np.ceil(amount - 1e-6), "seat", "seats")
    return {
        "seats": f"add {more}",
        "smallest class": f"hold classes {more} short of their smallest size in all",
        "team share": f"ask for {more} fewer for teams",
        "everyone": f"let {count_people(np.ceil(amount - 1e-6))} wait",
    }[name]
