"""What a quarter will bring: booked, open and not yet open, beside target and past forecasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from salesnb.analysis.finding import Candidate
from salesnb.analysis.outlook import format_chance, say_chance, target_outlook
from salesnb.analysis.pipeline.result import PipelineScores
from salesnb.analysis.pipeline.teams import check_same, find_unit
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count, format_money
from salesnb.measures.measures import Measures

FORECAST_ANCHOR = "forecast"
LEVEL = 0.90
PARTS = ["part", "n", "amount", "expected", "low", "high"]
PAST = ["period", "n", "expected", "actual", "ratio", "low", "high"]
_DRAWS = 1_000
_AT_ONCE = 2_000_000
_SETTLES = 0.2
"""Spread of the amount at close around the pictured one, as a share of it."""

_LARGEST_SHOCK = 1.0
"""Standard deviation of a whole quarter's shock on the logit that is not gone beyond."""

_USUAL, _WORTH = 0.10, 4.0
"""How far whole quarters miss a forecast where little is known, and the quarters that is worth."""
_SEASON_WORTH = 2.0
"""Quarters of the same season that half of a season's level rests on."""

_FEWEST = 3
"""Past quarters from which what is not open yet is foreseen."""


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
        what = "is expected to book" if head is whole else "can expect from what is open"
        ends = f"{self.money(head['low'])} to {self.money(head['high'])}"
        said = f"{self.unit} {what} {self.money(head['expected'])} ({ends}) in {self.period}"
        if not self.target > 0:
            return f"{said}; there is no target."
        if not np.isfinite(self.p_hit):
            return f"{said}; its target is {self.money(self.target)}."
        return f"{said}; it {self._verdict()}."

    @property
    def p_hit(self) -> float:
        """Chance to hit the target, that of the outlook; missing where that has none."""
        return float(self.outlook["p_hit"])

    def _verdict(self) -> str:
        """Say what the outlook of reviews says of the target: one source for all reports."""
        return (
            f"{say_chance(self.p_hit)} hit its target of {self.money(self.target)} (chance "
            f"{format_chance(self.p_hit)} by the outlook of reviews)"
        )

    @property
    def caveat(self) -> str:
        """Say what it rests on, how past forecasts did, and what the review's outlook says."""
        parts = []
        if self.asked and self.asked != self.period:
            parts.append(f"{self.asked} was over, so the running quarter {self.period} is foreseen")
        n = len(self.past)
        if n:
            word = "high" if self.bias > 0 else "low"
            parts.append(
                f"Forecasts of what was open at this point of {count(n, 'past quarter')}, made "
                f"with what was known then, were {abs(self.bias):.0%} too {word} in sum"
            )
        elif not self.lacking:
            parts.append("No past quarter could be foreseen to judge this by")
        if np.isfinite(self.outlook["median"]):
            ends = f"{self.money(self.outlook['low'])} to {self.money(self.outlook['high'])}"
            parts.append(
                f"The outlook of reviews, from stages and past quarters alone, says {ends}"
            )
        return ". ".join(parts) + ("." if parts else "")

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
        p_value = min(1.0, max(2 * min(self.p_hit, 1 - self.p_hit), 2 / (_DRAWS + 1)))
        unit = f"{self.unit}, {self.period}"
        tested = Candidate(
            f"{unit}: it {self._verdict()}.",
            f"{self.money(self.part('booked')['expected'])} is booked, "
            f"{self.money(self.part('open')['expected'])} is expected of what is open.",
            FORECAST_ANCHOR, float(min(1.0, off)), p_value, "bookings",
        )  # fmt: skip
        if p_value <= 1 - LEVEL:
            return (tested,)
        why = f"Chance to hit the target: {format_chance(self.p_hit)}."
        return (tested, Candidate(self.finding, why, FORECAST_ANCHOR, 0.0, float("nan")))


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
    spread = _spread(scores.quarters)
    p, value = _expected(rows, scores.settles)
    opened = _open_draws(p, value, spread, rng)
    new = _new_draws(past, running, rng) if left else np.zeros(_DRAWS)
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
        return f"the quarter ends on {scores.as_of}, so nothing is left to foresee"
    if rows.empty:
        return f"no opportunity is open on {scores.as_of}"
    if scores.method in ("none", "ages"):
        return f"there is no forecast by opportunity: {scores.why_not}"
    if rows["p_quarter"].isna().any():
        return (
            f"there is no forecast by opportunity: it needs past quarters seen from {left:,} days "
            "before their end, by a picture at most 35 days old, with thirty won by then and "
            "thirty not"
        )
    return ""


def _booked(scores: PipelineScores, ids: tuple[str, ...] | None, period: str) -> dict[str, float]:
    first = pd.Timestamp(scores.company.calendar.first_day(period))
    rows = scores.bookings[scores.bookings["closed_on"] >= first]
    if ids is not None:
        rows = rows[rows["team_id"].isin(ids)]
    return {"n": float(rows["n"].sum()), "booked": float(rows["booked"].sum())}


def _spread(quarters: pd.DataFrame) -> float:
    """Find how far whole quarters missed their forecast beyond chance, drawn to a usual spread."""
    known = quarters.dropna(subset=["expected"])
    sums = known.groupby("period")[["expected", "variance", "actual"]].sum()
    sums = sums[sums["expected"] > 0]
    n = len(sums)
    if n < 2:
        return float(_USUAL * np.sqrt(2.0))
    off = sums["actual"] / sums["expected"] - 1
    chance = (sums["variance"] / sums["expected"] ** 2).mean()
    beyond = max(float((off**2).mean() - chance), 0.0)
    return float(np.sqrt((_WORTH * _USUAL**2 + n * beyond) / (_WORTH + n)))


def _expected(rows: pd.DataFrame, settles: float) -> tuple[np.ndarray, np.ndarray]:
    """Give each open one its chance by the quarter's end and the amount it is to close at.

    A typical value is of amounts at close already; an amount of the CRM settles as others did.
    """
    value = rows["value"].fillna(0.0)
    value = value.where(rows["is_value_typical"], value * settles)
    return rows["p_quarter"].to_numpy(dtype=float), value.to_numpy(dtype=float)


def _open_draws(
    p: np.ndarray, value: np.ndarray, spread: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw what is won of the open ones by the quarter's end, and at what amount.

    A better or worse quarter moves all chances on the logit, by so much that their sum varies by
    `spread`, and each keeps its mean.
    """
    if np.isnan(p).any():
        return np.full(_DRAWS, np.nan)
    undecided = float((p * (1 - p) * value).sum())
    size = spread * float((p * value).sum()) / undecided if undecided > 0 else 0.0
    shock = rng.normal(0.0, min(size, _LARGEST_SHOCK), _DRAWS)
    total = np.zeros(_DRAWS)
    step = max(1, _AT_ONCE // _DRAWS)
    for start in range(0, len(p), step):
        part = slice(start, start + step)
        likely = _shaken(p[part], shock)
        won = rng.random(likely.shape) < likely
        drift = np.exp(rng.normal(-(_SETTLES**2) / 2, _SETTLES, likely.shape))
        total += (won * value[part][:, None] * drift).sum(axis=0)
    return total


def _shaken(p: np.ndarray, shock: np.ndarray) -> np.ndarray:
    """Move chances by shocks on the logit so that the mean of each stays (by Newton's steps)."""
    inner = np.clip(p, 1e-9, 1 - 1e-9)[:, None]
    place = logit(inner)
    for _ in range(3):
        moved = expit(place + shock[None, :])
        slope = (moved * (1 - moved)).mean(axis=1, keepdims=True)
        place = place - (moved.mean(axis=1, keepdims=True) - inner) / slope
    moved = expit(place + shock[None, :])
    sure = ((p <= 0) | (p >= 1))[:, None]
    return np.where(sure, p[:, None], moved)


def _new_draws(past: pd.DataFrame, period: str, rng: np.random.Generator) -> np.ndarray:
    """Draw what is booked of opportunities not open yet: as past quarters from this point on.

    The same quarter of earlier years counts for as much as two others do together: so much of how
    quarters differ is taken to be the season.
    """
    by = past.groupby("period")["new"].sum().clip(lower=0.0)
    n = len(by)
    if n < _FEWEST:
        return np.full(_DRAWS, np.nan)
    same = by[by.index.str[-2:] == period[-2:]]
    weight = len(same) / (len(same) + _SEASON_WORTH)
    mean = weight * float(same.mean() if len(same) else 0.0) + (1 - weight) * float(by.mean())
    if mean <= 0:
        return np.zeros(_DRAWS)
    spread = max(float(by.std(ddof=1)) * np.sqrt(1 + 1 / n), _USUAL * mean)
    shape = (mean / spread) ** 2
    return rng.gamma(shape, mean / shape, _DRAWS)


def _parts(
    rows: pd.DataFrame, booked: dict[str, float], expected: float, opened: np.ndarray,
    new: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    """List the parts: what is expected by the sums themselves, intervals by draws."""
    total = booked["booked"] + opened + new
    means = (booked["booked"], expected, float(new.mean()))
    sure = np.full(_DRAWS, booked["booked"])
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
