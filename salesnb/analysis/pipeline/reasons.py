"""Why a chance is what it is: what each feature adds, and that in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

from salesnb.analysis.pipeline.frames import KEY
from salesnb.analysis.pipeline.models import Model
from salesnb.analysis.wording import count_things
from salesnb.measures.pictures import Feature

REASONS = [KEY, "feature", "effect", "value", "typical"]
MOST_REASONS = 2
_SMALL = 0.1
"""Effect on the logit below which a feature is no reason."""


def explain(
    model: Model, rows: pd.DataFrame, past: pd.DataFrame, features: tuple[Feature, ...]
) -> pd.DataFrame:
    """Say what each feature adds to the chance, beside the same opportunity with a typical value.

    The effect is on the logit: positive raises the chance. For the logistic model effects add up;
    for trees they need not. They are associations: a chance does not follow from moving a feature.

    Returns
    -------
    DataFrame
        opportunity_id, feature, effect, value and typical (both as text), largest effect first;
        of each opportunity what adds at least a tenth.
    """
    if rows.empty or not features:
        return pd.DataFrame(columns=REASONS)
    whole = logit(model.chances(rows))
    frames = []
    for feature in features:
        usual = _usual(rows, past, feature)
        effect = whole - logit(model.chances(rows.assign(**{feature.name: usual})))
        frames.append(
            pd.DataFrame(
                {
                    KEY: rows[KEY].to_numpy(),
                    "feature": feature.name,
                    "effect": effect,
                    "value": _text(rows[feature.name]),
                    "typical": _text(usual),
                }
            )
        )
    found = pd.concat(frames, ignore_index=True)
    found = found[found["effect"].abs() >= _SMALL]
    size = found["effect"].abs().round(6)
    order = found.assign(_size=size).sort_values(
        [KEY, "_size", "feature"], ascending=[True, False, True]
    )
    return order.drop(columns="_size").reset_index(drop=True)[REASONS]


def _usual(rows: pd.DataFrame, past: pd.DataFrame, feature: Feature) -> pd.Series[Any]:
    """Take the middle value of past pictures, of days in a stage that of the same stage."""
    known = past[feature.name]
    if feature.kind == "text":
        common = known.mode()
        return pd.Series(common.iloc[0] if len(common) else "", index=rows.index)
    middle = float(known.median())
    if feature.name != "stage_days":
        return pd.Series(middle, index=rows.index)
    by_stage = known.groupby(past["stage"]).median()
    return rows["stage"].map(by_stage).astype(float).fillna(middle)


def _text(values: pd.Series[Any]) -> np.ndarray:
    if values.dtype == object or pd.api.types.is_string_dtype(values):
        return values.astype(str).to_numpy()
    return np.array(["" if np.isnan(v) else f"{v:.6g}" for v in values.astype(float)], dtype=object)


def say_reason(row: pd.Series[Any], stage: str) -> str:
    """Put one reason into words, with the typical value beside.

    >>> row = pd.Series({"feature": "stage_days", "value": "71", "typical": "18", "effect": -0.8})
    >>> say_reason(row, "Proposal")
    'in Proposal for 71 days (typical 18)'
    """
    name, value, typical = row["feature"], row["value"], row["typical"]
    if value == "":
        return f"{_NAMES.get(name, name.replace('_', ' '))} not known"
    if name in _WORDS:
        number, usual = float(value), float(typical) if typical else float("nan")
        return _WORDS[name](number, usual, stage)
    if name == "stage":
        return f"in {value}"
    return f"{_NAMES.get(name, name.replace('_', ' '))} {value}"


_NAMES = {"source": "lead source", "product_id": "product", "due_days": "expected close"}


def _due(number: float, usual: float, stage: str) -> str:  # noqa: ARG001
    if number < 0:
        return f"expected close passed {count_things(-number, 'day', 'days')} ago"
    return f"expected to close in {count_things(number, 'day', 'days')} (typical {usual:.0f})"


def _amount(number: float, usual: float, stage: str) -> str:  # noqa: ARG001
    word = "large" if number >= usual else "small"
    return f"{word} amount ({np.exp(number - usual):.1f} times the typical)"


_WORDS: dict[str, Callable[[float, float, str], str]] = {
    "stage_days": lambda v, u, s: (
        f"in {s or 'no stage'} for {count_things(v, 'day', 'days')} (typical {u:.0f})"
    ),
    "n_stages": lambda v, u, s: f"{count_things(v, 'stage', 'stages')} entered (typical {u:.0f})",
    "n_back": lambda v, u, s: (
        f"moved back {count_things(v, 'time', 'times')}" if v else "never moved back"
    ),
    "age_days": lambda v, u, s: f"open for {count_things(v, 'day', 'days')} (typical {u:.0f})",
    "log_amount": _amount,
    "amount_drift": lambda v, u, s: f"amount {np.expm1(v):+.0%} since first seen".replace("-", "−"),
    "due_days": _due,
    "is_overdue": lambda v, u, s: "expected close has passed" if v else "not overdue",
    "n_postponed": lambda v, u, s: (
        f"closing date moved {count_things(v, 'time', 'times')}"
        if v
        else "closing date never moved"
    ),
    "touches_30": lambda v, u, s: (
        f"touched {count_things(v, 'time', 'times')} in thirty days (typical {u:.0f})"
    ),
    "n_meetings": lambda v, u, s: (
        f"{count_things(v, 'meeting', 'meetings')} held (typical {u:.0f})"
    ),
    "untouched_days": lambda v, u, s: (
        f"no answered touch for {count_things(v, 'day', 'days')} (typical {u:.0f})"
    ),
    "n_kinds": lambda v, u, s: (
        f"answered by {count_things(v, 'kind', 'kinds')} of touch (typical {u:.0f})"
    ),
    "quarter_days_left": lambda v, u, s: f"{count_things(v, 'day', 'days')} left of the quarter",
    "is_customer": lambda v, u, s: "has bought before" if v else "has not bought before",
}


def reasons_in_words(reasons: pd.DataFrame, stages: pd.Series[str]) -> pd.DataFrame:
    """Gather the largest reasons of each opportunity in two sentences' parts.

    Returns
    -------
    DataFrame
        Indexed by opportunity_id: `lowers`, `raises`.
    """
    top = reasons.groupby(KEY).head(MOST_REASONS)
    words = [say_reason(row, str(stages.get(row[KEY], ""))) for _, row in top.iterrows()]
    told = top.assign(words=words, side=np.where(top["effect"] < 0, "lowers", "raises"))
    joined = told.groupby([KEY, "side"])["words"].agg("; ".join)
    sides = {
        side: joined[joined.index.get_level_values("side") == side].droplevel("side")
        for side in ("lowers", "raises")
    }
    return pd.DataFrame(sides, columns=["lowers", "raises"]).fillna("")
