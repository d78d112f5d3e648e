"""Several tests at once: p-values that allow for how many there are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

SMALLEST = 1e-300
"""Least p-value of a test: 0 is a plain count's, which needs none."""


def control_discoveries(p_values: pd.Series[float]) -> pd.Series[float]:
    """Adjust p-values by Benjamini-Hochberg (1995); missing where nothing is tested.

    >>> control_discoveries(pd.Series([0.01, float("nan"), 0.04])).tolist()
    [0.02, nan, 0.04]
    """
    tested = p_values.dropna().astype(float)
    adjusted = false_discovery_control(tested) if len(tested) else tested
    return pd.Series(adjusted, index=tested.index, dtype=float).reindex(p_values.index)


def control_any_error(p_values: pd.Series[float]) -> pd.Series[float]:
    """Adjust p-values by Holm (1979); missing where nothing is tested.

    >>> control_any_error(pd.Series([0.03, float("nan"), 0.01])).tolist()
    [0.03, nan, 0.02]
    """
    tested = p_values.dropna().sort_values()
    left = np.arange(len(tested), 0, -1)
    return (tested * left).cummax().clip(upper=1.0).reindex(p_values.index)
