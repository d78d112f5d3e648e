"""What HTML may enter a page: a short list of elements, no script, no styles, no requests.

Notebook outputs and rendered markdown can hold text from a CRM that somebody marked up without
escaping; whatever they hold, it passes through here. Blocks of `salesnb.views` pass unchanged.
"""

import re
from functools import lru_cache

import nh3

from salesnb.views import svg
from salesnb.views.blocks import columns

_TEXT_TAGS = set(
    re.findall(
        r"\w+",
        "a abbr b bdi blockquote br caption code dd del details div dl dt em figcaption figure "
        "h1 h2 h3 h4 h5 h6 hr i img kbd li ol p pre small span strong sub summary sup table tbody "
        "td tfoot th thead time tr ul wbr",
    )
)
_ATTRIBUTES = {
    "*": {"id", "class", "aria-label", "aria-hidden", "role", "lang", "dir", "tabindex"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "details": {"open"},
    "td": {"colspan", "rowspan", "data-v"},
    "table": {"style"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
_DROPPED_WHOLE = {"script", "style", "template", "iframe", "object", "embed", "noscript", "title"}
_ROLES = {"img", "group", "note"}
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*")

_SOURCELESS = re.compile(r"<img(?![^>]* src=)[^>]*>")


def clean_html(fragment: str) -> str:
    """Return the fragment with everything outside the allow-list left out.

    >>> clean_html('<p onclick="x()" style="position:fixed">R&amp;D<script>x()</script></p>')
    '<p>R&amp;D</p>'
    """
    return _SOURCELESS.sub("", _cleaner().clean(fragment))


def safe_link(href: str) -> str:
    """Return a link that stays in the reports or opens a web page; "" for any other.

    >>> safe_link("../index.html"), safe_link("javascript:alert(1)"), safe_link("//evil.example")
    ('../index.html', '', '')
    """
    plain = re.sub(r"[\x00-\x20\x7f-\x9f]", "", href)
    is_elsewhere = plain.startswith("//") or "\\" in plain  # browsers read \\ as /
    has_scheme = re.match(r"[^/?#]*:", plain)
    is_web = re.match(r"https?://", plain, re.IGNORECASE)
    return "" if is_elsewhere or (has_scheme and not is_web) else plain


@lru_cache(maxsize=1)
def _cleaner() -> nh3.Cleaner:
    drawing = {tag: own | svg.COMMON_ATTRIBUTES for tag, own in svg.ELEMENTS.items()}
    return nh3.Cleaner(
        tags=_TEXT_TAGS | set(svg.ELEMENTS),
        attributes=_ATTRIBUTES | drawing,
        attribute_filter=_filter_attribute,
        clean_content_tags=_DROPPED_WHOLE,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel=None,
    )


def _filter_attribute(tag: str, name: str, value: str) -> str | None:
    if tag == "a" and name == "href":
        return safe_link(value) or None
    if tag == "img" and name == "src":
        return value if _PICTURE.fullmatch(value) else None
    if name == "id":  # the page's own ids are out of reach
        return value if re.fullmatch(r"(?!page-)[A-Za-z][\w-]*", value) else None
    if tag == "table" and name == "style":
        return value if columns.STYLE.fullmatch(value) else None
    if name == "role":
        return value if value in _ROLES else None
    if name == "tabindex":
        return value if value in ("0", "-1") else None
    if tag in svg.ELEMENTS and name in svg.COMMON_ATTRIBUTES | svg.ELEMENTS[tag]:
        return svg.clean_attribute(name, value) or None
    return value
