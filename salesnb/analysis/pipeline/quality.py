"""How right chances were on pictures later than all that they were learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from salesnb.analysis.outlook.calibration import reliability_table
from salesnb.analysis.pipeline.frames import KEY, OUTCOME

_BINS, _SAMPLES = 10, 100
FIGURES = ["error", "slope", "brier", "log_loss", "auc"]


@dataclass(frozen=True, eq=False)
class Quality:
    """How right chances were, on pictures they were not learned from.

    Attributes
    ----------
    n, n_opportunities, first_day, last_day
        Pictures judged on, of how many opportunities, of which days.
    figures
        Indexed by figure, with `value` and 95% interval `low`, `high` (bootstrap over
        opportunities): `error` (mean distance of chance and share that came, over tenths of the
        pictures), `slope` (1 is right; below it chances are too extreme), `brier`, `log_loss`,
        `auc`.
    by_chance
        The error that chances without any fault would have shown with as many pictures.
    sum_ratio
        Wins expected over wins that came.
    table
        One row a tenth: low, high, n, p, share and its 90% interval share_low, share_high.
    """

    n: int
    n_opportunities: int
    first_day: pd.Timestamp
    last_day: pd.Timestamp
    figures: pd.DataFrame
    by_chance: float
    sum_ratio: float
    table: pd.DataFrame

    def value(self, figure: str) -> float:
        """Take one figure."""
        return float(self.figures["value"][figure])


def judge(rows: pd.DataFrame, p: np.ndarray, *, random_state: int) -> Quality:
    """Compare chances with what came."""
    y = rows[OUTCOME].to_numpy(dtype=float)
    p = np.clip(p, 1e-6, 1 - 1e-6)
    rng = np.random.default_rng(random_state)
    codes, names = pd.factorize(rows[KEY], sort=True)
    values = _figures(y, p, np.ones(len(y)))
    drawn = []
    for _ in range(_SAMPLES):
        weight = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        drawn.append(_figures(y, p, weight[codes].astype(float)))
    low, high = np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    figures = pd.DataFrame({"value": values, "low": low, "high": high}, index=FIGURES)
    luck = [_error(rng.binomial(1, p).astype(float), p, np.ones(len(y))) for _ in range(_SAMPLES)]
    return Quality(
        n=len(rows),
        n_opportunities=len(names),
        first_day=rows["day"].min(),
        last_day=rows["day"].max(),
        figures=figures,
        by_chance=float(np.mean(luck)),
        sum_ratio=float(p.sum() / y.sum()) if y.sum() else float("nan"),
        table=reliability_table(p, y, edges=_edges(p)),
    )


def _figures(y: np.ndarray, p: np.ndarray, weight: np.ndarray) -> list[float]:
    kept = weight > 0
    y, p, weight = y[kept], p[kept], weight[kept]
    if not 0 < y.sum() < len(y):
        return [float("nan")] * len(FIGURES)
    return [
        _error(y, p, weight),
        calibration_slope(y, p, weight),
        float(brier_score_loss(y, p, sample_weight=weight)),
        float(log_loss(y, p, sample_weight=weight)),
        float(roc_auc_score(y, p, sample_weight=weight)),
    ]


def _edges(p: np.ndarray) -> tuple[float, ...]:
    inner = np.unique(np.quantile(p, np.arange(1, _BINS) / _BINS))
    return (0.0, *(float(edge) for edge in inner), 1.0)


def _error(y: np.ndarray, p: np.ndarray, weight: np.ndarray) -> float:
    """Mean distance of chance and share over tenths: the expected calibration error."""
    band = np.searchsorted(np.asarray(_edges(p)[1:-1]), p, side="right")
    sums = [np.bincount(band, weights=weight * x, minlength=_BINS) for x in (y, p)]
    return float(np.abs(sums[0] - sums[1]).sum() / weight.sum())


def calibration_slope(y: np.ndarray, p: np.ndarray, weight: np.ndarray) -> float:
    """Regress outcomes on the logit of chances; 1 where they are neither too bold nor too shy.

    Source: Cox (1958), Biometrika 45, 562-565.
    """
    x = logit(p)[:, None]
    if np.ptp(x) == 0:
        return float("nan")
    found = LogisticRegression(C=1e6, solver="newton-cholesky").fit(x, y, sample_weight=weight)
    return float(found.coef_[0, 0])
