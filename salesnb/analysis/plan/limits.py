"""What a plan must keep to: seats, hours, budget, class sizes and fairness, as linear rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, eye_array, hstack

from salesnb.errors import ParameterError

Name = Literal["seats", "budget", "hours", "smallest class", "team share", "everyone"]
NAMES: tuple[Name, ...] = ("seats", "budget", "hours", "smallest class", "team share", "everyone")

Vector = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True)
class PlanLimits:
    """What the analyst asks of a plan.

    Attributes
    ----------
    budget
        Money for all seats; infinite when nothing is said.
    hours
        Hours of one person in courses; infinite when nothing is said.
    smallest_class
        Fewest people a course is held for.
    team_share
        Of the people of each team who could gain, the share that gets a seat at least, 0-1.
    everyone_within
        Quarters within which everybody with a gap gets a course; 0: not asked.
    away_share
        Of a team's people, the share that may be in a session on the same day, 0-1; one always
        may.
    """

    budget: float = np.inf
    hours: float = np.inf
    smallest_class: int = 1
    team_share: float = 0.0
    everyone_within: int = 0
    away_share: float = 0.34

    def __post_init__(self) -> None:
        """Refuse what no plan could keep to."""
        for name in ("budget", "hours", "smallest_class", "everyone_within"):
            if not getattr(self, name) >= 0:
                raise ParameterError(f"{name}: {getattr(self, name)!r} is below 0. Use 0 or more.")
        for name in ("team_share", "away_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ParameterError(
                    f"{name}: {getattr(self, name)!r} is no share. Use 0 to 1, like 0.2."
                )


@dataclass(frozen=True, eq=False)
class Offers:
    """N courses that could be given, each to one person.

    Attributes
    ----------
    rep, course, skill, team
        (N,) codes from 0.
    hours, cost
        (N,) of one seat.
    seats
        (C,) of each course.
    floors
        (T,) seats that each team gets at least.
    is_due
        (R,) whether a person must get a course now.
    """

    rep: Codes
    course: Codes
    skill: Codes
    team: Codes
    hours: Vector
    cost: Vector
    seats: Vector
    floors: Vector
    is_due: NDArray[np.bool_]

    def __len__(self) -> int:
        """Count what could be given."""
        return len(self.rep)


@dataclass(frozen=True, eq=False)
class LinearRows:
    """Rows `low <= matrix @ x <= high` over offers and, behind them, courses held or not.

    Each row is divided by its `unit` (of seats, money or hours), for the solver's tolerance is
    absolute.
    """

    matrix: csr_array
    low: Vector
    high: Vector
    unit: Vector


def write_rows(offers: Offers, limits: PlanLimits) -> dict[Name, LinearRows]:
    """Write each limit as linear rows; those that ask nothing are left out.

    Variables are N offers taken or not, then C courses held or not.
    """
    n_courses = len(offers.seats)
    taken = _count(offers.course, n_courses)
    # of a course without seats half a seat is not enough for anybody
    rows = {"seats": _rows(taken, np.maximum(offers.seats, 0.5), held=True, high=0.0)}
    if np.isfinite(limits.budget):
        spent = _count(np.zeros(len(offers), np.intp), 1, offers.cost)
        rows["budget"] = _rows(spent, 1e3, n_courses=n_courses, high=limits.budget)
    if np.isfinite(limits.hours):
        away = _count(offers.rep, len(offers.is_due), offers.hours)
        rows["hours"] = _rows(away, 8.0, n_courses=n_courses, high=limits.hours)
    if limits.smallest_class > 1:
        size = np.full(n_courses, float(limits.smallest_class))
        rows["smallest class"] = _rows(taken, size, held=True, low=0.0)
    if offers.floors.any():
        of_team = _count(offers.team, len(offers.floors))
        rows["team share"] = _rows(of_team, 1.0, n_courses=n_courses, low=offers.floors)
    if offers.is_due.any():
        due = csr_array(_count(offers.rep, len(offers.is_due))[np.flatnonzero(offers.is_due)])
        rows["everyone"] = _rows(due, 1.0, n_courses=n_courses, low=1.0)
    return {name: rows[name] for name in NAMES if name in rows}


def once_a_skill(offers: Offers) -> LinearRows:
    """Write that nobody is trained in one skill by two courses at once."""
    pair = np.unique(np.stack([offers.rep, offers.skill]), axis=1, return_inverse=True)[1].ravel()
    counted = _count(pair, int(pair.max(initial=-1)) + 1)
    return _rows(counted, 1.0, n_courses=len(offers.seats), high=1.0)


def _count(codes: Codes, size: int, values: Vector | None = None) -> csr_array:
    weights = np.ones(len(codes)) if values is None else values
    return csr_array((weights, (codes, np.arange(len(codes)))), shape=(size, len(codes)))


def _rows(
    matrix: csr_array, unit: Vector | float, *, held: bool = False, n_courses: int = 0,
    low: Vector | float = -np.inf, high: Vector | float = np.inf,
) -> LinearRows:  # fmt: skip
    """Divide rows by their unit; of those `held`, row and course are one: less 1 if it is held."""
    size = matrix.shape[0]
    units = np.broadcast_to(unit, size).astype(float)
    courses = -eye_array(size) if held else csr_array((size, n_courses))
    return LinearRows(
        csr_array(hstack([diags_array(1 / units) @ matrix, courses])),
        np.broadcast_to(low, size) / units, np.broadcast_to(high, size) / units, units,
    )  # fmt: skip
