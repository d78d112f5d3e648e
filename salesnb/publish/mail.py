"""A batch in one mail: a small page of tables with inline styles, and the same as plain text.

Mail programs drop style sheets, scripts and pictures from elsewhere, and Gmail cuts a message off
at 102 kB. Links beside a file lead nowhere from a mail, so reports are named by their files unless
`base_url` says where they are published.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

from salesnb.language import mark, tr
from salesnb.publish.entry import PortalEntry
from salesnb.publish.kinds import KINDS
from salesnb.publish.manifest import PORTAL, About, Kpi
from salesnb.publish.page import render_template, spell_date
from salesnb.publish.portal import TITLE, summarise
from salesnb.publish.sanitise import safe_link

LARGEST = 100_000
"""Bytes of the HTML."""
PURPOSE = mark(
    "Personal performance data, for coaching conversations within the team named. No figure here "
    "is by itself a verdict on a person. Pass it on only to those who may open the reports."
)
_CENTRAL = (KINDS["company_review"].label, KINDS["team_review"].label)
_LONGEST = 300
_WIDTH = 76
_SIGNS = {
    "up": mark("(▲ better: {change})"),
    "down": mark("(▼ worse: {change})"),
    "flat": mark("({change})"),
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True)
class Item:
    """A report as a mail tells it; every text is one short line."""

    title: str
    kind: str
    status: str
    reason: str
    headline: str
    evidence: str
    kpis: tuple[tuple[str, str, str], ...]
    file: str
    url: str


@dataclass(frozen=True)
class Summary:
    """All a mail says: the company and its teams, what else was found, and what is not there."""

    title: str
    quarter: str
    as_of: str
    counted: str
    main: tuple[Item, ...]
    others: tuple[Item, ...]
    troubled: tuple[Item, ...]
    n_more: int
    portal: str
    portal_url: str
    purpose: str


def render_mail(entries: Sequence[PortalEntry], about: About, quarter: str) -> str:
    """Render a quarter's reports as HTML for a mail, under 100 kB.

    Parameters
    ----------
    entries
        Reports of the quarter in the portal's order, relative to its folder.
    about
        The batch, and where it is published.
    quarter
        The folder's name.

    Returns
    -------
    str
        Where all would be too much, the last of it is left to the portal, and counted.
    """
    most = max(len(entries), 1)
    while True:
        summary = _summarise(entries, about, quarter, most=most)
        page = render_template("mail.html.j2", mail=summary)
        if len(page.encode("utf-8", errors="replace")) < LARGEST or most == 1:
            return page
        most = max(most // 2, 1)


def render_plain_mail(entries: Sequence[PortalEntry], about: About, quarter: str) -> str:
    """Render the same as plain text, lines of at most 76 characters but for links."""
    mail = _summarise(entries, about, quarter, most=len(entries))
    as_of = f" {tr('Data as of {day}', day=mail.as_of)}." if mail.as_of else ""
    parts = [f"{mail.title}, {mail.quarter}", fill(f"{mail.counted}.{as_of}", _WIDTH)]
    for heading, items in ((tr("Company and teams"), mail.main), (tr("Also found"), mail.others),
                           (tr("Incomplete or not made"), mail.troubled)):  # fmt: skip
        if items:
            parts += [f"{heading}\n{'=' * len(heading)}", *map(_write_item, items)]
    portal = tr("All reports: {file}", file=mail.portal_url or mail.portal)
    parts.append(f"{portal}\n\n{fill(mail.purpose, _WIDTH)}")
    return "\n\n".join(parts) + "\n"


def _summarise(entries: Sequence[PortalEntry], about: About, quarter: str, *, most: int) -> Summary:
    made = [entry for entry in entries if entry.status == "complete"]
    central = [entry for entry in made if entry.kind in _CENTRAL]
    others = [entry for entry in made if entry.kind not in _CENTRAL]
    troubled = [entry for entry in entries if entry.status != "complete"]
    base = f"{about.base_url.rstrip('/')}/{quarter}/" if safe_link(about.base_url) else ""
    shown = [[_item(entry, base) for entry in part[:most]] for part in (central, others, troubled)]
    return Summary(
        title=_line(about.title or tr(TITLE)),
        quarter=quarter,
        as_of=spell_date(about.as_of),
        counted=summarise(entries),
        main=tuple(shown[0]),
        others=tuple(shown[1]),
        troubled=tuple(shown[2]),
        n_more=len(entries) - sum(map(len, shown)),
        portal=f"{PORTAL}.html",
        portal_url=f"{base}{PORTAL}.html" if base else "",
        purpose=tr(PURPOSE),
    )


def _item(entry: PortalEntry, base: str) -> Item:
    return Item(
        title=_line(entry.title),
        kind=_line(entry.kind_words) if entry.kind_words != entry.title else "",
        status=entry.flag,
        reason=_line(entry.reason),
        headline=_line(entry.headline),
        evidence=entry.evidence_words,
        kpis=tuple((_line(kpi.label), _line(kpi.value), _change(kpi)) for kpi in entry.kpis),
        file=entry.link,
        url=f"{base}{entry.link}" if base and entry.link else "",
    )


def _change(kpi: Kpi) -> str:
    return _line(tr(_SIGNS[kpi.direction], change=kpi.change)) if kpi.change else ""


def _line(text: str) -> str:
    """Put a text on one line without control characters, cut where it is long."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _write_item(item: Item) -> str:
    about = f" ({item.kind})" if item.kind else ""
    status = f"{item.status}. " if item.status else ""
    lines = [fill(f"{item.title}{about}", _WIDTH)]
    said = [
        f"{status}{item.reason}",
        f"{item.headline} [{item.evidence}]" if item.evidence else item.headline,
        *(
            " ".join(filter(None, (f"{label}: {value}", change)))
            for label, value, change in item.kpis
        ),
    ]
    lines += [
        fill(part.strip(), _WIDTH, initial_indent="  ", subsequent_indent="  ")
        for part in said
        if part.strip()
    ]
    if item.file:
        lines.append(f"  {item.url or item.file}")
    return "\n".join(lines)
