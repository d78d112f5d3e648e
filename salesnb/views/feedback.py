"""Feedback as tables: the loop in figures, who waits for any, and what it is about."""

from __future__ import annotations

import math

import pandas as pd

from salesnb.analysis.feedback import FeedbackLoop, FeedbackThemes
from salesnb.analysis.feedback.records import kind_label
from salesnb.analysis.feedback.result import FEEDBACK_ANCHOR
from salesnb.analysis.feedback.themes import THEMES_ANCHOR
from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import MISSING, format_day
from salesnb.language import format_number, format_share, tr
from salesnb.views.blocks import Block, Note, Table

QUIET_ANCHOR = "feedback-quiet"
MOST_THEMES = 12


def feedback_table(loop: FeedbackLoop) -> Block:
    """Show coverage, cadence, kinds, answers to gaps and reviewed actions, a line each."""
    if loop.lacking:
        return Note(loop.finding, "missing")
    return Table(
        title=loop.finding,
        caption=f"{loop.unit}, {loop.period}. {loop.caveat}",
        header=(tr("What"), tr("Figure"), tr("Rests on")),
        rows=(*_coverage(loop), *_cadence(loop), _answers(loop), _reviews(loop)),
        anchor=FEEDBACK_ANCHOR,
        is_sortable=False,
    )


def _coverage(loop: FeedbackLoop) -> list[tuple[str, str, str]]:
    now = loop.now
    past = ", ".join(
        f"{row['period']} {format_share(row['share'])}"
        for row in loop.quarters.iloc[:-1].to_dict("records")
    )
    kinds = ", ".join(
        tr(
            "{kind} {share} (before {before})",
            kind=kind_label(row["kind"]),
            share=format_share(row["share"]),
            before=format_share(row["share_before"]),
        )
        for row in loop.kinds.to_dict("records")
    )
    interval = tr(
        "95% interval {low} – {high}", low=format_share(now["low"]), high=format_share(now["high"])
    )
    n = format_number(now["n"], group=False)
    return [
        (
            tr("People with any feedback"),
            tr(
                "{n} of {total} ({share})",
                n=format_number(now["n_covered"], group=False),
                total=format_number(now["n_people"], group=False),
                share=format_share(now["share"]),
            ),
            f"{interval}; {past}" if past else interval,
        ),
        (
            tr("Kinds"),
            kinds or MISSING,
            tr("{n} in the quarter; the mix changed", n=n)
            if loop.kinds_changed < FALSE_CLAIMS
            else tr("{n} in the quarter; no clear change", n=n),
        ),
    ]


def _cadence(loop: FeedbackLoop) -> list[tuple[str, str, str]]:
    one = loop.cadence
    return [
        (
            tr("Days between two"),
            _days(one.median_days),
            tr("median of {n} people with at least two in four quarters", n=one.n_people),
        ),
        (
            tr("Longest silence"),
            _days(one.longest_days),
            tr("one person, up to the quarter's end"),
        ),
        (
            tr("Without any for {n} weeks", n=one.weeks),
            tr("{n} of {total} people", n=one.n_quiet, total=one.n_asked),
            tr("who were there all the time, at the quarter's end"),
        ),
    ]


def _answers(loop: FeedbackLoop) -> tuple[str, str, str]:
    one = loop.answers
    what = tr("Scores below target spoken about within {n} days", n=one.days)
    if not one.n_gaps:
        return what, MISSING, one.lacking or tr("no score is below target")
    figure = format_share(one.n_answered / one.n_gaps)
    if math.isfinite(one.median_days):
        figure += tr(", {n} days in the median", n=format_number(one.median_days, group=False))
    if one.n_others:
        share = format_share(one.n_others_answered / one.n_others)
        figure += tr("; other scores {share}", share=share)
    said = {"n_gaps": format_number(one.n_gaps), "n_others": format_number(one.n_others)}
    if one.p_value < FALSE_CLAIMS:
        rests_on = tr(
            "feedback on the same skill after the rating; {n_gaps} scores below target and "
            "{n_others} others; they differ",
            **said,
        )
    else:
        rests_on = tr(
            "feedback on the same skill after the rating; {n_gaps} scores below target and "
            "{n_others} others; no clear difference",
            **said,
        )
    return what, figure, rests_on


def _reviews(loop: FeedbackLoop) -> tuple[str, str, str]:
    one = loop.reviews
    what = tr("Actions due in {period}", period=one.period)
    if not one.n_due:
        return what, MISSING, tr("none was due")
    return (
        what,
        tr(
            "{n_closed} closed, {n_spoken} spoken about since, {n_left} left",
            n_closed=one.n_closed,
            n_spoken=one.n_spoken,
            n_left=one.n_left,
        ),
        tr(
            "{n} actions; spoken about is feedback on the same skill, or any where the action is "
            "for a figure",
            n=one.n_due,
        ),
    )


def _days(value: float) -> str:
    return format_number(value, group=False) if math.isfinite(value) else MISSING


def quiet_table(loop: FeedbackLoop) -> Block:
    """Name who waits for feedback, in a team's own review only."""
    if loop.lacking:
        return Note(loop.finding, "missing")
    one = loop.cadence
    if loop.quiet.empty:
        words = tr(
            "{unit}: {n} of {total} people had no feedback for {weeks} weeks.",
            unit=loop.unit,
            n=one.n_quiet,
            total=one.n_asked,
            weeks=one.weeks,
        )
        return Note(words, "info")
    return Table(
        title=tr(
            "{n} people had no written feedback for {weeks} weeks or longer",
            n=len(loop.quiet),
            weeks=one.weeks,
        ),
        caption=tr(
            "{unit}, at the end of {period}. A reason to talk, not a verdict.",
            unit=loop.unit,
            period=loop.period,
        ),
        header=(tr("Who"), tr("Last feedback"), tr("Days")),
        rows=tuple(
            (row["name"], _day(row["last_on"]), _days(row["days"]))
            for row in loop.quiet.to_dict("records")
        ),
        numeric=frozenset({2}),
        anchor=QUIET_ANCHOR,
    )


def _day(day: pd.Timestamp) -> str:
    return tr("none on record") if pd.isna(day) else format_day(day)


def themes_table(themes: FeedbackThemes) -> Block:
    """Show what feedback is about, largest first; a note where nothing holds."""
    if themes.lacking or themes.themes.empty:
        return Note(themes.finding, "missing" if themes.lacking else "info")
    shown = themes.themes.head(MOST_THEMES).to_dict("records")
    caption = tr(
        "{n} comments about {n_people} people, {first} to {last}; before: {n_before} comments.",
        n=themes.n,
        n_people=themes.n_people,
        n_before=themes.n_before,
        first=themes.window[0],
        last=themes.window[-1],
    )
    if len(themes.themes) > len(shown):
        caption += tr(" The {n} largest are shown.", n=MOST_THEMES)
    return Table(
        title=themes.finding,
        caption=caption,
        header=(tr("Theme"), tr("In words of"), tr("Skills"), tr("Comments"), tr("People"),
                tr("Share"), tr("Before")),
        rows=tuple(
            (
                row["name"], row["example"] or ", ".join(row["words"]),
                ", ".join(skill_label(skill) for skill in row["skills"]) or MISSING,
                f"{row['n']}", f"{row['n_people']}", format_share(row["share"]),
                MISSING if math.isnan(row["share_before"]) else format_share(row["share_before"]),
            )
            for row in shown
        ),
        numeric=frozenset({3, 4, 5, 6}),
        key=(themes.caveat,),
        anchor=THEMES_ANCHOR,
    )  # fmt: skip
