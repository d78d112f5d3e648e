"""Intervals of shares: Wilson's, which hold their promise where records are few."""

from __future__ import annotations

import math

from scipy.stats import norm


def find_wilson(share: float, size: float, *, level: float = 0.95) -> tuple[float, float]:
    """Find Wilson's interval of a share.

    Parameters
    ----------
    share
        0-1.
    size
        Records it rests on, > 0; need not be whole, as of shares with some still under way.
    level
        0-1: how often such intervals hold the true share.

    Returns
    -------
    low, high
        Within 0-1.

    Source: Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.

    >>> [round(end, 3) for end in find_wilson(0.5, 10)]
    [0.237, 0.763]
    """
    z2 = float(norm.ppf(0.5 + level / 2)) ** 2 / size
    centre = (share + z2 / 2) / (1 + z2)
    reach = math.sqrt(z2 * (share * (1 - share) + z2 / 4)) / (1 + z2)
    return max(centre - reach, 0.0), min(centre + reach, 1.0)
