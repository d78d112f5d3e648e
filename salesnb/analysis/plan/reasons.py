"""Why somebody with a gap gets no seat."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from salesnb.analysis.plan.limits import Offers, PlanLimits
from salesnb.language import mark, tr

NO_EVIDENCE = mark("not enough evidence")
NO_TARGET = mark("no target")
NO_GAP = mark("no gap")
NO_COURSE = mark("no course for the skill")
DONE = mark("completed already")
ASSIGNED = mark("assigned already")
NO_EFFECT = mark("the course brings nothing")
NO_WORTH = mark("the skill moves no results")
NO_SEAT = mark("no seat")
BUDGET = mark("budget")
HOURS = mark("hours")
NOT_HELD = mark("course not held")
OTHERS_FIRST = mark("others gain more")
_APART = "; "
"""Between the reasons of one seat."""


def say_reasons(reasons: str) -> str:
    """Say in the language spoken why there is no seat.

    >>> say_reasons("no seat; budget")
    'no seat; budget'
    """
    return _APART.join(tr(reason) for reason in reasons.split(_APART))


def bind(offers: Offers, limits: PlanLimits, is_taken: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Say which limits keep each offer that is not taken out of the plan.

    Parameters
    ----------
    is_taken
        (N,) of the offers.
    """
    left = limits.budget - offers.cost[is_taken].sum()
    sizes = np.bincount(offers.course[is_taken], minlength=len(offers.seats))
    spent = np.bincount(offers.rep[is_taken], offers.hours[is_taken], len(offers.is_due))
    parts = {
        NOT_HELD: (sizes == 0)[offers.course] & (limits.smallest_class > 1),
        NO_SEAT: (sizes >= offers.seats)[offers.course],
        BUDGET: offers.cost > left + 1e-9,
        HOURS: spent[offers.rep] + offers.hours > limits.hours + 1e-9,
    }
    words = np.array(
        [
            _APART.join(name for name, binds in parts.items() if binds[number]) or OTHERS_FIRST
            for number in range(len(offers))
        ],
        dtype=object,
    )
    return np.where(is_taken, "", words)


def list_left_out(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """List what is left out, a row a person and skill; people without any gap have one row.

    Parameters
    ----------
    rows
        Offers with `reason`, empty where one is taken: several of one skill may be there.
    """
    trained = rows[rows["reason"] == ""][["rep_id", "skill"]]
    served = pd.MultiIndex.from_frame(rows[["rep_id", "skill"]]).isin(
        pd.MultiIndex.from_frame(trained)
    )
    left = rows[~served].sort_values(["gain", "course_id"], ascending=[False, True])
    left = left.drop_duplicates(["rep_id", "skill"])
    gaps = left[left["reason"] != NO_GAP]
    without = left[~left["rep_id"].isin(set(gaps["rep_id"]) | set(trained["rep_id"]))]
    without = without.drop_duplicates("rep_id").assign(
        skill="", course_id="", course="", gap=np.nan, p_below=np.nan, gain=np.nan
    )
    gaps = gaps.assign(
        gap=gaps["gap"].mask(gaps["reason"] == NO_EVIDENCE),
        gain=gaps["gain"].mask(gaps["reason"].isin([NO_EVIDENCE, NO_COURSE])),
    )
    found = pd.concat([gaps, without])
    found = found.sort_values(["gain", "rep_id", "skill"], ascending=[False, True, True])
    return found[columns].reset_index(drop=True)
