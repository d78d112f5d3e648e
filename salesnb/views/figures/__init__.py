"""Figures of a report, made from results: each states its finding and brings its numbers."""

from salesnb.views.figures.adjusted import adjusted_chart
from salesnb.views.figures.caterpillar import caterpillar, estimates_figure
from salesnb.views.figures.composite import composite_chart, composite_table
from salesnb.views.figures.contributions import contributions_chart, contributions_table
from salesnb.views.figures.drivers import driver_chart, driver_table
from salesnb.views.figures.feedback import coverage_chart, effect_chart
from salesnb.views.figures.funnel import funnel
from salesnb.views.figures.segments import members_table, segments_chart, segments_table
from salesnb.views.figures.skills import skill_profile
from salesnb.views.figures.trend import trend_chart

__all__ = [
    "caterpillar",
    "contributions_chart",
    "contributions_table",
    "adjusted_chart",
    "caterpillar",
    "composite_chart",
    "composite_table",
    "coverage_chart",
    "driver_chart",
    "driver_table",
    "effect_chart",
    "estimates_figure",
    "funnel",
    "members_table",
    "segments_chart",
    "segments_table",
    "skill_profile",
    "trend_chart",
]
