"""Where conventions differ: the same question answered by each, side by side, and why they part."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.result import Result
from salesnb.analysis.wording import format_value
from salesnb.measures.catalogue import Kpi
from salesnb.measures.measures import Measures

CONVENTIONS_ANCHOR = "conventions"
_COLUMNS = [
    "question", "first", "first_value", "first_n", "second", "second_value", "second_n", "why",
]  # fmt: skip
_CLOSE = 0.02
"""Relative difference below which two figures are called the same."""


@dataclass(frozen=True, eq=False, repr=False)
class Conventions(Result):
    """Figures of one question by two conventions.

    Attributes
    ----------
    period, unit
        Quarter and whose figures they are.
    pairs
        One row a pair: `question`, and for `first` and `second` the convention in words, its
        value and n; `why` says in a sentence why they differ.
    texts
        The two values of each pair as readers see them.
    missing
        Pairs that cannot be shown and what they need.
    """

    period: str
    unit: str
    pairs: pd.DataFrame
    texts: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]

    @property
    def finding(self) -> str:
        """Name the question on which conventions differ most."""
        values = self.pairs[["first_value", "second_value"]].to_numpy(dtype=float)
        if not np.isfinite(values).all(axis=1).any():
            return f"{self.unit}: there is too little in {self.period} to compare conventions."
        apart = np.abs(values[:, 0] - values[:, 1]) / np.maximum(np.abs(values).max(axis=1), 1e-9)
        widest = int(np.nanargmax(apart))
        row, texts = self.pairs.iloc[widest], self.texts[widest]
        return (
            f"{self.unit}, {row['question']}: {texts[0]} by {row['first']}, {texts[1]} by "
            f"{row['second']}."
        )

    @property
    def caveat(self) -> str:
        """Say what is left out."""
        left_out = f" Not shown: {'; '.join(self.missing)}." if self.missing else ""
        return f"Neither convention is wrong: they answer different questions.{left_out}"

    def to_frame(self) -> pd.DataFrame:
        """List one row a pair."""
        return self.pairs.copy()


@dataclass(frozen=True)
class _Figure:
    """One figure by one convention: its words, value, n, and how it is written."""

    words: str
    value: float
    n: float
    text: str


def compare_conventions(measures: Measures, *, period: str, team: str | None = None) -> Conventions:
    """Answer what depends on a convention by both that are in use: shares won, sizes.

    Cohorts of created opportunities are those of the last quarter up to `period` that is old
    enough, and are compared with what was closed in that same quarter.

    Parameters
    ----------
    measures
        From `load_measures`.
    period
        Fiscal quarter.
    team
        Id or name; None is the whole company.

    Returns
    -------
    Conventions

    Raises
    ------
    ParameterError
        Quarter or team is unknown.
    """
    measures.check_period(period)
    team_id = measures.find_team(team) if team is not None else None
    sums = _Sums(measures, team_id)
    pairs = [
        _by_value(sums, period),
        *_by_cohort(sums, period),
        _by_mean(sums, period),
    ]
    shown = [pair for pair in pairs if not isinstance(pair, str)]
    rows = [
        (question, a.words, a.value, a.n, b.words, b.value, b.n, why)
        for question, a, b, why in shown
    ]
    return Conventions(
        period=period,
        unit=measures.unit_name(team_id),
        pairs=pd.DataFrame(rows, columns=_COLUMNS),
        texts=tuple((a.text, b.text) for _, a, b, _ in shown),
        missing=tuple(pair for pair in pairs if isinstance(pair, str)),
    )


_Pair = tuple[str, _Figure, _Figure, str]


@dataclass(frozen=True)
class _Sums:
    """Figures of a team or the company."""

    measures: Measures
    team: str | None

    def figure(self, name: str, period: str, words: str) -> _Figure | None:
        """Find a KPI's figure; None where it was not measured."""
        kpi = next((kpi for kpi in self.measures.kpis if kpi.kpi == name), None)
        if kpi is None:
            return None
        row = self.row(kpi, period)
        value = float(row["value"]) if row is not None else math.nan
        n = float(row["denominator" if kpi.family == "rate" else "n"]) if row is not None else 0.0
        text = format_value(kpi, value, self.measures.company.currency)
        return _Figure(words, value, n, text)

    def row(self, kpi: Kpi, period: str) -> pd.Series[float] | None:
        """Roll a KPI up; None where nothing is known."""
        rows = self.measures.roll_up(by="company", periods=(period,), team=self.team, kpi=kpi.kpi)
        return rows.iloc[0] if len(rows) else None

    def lacking(self, *names: str) -> str:
        """Say what the data lack for KPIs."""
        return "; ".join(
            f"{name} needs {self.measures.missing.get(name, 'to be measured')}"
            for name in names
            if all(kpi.kpi != name for kpi in self.measures.kpis)
        )


def _by_value(sums: _Sums, period: str) -> _Pair | str:
    counted = sums.figure("win_rate", period, "number of opportunities")
    valued = sums.figure("win_rate_value", period, "their amounts")
    won = sums.figure("deal_size", period, "")
    if counted is None or valued is None or won is None:
        return sums.lacking("win_rate", "win_rate_value", "deal_size")
    return "share won", counted, valued, _why_value(counted, valued, won)


def _why_value(counted: _Figure, valued: _Figure, won: _Figure) -> str:
    """Part what comes of opportunities without an amount from what comes of larger ones."""
    if valued.n <= 0:
        return "Nothing with an amount was closed."
    alike = won.n / valued.n
    size = {
        "same": "large and small ones are won about equally often",
        "above": "larger ones are lost more often than smaller ones",
        "below": "larger ones are won more often than smaller ones",
        "unknown": "nothing can be said of size",
    }[_order(alike, valued.value)]
    lacking = counted.n - valued.n
    if lacking <= 0:
        return f"{size[:1].upper()}{size[1:]}."
    return (
        f"{lacking:,.0f} of {counted.n:,.0f} have no amount and are not in the second; of the rest "
        f"{alike:.0%} were won, and {size}."
    )


def _by_cohort(sums: _Sums, period: str) -> list[_Pair | str]:
    closing = next((kpi for kpi in sums.measures.kpis if kpi.kpi == "close_rate"), None)
    if closing is None:
        return [sums.lacking("close_rate")]
    mature = sums.measures.latest_mature(closing, period)
    if mature is None:
        return ["closed and created cohorts: no cohort is old enough yet"]
    closed = sums.figure("win_rate", mature, f"what was closed in {mature}")
    created = sums.figure("close_rate", mature, f"what was created in {mature}, won by now")
    if closed is None or created is None:
        return [sums.lacking("win_rate", "close_rate")]
    why = _why_cohorts(closed, created)
    pairs: list[_Pair | str] = [("closed or created", closed, created, why)]
    days = sums.measures.company.maturity_days
    in_time = sums.figure("won_within_T", mature, f"what was won within {days} days")
    if in_time is not None:
        late = created.value - in_time.value
        why = (
            f"{late:.1%} of what was created in {mature} was won later than that."
            if late > 0 else "Nothing was won later than that."
        )  # fmt: skip
        pairs.append(("won by now or in time", created, in_time, why))
    return pairs


def _why_cohorts(closed: _Figure, created: _Figure) -> str:
    wins = created.value * created.n
    return (
        f"The second counts all {created.n:,.0f} created, whenever they close and also those still "
        f"open: {wins:,.0f} are won by now. The first counts the {closed.n:,.0f} closed in the "
        "quarter, whenever they were created."
    )


def _by_mean(sums: _Sums, period: str) -> _Pair | str:
    kpi = next((kpi for kpi in sums.measures.kpis if kpi.kpi == "deal_size"), None)
    mean = sums.figure("deal_size", period, "the mean amount")
    if kpi is None or mean is None:
        return sums.lacking("deal_size")
    row = sums.row(kpi, period)
    value = math.nan
    if row is not None and row["n"] > 0:
        value = float(np.exp(row["total"] / row["n"]))
    text = format_value(kpi, value, sums.measures.company.currency)
    typical = _Figure("the typical amount (geometric mean)", value, mean.n, text)
    if not (math.isfinite(value) and math.isfinite(mean.value)):
        why = "Nothing with an amount was won."
    elif _order(mean.value, value) == "same":
        why = "Amounts are much alike, so that mean and typical amount agree."
    else:
        times = f"{mean.value / value:.1f}"
        why = f"A few large opportunities lift the mean to {times} times what is typical."
    return "size of an opportunity won", mean, typical, why


def _order(first: float, second: float) -> str:
    if not (math.isfinite(first) and math.isfinite(second)):
        return "unknown"
    if abs(first - second) <= _CLOSE * max(abs(first), abs(second)):
        return "same"
    return "above" if first > second else "below"
