"""Scores, profiles and their intervals per person and skill, out of the fitted model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.special import ndtri

from salesnb.analysis.profiles.components import fit_components
from salesnb.analysis.profiles.forms import Floats, Forms, Ints, find_own, gather_forms
from salesnb.analysis.profiles.posterior import Posterior, solve, weigh_forms
from salesnb.measures.staff import FEWEST_RATERS

INTERVAL = 0.9
REACH = float(ndtri((1 + INTERVAL) / 2))
LOWEST, HIGHEST = 1.0, 5.0
_WIDE = 25.0


@dataclass(frozen=True, eq=False)
class FittedProfiles:
    """What the forms say of people's skills.

    Attributes
    ----------
    posterior
        Skills and severities given the forms.
    cells
        One row a person and skill, in the order of the framework: see `fit_profiles`.
    circle
        Number of the circle of raters each rep (in the order of the forms) belongs to: levels of
        different circles cannot be compared, because nobody rated in both.
    """

    posterior: Posterior
    cells: pd.DataFrame
    circle: Ints

    @cached_property
    def unshrunk(self) -> Posterior:
        """The same with nothing assumed of people: least squares, with raters drawn at random."""
        components = self.posterior.components
        wide = _WIDE * np.eye(len(components.spread))
        return solve(self.posterior.forms, replace(components, spread=wide))


def fit_profiles(
    ratings: pd.DataFrame, *, skills: tuple[str, ...], periods: tuple[str, ...]
) -> FittedProfiles | None:
    """Estimate every rated person's skills, with severity, halo and moods taken out.

    Self-ratings are left out of all estimates. Scores that were not observed are missing.

    Parameters
    ----------
    ratings
        form_id, rep_id, rater_id, rater_role, period, skill, score (1-5).
    skills
        In the order wanted; ratings of others are left out.
    periods
        Quarters to use; skills are those of the last one, older forms count less as far as people
        move.

    Returns
    -------
    FittedProfiles or None
        None without any rating by others. `cells` has rep_id, skill; `raw` (mean of the raters'
        means), `score` (severity and halo removed, on the scale of the average form) with 90%
        interval `low` to `high` and standard `error`; `residual` (profile with the level removed,
        not shrunk) with `residual_error`; `profile` (the same, shrunk) with `profile_error`;
        `n_raters`, `n_ratings`; `is_enough` (two raters or more); `self_score` (mean of the
        person's own). Raw, score and residual are missing where nobody scored the skill.

    Source: Henderson (1975), Biometrics 31, 423-447.
    """
    forms = gather_forms(ratings, skills=skills, periods=list(periods))
    if not len(forms):
        return None
    posterior = solve(forms, fit_components(forms))
    cells = _frame(posterior)
    cells = cells.merge(_self_scores(ratings, periods), on=["rep_id", "skill"], how="left")
    return FittedProfiles(posterior, cells, find_circles(forms))


def find_circles(forms: Forms) -> Ints:
    """Tell apart the circles of people whom chains of common raters connect."""
    n_reps, n_raters = len(forms.reps), len(forms.raters)
    places = (forms.rep, n_reps + forms.rater)
    graph = sparse.csr_array((np.ones(len(forms)), places), shape=(n_reps + n_raters,) * 2)
    _, labels = connected_components(graph, directed=False)
    circle: Ints = labels[:n_reps]
    return circle


def _frame(posterior: Posterior) -> pd.DataFrame:
    forms = posterior.forms
    n_reps, n_skills = posterior.mean.shape
    covariance = posterior.covariance
    error = np.sqrt(np.einsum("rkk->rk", covariance))
    profile, profile_error = _profiles(posterior)
    residual, residual_error = _residuals(posterior, profile)
    observed = forms.add_up(forms.observed)
    score = np.where(observed > 0, posterior.mean, np.nan)
    n_raters = _count_raters(forms)
    columns = {
        "raw": _raw(forms),
        "score": np.clip(score, LOWEST, HIGHEST),
        "low": np.clip(score - REACH * error, LOWEST, HIGHEST),
        "high": np.clip(score + REACH * error, LOWEST, HIGHEST),
        "error": np.where(observed > 0, error, np.nan),
        "residual": residual,
        "residual_error": residual_error,
        "profile": profile,
        "profile_error": profile_error,
        "n_raters": n_raters,
        "n_ratings": observed.astype(int),
        "is_enough": n_raters >= FEWEST_RATERS,
    }
    index = {"rep_id": np.repeat(forms.reps, n_skills), "skill": list(forms.skills) * n_reps}
    return pd.DataFrame({**index, **{name: values.ravel() for name, values in columns.items()}})


def _profiles(posterior: Posterior) -> tuple[Floats, Floats]:
    """Skills less their mean over people and the person's level, with standard errors."""
    n_skills = len(posterior.forms.skills)
    apart = posterior.mean - posterior.mu
    centre = np.eye(n_skills) - 1 / n_skills
    variance = np.einsum("kl,rlm,km->rk", centre, posterior.covariance, centre, optimize=True)
    return apart @ centre, np.sqrt(np.maximum(variance, 0.0))


def _residuals(posterior: Posterior, profile: Floats) -> tuple[Floats, Floats]:
    """Mean of what forms say of a profile once their own level is removed, with its error.

    Of skills left out, a form's level takes the person's profile into account.
    """
    forms, observed = posterior.forms, posterior.forms.observed
    weights = weigh_forms(forms, posterior.components)
    slope = weights.slope[:, None]
    usual = posterior.mu - posterior.mu.mean()
    left = np.nan_to_num(forms.scores) - observed * slope * (profile[forms.rep] + usual)
    level = left.sum(axis=1, keepdims=True) / observed.sum(axis=1, keepdims=True)
    seen = observed * ((np.nan_to_num(forms.scores) - level) / slope - usual)
    weight = (weights.slope**2 / weights.noise)[:, None] * observed
    total = forms.add_up(weight)
    with np.errstate(invalid="ignore", divide="ignore"):
        residual = np.where(total > 0, forms.add_up(weight * seen) / total, np.nan)
        return residual, np.where(total > 0, 1 / np.sqrt(total), np.nan)


def _by_rater(forms: Forms) -> pd.DataFrame:
    """Mean scores of each person by each rater (skills as columns)."""
    scores = pd.DataFrame(forms.scores)
    return scores.groupby([forms.rep, forms.rater], sort=True).mean()


def _raw(forms: Forms) -> Floats:
    raw: Floats = _by_rater(forms).groupby(level=0).mean().to_numpy()
    return raw


def _count_raters(forms: Forms) -> Floats:
    counts: Floats = _by_rater(forms).groupby(level=0).count().to_numpy()
    return counts


def _self_scores(ratings: pd.DataFrame, periods: tuple[str, ...]) -> pd.DataFrame:
    rows = ratings[find_own(ratings) & ratings["period"].isin(periods)]
    means = rows.groupby(["rep_id", "skill"])["score"].mean()
    return means.rename("self_score").reset_index()
