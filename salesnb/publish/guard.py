"""The last look at a page before it is written: nothing in it runs, loads, or tells too much.

What builds pages escapes and cleans every text; this does not trust it to have done so.
"""

from __future__ import annotations

import base64
import hashlib
import re
import sys
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

from salesnb.language import tr
from salesnb.measures.cache import cache_folder
from salesnb.measures.privacy import People, is_about_one
from salesnb.privacy import Privacy
from salesnb.publish.page import load_assets
from salesnb.secrecy import find_secret

_LOADING = {"src", "srcset", "href", "xlink:href", "data", "poster", "background", "action",
            "formaction", "cite", "ping", "manifest", "archive", "longdesc"}  # fmt: skip
_ADDRESSES = re.compile(r"(?i)url\(\s*['\"]?([^'\")]*)|@import\s+['\"]?([^'\";\s]*)")
_RUNNING = re.compile(r"(?i)^[\x00-\x20]*(?:java|vb|live)script:|^[\x00-\x20]*data:text/html")
_FORBIDDEN = {"iframe", "frame", "frameset", "object", "embed", "applet", "base", "form",
              "foreignobject", "animate", "animatetransform", "animatemotion", "set", "handler",
              "portal", "template", "noscript"}  # fmt: skip
_LINKS = {"a", "area"}
_SHORTEST_PATH = 6


def inspect_page(page: str) -> tuple[str, ...]:
    """List what is wrong with a page, in words and without repeating what it found.

    Parameters
    ----------
    page
        HTML as it would be written.

    Returns
    -------
    tuple of str
        Empty for a page whose only script is ours by its hash, that carries our policy, loads
        nothing from elsewhere, and holds no path of this machine and no secret.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    problems = [*reader.problems]
    if reader.policies != [load_assets().policy]:
        problems.append(tr("its content policy is not ours"))
    shown = _as_read(page)
    if any(path in shown for path in _own_paths()):
        problems.append(tr("it shows a path of this machine"))
    if what := find_secret(shown):
        problems.append(tr("it shows what looks like {what}", what=tr(what)))
    return tuple(dict.fromkeys(problems))


def without_paths(text: str) -> str:
    """Leave out where on this machine a file lies that a message names."""
    for path in sorted(_own_paths(), key=len, reverse=True):
        text = text.replace(path, "…/")
    return text


def inspect_people(text: str, people: People, privacy: Privacy) -> tuple[str, ...]:
    """List how a page or a notebook tells of people what it must not.

    Parameters
    ----------
    text
        HTML or JSON as it would be written.
    people
        Whose names, ids and addresses count.
    privacy
        What was chosen; `named` allows all.
    """
    if privacy.mode == "named":
        return ()
    shown = _as_read(text)
    problems = []
    if people.names_in(shown):
        problems.append(
            tr("it names a person, which privacy: {mode} does not allow", mode=privacy.mode)
        )
    if privacy.mode == "team_only" and is_about_one(shown):
        problems.append(tr("it tells of a single person, which privacy: team_only does not allow"))
    return tuple(problems)


def _as_read(text: str) -> str:
    """Join what a page lets a browser break: long words are whole for who reads them."""
    return unescape(text.replace("<wbr>", ""))


class _Reader(HTMLParser):
    """Reads a page as a browser would, and notes what may run or load."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.policies: list[str] = []
        self._script: list[str] | None = None
        self._is_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name.lower(): value or "" for name, value in attrs}
        if tag in _FORBIDDEN:
            self.problems.append(tr("it has an element that no report has ({tag})", tag=f"<{tag}>"))
        if tag == "meta":
            self._read_meta(given)
        if tag == "script":
            self._script = []
        self._is_style = tag == "style"
        for name, value in given.items():
            self.problems += _judge_attribute(tag, name, value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._script is not None:
            own = load_assets().js
            if _hash("".join(self._script)) != _hash(own):
                self.problems.append(tr("it has a script that is not ours"))
            self._script = None
        self._is_style = False

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self._script.append(data)
        elif self._is_style:
            self.problems += _judge_style(data)

    def close(self) -> None:
        super().close()
        if self._script is not None:
            self.problems.append(tr("it has a script that does not end"))

    def _read_meta(self, given: dict[str, str]) -> None:
        told = given.get("http-equiv", "").lower()
        if told == "content-security-policy":
            self.policies.append(given.get("content", ""))
        elif told:
            self.problems.append(
                tr("it has a meta element that no report has ({name})", name=told[:20])
            )


def _judge_attribute(tag: str, name: str, value: str) -> Iterator[str]:
    if name.startswith("on"):
        yield tr("it has an event handler")
    if name == "srcdoc":
        yield tr("it has a page within the page")
    if name in _LOADING:
        if _RUNNING.search(value):
            yield tr("it has a link that runs a script")
        elif tag not in _LINKS and not _is_inside(value):
            yield tr("it loads something from elsewhere")
    else:
        yield from _judge_style(value)


def _judge_style(rules: str) -> Iterator[str]:
    for hit in _ADDRESSES.finditer(rules):
        if not _is_inside(hit[1] or hit[2] or ""):
            yield tr("its styles load something from elsewhere")


def _is_inside(address: str) -> bool:
    """Whether an address is in the page itself, or data."""
    return not address.strip() or address.lstrip().startswith(("#", "data:"))


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@lru_cache(maxsize=8)
def _paths_of(cache: Path) -> tuple[str, ...]:
    """List folders of this machine, each with its end: what lies in them is named by none."""
    folders = {Path.home(), Path.cwd(), cache, Path(sys.prefix), Path(tempfile.gettempdir()),
               Path(__file__).parents[2]}  # fmt: skip
    known = {str(path) for folder in folders for path in (folder, folder.resolve())}
    return tuple(f"{path}{end}" for path in known if len(path) >= _SHORTEST_PATH for end in "/\\")


def _own_paths() -> tuple[str, ...]:
    return _paths_of(cache_folder())
