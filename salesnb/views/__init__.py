"""Results to figures, tables and texts; importing it registers how results are shown."""

from salesnb.analysis.conventions import Conventions
from salesnb.analysis.insights import Findings
from salesnb.analysis.matrix import PerformanceMatrix
from salesnb.analysis.rates import Estimates
from salesnb.analysis.skills import SkillProfile
from salesnb.analysis.trend import Trend
from salesnb.views.figures import caterpillar, estimates_figure, funnel, skill_profile, trend_chart
from salesnb.views.imports import (
    kpi_needs,
    load_drift,
    load_headlines,
    load_notes,
    load_table,
    load_warnings,
    refusals_table,
)
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

__all__ = [
    "caterpillar",
    "conventions_table",
    "definitions",
    "estimates_figure",
    "funnel",
    "headlines",
    "kpi_needs",
    "kpi_tiles",
    "load_drift",
    "load_headlines",
    "load_notes",
    "load_table",
    "load_warnings",
    "matrix_table",
    "missing_kpis",
    "quarter_records",
    "refusals_table",
    "skill_profile",
    "trend_chart",
    "window_totals",
]

Estimates.register(table=estimates_figure, plot=estimates_figure)
PerformanceMatrix.register(
    table=matrix_table, plot=lambda matrix: caterpillar(matrix, matrix.kpis[0].kpi)
)
SkillProfile.register(table=skill_profile, plot=skill_profile)
Trend.register(table=kpi_tiles, plot=trend_chart)
Findings.register(table=headlines, plot=headlines)
Conventions.register(table=conventions_table, plot=conventions_table)
