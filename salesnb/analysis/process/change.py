"""Changes: a share beside others, with how much such shares move from quarter to quarter anyway."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, norm

from salesnb.analysis.multiplicity import SMALLEST
from salesnb.analysis.process.incidence import NOT_KNOWN, Floats, Share, with_interval
from salesnb.analysis.rates.heterogeneity import find_between_variance

FEWEST = 20
"""Records below which nothing is tested: intervals are too rough to hold their promise."""


@dataclass(frozen=True)
class Change:
    """A difference of two shares, its standard error, and its chance among equal ones."""

    by: float
    error: float
    p_value: float


NO_CHANGE = Change(math.nan, math.nan, math.nan)


def compare_shares(now: Share, other: Share, wobble: float = 0.0) -> Change:
    """Compare two independent shares on the scale of log odds (two-sided normal test).

    `wobble` is the variance, in log odds, that such shares differ by without any reason.
    """
    if not (0 < now.value < 1 and 0 < other.value < 1 and now.error > 0 and other.error > 0):
        return NO_CHANGE
    a, b = (log_odds(share) for share in (now, other))
    z = (a[0] - b[0]) / math.sqrt(a[1] + b[1] + wobble)
    p_value = max(float(2 * norm.sf(abs(z))), SMALLEST)
    slope = (now.value * (1 - now.value) + other.value * (1 - other.value)) / 2
    error = math.sqrt(now.error**2 + other.error**2 + wobble * slope**2)
    return Change(now.value - other.value, error, p_value)


def log_odds(share: Share) -> tuple[float, float]:
    """Give a share's log odds and their variance (delta method)."""
    spread = share.value * (1 - share.value)
    return math.log(share.value / (1 - share.value)), (share.error / spread) ** 2


def find_wobble(past: list[Share]) -> float:
    """Estimate how much a quarter differs from the quarters before beyond chance, as a variance.

    The variance between quarters (Paule-Mandel) counts once for the quarter and once for the
    mean of the others.
    """
    known = [log_odds(share) for share in past if 0 < share.value < 1 and share.error > 0]
    if len(known) < 2:
        return 0.0
    values, noise = np.array(known).T
    return find_between_variance(values, noise) * (1 + 1 / len(known))


def plain_share(n: float, of: float) -> Share:
    """Give the share of events among occasions, with Wilson's interval; missing without any."""
    if not of:
        return NOT_KNOWN
    value = n / of
    return with_interval(value, math.sqrt(value * (1 - value) / of), of)


def chance_if_equal(n: Floats, of: Floats) -> float:
    """Give the chance of shares as far apart among equal units (Pearson); missing below two."""
    known = of > 0
    n, of = n[known], of[known]
    total, whole = n.sum(), of.sum()
    if len(of) < 2 or not 0 < total < whole or min(total, whole - total) < FEWEST:
        return math.nan
    found = chi2_contingency(np.array([n, of - n]), correction=False)
    return max(float(found.pvalue), SMALLEST)


def quarterly(counts: pd.DataFrame, periods: tuple[str, ...]) -> list[Share]:
    """Give the share of each quarter that has any occasion."""
    sums = counts[counts["period"].isin(periods)].groupby("period", observed=True)[["n", "of"]]
    return [plain_share(row["n"], row["of"]) for row in sums.sum().to_dict("records") if row["of"]]
