"""Groups too small to be shown: their people are counted with others, before anything is computed.

Leaving a small group out would not hide it: the whole less the others is what it did. So small
teams are added together, and where that is still too few, the smallest team beside them joins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from salesnb.language import tr

FEWEST_SHOWN = 5
"""People of the smallest group that is shown in reports of teams only."""

POOL = "small-teams"
_NO_TEAM = ""


@dataclass(frozen=True)
class _Group:
    """Teams that are shown as one, and how many people that are."""

    teams: tuple[str, ...]
    n: int
    pool: str = ""

    def join(self, others: list[_Group], pool: str) -> _Group:
        teams = [*self.teams, *(team for other in others for team in other.teams)]
        return _Group(tuple(teams), self.n + sum(other.n for other in others), pool)


def is_pool(team_id: str) -> bool:
    """Whether a team is one of small teams together."""
    return team_id == POOL or team_id.startswith(f"{POOL}-")


def pool_small(counts: Mapping[str, int], parents: Mapping[str, str]) -> dict[str, str]:
    """Find teams of too few people, and what they are counted with.

    Parameters
    ----------
    counts
        Team -> people in it directly.
    parents
        Team -> the team it is part of, `""` at the top. Teams are pooled with those beside them,
        so that what is above stays whole; only where all of a branch is too few it joins others.

    Returns
    -------
    dict of str to str
        Team -> pool, of those that are not shown by themselves; `""` where even all together are
        too few.

    >>> pool_small({"a": 3, "b": 7, "c": 9, "d": 12}, {})
    {'a': 'small-teams', 'b': 'small-teams'}
    """
    children: dict[str, list[str]] = {}
    for team in sorted({*counts, *parents, *parents.values()} - {_NO_TEAM}):
        children.setdefault(parents.get(team, _NO_TEAM), []).append(team)
    groups, rest = _settle(_NO_TEAM, children, counts)
    moved = {team: group.pool for group in groups if group.pool for team in group.teams}
    return moved | (dict.fromkeys(rest.teams, "") if rest else {})


def _settle(
    node: str, children: Mapping[str, list[str]], counts: Mapping[str, int]
) -> tuple[list[_Group], _Group | None]:
    """Make groups of a branch that are large enough, or one that all of it is too few for."""
    groups: list[_Group] = []
    small: list[_Group] = []
    if counts.get(node, 0):
        own = _Group((node,), counts[node])
        (groups if own.n >= FEWEST_SHOWN else small).append(own)
    for child in children.get(node, ()):
        settled, rest = _settle(child, children, counts)
        groups += settled
        small += [rest] if rest else []
    if not small:
        return groups, None
    pool = f"{POOL}-{node}" if node else POOL
    pooled = small[0].join(small[1:], pool)
    while pooled.n < FEWEST_SHOWN and groups:
        smallest = min(groups, key=lambda group: (group.n, group.teams))
        groups.remove(smallest)
        pooled = pooled.join([smallest], pool)
    return ([*groups, pooled], None) if pooled.n >= FEWEST_SHOWN else ([], pooled)


def count_people(frame: pd.DataFrame, keys: list[str]) -> pd.Series[int]:
    """Count the people behind each team's rows, by keys and team."""
    named = frame[frame["rep_id"].astype(object) != ""]
    return named.groupby([*keys, "team_id"], observed=True)["rep_id"].nunique()


def find_moves(counts: pd.Series[int], parents: Mapping[str, str], keys: list[str]) -> pd.DataFrame:
    """Find, for each of the keys, which teams are pooled: keys, team_id, `pool`."""
    rows = []
    for key, group in counts.groupby(level=keys):
        place = key if isinstance(key, tuple) else (key,)
        by_team = {str(team): int(n) for team, n in group.reset_index(keys, drop=True).items()}
        rows += [(*place, team, pool) for team, pool in pool_small(by_team, parents).items()]
    return pd.DataFrame(rows, columns=[*keys, "team_id", "pool"]).astype(object)


def move(frame: pd.DataFrame, moves: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Count rows with the pool of their team; those of nobody stay, those of no pool go.

    A table that is not by team and these keys stays as it is.
    """
    if moves.empty or frame.empty or not {"team_id", *keys} <= set(frame.columns):
        return frame
    places = pd.MultiIndex.from_frame(frame[[*keys, "team_id"]].astype(object))
    pools = moves.set_index([*keys, "team_id"])["pool"].reindex(places).to_numpy()
    pool = pd.Series(pools, index=frame.index, dtype=object)
    if "rep_id" in frame:
        pool = pool.where(frame["rep_id"].astype(object) != "")
    dtype = frame["team_id"].dtype
    moved = frame["team_id"].astype(object).where(pool.isna(), pool)
    kept = frame.assign(team_id=moved)[pool.isna() | (pool != "")]
    if isinstance(dtype, pd.CategoricalDtype):
        return kept.assign(team_id=kept["team_id"].astype("category"))
    return kept.assign(team_id=kept["team_id"].astype(dtype)).reset_index(drop=True)


def add_pools(teams: pd.DataFrame, used: set[str], with_members: set[str]) -> pd.DataFrame:
    """List the pools beside the teams they are of, and say anew which teams have members."""
    names = dict(zip(teams["team_id"], teams["name"], strict=True))
    pools = sorted(team for team in used if is_pool(team))
    above = [pool.removeprefix(POOL).removeprefix("-") for pool in pools]
    called = [
        tr("Small teams of {team}", team=names[node]) if node else tr("Small teams")
        for node in above
    ]
    more = pd.DataFrame({"team_id": pools, "name": called, "parent_id": above, "has_members": True})
    kept = teams.assign(has_members=teams["has_members"] & teams["team_id"].isin(with_members))
    whole = pd.concat([kept.astype(object), more.astype(object)], ignore_index=True)
    whole = whole.astype({name: teams[name].dtype for name in teams.columns})
    return whole.sort_values("team_id", kind="stable", ignore_index=True)
