"""What stands beside the reports: links, portals, mail; made true again after every batch.

It depends on the reports of all quarters, so it is made of the folders' records and pages alone:
no notebook runs, and what is true already is not written.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from salesnb.errors import DataError, ParameterError, SalesnbError
from salesnb.language import speakable, speaking
from salesnb.publish.files import explained, write_whole
from salesnb.publish.journal import JOURNAL, Journal, locked, read_state
from salesnb.publish.links import (
    Neighbours,
    Place,
    find_neighbours,
    hash_content,
    put_links,
    render_links,
)
from salesnb.publish.listing import list_all, list_reports
from salesnb.publish.mail import render_mail, render_plain_mail
from salesnb.publish.manifest import MAIL, MANIFEST, PORTAL, Manifest, Record, write_json
from salesnb.publish.portal import render_portal

_QUARTER = re.compile(r"\d{4}Q[1-4]")
_OURS = '<meta name="generator" content="salesnb">'
_PATIENCE = 60.0
"""Seconds to wait for another batch that gathers."""
_BRIEF = 0.5
"""Seconds to wait for who looks into a folder; a batch takes longer."""


@dataclass
class _Shelf:
    """The folders of all quarters, latest first; those nobody else writes into; and problems."""

    out: Path
    manifests: dict[str, Manifest] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    free: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def reports(self) -> dict[Place, Record]:
        """Return all records by place."""
        return {
            (quarter, slug): record
            for quarter, manifest in self.manifests.items()
            for slug, record in manifest.reports.items()
        }


def gather(folder: Path) -> tuple[str, ...]:
    """Make links, portals and mail summaries of all quarters agree with the reports there are.

    Writes into every quarter's folder beside `folder`, and one portal over all of them. A folder
    that a batch writes into is left to that batch; one that cannot be read or written is noted.

    Parameters
    ----------
    folder
        That of a quarter, such as ``reports/2026Q3``, which the caller has locked.

    Returns
    -------
    tuple of str
        What could not be brought up to date, and why; empty when all was.

    Raises
    ------
    SalesnbError
        `folder` itself, or the portal over all quarters, cannot be read or written.
    """
    with ExitStack() as stack:
        with explained(folder.parent):
            stack.enter_context(locked(folder.parent, patience=_PATIENCE))
        shelf = _read_shelf(folder, stack)
        overview = _find_overview(shelf)
        neighbours = find_neighbours(shelf.reports())
        for quarter in sorted(shelf.free & set(shelf.manifests)):
            try:
                _settle(shelf, quarter, neighbours, has_overview=overview is not None)
            except SalesnbError as error:
                if quarter == folder.name:
                    raise
                shelf.notes.append(str(error))
        if overview is not None:
            latest = next(iter(shelf.manifests.values())).about
            titles = {manifest.about.title for manifest in shelf.manifests.values()}
            title = latest.title if len(titles) == 1 else ""
            with speaking(speakable(latest.language)):
                entries = list_all(shelf.manifests, shelf.unread)
                page = render_portal(entries, title=title, as_of=latest.as_of)
            _write_changed(overview, page)
    return tuple(shelf.notes)


def _read_shelf(folder: Path, stack: ExitStack) -> _Shelf:
    """Lock the folders that are free, then read the records of all."""
    shelf = _Shelf(folder.parent)
    found = [item for item in folder.parent.iterdir() if _QUARTER.fullmatch(item.name)]
    known = [item for item in found if any((item / name).is_file() for name in (JOURNAL, MANIFEST))]
    for item in sorted(known, reverse=True):
        try:
            if item.name != folder.name:
                stack.enter_context(locked(item, patience=_BRIEF))
            shelf.free.add(item.name)
        except ParameterError:
            pass  # the batch that is at work there gathers when it ends
        except OSError as error:
            shelf.notes.append(f"{item}: is left as it is ({error.strerror or error}).")
        try:
            shelf.manifests[item.name] = read_state(item).manifest
        except (DataError, OSError) as error:
            if item.name == folder.name:
                raise
            shelf.unread[item.name] = str(error)
            shelf.notes.append(str(error))
    return shelf


def _find_overview(shelf: _Shelf) -> Path | None:
    """Return where the portal over all quarters goes; None where somebody else's page is."""
    path = shelf.out / f"{PORTAL}.html"
    if not path.exists() or _OURS in path.read_text(encoding="utf-8", errors="replace"):
        return path
    shelf.notes.append(
        f"{path}: was not made by salesnb, so it is left as it is, and there is no portal over all "
        "quarters. Set `out:` to a folder of its own."
    )
    return None


def _settle(
    shelf: _Shelf, quarter: str, neighbours: Mapping[Place, Neighbours], *, has_overview: bool
) -> None:
    """Bring one quarter's pages, manifest, portal and mail up to date."""
    folder, manifest = shelf.out / quarter, shelf.manifests[quarter]
    with ExitStack() as stack:
        # a folder older than journals stays without: half a journal would hide its manifest
        has_journal = (folder / JOURNAL).is_file()
        journal = stack.enter_context(closing(Journal(folder))) if has_journal else None
        for record in _settle_pages(folder, manifest, neighbours):
            manifest.reports[record.slug] = record
            if journal is not None:
                journal.add("settled", record=record)
    _write_changed(folder / MANIFEST, write_json(manifest))
    about = manifest.about
    above = f"../{PORTAL}.html" if has_overview else ""
    with speaking(speakable(about.language)):
        entries = list_reports(manifest, quarter)
        page = render_portal(entries, title=about.title, as_of=about.as_of, above=above)
        _write_changed(folder / f"{PORTAL}.html", page)
        _write_changed(folder / f"{MAIL}.html", render_mail(entries, about, quarter))
        _write_changed(folder / f"{MAIL}.txt", render_plain_mail(entries, about, quarter))


def _settle_pages(
    folder: Path, manifest: Manifest, neighbours: Mapping[Place, Neighbours]
) -> Iterator[Record]:
    """Put the links into a folder's pages and drop PDFs of other pages; yield changed records.

    A page that is not as it was written is left alone: the next batch makes it again.
    """
    for slug, record in list(manifest.reports.items()):
        path = folder / f"{slug}.html"
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != record.sha256:
            continue
        page = content.decode("utf-8")
        linked = put_links(page, render_links(neighbours[folder.name, slug]))
        new = record
        if record.pdf is not None and record.pdf.content != hash_content(page):
            (folder / f"{slug}.pdf").unlink(missing_ok=True)
            new = new.model_copy(update={"pdf": None})
        if linked != page:
            new = new.model_copy(update={"sha256": write_whole(path, linked)})
        if new is not record:
            yield new


def _write_changed(path: Path, text: str) -> None:
    with explained(path):
        is_same = path.is_file() and path.read_bytes() == text.encode("utf-8", errors="replace")
    if not is_same:
        write_whole(path, text)
