"""The manifest of a folder of reports: what was made from what, and what became of it."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from salesnb.errors import DataError
from salesnb.language import ENGLISH

MANIFEST = "manifest.json"
PORTAL = "index"
"""Name of the page that lists a folder's reports."""
MAIL = "mail_summary"
"""Name of both summaries; no report can have it, as names of reports hold no underscore."""
_LIBRARIES = ("salesnb", "papermill", "nbconvert", "pandas", "numpy", "scipy", "matplotlib")

Status = Literal["complete", "failed"]
Parameters = dict[str, str | float | None]
"""What a notebook's parameters cell is given, by name; None is no limit."""


class Kpi(NamedTuple):
    """A key figure as it is to be read; without a change where none is supported."""

    label: str
    value: str
    change: str = ""
    direction: Literal["up", "down", "flat"] = "flat"
    """``up`` is better, ``down`` is worse, whichever way the figure went."""


Evidence = Literal["strong", "moderate", "assumption", "not enough evidence", ""]


class Facts(BaseModel):
    """What the portal shows of a report's findings."""

    model_config = ConfigDict(frozen=True)

    headline: str = ""
    evidence: Evidence = ""
    kpis: Annotated[tuple[Kpi, ...], AfterValidator(lambda kpis: kpis[:4])] = ()


def read_facts(told: object) -> dict[str, Any]:
    """Read what a notebook's output says of itself; what is not well formed says nothing."""
    try:
        return Facts.model_validate(told).model_dump(exclude_unset=True)
    except ValidationError:
        return {}


class Printed(BaseModel):
    """A report's PDF: its own hash, and that of the page it shows, without links."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    content: str


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
    company: str = ""
    privacy: str = "named"
    language: str = ENGLISH
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
    pdf: Printed | None = None
    left_out: tuple[tuple[str, str], ...] = ()
    versions: dict[str, str] = {}

    def is_current(self, fingerprint: str, folder: Path) -> bool:
        """Whether the report was made from the same input and its file is as it was written."""
        page = folder / f"{self.slug}.html"
        if self.status != "complete" or self.fingerprint != fingerprint or not page.is_file():
            return False
        return hash_file(page) == self.sha256


class About(BaseModel):
    """What the portal says of the last batch as a whole.

    Attributes
    ----------
    title
        The portal's heading.
    as_of
        The ISO date of the data.
    base_url
        Where the reports are published, if anywhere.
    language
        That of the portal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    as_of: str = ""
    base_url: str = ""
    language: str = ENGLISH


class Manifest(BaseModel):
    """All reports of a folder, by slug; and the kinds the last batch could not make, and why."""

    model_config = ConfigDict(extra="forbid")

    format: int = 1
    about: About = About()
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
    return manifest.model_copy(update={"reports": there})


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_json(manifest: Manifest) -> str:
    """Write a manifest as the text of its file."""
    return manifest.model_dump_json(indent=1)


def library_versions() -> dict[str, str]:
    """Versions of the package and of the libraries that decide its figures."""
    return {name: version(name) for name in _LIBRARIES}
