import re
from html.parser import HTMLParser

import pytest
from folders import ABOUT

from salesnb.publish.entry import PortalEntry
from salesnb.publish.mail import LARGEST, render_mail, render_plain_mail
from salesnb.publish.manifest import Kpi

NAME = '"><script>x()</script>\n=\u202eevil'
DOWN = Kpi("Win rate", "22%", "−17.9 pts vs 2026Q2", "down")


def entry(title="North", **changes):
    given = {"kind": "Team review", "team": title, "quarter": "2026Q3", "href": "north.html",
             "headline": "Win rate is down.", "evidence": "strong", "kpis": (DOWN,)}  # fmt: skip
    return PortalEntry(title, **{**given, **changes})


ENTRIES = (
    entry("Acme", kind="Company review", team="", href="company.html", kpis=(Kpi("Leads", "5"),)),
    entry(),
    entry("Sales process", kind="Sales process", team="", href="process.html", kpis=()),
    entry("South", status="incomplete", reason="cell 2 raised", href="south.html", headline=""),
    entry("Training impact", kind="Training impact", team="", href="", status="left-out",
          reason="It needs trainings.", headline="", kpis=()),
)  # fmt: skip


ELEMENTS = {
    "html", "head", "meta", "title", "body", "div", "table", "tr", "td", "h1", "h2", "p", "span",
    "strong", "br", "a",
}  # fmt: skip
ATTRIBUTES = {
    "style", "role", "width", "cellpadding", "cellspacing", "border", "align", "href", "lang",
    "charset", "http-equiv", "content", "name",
}  # fmt: skip


class Elements(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def html(*entries, about=ABOUT):
    return render_mail(entries or ENTRIES, about, "2026Q3")


def plain(*entries, about=ABOUT):
    return render_plain_mail(entries or ENTRIES, about, "2026Q3")


def words_of(page):
    return " ".join(re.sub(r"<[^>]*>", " ", page.split("<body", 1)[1]).split())


def test_it_holds_only_what_mail_programs_bear():
    page = Elements(html())
    assert page.open == []
    assert {tag for tag, _ in page.found} <= ELEMENTS
    assert {name for _, attributes in page.found for name in attributes} <= ATTRIBUTES
    tables = [attributes for tag, attributes in page.found if tag == "table"]
    assert {table["role"] for table in tables} == {"presentation"}
    assert not re.search(r"url\(|@import|var\(|position:|display:|float:", html())


@pytest.mark.parametrize("render", [html, plain])
def test_findings_figures_and_reasons_are_told(render):
    said = words_of(html()) if render is html else " ".join(plain().split())
    for part in (
        "Acme 2026Q3" if render is html else "Acme, 2026Q3",
        "4 reports, 1 incomplete, 1 not made",
        "Data as of 5 October 2026",
        "Win rate is down.",
        "Strong evidence",
        "(▼ worse: −17.9 pts vs 2026Q2)",
        "cell 2 raised",
        "It needs trainings.",
        "No figure here is by itself a verdict on a person.",
    ):
        assert part in said
    places = [said.index(f"{word}.html") for word in ("company", "north", "process", "south")]
    assert places == sorted(places)


def test_a_finding_without_evidence_has_no_empty_brackets():
    bare = entry(evidence="")
    assert "()" not in html(bare)
    assert "[]" not in plain(bare)


def test_links_are_names_of_files_unless_they_are_published():
    assert "<a " not in html()
    about = ABOUT.model_copy(update={"base_url": "https://example.org/sales/"})
    links = [found["href"] for tag, found in Elements(html(about=about)).found if tag == "a"]
    base = "https://example.org/sales/2026Q3/"
    assert links == [f"{base}{name}.html" for name in ("index", "company", "north", "process",
                                                       "south")]  # fmt: skip
    assert f"  {base}north.html" in plain(about=about).splitlines()
    assert f"All reports: {base}index.html" in plain(about=about)


def test_no_name_breaks_out_of_either():
    bad = entry(NAME, kind=NAME, reason=NAME, headline=NAME, kpis=(Kpi(NAME, NAME, NAME, "up"),))
    about = ABOUT.model_copy(update={"title": NAME, "base_url": "javascript:x()"})
    page = html(bad, about=about)
    assert "<script" not in page
    assert "javascript" not in page
    assert "\u202e" not in page + plain(bad, about=about)
    assert Elements(page).open == []
    assert not re.search(r"^=", plain(bad, about=about).split("\n\n", 3)[3], re.MULTILINE)


def test_lines_of_text_are_short():
    assert max(map(len, plain(entry(headline="many words " * 40)).splitlines())) <= 76


@pytest.mark.parametrize("headline", ["Short.", "W" * 2_000])
def test_it_is_never_so_large_that_it_is_cut(headline):
    teams = [entry(f"Team {i}", headline=headline, kpis=(DOWN,) * 4) for i in range(400)]
    page = html(*teams)
    assert len(page.encode()) < LARGEST
    shown = page.count("Team review")
    assert 10 < shown < 400
    assert "400 reports" in page
    assert f"{400 - shown} more in the portal." in page
    assert "more in the portal" not in html(*teams[:3])


def test_equal_reports_give_equal_bytes():
    assert (html(), plain()) == (html(), plain())


def test_nothing_to_tell_is_told():
    assert "0 reports" in render_mail([], ABOUT, "2026Q3")
    assert "0 reports." in render_plain_mail([], ABOUT, "2026Q3")
