"""Short names of steps, for where the pattern is named above them and there is little room."""

from __future__ import annotations

from salesnb.analysis.interactions.steps import find_days, name_step
from salesnb.language import tr
from salesnb.measures.contacts import CALLS, FIRST_TOUCH, MEETINGS, MOST, PEOPLE


def shorten_step(pattern: str, bins: list[int]) -> str:
    """Name the bins of a step without what the name of its pattern says.

    >>> shorten_step("meetings", [2, 3]), shorten_step("first_touch", [4])
    ('2 or more', '1 to 2 days')
    """
    low, high = min(bins), max(bins)
    if pattern == FIRST_TOUCH:
        return _shorten_days(low, high)
    if pattern in (MEETINGS, PEOPLE, CALLS) and high == MOST:
        return tr("{n} or more", n=low)
    return name_step(pattern, bins)


def _shorten_days(low: int, high: int) -> str:
    if not high:
        return tr("no touch")
    after, last = find_days(low, high)
    if last is None:
        return tr("{n} days or none", n=after) if after else tr("any or no touch")
    if not last:
        return tr("the same day")
    if not after:
        return tr("within {n} days", n=last)
    return tr("{first} to {last} days", first=after, last=last)
