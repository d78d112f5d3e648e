import shutil

import pytest
from demo_portal import ABOUT, ENTRIES, LINKS, QUARTER
from demo_report import make_notebook

from salesnb.publish.export import render_report
from salesnb.publish.links import put_links, render_links
from salesnb.publish.mail import render_mail
from salesnb.publish.portal import render_portal

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


@pytest.fixture(scope="module")
def chromium():
    """Launch the system's Chromium; skip where there is none.

    Once a module: Playwright keeps an event loop running in this thread, which other tests of
    the same process must not find.
    """
    names = ("chromium", "google-chrome", "chromium-browser")
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        pytest.skip("Chromium is not installed; apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def report():
    """Render the demo report."""
    return render_report(make_notebook())


@pytest.fixture(scope="session")
def linked_report(report):
    """The demo report among its neighbours."""
    return put_links(report, render_links(LINKS))


@pytest.fixture(scope="session")
def portal():
    """Render the portal of demo reports."""
    return render_portal(ENTRIES, title="Sales reports", as_of="2026-10-05")


@pytest.fixture(scope="session")
def mail():
    """Render the mail of the same reports, with links."""
    return render_mail(ENTRIES, ABOUT, QUARTER)


@pytest.fixture
def open_page(chromium, tmp_path):
    """Return a function that opens HTML from a file, as a reader would, and watches it."""
    contexts = []

    def open_html(html, *, width=1280, scheme="light", **options):
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        viewport = {"width": width, "height": 900}
        context = chromium.new_context(viewport=viewport, color_scheme=scheme, **options)
        contexts.append(context)
        page = context.new_page()
        page.requested, page.complaints = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_html
    for context in contexts:
        context.close()
