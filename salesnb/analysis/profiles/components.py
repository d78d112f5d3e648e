"""How much noise, moods, severities, halo and people vary: expectation-maximisation (REML)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from salesnb.analysis.profiles.forms import Floats, Forms, Ints
from salesnb.analysis.profiles.posterior import (
    Components,
    Posterior,
    Weights,
    solve,
    weigh_forms,
)

MOST_REPS = 400
"""People the components are learned from at most; they hardly change with more."""

N_STEPS = 25
SLOPE_VARIANCE = 0.015
"""How much raters' slopes vary; scorecards are too few to learn it from them."""

_SLOPE_STEPS = 2
_FEWEST_SKILLS = 3
_START_REPS = 2.0
_START_SCORES = 5.0
_START_FORMS = 1.0
_SLOPE_LIMITS = (0.3, 2.0)
_ROUNDING = 1 / 12
_SMALLEST = 1e-3


def start_components(forms: Forms) -> Components:
    """Begin with what scorecards usually show."""
    n_skills = len(forms.skills)
    return Components(
        noise=0.35, mood=0.05, severity=0.1, skill_drift=0.0, level_drift=0.0,
        spread=0.15 + 0.15 * np.eye(n_skills), slopes=np.ones(len(forms.raters)),
    )  # fmt: skip


def fit_components(forms: Forms) -> Components:
    """Learn the components from at most `MOST_REPS` people, then each rater's slope from all.

    Small data are helped by a weak prior: what scorecards usually show counts as much as a few
    people, forms and scores. Scores in whole points have at least the noise of rounding.

    Source: Dempster, Laird & Rubin (1977), J. R. Stat. Soc. B 39, 1-38; means are integrated
    out, so that variances are those of restricted maximum likelihood.
    """
    sample = forms.of_reps(choose_reps(forms))
    components = _find_drift(sample, start_components(sample))
    for _ in range(N_STEPS):
        components = _improve(solve(sample, components))
    if len(sample.reps) == len(forms.reps):
        return components
    components = replace(components, slopes=np.ones(len(forms.raters)))
    for _ in range(_SLOPE_STEPS):
        components = _improve_slopes(solve(forms, components))
    return components


def choose_reps(forms: Forms) -> Ints:
    """Choose whole circles of a rater, so that severities can be told from people."""
    n_reps = len(forms.reps)
    if n_reps <= MOST_REPS:
        return np.arange(n_reps)
    counts = np.bincount(forms.rater, minlength=len(forms.raters))
    busiest = pd.Series(counts[forms.rater]).groupby(forms.rep).idxmax()
    circle = forms.rater[busiest.to_numpy()]
    order = np.random.default_rng(0).permutation(len(forms.raters))
    return np.sort(np.argsort(order[circle], kind="stable")[:MOST_REPS])


def _find_drift(forms: Forms, components: Components) -> Components:
    """Find how fast skills move: pairs of forms about one person differ more the further apart."""
    if not forms.age.any():
        return components
    pairs = _pairs_of_others(forms)
    lag = np.abs(forms.age[pairs[0]] - forms.age[pairs[1]])
    apart = forms.scores[pairs[0]] - forms.scores[pairs[1]]
    n = (~np.isnan(apart)).sum(axis=1)
    kept = n >= _FEWEST_SKILLS
    apart, lag, n = apart[kept], lag[kept], n[kept]
    if len(np.unique(lag)) < 2:
        return components
    mean = np.nanmean(apart, axis=1)
    within = np.nansum((apart - mean[:, None]) ** 2, axis=1) / (n - 1)
    between = mean**2 - within / n
    return replace(
        components,
        skill_drift=max(float(np.polyfit(lag, within, 1)[0]), 0.0),
        level_drift=max(float(np.polyfit(lag, between, 1)[0]), 0.0),
    )


def _pairs_of_others(forms: Forms) -> tuple[Ints, Ints]:
    """Pair forms about one person by different raters."""
    numbers = pd.DataFrame({"rep": forms.rep, "form": np.arange(len(forms))})
    pairs = numbers.merge(numbers, on="rep")
    one, two = pairs["form_x"].to_numpy(), pairs["form_y"].to_numpy()
    kept = (one < two) & (forms.rater[one] != forms.rater[two])
    return one[kept], two[kept]


def _improve(posterior: Posterior) -> Components:
    """One step of expectation-maximisation for all components."""
    noise, mood = _improve_errors(posterior)
    n_raters = len(posterior.forms.raters)
    squares = posterior.effects[:n_raters] ** 2 + (posterior.root[:n_raters] ** 2).sum(axis=1)
    severity = max(float(squares.mean()), _SMALLEST)
    improved = _improve_slopes(posterior)
    return replace(
        improved, noise=noise, mood=mood, severity=severity, spread=_improve_spread(posterior)
    )


def _improve_spread(posterior: Posterior) -> Floats:
    """Covariance of people's skills, pulled to one that treats all skills alike."""
    n_reps, n_skills = posterior.mean.shape
    of_mu = posterior.root[-n_skills:]
    with_mu = sum(posterior.shared(reps).sum(axis=0) for reps in posterior.chunks()) @ of_mu.T
    apart = posterior.mean - posterior.mu
    total = apart.T @ apart + posterior.covariance.sum(axis=0)
    total = total - with_mu - with_mu.T + n_reps * of_mu @ of_mu.T
    usual = start_components(posterior.forms).spread
    found: Floats = (total + _START_REPS * usual) / (n_reps + _START_REPS)
    if n_skills == 1:
        return found
    between = (found.sum() - np.trace(found)) / (n_skills * (n_skills - 1))
    alike = between + (np.trace(found) / n_skills - between) * np.eye(n_skills)
    pulled = n_skills / (n_skills + n_reps)
    spread: Floats = (1 - pulled) * found + pulled * alike
    return spread + _SMALLEST * np.eye(n_skills)


def _improve_errors(posterior: Posterior) -> tuple[float, float]:
    """Noise of scores and mood of forms, from what skills and severities leave."""
    forms, components = posterior.forms, posterior.components
    weights = weigh_forms(forms, components)
    observed = forms.observed
    n = observed.sum(axis=1)
    left = np.where(observed > 0, forms.scores - _expected(posterior), 0.0)
    of_sum, of_squares = _uncertainty(posterior, weights)
    sums = left.sum(axis=1) ** 2 + of_sum
    squares = (left**2).sum(axis=1) + of_squares
    spared = weights.mood * (1 - weights.kept * n)
    of_mood = weights.kept**2 * sums + spared
    of_noise = squares - 2 * weights.kept * sums + n * of_mood
    # Of what an older form is off, a part is that people have moved since.
    part = components.noise / weights.noise
    noise = part**2 * of_noise + n * components.noise * (1 - part)
    part = components.mood / weights.mood
    mood = part**2 * of_mood + components.mood * (1 - part)
    usual = start_components(forms)
    least = _ROUNDING if np.all(np.nan_to_num(forms.scores) % 1 == 0) else _SMALLEST
    return (
        max(float((noise.sum() + _START_SCORES * usual.noise) / (n.sum() + _START_SCORES)), least),
        float((mood.sum() + _START_FORMS * usual.mood) / (len(forms) + _START_FORMS)),
    )


def _expected(posterior: Posterior) -> Floats:
    """Scores that skills, slope and severity make likely (forms, skills)."""
    skills = posterior.mean[posterior.forms.rep]
    level = skills.mean(axis=1, keepdims=True)
    slope = posterior.components.slopes[posterior.forms.rater][:, None]
    expected: Floats = level + slope * (skills - level) + posterior.severity[:, None]
    return expected


def _uncertainty(posterior: Posterior, weights: Weights) -> tuple[Floats, Floats]:
    """Variance of each form's expected sum, and the sum of its expected scores' variances."""
    forms = posterior.forms
    observed, slope, flat = forms.observed, weights.slope, weights.flat
    n = observed.sum(axis=1)
    skills = posterior.covariance[forms.rep]
    severity = (posterior.root_of_severity**2).sum(axis=1)
    both = _with_severity(posterior)
    of_sum = np.einsum("fk,fkl,fl->f", weights.seen, skills, weights.seen, optimize=True)
    of_sum += 2 * n * (weights.seen * both).sum(axis=1) + n**2 * severity
    sides = skills.sum(axis=2)
    of_squares = slope**2 * (observed * np.einsum("fkk->fk", skills)).sum(axis=1)
    of_squares += 2 * slope * flat * (observed * sides).sum(axis=1)
    of_squares += n * flat**2 * sides.sum(axis=1) + 2 * (weights.seen * both).sum(axis=1)
    return of_sum, of_squares + n * severity


def _with_severity(posterior: Posterior) -> Floats:
    """Covariance of each form's severity with the person's skills (forms, skills)."""
    forms = posterior.forms
    found = np.empty_like(forms.scores)
    for reps in posterior.chunks():
        kept = np.flatnonzero((forms.rep >= reps[0]) & (forms.rep <= reps[-1]))
        root = posterior.shared(reps)[forms.rep[kept] - reps[0]]
        found[kept] = np.einsum("fkn,fn->fk", root, posterior.root_of_severity[kept])
    return found


def _improve_slopes(posterior: Posterior) -> Components:
    """Each rater's slope: regress forms on what the person's skills are known to be."""
    forms, components = posterior.forms, posterior.components
    if len(forms.skills) < _FEWEST_SKILLS:
        return components
    observed = forms.observed
    n = observed.sum(axis=1, keepdims=True)
    skills = posterior.mean[forms.rep]
    skills = observed * (skills - (observed * skills).sum(axis=1, keepdims=True) / n)
    scores = np.nan_to_num(forms.scores)
    scores = observed * (scores - scores.sum(axis=1, keepdims=True) / n)
    variance = np.einsum("rkk->rk", posterior.own)[forms.rep]
    sides = np.einsum("fk,fkl->fl", observed, posterior.own[forms.rep])
    unsure = (observed * variance).sum(axis=1) - (observed * sides).sum(axis=1) / n[:, 0]
    noise = components.noise + components.skill_drift * forms.age
    n_raters = len(forms.raters)
    weight = np.bincount(forms.rater, ((skills**2).sum(axis=1) + unsure) / noise, n_raters)
    product = np.bincount(forms.rater, (scores * skills).sum(axis=1) / noise, n_raters)
    slopes = np.clip((product + 1 / SLOPE_VARIANCE) / (weight + 1 / SLOPE_VARIANCE), *_SLOPE_LIMITS)
    slopes = slopes / np.average(slopes, weights=np.bincount(forms.rater, minlength=n_raters))
    return replace(components, slopes=slopes)
