"""What a quarter will bring: booked, open and not yet open, beside target and past forecasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesnb.analysis.finding import Candidate
from salesnb.analysis.outlook import format_chance, judge_chance, target_outlook
from salesnb.analysis.pipeline.draws import (
    DRAWS,
    expected_amounts,
    new_draws,
    open_draws,
    past_spread,
)  # fmt: skip
from salesnb.analysis.pipeline.result import PipelineScores
from salesnb.analysis.pipeline.teams import check_same, find_unit
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_things, format_money
from salesnb.language import format_number, format_share, mark, tr, write_day
from salesnb.measures.measures import Measures
from salesnb.progress import long

FORECAST_ANCHOR = "forecast"
_VERDICTS = {
    "unlikely": mark(
        "it is unlikely to hit its target of {target} (chance {chance} by the outlook of reviews)"
    ),
    "open": mark("it may hit its target of {target} (chance {chance} by the outlook of reviews)"),
    "likely": mark(
        "it is likely to hit its target of {target} (chance {chance} by the outlook of reviews)"
    ),
}
LEVEL = 0.90
PARTS = ["part", "n", "amount", "expected", "low", "high"]
PAST = ["period", "n", "expected", "actual", "ratio", "low", "high"]


@dataclass(frozen=True, eq=False, repr=False)
class PipelineForecast(Result):
    """What the running quarter will bring to a unit.

    Attributes
    ----------
    period, asked
        The quarter foreseen; the one asked for, which may be over.
    unit
        Team or company.
    parts
        part (`booked`, `open`, `new`, `total`), n opportunities, amount (all of what is open),
        expected and its 90% interval low to high. `new` and `total` are missing where fewer than
        three past quarters tell what was not open yet.
    past
        One row a past quarter foreseen from the same point: n open, expected and actual of what
        was open, their ratio, and the 90% interval low to high the forecast had.
    target
        What is to be reached; missing without one.
    outlook
        low, median, high, p_hit of `target_outlook`, the forecast that team reviews show: from
        stages and past quarters alone.
    coverage
        Open and due over what the target still lacks (the KPI).
    slipped, n_slipped
        Share of amounts due that past quarters moved out of (the KPI, four quarters pooled), and
        the quarters it rests on.
    due
        Amount open and expected to close in the quarter.
    lacking
        Why there is no forecast; empty where there is one.
    """

    period: str
    asked: str
    unit: str
    days_left: int
    parts: pd.DataFrame
    past: pd.DataFrame
    target: float
    outlook: pd.Series[Any]
    coverage: float
    slipped: float
    n_slipped: int
    due: float
    currency: str
    lacking: str

    def part(self, name: str) -> pd.Series[Any]:
        """Take one part: booked, open, new or total."""
        return self.parts[self.parts["part"] == name].iloc[0]

    @property
    def bias(self) -> float:
        """Past forecasts of what was open over what came of it, less 1; missing without any."""
        expected, actual = self.past["expected"].sum(), self.past["actual"].sum()
        return float(expected / actual - 1) if actual > 0 else float("nan")

    def money(self, amount: float) -> str:
        """Write an amount in the reporting currency."""
        return format_money(float(amount), self.currency)

    @property
    def finding(self) -> str:
        """Say what the quarter is expected to bring, beside the target."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        whole = self.part("total")
        head = whole if np.isfinite(whole["expected"]) else self.part("open")
        words = {name: self.money(head[name]) for name in ("expected", "low", "high")}
        words |= {"unit": self.unit, "quarter": self.period}
        said = (
            tr("{unit} is expected to book {expected} ({low} to {high}) in {quarter}", **words)
            if head is whole
            else tr(
                "{unit} can expect from what is open {expected} ({low} to {high}) in {quarter}",
                **words,
            )
        )
        if not self.target > 0:
            return tr("{said}; there is no target.", said=said)
        if not np.isfinite(self.p_hit):
            return tr("{said}; its target is {target}.", said=said, target=self.money(self.target))
        return f"{said}; {self._verdict()}."

    @property
    def p_hit(self) -> float:
        """Chance to hit the target, that of the outlook; missing where that has none."""
        return float(self.outlook["p_hit"])

    def _verdict(self) -> str:
        """Say what the outlook of reviews says of the target: one source for all reports."""
        return tr(
            _VERDICTS[judge_chance(self.p_hit)],
            target=self.money(self.target),
            chance=format_chance(self.p_hit),
        )

    @property
    def caveat(self) -> str:
        """Say what it rests on, how past forecasts did, and what the review's outlook says."""
        parts = []
        if self.asked and self.asked != self.period:
            parts.append(
                tr(
                    "{asked} was over, so the running quarter {quarter} is foreseen",
                    asked=self.asked,
                    quarter=self.period,
                )
            )
        if len(self.past):
            parts.append(self._past_said())
        elif not self.lacking:
            parts.append(tr("No past quarter could be foreseen to judge this by"))
        if np.isfinite(self.outlook["median"]):
            parts.append(
                tr(
                    "The outlook of reviews, from stages and past quarters alone, says {low} to "
                    "{high}",
                    low=self.money(self.outlook["low"]),
                    high=self.money(self.outlook["high"]),
                )
            )
        return ". ".join(parts) + ("." if parts else "")

    def _past_said(self) -> str:
        quarters = count_things(len(self.past), "past quarter", "past quarters")
        off = format_share(abs(self.bias))
        if self.bias > 0:
            return tr(
                "Forecasts of what was open at this point of {quarters}, made with what was known "
                "then, were {share} too high in sum",
                quarters=quarters,
                share=off,
            )
        return tr(
            "Forecasts of what was open at this point of {quarters}, made with what was known "
            "then, were {share} too low in sum",
            quarters=quarters,
            share=off,
        )

    def to_frame(self) -> pd.DataFrame:
        """List the parts of the forecast."""
        return self.parts.copy()

    def check(self) -> pd.DataFrame:
        """Show that the expected parts add up to the total."""
        rows = self.parts.set_index("part")["expected"].round(2)
        return rows.reset_index()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer whether the target is missed or hit, by the outlook; where open, in words."""
        if self.lacking or not self.target > 0 or not np.isfinite(self.p_hit):
            return ()
        expected = self.part("total")["expected"]
        off = abs(expected / self.target - 1) if np.isfinite(expected) else 0.0
        # draws that all fall on one side show no more than that the chance is small
        p_value = min(1.0, max(2 * min(self.p_hit, 1 - self.p_hit), 2 / (DRAWS + 1)))
        unit = f"{self.unit}, {self.period}"
        tested = Candidate(
            f"{unit}: {self._verdict()}.",
            tr("{booked} is booked, {expected} is expected of what is open.",
               booked=self.money(self.part("booked")["expected"]),
               expected=self.money(self.part("open")["expected"])),
            FORECAST_ANCHOR, float(min(1.0, off)), p_value, "bookings",
        )  # fmt: skip
        if p_value <= 1 - LEVEL:
            return (tested,)
        why = tr("Chance to hit the target: {chance}.", chance=format_chance(self.p_hit))
        return (tested, Candidate(self.finding, why, FORECAST_ANCHOR, 0.0, float("nan")))


@long("Forecasting the quarter")
def pipeline_forecast(
    scores: PipelineScores, measures: Measures, *, period: str = "", team: str | None = None,
    random_state: int = 0,
) -> PipelineForecast:  # fmt: skip
    """Foresee the running quarter: what is booked, what is open by its chances, what still comes.

    The interval holds chance of each opportunity, the amount at close, whole quarters that were
    better or worse than foreseen, and how past quarters differed in what was not open yet. The
    chance to hit the target stays that of `target_outlook`, whose range is shown beside.

    Parameters
    ----------
    scores
        From `score_pipeline`.
    measures
        Of the same snapshot and day.
    period
        Fiscal quarter; one that is over gives way to the running one. Empty: the running one.
    team
        Id or name, with the teams below it; None is the whole company.
    random_state
        Seed; the same data and seed give the same interval.

    Returns
    -------
    PipelineForecast

    Raises
    ------
    ParameterError
        Quarter or team is unknown, or chances and measures are of different data or days.
    """
    check_same(scores, measures)
    if period:
        measures.check_period(period)
    running = measures.calendar.quarter_of(measures.as_of)
    unit, ids = find_unit(measures, team)
    team_id = measures.find_team(team) if team else None
    rows = scores.open if ids is None else scores.open[scores.open["team_id"].isin(ids)]
    rows = rows.sort_values("opportunity_id")
    past = scores.quarters
    past = past if ids is None else past[past["team_id"].isin(ids)]
    left = days_left_of(measures)
    rng = np.random.default_rng(random_state)
    spread = past_spread(scores.quarters)
    p, value = expected_amounts(rows, scores.settles)
    opened = open_draws(p, value, spread, rng)
    new = new_draws(past, running, rng) if left else np.zeros(DRAWS)
    booked = _booked(scores, ids, running)
    parts = _parts(rows, booked, float((p * value).sum()), opened, new)
    outlook = target_outlook(measures, period=running, team=team_id, random_state=random_state)
    whole = outlook.whole
    target = float(whole["target"]) if whole is not None else float("nan")
    slipped, n_slipped = _slippage(measures, team_id, running)
    last = pd.Timestamp(measures.calendar.last_day(running))
    due = rows[rows["expected_close_on"] <= last]
    return PipelineForecast(
        period=running,
        asked=period,
        unit=unit,
        days_left=left,
        parts=parts,
        past=_past_forecasts(past, spread),
        target=target,
        outlook=_outlook_row(whole),
        coverage=_kpi(measures, "pipeline_coverage", team_id, (running,)),
        slipped=slipped,
        n_slipped=n_slipped,
        due=float(due["value"].sum()),
        currency=scores.company.currency,
        lacking=_lacking(scores, rows, left),
    )


def days_left_of(measures: Measures) -> int:
    """Days from `as_of` to the end of its quarter."""
    calendar = measures.calendar
    return (calendar.last_day(calendar.quarter_of(measures.as_of)) - measures.as_of).days


def _lacking(scores: PipelineScores, rows: pd.DataFrame, left: int) -> str:
    if not left:
        return tr(
            "the quarter ends on {day}, so nothing is left to foresee", day=write_day(scores.as_of)
        )
    if rows.empty:
        return tr("no opportunity is open on {day}", day=write_day(scores.as_of))
    if scores.method in ("none", "ages"):
        return tr("there is no forecast by opportunity: {why_not}", why_not=scores.why_not)
    if rows["p_quarter"].isna().any():
        return tr(
            "there is no forecast by opportunity: it needs past quarters seen from {days} days "
            "before their end, by a picture at most 35 days old, with thirty won by then and "
            "thirty not",
            days=format_number(left),
        )
    return ""


def _booked(scores: PipelineScores, ids: tuple[str, ...] | None, period: str) -> dict[str, float]:
    first = pd.Timestamp(scores.company.calendar.first_day(period))
    rows = scores.bookings[scores.bookings["closed_on"] >= first]
    if ids is not None:
        rows = rows[rows["team_id"].isin(ids)]
    return {"n": float(rows["n"].sum()), "booked": float(rows["booked"].sum())}


def _parts(
    rows: pd.DataFrame, booked: dict[str, float], expected: float, opened: np.ndarray,
    new: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    """List the parts: what is expected by the sums themselves, intervals by draws."""
    total = booked["booked"] + opened + new
    means = (booked["booked"], expected, float(new.mean()))
    sure = np.full(DRAWS, booked["booked"])
    amounts = (booked["booked"], float(rows["value"].sum()), np.nan, np.nan)
    counts = (booked["n"], float(len(rows)), np.nan, np.nan)
    names = ("booked", "open", "new", "total")
    return pd.DataFrame(
        [
            (name, n, amount, mean, *_ends(draws))
            for name, n, amount, mean, draws in zip(
                names,
                counts,
                amounts,
                (*means, sum(means)),
                (sure, opened, new, total),
                strict=True,
            )
        ],
        columns=PARTS,
    )


def _ends(draws: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _past_forecasts(past: pd.DataFrame, spread: float) -> pd.DataFrame:
    """Put past forecasts of what was open beside what came of it, oldest first."""
    known = past.dropna(subset=["expected"])
    sums = known.groupby("period")[["n", "expected", "variance", "actual"]].sum().reset_index()
    sd = np.sqrt(sums["variance"] + (spread * sums["expected"]) ** 2)
    return sums.assign(
        ratio=sums["actual"] / sums["expected"].where(sums["expected"] > 0),
        low=(sums["expected"] - 1.645 * sd).clip(lower=0.0),
        high=sums["expected"] + 1.645 * sd,
    )[PAST]


def _outlook_row(whole: pd.Series[Any] | None) -> pd.Series[Any]:
    names = ["low", "median", "high", "p_hit"]
    return whole[names] if whole is not None else pd.Series(np.nan, index=names)


def _kpi(measures: Measures, kpi: str, team_id: str | None, periods: tuple[str, ...]) -> float:
    if not any(known.kpi == kpi for known in measures.kpis):
        return float("nan")
    found = measures.roll_up(by="company", periods=periods, team=team_id, kpi=kpi, pool=True)
    return float(found["value"].iloc[0]) if len(found) else float("nan")


def _slippage(measures: Measures, team_id: str | None, running: str) -> tuple[float, int]:
    """Find the share of amounts due that was moved out in the four quarters before."""
    periods = measures.window(measures.calendar.shift(running, -1), 4)
    return _kpi(measures, "slippage", team_id, periods), len(periods)
