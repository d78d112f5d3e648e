"""YAML: a guess as a mapping to edit, with a comment on every line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import yaml

from salesnb.schema import TABLES

if TYPE_CHECKING:
    from salesnb.sources.guess.result import ColumnGuess, Guess, TableGuess

_HEAD = (
    "# Proposed from headers and values; the number is how sure each line is, 0 to 1.",
    "# Check it, change what is wrong, delete what you do not want, and import with it.",
)


def write_yaml(guess: Guess) -> str:
    """Write the mapping; blocks that lack a required column are comments unless required."""
    lines = [
        *_HEAD,
        *_missing(guess),
        *_company(guess),
        *_files(guess),
        *_aliases(guess),
        *_tables(guess),
    ]
    for name, columns in guess.unused_sources.items():
        lines.append(f"# No table is read from {_comment(name)}: {_comment(', '.join(columns))}")
    return "\n".join(lines) + "\n"


def _missing(guess: Guess) -> Iterator[str]:
    for name, columns in guess.unfilled.items():
        if TABLES[name].required:
            yield f"# Required and not found: {name}: {', '.join(columns)}. Add them below."


def _company(guess: Guess) -> Iterator[str]:
    if guess.currency:
        yield "company:"
        yield f"  currency: {guess.currency}  # {_comment(guess.currency_reason)}"


def _files(guess: Guess) -> Iterator[str]:
    if any(file.options for file in guess.files):
        yield "files:"
    for file in guess.files:
        if file.options:
            yield f"  {_dump(file.source)}: {_dump(file.options)}  # {_comment(file.reason)}"
        else:
            yield f"  # {_comment(file.source)}: {_comment(file.reason)}"


def _aliases(guess: Guess) -> Iterator[str]:
    if guess.aliases:
        yield "aliases:"
    for table, pairs in guess.aliases.items():
        yield f"  {table}: {_dump(dict(pairs))}  # alike but for blanks, signs or case"


def _tables(guess: Guess) -> Iterator[str]:
    live = [b for b in guess.tables if not b.unfilled or TABLES[b.table].required]
    yield "tables:" if live else "tables: {}"
    done: set[str] = set()
    for name in TABLES:
        for block in guess.tables:
            if block.table != name:
                continue
            mark = "" if block in live else "# "
            if name not in done:
                yield f"  {mark}{name}:"
            done.add(name)
            yield from (f"  {mark}{line}" for line in _block(guess, block))


def _block(guess: Guess, block: TableGuess) -> Iterator[str]:
    yield f"  - from: {_dump(block.source)}  # {block.confidence:.2f}  {_comment(block.reason)}"
    if block.alternatives:
        yield f"    # or from: {_comment(', '.join(block.alternatives))}"
    for name, value in block.options.items():
        yield f"    {name}: {_dump(value)}"
    yield "    columns:"
    found = {str(item.column): item for item in block.columns}
    for name in TABLES[block.table].columns:
        if name in found:
            yield from _column(found[name])
        elif name in block.unfilled:
            yield f"      # {name}:  # required, not found"
    rest = guess.unplaced_columns.get(block.source, ())
    if rest and block is _main_block(guess, block.source):
        yield f"    # not placed: {_comment(', '.join(rest))}"


def _main_block(guess: Guess, source: str) -> TableGuess:
    blocks = [block for block in guess.tables if block.source == source]
    return max(blocks, key=lambda block: len(block.columns))


def _column(item: ColumnGuess) -> Iterator[str]:
    spec = _dump(item.spec)
    yield f"      {item.column}: {spec}  # {item.confidence:.2f}  {_comment(item.reason)}"
    if item.alternatives:
        yield f"      #   or: {_comment(', '.join(item.alternatives))}"


def _dump(value: Any) -> str:
    """Write a value on one line so that YAML reads it as that value."""

    def dump(style: str | None) -> str:
        text = yaml.safe_dump(
            value, default_flow_style=True, default_style=style, allow_unicode=style is None,
            width=float("inf"), sort_keys=False,
        )  # fmt: skip
        return text.removesuffix("\n").removesuffix("\n...")

    text = dump(None)
    return text if len(text.splitlines()) == 1 else dump('"')


def _comment(text: str) -> str:
    """Keep a text within its line, and what YAML does not allow out of it."""
    return "".join(mark if mark.isprintable() else "?" for mark in " ".join(text.split()))
