"""Places: the numbers of teams and quarters that flow is counted by, and the days of quarters."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import narwhals as nw
import pandas as pd

from salesnb.measures.engine import Engine, Lazy
from salesnb.measures.people import OWNER
from salesnb.schema import memberships
from salesnb.sources.snapshot import Snapshot

TEAM, PERIOD = "team_number", "period_number"


@dataclass(frozen=True)
class Places:
    """Who belongs where, by number, as `facts.with_team` takes it.

    Attributes
    ----------
    owners
        Reps by month with `TEAM` and `PERIOD`, in the engine.
    days
        day and `PERIOD` of every day, in the engine.
    quarters
        `PERIOD`, first_day and last_day of what is known of each quarter, here.
    teams, periods
        Names by number.
    """

    owners: Lazy
    days: Lazy
    quarters: pd.DataFrame
    teams: tuple[str, ...]
    periods: tuple[str, ...]

    def named(self, counts: pd.DataFrame) -> pd.DataFrame:
        """Write numbers as names, as categories: rows are many; sorted by all but the last."""
        named = pd.DataFrame(
            {
                "team_id": _categories(counts[TEAM], self.teams),
                "period": _categories(counts[PERIOD], self.periods),
            }
        )
        rest = counts.drop(columns=[TEAM, PERIOD]).reset_index(drop=True)
        whole = pd.concat([named, rest], axis=1)
        return whole.sort_values(list(whole.columns[:-1]), ignore_index=True)


def _categories(numbers: pd.Series[int], names: tuple[str, ...]) -> pd.Categorical:
    return pd.Categorical.from_codes(numbers.to_numpy(dtype="int64"), pd.Index(names, dtype="str"))


def find_places(
    engine: Engine, snapshot: Snapshot, months: pd.DataFrame, *, periods: tuple[str, ...],
    first_close: dt.date, as_of: dt.date,
) -> Places:  # fmt: skip
    """Give teams and quarters numbers; of quarters only what is known, from the first close on."""
    calendar = snapshot.calendar
    teams = tuple(sorted(months[memberships.team_id].unique()))
    number = {team: position for position, team in enumerate(teams)}
    place = {period: position for position, period in enumerate(periods)}
    owners = months.drop(columns=[memberships.team_id, "period", OWNER]).assign(
        **{
            TEAM: months[memberships.team_id].map(number).astype("int64"),
            PERIOD: months["period"].map(place).astype("int64"),
        }
    )
    days = calendar.days(calendar.first_day(periods[0]), calendar.last_day(periods[-1]))
    days = days[days["period"].isin(place)]
    days[PERIOD] = days.pop("period").map(place).astype("int64")
    known = days[days["day"].between(pd.Timestamp(first_close), pd.Timestamp(as_of))]
    quarters = known.groupby(PERIOD)["day"].agg(first_day="min", last_day="max").reset_index()
    return Places(
        owners=engine.local(owners),
        days=engine.local(days.reset_index(drop=True)),
        quarters=quarters,
        teams=teams,
        periods=periods,
    )


def count_rows(rows: Lazy, *keys: str) -> Lazy:
    """Count rows by keys; as a float, as engines count in different integers."""
    return rows.group_by(*keys).agg(nw.len().cast(nw.Float64).alias("n"))


def add_counts(counts: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Add up the counts `n` of what has become the same."""
    summed: pd.DataFrame = counts.groupby(keys, sort=False)["n"].sum().reset_index()
    return summed


def whole_numbers(counts: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Bring counts to integers."""
    return counts.astype(dict.fromkeys(names, "int64"))
