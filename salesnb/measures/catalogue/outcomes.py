"""KPIs of what was won, lost and sold."""

from __future__ import annotations

import math

import narwhals as nw

from salesnb.measures.catalogue.columns import (
    ACTIVE_SHARE,
    AMOUNT,
    BOOKED,
    CYCLE,
    DAY,
    DUE,
    EXPECTED,
    IS_ATTAINED,
    IS_LOST,
    IS_QUALIFIED,
    IS_RAMPED,
    IS_UNDECIDED,
    IS_WON,
    LIST_AMOUNT,
    QUOTA,
    WON_IN_TIME,
)
from salesnb.measures.catalogue.kpi import ONE, Kpi, Part, flag
from salesnb.schema import opportunities, targets, territories


def _closed(value: nw.Expr) -> Part:
    return Part("opportunities", opportunities.closed_on, value)


def _closed_amount(value: nw.Expr) -> Part:
    return Part("amounts", opportunities.closed_on, value)


def _booked(value: nw.Expr) -> Part:
    return Part("won", opportunities.closed_on, value)


def _created(value: nw.Expr) -> Part:
    return Part("opportunities", opportunities.created_on, value)


def _qualified(value: nw.Expr) -> Part:
    return Part("amounts", opportunities.qualified_on, value)


_won = nw.col(IS_WON)
_is_decided = _won | nw.col(IS_LOST)
_decided = nw.when(_is_decided).then(ONE)
_amount, _days = nw.col(AMOUNT), nw.col(CYCLE)
_has_amount = nw.when(~_amount.is_null()).then(ONE)
_decided_amount = nw.when(_is_decided).then(_amount)
_list = nw.col(LIST_AMOUNT)
_discount = _list - _amount
_ramped = flag(nw.col(IS_RAMPED))
_open = flag(nw.col(IS_QUALIFIED))
_active = Part("rep_days", DAY, nw.col(ACTIVE_SHARE))
_quota = Part("quotas", DAY, nw.col(QUOTA))
_closing = (opportunities.closed_on, opportunities.is_won, opportunities.is_closed)
_booking = (*_closing, opportunities.amount)

BOOKINGS = Kpi(
    "bookings", "Bookings", "sum of won amounts", "closed in the quarter",
    "total", "money", "up",
    _booked(_amount), _active, _booking,
    "one large opportunity can make a quarter",
    moment=_booked(_amount), is_ratio=False,
    importance=0.3,
)  # fmt: skip
QUOTA_ATTAINMENT = Kpi(
    "quota_attainment", "Quota attainment", "bookings / prorated quota",
    "closed in the quarter", "attainment", "share", "up",
    _booked(_amount), _quota, (*_booking, targets.target),
    "only as fair as the quotas; ramp and leave shorten a quota",
    moment=_booked(_amount),
)  # fmt: skip
ADJUSTED_ATTAINMENT = Kpi(
    "adjusted_attainment", "Attainment of potential",
    "bookings / (the company's bookings of the quarter, shared out by territory potential and "
    "ramped time)",
    "closed in the quarter, by reps with a territory of known potential", "attainment", "ratio",
    "up",
    _booked(_amount), Part("expected", DAY, nw.col(EXPECTED)),
    (*_booking, territories.rep_id, territories.potential),
    "1 is as the company; territories count as they are now, and bookings are taken to grow as "
    "potential does: adjusted_performance tests that. Read it beside bookings",
    moment=_booked(_amount), needs_denominator=True, is_headline=False,
    importance=0.8,
)  # fmt: skip
QUOTA_PARTICIPATION = Kpi(
    "quota_participation", "Quota participation",
    "ramped reps at 100% of their prorated quota or more / ramped reps with a quota",
    "closed in the quarter; each rep once, in the team of most of the quota",
    "rate", "share", "up",
    Part("attained", DAY, flag(nw.col(IS_RAMPED) & nw.col(IS_ATTAINED))),
    Part("attained", DAY, _ramped), (*_booking, targets.target),
    "a cliff: 99% of quota counts as much as none",
    is_headline=False,
    importance=0.5,
)  # fmt: skip
WIN_RATE = Kpi(
    "win_rate", "Win rate", "won / (won + lost)", "closed in the quarter",
    "rate", "share", "up",
    _closed(flag(_won)), _closed(_decided), _closing,
    "open opportunities are left out; see close rate beside it",
)  # fmt: skip
WIN_RATE_VALUE = Kpi(
    "win_rate_value", "Win rate by value", "won amount / (won + lost amount)",
    "closed in the quarter", "plain", "share", "up",
    _closed_amount(nw.when(_won).then(_amount)), _closed_amount(_decided_amount), _booking,
    "one large opportunity decides it; what has no amount is left out, and where most of the lost "
    "have none it is undefined",
    moment=_closed_amount(_decided_amount), needs_lost_amounts=True, is_headline=False,
    importance=0.5,
)  # fmt: skip
CLOSE_RATE = Kpi(
    "close_rate", "Close rate", "won / all created", "created in the quarter, matured",
    "rate", "share", "up",
    _created(flag(_won)), _created(ONE), (opportunities.created_on, *_closing),
    "known late; falls with what is left open, so people are told apart only where their "
    "win rates differ too",
    matures=True, gate="win_rate",
    importance=0.8,
)  # fmt: skip
WON_WITHIN_T = Kpi(
    "won_within_T", "Won within {maturity_days} days",
    "won within {maturity_days} days of being created / all created",
    "created in the quarter, all of them at least {maturity_days} days ago",
    "rate", "share", "up",
    _created(flag(nw.col(WON_IN_TIME))), _created(ONE), (opportunities.created_on, *_closing),
    "with the whole cohort old enough nothing is censored before that day, so this is the "
    "cumulative incidence of winning with losing as its rival; slower wins do not count",
    matures=True, gate="win_rate", is_headline=False,
    importance=0.7,
)  # fmt: skip
NO_DECISION_RATE = Kpi(
    "no_decision_rate", "Lost without a decision",
    "lost for a reason that means no decision / (won + lost)", "closed in the quarter",
    "rate", "share", "down",
    _closed(flag(nw.col(IS_UNDECIDED))), _closed(_decided), (*_closing, opportunities.loss_reason),
    "as good as the coding of reasons: those that count are the company's "
    "`no_decision_reasons`, and a loss without a reason does not count",
    is_headline=False,
    importance=0.6,
)  # fmt: skip
DEAL_SIZE = Kpi(
    "deal_size", "Deal size", "bookings / opportunities won", "won in the quarter",
    "log_mean", "money", "up",
    _booked(_amount), _booked(_has_amount), _booking,
    "skewed: people are compared on the typical (geometric mean) size",
    moment=_booked(_amount.log()),
    importance=0.7,
)  # fmt: skip
CYCLE_DAYS = Kpi(
    "cycle_days", "Sales cycle", "median days from created to won", "won in the quarter",
    "log_mean", "days", "down",
    _booked(_days), _booked(nw.when(~_days.is_null()).then(ONE)),
    (opportunities.created_on, *_closing),
    "counts only what was won: slow opportunities still open are missing",
    moment=_booked(
        nw.when(_days >= 1).then(_days.log())
        .when(~_days.is_null()).then(nw.lit(math.log(0.5)))
    ),
    median_of=_closed(nw.when(_won).then(_days)),
    importance=0.7,
)  # fmt: skip
SALES_VELOCITY = Kpi(
    "sales_velocity", "Sales velocity a day",
    "open qualified opportunities x win rate x deal size / sales cycle",
    "open on the quarter's last day, or today when it runs; the other figures of the same "
    "quarters", "plain", "money", "up",
    Part("open", DAY, _open), Part("open", DAY, _open),
    (*_booking, opportunities.created_on, opportunities.qualified_on),
    "a product of four figures, made anew at each level: velocities do not add up",
    moment=Part("open", DAY, nw.when(nw.col(IS_QUALIFIED)).then(ONE)), is_ratio=False,
    times=("win_rate", "deal_size"), over=("cycle_days",), is_stock=True, is_headline=False,
    importance=0.5,
)  # fmt: skip
DISCOUNT_RATE = Kpi(
    "discount_rate", "Discount", "1 - amount / amount at list price", "won in the quarter",
    "plain", "share", "down",
    _booked(_discount), _booked(_list), (*_booking, opportunities.list_amount),
    "as good as the list prices; weighs by value, so large opportunities count most",
    moment=_booked(_discount), is_headline=False,
    importance=0.5,
)  # fmt: skip
CONCENTRATION = Kpi(
    "concentration", "Concentration", "three largest won amounts / bookings",
    "closed in the quarter", "plain", "share", "down",
    _booked(_amount), _booked(_amount), _booking,
    "1 wherever no more than three were won; falls with the number won, so a team's is below "
    "its members'",
    moment=_booked(_amount), top_of=_booked(_amount), is_headline=False,
    importance=0.4,
)  # fmt: skip
PIPELINE_CREATED = Kpi(
    "pipeline_created", "Pipeline created", "sum of amounts first qualified",
    "qualified in the quarter", "total", "money", "up",
    _qualified(_amount), _active,
    (opportunities.qualified_on, opportunities.amount),
    "what has closed since is kept; amounts are today's",
    moment=_qualified(_amount), is_ratio=False,
    importance=0.7,
)  # fmt: skip
PIPELINE_COVERAGE = Kpi(
    "pipeline_coverage", "Pipeline coverage",
    "open amount due in the quarter / (quota - bookings so far)",
    "first day of the quarter, or today when it runs", "attainment", "ratio", "up",
    Part("due", DAY, nw.col(DUE)), Part("due", DAY, nw.col(QUOTA) - nw.col(BOOKED)),
    (opportunities.expected_close_on, opportunities.amount, targets.target),
    "blank once the quota is met; says nothing about quality",
    moment=Part("due", DAY, nw.col(DUE)), window=1,
    importance=0.7,
)  # fmt: skip
