"""The training plan as tables: who takes what when, beside other plans, and what is left out."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from salesnb.analysis.plan import PLAN_ANCHOR, TrainingPlan
from salesnb.analysis.plan.reasons import ASSIGNED, DONE, NO_EVIDENCE, NO_GAP, NO_TARGET
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import MISSING, begin_large, count_things, format_day, format_money
from salesnb.views.blocks import Block, Note, Table

MOST_LINES = 40
"""Seats shown; the files have all."""
MOST_LEFT = 30
_NOT_OPEN = (NO_EVIDENCE, NO_TARGET, DONE, ASSIGNED)
"""Reasons of skills that are no known gap, or are being seen to."""


def plan_table(plan: TrainingPlan, *, teams: Collection[str] | None = None) -> Block:
    """Show a row a seat, the largest gain first, each with its reason.

    Parameters
    ----------
    plan
        Of the company or a team.
    teams
        Ids of the teams whose seats are shown; None shows all.
    """
    if (note := _missing(plan)) is not None:
        return note
    lines, title = plan.lines, plan.finding
    if teams is not None:
        lines = lines[lines["team_id"].isin(teams)]
        title = f"{len(lines)} of the {count_things(len(plan.lines), 'seat', 'seats')} planned for {plan.unit}"
    shown = lines.head(MOST_LINES)
    cut = f" The first {MOST_LINES} of {len(lines)} seats." if len(shown) < len(lines) else ""
    table = {
        "Who": shown["unit"],
        "Course": shown["course"],
        "Skill": [begin_large(skill_label(str(name))) for name in shown["skill"]],
        "Gap": [f"{row.gap:.1f} ({row.gap_low:.1f} to {row.gap_high:.1f})".replace("-", "−")
                for row in shown.itertuples()],
        "Raters": shown["n_raters"].map("{:.0f}".format),
        "Expected gain": [format_money(value, plan.currency) for value in shown["gain"]],
        "90% interval": _ranges(shown["gain_low"], shown["gain_high"], plan.currency),
        "Starts": [format_day(day) for day in shown["starts_on"]],
        "Check on": [format_day(day) for day in shown["check_on"]],
    }  # fmt: skip
    return Table.from_frame(
        pd.DataFrame(table),
        title=title,
        caption=(
            f"Ratings of {plan.period}; courses from {plan.starts_on:%Y-%m-%d}. Gain: bookings "
            "of a year, how far the skill is expected to rise times what a point brings times "
            f"the bookings expected of the person.{cut}"
        ),
        key=tuple(line for line in (plan.caveat,) if line),
        anchor=PLAN_ANCHOR,
        numeric={"Gap", "Raters", "Expected gain", "90% interval"},
    )


def plan_comparison(plan: TrainingPlan) -> Block:
    """Show what this plan is expected to bring beside others within the same limits."""
    if (note := _missing(plan)) is not None:
        return note
    rows = plan.comparison
    ours, other = (format_money(value, plan.currency) for value in rows["gain"].iloc[:2])
    title = (
        "Lowest scores first would bring nothing within the same limits."
        if not rows["gain"].iloc[1] > 0
        else "By these estimates the same limits spent on the lowest scores first would bring "
        f"{other} instead of {ours}"
        + (
            f": this plan brings {plan.times_lowest_first:.1f} times as much."
            if plan.is_surely_more
            else "; the intervals overlap."
        )
    )
    table = {
        "Plan": [begin_large(name) for name in rows["plan"]],
        "Expected gain": [format_money(value, plan.currency) for value in rows["gain"]],
        "90% interval": _ranges(rows["gain_low"], rows["gain_high"], plan.currency),
        "Seats": rows["n_seats"],
        "People": rows["n_people"],
        "Hours": rows["hours"],
        "Cost": [format_money(value, plan.currency) for value in rows["cost"]],
    }  # fmt: skip
    return Table.from_frame(
        pd.DataFrame(table),
        title=title,
        caption="All choose among the same people and courses and are valued alike.",
        anchor=f"{PLAN_ANCHOR}-comparison",
    )


def plan_bounds(plan: TrainingPlan) -> Block:
    """Show what limits the plan, and what one more of it would bring."""
    if (note := _missing(plan)) is not None:
        return note
    is_seat = plan.bounds["one_more"] == "a seat"
    rows = plan.bounds.assign(is_seat=is_seat).sort_values(
        ["is_seat", "one_more_gain", "limit"], ascending=[False, False, True]
    )
    best = rows[rows["one_more_gain"] > 0].drop_duplicates("one_more")
    title = (
        "; ".join(
            f"{one} more in {limit} would bring {format_money(gain, plan.currency)}"
            for one, limit, gain in zip(
                best["one_more"], best["limit"], best["one_more_gain"], strict=True
            )
        )
        or "more seats or money would bring nothing more"
    )
    table = {
        "Limit": [begin_large(name) for name in rows["limit"]],
        "Used": rows["used"],
        "Of": rows["available"],
        "Binding": rows["is_binding"],
        "One more": rows["one_more"],
        "would bring": [format_money(value, plan.currency) for value in rows["one_more_gain"]],
    }
    return Table.from_frame(
        pd.DataFrame(table),
        title=f"{begin_large(title)}.",
        caption=(
            "Binding: it keeps somebody out of a course. One more is worth that much at the "
            "margin; several more bring less each."
        ),
        anchor=f"{PLAN_ANCHOR}-limits",
    )


def plan_left_out(plan: TrainingPlan) -> Block:
    """Show whom the plan leaves out and why, those who would gain most first."""
    if (note := _missing(plan)) is not None:
        return note
    left = plan.left_out[plan.left_out["reason"] != NO_GAP]
    if left.empty:
        return Note("Nobody with a gap is left out.", "info")
    counts = left["reason"].value_counts()
    why = "; ".join(f"{reason} {number:,}" for reason, number in counts.items())
    open_ = counts[~counts.index.isin(_NOT_OPEN)]
    title = (
        f"{count_things(open_.sum(), 'gap', 'gaps')} without a seat, most for: {open_.index[0]}."
        if len(open_)
        else "No open gap is left without a seat."
    )
    shown = left.head(MOST_LEFT)
    table = {
        "Who": shown["unit"],
        "Skill": [begin_large(skill_label(str(name))) for name in shown["skill"]],
        "Course": shown["course"].replace("", MISSING),
        "Gap": shown["gap"].map("{:.1f}".format).replace("nan", MISSING),
        "Would gain": [format_money(value, plan.currency) for value in shown["gain"]],
        "Why not": shown["reason"],
    }
    return Table.from_frame(
        pd.DataFrame(table),
        title=title,
        caption=f"By reason: {why}. The {len(shown)} with most to gain are shown.",
        anchor=f"{PLAN_ANCHOR}-left-out",
        numeric={"Gap", "Would gain"},
    )


def plan_sessions(plan: TrainingPlan) -> Block:
    """Show when each class is held."""
    if (note := _missing(plan)) is not None:
        return note
    rows = plan.sessions
    table = {
        "Class": rows["session"],
        "Course": rows["course"],
        "From": [format_day(day) for day in rows["starts_on"]],
        "To": [format_day(day) for day in rows["ends_on"]],
        "People": rows["n_people"],
    }
    return Table.from_frame(
        pd.DataFrame(table),
        title=f"{len(rows)} classes between {format_day(rows['starts_on'].min())} and "
        f"{format_day(rows['ends_on'].max())}.",
        caption=(
            "Working days, nobody in two classes a day, at most "
            f"{plan.limits.away_share:.0%} of a team (or one) away on a day. Public holidays "
            "are not known."
        ),
        anchor=f"{PLAN_ANCHOR}-classes",
    )


def _missing(plan: TrainingPlan) -> Note | None:
    if plan.lacking or plan.conflict:
        return Note(plan.finding, "missing")
    return Note(f"{plan.finding} {plan.caveat}".strip(), "info") if plan.lines.empty else None


def _ranges(low: pd.Series[float], high: pd.Series[float], currency: str) -> list[str]:
    return [
        f"{format_money(least, currency)} to {format_money(most, currency)}"
        for least, most in zip(low, high, strict=True)
    ]
