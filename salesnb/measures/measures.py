"""Measures: additive sums per rep, team, quarter and KPI, and their exact roll-up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from salesnb.errors import DataError, ParameterError, meant, quote_examples
from salesnb.language import tr
from salesnb.measures.capacity import empty_capacity
from salesnb.measures.catalogue import Kpi
from salesnb.measures.contacts import empty_contacts, empty_life
from salesnb.measures.demand import Demand
from salesnb.measures.figures import UNIT, add_figures
from salesnb.measures.flow import Flow
from salesnb.measures.habits import empty_habits
from salesnb.periods import FiscalCalendar, check_quarter
from salesnb.schema import TABLES
from salesnb.sources.mapping import Company
from salesnb.summary import Summarised

Level = Literal["rep", "team", "region", "branch", "company"]
LEVELS: tuple[Level, ...] = ("rep", "team", "region", "branch", "company")
"""Each fact is in one unit of a level, but in each branch that its team is part of."""
KEYS = ["rep_id", "team_id", "period", "kpi"]
SUMS = ["numerator", "denominator", "n", "total", "total_of_squares"]


def _empty(table: str) -> pd.DataFrame:
    return pd.DataFrame(columns=[str(column) for column in TABLES[table].columns])


@dataclass(frozen=True, repr=False)
class Measures(Summarised):
    """What was measured; everything reports show is computed from it.

    Attributes
    ----------
    totals
        rep_id, team_id, period, kpi and the sums `numerator`, `denominator`, `n`, `total`,
        `total_of_squares` (the last two on the scale the KPI is estimated on).
    values
        rep_id, team_id, period, kpi, value, is_ended, n: counted values of the KPIs shown as
        medians (`is_ended` is false of times that last still) or as the share of the largest.
    weeks
        rep_id, team_id, period, week, n, booked, squares: what was booked by week of a quarter,
        counted from the point at which as many working days are left as on `as_of` (0 and less:
        by then).
    open_deals
        rep_id, team_id, period, stage, is_due, n, amount, squares, n_won, won_amount, booked: what
        was open at that point of the last quarters, and what came of it by the quarter's end.
    ratings, skills
        Skill scores with the team and quarter they were given in; the competency framework.
    targets, actions, territories, courses, memberships, holidays, trainings, feedback
        These small tables as the snapshot has them, empty where it has none; of the last two what
        was known on `as_of`.
    people, teams
        Names; teams with `parent_id` and `has_members`.
    kpis, missing
        What was measured, and per KPI that was not, the tables or columns it needs.
    periods
        All quarters from that of the first close to that of `as_of`, oldest first.
    first_close
        Day of the first close; what came before is known only in part.
    habits
        rep_id, team_id, period, habit, n, of: events among occasions, as `habits` counts them.
    contacts, contacts_life
        Opportunities by quarter of creation, by what was done in their first weeks and by what was
        done up to their close, with what came of them, as `contacts` counts them.
    capacity
        rep_id, team_id, period, working_days, n_new, open_days and activities, as `capacity` adds
        them up.
    flow
        How opportunities pass the stages and end, by team and quarter.
    demand
        Leads, touches, spend and what came of them, by team and quarter.
    """

    totals: pd.DataFrame
    values: pd.DataFrame
    weeks: pd.DataFrame
    open_deals: pd.DataFrame
    ratings: pd.DataFrame
    skills: pd.DataFrame
    targets: pd.DataFrame
    actions: pd.DataFrame
    territories: pd.DataFrame
    people: pd.DataFrame
    teams: pd.DataFrame
    kpis: tuple[Kpi, ...]
    missing: dict[str, str]
    periods: tuple[str, ...]
    first_close: dt.date
    company: Company
    as_of: dt.date
    snapshot_id: str
    habits: pd.DataFrame = field(default_factory=empty_habits)
    contacts: pd.DataFrame = field(default_factory=empty_contacts)
    contacts_life: pd.DataFrame = field(default_factory=empty_life)
    capacity: pd.DataFrame = field(default_factory=empty_capacity)
    courses: pd.DataFrame = field(default_factory=partial(_empty, "courses"))
    memberships: pd.DataFrame = field(default_factory=partial(_empty, "memberships"))
    holidays: pd.DataFrame = field(default_factory=partial(_empty, "holidays"))
    trainings: pd.DataFrame = field(default_factory=partial(_empty, "trainings"))
    feedback: pd.DataFrame = field(default_factory=partial(_empty, "feedback"))
    flow: Flow = field(default_factory=Flow)
    demand: Demand = field(default_factory=Demand)

    @property
    def finding(self) -> str:
        """Say what was measured, of whom, and in which quarters."""
        n_people, n_teams = len(self.people), len(self.team_ids())
        return (
            f"{self.company.name}: {len(self.kpis)} KPIs of {n_people:,} people in {n_teams:,} "
            f"teams, {self.periods[0]} to {self.periods[-1]}, data as of {self.as_of}."
        )

    @property
    def caveat(self) -> str:
        """Say which KPIs could not be measured, and what they need."""
        lines = [f"{kpi} needs {what}" for kpi, what in self.missing.items()]
        return f"Not measured: {'; '.join(lines)}." if lines else ""

    def to_frame(self) -> pd.DataFrame:
        """List one row a KPI: kpi, label, unit, formula; its figures: `roll_up`."""
        rows = [(kpi.kpi, kpi.label, kpi.unit, kpi.formula) for kpi in self.kpis]
        return pd.DataFrame(rows, columns=["kpi", "label", "unit", "formula"])

    @property
    def calendar(self) -> FiscalCalendar:
        """The company's fiscal calendar."""
        return self.company.calendar

    @property
    def headline(self) -> tuple[Kpi, ...]:
        """The measured KPIs that reports show, in order."""
        return tuple(kpi for kpi in self.kpis if kpi.is_headline)

    def kpi(self, name: str) -> Kpi:
        """Find a measured KPI.

        Raises
        ------
        ParameterError
            It was not measured; the message says what it needs.
        """
        for kpi in self.kpis:
            if kpi.kpi == name:
                return kpi
        if name in self.missing:
            raise ParameterError(f"kpi: {name} needs {self.missing[name]}; the snapshot has none.")
        known = [kpi.kpi for kpi in self.kpis]
        raise ParameterError(
            f"kpi: {name!r} is unknown. Known: {', '.join(known)}.{meant(name, known)}"
        )

    def choose_kpis(self, names: Iterable[str] | None) -> tuple[Kpi, ...]:
        """Find measured KPIs by id, in the order given; None: those that reports show.

        Raises
        ------
        ParameterError
            One was not measured or is unknown, or one text was given instead of a list.
        """
        if isinstance(names, str):
            raise ParameterError(f"kpis: {names!r} is a text. Give a list: kpis=({names!r},).")
        return self.headline if names is None else tuple(map(self.kpi, names))

    def check_period(self, period: str) -> None:
        """Refuse a quarter without data.

        Raises
        ------
        ParameterError
            It is no quarter, or lies outside the data; the message gives their range.
        """
        if period not in self.periods:
            check_quarter(period)
            raise ParameterError(
                f"quarter: no data for {period!r}; they cover {self.periods[0]} to "
                f"{self.periods[-1]}."
            )

    def window(self, period: str, n: int) -> tuple[str, ...]:
        """Name the quarters with data among the `n` that end with `period`, oldest first."""
        return tuple(p for p in self.calendar.window(period, n) if p in self.periods)

    def is_whole(self, period: str) -> bool:
        """Whether the data cover all of a quarter but for two weeks at its beginning."""
        started = self.calendar.first_day(period) + dt.timedelta(days=14)
        return started >= self.first_close and self.calendar.last_day(period) <= self.as_of

    @property
    def last_whole(self) -> str:
        """The last quarter that the data cover whole; the last one where they cover none."""
        whole = [period for period in self.periods if self.is_whole(period)]
        return (whole or self.periods)[-1]

    def is_mature(self, kpi: Kpi, period: str) -> bool:
        """Whether a quarter's cohort is old enough for the KPI."""
        if not kpi.matures:
            return True
        age = self.as_of - self.calendar.last_day(period)
        return age.days >= self.company.maturity_days

    def latest_mature(self, kpi: Kpi, period: str) -> str | None:
        """Name the last quarter up to `period` whose cohort is mature; None when there is none."""
        mature = [p for p in self.periods if p <= period and self.is_mature(kpi, p)]
        return mature[-1] if mature else None

    def team_ids(self) -> tuple[str, ...]:
        """List the teams that have members, by name."""
        with_members = self.teams[self.teams["has_members"]].sort_values(["name", "team_id"])
        return tuple(with_members["team_id"])

    def find_team(self, team: str) -> str:
        """Find a team's id by its id or its name.

        Raises
        ------
        ParameterError
            There is no such team, or the name is not unique.
        """
        if team in set(self.teams["team_id"]):
            return team
        named = self.teams.loc[self.teams["name"] == team, "team_id"]
        if len(named) == 1:
            return str(named.iloc[0])
        if len(named) > 1:
            raise ParameterError(f"team: {team!r} names {len(named)} teams. Use the team_id.")
        names = self.teams.sort_values("name")["name"]
        raise ParameterError(
            f"team: {team!r} is unknown. Known: {quote_examples(names, most=20)}."
            f"{meant(team, [*names, *self.teams['team_id']])}"
        )

    def team_name(self, team_id: str) -> str:
        """Name of a team as reports show it."""
        found = self.teams.loc[self.teams["team_id"] == team_id, "name"]
        return str(found.iloc[0]) if len(found) else tr("No team")

    def unit_name(self, team_id: str | None) -> str:
        """Name of a team, or of the company for None."""
        return self.company.name if team_id is None else self.team_name(team_id)

    def teams_within(self, team_id: str) -> tuple[str, ...]:
        """List a team and all teams below it."""
        found, frontier = [team_id], [team_id]
        while frontier:
            below = self.teams[self.teams["parent_id"].isin(frontier)]["team_id"]
            frontier = [team for team in below if team not in found]
            found += frontier
        return tuple(found)

    def ids_within(self, team: str | None) -> tuple[str, ...] | None:
        """List the ids of a team, by id or name, and of those below; None stays None: everybody.

        Raises
        ------
        ParameterError
            There is no such team, or the name is not unique.
        """
        return None if team is None else self.teams_within(self.find_team(team))

    def members(self, team_id: str, period: str) -> tuple[str, ...]:
        """List the reps with any record in the team (or a team below it) in the quarter."""
        within = self.totals["team_id"].isin(self.teams_within(team_id))
        rows = self.totals[within & (self.totals["period"] == period)]
        return tuple(sorted(set(rows["rep_id"]) - {""}))

    def roll_up(
        self, *, by: Level, periods: tuple[str, ...] | None = None, team: str | None = None,
        kpi: str | None = None, pool: bool = False,
    ) -> pd.DataFrame:  # fmt: skip
        """Add the sums up to a level; nothing is averaged.

        Parameters
        ----------
        by
            `rep`, `team` (as the reps were in it at the time), `region` (a team's parent),
            `branch` (a team or any team above one, with all below it, so units hold each other)
            or `company`.
        periods
            Quarters to include; default all.
        team
            Include only what was done in this team or below it.
        kpi
            Only this one; default all.
        pool
            Add the quarters up too: `period` is then the last one, and of what is a state on a
            day only its sums count.

        Returns
        -------
        DataFrame
            unit_id, period, kpi, the sums, and `value`: numerator / denominator x scale (or the
            numerator, the median, the share of the largest, or a product of others), missing
            where the denominator is not positive. A quarter or unit of which nothing is known has
            no row.

        Raises
        ------
        ParameterError
            The level is unknown, or the KPI was not measured.
        """
        names = None if kpi is None else {kpi, *self.kpi(kpi).factors}
        totals = self._select(self.totals, periods, team, names)
        values = self._select(self.values, periods, team, names)
        if pool:
            last = max(periods or self.periods)
            stocks = [kpi.kpi for kpi in self.kpis if kpi.is_stock]
            totals = totals[~totals["kpi"].isin(stocks) | (totals["period"] == last)]
            totals, values = totals.assign(period=last), values.assign(period=last)
        totals, values = self._with_unit(totals, by), self._with_unit(values, by)
        summed = totals.groupby(UNIT, as_index=False, observed=True)[SUMS].sum(min_count=1)
        figures = add_figures(summed, values, self.kpis)
        return figures if kpi is None else figures[figures["kpi"] == kpi].reset_index(drop=True)

    def check_roll_up(self, *, period: str, team: str | None = None) -> pd.DataFrame:
        """Check that members' sums add up to the team's (or the company's), KPI by KPI.

        Returns
        -------
        DataFrame
            kpi, members, whole (both numerators, rounded to 2 digits).

        Raises
        ------
        DataError
            A sum differs by more than rounding.
        """
        team_id = self.find_team(team) if team is not None else None
        members = self.roll_up(by="rep", periods=(period,), team=team_id)
        whole = self.roll_up(by="company", periods=(period,), team=team_id).set_index("kpi")
        added = members.groupby("kpi")["numerator"].sum()
        frame = pd.DataFrame({"members": added, "whole": whole["numerator"]})
        apart = frame[~np.isclose(frame["members"], frame["whole"], rtol=1e-9, atol=1e-6)]
        if len(apart):
            raise DataError(f"roll-up: members do not add up to the whole in {list(apart.index)}.")
        return frame.round(2).rename_axis("kpi").reset_index()

    def _select(
        self, frame: pd.DataFrame, periods: tuple[str, ...] | None, team: str | None,
        kpis: set[str] | None,
    ) -> pd.DataFrame:  # fmt: skip
        if kpis is not None:
            frame = frame[frame["kpi"].isin(kpis)]
        if periods is not None:
            frame = frame[frame["period"].isin(periods)]
        if team is not None:
            frame = frame[frame["team_id"].isin(self.teams_within(team))]
        return frame

    def _with_unit(self, frame: pd.DataFrame, by: Level) -> pd.DataFrame:
        if by not in LEVELS:
            raise ParameterError(
                f"by: {by!r} is not one of {', '.join(LEVELS)}.{meant(by, LEVELS)}"
            )
        if by == "company":
            return frame.assign(unit_id="company")
        if by == "region":
            parents = self.teams.set_index("team_id")["parent_id"]
            return frame.assign(unit_id=frame["team_id"].map(parents).astype(object).fillna(""))
        if by == "branch":
            return frame.merge(self._branches(frame["team_id"].unique()), on="team_id")
        return frame.assign(unit_id=frame[f"{by}_id"])

    def _branches(self, teams: Iterable[str]) -> pd.DataFrame:
        """Pair each team (team_id) with itself and with every team above it (unit_id)."""
        parents = dict(zip(self.teams["team_id"], self.teams["parent_id"], strict=True))
        pairs = []
        for team in teams:
            branches = [team]
            while (parent := parents.get(branches[-1], "")) and parent not in branches:
                branches.append(parent)
            pairs += [(team, branch) for branch in branches]
        return pd.DataFrame(pairs, columns=["team_id", "unit_id"], dtype=object)
