"""Where conventions differ: the same question answered by each, side by side, and why they part."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.result import Result
from salesnb.analysis.wording import begin_large, format_value
from salesnb.language import format_number, format_share, mark, tr
from salesnb.measures.catalogue import Kpi
from salesnb.measures.measures import Measures

CONVENTIONS_ANCHOR = "conventions"
_COLUMNS = [
    "question", "first", "first_value", "first_n", "second", "second_value", "second_n", "why",
]  # fmt: skip
_CLOSE = 0.02
"""Relative difference below which two figures are called the same."""

_SIZES = {
    "same": mark("large and small ones are won about equally often"),
    "above": mark("larger ones are lost more often than smaller ones"),
    "below": mark("larger ones are won more often than smaller ones"),
    "unknown": mark("nothing can be said of size"),
}


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
            return tr(
                "{unit}: there is too little in {period} to compare conventions.",
                unit=self.unit, period=self.period,
            )  # fmt: skip
        apart = np.abs(values[:, 0] - values[:, 1]) / np.maximum(np.abs(values).max(axis=1), 1e-9)
        widest = int(np.nanargmax(apart))
        row, texts = self.pairs.iloc[widest], self.texts[widest]
        return tr(
            "{unit}, {question}: {value} by {convention}, {other_value} by {other_convention}.",
            unit=self.unit, question=row["question"], value=texts[0], convention=row["first"],
            other_value=texts[1], other_convention=row["second"],
        )  # fmt: skip

    @property
    def caveat(self) -> str:
        """Say what is left out."""
        said = tr("Neither convention is wrong: they answer different questions.")
        if not self.missing:
            return said
        not_shown = tr("Not shown: {reasons}.", reasons="; ".join(self.missing))
        return f"{said} {not_shown}"

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
            tr("{kpi} needs {needs}", kpi=name, needs=self.measures.missing[name])
            if name in self.measures.missing
            else tr("{kpi} needs to be measured", kpi=name)
            for name in names
            if all(kpi.kpi != name for kpi in self.measures.kpis)
        )


def _by_value(sums: _Sums, period: str) -> _Pair | str:
    counted = sums.figure("win_rate", period, tr("number of opportunities"))
    valued = sums.figure("win_rate_value", period, tr("their amounts"))
    won = sums.figure("deal_size", period, "")
    if counted is None or valued is None or won is None:
        return sums.lacking("win_rate", "win_rate_value", "deal_size")
    return tr("share won"), counted, valued, _why_value(counted, valued, won)


def _why_value(counted: _Figure, valued: _Figure, won: _Figure) -> str:
    """Part what comes of opportunities without an amount from what comes of larger ones."""
    if valued.n <= 0:
        return tr("Nothing with an amount was closed.")
    alike = won.n / valued.n
    size = tr(_SIZES[_order(alike, valued.value)])
    lacking = counted.n - valued.n
    if lacking <= 0:
        return begin_large(f"{size}.")
    return tr(
        "{lacking} of {n} have no amount and are not in the second; of the rest {share} were won, "
        "and {size}.",
        lacking=format_number(lacking), n=format_number(counted.n), share=format_share(alike),
        size=size,
    )  # fmt: skip


def _by_cohort(sums: _Sums, period: str) -> list[_Pair | str]:
    closing = next((kpi for kpi in sums.measures.kpis if kpi.kpi == "close_rate"), None)
    if closing is None:
        return [sums.lacking("close_rate")]
    mature = sums.measures.latest_mature(closing, period)
    if mature is None:
        return [tr("closed and created cohorts: no cohort is old enough yet")]
    closed = sums.figure("win_rate", mature, tr("what was closed in {period}", period=mature))
    created = sums.figure(
        "close_rate", mature, tr("what was created in {period}, won by now", period=mature)
    )
    if closed is None or created is None:
        return [sums.lacking("win_rate", "close_rate")]
    why = _why_cohorts(closed, created)
    pairs: list[_Pair | str] = [(tr("closed or created"), closed, created, why)]
    days = sums.measures.company.maturity_days
    in_time = sums.figure("won_within_T", mature, tr("what was won within {n} days", n=days))
    if in_time is not None:
        late = created.value - in_time.value
        why = (
            tr("{share} of what was created in {period} was won later than that.",
               share=format_share(late, 1), period=mature)
            if late > 0 else tr("Nothing was won later than that.")
        )  # fmt: skip
        pairs.append((tr("won by now or in time"), created, in_time, why))
    return pairs


def _why_cohorts(closed: _Figure, created: _Figure) -> str:
    wins = created.value * created.n
    return tr(
        "The second counts all {created} created, whenever they close and also those still open: "
        "{won} are won by now. The first counts the {closed} closed in the quarter, whenever they "
        "were created.",
        created=format_number(created.n), won=format_number(wins), closed=format_number(closed.n),
    )  # fmt: skip


def _by_mean(sums: _Sums, period: str) -> _Pair | str:
    kpi = next((kpi for kpi in sums.measures.kpis if kpi.kpi == "deal_size"), None)
    mean = sums.figure("deal_size", period, tr("the mean amount"))
    if kpi is None or mean is None:
        return sums.lacking("deal_size")
    row = sums.row(kpi, period)
    value = math.nan
    if row is not None and row["n"] > 0:
        value = float(np.exp(row["total"] / row["n"]))
    text = format_value(kpi, value, sums.measures.company.currency)
    typical = _Figure(tr("the typical amount (geometric mean)"), value, mean.n, text)
    if not (math.isfinite(value) and math.isfinite(mean.value)):
        why = tr("Nothing with an amount was won.")
    elif _order(mean.value, value) == "same":
        why = tr("Amounts are much alike, so that mean and typical amount agree.")
    else:
        times = format_number(mean.value / value, 1, group=False)
        why = tr(
            "A few large opportunities lift the mean to {times} times what is typical.",
            times=times,
        )
    return tr("size of an opportunity won"), mean, typical, why


def _order(first: float, second: float) -> str:
    if not (math.isfinite(first) and math.isfinite(second)):
        return "unknown"
    if abs(first - second) <= _CLOSE * max(abs(first), abs(second)):
        return "same"
    return "above" if first > second else "below"
