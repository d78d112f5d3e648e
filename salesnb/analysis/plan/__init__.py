"""Who should take which course: what seats are expected to bring, within all limits.

`outcomes`, `ridge`, `positive` and `importance` learn what a point of each skill is worth;
`effects` says how far courses lift their skill, `money` and `offers` value every course for
everybody; `limits`, `assign`, `greedy`, `conflicts` and `bounds` choose within seats, hours, budget
and fairness; `sessions` dates them; `reasons` says why somebody got none; `result` holds the answer
and words it.
"""

from salesnb.analysis.plan.effects import course_effects
from salesnb.analysis.plan.importance import (
    IMPORTANCE_ANCHOR,
    SkillImportance,
    skill_importance,
)
from salesnb.analysis.plan.limits import PlanLimits
from salesnb.analysis.plan.plan import training_plan
from salesnb.analysis.plan.result import PLAN_ANCHOR, TrainingPlan

__all__ = [
    "IMPORTANCE_ANCHOR",
    "PLAN_ANCHOR",
    "PlanLimits",
    "SkillImportance",
    "TrainingPlan",
    "course_effects",
    "skill_importance",
    "training_plan",
]
