"""The quarter's outlook: pace, and the chance to hit each target by the quarter's end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from salesnb.analysis.finding import Candidate
from salesnb.analysis.outlook.calibration import (
    CASES,
    FEWEST_QUARTERS,
    Calibration,
    calibrate,
)
from salesnb.analysis.outlook.history import earlier_quarters, point_of
from salesnb.analysis.outlook.simulate import Rest, simulate_rest
from salesnb.analysis.outlook.units import COMPANY, future_of, list_units
from salesnb.analysis.outlook.words import (
    HIT,
    LIKELY,
    MISSED,
    count_points,
    format_chance,
    judge_chance,
)
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_things, format_money
from salesnb.language import format_share, tr
from salesnb.measures.measures import Measures
from salesnb.measures.shared import shared
from salesnb.progress import long

OUTLOOK_ANCHOR, PACE_ANCHOR = "outlook", "pace"
LEVEL = 0.90
"""Probability of the intervals of an end."""

SURE = 0.95
_DRAWS_BACK = 400
_MANY_CASES = 2000
"""Past chances that tell how right chances are, whatever came before."""
_COLUMNS = [
    "level", "unit_id", "unit", "team_id", "target", "basis", "booked", "attainment", "n",
    "usual_share", "pace", "low", "median", "high", "p_hit",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Outlook(Result):
    """Where a quarter stands and where it is likely to end.

    Attributes
    ----------
    period, unit
        Quarter, and the company or team.
    is_over
        Whether the data hold the whole quarter; then nothing is left to chance.
    rows
        One row a unit, the whole first: `level` (company, team, rep), `unit_id`, `unit`,
        `team_id`, `target` and its `basis` (set, prorated), `booked` so far and `attainment` of
        the target, `n` wins, `usual_share` (of a quarter's bookings made by this point, in past
        quarters of the whole), `pace` (booked / what that share of the target is), `low`,
        `median`, `high` of the end (90% interval) and `p_hit`. Chances are missing once the
        quarter is over, and where too little came before.
    curve
        period, week, booked, cumulative, share (of the quarter's end): week 0 ends today.
    calibration
        How right the chances of past quarters were: of the company, teams and reps.
    quarters
        What was learned from.
    has_pipeline
        Whether open deals and their stages went in.
    days_left
        Calendar days to the quarter's end.
    """

    period: str
    unit: str
    is_over: bool
    rows: pd.DataFrame
    curve: pd.DataFrame
    calibration: tuple[Calibration, ...]
    quarters: tuple[str, ...]
    has_pipeline: bool
    days_left: int
    currency: str

    @property
    def whole(self) -> pd.Series[Any] | None:
        """The row of the company or team asked for."""
        return self.rows.iloc[0] if len(self.rows) else None

    @property
    def has_chances(self) -> bool:
        """Whether any chance could be given."""
        return bool(self.rows["p_hit"].notna().any())

    @property
    def finding(self) -> str:
        """Say what was attained, or how likely the whole is to hit its target."""
        row = self.whole
        said = {"unit": self.unit, "quarter": self.period}
        if row is None:
            return tr("{unit} has no bookings in {quarter} to follow.", **said)
        said["booked"] = format_money(row["booked"], self.currency)
        if not row["target"] > 0:
            return tr("{unit} booked {booked} in {quarter}; it has no target.", **said)
        said["target"] = format_money(row["target"], self.currency)
        if self.is_over:
            said["apart"] = format_money(abs(row["booked"] - row["target"]), self.currency)
            text = MISSED if row["booked"] < row["target"] else HIT
            return tr(text, **said)
        if np.isnan(row["p_hit"]):
            return tr(
                "{unit} has {booked} booked of its {quarter} target of {target}; too few quarters "
                "came before to give a chance.",
                **said,
            )
        said |= {name: format_money(row[name], self.currency) for name in ("low", "high")}
        said["chance"] = format_chance(row["p_hit"])
        return tr(LIKELY[judge_chance(row["p_hit"])], **said)

    @property
    def caveat(self) -> str:
        """Say what the chances rest on and how right they were."""
        if self.is_over or self.rows.empty:
            return ""
        if not self.quarters:
            return tr("Chances need three whole quarters before.")
        judged = [found for found in self.calibration if found.is_enough]
        right = tr("too few past chances to judge them by")
        if judged:
            error = count_points(max(found.error for found in judged))
            right = tr("past chances were off by {points} on average", points=error)
        said = {"first": self.quarters[0], "last": self.quarters[-1], "how_right": right}
        if self.has_pipeline:
            return tr(
                "From open deals by stage and past quarters ({first} to {last}); {how_right}.",
                **said,
            )
        return tr("From past quarters alone ({first} to {last}); {how_right}.", **said)

    def to_frame(self) -> pd.DataFrame:
        """List one row a unit."""
        return self.rows.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer the targets of teams and the company that are surely missed or hit."""
        rows = self.rows[(self.rows["level"] != "rep") & (self.rows["target"] > 0)]
        return tuple(
            offered for _, row in rows.iterrows() if (offered := self._offer(row)) is not None
        )

    def _offer(self, row: pd.Series[Any]) -> Candidate | None:
        target = format_money(row["target"], self.currency)
        share = row["booked"] / row["target"]
        said = {"unit": row["unit"], "quarter": self.period, "target": target}
        if self.is_over:
            said["share"] = format_share(share)
            text = (
                tr("{unit} missed its {quarter} target of {target}: {share}.", **said)
                if share < 1
                else tr("{unit} hit its {quarter} target of {target}: {share}.", **said)
            )
            wins = count_things(row["n"], "win", "wins")
            why, p_value, effect = f"{wins}.", 0.0, abs(share - 1)
        else:
            p_value = min(row["p_hit"], 1 - row["p_hit"])
            if not p_value <= 1 - SURE:
                return None
            text = tr(
                "{unit} is unlikely to hit its {quarter} target of {target}.", **said
            ) if row["p_hit"] < 0.5 else tr(
                "{unit} is set to hit its {quarter} target of {target}.", **said
            )  # fmt: skip
            low, high = (format_money(row[name], self.currency) for name in ("low", "high"))
            chance = format_chance(row["p_hit"])
            why = tr("Chance {chance}; likely end {low} to {high}.",
                     chance=chance, low=low, high=high)  # fmt: skip
            effect = abs(row["median"] / row["target"] - 1)
        return Candidate(
            text, why, OUTLOOK_ANCHOR, float(min(effect, 1.0)), float(p_value), "bookings"
        )


@long("Judging targets by past quarters")
def target_outlook(
    measures: Measures, *, period: str, team: str | None = None, n_draws: int = 2000,
    random_state: int = 0,
) -> Outlook:  # fmt: skip
    """Compare a running quarter with past ones at the same point, and simulate its end.

    The point is that of `as_of`: as many working days before the quarter's end. A quarter that is
    over has ends and no chances. Nothing is foreseen with fewer than three whole quarters before,
    and no chance is given without a target.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`.
    period
        Fiscal quarter; chances are given for that of `as_of`.
    team
        Id or name: this team, the teams below it and their reps. None is the whole company.
    n_draws
        Simulated futures.
    random_state
        Seed; the same data and seed give the same chances.

    Returns
    -------
    Outlook

    Raises
    ------
    ParameterError
        Quarter or team is unknown.

    Notes
    -----
    Past quarters are foreseen in the same way from what was known at the same point of them, and
    chances are corrected where enough of those can be compared with what came (Platt scaling).
    Who is there at the point is taken to stay: leave to come is not foreseen.
    """
    measures.check_period(period)
    top = measures.find_team(team) if team is not None else None
    is_over = measures.calendar.last_day(period) <= measures.as_of
    units = list_units(measures, period, top)
    rows = units.rows
    if is_over:
        rows = rows.assign(booked=rows["end"], n=rows["n_end"])
    rest, calibration = (None, ()) if is_over else _foresee(
        measures, period, n_draws=n_draws, random_state=random_state
    )  # fmt: skip
    curve = bookings_curve(measures, period, top)
    rows = _add_ends(rows, future_of(units, rest) if rest else None, calibration)
    return Outlook(
        period=period,
        unit=measures.unit_name(top),
        is_over=is_over,
        rows=_add_pace(rows, curve.head(0) if is_over else curve, period)[_COLUMNS],
        curve=curve,
        calibration=calibration,
        quarters=rest.quarters if rest else (),
        has_pipeline=bool(rest and rest.has_pipeline),
        days_left=max((measures.calendar.last_day(period) - measures.as_of).days, 0),
        currency=measures.company.currency,
    )


@shared
def _foresee(
    measures: Measures, period: str, *, n_draws: int, random_state: int
) -> tuple[Rest | None, tuple[Calibration, ...]]:
    """Simulate the company's rest of a quarter, and judge past chances: whoever's is asked."""
    rest = simulate_rest(measures, period, n_draws=n_draws, random_state=random_state)
    if rest is None:
        return None, ()
    cases = past_chances(measures, period, n_draws=_DRAWS_BACK, random_state=random_state)
    return rest, tuple(calibrate(cases, level) for level in (COMPANY, "team", "rep"))


def past_chances(
    measures: Measures, period: str, *, n_draws: int, random_state: int
) -> pd.DataFrame:
    """Foresee earlier quarters from the same point, beside what came.

    The latest come first; of a large company four are enough.

    Returns
    -------
    DataFrame
        `CASES`, one row a unit and quarter whose target was not hit by the point.
    """
    frames: list[pd.DataFrame] = []
    for quarter in reversed(earlier_quarters(measures, period)):
        if len(frames) >= FEWEST_QUARTERS and sum(map(len, frames)) >= _MANY_CASES:
            break
        rest = simulate_rest(measures, quarter, n_draws=n_draws, random_state=random_state)
        if rest is not None:
            frames.append(_cases_of(measures, quarter, rest))
    known = [frame for frame in frames if len(frame)]
    return pd.concat(known, ignore_index=True) if known else pd.DataFrame(columns=CASES)


def _cases_of(measures: Measures, quarter: str, rest: Rest) -> pd.DataFrame:
    units = list_units(measures, quarter)
    rows = _add_ends(units.rows, future_of(units, rest), ())
    first, last = (f(quarter) for f in (measures.calendar.first_day, measures.calendar.last_day))
    elapsed = ((point_of(measures, quarter) - first).days + 1) / ((last - first).days + 1)
    rows = rows.assign(
        period=quarter,
        p=rows["p_hit"],
        hit=rows["end"] >= rows["target"],
        straight=rows["booked"] >= rows["target"] * elapsed,
    )
    is_open = (rows["target"] > 0) & (rows["booked"] < rows["target"])
    return rows.loc[is_open, CASES]


def _add_ends(
    rows: pd.DataFrame, future: np.ndarray | None, calibration: tuple[Calibration, ...]
) -> pd.DataFrame:
    """Add interval of the end and chance to hit; missing without a future or a target."""
    out = rows.assign(low=np.nan, median=np.nan, high=np.nan, p_hit=np.nan)
    if future is None or rows.empty:
        return out
    ends = rows["booked"].to_numpy()[:, None] + future
    tails = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)
    out["low"], out["median"], out["high"] = np.quantile(ends, tails, axis=1)
    target = rows["target"].to_numpy()
    chance = _chance(ends, target)
    for found in calibration:
        own = (rows["level"] == found.level).to_numpy()
        chance[own] = found.correction.apply(chance[own])
    is_hit = rows["booked"].to_numpy() >= target
    out["p_hit"] = np.where(target > 0, np.where(is_hit, 1.0, chance), np.nan)
    return out


def _chance(ends: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Share of futures that reach the target; half a future keeps it from being certain."""
    n = ends.shape[1]
    hits = (ends >= target[:, None]).sum(axis=1)
    return np.asarray((hits + 0.5) / (n + 1.0))


def bookings_curve(measures: Measures, period: str, team_id: str | None = None) -> pd.DataFrame:
    """Add bookings of a quarter and the whole ones before it up week by week.

    Returns
    -------
    DataFrame
        period, week (0 ends at the point of `as_of`), booked, cumulative, share of the quarter's
        end (missing for a quarter that is not over).
    """
    quarters = (*earlier_quarters(measures, period), period)
    weeks = measures.weeks[measures.weeks["period"].isin(quarters)]
    if team_id is not None:
        weeks = weeks[weeks["team_id"].isin(measures.teams_within(team_id))]
    plain = weeks.astype({"period": object, "booked": float})
    rows = plain.groupby(["period", "week"], as_index=False)["booked"].sum()
    rows["cumulative"] = rows.groupby("period")["booked"].cumsum()
    end = rows.groupby("period")["booked"].transform("sum")
    is_over = rows["period"].map(lambda p: measures.calendar.last_day(p) <= measures.as_of)
    known = is_over.astype(bool) & (end > 0)
    share = (rows["cumulative"] / end.where(end > 0)).where(known)
    curve: pd.DataFrame = rows.assign(share=share)
    return curve


def _add_pace(rows: pd.DataFrame, curve: pd.DataFrame, period: str) -> pd.DataFrame:
    """Compare bookings with the share that past quarters had made by the same point.

    Without a curve, as of a quarter that is over, there is no pace.
    """
    past = curve[curve["period"] != period]
    by_now, whole = past.loc[past["week"] <= 0, "booked"].sum(), past["booked"].sum()
    usual = by_now / whole if whole > 0 else np.nan
    target = rows["target"].where(rows["target"] > 0)
    expected = target * usual if usual and usual > 0 else target * np.nan
    return rows.assign(
        attainment=rows["booked"] / target, usual_share=usual, pace=rows["booked"] / expected
    )
