"""Who gets which course: the largest gain that keeps to all limits, by integer programming."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, hstack, vstack

from salesnb.analysis.plan.limits import (
    LinearRows,
    Name,
    Offers,
    PlanLimits,
    Vector,
    once_a_skill,
    write_rows,
)
from salesnb.errors import SalesnbError

LARGEST_GAP = 0.004
"""Share of the gain that the best plan may be better by than the one found."""
_SECONDS = 4.0
"""Time a plan may take; the best one found by then counts, with its gap."""
_EXTRA = 1e-7
"""Offers of nothing are not worth a seat."""


@dataclass(frozen=True, eq=False)
class Assignment:
    """What is given.

    Attributes
    ----------
    is_taken
        (N,) of the offers.
    gap
        Share of the gain that the best plan may still be better by.
    """

    is_taken: NDArray[np.bool_]
    gap: float


@dataclass(frozen=True, eq=False)
class Shadow:
    """What one more would bring, at the margin: (C,) a seat of each course, a unit of money."""

    seats: Vector
    budget: float


def assign(gain: Vector, offers: Offers, limits: PlanLimits) -> Assignment | None:
    """Choose the offers with the largest gain; None when no plan keeps to all limits.

    Parameters
    ----------
    gain
        (N,) of each offer; one that brings nothing is only taken where fairness asks for it.
    """
    if not len(offers):
        return Assignment(np.zeros(0, dtype=bool), 0.0)
    rows = [once_a_skill(offers), *write_rows(offers, limits).values()]
    worth = gain / max(float(np.abs(gain).max()), 1e-9) - _EXTRA
    cost = np.concatenate([-worth, np.zeros(_held(offers))])
    for presolve in (True, False):
        found = _solve(cost, rows, offers, presolve=presolve)
        if found is None:
            return None
        is_taken = found[0][: len(offers)] > 0.5
        if _keeps_to(rows, is_taken, offers):
            return Assignment(is_taken, found[1])
    raise SalesnbError("training plan: the solver's plan breaks a limit. Change a limit slightly.")


def _keeps_to(rows: Collection[LinearRows], is_taken: NDArray[np.bool_], offers: Offers) -> bool:
    """Check a plan: the solver has returned others (scipy issue 24141)."""
    is_held = np.bincount(offers.course[is_taken], minlength=_held(offers)) > 0
    values = np.concatenate([is_taken, is_held]).astype(float)
    sums = [(row.matrix @ values, row) for row in rows]
    return all(
        (found <= row.high + 1e-9).all() and (found >= row.low - 1e-9).all() for found, row in sums
    )


def _held(offers: Offers) -> int:
    return len(offers.seats)


def _solve(
    cost: Vector, rows: Collection[LinearRows], offers: Offers, *, n_slack: int = 0,
    presolve: bool = True,
) -> tuple[Vector, float] | None:  # fmt: skip
    """Minimise a cost over offers, courses held and slacks; None when nothing keeps to the rows."""
    n_whole = len(offers) + _held(offers)
    upper = np.concatenate([np.ones(n_whole), np.full(n_slack, np.inf)])
    with _quiet():
        result = milp(
            cost,
            constraints=[LinearConstraint(row.matrix, row.low, row.high) for row in rows],
            integrality=np.concatenate([np.ones(n_whole), np.zeros(n_slack)]),
            bounds=Bounds(0, upper),
            options={"mip_rel_gap": LARGEST_GAP, "time_limit": _SECONDS, "presolve": presolve},
        )
    if result.x is None:
        if result.status == 2:
            return None
        raise SalesnbError(
            f"training plan: none was found within {_SECONDS:.0f} s ({result.message}). "
            "Loosen a limit."
        )
    return np.asarray(result.x), float(result.mip_gap or 0.0)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep HiGHS from writing to standard output (jump-dev/HiGHS.jl issue 312)."""
    try:
        kept = os.dup(1)
    except OSError:  # there is none
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def find_conflict(offers: Offers, limits: PlanLimits) -> tuple[Name, ...]:
    """Find the smallest set of limits that no plan can keep to together."""
    rows, always = write_rows(offers, limits), once_a_skill(offers)
    nothing = np.zeros(len(offers) + _held(offers))
    for size in range(1, len(rows) + 1):
        for names in combinations(rows, size):
            if _solve(nothing, [always, *(rows[name] for name in names)], offers) is None:
                return names
    return ()


def loosen(offers: Offers, limits: PlanLimits, conflict: tuple[Name, ...], name: Name) -> float:
    """Find by how much one limit of a conflict must give way for the others to hold.

    Returns
    -------
    float
        Money for `budget`, hours a person for `hours`; for the others seats, summed.
    """
    rows = write_rows(offers, limits)
    loose = rows[name]
    # one slack for all where all give way together, else one each
    slack = 1 / loose.unit[:, None] if name in ("budget", "hours") else np.diag(1 / loose.unit)
    sign = -1.0 if np.isfinite(loose.high).all() else 1.0
    fixed = [once_a_skill(offers), *(rows[other] for other in conflict if other != name)]
    n_slack = slack.shape[1]
    wide = [
        replace(row, matrix=_widen(row.matrix, csr_array((row.matrix.shape[0], n_slack))))
        for row in fixed
    ]
    wide.append(replace(loose, matrix=_widen(loose.matrix, csr_array(sign * slack))))
    cost = np.concatenate([np.zeros(len(offers) + _held(offers)), np.ones(n_slack)])
    found = _solve(cost, wide, offers, n_slack=n_slack)
    return float("nan") if found is None else float(found[0][-n_slack:].sum())


def _widen(matrix: csr_array, more: csr_array) -> csr_array:
    return csr_array(hstack([matrix, more]))


def find_shadow(gain: Vector, offers: Offers, limits: PlanLimits) -> Shadow:
    """Find what one more seat and one more unit of money would bring, from the relaxed plan."""
    if not len(offers):
        return Shadow(np.zeros(_held(offers)), 0.0)
    rows = {"skill": once_a_skill(offers)}
    rows |= {str(name): row for name, row in write_rows(offers, limits).items()}
    matrices, bounds, places, start = [], [], {}, 0
    for name, row in rows.items():
        # A relaxed course is held as far as it is used: only with all held have seats a price.
        held = np.asarray(row.matrix[:, len(offers) :].sum(axis=1)) * (name == "seats")
        sign, bound = (1.0, row.high) if np.isfinite(row.high).all() else (-1.0, -row.low)
        matrices.append(csr_array(sign * row.matrix)[:, : len(offers)])
        bounds.append(bound - held)
        places[name] = slice(start, start + len(bound))
        start += len(bound)
    result = linprog(  # type: ignore[call-overload]  # the stubs know no sparse matrices
        -gain, A_ub=csr_array(vstack(matrices)), b_ub=np.concatenate(bounds), bounds=(0, 1)
    )
    if result.x is None:
        return Shadow(np.zeros(_held(offers)), 0.0)
    price = {
        name: -np.asarray(result.ineqlin.marginals)[place] / rows[name].unit
        for name, place in places.items()
    }
    return Shadow(price["seats"], float(price["budget"][0]) if "budget" in price else 0.0)


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
