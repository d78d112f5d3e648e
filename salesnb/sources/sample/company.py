"""The folder the sample company is written to."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa

from salesnb.errors import ParameterError
from salesnb.sources.sample.clock import AS_OF, CLOSES, OPENS, to_dates
from salesnb.sources.sample.defects import soil
from salesnb.sources.sample.files import write_csv, write_parquet, write_table
from salesnb.sources.sample.settings import Settings
from salesnb.sources.sample.tables import make_tables, make_truth
from salesnb.sources.sample.truth import WRITTEN_BY, parameters_json, probability_truth
from salesnb.sources.sample.world import World, simulate

_MARK = Path("truth") / "parameters.json"


def sample_company(folder: str | Path, *, reps: int = 120, seed: int = 7) -> Path:
    """Write the raw export of a fictitious company, and what is true of it.

    The folder holds one CSV or Parquet file a table of the model, `company.yaml`, and in
    `truth/` what was planted (`truth/` is no part of an import). Equal `reps` and `seed` give
    equal bytes. A few rows are faulty on purpose; `truth/defects.csv` lists them.

    Parameters
    ----------
    folder
        Created where it is missing. What an earlier call wrote is replaced.
    reps
        People in the `reps` table, leavers included; 16 or more. Eight teams up to 160 reps,
        then about 15 reps a team.
    seed
        Seed of all random numbers.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ParameterError
        `reps` or `seed` is out of range, or the folder holds something else.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     (sample_company(Path(scratch) / "raw", reps=16) / "company.yaml").read_text()[:29]
    'company: Nordwind Instruments'
    """
    settings = Settings(reps=reps, seed=seed)
    root = _claim(Path(folder))
    world = simulate(settings)
    _write_text(root / _MARK, parameters_json(settings, world.teams))
    _write_text(root / "company.yaml", _company_yaml(settings))
    soiled = soil(make_tables(world), settings)
    for name, frame in soiled.tables.items():
        write_table(root, name, frame)
    for stem, frame in (make_truth(world) | {"defects": soiled.defects}).items():
        write_csv(root / "truth" / f"{stem}.csv", frame)
    _write_probabilities(root / "truth" / "win_probability.parquet", world)
    return root


def _claim(folder: Path) -> Path:
    """Make the folder, or see that what it holds may be replaced."""
    if folder.exists() and not folder.is_dir():
        raise ParameterError(f"{folder}: is a file. Give a folder.")
    if folder.exists() and any(folder.iterdir()) and not _is_ours(folder / _MARK):
        raise ParameterError(
            f"{folder}: holds files that were not written by sample_company. "
            "Give an empty or a new folder."
        )
    (folder / _MARK.parent).mkdir(parents=True, exist_ok=True)
    return folder


def _is_ours(mark: Path) -> bool:
    try:
        content = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("written_by") == WRITTEN_BY


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _write_probabilities(path: Path, world: World) -> None:
    frame = probability_truth(world.deal_ids, world.decisions)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    write_parquet(path, table, rising=(table.column_names[0],))


def _company_yaml(settings: Settings) -> str:
    as_of = str(to_dates(np.array(AS_OF)))[:10]
    return (
        f"company: {settings.company}\n"
        f"currency: {settings.currency}\n"
        "fiscal_year_start: 1\n"
        f"as_of: {as_of}\n"
        f"opens_at: {OPENS // 60}\n"
        f"closes_at: {CLOSES // 60}\n"
    )
