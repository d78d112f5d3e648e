"""Which method foresees best, by time: learned before, chosen later, judged latest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.pipeline.frames import DAY, KEY, OUTCOME, is_enough, thin
from salesnb.analysis.pipeline.models import MANY, Method, fit
from salesnb.analysis.pipeline.quality import Quality, judge
from salesnb.measures.pictures import Feature

_MONTHS = 3
"""Months' ends that a method is chosen on, and as many it is judged on."""
TRIED = ["method", "log_loss", "better_by", "p_value"]


@dataclass(frozen=True, eq=False)
class Choice:
    """The method chosen.

    Attributes
    ----------
    quality, table_quality
        How right it, and the table by stage, were on the latest months.
    tried
        method, log_loss on the months before those, better_by (mean log loss below the simpler
        one chosen until then) and p_value of that.
    """

    method: Method
    quality: Quality
    table_quality: Quality
    tried: pd.DataFrame


@dataclass(frozen=True, eq=False)
class _Split:
    before: pd.DataFrame
    held_out: pd.DataFrame


def choose_method(
    rows: pd.DataFrame, features: tuple[Feature, ...], horizon_days: int, random_state: int
) -> Choice | None:
    """Choose by log loss on held-out months, simplest first; None where too little is known.

    A method takes the place of a simpler one only if it is better beyond chance, opportunities
    being drawn anew; and if it is not worse than the table on the latest months either.
    """
    last = _cut(rows, horizon_days)
    if last is None:
        return None
    method, tried = _try(last.before, features, horizon_days)
    found = judge_method(last, method, features, random_state)
    table = judge_method(last, "table", features, random_state)
    if found.value("log_loss") > table.value("log_loss"):
        method, found = "table", table
    return Choice(method, found, table, tried)


def judge_method(
    split: _Split, method: Method, features: tuple[Feature, ...], random_state: int
) -> Quality:
    """Learn from what came before and judge on what was held out."""
    model = fit(method, thin(split.before), features)
    return judge(split.held_out, model.chances(split.held_out), random_state=random_state)


def _cut(rows: pd.DataFrame, horizon_days: int) -> _Split | None:
    """Hold the last months out; what is learned from was over before they began."""
    days = np.sort(rows[DAY].unique())[-_MONTHS:]
    if not len(days):
        return None
    over = rows[DAY] + pd.Timedelta(days=horizon_days) <= days[0]
    split = _Split(rows[over], rows[rows[DAY].isin(days)])
    return split if is_enough(split.before) and is_enough(split.held_out) else None


def _try(
    rows: pd.DataFrame, features: tuple[Feature, ...], horizon_days: int
) -> tuple[Method, pd.DataFrame]:
    split = _cut(rows, horizon_days)
    if split is None:
        # too short a past to choose in: the judgement on the latest months decides
        return "logistic", pd.DataFrame(columns=TRIED)
    methods: list[Method] = ["table", "logistic"]
    if split.before[KEY].nunique() >= MANY:
        methods.append("trees")
    chosen: Method = "table"
    losses: dict[Method, np.ndarray] = {}
    tried = []
    for method in methods:
        model = fit(method, thin(split.before), features)
        losses[method] = _losses(split.held_out, model.chances(split.held_out))
        by, p_value = _compare(split.held_out, losses[chosen], losses[method])
        tried.append((method, float(losses[method].mean()), by, p_value))
        if by > 0 and p_value < FALSE_CLAIMS:
            chosen = method
    return chosen, pd.DataFrame(tried, columns=TRIED)


def _losses(rows: pd.DataFrame, p: np.ndarray) -> np.ndarray:
    y = rows[OUTCOME].to_numpy(dtype=float)
    return np.asarray(-(y * np.log(p) + (1 - y) * np.log1p(-p)))


def _compare(rows: pd.DataFrame, one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Say by how much the other loses less, and how likely chance alone does that."""
    gain = pd.Series(one - other)
    by = gain.groupby(rows[KEY].to_numpy()).sum()
    mean = float(gain.mean())
    spread = float(np.sqrt(((by - by.mean()) ** 2).sum()) / len(rows))
    return mean, float(2 * norm.sf(abs(mean) / spread)) if spread > 0 else float("nan")
