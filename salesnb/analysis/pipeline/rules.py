"""Rules that suggest a next step, as data: each says when it applies and how long its step takes.

They are practice, not findings: no figure here says that a step changes the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from salesnb.sources.mapping import Company


@dataclass(frozen=True)
class Test:
    """A figure of an opportunity beside a limit.

    `figure` is a column; `limit` a number, or the name of a setting of the company or of another
    column. `is_missing` holds where the figure is not there.
    """

    figure: str
    holds: Literal["at_least", "above", "at_most", "is_missing"]
    limit: float | str = 0.0
    words: str = ""


@dataclass(frozen=True)
class Rule:
    """A next step, the minutes it is reckoned to take, and the tests that must all hold."""

    rule_id: str
    step: str
    minutes: int
    tests: tuple[Test, ...]


RULES: tuple[Rule, ...] = (
    Rule("no-stage", "Set its stage", 10, (Test("stage_code", "is_missing", words="no stage"),)),
    Rule(
        "no-start",
        "Write down when it began",
        10,
        (
            Test("age_days", "is_missing", words="no day of creation"),
            Test("has_ages", "at_least", 1.0),
        ),
    ),
    Rule(
        "too-old",
        "Close it, or qualify it anew",
        20,
        (Test("age_days", "above", "oldest_won", "open for {0:.0f} days, the oldest won "
              "one took {2:.0f}"),),
    ),
    Rule(
        "overdue",
        "Agree a new closing date with the customer",
        20,
        (Test("due_days", "at_most", -1.0, "expected close passed {1:.0f} days ago"),),
    ),
    Rule(
        "silent",
        "Get an answer from the customer",
        30,
        (Test("untouched_days", "at_least", "stalled_days",
              "no answered touch for {0:.0f} days (limit {2:.0f})"),),
    ),
    Rule(
        "postponed",
        "Find out what holds the decision back",
        45,
        (Test("n_postponed", "at_least", 2.0, "closing date moved {0:.0f} times"),),
    ),
    Rule(
        "stuck",
        "Move it on, or back to where it is",
        45,
        (
            Test("stage_days", "at_least", "stuck_days",
                 "in its stage for {0:.0f} days (three times the usual is {2:.0f})"),
            Test("stage_days", "at_least", "stalled_days"),
        ),
    ),
    Rule(
        "no-meeting",
        "Arrange a first meeting",
        60,
        (
            Test("n_meetings", "at_most", 0.0, "no meeting held so far"),
            Test("n_stages", "at_least", 3.0, "stages entered: {0:.0f}"),
        ),
    ),
    Rule(
        "one-meeting",
        "Arrange a second meeting",
        60,
        (
            Test("n_meetings", "at_most", 1.0, "meetings held so far: {0:.0f}"),
            Test("n_stages", "at_least", 3.0, "stages entered: {0:.0f}"),
        ),
    ),
    Rule(
        "no-date",
        "Ask when they mean to decide",
        20,
        (Test("due_days", "is_missing", words="no expected close"),
         Test("has_dates", "at_least", 1.0)),
    ),
    Rule(
        "no-amount",
        "Find out what it is worth",
        20,
        (Test("amount", "is_missing", words="no amount"),
         Test("has_amounts", "at_least", 1.0)),
    ),
)  # fmt: skip
"""In the order of precedence: the first that applies gives the step. A date or an amount is asked
for only where the CRM keeps any."""

PLAN = Rule("none", "Keep to what is agreed", 60, ())
"""The step where no rule applies."""


def suggest(rows: pd.DataFrame, company: Company, stage_days: pd.Series[float]) -> pd.DataFrame:
    """Give each opportunity the step of the first rule that applies, with the figures behind it.

    Parameters
    ----------
    rows
        Open opportunities of `PipelineScores`, with `oldest_won` (days).
    company
        Whose `stalled_days` count.
    stage_days
        Usual days by stage.

    Returns
    -------
    DataFrame
        Indexed as `rows`: rule_id, step, minutes, and `because`, the figures in words.
    """
    figures = _figures(rows, company, stage_days)
    out = pd.DataFrame(
        {"rule_id": PLAN.rule_id, "step": PLAN.step, "minutes": PLAN.minutes, "because": ""},
        index=rows.index,
    )
    open_still = np.ones(len(rows), dtype=bool)
    for rule in RULES:
        met = open_still & np.logical_and.reduce([_holds(figures, test) for test in rule.tests])
        if met.any():
            for name in ("rule_id", "step", "minutes"):
                out.loc[met, name] = getattr(rule, name)
            out.loc[met, "because"] = _because(figures[met], rule)
        open_still &= ~met
    return out


def _figures(rows: pd.DataFrame, company: Company, stage_days: pd.Series[float]) -> pd.DataFrame:
    usual = rows["stage"].map(stage_days).astype(float)
    has_stages = bool((rows["stage"] != "").any())
    return rows.assign(
        stage_code=np.where((rows["stage"] == "") & has_stages, np.nan, 1.0),
        stalled_days=float(company.stalled_days),
        stuck_days=3 * usual,
        has_ages=float(rows["age_days"].notna().any()),
        has_dates=float(rows["due_days"].notna().any()),
        has_amounts=float(rows["amount"].notna().any()),
    )


def _limit(figures: pd.DataFrame, test: Test) -> np.ndarray:
    if isinstance(test.limit, str):
        return figures[test.limit].to_numpy(dtype=float)
    return np.full(len(figures), test.limit)


def _holds(figures: pd.DataFrame, test: Test) -> np.ndarray:
    value = figures[test.figure].to_numpy(dtype=float)
    if test.holds == "is_missing":
        return np.asarray(np.isnan(value))
    limit = _limit(figures, test)
    if test.holds == "at_most":
        return np.asarray(value <= limit)
    return np.asarray(value > limit if test.holds == "above" else value >= limit)


def _because(figures: pd.DataFrame, rule: Rule) -> list[str]:
    told = [test for test in rule.tests if test.words]
    columns = [zip(figures[test.figure], _limit(figures, test), strict=True) for test in told]
    return [
        "; ".join(
            test.words.format(value, -value, limit)
            for test, (value, limit) in zip(told, cells, strict=True)
        )
        for cells in zip(*columns, strict=True)
    ]
