"""The manifest of a folder of reports: what was made from what, and what became of it."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from salesnb.errors import DataError
from salesnb.publish.files import write_whole

MANIFEST = "manifest.json"
_LIBRARIES = ("salesnb", "papermill", "nbconvert", "pandas", "numpy", "scipy", "matplotlib")

Status = Literal["complete", "failed"]
Parameters = dict[str, str | float | None]
"""What a notebook's parameters cell is given, by name; None is no limit."""


Evidence = Literal["strong", "moderate", "assumption", "not enough evidence", ""]


class Facts(BaseModel):
    """What the portal shows of a report's findings."""

    model_config = ConfigDict(frozen=True)

    headline: str = ""
    evidence: Evidence = ""
    kpis: Annotated[tuple[tuple[str, str], ...], AfterValidator(lambda kpis: kpis[:4])] = ()


def read_facts(told: object) -> dict[str, Any]:
    """Read what a notebook's output says of itself; what is not well formed says nothing."""
    try:
        return Facts.model_validate(told).model_dump(exclude_unset=True)
    except ValidationError:
        return {}


class Record(Facts):
    """One report: its input, its outcome, and what the portal shows of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: str
    kind: str
    title: str
    team: str
    quarter: str
    notebook: str
    parameters: Parameters
    fingerprint: str
    snapshot_id: str
    privacy: str = "named"
    status: Status
    reason: str = ""
    cell: int | None = None
    kernel: Literal["warm", "cold"] = "cold"
    attempts: int = 1
    died: str = ""
    """How its first kernel died, where a second was tried."""
    seconds: float
    built: str
    sha256: str = ""
    left_out: tuple[tuple[str, str], ...] = ()
    versions: dict[str, str] = {}

    def is_current(self, fingerprint: str, folder: Path) -> bool:
        """Whether the report was made from the same input and its file is as it was written."""
        page = folder / f"{self.slug}.html"
        if self.status != "complete" or self.fingerprint != fingerprint or not page.is_file():
            return False
        return hashlib.sha256(page.read_bytes()).hexdigest() == self.sha256


class Manifest(BaseModel):
    """All reports of a folder, by slug; and the kinds the last batch could not make, and why."""

    model_config = ConfigDict(extra="forbid")

    format: int = 1
    reports: dict[str, Record] = {}
    left_out: tuple[tuple[str, str], ...] = ()


def read_manifest(folder: Path) -> Manifest:
    """Read a folder's manifest; a folder without one has no reports.

    A report whose page somebody has removed is left out.

    Raises
    ------
    DataError
        The manifest is not one of ours.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return Manifest()
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DataError(
            f"{path}: cannot be read as a manifest. Move it away and run again."
        ) from error
    there = {s: r for s, r in manifest.reports.items() if (folder / f"{s}.html").is_file()}
    return Manifest(reports=there, left_out=manifest.left_out)


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write a folder's manifest, whole."""
    write_whole(folder / MANIFEST, manifest.model_dump_json(indent=1))


def library_versions() -> dict[str, str]:
    """Versions of the package and of the libraries that decide its figures."""
    return {name: version(name) for name in _LIBRARIES}
