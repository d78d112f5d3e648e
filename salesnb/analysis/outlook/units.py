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
    """List the company (or one team), the teams below, and their reps, with target and bookings."""
    homes = home_teams(measures, period)
    goals = _goals(measures, period)
    weeks = measures.weeks[measures.weeks["period"] == period]
    names = dict(zip(measures.people["rep_id"], measures.people["name"], strict=True))
    within = set(measures.teams_within(team_id)) if team_id is not None else None
    rows, members = [], []

    def add(level: str, unit: str, name: str, team: str, who: list[str], own: pd.DataFrame) -> None:
        so_far = own[own["week"] <= 0]
        target, basis = goals.get((level, unit), (np.nan, ""))
        rows.append(
            (level, unit, name, team, target, basis, so_far["booked"].sum(),
             own["booked"].sum(), so_far["n"].sum(), own["n"].sum())
        )  # fmt: skip
        members.append(tuple(who))

    if within is None:
        add(COMPANY, COMPANY, measures.company.name, "", list(homes), weeks)
    used = set(homes.values())
    for team in measures.teams["team_id"]:
        below = set(measures.teams_within(team))
        is_whole = within is None and below >= used
        if is_whole or (within is not None and team not in within) or not (below & used):
            continue
        who = [rep for rep, home in homes.items() if home in below]
        own = weeks[weeks["team_id"].isin(below)]
        add("team", team, measures.team_name(team), team, who, own)
    for rep, home in homes.items():
        if within is None or home in within:
            add("rep", rep, names.get(rep, rep), home, [rep], weeks[weeks["rep_id"] == rep])
    return Units(pd.DataFrame(rows, columns=UNITS), tuple(members))


def _goals(measures: Measures, period: str) -> dict[tuple[str, str], tuple[float, str]]:
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
    used = set(home_teams(measures, period).values())
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
