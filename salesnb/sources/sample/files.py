"""Frames as bytes that depend on nothing but the frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from salesnb.schema import TABLES, Column, activities, pipeline_snapshots, stage_history, touches
from salesnb.sources.sample.arrays import Texts, texts

PARQUET_TABLES = frozenset(
    table.declaration.name for table in (stage_history, pipeline_snapshots, activities, touches)
)
_ARROW = {
    "text": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}


def file_name(table: str) -> str:
    """Name the file of a table of the model."""
    return f"{table}.parquet" if table in PARQUET_TABLES else f"{table}.csv"


def write_table(folder: Path, table: str, frame: pd.DataFrame) -> None:
    """Write one table of the model with its declared columns in their declared order."""
    columns = TABLES[table].columns
    path = folder / file_name(table)
    if table in PARQUET_TABLES:
        arrays = [pa.array(frame[c], type=_ARROW[c.rule.kind]) for c in columns.values()]
        rising = tuple(
            name for name in columns if name in (activities.activity_id, touches.touch_id)
        )
        write_parquet(path, pa.table(arrays, names=list(columns)), rising=rising)
    else:
        text = {name: _as_text(frame[column], column) for name, column in columns.items()}
        write_csv(path, pd.DataFrame(text))


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a CSV: UTF-8, newline ends, missing as empty, floats to 6 decimals."""
    frame.to_csv(
        path, index=False, lineterminator="\n", encoding="utf-8", na_rep="", float_format="%.6f"
    )


def write_parquet(path: Path, table: pa.Table, *, rising: tuple[str, ...] = ()) -> None:
    """Write Parquet without metadata of pandas; `rising` identifiers are kept as differences."""
    pq.write_table(
        table.replace_schema_metadata(None),
        path,
        version="2.6",
        compression="zstd",
        compression_level=6,
        use_dictionary=[name for name in table.column_names if name not in rising],
        column_encoding=dict.fromkeys(rising, "DELTA_BYTE_ARRAY") or None,
        store_schema=False,
        row_group_size=1 << 20,
    )


def _as_text(values: pd.Series, column: Column) -> Texts:
    """Format sound values by the column's kind; text that was put in their place stays."""
    given = values.to_numpy(dtype=object)
    is_text = np.array([isinstance(value, str) for value in given], dtype=bool)
    missing = values.isna().to_numpy()
    text = given.copy()
    text[missing] = None
    sound = ~is_text & ~missing
    text[sound] = _format(values[sound], column)
    return text


def _format(values: pd.Series, column: Column) -> Texts:
    kind = column.rule.kind
    if kind == "date":
        return np.datetime_as_string(values.to_numpy(dtype="datetime64[D]")).astype(object)
    if kind == "timestamp":
        return np.datetime_as_string(values.to_numpy(dtype="datetime64[s]")).astype(object)
    if kind == "boolean":
        return np.where(values.to_numpy(dtype=bool), "true", "false").astype(object)
    if kind == "number":
        decimals = ".2f" if column.rule.unit == "money" else ".10g"
        return texts([format(float(value), decimals) for value in values])
    return values.to_numpy(dtype=object)
