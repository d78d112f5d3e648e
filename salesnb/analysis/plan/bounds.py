"""What limits a plan: how much of each is used, and what one more would bring."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from salesnb.analysis.plan.assign import find_shadow
from salesnb.analysis.plan.limits import Offers, PlanLimits, Vector
from salesnb.analysis.plan.result import BOUNDS
from salesnb.analysis.wording import format_money
from salesnb.language import mark

BUDGET, HOURS = mark("budget"), mark("hours a person")
A_SEAT, AN_HOUR = mark("a seat"), mark("an hour")
MORE_MONEY = 1000.0
"""Money whose price is told."""


def list_bounds(
    gain: Vector, offers: Offers, limits: PlanLimits, is_taken: NDArray[np.bool_], *,
    courses: list[str], currency: str,
) -> pd.DataFrame:  # fmt: skip
    """List each limit with what is used of it; the price of one more is that at the margin.

    Binding is one that keeps something out, whether or not all of it is used.
    """
    shadow = find_shadow(gain, offers, limits)
    used = np.bincount(offers.course[is_taken], minlength=len(courses))
    rows: list[tuple[object, ...]] = [
        (f"seats of {name}", name, used[n], offers.seats[n], used[n] >= offers.seats[n], A_SEAT,
         shadow.seats[n])
        for n, name in enumerate(courses)
    ]  # fmt: skip
    if np.isfinite(limits.budget):
        spent = float(offers.cost[is_taken].sum())
        cheapest = float(offers.cost[~is_taken].min(initial=np.inf))
        is_binding = shadow.budget > 0 or limits.budget - spent < cheapest < np.inf
        rows.append(
            (
                BUDGET, "", spent, limits.budget, is_binding,
                format_money(MORE_MONEY, currency, exact=True), shadow.budget * MORE_MONEY,
            )
        )  # fmt: skip
    if np.isfinite(limits.hours):
        spent_hours = np.bincount(offers.rep[is_taken], offers.hours[is_taken], len(offers.is_due))
        most = float(spent_hours.max(initial=0.0))
        too_many = spent_hours[offers.rep] + offers.hours > limits.hours + 1e-9
        is_binding = bool((too_many & ~is_taken).any())
        rows.append((HOURS, "", most, limits.hours, is_binding, AN_HOUR, np.nan))
    frame = pd.DataFrame(rows, columns=BOUNDS)
    return frame.astype({"used": float, "available": float, "one_more_gain": float})
