"""The built site: links, figures, search from a folder, no requests, and readable by all."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from page_checks import find_violations

import salesnb
from salesnb.measures.catalogue import CATALOGUE

SITE = Path(__file__).parents[2] / "site"
SHORTEST_ALT = 30
OPENED = ("index", "methods/noise", "generated/kpis/win_rate", "generated/api/standing")

pytestmark = pytest.mark.skipif(
    not (SITE / "index.html").is_file(), reason="the site is not built: make docs"
)


class Links(HTMLParser):
    """Gather a page's ids, what it links to, what it loads, and how its drawings are described."""

    def __init__(self):
        super().__init__()
        self.ids, self.links, self.loads, self.alts = set(), set(), set(), []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids |= {found["id"]} if "id" in found else set()
        if tag == "a" and found.get("href"):
            self.links.add(found["href"])
        if tag == "link" and found.get("rel") in ("stylesheet", "preload", "icon"):
            self.loads.add(found["href"])
        if found.get("src"):
            self.loads.add(found["src"])
        if tag == "svg" and found.get("role") == "img" and "aria-hidden" not in found:
            self.alts.append(found.get("aria-label", ""))


@pytest.fixture(scope="module")
def pages():
    """Read every page."""
    found = {}
    for path in sorted(SITE.rglob("*.html")):
        if "_static" in path.parts:
            continue
        reader = Links()
        reader.feed(path.read_text(encoding="utf-8"))
        found[path.resolve()] = reader
    return found


def test_every_link_leads_somewhere(pages):
    broken = []
    for path, page in pages.items():
        for link in page.links | page.loads:
            if "://" in link or link.startswith(("mailto:", "data:")):
                continue
            name, anchor = urldefrag(link)
            target = (path.parent / unquote(name).split("?")[0]).resolve() if name else path
            is_there = target.is_file()
            if is_there and anchor and target in pages:
                is_there = unquote(anchor) in pages[target].ids
            if not is_there:
                broken.append((path.relative_to(SITE).as_posix(), link))
    assert broken == []
    assert len(pages) > len(CATALOGUE)


def test_no_page_loads_anything_from_outside(pages):
    loaded = {address for page in pages.values() for address in page.loads}
    assert [address for address in loaded if "//" in address] == []
    for style in SITE.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", text) == []


def test_every_public_name_and_kpi_is_there(pages):
    ids = {name for page in pages.values() for name in page.ids}
    assert {f"salesnb.{name}" for name in salesnb.__all__ if name != "views"} <= ids
    for kpi in CATALOGUE:
        text = (SITE / "generated" / "kpis" / f"{kpi.kpi}.html").read_text(encoding="utf-8")
        assert kpi.kpi in text
        assert "On the sample company" in text


def test_every_drawing_is_described_and_every_number_filled_in(pages):
    alts = [alt for page in pages.values() for alt in page.alts]
    assert len(alts) > 40
    assert [alt for alt in alts if len(alt) < SHORTEST_ALT] == []
    unfilled = [path for path in pages if "{{" in path.read_text(encoding="utf-8")]
    assert unfilled == []


@pytest.fixture
def open_site(open_file):
    """Return a function that opens a page of the site from its folder."""
    return lambda name, **options: open_file(SITE / f"{name}.html", **options)


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", OPENED)
def test_pages_ask_nobody_for_anything_and_exclude_nobody(open_site, name, scheme):
    page = open_site(name, scheme=scheme)
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    assert [url for url in page.requested if not url.startswith(("file:", "data:"))] == []
    # the theme tells each change of its mode
    assert [said for said in page.complaints if not said.startswith("[PST]: Changed to")] == []
    assert find_violations(page) == []


@pytest.mark.browser
@pytest.mark.parametrize("name", [*OPENED, "generated/params", "how-to", "mappings"])
def test_pages_fit_a_phone(open_site, name):
    page = open_site(name, width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.browser
def test_search_works_from_a_folder(open_site):
    page = open_site("search")
    page.goto((SITE / "search.html").as_uri() + "?q=regression+to+the+mean")
    page.wait_for_selector("#search-results li a", timeout=10_000)
    found = page.eval_on_selector_all("#search-results li a", "all => all.map(a => a.href)")
    assert any("methods/noise.html" in address for address in found)
    assert [url for url in page.requested if not url.startswith(("file:", "data:"))] == []


@pytest.mark.browser
def test_figures_follow_the_theme(open_site):
    papers = set()
    for scheme in ("light", "dark"):
        page = open_site("methods/noise", scheme=scheme)
        papers.add(page.eval_on_selector(".snb .fig", "it => getComputedStyle(it).backgroundColor"))
    assert papers == {"rgb(255, 255, 255)", "rgb(26, 31, 38)"}
