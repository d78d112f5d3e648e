"""The words of an impact: who was compared, what must hold, why naive figures are off."""

from __future__ import annotations

import numpy as np
import pandas as pd

from salesnb.analysis.impact.effect import Effect
from salesnb.analysis.impact.naive import (
    AGAINST_OTHERS,
    PRE_POST,
    head_start,
    others_change,
    weak_spell,
)
from salesnb.analysis.impact.result import TrainingImpact
from salesnb.analysis.impact.study import Comparison
from salesnb.analysis.impact.successive import Joint
from salesnb.analysis.impact.verdict import FAILED, LEAST_OVERLAP, Check
from salesnb.analysis.wording import count_things
from salesnb.language import format_share, mark, tr

METHODS = {
    "lottery": mark("Against those who waited"),
    "chosen": mark("Change beside the untrained"),
    "team": mark("Change beside other teams"),
    "staggered": mark("Change beside those not trained yet"),
}
BOUND_METHOD = mark("Against people alike in results before")
_FAILED_LOTTERY = 0.005
"""p-value of the winners' head start below which a lottery was none."""


def describe_design(joint: Joint, *, rule: str, n_assigned: int) -> str:
    """Say in words who was compared with whom."""
    ours, theirs = joint.effect.n_trained, joint.effect.n_compared
    how = (
        tr("Chosen by: {rule}.", rule=rule)
        if rule
        else tr("How people were chosen is not recorded.")
    )
    missing = int(n_assigned) - ours
    if not joint.effect.is_known:
        return tr("{how} Nothing can be compared yet.", how=how)
    if joint.design == "team":
        return tr(
            "{how} {whole_teams} against {theirs} others, each as one figure: what happens to a "
            "team happens to all in it.",
            how=how,
            whole_teams=count_things(ours, "whole team", "whole teams"),
            theirs=theirs,
        )
    left = (
        tr(" {missing} of those assigned are not known on both sides.", missing=missing)
        if missing > 0
        else ""
    )
    if joint.design == "lottery":
        return tr(
            "Places were drawn by lot: {ours} drawn first are compared with {theirs} who waited, "
            "given their results before.{left}",
            ours=ours,
            theirs=theirs,
            left=left,
        )
    if joint.design == "staggered":
        return tr(
            "{how} Groups were trained one after another ({ours} people): each is compared with "
            "those not trained by then.",
            how=how,
            ours=ours,
        )
    return tr(
        "{how} {ours} trained are compared with {theirs} who were not. The quarters they may have "
        "been chosen by are left out; equal times before and after, as far from them, are "
        "compared.{left}",
        how=how,
        ours=ours,
        theirs=theirs,
        left=left,
    )


def list_checks(joint: Joint | Comparison) -> tuple[Check, ...]:
    """Check what the design rests on."""
    if joint.design == "lottery":
        return (_check_draw(joint.placebo),)
    checks = [_check_placebo(joint.placebo)]
    if joint.design != "team":
        checks = [_check_overlap(joint.overlap), _check_trend(joint.pre_trend), *checks]
    return tuple(checks)


def explain_naive(impact: TrainingImpact, first: Comparison) -> pd.DataFrame:
    """Write beside each naive figure what it counts as training that is none."""
    change, spell, start = others_change(first), weak_spell(first), head_start(first)
    pre_post = tr("Counts what would have happened anyway.")
    if np.isfinite(change):
        pre_post = tr(
            "Counts what happened to all: the untrained changed by {change} by themselves.",
            change=impact.write(change),
        )
    if np.isfinite(spell) and abs(spell) > 0.2 * impact.spread:
        pre_post += tr(
            " And the trained were chosen in a spell {spell} off their own level, which goes back "
            "by itself.",
            spell=impact.write(spell),
        )
    others = tr("Counts how the trained differed from the others before.")
    if np.isfinite(start):
        others = tr(
            "Counts the head start: the trained were {start} apart before.",
            start=impact.write(start),
        )
    table = impact.estimates
    why = table["method"].map({PRE_POST: pre_post, AGAINST_OTHERS: others}).fillna("")
    return table.assign(why=why)


def _check_overlap(share: float) -> Check:
    name = tr("Comparable people")
    if not np.isfinite(share):
        return Check(name, tr("Too few people to say whether the untrained are comparable."), None)
    if share >= LEAST_OVERLAP:
        alike = tr(
            "{share} of the trained were at a level usual among the untrained.",
            share=format_share(share),
        )
        return Check(name, alike, True)
    apart = tr(
        "The untrained are not comparable: only {share} of the trained were at a level usual among "
        "them.",
        share=format_share(share),
    )
    return Check(name, apart, False)


def _check_trend(trend: Effect) -> Check:
    name = tr("Same course before")
    if not trend.is_known:
        return Check(name, tr("Too few quarters before to compare where both were heading."), None)
    if trend.p_value >= FAILED:
        return Check(name, tr("Before, both sides moved alike."), True)
    return Check(name, tr("Trained and untrained were moving apart before the training."), False)


def _check_placebo(placebo: Effect) -> Check:
    name = tr("Training that was none")
    if not placebo.is_known:
        return Check(name, tr("Too few quarters before to try a made-up date."), None)
    if placebo.p_value >= FAILED:
        return Check(name, tr("At a made-up earlier date nothing is found, as it should be."), True)
    return Check(
        name, tr("The same method finds an effect at a made-up date before the training."), False
    )


def _check_draw(gap: Effect) -> Check:
    name = tr("The draw")
    if not gap.is_known:
        return Check(name, tr("Without results before, the draw cannot be checked."), None)
    if gap.p_value >= _FAILED_LOTTERY:
        return Check(name, tr("Before, those drawn and those who waited were alike."), True)
    apart = tr(
        "Those drawn first were different before the training: that is no chance, so no lottery."
    )
    return Check(name, apart, False)
