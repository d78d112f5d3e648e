"""Links: values of one source that are the keys of another, and what they say of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from salesnb.schema import TABLES, Column
from salesnb.sources.guess.choose import Candidate
from salesnb.sources.guess.result import TableGuess
from salesnb.sources.guess.scores import ScoredSource

_MOST_DISTINCT = 2_000
_ALL, _MANY = 0.95, 0.5
_FOUND, _PARTLY, _SMALL_NUMBERS, _ABSENT = 3.0, 2.0, 0.5, -1.0
_MOST_ALIASES = 200
_LIKELY = -4.0
"""Log odds below which a column is not even tried as a key or a reference."""


@dataclass(frozen=True)
class Link:
    """Values of a column found among a key: `found` of `looked_up` different ones."""

    table: str
    column: str
    found: int
    looked_up: int
    target: str

    @property
    def share(self) -> float:
        """Found of those looked up, 0-1."""
        return self.found / self.looked_up if self.looked_up else 0.0


@dataclass(frozen=True)
class Linked:
    """Sources weighed with their links.

    Attributes
    ----------
    sources
        As before, but for what the links say.
    keys
        Per table that others refer to: the column of its source that is its key.
    links
        Per table, source and number of a column: what is known of its link.
    """

    sources: dict[str, ScoredSource]
    keys: dict[str, int]
    links: dict[tuple[str, str, str, int], Link] = field(default_factory=dict)


def weigh_links(
    sources: Mapping[str, ScoredSource], chosen: Mapping[str, list[Candidate]]
) -> Linked:
    """Choose the keys that references fit best, and weigh both by how well they do."""
    log_odds = {name: source.log_odds.copy() for name, source in sources.items()}
    keys: dict[str, int] = {}
    links: dict[tuple[str, str, str, int], Link] = {}
    for table, candidates in chosen.items():
        references = list(_references(table, chosen))
        if not candidates or not references:
            continue
        key_column = TABLES[table].columns[TABLES[table].key[0]]
        target = sources[candidates[0].source]
        options = [
            (_gain(sources, target, key, key_column, references), key)
            for key in _possible_keys(target, key_column)
        ]
        if not options:
            continue
        _, keys[table] = max(options, key=lambda option: (option[0], -option[1]))
        place = target.place(key_column)
        for column, name in references:
            source = sources[name]
            for row in _possible_references(source, column):
                link = _link(source, row, target, keys[table], column)
                links[column.table, str(column), name, row] = link
                log_odds[name][row, source.place(column)] += _weight(source, row, link)
        others = [row for row in range(len(target.columns)) if row != keys[table]]
        log_odds[target.name][others, place] = -9.0
        best = max((link.share for (t, c, _, _), link in links.items()
                    if TABLES[t].columns[c].rule.references == table), default=0.0)  # fmt: skip
        log_odds[target.name][keys[table], place] += 1.5 if best >= _MANY else 0.0
    weighed = {name: source.with_log_odds(log_odds[name]) for name, source in sources.items()}
    return Linked(weighed, keys, links)


def _references(table: str, chosen: Mapping[str, list[Candidate]]) -> Iterator[tuple[Column, str]]:
    for other, candidates in chosen.items():
        for column in TABLES[other].columns.values():
            if column.rule.references == table and other != table:
                yield from ((column, candidate.source) for candidate in candidates)


def _possible_keys(source: ScoredSource, column: Column) -> list[int]:
    """List columns that tell rows apart; in a table without one, those known as its key."""
    known = source.of(column)
    unique = [
        n for n, p in enumerate(source.profiles)
        if p.n_filled and p.uniqueness >= 0.95 and p.filled >= 0.9 and known[n] > _LIKELY
        and p.shares["date"] < 0.5 and p.n_words <= 6
    ]  # fmt: skip
    return unique or [n for n in range(len(source.columns)) if known[n] > 0]


def _possible_references(source: ScoredSource, column: Column) -> list[int]:
    known = source.of(column)
    return [n for n, p in enumerate(source.profiles) if p.n_filled and known[n] > _LIKELY]


def _gain(
    sources: Mapping[str, ScoredSource], target: ScoredSource, key: int, key_column: Column,
    references: list[tuple[Column, str]],
) -> float:  # fmt: skip
    """Rate a key: by itself and by the best column for each reference to it."""
    total = 0.5 * max(float(target.of(key_column)[key]), -1.0)
    for column, name in references:
        source = sources[name]
        rated = [
            float(source.of(column)[row])
            + _weight(source, row, _link(source, row, target, key, column))
            for row in _possible_references(source, column)
        ]
        total += max([0.0, *rated])
    return total


def _link(source: ScoredSource, row: int, target: ScoredSource, key: int, column: Column) -> Link:
    values = source.profiles[row].distinct[:_MOST_DISTINCT]
    known = target.profiles[key].known
    found = sum(value in known for value in values)
    where = f"{target.name}: {target.columns[key]}"
    return Link(column.table, str(column), found, len(values), where)


def _weight(source: ScoredSource, row: int, link: Link) -> float:
    profile = source.profiles[row]
    if link.share >= _MANY:
        if profile.shares["whole"] > 0.9 and profile.length < 4:
            return _SMALL_NUMBERS  # counts from 1 are in every table's numbers
        few = 0.5 if profile.n_distinct < 3 else 1.0
        return few * (_FOUND if link.share >= _ALL else _PARTLY)
    return _ABSENT if link.share < 0.05 else 0.0


def guess_aliases(blocks: Iterable[TableGuess], linked: Linked) -> dict[str, dict[str, str]]:
    """Find values that are no key but for blanks, signs and case: `GTXPro` is `GTX Pro`."""
    placed = list(blocks)
    main = {block.table: block for block in reversed(placed)}
    aliases: dict[str, dict[str, str]] = {}
    for block in placed:
        for item in block.columns:
            table = item.column.rule.references
            if table not in linked.keys or table not in main or not isinstance(item.spec, str):
                continue
            known = linked.sources[main[table].source].profiles[linked.keys[table]].known
            source = linked.sources[block.source]
            values = source.profiles[source.columns.index(item.spec)].distinct
            found = _alike([value for value in values if value not in known], known)
            if found:
                aliases.setdefault(table, {}).update(found)
    return aliases


def _alike(values: list[str], known: frozenset[str]) -> dict[str, str]:
    if not values or len(values) > _MOST_ALIASES:
        return {}
    bare = {key: "".join(c for c in key.casefold() if c.isalnum()) for key in (*known, *values)}
    counts = Counter(bare[key] for key in known)
    keys = {bare[key]: key for key in known if counts[bare[key]] == 1 and bare[key]}
    return {value: keys[bare[value]] for value in values if bare[value] in keys}
