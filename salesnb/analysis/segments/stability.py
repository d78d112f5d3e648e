"""Would the same segments be found among other people? Bootstrap Jaccard per segment."""

from __future__ import annotations

import numpy as np

from salesnb.analysis.segments.cells import Cells, Floats, Ints
from salesnb.analysis.segments.clustering import cluster, measure, stack_of

STABLE = 0.6
"""Mean Jaccard from which a segment has a name; Hennig (2007) calls less dissolved or doubtful."""


def segment_stability(
    cells: Cells, labels: Ints, k: int, *, n_boot: int, generator: np.random.Generator
) -> Floats:
    """Measure how well each segment is found again when people are drawn anew.

    Each draw is clustered from scratch; a segment's figure is the mean, over the draws, of the
    largest overlap (shared people over people in either) with any cluster found.

    Returns
    -------
    array
        One figure a segment, 0-1. Source: Hennig (2007), Cluster-wise assessment of cluster
        stability.
    """
    n = len(cells)
    drawn = generator.integers(0, n, (n_boot, n))
    counts = np.zeros((n_boot, n), np.float32)
    np.add.at(counts, (np.arange(n_boot)[:, None], drawn), 1)
    stack = stack_of(cells.deviations[None], cells.weights, counts)
    found = measure(stack, cluster(stack, k, generator)).argmin(axis=1)
    numbers = np.arange(k)
    present = counts > 0
    own = (labels[None, :, None] == numbers) & present[..., None]
    other = (found[..., None] == numbers) & present[..., None]
    shared = np.matmul(own.swapaxes(1, 2).astype(float), other.astype(float))
    either = own.sum(axis=1)[:, :, None] + other.sum(axis=1)[:, None, :] - shared
    stability: Floats = (shared / np.maximum(either, 1)).max(axis=2).mean(axis=0)
    return stability
