"""Are there few people between segments? A long tail can be split in two; a valley is not made."""

from __future__ import annotations

import numpy as np

from salesnb.analysis.segments.cells import Cells, Floats, Ints, Single
from salesnb.analysis.segments.clustering import Stack, measure, stack_of

_WIDTH = np.float32(0.15)
_AT = (-0.5, -0.35, -0.1, 0.0, 0.1, 0.35, 0.5)
"""Where density is read, on a line with the two centres at -1/2 and 1/2."""


def valley_depths(cells: Cells, values: Floats, centres: Single) -> Floats:
    """Mean depth, over the clusters of each table, of the valley to the nearest other cluster.

    1 is nobody between two clusters, 0 a plateau, below 0 a hill.
    """
    stack = stack_of(values, cells.weights)
    nearest = measure(stack, centres).argmin(axis=1)
    apart = ((centres[:, :, None] - centres[:, None]) ** 2).sum(axis=-1)
    apart[:, np.arange(apart.shape[1]), np.arange(apart.shape[1])] = np.inf
    other = apart.argmin(axis=2)
    rows = np.arange(len(centres))
    depths = [
        _depth(stack, nearest, one, other[:, one], centres[:, one], centres[rows, other[:, one]])
        for one in range(centres.shape[1])
    ]
    found: Floats = np.mean(depths, axis=0)
    return found


def _depth(
    stack: Stack, nearest: Ints, one: int, other: Ints, here: Single, there: Single
) -> Floats:
    """Compare density between two centres with the lower of the two peaks."""
    along, middle = there - here, (there + here) / 2
    places = np.matmul(stack.weighted, along[:, :, None])[..., 0]
    places = places - (along * middle) @ stack.weights.T
    places = places / np.maximum(along**2 @ stack.weights.T, np.float32(1e-9))
    members = (nearest == one) | (nearest == other[:, None])
    density = [(np.exp(-0.5 * ((places - at) / _WIDTH) ** 2) * members).sum(axis=1) for at in _AT]
    peak = np.minimum(np.maximum(density[0], density[1]), np.maximum(density[-1], density[-2]))
    found: Floats = 1 - np.min(density[2:5], axis=0) / np.maximum(peak, 1e-9)
    return found
