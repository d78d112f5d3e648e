"""Profiles made ready for clustering: centred, missing cells without weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.floating[Any]]
Single = NDArray[np.float32]
Ints = NDArray[np.int64]

_LEAST_OWN = 0.1
"""Least share of the variance that is taken to be people's own, not noise."""


@dataclass(frozen=True)
class Cells:
    """People by skills: `deviations` from the skill's mean (0: not observed) and their `errors`.

    `centre` is the mean of each skill, `weights` are in proportion to how much a cell says (0
    where not observed, at most 1).
    """

    deviations: Floats
    errors: Floats
    weights: Floats
    centre: Floats

    def __len__(self) -> int:
        """Count the people."""
        return len(self.deviations)

    @property
    def is_observed(self) -> NDArray[np.bool_]:
        """Which cells were observed."""
        return self.weights > 0

    @classmethod
    def from_table(cls, table: Floats, errors: Floats) -> Self:
        """Centre a table whose missing cells are NaN; `errors` are standard errors."""
        seen = np.isfinite(table)
        counts = np.maximum(seen.sum(axis=0), 1)
        centre = np.where(seen, table, 0).sum(axis=0) / counts
        values = np.where(seen, table - centre, 0)
        noise = np.where(seen, errors, 0) ** 2
        n_seen = max(int(seen.sum()), 1)
        variance, mean_noise = float((values**2).sum()) / n_seen, float(noise.sum()) / n_seen
        own = max(variance - mean_noise, _LEAST_OWN * variance, np.finfo(float).tiny)
        weights = np.where(seen, 1 / (own + noise), 0)
        return cls(values, np.sqrt(noise), weights / max(weights.max(), 1e-300), centre)

    def take(self, rows: Ints) -> Cells:
        """Take some of the people."""
        return Cells(self.deviations[rows], self.errors[rows], self.weights[rows], self.centre)
