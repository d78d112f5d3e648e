"""Plans made by giving offers away in an order: what others are compared with or start from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from salesnb.analysis.plan.limits import Offers, PlanLimits, Vector


def take_in_order(order: NDArray[np.intp], offers: Offers, limits: PlanLimits) -> NDArray[np.bool_]:
    """Give offers away in an order, as long as seats, hours and budget last.

    This is what a plan is compared with: fairness is not looked after. A course that stays too
    small is not held, and what it would have taken goes to the others, the smallest first.
    """
    seats = offers.seats.copy()
    while True:
        is_taken = _give_away(order, offers, limits, seats)
        sizes = np.bincount(offers.course[is_taken], minlength=len(seats))
        is_small = (sizes > 0) & (sizes < limits.smallest_class)
        if not is_small.any():
            return is_taken
        seats[np.argmin(np.where(is_small, sizes, np.inf))] = 0


def fill(
    start: NDArray[np.bool_], worth: Vector, offers: Offers, limits: PlanLimits
) -> NDArray[np.bool_]:
    """Give away what a plan leaves, in courses it holds; what it gave stays."""
    is_held = np.bincount(offers.course[start], minlength=len(offers.seats)) > 0
    seats = np.where(is_held | (limits.smallest_class <= 1), offers.seats, 0.0)
    others = order_by_cost(worth, offers, limits)
    order = np.concatenate([np.flatnonzero(start), others[~start[others]]])
    return _give_away(order, offers, limits, seats)


def order_by_cost(worth: Vector, offers: Offers, limits: PlanLimits) -> NDArray[np.intp]:
    """Order offers that bring anything by what they bring for their cost."""
    price = np.maximum(offers.cost, 1e-9) if np.isfinite(limits.budget) else 1.0
    order = np.argsort(-worth / price, kind="stable")
    return order[worth[order] > 0]


def _give_away(
    order: NDArray[np.intp], offers: Offers, limits: PlanLimits, seats: Vector
) -> NDArray[np.bool_]:
    is_taken = np.zeros(len(offers), dtype=bool)
    free, money = seats.copy(), limits.budget
    hours = np.full(len(offers.is_due), limits.hours)
    trained: set[tuple[int, int]] = set()
    for place in order:
        rep, course = offers.rep[place], offers.course[place]
        pair = (int(rep), int(offers.skill[place]))
        is_open = free[course] >= 1 and hours[rep] >= offers.hours[place]
        if is_open and pair not in trained and money >= offers.cost[place]:
            is_taken[place] = True
            trained.add(pair)
            free[course] -= 1
            hours[rep] -= offers.hours[place]
            money -= offers.cost[place]
    return is_taken
