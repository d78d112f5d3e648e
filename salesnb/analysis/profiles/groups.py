"""Means of groups of people, people beside their group, and whether people differ at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import f as fisher

from salesnb.analysis.profiles.forms import Floats, Ints
from salesnb.analysis.profiles.posterior import Posterior


@dataclass(frozen=True, eq=False)
class Group:
    """Mean skills of a group, and each member's distance from it (reps, skills).

    `error` is the mean's; `apart_error` that of the distances, from which drops out what raters
    of the whole group share. Missing where nobody counts in a skill.
    """

    mean: Floats
    error: Floats
    apart: Floats
    apart_error: Floats


def compare_group(posterior: Posterior, reps: Ints, counts: Floats) -> Group:
    """Compare people with their mean.

    Parameters
    ----------
    posterior
        Of the whole company.
    reps
        Positions of the group's people.
    counts
        Reps by skills: 1 where a person counts in a skill's mean, else 0.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = counts / counts.sum(axis=0)
    skills = posterior.mean[reps]
    own = np.einsum("rkk->rk", posterior.own[reps])
    mean = (weight * skills).sum(axis=0)
    of_mean = (weight**2 * own).sum(axis=0)
    parts = _split(posterior, reps)
    root = sum(
        np.einsum("rk,rkn->kn", weight[part], posterior.shared(reps[part])) for part in parts
    )
    shared = np.empty_like(skills)
    for part in parts:
        shared[part] = ((posterior.shared(reps[part]) - root) ** 2).sum(axis=2)
    variance = own * (1 - 2 * weight) + of_mean + shared
    return Group(
        mean=mean,
        error=np.sqrt(of_mean + (root**2).sum(axis=1)),
        apart=skills - mean,
        apart_error=np.sqrt(np.maximum(variance, 0.0)),
    )


def _split(posterior: Posterior, reps: Ints) -> list[Ints]:
    """Split positions in a group so that one part fits into memory."""
    n_parts = max(len(reps) * len(posterior.chunks()) // len(posterior.forms.reps), 1)
    return np.array_split(np.arange(len(reps)), n_parts)


def judge_differences(unshrunk: Posterior, groups: list[Ints], counts: Floats) -> Floats:
    """Test for each skill whether people differ from their own group's mean by more than chance.

    Parameters
    ----------
    unshrunk
        Estimates that assume nothing of people.
    groups
        Positions of the people of each group; those of one are left out.
    counts
        All reps by skills: 1 where a person counts, else 0.

    Returns
    -------
    array
        p-value a skill, by Fisher's F; missing where no group has two people.

    Source: Cochran (1954), Biometrics 10, 101-129.
    """
    statistic, freedom = np.zeros(counts.shape[1]), np.zeros(counts.shape[1])
    for reps in groups:
        found = compare_group(unshrunk, reps, counts[reps])
        n = counts[reps].sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.where(counts[reps] > 0, (found.apart / found.apart_error) ** 2, 0.0)
            # By chance each ratio is 1, and one of n distances follows from the others.
            statistic += np.where(n > 1, ratio.sum(axis=0) * (n - 1) / n, 0.0)
        freedom += np.maximum(n - 1, 0)
    forms = unshrunk.forms
    spare = max(float(forms.observed.sum() - np.count_nonzero(forms.add_up(forms.observed))), 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        p_values = np.asarray(fisher.sf(statistic / freedom, freedom, spare))
    return np.where(freedom > 0, np.clip(p_values, 1e-300, 1.0), np.nan)
