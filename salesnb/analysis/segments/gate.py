"""Are there segments at all? More silhouette than segment-free companies, and valleys between."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.stats import gumbel_r

from salesnb.analysis.segments.cells import Cells, Floats, Single
from salesnb.analysis.segments.clustering import cluster, measure, silhouettes, stack_of
from salesnb.analysis.segments.nulls import NULLS, Null
from salesnb.analysis.segments.valleys import valley_depths

FEWEST_PEOPLE = 30
"""Below this nothing is tested: no grouping of so few could stand out from chance."""
ALPHA = 0.05
SOME_VALLEY = 0.2
"""Chance of the valleys beyond which a clear grouping is a long tail, not segments."""

_BATCH = 33
_PEOPLE_PER_SEGMENT = 10


class Verdict(StrEnum):
    """How sure it is that people fall into segments."""

    NONE = "none"
    PROVISIONAL = "provisional"
    CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Gate:
    """What the gate found.

    `p_index` is the chance of so clear a grouping in a company without segments, the largest over
    the kinds of such companies; `p_valley` that of so few people between the segments (NaN where
    the index ended the test); `k` the number of segments; `centres` (k x skills) of the clusters.
    """

    p_index: float
    p_valley: float
    k: int
    centres: Single

    @property
    def p_value(self) -> float:
        """Chance of what the verdict rests on."""
        if self.p_valley > SOME_VALLEY:
            return max(self.p_index, self.p_valley)
        return self.p_index

    @property
    def verdict(self) -> Verdict:
        """Grade the evidence."""
        if self.p_value > ALPHA:
            return Verdict.NONE
        return Verdict.CONFIRMED if self.p_valley <= ALPHA else Verdict.PROVISIONAL


def judge(cells: Cells, *, most_segments: int, n_null: int, generator: np.random.Generator) -> Gate:
    """Test for segments; their number is that with the largest silhouette.

    A kind of segment-free company that is often as clear as the given one ends the test at once.
    """
    numbers = range(2, min(most_segments, len(cells) // _PEOPLE_PER_SEGMENT) + 1)
    if len(cells) < FEWEST_PEOPLE or not cells.deviations.any() or not numbers:
        return Gate(1.0, np.nan, 1, np.zeros((1, cells.deviations.shape[1]), np.float32))
    found = _cluster(cells, cells.deviations[None], numbers, generator)
    p_index, p_valley, best = 0.0, 0.0, int(found.index[0].argmax())
    for null in NULLS:
        drawn = _draw(cells, found, null, numbers, n_null, generator)
        standard = _standardise(found.index, drawn.clustered.index)
        p_index = max(p_index, _chance(standard.own.max(), standard.drawn.max(axis=1)))
        if p_index > ALPHA:
            return Gate(p_index, np.nan, numbers[best], found.centres[best][0])
        own = valley_depths(cells, cells.deviations[None], found.centres[best])
        depths = valley_depths(cells, drawn.values, drawn.clustered.centres[best])
        p_valley = max(p_valley, _chance(own[0], depths))
        if p_valley > SOME_VALLEY:
            break
    return Gate(p_index, p_valley, numbers[best], found.centres[best][0])


@dataclass(frozen=True)
class _Clustered:
    """Silhouettes (tables x numbers of segments), and centres by number of segments."""

    index: Floats
    centres: tuple[Single, ...]


@dataclass(frozen=True)
class _Drawn:
    """Tables without segments, clustered all the same."""

    values: Floats
    clustered: _Clustered


@dataclass(frozen=True)
class _Standard:
    """Silhouettes in standard deviations of those drawn, per number of segments."""

    own: Floats
    drawn: Floats


def _cluster(
    cells: Cells, values: Floats, numbers: range, generator: np.random.Generator
) -> _Clustered:
    stack = stack_of(values, cells.weights)
    centres = tuple(cluster(stack, k, generator) for k in numbers)
    index = [silhouettes(measure(stack, found)) for found in centres]
    return _Clustered(np.column_stack(index).astype(float), centres)


def _draw(
    cells: Cells,
    found: _Clustered,
    null: Null,
    numbers: range,
    n_null: int,
    generator: np.random.Generator,
) -> _Drawn:
    """Draw until enough, or until so many are as clear that the test cannot succeed."""
    tables: list[Floats] = []
    parts: list[_Clustered] = []
    while (n_left := n_null - sum(map(len, tables))) > 0:
        tables.append(null(cells, min(_BATCH, n_left), generator))
        parts.append(_cluster(cells, tables[-1], numbers, generator))
        standard = _standardise(found.index, np.vstack([part.index for part in parts]))
        if (standard.drawn.max(axis=1) >= standard.own.max()).sum() > ALPHA * (n_null + 1):
            break
    centres = tuple(np.concatenate(same) for same in zip(*(p.centres for p in parts), strict=True))
    index = np.vstack([part.index for part in parts])
    return _Drawn(np.concatenate(tables), _Clustered(index, centres))


def _standardise(own: Floats, drawn: Floats) -> _Standard:
    middle, spread = drawn.mean(axis=0), np.maximum(drawn.std(axis=0), 1e-9)
    return _Standard((own[0] - middle) / spread, (drawn - middle) / spread)


def _chance(own: float, drawn: Floats) -> float:
    """Share of draws that reach the own value; beyond all of them, the tail of a Gumbel."""
    n_reached = int((drawn >= own).sum())
    if n_reached:
        return (1 + n_reached) / (1 + len(drawn))
    scale = max(drawn.std() * np.sqrt(6) / np.pi, 1e-9)
    tail = gumbel_r.sf(own, loc=drawn.mean() - np.euler_gamma * scale, scale=scale)
    return min(1 / (1 + len(drawn)), max(float(tail), 1e-12))
