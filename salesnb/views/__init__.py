"""Results to figures, tables and texts; importing it registers how results are shown."""

from salesnb.analysis.actions import AgreedActions
from salesnb.analysis.adjust import AdjustedPerformance
from salesnb.analysis.alignment import (
    AlignmentTable,
    Attribution,
    Handover,
    LeadFunnel,
    ResponseEffect,
)
from salesnb.analysis.benchmarks import Benchmarks
from salesnb.analysis.composite import CompositeScore
from salesnb.analysis.contributions import Contributions
from salesnb.analysis.conventions import Conventions
from salesnb.analysis.drivers import BookingDrivers
from salesnb.analysis.feedback import FeedbackEffect, FeedbackLoop, FeedbackThemes
from salesnb.analysis.gaming import GamingChecks
from salesnb.analysis.impact import Programmes, ProgrammeVerdicts, TrainingImpact
from salesnb.analysis.insights import Findings
from salesnb.analysis.interactions import Capacity, WinningPatterns
from salesnb.analysis.matrix import PerformanceMatrix
from salesnb.analysis.outlook import Outlook
from salesnb.analysis.peers import PeerGroups
from salesnb.analysis.pipeline import PipelineForecast, PipelinePriorities, PipelineScores
from salesnb.analysis.plan import SkillImportance, TrainingPlan
from salesnb.analysis.process import (
    Bottlenecks,
    Compliance,
    ProcessComparison,
    StageFlow,
    TeamBottlenecks,
    WinTiming,
)
from salesnb.analysis.profiles import SkillProfiles
from salesnb.analysis.rates import Estimates
from salesnb.analysis.segments import SkillSegments
from salesnb.analysis.skill_matrix import SkillMatrix
from salesnb.analysis.skill_trend import SkillTrend
from salesnb.analysis.skills import SkillProfile
from salesnb.analysis.strengths import Strengths
from salesnb.analysis.targets import TargetTree
from salesnb.analysis.trend import Trend
from salesnb.views.actions import actions_table, next_actions
from salesnb.views.alignment import (
    attribution_table,
    lead_costs,
    lead_table,
    response_table,
    signed_table,
)
from salesnb.views.benchmarks import benchmark_table
from salesnb.views.feedback import feedback_table, quiet_table, themes_table
from salesnb.views.figures import (
    adjusted_chart,
    caterpillar,
    composite_chart,
    composite_table,
    contributions_chart,
    contributions_table,
    coverage_chart,
    driver_chart,
    driver_table,
    effect_chart,
    estimates_figure,
    funnel,
    members_table,
    segments_chart,
    segments_table,
    skill_profile,
    trend_chart,
)
from salesnb.views.figures.alignment import attribution_chart, lead_chart, response_chart
from salesnb.views.figures.impact import impact_chart
from salesnb.views.figures.importance import importance_chart, quadrant_chart
from salesnb.views.figures.interactions import capacity_chart, patterns_chart
from salesnb.views.figures.outlook import outlook_chart
from salesnb.views.figures.pace import pace_chart
from salesnb.views.figures.pipeline import ages_chart, forecast_chart, reliability_chart
from salesnb.views.figures.process import bottlenecks_chart, stage_flow_chart, win_timing_chart
from salesnb.views.figures.profiles import levels_chart, person_skills, skill_trend_chart
from salesnb.views.gaming import gaming_table
from salesnb.views.handover import handover_table, reasons_table, signs_table
from salesnb.views.impact import (
    impact_levels,
    impact_methods,
    impact_verdict,
    programmes_table,
    verdicts_table,
)
from salesnb.views.imports import (
    kpi_needs,
    load_drift,
    load_headlines,
    load_notes,
    load_table,
    load_warnings,
    refusals_table,
)
from salesnb.views.interactions import capacity_table, patterns_table
from salesnb.views.peers import peers_table
from salesnb.views.pipeline import forecast_table, methods_table, priorities_table
from salesnb.views.plan import (
    plan_bounds,
    plan_comparison,
    plan_left_out,
    plan_sessions,
    plan_table,
)
from salesnb.views.process import (
    bottlenecks_table,
    comparison_table,
    compliance_table,
    stages_table,
    steps_table,
    team_bottlenecks_table,
)
from salesnb.views.profiles import agreement_table, profiles_table, raters_table
from salesnb.views.strengths import skill_table, strengths_table
from salesnb.views.tables import (
    conventions_table,
    definitions,
    headlines,
    kpi_tiles,
    matrix_table,
    missing_kpis,
    quarter_records,
    window_totals,
)
from salesnb.views.targets import target_table

__all__ = [
    "attribution_chart",
    "attribution_table",
    "handover_table",
    "lead_chart",
    "lead_costs",
    "lead_table",
    "reasons_table",
    "response_chart",
    "response_table",
    "signed_table",
    "signs_table",
    "actions_table",
    "ages_chart",
    "agreement_table",
    "adjusted_chart",
    "benchmark_table",
    "capacity_chart",
    "capacity_table",
    "bottlenecks_chart",
    "bottlenecks_table",
    "caterpillar",
    "contributions_chart",
    "contributions_table",
    "composite_chart",
    "composite_table",
    "comparison_table",
    "compliance_table",
    "conventions_table",
    "coverage_chart",
    "definitions",
    "driver_chart",
    "driver_table",
    "effect_chart",
    "estimates_figure",
    "feedback_table",
    "forecast_chart",
    "forecast_table",
    "funnel",
    "gaming_table",
    "headlines",
    "importance_chart",
    "impact_chart",
    "impact_levels",
    "impact_methods",
    "impact_verdict",
    "kpi_needs",
    "levels_chart",
    "patterns_chart",
    "patterns_table",
    "peers_table",
    "person_skills",
    "profiles_table",
    "raters_table",
    "skill_trend_chart",
    "kpi_tiles",
    "load_drift",
    "load_headlines",
    "load_notes",
    "load_table",
    "load_warnings",
    "matrix_table",
    "members_table",
    "methods_table",
    "missing_kpis",
    "next_actions",
    "outlook_chart",
    "pace_chart",
    "priorities_table",
    "plan_bounds",
    "plan_comparison",
    "plan_left_out",
    "plan_sessions",
    "plan_table",
    "quadrant_chart",
    "programmes_table",
    "quarter_records",
    "quiet_table",
    "refusals_table",
    "reliability_chart",
    "segments_chart",
    "segments_table",
    "skill_profile",
    "stage_flow_chart",
    "stages_table",
    "steps_table",
    "skill_table",
    "strengths_table",
    "target_table",
    "team_bottlenecks_table",
    "themes_table",
    "trend_chart",
    "verdicts_table",
    "win_timing_chart",
    "window_totals",
]

AdjustedPerformance.register(table=adjusted_chart, plot=adjusted_chart)
Benchmarks.register(table=benchmark_table, plot=benchmark_table)
CompositeScore.register(table=composite_table, plot=composite_chart)
Estimates.register(table=estimates_figure, plot=estimates_figure)
PerformanceMatrix.register(
    table=matrix_table, plot=lambda matrix: caterpillar(matrix, matrix.kpis[0].kpi)
)
SkillProfile.register(table=skill_profile, plot=skill_profile)
Trend.register(table=kpi_tiles, plot=trend_chart)
FeedbackEffect.register(table=effect_chart, plot=effect_chart)
FeedbackLoop.register(table=feedback_table, plot=coverage_chart)
FeedbackThemes.register(table=themes_table, plot=themes_table)
Findings.register(table=headlines, plot=headlines)
Contributions.register(table=contributions_table, plot=contributions_chart)
BookingDrivers.register(table=driver_chart, plot=driver_chart)
SkillSegments.register(table=segments_table, plot=segments_chart)
SkillProfiles.register(table=profiles_table, plot=levels_chart)
SkillTrend.register(table=skill_trend_chart, plot=skill_trend_chart)
SkillMatrix.register(table=skill_table, plot=skill_table)
Strengths.register(table=strengths_table, plot=strengths_table)
GamingChecks.register(table=gaming_table, plot=gaming_table)
TargetTree.register(table=target_table, plot=target_table)
Outlook.register(table=outlook_chart, plot=pace_chart)
AgreedActions.register(table=actions_table, plot=actions_table)
SkillImportance.register(table=importance_chart, plot=importance_chart)
TrainingPlan.register(table=plan_table, plot=plan_table)
TrainingImpact.register(table=impact_verdict, plot=impact_chart)
ProgrammeVerdicts.register(table=verdicts_table, plot=verdicts_table)
Programmes.register(table=programmes_table, plot=programmes_table)
Conventions.register(table=conventions_table, plot=conventions_table)
WinningPatterns.register(table=patterns_table, plot=patterns_chart)
Capacity.register(table=capacity_table, plot=capacity_chart)
WinTiming.register(table=win_timing_chart, plot=win_timing_chart)
StageFlow.register(table=stages_table, plot=stage_flow_chart)
Bottlenecks.register(table=bottlenecks_table, plot=bottlenecks_chart)
Compliance.register(table=compliance_table, plot=compliance_table)
ProcessComparison.register(table=comparison_table, plot=comparison_table)
TeamBottlenecks.register(table=team_bottlenecks_table, plot=team_bottlenecks_table)
LeadFunnel.register(table=lead_table, plot=lead_chart)
ResponseEffect.register(table=response_table, plot=response_chart)
Handover.register(table=handover_table, plot=handover_table)
Attribution.register(table=attribution_table, plot=attribution_chart)
AlignmentTable.register(table=signed_table, plot=signed_table)
PeerGroups.register(table=peers_table, plot=peers_table)
PipelineScores.register(table=methods_table, plot=reliability_chart)
PipelinePriorities.register(table=priorities_table, plot=priorities_table)
PipelineForecast.register(table=forecast_table, plot=forecast_chart)
