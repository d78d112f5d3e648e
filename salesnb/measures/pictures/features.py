"""What is known of an open opportunity on a day, as data: nothing of who works it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Feature:
    """One thing known of an opportunity on a day.

    Attributes
    ----------
    name, label
        Column, and what a reader calls it.
    kind
        `number`, `flag` (0 or 1) or `text`.
    is_of_today
        Whether the CRM keeps only its value of today, which past days are given too.
    """

    name: str
    label: str
    kind: Literal["number", "flag", "text"] = "number"
    is_of_today: bool = False


FEATURES: tuple[Feature, ...] = (
    Feature("stage", "stage", "text"),
    Feature("stage_days", "days in the stage"),
    Feature("n_stages", "stages entered"),
    Feature("n_back", "steps back"),
    Feature("age_days", "age in days"),
    Feature("log_amount", "amount"),
    Feature("amount_drift", "change of the amount since first seen"),
    Feature("due_days", "days to the expected close"),
    Feature("is_overdue", "expected close has passed", "flag"),
    Feature("n_postponed", "times postponed"),
    Feature("touches_30", "activities in 30 days"),
    Feature("n_meetings", "meetings held"),
    Feature("untouched_days", "days without an answered touch"),
    Feature("n_kinds", "kinds of answered touches"),
    Feature("quarter_days_left", "days left of the quarter"),
    Feature("is_customer", "account has bought before", "flag"),
    Feature("source", "lead source", "text", is_of_today=True),
    Feature("type", "type", "text", is_of_today=True),
    Feature("industry", "industry", "text", is_of_today=True),
    Feature("product_id", "product", "text", is_of_today=True),
)
"""All of them. Rep, team and manager are left out: a chance is of the opportunity, and who works
it must not be judged by it."""


def find_feature(name: str) -> Feature:
    """Find a feature; a column of the user's own is called by its name."""
    return next((known for known in FEATURES if known.name == name), Feature(name, name))
