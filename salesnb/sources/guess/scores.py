"""Scores: header and values of every column of every source, weighed together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from salesnb.schema import TABLES, Column, opportunities, reps
from salesnb.sources.guess.fit import fit, shape_of
from salesnb.sources.guess.headers import HeaderEvidence, Matrix, weigh_headers
from salesnb.sources.guess.values import Profile, outcome_of, profile_column
from salesnb.sources.guess.vocabulary import Vocabulary

_PRIOR, _REQUIRED = -1.6, 0.6
_ONLY, _PEOPLE = 2.4, 0.5
_THIN, _TOO_THIN = 0.5, 4.0
"""Share of rows that a required column should fill, and what is held against one that does not."""
PLACED = 0.0
"""Log odds from which a column is placed: as likely right as wrong."""


@dataclass(frozen=True)
class ScoredSource:
    """One source of an export.

    Attributes
    ----------
    name, frame
        As the export has it.
    profiles
        Of its columns, in order.
    headers
        What its headers say; rows as the columns.
    log_odds
        Header and values together, for the columns of the model.
    outcomes
        Columns whose words tell won from other outcomes, the likeliest first.
    """

    name: str
    frame: pd.DataFrame
    profiles: tuple[Profile, ...]
    headers: HeaderEvidence
    log_odds: Matrix
    outcomes: tuple[int, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(map(str, self.frame.columns))

    def place(self, column: Column) -> int:
        """Position of a column of the model in the matrices."""
        return next(
            n for n, c in enumerate(self.headers.columns) if c == column and c.table == column.table
        )

    def of(self, column: Column) -> Matrix:
        """Log odds of all columns of the source for one of the model."""
        return self.log_odds[:, self.place(column)]

    def with_log_odds(self, log_odds: Matrix) -> ScoredSource:
        """Weigh otherwise."""
        return replace(self, log_odds=log_odds)


def score_sources(
    previews: Mapping[str, pd.DataFrame], vocabulary: Vocabulary
) -> dict[str, ScoredSource]:
    """Weigh all columns of all sources for all columns of the model."""
    headers = list(dict.fromkeys(str(c) for frame in previews.values() for c in frame.columns))
    evidence = weigh_headers(headers, vocabulary)
    row_of = {header: n for n, header in enumerate(headers)}
    shapes = [shape_of(column) for column in evidence.columns]
    prior = _PRIOR + _REQUIRED * np.array([c.rule.required for c in evidence.columns], dtype=float)
    is_needed = np.array([c.rule.required and c.rule.kind != "boolean" for c in evidence.columns])
    sources = {}
    for name, given in previews.items():
        frame = given.astype("str")
        rows = [row_of[str(header)] for header in frame.columns]
        own = HeaderEvidence(
            evidence.columns,
            evidence.log_odds[rows],
            evidence.is_same[rows],
            evidence.special[rows],
            evidence.is_silent[rows],
        )
        profiles = tuple(profile_column(frame.iloc[:, n]) for n in range(frame.shape[1]))
        by_shape = [{shape: fit(p, shape) for shape in set(shapes)} for p in profiles]
        fits = np.array([[known[shape] for shape in shapes] for known in by_shape])
        is_thin = np.array([p.filled < _THIN for p in profiles])
        log_odds = prior + own.log_odds + fits.reshape(own.log_odds.shape)
        log_odds[np.ix_(is_thin, is_needed)] -= _TOO_THIN
        source = ScoredSource(name, frame, profiles, own, log_odds)
        source = replace(source, outcomes=tuple(_outcome_columns(source)))
        extra = _order_evidence(source) + _only_evidence(source) + _people_evidence(source)
        sources[name] = source.with_log_odds(log_odds + extra)
    return sources


def assign(source: ScoredSource, table: str) -> dict[Column, int]:
    """Give each column of a table at most one of the source's, so that the whole is likeliest."""
    columns = list(TABLES[table].columns.values())
    places = [source.place(column) for column in columns]
    gain = np.clip(source.log_odds[:, places] - PLACED, 0.0, None)
    rows, chosen = linear_sum_assignment(gain, maximize=True)
    return {
        columns[c]: int(r) for r, c in sorted(zip(rows, chosen, strict=True), key=lambda p: p[1])
        if gain[r, c] > 0
    }  # fmt: skip


def sigmoid(log_odds: float) -> float:
    """Turn log odds into a probability."""
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, log_odds))))


def closed_rows(source: ScoredSource, number: int) -> pd.Series:
    """Tell the rows whose value in a column says won or lost."""
    ended = [text for text in source.profiles[number].distinct if outcome_of(text)]
    return source.frame.iloc[:, number].str.strip().isin(ended)


def _outcome_columns(source: ScoredSource) -> list[int]:
    found = []
    stage = source.of(opportunities.stage)
    for number, profile in enumerate(source.profiles):
        if not 2 <= profile.n_distinct <= 60 or profile.shares["outcome"] == 0:
            continue
        outcomes = {outcome_of(text) for text in profile.distinct}
        if "won" in outcomes and len(outcomes) > 1:
            found.append(("lost" in outcomes, stage[number], number))
    return [number for _, _, number in sorted(found, reverse=True)]


def _order_evidence(source: ScoredSource) -> Matrix:
    """Weigh which day comes first, and which is filled where an opportunity has ended."""
    extra = np.zeros_like(source.log_odds)
    if not source.outcomes:
        return extra
    created, closed = source.place(opportunities.created_on), source.place(opportunities.closed_on)
    moments = [n for n, p in enumerate(source.profiles) if p.shares["date"] >= 0.95]
    ended = closed_rows(source, source.outcomes[0])
    for number in moments:
        filled = source.frame.iloc[:, number].notna()
        if 0 < filled.sum() < len(filled) and (filled == ended).mean() >= 0.97:
            extra[number, closed] += 2.0
    found = {n: _comparable(source.frame.iloc[:, n]) for n in moments}
    days = {n: values for n, values in found.items() if values is not None}
    for number, values in days.items():
        if _is_first(values, [other for n, other in days.items() if n != number]):
            extra[number, created] += 2.0 if source.headers.is_silent[number] else 1.0
            extra[number, closed] -= 2.0
    return extra


def _only_evidence(source: ScoredSource) -> Matrix:
    """Weigh what only one column of a source can be, where its header says nothing.

    Of opportunities, which a source with outcomes may be, that is a key, an amount, a stage; of
    people it is a name.
    """
    extra = np.zeros_like(source.log_odds)
    profiles = source.profiles
    able: dict[Column, list[int]] = {}
    able[reps.name] = [n for n, p in enumerate(profiles) if _is_name(p) and p.uniqueness > 0.9]
    if source.outcomes:
        able[opportunities.opportunity_id] = [
            n for n, p in enumerate(profiles) if fit(p, "key") > 1 and p.n_words < 1.2
        ]
        able[opportunities.amount] = [n for n, p in enumerate(profiles) if _is_amount(p)]
        able[opportunities.stage] = list(source.outcomes[:1])
    for column, rows in able.items():
        if len(rows) == 1 and source.headers.is_silent[rows[0]]:
            extra[rows[0], source.place(column)] += _ONLY
    return extra


def _people_evidence(source: ScoredSource) -> Matrix:
    """Weigh a few names that come again and again for whoever a row belongs to."""
    is_people = [_is_name(p) and 1 < p.n_distinct < p.n_filled / 3 for p in source.profiles]
    is_owner = [column.rule.references == "reps" for column in source.headers.columns]
    both = np.outer(np.array(is_people), np.array(is_owner)) & ~source.headers.is_same
    return _PEOPLE * both.astype(float)


def _is_name(profile: Profile) -> bool:
    return 1.5 <= profile.n_words <= 4 and profile.shares["number"] < 0.1


def _is_amount(profile: Profile) -> bool:
    shares = profile.shares
    return shares["number"] >= 0.95 and (shares["whole"] < 0.5 or shares["money"] > 0.5)


def _comparable(values: pd.Series) -> pd.Series | None:
    """Give days as texts that sort; nothing where they are not written year first."""
    days = values.str.slice(0, 10)
    is_iso = days.dropna().str.fullmatch(r"\d{4}-\d\d-\d\d").all()
    return days if is_iso else None


def _is_first(days: pd.Series, others: list[pd.Series]) -> bool:
    """Whether days are hardly ever after another column's, and often before."""
    seen = False
    for other in others:
        both = days.notna() & other.notna()
        if both.sum() < 10:
            continue
        if (days[both] <= other[both]).mean() < 0.98:
            return False
        seen = seen or bool((days[both] < other[both]).mean() > 0.5)
    return seen
