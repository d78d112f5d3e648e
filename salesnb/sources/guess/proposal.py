"""The proposal: sources weighed, chosen, linked, placed and completed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from salesnb.schema import TABLES, activities
from salesnb.sources.guess.choose import Candidate, choose_sources, rate_candidates
from salesnb.sources.guess.columns import Placing, place_columns
from salesnb.sources.guess.conventions import guess_currency, guess_file
from salesnb.sources.guess.derive import Found, derive_columns
from salesnb.sources.guess.links import Linked, guess_aliases, weigh_links
from salesnb.sources.guess.people import (
    ENOUGH,
    add_memberships,
    collect_reps,
    collect_teams,
    order_users,
    owners_known,
)
from salesnb.sources.guess.result import ColumnGuess, FileGuess, Guess, TableGuess
from salesnb.sources.guess.scores import ScoredSource, score_sources
from salesnb.sources.guess.values import TRUE
from salesnb.sources.guess.vocabulary import Vocabulary, bare_header, read_vocabulary


def guess_mapping(
    previews: Mapping[str, pd.DataFrame], *, vocabulary: Vocabulary | None = None
) -> Guess:
    """Propose which columns of an export are which of the model.

    Nothing is read or written. What is unlikely is left out, not guessed.

    Parameters
    ----------
    previews
        The first rows of each source as text (or missing), by the name `from:` gives it.
    vocabulary
        What exports call things; default: the package's words and presets.

    Returns
    -------
    Guess
        With confidences between 0 and 1; empty previews give an empty guess.
    """
    words = vocabulary or read_vocabulary()
    usable = {name: frame for name, frame in previews.items() if frame.shape[1]}
    if not usable:
        return Guess(tables=())
    sources = score_sources(usable, words)
    rated = rate_candidates(sources, words)
    chosen = order_users(choose_sources(rated), sources)
    chosen, sources = add_memberships(chosen, rated, sources)
    linked = weigh_links(sources, chosen)
    blocks = _place_all(chosen, linked, words)
    blocks = _complete_people(blocks, chosen, linked)
    return _finish(blocks, linked, usable)


def _place_all(
    chosen: Mapping[str, list[Candidate]], linked: Linked, words: Vocabulary
) -> dict[str, list[TableGuess]]:
    blocks: dict[str, list[TableGuess]] = {}
    for table, candidates in chosen.items():
        kept = candidates if table == "activities" else candidates[:1]
        others = tuple(c.source for c in candidates[len(kept) :])
        made = [_place(table, candidate, others, linked, words) for candidate in kept]
        blocks[table] = [block for block in made if block.columns]
    return blocks


def _place(
    table: str, candidate: Candidate, others: tuple[str, ...], linked: Linked, words: Vocabulary
) -> TableGuess:
    source = linked.sources[candidate.source]
    placing = Placing(table, source, linked, words)
    found = derive_columns(placing, place_columns(placing))
    named = f"name of {source.name}" if candidate.named > 0.5 else "what its columns say"
    return TableGuess(
        table, source.name, round(min(candidate.confidence, 0.99), 2), named,
        tuple(found.values()), alternatives=others, options=_options(placing, found),
    )  # fmt: skip


def _options(placing: Placing, found: Found) -> dict[str, Any]:
    """Leave out deleted rows, activities of no kind, and repeated memberships."""
    source, options = placing.source, dict[str, Any]()
    deleted = [n for n, header in enumerate(source.columns) if _is_deletion(header, placing)]
    deleted = [n for n in deleted if 0 < _share_true(source, n) <= 0.5]
    if deleted:
        options["skip"] = {source.columns[n]: True for n in deleted}
    if placing.table == "memberships" and _repeats(source, found):
        options |= {"distinct": True, "only_filled": ["rep_id", "team_id"]}
    kind = found.get(activities.kind) if placing.table == "activities" else None
    if kind and isinstance(kind.spec, dict) and kind.spec.get("otherwise") == "":
        options["only_filled"] = "kind"
    return options


def _is_deletion(header: str, placing: Placing) -> bool:
    return bare_header(header, placing.vocabulary)[-1:] in (("deleted",), ("archived",))


def _share_true(source: ScoredSource, row: int) -> float:
    words = source.frame.iloc[:, row].str.strip().str.lower()
    return float(words.isin(TRUE).mean())


def _repeats(source: ScoredSource, found: Found) -> bool:
    """Whether rows of the key repeat, so that only different ones are to be kept."""
    inputs = [name for item in found.values() for name in item.inputs]
    columns = [source.columns.index(name) for name in dict.fromkeys(inputs)]
    return bool(source.frame.iloc[:, columns].duplicated().any()) if columns else False


def _complete_people(
    blocks: dict[str, list[TableGuess]], chosen: Mapping[str, list[Candidate]], linked: Linked
) -> dict[str, list[TableGuess]]:
    first = {table: found[0] for table, found in blocks.items() if found}
    users, known = first.get("reps"), owners_known(linked)
    if users is None or users.unfilled:
        collected = collect_reps(first, linked.sources, "no table of users")
        blocks = {**blocks, "reps": [collected] if collected else blocks["reps"]}
    elif known is not None and known < ENOUGH:
        collected = collect_reps(first, linked.sources, f"{users.source} lacks the owners")
        blocks = {**blocks, "reps": [collected] if collected else blocks["reps"]}
    elif known is not None and known < 1:
        deals = {"opportunities": first["opportunities"]}
        collected = collect_reps(deals, linked.sources, f"owners that {users.source} lacks")
        if collected:
            rest = {**collected.options, "only_new": True}
            blocks = {**blocks, "reps": [users, replace(collected, options=rest)]}
    if not blocks["teams"]:
        made = collect_teams(first.get("memberships"))
        blocks = {**blocks, "teams": [made] if made else []}
    return blocks


def _finish(
    blocks: Mapping[str, list[TableGuess]], linked: Linked, previews: Mapping[str, pd.DataFrame]
) -> Guess:
    sources = linked.sources
    tables = tuple(block for name in TABLES for block in blocks[name])
    used: dict[str, list[ColumnGuess]] = {}
    for block in tables:
        used.setdefault(block.source, []).extend(block.columns)
    files: list[FileGuess] = []
    for name in previews:
        file = guess_file(sources[name], used[name]) if name in used else None
        files += [file] if file else []
    currency, reason = "", ""
    for block in blocks["opportunities"]:
        currency, reason = guess_currency(sources[block.source], block.columns)
    return Guess(
        tables=tables,
        files=tuple(files),
        aliases=guess_aliases(tables, linked),
        currency=currency,
        currency_reason=reason,
        unplaced_columns={
            name: _unplaced(sources[name], used[name]) for name in previews if name in used
        },
        unused_sources={
            name: tuple(map(str, frame.columns))
            for name, frame in previews.items()
            if name not in used
        },
    )


def _unplaced(source: ScoredSource, placed: list[ColumnGuess]) -> tuple[str, ...]:
    inputs = {name for item in placed for name in item.inputs}
    return tuple(name for name in source.columns if name not in inputs)
