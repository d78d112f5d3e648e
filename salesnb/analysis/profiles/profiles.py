"""People's skills as their raters see them together, comparable within and across teams."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesnb.analysis.profiles.agreement import AGREEMENT, measure_agreement
from salesnb.analysis.profiles.cells import REACH, FittedProfiles
from salesnb.analysis.profiles.people import QUARTERS, RatedPeople, rate_people
from salesnb.analysis.profiles.raters import RATERS, describe_raters
from salesnb.analysis.profiles.result import CELLS, LEVELS, SkillProfiles
from salesnb.measures.measures import Measures
from salesnb.measures.shared import shared
from salesnb.progress import long


@long("Reading skill ratings")
@shared
def skill_profiles(
    measures: Measures, *, period: str, team: str | None = None, n_quarters: int = QUARTERS,
    framework: pd.DataFrame | None = None,
) -> SkillProfiles:  # fmt: skip
    """Estimate people's skills with raters' severity, halo and moods taken out.

    Each form is a rater's view: it is off by how strict the rater is, by the day's mood, and
    rounds a profile off as far as the rater sees all skills alike. All forms of the company are
    used to tell these from skills; older forms count less as far as people have moved. Self-ratings
    are left out. Fewer than two raters are insufficient evidence, and marked so. Who left before
    the quarter is not shown.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without ratings the result says so.
    period
        Fiscal quarter; skills are those at its end.
    team
        Id or name: show only its people; default the whole company.
    n_quarters
        Quarters of forms to use, `period` included.
    framework
        Targets by skill and role, from `skill_framework`; default the snapshot's, or where it has
        none the one that comes with the package.

    Returns
    -------
    SkillProfiles

    Raises
    ------
    ParameterError
        Quarter or team is unknown.

    Source: Henderson (1975), Biometrics 31, 423-447.
    """
    people = rate_people(
        measures, period=period, team=team, n_quarters=n_quarters, framework=framework
    )
    if people.fitted is None or people.lacking:
        return _lacking(people)
    posterior = people.fitted.posterior
    levels = people.shown.merge(_levels(people.fitted), on="rep_id")[LEVELS]
    return SkillProfiles(
        period=period,
        unit=people.unit,
        window=people.window,
        skills=posterior.forms.skills,
        cells=people.cells[CELLS],
        levels=levels,
        raters=describe_raters(posterior, names=_names(measures)),
        agreement=measure_agreement(posterior.forms),
        n_circles=int(levels["circle"].nunique()),
        note=people.note,
    )


def _names(measures: Measures) -> pd.Series[str]:
    return measures.people.drop_duplicates("rep_id").set_index("rep_id")["name"]


def _levels(fitted: FittedProfiles) -> pd.DataFrame:
    posterior = fitted.posterior
    forms = posterior.forms
    error = np.sqrt(posterior.covariance.mean(axis=(1, 2)))
    level = posterior.mean.mean(axis=1)
    raters = pd.Series(forms.rater).groupby(forms.rep).nunique().to_numpy()
    return pd.DataFrame(
        {
            "rep_id": forms.reps,
            "raw": fitted.cells.groupby("rep_id")["raw"].mean().reindex(forms.reps).to_numpy(),
            "level": level,
            "low": level - REACH * error,
            "high": level + REACH * error,
            "error": error,
            "n_raters": raters,
            "n_forms": np.bincount(forms.rep),
            "circle": fitted.circle,
        }
    )


def _lacking(people: RatedPeople) -> SkillProfiles:
    cells = pd.DataFrame(columns=CELLS)
    return SkillProfiles(
        period=people.period,
        unit=people.unit,
        window=people.window,
        skills=(),
        cells=cells.astype({"is_enough": bool, "against_target": float}),
        levels=pd.DataFrame(columns=LEVELS),
        raters=pd.DataFrame(columns=RATERS),
        agreement=pd.DataFrame(columns=AGREEMENT),
        n_circles=0,
        lacking=people.lacking,
    )
