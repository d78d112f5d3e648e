"""Bookings against what territory, tenure and season make likely: a fair comparison.

`expect` says what was to be expected of each rep and how that was found, `score` compares and
shrinks, `result` holds the answer and words it.
"""

from salesnb.analysis.adjust.result import ADJUSTED_ANCHOR, AdjustedPerformance
from salesnb.analysis.adjust.score import adjusted_performance

__all__ = ["ADJUSTED_ANCHOR", "AdjustedPerformance", "adjusted_performance"]
