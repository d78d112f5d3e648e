"""Why a chance is what it is: what each feature adds, and that in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

from salesnb.analysis.pipeline.frames import KEY
from salesnb.analysis.pipeline.models import Model
from salesnb.language import format_number, format_share, mark, tr, tr_many
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
        return tr("{feature} not known", feature=_name(name))
    if name in _WORDS:
        number, usual = float(value), float(typical) if typical else float("nan")
        return _WORDS[name](number, usual, stage)
    if name == "stage":
        return tr("in {stage}", stage=value)
    return tr("{feature} {value}", feature=_name(name), value=value)


_NAMES = {
    "source": mark("lead source"),
    "product_id": mark("product"),
    "type": mark("type"),
    "industry": mark("industry"),
    "stage": mark("stage"),
    "due_days": mark("expected close"),
    "stage_days": mark("stage days"),
    "age_days": mark("age days"),
    "log_amount": mark("log amount"),
    "amount_drift": mark("amount drift"),
    "untouched_days": mark("untouched days"),
}
"""Of features that may be missing, or have no words of their own below."""


def _name(feature: str) -> str:
    """Name a feature; a column of somebody's own is called as they call it."""
    return tr(_NAMES[feature]) if feature in _NAMES else feature.replace("_", " ")


def _usual_said(usual: float) -> str:
    return format_number(usual, group=False)


def _due(number: float, usual: float, stage: str) -> str:  # noqa: ARG001
    if number < 0:
        return tr_many(
            "expected close passed {n} day ago", "expected close passed {n} days ago", -number
        )
    return tr_many(
        "expected to close in {n} day (typical {typical})",
        "expected to close in {n} days (typical {typical})",
        number,
        typical=_usual_said(usual),
    )


def _amount(number: float, usual: float, stage: str) -> str:  # noqa: ARG001
    factor = format_number(float(np.exp(number - usual)), 1, group=False)
    if number >= usual:
        return tr("large amount ({factor} times the typical)", factor=factor)
    return tr("small amount ({factor} times the typical)", factor=factor)


def _drift(number: float, usual: float, stage: str) -> str:  # noqa: ARG001
    change = format_share(float(np.expm1(number)), sign=True)
    return tr("amount {change} since first seen", change=change)


_WORDS: dict[str, Callable[[float, float, str], str]] = {
    "stage_days": lambda v, u, s: tr_many(
        "in {stage} for {n} day (typical {typical})",
        "in {stage} for {n} days (typical {typical})",
        v,
        stage=s or tr("no stage"),
        typical=_usual_said(u),
    ),
    "n_stages": lambda v, u, s: tr_many(
        "{n} stage entered (typical {typical})",
        "{n} stages entered (typical {typical})",
        v,
        typical=_usual_said(u),
    ),
    "n_back": lambda v, u, s: (
        tr_many("moved back {n} time", "moved back {n} times", v) if v else tr("never moved back")
    ),
    "age_days": lambda v, u, s: tr_many(
        "open for {n} day (typical {typical})",
        "open for {n} days (typical {typical})",
        v,
        typical=_usual_said(u),
    ),
    "log_amount": _amount,
    "amount_drift": _drift,
    "due_days": _due,
    "is_overdue": lambda v, u, s: tr("expected close has passed") if v else tr("not overdue"),
    "n_postponed": lambda v, u, s: (
        tr_many("closing date moved {n} time", "closing date moved {n} times", v)
        if v
        else tr("closing date never moved")
    ),
    "touches_30": lambda v, u, s: tr_many(
        "touched {n} time in thirty days (typical {typical})",
        "touched {n} times in thirty days (typical {typical})",
        v,
        typical=_usual_said(u),
    ),
    "n_meetings": lambda v, u, s: tr_many(
        "{n} meeting held (typical {typical})",
        "{n} meetings held (typical {typical})",
        v,
        typical=_usual_said(u),
    ),
    "untouched_days": lambda v, u, s: tr_many(
        "no answered touch for {n} day (typical {typical})",
        "no answered touch for {n} days (typical {typical})",
        v,
        typical=_usual_said(u),
    ),
    "n_kinds": lambda v, u, s: tr_many(
        "answered by {n} kind of touch (typical {typical})",
        "answered by {n} kinds of touch (typical {typical})",
        v,
        typical=_usual_said(u),
    ),
    "quarter_days_left": lambda v, u, s: tr_many(
        "{n} day left of the quarter", "{n} days left of the quarter", v
    ),
    "is_customer": lambda v, u, s: tr("has bought before") if v else tr("has not bought before"),
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
