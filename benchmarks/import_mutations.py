"""Spoiled exports: 300 mutants of bytes, columns and types, each imported or refused in words.

Today: `pandas.read_csv` of the same files, which reads many of them without a word although rows
or values are lost. Exits with 1 if any import ends in a traceback, a lost row, a partial snapshot,
or takes more than 10 times the file's size in memory beside what importing anything takes.
"""

import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import pandas as pd
from mutations import ALLOWED, ENGINE, count_rows, is_hungry, try_mutant, write_mutant

NUMBER, ROWS = 300, 300
LARGE, LARGE_ROWS = 6, 100_000


def read_by_pandas(path):
    """Count the rows pandas reads; None where it refuses."""
    with suppress(Exception):
        return len(pd.read_csv(path))
    return None


def today(home):
    """Count the mutants pandas reads although the rows it gives are not those of the file."""
    wrong = read = 0
    for seed in range(NUMBER):
        path = write_mutant(home / f"p{seed}", seed, rows=ROWS)
        if path.suffix in (".csv", ".gz"):
            n_rows = read_by_pandas(path)
            read += n_rows is not None
            with suppress(Exception):
                wrong += n_rows is not None and n_rows not in count_rows(path)
    return read, wrong


def main():
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        import salesnb.sources.load  # noqa: F401 - children shall not each count its import

        for name, seeds, rows in (
            ("small", range(NUMBER), ROWS), ("large", range(9000, 9000 + LARGE), LARGE_ROWS)
        ):  # fmt: skip
            started = time.perf_counter()
            outcomes = [try_mutant(home, seed, rows=rows) for seed in seeds]
            bad = [outcome for outcome in outcomes if outcome.problem]
            hungry = [outcome for outcome in outcomes if is_hungry(outcome)]
            failures += len(bad) + len(hungry)
            worst = max(outcomes, key=lambda o: (o.grown - ENGINE) / o.bytes if o.bytes else 0)
            print(
                f"{name}: {len(outcomes)} mutants of {rows:,} rows in "
                f"{time.perf_counter() - started:.0f} s: "
                f"{sum(o.is_imported for o in outcomes)} imported and reconciled, "
                f"{sum(not o.is_imported for o in outcomes)} refused in words, {len(bad)} bad, "
                f"{len(hungry)} over {ALLOWED} x in memory (most: {worst.grown / 1e6:.0f} MB for "
                f"{worst.bytes / 1e6:.1f} MB)"
            )
            for outcome in [*bad, *hungry]:
                print("  ", outcome)
        read, wrong = today(home)
        print(f"today: pandas reads {read} of the small CSV mutants, {wrong} of them wrongly")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
