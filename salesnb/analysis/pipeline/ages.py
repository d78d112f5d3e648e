"""What age alone says: how many of those as old were won in the time ahead."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import beta

AGES = ["n", "p", "low", "high"]


def chances_by_age(ages: pd.DataFrame, asked: pd.Series[float], horizon_days: int) -> pd.DataFrame:
    """Give the chance of being won within so many days, of opportunities open at an age.

    Losses compete, open ones are censored at their age, and what was not watched from its beginning
    counts from the age it came in at (Aalen and Johansen 1978, from the age on; delayed entry), so
    nothing counts as what it is not known to be.

    Parameters
    ----------
    ages
        age_days, n_entered, n_won, n_lost, n_open of all opportunities.
    asked
        Ages in days; missing ones get no chance.
    horizon_days
        Days ahead.

    Returns
    -------
    DataFrame
        Indexed as `asked`: `n` that were followed beyond the age, the chance `p` (0-1) and its 90%
        interval `low`, `high` (Jeffreys, as if all `n` had been followed); missing where nobody
        was.

    Examples
    --------
    >>> ages = pd.DataFrame({"age_days": [0.0, 10.0, 20.0], "n_entered": [4, 0, 0],
    ...                      "n_won": [0, 2, 1], "n_lost": [0, 0, 1], "n_open": [0, 0, 0]})
    >>> chances_by_age(ages, pd.Series([0.0, 10.0]), 15)["p"].round(2).tolist()
    [0.5, 0.5]
    """
    known = ages.sort_values("age_days")
    t = known["age_days"].to_numpy(dtype=float)
    won, lost, still = (known[name].to_numpy(dtype=float) for name in ("n_won", "n_lost", "n_open"))
    gone = won + lost + still
    at_risk = np.cumsum(known["n_entered"].to_numpy(dtype=float)) - np.cumsum(gone) + gone
    survives = 1.0 - (won + lost) / np.maximum(at_risk, 1.0)
    found = pd.DataFrame(index=asked.index, columns=AGES, dtype=float)
    distinct = {
        age: _chance(t, won, at_risk, survives, age, horizon_days)
        for age in asked.dropna().unique()
    }
    for place, name in enumerate(AGES):
        found[name] = asked.map({age: row[place] for age, row in distinct.items()}).astype(float)
    return found


def _chance(
    t: np.ndarray, won: np.ndarray, at_risk: np.ndarray, survives: np.ndarray, age: float,
    horizon_days: int,
) -> tuple[float, float, float, float]:  # fmt: skip
    later = t > age
    if not later.any():
        return (0.0, np.nan, np.nan, np.nan)
    n = float(at_risk[later][0])
    if not n:
        return (0.0, np.nan, np.nan, np.nan)
    ahead = later & (t <= age + horizon_days)
    left = np.concatenate([[1.0], np.cumprod(survives[ahead])[:-1]])[: ahead.sum()]
    p = float((left * won[ahead] / np.maximum(at_risk[ahead], 1.0)).sum())
    held = beta(p * n + 0.5, (1 - p) * n + 0.5)
    return n, p, float(held.ppf(0.05)) if p > 0 else 0.0, float(held.ppf(0.95))
