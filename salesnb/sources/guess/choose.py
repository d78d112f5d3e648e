"""Choice of sources: which source holds which table of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from salesnb.schema import TABLES, Column, activities, opportunities, reps, targets, teams
from salesnb.sources.guess.scores import ScoredSource, assign, sigmoid
from salesnb.sources.guess.values import kind_of
from salesnb.sources.guess.vocabulary import Vocabulary

_BASE, _NAMED, _OTHER = -3.0, 5.5, -7.0
_PER_COLUMN, _MOST_COLUMNS, _MISSING = 1.5, 6.0, -2.2
_OUTCOMES, _SAME_KIND = 2.0, 1.0
_AT_LEAST = -7.0
"""Log odds a source must have to be a table that is required, where none is likely to be."""


@dataclass(frozen=True)
class Candidate:
    """A source as a table of the model: how likely, with which columns."""

    table: str
    source: str
    log_odds: float
    named: float
    pairs: dict[Column, int]

    @property
    def confidence(self) -> float:
        """Between 0 and 1."""
        return sigmoid(self.log_odds)


def rate_candidates(
    sources: Mapping[str, ScoredSource], vocabulary: Vocabulary
) -> dict[str, list[Candidate]]:
    """Rate every source for every table of the model; per table the best first."""
    rated: dict[str, list[Candidate]] = {table: [] for table in TABLES}
    for source in sources.values():
        other = max(name_likeness(source.name, vocabulary.others, vocabulary), 0.0)
        for table in TABLES:
            candidate = _rate(source, table, other, vocabulary)
            if candidate.pairs:
                rated[table].append(candidate)
    return {
        table: sorted(found, key=lambda c: (-c.log_odds, c.source))
        for table, found in rated.items()
    }


def _rate(source: ScoredSource, table: str, other: float, vocabulary: Vocabulary) -> Candidate:
    pairs = assign(source, table)
    named = name_likeness(source.name, vocabulary.tables[table], vocabulary)
    telling = sum(
        sigmoid(source.of(column)[row]) * source.headers.special[row, source.place(column)]
        for column, row in pairs.items()
    )
    log_odds = _BASE + _NAMED * named + min(_PER_COLUMN * telling, _MOST_COLUMNS)
    if other > named:
        log_odds += _OTHER * other
    missing = [c for c in TABLES[table].required_columns if c not in pairs]
    log_odds += _MISSING * sum(not _can_do_without(source, c, pairs) for c in missing)
    if table == "opportunities" and source.outcomes:
        log_odds += _OUTCOMES
    if table == "activities" and activities.kind in pairs:
        log_odds += _SAME_KIND
    return Candidate(table, source.name, float(log_odds), named, pairs)


def _can_do_without(source: ScoredSource, column: Column, pairs: Mapping[Column, int]) -> bool:
    """Whether a required column can be made of others, or said for all rows."""
    if (
        column in (opportunities.is_won, opportunities.is_closed)
        and column.table == opportunities.declaration.name
    ):
        return bool(source.outcomes)
    if column.table == "reps":
        return bool({reps.name, reps.rep_id} & _of_table(pairs, "reps"))
    if column.table == "teams":
        return bool({teams.name, teams.team_id} & _of_table(pairs, "teams"))
    if column.table == "activities" and column == activities.kind:
        return bool(constant_kind(source.name))
    return column.table == "targets" and column in (targets.owner_kind, targets.kpi)


def _of_table(pairs: Mapping[Column, int], table: str) -> set[str]:
    return {str(column) for column in pairs if column.table == table}


def constant_kind(source: str) -> str:
    """Tell the kind of all activities of a source from its name; nothing where it does not say.

    >>> constant_kind("engagement_call"), constant_kind("Events"), constant_kind("Tasks")
    ('call', 'meeting', '')
    """
    return kind_of(source) or ("meeting" if "event" in source.lower() else "")


def name_likeness(source: str, names: frozenset[str], vocabulary: Vocabulary) -> float:
    """Compare a source's name with those of a table: 1 for the same, 0 for unlike ones."""
    key = vocabulary.source_key(source)
    if key in names:
        return 1.0
    ends = [name for name in names if len(name) > 3 and key.endswith(name)]
    if ends:
        return 0.6
    starts = [name for name in names if len(name) > 3 and key.startswith(name)]
    if starts:
        return 0.45
    if len(key) > 4:
        likest = max((SequenceMatcher(None, key, n).ratio() for n in names
                      if abs(len(n) - len(key)) < 4), default=0.0)  # fmt: skip
        return 0.7 if likest >= 0.85 else 0.0
    return 0.0


def choose_sources(rated: Mapping[str, list[Candidate]]) -> dict[str, list[Candidate]]:
    """Choose per table its source, and the next best; only activities may have several.

    A source is one table, the one it is likeliest to be; where none is likely to be a required
    table, the likeliest that is nothing else is chosen.
    """
    best: dict[str, Candidate] = {}
    for found in rated.values():
        for candidate in found:
            known = best.get(candidate.source)
            if known is None or candidate.log_odds > known.log_odds:
                best[candidate.source] = candidate
    chosen = {}
    for table, found in rated.items():
        own = [c for c in found if best[c.source] is c and c.log_odds > 0]
        if not own and TABLES[table].required:
            own = [c for c in found if best[c.source] is c and c.log_odds > _AT_LEAST][:1]
        chosen[table] = own
    return chosen
