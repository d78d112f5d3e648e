"""Rules that suggest a next step, as data: each says when it applies and how long its step takes.

They are practice, not findings: no figure here says that a step changes the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from salesnb.language import format_number, mark, tr
from salesnb.sources.mapping import Company


@dataclass(frozen=True)
class Test:
    """A figure of an opportunity beside a limit.

    `figure` is a column; `limit` a number, or the name of a setting of the company or of another
    column. `is_missing` holds where the figure is not there. `words` are to be said by `tr`, with
    `{value}`, `{limit}` and, of days to come, `{past}`.
    """

    figure: str
    holds: Literal["at_least", "above", "at_most", "is_missing"]
    limit: float | str = 0.0
    words: str = ""


@dataclass(frozen=True)
class Rule:
    """A next step, the minutes it is reckoned to take, and the tests that must all hold.

    `step` is a text to be said by `tr`.
    """

    rule_id: str
    step: str
    minutes: int
    tests: tuple[Test, ...]


RULES: tuple[Rule, ...] = (
    Rule(
        "no-stage",
        mark("Set its stage"),
        10,
        (Test("stage_code", "is_missing", words=mark("no stage")),),
    ),
    Rule(
        "no-start",
        mark("Write down when it began"),
        10,
        (
            Test("age_days", "is_missing", words=mark("no day of creation")),
            Test("has_ages", "at_least", 1.0),
        ),
    ),
    Rule(
        "too-old",
        mark("Close it, or qualify it anew"),
        20,
        (Test("age_days", "above", "oldest_won",
              mark("open for {value} days, the oldest won one took {limit}")),),
    ),
    Rule(
        "overdue",
        mark("Agree a new closing date with the customer"),
        20,
        (Test("due_days", "at_most", -1.0, mark("expected close passed {past} days ago")),),
    ),
    Rule(
        "silent",
        mark("Get an answer from the customer"),
        30,
        (Test("untouched_days", "at_least", "stalled_days",
              mark("no answered touch for {value} days (limit {limit})")),),
    ),
    Rule(
        "postponed",
        mark("Find out what holds the decision back"),
        45,
        (Test("n_postponed", "at_least", 2.0, mark("closing date moved {value} times")),),
    ),
    Rule(
        "stuck",
        mark("Move it on, or back to where it is"),
        45,
        (
            Test("stage_days", "at_least", "stuck_days",
                 mark("in its stage for {value} days (three times the usual is {limit})")),
            Test("stage_days", "at_least", "stalled_days"),
        ),
    ),
    Rule(
        "no-meeting",
        mark("Arrange a first meeting"),
        60,
        (
            Test("n_meetings", "at_most", 0.0, mark("no meeting held so far")),
            Test("n_stages", "at_least", 3.0, mark("stages entered: {value}")),
        ),
    ),
    Rule(
        "one-meeting",
        mark("Arrange a second meeting"),
        60,
        (
            Test("n_meetings", "at_most", 1.0, mark("meetings held so far: {value}")),
            Test("n_stages", "at_least", 3.0, mark("stages entered: {value}")),
        ),
    ),
    Rule(
        "no-date",
        mark("Ask when they mean to decide"),
        20,
        (Test("due_days", "is_missing", words=mark("no expected close")),
         Test("has_dates", "at_least", 1.0)),
    ),
    Rule(
        "no-amount",
        mark("Find out what it is worth"),
        20,
        (Test("amount", "is_missing", words=mark("no amount")),
         Test("has_amounts", "at_least", 1.0)),
    ),
)  # fmt: skip
"""In the order of precedence: the first that applies gives the step. A date or an amount is asked
for only where the CRM keeps any."""

PLAN = Rule("none", mark("Keep to what is agreed"), 60, ())
"""The step where no rule applies."""

STEPS = {rule.rule_id: rule.step for rule in (*RULES, PLAN)}
"""Steps by rule, in English."""


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
        {"rule_id": PLAN.rule_id, "minutes": PLAN.minutes, "because": ""},
        index=rows.index,
    )
    open_still = np.ones(len(rows), dtype=bool)
    for rule in RULES:
        met = open_still & np.logical_and.reduce([_holds(figures, test) for test in rule.tests])
        if met.any():
            out.loc[met, "rule_id"], out.loc[met, "minutes"] = rule.rule_id, rule.minutes
            out.loc[met, "because"] = _because(figures[met], rule)
        open_still &= ~met
    said = {rule_id: tr(step) for rule_id, step in STEPS.items()}
    out.insert(1, "step", out["rule_id"].map(said))
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
            tr(test.words, **_said(value, limit))
            for test, (value, limit) in zip(told, cells, strict=True)
        )
        for cells in zip(*columns, strict=True)
    ]


def _said(value: float, limit: float) -> dict[str, str]:
    figures = {"value": value, "past": -value, "limit": limit}
    return {name: format_number(figure, group=False) for name, figure in figures.items()}
