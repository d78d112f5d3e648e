"""A training plan as files to work with: CSV for systems, a workbook, a calendar for people."""

from __future__ import annotations

import datetime as dt
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from salesnb.analysis.plan import TrainingPlan, skill_importance, training_plan
from salesnb.analysis.profiles import skill_profiles
from salesnb.errors import ParameterError, SalesnbError
from salesnb.language import language, tr
from salesnb.params import RunParams
from salesnb.publish.files import make_private_folder, write_bytes_whole
from salesnb.publish.plan import choose_for, load_for, settle

if TYPE_CHECKING:
    from icalendar import Event

_UNSEEN = r"[\s\x00-\x1f\x7f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*"
_FORMULA = re.compile(rf"[\t\r\n]|{_UNSEEN}[=+\-@＝＋－＠]")
_NEXT_CELL = re.compile(rf"([;\t\r\n])(?={_UNSEEN}[=+\-@＝＋－＠])")
"""Where a spreadsheet that parts cells by semicolons or tabs would begin one with a formula."""
_WIDEST = 60


def plan_company(params: RunParams) -> TrainingPlan:
    """Plan the whole company's courses within a batch's budget and hours.

    Raises
    ------
    ParameterError
        The quarter is outside the data, or the batch tells of teams only.
    DataError
        The snapshot is missing or not whole.
    """
    if params.privacy == "team_only":
        raise ParameterError(
            "privacy: a training plan says who takes which course, which team_only does not tell. "
            "Set `privacy:` to named or pseudonyms."
        )
    params = settle(params)
    measures = load_for(params, choose_for(params))
    profiles = skill_profiles(measures, period=params.quarter)
    importance = skill_importance(measures, period=params.quarter)
    return training_plan(
        profiles, importance, measures, budget=params.plan.budget, hours=params.plan.hours
    )


def write_plan(plan: TrainingPlan, folder: str | Path) -> tuple[Path, ...]:
    """Write the plan into a folder, which is made where there is none.

    `training_plan.csv`, `training_left_out.csv`, `training_classes.csv`,
    `training_comparison.csv`, `training_plan.xlsx` with all of them as sheets, and
    `training_classes.ics`, a calendar (RFC 5545) of the classes and of the days by which new
    ratings are due. Only their owner can read them, and no text is run as a formula by a
    spreadsheet.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    SalesnbError
        There is no plan, or a file cannot be written.
    """
    if plan.lacking or plan.conflict:
        raise SalesnbError(f"training plan: nothing to write. {plan.finding}")
    home = Path(folder)
    try:
        make_private_folder(home)
    except OSError as error:
        raise SalesnbError(
            f"{home}: cannot be made ({error.strerror or error}). Name another folder."
        ) from error
    tables = {
        "training_plan": plan.lines,
        "training_left_out": plan.left_out,
        "training_classes": plan.sessions,
        "training_comparison": plan.comparison,
    }
    safe = {name: neutralise(frame) for name, frame in tables.items()}
    written = []
    for name, frame in safe.items():
        closed = frame.map(_close)
        content = closed.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\r\n")
        # the mark lets Excel read names as UTF-8
        written.append(home / f"{name}.csv")
        write_bytes_whole(written[-1], content.encode("utf-8-sig"))
    written.append(home / "training_plan.xlsx")
    write_bytes_whole(written[-1], _write_workbook(safe))
    written.append(home / "training_classes.ics")
    write_bytes_whole(written[-1], _write_calendar(plan))
    return tuple(written)


def neutralise(frame: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before texts that a spreadsheet would run as a formula.

    What it does not show, or drops, before the sign does not hide it. Numbers and days are left
    as they are.

    >>> neutralise(pd.DataFrame({"name": ["=1+1", "Ann"], "gain": [-1.0, 2.0]}))
        name  gain
    0  '=1+1  -1.0
    1    Ann   2.0
    """
    return frame.map(_quote)


def _quote(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _close(value: object) -> object:
    """Quote what would be a formula if a text were cut into cells."""
    return _NEXT_CELL.sub(r"\1'", value) if isinstance(value, str) else value


def _write_workbook(tables: dict[str, pd.DataFrame]) -> bytes:
    from openpyxl.utils import get_column_letter  # slow to import

    stream = io.BytesIO()
    with pd.ExcelWriter(stream, engine="openpyxl", datetime_format="YYYY-MM-DD") as writer:
        for name, frame in tables.items():
            frame.map(_without_controls).to_excel(writer, sheet_name=name, index=False)
            sheet = writer.sheets[name]
            sheet.freeze_panes = "A2"
            sheet.auto_filter.ref = sheet.dimensions
            for number, column in enumerate(frame.columns, start=1):
                longest = max([len(str(column)), *frame[column].astype(str).str.len()])
                width = min(longest + 2, _WIDEST)
                sheet.column_dimensions[get_column_letter(number)].width = width
    return stream.getvalue()


def _write_calendar(plan: TrainingPlan) -> bytes:
    """Write a day, or days, per class, with who is in it, and per day of new ratings."""
    from icalendar import Calendar  # slow to import

    calendar = Calendar()
    calendar.add("prodid", f"-//salesnb//training plan//{language().upper()}")
    calendar.add("version", "2.0")
    lines = plan.lines[plan.lines["session"] != ""]
    for row in plan.sessions.to_dict("records"):
        members = lines.loc[lines["session"] == row["session"], "unit"]
        days = (row["starts_on"].date(), row["ends_on"].date())
        calendar.add_component(_make_event(plan, row["session"], row["course"], members, days))
    for day in sorted(set(lines["check_on"].dropna())):
        due = lines.loc[lines["check_on"] == day, "unit"]
        key, what = f"check-{day:%Y%m%d}", tr("New ratings due: did training help?")
        calendar.add_component(_make_event(plan, key, what, due, (day.date(), day.date())))
    content: bytes = calendar.to_ical()
    return content


def _make_event(
    plan: TrainingPlan, key: str, summary: str, people: pd.Series[str],
    days: tuple[dt.date, dt.date],
) -> Event:  # fmt: skip
    """Make an event of whole days; the same plan gives the same one, so calendars replace it."""
    from icalendar import Event

    event = Event()
    event.add("uid", f"{plan.period}-{key}@salesnb")
    # a stamp is required; that of the plan's first day, since the same plan is the same file
    event.add("dtstamp", dt.datetime.combine(plan.starts_on, dt.time(), tzinfo=dt.UTC))
    event.add("summary", str(_without_controls(summary)))
    names = ", ".join(sorted(set(people)))
    event.add("description", str(_without_controls(names)))
    event.add("dtstart", days[0])
    event.add("dtend", days[1] + dt.timedelta(days=1))
    return event


def _without_controls(value: object) -> object:
    """Drop characters that a workbook cannot hold."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    return ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
