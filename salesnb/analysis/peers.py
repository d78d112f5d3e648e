"""Peer groups: who can fairly be compared with whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import pandas as pd

from salesnb.analysis.result import Result
from salesnb.errors import ParameterError
from salesnb.language import mark, tr
from salesnb.measures.measures import Measures

NEW, RAMPING, ESTABLISHED = mark("new"), mark("ramping"), mark("established")
RAMPED_DAYS = 365
"""Days since hiring from which somebody is established, where the company names no ramp; half
of them are new."""

FEWEST_PEERS = 8
"""Smallest group in which a percentile says something."""

_TENURE = "tenure"
_TRAITS = ("role", _TENURE, "region")
_COLUMNS = ["rep_id", "name", *_TRAITS, "group", "n_peers"]


@dataclass(frozen=True, eq=False, repr=False)
class PeerGroups(Result):
    """Who is compared with whom.

    Attributes
    ----------
    period
        The quarter at whose end tenure was counted.
    members
        One row a rep: `role`, `tenure` (new, ramping, established), `region`, `group` (its name
        says in the language spoken what its members have in common) and `n_peers` in it.
    fewest
        Size below which groups were merged.
    """

    period: str
    members: pd.DataFrame
    fewest: int

    @property
    def finding(self) -> str:
        """Say how many groups there are and what sets them apart."""
        n_groups, n = self.members["group"].nunique(), len(self.members)
        if not n:
            return tr(
                "Nobody has a record in the four quarters to {period}: no peer groups.",
                period=self.period,
            )
        if n_groups == 1:
            return tr("All {n} people are one peer group.", n=n)
        sizes = self.members.groupby("group").size()
        return tr(
            "{n} people in {groups} peer groups of {smallest} to {largest}.",
            n=n, groups=n_groups, smallest=sizes.min(), largest=sizes.max(),
        )  # fmt: skip

    @property
    def caveat(self) -> str:
        """Say how small groups were treated."""
        return tr(
            "Alike in role, tenure and region as far as {n} peers can be found; smaller groups "
            "were merged.",
            n=self.fewest,
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a rep."""
        return self.members.copy()


def peer_groups(measures: Measures, *, period: str, fewest: int = FEWEST_PEERS) -> PeerGroups:
    """Group reps by role, then tenure, then region, as far as groups stay large enough.

    Reps without any record in the four quarters up to `period` are left out. Where a trait is
    not known of anybody it sets nobody apart.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`.
    period
        Fiscal quarter; tenure is counted at its end.
    fewest
        Smallest group; parts below it are pooled, and joined to the next smallest where they
        are too few even together.

    Returns
    -------
    PeerGroups

    Raises
    ------
    ParameterError
        The quarter is unknown, or `fewest` is below 1.
    """
    measures.check_period(period)
    if fewest < 1:
        raise ParameterError(f"fewest: {fewest} is no group size. Use 1 or more.")
    people = _describe_people(measures, period)
    groups = _split(people, _TRAITS, fewest)
    members = people.assign(group=groups.where(groups != "", tr("everybody")))
    members["n_peers"] = members.groupby("group")["rep_id"].transform("size").astype(int)
    members = members.sort_values(["group", "name", "rep_id"])
    return PeerGroups(period, members[_COLUMNS].reset_index(drop=True), fewest)


def _describe_people(measures: Measures, period: str) -> pd.DataFrame:
    recent = measures.totals[measures.totals["period"].isin(measures.window(period, 4))]
    recent = recent[(recent["n"] > 0) & (recent["rep_id"] != "")]
    last = recent.sort_values(["period", "n", "team_id"]).drop_duplicates("rep_id", keep="last")
    teams = last.set_index("rep_id")["team_id"].astype(str)
    people = measures.people[measures.people["rep_id"].isin(teams.index)]
    regions = measures.teams.set_index("team_id")["parent_id"].fillna("").astype(str)
    region = people["rep_id"].map(teams).map(regions).fillna("").astype(str)
    names = {unit: measures.team_name(unit) for unit in set(region) if unit}
    tenure = find_tenure(people["hired_on"], measures.calendar.last_day(period))
    ramped = measures.company.ramp_days or RAMPED_DAYS
    return pd.DataFrame(
        {
            "rep_id": people["rep_id"].astype(str),
            "name": people["name"].astype(str),
            "role": people["role"].fillna("").astype(str),
            "tenure": [_band(days / ramped) for days in tenure],
            "region": [names.get(unit, "") for unit in region],
        }
    ).sort_values("rep_id", ignore_index=True)


def find_tenure(hired_on: pd.Series, day: dt.date) -> pd.Series[float]:
    """Count the days from hiring to `day`; missing where the day of hiring is not known."""
    hired = pd.to_datetime(hired_on, errors="coerce")
    return (pd.Timestamp(day) - hired).dt.days.astype(float)


def _band(ramped: float) -> str:
    if pd.isna(ramped):
        return ""
    return NEW if ramped < 0.5 else RAMPING if ramped < 1 else ESTABLISHED


def _split(people: pd.DataFrame, traits: tuple[str, ...], fewest: int) -> pd.Series[str]:
    """Name each person's group: split by the first trait, each part by the others."""
    if not traits or people.empty:
        return pd.Series("", index=people.index, dtype=object)
    parts = _merge_small(people[traits[0]], fewest, tr if traits[0] == _TENURE else str)
    names = []
    for label, part in people.groupby(parts):
        below = _split(part, traits[1:], fewest)
        if len(part) < len(people):
            below = below.map(lambda name, own=label: f"{own}, {name}" if name else own)
        names.append(below)
    return pd.concat(names).reindex(people.index)


def _merge_small(values: pd.Series[str], fewest: int, say: Callable[[str], str]) -> pd.Series[str]:
    """Pool values that few share; the pool joins the smallest other one while it is too small.

    What is pooled hangs on the values, so that it is the same in all languages; what comes back
    are their names, those of pools with an `or`.
    """
    sizes = values.value_counts().sort_index(kind="stable").sort_values(kind="stable")
    pool = list(sizes.index[sizes < fewest])
    for value in sizes.index[sizes >= fewest]:
        if not pool or sizes[pool].sum() >= fewest:
            break
        pool.append(value)
    words = {value: say(value) if value else tr("not known") for value in sizes.index}
    words |= dict.fromkeys(pool, _join([words[value] for value in pool]))
    return values.map(words)


def _join(words: list[str]) -> str:
    """Join what is pooled, in the order of letters."""
    if len(words) < 2:
        return "".join(words)
    first, *others = sorted(words)
    return reduce(lambda one, other: tr("{one} or {other}", one=one, other=other), others, first)
