"""Skills beside the metrics: each person's evaluated scores, in the form of the matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control
from scipy.stats import t as student

from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.matrix import grade_evidence
from salesnb.analysis.rates import Estimates, estimate_effects
from salesnb.analysis.result import Result
from salesnb.analysis.skills import FEWEST_RATERS, ROUNDING, person_scores, skill_label
from salesnb.measures.measures import Measures

SKILL_MATRIX_ANCHOR = "skill-matrix"
_SELF = "self"
_MOST_NAMED = 3
_SCORES = [
    "unit_id", "unit", "skill", "score", "n_raters", "is_enough", "estimate", "low", "high",
    "target", "group", "p_above", "evidence", "against_target",
]  # fmt: skip
_DIFFERENCES = ["skill", "p_value", "p_adjusted", "is_beyond_chance"]


@dataclass(frozen=True, eq=False, repr=False)
class SkillMatrix(Result):
    """People by evaluated skills.

    Attributes
    ----------
    period, unit
        Quarter, and name of the team or company.
    scores
        One row a person and skill that somebody else than the person has rated: `score` (mean of
        the raters' means, 1-5), `n_raters`, `is_enough` raters; and of those with enough the
        `estimate` with 90% interval `low` to `high`, pulled to the peers as far as raters
        disagree; the role's `target`; the `group` level, that of the own team; `p_above` it and
        the `evidence` for that as in the matrix; `against_target`: -1 surely below, 1 surely above,
        0 where it cannot be told, allowing for the number of scores.
    differences
        One row a skill: whether people differ beyond chance in it.
    lacking
        Why there is nothing to show; empty when there is.
    """

    period: str
    unit: str
    scores: pd.DataFrame
    differences: pd.DataFrame
    lacking: str = ""

    @property
    def skills(self) -> tuple[str, ...]:
        """Skills shown, in the order of the framework."""
        return tuple(self.differences["skill"])

    @property
    def finding(self) -> str:
        """Say in which skills people differ, and how many scores are below target."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        real = self.differences.loc[self.differences["is_beyond_chance"], "skill"]
        apart = (
            f"people differ beyond what raters' disagreement explains in {len(real)} of "
            f"{len(self.skills)} skills, {_name(list(real))}"
            if len(real)
            else "people do not differ beyond what raters' disagreement explains in any skill"
        )
        below = int((self.scores["against_target"] < 0).sum())
        of = int(self.scores["is_enough"].sum())
        return f"{self.unit}: {apart}; {below} of {of} scores are surely below their target."

    @property
    def caveat(self) -> str:
        """Say what is left out, and what scores do not correct."""
        thin = int((~self.scores["is_enough"]).sum())
        left = f" Scores of a single rater ({thin}) are no evidence." if thin else ""
        return (
            "Self-ratings are left out. Everybody is held against the own team, because teams "
            f"have raters of their own, who may be stricter.{left}"
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a person and skill."""
        return self.scores.copy()


def skill_matrix(
    measures: Measures, *, period: str, team: str | None = None, n_draws: int = 2000
) -> SkillMatrix:
    """Put people beside each other on every evaluated skill.

    A score is the mean over raters other than the person; with fewer than two it is no evidence.
    How much raters disagree about one person, pooled over the company, says how far each score can
    be trusted; all peers of the company are used to learn how much people differ. Each is held
    against the own team, whose raters are equally strict, not against other teams.

    Parameters
    ----------
    measures
        From `compute_measures` or `load_measures`; without ratings the result says so.
    period
        Fiscal quarter the ratings were given in.
    team
        Id or name: show only those rated in it; default the whole company.
    n_draws
        Posterior draws a skill.

    Returns
    -------
    SkillMatrix

    Raises
    ------
    ParameterError
        Quarter or team is unknown.
    """
    measures.check_period(period)
    team_id = measures.find_team(team) if team is not None else None
    unit = measures.unit_name(team_id)
    rows = measures.ratings
    by_others = (rows["rater_role"] != _SELF) & (rows["rater_id"] != rows["rep_id"])
    rows = rows[(rows["period"] == period) & by_others]
    within = rows if team_id is None else rows[rows["team_id"].isin(measures.teams_within(team_id))]
    if within.empty:
        lacking = (
            "skills need ratings; the snapshot has none" if measures.ratings.empty
            else f"nobody was rated by others in {period}"
        )  # fmt: skip
        empty = pd.DataFrame(columns=_SCORES).astype({"is_enough": bool, "against_target": float})
        return SkillMatrix(period, unit, empty, pd.DataFrame(columns=_DIFFERENCES), lacking)
    pairs = _beside_team(_with_error(rows), rows)
    shown = set(within["rep_id"])
    estimates = _estimate_skills(pairs, shown, n_draws)
    order = _in_order(measures, set(pairs.loc[pairs["rep_id"].isin(shown), "skill"]))
    differences = _test_differences(estimates, order)
    scores = _grade(pairs[pairs["rep_id"].isin(shown)], estimates, differences)
    return SkillMatrix(period, unit, _finish(scores, measures, order), differences)


def _name(skills: list[str]) -> str:
    named = ", ".join(skill_label(name) for name in skills[:_MOST_NAMED])
    more = len(skills) - _MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named


def _with_error(rows: pd.DataFrame) -> pd.DataFrame:
    """Score people, and find how far raters' disagreement lets each score be trusted."""
    pairs = person_scores(rows)
    pairs["is_enough"] = pairs["n_raters"] >= FEWEST_RATERS
    raters = rows.groupby(["rep_id", "skill", "rater_id"])["score"].mean()
    spread = raters.groupby(["rep_id", "skill"])
    freedom = int((spread.size() - 1).sum())
    squares = float(((raters - spread.transform("mean")) ** 2).sum())
    disagreement = max(np.sqrt(squares / freedom) if freedom else ROUNDING, ROUNDING)
    return pairs.assign(error=disagreement / np.sqrt(pairs["n_raters"]), freedom=max(freedom, 1))


def _beside_team(pairs: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Find how far each one's team is `apart` from all; its raters may only be stricter."""
    teams = rows.sort_values("form_id").groupby("rep_id")["team_id"].last()
    pairs = pairs.assign(team_id=pairs["rep_id"].map(teams))
    known = pairs["score"].where(pairs["is_enough"])
    of_team = known.groupby([pairs["team_id"], pairs["skill"]]).transform("mean")
    return pairs.assign(apart=of_team - known.groupby(pairs["skill"]).transform("mean"))


def _estimate_skills(pairs: pd.DataFrame, shown: set[str], n_draws: int) -> dict[str, Estimates]:
    """Estimate each skill over all peers, everybody as if of one team.

    Whether people differ is asked of those shown.
    """
    found = {}
    for skill, rows in pairs[pairs["is_enough"]].groupby("skill"):
        peers = estimate_effects(
            rows["score"] - rows["apart"], rows["error"], labels=list(rows["rep_id"]),
            n_draws=n_draws,
        )  # fmt: skip
        members = [rep for rep in rows["rep_id"] if rep in shown]
        if members:
            found[str(skill)] = peers.within(members)
    return found


def _test_differences(estimates: dict[str, Estimates], order: list[str]) -> pd.DataFrame:
    p_values = pd.Series(
        [estimates[name].heterogeneity.p_value if name in estimates else np.nan for name in order],
        dtype=float,
    )
    adjusted = pd.Series(np.nan, index=p_values.index)
    known = p_values.notna()
    if known.any():
        adjusted[known] = false_discovery_control(p_values[known])
    return pd.DataFrame(
        {
            "skill": order, "p_value": p_values, "p_adjusted": adjusted,
            "is_beyond_chance": adjusted < FALSE_CLAIMS,
        }
    )  # fmt: skip


def _grade(
    pairs: pd.DataFrame, estimates: dict[str, Estimates], differences: pd.DataFrame
) -> pd.DataFrame:
    real = dict(zip(differences["skill"], differences["is_beyond_chance"], strict=True))
    frames = []
    for skill, found in estimates.items():
        frame = found.to_frame().rename(columns={"label": "rep_id"})
        frame = frame[["rep_id", "estimate", "low", "high", "p_above"]]
        graded = grade_evidence(frame["p_above"], is_real=real[skill])
        frames.append(frame.assign(skill=skill, group=found.overall, evidence=graded))
    columns = ["rep_id", "estimate", "low", "high", "p_above", "skill", "group", "evidence"]
    whole = pd.concat(frames) if frames else pd.DataFrame(columns=columns)
    scores = pairs.merge(whole, on=["rep_id", "skill"], how="left")
    for level in ("estimate", "low", "high", "group"):
        scores[level] = scores[level] + scores["apart"]
    return scores.assign(evidence=scores["evidence"].fillna(0).astype(int))


def _in_order(measures: Measures, rated: set[str]) -> list[str]:
    """Put skills in the order of the framework; what it does not know comes last."""
    known = [name for name in dict.fromkeys(measures.skills["skill"]) if name in rated]
    return [*known, *sorted(rated - set(known))]


def _finish(scores: pd.DataFrame, measures: Measures, order: list[str]) -> pd.DataFrame:
    """Add names and targets, and say which scores are surely off their target."""
    people = measures.people[["rep_id", "name", "role"]]
    targets = measures.skills[["skill", "role", "target"]].drop_duplicates(["skill", "role"])
    scores = scores.merge(people, on="rep_id", how="left").merge(
        targets, on=["skill", "role"], how="left"
    )
    scores["unit"] = scores["name"].fillna(scores["rep_id"])
    scores["against_target"] = _against_target(scores)
    place = scores["skill"].map({name: number for number, name in enumerate(order)})
    scores = scores.assign(_place=place).sort_values(["unit", "rep_id", "_place"])
    return scores.rename(columns={"rep_id": "unit_id"})[_SCORES].reset_index(drop=True)


def _against_target(scores: pd.DataFrame) -> pd.Series[int]:
    """Find which scores are off their target, allowing for their number; points are whole."""
    gap = (scores["score"] - scores["target"]).astype(float)
    size = (gap.abs() - 0.5 / scores["n_raters"]).clip(lower=0.0)
    p_values = np.asarray(2 * student.sf(size / scores["error"], scores["freedom"]))
    tested = scores["is_enough"] & gap.notna()
    sure = pd.Series(0, index=scores.index)
    if tested.any():
        adjusted = false_discovery_control(p_values[tested])
        sure[tested] = np.sign(gap[tested]).astype(int) * (adjusted < FALSE_CLAIMS)
    return sure
