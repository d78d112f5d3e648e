"""Columns: those of one source placed into one table, with confidence and alternatives."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from salesnb.schema import TABLES, Column
from salesnb.sources.guess.links import Link, Linked
from salesnb.sources.guess.reasons import explain
from salesnb.sources.guess.result import ColumnGuess
from salesnb.sources.guess.scores import ScoredSource, assign, sigmoid
from salesnb.sources.guess.vocabulary import Vocabulary

_SHARPNESS = 2.5
_NEAR = 1.5
"""Log odds by which another column may be behind and still be named."""
_MOST = 0.99
_REPEATED = 0.9
_LEAST = 0.4
"""Confidence below which a column is left out; two that are alike have half of it each."""


@dataclass(frozen=True)
class Placing:
    """A source being placed into a table: all that its columns are judged by."""

    table: str
    source: ScoredSource
    linked: Linked
    vocabulary: Vocabulary

    def link(self, column: Column, row: int) -> Link | None:
        """Give what is known of a column's values among another table's keys."""
        return self.linked.links.get((self.table, str(column), self.source.name, row))


def place_columns(placing: Placing) -> dict[Column, ColumnGuess]:
    """Place a source's columns, in the order of the schema."""
    source, table = placing.source, placing.table
    pairs = assign(source, table)
    used = set(pairs.values())
    placed = {
        column: _guess(placing, column, pairs[column], used)
        for column in TABLES[table].columns.values()
        if column in pairs
    }
    return {column: guess for column, guess in placed.items() if guess.confidence >= _LEAST}


def _guess(placing: Placing, column: Column, row: int, used: set[int]) -> ColumnGuess:
    source = placing.source
    log_odds = source.of(column)
    rivals = [n for n in range(len(log_odds)) if n not in used and log_odds[n] > 0]
    is_key = TABLES[column.table].key == (column,)
    rivals = [n for n in rivals if not (is_key or _is_same_thing(source, row, n))]
    rivals = sorted(rivals, key=lambda n: (-log_odds[n], n))
    confidence = sigmoid(float(log_odds[row]))
    if rivals:
        confidence *= sigmoid(_SHARPNESS * float(log_odds[row] - log_odds[rivals[0]]))
    near = [n for n in rivals if log_odds[n] > log_odds[row] - _NEAR][:3]
    return ColumnGuess(
        column=column,
        spec=source.columns[row],
        inputs=(source.columns[row],),
        confidence=round(min(confidence, _MOST), 2),
        reason=explain(source, row, column, placing.link(column, row), placing.vocabulary),
        alternatives=tuple(source.columns[n] for n in near),
    )


def _is_same_thing(source: ScoredSource, row: int, other: int) -> bool:
    """Whether two columns say the same in other words: an owner's id and name."""
    one, two = source.profiles[row], source.profiles[other]
    if one.n_distinct != two.n_distinct or one.uniqueness > _REPEATED:
        return False  # where nothing repeats, all columns go together
    both = pd.DataFrame({"one": source.frame.iloc[:, row], "two": source.frame.iloc[:, other]})
    return len(both.dropna().drop_duplicates()) == one.n_distinct
