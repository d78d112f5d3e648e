"""Which training programmes there were, how people were chosen, and what can be said yet."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from salesnb.analysis.impact.windows import FEWEST, symmetric_windows, waitlist_windows
from salesnb.analysis.result import Result
from salesnb.errors import ParameterError, meant, quote_examples
from salesnb.language import tr
from salesnb.measures.measures import Measures
from salesnb.schema import courses, trainings

Design = Literal["lottery", "team", "chosen"]

READY = "can be judged"
FEWEST_PEOPLE = 5
"""People below which a programme is not judged by comparing people."""
PROGRAMMES_ANCHOR = "programmes"
_COLUMNS = [
    "programme", "course_id", "course", "skill", "rule", "design", "assigned_on", "period",
    "n_assigned", "n_completed", "n_after", "status",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Programmes(Result):
    """All training programmes, the latest first.

    Attributes
    ----------
    period
        Last quarter looked at.
    rows
        One row a programme: `programme` (its name), `course_id`, `course`, the `skill` trained,
        the selection `rule` as recorded, the `design` that follows from it (lottery, team,
        chosen), first `assigned_on` with its `period`, people assigned and completed by then, whole
        quarters since (`n_after`), and `status`: whether anything can be said yet.
    lacking
        What is missing to list any.
    """

    period: str
    rows: pd.DataFrame
    lacking: str = ""

    @property
    def finding(self) -> str:
        """Say how many programmes can be judged."""
        if self.lacking:
            return tr("No programmes: {why}.", why=self.lacking)
        return tr(
            "{n} of {total} training programmes can be judged by {period}.",
            n=int((self.rows["status"] == READY).sum()), total=len(self.rows), period=self.period,
        )  # fmt: skip

    @property
    def caveat(self) -> str:
        """Say what makes a programme judgeable."""
        return tr(
            "A programme can be judged once a whole quarter has passed after that of the training, "
            "and only against quarters before it."
        )

    @property
    def latest(self) -> str:
        """Name the latest programme that can be judged; '' when there is none."""
        ready = self.rows[self.rows["status"] == READY]
        return "" if ready.empty else str(ready["programme"].iloc[0])

    def to_frame(self) -> pd.DataFrame:
        """List one row a programme."""
        return self.rows.copy()

    def find(self, name: str) -> pd.DataFrame:
        """Find the programmes that a name means: one programme's, or a course's.

        Raises
        ------
        ParameterError
            There is none of that name; the message lists those there are.
        """
        name = name or self.latest
        own = self.rows[self.rows["programme"] == name]
        if own.empty:
            own = self.rows[(self.rows["course_id"] == name) | (self.rows["course"] == name)]
        if own.empty and not name:
            return own
        if own.empty:
            known = quote_examples(self.rows["programme"], most=20)
            names = [*self.rows["programme"], *self.rows["course"]]
            raise ParameterError(
                f"programme: {name!r} is unknown. Known: {known or 'none'}.{meant(name, names)}"
            )
        return own


def programmes(measures: Measures, *, period: str = "") -> Programmes:
    """List the training programmes with rule, size, dates, and whether anything can be said yet.

    A programme is a course's cohort; people without one who were assigned to a course in the same
    quarter are one. Who waits for a lottery's next turn is a programme too.

    Parameters
    ----------
    measures
        From `load_measures`; without trainings the result is empty and says so.
    period
        Last quarter to look at; '' is the latest.

    Returns
    -------
    Programmes

    Raises
    ------
    ParameterError
        The quarter is outside the data.
    """
    last = period or measures.periods[-1]
    measures.check_period(last)
    rows = named_trainings(measures)
    rows = rows[rows["period"] <= last]
    if rows.empty:
        lacking = (
            tr("impact needs trainings; the snapshot has none") if measures.trainings.empty
            else tr("nobody was assigned to a training by {period}", period=last)
        )  # fmt: skip
        return Programmes(last, pd.DataFrame(columns=_COLUMNS), lacking)
    whole = [name for name in measures.periods if name <= last and measures.is_whole(name)]
    found = _summarise(rows, measures, last)
    found["n_after"] = [sum(name > period for name in whole) for period in found["period"]]
    found["status"] = [_status(row, found, whole) for row in found.to_dict("records")]
    order = ["assigned_on", "programme"]
    found = found.sort_values(order, ascending=[False, True], ignore_index=True)
    return Programmes(last, found[_COLUMNS])


def named_trainings(measures: Measures) -> pd.DataFrame:
    """List trainings with `programme` and the `period` they were assigned in.

    Trainings without a day are left out: nothing is before or after them.
    """
    rows = measures.trainings
    rows = rows[rows[trainings.assigned_on].notna()].reset_index(drop=True)
    days = pd.to_datetime(rows[trainings.assigned_on])
    quarter = np.array([measures.calendar.quarter_of(day.date()) for day in days], dtype=object)
    rows = rows.assign(period=quarter, assigned_on=days)
    course, cohort = rows[trainings.course_id].astype(str), rows[trainings.cohort]
    cohort = cohort.astype(object).where(cohort.notna() & (cohort != ""), None)
    several = rows.groupby(cohort)[trainings.course_id].nunique()
    is_shared = cohort.map(several).fillna(0) > 1
    name = cohort.where(~is_shared, course + " " + cohort.astype(str))
    name = name.where(cohort.notna(), course + " " + rows["period"].astype(str))
    return rows.assign(programme=name.astype(object))


def design_of(rule: str) -> Design:
    """Tell from the recorded selection rule how a programme can be judged.

    >>> design_of("lottery"), design_of("whole team"), design_of("weakest"), design_of("")
    ('lottery', 'team', 'chosen', 'chosen')
    """
    words = rule.lower()
    if "lotter" in words or "random" in words or words in ("by lot", "draw"):
        return "lottery"
    return "team" if "team" in words else "chosen"


def _summarise(rows: pd.DataFrame, measures: Measures, last: str) -> pd.DataFrame:
    completed = pd.to_datetime(rows[trainings.completed_on])
    by_then = completed <= pd.Timestamp(measures.calendar.last_day(last))
    rows = rows.assign(completed_by=rows[trainings.rep_id].where(by_then))
    found = rows.groupby("programme", as_index=False).agg(
        course_id=(trainings.course_id, "first"),
        rule=(trainings.selection_rule, "first"),
        assigned_on=("assigned_on", "min"),
        period=("period", "min"),
        n_assigned=(trainings.rep_id, "nunique"),
        n_completed=("completed_by", "nunique"),
    )
    known = measures.courses.drop_duplicates(courses.course_id).set_index(courses.course_id)
    found["course"] = found["course_id"].map(known[courses.name]).fillna(found["course_id"])
    found["skill"] = found["course_id"].map(known[courses.skill]).fillna("")
    found["rule"] = found["rule"].fillna("").astype(str)
    found["design"] = [design_of(rule) for rule in found["rule"]]
    found["assigned_on"] = found["assigned_on"].dt.date
    return found


def _status(row: dict[Hashable, Any], all_rows: pd.DataFrame, whole: list[str]) -> str:
    """Say whether a programme can be judged, or why not yet."""
    lotteries = all_rows[
        (all_rows["course_id"] == row["course_id"]) & (all_rows["design"] == "lottery")
    ]
    if row["design"] == "lottery" and not row["n_completed"] and len(lotteries) > 1:
        return tr("waits: compared with those drawn first")
    if row["n_after"] == 0:
        return tr("too early: no whole quarter since")
    if row["n_assigned"] < FEWEST_PEOPLE:
        return tr("fewer than {n} people", n=FEWEST_PEOPLE)
    at = sum(name < row["period"] for name in whole)
    lay = waitlist_windows if row["design"] == "lottery" else symmetric_windows
    windows = lay(at, max(len(whole), at + 1))
    return READY if len(windows.before) >= FEWEST else tr("too few quarters before it")
