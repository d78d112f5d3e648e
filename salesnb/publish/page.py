"""What every published page shares: style sheet, script, content policy and templates."""

import base64
import hashlib
import re
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from salesnb.language import language, tr, tr_many, write_day
from salesnb.views import theme
from salesnb.views.blocks.columns import (
    FEWEST_STACKED,
    column_rules,
    count_columns,
    name_rules,
)

TEMPLATES = Path(__file__).parent / "template"
"""The template folder; nbconvert finds it by its name in this package's folder."""

SPEECH = {"tr": tr, "tr_many": tr_many}
"""What templates say texts with."""


@dataclass(frozen=True)
class Assets:
    """The style sheet and script of a page, and the policy that allows only them."""

    css: str
    js: str
    policy: str


@lru_cache(maxsize=2)
def load_assets(page: Literal["report", "portal"] = "report") -> Assets:
    """Read a page's style sheet and the script, and hash the script for the content policy."""
    js = (TEMPLATES / "report.js").read_text(encoding="utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(js.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    sheets = ("report.css",) if page == "report" else ("report.css", "portal.css")
    return Assets(css=_style_sheet(sheets), js=js, policy=policy)


def fit_assets(body: str) -> Assets:
    """Return the assets with the rules that the body's tables need."""
    assets = load_assets()
    n_columns = max(count_columns(body), FEWEST_STACKED)
    return replace(assets, css=assets.css + column_rules(n_columns) + name_rules(n_columns))


def render_template(name: str, **context: object) -> str:
    """Render one of this package's templates; every value is escaped unless marked safe."""
    usual = {"assets": load_assets(), "lang": language()}
    return _environment().get_template(name).render({**usual, **context})


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= SPEECH
    return made


def spell_date(iso: str) -> str:
    """Write an ISO date in words; anything else is returned as it came.

    >>> spell_date("2026-10-05"), spell_date("last week")
    ('5 October 2026', 'last week')
    """
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    return write_day(day, in_words=True)


def _style_sheet(sheets: tuple[str, ...]) -> str:
    light, dark = theme.css_declarations(theme.LIGHT), theme.css_declarations(theme.DARK)
    palettes = (
        f":root{{{light};color-scheme:light}}"
        f"@media screen and (prefers-color-scheme:dark)"
        f"{{html[data-theme=auto]{{{dark};color-scheme:dark}}}}"
        f"@media screen{{html[data-theme=dark]{{{dark};color-scheme:dark}}}}"
    )
    rules = "\n".join((TEMPLATES / sheet).read_text(encoding="utf-8") for sheet in sheets)
    rules = re.sub(r"/\*.*?\*/", "", rules, flags=re.DOTALL)
    return palettes + re.sub(r"\s*([{};,>])\s*", r"\1", re.sub(r"\s+", " ", rules)).strip()
