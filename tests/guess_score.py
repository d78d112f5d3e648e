"""Scores of guesses against what is right."""

from dataclasses import replace

import pandas as pd

from salesnb.schema import TABLES


def judge(family, guess):
    """List the placed columns: table, column, confidence, whether right; and those missed."""
    placed, missed = [], []
    found = {}
    for block in guess.tables:
        for item in block.columns:
            key = (block.table, str(item.column))
            inputs = item.inputs or ("=" + item.spec["constant"],)
            found.setdefault(key, []).append((block.source, inputs[0], item.confidence))
    for (table, column), hits in found.items():
        source, right = family.truth.get(table, ((), {}))
        wanted = right.get(column, ())
        wanted = [wanted] if isinstance(wanted, str) else wanted
        source = [source] if isinstance(source, str) else source
        for name, header, confidence in hits if table not in family.free else ():
            if header in family.also.get(table, ()):
                continue
            is_right = name in source and header in wanted
            placed.append((table, column, f"{name}: {header}", confidence, is_right))
    for table, (_, right) in family.truth.items():
        if table not in family.free:
            missed += [(table, column) for column in right if (table, column) not in found]
    columns = ["table", "column", "from", "confidence", "is_right"]
    return pd.DataFrame(placed, columns=columns), missed


def rates(placed, n_missed):
    """Return precision, recall (of what was to be placed)."""
    n_right = int(placed["is_right"].sum())
    return n_right / max(len(placed), 1), n_right / max(n_right + n_missed, 1)


def reliability(placed):
    """Compare confidence with how often it was right: n, mean confidence, hit rate a bin."""
    bins = pd.cut(placed["confidence"], [0, 0.6, 0.8, 0.9, 0.95, 1.0])
    grouped = placed.groupby(bins, observed=True)
    return grouped.agg(
        n=("is_right", "size"), confidence=("confidence", "mean"), hit_rate=("is_right", "mean")
    )


def spoil(family, *, rng, drop=0.3, typo=0.3):
    """Leave out some of a family's columns and misspell some headers, with the answers to match."""
    renamed, sources = {}, {}
    for name, (kind, headers) in family.sources.items():
        kept = [h for h in headers if rng.random() >= drop] or list(headers)[:1]
        new = {h: misspell(h, rng) if rng.random() < typo else h for h in kept}
        renamed[name] = new
        sources[name] = (kind, {new[h]: headers[h] for h in rng.permutation(kept)})
    truth, free = {}, []
    for table, (source, right) in family.truth.items():
        left = {}
        for column, headers in right.items():
            headers = (headers,) if isinstance(headers, str) else headers
            found = tuple(
                renamed[source].get(h, h) for h in headers if h[0] == "=" or h in renamed[source]
            )
            if found:
                left[column] = found
        truth[table] = (source, left)
        if TABLES[table].key[0] not in left:
            free.append(table)  # what is without a key is rightly looked for elsewhere
    also = {
        table: tuple(new.get(h, h) for h in headers for new in renamed.values())
        for table, headers in family.also.items()
    }
    return replace(family, sources=sources, truth=truth, also=also, free=tuple(free))


def misspell(header, rng):
    """Swap, drop or double one letter."""
    if len(header) < 4:
        return header
    at = int(rng.integers(1, len(header) - 1))
    kind = rng.integers(3)
    if kind == 0:
        return header[:at] + header[at + 1] + header[at] + header[at + 2 :]
    return header[:at] + header[at + 1 :] if kind == 1 else header[:at] + header[at] + header[at:]
