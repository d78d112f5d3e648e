"""Bottlenecks: stages where fewer move on than elsewhere or before, by what that costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.multiplicity import control_any_error
from salesnb.analysis.process.change import FEWEST, NO_CHANGE, compare_shares, find_wobble
from salesnb.analysis.process.flow import ENDS, MOVED_ON
from salesnb.analysis.process.incidence import Z_95, find_incidence
from salesnb.analysis.process.records import (
    NO_HISTORY,
    WINDOW,
    describe_names,
    is_lacking,
    of_teams,
    open_stages,
    say_within,
)
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_things, format_money, name_quarters
from salesnb.language import format_number, format_share, mark, tr, tr_many
from salesnb.measures.flow.stays import ADVANCED, BACK, ENTERED, REENTERED, WON
from salesnb.measures.measures import Measures

BOTTLENECKS_ANCHOR = "bottlenecks"
_ROWS = [
    "stage", "n", "moved", "low", "high", "n_other", "moved_other", "by", "by_low", "by_high",
    "p_value", "adjusted", "wins", "stake", "stake_low", "stake_high", "is_bottleneck",
]  # fmt: skip
_COMPARED = [*_ROWS[:11], "wins", "wins_error"]
NO_STAGES = pd.DataFrame(columns=_ROWS).astype({"is_bottleneck": bool})
ELSEWHERE = mark("elsewhere in the company")


@dataclass(frozen=True, eq=False, repr=False)
class Bottlenecks(Result):
    """Where a team or company moves fewer on, and what it would book if it did not.

    Attributes
    ----------
    unit, period
        Name of the team or company; the quarter.
    other
        What it is compared with, in words.
    horizon
        Days after entering a stage by which shares moved on are compared; fewer where one side
        was not followed for so long.
    rows
        One row an open stage, the most at stake first: stage, n entries and the share moved on
        (95% interval low to high), n_other and moved_other of what it is compared with, the
        difference `by` (by_low to by_high), p_value and `adjusted` (Holm, for all stages); `wins`
        and `stake` (stake_low to stake_high): what more would be won and booked with the other
        share, negative where less would; is_bottleneck: fewer move on, beyond chance.
    booked
        What the unit booked in the quarter.
    currency
        Of the stakes.
    lacking
        Why there is nothing to show; empty when there is.
    """

    unit: str
    period: str
    other: str
    horizon: int
    rows: pd.DataFrame
    booked: float
    currency: str
    names: str = ""
    lacking: str = ""

    @property
    def found(self) -> pd.DataFrame:
        """The bottlenecks, the most at stake first."""
        return self.rows[self.rows["is_bottleneck"].astype(bool)]

    @property
    def finding(self) -> str:
        """Name the bottleneck with most at stake, or say that there is none beyond chance."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        if not self.rows["p_value"].notna().any():
            return tr(
                "{unit}: too few opportunities in any stage to compare it in {quarter}.",
                unit=self.unit,
                quarter=self.period,
            )
        if self.found.empty:
            return tr(
                "{unit}: no stage is a bottleneck beyond chance in {quarter}.",
                unit=self.unit,
                quarter=self.period,
            )
        return self._describe(self.found.iloc[0])

    def _describe(self, row: pd.Series[float]) -> str:
        return describe_stage(row, self.unit, self.period, self.other, self.currency)

    @property
    def caveat(self) -> str:
        """Say what at stake means, and that it is no promise."""
        if self.lacking:
            return ""
        said = tr(
            "At stake: what would be booked of the stage's entries in {quarter} if as many moved "
            "on {within} as {elsewhere}, the stages after it and the size of wins being as they "
            "are. All stages are tested together. That others move more on is no proof that this "
            "team could: its opportunities may differ.",
            quarter=self.period,
            within=say_within(self.horizon),
            elsewhere=self.other,
        )
        return f"{said} {self.names}".strip()

    def to_frame(self) -> pd.DataFrame:
        """List one row a stage, the most at stake first."""
        return self.rows.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer each stage that was tested; what came out quiet has no effect."""
        tested = self.rows[self.rows["p_value"].notna()] if not self.lacking else self.rows[:0]
        return tuple(self._offer(tested.loc[index]) for index in tested.index)

    def _offer(self, row: pd.Series[float]) -> Candidate:
        whole = row.copy()
        whole["booked"] = self.booked
        return offer_stage(whole, self._describe(row), self.horizon, BOTTLENECKS_ANCHOR)


def describe_stage(row: pd.Series[float], unit: str, period: str, other: str, currency: str) -> str:
    """Say how many move on, how many elsewhere, and what that costs."""
    if math.isfinite(row["stake"]):
        low, high = (format_money(row[name], currency) for name in ("stake_low", "stake_high"))
        stake = format_money(row["stake"], currency)
        cost = tr("{amount} at stake ({low} – {high})", amount=stake, low=low, high=high)
    else:
        cost = tr_many("about {n} win", "about {n} wins", round(abs(row["wins"])))
    return tr(
        "{unit}: {moved} moved on from {stage} in {quarter}, {moved_there} {elsewhere}; {cost}.",
        unit=unit,
        moved=format_share(row["moved"]),
        stage=row["stage"],
        quarter=period,
        moved_there=format_share(row["moved_other"]),
        elsewhere=other,
        cost=cost,
    )


def offer_stage(row: pd.Series[float], text: str, horizon: int, anchor: str) -> Candidate:
    """Offer a stage that was tested, by what is at stake of what was booked.

    A team's stage is offered in the same words by itself and beside other teams.
    """
    part = abs(row["stake"]) / row["booked"] if row["booked"] else math.nan
    size = part if math.isfinite(part) else abs(row["by"])
    return Candidate(
        text=text,
        why=tr(
            "{entries} against {entries_there}, {within}, with the open ones counted.",
            entries=count_things(row["n"], "entry", "entries"),
            entries_there=format_number(row["n_other"]),
            within=say_within(horizon),
        ),
        anchor=anchor,
        effect=min(float(size), 1.0) if row["is_bottleneck"] else 0.0,
        p_value=float(row["p_value"]),
    )


def bottlenecks(
    measures: Measures, *, period: str, team: str | None = None, within_days: int | None = None
) -> Bottlenecks:
    """Find the stages where fewer move on than elsewhere, by what that costs.

    A team is compared with the rest of the company in the same quarter, so that the season cancels;
    the company with its four quarters before, allowing for how much quarters differ anyway.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without stage_history the result says so.
    period
        Fiscal quarter.
    team
        Id or name, with the teams below it; None is the whole company.
    within_days
        Days after entering a stage; default the company's days to maturity.

    Returns
    -------
    Bottlenecks
        Stages with fewer than 20 entries on either side are shown and not tested.

    Raises
    ------
    ParameterError
        Quarter or team is unknown.

    Source: the shares are Aalen & Johansen's (1978); Holm (1979), Scand. J. Statist. 6, 65-70.
    """
    measures.check_period(period)
    team_id = measures.find_team(team) if team is not None else None
    unit, currency = measures.unit_name(team_id), measures.company.currency
    horizon = measures.company.maturity_days if within_days is None else within_days
    before = _quarters_before(measures, period)
    other = tr(ELSEWHERE) if team_id else tr("in {quarters}", quarters=name_quarters(before))
    if is_lacking(measures):
        return Bottlenecks(
            unit, period, other, horizon, NO_STAGES, math.nan, currency, lacking=tr(NO_HISTORY)
        )
    frame = compare_stages(measures, period, measures.ids_within(team_id), horizon)
    frame["adjusted"] = control_any_error(frame["p_value"])
    frame["is_bottleneck"] = (frame["adjusted"] < FALSE_CLAIMS) & (frame["by"] < 0)
    frame = frame.sort_values(["wins", "stage"], ascending=[False, True], ignore_index=True)
    booked = float(frame["booked"].iloc[0]) if len(frame) else math.nan
    names = describe_names(measures)
    return Bottlenecks(unit, period, other, horizon, frame[_ROWS], booked, currency, names)


def compare_stages(
    measures: Measures, period: str, teams: tuple[str, ...] | None, horizon: int
) -> pd.DataFrame:
    """Compare teams' stages with the rest of the company, or the company's with those before.

    Returns
    -------
    DataFrame
        One row an open stage, as `Bottlenecks.rows` has it but for what allows for all tests, with
        `booked`, the same in all rows.
    """
    before = _quarters_before(measures, period)
    worth = stage_worth(measures, (*before, period))
    size, size_error, booked = _deal_size(measures, teams, period)
    rows = [
        _compare(stage, _Sides(measures, teams, period, before, stage), horizon, worth[stage])
        for stage in open_stages(measures)
    ]
    frame = pd.DataFrame(rows, columns=_COMPARED)
    return _add_stakes(frame, size, size_error).assign(booked=booked)


def _quarters_before(measures: Measures, period: str) -> tuple[str, ...]:
    return measures.window(measures.calendar.shift(period, -1), WINDOW)


class _Sides:
    """A stage's counts of the unit and of what it is compared with."""

    def __init__(
        self, measures: Measures, teams: tuple[str, ...] | None, period: str,
        before: tuple[str, ...], stage: str,
    ) -> None:  # fmt: skip
        stays = measures.flow.stays
        stays = stays[stays["stage"] == stage]
        self.own = of_teams(stays, teams, (period,))
        self.past: list[pd.DataFrame] = []
        if teams is None:
            self.other = of_teams(stays, None, before)
            self.past = [of_teams(stays, None, (quarter,)) for quarter in before]
        else:
            everybody = of_teams(stays, None, (period,))
            self.other = everybody.drop(index=self.own.index)


def _compare(stage: str, sides: _Sides, horizon: int, worth: float) -> dict[str, object]:
    both = [find_incidence(counts, MOVED_ON) for counts in (sides.own, sides.other)]
    # Where one side was not followed for so long, both are compared by the day it was.
    day = min(found.reach(horizon) for found in both)
    now, other = (found.by(day) for found in both)
    n, n_other = (_entries(counts) for counts in (sides.own, sides.other))
    wobble = find_wobble([find_incidence(counts, MOVED_ON).by(day) for counts in sides.past])
    is_enough = min(n, n_other) >= FEWEST
    change = compare_shares(now, other, wobble) if is_enough else NO_CHANGE
    return {
        "stage": stage, "n": n, "moved": now.value, "low": now.low, "high": now.high,
        "n_other": n_other, "moved_other": other.value, "by": change.by,
        "by_low": change.by - Z_95 * change.error, "by_high": change.by + Z_95 * change.error,
        "p_value": change.p_value, "wins": -n * change.by * worth, "wins_error": n * change.error
        * worth,
    }  # fmt: skip


def _entries(counts: pd.DataFrame) -> int:
    is_fresh = counts["event"].isin([ENTERED, REENTERED]) & (counts["days"] == 0)
    return int(counts.loc[is_fresh, "n"].sum())


def _add_stakes(frame: pd.DataFrame, size: float, size_error: float) -> pd.DataFrame:
    """Turn wins into bookings, with the uncertainty of both."""
    stake = frame["wins"] * size
    error = np.hypot(frame["wins_error"] * size, frame["wins"] * size_error)
    return frame.assign(
        stake=stake, stake_low=stake - Z_95 * error, stake_high=stake + Z_95 * error
    )


def _deal_size(
    measures: Measures, teams: tuple[str, ...] | None, period: str
) -> tuple[float, float, float]:
    """Give the mean amount of a win in four quarters, its error, and the quarter's bookings."""
    nothing = (math.nan, math.nan, math.nan)
    if "bookings" not in {kpi.kpi for kpi in measures.kpis}:
        return nothing
    found = measures.roll_up(by="team", periods=measures.window(period, WINDOW), kpi="bookings")
    found = found if teams is None else found[found["unit_id"].isin(teams)]
    row = found[["numerator", "n", "total_of_squares"]].sum()
    if not row["n"]:
        return nothing
    mean = row["numerator"] / row["n"]
    spread = max(row["total_of_squares"] / row["n"] - mean**2, 0.0)
    booked = float(found.loc[found["period"] == period, "numerator"].sum())
    return float(mean), math.sqrt(spread / row["n"]), booked


def stage_worth(measures: Measures, periods: tuple[str, ...]) -> dict[str, float]:
    """Estimate the chance to be won of what moves on from each open stage, company-wide.

    What becomes of a stage depends on the stage alone, not on the way to it (Markov): the chances
    are those at which every stage's are what its next stages' make them.
    """
    names = open_stages(measures)
    place = {stage: position for position, stage in enumerate(names)}
    stays = of_teams(measures.flow.stays, None, periods)
    steps = of_teams(measures.flow.steps, None, periods)
    counts = steps.groupby(["from_stage", "to_stage"], observed=True)["n"].sum().reset_index()
    moves, wins, onward = np.zeros((len(names), len(names))), np.zeros(len(names)), []
    for stage in names:
        own = stays[stays["stage"] == stage]
        ended = {end: float(own.loc[own["event"] == end, "n"].sum()) for end in ENDS}
        whole = sum(ended.values()) or 1.0
        own_steps = counts[(counts["from_stage"] == stage) & counts["to_stage"].isin(names)]
        nexts = [
            (place[to], float(n))
            for to, n in zip(own_steps["to_stage"], own_steps["n"], strict=True)
        ]
        later = _spread([(to, n) for to, n in nexts if to >= place[stage]], len(names))
        earlier = _spread([(to, n) for to, n in nexts if to < place[stage]], len(names))
        moves[place[stage]] = (ended[ADVANCED] * later + ended[BACK] * earlier) / whole
        wins[place[stage]] = ended[WON] / whole
        onward.append((ended[ADVANCED], ended[WON], later))
    chance = np.linalg.solve(np.eye(len(names)) - moves * (1 - 1e-9), wins)
    return {
        stage: (advanced * float(later @ chance) + won) / (advanced + won or 1.0)
        for stage, (advanced, won, later) in zip(names, onward, strict=True)
    }


def _spread(nexts: list[tuple[int, float]], size: int) -> np.ndarray:
    share = np.zeros(size)
    for place, n in nexts:
        share[place] += n
    return share / (share.sum() or 1.0)
