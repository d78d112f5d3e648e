"""Stage flow: how many move on from each stage, and how long they stay in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.process.incidence import find_incidence
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
from salesnb.analysis.wording import count_things, name_quarters
from salesnb.errors import DataError
from salesnb.language import format_share, tr
from salesnb.measures.flow.stays import ADVANCED, BACK, ENTERED, LOST, REENTERED, WON
from salesnb.measures.measures import Measures

STAGE_FLOW_ANCHOR = "stage-flow"
MOVED_ON = (ADVANCED, WON)
ENDS = (ADVANCED, WON, LOST, BACK)
_ROWS = [
    "stage", "n", "n_reentered", "n_skipped", "n_moved", "n_lost", "n_back", "moved", "low", "high",
    "lost", "back", "days", "days_low", "days_high", "naive_moved", "naive_days",
]  # fmt: skip
_STEPS = ["from_stage", "to_stage", "n"]


@dataclass(frozen=True, eq=False, repr=False)
class StageFlow(Result):
    """What becomes of opportunities in each stage, as things went in some quarters.

    Attributes
    ----------
    unit, periods
        Name of the team or company; the quarters, pooled.
    horizon
        Days after entering a stage by which the shares are given.
    rows
        One row an open stage: stage, n (entries in the quarters), n_reentered of them, n_skipped
        (passed over), n_moved, n_lost and n_back (ended so in the quarters); by the horizon the
        shares moved on (95% interval low to high), lost and gone back; median days in the stage
        (days_low to days_high); and what is usually reported: naive_moved (moved on / ended) and
        naive_days (median of those that have ended).
    steps
        from_stage, to_stage and n of the quarters: how often a step was taken; `""` is the
        beginning.
    names
        Which names of stages the list lacks; empty where none.
    lacking
        Why there is nothing to show; empty when there is.
    """

    unit: str
    periods: tuple[str, ...]
    horizon: int
    rows: pd.DataFrame
    steps: pd.DataFrame
    names: str = ""
    lacking: str = ""

    @property
    def finding(self) -> str:
        """Say where most is lost, and where opportunities stay longest."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        known = self.rows.dropna(subset=["lost"])
        if known.empty:
            return tr(
                "{unit}: too little was followed to say what becomes of any stage.", unit=self.unit
            )
        most = known.sort_values("lost").iloc[-1]
        said = tr(
            "{unit}: most are lost in {stage} ({share} of its entries)",
            unit=self.unit,
            stage=most["stage"],
            share=format_share(most["lost"]),
        )
        timed = self.rows.dropna(subset=["days"])
        if timed.empty:
            return f"{said}."
        slow = timed.sort_values("days").iloc[-1]
        time = count_things(round(slow["days"]), "day", "days")
        return tr(
            "{said}; {stage} takes longest ({days} in the median).",
            said=said, stage=slow["stage"], days=time,
        )  # fmt: skip

    @property
    def caveat(self) -> str:
        """Say what the shares are of, and what is not followed."""
        if self.lacking:
            return ""
        said = tr(
            "Shares {within} of entering, as things went in {quarters}: every stay counts for the "
            "days it was followed in these quarters, also those that have not ended. Most lost is "
            "no verdict: early stages are there to sort out.",
            within=say_within(self.horizon),
            quarters=name_quarters(self.periods),
        )
        return f"{said} {self.names}".strip()

    def to_frame(self) -> pd.DataFrame:
        """List one row a stage."""
        return self.rows.copy()

    def check(self) -> pd.DataFrame:
        """Check that the shares of a stage do not add up to more than everything.

        Raises
        ------
        DataError
            They do.
        """
        whole = self.rows[["moved", "lost", "back"]].astype(float).sum(axis=1)
        wrong = self.rows.loc[whole > 1 + 1e-9, "stage"]
        if len(wrong):
            raise DataError(f"stages: the shares of {list(wrong)} add up to more than everything.")
        return self.rows[["stage", "moved", "lost", "back"]].round(3)


def stage_flow(
    measures: Measures, *, period: str, team: str | None = None, n_quarters: int = WINDOW,
    within_days: int | None = None,
) -> StageFlow:  # fmt: skip
    """Estimate, stage by stage, how many move on and how long it takes.

    A quarter is looked at by itself: stays count from the age at which they came into it to the
    age at which they ended or it did. So the figures are of what was done in these quarters, and
    need not wait until all that entered has ended.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without stage_history the result says so.
    period
        Last fiscal quarter.
    team
        Id or name, with the teams below it; None is the whole company. A stay is of the team of
        the opportunity's owner when it ends.
    n_quarters
        Quarters to pool.
    within_days
        Days by which shares are given; default the company's days to maturity.

    Returns
    -------
    StageFlow

    Raises
    ------
    ParameterError
        Quarter or team is unknown.

    Source: Aalen & Johansen (1978), Scand. J. Statist. 5, 141-150, with delayed entry.
    """
    measures.check_period(period)
    team_id = measures.find_team(team) if team is not None else None
    periods = measures.window(period, n_quarters)
    horizon = measures.company.maturity_days if within_days is None else within_days
    unit = measures.unit_name(team_id)
    if is_lacking(measures):
        nothing = pd.DataFrame(columns=_ROWS), pd.DataFrame(columns=_STEPS)
        return StageFlow(unit, periods, horizon, *nothing, lacking=tr(NO_HISTORY))
    teams = measures.ids_within(team_id)
    stays = of_teams(measures.flow.stays, teams, periods)
    steps = of_teams(measures.flow.steps, teams, periods)
    steps = steps.groupby(_STEPS[:2], observed=True)["n"].sum().reset_index()
    skipped = count_skipped(measures, steps)
    rows = [
        _flow_of(stage, stays[stays["stage"] == stage], skipped.get(stage, 0), horizon)
        for stage in open_stages(measures)
    ]
    lacking = "" if len(stays) else tr(
        "nothing was in a stage in {quarters}", quarters=name_quarters(periods)
    )  # fmt: skip
    frame = pd.DataFrame(rows, columns=_ROWS)
    return StageFlow(unit, periods, horizon, frame, steps, describe_names(measures), lacking)


def _flow_of(stage: str, stays: pd.DataFrame, skipped: int, horizon: int) -> tuple[object, ...]:
    counted = stays.groupby("event", observed=True)["n"].sum()
    fresh = stays[stays["days"] == 0].groupby("event", observed=True)["n"].sum()
    n_again = int(fresh.get(REENTERED, 0))
    moved, lost, back = (
        find_incidence(stays, causes) for causes in (MOVED_ON, (LOST,), (BACK,))
    )  # fmt: skip
    share, time = moved.by(horizon), find_incidence(stays, ENDS).when()
    n_moved = int(sum(counted.get(end, 0) for end in MOVED_ON))
    n_lost, n_back = int(counted.get(LOST, 0)), int(counted.get(BACK, 0))
    ended = n_moved + n_lost + n_back
    return (
        stage, int(fresh.get(ENTERED, 0)) + n_again, n_again, skipped, n_moved, n_lost, n_back,
        share.value, share.low, share.high, lost.by(horizon).value, back.by(horizon).value,
        time.days, time.low, time.high, n_moved / ended if ended else math.nan, naive_days(stays),
    )  # fmt: skip


def naive_days(stays: pd.DataFrame) -> float:
    """Take the median days of the stays that have ended, as is usually done."""
    ended = stays[stays["event"].isin(ENDS)].sort_values("days")
    if ended.empty:
        return math.nan
    reached = ended["n"].cumsum() >= ended["n"].sum() / 2
    return float(ended["days"].to_numpy()[int(np.argmax(reached.to_numpy()))])


def count_skipped(measures: Measures, steps: pd.DataFrame) -> dict[str, int]:
    """Count how often each open stage was passed over by a step from an earlier one."""
    listed = measures.flow.stages
    order = dict(zip(listed["stage"], listed["stage_order"], strict=True))
    passed = list(listed.loc[~listed["is_lost"].astype(bool), "stage"])
    columns = (steps[name] for name in ("from_stage", "to_stage", "n"))
    found = dict.fromkeys(open_stages(measures), 0)
    for begin, end, n in zip(*columns, strict=True):
        if begin in found and end in passed:
            for stage in found:
                if order[begin] < order[stage] < order[end]:
                    found[stage] += int(n)
    return found
