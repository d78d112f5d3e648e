"""Headers and names of sources as words, so that different spellings are the same phrase."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Mapping
from functools import lru_cache

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORDS = re.compile(r"[^\W_]+")
_CUSTOM = re.compile(r"_{1,2}c$")
_UMLAUTS = (("ae", "a"), ("oe", "o"), ("ue", "u"))


@lru_cache(maxsize=50_000)
def split_words(text: str) -> tuple[str, ...]:
    """Split a header into lower-case words without accents; a custom field's `__c` is dropped.

    >>> split_words("CloseDate"), split_words("Deal - Würde__c")
    (('close', 'date'), ('deal', 'wurde'))
    """
    spaced = _HUMPS.sub(" ", _CUSTOM.sub("", text.strip()))
    plain = unicodedata.normalize("NFKD", spaced.casefold())
    plain = "".join(mark for mark in plain if not unicodedata.combining(mark))
    return tuple(_WORDS.findall(plain))


@lru_cache(maxsize=50_000)
def joined(words: tuple[str, ...]) -> str:
    """Write words as one, umlauts written as two letters included.

    >>> joined(("verkaeufer",)) == joined(split_words("Verkäufer"))
    True
    """
    text = "".join(words)
    for pair, letter in _UMLAUTS:
        text = text.replace(pair, letter)
    return text


@lru_cache(maxsize=10_000)
def singular(word: str) -> str:
    """Write an English plural in the singular; other words stay nearly as they are.

    >>> singular("companies"), singular("deals"), singular("sales"), singular("address")
    ('company', 'deal', 'sale', 'address')
    """
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def written_out(words: tuple[str, ...], short: Mapping[str, str]) -> tuple[str, ...]:
    """Write out words that are cut short.

    >>> written_out(("close", "dt"), {"dt": "date"})
    ('close', 'date')
    """
    return tuple(short.get(word, word) for word in words)


def drop_words(words: tuple[str, ...], idle: Container[str]) -> tuple[str, ...]:
    """Drop idle words before the first that is not; of idle words only, all stay."""
    for position, word in enumerate(words):
        if word not in idle:
            return words[position:]
    return words


def plain_id(words: tuple[str, ...]) -> tuple[str, ...]:
    """Name an id as such that is called the id of a name, or the value of an id.

    >>> plain_id(("account", "name", "id")), plain_id(("ownerid", "value"))
    (('account', 'id'), ('ownerid',))
    """
    if len(words) > 2 and words[-2:] == ("name", "id"):
        return (*words[:-2], "id")
    if len(words) > 1 and words[-1] in ("value", "id") and words[-2].endswith("id"):
        return words[:-1]
    return words


def says_nothing(words: tuple[str, ...], generic: Container[str]) -> bool:
    """Whether a header is only a number or a word such as column.

    >>> says_nothing(("col", "7"), {"col"}), says_nothing(("close", "date"), {"col"})
    (True, False)
    """
    letters = ["".join(c for c in word if not c.isdigit()) for word in words]
    return all(not word or word in generic for word in letters)
