"""Fewer bytes for the same page: what HTML lets one leave out is left out.

Runs last, on the finished page. It relies on how `salesnb.publish.sanitise` writes: every
attribute in double quotes, every element closed, no `<` in a text.
"""

import re
from collections import Counter

_ATTRIBUTES = r'((?: [\w:-]+="[^"]*")*)'
_DRAWN = r"(?:circle|ellipse|g|image|line|path|polygon|polyline|rect|svg|text|tspan|use)"
_STYLED = re.compile(rf"<({_DRAWN})(?! class=){_ATTRIBUTES}>")
_STYLE = re.compile(r' style="([^"]*)"')
_EMPTY = re.compile(rf"(<{_DRAWN}{_ATTRIBUTES})></{_DRAWN}>")
_IMPLIED = re.compile(r"</t(?:d|h|r|head|body)>(?=</?t(?:d|h|r|head|body|able)\b)")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def shorten_page(page: str) -> str:
    """Return a page that a browser reads as the same elements, texts and looks.

    End tags that the next tag implies go, empty elements of drawings close themselves, and a
    style that drawings repeat becomes a rule with a short class.
    """
    head, start, body = page.partition("<body>")
    names = _name_styles(body)
    body = _STYLED.sub(lambda hit: _use_class(hit, names), body)
    rules = "".join(f".{name}{{{style}}}" for style, name in names.items())
    body = _IMPLIED.sub("", _EMPTY.sub(r"\1/>", body))
    return head.replace("</style>", f"{rules}</style>", 1) + start + body


def _name_styles(body: str) -> dict[str, str]:
    """Give each style that is worth a rule a class, the most frequent the shortest."""
    found = (_STYLE.search(hit[2]) for hit in _STYLED.finditer(body))
    times = Counter(style[1] for style in found if style)
    frequent = (style for style, n in times.most_common() if n > 1)
    return {style: f"_{_write_number(number)}" for number, style in enumerate(frequent)}


def _use_class(hit: re.Match[str], names: dict[str, str]) -> str:
    def named(style: re.Match[str]) -> str:
        return f' class="{names[style[1]]}"' if style[1] in names else style[0]

    return f"<{hit[1]}{_STYLE.sub(named, hit[2])}>"


def _write_number(number: int) -> str:
    """Count in letters: a, b ... z, ba, bb and on."""
    rest, letter = divmod(number, len(_LETTERS))
    return (_write_number(rest) if rest else "") + _LETTERS[letter]
