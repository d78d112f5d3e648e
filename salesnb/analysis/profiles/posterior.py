"""What forms say of skills once it is known how much raters, moods and people vary.

The model of a form by rater j about person i, skill by skill:

    score = level + slope[j] * (skill - level) + severity[j] + role + mood + noise

where a person's skills are drawn from a normal with means `mu` and covariance `spread`, level is
their mean, and a slope below 1 is halo. Given the severities, people are independent, so each is
solved by itself and what is left is one system of the raters (Henderson's equations, with the
people and moods eliminated exactly).

Source: Henderson (1975), Biometrics 31, 423-447.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.linalg import cholesky, solve_triangular
from scipy.linalg import solve as solve_dense
from scipy.sparse.linalg import cg, splu, spsolve_triangular

from salesnb.analysis.profiles.forms import Floats, Forms, Ints

CENTRE, CENTRE_VARIANCE = 3.0, 4.0
"""Weak prior of a skill's mean: the middle of the scale."""

ROLE_VARIANCE = 0.25
MOST_EXACT = 1500
"""Raters up to which the covariance of their severities is exact; beyond it comes from draws."""

N_DRAWS = 200
_CHUNK = 4_000_000


@dataclass(frozen=True, eq=False)
class Components:
    """How much what varies: variances in squared points.

    Attributes
    ----------
    noise, mood, severity
        Of single scores, of forms by one rater, between raters.
    skill_drift, level_drift
        By which a person's skills, and all of them together, move within a quarter.
    spread
        Covariance of people's skills, skills by skills.
    slopes
        Of each rater; their mean over forms is 1.
    """

    noise: float
    mood: float
    severity: float
    skill_drift: float
    level_drift: float
    spread: Floats
    slopes: Floats


@dataclass(frozen=True, eq=False)
class Posterior:
    """Skills and severities given the forms.

    Attributes
    ----------
    mean, own
        Reps by skills, and its covariance were severities and means known (reps, skills, skills).
    effects
        Severity of raters, then of roles, then the means `mu` of skills.
    system
        Precision of the effects before they were anchored.
    design
        Forms by raters and roles: whose severity is in a form.
    pull
        Forms by skills: by how much a form's severity lowers the person's skills.
    lift
        Reps by skills by skills: by how much `mu` raises them.
    """

    forms: Forms
    components: Components
    mean: Floats
    own: Floats
    effects: Floats
    system: sparse.csc_array
    design: sparse.csr_array
    pull: Floats
    lift: Floats

    @property
    def mu(self) -> Floats:
        """Mean of each skill over people."""
        return self.effects[-len(self.forms.skills) :]

    @property
    def severity(self) -> Floats:
        """Severity of each form's rater, with the role; positive is lenient."""
        severity: Floats = self.design @ self.effects[: self.design.shape[1]]
        return severity

    @cached_property
    def root(self) -> Floats:
        """Matrix whose product with its transpose is the covariance of `effects`."""
        return _anchor(_find_root(self.system), self.forms, self.design)

    @cached_property
    def root_of_severity(self) -> Floats:
        """The same of each form's severity (forms, any)."""
        root: Floats = self.design @ self.root[: self.design.shape[1]]
        return root

    def shared(self, reps: Ints) -> Floats:
        """Find the same of what reps' skills share by severities and means (reps, skills, any)."""
        n_skills, n_effects = len(self.forms.skills), self.design.shape[1]
        found: Floats = self.lift[reps] @ self.root[n_effects:]
        moved = self._by_effect[_flat(reps, n_skills)] @ self.root[:n_effects]
        found -= moved.reshape(found.shape)
        return found

    @cached_property
    def _by_effect(self) -> sparse.csr_array:
        """By how much each severity lowers each rep's skills (reps x skills, effects)."""
        n_skills = len(self.forms.skills)
        rows = _flat(self.forms.rep, n_skills)
        columns = np.repeat(np.arange(len(self.forms)), n_skills)
        shape = (len(self.forms.reps) * n_skills, len(self.forms))
        pull = sparse.csr_array((self.pull.ravel(), (rows, columns)), shape=shape)
        by_effect: sparse.csr_array = (pull @ self.design).tocsr()
        return by_effect

    def chunks(self) -> list[Ints]:
        """Split the reps so that what is `shared` by one part fits into memory."""
        width = len(self.forms.skills) * self.root.shape[1]
        n_parts = max(len(self.forms.reps) * width // _CHUNK, 1)
        return np.array_split(np.arange(len(self.forms.reps)), n_parts)

    @cached_property
    def covariance(self) -> Floats:
        """Covariance of each rep's skills (reps, skills, skills)."""
        found = self.own.copy()
        for reps in self.chunks():
            root = self.shared(reps)
            found[reps] += root @ root.transpose(0, 2, 1)
        return found


def _flat(reps: Ints, n_skills: int) -> Ints:
    places: Ints = (reps[:, None] * n_skills + np.arange(n_skills)).ravel()
    return places


@dataclass(frozen=True, eq=False)
class Weights:
    """What a form weighs: see `weigh_forms`."""

    noise: Floats
    mood: Floats
    kept: Floats
    slope: Floats
    flat: Floats
    seen: Floats
    scale: Floats


def weigh_forms(forms: Forms, components: Components) -> Weights:
    """Find the variances and the design of each form.

    A form's precision is (diag(o) - kept * o o') / noise with `o` its observed skills; `seen` is
    B'o for the design B = slope * I + flat * 11', and `scale` what is left of the sum's precision.
    """
    observed = forms.observed
    n = observed.sum(axis=1)
    noise = components.noise + components.skill_drift * forms.age
    mood = components.mood + components.level_drift * forms.age
    kept = mood / (noise + n * mood)
    slope = components.slopes[forms.rater]
    flat = (1 - slope) / observed.shape[1]
    seen = slope[:, None] * observed + (flat * n)[:, None]
    return Weights(noise, mood, kept, slope, flat, seen, (1 - kept * n) / noise)


def solve(forms: Forms, components: Components) -> Posterior:
    """Find skills and severities, with their covariance."""
    weights = weigh_forms(forms, components)
    observed, slope, flat = forms.observed, weights.slope[:, None], weights.flat[:, None]
    precision = np.linalg.inv(components.spread)
    information = forms.add_up(_information(observed, weights))
    own = np.linalg.inv(precision + information)
    own = (own + own.transpose(0, 2, 1)) / 2

    scores = np.nan_to_num(forms.scores)
    weighed = scores - weights.kept[:, None] * scores.sum(axis=1, keepdims=True) * observed
    weighed = weighed / weights.noise[:, None]
    total = weighed.sum(axis=1)
    evidence = forms.add_up(slope * weighed + flat * total[:, None])
    alone = np.einsum("rkl,rl->rk", own, evidence)

    tilt = weights.seen * weights.scale[:, None]
    pull = np.einsum("fkl,fl->fk", own[forms.rep], tilt)
    pairs = _pairs(forms.rep)
    between = -np.einsum("pk,pk->p", tilt[pairs[0]], pull[pairs[1]])
    between[pairs[0] == pairs[1]] += observed.sum(axis=1) * weights.scale
    design = _design(forms)
    n_effects = design.shape[1]
    inner = design.T @ sparse.csr_array((between, pairs), shape=(len(forms),) * 2) @ design
    prior = np.full(n_effects, 1 / components.severity)
    prior[len(forms.raters) :] = 1 / ROLE_VARIANCE
    border = design.T @ (pull @ precision)
    lifted = own @ precision
    corner = len(forms.reps) * precision - precision @ lifted.sum(axis=0)
    corner = corner + np.eye(len(precision)) / CENTRE_VARIANCE
    right = np.concatenate([
        design.T @ (total - np.einsum("fk,fk->f", tilt, alone[forms.rep])),
        precision @ alone.sum(axis=0) + CENTRE / CENTRE_VARIANCE,
    ])  # fmt: skip
    system = sparse.block_array(
        [[inner + sparse.diags_array(prior), border], [border.T, corner]], format="csc"
    )
    effects = _anchor(_find_effects(system, right), forms, design)
    severity = design @ effects[:n_effects]
    moved = forms.add_up(pull * severity[:, None])
    mean = alone - moved + lifted @ effects[n_effects:]
    return Posterior(forms, components, mean, own, effects, system, design, pull, lifted)


def _information(observed: Floats, weights: Weights) -> Floats:
    """B'WB of each form (forms, skills, skills)."""
    slope, flat, seen = weights.slope, weights.flat, weights.seen
    n_skills = observed.shape[1]
    sides = (slope * flat)[:, None] * observed + (flat**2 * observed.sum(axis=1) / 2)[:, None]
    found: Floats = sides[:, :, None] + sides[:, None, :]
    found -= (weights.kept[:, None] * seen)[:, :, None] * seen[:, None, :]
    places = np.arange(n_skills)
    found[:, places, places] += (slope**2)[:, None] * observed
    found /= weights.noise[:, None, None]
    return found


def _pairs(rep: Ints) -> tuple[Ints, Ints]:
    """List all pairs of forms about one rep, each with itself too."""
    _, starts, counts = np.unique(rep, return_index=True, return_counts=True)
    first = np.repeat(np.arange(len(rep)), counts[rep])
    ends = np.cumsum(counts[rep])
    step = np.arange(len(first)) - np.repeat(ends - counts[rep], counts[rep])
    return first, np.repeat(starts[rep], counts[rep]) + step


def _design(forms: Forms) -> sparse.csr_array:
    n = len(forms)
    rows = np.tile(np.arange(n), 2)
    columns = np.concatenate([forms.rater, len(forms.raters) + forms.role])
    shape = (n, len(forms.raters) + len(forms.roles))
    return sparse.csr_array((np.ones(2 * n), (rows, columns)), shape=shape)


def _anchor(effects: Floats, forms: Forms, design: sparse.csr_array) -> Floats:
    """Make the average form the anchor of the scale.

    Whether all raters are lenient or all people good cannot be told, and nobody should be unsure
    for what everybody shares.
    """
    n_effects = design.shape[1]
    shared = design.mean(axis=0) @ effects[:n_effects]
    anchored = effects.copy()
    anchored[len(forms.raters) : n_effects] -= shared
    anchored[n_effects:] += shared
    return anchored


def _find_effects(system: sparse.csc_array, right: Floats) -> Floats:
    if len(right) <= MOST_EXACT:
        found: Floats = solve_dense(system.toarray(), right, assume_a="pos")
        return found
    scale = sparse.diags_array(1 / system.diagonal())
    found, _ = cg(system, right, rtol=1e-10, M=scale)
    return found


def _find_root(system: sparse.csc_array) -> Floats:
    """Root of the inverse: exact, or from draws where there are many raters."""
    n = system.shape[0]
    if n <= MOST_EXACT:
        factor = cholesky(system.toarray(), lower=True)
        root: Floats = solve_triangular(factor, np.eye(n), lower=True).T
        return root
    factors = splu(
        system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    )
    draws = np.random.default_rng(0).standard_normal((n, N_DRAWS)) / np.sqrt(N_DRAWS)
    # With pivots on the diagonal this is L D L' = P A P', so P' L'^-1 D^-1/2 is a root of A^-1.
    scaled = draws / np.sqrt(factors.U.diagonal())[:, None]
    drawn: Floats = spsolve_triangular(factors.L.T.tocsr(), scaled, lower=False)
    return drawn[factors.perm_r]
