"""The pipeline's history read once and kept, like measures, under the snapshot and this code."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pandas as pd

from salesnb.language import tag
from salesnb.measures.cache import as_day, cache_folder, code_fingerprint, keep, load_snapshot
from salesnb.measures.engine import EngineName, open_engine
from salesnb.measures.pictures.history import PipelineHistory, compute_pipeline
from salesnb.measures.spark import ended_if_interrupted
from salesnb.sources.mapping import Company

_FRAMES = ("open", "past", "ages", "bookings", "products", "teams")


def load_pipeline(
    snapshot: str | Path = "", *, as_of: dt.date | str = "", engine: EngineName = "duckdb",
    spark_master: str = "",
) -> PipelineHistory:  # fmt: skip
    """Load the open opportunities of a snapshot and their past, reading them the first time.

    Parameters
    ----------
    snapshot
        Folder of a snapshot; empty for the sample company.
    as_of
        Day on which the world is seen (a date, or 2026-09-30); empty for the snapshot's.
    engine, spark_master
        Where they are read the first time, as `load_measures` takes it.

    Returns
    -------
    PipelineHistory

    Raises
    ------
    DataError
        There is no snapshot, it is not whole, or an exchange rate is missing.
    ParameterError
        `as_of` is after the snapshot, or the engine cannot be used.
    """
    opened = load_snapshot(snapshot)
    day = as_day(as_of) or opened.as_of
    home = cache_folder() / "pipeline" / f"{opened.id}-{day}-{code_fingerprint()}{tag()}"

    def compute() -> PipelineHistory:
        where = open_engine(opened, engine=engine, spark_master=spark_master)
        return compute_pipeline(opened, as_of=day, engine=where)

    with ended_if_interrupted():
        return keep(home, read=_read_whole, make=compute, write=_write)


def _write(history: PipelineHistory, folder: Path) -> None:
    for name in _FRAMES:
        getattr(history, name).to_parquet(folder / f"{name}.parquet")
    rest = {
        "origin": history.origin,
        "lacking": history.lacking,
        "company": history.company.model_dump(mode="json"),
        "as_of": history.as_of.isoformat(),
        "snapshot_id": history.snapshot_id,
    }
    (folder / "pipeline.json").write_text(json.dumps(rest, indent=1), encoding="utf-8")


def _read_whole(folder: Path) -> PipelineHistory | None:
    """Read a history; None where there is none, or a file is missing or broken."""
    try:
        rest = json.loads((folder / "pipeline.json").read_text(encoding="utf-8"))
        frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in _FRAMES}
        return PipelineHistory(
            **frames,
            origin=rest["origin"],
            lacking=tuple(rest["lacking"]),
            company=Company.model_validate(rest["company"]),
            as_of=dt.date.fromisoformat(rest["as_of"]),
            snapshot_id=rest["snapshot_id"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
