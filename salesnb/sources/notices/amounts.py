"""Amounts that mislead: missing, not positive, placeholders, far out, without exchange rate."""

from __future__ import annotations

import datetime as dt
import math
import sys
from collections.abc import Iterator
from typing import Any

import duckdb

from salesnb.message import Message, day_text, figure, listing, message
from salesnb.periods import FiscalCalendar
from salesnb.schema import exchange_rates, opportunities
from salesnb.sources.mapping import Company
from salesnb.sources.notices.notice import (
    FEW_ROWS,
    MISSING_SHARE,
    WON_AMOUNT_KPIS,
    Notice,
    examples_text,
    kpis_of,
    part_of,
    rows_of,
    share_text,
)
from salesnb.sources.notices.relations import Relation, fetch_rows
from salesnb.sources.sql import quoted

FENCE = 3.0
"""Far out is more than this many interquartile ranges above the upper quartile, on logs (Tukey):
of log-normal amounts, about one in a million."""

LEAST_TIMES = 20.0
"""Nor is anything far out below 20 times the median: list prices have hardly any spread."""

MIXTURE_SHARE = 0.01
"""When more than 1 in 100 lie that far out, they are another kind of business, not errors."""

HEAVY_SHARE = 0.05
"""Far-out amounts matter from a twentieth of a quarter's bookings (or of the open amount)."""

TOKEN_AMOUNT, TOKEN_MEDIAN = 1.0, 100.0
"""Where the median is 100 or more, an amount of 1 or less was typed to get past a form."""

_TABLE = opportunities.declaration.name
_WON, _CLOSED = opportunities.is_won, opportunities.is_closed
_COUNTS = f"({_WON} or not {_CLOSED})"
"""What is not lost: a lost opportunity's amount enters no KPI but pipeline_created."""

_OPEN_KPIS = kpis_of(opportunities.qualified_on, opportunities.expected_close_on)
Row = dict[str, Any]


def amount_warnings(
    db: duckdb.DuckDBPyConnection, relations: dict[str, Relation], *, company: Company
) -> Iterator[Notice]:
    """Warn of amounts that are missing, not positive, placeholders, far out or without a rate."""
    relation = relations[_TABLE]
    if not relation.has(opportunities.amount):
        return
    groups = _group_amounts(db, relation, company)
    won = [row for row in groups if row["is_won"]]
    yield from _without_amount(won)
    yield from _tokens(won)
    yield from _far_out(db, relation, groups, company)
    if relation.has(opportunities.currency):
        yield from _without_currency(groups, company)
        yield from _without_rate(db, groups, relations, company)


def _group_amounts(
    db: duckdb.DuckDBPyConnection, relation: Relation, company: Company
) -> list[Row]:
    """Describe amounts by currency and state (won, lost, open)."""
    amount = opportunities.amount
    return fetch_rows(
        db,
        f"select {_currency(company)} as currency, {_WON} as is_won, {_CLOSED} as is_closed, "
        "count(*) as n, "
        f"count(*) filter ({opportunities.currency} is null) as n_without_currency, "
        f"count(*) filter ({amount} is null) as n_empty, "
        f"count(*) filter ({amount} = 0) as n_zero, "
        f"count(*) filter ({amount} < 0) as n_negative, "
        f"count(*) filter ({amount} > 0) as n_positive, "
        f"count(*) filter ({amount} > 0 and {amount} <= {TOKEN_AMOUNT}) as n_token, "
        f"min({opportunities.closed_on}) filter ({amount} > 0 and {_CLOSED}) as first_closed, "
        f"quantile_cont(ln({amount}), [0.25, 0.5, 0.75]) filter ({amount} > 0 and "
        f"{_COUNTS}) as logs from {relation.sql} group by all order by all",
    )


def _currency(company: Company) -> str:
    return f"coalesce({opportunities.currency}, {quoted(company.currency)})"


def _without_amount(won: list[Row]) -> Iterator[Notice]:
    n = _total(won, "n")
    causes = {word: _total(won, f"n_{word}") for word in ("empty", "zero", "negative")}
    count = sum(causes.values())
    if count < MISSING_SHARE * n and not causes["negative"]:
        return
    said = {
        "empty": message("{n} empty", n=figure(causes["empty"])),
        "zero": message("{n} zero", n=figure(causes["zero"])),
        "negative": message("{n} negative", n=figure(causes["negative"])),
    }
    listed = listing(said[word] for word, number in causes.items() if number)
    if count:
        yield Notice(
            table=_TABLE,
            what=message(
                "{share} of won ({count} of {n}) have no amount above 0 ({listed}).",
                **part_of(count, n),
                listed=listed,
            ),
            effect=message(
                "They count as won, but in no sum and no average of amounts; what is negative is "
                "not taken off."
            )
            if causes["negative"]
            else message("They count as won, but in no sum and no average of amounts."),
            kpis=WON_AMOUNT_KPIS,
            action=message("Fill the amounts in the CRM and export again."),
        )


def _tokens(won: list[Row]) -> Iterator[Notice]:
    usual = [row for row in won if row["logs"] and row["logs"][1] >= math.log(TOKEN_MEDIAN)]
    count, n = _total(usual, "n_token"), _total(usual, "n_positive")
    if count and count >= MISSING_SHARE * n:
        yield Notice(
            table=_TABLE,
            what=message(
                "{share} of won ({count} of {n}) have an amount of {token} or less, where {usual} "
                "{currency} is usual.",
                **part_of(count, n),
                token=figure(TOKEN_AMOUNT),
                usual=figure(math.exp(usual[0]["logs"][1])),
                currency=usual[0]["currency"],
            ),
            effect=message(
                "Placeholders pull the typical size down and add nothing to what was sold."
            ),
            kpis=WON_AMOUNT_KPIS,
            action=message("Put in what was sold, or leave the amount empty."),
        )


def _far_out(
    db: duckdb.DuckDBPyConnection, relation: Relation, groups: list[Row], company: Company
) -> Iterator[Notice]:
    """Warn of amounts far above the others of their currency and state, won ones by quarter."""
    fences = [
        (row["currency"], row["is_won"], _fence(row["logs"]), row["n_positive"])
        for row in groups
        if row["n_positive"] >= FEW_ROWS and (row["is_won"] or not row["is_closed"])
    ]
    if not fences:
        return
    rows = _weigh_outliers(db, relation, fences, company)
    sizes = {(currency, is_won): n for currency, is_won, _, n in fences}
    for is_won in (True, False):
        rare = [
            row
            for row in rows
            if row["is_won"] == is_won
            and _of_group(rows, row) <= MIXTURE_SHARE * sizes[row["currency"], is_won]
        ]
        heaviest = max(rare, key=lambda row: row["out"] / row["whole"], default=None)
        if heaviest and heaviest["out"] >= HEAVY_SHARE * heaviest["whole"]:
            n = sum(n for key, n in sizes.items() if key[1] == is_won)
            yield _far_out_notice(rare, heaviest, n, company)


def _fence(logs: list[float]) -> float:
    """Give the amount above which others are far out, from the quartiles of their logs."""
    lower, middle, upper = logs
    fence = max(upper + FENCE * (upper - lower), middle + math.log(LEAST_TIMES))
    return math.exp(min(fence, math.log(sys.float_info.max)))


def _of_group(rows: list[Row], of: Row) -> int:
    key = of["currency"], of["is_won"]
    return sum(row["n"] for row in rows if (row["currency"], row["is_won"]) == key)


def _weigh_outliers(
    db: duckdb.DuckDBPyConnection, relation: Relation,
    fences: list[tuple[str, bool, float, int]], company: Company,
) -> list[Row]:  # fmt: skip
    """Find, by currency, state and fiscal quarter of closing, what lies beyond the fences."""
    values = ", ".join(
        f"({quoted(currency)}, {is_won}, {fence!r}::DOUBLE)"
        for currency, is_won, fence, _ in fences
    )
    amount, shift = opportunities.amount, company.fiscal_year_start - 1
    quarter = f"date_trunc('quarter', {opportunities.closed_on} - interval {shift} month)"
    beyond = f"filter ({amount} > fence)"
    return fetch_rows(
        db,
        f"select _won as is_won, _fenced as currency, "
        f"case when {_WON} then {quarter} end as _quarter, min({opportunities.closed_on}) as day, "
        f"any_value(fence) as fence, count(*) {beyond} as n, sum({amount}) {beyond} as out, "
        f"sum({amount}) as whole, max({amount}) as largest, "
        f"arg_max({opportunities.opportunity_id}, {amount}, 3) {beyond} as ids, "
        f"max({amount}, 3) {beyond} as amounts "
        f"from {relation.sql} join (values {values}) as fences(_fenced, _won, fence) "
        f"on {_currency(company)} = _fenced and {_WON} = _won "
        f"where {amount} > 0 and {_COUNTS} group by all "
        "having n > 0 order by out / whole desc, day",
    )


def _far_out_notice(rows: list[Row], heaviest: Row, n: int, company: Company) -> Notice:
    count = sum(row["n"] for row in rows)
    found = sorted(
        ((value, name, row["currency"]) for row in rows
         for name, value in zip(row["ids"], row["amounts"], strict=True)),
        reverse=True,
    )  # fmt: skip
    values = {
        "count": figure(count),
        "n": figure(n),
        "fence": figure(heaviest["fence"]),
        "currency": heaviest["currency"],
        "examples": examples_text(
            message("{name}: {amount} {currency}", name=name, amount=figure(value),
                    currency=currency)
            for value, name, currency in found
        ),
        "share": share_text(heaviest["out"], heaviest["whole"]),
    }  # fmt: skip
    return Notice(
        table=_TABLE,
        what=_won_far_out(values, FiscalCalendar(company.fiscal_year_start), heaviest["day"])
        if heaviest["is_won"]
        else message(
            "{count} of {n} open amounts are far above the rest, over {fence} {currency}"
            "{examples}: they are {share} of all that is open in {currency}.",
            **values,
        ),
        effect=message("The figures of their owners, teams and quarters hang on them."),
        kpis=WON_AMOUNT_KPIS if heaviest["is_won"] else _OPEN_KPIS,
        action=message("Check these amounts in the CRM; correct slipped digits and export again."),
    )


def _won_far_out(values: dict[str, str], calendar: FiscalCalendar, day: dt.date) -> Message:
    return message(
        "{count} of {n} won amounts are far above the rest, over {fence} {currency}{examples}: "
        "they are {share} of what was won in {currency} in {quarter}.",
        **values, quarter=calendar.quarter_of(day),
    )  # fmt: skip


def _without_currency(groups: list[Row], company: Company) -> Iterator[Notice]:
    count, n = _total(groups, "n_without_currency"), _total(groups, "n")
    if count and MISSING_SHARE * n <= count < n:
        yield Notice(
            table=_TABLE,
            what=message("{share} ({count} of {n}) have no currency.", **part_of(count, n)),
            effect=message("Their amounts are taken for {currency}.", currency=company.currency),
            kpis=kpis_of(opportunities.amount),
            action=message("Fill the currency in the CRM and export again."),
        )


def _without_rate(
    db: duckdb.DuckDBPyConnection, groups: list[Row], relations: dict[str, Relation],
    company: Company,
) -> Iterator[Notice]:  # fmt: skip
    """Warn of currencies without a rate on the first day of theirs: no report can be made."""
    rates = relations.get(exchange_rates.declaration.name)
    begin: dict[str, Any] = {}
    if rates:
        rate = exchange_rates
        found = fetch_rows(
            db,
            f"select {rate.currency} as currency, min({rate.rate_on}) as day from {rates.sql} "
            f"where {rate.rate} > 0 group by all",
        )
        begin = {row["currency"]: row["day"] for row in found}
    lines = []
    for currency in dict.fromkeys(row["currency"] for row in groups):
        of_it = [row for row in groups if row["currency"] == currency]
        count = _total(of_it, "n_positive")
        firsts = [row["first_closed"] for row in of_it if row["first_closed"]]
        start = begin.get(currency)
        if currency == company.currency or not count:
            continue
        if start is None:
            rows = rows_of(_TABLE, count)
            lines.append(message("{currency}: {rows}, no rate", currency=currency, rows=rows))
        elif firsts and min(firsts) < start:
            lines.append(
                message(
                    "{currency}: closed from {first}, rates from {start}",
                    currency=currency,
                    first=day_text(min(firsts)),
                    start=day_text(start),
                )
            )
    if lines:
        yield Notice(
            table=_TABLE,
            what=message(
                "Amounts cannot be converted into {currency}{examples}.",
                currency=company.currency,
                examples=examples_text(lines),
            ),
            effect=message("Reports stop with an error rather than leave amounts out."),
            kpis=kpis_of(opportunities.amount),
            action=message("Add exchange_rates from that day, or correct the company's currency."),
        )


def _total(rows: list[Row], name: str) -> int:
    return sum(row[name] for row in rows)
