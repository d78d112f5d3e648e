"""Past quarters foreseen from the same point, with what was known then alone."""

from __future__ import annotations

import pandas as pd

from salesnb.analysis.pipeline.frames import DAY, KEY, Known, by_quarters_end, is_enough, thin
from salesnb.analysis.pipeline.models import Method, fit
from salesnb.measures.pictures import PipelineHistory

QUARTERS = [
    "period", "day", "team_id", "n", "amount", "expected", "variance", "actual", "new",
]  # fmt: skip
_MOST_QUARTERS, _MOST_FITS = 8, 6
_MOST_ROWS = 15_000


def days_left(history: PipelineHistory) -> int:
    """Days from `as_of` to the end of its quarter."""
    calendar = history.calendar
    return (calendar.last_day(calendar.quarter_of(history.as_of)) - history.as_of).days


def settling(rows: pd.DataFrame, until: pd.Timestamp) -> float:
    """Amount at close over amount pictured, of what was won by a day; 1 where not known."""
    won = _won_by(rows, until)
    won = won[won["amount"] > 0]
    return float(won["booked"].sum() / won["amount"].sum()) if len(won) else 1.0


def _won_by(rows: pd.DataFrame, until: pd.Timestamp) -> pd.DataFrame:
    return rows[rows["is_won"] & (rows["closed_on"] <= until) & rows["booked"].notna()]


def look_back(history: PipelineHistory, known: Known, method: Method) -> pd.DataFrame:
    """Foresee past quarters from the point of `as_of`, as if nothing later were known.

    Returns
    -------
    DataFrame
        One row a quarter and team, latest quarter first: the day, n and amount that was
        open, the amount `expected` to be won by the quarter's end with its `variance` (missing
        where too little came before), what was won of it (`actual`), and `new`, what was won that
        had not been open.
    """
    calendar = history.calendar
    now = calendar.quarter_of(history.as_of)
    left = pd.Timedelta(days=days_left(history))
    frames: list[pd.DataFrame] = []
    for quarter in reversed(calendar.window(calendar.shift(now, -1), _MOST_QUARTERS)):
        last = pd.Timestamp(calendar.last_day(quarter))
        day = last - left
        rows = known.past[known.past[DAY] == day]
        if rows.empty:
            continue
        if len(frames) < _MOST_FITS:
            rows = _foreseen(known, rows, day, last, method)
        else:
            rows = rows.assign(expected=float("nan"), variance=float("nan"))
        frames.append(_sum_up(history, rows, quarter, day, last))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=QUARTERS)


def _foreseen(
    known: Known, rows: pd.DataFrame, day: pd.Timestamp, last: pd.Timestamp, method: Method
) -> pd.DataFrame:
    before = by_quarters_end(known.past, (last - day).days, day)
    if last <= day or not is_enough(before):
        return rows.assign(expected=float("nan"), variance=float("nan"))
    model = fit(method, thin(before, _MOST_ROWS), known.at_one_place.features)
    # what began since the last picture has no amount yet: that of the mean won one
    typical = _won_by(before, day).drop_duplicates(KEY)["booked"].mean()
    value = (rows["amount"] * settling(before, day)).fillna(typical).fillna(0.0)
    p = model.chances(rows)
    return rows.assign(expected=p * value, variance=p * (1 - p) * value**2)


def _sum_up(
    history: PipelineHistory, rows: pd.DataFrame, period: str, day: pd.Timestamp,
    last: pd.Timestamp,
) -> pd.DataFrame:  # fmt: skip
    in_time = rows["is_won"] & (rows["closed_on"] <= last)
    rows = rows.assign(n=1.0, actual=rows["booked"].where(in_time, 0.0).fillna(0.0))
    sums = ["n", "amount", "expected", "variance", "actual"]
    by_team = rows.groupby("team_id")[sums].sum(min_count=1)
    booked = history.bookings
    since = booked[(booked["closed_on"] > day) & (booked["closed_on"] <= last)]
    whole = since.groupby("team_id")["booked"].sum()
    found = by_team.join(whole.rename("booked"), how="outer")
    found["actual"] = found["actual"].fillna(0.0)
    new = found["booked"].fillna(0.0) - found["actual"]
    found = found.assign(period=period, day=day, new=new).reset_index()
    return found.sort_values("team_id", ignore_index=True)[QUARTERS]
