"""The KPI catalogue: what is measured, as data.

A `Kpi` divides one sum by another. Each sum is a `Part`: an expression over one fact, dated by
one column, added up per rep, team and fiscal quarter. Sums add up, so a team's figure is the sum
of its members' numerators over the sum of their denominators, never a mean of rates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import narwhals as nw

from salesnb.errors import ParameterError
from salesnb.schema import Column, activities, leads, opportunities, targets

Family = Literal["rate", "count", "log_mean", "total", "attainment"]
Unit = Literal["money", "share", "days", "count", "ratio"]
Direction = Literal["up", "down", "neutral"]
Fact = Literal[
    "opportunities", "amounts", "won", "leads", "activities", "rep_days", "quotas", "due"
]  # fmt: skip
"""What is added up. `amounts` are opportunities with their amounts converted, `won` those won."""

# Columns that `facts` adds to the tables of the schema.
IS_WON = "is_won_by_as_of"
IS_LOST = "is_lost_by_as_of"
AMOUNT = "amount_converted"
CYCLE = "days_to_close"
IS_VALID = "is_valid_lead"
LEAD_WON = "became_won"
IS_CALL = "is_connected_call"
IS_MEETING = "is_held_meeting"
WORKING_DAYS = "working_days"
ACTIVE_SHARE = "active_share"
QUOTA = "prorated_quota"
DUE = "open_amount_due"
BOOKED = "booked_before"
DAY = "day"


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
        In words, for the reader.
    family
        How it is estimated: `rate` (wins of trials), `count` (events per exposure), `log_mean`
        (mean on logs), `total` (a sum), `attainment` (a sum over a fixed amount).
    unit, direction, scale
        `scale` multiplies the ratio; `direction` says which way is better.
    numerator, denominator
        The sums. For `count` and `total` without a ratio the denominator is the exposure.
    moment
        Value whose count, sum and sum of squares are kept, for its variance.
    median_of
        Value whose median is shown in place of the mean.
    needs
        Columns a snapshot must have.
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
    moment: Part | None = None
    median_of: Part | None = None
    scale: float = 1.0
    matures: bool = False
    is_ratio: bool = True
    window: int = 4
    importance: float = 1.0
    gate: str | None = None

    @property
    def is_estimated(self) -> bool:
        """Whether reports show the estimate; totals are shown as they were added up."""
        return self.family in ("rate", "log_mean") or (self.family == "count" and self.is_ratio)


def _closed(value: nw.Expr) -> Part:
    return Part("opportunities", opportunities.closed_on, value)


def _booked(value: nw.Expr) -> Part:
    return Part("won", opportunities.closed_on, value)


def _created(value: nw.Expr) -> Part:
    return Part("opportunities", opportunities.created_on, value)


def _lead(value: nw.Expr) -> Part:
    return Part("leads", leads.created_at, value)


def _activity(value: nw.Expr) -> Part:
    return Part("activities", activities.started_at, value)


def _qualified(value: nw.Expr) -> Part:
    return Part("amounts", opportunities.qualified_on, value)


def _flag(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1.0)).otherwise(nw.lit(0.0))


# What several sums are made of is one object: it is added up once.
_one = nw.lit(1.0)
_won = nw.col(IS_WON)
_is_decided = _won | nw.col(IS_LOST)
_amount, _days = nw.col(AMOUNT), nw.col(CYCLE)
_is_valid = _flag(nw.col(IS_VALID))
_calls = _flag(nw.col(IS_CALL))
_due = nw.col(DUE)
_active = Part("rep_days", DAY, nw.col(ACTIVE_SHARE))
_quota = Part("quotas", DAY, nw.col(QUOTA))
_closing = (opportunities.closed_on, opportunities.is_won, opportunities.is_closed)

CATALOGUE: tuple[Kpi, ...] = (
    Kpi(
        "bookings", "Bookings", "sum of won amounts", "closed in the quarter",
        "total", "money", "up",
        _booked(_amount), _active, (*_closing, opportunities.amount),
        "one large opportunity can make a quarter",
        moment=_booked(_amount), is_ratio=False,
        importance=0.3,
    ),
    Kpi(
        "quota_attainment", "Quota attainment", "bookings / prorated quota",
        "closed in the quarter", "attainment", "share", "up",
        _booked(_amount), _quota, (*_closing, opportunities.amount, targets.target),
        "only as fair as the quotas; ramp and leave shorten a quota",
        moment=_booked(_amount),
    ),
    Kpi(
        "win_rate", "Win rate", "won / (won + lost)", "closed in the quarter",
        "rate", "share", "up",
        _closed(_flag(_won)), _closed(nw.when(_is_decided).then(_one)), _closing,
        "open opportunities are left out; see close rate beside it",
    ),
    Kpi(
        "close_rate", "Close rate", "won / all created", "created in the quarter, matured",
        "rate", "share", "up",
        _created(_flag(_won)), _created(_one), (opportunities.created_on, *_closing),
        "known late; falls with what is left open, so people are told apart only where their "
        "win rates differ too",
        matures=True, gate="win_rate",
        importance=0.8,
    ),
    Kpi(
        "deal_size", "Deal size", "bookings / opportunities won", "won in the quarter",
        "log_mean", "money", "up",
        _booked(_amount), _booked(nw.when(~_amount.is_null()).then(_one)),
        (*_closing, opportunities.amount),
        "skewed: people are compared on the typical (geometric mean) size",
        moment=_booked(_amount.log()),
        importance=0.7,
    ),
    Kpi(
        "cycle_days", "Sales cycle", "median days from created to won", "won in the quarter",
        "log_mean", "days", "down",
        _booked(_days), _booked(nw.when(~_days.is_null()).then(_one)),
        (opportunities.created_on, *_closing),
        "counts only what was won: slow opportunities still open are missing",
        moment=_booked(
            nw.when(_days >= 1).then(_days.log())
            .when(~_days.is_null()).then(nw.lit(math.log(0.5)))
        ),
        median_of=_closed(nw.when(_won).then(_days)),
        importance=0.7,
    ),
    Kpi(
        "pipeline_created", "Pipeline created", "sum of amounts first qualified",
        "qualified in the quarter", "total", "money", "up",
        _qualified(_amount), _active,
        (opportunities.qualified_on, opportunities.amount),
        "what has closed since is kept; amounts are today's",
        moment=_qualified(_amount), is_ratio=False,
        importance=0.7,
    ),
    Kpi(
        "pipeline_coverage", "Pipeline coverage",
        "open amount due in the quarter / (quota - bookings so far)",
        "first day of the quarter, or today when it runs", "attainment", "ratio", "up",
        Part("due", DAY, _due), Part("due", DAY, nw.col(QUOTA) - nw.col(BOOKED)),
        (opportunities.expected_close_on, opportunities.amount, targets.target),
        "blank once the quota is met; says nothing about quality",
        moment=Part("due", DAY, _due), window=1,
        importance=0.7,
    ),
    Kpi(
        "leads", "Leads", "distinct valid leads", "created in the quarter",
        "count", "count", "up",
        _lead(_is_valid), _active, (leads.created_at,),
        "duplicates and invalid leads are left out; routing decides who gets them",
        is_ratio=False,
    ),
    Kpi(
        "lead_to_won", "Lead to won", "valid leads that became a won opportunity / valid leads",
        "created in the quarter, matured", "rate", "share", "up",
        _lead(_flag(nw.col(IS_VALID) & nw.col(LEAD_WON))), _lead(_is_valid),
        (leads.created_at, leads.converted_opportunity_id),
        "known late; mixes lead quality with selling",
        matures=True,
        importance=0.7,
    ),
    Kpi(
        "connected_calls", "Connected calls a day", "connected calls / working days",
        "started in the quarter", "count", "ratio", "neutral",
        _activity(_calls), Part("rep_days", DAY, nw.col(WORKING_DAYS)),
        (activities.started_at, activities.kind),
        "easy to inflate: read it with meetings per 100 calls",
        importance=0.3,
    ),
    Kpi(
        "meetings_per_100", "Meetings per 100 calls", "meetings held / connected calls x 100",
        "started in the quarter", "count", "ratio", "up",
        _activity(_flag(nw.col(IS_MEETING))), _activity(_calls),
        (activities.started_at, activities.kind),
        "depends on the mix of new and existing customers",
        scale=100.0,
        importance=0.5,
    ),
)  # fmt: skip
"""Every KPI, in the order reports show them."""


def find_kpis(names: tuple[str, ...] | None = None) -> tuple[Kpi, ...]:
    """Find KPIs by id, in catalogue order; all of them for None.

    Raises
    ------
    ParameterError
        A name is not in the catalogue.
    """
    known = {kpi.kpi: kpi for kpi in CATALOGUE}
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise ParameterError(f"kpis: unknown {', '.join(unknown)}. Known: {', '.join(known)}.")
    return tuple(kpi for kpi in CATALOGUE if names is None or kpi.kpi in names)
