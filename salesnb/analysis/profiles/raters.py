"""How strict each rater is, and how far a rater sees all skills alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr
from scipy.stats import false_discovery_control

from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.multiplicity import SMALLEST
from salesnb.analysis.profiles.cells import REACH
from salesnb.analysis.profiles.forms import Floats
from salesnb.analysis.profiles.posterior import ROLE_VARIANCE, Posterior

RATERS = [
    "rater_id", "rater", "role", "severity", "low", "high", "halo", "n_forms", "n_people",
    "p_value", "p_adjusted", "is_beyond_chance",
]  # fmt: skip


def describe_raters(posterior: Posterior, *, names: pd.Series[str]) -> pd.DataFrame:
    """List raters by severity, the strictest first.

    Parameters
    ----------
    posterior
        Of the whole company.
    names
        Of people, by identifier; a rater without one is shown by identifier.

    Returns
    -------
    DataFrame
        rater_id; `rater` (name); `role` in which most forms were filled; `severity` in points
        above (lenient, +) or below (strict, -) the average form, with 90% interval; `halo`: share
        by which the rater flattens profiles more (+) or less (-) than the average form; n_forms,
        n_people; the two-sided `p_value` of no difference, `p_adjusted` over all raters,
        `is_beyond_chance`.
    """
    forms = posterior.forms
    filled = pd.DataFrame({"rater": forms.rater, "role": forms.role, "rep": forms.rep})
    counts = filled.groupby("rater")["rep"].agg(n_forms="size", n_people="nunique")
    roles = filled.groupby("rater")["role"].agg(lambda roles: int(roles.mode().iloc[0]))
    own = len(forms.raters) + roles.to_numpy()
    severity = posterior.effects[: len(forms.raters)] + posterior.effects[own]
    root = posterior.root[: len(forms.raters)] + posterior.root[own]
    error = np.sqrt((root**2).sum(axis=1))
    p_value = _test(severity, error, prior=posterior.components.severity + ROLE_VARIANCE)
    adjusted = false_discovery_control(p_value)
    found = pd.DataFrame(
        {
            "rater_id": forms.raters,
            "rater": [str(names.get(rater, rater)) for rater in forms.raters],
            "role": [forms.roles[role] for role in roles],
            "severity": severity,
            "low": severity - REACH * error,
            "high": severity + REACH * error,
            "halo": 1 - posterior.components.slopes,
            "n_forms": counts["n_forms"].to_numpy(),
            "n_people": counts["n_people"].to_numpy(),
            "p_value": p_value,
            "p_adjusted": adjusted,
            "is_beyond_chance": adjusted < FALSE_CLAIMS,
        }
    )
    return found.sort_values(["severity", "rater_id"], ignore_index=True)


def _test(severity: Floats, error: Floats, *, prior: float) -> Floats:
    """Test against no difference, with the pull to the average taken out of the estimate."""
    evidence = np.maximum(1 / error**2 - 1 / prior, 1e-9)
    p_value = 2 * ndtr(-np.abs(severity / error**2) / np.sqrt(evidence))
    clipped: Floats = np.clip(p_value, SMALLEST, 1.0)
    return clipped
