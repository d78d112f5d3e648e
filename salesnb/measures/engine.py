"""Where measures are computed: DuckDB or Spark behind narwhals, so that expressions name neither.

The two must agree: what an engine gives back is made the same here, by way of Arrow.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa

from salesnb.errors import ParameterError
from salesnb.measures import spark
from salesnb.schema import TABLES, Column, Kind
from salesnb.sources.snapshot import Snapshot
from salesnb.sources.sql import literal_path

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Lazy = nw.LazyFrame[Any]
EngineName = Literal["duckdb", "spark"]

DTYPES: dict[Kind, nw.dtypes.DType] = {
    "text": nw.String(),
    "date": nw.Date(),
    "timestamp": nw.Datetime(),
    "number": nw.Float64(),
    "boolean": nw.Boolean(),
}
"""What the kinds of the schema are to an engine."""
_SPARK_TYPES: dict[Kind, str] = {
    "text": "string",
    "date": "date",
    "timestamp": "timestamp_ntz",
    "number": "double",
    "boolean": "boolean",
}


class Engine(Protocol):
    """What `compute` asks of an engine."""

    def table(self, name: str) -> Lazy:
        """Open a table of the snapshot."""

    def local(self, frame: pd.DataFrame) -> Lazy:
        """Bring a small frame to the engine."""

    def collect(self, lazy: Lazy) -> pd.DataFrame:
        """Run a query and bring its result here."""


def open_engine(
    snapshot: Snapshot, *, engine: EngineName = "duckdb", spark_master: str = ""
) -> Engine:
    """Open a snapshot in an engine.

    Parameters
    ----------
    snapshot
        Its tables; on Spark all workers must see its files under the same path.
    engine
        `duckdb` (in this process) or `spark`.
    spark_master
        Where Spark runs, as `salesnb.measures.spark.open_session` takes it.

    Raises
    ------
    ParameterError
        There is no such engine; or Spark is not installed, does not start, or runs elsewhere.
    """
    if engine == "duckdb":
        return DuckDBEngine(snapshot)
    if engine == "spark":
        return SparkEngine(snapshot, master=spark_master)
    raise ParameterError(
        f"engine: {engine!r} is unknown. Known: {', '.join(get_args(EngineName))}."
    )


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
        """Open a table of the snapshot; a column that a file lacks is missing in its rows."""
        paths = [literal_path(path) for path in self._snapshot.paths(name)]
        rows = self._db.read_parquet(paths, hive_partitioning=False, union_by_name=True)
        columns = _stored_columns(self._snapshot, name)
        return nw.from_native(rows).select(
            *(nw.col(column).cast(DTYPES[column.rule.kind]) for column in columns)
        )

    def local(self, frame: pd.DataFrame) -> Lazy:
        """Bring a small frame to the engine; times at midnight become dates."""
        name = f"local_{next(self._names)}"
        self._db.register("arriving", _to_arrow(frame))
        # Of an Arrow table DuckDB knows no size, and joins the facts to it the wrong way round.
        self._db.execute(f"create temp table {name} as from arriving")
        self._db.unregister("arriving")
        return nw.from_native(self._db.table(name))

    def collect(self, lazy: Lazy) -> pd.DataFrame:
        """Run a query and bring its result here."""
        return _to_pandas(lazy)


class SparkEngine:
    """Runs on Spark: here, or on a cluster that sees the snapshot's files."""

    def __init__(self, snapshot: Snapshot, *, master: str = "") -> None:
        self._snapshot = snapshot
        self._session = spark.open_session(master)

    def table(self, name: str) -> Lazy:
        """Open a table of the snapshot; a column that a file lacks is missing in its rows."""
        columns = _stored_columns(self._snapshot, name)
        # With the columns given, Spark looks into no file before it is read, and fills with null.
        wanted = ", ".join(f"`{column}` {_SPARK_TYPES[column.rule.kind]}" for column in columns)
        with spark.said_plainly():
            paths = [spark.address(path) for path in self._snapshot.paths(name)]
            return _from_spark(self._session.read.schema(wanted).parquet(*paths))

    def local(self, frame: pd.DataFrame) -> Lazy:
        """Bring a small frame to the engine; times at midnight become dates."""
        # As Arrow, not pandas: Spark would read a missing text of pandas as the text "NaN".
        return _from_spark(self._session.createDataFrame(_to_arrow(frame)))

    def collect(self, lazy: Lazy) -> pd.DataFrame:
        """Run a query and bring its result here."""
        with spark.said_plainly(), spark.ended_if_interrupted():
            return spark.run_apart(lambda: _to_pandas(lazy))


def _from_spark(frame: DataFrame) -> Lazy:
    return nw.from_native(frame)


def _stored_columns(snapshot: Snapshot, table: str) -> list[Column]:
    """List a table's columns of the schema; what its files hold beside them is private."""
    return [column for column in TABLES[table].columns.values() if snapshot.has(table, column)]


def _to_arrow(frame: pd.DataFrame) -> pa.Table:
    """Bring a frame to Arrow: its timestamps are days, and columns of nothing are texts."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    for position, item in enumerate(table.schema):
        if pa.types.is_timestamp(item.type):
            kind = pa.date32()
        elif pa.types.is_null(item.type):
            kind = pa.string()
        else:
            continue
        column = table.column(position).cast(kind, safe=False)
        table = table.set_column(position, item.name, column)
    return table


def _to_pandas(lazy: Lazy) -> pd.DataFrame:
    """Run a query; both engines' results become pandas in the same way."""
    table: pa.Table = lazy.collect("pyarrow").to_native()
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame
