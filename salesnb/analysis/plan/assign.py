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

from salesnb.analysis.plan.greedy import fill, order_by_cost, take_in_order
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
_SECONDS = 3.0
"""Time a plan may take; the best one found by then counts, with its gap."""
_LONGEST = 15.0
"""Time that any plan at all may take, where fairness makes one hard to find."""
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


def assign(
    gain: Vector, offers: Offers, limits: PlanLimits, *, seconds: float = _SECONDS
) -> Assignment | None:
    """Choose the offers with the largest gain; None when no plan keeps to all limits.

    Parameters
    ----------
    gain
        (N,) of each offer; one that brings nothing is only taken where fairness asks for it.
    seconds
        Time to find the best; what is found by then is filled up in the order of gain by cost.

    Raises
    ------
    SalesnbError
        The solver failed, or found no plan at all in time.
    """
    if not len(offers):
        return Assignment(np.zeros(0, dtype=bool), 0.0)
    rows = [once_a_skill(offers), *write_rows(offers, limits).values()]
    worth = gain / max(float(np.abs(gain).max()), 1e-9) - _EXTRA
    cost = np.concatenate([-worth, np.zeros(_held(offers))])
    for presolve in (True, False):
        found = _solve(cost, rows, offers, seconds=seconds, presolve=presolve)
        if found is None:
            return None
        if found.values is None:
            start = _start(worth, rows, offers, limits)
            return None if start is None else _improve(start, worth, offers, limits, found.most)
        is_taken = found.values[: len(offers)] > 0.5
        if not _keeps_to(rows, is_taken, offers):
            continue
        gap = _measure_gap(worth, is_taken, found.most)
        if gap > LARGEST_GAP:
            return _improve(is_taken, worth, offers, limits, found.most)
        return Assignment(is_taken, gap)
    raise SalesnbError("training plan: the solver's plan breaks a limit. Change a limit slightly.")


def _start(
    worth: Vector, rows: Collection[LinearRows], offers: Offers, limits: PlanLimits
) -> NDArray[np.bool_] | None:
    """Find any plan: without fairness in the order of gain by cost; None when there is none."""
    if not offers.floors.any() and not offers.is_due.any():
        return take_in_order(order_by_cost(worth, offers, limits), offers, limits)
    nothing = np.zeros(len(offers) + _held(offers))
    found = _solve(nothing, rows, offers, seconds=_LONGEST)
    if found is None:
        return None
    is_taken = found.known[: len(offers)] > 0.5
    if not _keeps_to(rows, is_taken, offers):
        raise SalesnbError("training plan: the solver's plan breaks a limit. Loosen a limit.")
    return is_taken


def _improve(
    start: NDArray[np.bool_], worth: Vector, offers: Offers, limits: PlanLimits, most: float
) -> Assignment:
    is_taken = fill(start, worth, offers, limits)
    return Assignment(is_taken, _measure_gap(worth, is_taken, most))


def _measure_gap(worth: Vector, is_taken: NDArray[np.bool_], most: float) -> float:
    """Share by which the most that any plan can bring is above this one; 1 where not known."""
    value = float(worth[is_taken].sum())
    if most - value <= _EXTRA * max(1.0, len(worth)):
        return 0.0
    return min(most / value - 1, 1.0) if value > 0 else 1.0


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


@dataclass(frozen=True, eq=False)
class _Solved:
    """Values of the variables, None when there was no time; most that the negative cost can be."""

    values: Vector | None
    most: float

    @property
    def known(self) -> Vector:
        if self.values is None:
            raise SalesnbError("training plan: none was found in time. Loosen a limit.")
        return self.values


def _solve(
    cost: Vector, rows: Collection[LinearRows], offers: Offers, *, n_slack: int = 0,
    seconds: float = _LONGEST, presolve: bool = True,
) -> _Solved | None:  # fmt: skip
    """Minimise a cost over offers, courses held and slacks; None when nothing keeps to the rows."""
    n_whole = len(offers) + _held(offers)
    upper = np.concatenate([np.ones(n_whole), np.full(n_slack, np.inf)])
    with _quiet():
        result = milp(
            cost,
            constraints=[LinearConstraint(row.matrix, row.low, row.high) for row in rows],
            integrality=np.concatenate([np.ones(n_whole), np.zeros(n_slack)]),
            bounds=Bounds(0, upper),
            options={"mip_rel_gap": LARGEST_GAP, "time_limit": seconds, "presolve": presolve},
        )
    if result.status == 2:
        return None
    if result.x is None and result.status != 1:
        raise SalesnbError(f"training plan: the solver failed ({result.message}).")
    most = np.inf if result.mip_dual_bound is None else -float(result.mip_dual_bound)
    return _Solved(None if result.x is None else np.asarray(result.x), most)


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
    return float("nan") if found is None else float(found.known[-n_slack:].sum())


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
