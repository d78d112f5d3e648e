"""Skills across quarters on one scale: a new lenient rater is not progress."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.multiplicity import SMALLEST, control_discoveries
from salesnb.analysis.profiles.cells import REACH, FittedProfiles
from salesnb.analysis.profiles.forms import Floats
from salesnb.analysis.profiles.people import rate_people
from salesnb.analysis.result import Result
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import name_some
from salesnb.language import format_number, tr
from salesnb.measures.measures import Measures

SKILL_TREND_ANCHOR = "skill-trend"
QUARTERS = 8
FEWEST_QUARTERS = 3
_MOST_NAMED = 3
_POINTS = ["skill", "period", "score", "low", "high", "n_people", "n_forms"]
_CHANGES = ["skill", "change", "low", "high", "p_value", "p_adjusted", "is_beyond_chance"]


@dataclass(frozen=True, eq=False, repr=False)
class SkillTrend(Result):
    """A unit's skills quarter by quarter, with raters' severity taken out.

    Attributes
    ----------
    period, unit, window
        Latest quarter, name of the team or company, quarters with ratings, oldest first.
    points
        One row a skill and quarter: mean `score` of the people rated then, with 90% interval,
        n_people, n_forms.
    changes
        One row a skill: `change` over the window by the straight line through its quarters, with
        90% interval, `p_value` of no change, `p_adjusted` over all skills, `is_beyond_chance`.
    lacking
        Why there is nothing to show; empty when there is.
    """

    period: str
    unit: str
    window: tuple[str, ...]
    points: pd.DataFrame
    changes: pd.DataFrame
    lacking: str = ""

    @property
    def finding(self) -> str:
        """Say which skills have changed beyond chance."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        if self.changes["p_value"].isna().all():
            return tr(
                "{unit}: a change needs ratings in {n} quarters.",
                unit=self.unit, n=FEWEST_QUARTERS,
            )  # fmt: skip
        real = self.changes[self.changes["is_beyond_chance"]]
        said = {"unit": self.unit, "first": self.window[0], "last": self.window[-1]}
        if real.empty:
            return tr("{unit}: no skill changed beyond chance from {first} to {last}.", **said)
        rose, fell = (_name(real[real["change"] * sign > 0]) for sign in (1, -1))
        if not fell:
            return tr(
                "{unit}: {rose} rose beyond chance from {first} to {last}.", rose=rose, **said
            )
        if not rose:
            return tr(
                "{unit}: {fell} fell beyond chance from {first} to {last}.", fell=fell, **said
            )
        return tr(
            "{unit}: {rose} rose and {fell} fell beyond chance from {first} to {last}.",
            rose=rose, fell=fell, **said,
        )  # fmt: skip

    @property
    def caveat(self) -> str:
        """Say what a change may come from."""
        return tr(
            "How strictly each rater scores is taken out. A unit also changes when people join or "
            "leave; where all its raters changed at once, progress cannot be told from kinder ones."
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a skill and quarter."""
        return self.points.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer each skill's change."""
        tested = self.changes[self.changes["p_value"].notna()]
        return tuple(
            Candidate(
                text=self._say_change(row),
                why=tr("Raters' severity is taken out; scale of 1 to 5."),
                anchor=SKILL_TREND_ANCHOR,
                effect=float(min(abs(row["change"]) / 3, 1.0)) if row["is_beyond_chance"] else 0.0,
                p_value=float(row["p_value"]),
            )
            for _, row in tested.iterrows()
        )

    def _say_change(self, row: pd.Series[float]) -> str:
        said = {
            "unit": self.unit,
            "skill": skill_label(str(row["skill"])),
            "points": format_number(abs(row["change"]), 1, group=False),
            "first": self.window[0],
        }
        if row["change"] > 0:
            return tr("{unit}: {skill} rose by {points} points since {first}.", **said)
        return tr("{unit}: {skill} fell by {points} points since {first}.", **said)


def _name(changes: pd.DataFrame) -> str:
    return name_some([skill_label(name) for name in changes["skill"]], _MOST_NAMED)


def skill_trend(
    measures: Measures, *, period: str, team: str | None = None, n_quarters: int = QUARTERS
) -> SkillTrend:
    """Follow a unit's skills across quarters, each rater's severity removed.

    Severities are estimated over the whole company and window, so that quarters are on one scale.
    A form counts for the unit its person was in at the time.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without ratings the result says so.
    period
        Latest fiscal quarter.
    team
        Id or name; default the whole company.
    n_quarters
        Quarters to look at.

    Returns
    -------
    SkillTrend

    Raises
    ------
    ParameterError
        Quarter or team is unknown.
    """
    people = rate_people(measures, period=period, team=team, n_quarters=n_quarters)
    points, changes = pd.DataFrame(columns=_POINTS), pd.DataFrame(columns=_CHANGES)
    window, lacking = people.window, people.lacking
    if people.fitted is not None:
        rows = measures.ratings
        if people.team_id is not None:
            rows = rows[rows["team_id"].isin(measures.teams_within(people.team_id))]
        inside = set(zip(rows["rep_id"], rows["period"], strict=True))
        forms = people.fitted.posterior.forms
        ages = people.window[::-1]
        kept = np.array(
            [
                (forms.reps[rep], ages[age]) in inside
                for rep, age in zip(forms.rep, forms.age, strict=True)
            ]
        )
        lacking = "" if kept.any() else lacking or tr("nobody was rated by others")
        if not lacking:
            points, changes = _follow(people.fitted, kept, window)
            window = tuple(sorted(points["period"].unique()))
    return SkillTrend(period, people.unit, window, points, changes, lacking)


def _follow(
    fitted: FittedProfiles, kept: np.ndarray, window: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Average a unit's forms by quarter, skill by skill, and test their lines."""
    posterior = fitted.posterior
    forms = posterior.forms
    quarter = len(window) - 1 - forms.age
    points, changes = [], []
    for number, skill in enumerate(forms.skills):
        used = np.flatnonzero(kept & ~np.isnan(forms.scores[:, number]))
        table = pd.DataFrame(
            {
                "quarter": quarter[used], "rep": forms.rep[used],
                "score": forms.scores[used, number] - posterior.severity[used],
            }
        )  # fmt: skip
        # Each person counts once a quarter.
        share = 1 / table.groupby(["quarter", "rep"])["score"].transform("size")
        weight = share / share.groupby(table["quarter"]).transform("sum")
        quarters = np.unique(table["quarter"])
        mix = (quarters[:, None] == table["quarter"].to_numpy()) * weight.to_numpy()
        means = mix @ table["score"].to_numpy()
        noise = posterior.components.noise + posterior.components.mood
        shared = mix @ posterior.root_of_severity[used]
        covariance = np.diag((mix**2).sum(axis=1) * noise) + shared @ shared.T
        error = np.sqrt(np.diag(covariance))
        of_quarter = table.groupby("quarter")["rep"]
        points.append(
            pd.DataFrame(
                {
                    "skill": skill,
                    "period": [window[place] for place in quarters],
                    "score": means,
                    "low": means - REACH * error,
                    "high": means + REACH * error,
                    "n_people": of_quarter.nunique().to_numpy(),
                    "n_forms": of_quarter.size().to_numpy(),
                }
            )
        )
        changes.append((skill, *_line(quarters, means, covariance)))
    return pd.concat(points, ignore_index=True), _test(changes)


def _line(quarters: Floats, means: Floats, covariance: Floats) -> tuple[float, float]:
    """Change over the quarters by generalised least squares, with its standard error."""
    if len(quarters) < FEWEST_QUARTERS:
        return (np.nan, np.nan)
    design = np.column_stack([np.ones(len(quarters)), quarters])
    precise = np.linalg.solve(covariance, design)
    spread = np.linalg.inv(design.T @ precise)
    slope = (spread @ precise.T @ means)[1]
    length = float(quarters[-1] - quarters[0])
    return (float(slope * length), float(np.sqrt(spread[1, 1]) * length))


def _test(changes: list[tuple[str, float, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(changes, columns=["skill", "change", "error"])
    z = (frame["change"] / frame["error"]).abs().to_numpy(dtype=float)
    p_value = np.clip(2 * ndtr(-z), SMALLEST, 1.0)
    adjusted = control_discoveries(pd.Series(p_value, index=frame.index))
    return frame.assign(
        low=frame["change"] - REACH * frame["error"],
        high=frame["change"] + REACH * frame["error"],
        p_value=p_value,
        p_adjusted=adjusted,
        is_beyond_chance=adjusted < FALSE_CLAIMS,
    )[_CHANGES]
