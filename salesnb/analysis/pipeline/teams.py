"""Whose opportunities are looked at."""

from __future__ import annotations

from salesnb.measures.measures import Measures


def find_unit(measures: Measures, team: str | None) -> tuple[str, tuple[str, ...] | None]:
    """Name a team, or the company for None, with the ids of it and of all below; None is all.

    Raises
    ------
    ParameterError
        There is no such team, or the name is not unique.
    """
    team_id = measures.find_team(team) if team else None
    return measures.unit_name(team_id), measures.ids_within(team_id)
