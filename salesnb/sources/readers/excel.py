"""Excel and OpenDocument workbooks: each sheet a source, its cells as text."""

from __future__ import annotations

import datetime as dt
import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import python_calamine as calamine

from salesnb.errors import DataError
from salesnb.sources.mapping import FileOptions
from salesnb.sources.readers.csv import unique_names
from salesnb.sources.readers.part import ParquetPart

_BATCH = 20_000
_LARGEST = 2_000_000_000
"""Bytes a workbook may unpack to: a larger one is no table, or is made to fill the memory."""


def sheet_names(path: Path) -> list[str]:
    """List a workbook's sheets that may hold a table.

    Raises
    ------
    DataError
        It is not a workbook, is protected by a password, or unpacks to too much.
    """
    return [sheet.name for sheet in _open(path).sheets_metadata if _is_table(sheet)]


def _is_table(sheet: calamine.SheetMetadata) -> bool:
    return sheet.typ == calamine.SheetTypeEnum.WorkSheet


def _open(path: Path) -> calamine.CalamineWorkbook:
    if path.stat().st_size == 0:
        raise DataError(f"{path.name}: the file is empty. Export it again.")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(item.file_size for item in archive.infolist())
            if unpacked > _LARGEST:
                raise DataError(
                    f"{path.name}: unpacks to {unpacked / 1e9:,.1f} GB. Export it as CSV."
                )
        return calamine.load_workbook(str(path))
    except (calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
        raise DataError(
            f"{path.name}: cannot be read as a workbook ({error}). Save it again without a "
            "password, or as CSV."
        ) from error


def open_sheet(
    path: Path, sheet: str, options: FileOptions, *, label: str, copy: Path
) -> ParquetPart:
    """Copy a sheet's cells as text to a Parquet file; blank rows are no rows.

    The first row that is not blank names the columns. Dates are written as ISO, whole numbers
    without a point.

    Raises
    ------
    DataError
        The sheet has no header, or cannot be read.
    """
    try:
        rows = _filled(_open(path).get_sheet_by_name(sheet).iter_rows())
        header = [_as_text(cell) or "" for cell in next(rows, [])]
        if not any(cell.strip() for cell in header):
            raise DataError(f"{label}: has no column names. Write them into its first row.")
        columns = unique_names(header)
        _write(rows, columns, copy)
    except (calamine.CalamineError, OSError) as error:
        raise DataError(f"{label}: cannot be read ({error}). Save it again.") from error
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    digest.update(sheet.encode())
    return ParquetPart(label, copy, columns, digest.hexdigest(), path.stat().st_size, options)


def _filled(rows: Iterable[Sequence[object]]) -> Iterator[Sequence[object]]:
    return (row for row in rows if any(cell != "" and cell is not None for cell in row))


def _write(rows: Iterator[Sequence[object]], columns: tuple[str, ...], copy: Path) -> None:
    schema = pa.schema([(name, pa.string()) for name in columns])
    with pq.ParquetWriter(copy, schema) as writer:
        while batch := list(islice(rows, _BATCH)):
            cells = [
                [_as_text(row[at]) if at < len(row) else None for row in batch]
                for at in range(len(columns))
            ]
            arrays = [pa.array(column, pa.string()) for column in cells]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _as_text(cell: object) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.isoformat(" ")
    if isinstance(cell, dt.timedelta):
        return f"{cell.total_seconds():g}"
    return str(cell)
