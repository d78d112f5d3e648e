"""Changes of reps' figures since a day, with the chance that they are noise."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from salesnb.analysis.estimate import estimate_kpi
from salesnb.analysis.rates import estimate_effects
from salesnb.analysis.trend import chance_error
from salesnb.language import mark, tr
from salesnb.measures.catalogue import Kpi
from salesnb.measures.measures import Measures
from salesnb.measures.shared import shared
from salesnb.measures.staff import FEWEST_RATERS

CHANGES = [
    "before_period", "before", "before_n", "now_period", "now", "now_n", "gain", "error",
    "p_value", "why",
]  # fmt: skip
"""The figure then and now with n; the gain towards the better from the level the peers make
likely, with its standard error; and why there is none."""

FEWEST_CASES = 5
"""Records below which a quarter's figure is not compared."""

_NO_RECORD = mark("no record in both quarters")


@dataclass(frozen=True)
class _Span:
    """A figure and the quarters it is compared between."""

    kpi: str
    skill: str
    before: str
    now: str


def measure_changes(
    measures: Measures, asked: pd.DataFrame, *, period: str, n_draws: int
) -> pd.DataFrame:
    """Compare each asked rep's KPI or skill before a day with the latest since.

    Weak quarters recover by themselves, and it is after weak ones that something is agreed: what
    came before is pulled to the peers as far as its records are few, what came since is not.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`.
    asked
        rep_id, kpi, skill ('' where it is the other), agreed_on.
    period
        Latest quarter to look at.
    n_draws
        Posterior draws a KPI.

    Returns
    -------
    DataFrame
        `CHANGES`, indexed as `asked`; where nothing can be compared `why` says the reason.
    """
    out = pd.DataFrame(index=asked.index, columns=CHANGES).astype({"why": object})
    spans = [
        _find_span(measures, row["kpi"], row["skill"], row["agreed_on"], period)
        for row in asked.to_dict("records")
    ]
    for span in dict.fromkeys(spans):
        own = asked[[other == span for other in spans]]
        found = _compare(measures, span, n_draws).reindex(own["rep_id"]).set_axis(own.index)
        out.loc[own.index] = found.assign(why=found["why"].fillna(tr(_NO_RECORD)))
    numbers = [name for name in CHANGES if not name.endswith("period") and name != "why"]
    return out.astype(dict.fromkeys(numbers, float))


def direction(measures: Measures, kpi: str) -> float:
    """Say which way is better: 1 up, -1 down. Skills and neutral KPIs are meant to go up."""
    return -1.0 if kpi in _known(measures) and measures.kpi(kpi).direction == "down" else 1.0


def _known(measures: Measures) -> set[str]:
    return {kpi.kpi for kpi in measures.kpis}


def _find_span(measures: Measures, kpi: str, skill: str, agreed_on: dt.date, period: str) -> _Span:
    """Find the last quarter mostly over when something was agreed, and the latest since."""
    calendar = measures.calendar
    quarter = calendar.quarter_of(pd.Timestamp(agreed_on).date())
    first, last = calendar.first_day(quarter), calendar.last_day(quarter)
    is_late = (pd.Timestamp(agreed_on).date() - first) * 2 > last - first
    before = quarter if is_late else calendar.shift(quarter, -1)
    now = period
    if kpi in _known(measures):
        now = measures.latest_mature(measures.kpi(kpi), period) or ""
    return _Span(kpi, skill, before, now if now > before else "")


@shared
def _compare(measures: Measures, span: _Span, n_draws: int) -> pd.DataFrame:
    """Compare all reps over one span; indexed by rep_id."""
    if not span.now:
        return _nothing(measures, span, tr("no quarter since"))
    if span.kpi in _known(measures):
        return _compare_kpi(measures, span, measures.kpi(span.kpi), n_draws)
    if span.kpi:
        return _nothing(measures, span, tr("KPI not measured"))
    if not span.skill:
        return _nothing(measures, span, tr("no KPI or skill named"))
    return _compare_skill(measures, span, n_draws)


def _nothing(measures: Measures, span: _Span, why: str) -> pd.DataFrame:
    everybody = pd.Index(measures.people["rep_id"], name="rep_id")
    empty = pd.DataFrame(index=everybody, columns=CHANGES)
    return empty.assign(before_period=span.before, now_period=span.now, why=why)


def _compare_kpi(measures: Measures, span: _Span, kpi: Kpi, n_draws: int) -> pd.DataFrame:
    then, now = (_sums(measures, kpi, quarter) for quarter in (span.before, span.now))
    reps = sorted((set(then.index) | set(now.index)) - {""})
    if not reps:
        return _nothing(measures, span, tr(_NO_RECORD))
    then, now = then.reindex(reps), now.reindex(reps)
    start = estimate_kpi(kpi, then, n_draws=n_draws)
    since = estimate_kpi(kpi, now, n_draws=100)
    # Errors are of the ratio, as estimates are: totals are per full quarter of one rep.
    as_ratio = replace(kpi, is_ratio=True)
    chance = [
        chance_error(row, as_ratio, level)
        for (_, row), level in zip(now.fillna(0.0).iterrows(), start.estimate, strict=True)
    ]
    enough = (_cases(kpi, then) >= FEWEST_CASES) & (_cases(kpi, now) >= FEWEST_CASES)
    sign = direction(measures, kpi.kpi)
    return _judge(
        pd.DataFrame(
            {
                "before": then["value"], "before_n": then["n"],
                "now": now["value"], "now_n": now["n"],
                "gain": (since.raw - start.estimate) * sign,
                "error": np.hypot(np.asarray(chance), start.draws.std(axis=1)),
            },
            index=pd.Index(reps, name="rep_id"),
        ),
        span, enough.to_numpy(), tr("fewer than {n} records", n=FEWEST_CASES),
    )  # fmt: skip


def _sums(measures: Measures, kpi: Kpi, period: str) -> pd.DataFrame:
    rows = measures.roll_up(by="rep", periods=(period,), kpi=kpi.kpi)
    return rows.set_index("unit_id").drop(columns=["period", "kpi"])


def _cases(kpi: Kpi, sums: pd.DataFrame) -> pd.Series[float]:
    """Count what a figure rests on: of events per exposure, whichever of the two is more."""
    n = sums["n"].fillna(0.0)
    return pd.Series(np.maximum(n, sums["denominator"].fillna(0.0)) if kpi.family == "count" else n)


def _compare_skill(measures: Measures, span: _Span, n_draws: int) -> pd.DataFrame:
    then, now = (_scores(measures, span.skill, quarter) for quarter in (span.before, span.now))
    reps = sorted(set(then.index) | set(now.index))
    spread = _spread_of_raters(pd.concat([then, now]))
    if not reps or not np.isfinite(spread):
        return _nothing(measures, span, tr("fewer than {n} raters", n=FEWEST_RATERS))
    then, now = then.reindex(reps), now.reindex(reps)
    n_then, n_now = then["n"].fillna(0.0), now["n"].fillna(0.0)
    error = spread / np.sqrt(np.maximum(n_then, 1.0))
    start = estimate_effects(
        then["score"].fillna(0.0), error, n=n_then > 0, labels=reps, n_draws=n_draws
    )
    chance = spread / np.sqrt(n_now.where(n_now > 0))
    enough = (n_then >= FEWEST_RATERS) & (n_now >= FEWEST_RATERS)
    return _judge(
        pd.DataFrame(
            {
                "before": then["score"], "before_n": n_then, "now": now["score"], "now_n": n_now,
                "gain": now["score"] - start.estimate,
                "error": np.hypot(chance, start.draws.std(axis=1)),
            },
            index=pd.Index(reps, name="rep_id"),
        ),
        span, enough.to_numpy(), tr("fewer than {n} raters", n=FEWEST_RATERS),
    )  # fmt: skip


def _scores(measures: Measures, skill: str, period: str) -> pd.DataFrame:
    """Average a skill's raters for each rep: score, n raters and the variance among them."""
    rows = measures.ratings
    rows = rows[(rows["skill"] == skill) & (rows["period"] == period)]
    raters = rows.groupby(["rep_id", "rater_id"], observed=True)["score"].mean().reset_index()
    found = raters.groupby("rep_id", observed=True)["score"].agg(["mean", "size", "var"])
    return found.set_axis(["score", "n", "variance"], axis=1).astype(float)


def _spread_of_raters(scores: pd.DataFrame) -> float:
    """Pool the standard deviation of raters about the same rep and quarter."""
    several = scores[scores["n"] >= FEWEST_RATERS]
    freedom = (several["n"] - 1).sum()
    if not freedom > 0:
        return float("nan")
    return float(np.sqrt(max((several["variance"] * (several["n"] - 1)).sum() / freedom, 0.01)))


def _judge(found: pd.DataFrame, span: _Span, enough: np.ndarray, why: str) -> pd.DataFrame:
    """Add the two-sided chance of a gain as large; none where too little is known."""
    known = enough & np.isfinite(found["gain"]) & (found["error"] > 0)
    p_value = pd.Series(2 * norm.sf((found["gain"] / found["error"]).abs()), index=found.index)
    return found.assign(
        before_period=span.before,
        now_period=span.now,
        gain=found["gain"].where(known),
        error=found["error"].where(known),
        p_value=p_value.where(known),
        why=np.where(known, "", why),
    )[CHANGES]
