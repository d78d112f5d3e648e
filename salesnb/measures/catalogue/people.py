"""KPIs of people: ramp and skills."""

from __future__ import annotations

import narwhals as nw

from salesnb.measures.catalogue.columns import DAY, GAP, HAS_RAMPED, RAMP_DAYS, WEIGHT
from salesnb.measures.catalogue.kpi import ONE, Kpi, Part
from salesnb.schema import opportunities, ratings, reps, skills, targets

_ramp = nw.col(RAMP_DAYS)

RAMP = Kpi(
    "ramp_days", "Ramp",
    "median days from hiring to the first three months with bookings at their full quota or more "
    "(Kaplan-Meier)",
    "hired in the quarter", "plain", "days", "down",
    Part("ramps", DAY, _ramp), Part("ramps", DAY, nw.when(~_ramp.is_null()).then(ONE)),
    (reps.hired_on, opportunities.closed_on, opportunities.is_won, opportunities.is_closed,
     opportunities.amount, targets.target),
    "who left or is not there yet counts as taking longer; a quarter's quota is a third a month; "
    "missing while fewer than half are there",
    moment=Part("ramps", DAY, _ramp), survival_of=Part("ramps", DAY, _ramp),
    ended=nw.col(HAS_RAMPED), window=8, is_headline=False,
    importance=0.4,
)  # fmt: skip
SKILL_GAP = Kpi(
    "skill_gap", "Skill gap", "sum of weight x (target - score) / sum of weights",
    "rated in the quarter", "plain", "points", "down",
    Part("skill_gaps", DAY, nw.col(GAP)), Part("skill_gaps", DAY, nw.col(WEIGHT)),
    (ratings.score, ratings.rated_on, skills.target),
    "mean of each skill's raters, at least two; how strictly raters score is not taken out",
    moment=Part("skill_gaps", DAY, nw.col(GAP)), is_headline=False,
    importance=0.4,
)  # fmt: skip
