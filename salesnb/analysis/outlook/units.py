"""Whose ends are foreseen: reps, teams and the company, with targets and bookings so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.outlook.simulate import Rest
from salesnb.analysis.targets import QUOTA_KPI, Node, home_teams, own_targets, prorated_targets
from salesnb.measures.measures import Measures

COMPANY = "company"
UNITS = ["level", "unit_id", "unit", "team_id", "target", "basis", "booked", "end", "n", "n_end"]


@dataclass(frozen=True, eq=False)
class Units:
    """Units of a quarter.

    Attributes
    ----------
    rows
        `level` (company, team, rep), `unit_id`, `unit` (name), `team_id` (a rep's), `target` and
        its `basis` (`set`, `prorated`, or nothing), `booked` and `n` wins by the point, and `end`
        and `n_end`: those of the whole quarter, as far as it is known.
    members
        For each row the reps whose future bookings are its own.
    """

    rows: pd.DataFrame
    members: tuple[tuple[str, ...], ...]


def list_units(measures: Measures, period: str, team_id: str | None = None) -> Units:
    """List the company (or one team), the teams below, and their reps, with target and bookings.

    A team that holds all who are in a team is the company, and is listed as that alone.
    """
    homes = home_teams(measures, period)
    weeks = measures.weeks[measures.weeks["period"] == period]
    by_team, by_rep = _bookings_by(weeks, "team_id"), _bookings_by(weeks, "rep_id")
    everybody = {rep for rep, home in homes.items() if home}
    used = set(homes.values())
    units: list[tuple[str, str, str, str, pd.Series[float]]] = []
    members: list[tuple[str, ...]] = []
    if team_id is None:
        units.append((COMPANY, COMPANY, measures.company.name, "", by_team.sum()))
        members.append(tuple(homes))
    for team in measures.teams["team_id"] if team_id is None else measures.teams_within(team_id):
        below = set(measures.teams_within(team))
        who = tuple(rep for rep, home in homes.items() if home in below)
        if who and (team_id is not None or set(who) != everybody):
            own = by_team[by_team.index.isin(below)].sum()
            units.append(("team", team, measures.team_name(team), team, own))
            members.append(who)
    names = dict(zip(measures.people["rep_id"], measures.people["name"], strict=True))
    shown = used if team_id is None else set(measures.teams_within(team_id))
    here = [rep for rep, home in homes.items() if home in shown]
    own_weeks = by_rep.reindex(here).fillna(0.0)
    for rep, (_, own) in zip(here, own_weeks.iterrows(), strict=True):
        units.append(("rep", rep, names.get(rep, rep), homes[rep], own))
        members.append((rep,))
    return Units(_frame(units, _goals(measures, period, used)), tuple(members))


def _bookings_by(weeks: pd.DataFrame, key: str) -> pd.DataFrame:
    """Add up bookings and wins by the point, and of the whole quarter."""
    by_now = weeks["week"] <= 0
    parts = weeks.assign(
        **{key: weeks[key].astype(object)},
        end=weeks["booked"].astype(float),
        n_end=weeks["n"].astype(float),
        booked=weeks["booked"].where(by_now, 0.0).astype(float),
        n=weeks["n"].where(by_now, 0.0).astype(float),
    )
    return parts.groupby(key)[["booked", "end", "n", "n_end"]].sum()


def _frame(
    units: list[tuple[str, str, str, str, pd.Series[float]]],
    goals: dict[tuple[str, str], tuple[float, str]],
) -> pd.DataFrame:
    rows = [
        (level, unit, name, team, *goals.get((level, unit), (np.nan, "")), *own)
        for level, unit, name, team, own in units
    ]
    return pd.DataFrame(rows, columns=UNITS)


def _goals(
    measures: Measures, period: str, used: set[str]
) -> dict[tuple[str, str], tuple[float, str]]:
    """Find the target each unit is held to.

    A rep's is the quota prorated by ramp and leave. A team's is its own target, else the sum of
    the prorated quotas in it; the company's the sum of the teams at the top where all have one,
    else of all prorated quotas.
    """
    own, prorated = own_targets(measures, period, QUOTA_KPI), prorated_targets(measures, period)
    goals: dict[tuple[str, str], tuple[float, str]] = {}
    for node, target in own.items():
        goals[node] = (target, "set")
    for (kind, unit), target in prorated.items():
        if kind == "rep" or (kind, unit) not in goals:
            goals[kind, unit] = (target, "prorated")
    tops = measures.teams.loc[measures.teams["parent_id"] == "", "team_id"]
    heads: list[Node] = [("team", top) for top in tops if used & set(measures.teams_within(top))]
    if heads and all(head in own for head in heads):
        goals[COMPANY, COMPANY] = (sum(own[head] for head in heads), "set")
    elif prorated:
        whole = sum(target for (kind, _), target in prorated.items() if kind == "rep")
        goals[COMPANY, COMPANY] = (whole, "prorated")
    return goals


def future_of(units: Units, rest: Rest) -> np.ndarray:
    """Add the draws of each unit's reps up, (units, draws)."""
    place = {rep: row for row, rep in enumerate(rest.reps)}
    out = np.zeros((len(units.rows), rest.draws.shape[1]))
    for row, who in enumerate(units.members):
        known = [place[rep] for rep in who if rep in place]
        out[row] = rest.draws[known].sum(axis=0)
    return out
