"""Where measures are computed: DuckDB behind narwhals, so that expressions name no engine."""

from __future__ import annotations

import itertools
from typing import Any, Protocol

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa

from salesnb.sources.snapshot import Snapshot

Lazy = nw.LazyFrame[Any]


class Engine(Protocol):
    """What `compute` asks of an engine."""

    def table(self, name: str) -> Lazy:
        """Open a table of the snapshot."""

    def local(self, frame: pd.DataFrame) -> Lazy:
        """Bring a small frame to the engine."""

    def collect(self, lazy: Lazy) -> pd.DataFrame:
        """Run a query and bring its result here."""


_SETTINGS = """
set preserve_insertion_order = false; -- sums have no order: nothing is kept back for it
set perfect_ht_threshold = 16; -- bits: owners are numbered, so tens of thousands are an array
set allocator_background_threads = true; -- memory goes back to the machine between queries
"""


class DuckDBEngine:
    """Runs in this process, in parallel, spilling to disk when memory is short."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._db = duckdb.connect()
        self._db.execute(_SETTINGS)
        self._names = itertools.count()

    def table(self, name: str) -> Lazy:
        """Open a table of the snapshot."""
        paths = [str(path) for path in self._snapshot.paths(name)]
        return nw.from_native(
            self._db.read_parquet(paths, union_by_name=True, hive_partitioning=False)
        )

    def local(self, frame: pd.DataFrame) -> Lazy:
        """Bring a small frame to the engine; times at midnight become dates."""
        table = _with_dates(pa.Table.from_pandas(frame, preserve_index=False))
        name = f"local_{next(self._names)}"
        self._db.register("arriving", table)
        # Of an Arrow table DuckDB knows no size, and joins the facts to it the wrong way round.
        self._db.execute(f"create temp table {name} as from arriving")
        self._db.unregister("arriving")
        return nw.from_native(self._db.table(name))

    def collect(self, lazy: Lazy) -> pd.DataFrame:
        """Run a query and bring its result here."""
        frame: pd.DataFrame = lazy.collect("pandas").to_native()
        return frame


def _with_dates(table: pa.Table) -> pa.Table:
    """Dimensions hold days only: their timestamps are dates."""
    for position, item in enumerate(table.schema):
        if pa.types.is_timestamp(item.type):
            days = table.column(position).cast(pa.date32(), safe=False)
            table = table.set_column(position, item.name, days)
    return table
