"""skill_segments: from skill profiles to named segments with their members."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.profiles import SkillProfiles, skill_profiles
from salesnb.analysis.segments.cells import Floats
from salesnb.analysis.segments.describe import (
    match_segments,
    name_segment,
    own_name,
    profile_table,
)
from salesnb.analysis.segments.gate import Verdict
from salesnb.analysis.segments.result import (
    BETWEEN,
    FEWEST_DESCRIBED,
    MEMBERS,
    PROFILE,
    SEGMENTS,
    SkillSegments,
    no_segments,
)
from salesnb.analysis.segments.segmenter import SkillSegmenter
from salesnb.analysis.segments.stability import STABLE
from salesnb.analysis.segments.teams import remove_teams
from salesnb.language import mark, tr
from salesnb.measures.measures import Measures
from salesnb.measures.shared import shared
from salesnb.progress import long

_FEWEST_SKILLS = 3
"""Observed skills of a person from which there is a profile."""
_UNNAMED = mark("Not described")


@long("Looking for segments")
@shared
def skill_segments(
    profiles: SkillProfiles,
    *,
    previous: SkillSegments | None = None,
    max_segments: int = 8,
    n_null: int = 99,
    random_state: int = 0,
) -> SkillSegments:
    """Group people by the shape of their skills, if they fall into groups.

    Level is not looked at, only which skills are weak and strong beside a person's own level.
    What teams have in common is taken out first, as far as it exceeds chance. People with fewer
    than three observed skills have no profile and are left out.

    Parameters
    ----------
    profiles
        From `skill_profiles`, best of the whole company: below some 100 people only very clear
        segments are found.
    previous
        The segments of the quarter before: those of the same shape keep their names.
    max_segments
        Largest number of segments looked for.
    n_null
        Companies without segments drawn, of each kind, to compare with.
    random_state
        Seed; the same profiles and seed give the same segments.

    Returns
    -------
    SkillSegments
        With verdict "none" and no segments where people do not fall into any.

    Raises
    ------
    ParameterError
        An option is out of range.
    """
    period, unit = profiles.period, profiles.unit
    if profiles.lacking:
        return no_segments(period=period, unit=unit, n_people=0, lacking=profiles.lacking)
    residuals = profiles.residuals()
    residuals = residuals[residuals.notna().sum(axis=1) >= _FEWEST_SKILLS].dropna(axis=1, how="all")
    if residuals.empty:
        lacking = tr(
            "nobody was rated in {n} skills or more in {period}", n=_FEWEST_SKILLS, period=period
        )
        return no_segments(period=period, unit=unit, n_people=0, lacking=lacking)
    errors = profiles.errors().loc[residuals.index, residuals.columns]
    people = _people(profiles).reindex(residuals.index)
    own = remove_teams(residuals, people["team_id"])
    segmenter = SkillSegmenter(
        max_segments=max_segments, n_null=n_null, random_state=random_state
    ).fit(own.residuals.to_numpy(), errors=errors.to_numpy())
    if segmenter.verdict_ == Verdict.NONE:
        return no_segments(
            period=period, unit=unit, n_people=len(residuals), p_value=segmenter.p_value_,
            team_share=own.share,
        )  # fmt: skip
    found = _describe(segmenter, own.residuals, people, previous)
    return SkillSegments(
        period, unit, Verdict(segmenter.verdict_), found.segments, found.profile, found.members,
        len(residuals), segmenter.p_value_, segmenter.p_valley_, own.share,
    )  # fmt: skip


@shared
def segments_before(measures: Measures, *, period: str) -> SkillSegments | None:
    """Find the company's segments of the quarter before, whose names are to be kept.

    They are named by that quarter alone, not by the ones before it. None where the data do not
    reach back.

    Raises
    ------
    ParameterError
        The quarter is unknown.
    """
    measures.check_period(period)
    earlier = measures.calendar.shift(period, -1)
    if earlier not in measures.periods:
        return None
    return skill_segments(skill_profiles(measures, period=earlier))


@dataclass(frozen=True)
class _Described:
    segments: pd.DataFrame
    profile: pd.DataFrame
    members: pd.DataFrame


def _people(profiles: SkillProfiles) -> pd.DataFrame:
    """Name, team and level of each person, by rep."""
    people = profiles.cells.drop_duplicates("rep_id").set_index("rep_id")[["unit", "team_id"]]
    return people.join(profiles.levels.set_index("rep_id")["level"])


def _describe(
    segmenter: SkillSegmenter,
    residuals: pd.DataFrame,
    people: pd.DataFrame,
    previous: SkillSegments | None,
) -> _Described:
    """Describe segments, largest first."""
    sizes = np.bincount(segmenter.labels_, minlength=segmenter.n_segments_)
    order = np.argsort(-sizes, kind="stable")
    order = order[sizes[order] > 0]
    chances = segmenter.probabilities_[:, order]
    members = people.assign(
        segment=chances.argmax(axis=1), membership=chances.max(axis=1)
    ).reset_index(names="rep_id")
    members["is_between"] = members["membership"] < BETWEEN
    segments = _segments(members, segmenter.stability_[order])
    shown = segments.loc[segments["is_described"], "segment"]
    profile = profile_table(residuals, chances)
    profile = profile[profile["segment"].isin(shown)].reset_index(drop=True)
    segments = _name(segments, profile, previous)
    members["name"] = members["segment"].map(segments.set_index("segment")["name"])
    members = members.sort_values(
        ["segment", "membership", "rep_id"], ascending=[True, False, True], ignore_index=True
    )
    return _Described(segments[SEGMENTS], profile[PROFILE], members[MEMBERS])


def _segments(members: pd.DataFrame, stability: Floats) -> pd.DataFrame:
    groups = members.groupby("segment")
    segments = groups.agg(
        size=("rep_id", "size"), n_between=("is_between", "sum"), level=("level", "mean")
    ).reset_index()
    segments["share"] = segments["size"] / len(members)
    segments["stability"] = stability[segments["segment"]]
    is_large = segments["size"] >= FEWEST_DESCRIBED
    segments["is_described"] = is_large & (segments["stability"] >= STABLE)
    return segments


def _name(
    segments: pd.DataFrame, profile: pd.DataFrame, previous: SkillSegments | None
) -> pd.DataFrame:
    """Keep the names of segments that were there before; name the others by their skills."""
    names: dict[int, str] = {}
    if previous is not None:
        before = previous.segments.set_index("segment")["name"]
        matched = match_segments(profile, previous.profile)
        names = {new: str(before[old]) for new, old in matched.items()}
    kept = set(names)
    for number, is_described in zip(segments["segment"], segments["is_described"], strict=True):
        if number not in names:
            rows = profile[profile["segment"] == number]
            taken = set(names.values())
            names[number] = (
                name_segment(rows, taken) if is_described else own_name(tr(_UNNAMED), taken)
            )
    return segments.assign(
        name=segments["segment"].map(names), is_kept=segments["segment"].isin(kept)
    )
