"""Conventions: how a source writes dates and numbers, where its values tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from salesnb.sources.cleaning.conventions import infer_day_first, infer_decimal
from salesnb.sources.guess.result import ColumnGuess, FileGuess
from salesnb.sources.guess.scores import ScoredSource
from salesnb.sources.guess.values import SIGNS

_NUMERIC = re.compile(
    r"\d{1,2}([-/.])\d{1,2}\1(\d{4}|\d{2})"
    r"(?:(,? )(\d{1,2}):\d{2}(:\d{2})?( ?)([AaPp][Mm])?)?"
)


def guess_file(source: ScoredSource, placed: Iterable[ColumnGuess]) -> FileGuess | None:
    """Find what a mapping should say of a file; nothing where its values are plain."""
    columns = list(placed)
    moments = _texts(source, columns, ("date", "timestamp"))
    options, reasons = _date_format(moments)
    numbers = _texts(source, columns, ("number",))
    if infer_decimal(numbers) == ",":
        options["decimal"] = ","
        example = next(text for text in numbers if infer_decimal([text]) == ",")
        reasons.append(f"decimal comma, as in {example}")
    if not options and not reasons:
        return None
    return FileGuess(source.name, options, "; ".join(reasons))


def _texts(source: ScoredSource, placed: list[ColumnGuess], kinds: tuple[str, ...]) -> list[str]:
    names = {name for item in placed if item.column.rule.kind in kinds for name in item.inputs}
    rows = [source.columns.index(name) for name in sorted(names)]
    return [text for row in rows for text in source.profiles[row].distinct]


def _date_format(texts: list[str]) -> tuple[dict[str, str], list[str]]:
    """Give the one format of all dates, if they share one that needs to be said."""
    matches = [(text, _NUMERIC.fullmatch(text)) for text in texts]
    numeric = [text for text, match in matches if match]
    if not numeric:
        return {}, []
    day_first = infer_day_first(numeric)
    if day_first is None:
        return {}, [f"day or month first? {numeric[0]} does not tell; set date_format"]
    order = "day" if day_first else "month"
    shapes = {_format(match, day_first=day_first) for _, match in matches if match}
    if len(shapes) == 1 and len(numeric) == len(texts):
        telling = next((t for t in numeric if infer_day_first([t]) == day_first), numeric[0])
        return {"date_format": shapes.pop()}, [f"{order} first, as in {telling}"]
    return {}, [f"{order} first, and dates are written in several ways; each is read as it is"]


def _format(match: re.Match[str], *, day_first: bool) -> str:
    mark, year = match[1], "%Y" if len(match[2]) == 4 else "%y"
    day = f"%d{mark}%m{mark}{year}" if day_first else f"%m{mark}%d{mark}{year}"
    if match[4] is None:
        return day
    seconds = ":%S" if match[5] else ""
    if match[7]:
        return f"{day}{match[3]}%I:%M{seconds}{match[6]}%p"
    return f"{day}{match[3]}%H:%M{seconds}"


def guess_currency(source: ScoredSource, placed: Iterable[ColumnGuess]) -> tuple[str, str]:
    """Find the currency most opportunities are in, by their codes or the signs of amounts."""
    by_name = {str(item.column): item for item in placed}
    if "currency" in by_name and by_name["currency"].inputs:
        row = source.columns.index(by_name["currency"].inputs[0])
        counts = source.frame.iloc[:, row].dropna().astype(str).str.strip().value_counts()
        counts = counts[counts.index.str.fullmatch("[A-Z]{3}")]
        if len(counts):
            rest = "" if len(counts) == 1 else f"; {len(counts)} currencies need exchange_rates"
            return str(counts.index[0]), f"{counts.iloc[0]:,} rows of {source.name} are in it{rest}"
    if "amount" in by_name and by_name["amount"].inputs:
        row = source.columns.index(by_name["amount"].inputs[0])
        signs = Counter(
            code for text in source.profiles[row].sample for code in _currencies_in(text)
        )
        if signs:
            code, _ = signs.most_common(1)[0]
            return code, f"sign or code in {by_name['amount'].inputs[0]!r}"
    return "", ""


def _currencies_in(text: str) -> list[str]:
    codes = [code for sign, code in SIGNS.items() if sign in text]
    return codes or [c for c in ("USD", "EUR", "GBP", "CHF", "JPY") if c in text]
