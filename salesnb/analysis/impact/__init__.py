"""What training did: who was trained is never chance, so what is compared depends on the rule."""

from salesnb.analysis.impact.levels import rate_programme
from salesnb.analysis.impact.overview import (
    OVERVIEW_ANCHOR,
    ProgrammeVerdicts,
    judge_programmes,
)
from salesnb.analysis.impact.programmes import PROGRAMMES_ANCHOR, READY, Programmes, programmes
from salesnb.analysis.impact.result import IMPACT_ANCHOR, TrainingImpact
from salesnb.analysis.impact.score import training_impact

__all__ = [
    "IMPACT_ANCHOR",
    "OVERVIEW_ANCHOR",
    "PROGRAMMES_ANCHOR",
    "READY",
    "ProgrammeVerdicts",
    "Programmes",
    "judge_programmes",
    "TrainingImpact",
    "programmes",
    "rate_programme",
    "training_impact",
]
