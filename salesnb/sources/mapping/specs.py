"""Specifications and conditions brought together with the columns a source really has."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace

from salesnb.sources.mapping.columns import (
    ORIGINS,
    PLACEHOLDER,
    ColumnSpec,
    Condition,
    FoundIn,
    Lookup,
)
from salesnb.sources.mapping.names import Match, file_stem, find_name


@dataclass(frozen=True)
class Export:
    """The sources of an export with their columns, and how a mapping calls them."""

    headers: Map[str, tuple[str, ...]]
    unread: tuple[str, ...] = ()
    instead: Map[str, str] | None = None
    year_start: int = 1
    names: Map[str, str] | None = None
    """How messages call a source, where not by its stem."""

    def call(self, source: str) -> str:
        """Write a source's name as messages do."""
        return (self.names or {}).get(source, source)

    def find(self, names: Iterable[str]) -> Match:
        """Find the first source of these names that there is, those not readable included."""
        return find_name(self.wanted(names), [*self.headers, *self.unread])

    def wanted(self, names: Iterable[str]) -> tuple[str, ...]:
        """Write the names to look for: stems, or what the mapping says is read instead."""
        stems = [file_stem(name) for name in names]
        renamed = self.instead or {}
        said = [renamed[key] for stem in stems if (key := find_name([stem], renamed).name)]
        return tuple(said[:1] or stems)


@dataclass(frozen=True)
class Scope:
    """Where a specification stands: its source's columns, and its block's other columns."""

    export: Export
    known: tuple[str, ...]
    model: Map[str, ColumnSpec]
    within: tuple[str, ...] = ()
    """Columns of the model that lead here by `value_of`."""
    optional: bool = False


@dataclass(frozen=True)
class Outcome:
    """A specification with exact names, or what it lacks, in words."""

    spec: ColumnSpec | None
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conditions:
    """Conditions with exact names; what those lack that are needed, and those that are not."""

    found: dict[str, Condition]
    lacks: tuple[str, ...] = ()
    lacks_optional: tuple[str, ...] = ()


def resolve_spec(spec: ColumnSpec, scope: Scope) -> Outcome:
    """Make the names of a specification exact and choose among its alternatives.

    In an optional one `first_of` does without what is not there; all else needs all its parts.
    """
    is_optional = scope.optional if spec.optional is None else spec.optional
    inner = replace(scope, optional=is_optional)
    if spec.alternatives:
        return _first_outcome(spec.alternatives, inner)
    if spec.value_of is not None:
        origin = _resolve_reference(spec, spec.value_of, inner)
    elif spec.column or spec.template is not None:
        origin = _resolve_names(spec, inner)
    else:
        origin = _resolve_parts(spec, inner)
    lookup = _resolve_lookup(spec.lookup, scope.export)
    condition = _resolve_only_if(spec.only_if, inner)
    lacks = (*origin.lacks, *lookup[1], *condition[1])
    if origin.spec is None or lacks:
        return Outcome(None, lacks)
    steps = tuple(step.model_copy(update={"year_start": scope.export.year_start})
                  if step.word == "quarter" else step for step in spec.then)  # fmt: skip
    update = {
        "lookup": lookup[0], "only_if": condition[0], "then": steps, "optional": None,
        "not_after": _resolve_not_after(spec.not_after, inner),
    }  # fmt: skip
    return Outcome(origin.spec.model_copy(update=update))


def _first_outcome(specs: Iterable[ColumnSpec], scope: Scope) -> Outcome:
    lacks: list[str] = []
    for spec in specs:
        outcome = resolve_spec(spec, scope)
        if outcome.spec is not None:
            return outcome
        lacks.append(" with ".join(outcome.lacks))
    return Outcome(None, (" or ".join(dict.fromkeys(lacks)),))


def _resolve_names(spec: ColumnSpec, scope: Scope) -> Outcome:
    """Make exact the name of a column, or those within a template."""
    if spec.template is None:
        match = find_name(spec.column, scope.known)
        if match.name is None:
            return Outcome(None, (match.lacks,))
        return Outcome(spec.model_copy(update={"column": (match.name,)}))
    matches = {name: find_name([name], scope.known) for name in spec.placeholders}
    lacks = tuple(match.lacks for match in matches.values() if match.name is None)
    if lacks:
        return Outcome(None, lacks)
    template = PLACEHOLDER.sub(lambda hit: f"{{{matches[hit[1]].name}}}", spec.template)
    return Outcome(spec.model_copy(update={"template": template}))


def _resolve_parts(spec: ColumnSpec, scope: Scope) -> Outcome:
    origin = next(name for name in ORIGINS if getattr(spec, name) not in (None, ()))
    outcomes = [resolve_spec(part, scope) for part in spec.inputs_of(origin)]
    found = tuple(outcome.spec for outcome in outcomes if outcome.spec is not None)
    lacks = tuple(item for outcome in outcomes for item in outcome.lacks)
    if origin == "first_of" and found and scope.optional:
        lacks = ()
    if lacks:
        return Outcome(None, lacks)
    if not found:
        return Outcome(spec)
    value = found[0] if isinstance(getattr(spec, origin), ColumnSpec) else found
    return Outcome(spec.model_copy(update={origin: value}))


def _resolve_reference(spec: ColumnSpec, name: str, scope: Scope) -> Outcome:
    """Put in place of another column's name how the block makes it."""
    if name in scope.within or name not in scope.model:
        why = "goes round in a circle" if name in scope.within else "is not filled here"
        return Outcome(None, (f"value_of: {name} {why}",))
    outcome = resolve_spec(scope.model[name], replace(scope, within=(*scope.within, name)))
    if outcome.spec is None:
        return outcome
    update = {"value_of": None, "first_of": (outcome.spec,)}
    return Outcome(spec.model_copy(update=update))


def _resolve_lookup(lookup: Lookup | None, export: Export) -> tuple[Lookup | None, tuple[str, ...]]:
    if lookup is None:
        return None, ()
    source = export.find(lookup.source)
    if source.name is None:
        return None, (f"a file {source.lacks}",)
    known = export.headers.get(source.name, ())
    key, value = find_name(lookup.key, known), find_name(lookup.value, known)
    lacks = tuple(f"{match.lacks} in {source.name}" for match in (key, value) if not match.name)
    if lacks:
        return None, lacks
    exact = Lookup(source=(source.name,), key=(str(key.name),), value=(str(value.name),))
    return exact, ()


def _resolve_only_if(
    only_if: ColumnSpec | dict[str, Condition] | str | None, scope: Scope
) -> tuple[ColumnSpec | dict[str, Condition] | None, tuple[str, ...]]:
    if isinstance(only_if, str):
        outcome = resolve_spec(ColumnSpec(value_of=only_if), scope)
        return outcome.spec, outcome.lacks
    if only_if is None or isinstance(only_if, ColumnSpec):
        return only_if, ()
    conditions = resolve_conditions(only_if, scope)
    return conditions.found, (*conditions.lacks, *conditions.lacks_optional)


def _resolve_not_after(other: ColumnSpec | str | None, scope: Scope) -> ColumnSpec | None:
    """Find how the other column is made; without it there is nothing to compare with."""
    if isinstance(other, str):
        return resolve_spec(ColumnSpec(value_of=other), scope).spec
    return other


def resolve_conditions(conditions: Map[str, Condition], scope: Scope) -> Conditions:
    """Make the names of conditions exact."""
    found, lacks, lacks_optional = {}, [], []
    for header, condition in conditions.items():
        column = find_name(condition.column or [header], scope.known)
        place, missing = _resolve_found_in(condition.found_in, scope.export)
        if column.name is not None and not missing:
            update = {"found_in": place, "column": (column.name,)}
            found[header] = condition.model_copy(update=update)
        elif condition.optional or (condition.optional is None and scope.optional):
            lacks_optional.append(missing or column.lacks)
        else:
            lacks.append(missing or column.lacks)
    return Conditions(found, tuple(lacks), tuple(lacks_optional))


def _resolve_found_in(place: FoundIn | None, export: Export) -> tuple[FoundIn | None, str]:
    if place is None:
        return None, ""
    source = export.find(place.source)
    if source.name is None:
        return None, f"a file {source.lacks}"
    column = find_name(place.column, export.headers.get(source.name, ()))
    if column.name is None:
        return None, f"{column.lacks} in {source.name}"
    return FoundIn(source=(source.name,), column=(column.name,)), ""
