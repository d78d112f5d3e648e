"""What leads, opportunities and wins have cost, with what chance may have made of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm

from salesnb.analysis.alignment.rows import LEVEL, View
from salesnb.measures.measures import Measures

COSTED = (
    ("lead", "leads", "leads"),
    ("qualified lead", "qualified", "lead_to_qualified"),
    ("opportunity", "opportunities", "lead_to_won"),
    ("win", "won", "lead_to_won"),
)
"""What is paid for, the column that counts it, and the KPI that needs the same data."""

PER_BOOKED = "1 of bookings"
COSTS = ["unit", "what", "n", "spend", "cost", "low", "high"]


def find_costs(measures: Measures, view: View, rows: pd.DataFrame) -> pd.DataFrame:
    """Divide each source's spend by what came of its leads of the same quarters.

    The spend is what was paid; only the count is uncertain (Garwood, 1936: exact for a Poisson
    count). Bookings vary as a random number of random amounts do.

    Parameters
    ----------
    rows
        One row a source: unit, the counts, booked and squares (of amounts).

    Returns
    -------
    DataFrame
        unit, what, n, spend, cost with interval low to high; missing where nothing was won, or
        `high` where nothing may have been.
    """
    spent = measures.demand.spend[measures.demand.spend["period"].isin(view.periods)]
    total = spent.groupby("source")["spend"].sum()
    paid = rows[rows["unit"].isin(total[total > 0].index)]
    known = [item for item in COSTED if item[-1] not in measures.missing]
    found = []
    for row in paid.to_dict("records"):
        spend = float(total[row["unit"]])
        for what, column, _ in known:
            low, high = count_interval(float(row[column]))
            found.append(
                (
                    row["unit"],
                    what,
                    row[column],
                    spend,
                    _divide(spend, row[column]),
                    _divide(spend, high),
                    _divide(spend, low),
                )
            )
        if "lead_to_won" in measures.missing:
            continue
        half = float(norm.ppf((1 + LEVEL) / 2) * np.sqrt(row["squares"]))
        booked = float(row["booked"])
        found.append(
            (
                row["unit"],
                PER_BOOKED,
                booked,
                spend,
                _divide(spend, booked),
                _divide(spend, booked + half),
                _divide(spend, booked - half),
            )
        )
    return pd.DataFrame(found, columns=COSTS)  # fmt: skip


def _divide(spend: float, n: float) -> float:
    return spend / n if n > 0 else float("nan")


def count_interval(n: float) -> tuple[float, float]:
    """Find the interval of a count's expectation.

    >>> low, high = count_interval(0)
    >>> low, round(high, 2)
    (0.0, 3.0)
    """
    tail = (1 - LEVEL) / 2
    low = float(chi2.ppf(tail, 2 * n) / 2) if n > 0 else 0.0
    return low, float(chi2.ppf(1 - tail, 2 * n + 2) / 2)
