"""Open opportunities, one by one: now, and as they were on past days that stand as today does."""

from salesnb.measures.pictures.features import FEATURES, Feature, find_feature
from salesnb.measures.pictures.history import PipelineHistory, compute_pipeline
from salesnb.measures.pictures.kept import load_pipeline

__all__ = [
    "FEATURES",
    "Feature",
    "PipelineHistory",
    "compute_pipeline",
    "find_feature",
    "load_pipeline",
]
