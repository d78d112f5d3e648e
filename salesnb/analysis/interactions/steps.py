"""Steps of a pattern: bins with too few opportunities are put together, and named."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from salesnb.analysis.wording import MISSING
from salesnb.language import format_number, mark, tr, tr_many
from salesnb.measures.contacts import (
    CALLS,
    FIRST_TOUCH,
    LANDMARK_DAYS,
    MEETINGS,
    MOST,
    PATTERNS,
    PEOPLE,
    SILENCE,
    TOUCHED_WITHIN,
    UNKNOWN,
    WEEKS,
)

FEWEST = 20
"""Opportunities a step has at least, of which one was won and one was not."""

NO_CAUSE = mark("An association, not a cause.")

PATTERN_NAMES = {
    FIRST_TOUCH: mark("First two-way touch"),
    MEETINGS: mark("Meetings held"),
    PEOPLE: mark("Contacts spoken to"),
    CALLS: mark("Calls answered"),
    SILENCE: mark("Weeks in a row without a touch"),
}
STEP_WORDS = {
    FIRST_TOUCH: mark("step sooner"),
    MEETINGS: mark("meeting"),
    PEOPLE: mark("contact"),
    CALLS: mark("call"),
    SILENCE: mark("silent week in a row"),
}
"""What one step more is; as the names, a text to be said by `tr`."""

_THINGS: dict[str, Callable[[int], str]] = {
    MEETINGS: lambda n: tr_many("meeting", "meetings", n),
    PEOPLE: lambda n: tr_many("contact", "contacts", n),
    CALLS: lambda n: tr_many("call", "calls", n),
    SILENCE: lambda n: tr_many("silent week", "silent weeks", n),
}
_NONE = {
    MEETINGS: mark("no meeting"),
    PEOPLE: mark("no contact"),
    CALLS: mark("no call"),
    SILENCE: mark("no silent week"),
}


def known_patterns(rows: pd.DataFrame) -> tuple[str, ...]:
    """List the patterns of which the rows say anything."""
    return tuple(name for name in PATTERNS if not (rows[name] == UNKNOWN).any())


def find_steps(rows: pd.DataFrame, pattern: str) -> dict[int, int]:
    """Give each bin its step, 0 the lowest; a step of too few joins its smaller neighbour."""
    counts = rows.groupby(pattern, observed=True)[["n", "n_won"]].sum().sort_index()
    groups = [([int(bin_)], float(n), float(won)) for bin_, n, won in counts.itertuples()]
    while len(groups) > 1:
        weak = [place for place, (_, n, won) in enumerate(groups) if n < FEWEST or not 0 < won < n]
        if not weak:
            break
        place = min(weak, key=lambda at: (groups[at][1], at))
        beside = [at for at in (place - 1, place + 1) if 0 <= at < len(groups)]
        other = min(beside, key=lambda at: (groups[at][1], at))
        first, second = sorted((place, other))
        (bins, n, won), (more, n_more, won_more) = groups[first], groups[second]
        groups[first : second + 1] = [(bins + more, n + n_more, won + won_more)]
    return {bin_: step for step, (bins, _, _) in enumerate(groups) for bin_ in bins}


def take_step(bins: pd.Series[int], steps: dict[int, int]) -> pd.Series[int]:
    """Find the step of each bin; a bin that is not among the steps belongs to the nearest."""
    known = np.array(sorted(steps))
    values = bins.to_numpy(dtype=int)
    nearest = known[np.abs(values[:, None] - known).argmin(axis=1)]
    return pd.Series([steps[bin_] for bin_ in nearest.tolist()], index=bins.index, dtype=int)


def write_odds(ratio: float) -> str:
    """Write a ratio of odds; a dash where it is missing.

    >>> write_odds(1.234), write_odds(float("nan"))
    ('x1.23', '–')
    """
    return f"x{format_number(ratio, 2, group=False)}" if math.isfinite(ratio) else MISSING


def name_step(pattern: str, bins: list[int]) -> str:
    """Name the bins of a step.

    >>> name_step("meetings", [2, 3]), name_step("first_touch", [4])
    ('2 or more meetings', 'first touch after 1 to 2 days')
    """
    low, high = min(bins), max(bins)
    if pattern == FIRST_TOUCH:
        return _name_days(low, high)
    say = _THINGS[pattern]
    top = WEEKS if pattern == SILENCE else MOST
    if low == high and (pattern == SILENCE or high < top):
        return f"{low} {say(low)}" if low else tr(_NONE[pattern])
    if high == top and pattern != SILENCE:
        return tr("{low} or more {things}", low=low, things=say(2))
    return tr("{low} to {high} {things}", low=low, high=high, things=say(2))


def find_days(low: int, high: int) -> tuple[int, int | None]:
    """Find the first and last day of bins of the first touch; no last where none may come.

    >>> find_days(4, 4), find_days(0, 4)
    ((1, 2), (1, None))
    """
    after = TOUCHED_WITHIN[len(TOUCHED_WITHIN) - high - 1] if high < len(TOUCHED_WITHIN) else 0
    return after, TOUCHED_WITHIN[len(TOUCHED_WITHIN) - low] - 1 if low else None


def _name_days(low: int, high: int) -> str:
    if not high:
        return tr("no touch within {days} days", days=LANDMARK_DAYS)
    after, last = find_days(low, high)
    if last is None:
        if not after:
            return tr("any or no touch")
        return tr("first touch after {days} days or none", days=after)
    if not last:
        return tr("first touch the same day")
    if not after:
        return tr("first touch within {days} days", days=last)
    return tr("first touch after {after} to {last} days", after=after, last=last)
