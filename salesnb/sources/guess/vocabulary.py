"""What exports call things: words kept beside this module, and those of the presets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from salesnb.schema import TABLES, Column
from salesnb.sources.guess.phrases import (
    drop_words,
    joined,
    plain_id,
    singular,
    split_words,
    written_out,
)
from salesnb.sources.mapping import file_stem, preset_names

Place = tuple[str, str]
"""A column of the model by its table and name; columns of two tables may be equal as texts."""


@dataclass(frozen=True)
class Vocabulary:
    """Names of tables and columns.

    Attributes
    ----------
    columns
        Per column of the model: phrases as words, with their rank (0 is the best name).
    tables
        Per table: phrases that name it.
    others
        Phrases that name what is no table of the model.
    noise, prefixes, qualifiers, generic
        Words that say nothing of a source; that say nothing before a header; that make another
        thing of a header; of which alone a header says nothing.
    short
        Words as they are cut, and in full.
    entities
        Per table: its names as words.
    """

    columns: dict[Place, dict[tuple[str, ...], int]]
    tables: dict[str, frozenset[str]]
    others: frozenset[str]
    noise: frozenset[str]
    prefixes: frozenset[str]
    qualifiers: frozenset[str]
    generic: frozenset[str]
    short: dict[str, str]
    entities: dict[str, frozenset[tuple[str, ...]]]

    def without_table(self, words: tuple[str, ...], table: str) -> tuple[str, ...]:
        """Drop the table's name from the front of a header; nothing where it is not there."""
        for length in (2, 1):
            start = tuple(map(singular, words[:length]))
            if len(words) > length and start in self.entities[table]:
                return words[length:]
        return ()

    def source_key(self, name: str) -> str:
        """Write the name of a source as one word in the singular, without idle words."""
        return name_key(name, self.noise)


def name_key(name: str, noise: frozenset[str]) -> str:
    """Write a name as one word in the singular, without idle words and numbers.

    >>> name_key("sf_opportunity_data", frozenset({"sf", "data"}))
    'opportunity'
    """
    words = [word for word in split_words(file_stem(name)) if not word.isdigit()]
    telling = [word for word in words if word not in noise]
    return joined(tuple(map(singular, telling or words)))


@lru_cache(maxsize=8)
def read_vocabulary(presets: tuple[str, ...] | None = None) -> Vocabulary:
    """Read the words, and the names in the presets given (default: all the package has)."""
    folder = resources.files("salesnb.sources")
    content = _load(folder / "guess" / "vocabulary.yaml")
    noise, short = _words(content["noise"]), content["short"]
    tables = {name: {name_key(text, noise) for text in _names(content, name)} for name in TABLES}
    columns: dict[Place, dict[tuple[str, ...], int]] = {}
    for name, declaration in TABLES.items():
        for column in declaration.columns.values():
            words = content["tables"].get(name, {}).get("columns", {}).get(column, [])
            texts = [column, *words]
            columns[name, column] = {}
            _add(columns[name, column], ((text, rank) for rank, text in enumerate(texts)), short)
    others = frozenset(name_key(text, noise) for text in content["others"])
    for preset in preset_names() if presets is None else presets:
        _learn(_load(folder / "presets" / f"{preset}.yaml"), columns, tables, others, noise, short)
    closed, expected = (
        columns["opportunities", name] for name in ("closed_on", "expected_close_on")
    )
    for phrase in set(closed) & set(expected):
        del expected[phrase]  # a close date is the expected one too while an opportunity is open
    entities = {
        name: frozenset(tuple(map(singular, split_words(text))) for text in _names(content, name))
        for name in TABLES
    }
    return Vocabulary(
        columns=columns,
        tables={name: frozenset(names) for name, names in tables.items()},
        others=others,
        noise=noise,
        prefixes=_words(content["prefixes"]),
        qualifiers=_words(content["qualifiers"]),
        generic=_words(content["generic"]),
        short=short,
        entities=entities,
    )


def _names(content: Any, table: str) -> list[str]:
    """List what a table is called, its own name first."""
    return [table, *content["tables"].get(table, {}).get("names", [])]


def _load(path: Any) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it is built
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506


def _words(texts: list[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in split_words(str(text)))


def _add(
    known: dict[tuple[str, ...], int], ranked: Iterator[tuple[str, int]], short: Mapping[str, str]
) -> None:
    for text, rank in ranked:
        words = written_out(split_words(text), short)
        if words:
            known[words] = min(rank, known.get(words, rank))


def _learn(
    preset: Any,
    columns: dict[Place, dict[tuple[str, ...], int]],
    tables: dict[str, set[str]],
    others: frozenset[str],
    noise: frozenset[str],
    short: Mapping[str, str],
) -> None:
    """Add a preset's names; blocks that collect one table's values from another name neither."""
    for table, blocks in (preset.get("tables") or {}).items():
        for block in blocks if table in TABLES and isinstance(blocks, list) else ():
            if block.get("distinct") or "from" not in block:
                continue
            names = {name_key(text, noise) for text, _ in _ranked(block["from"])} - others
            taken = {name for other, known in tables.items() if other != table for name in known}
            tables[table] |= names - taken
            for name, spec in block.get("columns", {}).items():
                column = TABLES[table].columns[name]
                _add(columns[table, column], _headers(spec, column), short)


def _headers(spec: Any, column: Column) -> Iterator[tuple[str, int]]:
    """Give the headers a preset takes a column's values from as they are, with their rank."""
    if isinstance(spec, dict):
        is_part = isinstance(spec.get("only_if"), dict)  # the header alone means something else
        if is_part or "lookup" in spec or isinstance(spec.get("then"), dict):
            return
        if "map" in spec and (column.rule.kind != "text" or column.rule.vocabulary):
            return
        if "column" in spec:
            yield from _headers(spec["column"], column)
        yield from _headers(list(spec.get("first_of", ()))[:1], column)  # the rest stand in for it
        return
    for position, item in enumerate(spec if isinstance(spec, list) else [spec]):
        if isinstance(item, str):
            yield item, position
        else:
            yield from ((text, rank + position) for text, rank in _headers(item, column))


def _ranked(names: Any) -> list[tuple[str, int]]:
    return [(name, n) for n, name in enumerate(names if isinstance(names, list) else [names])]


def bare_header(header: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Split a header and drop the prefixes systems put before their fields."""
    words = drop_words(split_words(header), vocabulary.prefixes)
    return plain_id(written_out(words, vocabulary.short))
