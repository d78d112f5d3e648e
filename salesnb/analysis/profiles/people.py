"""Whose skills are shown, against which targets, and what there is to go by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr
from scipy.stats import false_discovery_control

from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.profiles.cells import FittedProfiles, fit_profiles
from salesnb.analysis.wording import name_quarters
from salesnb.language import tr
from salesnb.measures.measures import Measures
from salesnb.measures.shared import shared
from salesnb.sources.framework import ANY_ROLE, skill_framework

QUARTERS = 4
_SHOWN = ["rep_id", "team_id", "unit", "role"]


@dataclass(frozen=True, eq=False)
class RatedPeople:
    """People of a team or the company with what their raters say of them.

    Attributes
    ----------
    period, team_id, unit, window
        Quarter, team (None: the company), its name, quarters whose forms are used.
    framework
        skill, role, group, target; `note` says whose it is when it is not the snapshot's.
    fitted
        The whole company; None without any ratings by others.
    shown
        rep_id, team_id, unit (name), role of the people shown.
    cells
        Their cells with `target`, `gap`, `p_below` and `against_target`.
    lacking
        Why nobody is shown; empty when somebody is.
    """

    period: str
    team_id: str | None
    unit: str
    window: tuple[str, ...]
    framework: pd.DataFrame
    note: str
    fitted: FittedProfiles | None
    shown: pd.DataFrame
    cells: pd.DataFrame
    lacking: str

    @property
    def span(self) -> str:
        """Name the window."""
        return name_quarters(self.window)


def rate_people(
    measures: Measures, *, period: str, team: str | None, n_quarters: int = QUARTERS,
    framework: pd.DataFrame | None = None,
) -> RatedPeople:  # fmt: skip
    """Fit the company's ratings and choose whom to show: see `skill_profiles`."""
    measures.check_period(period)
    team_id = measures.find_team(team) if team is not None else None
    window = measures.window(period, n_quarters)
    used, note = find_framework(measures, framework)
    rows = measures.ratings[measures.ratings["period"].isin(window)]
    fitted = _fit(measures, window, _order_skills(used, rows))
    shown = _choose(measures, rows, fitted, period=period, team_id=team_id)
    lacking = ""
    if fitted is None or shown.empty:
        lacking = (
            tr("skills need ratings; the snapshot has none") if measures.ratings.empty
            else tr(
                "nobody was rated by others in {first} to {last}", first=window[0], last=window[-1]
            )
        )  # fmt: skip
    cells = pd.DataFrame() if fitted is None else fitted.cells
    cells = shown.merge(cells, on="rep_id") if not lacking else pd.DataFrame()
    return RatedPeople(
        period, team_id, measures.unit_name(team_id), window, used, note, fitted, shown,
        cells if lacking else add_targets(cells, used), lacking,
    )  # fmt: skip


@shared
def _fit(
    measures: Measures, window: tuple[str, ...], skills: tuple[str, ...]
) -> FittedProfiles | None:
    """Fit the company, the same for all its teams."""
    rows = measures.ratings[measures.ratings["period"].isin(window)]
    return fit_profiles(rows, skills=skills, periods=window)


def find_framework(
    measures: Measures, framework: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, str]:
    """Find whose skills, weights and targets hold, and say so where they are not the snapshot's.

    The one given, else the snapshot's; where that has ratings but no framework, the package's.
    """
    if framework is not None:
        return framework, ""
    if len(measures.skills) or measures.ratings.empty:
        return measures.skills, ""
    return skill_framework(), tr(
        "The snapshot has no framework of skills: targets and weights are those that come with "
        "salesnb."
    )


def _order_skills(framework: pd.DataFrame, rows: pd.DataFrame) -> tuple[str, ...]:
    """Put skills in the order of the framework; what it does not know comes last."""
    rated = set(rows["skill"].dropna())
    known = [name for name in dict.fromkeys(framework["skill"]) if name in rated]
    return (*known, *sorted(rated - set(known)))


def _choose(
    measures: Measures, rows: pd.DataFrame, fitted: FittedProfiles | None, *, period: str,
    team_id: str | None,
) -> pd.DataFrame:  # fmt: skip
    """Take who was rated and is still there, in the team of the latest form, by name."""
    if fitted is None:
        return pd.DataFrame(columns=_SHOWN)
    latest = rows.sort_values(["period", "form_id", "team_id"]).groupby("rep_id")["team_id"].last()
    reps = pd.Index(fitted.posterior.forms.reps, name="rep_id")
    people = measures.people.drop_duplicates("rep_id").set_index("rep_id").reindex(reps)
    chosen = pd.DataFrame(
        {
            "team_id": latest.reindex(reps),
            "unit": people["name"].fillna(pd.Series(reps, index=reps)),
            "role": people["role"].fillna(ANY_ROLE),
        }
    ).reset_index()
    left = pd.to_datetime(people["left_on"]).to_numpy()
    kept = ~(left < np.datetime64(measures.calendar.first_day(period)))
    if team_id is not None:
        kept &= chosen["team_id"].isin(measures.teams_within(team_id)).to_numpy()
    return chosen[kept].sort_values(["unit", "rep_id"], ignore_index=True)[_SHOWN]


def add_targets(cells: pd.DataFrame, framework: pd.DataFrame) -> pd.DataFrame:
    """Add each role's target, the gap to it, and on which side of it a score surely is.

    A role without a target of its own has that of any other role (an empty one), if there is.
    """
    targets = framework[["skill", "role", "target"]].drop_duplicates(["skill", "role"])
    targets = targets.assign(role=targets["role"].fillna(ANY_ROLE))
    found = cells.merge(targets, on=["skill", "role"], how="left")
    of_any = targets[targets["role"] == ANY_ROLE].set_index("skill")["target"]
    found["target"] = found["target"].astype(float).fillna(found["skill"].map(of_any)).astype(float)
    found["gap"] = found["score"] - found["target"]
    found["p_below"] = ndtr((-found["gap"] / found["error"]).to_numpy(dtype=float))
    return found.assign(against_target=_against_target(found))


def _against_target(cells: pd.DataFrame) -> pd.Series[int]:
    """Find which scores are off their target, allowing for the number of scores shown."""
    tested = cells["is_enough"] & cells["p_below"].notna()
    sure = pd.Series(0, index=cells.index)
    if tested.any():
        below = cells.loc[tested, "p_below"]
        wrong = 2 * np.minimum(below, 1 - below)
        adjusted = false_discovery_control(wrong)
        sure[tested] = np.where(adjusted < FALSE_CLAIMS, np.where(below > 0.5, -1, 1), 0)
    return sure
