"""Odds of an outcome by how long a lead waited, beside source, team and quarter (logistic)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

from salesnb.analysis.logistic import Floats, fit_coefficients

FEWEST = 20
"""Leads below which a source, team or quarter is taken together with the other small ones."""

MOST_LEVELS = 60
"""Sources, teams or quarters told apart at most, the largest."""

_CLOSE = 1e-9
_POOLED = "pooled"
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Slope:
    """Change of the log odds for one more of something, with 95% interval and two-sided p."""

    value: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Fit:
    """A fitted model: coefficients with their covariance; overdispersion widens it."""

    coefficients: Floats
    covariance: Floats
    design: Floats
    weights: Floats

    def slope(self, place: int) -> Slope:
        """Read one coefficient."""
        value = float(self.coefficients[place])
        error = float(np.sqrt(self.covariance[place, place]))
        half = float(norm.ppf((1 + CONFIDENCE) / 2)) * error
        p_value = float(2 * norm.sf(abs(value) / error)) if error > 0 else 1.0
        return Slope(value, value - half, value + half, p_value)

    def standardise(self, designs: list[Floats]) -> tuple[Floats, Floats]:
        """Average the predicted shares over all leads under each design, with their covariance.

        Source: Lane & Nelder (1982), Biometrics 38, 613-621; delta method.
        """
        shares, gradients = [], []
        whole = self.weights.sum()
        for design in designs:
            chance = expit(design @ self.coefficients)
            shares.append(float(self.weights @ chance / whole))
            gradients.append((self.weights * chance * (1 - chance)) @ design / whole)
        gradient = np.array(gradients)
        return np.array(shares), gradient @ self.covariance @ gradient.T


def adjusters(cells: pd.DataFrame, names: list[str], count: str, outcome: str) -> Floats:
    """Code columns as indicators; small levels, and those all alike in outcome, are pooled."""
    columns = [np.ones(len(cells))]
    for name in names:
        sums = cells.groupby(name)[[count, outcome]].sum()
        is_mixed = (sums[outcome] > 0) & (sums[outcome] < sums[count])
        kept = sums[(sums[count] >= FEWEST) & is_mixed].nlargest(MOST_LEVELS, count).index
        level = cells[name].where(cells[name].isin(kept), _POOLED)
        dummies = pd.get_dummies(level, dtype=float).reindex(sorted(level.unique()), axis=1)
        columns += [dummies[column].to_numpy() for column in dummies.columns[1:]]
    return np.column_stack(columns)


def fit_odds(successes: Floats, n: Floats, design: Floats) -> Fit:
    """Fit log odds on counts; variance beyond a coin's widens the intervals, less never narrows.

    Source: McCullagh & Nelder (1989), Generalized Linear Models, 4.4 and 4.5.
    """
    coefficients = fit_coefficients(design, successes, n)
    chance = np.clip(expit(design @ coefficients), _CLOSE, 1 - _CLOSE)
    spread = n * chance * (1 - chance)
    spare = max(len(n) - design.shape[1], 1)
    scale = max(float(((successes - n * chance) ** 2 / spread).sum()) / spare, 1.0)
    covariance = np.linalg.pinv((design.T * spread) @ design, hermitian=True) * scale
    return Fit(coefficients, covariance, design, n)
