"""Reasons: why a column was placed, in words."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from salesnb.schema import Column
from salesnb.sources.guess.fit import shape_of
from salesnb.sources.guess.links import Link
from salesnb.sources.guess.phrases import joined
from salesnb.sources.guess.scores import ScoredSource
from salesnb.sources.guess.values import (
    count_fitting,
    is_boolean,
    is_date,
    is_number,
    kind_of,
    outcome_of,
)
from salesnb.sources.guess.vocabulary import Vocabulary, bare_header

_COUNTED: dict[str, tuple[Callable[[str], bool], str]] = {
    "moment": (is_date, "dates"),
    "number": (is_number, "numbers"),
    "boolean": (is_boolean, "yes or no"),
    "kind": (lambda text: bool(kind_of(text)), "calls, meetings or emails"),
}


def explain(
    source: ScoredSource, row: int, column: Column, link: Link | None, vocabulary: Vocabulary
) -> str:
    """Say what the header and the values of a column tell."""
    header, values = _header(source, row, column, vocabulary), _values(source, row, column, link)
    return f"{header} and {values}" if values else header


def _header(source: ScoredSource, row: int, column: Column, vocabulary: Vocabulary) -> str:
    text = source.columns[row]
    if source.headers.is_same[row, source.place(column)]:
        return f"header {text!r}"
    if source.headers.is_silent[row]:
        return f"header {text!r} says nothing"
    names = {joined(words): " ".join(words) for words in vocabulary.columns[column.table, column]}
    key = joined(bare_header(text, vocabulary))
    like = get_close_matches(key, names, n=1, cutoff=0.6)
    like = like or [name for name in names if len(name) > 3 and name in key]
    return f"header {text!r} is like {names[like[0]]!r}" if like else f"header {text!r} is unknown"


def _values(source: ScoredSource, row: int, column: Column, link: Link | None) -> str:
    profile, shape = source.profiles[row], shape_of(column)
    if not profile.n_filled:
        return "it is empty"
    if link is not None and link.found:
        return f"{link.found:,} of {link.looked_up:,} values are in {link.target}"
    if shape in _COUNTED:
        test, what = _COUNTED[shape]
        fitting, n = count_fitting(source.frame.iloc[:, row], test)
        return f"{fitting:,} of {n:,} values are {what}"
    if shape == "key":
        return f"{profile.n_distinct:,} different values in {profile.n:,} rows"
    if shape == "currency":
        return f"values are currencies ({', '.join(sorted(profile.distinct)[:3])})"
    if shape == "stage":
        ended = [text for text in profile.distinct if outcome_of(text)]
        told = f", among them {', '.join(map(repr, ended[:2]))}" if ended else ""
        return f"{profile.n_distinct:,} different values{told}"
    if shape in ("reference", "category"):
        return f"{profile.n_distinct:,} different values"
    return ""
