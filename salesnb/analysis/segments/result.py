"""The answer: which segments there are, who is in them, or that there are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb.analysis.finding import Candidate
from salesnb.analysis.result import Result
from salesnb.analysis.segments.gate import FEWEST_PEOPLE, Verdict
from salesnb.analysis.segments.stability import STABLE
from salesnb.analysis.wording import count_things
from salesnb.language import format_number, format_share, tr

SEGMENTS_ANCHOR = "skill-segments"
FEWEST_DESCRIBED = 5
"""Members below which a segment is not described: it would describe persons."""
LOW_POWER = 100
"""People below which segments with gaps below a point are mostly missed (benchmark: power)."""
BETWEEN = 0.7
"""Membership probability below which a person is between segments."""

_SCALE = 3.0
_MUCH_SHARED = 0.1
SEGMENTS = [
    "segment", "name", "is_kept", "size", "share", "n_between", "stability", "is_described",
    "level",
]  # fmt: skip
PROFILE = ["segment", "skill", "gap", "low", "high", "n", "is_marked"]
MEMBERS = ["rep_id", "unit", "team_id", "segment", "name", "membership", "is_between", "level"]


@dataclass(frozen=True, eq=False, repr=False)
class SkillSegments(Result):
    """People by the shape of their skills: segments, or that there are none.

    Attributes
    ----------
    period, unit
        Quarter, and name of the team or company.
    verdict
        "none", "provisional" or "confirmed".
    segments
        One row a segment, largest first: `name`, and whether it `is_kept`, as one of the same
        shape was found a quarter before; `size`, `share` of people (sums to 1), of these
        `n_between` segments; `stability` (bootstrap Jaccard, 0-1); whether it `is_described`:
        stable and of at least five people; mean `level` of its members in points.
    profile
        One row a segment and skill, of described segments: `gap` in points to the company's mean
        when everybody's level is taken out, with 95% interval `low` to `high`; `n`; whether the
        skill `is_marked`, that is sets the segment apart.
    members
        One row a person: `segment`, its `name`, `membership` probability, whether the person
        `is_between` segments (below .7), overall `level`.
    n_people
        People whose profile is known.
    p_value, p_valley
        Chance of so clear a grouping, and of so few people between, without segments.
    team_share
        Share of the variance of profiles that teams have in common, taken out.
    lacking
        Why nothing could be looked for; empty when it could.
    """

    period: str
    unit: str
    verdict: Verdict
    segments: pd.DataFrame
    profile: pd.DataFrame
    members: pd.DataFrame
    n_people: int
    p_value: float
    p_valley: float
    team_share: float
    lacking: str = ""

    @property
    def described(self) -> pd.DataFrame:
        """Segments that have a name and a profile."""
        return self.segments[self.segments["is_described"].astype(bool)]

    @property
    def finding(self) -> str:
        """Say how many segments there are, or how to plan without them."""
        if self.lacking:
            return f"{self.unit}: {self.lacking}."
        if self.verdict is Verdict.NONE:
            return tr(
                "{unit}: people do not fall into skill segments; plan training person by person.",
                unit=self.unit,
            )
        said = {
            "unit": self.unit,
            "n": self.n_people,
            "segments": count_things(len(self.segments), "skill segment", "skill segments"),
            "largest": self._largest(),
        }
        if self.verdict is Verdict.CONFIRMED:
            return tr("{unit}: {n} people fall into {segments}{largest}.", **said)
        return tr("{unit}: {n} people probably fall into {segments}{largest}.", **said)

    @property
    def caveat(self) -> str:
        """Say how far to trust it and what segments leave out."""
        if self.lacking:
            return ""
        lines = [self._certainty(), self._teams()]
        if self.verdict is not Verdict.NONE:
            lines += [
                tr("Segments ignore how good people are overall; that level stands beside."),
                self._left_out(),
            ]
        return " ".join(line for line in lines if line)

    def to_frame(self) -> pd.DataFrame:
        """List one row a person."""
        return self.members.copy()

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer that people fall into segments; a test that came out quiet counts too."""
        if self.lacking or self.n_people < FEWEST_PEOPLE:
            return ()
        gaps = self.profile.loc[self.profile["is_marked"].astype(bool)].groupby("segment")["gap"]
        deepest = float(gaps.min().abs().mean()) / _SCALE if len(gaps) else 0.0
        return (
            Candidate(
                text=self.finding,
                why=self._certainty(),
                anchor=SEGMENTS_ANCHOR,
                effect=0.0 if self.verdict is Verdict.NONE else min(deepest, 1.0),
                p_value=self.p_value,
            ),
        )

    def _largest(self) -> str:
        if self.described.empty:
            return tr(", none of them stable enough to name")
        name, size = self.described[["name", "size"]].iloc[0]
        # no name begins with a noun, so its first letter is small in any language
        name = f"{name[:1].lower()}{name[1:]}"
        return tr("; the largest of {n} people: {segment}", n=size, segment=name)

    def _certainty(self) -> str:
        if self.n_people < FEWEST_PEOPLE:
            return tr("With {n} people no segments can be told from chance.", n=self.n_people)
        chance = format_number(self.p_value, 2, group=False)
        if self.verdict is Verdict.NONE:
            told = tr(
                "Profiles are no more grouped than in made-up companies without segments "
                "(p = {p}): people differ, but by degrees.",
                p=chance,
            )
            if self.n_people < LOW_POWER:
                told += tr(
                    " With {n} people only very clear segments would be seen.", n=self.n_people
                )
            return told
        is_tiny = self.p_value < 0.01
        chance = f"p < {format_number(0.01, 2)}" if is_tiny else f"p = {chance}"
        if self.verdict is Verdict.CONFIRMED:
            return tr(
                "Grouped more clearly than made-up companies without segments ({chance}), with few "
                "people between the segments.",
                chance=chance,
            )
        return tr(
            "Grouped more clearly than made-up companies without segments ({chance}), but without "
            "clear borders: check with the teams before acting on it.",
            chance=chance,
        )

    def _teams(self) -> str:
        if not self.team_share > _MUCH_SHARED:
            return ""
        return tr(
            "What teams have in common ({share} of the differences) is taken out: it may be how "
            "their raters see a skill.",
            share=format_share(self.team_share),
        )

    def _left_out(self) -> str:
        n_small = int((self.segments["size"] < FEWEST_DESCRIBED).sum())
        shaky = (self.segments["stability"] < STABLE) & (self.segments["size"] >= FEWEST_DESCRIBED)
        parts = []
        if n_small:
            parts.append(
                tr(
                    "{segments} of fewer than {n} people",
                    segments=count_things(n_small, "segment", "segments"),
                    n=FEWEST_DESCRIBED,
                )
            )
        if shaky.any():
            parts.append(
                tr(
                    "{segments} not found again in other samples",
                    segments=count_things(int(shaky.sum()), "segment", "segments"),
                )
            )
        return tr("Not described: {segments}.", segments=", ".join(parts)) if parts else ""


def no_segments(
    *, period: str, unit: str, n_people: int, lacking: str = "", p_value: float = np.nan,
    team_share: float = 0.0,
) -> SkillSegments:  # fmt: skip
    """Answer that there are none, or why none could be looked for."""
    flags = {"is_kept": bool, "is_described": bool}
    return SkillSegments(
        period, unit, Verdict.NONE,
        pd.DataFrame(columns=SEGMENTS).astype(flags),
        pd.DataFrame(columns=PROFILE).astype({"is_marked": bool, "gap": float}),
        pd.DataFrame(columns=MEMBERS).astype({"is_between": bool}),
        n_people, p_value, np.nan, team_share, lacking,
    )  # fmt: skip
