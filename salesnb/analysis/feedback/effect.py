"""Skills after feedback: symmetric difference-in-differences within people, with a second bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from salesnb.analysis.feedback.profiles import skill_panel, take_out_groups
from salesnb.analysis.feedback.records import DAY, LACKING, known_feedback
from salesnb.analysis.feedback.verdict import (
    CLEAR_ENOUGH,
    FELL,
    MOVED,
    NONE_FOUND,
    UNCLEAR,
    FeedbackEffect,
)
from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.multiplicity import control_any_error
from salesnb.analysis.profiles.forms import find_own
from salesnb.language import mark, tr
from salesnb.measures.measures import Measures
from salesnb.schema import courses, trainings

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

ALL = "all"
_FEWEST_PAIRS, _FEWEST_PEOPLE = 30, 20
_POWER = 0.8
_NO_RATINGS = mark("it needs the ratings table; the snapshot has none")
_COLUMNS = [
    "kind", "n", "n_people", "effect", "low", "high", "bound", "bound_low", "bound_high", "placebo",
    "placebo_p", "detectable", "naive", "p_value", "p_adjusted", "verdict",
]  # fmt: skip


@dataclass(frozen=True)
class _Cells:
    """Person-skills around a quarter: one row each, for every quarter feedback can be in.

    `kind` is the feedback that followed the quarter's rating ("" for none); `after`, `before`,
    `just` (the quarter itself), `earlier` are points; `person`, `moment` (person x quarter) and
    `subject` (skill x quarter) are group numbers.
    """

    kind: NDArray[np.object_]
    after: Floats
    before: Floats
    just: Floats
    earlier: Floats
    person: Ints
    moment: Ints
    subject: Ints

    def take(self, rows: NDArray[np.bool_]) -> _Cells:
        fields = {name: value[rows] for name, value in vars(self).items()}
        for name in ("person", "moment", "subject"):
            fields[name] = np.unique(fields[name], return_inverse=True)[1]
        return _Cells(**fields)


@dataclass(frozen=True)
class _Fit:
    effect: float
    error: float
    df: int

    @property
    def p_value(self) -> float:
        return float(2 * student.sf(abs(self.effect) / self.error, self.df))

    @property
    def reach(self) -> float:
        return float(student.ppf(0.975, self.df) * self.error)


def feedback_effect(measures: Measures, *, period: str, team: str | None = None) -> FeedbackEffect:
    """Compare how skills with feedback moved with the same people's other skills.

    A skill's points are beside the same form's others, so that strictness, mood and level are out.
    Feedback goes to skills just rated low or high, which move back by themselves; so the last
    rating before the feedback is the middle, it and the quarters beside it are left out, and the
    two quarters before are compared with the two after, at equal distance. Person-quarters and
    skill-quarters are taken out. The second bound is the regression of the points after on those
    before and in the middle. Only where both agree, and nothing moved before the feedback, is a
    difference claimed. Skills under training and those with other feedback in these seven quarters
    are left out. Standard errors are by person.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without feedback or ratings the result says so.
    period
        Last quarter of ratings to use.
    team
        Id or name: only people rated in it in the quarter; default the whole company.

    Returns
    -------
    FeedbackEffect

    Raises
    ------
    ParameterError
        Quarter or team is unknown.

    Source: Chabe-Ferret (2015), J. Econometrics 185, 110-123 (symmetric differences); Angrist &
    Pischke (2009), Mostly Harmless Econometrics, 5.4 (bracketing by the lagged outcome).
    """
    measures.check_period(period)
    team_id = measures.find_team(team) if team is not None else None
    unit = measures.unit_name(team_id)
    empty = pd.DataFrame(columns=_COLUMNS)
    if measures.feedback.empty or measures.ratings.empty:
        lacking = tr(LACKING) if measures.feedback.empty else tr(_NO_RATINGS)
        return FeedbackEffect(period, unit, empty, lacking)
    periods = tuple(name for name in measures.periods if name <= period)
    panel = skill_panel(measures.ratings, periods)
    if team_id is not None:
        within = measures.members(team_id, period)
        panel = panel[panel.index.get_level_values("rep_id").isin(within)]
    rows = compare_kinds(
        panel, mark_feedback(measures, panel, periods), _mark_trained(measures, panel, periods)
    )
    return FeedbackEffect(period, unit, rows)


def compare_kinds(
    panel: pd.DataFrame, kinds: NDArray[np.object_], trained: NDArray[np.bool_]
) -> pd.DataFrame:
    """Compare skills after each kind of feedback with the same people's other skills.

    Parameters
    ----------
    panel
        From `skill_panel`: N person-skills by T quarters.
    kinds : (N, T) the kind of feedback that followed a quarter's rating, "" for none.
    trained : (N, T) whether a course on the skill was assigned or completed.

    Returns
    -------
    DataFrame
        As `FeedbackEffect.rows`.
    """
    cells = _gather(panel, kinds, trained)
    names = [ALL, *sorted(set(cells.kind) - {""})]
    return _judge(pd.DataFrame([_compare(cells, kind) for kind in names], columns=_COLUMNS))


def mark_feedback(
    measures: Measures, panel: pd.DataFrame, periods: tuple[str, ...]
) -> NDArray[np.object_]:
    """Write the kind of feedback into (person-skill, quarter of the last rating before it)."""
    marks = np.full((len(panel), len(periods)), "", dtype=object)
    rows = measures.ratings
    rows = rows[~find_own(rows) & rows["period"].isin(periods)]
    rated = rows.assign(day=pd.to_datetime(rows["rated_on"]).astype(DAY)).astype({"rep_id": str})
    rated = (
        rated.groupby(["rep_id", "period"])["day"].max().dropna().reset_index().sort_values("day")
    )
    said = known_feedback(measures).astype({"rep_id": str}).drop(columns="period")
    seen = pd.merge_asof(
        said[said["skill"] != ""], rated, left_on="given_on", right_on="day", by="rep_id",
        allow_exact_matches=False,
    ).dropna(subset=["period"])  # fmt: skip
    row = panel.index.get_indexer(pd.MultiIndex.from_frame(seen[["rep_id", "skill"]]))
    column = seen["period"].map({name: place for place, name in enumerate(periods)}).to_numpy(int)
    marks[row[row >= 0], column[row >= 0]] = seen["kind"][row >= 0]
    return marks


def _mark_trained(
    measures: Measures, panel: pd.DataFrame, periods: tuple[str, ...]
) -> NDArray[np.bool_]:
    """Mark (person-skill, quarter) in which a course on the skill was assigned or completed."""
    marks = np.zeros((len(panel), len(periods)), dtype=bool)
    of = measures.courses.drop_duplicates(courses.course_id).set_index(courses.course_id)
    for when in (trainings.assigned_on, trainings.completed_on):
        rows = measures.trainings.dropna(subset=[when])
        pairs = [rows[trainings.rep_id], rows[trainings.course_id].map(of[courses.skill])]
        row = panel.index.get_indexer(pd.MultiIndex.from_arrays(pairs))
        days = pd.to_datetime(rows[when])
        names = [measures.calendar.quarter_of(day.date()) for day in days]
        column = pd.Index(periods).get_indexer(pd.Index(names))
        known = (row >= 0) & (column >= 0)
        marks[row[known], column[known]] = True
    return marks


def _gather(panel: pd.DataFrame, marks: NDArray[np.object_], trained: NDArray[np.bool_]) -> _Cells:
    """Put the windows around every quarter under one another.

    After the rating of quarter q came the feedback: q-2 is paired with q+2 and q-3 with q+3, at
    equal distance; earlier is q-5 and q-4.
    """
    points = panel.to_numpy(float)
    n_rows, n_quarters = points.shape
    person = pd.factorize(panel.index.get_level_values("rep_id"))[0]
    skill = pd.factorize(panel.index.get_level_values("skill"))[0]
    parts = []
    for q in range(2, n_quarters - 2):
        near = slice(max(q - 3, 0), q + 4)
        others = (marks[:, near] != "").sum(axis=1) - (marks[:, q] != "")
        is_clean = (others == 0) & ~trained[:, near].any(axis=1)
        before, after = _pair(points, q)
        parts.append(
            {
                "kind": marks[:, q],
                "after": after,
                "before": before,
                "just": points[:, q],
                "earlier": _mean(points[:, max(q - 5, 0) : max(q - 3, 0)]),
                "person": person,
                "moment": person + q * (person.max(initial=0) + 1),
                "subject": skill + q * (skill.max(initial=0) + 1),
                "is_clean": is_clean,
            }
        )
    if not parts:
        parts = [dict.fromkeys([*_Cells.__dataclass_fields__, "is_clean"], np.empty(0))]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    is_clean = whole.pop("is_clean").astype(bool)
    cells = _Cells(**whole)
    return cells.take(is_clean & np.isfinite(cells.after) & np.isfinite(cells.before))


def _pair(points: Floats, q: int) -> tuple[Floats, Floats]:
    """Average the quarters before and after over the pairs of which both are known."""
    n_quarters = points.shape[1]
    spans = [(q - 2, q + 2), (q - 3, q + 3)]
    whole = np.array([span for span in spans if span[0] >= 0 and span[1] < n_quarters])
    before, after = points[:, whole[:, 0]], points[:, whole[:, 1]]
    known = np.isfinite(before) & np.isfinite(after)
    return _mean(np.where(known, before, np.nan)), _mean(np.where(known, after, np.nan))


def _mean(points: Floats) -> Floats:
    """Average what is known of each row; missing where nothing is."""
    known = np.isfinite(points)
    n = known.sum(axis=1)
    total = np.where(known, points, 0.0).sum(axis=1)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def _compare(cells: _Cells, kind: str) -> dict[str, object]:
    """Compare the skills with one kind of feedback with those without any."""
    chosen = cells.kind != "" if kind == ALL else cells.kind == kind
    found = cells.take(chosen | (cells.kind == ""))
    given = found.kind != ""
    n, n_people = int(given.sum()), len(np.unique(found.person[given]))
    row = dict.fromkeys(_COLUMNS, np.nan) | {"kind": kind, "n": n, "n_people": n_people}
    if n < _FEWEST_PAIRS or n_people < _FEWEST_PEOPLE:
        return row
    change = _fit(found, found.after - found.before, given)
    known = np.isfinite(found.just)
    late = found.take(known)
    bound = _fit(late, late.after, given[known], late.before, late.just)
    row |= {
        "effect": change.effect, "low": change.effect - change.reach,
        "high": change.effect + change.reach,
        "bound": bound.effect, "bound_low": bound.effect - bound.reach,
        "bound_high": bound.effect + bound.reach,
        "detectable": float((student.ppf(0.975, change.df) + student.ppf(_POWER, change.df))
                            * change.error),
        "naive": float(np.nanmean((found.after - found.just)[given])),
        "p_value": max(change.p_value, bound.p_value),
    }  # fmt: skip
    if change.effect * bound.effect <= 0:
        row["p_value"] = 1.0
    return row | _placebo(found, given)


def _placebo(cells: _Cells, given: NDArray[np.bool_]) -> dict[str, object]:
    """Ask the same of the two windows before the feedback, where nothing can have come of it."""
    known = np.isfinite(cells.earlier)
    if given[known].sum() < _FEWEST_PAIRS:
        return {}
    early = cells.take(known)
    fit = _fit(early, early.before - early.earlier, given[known])
    return {"placebo": fit.effect, "placebo_p": fit.p_value}


def _fit(cells: _Cells, outcome: Floats, given: NDArray[np.bool_], *lags: Floats) -> _Fit:
    """Regress on having had feedback within person-quarters and skill-quarters.

    The standard error is by person, with the correction for their number; only people with
    feedback tell anything, so the degrees of freedom are theirs.
    """
    columns = np.column_stack([outcome, given, *lags])
    left = take_out_groups(columns, cells.moment, cells.subject)
    y, x, controls = left[:, 0], left[:, 1], left[:, 2:]
    if controls.size:
        y, x = (v - controls @ np.linalg.lstsq(controls, v, rcond=None)[0] for v in (y, x))
    square = float(x @ x)
    effect = float(x @ y) / square
    by_person = np.bincount(cells.person, x * (y - effect * x))
    n = len(np.unique(cells.person[given]))
    error = float(np.sqrt((by_person**2).sum() * n / (n - 1))) / square
    return _Fit(effect, max(error, 1e-12), n - 1)


def _judge(rows: pd.DataFrame) -> pd.DataFrame:
    """Allow for the number of kinds (Holm), and say what can be said of each."""
    tested = rows["p_value"].notna()
    rows = rows.assign(p_adjusted=control_any_error(rows["p_value"]))
    is_calm = rows["placebo_p"] >= FALSE_CLAIMS  # not where it could not be checked
    differs = rows["p_adjusted"] < FALSE_CLAIMS
    is_quiet = ~differs & ~(rows["placebo_p"] < FALSE_CLAIMS)
    told = np.where(rows["effect"] > 0, MOVED, FELL)
    verdict = np.where(differs & is_calm, told, UNCLEAR)
    verdict = np.where(is_quiet & (rows["detectable"] <= CLEAR_ENOUGH), NONE_FOUND, verdict)
    return rows.assign(verdict=np.where(tested, verdict, UNCLEAR))
