"""What came a quarter after the ratings: each person's result against everybody's."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesnb.analysis.estimate import compound_error
from salesnb.analysis.peers import find_tenure
from salesnb.measures.measures import Measures

WIN_RATE, BOOKINGS = "win_rate", "bookings"
OUTCOMES = (WIN_RATE, BOOKINGS)

_FULL_TENURE_DAYS = 730
_COLUMNS = ["rep_id", "period", "outcome", "noise", "potential", "tenure"]


def find_outcomes(measures: Measures, kpi: str, periods: tuple[str, ...]) -> pd.DataFrame:
    """List each person's result in each quarter, as a share above or below everybody's.

    A win rate is on the log odds of winning, linear around everybody's of the quarter, so that a
    person without a win counts too; bookings a quarter worked are relative to their mean.

    Returns
    -------
    DataFrame
        rep_id, period, `outcome`, its variance by chance (`noise`), and what else may move it:
        `potential` (log, 0 where unknown) and `tenure` (log months, up to two years).
    """
    sums = measures.roll_up(by="rep", periods=periods, kpi=kpi)
    sums = sums[(sums["unit_id"] != "") & (sums["denominator"] > 0)]
    if sums.empty:
        return pd.DataFrame(columns=_COLUMNS)
    parts = [_compare(rows, kpi) for _, rows in sums.groupby("period")]
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(potential=_potential(measures, rows), tenure=_tenure(measures, rows))


def _compare(rows: pd.DataFrame, kpi: str) -> pd.DataFrame:
    rate = rows["numerator"].sum() / rows["denominator"].sum()
    apart = rows["numerator"] / rows["denominator"] - rate
    if kpi == WIN_RATE:
        slope = max(rate * (1 - rate), 1e-3)
        noise = 1 / (slope * rows["denominator"].to_numpy())
    else:
        slope = max(rate, 1e-9)
        error = compound_error(
            rows["n"].to_numpy(), rows["total_of_squares"].to_numpy(),
            rows["denominator"].to_numpy(),
        )  # fmt: skip
        noise = (error / slope) ** 2
    return pd.DataFrame(
        {
            "rep_id": rows["unit_id"].astype(str), "period": rows["period"],
            "outcome": apart / slope, "noise": noise,
        }
    )  # fmt: skip


def _potential(measures: Measures, rows: pd.DataFrame) -> pd.Series[float]:
    areas = measures.territories.dropna(subset=["rep_id", "potential"])
    areas = areas[areas["potential"] > 0]
    sums = areas.groupby("rep_id")["potential"].sum().astype(float)
    found = np.log(rows["rep_id"].map(sums).astype(float))
    return pd.Series(found - found.mean(), rows.index).fillna(0.0)


def _tenure(measures: Measures, rows: pd.DataFrame) -> pd.Series[float]:
    """Months since hiring, on logs; the median where the day of hiring is not known."""
    hired = measures.people.drop_duplicates("rep_id").set_index("rep_id")["hired_on"]
    tenure = pd.Series(np.nan, index=rows.index)
    for period, part in rows.groupby("period"):
        day = measures.calendar.first_day(str(period))
        tenure[part.index] = find_tenure(part["rep_id"].map(hired), day).to_numpy()
    months = pd.Series(np.log1p(tenure.clip(0, _FULL_TENURE_DAYS) / 30), rows.index)
    return months.fillna(months.median()).fillna(0.0)
