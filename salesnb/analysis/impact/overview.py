"""All training programmes beside one another: what each did, and what is usually reported."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from salesnb.analysis.finding import Candidate
from salesnb.analysis.impact.programmes import READY, programmes
from salesnb.analysis.impact.result import TrainingImpact
from salesnb.analysis.impact.score import OUTCOME, training_impact
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count
from salesnb.measures.measures import Measures

OVERVIEW_ANCHOR = "programme-verdicts"
_ROWS = [
    "programme", "course", "skill", "rule", "verdict", "estimate", "low", "high", "smallest_seen",
    "before_after",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class ProgrammeVerdicts(Result):
    """What each programme did to one outcome.

    Attributes
    ----------
    period
        Last quarter looked at.
    impacts
        Of each programme that can be judged, the latest first.
    lacking
        Why there is none.
    """

    period: str
    impacts: tuple[TrainingImpact, ...]
    lacking: str = ""

    @property
    def worked(self) -> tuple[TrainingImpact, ...]:
        """Those that worked."""
        return tuple(impact for impact in self.impacts if impact.verdict == "worked")

    @property
    def finding(self) -> str:
        """Name the programmes that worked."""
        if self.lacking:
            return f"No programme can be judged: {self.lacking}."
        named = ", ".join(impact.name for impact in self.worked)
        of = count(len(self.impacts), "training programme")
        what = self.impacts[0].kpi.label.lower()
        return f"Of {of}, {len(self.worked)} surely improved {what}{': ' if named else ''}{named}."

    @property
    def caveat(self) -> str:
        """Say what the words do not mean."""
        return (
            "No effect found is not proof of none: effects smaller than the one that would have "
            "been seen are missed."
        )

    def to_frame(self) -> pd.DataFrame:
        """List one row a programme; effects in the outcome's unit with 95% interval."""
        rows = [
            (
                impact.programme, impact.course, impact.skill, impact.rule, impact.verdict,
                impact.effect.estimate, *impact.effect.interval(0.95), impact.smallest_seen,
                impact.before_after,
            )
            for impact in self.impacts
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=_ROWS)

    def candidates(self) -> tuple[Candidate, ...]:
        """Offer what each programme did."""
        return tuple(item for impact in self.impacts for item in impact.candidates())


def judge_programmes(
    measures: Measures, *, period: str = "", outcome: str = OUTCOME, random_state: int = 0
) -> ProgrammeVerdicts:
    """Judge every training programme that can be judged, each by its own design.

    Parameters
    ----------
    measures
        From `load_measures`; without trainings the result is empty and says so.
    period
        Last quarter to look at; '' is the latest.
    outcome
        KPI to look at, as `training_impact` takes it.
    random_state
        Seed of the draws that test a small lottery.

    Returns
    -------
    ProgrammeVerdicts

    Raises
    ------
    ParameterError
        Outcome or quarter is unknown, or the outcome has no honest error.
    """
    listed = programmes(measures, period=period)
    ready = listed.rows.loc[listed.rows["status"] == READY, "programme"]
    impacts = tuple(
        training_impact(
            measures, programme=name, outcome=outcome, period=period, random_state=random_state
        )
        for name in ready
    )
    known = tuple(impact for impact in impacts if not impact.lacking)
    lacking = listed.lacking or (impacts[0].lacking if impacts else "none has a quarter after it")
    return ProgrammeVerdicts(listed.period, known, "" if known else lacking)
