"""Money at stake: what each person can be expected to book in the next four quarters."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesnb.analysis.estimate import estimate_kpi
from salesnb.analysis.plan.outcomes import BOOKINGS
from salesnb.measures.measures import Measures

_YEAR = 4


def expect_bookings(measures: Measures, *, period: str, n_draws: int = 1000) -> pd.DataFrame:
    """Expect each person's bookings of four quarters from the last four, drawn to everybody's.

    Returns
    -------
    DataFrame
        Indexed by rep_id: `money` and its standard deviation `money_sd`; empty when nothing
        was booked.
    """
    nothing = pd.DataFrame({"money": [], "money_sd": []}, index=pd.Index([], name="rep_id"))
    if all(kpi.kpi != BOOKINGS for kpi in measures.kpis):
        return nothing
    window = [quarter for quarter in measures.window(period, _YEAR) if measures.is_whole(quarter)]
    sums = measures.roll_up(by="rep", periods=tuple(window), kpi=BOOKINGS, pool=bool(window))
    sums = sums[(sums["unit_id"] != "") & (sums["denominator"] > 0)]
    if not sums["numerator"].sum() > 0:
        return nothing
    sums = sums.set_index("unit_id").sort_index()
    found = estimate_kpi(measures.kpi(BOOKINGS), sums, n_draws=n_draws)
    return pd.DataFrame(
        {
            "money": np.maximum(found.estimate, 0.0) * _YEAR,
            "money_sd": found.draws.std(axis=1) * _YEAR,
        },
        index=pd.Index(sums.index.astype(str), name="rep_id"),
    )
