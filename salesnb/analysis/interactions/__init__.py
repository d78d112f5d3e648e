"""Interactions: which early patterns precede wins, and what people's days hold."""

from salesnb.analysis.interactions.capacity import capacity
from salesnb.analysis.interactions.capacity_result import Capacity
from salesnb.analysis.interactions.patterns import winning_patterns
from salesnb.analysis.interactions.patterns_result import WinningPatterns

__all__ = ["Capacity", "WinningPatterns", "capacity", "winning_patterns"]
