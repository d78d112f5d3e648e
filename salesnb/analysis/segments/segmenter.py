"""SkillSegmenter: groups of people by the shape of their skills, or none, as an estimator."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from salesnb.analysis.segments.cells import Cells, Floats, Ints
from salesnb.analysis.segments.gate import Verdict, judge
from salesnb.analysis.segments.mixture import Mixture, fit_mixture
from salesnb.analysis.segments.stability import STABLE, segment_stability
from salesnb.errors import ParameterError

MOST_TESTED = 600
"""People on whom the test and the bootstrap rest where there are more; drawn at random."""

_FEWEST_STABLE = 2
_FEWEST_NULLS = 19


class SkillSegmenter(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Segment people by their skill profiles, if there are segments.

    First it is tested whether people fall into segments at all: their grouping must be clearer
    than in companies without segments that have the same missing cells, covariance and skew
    (`n_null` of each kind). Without that everybody is in one group and the verdict is "none".
    With it, and with few people between the segments, it is "confirmed"; where borders are less
    clear, or fewer than two segments stable, "provisional". The number of segments is that with
    the largest silhouette; membership comes from a mixture of round segments that knows the error
    of each cell.

    Parameters
    ----------
    max_segments
        Largest number of segments looked for, 2 or more.
    n_null
        Segment-free companies drawn of each kind, 19 or more.
    n_boot
        Bootstrap samples behind `stability_`.
    random_state
        Seed; the same data and seed give the same result.

    Attributes
    ----------
    verdict_
        "none", "provisional" or "confirmed".
    labels_
        Segment of each person, 0 for everybody where there are none.
    n_segments_
        Number of segments; 1 where there are none.
    stability_
        Bootstrap Jaccard of each segment, 0-1: below .6 it is not to be relied on; 1 where there
        are none.
    probabilities_
        People x segments; rows sum to 1.
    centers_
        Segments x skills, in the units of X.
    p_value_, p_valley_
        Chance of so clear a grouping, and of so few people between, without segments.

    Notes
    -----
    NaN is a skill that was not observed. Overall level is part of a profile unless it was taken
    out before, as `skill_profiles` does.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> profiles = np.repeat(np.eye(3) * 3, 30, axis=0) + rng.normal(0, 0.4, (90, 3))
    >>> SkillSegmenter().fit(profiles).n_segments_
    3
    """

    def __init__(
        self,
        *,
        max_segments: int = 8,
        n_null: int = 99,
        n_boot: int = 50,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.max_segments = max_segments
        self.n_null = n_null
        self.n_boot = n_boot
        self.random_state = random_state

    def fit(
        self, X: npt.ArrayLike, y: object = None, *, errors: npt.ArrayLike | None = None
    ) -> Self:
        """Test for segments and find them.

        Parameters
        ----------
        X
            People x skills, level taken out; NaN where a skill was not observed.
        y
            Ignored.
        errors
            Standard error of each cell; None: none are known, all cells count alike.

        Raises
        ------
        ParameterError
            An option or the errors are out of range.
        """
        table = validate_data(self, X, dtype=float, ensure_all_finite="allow-nan")
        self._check_options()
        cells = Cells.from_table(table, _check_errors(errors, table))
        seen = cells.is_observed
        self.error_ = float(np.sqrt((cells.errors**2).sum() / max(int(seen.sum()), 1)))
        self.means_ = cells.centre
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        generator = np.random.default_rng(seed)
        rows = np.arange(len(cells))
        if len(cells) > MOST_TESTED:
            rows = np.sort(generator.choice(len(cells), MOST_TESTED, replace=False))
        self._segment(cells, rows, generator)
        return self

    def predict(self, X: npt.ArrayLike, *, errors: npt.ArrayLike | None = None) -> Ints:
        """Find the likeliest segment of each person."""
        found: Ints = self.predict_proba(X, errors=errors).argmax(axis=1)
        return found

    def predict_proba(self, X: npt.ArrayLike, *, errors: npt.ArrayLike | None = None) -> Floats:
        """Find the probability of each segment (columns) for each person.

        `errors` are those of the cells; None takes the typical one of the people fitted.
        """
        check_is_fitted(self)
        table = validate_data(self, X, dtype=float, ensure_all_finite="allow-nan", reset=False)
        noise = np.full_like(table, self.error_) if errors is None else _check_errors(errors, table)
        seen = np.isfinite(table)
        values, noise = np.where(seen, table - self.means_, 0), np.where(seen, noise, 0)
        return self.mixture_.memberships(Cells(values, noise, seen.astype(float), self.means_))

    def _segment(self, cells: Cells, rows: Ints, generator: np.random.Generator) -> None:
        tested = cells.take(rows)
        gate = judge(
            tested, most_segments=self.max_segments, n_null=self.n_null, generator=generator
        )
        self.p_value_, self.p_valley_ = gate.p_value, gate.p_valley
        verdict = gate.verdict
        k = 1 if verdict is Verdict.NONE else gate.k
        start = np.zeros((1, cells.deviations.shape[1])) if k == 1 else gate.centres.astype(float)
        self.mixture_: Mixture = fit_mixture(cells, start)
        self.probabilities_ = self.mixture_.memberships(cells)
        self.labels_: Ints = self.probabilities_.argmax(axis=1)
        self.n_segments_ = k
        self.centers_ = self.mixture_.centres + self.means_
        self.stability_ = np.ones(1)
        if k > 1:
            self.stability_ = segment_stability(
                tested, self.labels_[rows], k, n_boot=self.n_boot, generator=generator
            )
            if (self.stability_ >= STABLE).sum() < _FEWEST_STABLE:
                verdict = Verdict.PROVISIONAL
        self.verdict_ = str(verdict)

    def _check_options(self) -> None:
        for name, least in (("max_segments", 2), ("n_null", _FEWEST_NULLS), ("n_boot", 1)):
            if getattr(self, name) < least:
                raise ParameterError(
                    f"{name}: {getattr(self, name)!r} is too few; give {least} or more."
                )

    def __sklearn_tags__(self) -> Any:
        """Say that cells may be missing."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _check_errors(errors: npt.ArrayLike | None, table: Floats) -> Floats:
    """Check standard errors against their table; none are zeros."""
    if errors is None:
        return np.zeros_like(table)
    found: Floats = check_array(errors, dtype=float, ensure_all_finite=False)
    if found.shape != table.shape:
        raise ParameterError(
            f"errors: has shape {found.shape}, the profiles {table.shape}. Give one a cell."
        )
    wrong = np.isfinite(table) & ~(np.isfinite(found) & (found >= 0))
    if wrong.any():
        raise ParameterError(
            f"errors: {int(wrong.sum())} of {wrong.size} observed cells have an error that is "
            "negative or missing. Give a standard error for each observed cell."
        )
    return found
