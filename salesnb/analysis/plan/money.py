"""Money at stake: what each person can be expected to book in the next four quarters."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesnb.analysis.adjust import adjusted_performance
from salesnb.measures.measures import Measures

_YEAR = 4
_SEEN = 8
"""Quarters behind what is expected: the wins of four are few, and season is taken out."""


def expect_bookings(measures: Measures, *, period: str) -> pd.DataFrame:
    """Expect each person's bookings of four quarters from the last eight.

    They are drawn to what territory, tenure and season make likely, as far as wins are few;
    without any territory known, to everybody's.

    Returns
    -------
    DataFrame
        Indexed by rep_id: `money` and its standard deviation `money_sd`; empty when nothing
        was booked. People without a known territory, where others have one, are missing.
    """
    window = [quarter for quarter in measures.window(period, _SEEN) if measures.is_whole(quarter)]
    found = adjusted_performance(
        measures, period=window[-1] if window else period, n_quarters=_SEEN
    )
    if found.estimates is None:
        return pd.DataFrame({"money": [], "money_sd": []}, index=pd.Index([], name="rep_id"))
    rows = found.rows[found.rows["expected"].notna()]
    # what was expected of the quarters worked, as of a whole year
    year = rows["expected"] / rows["quarters"] * _YEAR
    spread = pd.Series(found.estimates.draws.std(axis=1), index=list(found.estimates.labels))
    return pd.DataFrame(
        {
            "money": np.maximum((rows["estimate"] * year).to_numpy(dtype=float), 0.0),
            "money_sd": (rows["rep_id"].map(spread) * year).to_numpy(dtype=float),
        },
        index=pd.Index(rows["rep_id"].astype(str), name="rep_id"),
    )
