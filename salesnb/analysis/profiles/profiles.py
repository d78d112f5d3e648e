"""People's skills as their raters see them together, comparable within and across teams."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesnb.analysis.profiles.agreement import AGREEMENT, measure_agreement
from salesnb.analysis.profiles.cells import REACH, FittedProfiles, chance_below, fit_profiles
from salesnb.analysis.profiles.raters import RATERS, describe_raters
from salesnb.analysis.profiles.result import CELLS, LEVELS, SkillProfiles
from salesnb.measures.measures import Measures

QUARTERS = 4
ANY_ROLE = ""


def skill_profiles(
    measures: Measures, *, period: str, team: str | None = None, n_quarters: int = QUARTERS
) -> SkillProfiles:
    """Estimate people's skills with raters' severity, halo and moods taken out.

    Each form is a rater's view: it is off by how strict the rater is, by the day's mood, and
    rounds a profile off as far as the rater sees all skills alike. All forms of the company are
    used to tell these from skills; older forms count less as far as people have moved. Self-ratings
    are left out. Fewer than two raters are insufficient evidence, and marked so.

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

    Returns
    -------
    SkillProfiles

    Raises
    ------
    ParameterError
        Quarter or team is unknown.

    Source: Henderson (1975), Biometrics 31, 423-447.
    """
    measures.check_period(period)
    team_id = measures.find_team(team) if team is not None else None
    unit = measures.unit_name(team_id)
    window = tuple(sorted(name for name in measures.periods if name <= period)[-n_quarters:])
    rows = measures.ratings[measures.ratings["period"].isin(window)]
    fitted = fit_profiles(rows, skills=order_skills(measures, rows), periods=window)
    shown = _choose(measures, rows, fitted, period=period, team_id=team_id)
    if fitted is None or shown.empty:
        return _lacking(measures, period, unit, window)
    levels = _levels(fitted).merge(shown, on="rep_id")
    levels = levels.sort_values(["unit", "rep_id"], ignore_index=True)[LEVELS]
    cells = add_targets(fitted.cells.merge(shown, on="rep_id"), measures)
    place = {rep: number for number, rep in enumerate(levels["rep_id"])}
    cells = cells.sort_values("rep_id", key=lambda rep: rep.map(place), kind="stable")
    return SkillProfiles(
        period=period, unit=unit, window=window, skills=fitted.posterior.forms.skills,
        cells=cells[CELLS].reset_index(drop=True), levels=levels,
        raters=describe_raters(fitted.posterior),
        agreement=measure_agreement(fitted.posterior.forms),
        n_circles=levels["circle"].nunique(),
    )  # fmt: skip


def order_skills(measures: Measures, rows: pd.DataFrame) -> tuple[str, ...]:
    """Put skills in the order of the framework; what it does not know comes last."""
    rated = set(rows["skill"].dropna())
    known = [name for name in dict.fromkeys(measures.skills["skill"]) if name in rated]
    return (*known, *sorted(rated - set(known)))


def add_targets(cells: pd.DataFrame, measures: Measures) -> pd.DataFrame:
    """Add each role's target, the gap to it and the chance of being below it."""
    targets = measures.skills[["skill", "role", "target"]].drop_duplicates(["skill", "role"])
    targets = targets.assign(target=targets["target"].astype(float))
    found = cells.merge(targets, on=["skill", "role"], how="left")
    return found.assign(gap=found["score"] - found["target"], p_below=chance_below(found))


def _choose(
    measures: Measures, rows: pd.DataFrame, fitted: FittedProfiles | None, *, period: str,
    team_id: str | None,
) -> pd.DataFrame:  # fmt: skip
    """Take who was rated and is still there, in the team of the latest form."""
    if fitted is None:
        return pd.DataFrame(columns=["rep_id", "team_id", "unit", "role"])
    latest = rows.sort_values(["period", "form_id", "team_id"]).groupby("rep_id")["team_id"].last()
    people = measures.people.set_index("rep_id")
    reps = pd.Index(fitted.posterior.forms.reps)
    chosen = pd.DataFrame({"rep_id": reps, "team_id": latest.reindex(reps).to_numpy()})
    chosen["unit"] = people["name"].reindex(reps).fillna(pd.Series(reps, index=reps)).to_numpy()
    chosen["role"] = people["role"].reindex(reps).fillna(ANY_ROLE).to_numpy()
    left = pd.to_datetime(people["left_on"].reindex(reps)).to_numpy()
    gone = left < np.datetime64(measures.calendar.first_day(period))
    kept = ~gone
    if team_id is not None:
        kept &= chosen["team_id"].isin(measures.teams_within(team_id)).to_numpy()
    return chosen[kept]


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


def _lacking(measures: Measures, period: str, unit: str, window: tuple[str, ...]) -> SkillProfiles:
    lacking = (
        "skill profiles need ratings; the snapshot has none" if measures.ratings.empty
        else f"nobody was rated by others in {window[0]} to {period}"
    )  # fmt: skip
    cells = pd.DataFrame(columns=CELLS).astype({"is_enough": bool, "p_below": float})
    return SkillProfiles(
        period=period, unit=unit, window=window, skills=(), cells=cells,
        levels=pd.DataFrame(columns=LEVELS), raters=pd.DataFrame(columns=RATERS),
        agreement=pd.DataFrame(columns=AGREEMENT), n_circles=0, lacking=lacking,
    )  # fmt: skip
