"""What people's days hold: the answer of `capacity`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.interactions.steps import NO_CAUSE, write_odds
from salesnb.analysis.multiplicity import SMALLEST
from salesnb.analysis.result import Result
from salesnb.analysis.wording import (
    MISSING,
    count_people,
    count_things,
    list_words,
    within_sentence,
)
from salesnb.language import format_number, format_share, mark, tr, tr_many

CAPACITY_ANCHOR = "capacity"
LOADS = ("open_per_person", "touches_per_open", "activities_per_day", "hours_per_week")
LOAD_NAMES = {
    "open_per_person": mark("Open opportunities per person"),
    "touches_per_open": mark("Activities per open opportunity in 30 days"),
    "activities_per_day": mark("Activities per working day"),
    "hours_per_week": mark("Hours in calls and meetings per week"),
}


_MORE = mark("{unit}: {load}: people had {share} more than they themselves had in {past}.")
_LESS = mark("{unit}: {load}: people had {share} less than they themselves had in {past}.")


def write_load(value: float) -> str:
    """Write a load; a dash where it is missing.

    >>> write_load(12.345), write_load(float("nan"))
    ('12.3', '–')
    """
    return format_number(value, 1) if math.isfinite(value) else MISSING


def _write_plain(value: float, digits: int = 0) -> str:
    return format_number(value, digits, group=False)


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
            return tr("quarters before")
        return tr_many("the quarter before", "the {n} quarters before", len(self.past))

    @property
    def finding(self) -> str:
        """Say how much is open per person, and whether teams differ."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        now, before = self.load("open_per_person")
        done, _ = self.load("activities_per_day")
        said = []
        if math.isfinite(now):
            said.append(self._open_said(now, before))
        if math.isfinite(done):
            said.append(tr("{n} activities a working day", n=_write_plain(done, 1)))
        days = count_things(round(self.working_days / self.n_people), "working day", "working days")
        return tr(
            "{unit}: a person at work had {held} in {quarter}{teams}.",
            unit=self.unit,
            held=list_words(said) or days,
            quarter=self.period,
            teams=self._teams_said(),
        )

    def _open_said(self, now: float, before: float) -> str:
        if not math.isfinite(before):
            return tr("{n} open opportunities", n=_write_plain(now, 1))
        return tr(
            "{n} open opportunities ({n_before} in {past})",
            n=_write_plain(now, 1),
            n_before=_write_plain(before, 1),
            past=self.past_said,
        )

    @property
    def week_said(self) -> str:
        """Say what a week of one person holds."""
        known = self.week[self.week["now"].notna()]
        held = [
            f"{_write_plain(row['now'], 1)} {within_sentence(row['what'])}"
            for row in known.to_dict("records")
        ]
        return tr(
            "{unit}: a week of one person holds {held}.", unit=self.unit, held=", ".join(held)
        )

    @property
    def differing(self) -> tuple[str, ...]:
        """The loads in which teams differ beyond chance."""
        return tuple(self.differ.loc[self.differ["adjusted"] < FALSE_CLAIMS, "load"])

    def _teams_said(self) -> str:
        if self.differ["adjusted"].isna().all():
            return ""
        if not self.differing:
            return tr("; teams do not differ in load beyond chance")
        named = "; ".join(within_sentence(tr(LOAD_NAMES[name])) for name in self.differing)
        return tr("; teams differ beyond chance in: {loads}", loads=named)

    @property
    def busy_said(self) -> str:
        """Say whether busier people win less."""
        one = self.busy
        if not math.isfinite(one.p_value):
            people = count_people(one.n_people)
            return tr("Whether busier people win less cannot be said of {people}.", people=people)
        doubled, low, high = (write_odds(2**value) for value in (one.slope, one.low, one.high))
        shown = tr(
            "{odds} for twice as many new opportunities (95% interval {low} to {high}; {n} people)",
            odds=doubled,
            low=low,
            high=high,
            n=one.n_people,
        )
        if one.p_value >= FALSE_CLAIMS:
            return tr(
                "Busier people do not win less or more beyond chance: odds {odds}.", odds=shown
            )
        if one.slope < 0:
            return tr("Busier people win less: odds {odds}.", odds=shown)
        return tr("Busier people win more: odds {odds}.", odds=shown)

    @property
    def caveat(self) -> str:
        """Say what load is and is not."""
        return tr(
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
            text=tr(
                "{unit}: {load} differ between teams, from {least} ({low}) to {most} ({high}).",
                unit=self.unit,
                load=within_sentence(tr(LOAD_NAMES[name])),
                least=write_load(low[name]),
                low=low["label"],
                most=write_load(high[name]),
                high=high["label"],
            ),
            why=tr(
                "{people} in {teams} compared in {quarter}.",
                people=count_people(self.n_people),
                teams=count_things(len(self.teams), "team", "teams"),
                quarter=self.period,
            ),
            anchor=CAPACITY_ANCHOR,
            effect=min(float(spread) / 2, 1.0) if name in self.differing else 0.0,
            p_value=max(float(row["p_value"]), SMALLEST),
        )

    def _offer_change(self, row: pd.Series[float]) -> Candidate:
        size = min(abs(math.log(row["ratio"])) / 2, 1.0)
        text = _MORE if row["ratio"] > 1 else _LESS
        return Candidate(
            text=tr(
                text,
                unit=self.unit,
                load=within_sentence(tr(LOAD_NAMES[str(row["load"])])),
                share=format_share(abs(row["ratio"] - 1)),
                past=self.past_said,
            ),
            why=tr(
                "{n} people in {quarter} against {past}; 95% interval {low} to {high}.",
                n=_write_plain(row["n"]),
                quarter=self.period,
                past=self.past_said,
                low=write_odds(row["low"]),
                high=write_odds(row["high"]),
            ),
            anchor=CAPACITY_ANCHOR,
            effect=size if row["p_adjusted"] < FALSE_CLAIMS else 0.0,
            p_value=max(float(row["p_value"]), SMALLEST),
        )

    def _offer_busy(self) -> Candidate:
        one = self.busy
        return Candidate(
            text=f"{self.unit}: {self.busy_said} {tr(NO_CAUSE)}",
            why=tr(
                "{n} closed opportunities of {n_people} people, within teams.",
                n=format_number(one.n_closed),
                n_people=one.n_people,
            ),
            anchor=CAPACITY_ANCHOR,
            effect=min(abs(one.slope) / 2, 1.0),
            p_value=max(one.p_value, SMALLEST),
        )
