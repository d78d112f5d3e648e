"""Who is compared with whom over which quarters, and what comes of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.impact.effect import UNKNOWN, Bools, Effect
from salesnb.analysis.impact.estimators import (
    COMPARED_WITHIN_TEAMS,
    change_effect,
    lagged_outcome,
    level_gap,
    overlap,
    placebo,
    pre_trend,
    symmetric_did,
    team_effect,
    waitlist_ancova,
    waitlist_p_value,
)
from salesnb.analysis.impact.panel import Panel
from salesnb.analysis.impact.programmes import Design, named_trainings
from salesnb.analysis.impact.windows import Ints, Windows, symmetric_windows, waitlist_windows
from salesnb.measures.measures import Measures
from salesnb.schema import trainings

FEW = 30
"""People on the smaller side of a lottery below which it is drawn again to test it."""
_DRAWS = 2000
EVENTS = [
    "period", "relative", "role", "effect", "error", "low", "high", "trained", "untrained",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Study:
    """One programme's comparison, for any outcome.

    Attributes
    ----------
    design
        How it can be judged.
    at
        Quarter of the training.
    trained
        Who was assigned, whether or not they completed.
    compared
        Who may be compared with them.
    until
        First quarter that no longer counts: those compared are trained then. None without.
    """

    design: Design
    at: str
    trained: frozenset[str]
    compared: frozenset[str]
    until: str | None = None


@dataclass(frozen=True, eq=False)
class Comparison:
    """A study of one outcome.

    Attributes
    ----------
    panel, trained, windows
        Rows that are compared.
    effect, bound
        The effect, and for people who were chosen the second bound.
    pre_trend, placebo
        What should be zero; of a lottery, `placebo` is the difference before.
    overlap
        Share of the trained whose level before is usual among those compared.
    permutation_p
        Of a small lottery drawn again; else missing.
    """

    design: Design
    panel: Panel
    trained: Bools
    windows: Windows
    effect: Effect
    bound: Effect
    pre_trend: Effect
    placebo: Effect
    overlap: float
    permutation_p: float


def design_study(measures: Measures, programme: pd.Series, *, ramped: frozenset[str]) -> Study:
    """Decide who is compared.

    A lottery is judged against those who lost it: who was assigned to the same course by lot
    later. Without them, and for all other rules, against everyone who was never assigned to it.

    Parameters
    ----------
    measures
        With trainings.
    programme
        A row of `Programmes`.
    ramped
        Who was past the ramp before the first quarter compared.
    """
    rows = named_trainings(measures)
    same = rows[rows[trainings.course_id] == programme["course_id"]]
    own = same[same["programme"] == programme["programme"]]
    trained = frozenset(own[trainings.rep_id])
    at = str(programme["period"])
    later = same[same["period"] > at]
    if programme["design"] == "lottery":
        waits = later[later[trainings.selection_rule] == programme["rule"]]
        if len(waits):
            first = waits[waits["period"] == waits["period"].min()]
            stayed = _here_on(measures, first["assigned_on"].min().date())
            compared = frozenset(first[trainings.rep_id]) - trained
            until = str(first["period"].iloc[0])
            return Study("lottery", at, trained & stayed, compared & stayed, until)
    design: Design = "team" if programme["design"] == "team" else "chosen"
    others = frozenset(same[trainings.rep_id])
    compared = ramped - others
    return Study(design, at, trained & ramped, compared)


def design_ramped(measures: Measures, programme: pd.Series, periods: tuple[str, ...]) -> Study:
    """Design the comparison with those only who were past the ramp by its first quarter.

    `periods` are the quarters there are. A lottery keeps everybody: chance has ramped both alike.
    """
    study = design_study(measures, programme, ramped=frozenset(measures.people["rep_id"]))
    windows = lay_windows(study, periods)
    if study.design == "lottery" or not windows.is_usable:
        return study
    day = measures.calendar.first_day(periods[int(windows.before[0])])
    return design_study(measures, programme, ramped=find_ramped(measures, day))


def find_ramped(measures: Measures, day: dt.date) -> frozenset[str]:
    """Find who was past the ramp on a day; who has no day of hiring counts as past it."""
    people = measures.people
    hired = pd.to_datetime(people["hired_on"])
    ramp = pd.Timedelta(days=measures.company.ramp_days)
    is_ramped = hired.isna() | (hired + ramp <= pd.Timestamp(day))
    return frozenset(people.loc[is_ramped, "rep_id"])


def _here_on(measures: Measures, day: dt.date) -> frozenset[str]:
    """Find who had not left by a day: who waited is known only of those still here."""
    people = measures.people
    left = pd.to_datetime(people["left_on"])
    return frozenset(people.loc[left.isna() | (left > pd.Timestamp(day)), "rep_id"])


def lay_windows(study: Study, periods: tuple[str, ...]) -> Windows:
    """Lay the study's windows over the quarters of an outcome."""
    usable = [name for name in periods if study.until is None or name < study.until]
    at = sum(name < study.at for name in usable)
    lay = waitlist_windows if study.design == "lottery" else symmetric_windows
    return lay(at, max(len(usable), at + 1))


def compare(study: Study, panel: Panel, *, random_state: int = 0) -> Comparison:
    """Estimate what a programme did to an outcome, with all checks.

    People chosen so that most have no untrained colleagues are compared as teams.
    """
    windows = lay_windows(study, panel.periods)
    rows = np.isin(panel.units, list(study.trained | study.compared))
    panel = panel.take(rows)
    trained = np.isin(panel.units, list(study.trained))
    if not windows.is_usable or not trained.any() or trained.all():
        empty = (UNKNOWN,) * 4
        return Comparison(study.design, panel, trained, windows, *empty, np.nan, np.nan)
    if study.design == "lottery":
        return _compare_lottery(panel, trained, windows, random_state)
    if study.design == "team" or _share_with_colleagues(panel, trained) < COMPARED_WITHIN_TEAMS:
        return _compare_teams(panel, trained, windows)
    return Comparison(
        "chosen", panel, trained, windows, symmetric_did(panel, trained, windows),
        lagged_outcome(panel, trained, windows), pre_trend(panel, trained, windows),
        placebo(panel, trained, windows), overlap(panel, trained, windows), np.nan,
    )  # fmt: skip


def _compare_lottery(
    panel: Panel, trained: Bools, windows: Windows, random_state: int
) -> Comparison:
    effect = waitlist_ancova(panel, trained, windows)
    is_small = min(effect.n_trained, effect.n_compared) < FEW
    permuted = (
        waitlist_p_value(panel, trained, windows, n_draws=_DRAWS, random_state=random_state)
        if is_small else np.nan
    )  # fmt: skip
    return Comparison(
        "lottery", panel, trained, windows, effect, UNKNOWN, UNKNOWN,
        level_gap(panel, trained, windows), overlap(panel, trained, windows), permuted,
    )  # fmt: skip


def _compare_teams(panel: Panel, trained: Bools, windows: Windows) -> Comparison:
    half = len(windows.earlier) // 2
    earlier, later = windows.earlier[:half], windows.earlier[-half:]
    made_up = team_effect(panel, trained, earlier, later) if half else UNKNOWN
    effect = team_effect(panel, trained, windows.before, windows.after)
    return Comparison(
        "team", panel, trained, windows, effect, UNKNOWN, UNKNOWN, made_up, np.nan, np.nan
    )


def _share_with_colleagues(panel: Panel, trained: Bools) -> float:
    with_untrained = set(panel.groups[~trained])
    return float(np.mean([team in with_untrained for team in panel.groups[trained]]))


def follow(comparison: Comparison) -> pd.DataFrame:
    """Compare quarter by quarter with the level before: the event study.

    Returns
    -------
    DataFrame
        period, relative (quarters since the training), role (earlier, before, left out, chosen,
        training, after), effect, error, low, high (95%), trained, untrained: both sides' own
        change since before, as a naive reader sees it.
    """
    windows, panel, trained = comparison.windows, comparison.panel, comparison.trained
    rows = []
    for column, name in enumerate(panel.periods[: _last(windows) + 1]):
        here = np.array([column])
        found = _change_in(comparison, here)
        changes = [_own_change(panel.take(side), windows, here) for side in (trained, ~trained)]
        rows.append(
            (name, column - windows.at, _role(windows, column), found.estimate, found.error,
             *found.interval(0.95), *changes)
        )  # fmt: skip
    return pd.DataFrame(rows, columns=EVENTS)


def _change_in(comparison: Comparison, here: Ints) -> Effect:
    panel, trained, before = comparison.panel, comparison.trained, comparison.windows.before
    change = team_effect if comparison.design == "team" else change_effect
    return change(panel, trained, before, here)


def _own_change(panel: Panel, windows: Windows, here: Ints) -> float:
    records = panel.denominator[:, here].sum(), panel.denominator[:, windows.before].sum()
    if min(records) <= 0:
        return float("nan")
    now = panel.numerator[:, here].sum() / records[0]
    return float(now - panel.numerator[:, windows.before].sum() / records[1])


def _last(windows: Windows) -> int:
    return int(windows.after.max()) if len(windows.after) else windows.at


def _role(windows: Windows, column: int) -> str:
    if column in windows.before:
        return "before"
    if column in windows.selection:
        return "chosen"
    if column == windows.at:
        return "training"
    if column in windows.after:
        return "after"
    return "earlier" if column in windows.earlier else "left out"
