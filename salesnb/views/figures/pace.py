"""Pace: bookings within the quarter beside the course of past quarters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from salesnb.analysis.outlook import PACE_ANCHOR, Outlook
from salesnb.analysis.wording import MISSING, count_things, format_money
from salesnb.language import format_share, tr
from salesnb.views.blocks import Block, Figure, Note
from salesnb.views.figures.parts import format_axis
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
        said = tr(
            "{unit} has no target in {quarter} to pace against.",
            unit=outlook.unit, quarter=outlook.period,
        )  # fmt: skip
        return Note(said, "missing")
    course = _find_course(outlook, float(row["target"]))
    if course is None:
        said = tr("No whole quarter before {quarter} shows how one goes.", quarter=outlook.period)
        return Note(said, "missing")
    title = _title(outlook, course)
    with use_theme():
        return Figure.from_axes(
            plot_pace(course, outlook, width=WIDE),
            narrow=plot_pace(course, outlook, width=NARROW),
            title=title,
            caption=tr(
                "{unit}, {quarter}: bookings as a share of the target ({target}), {wins}. Band: "
                "where the {n} quarters before stood on the way to their own end, lowest to "
                "highest; thin line: their middle.",
                unit=outlook.unit, quarter=outlook.period,
                target=format_money(row["target"], outlook.currency),
                wins=count_things(row["n"], "win", "wins"), n=course.past.shape[1],
            ),
            alt=tr(
                "Line of bookings by week of {quarter} over a band of {n} past quarters. {title}.",
                quarter=outlook.period, n=course.past.shape[1], title=title,
            ),
            how_to_read=tr(
                "Quarters are not straight lines: much closes in the last weeks. A line inside the "
                "band goes as past quarters went to an end of 100% of this target; below the band "
                "no past quarter made up as much. Weeks are five working days, counted from the "
                "quarter's end."
            ),
            numbers=_numbers(course),
            anchor=PACE_ANCHOR,
        )  # fmt: skip


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
    said = {"unit": outlook.unit, "quarter": outlook.period, "share": format_share(last)}
    if outlook.is_over:
        return tr("{unit} ended {quarter} at {share} of its target", **said)
    said |= {"low": format_share(band.min()), "high": format_share(band.max())}
    if last < band.min():
        return tr(
            "{unit} has {share} of its {quarter} target, below the {low} to {high} that past "
            "quarters had of their end by now",
            **said,
        )
    if last > band.max():
        return tr(
            "{unit} has {share} of its {quarter} target, above the {low} to {high} that past "
            "quarters had of their end by now",
            **said,
        )
    return tr(
        "{unit} has {share} of its {quarter} target, within the {low} to {high} that past "
        "quarters had of their end by now",
        **said,
    )


def plot_pace(course: _Course, outlook: Outlook, *, width: float) -> Axes:
    """Draw the band of past quarters and the line of this one."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

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
    format_axis(axes.yaxis, format_share, most=4)
    axes.set_xlabel(
        tr("Weeks before the quarter's end (0)")
        if outlook.is_over else tr("Weeks from today (0)")
    )  # fmt: skip
    axes.set_ylabel(tr("Share of target"))
    return axes


def _numbers(course: _Course) -> pd.DataFrame:
    past = course.past
    table = {
        tr("Week"): [str(week) for week in past.index],
        tr("This quarter, of target"): course.now.reindex(past.index).map(_share),
        tr("Past, lowest"): past.min(axis=1).map(_share),
        tr("Past, middle"): past.median(axis=1).map(_share),
        tr("Past, highest"): past.max(axis=1).map(_share),
    }
    return pd.DataFrame(table).reset_index(drop=True)


def _share(value: float) -> str:
    return MISSING if pd.isna(value) else format_share(value)
