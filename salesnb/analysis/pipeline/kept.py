"""Chances learned once and kept: the report of every team reads the same."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from salesnb.analysis.pipeline.leaks import Leak
from salesnb.analysis.pipeline.quality import Quality
from salesnb.analysis.pipeline.result import PipelineScores
from salesnb.analysis.pipeline.scores import score_pipeline
from salesnb.language import tag
from salesnb.measures.cache import as_day, cache_folder, code_fingerprint, keep, load_snapshot
from salesnb.measures.pictures import Feature, load_pipeline
from salesnb.measures.privacy import protect_teams, read_people
from salesnb.privacy import Privacy, read_choice
from salesnb.sources.mapping import Company
from salesnb.sources.snapshot import Snapshot

_FRAMES = ("open", "tried", "reasons", "quarters", "ages", "bookings", "teams")
_PLAIN = ("method", "settles", "oldest_won", "origin", "horizon_days", "snapshot_id")


def load_pipeline_scores(
    snapshot: str | Path = "", *, as_of: str = "", horizon_days: int = 90
) -> PipelineScores:
    """Load the chances of a snapshot's open opportunities, learning them the first time.

    Parameters
    ----------
    snapshot
        Folder of a snapshot; empty for the sample company.
    as_of
        Day on which the world is seen, such as 2026-09-30; empty for the snapshot's.
    horizon_days
        Days ahead.

    Returns
    -------
    PipelineScores
        Of the whole company, as `score_pipeline` gives them without columns of your own; without
        owners in a kernel of a batch that hides names.

    Raises
    ------
    DataError
        There is no snapshot, it is not whole, or an exchange rate is missing.
    ParameterError
        `as_of` is after the snapshot, or `horizon_days` is below 1.
    """
    opened = load_snapshot(snapshot)
    day = as_day(as_of) or opened.as_of
    made_of = f"{opened.id}-{day}-{code_fingerprint()}-{horizon_days}{tag()}"
    home = cache_folder() / "scores" / made_of

    def learn() -> PipelineScores:
        history = load_pipeline(snapshot, as_of=as_of)
        return score_pipeline(history, horizon_days=horizon_days)

    kept = keep(home, read=lambda folder: _read_whole(folder, day), make=learn, write=_write)
    return _protect(kept, opened, read_choice())


def _protect(scores: PipelineScores, snapshot: Snapshot, privacy: Privacy) -> PipelineScores:
    """Take people out of the scores, where the batch has chosen so."""
    if privacy.mode == "named":
        return scores
    people = read_people(snapshot)
    frames: dict[str, Any] = {
        name: protect_teams(getattr(scores, name), people, privacy)
        for name in ("open", "quarters", "bookings", "teams")
    }
    return replace(scores, **frames)


def _write(scores: PipelineScores, folder: Path) -> None:
    for name in _FRAMES:
        getattr(scores, name).to_parquet(folder / f"{name}.parquet")
    scores.stage_days.rename("days").to_frame().to_parquet(folder / "stage_days.parquet")
    qualities = {
        name: _write_quality(getattr(scores, name), name, folder)
        for name in ("quality", "table_quality")
    }
    rest = {
        **{name: getattr(scores, name) for name in _PLAIN},
        **qualities,
        "features": scores.features,
        "lacking": scores.lacking,
        "leaks": [{**vars(leak), "feature": vars(leak.feature)} for leak in scores.leaks],
        "company": scores.company.model_dump(mode="json"),
    }
    (folder / "scores.json").write_text(json.dumps(rest, indent=1), encoding="utf-8")


def _write_quality(quality: Quality | None, name: str, folder: Path) -> dict[str, object] | None:
    if quality is None:
        return None
    quality.figures.to_parquet(folder / f"{name}_figures.parquet")
    quality.table.to_parquet(folder / f"{name}_table.parquet")
    return {
        "n": quality.n,
        "n_opportunities": quality.n_opportunities,
        "first_day": quality.first_day.isoformat(),
        "last_day": quality.last_day.isoformat(),
        "by_chance": quality.by_chance,
        "sum_ratio": quality.sum_ratio,
    }


def _read_whole(folder: Path, as_of: dt.date) -> PipelineScores | None:
    """Read scores; None where there are none, or a file is missing or broken."""
    try:
        rest = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
        frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in _FRAMES}
        return PipelineScores(
            open=frames["open"],
            method=rest["method"],
            features=tuple(rest["features"]),
            quality=_read_quality(rest["quality"], "quality", folder),
            table_quality=_read_quality(rest["table_quality"], "table_quality", folder),
            tried=frames["tried"],
            leaks=tuple(
                Leak(**{**leak, "feature": Feature(**leak["feature"])}) for leak in rest["leaks"]
            ),
            reasons=frames["reasons"],
            quarters=frames["quarters"],
            ages=frames["ages"],
            bookings=frames["bookings"],
            teams=frames["teams"],
            stage_days=pd.read_parquet(folder / "stage_days.parquet")["days"].rename("stage_days"),
            settles=rest["settles"],
            oldest_won=rest["oldest_won"],
            origin=rest["origin"],
            lacking=tuple(rest["lacking"]),
            horizon_days=rest["horizon_days"],
            company=Company.model_validate(rest["company"]),
            as_of=as_of,
            snapshot_id=rest["snapshot_id"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read_quality(rest: dict[str, object] | None, name: str, folder: Path) -> Quality | None:
    if rest is None:
        return None
    days = {key: pd.Timestamp(str(rest[key])) for key in ("first_day", "last_day")}
    return Quality(
        **{**rest, **days},  # type: ignore[arg-type]
        figures=pd.read_parquet(folder / f"{name}_figures.parquet"),
        table=pd.read_parquet(folder / f"{name}_table.parquet"),
    )
