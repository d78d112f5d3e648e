"""Reports of two quarters as portals list them: plain, incomplete, long, hostile, not made."""

from salesnb.publish.entry import PortalEntry
from salesnb.publish.info import Link
from salesnb.publish.links import Menu, Neighbours
from salesnb.publish.manifest import About, Kpi

QUARTER = "2026Q3"
HOSTILE = "<script>document.title='ran'</script>"
LONG = "W" * 60
RTL = "\u05e6\u05e4\u05d5\u05df"
_CHANGES = (
    Kpi("Bookings", "€906k", "−€588k vs 2026Q2", "down"),
    Kpi("Quota attainment", "115%", "+38.7 pts vs 2026Q2", "up"),
    Kpi("Win rate", "22%"),
)


def _entry(title, kind="Team review", quarter=QUARTER, **changes):
    team = title if kind in ("Team review", "Open opportunities") else ""
    return PortalEntry(title, kind, team, quarter, **{"href": "north.html", **changes})


ENTRIES = (
    _entry("Acme", "Company review", headline="Bookings fell.", evidence="strong", kpis=_CHANGES),
    _entry("North", built="2026-10-05", pdf="north.pdf", kpis=_CHANGES),
    _entry(
        "São Paulo", status="incomplete", reason="No trainings table.",
        headline="Deals stall at proposal", evidence="moderate",
    ),
    _entry(RTL, headline=f"{RTL} 12%", evidence="assumption"),
    _entry("North", "Open opportunities", headline="20 of 177 are stale.", evidence="strong"),
    _entry("Skills and training plan", "Skill segments", headline="64 people in 91 seats."),
    _entry(
        "Training impact", "Training impact", href="", status="left-out",
        reason="It needs trainings; the snapshot has none.",
    ),
    _entry(
        HOSTILE, quarter="2026Q2", href="javascript:document.title='ran'", status="incomplete",
        reason=HOSTILE, kpis=(Kpi(HOSTILE, HOSTILE, HOSTILE, "up"),),
    ),
    _entry(LONG, quarter="2026Q2", headline=LONG * 2, kpis=(Kpi(LONG, LONG, LONG, "down"),) * 4),
)  # fmt: skip

ABOUT = About(title="Acme & Co. " + HOSTILE, as_of="2026-10-05", base_url="https://example.org")

LINKS = Neighbours(
    (
        Link("All reports", "index.html"),
        Link("Earlier: 2026Q2", "../2026Q2/north.html"),
        Link("Later: 2026Q4", "../2026Q4/north.html"),
    ),
    (
        Menu("Other teams", tuple(
            Link(name, f"{place}.html") for place, name in
            enumerate((HOSTILE, LONG, RTL, *(f"Team {i}" for i in range(30))))
        )),
        Menu("Same team", (Link("Open opportunities", "pipeline-north.html"),)),
    ),
)  # fmt: skip
