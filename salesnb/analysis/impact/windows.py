"""Which quarters before a training are compared with which after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

SELECTION = 2
"""Quarters before a training that people are taken to have been chosen by."""
LONGEST = 4
"""Quarters of a window at most: what is further off says less about the people there are now."""
FEWEST = 1


@dataclass(frozen=True, eq=False)
class Windows:
    """Columns of a panel around a training in the quarter `at` (0 in `relative`).

    Attributes
    ----------
    at
        Column of the quarter of the training; it is neither before nor after.
    before, after
        Columns compared: as many, and as far from the middle of the `selection` quarters, so that
        a weak spell that people were chosen for, and that fades, is as near to both.
    selection
        Columns of the quarters people may have been chosen by: not compared.
    earlier
        Columns up to the last one of `before`, oldest first: what pre-trends are looked for in.
    """

    at: int
    before: Ints
    after: Ints
    selection: Ints
    earlier: Ints

    @property
    def is_usable(self) -> bool:
        """Whether there are quarters on both sides."""
        return len(self.before) >= FEWEST and len(self.after) >= FEWEST


def symmetric_windows(
    at: int, n_periods: int, *, selection: int = SELECTION, longest: int = LONGEST
) -> Windows:
    """Lay windows of equal length at equal distance around the selection quarters.

    Parameters
    ----------
    at
        Column of the training's quarter.
    n_periods
        Number of columns.
    selection
        Quarters before the training that are dropped.
    longest
        Most quarters a window has.

    Returns
    -------
    Windows
        With empty windows where there are too few quarters.

    Notes
    -----
    With a transitory weakness that fades alike in both directions the bias cancels only at equal
    distance (Chabe-Ferret, Journal of Econometrics 185, 2015): the first quarter after is
    (selection + 3) / 2 quarters from the middle of the selection, and so is the last one before.

    >>> windows = symmetric_windows(8, 12)
    >>> windows.before.tolist(), windows.selection.tolist(), windows.after.tolist()
    ([2, 3, 4], [6, 7], [9, 10, 11])
    """
    after = n_periods - at - 1
    last_before = at - selection - 2 if selection else at - 1
    length = max(min(after, last_before + 1, longest), 0)
    return Windows(
        at=at,
        before=np.arange(last_before - length + 1, last_before + 1),
        after=np.arange(at + 1, at + 1 + length),
        selection=np.arange(max(at - selection, 0), at),
        earlier=np.arange(0, max(last_before + 1, 0)),
    )


def waitlist_windows(at: int, n_periods: int, *, longest: int = LONGEST) -> Windows:
    """Lay windows around a lottery: nobody was chosen by results, so nothing is dropped before."""
    return Windows(
        at=at,
        before=np.arange(max(at - longest, 0), at),
        after=np.arange(at + 1, min(at + 1 + longest, n_periods)),
        selection=np.arange(0),
        earlier=np.arange(0, at),
    )
