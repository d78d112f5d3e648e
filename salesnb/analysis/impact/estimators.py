"""What a training did, by design: lottery, chosen people, whole teams."""

from __future__ import annotations

import numpy as np

from salesnb.analysis.impact.effect import (
    UNKNOWN,
    Bools,
    Effect,
    Floats,
    estimate_effect,
    permutation_p_value,
)
from salesnb.analysis.impact.panel import Panel
from salesnb.analysis.impact.windows import Ints, Windows

COMPARED_WITHIN_TEAMS = 0.4
"""Share of the trained that must have untrained colleagues for teams to be compared within."""


def waitlist_ancova(panel: Panel, trained: Bools, windows: Windows) -> Effect:
    """Compare those who won a place by lot with those who wait, given their past.

    Parameters
    ----------
    panel
        Those in the lottery only, drawn within its groups.
    trained
        Who won, whether or not they completed the course.
    windows
        From `waitlist_windows`; a person without records before takes the mean of all.

    Returns
    -------
    Effect
        In the outcome's unit, of being assigned.
    """
    after, past, rows = _after_and_past(panel, trained, windows)
    return estimate_effect(
        after, trained[rows], covariates=past,
        groups=within_teams(panel.take(rows), trained[rows]),
        noise=_noise(panel, windows.after)[rows],
    )  # fmt: skip


def waitlist_p_value(
    panel: Panel, trained: Bools, windows: Windows, *, n_draws: int, random_state: int
) -> float:
    """Draw a small lottery again: how often chance alone gives as large an effect."""
    after, past, rows = _after_and_past(panel, trained, windows)
    return permutation_p_value(
        after, trained[rows], covariates=past, groups=panel.groups[rows],
        n_draws=n_draws, random_state=random_state,
    )  # fmt: skip


def _after_and_past(panel: Panel, trained: Bools, windows: Windows) -> tuple[Floats, Floats, Bools]:
    """Give outcome and past of who has a record after; who has none before is like the mean."""
    shifted = panel.without_quarters(~trained)
    after = shifted.mean(windows.after)
    rows = np.isfinite(after)
    return after[rows], _filled(shifted.mean(windows.before))[rows, None], rows


def symmetric_did(panel: Panel, trained: Bools, windows: Windows) -> Effect:
    """Compare the change of the trained with the change of their untrained colleagues.

    Parameters
    ----------
    panel
        All who can be compared; who lacks records in either window is left out.
    trained
        Who was trained.
    windows
        From `symmetric_windows`.

    Returns
    -------
    Effect
        In the outcome's unit.
    """
    return change_effect(panel, trained, windows.before, windows.after)


def change_effect(panel: Panel, trained: Bools, before: Ints, after: Ints) -> Effect:
    """Compare changes between two windows; one row a person, so quarters need not be independent.

    Where most of the trained have untrained colleagues, colleagues are compared: what happened to
    a whole team is not the training's.
    """
    if not len(before) or not len(after):
        return UNKNOWN
    shifted = panel.without_quarters(~trained)
    change = shifted.mean(after) - shifted.mean(before)
    rows = np.isfinite(change)
    noise = (_noise(panel, before) + _noise(panel, after))[rows]
    return estimate_effect(
        change[rows], trained[rows],
        groups=within_teams(panel.take(rows), trained[rows]), noise=noise,
    )  # fmt: skip


def lagged_outcome(panel: Panel, trained: Bools, windows: Windows) -> Effect:
    """Compare what followed among people alike in each selection quarter and before.

    The second bound: right where people were chosen by the results seen, where changes may not
    be; too high where they were chosen for what results do not show (Angrist and Pischke, Mostly
    Harmless Econometrics, 5.4: the two bracket the effect).
    """
    if not windows.is_usable:
        return UNKNOWN
    shifted = panel.without_quarters(~trained)
    after = shifted.mean(windows.after)
    rows = np.isfinite(after) & np.isfinite(shifted.mean(windows.earlier))
    past = [shifted.mean(windows.earlier), *(shifted.mean(q[None]) for q in windows.selection)]
    covariates = np.column_stack([_filled(values)[rows] for values in past])
    return estimate_effect(
        after[rows], trained[rows], covariates=covariates,
        groups=within_teams(panel.take(rows), trained[rows]),
        noise=_noise(panel, windows.after)[rows],
    )  # fmt: skip


def team_effect(panel: Panel, trained: Bools, before: Ints, after: Ints) -> Effect:
    """Compare the changes of trained teams with those of the others: t with teams - 2.

    Parameters
    ----------
    panel
        People; a team is its members with records in both windows, added up.
    trained
        Who was trained; a team is trained when most of its members were.
    before, after
        Columns to compare.

    Returns
    -------
    Effect
        `n_trained` and `n_compared` count teams; the spread between the untrained teams is taken
        to be that of the trained ones, whose own cannot be seen where there is but one.
    """
    rows = (panel.records(before) > 0) & (panel.records(after) > 0)
    if not rows.any():
        return UNKNOWN
    people = panel.take(rows).without_quarters(~trained[rows])
    teams = people.pool_groups()
    own = people.groups.astype(str)
    is_trained = np.array([trained[rows][own == str(team)].mean() > 0.5 for team in teams.units])
    return compare_means(teams.mean(after) - teams.mean(before), is_trained)


def compare_means(values: Floats, trained: Bools) -> Effect:
    """Compare two means with one spread for both sides and n - 2 degrees of freedom."""
    ours, theirs = values[trained], values[~trained]
    n, m = len(ours), len(theirs)
    if n < 1 or m < 2:
        return Effect(np.nan, np.nan, np.nan, n, m)
    squares = float(((ours - ours.mean()) ** 2).sum() + ((theirs - theirs.mean()) ** 2).sum())
    freedom = n + m - 2
    error = float(np.sqrt(squares / freedom * (1 / n + 1 / m)))
    return Effect(float(ours.mean() - theirs.mean()), error, float(freedom), n, m)


def pre_trend(panel: Panel, trained: Bools, windows: Windows) -> Effect:
    """Ask whether the trained moved apart before they were chosen: per quarter of `earlier`.

    Each person's slope over the quarters is compared; who has fewer than three is left out.
    """
    columns = windows.earlier
    if len(columns) < 3:
        return UNKNOWN
    shifted = panel.without_quarters(~trained)
    weight, top = shifted.denominator[:, columns], shifted.numerator[:, columns]
    total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    time = (
        np.arange(len(columns)) - (weight * np.arange(len(columns))).sum(1, keepdims=True) / total
    )
    size = (weight * time**2).sum(axis=1)
    rows = ((weight > 0).sum(axis=1) >= 3) & (size > 0)
    slope = (top * time).sum(axis=1)[rows] / size[rows]
    return estimate_effect(
        slope, trained[rows], groups=within_teams(panel.take(rows), trained[rows]),
        noise=1 / size[rows],
    )  # fmt: skip


def placebo(panel: Panel, trained: Bools, windows: Windows) -> Effect:
    """Estimate the effect of a training that was none: the later half of `earlier` on the first."""
    half = len(windows.earlier) // 2
    if not half:
        return UNKNOWN
    return change_effect(panel, trained, windows.earlier[:half], windows.earlier[-half:])


def overlap(panel: Panel, trained: Bools, windows: Windows) -> float:
    """Share of the trained whose level before lies in the middle 90% of those compared with.

    Few records make levels differ by chance; both sides have about as many, so the share of two
    like groups is .9.
    """
    level = panel.mean(windows.before)
    theirs, ours = level[~trained & np.isfinite(level)], level[trained & np.isfinite(level)]
    if len(theirs) < 2 or not len(ours):
        return float("nan")
    low, high = np.quantile(theirs, [0.05, 0.95])
    return float(((ours >= low) & (ours <= high)).mean())


def level_gap(panel: Panel, trained: Bools, windows: Windows) -> Effect:
    """Compare the levels before: what a naive look at the trained beside others starts from."""
    shifted = panel.without_quarters(~trained)
    level = shifted.mean(windows.before)
    rows = np.isfinite(level)
    return estimate_effect(
        level[rows], trained[rows], groups=within_teams(panel.take(rows), trained[rows]),
        noise=_noise(panel, windows.before)[rows],
    )  # fmt: skip


def within_teams(panel: Panel, trained: Bools) -> np.ndarray | None:
    """Give the teams to compare within; None where too few of the trained have colleagues."""
    names, place = np.unique(panel.groups.astype(str), return_inverse=True)
    if not trained.any() or len(names) < 2:
        return None
    untrained = np.bincount(place, weights=~trained, minlength=len(names))
    has_colleagues = (untrained > 0)[place]
    share = float(has_colleagues[trained].mean())
    return panel.groups if share >= COMPARED_WITHIN_TEAMS else None


def _noise(panel: Panel, columns: Ints) -> Floats:
    records = panel.records(columns)
    noise: Floats = 1 / np.where(records > 0, records, np.inf)
    return noise


def _filled(values: Floats) -> Floats:
    """Put the mean where a value is missing; 0 where all are."""
    known = values[np.isfinite(values)]
    filled: Floats = np.where(np.isfinite(values), values, known.mean() if len(known) else 0.0)
    return filled
