"""Agreed actions: what was agreed, what became of it, what is next."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.changes import CHANGES, direction, measure_changes
from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.matrix import performance_matrix
from salesnb.analysis.multiplicity import control_discoveries
from salesnb.analysis.result import Result
from salesnb.language import mark, tr, write_day
from salesnb.measures.catalogue import Kpi
from salesnb.measures.measures import Measures
from salesnb.progress import long
from salesnb.schema import actions

ACTIONS_ANCHOR = "actions"
STATUSES = (
    mark("done"), mark("open"), mark("overdue"), mark("dropped"), mark("not recorded"),
)  # fmt: skip
"""What an action can be; overdue is open and due before `as_of`."""

_WORSE = -2
_UNCLEAR = "no clear change"
_AGREED, _DUE, _STATUS = actions.agreed_on, actions.due_on, actions.status
_COLUMNS = [
    "action_id", "rep_id", "owner", "agreed_on", "due_on", "kpi", "skill", "target", "status",
    *CHANGES[:-1], "is_reached", "p_adjusted", "verdict",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class AgreedActions(Result):
    """A quarter's actions and what became of them.

    Attributes
    ----------
    period, unit
        Quarter, and the company or team whose people they were agreed with.
    rows
        One row an action agreed or due in the quarter: `action_id`, `rep_id`, `owner` (name),
        `agreed_on`, `due_on`, `kpi` or `skill`, `target`, `status` (one of `STATUSES`);
        `before_period`, `before`, `before_n` and `now_period`, `now`, `now_n`: the figure in the
        last quarter before it was agreed and in the latest since; `gain` towards the better and
        its standard error `error`, `p_value` and `p_adjusted` for the number tested, `is_reached`
        (the target, as observed; missing where unknown) and `verdict` (`better`, `worse`,
        `no clear change`, or why it cannot be told).
    ahead
        Open ones due in the quarter or later, soonest first, in the same columns.
    unaddressed
        rep_id, owner, kpi, estimate, n: surely worse than the group, and no action is open or was
        agreed in the quarter.
    is_recorded
        Whether there is an actions table at all.
    as_of
        Day on which the world is seen.
    kpis
        Definitions of what was measured.
    """

    period: str
    unit: str
    rows: pd.DataFrame
    ahead: pd.DataFrame
    unaddressed: pd.DataFrame
    is_recorded: bool
    as_of: dt.date
    kpis: tuple[Kpi, ...]
    currency: str

    @property
    def tells_of_people(self) -> bool:
        """It is about single people."""
        return True

    @property
    def counts(self) -> dict[str, int]:
        """How many actions of the quarter are in each state; they add up to all."""
        found = self.rows["status"].value_counts()
        return {status: int(found.get(status, 0)) for status in STATUSES}

    @property
    def tested(self) -> pd.DataFrame:
        """Take the actions whose figure could be compared."""
        return self.rows[self.rows["p_value"].notna()]

    @property
    def finding(self) -> str:
        """Count what became of the quarter's actions."""
        if not self.is_recorded:
            return tr("No actions are recorded: it needs the actions table.")
        if self.rows.empty:
            return tr(
                "{unit}: no action was agreed or due in {period}.",
                unit=self.unit, period=self.period,
            )  # fmt: skip
        return tr(
            "Of {of} actions agreed or due in {period}: {states}; {better} of {tested} that can "
            "be compared improved beyond chance.",
            of=len(self.rows),
            period=self.period,
            states=", ".join(f"{n} {tr(status)}" for status, n in self.counts.items() if n),
            better=int((self.rows["verdict"] == "better").sum()),
            tested=len(self.tested),
        )

    @property
    def caveat(self) -> str:
        """Say what a change does and does not mean."""
        if self.rows.empty:
            return ""
        return tr(
            "A change beyond chance is no proof that the action caused it: seasons and training "
            "move figures too. Weak quarters recover by themselves, so the start is pulled to the "
            "peers before it is compared."
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row an action."""
        return self.rows.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer that actions are overdue."""
        late, of = self.counts["overdue"], len(self.rows)
        if not late:
            return ()
        return (
            Candidate(
                text=tr(
                    "{late} of {of} actions agreed or due in {period} are overdue.",
                    late=late,
                    of=of,
                    period=self.period,
                ),
                why=tr("Open, and due before {day}.", day=write_day(self.as_of)),
                anchor=ACTIONS_ANCHOR,
                effect=late / of,
                p_value=0.0,
            ),
        )


@long("Following up actions")
def agreed_actions(
    measures: Measures, *, period: str, team: str | None = None, n_draws: int = 2000
) -> AgreedActions:
    """List a quarter's actions with what became of them, and what is next.

    Actions agreed after `as_of` are left out; a status is that of the snapshot. The figure an
    action should move is compared between the last quarter that was mostly over when it was
    agreed and the latest since, up to `period`. Without actions everything is empty.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`.
    period
        Fiscal quarter in which they were agreed or due.
    team
        Id or name: only people with a record in it in the quarter.
    n_draws
        Posterior draws a KPI.

    Returns
    -------
    AgreedActions

    Raises
    ------
    ParameterError
        Quarter or team is unknown.
    """
    measures.check_period(period)
    team_id = measures.find_team(team) if team is not None else None
    known = _known_actions(measures, team_id, period)
    first, last = (
        pd.Timestamp(f(period)) for f in (measures.calendar.first_day, measures.calendar.last_day)
    )
    agreed, due = known["agreed_on"], known["due_on"]
    rows = known[agreed.between(first, last) | due.between(first, last)]
    is_open = known["status"].isin(["open", "overdue"])
    ahead = known[is_open & ~(due < first)].sort_values(["due_on", "owner"], kind="stable")
    whole = pd.concat([rows, ahead]).drop_duplicates("action_id")
    judged = _judge(whole, measures, period, n_draws)
    return AgreedActions(
        period=period,
        unit=measures.unit_name(team_id),
        rows=judged[judged["action_id"].isin(rows["action_id"])].reset_index(drop=True),
        ahead=ahead[["action_id"]].merge(judged, on="action_id"),
        unaddressed=_unaddressed(measures, whole, period, team_id, n_draws),
        is_recorded=not measures.actions.empty,
        as_of=measures.as_of,
        kpis=measures.kpis,
        currency=measures.company.currency,
    )


def _known_actions(measures: Measures, team_id: str | None, period: str) -> pd.DataFrame:
    """List what was agreed by `as_of`, with owners' names and states on that day."""
    rows = measures.actions
    now = pd.Timestamp(measures.as_of)
    agreed, due = (pd.to_datetime(rows[column]) for column in (_AGREED, _DUE))
    status = rows[_STATUS].astype(object).where(rows[_STATUS].notna(), "not recorded")
    names = measures.people.set_index("rep_id")["name"]
    owner = rows[actions.rep_id].map(names).fillna(rows[actions.rep_id]).astype(object)
    known = pd.DataFrame(
        {
            "action_id": rows[actions.action_id],
            "rep_id": rows[actions.rep_id],
            "owner": owner,
            "agreed_on": agreed,
            "due_on": due,
            "kpi": rows[actions.kpi].astype(object).where(rows[actions.kpi].notna(), ""),
            "skill": rows[actions.skill].astype(object).where(rows[actions.skill].notna(), ""),
            "target": rows[actions.target].astype(float),
            "status": status.mask((status == "open") & (due < now), "overdue"),
        }
    )
    known = known[agreed <= now]
    if team_id is not None:
        known = known[known["rep_id"].isin(measures.members(team_id, period))]
    return known.sort_values(["agreed_on", "owner", "action_id"], kind="stable")


def _judge(rows: pd.DataFrame, measures: Measures, period: str, n_draws: int) -> pd.DataFrame:
    """Compare each action's figure before and since, and say what can be said."""
    rows = rows.reset_index(drop=True)
    out = rows.join(measure_changes(measures, rows, period=period, n_draws=n_draws))
    sign = out["kpi"].map(lambda kpi: direction(measures, kpi)).astype(float)
    tested = out["p_value"].notna()
    out["p_adjusted"] = control_discoveries(out["p_value"])
    is_clear = out["p_adjusted"] < FALSE_CLAIMS
    way = pd.Series(np.where(out["gain"] > 0, "better", "worse"), index=out.index)
    out["verdict"] = way.where(is_clear, _UNCLEAR).where(tested, out["why"])
    apart = (out["now"] - out["target"]) * sign
    out["is_reached"] = (apart >= 0).astype(object).where(apart.notna(), None)
    days = {name: out[name].dt.date for name in ("agreed_on", "due_on")}
    return out.assign(**days)[_COLUMNS]


def _unaddressed(
    measures: Measures, known: pd.DataFrame, period: str, team_id: str | None, n_draws: int
) -> pd.DataFrame:
    """List who is surely worse than the group on a KPI and has no action at all."""
    columns = ["rep_id", "owner", "kpi", "estimate", "n"]
    if measures.actions.empty:
        return pd.DataFrame(columns=columns)
    matrix = performance_matrix(measures, period=period, team=team_id, n_draws=n_draws)
    scores = matrix.scores
    worse = scores[(scores["evidence"] <= _WORSE) & ~scores["unit_id"].isin(known["rep_id"])]
    named = worse.rename(columns={"unit_id": "rep_id", "unit": "owner"})
    return named.sort_values(["owner", "kpi"], ignore_index=True)[columns]
