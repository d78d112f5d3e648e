"""Derived columns: what no column of the export holds as it is, and others tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from salesnb.schema import TABLES, Column, activities, opportunities, reps, targets
from salesnb.sources.guess.choose import constant_kind
from salesnb.sources.guess.columns import Placing
from salesnb.sources.guess.result import ColumnGuess
from salesnb.sources.guess.scores import closed_rows
from salesnb.sources.guess.values import TRUE, kind_of, outcome_of
from salesnb.sources.guess.vocabulary import bare_header

Found = dict[Column, ColumnGuess]

_FIRST = (
    ("first", "name"),
    ("firstname",),
    ("vorname",),
    ("prenom",),
    ("given", "name"),
    ("forename",),
)
_LAST = (
    ("last", "name"), ("lastname",), ("nachname",), ("surname",), ("family", "name"),
    ("nom", "de", "famille"), ("apellido",), ("apellidos",),
)  # fmt: skip
_WON_AT = (("won", "time"), ("won", "date"), ("won", "on"), ("won", "at"), ("gewonnen", "am"))
_LOST_AT = (("lost", "time"), ("lost", "date"), ("lost", "on"), ("lost", "at"), ("verloren", "am"))
_OPEN_FILLED = 0.5


def derive_columns(placing: Placing, found: Found) -> Found:
    """Add to the placed columns of a table those that follow from others."""
    for step in _STEPS.get(placing.table, ()):
        found = step(placing, found)
    if placing.table in _ENTITIES:
        found = _key_and_name(placing, found)
    order = TABLES[placing.table].columns.values()
    return {column: found[column] for column in order if column in found}


def _outcomes(placing: Placing, found: Found) -> Found:
    """Make is_won and is_closed of what a stage or status says, unless columns say them."""
    found = {c: _plain_boolean(placing, g) if c in _FLAGS else g for c, g in found.items()}
    source = placing.source
    if not source.outcomes:
        return found
    row = source.outcomes[0]
    texts = sorted(source.profiles[row].distinct)
    ends = {text: outcome_of(text) for text in texts if outcome_of(text)}
    kinds = set(ends.values())
    for column, wanted in ((opportunities.is_won, {"won"}), (opportunities.is_closed, kinds)):
        if column in found or (column == opportunities.is_closed and "lost" not in kinds):
            continue
        true = {text: "true" for text, outcome in ends.items() if outcome in wanted}
        spec = {"column": source.columns[row], "map": true, "otherwise": "false"}
        said = ", ".join(map(repr, list(true)[:3]))
        sure = 0.92 if "lost" in kinds else 0.75
        reason = f"{said} of the {len(texts)} values of {source.columns[row]!r}"
        found[column] = ColumnGuess(column, spec, (source.columns[row],), sure, reason)
    return found


_FLAGS = (opportunities.is_won, opportunities.is_closed)


def _plain_boolean(placing: Placing, guess: ColumnGuess) -> ColumnGuess:
    """Read a required flag that is empty where it does not hold."""
    profile = placing.source.profiles[placing.source.columns.index(guess.inputs[0])]
    if profile.filled == 1 or not profile.n_filled:
        return guess
    true = {text: "true" for text in sorted(profile.distinct) if text.lower() in TRUE}
    if not true:
        return guess
    spec = {"column": guess.inputs[0], "map": true, "otherwise": "false"}
    reason = f"{guess.reason}; empty is taken for no"
    return replace(guess, spec=spec, confidence=round(guess.confidence * 0.95, 2), reason=reason)


def _closing(placing: Placing, found: Found) -> Found:
    """Close on whichever is filled, won or lost date; let one date be closed and expected."""
    source = placing.source
    won, lost = _header_of(placing, _WON_AT), _header_of(placing, _LOST_AT)
    now = found.get(opportunities.closed_on)
    if won and lost and (now is None or now.inputs[0] in (won, lost)):
        found[opportunities.closed_on] = ColumnGuess(
            opportunities.closed_on, {"first_of": [won, lost]}, (won, lost), 0.95,
            f"headers {won!r} and {lost!r}",
        )  # fmt: skip
        return found
    if now is None or opportunities.expected_close_on in found:
        return found
    ended = _ended(placing, found)
    filled = source.frame.iloc[:, source.columns.index(now.inputs[0])].notna()
    if ended is None or not (~ended).any() or filled[~ended].mean() < _OPEN_FILLED:
        return found
    share = f"{filled[~ended].sum():,} of {(~ended).sum():,} open opportunities have it too"
    found[opportunities.expected_close_on] = replace(
        now, column=opportunities.expected_close_on, reason=f"{now.reason}; {share}"
    )
    if opportunities.is_closed in found:
        spec = {"column": now.inputs[0], "only_if": "is_closed"}
        found[opportunities.closed_on] = replace(now, spec=spec)
    return found


def _ended(placing: Placing, found: Found) -> Any:
    source = placing.source
    flag = found.get(opportunities.is_closed)
    if flag is not None and isinstance(flag.spec, str):
        values = source.frame.iloc[:, source.columns.index(flag.spec)]
        return values.str.strip().str.lower().isin(TRUE)
    return closed_rows(source, source.outcomes[0]) if source.outcomes else None


def _full_name(placing: Placing, found: Found) -> Found:
    """Write a name from first and last name, where there is no better one."""
    first, last = _header_of(placing, _FIRST), _header_of(placing, _LAST)
    now = found.get(reps.name)
    if first and last and (now is None or now.inputs[0] in (first, last) or now.confidence < 0.7):
        found[reps.name] = ColumnGuess(
            reps.name, {"template": f"{{{first}}} {{{last}}}"}, (first, last), 0.95,
            f"headers {first!r} and {last!r}",
        )  # fmt: skip
    return found


_ENTITIES = ("reps", "teams", "accounts", "products", "courses")


def _key_and_name(placing: Placing, found: Found) -> Found:
    """Let the name stand for an id, or the id for a name, where the export has only one."""
    declaration = TABLES[placing.table]
    key, name = declaration.columns[declaration.key[0]], declaration.columns["name"]
    if key in found and name not in found:
        was = found[key]
        sample = placing.source.profiles[placing.source.columns.index(was.inputs[0])].sample
        is_code = sum(any(c.isdigit() for c in text) for text in sample) > 0.5 * len(sample)
        reason = f"{was.reason}; there is no other name"
        sure = round(was.confidence * (0.45 if is_code else 0.97), 2)
        found[name] = replace(was, column=name, confidence=sure, reason=reason, alternatives=())
    elif name in found and key not in found and len(found[name].inputs) == 1:
        was = found[name]
        row = placing.source.columns.index(was.inputs[0])
        if placing.source.profiles[row].uniqueness >= 0.98:
            sure = round(was.confidence * 0.9, 2)
            found[key] = replace(
                was, column=key, confidence=sure, reason=f"{was.reason}; there is no id"
            )
    return found


def _kind(placing: Placing, found: Found) -> Found:
    """Tell activities' kinds from words, or from the name of a source of one kind."""
    source = placing.source
    constant = constant_kind(source.name)
    now = found.get(activities.kind)
    if now is None:
        if constant:
            found[activities.kind] = ColumnGuess(
                activities.kind, {"constant": constant}, (), 0.9, f"name of {source.name}"
            )
        return found
    profile = source.profiles[source.columns.index(now.inputs[0])]
    kinds = {text: kind_of(text) for text in sorted(profile.distinct)}
    if all(text == kind for text, kind in kinds.items()):
        return found
    spec: dict[str, Any] = {
        "column": now.inputs[0], "map": {text: kind for text, kind in kinds.items() if kind}
    }  # fmt: skip
    rest = [text for text, kind in kinds.items() if not kind]
    if rest:
        spec["otherwise"] = constant
    left = f"as {constant}" if constant else "left out"
    told = f"; {left}: {', '.join(map(repr, rest[:5]))}" if rest else ""
    found[activities.kind] = replace(now, spec=spec, reason=now.reason + told)
    return found


_UNITS = {
    "minutes": 60, "minute": 60, "min": 60, "mins": 60, "minuten": 60, "minutos": 60, "hours": 3600,
    "hour": 3600, "stunden": 3600, "heures": 3600, "horas": 3600, "ms": 0.001,
    "milliseconds": 0.001, "millis": 0.001,
}  # fmt: skip


def _seconds(placing: Placing, found: Found) -> Found:
    """Bring a length in another unit to seconds."""
    now = found.get(activities.seconds)
    if now is None:
        return found
    words = bare_header(now.inputs[0], placing.vocabulary)
    factor = next((_UNITS[word] for word in words if word in _UNITS), None)
    if factor is None:
        return found
    spec = {"column": now.inputs[0], "then": {"scale": factor}}
    found[activities.seconds] = replace(now, spec=spec, reason=f"{now.reason}; not in seconds")
    return found


def _quota(placing: Placing, found: Found) -> Found:
    """Say that targets without an owner's kind or a KPI are quotas of reps."""
    for column, text in ((targets.owner_kind, "rep"), (targets.kpi, "bookings")):
        if column not in found and targets.target in found:
            found[column] = ColumnGuess(
                column, {"constant": text}, (), 0.7, f"no column says it; quotas are {text}"
            )
    return found


def _header_of(placing: Placing, names: tuple[tuple[str, ...], ...]) -> str:
    """Find a column by exact names; nothing where there is none."""
    known = {"".join(each) for words in names for each in (words, words[::-1])}
    for header in placing.source.columns:
        words = bare_header(header, placing.vocabulary)
        short = placing.vocabulary.without_table(words, placing.table)
        if "".join(words) in known or "".join(short) in known:
            return header
    return ""


_STEPS: dict[str, tuple[Callable[[Placing, Found], Found], ...]] = {
    "opportunities": (_outcomes, _closing),
    "reps": (_full_name,),
    "activities": (_kind, _seconds),
    "targets": (_quota,),
}
