"""Skill segments: people whose strong and weak skills are alike, if there are any.

`segmenter` is the estimator: `gate` tests profiles (`cells`) against companies without segments
(`nulls`, `clustering`, `valleys`), `mixture` finds who belongs where and `stability` how far that
would be found again. `find` puts it to use on skill profiles: `teams` takes out what teams share,
`describe` gives profiles and names, `result` holds the answer and words it.
"""

from salesnb.analysis.segments.find import segments_before, skill_segments
from salesnb.analysis.segments.gate import Verdict
from salesnb.analysis.segments.result import BETWEEN, SEGMENTS_ANCHOR, SkillSegments
from salesnb.analysis.segments.segmenter import SkillSegmenter
from salesnb.analysis.segments.stability import STABLE

__all__ = [
    "BETWEEN",
    "SEGMENTS_ANCHOR",
    "STABLE",
    "SkillSegmenter",
    "SkillSegments",
    "Verdict",
    "segments_before",
    "skill_segments",
]
