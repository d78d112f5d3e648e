"""The training plan as tables: who takes what when, beside other plans, and what is left out."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from salesnb.analysis.plan import PLAN_ANCHOR, TrainingPlan
from salesnb.analysis.plan.bounds import A_SEAT, AN_HOUR
from salesnb.analysis.plan.reasons import (
    ASSIGNED,
    DONE,
    NO_EVIDENCE,
    NO_GAP,
    NO_TARGET,
    say_reasons,
)
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import MISSING, begin_large, count_things, format_day, format_money
from salesnb.language import format_number, format_share, tr, write_day
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
        title = tr(
            "{n} of the {seats} planned for {unit}",
            n=len(lines), seats=count_things(len(plan.lines), "seat", "seats"), unit=plan.unit,
        )  # fmt: skip
    shown = lines.head(MOST_LINES)
    caption = tr(
        "Ratings of {period}; courses from {day}. Gain: bookings of a year, how far the skill is "
        "expected to rise times what a point brings times the bookings expected of the person.",
        period=plan.period, day=write_day(plan.starts_on),
    )  # fmt: skip
    if len(shown) < len(lines):
        caption += tr(" The first {n} of {total} seats.", n=MOST_LINES, total=len(lines))
    table = {
        tr("Who"): shown["unit"],
        tr("Course"): shown["course"],
        tr("Skill"): [begin_large(skill_label(str(name))) for name in shown["skill"]],
        tr("Gap"): [
            _gap(*row) for row in shown[["gap", "gap_low", "gap_high"]].to_numpy(dtype=float)
        ],
        tr("Raters"): shown["n_raters"].map("{:.0f}".format),
        tr("Expected gain"): [format_money(value, plan.currency) for value in shown["gain"]],
        tr("90% interval"): _ranges(shown["gain_low"], shown["gain_high"], plan.currency),
        tr("Starts"): [format_day(day) for day in shown["starts_on"]],
        tr("Check on"): [format_day(day) for day in shown["check_on"]],
    }
    return Table.from_frame(
        pd.DataFrame(table),
        title=title,
        caption=caption,
        key=tuple(line for line in (plan.caveat,) if line),
        anchor=PLAN_ANCHOR,
        numeric={tr("Gap"), tr("Raters"), tr("Expected gain"), tr("90% interval")},
    )


def plan_comparison(plan: TrainingPlan) -> Block:
    """Show what this plan is expected to bring beside others within the same limits."""
    if (note := _missing(plan)) is not None:
        return note
    rows = plan.comparison
    table = {
        tr("Plan"): [begin_large(tr(name)) for name in rows["plan"]],
        tr("Expected gain"): [format_money(value, plan.currency) for value in rows["gain"]],
        tr("90% interval"): _ranges(rows["gain_low"], rows["gain_high"], plan.currency),
        tr("Seats"): rows["n_seats"],
        tr("People"): rows["n_people"],
        tr("Hours"): rows["hours"],
        tr("Cost"): [format_money(value, plan.currency) for value in rows["cost"]],
    }
    return Table.from_frame(
        pd.DataFrame(table),
        title=_comparison_title(plan),
        caption=tr("All choose among the same people and courses and are valued alike."),
        anchor=f"{PLAN_ANCHOR}-comparison",
    )


def plan_bounds(plan: TrainingPlan) -> Block:
    """Show what limits the plan, and what one more of it would bring."""
    if (note := _missing(plan)) is not None:
        return note
    is_seat = plan.bounds["one_more"] == A_SEAT
    rows = plan.bounds.assign(is_seat=is_seat).sort_values(
        ["is_seat", "one_more_gain", "limit"], ascending=[False, False, True]
    )
    best = rows[rows["one_more_gain"] > 0].drop_duplicates("one_more")
    worth = [
        _one_more(course, one, format_money(gain, plan.currency))
        for course, one, gain in zip(
            best["course_id"], best["one_more"], best["one_more_gain"], strict=True
        )
    ]
    title = "; ".join(worth) or tr("more seats or money would bring nothing more")
    table = {
        tr("Limit"): [
            begin_large(tr("seats of {course}", course=course) if course else tr(limit))
            for course, limit in zip(rows["course_id"], rows["limit"], strict=True)
        ],
        tr("Used"): rows["used"],
        tr("Of"): rows["available"],
        tr("Binding"): rows["is_binding"],
        tr("One more"): [tr(one) if one in (A_SEAT, AN_HOUR) else one for one in rows["one_more"]],
        tr("would bring"): [format_money(value, plan.currency) for value in rows["one_more_gain"]],
    }
    return Table.from_frame(
        pd.DataFrame(table),
        title=f"{begin_large(title)}.",
        caption=tr(
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
        return Note(tr("Nobody with a gap is left out."), "info")
    counts = left["reason"].value_counts()
    why = "; ".join(
        f"{say_reasons(str(reason))} {format_number(number)}" for reason, number in counts.items()
    )
    open_ = counts[~counts.index.isin(_NOT_OPEN)]
    title = (
        tr(
            "{gaps} without a seat, most for: {reason}.",
            gaps=count_things(open_.sum(), "gap", "gaps"),
            reason=say_reasons(open_.index[0]),
        )
        if len(open_)
        else tr("No open gap is left without a seat.")
    )
    shown = left.head(MOST_LEFT)
    table = {
        tr("Who"): shown["unit"],
        tr("Skill"): [begin_large(skill_label(str(name))) for name in shown["skill"]],
        tr("Course"): shown["course"].replace("", MISSING),
        tr("Gap"): [MISSING if pd.isna(gap) else _points(gap) for gap in shown["gap"]],
        tr("Would gain"): [format_money(value, plan.currency) for value in shown["gain"]],
        tr("Why not"): shown["reason"].map(say_reasons),
    }
    return Table.from_frame(
        pd.DataFrame(table),
        title=title,
        caption=tr(
            "By reason: {reasons}. The {n} with most to gain are shown.", reasons=why, n=len(shown)
        ),
        anchor=f"{PLAN_ANCHOR}-left-out",
        numeric={tr("Gap"), tr("Would gain")},
    )


def plan_sessions(plan: TrainingPlan) -> Block:
    """Show when each class is held."""
    if (note := _missing(plan)) is not None:
        return note
    rows = plan.sessions
    table = {
        tr("Class"): rows["session"],
        tr("Course"): rows["course"],
        tr("From"): [format_day(day) for day in rows["starts_on"]],
        tr("To"): [format_day(day) for day in rows["ends_on"]],
        tr("People"): rows["n_people"],
    }
    return Table.from_frame(
        pd.DataFrame(table),
        title=tr(
            "{n} classes between {first} and {last}.",
            n=len(rows),
            first=format_day(rows["starts_on"].min()),
            last=format_day(rows["ends_on"].max()),
        ),
        caption=tr(
            "Working days, nobody in two classes a day, at most {share} of a team (or one) away on "
            "a day. Public holidays are not known.",
            share=format_share(plan.limits.away_share),
        ),
        anchor=f"{PLAN_ANCHOR}-classes",
    )


def _missing(plan: TrainingPlan) -> Note | None:
    if plan.lacking or plan.conflict:
        return Note(plan.finding, "missing")
    return Note(f"{plan.finding} {plan.caveat}".strip(), "info") if plan.lines.empty else None


def _comparison_title(plan: TrainingPlan) -> str:
    gains = plan.comparison["gain"]
    if not gains.iloc[1] > 0:
        return tr("Lowest scores first would bring nothing within the same limits.")
    ours, other = (format_money(value, plan.currency) for value in gains.iloc[:2])
    if plan.is_surely_more:
        return tr(
            "By these estimates the same limits spent on the lowest scores first would bring "
            "{other} instead of {ours}: this plan brings {times} times as much.",
            other=other,
            ours=ours,
            times=format_number(plan.times_lowest_first, 1, group=False),
        )
    return tr(
        "By these estimates the same limits spent on the lowest scores first would bring {other} "
        "instead of {ours}; the intervals overlap.",
        other=other,
        ours=ours,
    )


def _one_more(course: str, more: str, gain: str) -> str:
    if course:
        return tr("a seat more in seats of {course} would bring {gain}", course=course, gain=gain)
    return tr("{money} more in budget would bring {gain}", money=more, gain=gain)


def _gap(gap: float, low: float, high: float) -> str:
    return tr(
        "{figure} ({low} to {high})", figure=_points(gap), low=_points(low), high=_points(high)
    )


def _points(value: float) -> str:
    return format_number(value, 1, group=False)


def _ranges(low: pd.Series[float], high: pd.Series[float], currency: str) -> list[str]:
    return [
        tr("{low} to {high}", low=format_money(least, currency), high=format_money(most, currency))
        for least, most in zip(low, high, strict=True)
    ]
