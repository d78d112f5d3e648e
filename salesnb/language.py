"""In which language reports speak: texts from one catalogue, figures and days as it writes them.

English texts are in the code and are what the catalogue is keyed by, so English needs no files.
`locale/salesnb.pot` lists all texts, `locale/LANGUAGE.po` translates them; what a translation
lacks is said in English. A batch tells its kernels the language by their environment.

Figures are rounded once, by Python, and then written with a language's signs: a report shows the
same digits in all languages.
"""

from __future__ import annotations

import datetime as dt
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path

from babel import Locale
from babel.numbers import get_decimal_symbol, get_group_symbol

from salesnb.errors import ParameterError, meant

LANGUAGE = "SALESNB_LANGUAGE"
"""Environment variable of a batch's kernels: the language's code."""

CATALOGUES = Path(__file__).parent / "locale"
ENGLISH = "en"
_LOCALES = {ENGLISH: "en_GB"}
"""Whose figures and days a language has, where that is not plain."""
_MINUS = "−"
"""A true minus, as wide as a plus, that no line breaks after."""

_chosen: str | None = None


def languages() -> tuple[str, ...]:
    """List the languages reports can speak, English first."""
    return (ENGLISH, *sorted(path.stem for path in CATALOGUES.glob("*.po")))


def language() -> str:
    """Say which language is spoken: the one chosen here, or by the environment, or English.

    Raises
    ------
    ParameterError
        The environment names a language there is no catalogue of.
    """
    return _chosen or check_language(os.environ.get(LANGUAGE) or ENGLISH, LANGUAGE)


def use_language(code: str) -> None:
    """Speak a language from now on.

    Parameters
    ----------
    code
        As `languages` lists it, such as ``de``; empty for what the environment says.

    Raises
    ------
    ParameterError
        There is no catalogue of it.
    """
    global _chosen
    _chosen = check_language(code) if code else None


def speakable(code: str) -> str:
    """Return the code of a language there is a catalogue of; else that of the one spoken.

    For what was written earlier, maybe elsewhere: its language may be known no more.
    """
    return code if code in _known_languages() else language()


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak a language within the block."""
    before = _chosen
    use_language(code)
    try:
        yield
    finally:
        use_language(before or "")


def tag() -> str:
    """End of a name of what holds texts: what differs in it must not stand side by side."""
    return "" if language() == ENGLISH else f"-{language()}"


def mark(text: str) -> str:
    """Put a text into the catalogue that `tr` says elsewhere, and return it as it is."""
    return text


def tr(text: str, /, **values: object) -> str:
    """Say a text in the language spoken, with values in the places named in it.

    Parameters
    ----------
    text
        A literal, or what `mark` has put into the catalogue; whole sentences translate best.
    values
        What `{name}` stands for, written already: figures by `format_number` and its like.

    >>> tr("{who} closed {won}.", who="Ana Lima", won="3 opportunities")
    'Ana Lima closed 3 opportunities.'
    """
    said = _catalogue(language()).gettext(text) if text else text
    return said.format(**values) if values else said


def tr_many(one: str, many: str, n: float, /, **values: object) -> str:
    """Say a text whose form hangs on a number, which is `{n}` in it.

    >>> tr_many("{n} win", "{n} wins", 1), tr_many("{n} win", "{n} wins", 1200)
    ('1 win', '1,200 wins')
    """
    # a half has the form of many, as in English
    whole = int(n) if float(n).is_integer() else 2
    said = _catalogue(language()).ngettext(one, many, whole)
    return said.format(n=values.pop("n", None) or format_number(n), **values)


def format_number(value: float, digits: int = 0, *, sign: bool = False, group: bool = True) -> str:
    """Write a number with the language's separators.

    Parameters
    ----------
    value
        The number.
    digits
        Decimal places.
    sign
        Whether a plus is written too.
    group
        Whether thousands are separated.

    >>> format_number(1234.5, 1), format_number(-0.5, 2), format_number(0.5, 2, sign=True)
    ('1,234.5', '−0.50', '+0.50')
    """
    text = f"{value:{'+' if sign else ''}{',' if group else ''}.{digits}f}"
    return write_signs(text)


def format_share(value: float, digits: int = 0, *, sign: bool = False) -> str:
    """Write a share as a percentage.

    >>> format_share(0.256), format_share(0.256, 1, sign=True)
    ('26%', '+25.6%')
    """
    text = f"{value:{'+' if sign else ''}.{digits}%}"
    return _percent(language()).format(write_signs(text.removesuffix("%")))


def write_signs(number: str) -> str:
    """Write a number that Python has written with the language's signs, and a true minus.

    >>> write_signs(f"{-1234.5:,.5g}")
    '−1,234.5'
    """
    return number.translate(_signs(language()))


def write_day(day: dt.date, *, in_words: bool = False) -> str:
    """Write a day: in numbers, for tables are sorted by them, or with its month's name.

    >>> write_day(dt.date(2026, 10, 5)), write_day(dt.date(2026, 10, 5), in_words=True)
    ('2026-10-05', '5 October 2026')
    """
    spoken = language()
    if spoken == ENGLISH and not in_words:
        return f"{day:%Y-%m-%d}"  # day and month are in no doubt for readers anywhere
    from babel.dates import format_date, format_skeleton  # reads time zones: not needed to start

    if in_words:
        return format_date(day, "long", _locale(spoken))
    shown = format_date(day, "medium", _locale(spoken))
    has_name = any(letter.isalpha() for letter in shown)
    return format_skeleton("yMd", day, locale=_locale(spoken)) if has_name else shown


def place_symbol(amount: str, symbol: str) -> str:
    """Put a currency's symbol where the language has it.

    >>> place_symbol("1,234", "€")
    '€1,234'
    """
    spoken = language()
    if spoken == ENGLISH:
        return f"{symbol}{amount}"
    pattern = _locale(spoken).currency_formats["standard"].pattern
    if pattern.startswith("¤"):
        return f"{symbol}{amount}"
    return f"{amount}\N{NO-BREAK SPACE}{symbol.strip()}"


def check_language(code: str, where: str = "language") -> str:
    """Return the code of a language there is a catalogue of.

    Raises
    ------
    ParameterError
        There is none; `where` says who asked for it.
    """
    known = _known_languages()
    if code not in known:
        raise ParameterError(
            f"{where}: there is no catalogue of {code!r}. Known: {', '.join(known)}."
            f"{meant(code, known)}"
        )
    return code


@lru_cache(maxsize=1)
def _known_languages() -> tuple[str, ...]:
    return languages()


@lru_cache(maxsize=4)
def _catalogue(code: str) -> NullTranslations:
    if code == ENGLISH:
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po
    from babel.support import Translations

    with (CATALOGUES / f"{code}.po").open("rb") as stream:
        texts = read_po(stream, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, texts)
    compiled.seek(0)
    return Translations(compiled)


@lru_cache(maxsize=4)
def _locale(code: str) -> Locale:
    return Locale.parse(_LOCALES.get(code, code))


@lru_cache(maxsize=4)
def _signs(code: str) -> dict[int, str]:
    signs = {"-": _MINUS}
    if code != ENGLISH:
        locale = _locale(code)
        signs |= {",": get_group_symbol(locale), ".": get_decimal_symbol(locale)}
    return str.maketrans(signs)


@lru_cache(maxsize=4)
def _percent(code: str) -> str:
    """Give the sign with what the language has before and after it; `{}` stands for the number."""
    if code == ENGLISH:
        return "{}%"  # a kernel need not read a locale, which takes 40 ms
    return re.sub(r"[#0,.]+", "{}", _locale(code).percent_formats[None].pattern)
