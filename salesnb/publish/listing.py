"""From the records of folders to the entries that portals and mail list."""

from __future__ import annotations

from collections.abc import Mapping

from salesnb.language import tr
from salesnb.publish.entry import PortalEntry
from salesnb.publish.kinds import KINDS, name_kind
from salesnb.publish.manifest import Manifest, Record

_ORDER = {kind.label: place for place, kind in enumerate(KINDS.values())}


def list_reports(manifest: Manifest, quarter: str, *, folder: str = "") -> list[PortalEntry]:
    """List a quarter's reports by kind and title, then the kinds that could not be made.

    Parameters
    ----------
    manifest
        Of the quarter's folder.
    quarter
        Its name.
    folder
        The folder as the page that lists it says, such as ``"2026Q3/"``; empty beside it.
    """
    records = sorted(
        manifest.reports.values(), key=lambda r: (_ORDER.get(r.kind, len(_ORDER)), r.title, r.slug)
    )
    made = [_make_entry(record, folder) for record in records]
    left_out = [
        PortalEntry(
            title=name_kind(label), kind=label, team="", quarter=quarter, href="",
            status="left-out", reason=tr("It {reason}.", reason=reason),
        )
        for label, reason in manifest.left_out
    ]  # fmt: skip
    return [*made, *left_out]


def list_all(manifests: Mapping[str, Manifest], unread: Mapping[str, str]) -> list[PortalEntry]:
    """List the reports of all quarters, and the quarters whose records cannot be read.

    What several companies have reports of is told by the company's name.
    """
    entries = [
        entry
        for quarter, manifest in manifests.items()
        for entry in list_reports(manifest, quarter, folder=f"{quarter}/")
    ]
    lost = [
        PortalEntry(
            title=tr("Reports of {quarter}", quarter=quarter), kind="", team="", quarter=quarter,
            href="", status="left-out", reason=tr("The folder's records cannot be read."),
        )
        for quarter in unread
    ]  # fmt: skip
    return [*entries, *lost]


def _make_entry(record: Record, folder: str) -> PortalEntry:
    return PortalEntry(
        title=record.title,
        kind=record.kind,
        team=record.team,
        quarter=record.quarter,
        href=f"{folder}{record.slug}.html",
        pdf=f"{folder}{record.slug}.pdf" if record.pdf else "",
        company=record.company,
        status="complete" if record.status == "complete" else "incomplete",
        reason=record.reason,
        headline=record.headline,
        evidence=record.evidence,
        kpis=record.kpis,
        built=record.built,
    )
