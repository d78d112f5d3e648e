"""What people's days hold: the answer of `capacity`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.multiplicity import SMALLEST
from salesnb.analysis.result import Result
from salesnb.analysis.wording import MISSING, count_people, count_things

CAPACITY_ANCHOR = "capacity"
LOADS = ("open_per_person", "touches_per_open", "activities_per_day", "hours_per_week")
LOAD_NAMES = {
    "open_per_person": "Open opportunities per person",
    "touches_per_open": "Activities per open opportunity in 30 days",
    "activities_per_day": "Activities per working day",
    "hours_per_week": "Hours in calls and meetings per week",
}


def write_load(value: float) -> str:
    """Write a load; a dash where it is missing.

    >>> write_load(12.345), write_load(float("nan"))
    ('12.3', '–')
    """
    return f"{value:,.1f}" if math.isfinite(value) else MISSING


@dataclass(frozen=True)
class BusySlope:
    """Whether busier people win less.

    Attributes
    ----------
    slope, low, high, p_value
        Change of the log odds of winning for e times as many new opportunities a working day,
        with 95% interval; missing with too few people.
    n_people, n_closed
        What it rests on.
    """

    slope: float
    low: float
    high: float
    p_value: float
    n_people: int
    n_closed: int


@dataclass(frozen=True, eq=False, repr=False)
class Capacity(Result):
    """How loaded people are, by team, against the past, and beside winning.

    Attributes
    ----------
    period, unit, past
        Quarter, name of the team or company, and the up to four whole quarters before.
    n_people, working_days
        People at work in the quarter, and their working days together.
    teams
        One row a team: label, n_people, working_days, open_per_person (opportunities open at the
        same time by person at work), touches_per_open (activities on opportunities, in 30 days of
        one being open), activities_per_day (working day), hours_per_week (in calls and meetings,
        of five working days), each with the 95% interval _low to _high of a team whose people are
        drawn from many. The most loaded first only where teams differ in it beyond chance.
    differ
        load, p_value (chance of people as different among equal teams), adjusted (over all loads
        together, by Holm); missing with fewer than two teams of three people.
    week
        what, now, before: what five working days of one person hold, and held in `past`.
    changes
        By load: now, before, and people's own ratio now / before with 95% interval low to high,
        p_value, n people, p_adjusted (over all loads together, by Holm); missing without quarters
        before.
    busy
        Whether busier people win less, in the four quarters to `period`.
    lacking
        Why there is nothing to show; empty when there is.
    """

    period: str
    unit: str
    past: tuple[str, ...]
    n_people: int
    working_days: float
    teams: pd.DataFrame
    differ: pd.DataFrame
    week: pd.DataFrame
    changes: pd.DataFrame
    busy: BusySlope
    lacking: str = ""

    def load(self, name: str) -> tuple[float, float]:
        """Give a load now and in the four quarters before; missing where not known."""
        rows = self.changes[self.changes["load"] == name]
        if rows.empty:
            return math.nan, math.nan
        return float(rows["now"].iloc[0]), float(rows["before"].iloc[0])

    @property
    def past_said(self) -> str:
        """Name what is compared with."""
        if not self.past:
            return "quarters before"
        return (
            "the quarter before" if len(self.past) == 1 else f"the {len(self.past)} quarters before"
        )

    @property
    def finding(self) -> str:
        """Say how much is open per person, and whether teams differ."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        now, before = self.load("open_per_person")
        done, _ = self.load("activities_per_day")
        said = []
        if math.isfinite(now):
            past = f" ({before:.1f} in {self.past_said})" if math.isfinite(before) else ""
            said.append(f"{now:.1f} open opportunities{past}")
        if math.isfinite(done):
            said.append(f"{done:.1f} activities a working day")
        days = count_things(round(self.working_days / self.n_people), "working day", "working days")
        told = " and ".join(said) or days
        return f"{self.unit}: a person at work had {told} in {self.period}{self._teams_said()}."

    @property
    def week_said(self) -> str:
        """Say what a week of one person holds."""
        known = self.week[self.week["now"].notna()]
        held = [f"{row['now']:.1f} {row['what'].lower()}" for row in known.to_dict("records")]
        return f"{self.unit}: a week of one person holds {', '.join(held)}."

    @property
    def differing(self) -> tuple[str, ...]:
        """The loads in which teams differ beyond chance."""
        return tuple(self.differ.loc[self.differ["adjusted"] < FALSE_CLAIMS, "load"])

    def _teams_said(self) -> str:
        if self.differ["adjusted"].isna().all():
            return ""
        if not self.differing:
            return "; teams do not differ in load beyond chance"
        named = "; ".join(LOAD_NAMES[name].lower() for name in self.differing)
        return f"; teams differ beyond chance in: {named}"

    @property
    def busy_said(self) -> str:
        """Say whether busier people win less."""
        one = self.busy
        if not math.isfinite(one.p_value):
            return f"Whether busier people win less cannot be said of {count_people(one.n_people)}."
        doubled, low, high = (2**value for value in (one.slope, one.low, one.high))
        shown = f"x{doubled:.2f} for twice as many new opportunities (95% interval x{low:.2f} to "
        shown += f"x{high:.2f}; {one.n_people} people)"
        if one.p_value >= FALSE_CLAIMS:
            return f"Busier people do not win less or more beyond chance: odds {shown}."
        way = "less" if one.slope < 0 else "more"
        return f"Busier people win {way}: odds {shown}."

    @property
    def caveat(self) -> str:
        """Say what load is and is not."""
        return (
            "Only what was logged counts; a team that logs less looks idle. More is not better: "
            "load follows the territory and the kind of opportunity, and a busy person may simply "
            "have the easier leads. An association with winning is not a cause."
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a team."""
        return self.teams.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer teams' differences, changes and the slope; all of them are tests."""
        if self.lacking:
            return ()
        tested = self.differ[self.differ["p_value"].notna()]
        offered = [self._offer_teams(row) for _, row in tested.iterrows()]
        known = self.changes[self.changes["p_value"].notna()]
        offered += [self._offer_change(row) for _, row in known.iterrows()]
        if math.isfinite(self.busy.p_value):
            offered.append(self._offer_busy())
        return tuple(offered)

    def _offer_teams(self, row: pd.Series[float]) -> Candidate:
        name = str(row["load"])
        ordered = self.teams.dropna(subset=[name]).sort_values([name, "label"])
        low, high = ordered.iloc[0], ordered.iloc[-1]
        middle = float(ordered[name].median())
        spread = (high[name] - low[name]) / (2 * middle) if middle else 0.0
        return Candidate(
            text=(
                f"{self.unit}: {LOAD_NAMES[name].lower()} differ between teams, from "
                f"{write_load(low[name])} ({low['label']}) to {write_load(high[name])} "
                f"({high['label']})."
            ),
            why=(
                f"{count_people(self.n_people)} in {count_things(len(self.teams), 'team', 'teams')} compared in "
                f"{self.period}."
            ),
            anchor=CAPACITY_ANCHOR,
            effect=min(float(spread) / 2, 1.0) if name in self.differing else 0.0,
            p_value=max(float(row["p_value"]), SMALLEST),
        )

    def _offer_change(self, row: pd.Series[float]) -> Candidate:
        way = "more" if row["ratio"] > 1 else "less"
        size = min(abs(math.log(row["ratio"])) / 2, 1.0)
        return Candidate(
            text=(
                f"{self.unit}: {LOAD_NAMES[str(row['load'])].lower()}: people had "
                f"{abs(row['ratio'] - 1):.0%} {way} than they themselves had in "
                f"{self.past_said}."
            ),
            why=(
                f"{row['n']:.0f} people in {self.period} against {self.past_said}; "
                f"95% interval x{row['low']:.2f} to x{row['high']:.2f}."
            ),
            anchor=CAPACITY_ANCHOR,
            effect=size if row["p_adjusted"] < FALSE_CLAIMS else 0.0,
            p_value=max(float(row["p_value"]), SMALLEST),
        )

    def _offer_busy(self) -> Candidate:
        one = self.busy
        return Candidate(
            text=f"{self.unit}: {self.busy_said} An association, not a cause.",
            why=f"{one.n_closed:,} closed opportunities of {one.n_people} people, within teams.",
            anchor=CAPACITY_ANCHOR,
            effect=min(abs(one.slope) / 2, 1.0),
            p_value=max(one.p_value, SMALLEST),
        )
