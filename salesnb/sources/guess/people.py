"""People: reps, teams and memberships where no source is just that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from salesnb.schema import Column, memberships, opportunities, reps, teams
from salesnb.sources.guess.choose import Candidate
from salesnb.sources.guess.links import Linked
from salesnb.sources.guess.result import ColumnGuess, TableGuess
from salesnb.sources.guess.scores import ScoredSource

Chosen = dict[str, list[Candidate]]

ENOUGH = 0.5
"""Share of owners that must be known in a source of users for it to be the reps."""
_CLEAR = 1.0


def add_memberships(
    chosen: Chosen, rated: Mapping[str, list[Candidate]], sources: dict[str, ScoredSource]
) -> tuple[Chosen, dict[str, ScoredSource]]:
    """Read memberships from the source of reps, or of opportunities, if it tells a team.

    In opportunities each rep must have one team only; else who was where when is not known.
    """
    if chosen["memberships"]:
        return chosen, sources
    for table, key in (("reps", reps.rep_id), ("opportunities", opportunities.rep_id)):
        for owner in chosen[table][:1]:
            found = [c for c in rated["memberships"] if c.source == owner.source]
            source = sources[owner.source]
            if not found or memberships.team_id not in found[0].pairs or key not in owner.pairs:
                continue
            team, rep = found[0].pairs[memberships.team_id], owner.pairs[key]
            is_clear = source.of(memberships.team_id)[team] > _CLEAR and team != rep
            if is_clear and (table == "reps" or _is_function(source, rep, team)):
                made = replace(found[0], log_odds=min(owner.log_odds, _CLEAR))
                log_odds = source.log_odds.copy()
                log_odds[:, source.place(memberships.rep_id)] = -9.0
                log_odds[rep, source.place(memberships.rep_id)] = source.of(key)[rep]
                known = {**sources, source.name: source.with_log_odds(log_odds)}
                return {**chosen, "memberships": [made]}, known
    return chosen, sources


def _is_function(source: ScoredSource, of: int, value: int) -> bool:
    both = pd.DataFrame({"of": source.frame.iloc[:, of], "value": source.frame.iloc[:, value]})
    pairs = both.dropna().drop_duplicates()
    return len(pairs) == pairs["of"].nunique() > pairs["value"].nunique() > 1


def order_users(chosen: Chosen, sources: Mapping[str, ScoredSource]) -> Chosen:
    """Put first the source of users that knows the owners of the opportunities."""
    if len(chosen["reps"]) < 2 or not chosen["opportunities"]:
        return chosen
    deals = chosen["opportunities"][0]
    if opportunities.rep_id not in deals.pairs:
        return chosen
    owners = sources[deals.source].profiles[deals.pairs[opportunities.rep_id]].known

    def rate(candidate: Candidate) -> float:
        profiles = sources[candidate.source].profiles
        shares = [len(owners & p.known) / max(len(owners), 1) for p in profiles]
        return candidate.log_odds + 4.0 * max(shares, default=0.0)

    return {**chosen, "reps": sorted(chosen["reps"], key=lambda c: -rate(c))}


def owners_known(linked: Linked) -> float | None:
    """Share of the opportunities' owners that the source of reps knows; None if nobody can tell."""
    shares = [
        link.share for (table, column, _, _), link in linked.links.items()
        if table == "opportunities" and column == opportunities.rep_id
    ]  # fmt: skip
    return max(shares) if shares else None


def collect_reps(
    blocks: Mapping[str, TableGuess], sources: Mapping[str, ScoredSource], why: str
) -> TableGuess | None:
    """Collect reps from those who are members of teams, or else own opportunities."""
    for table, column in (
        ("memberships", memberships.rep_id),
        ("opportunities", opportunities.rep_id),
    ):
        block = blocks.get(table)
        owner = _placed(block, column)
        if block is None or owner is None or _knows_less(blocks, sources, block, owner):
            continue
        source = sources[block.source]
        n = source.profiles[source.columns.index(owner.inputs[0])].n_distinct
        told = f"{owner.reason}; {why}, {n:,} different ones here"
        name = _name_beside(source, owner.inputs[0])
        sure = owner.confidence
        found = (
            ColumnGuess(reps.rep_id, owner.spec, owner.inputs, sure, told, owner.alternatives),
            ColumnGuess(
                reps.name, name, (name,), _sure_of_name(source, name, sure),
                f"same as {owner.inputs[0]!r}" if name == owner.inputs[0]
                else f"{name!r} goes with {owner.inputs[0]!r}",
            ),
        )  # fmt: skip
        return TableGuess(
            "reps", block.source, round(sure * 0.95, 2), why, found,
            options={"distinct": True, "only_filled": "rep_id"},
        )  # fmt: skip
    return None


def _sure_of_name(source: ScoredSource, name: str, sure: float) -> float:
    profile = source.profiles[source.columns.index(name)]
    return round(sure * (0.95 if profile.n_words >= 1.5 else 0.5), 2)


def _knows_less(
    blocks: Mapping[str, TableGuess], sources: Mapping[str, ScoredSource], block: TableGuess,
    owner: ColumnGuess,
) -> bool:  # fmt: skip
    deals = blocks.get("opportunities")
    placed = _placed(deals, opportunities.rep_id)
    if deals is None or placed is None or deals is block:
        return False
    owners, here = (
        sources[b.source].profiles[sources[b.source].columns.index(c.inputs[0])].known
        for b, c in ((deals, placed), (block, owner))
    )
    return bool(owners) and len(owners & here) < ENOUGH * len(owners)


def _name_beside(source: ScoredSource, owner: str) -> str:
    """Find a column that has a name for each owner: not a number, as many different ones."""
    row = source.columns.index(owner)
    profile = source.profiles[row]
    if profile.n_words >= 1.8:
        return owner
    log_odds = source.of(opportunities.rep_id)
    for other, p in enumerate(source.profiles):
        is_name = p.n_words >= 1.5 and p.shares["number"] < 0.1 and log_odds[other] > -1
        if other != row and is_name and p.n_distinct == profile.n_distinct:
            both = pd.DataFrame({0: source.frame.iloc[:, row], 1: source.frame.iloc[:, other]})
            if len(both.dropna().drop_duplicates()) == profile.n_distinct:
                return source.columns[other]
    return owner


def collect_teams(block: TableGuess | None) -> TableGuess | None:
    """Collect teams from the memberships."""
    team = _placed(block, memberships.team_id)
    if block is None or team is None:
        return None
    why = "no table of teams"
    sure = round(team.confidence * 0.95, 2)
    found = tuple(
        ColumnGuess(
            column, team.spec, team.inputs, sure, f"{team.reason}; {why}", team.alternatives
        )
        for column in (teams.team_id, teams.name)
    )
    options = {"distinct": True, "only_filled": "team_id"}
    return TableGuess("teams", block.source, sure, why, found, options=options)


def _placed(block: TableGuess | None, column: Column) -> ColumnGuess | None:
    found = [item for item in block.columns if item.column == column] if block else []
    return found[0] if found and isinstance(found[0].spec, str) else None
