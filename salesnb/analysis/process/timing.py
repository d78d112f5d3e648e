"""Win timing: the chance to be won by each day, with losing competing and open ones counted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from salesnb.analysis.process.incidence import Incidence, find_incidence
from salesnb.analysis.process.records import WINDOW, cohort, say_within
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_opportunities, count_things, name_quarters
from salesnb.language import format_number, format_share, tr
from salesnb.measures.flow import NO_CREATED_DATE
from salesnb.measures.flow.stays import LOST, OPEN, WON
from salesnb.measures.measures import Measures

WIN_TIMING_ANCHOR = "win-timing"
DAYS = (30, 60, 90, 180)
_CURVE = ["day", "won", "low", "high", "lost", "open"]
_WITHIN = ["days", "won", "low", "high", "lost", "open", "naive"]


@dataclass(frozen=True, eq=False, repr=False)
class WinTiming(Result):
    """How many of the opportunities created are won by each day.

    Attributes
    ----------
    unit, periods
        Name of the team or company; the quarters of creation, pooled.
    within
        days, and by then the shares won (95% interval low to high), lost and open of all created;
        `naive`: the share of the closed that were won by then. Missing where nobody was followed
        for so long.
    curve
        The same by every day on which anything ended.
    maturity
        The company's days to maturity, one of `within`.
    n, n_won, n_lost
        Opportunities created, and those of them that have ended.
    naive_rate, naive_days
        What is usually reported: won / closed, and the mean days to close of the won.
    n_undated
        Opportunities of the whole data without the day they were created, which are not in it.
    lacking
        Why there is nothing to show; empty when there is.
    """

    unit: str
    periods: tuple[str, ...]
    within: pd.DataFrame
    curve: pd.DataFrame
    maturity: int
    n: int
    n_won: int
    n_lost: int
    naive_rate: float
    naive_days: float
    n_undated: int
    lacking: str = ""

    @property
    def n_open(self) -> int:
        """Opportunities that have not ended."""
        return self.n - self.n_won - self.n_lost

    @property
    def headline(self) -> pd.Series[float]:
        """The row of `within` for the company's days to maturity."""
        return self.within[self.within["days"] == self.maturity].iloc[0]

    @property
    def finding(self) -> str:
        """Say how many are won in time, beside the usual win rate."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        row = self.headline
        if math.isnan(row["won"]):
            return tr(
                "{unit}: no opportunity was followed for {days} yet, so the share won by then is "
                "not known.",
                unit=self.unit,
                days=count_things(self.maturity, "day", "days"),
            )
        usual = (
            tr("none is closed yet")
            if math.isnan(self.naive_rate)
            else tr("won of closed says {share}", share=format_share(self.naive_rate))
        )
        return tr(
            "{unit}: {won} of opportunities are won {within} ({low} – {high}); {usual}.",
            unit=self.unit,
            won=format_share(row["won"]),
            within=say_within(self.maturity),
            low=format_share(row["low"]),
            high=format_share(row["high"]),
            usual=usual,
        )

    @property
    def caveat(self) -> str:
        """Say what the usual figures leave out, and what nobody can know."""
        if self.lacking:
            return self._undated
        counted = tr(
            "{opportunities} created {quarters}, {n_open} of them still open; open ones count as "
            "long as they were followed.",
            opportunities=count_opportunities(self.n),
            quarters=name_quarters(self.periods),
            n_open=format_number(self.n_open),
        )
        # Of none won there is no mean to warn of.
        mean = "" if not self.n_won else tr(
            "Won of closed leaves the open ones out, and the mean days of the won (those that were "
            "quick enough to be won by now: {days}) is too short while others are open.",
            days=format_number(self.naive_days, group=False),
        )  # fmt: skip
        typical = tr("How long the typical win takes is not known before the last one has ended.")
        return " ".join(part for part in (counted, mean, typical, self._undated) if part)

    @property
    def _undated(self) -> str:
        if not self.n_undated:
            return ""
        undated = count_opportunities(self.n_undated)
        return tr("Left out, as the day of creation is missing: {opportunities}.",
                  opportunities=undated)  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """List one row a number of days."""
        return self.within.copy()


def win_timing(
    measures: Measures, *, period: str, team: str | None = None, n_quarters: int = WINDOW,
    days: tuple[int, ...] = DAYS,
) -> WinTiming:  # fmt: skip
    """Estimate the share of opportunities won by each day (Aalen-Johansen).

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; needs created_on and closed_on only.
    period
        Last fiscal quarter of creation.
    team
        Id or name, with the teams below it; None is the whole company. An opportunity is of the
        team its owner was in when it was created.
    n_quarters
        Quarters of creation to pool. Those before the first close are known only in part and are
        not in it.
    days
        Days to give figures for, besides the company's days to maturity.

    Returns
    -------
    WinTiming

    Raises
    ------
    ParameterError
        Quarter or team is unknown.

    Source: Aalen & Johansen (1978), Scand. J. Statist. 5, 141-150.
    """
    measures.check_period(period)
    team_id = measures.find_team(team) if team is not None else None
    periods = measures.window(period, n_quarters)
    counts = cohort(measures, measures.ids_within(team_id), periods)
    maturity = measures.company.maturity_days
    n = {fate: int(counts.loc[counts["event"] == fate, "n"].sum()) for fate in (WON, LOST, OPEN)}
    won, lost = (find_incidence(counts, [cause]) for cause in (WON, LOST))
    closed = counts[counts["event"].isin([WON, LOST])]
    wins = counts[counts["event"] == WON]
    asked = sorted({*days, maturity})
    # Nobody can have been followed for longer than since the first day of the first quarter.
    longest = (measures.as_of - measures.calendar.first_day(periods[0])).days
    unknown = (math.nan,) * 5
    within = [
        (day, *(_shares(won, lost, day) if day <= longest else unknown), _naive(closed, day))
        for day in asked
    ]
    curve = [(int(day), *_shares(won, lost, day)) for day in sorted({0, *closed["days"]})]
    lacking = "" if counts["n"].sum() else tr(
        "no opportunity was created {quarters}", quarters=name_quarters(periods)
    )  # fmt: skip
    return WinTiming(
        unit=measures.unit_name(team_id),
        periods=periods,
        within=pd.DataFrame(within, columns=_WITHIN),
        curve=pd.DataFrame(curve, columns=_CURVE),
        maturity=maturity,
        n=sum(n.values()),
        n_won=n[WON],
        n_lost=n[LOST],
        naive_rate=n[WON] / _or_nan(n[WON] + n[LOST]),
        naive_days=float((wins["days"] * wins["n"]).sum()) / _or_nan(n[WON]),
        n_undated=_undated(measures, team_id),
        lacking=lacking,
    )


def _or_nan(n: int) -> float:
    """Divide by nothing as by a missing number."""
    return float(n) if n else math.nan


def _shares(won: Incidence, lost: Incidence, day: int) -> tuple[float, float, float, float, float]:
    ours, other = won.by(day), lost.by(day)
    return ours.value, ours.low, ours.high, other.value, 1 - ours.value - other.value


def _naive(closed: pd.DataFrame, day: int) -> float:
    in_time = closed[(closed["event"] == WON) & (closed["days"] <= day)]
    return float(in_time["n"].sum()) / _or_nan(int(closed["n"].sum()))


def _undated(measures: Measures, team: str | None) -> int:
    rows = measures.flow.practices
    if rows.empty:
        return 0
    within = measures.ids_within(team)
    rows = rows[rows["practice"] == NO_CREATED_DATE]
    kept = rows if within is None else rows[rows["team_id"].isin(within)]
    return int(kept["n"].sum())
