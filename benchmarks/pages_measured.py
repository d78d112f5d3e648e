"""What a page costs its reader, whoever made it: size, requests, barriers, and what it runs."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "browser")]

from browser_pages import FLAGS, find_chromium  # noqa: E402
from hostile_texts import ELSEWHERE  # noqa: E402
from page_checks import OPEN, TOUCH, find_violations  # noqa: E402

PHONE, DESKTOP = 390, 1280
_DRAWN = 3_000
"""Milliseconds a page is given for what its scripts draw."""
_WORDS = "document.body.innerText.split(/\\s+/).filter(word => word).length"


@dataclass(frozen=True)
class Seen:
    """A page as it is opened: bytes, what it asks for, axe's rules and places, words."""

    size: int
    zipped: int
    asked: int
    rules: int
    places: int
    overflow: int
    words: int
    words_without_script: int


@dataclass(frozen=True)
class Attacked:
    """A page of hostile texts: how many ran, and how many addresses elsewhere were asked."""

    ran: int
    asked: int


class Browser:
    """Chromium without a network: a request is counted and refused."""

    def __init__(self, chromium: Any) -> None:
        self._chromium = chromium
        self.version: str = chromium.version

    @contextmanager
    def opened(self, path: Path, *, width: int = DESKTOP, **options: Any) -> Iterator[Any]:
        """Open a page from its file; `page.asked` are the addresses it asks for."""
        size = {"width": width, "height": 900}
        context = self._chromium.new_context(viewport=size, **options)
        context.route("**/*", _refuse)
        page = context.new_page()
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(path.as_uri(), timeout=120_000)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(_DRAWN)
        yield page
        context.close()

    def look(self, path: Path) -> Seen:
        """Measure a page."""
        content = path.read_bytes()
        with self.opened(path, bypass_csp=True) as page:
            asked = len(_outside(page.asked))
            page.evaluate(OPEN)
            words = page.evaluate(_WORDS)
            found = find_violations(page)
        with self.opened(path, java_script_enabled=False) as page:
            page.evaluate(OPEN)
            plain = page.evaluate(_WORDS)
        with self.opened(path, width=PHONE) as page:
            wide = page.evaluate("document.documentElement.scrollWidth")
        return Seen(
            len(content), len(gzip.compress(content)), asked, len({rule for rule, _ in found}),
            len(found), max(wide - PHONE, 0), words, plain,
        )  # fmt: skip

    def attack(self, path: Path) -> Attacked:
        """Open a page of hostile texts and touch all that is on it."""
        with self.opened(path) as page:
            page.evaluate(OPEN)
            page.evaluate(TOUCH)
            page.wait_for_timeout(_DRAWN)
            ran = page.evaluate("window.executed || 0")
            asked = [url for url in page.asked if url.startswith(ELSEWHERE)]
        return Attacked(ran, len(set(asked)))

    def picture(self, path: Path, to: Path) -> None:
        """Draw a page's beginning, to see that it is whole."""
        with self.opened(path) as page:
            page.screenshot(path=to, clip={"x": 0, "y": 0, "width": DESKTOP, "height": 2400},
                            full_page=True)  # fmt: skip


def _refuse(route: Any) -> None:
    if route.request.url.startswith(("file:", "data:", "blob:")):
        route.continue_()
    else:
        route.abort()


def _outside(asked: list[str]) -> list[str]:
    """Leave out the page itself, and what it carries."""
    return [url for url in asked[1:] if not url.startswith(("data:", "blob:"))]


@contextmanager
def browser() -> Iterator[Browser]:
    """Launch the system's Chromium."""
    from playwright.sync_api import sync_playwright

    program = find_chromium()
    if program is None:
        raise SystemExit("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=FLAGS.split())
        yield Browser(launched)
        launched.close()
