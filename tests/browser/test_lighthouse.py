"""Lighthouse on a team review and the portal, as a slow phone and a desktop get them.

Performance is what a slow phone would need, computed from what this machine needed: a busy machine
makes a page look slow, none makes it look fast. So the best of a few looks counts, and these tests
run after all others (`make test`). All other scores must be met by every look.
"""

import nbformat
import pytest
from browser_pages import find_chromium
from demo_portal import ENTRIES, LINKS
from lighthouse import INSTALL, LOCKED, best_of, lighthouse_in, served
from page_checks import MOST_SHIFT
from test_real_reports import NOTEBOOKS

from salesnb.publish.export import render_report
from salesnb.publish.links import put_links, render_links
from salesnb.publish.portal import render_portal

LEAST, TRIES = 95, 3
COMMAND = lighthouse_in(LOCKED)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.alone,
    pytest.mark.skipif(COMMAND is None, reason=f"Lighthouse is not installed: {INSTALL}"),
    pytest.mark.skipif(not find_chromium(), reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Serve both pages, linked as in a batch and compressed as by web servers."""
    folder = tmp_path_factory.mktemp("served")
    (review,) = (path for path in NOTEBOOKS if path.stem == "team_review")
    report = render_report(nbformat.read(review, as_version=4))
    pages = {
        "team": put_links(report, render_links(LINKS)),
        "portal": render_portal(ENTRIES, title="Sales reports", as_of="2026-10-05"),
        "broken": "<html><body><img src='nothing.png'><p style='color:#ccc'>Pale</p></body></html>",
    }
    for name, html in pages.items():
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    with served(folder, is_zipped=True) as url:
        yield url


@pytest.mark.parametrize("preset", ["phone", "desktop"])
@pytest.mark.parametrize("page", ["team", "portal"])
def test_a_page_is_fast_accessible_and_sound(address, page, preset):
    found = best_of(COMMAND, f"{address}/{page}.html", tries=TRIES, enough=LEAST, preset=preset)
    assert (found.accessibility, found.best_practices) == (100, 100), found.failed
    assert found.shift <= MOST_SHIFT
    assert found.performance >= LEAST, found.failed


def test_a_page_that_is_neither_is_seen(address):
    found = best_of(COMMAND, f"{address}/broken.html", tries=1)
    assert found.accessibility < 100
    assert found.best_practices < 100
    assert "errors-in-console" in found.failed
