"""The index of reports: where to start, what there is, what each found, what is incomplete."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from salesnb.language import mark, tr, tr_many
from salesnb.publish.entry import STATUSES, PortalEntry
from salesnb.publish.kinds import name_kind
from salesnb.publish.page import load_assets, render_template, spell_date
from salesnb.publish.readers import find_starts

TITLE = mark("Sales performance reports")


@dataclass(frozen=True)
class Group:
    """The reports of one quarter."""

    quarter: str
    reports: tuple[PortalEntry, ...]


@dataclass(frozen=True)
class Filter:
    """One choice a reader has: values by the words for them."""

    label: str
    name: str
    every: str
    options: tuple[tuple[str, str], ...]


def render_portal(
    entries: Iterable[PortalEntry], *, title: str, as_of: str, above: str = ""
) -> str:
    """Render the index page, latest quarter first, entries in the order given.

    Parameters
    ----------
    entries
        The reports; none gives a page that says how to make some.
    title
        The page's heading; empty for a plain one.
    as_of
        The ISO date of the latest data; empty leaves it out.
    above
        Where the portal over all quarters is; empty where this is it, or there is none.

    Returns
    -------
    str
        One self-contained page; equal entries give equal bytes.
    """
    listed = sorted(entries, key=lambda entry: entry.quarter, reverse=True)
    groups = [
        Group(quarter, tuple(group))
        for quarter, group in groupby(listed, key=lambda entry: entry.quarter)
    ]
    return render_template(
        "portal.html.j2",
        assets=load_assets("portal"),
        title=title or tr(TITLE),
        as_of=as_of,
        as_of_words=spell_date(as_of),
        above=above,
        summary=summarise(listed),
        starts=find_starts(listed),
        groups=groups,
        filters=[choice for choice in _list_filters(listed) if len(choice.options) > 1],
        has_companies=len({entry.company for entry in listed if entry.company}) > 1,
    )


def summarise(entries: Sequence[PortalEntry]) -> str:
    """Count the reports, those that are incomplete, and what was not made at all."""
    counts = {status: sum(entry.status == status for entry in entries) for status in STATUSES}
    made = counts["complete"] + counts["incomplete"]
    total = tr_many("{n} report", "{n} reports", made, n=str(made))
    troubled = {"incomplete": mark("{n} incomplete"), "left-out": mark("{n} not made")}
    also = [tr(words, n=counts[status]) for status, words in troubled.items() if counts[status]]
    return ", ".join([total, *also])


def _list_filters(entries: Sequence[PortalEntry]) -> list[Filter]:
    """List what readers can choose by; each in the order of the page, teams by name."""
    teams = sorted({entry.team for entry in entries if entry.team})
    kinds = dict.fromkeys(entry.kind for entry in entries if entry.kind)
    quarters = dict.fromkeys(entry.quarter for entry in entries)
    there = {entry.status for entry in entries}
    return [
        Filter(tr("Team"), "team", tr("All teams"), _same(teams)),
        Filter(
            tr("Kind"), "kind", tr("All kinds"), tuple((kind, name_kind(kind)) for kind in kinds)
        ),
        Filter(tr("Quarter"), "quarter", tr("All quarters"), _same(quarters)),
        Filter(
            tr("Status"),
            "status",
            tr("Any status"),
            tuple((key, tr(words)) for key, words in STATUSES.items() if key in there),
        ),
    ]


def _same(words: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((word, word) for word in words)
