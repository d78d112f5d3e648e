"""What a KPI is: sums that are divided, and how the figure is made of them.

A `Kpi` divides one sum by another. Each sum is a `Part`: an expression over one fact, dated by
one column, added up per rep, team and fiscal quarter. Sums add up, so a team's figure is the sum
of its members' numerators over the sum of their denominators, never a mean of rates. What is no
ratio of sums (medians, times of which some have not ended, the largest few) is made of a few
counted values that are kept beside the sums, and rolls up as exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import narwhals as nw

from salesnb.schema import Column

Family = Literal["rate", "count", "log_mean", "total", "attainment", "plain"]
Unit = Literal["money", "share", "days", "minutes", "count", "ratio", "points"]
Direction = Literal["up", "down", "neutral"]
Fact = Literal[
    "opportunities", "amounts", "won", "leads", "qualified_leads", "responses", "activities",
    "rep_days", "quotas", "due", "pictures", "forecasts", "open", "stalled", "stages", "spend",
    "expected", "attained", "ramps", "skill_gaps", "target_accounts",
]  # fmt: skip
"""What is added up. `amounts` are opportunities with their amounts converted, `won` those won;
`open` is what was open at the end of a quarter; `docs/kpis.md` says the rest."""


@dataclass(frozen=True)
class Part:
    """One sum: `value` over the rows of `fact`, dated by `on`; missing values are not counted."""

    fact: Fact
    on: str
    value: nw.Expr


@dataclass(frozen=True)
class Kpi:
    """One KPI.

    Attributes
    ----------
    kpi, label
        Identifier and name in reports.
    formula, cohort, caveat
        In words, for the reader; `{maturity_days}` and other settings of the company are filled
        in, in the label too.
    family
        How it is estimated: `rate` (wins of trials), `count` (events per exposure), `log_mean`
        (mean on logs), `total` (a sum), `attainment` (a sum over a fixed amount). `plain` has no
        honest error model: it is shown as it is, and nobody is compared by it.
    unit, direction, scale
        `scale` multiplies the ratio; `direction` says which way is better.
    numerator, denominator
        The sums. For `count` and `total` without a ratio the denominator is the exposure.
    moment
        Value whose count, sum and sum of squares are kept, for its variance.
    median_of
        Value whose median is shown in place of the mean.
    survival_of, ended
        A time whose median is shown, and whether it has ended: what has not counts as long as it
        has lasted (Kaplan-Meier).
    top_of
        Value whose three largest are the numerator.
    times, over
        Ids of KPIs whose figures, at the same level, the numerator is multiplied and divided by.
    needs, needs_lost_amounts
        Columns a snapshot must have; whether half of the lost must have an amount.
    matures
        Whether a cohort is shown only once all of it is old enough.
    window
        Quarters over which units are estimated.
    importance
        Weight of a finding about it beside findings about others, 0-1: results before activity.
    gate
        KPI that must differ too before a difference in this one is claimed.
    is_ratio
        Whether the figure is numerator / denominator; else it is the numerator.
    needs_denominator
        Whether a rep's quarter counts only where it has a denominator.
    is_stock
        Whether it is a state on a day: of several quarters the last one's sums count.
    is_headline
        Whether reports show it that select no KPIs of their own.
    weight, target
        Its weight in a composite beside the others', and the value to reach, as a batch's
        parameters set them.
    """

    kpi: str
    label: str
    formula: str
    cohort: str
    family: Family
    unit: Unit
    direction: Direction
    numerator: Part
    denominator: Part
    needs: tuple[Column, ...]
    caveat: str
    needs_lost_amounts: bool = False
    moment: Part | None = None
    median_of: Part | None = None
    survival_of: Part | None = None
    ended: nw.Expr | None = None
    top_of: Part | None = None
    times: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    scale: float = 1.0
    matures: bool = False
    is_ratio: bool = True
    needs_denominator: bool = False
    is_stock: bool = False
    window: int = 4
    importance: float = 1.0
    gate: str | None = None
    is_headline: bool = True
    weight: float = 1.0
    target: float | None = None

    @property
    def is_estimated(self) -> bool:
        """Whether reports show the estimate; totals are shown as they were added up."""
        return self.family in ("rate", "log_mean") or (self.family == "count" and self.is_ratio)

    @property
    def is_comparable(self) -> bool:
        """Whether an error model allows to tell people apart by it."""
        return self.family != "plain" and self.direction != "neutral"

    @property
    def kept_of(self) -> Part | None:
        """The value of which counted values are kept."""
        return self.median_of or self.survival_of or self.top_of

    @property
    def parts(self) -> tuple[Part, ...]:
        """All sums and values it is made of itself."""
        parts = (self.numerator, self.denominator, self.moment, self.kept_of)
        return tuple(part for part in parts if part is not None)

    @property
    def factors(self) -> tuple[str, ...]:
        """The KPIs it is made of besides its own sums."""
        return (*self.times, *self.over)


def flag(condition: nw.Expr) -> nw.Expr:
    """Count 1 where a condition holds, else 0."""
    return nw.when(condition).then(nw.lit(1.0)).otherwise(nw.lit(0.0))


ONE = nw.lit(1.0)
"""Each row counts once. What several sums are made of is one object: it is added up once."""
