"""How chances are said: in words beside a target, and how right past ones were."""

from __future__ import annotations

from typing import Literal

import numpy as np

from salesnb.analysis.outlook.calibration import Calibration
from salesnb.analysis.wording import count_things
from salesnb.language import format_number, format_share, mark, tr

ChanceWord = Literal["unlikely", "open", "likely"]
MISSED = mark("{unit} missed its {quarter} target of {target}: {booked} booked, {apart} short.")
HIT = mark("{unit} hit its {quarter} target of {target}: {booked} booked, {apart} over.")
LIKELY: dict[ChanceWord, str] = {
    "unlikely": mark(
        "{unit} is unlikely to hit its {quarter} target of {target} (chance {chance}): {booked} "
        "booked, likely end {low} to {high}."
    ),
    "open": mark(
        "{unit} may hit its {quarter} target of {target} (chance {chance}): {booked} booked, "
        "likely end {low} to {high}."
    ),
    "likely": mark(
        "{unit} is likely to hit its {quarter} target of {target} (chance {chance}): {booked} "
        "booked, likely end {low} to {high}."
    ),
}


def format_chance(p: float) -> str:
    """Write a chance; never as certain before it is.

    >>> format_chance(0.999), format_chance(0.42), format_chance(1.0)
    ('over 99%', '42%', '100%')
    """
    if np.isnan(p):
        return "–"
    if 0 < p < 0.01:
        return tr("under {share}", share=format_share(0.01))
    return tr("over {share}", share=format_share(0.99)) if 0.99 < p < 1 else format_share(p)


def judge_chance(p: float) -> ChanceWord:
    """Judge a chance to hit a target.

    >>> [judge_chance(p) for p in (0.1, 0.5, 0.9)]
    ['unlikely', 'open', 'likely']
    """
    said: ChanceWord = "unlikely" if p <= 0.1 else "open"
    return "likely" if p >= 0.9 else said


def count_points(error: float) -> str:
    """Write by how much chances were off, at least one point."""
    return count_things(max(round(error * 100), 1), "point", "points")


def describe_calibration(found: Calibration) -> str:
    """Say how right past chances of a level were, or that there are too few to tell."""
    who = {"rep": tr("reps"), "team": tr("teams")}.get(found.level, tr("the company"))
    if not found.n:
        return tr("No past chance of {who} could be checked.", who=who)
    n = format_number(found.n)
    if not found.is_enough:
        return tr(
            "{n} past chances of {who} in {n_quarters} quarters are too few to judge them by.",
            n=n, who=who, n_quarters=found.n_quarters,
        )  # fmt: skip
    return tr(
        "{n} past chances of {who} in {n_quarters} quarters were off by {points} on average "
        "(Brier score {brier}; a straight line has {brier_straight}), and {coverage} of ends lay "
        "in their 90% interval; chances are corrected by this.",
        n=n,
        who=who,
        n_quarters=found.n_quarters,
        points=count_points(found.error),
        brier=format_number(found.brier, 2, group=False),
        brier_straight=format_number(found.brier_straight, 2, group=False),
        coverage=format_share(found.coverage),
    )
