"""One figure of many: the mean percentile among peers, and how far it can be trusted.

`score` chooses what counts, for whom and among which peers, `acceptability` ranks over draws and
weights, `result` holds the answer and words it.
"""

from salesnb.analysis.composite.result import COMPOSITE_ANCHOR, QUARTERS, CompositeScore
from salesnb.analysis.composite.score import MOST_SHARE, composite_score

__all__ = ["COMPOSITE_ANCHOR", "MOST_SHARE", "QUARTERS", "CompositeScore", "composite_score"]
