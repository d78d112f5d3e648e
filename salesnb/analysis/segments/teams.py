"""What whole teams have in common: it may be how their raters see a skill, so it is taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.segments.cells import Floats


@dataclass(frozen=True)
class OwnProfiles:
    """Profiles without what their teams share, and the `share` of the variance that was."""

    residuals: pd.DataFrame
    share: float


def remove_teams(residuals: pd.DataFrame, teams: pd.Series[str]) -> OwnProfiles:
    """Take out what the members of a team share in a skill, as far as it exceeds chance.

    Members of a team have raters in common. Where these see a skill more strictly than others do,
    their team would look like a segment. Means of teams are pulled to zero (empirical Bayes, one
    variance for all skills), so that where teams do not differ nothing is taken out.

    Parameters
    ----------
    residuals
        Reps x skills; NaN where not observed.
    teams
        Team of each rep, by rep; missing for those without.
    """
    values = residuals.to_numpy(float)
    codes, _ = pd.factorize(teams.reindex(residuals.index))
    codes = np.where(codes < 0, codes.max(initial=-1) + 1 + np.arange(len(codes)), codes)
    seen = np.isfinite(values)
    indicator = (codes[:, None] == np.unique(codes)).astype(float)
    counts = indicator.T @ seen
    centred = np.where(seen, values - _mean(values, seen), 0)
    means = indicator.T @ centred / np.maximum(counts, 1)
    left = np.where(seen, centred - indicator @ means, 0)
    n_teams = (counts > 0).sum(axis=0)
    within = (left**2).sum(axis=0) / np.maximum(seen.sum(axis=0) - n_teams, 1)
    is_known = (seen.sum(axis=0) > n_teams).any()
    between = _between(means, counts, within) if is_known else 0.0
    pulled = between / np.maximum(between + within / np.maximum(counts, 1), 1e-12) * means
    share = between / max(between + float(within.mean()), 1e-12)
    own = residuals - indicator @ pulled
    return OwnProfiles(own, share)


def _mean(values: Floats, seen: np.ndarray) -> Floats:
    found: Floats = np.where(seen, values, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    return found


def _between(means: Floats, counts: Floats, within: Floats) -> float:
    """Variance between teams, pooled over skills, by moments; 0 where chance explains it."""
    n = counts.sum(axis=0)
    free = np.maximum((counts > 0).sum(axis=0) - 1, 0)
    excess = (counts * means**2).sum() - (free * within).sum()
    weight = (n - (counts**2).sum(axis=0) / np.maximum(n, 1)).sum()
    return max(float(excess / weight), 0.0) if weight > 0 else 0.0
