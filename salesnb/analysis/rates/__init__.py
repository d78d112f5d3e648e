"""Rates, counts and means of units (reps, teams) that are few and small: empirical Bayes.

Each unit's figure is pulled toward what its group makes likely, the more so the less evidence
it has: three wins in four tries is not 75% yet. Every answer carries its interval, its
probability of being in the top quartile, and first of all whether units differ at all.

`checks` refuses bad arguments, `evidence` says what a kind of figure must offer, `prior` learns
the group's prior and how sure it is, `proportions`, `counts` and `effects` (with `normal`) are
the three kinds, `heterogeneity` tests for differences, `ranks` orders the draws, `result` holds
the answer and `display` words it.
"""

from salesnb.analysis.rates.counts import estimate_counts
from salesnb.analysis.rates.effects import estimate_effects, estimate_log_means
from salesnb.analysis.rates.heterogeneity import Heterogeneity
from salesnb.analysis.rates.plain import take_plain
from salesnb.analysis.rates.proportions import estimate_rates
from salesnb.analysis.rates.result import Estimates

__all__ = [
    "Estimates",
    "Heterogeneity",
    "estimate_counts",
    "estimate_effects",
    "estimate_log_means",
    "estimate_rates",
    "take_plain",
]
