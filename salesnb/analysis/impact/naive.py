"""What is usually reported, beside the effect: what it counts as training that is none."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesnb.analysis.impact.effect import UNKNOWN, Effect, Floats
from salesnb.analysis.impact.estimators import change_effect, compare_means, level_gap
from salesnb.analysis.impact.study import Comparison
from salesnb.analysis.impact.successive import Joint, pool
from salesnb.analysis.impact.windows import Ints
from salesnb.language import mark

ESTIMATES = [
    "method", "role", "estimate", "error", "low90", "high90", "low95", "high95", "in_sd",
    "p_value", "off_by", "why",
]  # fmt: skip
PRE_POST = mark("Trained, after against before")
AGAINST_OTHERS = mark("After, trained against untrained")
_RECENT = 2


def estimates_table(
    joint: Joint, *, named: tuple[tuple[str, str, Effect], ...], spread: float
) -> pd.DataFrame:
    """Put the estimates side by side, the naive ones last.

    Parameters
    ----------
    joint
        What was compared.
    named
        method, role and effect of the estimates by design.
    spread
        Standard deviation that effects are also given in.

    Returns
    -------
    DataFrame
        `ESTIMATES`; `off_by` is of the naive ones only, `why` is left empty.
    """
    naive = (
        (PRE_POST, "naive", pool([pre_post(part) for part in joint.parts])),
        (AGAINST_OTHERS, "naive", pool([against_others(part) for part in joint.parts])),
    )
    truth = joint.effect.estimate
    rows = []
    for method, role, effect in (*named, *naive):
        in_sd = effect.estimate / spread if spread > 0 else np.nan
        off_by = effect.estimate - truth if role == "naive" else np.nan
        rows.append(
            (method, role, effect.estimate, effect.error, *effect.interval(0.9),
             *effect.interval(0.95), in_sd, effect.p_value, off_by, "")
        )  # fmt: skip
    return pd.DataFrame(rows, columns=ESTIMATES)


def recent(comparison: Comparison) -> Ints:
    """Name the quarters a naive reader takes as before: the last two."""
    windows = comparison.windows
    return windows.selection if len(windows.selection) else windows.before[-_RECENT:]


def pre_post(comparison: Comparison) -> Effect:
    """Take the trained people's own change since the last quarters before the training."""
    if not comparison.windows.is_usable:
        return UNKNOWN
    own = comparison.panel.take(comparison.trained)
    change = own.mean(comparison.windows.after) - own.mean(recent(comparison))
    return _mean(change)


def against_others(comparison: Comparison) -> Effect:
    """Compare the trained with the untrained after the training only."""
    if not comparison.windows.is_usable:
        return UNKNOWN
    after = comparison.panel.mean(comparison.windows.after)
    known = np.isfinite(after)
    return compare_means(after[known], comparison.trained[known])


def others_change(comparison: Comparison) -> float:
    """Say how the untrained changed by themselves over the quarters that pre/post compares."""
    if not comparison.windows.is_usable:
        return float("nan")
    others = comparison.panel.take(~comparison.trained)
    change = others.mean(comparison.windows.after) - others.mean(recent(comparison))
    return _mean(change).estimate


def weak_spell(comparison: Comparison) -> float:
    """Say how far off their own level the trained were, beside others, when they were chosen."""
    windows = comparison.windows
    return change_effect(
        comparison.panel, comparison.trained, windows.before, windows.selection
    ).estimate


def head_start(comparison: Comparison) -> float:
    """Say how far the trained were from the others before."""
    if not comparison.windows.is_usable:
        return float("nan")
    return level_gap(comparison.panel, comparison.trained, comparison.windows).estimate


def _mean(values: Floats) -> Effect:
    known = values[np.isfinite(values)]
    if len(known) < _RECENT:
        return UNKNOWN
    error = float(known.std(ddof=1) / np.sqrt(len(known)))
    return Effect(float(known.mean()), error, float(len(known) - 1), len(known), 0)
