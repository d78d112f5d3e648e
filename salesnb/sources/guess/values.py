"""Values: what the texts of a column look like."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from salesnb.sources.cleaning.conventions import infer_decimal
from salesnb.sources.mapping import FALSE_WORDS, TRUE_WORDS

_SAMPLE = 80
"""Distinct texts looked at; what holds for them all holds for nearly all."""

_CLOCK = r"([ T,]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?)?( ?(Z|UTC|[-+]\d{2}:?\d{2}))?"
_ISO = re.compile(rf"(19|20|9999)\d{{0,2}}[-/]\d{{1,2}}[-/]\d{{1,2}}{_CLOCK}")
_NUMERIC_DAY = re.compile(rf"\d{{1,2}}([-/.])\d{{1,2}}\1(\d{{4}}|\d{{2}}){_CLOCK}")
_NAMED_DAY = re.compile(
    rf"(\d{{1,2}}[ -][^\W\d]{{3,9}}\.?,?[ -]\d{{2,4}}|[^\W\d]{{3,9}} \d{{1,2}}, \d{{4}}){_CLOCK}"
)
_COMPACT_DAY = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])|1[0-9]{12}")
_SERIAL = re.compile(r"[34]\d{4}(\.\d+)?")
_NUMBER = re.compile(
    r"[-+(]?\s?([A-Z]{3}\s?|[A-Z]{0,2}[$€£¥₹]\s?)?"
    r"[-+]?(\d+|\d{1,3}([.,' \u00a0\u202f’]\d{3})+)([.,]\d*)?"
    r"([eE][-+]?\d+)?\s?([kKmMbB]|Mio|Tsd)?\s?([$€£¥₹]|[A-Z]{3}|kr|zł)?\)?-?"
)
_WHOLE = re.compile(r"\d+")
_MONEY = re.compile(r"[$€£¥₹]|\b(USD|EUR|GBP|CHF|JPY|CAD|AUD|SEK|NOK|DKK|PLN)\b")
_PERIOD = re.compile(r"\d{4}-?Q[1-4]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.\w+")
_LINK = re.compile(r"https?://|www\.|/\w+/")
_CODES = (
    "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KES "
    "KRW MXN MYR NGN NOK NZD PEN PHP PKR PLN QAR RON RUB SAR SEK SGD THB TRY TWD UAH USD VND ZAR"
)
CURRENCIES = frozenset(_CODES.split())
TRUE, FALSE = frozenset(TRUE_WORDS), frozenset(FALSE_WORDS)
SIGNS = {"€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "$": "USD"}

_KINDS: dict[str, tuple[str, ...]] = {
    "call": ("call", "phone", "anruf", "telefon", "appel", "llamada", "dial"),
    "meeting": (
        "meeting", "demo", "lunch", "visit", "termin", "besprechung", "treffen", "reunion", "rdv",
        "rendez", "visite", "visita", "appointment", "onsite", "video",
    ),
    "email": ("email", "mail", "correo", "courriel"),
}  # fmt: skip
_WON = ("won", "gewonnen", "gagne", "gagnee", "ganado", "ganada", "gewonnene", "success")
_LOST = (
    "lost", "verloren", "perdu", "perdue", "perdido", "perdida", "abgelehnt", "cancelled",
    "canceled", "abandoned", "disqualified",
)  # fmt: skip


def is_date(text: str) -> bool:
    """Whether a text is a date or time that says so itself."""
    return bool(
        _ISO.fullmatch(text)
        or _NUMERIC_DAY.fullmatch(text)
        or _NAMED_DAY.fullmatch(text)
        or _COMPACT_DAY.fullmatch(text)
    )


def is_number(text: str) -> bool:
    """Whether a text is a number, money signs and grouped thousands included."""
    return bool(_NUMBER.fullmatch(text))


def is_boolean(text: str) -> bool:
    """Whether a text is one of the words for yes and no."""
    lowered = text.lower()
    return lowered in TRUE or lowered in FALSE


def outcome_of(text: str) -> str:
    """Tell a stage's outcome from its words: won, lost or nothing.

    >>> outcome_of("Closed Won"), outcome_of("closedlost"), outcome_of("Wonder")
    ('won', 'lost', '')
    """
    words = re.findall(r"[^\W\d_]+(?:['’]t)?", _plain(text))
    for outcome, known in (("lost", _LOST), ("won", _WON)):
        if any(w in known or w.removeprefix("closed") in known for w in words):
            return outcome
    return ""


def kind_of(text: str) -> str:
    """Tell an activity's kind from its words: call, meeting, email or nothing.

    >>> kind_of("Outbound Call"), kind_of("E-Mail"), kind_of("To-do")
    ('call', 'email', '')
    """
    plain = re.sub(r"[^a-z]", "", _plain(text))
    return next((k for k, words in _KINDS.items() if any(w in plain for w in words)), "")


def _plain(text: str) -> str:
    return text.casefold().translate(str.maketrans("éèêíóáü", "eeeioau"))


_TESTS: dict[str, Callable[[str], bool]] = {
    "date": is_date,
    "number": is_number,
    "boolean": is_boolean,
    "serial": lambda text: bool(_SERIAL.fullmatch(text)),
    "whole": lambda text: bool(_WHOLE.fullmatch(text)),
    "money": lambda text: bool(_MONEY.search(text)),
    "period": lambda text: bool(_PERIOD.fullmatch(text)),
    "email": lambda text: bool(_EMAIL.fullmatch(text)),
    "link": lambda text: bool(_LINK.match(text)),
    "currency": lambda text: text in CURRENCIES,
    "owner_kind": lambda text: text.lower() in ("rep", "team", "user", "group"),
    "score": lambda text: text in ("1", "2", "3", "4", "5"),
}


_WORD_TESTS: dict[str, Callable[[str], bool]] = {
    "kind": lambda text: bool(kind_of(text)),
    "outcome": lambda text: bool(outcome_of(text)),
}
"""Tests that take longer, and that only a column of few different texts can pass."""
_FEW = 200


@dataclass(frozen=True)
class Profile:
    """A column's values.

    Attributes
    ----------
    n, n_filled, n_distinct
        Rows, those with a value, and different values.
    sample
        Some of the different values, from all over the column.
    shares
        Of the sample, by what the texts look like.
    length, n_words
        Mean characters and words of a value.
    """

    n: int
    n_filled: int
    n_distinct: int
    sample: tuple[str, ...]
    shares: dict[str, float]
    length: float
    n_words: float
    distinct: tuple[str, ...] = field(repr=False, default=())

    @property
    def uniqueness(self) -> float:
        """Different values among those there are, 0-1."""
        return self.n_distinct / self.n_filled if self.n_filled else 0.0

    @property
    def filled(self) -> float:
        """Share of rows with a value."""
        return self.n_filled / self.n if self.n else 0.0

    @cached_property
    def known(self) -> frozenset[str]:
        """The different values, to look others up among."""
        return frozenset(self.distinct)

    @property
    def decimal(self) -> str | None:
        """The decimal point of the sample's numbers, where they tell."""
        return infer_decimal(self.sample)


def profile_column(values: pd.Series) -> Profile:
    """Describe a column of texts.

    Blank texts are missing. Of more than a few different values a sample is looked at.
    """
    filled = values.dropna()
    distinct = _distinct(filled)
    n_filled = len(filled) if "" not in distinct else int((filled.str.strip() != "").sum())
    distinct = tuple(text for text in distinct if text) if "" in distinct else distinct
    step = max(1, len(distinct) // _SAMPLE)
    sample = distinct[::step][:_SAMPLE]
    n = max(len(sample), 1)
    shares = {name: sum(map(test, sample)) / n for name, test in _TESTS.items()}
    is_worded = len(distinct) <= _FEW and shares["number"] < 0.5 and shares["date"] < 0.5
    for name, test in _WORD_TESTS.items():
        shares[name] = sum(map(test, sample)) / n if is_worded else 0.0
    return Profile(
        n=len(values),
        n_filled=n_filled,
        n_distinct=len(distinct),
        sample=sample,
        shares=shares,
        length=sum(map(len, sample)) / n,
        n_words=sum(len(text.split()) for text in sample) / n,
        distinct=distinct,
    )


def _distinct(filled: pd.Series) -> tuple[str, ...]:
    """List different texts without the blanks around them."""
    return tuple(filled.str.strip().unique().astype(object).tolist())


def count_fitting(values: Iterable[object], test: Callable[[str], bool]) -> tuple[int, int]:
    """Count the values for which `test` holds, and all that are there."""
    counts = pd.Series(list(values), dtype=object).dropna().astype(str).str.strip().value_counts()
    counts = counts[counts.index != ""]
    fitting = [test(str(text)) for text in counts.index]
    return int(counts[fitting].sum()), int(counts.sum())
