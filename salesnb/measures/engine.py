"""Where measures are computed: DuckDB behind narwhals, so that expressions name no engine."""

from __future__ import annotations

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


class DuckDBEngine:
    """Runs in this process, in parallel, spilling to disk when memory is short."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._db = duckdb.connect()

    def table(self, name: str) -> Lazy:
        """Open a table of the snapshot."""
        paths = [str(path) for path in self._snapshot.paths(name)]
        rows = self._db.read_parquet(paths, union_by_name=True, hive_partitioning=False)
        return nw.from_native(rows).select(*self._snapshot.columns(name))

    def local(self, frame: pd.DataFrame) -> Lazy:
        """Bring a small frame to the engine; times at midnight become dates."""
        table = pa.Table.from_pandas(frame, preserve_index=False)
        return nw.from_native(self._db.from_arrow(_with_dates(table)))

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
