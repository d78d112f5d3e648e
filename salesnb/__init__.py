"""Sales Performance Matrix, skill gaps and training impact from CRM exports.

The names below are the public face; each is loaded from its room when it is first used.
"""

from __future__ import annotations

from importlib import import_module as _import
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from salesnb import views as views
    from salesnb.analysis.actions import agreed_actions as agreed_actions
    from salesnb.analysis.adjust import adjusted_performance as adjusted_performance
    from salesnb.analysis.alignment import alignment_table as alignment_table
    from salesnb.analysis.alignment import attribution as attribution
    from salesnb.analysis.alignment import handover as handover
    from salesnb.analysis.alignment import lead_funnel as lead_funnel
    from salesnb.analysis.alignment import response_effect as response_effect
    from salesnb.analysis.benchmarks import benchmark as benchmark
    from salesnb.analysis.composite import composite_score as composite_score
    from salesnb.analysis.contributions import contributions as contributions
    from salesnb.analysis.conventions import compare_conventions as compare_conventions
    from salesnb.analysis.drivers import booking_drivers as booking_drivers
    from salesnb.analysis.feedback import feedback_effect as feedback_effect
    from salesnb.analysis.feedback import feedback_loop as feedback_loop
    from salesnb.analysis.feedback import feedback_themes as feedback_themes
    from salesnb.analysis.gaming import gaming_checks as gaming_checks
    from salesnb.analysis.impact import judge_programmes as judge_programmes
    from salesnb.analysis.impact import programmes as programmes
    from salesnb.analysis.impact import training_impact as training_impact
    from salesnb.analysis.insights import find_insights as find_insights
    from salesnb.analysis.interactions import capacity as capacity
    from salesnb.analysis.interactions import winning_patterns as winning_patterns
    from salesnb.analysis.matrix import performance_matrix as performance_matrix
    from salesnb.analysis.outlook import target_outlook as target_outlook
    from salesnb.analysis.peers import peer_groups as peer_groups
    from salesnb.analysis.pipeline import load_pipeline_scores as load_pipeline_scores
    from salesnb.analysis.pipeline import pipeline_forecast as pipeline_forecast
    from salesnb.analysis.pipeline import pipeline_priorities as pipeline_priorities
    from salesnb.analysis.pipeline import score_pipeline as score_pipeline
    from salesnb.analysis.plan import PlanLimits as PlanLimits
    from salesnb.analysis.plan import course_effects as course_effects
    from salesnb.analysis.plan import skill_importance as skill_importance
    from salesnb.analysis.plan import training_plan as training_plan
    from salesnb.analysis.process import bottlenecks as bottlenecks
    from salesnb.analysis.process import compare_process as compare_process
    from salesnb.analysis.process import process_compliance as process_compliance
    from salesnb.analysis.process import stage_flow as stage_flow
    from salesnb.analysis.process import team_bottlenecks as team_bottlenecks
    from salesnb.analysis.process import win_timing as win_timing
    from salesnb.analysis.profiles import skill_profiles as skill_profiles
    from salesnb.analysis.rates import estimate_counts as estimate_counts
    from salesnb.analysis.rates import estimate_effects as estimate_effects
    from salesnb.analysis.rates import estimate_log_means as estimate_log_means
    from salesnb.analysis.rates import estimate_rates as estimate_rates
    from salesnb.analysis.segments import SkillSegmenter as SkillSegmenter
    from salesnb.analysis.segments import segments_before as segments_before
    from salesnb.analysis.segments import skill_segments as skill_segments
    from salesnb.analysis.selection import select_kpis as select_kpis
    from salesnb.analysis.skill_matrix import skill_matrix as skill_matrix
    from salesnb.analysis.skill_trend import skill_trend as skill_trend
    from salesnb.analysis.skills import team_skills as team_skills
    from salesnb.analysis.strengths import strengths as strengths
    from salesnb.analysis.targets import target_tree as target_tree
    from salesnb.analysis.trend import quarter_trend as quarter_trend
    from salesnb.measures.cache import load_measures as load_measures
    from salesnb.measures.cache import load_snapshot as load_snapshot
    from salesnb.measures.compute import compute_measures as compute_measures
    from salesnb.measures.pictures import load_pipeline as load_pipeline
    from salesnb.publish.handout import write_plan as write_plan
    from salesnb.sources.framework import skill_framework as skill_framework
    from salesnb.sources.load import import_snapshot as import_snapshot
    from salesnb.sources.sample import sample_company as sample_company
    from salesnb.sources.snapshot import open_snapshot as open_snapshot

_HOMES = {
    "PlanLimits": "analysis.plan",
    "agreed_actions": "analysis.actions",
    "adjusted_performance": "analysis.adjust",
    "alignment_table": "analysis.alignment",
    "attribution": "analysis.alignment",
    "benchmark": "analysis.benchmarks",
    "capacity": "analysis.interactions",
    "composite_score": "analysis.composite",
    "compare_conventions": "analysis.conventions",
    "booking_drivers": "analysis.drivers",
    "compute_measures": "measures.compute",
    "contributions": "analysis.contributions",
    "course_effects": "analysis.plan",
    "estimate_counts": "analysis.rates",
    "estimate_effects": "analysis.rates",
    "estimate_log_means": "analysis.rates",
    "estimate_rates": "analysis.rates",
    "feedback_effect": "analysis.feedback",
    "feedback_loop": "analysis.feedback",
    "feedback_themes": "analysis.feedback",
    "find_insights": "analysis.insights",
    "gaming_checks": "analysis.gaming",
    "handover": "analysis.alignment",
    "import_snapshot": "sources.load",
    "judge_programmes": "analysis.impact",
    "lead_funnel": "analysis.alignment",
    "load_measures": "measures.cache",
    "load_pipeline": "measures.pictures",
    "load_pipeline_scores": "analysis.pipeline",
    "load_snapshot": "measures.cache",
    "open_snapshot": "sources.snapshot",
    "peer_groups": "analysis.peers",
    "bottlenecks": "analysis.process",
    "compare_process": "analysis.process",
    "process_compliance": "analysis.process",
    "stage_flow": "analysis.process",
    "team_bottlenecks": "analysis.process",
    "win_timing": "analysis.process",
    "performance_matrix": "analysis.matrix",
    "pipeline_forecast": "analysis.pipeline",
    "pipeline_priorities": "analysis.pipeline",
    "programmes": "analysis.impact",
    "quarter_trend": "analysis.trend",
    "response_effect": "analysis.alignment",
    "sample_company": "sources.sample",
    "skill_framework": "sources.framework",
    "SkillSegmenter": "analysis.segments",
    "score_pipeline": "analysis.pipeline",
    "segments_before": "analysis.segments",
    "skill_segments": "analysis.segments",
    "skill_importance": "analysis.plan",
    "skill_matrix": "analysis.skill_matrix",
    "skill_profiles": "analysis.profiles",
    "skill_trend": "analysis.skill_trend",
    "strengths": "analysis.strengths",
    "select_kpis": "analysis.selection",
    "team_skills": "analysis.skills",
    "target_outlook": "analysis.outlook",
    "target_tree": "analysis.targets",
    "training_plan": "analysis.plan",
    "write_plan": "publish.handout",
    "training_impact": "analysis.impact",
    "winning_patterns": "analysis.interactions",
}

__all__ = ["views", *_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> object:
    """Load a public name from its room; results learn from `views` how they are shown."""
    if name == "views":
        return _import("salesnb.views")
    if name not in _HOMES:
        hint = "" if name.startswith("_") else _import("salesnb.errors").meant(name, __all__)
        said = f"module 'salesnb' has no attribute {name!r}"
        raise AttributeError(f"{said}.{hint}" if hint else said)
    home = _import(f"salesnb.{_HOMES[name]}")
    if home.__name__.startswith("salesnb.analysis"):
        _import("salesnb.views")
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
