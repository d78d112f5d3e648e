"""Answers: whether a score below target is followed by feedback on that skill."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm

from salesnb.analysis.feedback.records import DAY, closing_day
from salesnb.analysis.feedback.result import Answers
from salesnb.analysis.profiles.forms import find_own
from salesnb.language import tr
from salesnb.measures.measures import Measures

_WINDOW = 4
_FEWEST = 20
"""Scores on either side below which they are not compared."""


def find_answers(
    measures: Measures, own: pd.DataFrame, people: list[str], *, period: str, days: int
) -> Answers:
    """Compare how often scores below target and others are followed by feedback on the skill.

    A score is the mean of a quarter's raters other than the person; its day is that of the last
    of their forms. Only scores whose `days` were over by the quarter's end count.
    """
    events = _find_events(measures, people, period)
    lacking = tr("no score has a target") if events.empty else tr("no such score is old enough")
    events = events[events["day"] + pd.Timedelta(days=days) <= closing_day(measures, period)]
    if events.empty:
        return Answers(days, 0, 0, 0, 0, float("nan"), float("nan"), lacking)
    on_skill = own.loc[own["skill"] != "", ["rep_id", "skill", "given_on"]]
    events, on_skill = (rows.astype({"rep_id": str, "skill": str}) for rows in (events, on_skill))
    met = pd.merge_asof(
        events.sort_values("day"), on_skill.sort_values("given_on"),
        left_on="day", right_on="given_on", by=["rep_id", "skill"], direction="forward",
        tolerance=pd.Timedelta(days=days), allow_exact_matches=False,
    )  # fmt: skip
    met["is_answered"] = met["given_on"].notna()
    gaps, others = met[met["is_gap"]], met[~met["is_gap"]]
    lag = (gaps["given_on"] - gaps["day"]).dt.days
    enough = min(len(gaps), len(others)) >= _FEWEST
    return Answers(
        days=days,
        n_gaps=len(gaps),
        n_answered=int(gaps["is_answered"].sum()),
        n_others=len(others),
        n_others_answered=int(others["is_answered"].sum()),
        median_days=float(lag.median()),
        p_value=_compare_within_people(met) if enough else float("nan"),
    )


def _find_events(measures: Measures, people: list[str], period: str) -> pd.DataFrame:
    """List scores with a target: rep_id, period, skill, day, is_gap.

    A target without a role is that of everybody whose role has none of its own.
    """
    rows = measures.ratings
    columns = ["rep_id", "period", "skill", "day", "is_gap"]
    if rows.empty or measures.skills.empty:
        return pd.DataFrame(columns=columns).astype({"day": DAY, "is_gap": bool})
    rows = rows[~find_own(rows) & rows["rep_id"].isin(people) & rows["score"].notna()]
    rows = rows[rows["period"].isin(measures.window(period, _WINDOW + 1))]
    rows = rows.assign(day=pd.to_datetime(rows["rated_on"]).astype(DAY))
    scores = rows.groupby(["rep_id", "period", "skill"], as_index=False).agg(
        score=("score", "mean"), day=("day", "max")
    )
    roles = measures.people[["rep_id", "role"]]
    targets = measures.skills[["skill", "role", "target"]].dropna(subset=["target"])
    targets = targets.fillna({"role": ""}).drop_duplicates(["skill", "role"])
    of_role, of_all = targets[targets["role"] != ""], targets[targets["role"] == ""]
    scores = scores.merge(roles, on="rep_id").merge(of_role, on=["skill", "role"], how="left")
    of_skill = scores["skill"].map(of_all.set_index("skill")["target"])
    scores = scores.assign(target=scores["target"].fillna(of_skill)).dropna(subset=["target"])
    return scores.assign(is_gap=scores["score"] < scores["target"])[columns]


def _compare_within_people(met: pd.DataFrame) -> float:
    """Return the two-sided p-value of Mantel and Haenszel over people and quarters.

    Source: Mantel & Haenszel (1959), J. Natl. Cancer Inst. 22, 719-748.
    """
    strata = met.groupby(["rep_id", "period"]).agg(
        n=("is_gap", "size"), gaps=("is_gap", "sum"), answered=("is_answered", "sum")
    )
    both = (met["is_gap"] & met["is_answered"]).sum()
    n, gaps, answered = (strata[name].to_numpy(float) for name in ("n", "gaps", "answered"))
    expected = (gaps * answered / n).sum()
    several = n > 1
    n, gaps, answered = n[several], gaps[several], answered[several]
    variance = (gaps * (n - gaps) * answered * (n - answered) / (n**2 * (n - 1))).sum()
    return float(2 * norm.sf(abs(both - expected) / np.sqrt(variance))) if variance > 0 else 1.0
