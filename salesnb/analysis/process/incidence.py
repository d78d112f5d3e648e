"""Incidence: the share that has ended in a way by each day, with others still under way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from salesnb.analysis.interval import find_wilson
from salesnb.measures.flow.stays import ENTERED, OPEN, REENTERED, UNKNOWN

Floats = NDArray[np.floating[Any]]
CENSORING = (OPEN, UNKNOWN)
"""Ends that say nothing of how it would have ended: not over yet, or moved out of sight."""
_PRACTICALLY_NONE = 0.02
Z_95 = float(norm.ppf(0.975))


@dataclass(frozen=True)
class Share:
    """A share with its standard error and 95% interval; all missing where it is not known."""

    value: float
    error: float
    low: float
    high: float


NOT_KNOWN = Share(np.nan, np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class Span:
    """Days with their 95% interval; an end that is not reached yet is missing."""

    days: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Incidence:
    """Share ended in one way by each day; other ways compete.

    Attributes
    ----------
    days : (D,) ages at which anything ended, rising.
    at_risk : (D,) how many were under way at each.
    share, error : (D,) cumulative incidence and its standard error.
    last_day : the age up to which anybody was followed; NaN without anybody.
    is_all : whether at most 2% were left by then, so that later days are known too.
    n : how many began.
    """

    days: NDArray[np.int64]
    at_risk: Floats
    share: Floats
    error: Floats
    last_day: float
    is_all: bool
    n: float

    def by(self, day: float) -> Share:
        """Give the share by a day; missing beyond what anybody was followed for."""
        if not self.n or not (day <= self.last_day or self.is_all):
            return NOT_KNOWN
        place = int(np.searchsorted(self.days, day, side="right")) - 1
        if place < 0:
            return with_interval(0.0, 0.0, self.n)
        fewest = float(self.at_risk[: place + 1].min())
        return with_interval(float(self.share[place]), float(self.error[place]), fewest)

    def reach(self, day: float) -> float:
        """Give the last day up to `day` by which the share is known; NaN without anybody."""
        return day if self.is_all else float(np.fmin(day, self.last_day))

    def when(self, share: float = 0.5) -> Span:
        """Find the day by which a share has ended, between days by straight lines.

        A difference of dates of k days is a time around k, so half of its ends lie beyond k: the
        share by day k is reached at k + 1/2.
        """
        if not len(self.days):
            return Span(np.nan, np.nan, np.nan)
        rows = zip(self.share, self.error, self.at_risk, strict=True)
        shares = [with_interval(*row) for row in rows]
        days = self.days + 0.5
        early, late = (np.array([getattr(one, end) for one in shares]) for end in ("high", "low"))
        return Span(*(_reach(days, line, share) for line in (self.share, early, late)))


def with_interval(share: float, error: float, at_risk: float) -> Share:
    """Wilson's interval with as many records as would give this error without any censoring."""
    share = min(max(share, 0.0), 1.0)
    spread = share * (1 - share)
    size = spread / error**2 if min(spread, error) > 1e-12 else max(at_risk, 1.0)
    return Share(share, error, *find_wilson(share, size))


def _reach(days: Floats, line: Floats, level: float) -> float:
    rising = np.maximum.accumulate(line)
    place = int(np.searchsorted(rising, level - 1e-12))
    if place == len(rising):
        return float("nan")
    before = (days[place] - 1.0, 0.0) if place == 0 else (days[place - 1], rising[place - 1])
    step = rising[place] - before[1]
    part = (level - before[1]) / step if step > 0 else 1.0
    return float(max(before[0] + part * (days[place] - before[0]), 0.0))


def find_incidence(counts: pd.DataFrame, causes: Collection[str]) -> Incidence:
    """Estimate the cumulative incidence of ending by any of the causes (Aalen-Johansen).

    Parameters
    ----------
    counts
        days, event, n: `entered` and `reentered` at an age join those under way, before what ends
        at that age; `open` and `unknown` leave without having ended; all others end.
    causes
        Ends of interest; the others compete. Of all ends together it is 1 - Kaplan-Meier.

    Source: Aalen & Johansen (1978), Scand. J. Statist. 5, 141-150; variance by the delta method,
    Marubini & Valsecchi (1995), Analysing Survival Data, 10.3.

    >>> rows = [(0, "entered", 4), (2, "won", 1), (3, "lost", 1), (5, "open", 1), (6, "won", 1)]
    >>> counts = pd.DataFrame(rows, columns=["days", "event", "n"])
    >>> find_incidence(counts, ["won"]).share.tolist()
    [0.25, 0.25, 0.75]
    """
    rows = counts.astype({"event": str})
    table = rows.pivot_table("n", "days", "event", aggfunc="sum", fill_value=0)
    ages, n = table.index.to_numpy(dtype=np.int64), table.to_numpy(dtype=float)
    names = np.array([str(name) for name in table.columns])
    begins = n[:, np.isin(names, [ENTERED, REENTERED])].sum(axis=1)
    leaves = n.sum(axis=1) - begins
    ends = leaves - n[:, np.isin(names, CENSORING)].sum(axis=1)
    ours = n[:, np.isin(names, list(causes))].sum(axis=1)
    at_risk = np.cumsum(begins) - np.cumsum(leaves) + leaves
    seen = at_risk > 0
    last = float(ages[seen].max()) if seen.any() else float("nan")
    kept = (ends > 0) & seen
    share, error, survival = _accumulate(at_risk[kept], ends[kept], ours[kept])
    is_all = bool(len(survival)) and bool(survival[-1] <= _PRACTICALLY_NONE)
    return Incidence(ages[kept], at_risk[kept], share, error, last, is_all, float(begins.sum()))


def _accumulate(at_risk: Floats, ends: Floats, ours: Floats) -> tuple[Floats, Floats, Floats]:
    """Add up day by day: the share ended our way, its standard error, and the share left."""
    survival: Floats = np.cumprod(1 - ends / at_risk)
    before = np.concatenate([[1.0], survival[:-1]])
    share: Floats = np.cumsum(before * ours / at_risk)
    left = at_risk - ends
    # Where all end, nothing comes after: the first term has no weight any more.
    hazard = np.divide(ends, at_risk * left, out=np.zeros_like(ends), where=left > 0)
    mixed = before * ours / at_risk**2
    own = np.cumsum(before**2 * (at_risk - ours) * ours / at_risk**3)
    squares = share**2 * np.cumsum(hazard) - 2 * share * np.cumsum(hazard * share)
    squares = squares + np.cumsum(hazard * share**2)
    cross = share * np.cumsum(mixed) - np.cumsum(mixed * share)
    variance = np.maximum(squares + own - 2 * cross, 0.0)
    return share, np.sqrt(variance), survival
