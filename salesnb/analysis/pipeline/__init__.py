"""Open opportunities: chances learned from past months, what deserves attention, the forecast."""

from salesnb.analysis.pipeline.forecast import (
    FORECAST_ANCHOR,
    PipelineForecast,
    pipeline_forecast,
)
from salesnb.analysis.pipeline.kept import load_pipeline_scores
from salesnb.analysis.pipeline.priorities import (
    PRIORITIES_ANCHOR,
    PipelinePriorities,
    pipeline_priorities,
)
from salesnb.analysis.pipeline.result import AGES_ANCHOR, METHODS, SCORES_ANCHOR, PipelineScores
from salesnb.analysis.pipeline.scores import score_pipeline

__all__ = [
    "AGES_ANCHOR",
    "FORECAST_ANCHOR",
    "METHODS",
    "PRIORITIES_ANCHOR",
    "SCORES_ANCHOR",
    "PipelineForecast",
    "PipelinePriorities",
    "PipelineScores",
    "load_pipeline_scores",
    "pipeline_forecast",
    "pipeline_priorities",
    "score_pipeline",
]
