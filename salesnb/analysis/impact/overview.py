"""All training programmes beside one another: what each did, and what is usually reported."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from scipy.stats import false_discovery_control

from salesnb.analysis.finding import FALSE_CLAIMS, Candidate
from salesnb.analysis.impact.programmes import READY, programmes
from salesnb.analysis.impact.result import TrainingImpact
from salesnb.analysis.impact.score import OUTCOME, training_impact
from salesnb.analysis.impact.verdict import Word
from salesnb.analysis.result import Result
from salesnb.analysis.wording import count_things, within_sentence
from salesnb.language import tr
from salesnb.measures.measures import Measures
from salesnb.measures.shared import shared
from salesnb.progress import long

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
        """Those that worked, even allowing for the number of programmes looked at."""
        return self._told("worked", surely=True)

    @property
    def worked_alone(self) -> tuple[TrainingImpact, ...]:
        """Those that worked when looked at by themselves only."""
        return self._told("worked", surely=False)

    @property
    def harmed(self) -> tuple[TrainingImpact, ...]:
        """Those after which the outcome got worse, allowing for the number of programmes."""
        return self._told("moved the wrong way", surely=True)

    def _told(self, word: Word, *, surely: bool) -> tuple[TrainingImpact, ...]:
        """Find programmes of a verdict that survive Benjamini-Hochberg over all, or do not."""
        offered = [(one, one.candidates()[0].p_value) for one in self.impacts if one.candidates()]
        if not offered:
            return ()
        adjusted = false_discovery_control([p_value for _, p_value in offered])
        return tuple(
            one
            for (one, _), p_value in zip(offered, adjusted, strict=True)
            if one.verdict == word and (p_value < FALSE_CLAIMS) == surely
        )

    @property
    def finding(self) -> str:
        """Name the programmes that worked, and those after which the outcome got worse."""
        if self.lacking:
            return tr("No programme can be judged: {why}.", why=self.lacking)
        named = f": {_enumerate(self.worked)}" if self.worked else ""
        told = tr(
            "Of {programmes}, {n} improved {kpi} beyond chance{named}",
            programmes=count_things(len(self.impacts), "training programme", "training programmes"),
            n=len(self.worked),
            kpi=within_sentence(self.impacts[0].kpi.label),
            named=named,
        )
        if self.worked_alone:
            told += tr(
                "; looked at by itself alone {programmes} worked too",
                programmes=_enumerate(self.worked_alone),
            )
        if self.harmed:
            told += tr(
                "; after {programmes} it moved the wrong way", programmes=_enumerate(self.harmed)
            )
        return f"{told}."

    @property
    def caveat(self) -> str:
        """Say what the words do not mean."""
        return tr(
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


def _enumerate(impacts: tuple[TrainingImpact, ...]) -> str:
    return ", ".join(impact.name for impact in impacts)


@long("Judging all training")
@shared
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
    lacking = listed.lacking or (
        impacts[0].lacking if impacts else tr("none has a quarter after it")
    )
    return ProgrammeVerdicts(listed.period, known, "" if known else lacking)
