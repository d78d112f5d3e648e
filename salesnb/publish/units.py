"""Which teams and training programmes a batch reports on."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from salesnb.analysis.impact import programmes
from salesnb.errors import ParameterError, quote_examples
from salesnb.measures.measures import Measures
from salesnb.measures.privacy import FEWEST_SHOWN, is_pool
from salesnb.params import ALL, RunParams
from salesnb.schema import memberships

_FROM, _TO = memberships.valid_from, memberships.valid_to


@dataclass(frozen=True)
class Unit:
    """What one report is about: its id as notebooks take it, and its name as people read it."""

    key: str
    name: str


def settle_quarter(params: RunParams, measures: Measures) -> RunParams:
    """Name the last whole quarter where the batch names none."""
    return params.model_copy(update={"quarter": params.quarter or measures.last_whole})


def find_teams(params: RunParams, measures: Measures, problems: list[str]) -> list[Unit]:
    """List the teams asked for, each once; who is in them is asked only in a quarter with data."""
    is_known = params.quarter in measures.periods
    if params.teams == ALL:
        found = [
            team
            for team in measures.team_ids()
            if measures.members(team, params.quarter) and not is_pool(team)
        ]
        return [Unit(team, measures.team_name(team)) for team in found]
    found = []
    for name in params.teams:
        try:
            team = measures.find_team(name)
        except ParameterError as error:
            problems.append(str(error))
            continue
        if is_known and not measures.members(team, params.quarter):
            few = (
                f", or fewer than {FEWEST_SHOWN} (privacy: team_only)"
                if params.privacy == "team_only"
                else ""
            )
            problems.append(f"team: {name!r} has no members in {params.quarter}{few}.")
        else:
            found.append(team)
    return [Unit(team, measures.team_name(team)) for team in dict.fromkeys(found)]


def find_small_teams(params: RunParams, measures: Measures) -> list[str]:
    """Name the teams with people in the quarter that are shown only together with others."""
    first = pd.Timestamp(measures.calendar.first_day(params.quarter))
    last = pd.Timestamp(measures.calendar.last_day(params.quarter))
    rows = measures.memberships
    begins, ends = (pd.to_datetime(rows[name]) for name in (_FROM, _TO))
    there = rows.loc[~(begins > last) & ~(ends <= first), memberships.team_id]
    teams = sorted(set(there.dropna()) & set(measures.teams["team_id"]))
    shown = [team for team in teams if measures.members(team, params.quarter)]
    return [measures.team_name(team) for team in teams if team not in shown]


def find_programmes(params: RunParams, measures: Measures, problems: list[str]) -> list[Unit]:
    """List the programmes asked for that had begun by the quarter's end, oldest first."""
    known = programmes(measures).rows.sort_values(["assigned_on", "programme"])
    if params.programmes != ALL:
        unknown = sorted(set(params.programmes) - set(known["programme"]))
        if unknown:
            problems.append(
                f"programmes: {quote_examples(unknown)} unknown. Known: "
                f"{quote_examples(known['programme'], most=20) or 'none'}."
            )
        known = known[known["programme"].isin(params.programmes)]
        late = known.loc[known["period"] > params.quarter, "programme"]
        if len(late):
            problems.append(f"programmes: {quote_examples(late)} began after {params.quarter}.")
    begun = known[known["period"] <= params.quarter]
    return [
        Unit(str(programme), f"{course} ({programme})")
        for programme, course in zip(begun["programme"], begun["course"], strict=True)
    ]
