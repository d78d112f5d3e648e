"""Headers: how much a column's name speaks for each column of the model, as log odds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from salesnb.schema import TABLES, Column
from salesnb.sources.guess.phrases import joined, says_nothing
from salesnb.sources.guess.vocabulary import Vocabulary, bare_header

Matrix = NDArray[np.float64]
Words = tuple[str, ...]

SAME, NOTHING, UNKNOWN, SILENT = 4.2, -3.0, -2.0, -1.0
"""Log odds of a header that is a known name; is like none; is like none of any; says nothing."""
_PER_RANK, _LAST_RANK = 0.15, 8
_LIKE_FROM, _LIKE_MOST = 0.74, 1.6
_QUALIFIED = 2.5
_INSIDE, _HEAD, _SHARE = -1.8, -0.6, 2.4
"""Of a name within a header: anywhere, as its last words, and for making up all of it."""
_LONG = 6
_LIKE_NOTHING = -2.5


@dataclass(frozen=True)
class HeaderEvidence:
    """Of headers (rows) for columns of the model.

    Attributes
    ----------
    columns
        The columns of the model, as the matrices have them.
    log_odds
        What each header says.
    is_same
        Whether it is a known name of the column.
    special
        How much that tells the column's table from others, 0-1.
    is_silent
        Per header: whether it says nothing, of no column of the model.
    """

    columns: tuple[Column, ...]
    log_odds: Matrix
    is_same: NDArray[np.bool_]
    special: Matrix
    is_silent: NDArray[np.bool_]


def weigh_headers(headers: list[str], vocabulary: Vocabulary) -> HeaderEvidence:
    """Compare headers with all names of all columns of the model."""
    columns = tuple(column for d in TABLES.values() for column in d.columns.values())
    bare = [bare_header(header, vocabulary) for header in headers]
    tables = list(TABLES)
    short = {table: [vocabulary.without_table(words, table) for words in bare] for table in tables}
    keys = list(dict.fromkeys([*bare, *(w for ws in short.values() for w in ws if w)]))
    position = {key: n for n, key in enumerate(keys)}
    scores, same = _compare(keys, columns, vocabulary)
    whole = np.array([position[words] for words in bare], dtype=int)
    log_odds, is_same = scores[whole], same[whole]
    shortened = np.zeros_like(is_same)
    for table in tables:
        chosen = [n for n, column in enumerate(columns) if column.table == table]
        rows = [n for n, words in enumerate(short[table]) if words]
        where = np.ix_(rows, chosen)
        other = np.ix_([position[short[table][n]] for n in rows], chosen)
        is_better = scores[other] > log_odds[where]
        log_odds[where] = np.where(is_better, scores[other], log_odds[where])
        is_same[where] |= same[other]
        shortened[where] = same[other]
    is_unknown = (log_odds <= _LIKE_NOTHING).all(axis=1)
    log_odds[is_unknown] = np.maximum(log_odds[is_unknown], UNKNOWN)
    silent = np.array([says_nothing(words, vocabulary.generic) for words in bare], dtype=bool)
    log_odds[silent] = SILENT
    special = _special(columns, is_same, shortened)
    return HeaderEvidence(columns, log_odds, is_same, special, silent | is_unknown)


def _special(columns: tuple[Column, ...], is_same: NDArray[np.bool_], shortened: Matrix) -> Matrix:
    """Share a header among the tables that know it; with a table's name before it it is theirs."""
    owners = np.array([column.table for column in columns])
    n_tables = sum(is_same[:, owners == table].any(axis=1).astype(float) for table in TABLES)
    shared = is_same / np.maximum(np.asarray(n_tables), 1.0)[:, None]
    special: Matrix = np.where(shortened, np.maximum(shared, 0.8), shared)
    return special


def _compare(
    keys: list[Words], columns: tuple[Column, ...], vocabulary: Vocabulary
) -> tuple[Matrix, NDArray[np.bool_]]:
    """Score keys (rows) against columns: the best of a column's names counts."""
    phrases = list(dict.fromkeys(p for c in columns for p in vocabulary.columns[c.table, c]))
    place = {phrase: n for n, phrase in enumerate(phrases)}
    likeness = _likeness([joined(key) for key in keys], [joined(phrase) for phrase in phrases])
    is_same = likeness > 1 - 1e-9
    other_thing = np.abs(
        _count(keys, vocabulary.qualifiers)[:, None]
        - _count(phrases, vocabulary.qualifiers)[None, :]
    )
    like = NOTHING + (likeness - _LIKE_FROM) / (1 - _LIKE_FROM) * (_LIKE_MOST - NOTHING)
    score = np.maximum(like, _within(keys, phrases)) - _QUALIFIED * other_thing
    score = np.where(is_same, SAME, np.clip(score, NOTHING, _LIKE_MOST))
    best = np.empty((len(keys), len(columns)))
    same = np.empty((len(keys), len(columns)), dtype=bool)
    for n, column in enumerate(columns):
        names = vocabulary.columns[column.table, column]
        chosen = [place[name] for name in names]
        ranks = np.array([min(rank, _LAST_RANK) for rank in names.values()], dtype=float)
        later = np.where(is_same[:, chosen], _PER_RANK, _PER_RANK / 3) * ranks
        best[:, n] = (score[:, chosen] - later).max(axis=1)
        same[:, n] = is_same[:, chosen].any(axis=1)
    return np.maximum(best, NOTHING), same


def _likeness(texts: list[str], others: list[str]) -> Matrix:
    """Compare texts by their pairs of letters (cosine): 1 for the same, 0 for none in common."""
    pairs = [[_letter_pairs(text) for text in side] for side in (texts, others)]
    left, right = _counted(*pairs)
    scaled = (_unit_rows(left) @ _unit_rows(right).T).toarray()
    return np.asarray(scaled, dtype=np.float64)


def _letter_pairs(text: str) -> list[str]:
    padded = f"^{text}$"
    return [padded[start : start + 2] for start in range(len(padded) - 1)]


def _counted(
    texts: list[list[str]], others: list[list[str]]
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Count the items of texts (rows), the same item in the same column of both."""
    items = dict.fromkeys(item for side in (texts, others) for text in side for item in text)
    place = {item: n for n, item in enumerate(items)}
    left, right = (
        sparse.csr_array(
            (
                np.ones(sum(map(len, side))),
                (
                    [row for row, text in enumerate(side) for _ in text],
                    [place[item] for text in side for item in text],
                ),
            ),
            shape=(len(side), len(place)),
        )
        for side in (texts, others)
    )
    return left, right


def _unit_rows(counts: sparse.csr_array) -> sparse.csr_array:
    lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    return sparse.csr_array(sparse.diags_array(1 / np.maximum(lengths, 1e-12)) @ counts)


def _within(keys: list[Words], phrases: list[Words]) -> Matrix:
    """Score phrases all of whose words are in a key, by how much of the key they make up."""
    left, right = _counted([list(set(key)) for key in keys], [list(set(p)) for p in phrases])
    common = np.asarray((left @ right.T).toarray(), dtype=np.float64)
    is_in = common >= np.array([max(len(set(p)), 1) for p in phrases])[None, :]
    is_in |= _letters_within(keys, phrases)
    share = (
        np.array([len("".join(p)) for p in phrases], dtype=float)[None, :]
        / np.array([max(len("".join(k)), 1) for k in keys], dtype=float)[:, None]
    )
    is_last = np.array([[key[-len(p) :] == p for p in phrases] for key in keys], dtype=bool)
    return np.where(is_in, np.where(is_last, _HEAD, _INSIDE) + _SHARE * share, NOTHING)


def _letters_within(keys: list[Words], phrases: list[Words]) -> NDArray[np.bool_]:
    """Tell longer phrases that stand in a key written as one word: `ownerid` in `ownerid value`."""
    texts = [joined(key) for key in keys]
    wanted = [joined(phrase) for phrase in phrases]
    found = [[len(w) >= _LONG and w in text for w in wanted] for text in texts]
    return np.array(found, dtype=bool)


def _count(texts: list[Words], words: frozenset[str]) -> Matrix:
    return np.array([sum(word in words for word in text) for text in texts], dtype=float)
