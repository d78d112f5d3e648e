"""Measure once, report many: measures kept on disk, keyed by the snapshot and this code."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import TypeVar

import pandas as pd
import platformdirs
from filelock import FileLock

from salesnb.errors import DataError, ParameterError, SalesnbError
from salesnb.language import tag
from salesnb.measures.catalogue import Kpi, find_kpis, read_kpis
from salesnb.measures.compute import compute_measures
from salesnb.measures.demand import Demand
from salesnb.measures.engine import EngineName, open_engine
from salesnb.measures.flow import Flow
from salesnb.measures.measures import Measures
from salesnb.measures.privacy import protect_measures, protect_report, read_people
from salesnb.measures.shared import name_of, remember
from salesnb.measures.spark import ended_if_interrupted
from salesnb.privacy import Privacy, read_choice
from salesnb.progress import waiting
from salesnb.sources.load import import_snapshot
from salesnb.sources.mapping import Company
from salesnb.sources.snapshot import Snapshot, open_snapshot

_FRAMES = (
    "totals", "values", "weeks", "open_deals", "habits", "contacts", "contacts_life", "capacity",
    "ratings", "skills", "targets", "actions", "territories", "courses", "memberships", "holidays",
    "trainings", "feedback", "people", "teams",
)  # fmt: skip


T = TypeVar("T")

_GROUPS: dict[str, type[Flow | Demand]] = {"flow": Flow, "demand": Demand}
"""Frames that `Measures` holds together."""


def cache_folder() -> Path:
    """Folder for what can be made again; `SALESNB_CACHE` moves it."""
    chosen = os.environ.get("SALESNB_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("salesnb")


@cache
def code_fingerprint() -> str:
    """Hash the package's Python files: what was computed by other code is not reused."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*")):
        if path.suffix in {".py", ".yaml", ".j2", ".css", ".js", ".po"}:
            digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def file_fingerprint(path: str | Path) -> str:
    """Hash a file; empty where there is none."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12] if Path(path).is_file() else ""


def load_snapshot(path: str | Path = "") -> Snapshot:
    """Open a snapshot; an empty path opens the sample company, made on first use.

    In a kernel of a batch that hides names its report has no examples; its tables are as they are.

    Raises
    ------
    DataError
        There is no snapshot at the path, or it is not whole.
    """
    opened, who = _open(path), read_choice()
    if who.mode == "named":
        return opened
    report = protect_report(opened.report, read_people(opened), who)
    return replace(opened, index=opened.index.model_copy(update={"report": report}))


def _open(path: str | Path) -> Snapshot:
    if str(path):
        return open_snapshot(path)
    home = cache_folder() / f"sample-{code_fingerprint()}"
    kept = _open_whole(home / "snapshot")
    if kept is None:
        from salesnb.sources.sample import sample_company  # a third of a second, needed once

        with draft(home) as folder, waiting("Making the sample company"):
            export = sample_company(folder / "export")
            import_snapshot(export, to=folder / "snapshot")
        kept = open_snapshot(home / "snapshot")
    return kept


def _open_whole(folder: Path) -> Snapshot | None:
    try:
        return open_snapshot(folder)
    except DataError:
        return None


def load_measures(
    snapshot: str | Path = "", *, as_of: dt.date | str = "", engine: EngineName = "duckdb",
    spark_master: str = "", catalogue: str | Path = "", privacy: Privacy | None = None,
) -> Measures:  # fmt: skip
    """Load all measures of a snapshot, computing them the first time.

    Parameters
    ----------
    snapshot
        Folder of a snapshot; empty for the sample company.
    as_of
        Day on which the world is seen (a date, or 2026-09-30); empty for the snapshot's.
    engine, spark_master
        Where they are computed the first time, as `open_engine` takes it.
    catalogue
        Python file with KPIs of your own (docs/kpis.md), which is run; empty for none.
    privacy
        What may be read of people; None is what the batch that runs this kernel has chosen.

    Returns
    -------
    Measures

    Raises
    ------
    DataError
        There is no snapshot, it is not whole, or an exchange rate is missing.
    ParameterError
        `as_of` is after the snapshot, the engine cannot be used, `catalogue` is no such file, or
        the company has too few people for `privacy`.
    """
    own = read_kpis(catalogue)
    opened = _open(snapshot)
    day = as_day(as_of) or opened.as_of
    # The key names no engine, as all give the same: what a batch has computed on Spark its kernels
    # find here, and one that does not, because the cache was emptied, computes it with DuckDB.
    # It names the language, as why a KPI is missing is kept in words.
    home = cache_folder() / "measures" / f"{opened.id}-{day}-{code_fingerprint()}{tag()}"
    if own:
        home = home.with_name(f"{home.name}-{file_fingerprint(catalogue)}")

    def compute() -> Measures:
        where = open_engine(opened, engine=engine, spark_master=spark_master)
        return compute_measures(opened, as_of=day, own=own, engine=where)

    with ended_if_interrupted():
        kept = keep(home, read=lambda folder: _read_whole(folder, own), make=compute, write=_write)
    who = privacy or read_choice()
    if who.mode == "named":
        return remember(kept, home.name)
    return remember(protect_measures(kept, read_people(opened), who), f"{home.name}-{who.tag}")


def keep(
    home: Path, *, read: Callable[[Path], T | None], make: Callable[[], T],
    write: Callable[[T, Path], None],
) -> T:  # fmt: skip
    """Read what is kept in a folder, or make it and keep it there; who comes meanwhile waits.

    Parameters
    ----------
    home
        The folder; what made its content is in its name.
    read
        Gives what is in a folder; None where there is nothing whole.
    make, write
        Make it, and write it into a folder.

    Returns
    -------
    T
        As it is read back, so that it is the same whoever made it.
    """
    kept = read(home)
    if kept is None:
        home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(home.with_name(f".{home.name}.lock"), mode=0o600):
            kept = read(home)  # another has made it meanwhile
            if kept is None:
                with draft(home) as folder:
                    made = make()
                    write(made, folder)
                kept = read(home) or made
    return kept


def share_folder(measures: Measures) -> Path:
    """Folder for what reports on these measures share: see `measures.shared`."""
    return cache_folder() / "measures" / name_of(measures) / "shared"


def as_day(as_of: dt.date | str) -> dt.date | None:
    """Read a day as notebooks give it; None for the empty text.

    Raises
    ------
    ParameterError
        It is not a day.
    """
    if isinstance(as_of, dt.date) or not as_of:
        return as_of or None
    try:
        return dt.date.fromisoformat(as_of)
    except ValueError as error:
        raise ParameterError(f"as_of: {as_of!r} is not a day. Write it like 2026-09-30.") from error


class draft:  # noqa: N801 - reads as a verb in `with`
    """A private folder that becomes `home` when its block ends well; the first to end wins.

    What is at `home` when the block begins was found broken, and is removed.
    """

    def __init__(self, home: Path) -> None:
        self._home = home

    def __enter__(self) -> Path:
        self._home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = Path(tempfile.mkdtemp(prefix=".draft-", dir=self._home.parent))
        aside = self._folder / "broken"
        with suppress(FileNotFoundError):
            self._home.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
        return self._folder

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            try:
                self._folder.rename(self._home)
            except OSError:
                if not self._home.is_dir():
                    raise
        shutil.rmtree(self._folder, ignore_errors=True)


def _write(measures: Measures, folder: Path) -> None:
    for name in _FRAMES:
        getattr(measures, name).to_parquet(folder / f"{name}.parquet")
    for group in _GROUPS:
        for name, frame in vars(getattr(measures, group)).items():
            frame.to_parquet(folder / f"{group}-{name}.parquet")
    rest = {
        "kpis": [kpi.kpi for kpi in measures.kpis],
        "missing": measures.missing,
        "periods": measures.periods,
        "first_close": measures.first_close.isoformat(),
        "company": measures.company.model_dump(mode="json"),
        "as_of": measures.as_of.isoformat(),
        "snapshot_id": measures.snapshot_id,
    }
    (folder / "measures.json").write_text(json.dumps(rest, indent=1), encoding="utf-8")


def _read_whole(folder: Path, own: tuple[Kpi, ...]) -> Measures | None:
    """Read measures; None where there are none, or a file is missing or broken."""
    try:
        return _read(folder, own)
    except (OSError, ValueError, KeyError, TypeError, SalesnbError):
        return None


def _read(folder: Path, own: tuple[Kpi, ...]) -> Measures:
    rest = json.loads((folder / "measures.json").read_text(encoding="utf-8"))
    frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in _FRAMES}
    groups = {
        group: made(
            **{
                item.name: pd.read_parquet(folder / f"{group}-{item.name}.parquet")
                for item in fields(made)
            }
        )
        for group, made in _GROUPS.items()
    }
    company = Company.model_validate(rest["company"])
    return Measures(
        **frames,  # type: ignore[arg-type]
        **groups,  # type: ignore[arg-type]
        kpis=find_kpis(rest["kpis"], own=own, company=company),
        missing=rest["missing"],
        periods=tuple(rest["periods"]),
        first_close=dt.date.fromisoformat(rest["first_close"]),
        company=company,
        as_of=dt.date.fromisoformat(rest["as_of"]),
        snapshot_id=rest["snapshot_id"],
    )
