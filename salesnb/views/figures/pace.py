"""Pace: bookings within the quarter beside the course of past quarters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.outlook import PACE_ANCHOR, Outlook
from salesnb.analysis.wording import count_things, format_money
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.theme import BETTER, LIGHT, NARROW, UNCLEAR, WIDE, WORSE, use_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class _Course:
    """Shares by week: this quarter's of its target, and past quarters' of their own end."""

    now: pd.Series[float]
    past: pd.DataFrame

    @property
    def colour(self) -> str:
        """Blue above, orange below where all past quarters stood."""
        band = self.past.loc[self.now.index[-1]]
        last = self.now.iloc[-1]
        return BETTER if last > band.max() else WORSE if last < band.min() else UNCLEAR


def pace_chart(outlook: Outlook) -> Block:
    """Draw a quarter's bookings as a share of its target beside the course of past quarters."""
    row = outlook.whole
    if row is None or not row["target"] > 0:
        return Note(f"{outlook.unit} has no target in {outlook.period} to pace against.", "missing")
    course = _find_course(outlook, float(row["target"]))
    if course is None:
        return Note(f"No whole quarter before {outlook.period} shows how one goes.", "missing")
    title = _title(outlook, course)
    with use_theme():
        return Figure.from_axes(
            plot_pace(course, outlook, width=WIDE),
            narrow=plot_pace(course, outlook, width=NARROW),
            title=title,
            caption=(
                f"{outlook.unit}, {outlook.period}: bookings as a share of the target "
                f"({format_money(row['target'], outlook.currency)}), {count_things(row['n'], 'win', 'wins')}. "
                f"Band: where the {course.past.shape[1]} quarters before stood on the way to "
                "their own end, lowest to highest; thin line: their middle."
            ),
            alt=(
                f"Line of bookings by week of {outlook.period} over a band of "
                f"{course.past.shape[1]} past quarters. {title}."
            ),
            how_to_read=(
                "Quarters are not straight lines: much closes in the last weeks. A line inside the "
                "band goes as past quarters went to an end of 100% of this target; below the band "
                "no past quarter made up as much. Weeks are five working days, counted from the "
                "quarter's end."
            ),
            numbers=_numbers(course),
            anchor=PACE_ANCHOR,
        )


def _find_course(outlook: Outlook, target: float) -> _Course | None:
    wide = outlook.curve.pivot_table(index="week", columns="period", values="cumulative")
    weeks = range(int(wide.index.min()), int(wide.index.max()) + 1) if len(wide) else ()
    wide = wide.reindex(weeks).ffill().fillna(0.0)
    past = wide.drop(columns=outlook.period, errors="ignore")
    past = past.loc[:, past.iloc[-1] > 0] if len(past) else past
    if past.empty:
        return None
    now = wide[outlook.period] if outlook.period in wide else past.iloc[:, 0] * 0.0
    if outlook.is_over:
        end = wide.index[-1]
        now, past = now.rename(lambda week: week - end), past.rename(lambda week: week - end)
    else:
        now = now[now.index <= 0]
    return _Course(now / target, past / past.iloc[-1])


def _title(outlook: Outlook, course: _Course) -> str:
    last, band = course.now.iloc[-1], course.past.loc[course.now.index[-1]]
    if outlook.is_over:
        return f"{outlook.unit} ended {outlook.period} at {last:.0%} of its target"
    place = "below" if last < band.min() else "above" if last > band.max() else "within"
    return (
        f"{outlook.unit} has {last:.0%} of its {outlook.period} target, {place} the "
        f"{band.min():.0%} to {band.max():.0%} that past quarters had of their end by now"
    )


def plot_pace(course: _Course, outlook: Outlook, *, width: float) -> Axes:
    """Draw the band of past quarters and the line of this one."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    _, axes = plt.subplots(figsize=(width, 3.2 if width > NARROW else 2.8))
    past = course.past
    axes.fill_between(
        past.index, past.min(axis=1), past.max(axis=1), color=LIGHT["band"], linewidth=0
    )
    axes.plot(past.index, past.median(axis=1), color=LIGHT["grey"], linewidth=1)
    axes.plot(course.now.index, course.now, color=LIGHT["ink2"])
    axes.plot(
        course.now.index[-1:], course.now.iloc[-1:], marker="o", color=course.colour, clip_on=False
    )
    axes.axhline(1.0, color=LIGHT["ink"], linewidth=1)
    axes.set_ylim(0, max(1.05, float(np.nanmax(course.now)) * 1.05))
    axes.set_xlim(past.index[0], past.index[-1])
    axes.xaxis.set_major_locator(MaxNLocator(8 if width > NARROW else 4, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel(
        "Weeks before the quarter's end (0)" if outlook.is_over else "Weeks from today (0)"
    )
    axes.set_ylabel("Share of target")
    return axes


def _numbers(course: _Course) -> pd.DataFrame:
    past = course.past
    table = {
        "Week": [str(week) for week in past.index],
        "This quarter, of target": course.now.reindex(past.index).map(_share),
        "Past, lowest": past.min(axis=1).map(_share),
        "Past, middle": past.median(axis=1).map(_share),
        "Past, highest": past.max(axis=1).map(_share),
    }
    return pd.DataFrame(table).reset_index(drop=True)


def _share(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.0%}"
