"""A real browser for tests that open pages."""

import shutil

import pytest

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


def find_chromium():
    """Return the path of the system's Chromium; none where there is none."""
    names = ("chromium", "google-chrome", "chromium-browser")
    return next((path for path in map(shutil.which, names) if path), None)


@pytest.fixture(scope="module")
def chromium():
    """Launch the system's Chromium; skip where there is none.

    Once a module: Playwright keeps an event loop running in this thread, which other tests of
    the same process must not find.
    """
    found = find_chromium()
    if found is None:
        pytest.skip("Chromium is not installed; apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def open_file(chromium):
    """Return a function that opens a page from its file, as a reader would, and watches it."""
    contexts = []

    def open_path(path, *, width=1280, scheme="light", **options):
        viewport = {"width": width, "height": 900}
        context = chromium.new_context(viewport=viewport, color_scheme=scheme, **options)
        contexts.append(context)
        page = context.new_page()
        page.requested, page.complaints = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("requestfailed", lambda request: page.complaints.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_path
    for context in contexts:
        context.close()


@pytest.fixture
def open_page(open_file, tmp_path):
    """Return a function that opens HTML from a file of its own."""

    def open_html(html, **options):
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        return open_file(path, **options)

    return open_html
