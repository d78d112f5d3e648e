"""The committed notebooks as pages: the sample company's reports, opened by a browser."""

import gzip
from pathlib import Path

import nbformat
import pytest
from page_checks import BROKEN_LAYOUT, WIDTHS, find_violations

from salesnb.publish.export import render_report

pytestmark = pytest.mark.browser
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def page_html(request):
    return render_report(nbformat.read(request.param, as_version=4))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, page_html, scheme):
    page = open_page(page_html, scheme=scheme, bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert find_violations(page) == []


def test_no_request_and_no_complaint(open_page, page_html):
    page = open_page(page_html)
    page.wait_for_load_state("networkidle")
    assert [url for url in page.requested if not url.startswith("data:")] == [page.url]
    assert page.complaints == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways(open_page, page_html, width):
    page = open_page(page_html, width=width)
    wanted, there = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wanted <= there
    assert page.evaluate(BROKEN_LAYOUT) == []


def test_sizes_and_alternative_texts(open_page, page_html):
    assert len(page_html.encode()) <= 600_000  # some fifteen figures, each drawn for phones too
    assert len(gzip.compress(page_html.encode())) <= 100_000
    page = open_page(page_html)
    for picture in page.locator("main img, main svg:not([aria-hidden=true])").all():
        words = picture.get_attribute("alt") or picture.get_attribute("aria-label") or ""
        assert len(words) >= 30
