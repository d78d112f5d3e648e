"""What a result offers a reader to know: sentences with their size and how sure they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

FALSE_CLAIMS = 0.05
"""Share of companies in which nothing is behind the figures where a report may claim anything."""

FALSE_DIFFERENCES = 0.04
"""Share of matrices of equal people in which any difference may be claimed. The rest is left to
adjusted bookings, so that a report with both claims one in at most 5%."""


@dataclass(frozen=True)
class Candidate:
    """One sentence that may become a finding; `insights` decides over all of a report together.

    Attributes
    ----------
    text, why
        What is so, in one sentence; on what it rests.
    anchor
        Id of the figure or table that shows it.
    effect
        How much it matters, 0-1: the share of the level that is at stake (a change of a third is
        about .3), 1 for what no report may leave out; 0 for what was tested and is not told.
    p_value
        Chance of seeing as much where nothing is behind it, before allowing for the number of
        candidates; 0 for a plain count that needs no test; missing for a sentence that says that
        nothing was found, which comes last.
    kpi
        The KPI it is about, if one.
    is_assumed
        Whether it rests on something nobody has measured: then it is no evidence, however it is
        counted.
    """

    text: str
    why: str
    anchor: str
    effect: float
    p_value: float
    kpi: str = ""
    is_assumed: bool = False


@runtime_checkable
class Offering(Protocol):
    """A result that offers findings."""

    def candidates(self) -> tuple[Candidate, ...]:
        """List all that was tested, in any order: what came out quiet counts as a test too."""
