"""Draws of what a quarter brings: whole quarters' luck, chances, amounts at close, and new ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit

DRAWS = 1_000
_AT_ONCE = 2_000_000
_SETTLES = 0.2
"""Spread of the amount at close around the pictured one, as a share of it."""

_LARGEST_SHOCK = 1.0
"""Standard deviation of a whole quarter's shock on the logit that is not gone beyond."""

_USUAL, _WORTH = 0.10, 4.0
"""How far whole quarters miss a forecast where little is known, and the quarters that is worth."""
_SEASON_WORTH = 2.0
"""Quarters of the same season that half of a season's level rests on."""

_FEWEST = 3
"""Past quarters from which what is not open yet is foreseen."""


def past_spread(quarters: pd.DataFrame) -> float:
    """Find how far whole quarters missed their forecast beyond chance, drawn to a usual spread."""
    known = quarters.dropna(subset=["expected"])
    sums = known.groupby("period")[["expected", "variance", "actual"]].sum()
    sums = sums[sums["expected"] > 0]
    n = len(sums)
    if n < 2:
        return float(_USUAL * np.sqrt(2.0))
    off = sums["actual"] / sums["expected"] - 1
    chance = (sums["variance"] / sums["expected"] ** 2).mean()
    beyond = max(float((off**2).mean() - chance), 0.0)
    return float(np.sqrt((_WORTH * _USUAL**2 + n * beyond) / (_WORTH + n)))


def expected_amounts(rows: pd.DataFrame, settles: float) -> tuple[np.ndarray, np.ndarray]:
    """Give each open one its chance by the quarter's end and the amount it is to close at.

    A typical value is of amounts at close already; an amount of the CRM settles as others did.
    """
    value = rows["value"].fillna(0.0)
    value = value.where(rows["is_value_typical"], value * settles)
    return rows["p_quarter"].to_numpy(dtype=float), value.to_numpy(dtype=float)


def open_draws(
    p: np.ndarray, value: np.ndarray, spread: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw what is won of the open ones by the quarter's end, and at what amount.

    A better or worse quarter moves all chances on the logit, by so much that their sum varies by
    `spread`, and each keeps its mean.
    """
    if np.isnan(p).any():
        return np.full(DRAWS, np.nan)
    undecided = float((p * (1 - p) * value).sum())
    size = spread * float((p * value).sum()) / undecided if undecided > 0 else 0.0
    shock = rng.normal(0.0, min(size, _LARGEST_SHOCK), DRAWS)
    total = np.zeros(DRAWS)
    step = max(1, _AT_ONCE // DRAWS)
    for start in range(0, len(p), step):
        part = slice(start, start + step)
        likely = _shaken(p[part], shock)
        won = rng.random(likely.shape) < likely
        drift = np.exp(rng.normal(-(_SETTLES**2) / 2, _SETTLES, likely.shape))
        total += (won * value[part][:, None] * drift).sum(axis=0)
    return total


def _shaken(p: np.ndarray, shock: np.ndarray) -> np.ndarray:
    """Move chances by shocks on the logit so that the mean of each stays (by Newton's steps)."""
    inner = np.clip(p, 1e-9, 1 - 1e-9)[:, None]
    place = logit(inner)
    for _ in range(3):
        moved = expit(place + shock[None, :])
        slope = (moved * (1 - moved)).mean(axis=1, keepdims=True)
        place = place - (moved.mean(axis=1, keepdims=True) - inner) / slope
    moved = expit(place + shock[None, :])
    sure = ((p <= 0) | (p >= 1))[:, None]
    return np.where(sure, p[:, None], moved)


def new_draws(past: pd.DataFrame, period: str, rng: np.random.Generator) -> np.ndarray:
    """Draw what is booked of opportunities not open yet: as past quarters from this point on.

    The same quarter of earlier years counts for as much as two others do together: so much of how
    quarters differ is taken to be the season.
    """
    by = past.groupby("period")["new"].sum().clip(lower=0.0)
    n = len(by)
    if n < _FEWEST:
        return np.full(DRAWS, np.nan)
    same = by[by.index.str[-2:] == period[-2:]]
    weight = len(same) / (len(same) + _SEASON_WORTH)
    mean = weight * float(same.mean() if len(same) else 0.0) + (1 - weight) * float(by.mean())
    if mean <= 0:
        return np.zeros(DRAWS)
    spread = max(float(by.std(ddof=1)) * np.sqrt(1 + 1 / n), _USUAL * mean)
    shape = (mean / spread) ** 2
    return rng.gamma(shape, mean / shape, DRAWS)
