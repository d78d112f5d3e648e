"""Links between reports: to the portal, other quarters, other teams; put into pages already made.

What a page says does not depend on its neighbours, so they are no part of its notebook: they are
written into its header when a batch has ended, and again when a neighbour comes or goes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from salesnb.language import mark, speakable, speaking, tr
from salesnb.publish.info import Link
from salesnb.publish.kinds import KINDS, name_kind
from salesnb.publish.manifest import PORTAL, Record
from salesnb.publish.page import render_template

_BLOCK = re.compile(r'<nav class="links" .*?</nav>', re.DOTALL)
_UNITS = ("team", "programme")
"""Parameters that say what a report is about."""
_EACH = {kind.label: kind.each for kind in KINDS.values()}
_OTHERS = {"team": mark("Other teams"), "programme": mark("Other programmes")}
"""What a report's neighbours of the same kind are about."""

Place = tuple[str, str]
"""Where a report is: the name of its quarter's folder, and its slug."""


@dataclass(frozen=True)
class Menu:
    """Links under one heading, folded away."""

    label: str
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Neighbours:
    """Where a reader can go from a report."""

    links: tuple[Link, ...]
    menus: tuple[Menu, ...] = ()


def find_neighbours(reports: Mapping[Place, Record]) -> dict[Place, Neighbours]:
    """Find the neighbours of every report among all that are there.

    The same report of another quarter is of the same company, notebook, and team or programme;
    the nearest quarters that have it count, so a missing quarter breaks no chain.

    Parameters
    ----------
    reports
        Records of the reports whose pages exist, by place.

    Returns
    -------
    dict
        For each place, links relative to its folder.
    """
    chains: dict[object, list[Place]] = {}
    for place in sorted(reports, key=lambda place: (place[0], reports[place].built, place[1])):
        chains.setdefault(_identity(reports[place]), []).append(place)
    found = {}
    for place, record in reports.items():
        with speaking(speakable(record.language)):  # links are part of their page
            found[place] = _find(place, reports, chains)
    return found


def render_links(neighbours: Neighbours) -> str:
    """Render the block of links of a page's header."""
    return render_template("links.html.j2", links=neighbours.links, menus=neighbours.menus).strip()


def put_links(page: str, block: str) -> str:
    """Replace a page's block of links; a page that has none is returned as it is."""
    return _BLOCK.sub(lambda _: block, page, count=1)


def hash_content(page: str) -> str:
    """Hash what a page says, whatever its links: equal before and after `put_links`."""
    return hashlib.sha256(put_links(page, "").encode("utf-8")).hexdigest()


def _identity(record: Record) -> object:
    return record.company, record.notebook, *map(record.parameters.get, _UNITS)


def _find(
    place: Place, reports: Mapping[Place, Record], chains: Mapping[object, list[Place]]
) -> Neighbours:
    record = reports[place]
    chain = chains[_identity(record)]
    before = [other for other in chain if other[0] < place[0]]
    after = [other for other in chain if other[0] > place[0]]
    # of a team that was renamed there may be two in a quarter: the one built last
    nearest = [other for other in after if other[0] == after[0][0]]
    beside = [(mark("Earlier: {quarter}"), before[-1:]), (mark("Later: {quarter}"), nearest[-1:])]
    links = [Link(tr("All reports"), f"{PORTAL}.html")]
    links += [
        Link(tr(words, quarter=quarter), f"../{quarter}/{slug}.html")
        for words, found in beside
        for quarter, slug in found
    ]
    near = [
        other
        for (quarter, _), other in reports.items()
        if (quarter, other.company) == (place[0], record.company) and other.slug != record.slug
    ]
    return Neighbours(tuple(links), tuple(_list_menus(record, near)))


def _list_menus(record: Record, near: Iterable[Record]) -> Iterator[Menu]:
    """List reports of the same kind about others, and of other kinds about the same team."""
    by_title = sorted(near, key=lambda other: (other.title, other.slug))
    alike = [other for other in by_title if other.notebook == record.notebook]
    if alike:
        label = tr(_OTHERS.get(_EACH.get(record.kind, ""), mark("Other reports")))
        yield Menu(label, tuple(_link(other, other.title) for other in alike))
    same = [other for other in by_title if record.team and other.team == record.team]
    if same:
        yield Menu(tr("Same team"), tuple(_link(other, name_kind(other.kind)) for other in same))


def _link(record: Record, words: str) -> Link:
    label = words if record.status == "complete" else tr("{title} (incomplete)", title=words)
    return Link(label, f"{record.slug}.html")
