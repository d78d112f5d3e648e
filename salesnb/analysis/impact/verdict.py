"""From estimates and checks to a verdict in words: worked, moved the wrong way, and others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from salesnb.analysis.impact.effect import Effect
from salesnb.analysis.impact.programmes import FEWEST_PEOPLE
from salesnb.language import tr

Word = Literal["worked", "moved the wrong way", "no effect found", "cannot tell"]
TOLD: tuple[Word, ...] = ("worked", "moved the wrong way")
"""Verdicts that claim a change."""

LEAST_OVERLAP = 0.5
"""Share of the trained who must have had a usual level before."""
LARGEST_BLIND = 1.0
"""Smallest effect that could be seen, in standard deviations, above which not having seen one
says nothing."""
SURE, BOUND = 0.95, 0.9
FAILED = 0.025
"""p-value below which a pre-trend or a placebo fails; there are two, so one in twenty fails by
chance."""


@dataclass(frozen=True)
class Check:
    """Something that must hold for the comparison to mean anything.

    Attributes
    ----------
    name, text
        What is checked; what came out, in one sentence.
    is_passed
        None where it could not be checked.
    """

    name: str
    text: str
    is_passed: bool | None


@dataclass(frozen=True)
class Verdict:
    """The verdict, with its reason as a sentence."""

    word: Word
    why: str


def decide(
    effect: Effect, bound: Effect | None, checks: tuple[Check, ...], *, spread: float, sign: float,
    permutation_p: float = np.nan, is_of_teams: bool = False,
) -> Verdict:  # fmt: skip
    """Decide what may be said.

    Parameters
    ----------
    effect
        The estimate by the design.
    bound
        The lagged-outcome estimate where people were chosen; None where the design needs none.
    checks
        What must hold; one that failed allows no verdict.
    spread
        Standard deviation of people's quarterly outcomes.
    sign
        1 where more is better, -1 where less is.
    permutation_p
        p-value of a small lottery drawn again; missing for others.
    is_of_teams
        Whether teams are compared: one trained team is enough then.
    """
    if not effect.is_known:
        return Verdict("cannot tell", tr("There are too few people or quarters to compare."))
    fewest = min(effect.n_trained, effect.n_compared)
    if not is_of_teams and fewest < FEWEST_PEOPLE:
        few = tr("One side of the comparison has only {n} people.", n=fewest)
        return Verdict("cannot tell", few)
    failed = [check.text for check in checks if check.is_passed is False]
    if failed:
        return Verdict("cannot tell", " ".join(failed))
    is_chance = permutation_p >= 1 - SURE
    is_better, is_worse = (_is_above(effect, SURE, way) for way in (sign, -sign))
    if (is_better or is_worse) and not is_chance:
        return _confirm(bound, sign) if is_better else _confirm_harm(bound, sign)
    if effect.smallest_seen > LARGEST_BLIND * spread:
        return Verdict(
            "cannot tell",
            tr(
                "The comparison is too small: only an effect larger than one standard deviation "
                "of people's quarters would have been seen."
            ),
        )
    return Verdict(
        "no effect found",
        tr("Drawing the lots again gives as large a difference too often.")
        if is_better or is_worse else tr("The 95% interval holds zero."),
    )  # fmt: skip


def _confirm(bound: Effect | None, sign: float) -> Verdict:
    """Say that it worked where the second way of looking agrees."""
    if bound is None:
        return Verdict("worked", tr("The 95% interval lies wholly on the better side of zero."))
    if bound.is_known and _is_above(bound, BOUND, sign):
        return Verdict("worked", tr("Both ways of comparing find an effect beyond chance."))
    return Verdict(
        "cannot tell",
        tr(
            "The change beside colleagues suggests an effect, but people with the same results "
            "before did as well without the training."
        ),
    )


def _confirm_harm(bound: Effect | None, sign: float) -> Verdict:
    """Say that the figure got worse where the second way of looking agrees."""
    if bound is None:
        return Verdict(
            "moved the wrong way", tr("The 95% interval lies wholly on the worse side of zero.")
        )
    if bound.is_known and _is_above(bound, BOUND, -sign):
        return Verdict("moved the wrong way", tr("Both ways of comparing find harm beyond chance."))
    return Verdict(
        "cannot tell",
        tr(
            "The change beside colleagues suggests harm, but people with the same results before "
            "did as badly without the training."
        ),
    )


def _is_above(effect: Effect, level: float, sign: float) -> bool:
    low, high = effect.interval(level)
    return low > 0 if sign > 0 else high < 0
