"""The feedback loop: coverage, cadence, kinds, answers to gaps, and actions reviewed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import chi2

from salesnb.analysis.feedback.answers import find_answers
from salesnb.analysis.feedback.records import (
    LACKING,
    closing_day,
    known_feedback,
    managed_by,
    people_at_work,
)
from salesnb.analysis.feedback.result import Answers, Cadence, FeedbackLoop, Reviews
from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.interval import find_wilson
from salesnb.analysis.rates import estimate_rates
from salesnb.language import tr
from salesnb.measures.measures import Measures
from salesnb.schema import actions

_WINDOW = 4
_FEWEST_A_KIND = 5
_QUARTERS = ["period", "n_people", "n_covered", "share", "low", "high", "n"]
_MANAGERS = [
    "manager_id", "label", "n_people", "n_covered", "n_by_manager", "raw", "estimate", "low",
    "high",
]  # fmt: skip
_KINDS = ["kind", "n", "share", "n_before", "share_before"]
_QUIET = ["rep_id", "name", "last_on", "days"]


def feedback_loop(
    measures: Measures, *, period: str, team: str | None = None, quiet_weeks: int = 13,
    answer_days: int = 90, n_draws: int = 2000,
) -> FeedbackLoop:  # fmt: skip
    """Say who gets feedback, how often, of which kind, and whether it closes the loop.

    People are those with any record in the quarter; a manager's are those in whose last membership
    of the quarter the manager is named. Coverage counts feedback from anybody. Managers are
    compared by rates pulled to each other, and only where they differ beyond chance.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without feedback the result says so.
    period
        Fiscal quarter.
    team
        Id or name; None is the whole company, in which nobody without feedback is named.
    quiet_weeks
        Weeks without any feedback that count as silence.
    answer_days
        Days within which feedback on a skill answers a rating of it.
    n_draws
        Posterior draws a manager.

    Returns
    -------
    FeedbackLoop

    Raises
    ------
    ParameterError
        Quarter or team is unknown.
    """
    measures.check_period(period)
    team_id = measures.find_team(team) if team is not None else None
    unit = measures.unit_name(team_id)
    everything = known_feedback(measures)
    people = people_at_work(measures, period, team_id)
    lacking = ""
    if everything.empty:
        lacking = tr(LACKING)
    elif not people:
        lacking = tr("nobody has a record in {period}", period=period)
    if lacking:
        return _nothing(period, unit, quiet_weeks, answer_days, lacking)
    quarters = [
        _cover(everything, people_at_work(measures, quarter, team_id), quarter)
        for quarter in measures.window(period, _WINDOW)
    ]
    own = everything[everything["rep_id"].isin(people)]
    own = own[own["given_on"] <= closing_day(measures, period)]
    managers, differ = _compare_managers(measures, own, people, period, team_id, n_draws)
    kinds, changed = _compare_kinds(own, measures.calendar.window(period, _WINDOW + 1))
    silence = _find_silence(measures, own, people, period)
    quiet = silence[silence["days"] >= 7 * quiet_weeks]
    return FeedbackLoop(
        period=period,
        unit=unit,
        quarters=pd.DataFrame(quarters, columns=_QUARTERS),
        managers=managers,
        differ=differ,
        kinds=kinds,
        kinds_changed=changed,
        cadence=_find_cadence(measures, own, silence, period, quiet_weeks),
        answers=find_answers(measures, own, people, period=period, days=answer_days),
        reviews=_review_actions(measures, own, people, period),
        quiet=quiet.loc[[team_id is not None] * len(quiet), _QUIET].reset_index(drop=True),
    )


def _nothing(period: str, unit: str, weeks: int, days: int, lacking: str) -> FeedbackLoop:
    nan = float("nan")
    return FeedbackLoop(
        period, unit, pd.DataFrame(columns=_QUARTERS), pd.DataFrame(columns=_MANAGERS), nan,
        pd.DataFrame(columns=_KINDS), nan, Cadence(nan, nan, 0, weeks, 0, 0),
        Answers(days, 0, 0, 0, 0, nan, nan), Reviews("", 0, 0, 0), pd.DataFrame(columns=_QUIET),
        lacking,
    )  # fmt: skip


def _cover(everything: pd.DataFrame, people: list[str], period: str) -> dict[str, object]:
    """Count who had any feedback in a quarter, with Wilson's interval."""
    rows = everything[(everything["period"] == period) & everything["rep_id"].isin(people)]
    n, covered = len(people), rows["rep_id"].nunique()
    share = low = high = float("nan")
    if n:
        share = covered / n
        low, high = find_wilson(share, n)
    figures = (period, n, covered, share, low, high, len(rows))
    return dict(zip(_QUARTERS, figures, strict=True))


def _compare_managers(
    measures: Measures, own: pd.DataFrame, people: list[str], period: str, team_id: str | None,
    n_draws: int,
) -> tuple[pd.DataFrame, float]:  # fmt: skip
    """Compare the share of managers' people with any feedback; best first if they differ."""
    held = managed_by(measures, period, team_id)
    held = held[held["rep_id"].isin(people)].copy()
    if held.empty:
        return pd.DataFrame(columns=_MANAGERS), float("nan")
    rows = own[own["period"] == period].merge(held, on="rep_id")
    in_person = rows.loc[rows["author_id"] == rows["manager_id"], "rep_id"]
    held["is_covered"] = held["rep_id"].isin(rows["rep_id"])
    held["is_by_manager"] = held["rep_id"].isin(in_person)
    found = held.groupby("manager_id", as_index=False).agg(
        n_people=("rep_id", "size"), n_covered=("is_covered", "sum"),
        n_by_manager=("is_by_manager", "sum"), team_id=("team_id", _most_common),
    )  # fmt: skip
    found["label"] = _name_managers(measures, found)
    rates = estimate_rates(
        found["n_covered"], found["n_people"], labels=list(found["manager_id"]), n_draws=n_draws
    )
    shown = rates.to_frame().set_index("label")[["raw", "estimate", "low", "high"]]
    found = found.join(shown, on="manager_id")
    differ = float(rates.heterogeneity.p_value)
    found = found.sort_values("label", ignore_index=True)
    if differ < FALSE_CLAIMS:
        found = found.sort_values("estimate", ascending=False, kind="stable", ignore_index=True)
    return found[_MANAGERS], differ


def _most_common(teams: pd.Series[str]) -> str:
    return str(teams.mode().iloc[0])


def _name_managers(measures: Measures, found: pd.DataFrame) -> pd.Series[str]:
    """Call managers after their team."""
    label = found["team_id"].map(measures.team_name)
    place = found.assign(label=label).groupby("label").cumcount()
    return label.where(place == 0, label + " (" + (place + 1).astype(str) + ")")


def _compare_kinds(own: pd.DataFrame, window: tuple[str, ...]) -> tuple[pd.DataFrame, float]:
    """Count kinds in the quarter and in the four before, and test whether the mix changed."""
    now = own[own["period"] == window[-1]]["kind"].value_counts()
    before = own[own["period"].isin(window[:-1])]["kind"].value_counts()
    table = pd.DataFrame({"n": now, "n_before": before}).fillna(0).astype(int)
    table = table.rename_axis("kind").reset_index()
    for name in ("", "_before"):
        table[f"share{name}"] = table[f"n{name}"] / max(table[f"n{name}"].sum(), 1)
    table = table.sort_values(["n_before", "n", "kind"], ascending=[False, False, True])
    changed = _test_kinds(own[own["period"].isin(window)], window[-1])
    return table.reset_index(drop=True)[_KINDS], changed


def _test_kinds(rows: pd.DataFrame, period: str) -> float:
    """Test whether authors changed their mix of kinds, each beside their own.

    Chance if each author's entries were shuffled over the quarters: authors have kinds of their
    own, and do not write as much every quarter. Source: Mantel (1963), JASA 58, 690-700.
    """
    table = pd.crosstab(rows["author_id"], rows["kind"])
    now = rows[rows["period"] == period]
    said = pd.crosstab(now["author_id"], now["kind"])
    said = said.reindex(index=table.index, columns=table.columns, fill_value=0)
    counts, met = table.to_numpy(float), said.to_numpy(float)
    n, m = counts.sum(axis=1, keepdims=True), met.sum(axis=1, keepdims=True)
    both = ((m > 0) & (m < n)).ravel()
    counts, met, n, m = counts[both], met[both], n[both], m[both]
    expected = (m * counts / n).sum(axis=0)
    rest = counts.sum(axis=0) - expected
    if len(expected) < 2 or min(expected.min(), rest.min()) < _FEWEST_A_KIND:
        return float("nan")
    scale = m * (n - m) / (n**2 * (n - 1))
    spread = np.diag((scale * n * counts).sum(axis=0)) - (scale * counts).T @ counts
    gap = (met.sum(axis=0) - expected)[:-1]
    rank = int(np.linalg.matrix_rank(spread[:-1, :-1]))
    if not rank:
        return 1.0
    size = float(gap @ np.linalg.pinv(spread[:-1, :-1], hermitian=True) @ gap)
    return float(chi2.sf(size, rank))


def _find_silence(
    measures: Measures, own: pd.DataFrame, people: list[str], period: str
) -> pd.DataFrame:
    """Say how long each one has been without feedback at the quarter's end, longest first.

    Who never had any is silent since the first day of work or of the records.
    """
    end = closing_day(measures, period)
    known = measures.people.set_index("rep_id").reindex(people)
    start = pd.Timestamp(measures.calendar.first_day(measures.periods[0]))
    hired = pd.to_datetime(known["hired_on"]).fillna(start)
    hired = hired.where(hired > start, start)
    last = own.groupby("rep_id")["given_on"].max().reindex(people)
    frame = pd.DataFrame(
        {
            "rep_id": people,
            "name": known["name"].fillna(pd.Series(people, index=people)).to_numpy(),
            "last_on": last.to_numpy(),
            "days": (end - last.where(last > hired, hired)).dt.days.to_numpy(),
            "there": (end - hired).dt.days.to_numpy(),
        }
    )
    frame = frame[~(pd.to_datetime(known["left_on"]) <= end).to_numpy()]
    return frame.sort_values(["days", "name"], ascending=[False, True], ignore_index=True)


def _find_cadence(
    measures: Measures, own: pd.DataFrame, silence: pd.DataFrame, period: str, weeks: int
) -> Cadence:
    recent = own[own["period"].isin(measures.window(period, _WINDOW))]
    gaps = recent.groupby("rep_id")["given_on"].diff().dt.days
    by_rep = gaps.groupby(recent["rep_id"]).median().dropna()
    longest = pd.concat([gaps, silence["days"]]).max()
    asked = silence["there"] >= 7 * weeks
    return Cadence(
        median_days=float(by_rep.median()) if len(by_rep) else float("nan"),
        longest_days=float(longest),
        n_people=len(by_rep),
        weeks=weeks,
        n_quiet=int((silence["days"] >= 7 * weeks).sum()),
        n_asked=int(asked.sum()),
    )


def _review_actions(
    measures: Measures, own: pd.DataFrame, people: list[str], period: str
) -> Reviews:
    """Count the actions due the quarter before that were closed, or spoken about since.

    Feedback speaks about an action when it is on its skill; on an action for a KPI any does.
    """
    before = measures.calendar.shift(period, -1)
    rows = measures.actions[measures.actions[actions.rep_id].isin(people)]
    due = pd.to_datetime(rows[actions.due_on])
    first, last = measures.calendar.first_day(before), measures.calendar.last_day(before)
    is_asked = due.between(pd.Timestamp(first), pd.Timestamp(last))
    rows, due = rows[is_asked], due[is_asked]
    is_closed = rows[actions.status].isin(["done", "dropped"])
    skill = rows[actions.skill].astype(object).where(rows[actions.skill].notna(), "")
    said = own.groupby("rep_id")["given_on"].max()
    said_on = own.groupby(["rep_id", "skill"])["given_on"].max()
    keys = pd.MultiIndex.from_arrays([rows[actions.rep_id], skill])
    on_skill = pd.to_datetime(said_on.reindex(keys).to_numpy())
    spoken = np.where(skill != "", on_skill, pd.to_datetime(said.reindex(keys.get_level_values(0))))
    is_spoken = (spoken >= due.to_numpy()) & ~is_closed.to_numpy()
    return Reviews(before, len(rows), int(is_closed.sum()), int(np.sum(is_spoken)))
