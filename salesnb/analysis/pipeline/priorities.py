"""Which open opportunities deserve attention first, why, and what to do next."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.finding import Candidate
from salesnb.analysis.pipeline.frames import KEY
from salesnb.analysis.pipeline.reasons import reasons_in_words
from salesnb.analysis.pipeline.result import PipelineScores
from salesnb.analysis.pipeline.rules import PLAN, STEPS, suggest
from salesnb.analysis.pipeline.teams import check_same, count_open, find_unit
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_things, format_money, within_sentence
from salesnb.errors import ParameterError
from salesnb.language import format_number, format_share, mark, tr, tr_many, write_day
from salesnb.measures.measures import Measures

PRIORITIES_ANCHOR = "priorities"
PRIORITIES = [
    KEY, "account", "rep", "stage", "value", "is_value_typical", "p", "expected", "stake",
    "priority", "is_older", "lowers", "raises", "rule_id", "step", "because", "minutes",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class PipelinePriorities(Result):
    """Open opportunities of a unit, those that deserve attention first.

    Attributes
    ----------
    rows
        One row an opportunity: names, `value`, chance `p`, `expected` (p x value), `stake` (value
        x p x (1 - p)), `priority` (stake per hour of the step), reasons (`lowers`, `raises`), and
        the step with the rule and the figures it comes from.
    unit, n_open
        Whose; all that are open.
    hours
        Hours that were to be spent; None for no limit.
    n_left
        Opportunities left out for want of hours.
    stake_open
        Value x p x (1 - p) of all that are open, listed or not.
    """

    rows: pd.DataFrame
    unit: str
    n_open: int
    hours: float | None
    n_left: int
    stake_open: float
    currency: str
    horizon_days: int
    stalled_days: int
    lacking: str

    @property
    def tells_of_people(self) -> bool:
        """It is about single people."""
        return True

    @property
    def finding(self) -> str:
        """Say how much is at stake in the first few, and what most often comes next."""
        if self.rows.empty:
            nothing = tr("no open opportunity has anything at stake")
            return f"{self.unit}: {self.lacking or nothing}."
        few = self.rows.head(10)
        opened = count_open(self.n_open)
        if not self.stake_open > 0:
            return tr(
                "{unit}: {opened}, none with a value at stake; most need: {step}.",
                unit=self.unit,
                opened=opened,
                step=self._commonest(),
            )
        return tr_many(
            "{unit}: {n} of {opened} holds {share} of what is still undecided; most often next: "
            "{step}.",
            "{unit}: {n} of {opened} hold {share} of what is still undecided; most often next: "
            "{step}.",
            len(few),
            unit=self.unit,
            opened=opened,
            share=format_share(few["stake"].sum() / self.stake_open),
            step=self._commonest(),
        )

    def _commonest(self) -> str:
        rules = self.rows["rule_id"]
        told = rules[rules != PLAN.rule_id]
        counted = (told if len(told) else rules).map(STEPS).value_counts()
        # of equal ones the first by its English text, so that all languages name the same
        return within_sentence(tr(str(min(counted[counted == counted.max()].index))))

    @property
    def caveat(self) -> str:
        """Say what the order is and what it is not."""
        return tr(
            "Ordered by what is still undecided (value x chance x the chance of not winning) per "
            "hour of the suggested step: what is as good as won or lost comes last. It is not what "
            "attention would gain, which no record tells. Steps come from rules, not from the "
            "model; the order is one of opportunities, not of people."
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row an opportunity, first things first."""
        return self.rows.copy()

    def check(self) -> pd.DataFrame:
        """Check that every opportunity is listed, or counted as left out."""
        return pd.DataFrame(
            {"open": [self.n_open], "listed": [len(self.rows)], "left_out": [self.n_left]}
        )

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer how many wait for an overdue date or an answer, as counts."""
        offered = []
        for rule in (mark("overdue"), mark("silent")):
            rows = self.rows[self.rows["rule_id"] == rule]
            if len(rows):
                offered.append(
                    Candidate(
                        self._say_waiting(rule, rows),
                        tr("Rule {rule}; the list says which.", rule=tr(rule)),
                        PRIORITIES_ANCHOR,
                        min(1.0, len(rows) / max(self.n_open, 1)),
                        0.0,
                    )
                )
        return tuple(offered)

    def _say_waiting(self, rule: str, rows: pd.DataFrame) -> str:
        said = {
            "unit": self.unit,
            "opened": count_open(self.n_open),
            "worth": format_money(float(rows["expected"].sum()), self.currency),
        }
        if rule == "overdue":
            return tr_many(
                "{unit}: {n} of {opened} is past its expected close, worth {worth} by its chance.",
                "{unit}: {n} of {opened} are past their expected close, worth {worth} by their "
                "chances.",
                len(rows),
                **said,
            )
        return tr_many(
            "{unit}: {n} of {opened} has had no answered touch for {days} or more, worth {worth} "
            "by its chance.",
            "{unit}: {n} of {opened} have had no answered touch for {days} or more, worth {worth} "
            "by their chances.",
            len(rows),
            days=count_things(self.stalled_days, "day", "days"),
            **said,
        )


def pipeline_priorities(
    scores: PipelineScores, measures: Measures, *, team: str | None = None,
    hours: float | None = None,
) -> PipelinePriorities:  # fmt: skip
    """Order a unit's open opportunities by what attention could decide, with a next step each.

    What is at stake is value x p x (1 - p), largest at even odds. Divided by the hours of the
    suggested step it says where an hour meets most that is undecided.

    Parameters
    ----------
    scores
        From `score_pipeline`.
    measures
        Of the same snapshot, for teams and their names.
    team
        Id or name, with the teams below it; None is the whole company.
    hours
        Hours to spend: the list ends when they are used up. None lists all.

    Returns
    -------
    PipelinePriorities

    Raises
    ------
    ParameterError
        The team is unknown, `hours` is negative, or chances and measures are of different data
        or days.
    """
    if hours is not None and hours < 0:
        raise ParameterError(f"hours: {hours} is negative. Use 0 or more, or None.")
    check_same(scores, measures)
    unit, ids = find_unit(measures, team)
    rows = scores.open
    if ids is not None:
        rows = rows[rows["team_id"].isin(ids)]
    rows = rows.assign(oldest_won=scores.oldest_won)
    steps = suggest(rows, scores.company, scores.stage_days)
    words = reasons_in_words(scores.reasons, rows.set_index(KEY)["stage"])
    stake = (rows["value"] * rows["p"] * (1 - rows["p"])).fillna(0.0)
    listed = rows.assign(stake=stake).join(steps)
    listed = listed.assign(priority=stake / (listed["minutes"].astype(float) / 60))
    listed = listed.join(words, on=KEY).assign(
        lowers=lambda r: r["lowers"].fillna(""), raises=lambda r: r["raises"].fillna("")
    )
    listed = listed.assign(_has_step=listed["rule_id"] != PLAN.rule_id).sort_values(
        ["priority", "_has_step", "value", KEY], ascending=[False, False, False, True]
    )
    kept = _within(listed, hours)
    return PipelinePriorities(
        rows=kept[PRIORITIES].reset_index(drop=True),
        unit=unit,
        n_open=len(rows),
        hours=hours,
        n_left=len(listed) - len(kept),
        stake_open=float(stake.sum()),
        currency=scores.company.currency,
        horizon_days=scores.horizon_days,
        stalled_days=scores.company.stalled_days,
        lacking=_lacking(listed, kept, hours, scores.as_of),
    )


def _lacking(listed: pd.DataFrame, kept: pd.DataFrame, hours: float | None, as_of: dt.date) -> str:
    """Say why nothing is listed; empty where something is."""
    if listed.empty:
        return tr("no opportunity is open on {day}", day=write_day(as_of))
    if len(kept) or hours is None:
        return ""
    minutes = int(listed["minutes"].iloc[0])
    opened = count_open(len(listed))
    return tr(
        "none of {opened} is listed: the step that comes first takes {minutes} minutes, and there "
        "are {minutes_there}",
        opened=opened,
        minutes=minutes,
        minutes_there=format_number(hours * 60, group=False),
    )


def _within(rows: pd.DataFrame, hours: float | None) -> pd.DataFrame:
    if hours is None:
        return rows
    used = np.cumsum(rows["minutes"].to_numpy(dtype=float)) / 60
    return rows[used <= hours]
