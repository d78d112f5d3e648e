"""Feedback as tables: the loop in figures, who waits for any, and what it is about."""

from __future__ import annotations

import math

import pandas as pd

from salesnb.analysis.feedback import FeedbackLoop, FeedbackThemes
from salesnb.analysis.feedback.result import FEEDBACK_ANCHOR
from salesnb.analysis.feedback.themes import THEMES_ANCHOR
from salesnb.analysis.finding import FALSE_CLAIMS
from salesnb.analysis.skills import skill_label
from salesnb.analysis.wording import MISSING
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
        header=("What", "Figure", "Rests on"),
        rows=(*_coverage(loop), *_cadence(loop), _answers(loop), _reviews(loop)),
        anchor=FEEDBACK_ANCHOR,
        is_sortable=False,
    )


def _coverage(loop: FeedbackLoop) -> list[tuple[str, str, str]]:
    now = loop.now
    past = ", ".join(
        f"{row['period']} {row['share']:.0%}" for row in loop.quarters.iloc[:-1].to_dict("records")
    )
    kinds = ", ".join(
        f"{row['kind']} {row['share']:.0%} (before {row['share_before']:.0%})"
        for row in loop.kinds.to_dict("records")
    )
    shifted = "the mix changed" if loop.kinds_changed < FALSE_CLAIMS else "no clear change"
    return [
        (
            "People with any feedback",
            f"{now['n_covered']:.0f} of {now['n_people']:.0f} ({now['share']:.0%})",
            f"95% interval {now['low']:.0%} – {now['high']:.0%}{f'; {past}' if past else ''}",
        ),
        ("Kinds", kinds or MISSING, f"{now['n']:.0f} in the quarter; {shifted}"),
    ]


def _cadence(loop: FeedbackLoop) -> list[tuple[str, str, str]]:
    one = loop.cadence
    return [
        (
            "Days between two",
            _days(one.median_days),
            f"median of {one.n_people} people with at least two in four quarters",
        ),
        ("Longest silence", _days(one.longest_days), "one person, up to the quarter's end"),
        (
            f"Without any for {one.weeks} weeks",
            f"{one.n_quiet} of {one.n_asked} people",
            "who were there all the time, at the quarter's end",
        ),
    ]


def _answers(loop: FeedbackLoop) -> tuple[str, str, str]:
    one = loop.answers
    what = f"Scores below target spoken about within {one.days} days"
    if not one.n_gaps:
        return what, MISSING, one.lacking or "no score is below target"
    others = f"; other scores {one.n_others_answered / one.n_others:.0%}" if one.n_others else ""
    differ = "they differ" if one.p_value < FALSE_CLAIMS else "no clear difference"
    lag = f", {one.median_days:.0f} days in the median" if math.isfinite(one.median_days) else ""
    return (
        what,
        f"{one.n_answered / one.n_gaps:.0%}{lag}{others}",
        f"feedback on the same skill after the rating; {one.n_gaps:,} scores below target and "
        f"{one.n_others:,} others; {differ}",
    )


def _reviews(loop: FeedbackLoop) -> tuple[str, str, str]:
    one = loop.reviews
    what = f"Actions due in {one.period}"
    if not one.n_due:
        return what, MISSING, "none was due"
    return (
        what,
        f"{one.n_closed} closed, {one.n_spoken} spoken about since, {one.n_left} left",
        f"{one.n_due} actions; spoken about is feedback on the same skill, or any where the action "
        "is for a figure",
    )


def _days(value: float) -> str:
    return f"{value:.0f}" if math.isfinite(value) else MISSING


def quiet_table(loop: FeedbackLoop) -> Block:
    """Name who waits for feedback, in a team's own review only."""
    if loop.lacking:
        return Note(loop.finding, "missing")
    one = loop.cadence
    if loop.quiet.empty:
        words = f"{one.n_quiet} of {one.n_asked} people had no feedback for {one.weeks} weeks."
        return Note(f"{loop.unit}: {words}", "info")
    return Table(
        title=f"{len(loop.quiet)} people had no written feedback for {one.weeks} weeks or longer",
        caption=f"{loop.unit}, at the end of {loop.period}. A reason to talk, not a verdict.",
        header=("Who", "Last feedback", "Days"),
        rows=tuple(
            (row["name"], _day(row["last_on"]), f"{row['days']:.0f}")
            for row in loop.quiet.to_dict("records")
        ),
        numeric=frozenset({2}),
        anchor=QUIET_ANCHOR,
    )


def _day(day: pd.Timestamp) -> str:
    return "none on record" if pd.isna(day) else f"{day:%Y-%m-%d}"


def themes_table(themes: FeedbackThemes) -> Block:
    """Show what feedback is about, largest first; a note where nothing holds."""
    if themes.lacking or themes.themes.empty:
        return Note(themes.finding, "missing" if themes.lacking else "info")
    shown = themes.themes.head(MOST_THEMES).to_dict("records")
    cut = len(themes.themes) - len(shown)
    more = f" The {MOST_THEMES} largest are shown." if cut else ""
    return Table(
        title=themes.finding,
        caption=(
            f"{themes.n} comments about {themes.n_people} people, {themes.window[0]} to "
            f"{themes.window[-1]}; before: {themes.n_before} comments.{more}"
        ),
        header=("Theme", "In words of", "Skills", "Comments", "People", "Share", "Before"),
        rows=tuple(
            (
                row["name"], row["example"] or ", ".join(row["words"]),
                ", ".join(skill_label(skill) for skill in row["skills"]) or MISSING,
                f"{row['n']}", f"{row['n_people']}", f"{row['share']:.0%}",
                MISSING if math.isnan(row["share_before"]) else f"{row['share_before']:.0%}",
            )
            for row in shown
        ),
        numeric=frozenset({3, 4, 5, 6}),
        key=(themes.caveat,),
        anchor=THEMES_ANCHOR,
    )  # fmt: skip
