"""Answers: whether leads that are answered fast do better, and how many are answered in time."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from salesnb.analysis.alignment.answers import (
    OUTCOMES,
    InTime,
    Outcome,
    ResponseEffect,
    Waiting,
)
from salesnb.analysis.alignment.odds import CONFIDENCE, Fit, Slope, adjusters, fit_odds
from salesnb.analysis.alignment.rows import (
    NO_LEADS,
    View,
    check_choice,
    look_at,
    share_of,
)
from salesnb.analysis.logistic import Floats
from salesnb.language import format_number, mark, tr, tr_many
from salesnb.measures.measures import Measures

SHOWN = (15.0, 60.0, 240.0, 480.0, 1440.0, math.inf)
"""Business minutes at which the curve is parted."""

FEWEST_LEADS, FEWEST_OUTCOMES = 100, 10
NO_TOUCH_TIMES = mark("how fast leads are answered needs leads.first_touch_at")
_CURVE = [
    "over", "up_to", "n", "reached", "raw", "share", "low", "high",
]  # fmt: skip
_ANSWERED = ["up_to", "at_risk", "answered"]
_NOTHING = Slope(math.nan, math.nan, math.nan, math.nan)


def response_effect(
    measures: Measures, *, period: str, team: str | None = None, outcome: Outcome = "qualified"
) -> ResponseEffect:
    """Compare leads by how long they waited for an answer, within source, team and quarter.

    An answered lead is followed for the company's `maturity_days` from the answer on, so that all
    had as long to get further; those answered later than so long ago are left out. A lead without
    an answer is censored: it has waited at least so long, and says nothing of slow answers.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without leads the result says so.
    period
        Fiscal quarter; leads of it and of the three before are compared.
    team
        Id or name; None is the whole company.
    outcome
        `qualified`, or `opportunities` (became one).

    Returns
    -------
    ResponseEffect

    Raises
    ------
    ParameterError
        Quarter, team or outcome is unknown.
    """
    check_choice("outcome", outcome, OUTCOMES)
    view = look_at(measures, period, team)
    rows = view.take(measures.demand.lead_waits)
    nan = math.nan
    sla = float(measures.company.sla_minutes)
    nothing = ResponseEffect(
        period, view.unit, view.periods, outcome, measures.company.maturity_days, _NOTHING,
        _NOTHING, _NOTHING, pd.DataFrame(columns=_CURVE),
        InTime(sla, 0, 0, 0, 0, nan, nan, nan, nan, nan), _count_waiting(rows),
        pd.DataFrame(columns=_ANSWERED),
    )  # fmt: skip
    if measures.demand.lead_waits.empty:
        return replace(nothing, lacking=tr(NO_LEADS))
    if not measures.demand.lead_waits["touched"].any():
        return replace(nothing, lacking=tr(NO_TOUCH_TIMES))
    found = replace(nothing, answered=_follow_waits(rows))
    lacking = _find_lacking(rows, outcome, view, measures.company.maturity_days)
    if lacking:
        return replace(found, in_time=_count_in_time(measures, view, sla), lacking=lacking)
    return _compare(found, measures, view, rows)


def _find_lacking(rows: pd.DataFrame, outcome: str, view: View, days: int) -> str:
    n, reached = float(rows["n"].sum()), float(rows[outcome].sum())
    if n < FEWEST_LEADS or min(reached, n - reached) < FEWEST_OUTCOMES:
        return tr(
            "too few leads to compare: {quarters} has {leads} {long_ago}, {reached} with the "
            "outcome; needs {fewest}, of which {fewest_each} with and {fewest_each} without it",
            quarters=view.span,
            leads=format_number(n),
            long_ago=tr_many(
                "answered at least {n} day ago", "answered at least {n} days ago", days
            ),
            reached=format_number(reached),
            fewest=FEWEST_LEADS,
            fewest_each=FEWEST_OUTCOMES,
        )
    return ""


def _count_waiting(rows: pd.DataFrame) -> Waiting:
    sums = rows[["n", "untouched", "young", "before", "untouched_qualified"]].sum()
    return Waiting(*(float(value) for value in sums))


def _compare(
    found: ResponseEffect, measures: Measures, view: View, rows: pd.DataFrame
) -> ResponseEffect:
    outcome = found.outcome
    cells = rows[rows["n"] > 0].reset_index(drop=True)
    n, reached = cells["n"].to_numpy(), cells[outcome].to_numpy()
    wait = (cells["log_minutes"] / cells["n"]).to_numpy()
    adjusted = adjusters(cells, ["source", "team_id", "period"], "n", outcome)
    one = np.ones((len(cells), 1))
    sla = found.in_time.minutes
    return replace(
        found,
        slope=fit_odds(reached, n, np.column_stack([wait, adjusted])).slope(0),
        unadjusted=fit_odds(reached, n, np.column_stack([wait, one])).slope(0),
        as_slow=_fit_as_slow(rows, outcome),
        curve=_draw_curve(cells, outcome, adjusted),
        in_time=_compare_in_time(measures, view, cells, outcome, adjusted, sla),
    )


def _fit_as_slow(rows: pd.DataFrame, outcome: str) -> Slope:
    """Count untouched leads as answered now and in vain: what is often done, and wrong."""
    waits = rows[rows["untouched"] > 0]
    middle = np.sqrt(np.maximum(waits["over"], 1) * waits["up_to"].replace(math.inf, 30_000))
    answered = rows[rows["n"] > 0]
    wait = np.concatenate([answered["log_minutes"] / answered["n"], np.log2(middle)])
    n = np.concatenate([answered["n"], waits["untouched"]])
    reached = np.concatenate([answered[outcome], np.zeros(len(waits))])
    return fit_odds(reached, n, np.column_stack([wait, np.ones(len(n))])).slope(0)


def _draw_curve(cells: pd.DataFrame, outcome: str, adjusted: Floats) -> pd.DataFrame:
    """Average the outcome in each range of the wait over the same mix of leads."""
    edges = np.array(SHOWN)
    place = np.searchsorted(edges, cells["up_to"].to_numpy())
    sums = cells.groupby(place)[["n", outcome]].sum()
    mixed = sums[(sums[outcome] > 0) & (sums[outcome] < sums["n"])].index
    curve = sums.rename(columns={outcome: "reached"})
    curve["over"] = np.concatenate([[0.0], edges[:-1]])[curve.index]
    curve["up_to"] = edges[curve.index]
    curve["raw"] = curve["reached"] / curve["n"]
    kept = np.isin(place, mixed)
    dummies = np.column_stack([(place == one).astype(float) for one in mixed[1:]] or [kept * 0.0])
    if len(mixed) < 2:
        return curve.assign(share=math.nan, low=math.nan, high=math.nan)[_CURVE]
    design = np.column_stack([dummies, adjusted])[kept]
    fit = fit_odds(cells[outcome].to_numpy()[kept], cells["n"].to_numpy()[kept], design)
    designs = [_as_if(design, len(mixed) - 1, number - 1) for number in range(len(mixed))]
    shares, covariance = fit.standardise(designs)
    half = norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt(np.diag(covariance))
    found = pd.DataFrame({"share": shares, "low": shares - half, "high": shares + half}, mixed)
    found = found.clip(0, 1)
    return curve.join(found).reset_index(drop=True)[_CURVE]


def _as_if(design: Floats, n_dummies: int, chosen: int) -> Floats:
    """Pretend that all leads are in one of the ranges; -1 is the first, which has no column."""
    pretended = design.copy()
    pretended[:, :n_dummies] = 0.0
    if chosen >= 0:
        pretended[:, chosen] = 1.0
    return pretended


def _count_in_time(measures: Measures, view: View, sla: float) -> InTime:
    sums = view.take(measures.demand.lead_flow)[["in_time", "time_up"]].sum()
    nan = math.nan
    return InTime(sla, float(sums["in_time"]), float(sums["time_up"]), 0, 0, *(nan,) * 5)


def _compare_in_time(
    measures: Measures, view: View, cells: pd.DataFrame, outcome: str, adjusted: Floats, sla: float
) -> InTime:  # fmt: skip
    """Compare those answered in time with the late, over the mix of the late ones."""
    counted = _count_in_time(measures, view, sla)
    is_late = (cells["over"] >= sla).to_numpy()
    n, reached = cells["n"].to_numpy(), cells[outcome].to_numpy()
    n_late, n_early = float(n[is_late].sum()), float(n[~is_late].sum())
    found = replace(
        counted, n_late=n_late, n_early=n_early,
        raw_late=share_of(float(reached[is_late].sum()), n_late),
        raw_early=share_of(float(reached[~is_late].sum()), n_early),
    )  # fmt: skip
    is_mixed = all(0 < share < 1 for share in (found.raw_late, found.raw_early))
    if not is_mixed:
        return found
    fit = fit_odds(reached, n, np.column_stack([is_late.astype(float), adjusted]))
    shares, covariance = _among(fit, is_late).standardise(
        [_as_if(fit.design[is_late], 1, -1), _as_if(fit.design[is_late], 1, 0)]
    )
    gap = float(shares[0] - shares[1])
    spread = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    half = float(norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt(max(spread, 0.0)))
    return replace(found, difference=gap, low=gap - half, high=gap + half)


def _among(fit: Fit, kept: np.ndarray) -> Fit:
    return replace(fit, design=fit.design[kept], weights=fit.weights[kept])


def _follow_waits(rows: pd.DataFrame) -> pd.DataFrame:
    """Say what share was answered by each time; the untouched leave where their wait stands."""
    sums = rows.groupby("up_to", as_index=False)[["touched", "untouched"]].sum()
    left: pd.Series[float] = sums["touched"] + sums["untouched"]
    at_risk = left[::-1].cumsum()[::-1]
    going = (1 - sums["touched"] / at_risk).cumprod()
    frame = pd.DataFrame({"up_to": sums["up_to"], "at_risk": at_risk, "answered": 1 - going})
    known: pd.DataFrame = frame[np.isfinite(frame["up_to"])]
    return known.reset_index(drop=True)
