"""Numbers: SQL that reads amounts as people and CRMs write them, or gives missing."""

from __future__ import annotations

_SIGNS = r"[A-Z]{1,2}\$|[\s\p{Z}\p{Sc}]"
_CODES = (
    "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KES "
    "KRW MXN MYR NGN NOK NZD PEN PHP PKR PLN QAR RON RUB SAR SEK SGD THB TRY TWD UAH USD VND ZAR"
)
_CURRENCY = f"(?:{'|'.join(_CODES.split())}|kr|Fr\\.|zł)"
"""What stands beside an amount, the signs aside."""
_MAGNITUDE = "(?i:(k|tsd)|(m|mn|mio|mil)|(b|bn|mrd))"


def number_expression(text: str, *, decimal: str) -> str:
    """Read the SQL expression `text` as a finite DOUBLE; missing where it is not clearly one.

    Read are currency signs and ISO codes, thousands grouped in threes, K, M and B after the
    number (342.09K), and accountants' minus signs: (500) and 500-.
    """
    # The first test is quick and true for nearly all texts of nearly all exports.
    quick = r"-?\d{1,15}(\.\d+)?" if decimal == "." else r"-?\d{1,15}"
    other = _decorated(text, decimal)
    finite = f"list_transform([{other}], lambda x: case when isfinite(x) then x end)[1]"
    return (
        f"case when regexp_full_match({text}, '{quick}') then try_cast({text} as DOUBLE) "
        f"else {finite} end"
    )


def number_form(decimal: str) -> str:
    """Pattern of a bare number whose thousands, where they are grouped, are grouped in threes."""
    group = "." if decimal == "," else ","
    whole = rf"(?:\d+|\d{{1,3}}(?:[{group}]\d{{3}})+|\d{{1,3}}(?:[’'']\d{{3}})+)"
    return rf"(?:{whole}(?:[{decimal}]\d*)?|[{decimal}]\d+)"


def _decorated(text: str, decimal: str) -> str:
    """Read a number with signs around it; the parts of one match are named in a lambda."""
    group = "." if decimal == "," else ","
    digits = rf"({number_form(decimal)}(?:[eE][-+]?\d+)?)"
    pattern = rf"^(\()?([-+])?{_CURRENCY}?([-+])?{digits}{_MAGNITUDE}?{_CURRENCY}?(-)?(\))?$"
    names = "['open', 'before', 'inner', 'digits', 'k', 'm', 'b', 'after', 'close']"
    bare = f"regexp_replace({text}, '{_SIGNS}', '', 'g')"
    minus = "p.open || p.before || p.inner || p.after"
    plain = f"replace(translate(p.digits, '{group}’''', ''), '{decimal}', '.')"
    powers = " ".join(
        f"when p.{name} <> '' then '{power}'"
        for name, power in (("k", "e3"), ("m", "e6"), ("b", "e9"))
    )
    power = f"case {powers} else '' end"
    return (
        f"list_transform([regexp_extract({bare}, '{pattern}', {names})], lambda p: "
        f"case when p.digits <> '' and (p.open = '') = (p.close = '') "
        f"and length(replace({minus}, '+', '')) < 2 "
        f"then try_cast(case when contains({minus}, '-') or p.open <> '' then '-' else '' end "
        f"|| {plain} || {power} as DOUBLE) end)[1]"
    )
