"""Exports spoiled at random in bytes, columns and types, and what may come of importing them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import re
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

HEADER = ["opportunity_id", "rep_id", "created_on", "closed_on", "is_won", "is_closed", "amount",
          "source", "loss_reason"]  # fmt: skip
WORDS = ["", "NA", "null", "-", "1e999", "9" * 40, "0x10", "31/02/2026", "2026-13-01", "maybe",
         "💶 5", "مرحبا", "a\nb", 'say "hi"', "=1+1", "\\N", "1,234,5", "infinity", " x ",
         "2026-01-05T10:00:00+25:00", "\u2028", "é" * 300]  # fmt: skip
REPS = "rep_id,name\n" + "".join(f"r{n},Rep {n}\n" for n in range(9))


def rows_of(rng: random.Random, number: int) -> list[list[str]]:
    """Make sound rows of opportunities."""
    rows = []
    for n in range(number):
        won, closed = n % 3 == 0, n % 5 > 0
        day = f"2026-0{1 + n % 6}-{1 + n % 28:02}"
        rows.append([f"o{n}", f"r{n % 9}", day, "2026-07-01" if closed or won else "",
                     str(won).lower(), str(closed or won).lower(), f"{rng.random() * 9999:.2f}",
                     "Web", "" if won else "price, mostly"])  # fmt: skip
    return rows


def to_csv(table: list[list[str]], **dialect) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, **{"lineterminator": "\n", **dialect}).writerows(table)
    return text.getvalue()


# Bytes: whatever a broken disk, editor or transfer does ------------------------------------


def _flip(rng, data):
    out = bytearray(data)
    for _ in range(rng.randint(1, 30)):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def _cut(rng, data):
    at, length = rng.randrange(len(data)), rng.randint(1, len(data) // 3)
    return data[:at] + data[at + length :]


def _repeat(rng, data):
    at, length = rng.randrange(len(data)), rng.randint(1, 2000)
    return data[:at] + data[at : at + length] * rng.randint(2, 4) + data[at + length :]


def _insert(rng, data):
    odd = [b"\0", b'"', b"\r", b"\n", b'","', b"\xff\xfe", b"\xef\xbb\xbf", b"\x1a", b"\x85"]
    for _ in range(rng.randint(1, 10)):
        at = rng.randrange(len(data))
        data = data[:at] + rng.choice(odd) + data[at:]
    return data


def _end_early(rng, data):
    return data[: rng.randrange(len(data))]


def _swap(rng, data):
    a, b, c = sorted(rng.randrange(len(data)) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _mix_ends(rng, data):
    return re.sub(b"\n", lambda _: rng.choice([b"\n", b"\r\n", b"\r"]), data)


BYTES = [_flip, _cut, _repeat, _insert, _end_early, _swap, _mix_ends]

# Columns and types: whatever a changed CRM or a hurried person does -------------------------


def _drop(rng, table):
    at = rng.randrange(len(table[0]))
    return [row[:at] + row[at + 1 :] for row in table]


def _double(rng, table):
    at = rng.randrange(len(table[0]))
    return [[*row, row[at]] for row in table]


def _rename(rng, table):
    header = list(table[0])
    header[rng.randrange(len(header))] = rng.choice(["", "x" * 5000, "amount", 'a"b', "ü; drop"])
    return [header, *table[1:]]


def _shuffle(rng, table):
    order = rng.sample(range(len(table[0])), len(table[0]))
    return [[row[at] for at in order] for row in table]


def _widen(rng, table):
    return [[*row, *[f"c{n}" for n in range(rng.randint(1, 200))]] if at == 0 else
            [*row, *[""] * rng.randint(0, 200)] for at, row in enumerate(table)]  # fmt: skip


def _spoil(rng, table):
    out = [list(row) for row in table]
    for _ in range(rng.randint(1, len(table))):
        row = out[rng.randrange(1, len(out))]
        row[rng.randrange(len(row))] = rng.choice(WORDS)
    return out


def _spoil_column(rng, table):
    at, word = rng.randrange(len(table[0])), rng.choice(WORDS)
    return [table[0], *[[*row[:at], word, *row[at + 1 :]] for row in table[1:]]]


def _trade(rng, table):
    a, b = rng.sample(range(len(table[0])), 2)
    return [table[0], *[[*row[:a], row[b], *row[a + 1 :]] for row in table[1:]]]


def _twice(rng, table):
    picked = rng.choices(table[1:], k=rng.randint(1, 50))
    changed = [[*row[:6], rng.choice([row[6], "7"]), *row[7:]] for row in picked]
    return [*table, *changed]


TABLES = [_drop, _double, _rename, _shuffle, _widen, _spoil, _spoil_column, _trade, _twice]


def write_mutant(folder: Path, seed: int, *, rows: int) -> Path:
    """Write an export of two tables, the second spoiled; returns the spoiled file."""
    rng = random.Random(seed)
    folder.mkdir(parents=True)
    (folder / "reps.csv").write_text(REPS, encoding="utf-8")
    table = [HEADER, *rows_of(rng, rows)]
    chosen = rng.sample(TABLES, rng.choice([0, 1, 1, 2]))
    for mutate in sorted(chosen, key=lambda mutate: mutate is _widen):  # ragged rows come last
        table = mutate(rng, table)
    kind = rng.choice(["csv"] * 7 + ["gz", "parquet", "xlsx"])
    data = to_csv(
        table, delimiter=rng.choice(",,,;\t|"), lineterminator=rng.choice(["\n", "\n", "\r\n"]),
        quoting=rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    ).encode(rng.choice(["utf-8"] * 5 + ["utf-8-sig", "utf-16"]), errors="replace")  # fmt: skip
    suffix = {"gz": "csv.gz"}.get(kind, kind)
    path = folder / f"opportunities.{suffix}"
    if kind in ("parquet", "xlsx"):
        width = max(map(len, table))
        frame = pd.DataFrame([[*row, *[""] * (width - len(row))] for row in table[1:]])
        names = [*table[0], *[f"x{n}" for n in range(width)]][:width]
        frame.columns = [
            f"{name}{at}" if names[:at].count(name) else name for at, name in enumerate(names)
        ]
        if kind == "parquet":
            frame.to_parquet(path)
        else:
            clean = frame.map(lambda cell: re.sub(r"[\x00-\x08]", "", cell)[:30_000])
            clean.head(3000).to_excel(path, index=False)
        data = path.read_bytes()
    for mutate in rng.sample(BYTES, rng.choice([0, 1, 1, 2]) if table[1:] else 0):
        data = mutate(rng, data) if data else data
    path.write_bytes(gzip.compress(data) if kind == "gz" else data)
    return path


def count_rows(path: Path) -> set[int]:
    """Count the rows of a text file in the ways that make sense of it; none for other files."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    elif path.suffix != ".csv":
        return set()
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("cp1252")
    text = re.sub("\r\n?", "\n", text)
    found = {len(text.removesuffix("\n").split("\n")) - 1}
    csv.field_size_limit(1 << 27)
    for delimiter in ",;\t|":
        for strict in (True, False):  # or a stray quote is a letter
            with suppress(csv.Error):
                lines = io.StringIO(text, newline="")
                reader = csv.reader(lines, delimiter=delimiter, strict=strict)
                found.add(sum(bool(row) for row in reader) - 1)
    return found


@dataclass(frozen=True)
class Outcome:
    """What came of one import: `problem` is empty when it is as it must be."""

    seed: int
    file: str
    bytes: int
    grown: int
    is_imported: bool
    problem: str


def try_mutant(home: Path, seed: int, *, rows: int) -> Outcome:
    """Import a mutant in a process of its own, and see what is left."""
    path = write_mutant(home / f"m{seed}", seed, rows=rows)
    to = home / f"s{seed}"
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with os.fdopen(writer, "w") as out:
            json.dump(_import_here(path.parent, to), out)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    status = os.waitpid(child, 0)[1]
    found = json.loads(said) if said else {"problem": f"died with status {status}", "grown": 0}
    is_imported = bool(found.get("is_imported"))
    problem = found["problem"] or _check_left(path, to, is_imported)
    outcome = Outcome(seed, path.name, path.stat().st_size, found["grown"], is_imported, problem)
    if not problem:
        shutil.rmtree(path.parent)
        shutil.rmtree(to, ignore_errors=True)
    return outcome


def _import_here(export: Path, to: Path) -> dict:
    from salesnb.errors import SalesnbError
    from salesnb.sources.load import import_snapshot

    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    before = _memory("VmRSS")
    problem, is_imported = "", False
    try:
        import_snapshot(export, to=to)
        is_imported = True
    except SalesnbError as error:
        text = str(error)
        if "opportunities" not in text or not re.search(r"[.)'\]]$|to|in your mapping", text):
            problem = f"unclear: {text}"
    except BaseException as error:
        problem = f"{type(error).__name__}: {error}"
    return {"problem": problem, "is_imported": is_imported, "grown": _memory("VmHWM") - before}


def _memory(name: str) -> int:
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(rf"{name}:\s+(\d+)", text)[1]) * 1024


def _check_left(path: Path, to: Path, is_imported: bool) -> str:
    """Look at what an import has left, without its own code where that can be."""
    if not is_imported:
        return "left a folder behind" if to.exists() else ""
    index = json.loads((to / "snapshot.json").read_text(encoding="utf-8"))
    folder = to / index["id"]
    for load in index["report"]["tables"]:
        refused = sum(refusal["count"] for refusal in load["refusals"])
        named = load["left_out"] + load["merged"] + load["superseded"]
        if load["read"] != named + load["accepted"] + refused:
            return f"does not reconcile: {load}"
        for kind, count in ((folder, load["accepted"]), (folder / "quarantine", refused)):
            files = sorted((kind / load["table"]).glob("*.parquet"))
            if sum(len(pd.read_parquet(file)) for file in files) != count:
                return f"{load['table']}: files hold another number of rows than {count}"
    counts = count_rows(path)
    read = next(t["read"] for t in index["report"]["tables"] if t["table"] == "opportunities")
    return "" if not counts or read in counts else f"read {read:,} rows of {counts}"


ENGINE = 128_000_000
"""Bytes that importing anything may take: DuckDB's buffers, Arrow, the first use of modules."""
ALLOWED = 10
"""Times a file's size that importing it may take beside."""


def try_many(home: Path, seeds: range, *, rows: int) -> list[Outcome]:
    """Try mutants, each in a process of its own that has the modules already."""
    import salesnb.sources.load  # noqa: F401

    return [try_mutant(home, seed, rows=rows) for seed in seeds]


def is_hungry(outcome: Outcome) -> bool:
    """Whether an import took more memory than it may."""
    return outcome.grown > ENGINE + ALLOWED * outcome.bytes


if __name__ == "__main__":
    import tempfile

    for seed in map(int, sys.argv[1:]):
        print(try_mutant(Path(tempfile.mkdtemp()), seed, rows=300))  # noqa: T201
