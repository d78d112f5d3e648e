"""Chances of open opportunities, learned from past months and judged on later ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from salesnb.analysis.pipeline.ages import chances_by_age
from salesnb.analysis.pipeline.backtest import QUARTERS, days_left, look_back, settling
from salesnb.analysis.pipeline.choose import Choice, choose_method
from salesnb.analysis.pipeline.frames import (
    KEY,
    Known,
    by_quarters_end,
    is_enough,
    know,
    thin,
    with_outcome,
)  # fmt: skip
from salesnb.analysis.pipeline.leaks import Leak, find_leaks
from salesnb.analysis.pipeline.models import Method, fit
from salesnb.analysis.pipeline.reasons import REASONS, explain
from salesnb.analysis.pipeline.result import PipelineScores
from salesnb.errors import ParameterError
from salesnb.measures.pictures import PipelineHistory
from salesnb.progress import long

_EXPLAINED = 60
"""Opportunities a team whose chances are explained: those worth most."""
_FEWEST_SOLD = 20
"""Won ones of a product below which its typical amount is that of all."""


@long("Learning chances of open opportunities")
def score_pipeline(
    history: PipelineHistory, *, horizon_days: int = 90, extra: pd.DataFrame | None = None,
    random_state: int = 0,
) -> PipelineScores:  # fmt: skip
    """Give each open opportunity its chance of being won within so many days.

    A model is learned from how the same opportunities and others stood on past days at the same
    place of month and quarter, each with what was known on that day, and judged on the latest
    months whose days ahead are over; whatever it learned from was over before those began. The
    chance by the quarter's end is learned from the days with as many days left of theirs, and
    missing where too few were seen from there. The model is used only if it foresees better than
    the share won of each stage, beyond chance. Columns that know the end are named and left out.
    Rep, team and manager are no features. Without such a past, the age alone speaks.

    Parameters
    ----------
    history
        From `load_pipeline`.
    horizon_days
        Days ahead, at least 1.
    extra
        Columns of your own: opportunity_id, perhaps day (then they are as of that day), and any
        numbers or texts; every one is checked for leaks.
    random_state
        Seed of the intervals; chances do not depend on it.

    Returns
    -------
    PipelineScores
        Of nothing open an empty one.

    Raises
    ------
    ParameterError
        `horizon_days` is below 1, or `extra` cannot be matched.
    """
    if horizon_days < 1:
        raise ParameterError(f"horizon_days: {horizon_days} is below 1. Use 90, or 1 and more.")
    known = know(history, extra)
    rows = with_outcome(known.past, horizon_days, pd.Timestamp(history.as_of))
    leaks = find_leaks(known, rows) if is_enough(rows) else ()
    known = known.without(tuple(leak.feature.name for leak in leaks))
    choice = choose_method(rows, known.features, horizon_days, random_state)
    if choice is None:
        return _by_age(history, horizon_days, leaks)
    return _by_model(history, known, rows, choice, leaks, horizon_days)


def _by_model(
    history: PipelineHistory, known: Known, rows: pd.DataFrame, choice: Choice,
    leaks: tuple[Leak, ...], horizon_days: int,
) -> PipelineScores:  # fmt: skip
    method = choice.method
    model = fit(method, thin(rows), known.features)
    p = model.chances(known.open)
    p_quarter = _quarter_chances(history, known, method)
    if horizon_days >= days_left(history):
        p, p_quarter = _in_order(p, p_quarter)
    scored = _with_value(history, p, p_quarter)
    worth = scored["expected"].fillna(0.0)
    order = scored.assign(_worth=worth).sort_values(["_worth", KEY], ascending=[False, True])
    chosen = order.groupby("team_id").head(_EXPLAINED).index
    used = tuple(f for f in known.features if f.name == "stage" or method != "table")
    # what is the same for all of them tells nothing of one
    told = tuple(f for f in used if f.name != "quarter_days_left")
    reasons = explain(model, known.open.loc[chosen].sort_values(KEY), thin(rows, 20_000), told)
    empty = _empty(history, horizon_days, leaks)
    return replace(
        empty,
        open=scored,
        method=method,
        features=tuple(feature.name for feature in used),
        quality=choice.quality,
        table_quality=choice.table_quality,
        tried=choice.tried,
        reasons=reasons,
        quarters=look_back(history, known, method),
        settles=settling(rows, pd.Timestamp(history.as_of)),
    )


def _in_order(longer: np.ndarray, shorter: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give both the mean where the shorter time has the larger chance.

    Cutting off what is too much would make the sum of chances too small.
    """
    middle = (longer + shorter) / 2
    is_wrong = shorter > longer
    return np.where(is_wrong, middle, longer), np.where(is_wrong, middle, shorter)


def _quarter_chances(history: PipelineHistory, known: Known, method: Method) -> np.ndarray:
    """Give the chance of being won by the end of the quarter of `as_of`, by the same method.

    Learned from past quarters at the same place; missing where too few were seen from there.
    """
    left = days_left(history)
    if left < 1 or known.open.empty:
        return np.zeros(len(known.open))
    rows = by_quarters_end(known.past, left, pd.Timestamp(history.as_of))
    if not is_enough(rows):
        return np.full(len(known.open), np.nan)
    return fit(method, thin(rows), known.at_one_place.features).chances(known.open)


def _by_age(history: PipelineHistory, horizon_days: int, leaks: tuple[Leak, ...]) -> PipelineScores:
    """Let the age speak where there is no past to learn from."""
    empty = _empty(history, horizon_days, leaks)
    if history.open.empty or not history.ages["n_won"].sum():
        return empty
    age = history.open["age_days"]
    found = chances_by_age(history.ages, age, horizon_days)
    by_quarter = chances_by_age(history.ages, age, days_left(history))
    scored = _with_value(history, found["p"].to_numpy(), by_quarter["p"].to_numpy())
    scored = scored.assign(
        p_low=found["low"].to_numpy(), p_high=found["high"].to_numpy(), n_as_old=found["n"]
    )
    return replace(empty, open=scored, method="ages")


def _empty(history: PipelineHistory, horizon_days: int, leaks: tuple[Leak, ...]) -> PipelineScores:
    nothing = np.full(len(history.open), np.nan)
    return PipelineScores(
        open=_with_value(history, nothing, nothing),
        method="none",
        features=(),
        quality=None,
        table_quality=None,
        tried=pd.DataFrame(columns=["method", "log_loss", "better_by", "p_value"]),
        leaks=leaks,
        reasons=pd.DataFrame(columns=REASONS),
        quarters=pd.DataFrame(columns=QUARTERS),
        ages=history.ages,
        bookings=history.bookings,
        teams=history.teams,
        stage_days=_stage_days(history),
        settles=1.0,
        oldest_won=history.oldest_won,
        origin=history.origin,
        lacking=history.lacking,
        horizon_days=horizon_days,
        company=history.company,
        as_of=history.as_of,
        snapshot_id=history.snapshot_id,
    )


def _stage_days(history: PipelineHistory) -> pd.Series[float]:
    """Take the middle of the days in each stage, over past pictures."""
    past = history.past if len(history.past) else history.open
    return past.groupby("stage")["stage_days"].median().dropna()


def _with_value(history: PipelineHistory, p: np.ndarray, p_quarter: np.ndarray) -> pd.DataFrame:
    """Add chance, value and expected value; an amount there is not is that of what was sold."""
    rows = history.open
    sold = history.products.set_index("product_id")
    mean = sold["booked"] / sold["n"]
    enough = mean[sold["n"] >= _FEWEST_SOLD]
    total = sold["n"].sum()
    overall = float(sold["booked"].sum() / total) if total else float("nan")
    typical = rows["product_id"].map(enough).astype(float).fillna(overall)
    is_own = rows["amount"] > 0
    value = rows["amount"].where(is_own, typical).astype(float)
    return rows.assign(
        p=p,
        p_quarter=p_quarter,
        p_low=np.nan,
        p_high=np.nan,
        n_as_old=np.nan,
        value=value,
        is_value_typical=~is_own,
        expected=p * value,
        is_older=(rows["age_days"] > history.oldest_won).to_numpy(),
    )
