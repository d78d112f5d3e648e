"""Array types of the simulation, and texts that may be missing."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Texts: TypeAlias = npt.NDArray[Any]
"""Arrays of str, with None where missing."""

NEVER = 1_000_000
"""A day that does not come."""


def texts(values: Any) -> Texts:
    """Make an array of str objects."""
    return np.array(values, dtype=object)


def keep_where(kept: Bools, values: Texts) -> Texts:
    """Keep texts where told, None elsewhere.

    >>> keep_where(np.array([True, False]), texts(["a", "b"])).tolist()
    ['a', None]
    """
    result = np.full(len(kept), None, dtype=object)
    result[kept] = values[kept]
    return result
