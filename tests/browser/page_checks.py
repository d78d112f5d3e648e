"""What every page must pass, asked of the browser: each check opens a page and asserts."""

import gzip
from io import BytesIO

from pypdf import PdfReader

WIDTHS = (320, 360, 390, 768)
PHONES = WIDTHS[:3]
MOST_BYTES, MOST_ZIPPED = 300_000, 60_000
MOST_SHIFT = 0.01
A4_WIDTH = 703
"""CSS pixels of an A4 page between its margins."""
FOOT = 45
"""Points above a sheet's lower edge: its margin, with the page number."""

_OUTSIDE = """skipped => [...document.querySelectorAll('body *')]
  .filter(e => !e.closest(skipped) && e.getBoundingClientRect().right >
    document.documentElement.clientWidth + 0.5)
  .map(e => e.outerHTML.slice(0, 80))"""
_SIDEWAYS = """() => [...document.querySelectorAll('.scroll:not(.out)')]
  .filter(e => e.scrollWidth > e.clientWidth + 1)
  .map(e => e.getAttribute('aria-label') + ' ' + e.scrollWidth + ' > ' + e.clientWidth)"""
TOUCH = """() => document.querySelectorAll('*').forEach(element => {
  for (const kind of ['mouseover', 'mouseenter', 'focus', 'toggle', 'load', 'error', 'begin'])
    element.dispatchEvent(new Event(kind, {bubbles: true}));
})"""
"""Does what a reader could do to each element, and what a browser tells them."""
OPEN = "document.querySelectorAll('details').forEach(fold => fold.open = true)"
_SHIFT = """() => new Promise(done => {
  let sum = 0
  new PerformanceObserver(list => list.getEntries().forEach(e => { sum += e.value }))
    .observe({ type: 'layout-shift', buffered: true })
  setTimeout(() => done(sum), 300)
})"""


def find_violations(page):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [(rule["id"], node["html"][:120]) for rule in found for node in rule["nodes"]]


def find_outside(page, *, skipped=".scroll, .sr, .skip"):
    """List what reaches over the right edge of the window."""
    return page.evaluate(_OUTSIDE, skipped)


def check_axe(open_page, html, scheme, width):
    page = open_page(html, scheme=scheme, width=width, bypass_csp=True)
    page.evaluate(OPEN)
    assert find_violations(page) == []


def check_axe_in_light(open_page, html):
    check_axe(open_page, html, "light", 1280)


def check_axe_in_dark(open_page, html):
    check_axe(open_page, html, "dark", 1280)


def check_axe_on_a_phone(open_page, html):
    check_axe(open_page, html, "light", 390)


def check_quiet_and_still(open_page, html):
    """Nothing is asked for, nothing complained about, and nothing moves while it loads."""
    for width in (1280, *PHONES):
        page = open_page(html, width=width)
        page.wait_for_load_state("networkidle")
        assert [url for url in page.requested if not url.startswith("data:")] == [page.url]
        assert page.complaints == []
        assert page.evaluate(_SHIFT) <= MOST_SHIFT


def check_widths(open_page, html):
    """No width scrolls the page sideways, and on a phone no table does, not even opened."""
    page = open_page(html, width=1280)
    page.evaluate(OPEN)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert find_outside(page) == []
        if width in PHONES:
            assert page.evaluate(_SIDEWAYS) == []


def check_size(open_page, html):
    assert len(html.encode()) <= MOST_BYTES
    assert len(gzip.compress(html.encode())) <= MOST_ZIPPED


def check_words(open_page, html):
    """Every picture has words of its own, every figure its caption, and no script adds text."""
    page = open_page(html)
    pictures = page.locator("main img, main [role=img], main svg:not([aria-hidden=true])")
    for picture in pictures.all():
        words = picture.get_attribute("alt") or picture.get_attribute("aria-label") or ""
        assert len(words) >= 30
    figures = page.locator("figure").count()
    assert page.locator("figure > figcaption > .ft").count() == figures
    assert page.locator("figure > .howto").count() == figures
    assert page.locator("figure > .data table").count() == figures
    plain = open_page(html, java_script_enabled=False)
    assert plain.locator("main").text_content() == page.locator("main").text_content()


def check_print(open_page, html):
    """On A4 nothing is cut off, and the head of every table is one that repeats."""
    page = open_page(html, width=A4_WIDTH)
    page.emulate_media(media="print")
    assert find_outside(page, skipped=".sr, .skip, details:not([open])") == []
    heads = "[...document.querySelectorAll('thead')].map(e => getComputedStyle(e).display)"
    assert set(page.evaluate(heads)) <= {"table-header-group"}


def print_sheets(open_page, html, **paper):
    """Print a page; gives how far down each sheet its last line is, as a share of the sheet."""
    pdf = open_page(html).pdf(**(paper or {"prefer_css_page_size": True}))
    return [_fill(sheet) for sheet in PdfReader(BytesIO(pdf)).pages]


def _fill(sheet):
    lines = []

    def note(words, matrix, place, *_):
        if words.strip():
            lines.append(matrix[1] * place[4] + matrix[3] * place[5] + matrix[5])

    sheet.extract_text(visitor_text=note)
    return 1 - min(y for y in lines if y > FOOT) / float(sheet.mediabox.height)


CHECKS = (
    check_axe_in_light, check_axe_in_dark, check_axe_on_a_phone, check_quiet_and_still,
    check_widths, check_size, check_words, check_print,
)  # fmt: skip
