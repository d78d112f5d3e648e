"""Skill segments: people whose strong and weak skills are alike, if there are any."""

from salesnb.analysis.segments.gate import Verdict
from salesnb.analysis.segments.segmenter import SkillSegmenter

__all__ = ["SkillSegmenter", "Verdict"]
