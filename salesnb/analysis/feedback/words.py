"""Words of comments: whatever their language or mark-up, without names and function words."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

_TAG = re.compile(r"</?[A-Za-z!][^<>]*>")
_WORD = re.compile(r"[^\W\d_]+")
_UNSPACED = re.compile("[぀-ヿ㐀-鿿豈-﫿]+")
"""Scripts written without spaces: pairs of letters stand for words."""

_SHORTEST = 3
_FUNCTION_WORDS = (
    "aber alle auch auf aus bei das dass dein deine dem den der des dich die dir doch ein eine "
    "einem einen einer eines für hat haben ich ihr ihre ist kann können mehr mit nach nicht noch "
    "nur oder sehr sich sie sind und uns unser vom von vor war was wer wie wir zum zur über "
    "avec aux bien ces cette dans des donc elle est les leur lui mais même nous par pas plus pour "
    "que qui sans ses sont sur toi ton très une vous "
    "como con del desde donde ella entre esta este las los mas muy más para pero por porque que "
    "qué sin son sus una uno "
    "alla anche che come con dei del della delle gli nel nella non per più sono sul sulla una "
    "από για δεν είναι και μας με μια μου που πριν πολύ προς σας σου στη στην στις στο στον στους "
    "την της τις τον του τους των ώστε "
    "إلى الذي التي أن على عن في من هذا هذه"
)
_STOP = frozenset(ENGLISH_STOP_WORDS) | frozenset(_FUNCTION_WORDS.split())


def plain(comment: str) -> str:
    """Return a comment's text without mark-up, white space made single.

    >>> plain("<b>Important</b>:  call &amp; ask")
    'Important : call & ask'
    """
    return " ".join(html.unescape(_TAG.sub(" ", comment)).split())


def words_of(comment: str, names: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """List the words of a comment that can tell what it is about, each once.

    Function words, words of fewer than three letters, numbers, mark-up and `names` are left out.

    >>> words_of("<b>Ask</b>, wait, then ask again. =SUM(A1)")
    ('ask', 'wait', 'sum')
    """
    text = unicodedata.normalize("NFKC", plain(comment)).lower()
    found: list[str] = []
    for word in _WORD.findall(text):
        if _UNSPACED.search(word):
            found += [
                run[i : i + 2] for run in _UNSPACED.findall(word) for i in range(len(run) - 1)
            ]
        elif len(word) >= _SHORTEST and word not in _STOP and word not in names:
            found.append(word)
    return tuple(dict.fromkeys(found))


def name_words(names: Iterable[str]) -> frozenset[str]:
    """List the words of people's names, which no theme may show.

    >>> sorted(name_words(["Ana Öz"]))
    ['ana', 'öz']
    """
    return frozenset(
        word
        for name in names
        for word in _WORD.findall(unicodedata.normalize("NFKC", str(name)).lower())
    )
