"""Groups trained one after another: each against those not trained yet, then averaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from salesnb.analysis.impact.effect import Effect, Floats
from salesnb.analysis.impact.panel import Panel
from salesnb.analysis.impact.windows import SELECTION, Ints

NEVER = np.iinfo(np.int64).max
"""Column of the training of those who were never trained."""
_FEWEST = 2


@dataclass(frozen=True, eq=False)
class Staggered:
    """What training did over all groups.

    Attributes
    ----------
    overall
        Mean effect over all quarters after a training, each group and quarter weighed by the
        people it rests on.
    by_quarter
        relative (quarter to the training), estimate, error, n (trained people behind it).
    """

    overall: Effect
    by_quarter: pd.DataFrame


@dataclass(frozen=True, eq=False)
class _Cell:
    """The effect on one group in one quarter, with what each unit adds to its error."""

    relative: int
    estimate: float
    influence: Floats
    weight: float


def staggered_effect(
    panel: Panel, trained_at: Ints, *, selection: int = SELECTION, base: int = 1, longest: int = 4,
    from_quarter: int = 1,
) -> Staggered:  # fmt: skip
    """Estimate the effect of a training that groups had in different quarters.

    Group by group the change since before its training is compared with the change of those who
    were not trained by then (Callaway and Sant'Anna, Journal of Econometrics 225, 2021, with
    not-yet-treated controls and `selection` quarters of anticipation). A regression on person,
    quarter and "trained" compares with those trained already, whose change is an effect too.

    Parameters
    ----------
    panel
        All people who can be compared.
    trained_at
        Column of each row's training; `NEVER` without one.
    selection
        Quarters before a training that are not used.
    base
        Quarters before these whose mean is the level before.
    longest
        Quarters to look at on either side.
    from_quarter
        First quarter after (0: that of the training itself) that counts in `overall`.

    Returns
    -------
    Staggered
        Errors from what each person adds, so a person's quarters may depend on each other.
    """
    n_periods = len(panel.periods)
    cells = []
    for group in np.unique(trained_at[trained_at < n_periods]):
        columns = np.arange(group - selection - base, group - selection)
        if columns[0] < 0:
            continue
        quarters = range(max(0, group - selection - longest), min(n_periods, group + longest + 1))
        for quarter in quarters:
            cell = _compare(panel, trained_at, int(group), quarter, columns)
            if cell is not None:
                cells.append(cell)
    counted = [cell for cell in cells if cell.relative >= from_quarter]
    relatives = sorted({cell.relative for cell in cells})
    rows = []
    for relative in relatives:
        own = [cell for cell in cells if cell.relative == relative]
        estimate, error = _average(own)
        rows.append((relative, estimate, error, sum(cell.weight for cell in own)))
    by_quarter = pd.DataFrame(rows, columns=["relative", "estimate", "error", "n"])
    return Staggered(_overall(counted, trained_at, n_periods), by_quarter)


def _compare(
    panel: Panel, trained_at: Ints, group: int, quarter: int, columns: NDArray[np.int64]
) -> _Cell | None:
    """Compare one group's change with that of those not trained by then."""
    change = panel.mean(np.array([quarter])) - panel.mean(columns)
    known = np.isfinite(change)
    ours = known & (trained_at == group)
    theirs = known & (trained_at > max(quarter, group))
    n, m = int(ours.sum()), int(theirs.sum())
    if n < _FEWEST or m < _FEWEST:
        return None
    own, other = float(change[ours].mean()), float(change[theirs].mean())
    influence = np.zeros(len(change))
    # (n - 1) in place of n: groups are small
    influence[ours] = (change[ours] - own) / np.sqrt(n * (n - 1))
    influence[theirs] = -(change[theirs] - other) / np.sqrt(m * (m - 1))
    return _Cell(quarter - group, own - other, influence, float(n))


def _average(cells: list[_Cell]) -> tuple[float, float]:
    weights = np.array([cell.weight for cell in cells])
    weights = weights / weights.sum()
    estimate = float(weights @ np.array([cell.estimate for cell in cells]))
    influence = weights @ np.array([cell.influence for cell in cells])
    return estimate, float(np.sqrt(influence @ influence))


def _overall(counted: list[_Cell], trained_at: Ints, n_periods: int) -> Effect:
    n_trained = int((trained_at < n_periods).sum())
    n_compared = len(trained_at) - n_trained
    if not counted:
        return Effect(np.nan, np.nan, np.nan, n_trained, n_compared)
    estimate, error = _average(counted)
    return Effect(estimate, error, float(max(n_trained - 1, 1)), n_trained, n_compared)
