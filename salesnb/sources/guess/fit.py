"""Fit: how much a column's values speak for each column of the model, as log odds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from salesnb.schema import TABLES, Column
from salesnb.sources.guess.values import Profile

Shape = Literal[
    "key", "reference", "name", "category", "text", "moment", "number", "score", "boolean",
    "currency", "period", "kind", "stage", "owner_kind",
]  # fmt: skip

_CATEGORIES = frozenset(
    {"role", "source", "industry", "country", "type", "group", "cohort", "status", "rater_role",
     "selection_rule", "kpi"}
)  # fmt: skip
_NO = -5.0
_UNKNOWN = -0.8


def shape_of(column: Column) -> Shape:
    """Tell what values a column of the model should have."""
    declaration, rule = TABLES[column.table], column.rule
    by_name: dict[str, Shape] = {
        "currency": "currency", "period": "period", "name": "name", "stage": "stage",
        "owner_kind": "owner_kind", "score": "score",
    }  # fmt: skip
    if column == "kind" and rule.vocabulary:
        return "kind"
    if column in by_name:
        return by_name[column]
    if rule.kind in ("date", "timestamp"):
        return "moment"
    if rule.kind == "number":
        return "number"
    if rule.kind == "boolean":
        return "boolean"
    if declaration.key == (column,):
        return "key"
    if column in _CATEGORIES:
        return "category"
    return "reference" if rule.references or column.endswith("_id") else "text"


def fit(profile: Profile, shape: Shape) -> float:
    """Weigh values for a shape: -5 where they cannot be, up to 2.5 where nothing else is so."""
    if not profile.n_filled:
        return _UNKNOWN
    return _FITS[shape](profile)


def _by_share(profile: Profile, kind: str, *, most: float) -> float:
    share = profile.shares[kind]
    if share >= 0.95:
        return most if profile.n_distinct > 1 else most * 0.7
    return 0.0 if share >= 0.8 else _NO


def _is_text(p: Profile) -> float:
    """Weigh against dates, yes and no, and broken numbers, which no text of the model is."""
    if p.shares["date"] > 0.5 or p.shares["link"] > 0.5:
        return _NO
    if p.shares["boolean"] > 0.95 and p.n_distinct <= 2:
        return _NO
    if p.shares["number"] > 0.9 and p.shares["whole"] < 0.9:
        return -4.0
    return 0.0


def _key(p: Profile) -> float:
    if p.uniqueness < 0.98:
        return -2.0 - 3.0 * (1 - p.uniqueness)
    told = 1.2 if p.n_distinct >= 5 else 0.4
    missing = -2.0 if p.filled < 0.98 else 0.0
    odd = (2.0 if p.n_words > 6 else 0.0) + (1.5 if p.shares["email"] > 0.5 else 0.0)
    return told + missing + _is_text(p) - odd


def _reference(p: Profile) -> float:
    repeats = 0.3 if p.uniqueness < 0.9 else 0.0
    return repeats + _is_text(p) - (3.0 if p.n_words > 6 else 0.0)


def _name(p: Profile) -> float:
    if p.shares["number"] > 0.9:
        return -4.0
    if p.shares["email"] > 0.5:
        return -2.0
    return 0.3 + _is_text(p) - (3.0 if p.n_words > 8 else 0.0)


def _category(p: Profile) -> float:
    few = 0.6 if p.n_distinct <= 40 and p.uniqueness < 0.9 else -1.0 if p.n_distinct > 100 else 0.0
    number = -2.0 if p.shares["number"] > 0.9 else 0.0
    return few + number + _is_text(p) - (2.0 if p.shares["email"] > 0.5 else 0.0)


def _text(p: Profile) -> float:
    return _is_text(p) - (1.5 if p.shares["number"] > 0.9 else 0.0)


def _moment(p: Profile) -> float:
    if p.shares["date"] < 0.8 and p.shares["serial"] >= 0.95:
        return -0.3
    return _by_share(p, "date", most=1.0)


def _number(p: Profile) -> float:
    if p.shares["boolean"] > 0.95 and p.n_distinct <= 2 and p.n_filled > 5:
        return -2.5
    return _by_share(p, "number", most=0.7) + (0.6 if p.shares["money"] > 0.9 else 0.0)


def _score(p: Profile) -> float:
    return 0.8 if p.shares["score"] >= 0.95 else -3.5


def _stage(p: Profile) -> float:
    return _category(p) + (0.5 if p.shares["outcome"] > 0 else 0.0)


def _kind(p: Profile) -> float:
    if p.n_distinct > 60:
        return -4.0
    share = p.shares["kind"]
    return 2.0 if share >= 0.6 else 0.5 if share > 0 else -3.0


_FITS: dict[Shape, Callable[[Profile], float]] = {
    "key": _key,
    "reference": _reference,
    "name": _name,
    "category": _category,
    "text": _text,
    "moment": _moment,
    "number": _number,
    "score": _score,
    "boolean": lambda p: _by_share(p, "boolean", most=1.2),
    "currency": lambda p: _by_share(p, "currency", most=4.0),
    "period": lambda p: _by_share(p, "period", most=2.0),
    "kind": _kind,
    "stage": _stage,
    "owner_kind": lambda p: _by_share(p, "owner_kind", most=2.0),
}
