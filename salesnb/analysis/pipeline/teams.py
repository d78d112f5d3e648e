"""Whose opportunities are looked at, and how many."""

from __future__ import annotations

from salesnb.analysis.pipeline.result import PipelineScores
from salesnb.analysis.wording import count_things
from salesnb.errors import ParameterError
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


def check_same(scores: PipelineScores, measures: Measures) -> None:
    """Refuse chances and measures that are not of the same data and day.

    Raises
    ------
    ParameterError
        Names both.
    """
    if (scores.snapshot_id, scores.as_of) != (measures.snapshot_id, measures.as_of):
        raise ParameterError(
            f"scores: of snapshot {scores.snapshot_id} on {scores.as_of}, but measures of "
            f"{measures.snapshot_id} on {measures.as_of}. Load both for the same snapshot and day."
        )


def count_open(n: int) -> str:
    """Write a number of open opportunities.

    >>> count_open(1), count_open(1200)
    ('1 open opportunity', '1,200 open opportunities')
    """
    return count_things(n, "open opportunity", "open opportunities")
