"""Demand: what becomes of leads by where they come from, and which touches get the credit.

Everything here is added up per team and quarter in the measures pass: leads on their way, how long
they waited, why they were rejected, and opportunities credited to the touches before them.
"""

from salesnb.measures.demand.measure import measure_demand
from salesnb.measures.demand.names import (
    DEMAND_FRAMES,
    MODELS,
    NO_TOUCH,
    OTHER,
    STAGES_OF_REJECTION,
    Demand,
)

__all__ = [
    "DEMAND_FRAMES",
    "MODELS",
    "NO_TOUCH",
    "OTHER",
    "STAGES_OF_REJECTION",
    "Demand",
    "measure_demand",
]
