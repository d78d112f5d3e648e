"""One programme's comparison, or those of several groups trained one after another, as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import t as student

from salesnb.analysis.impact.effect import UNKNOWN, Effect
from salesnb.analysis.impact.panel import Panel
from salesnb.analysis.impact.staggered import NEVER, Staggered, staggered_effect
from salesnb.analysis.impact.study import EVENTS, Comparison, Study, follow
from salesnb.analysis.impact.windows import LONGEST, SELECTION


@dataclass(frozen=True, eq=False)
class Joint:
    """Estimates over all groups of a programme.

    Attributes
    ----------
    design
        That of the comparison, or staggered.
    parts
        The comparison of each group.
    effect, bound, pre_trend, placebo, overlap, permutation_p
        As of a comparison, over all groups.
    event_study
        From `follow`; over several groups by relative quarter, without their own changes.
    """

    design: str
    parts: tuple[Comparison, ...]
    effect: Effect
    bound: Effect
    pre_trend: Effect
    placebo: Effect
    overlap: float
    permutation_p: float
    event_study: pd.DataFrame


def join(studies: Sequence[Study], parts: Sequence[Comparison], panel: Panel) -> Joint:
    """Take one group's comparison as it is; put several together."""
    first = parts[0]
    joint = Joint(
        first.design, tuple(parts), first.effect, first.bound, first.pre_trend, first.placebo,
        first.overlap, first.permutation_p, follow(first),
    )  # fmt: skip
    if len(parts) == 1:
        return joint
    found = _stagger(studies, parts, panel)
    return replace(
        joint,
        design="staggered",
        effect=found.overall,
        bound=pool([part.bound for part in parts]),
        pre_trend=pool([part.pre_trend for part in parts]),
        placebo=pool([part.placebo for part in parts]),
        overlap=float(np.mean([part.overlap for part in parts])),
        event_study=_as_events(found),
    )


def pool(effects: Sequence[Effect]) -> Effect:
    """Average groups' effects by the people trained.

    Groups are compared with the same people, so their errors are added as if they went together:
    the interval is rather too wide.
    """
    known = [effect for effect in effects if effect.is_known]
    if not known:
        return UNKNOWN
    weights = np.array([effect.n_trained for effect in known], dtype=float)
    weights = weights / weights.sum()
    return Effect(
        float(weights @ [effect.estimate for effect in known]),
        float(weights @ [effect.error for effect in known]),
        min(effect.freedom for effect in known),
        sum(effect.n_trained for effect in known),
        max(effect.n_compared for effect in known),
    )


def _stagger(studies: Sequence[Study], parts: Sequence[Comparison], panel: Panel) -> Staggered:
    trained_at = np.full(len(panel.units), NEVER)
    for study, part in reversed(list(zip(studies, parts, strict=True))):
        trained_at[np.isin(panel.units, list(study.trained))] = part.windows.at
    everybody = frozenset().union(*(study.trained | study.compared for study in studies))
    rows = np.isin(panel.units, list(everybody))
    base = min(len(part.windows.before) for part in parts)
    return staggered_effect(panel.take(rows), trained_at[rows], base=max(base, 1), longest=LONGEST)


def _as_events(found: Staggered) -> pd.DataFrame:
    rows = found.by_quarter
    reach = float(student.ppf(0.975, found.overall.freedom)) * rows["error"]
    relative = rows["relative"]
    role = np.select(
        [relative > 0, relative == 0, relative >= -SELECTION], ["after", "training", "chosen"],
        "before",
    )  # fmt: skip
    events = rows.rename(columns={"estimate": "effect"}).assign(
        period="", role=role, low=rows["estimate"] - reach, high=rows["estimate"] + reach,
        trained=np.nan, untrained=np.nan,
    )  # fmt: skip
    return events[EVENTS]
