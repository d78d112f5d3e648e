import csv
import datetime as dt
import re
import stat

import pandas as pd
import pytest
from icalendar import Calendar
from openpyxl import load_workbook
from planned_company import course, make_company, make_importance, make_profiles

from salesnb.analysis.plan import training_plan
from salesnb.errors import ParameterError, SalesnbError
from salesnb.params import RunParams
from salesnb.publish.handout import neutralise, plan_company, write_plan

HOSTILE = '=HYPERLINK("http://x",1)'


def plan(*, courses=None, name=HOSTILE):
    scores = {("A0", "listening"): 2.0, ("A1", "listening"): 2.0}
    courses = [course("listening", seats=1)] if courses is None else courses
    return training_plan(
        make_profiles(scores, names={"A0": name, "A1": name}), make_importance(),
        make_company(("A0", "A1", "B0"), courses=courses),
    )  # fmt: skip


def test_files_hold_the_plan_and_no_formula(tmp_path):
    made = plan()
    written = write_plan(made, tmp_path / "new")
    assert [path.name for path in written] == [
        "training_plan.csv", "training_left_out.csv", "training_classes.csv",
        "training_comparison.csv", "training_plan.xlsx", "training_classes.ics",
    ]  # fmt: skip
    for path in written:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with written[0].open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(made.lines) == 1
    assert rows[0]["unit"] == f"'{HOSTILE}"
    assert float(rows[0]["gain"]) == pytest.approx(made.lines["gain"].iloc[0])
    assert rows[0]["starts_on"] == f"{made.lines['starts_on'].iloc[0]:%Y-%m-%d}"
    book = load_workbook(written[-2])
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert len(book.sheetnames) == 4
    assert {cell.data_type for cell in cells} <= {"s", "n", "d", "b"}
    assert f"'{HOSTILE}" in {cell.value for cell in cells}


@pytest.mark.parametrize("text", [
    "=1", "+1", "-1", "@x", "\tx", "\rx", " =1", "\n=1", "\x00=1", "\ufeff=1", "\u200b@x",
    "\u202e=1", "\u00a0+1", "＝1", "－1",
])  # fmt: skip
def test_what_a_spreadsheet_would_run_is_quoted(text):
    assert neutralise(pd.DataFrame({"a": [text]}))["a"].iloc[0] == f"'{text}"


def test_no_text_becomes_a_formula_where_cells_are_parted_otherwise(tmp_path):
    written = write_plan(plan(name="Ann;=1+1;\t -2; fine"), tmp_path)
    text = written[0].read_text(encoding="utf-8-sig")
    assert "Ann;'=1+1;'\t' -2; fine" in text
    for line in text.splitlines():
        assert not any(re.match(r"\s*[=+@-][^\d.]", cell) for cell in re.split("[;\t]", line))


def test_a_control_character_does_not_hide_a_formula_in_the_workbook(tmp_path):
    write_plan(plan(name="\x00=1+1"), tmp_path)
    sheet = load_workbook(tmp_path / "training_plan.xlsx")["training_plan"]
    assert (sheet["B2"].value, sheet["B2"].data_type) == ("'=1+1", "s")


def test_numbers_stay_numbers():
    frame = pd.DataFrame({"a": [-1.5, 2.0], "b": ["Ann-Marie", None]})
    pd.testing.assert_frame_equal(neutralise(frame), frame)


def test_calendar_has_each_class_and_the_day_of_new_ratings(tmp_path):
    made = plan(name="Ann; Bo,\nBEGIN:VEVENT")
    first = write_plan(made, tmp_path / "a")[-1].read_bytes()
    assert first == write_plan(made, tmp_path / "b")[-1].read_bytes()
    events = Calendar.from_ical(first).walk("VEVENT")
    assert len(events) == len(made.sessions) + 1
    of_class = made.sessions.iloc[0]
    found = events[0]
    assert found.decoded("dtstart") == of_class["starts_on"].date()
    last_day = found.decoded("dtend") - dt.timedelta(days=1)
    assert last_day == of_class["ends_on"].date()
    assert found["summary"] == of_class["course"]
    assert found["description"] == "Ann; Bo,\nBEGIN:VEVENT"
    assert events[1].decoded("dtstart") == made.lines["check_on"].iloc[0].date()
    assert len({event["uid"] for event in events}) == len(events)


def test_control_characters_do_not_break_the_workbook(tmp_path):
    write_plan(plan(name="a\x00b\x0b"), tmp_path)
    sheet = load_workbook(tmp_path / "training_plan.xlsx")["training_plan"]
    assert sheet["B2"].value == "ab"


def test_a_plan_is_not_written_where_only_teams_are_told_of():
    params = RunParams(snapshot="", quarter="2026Q3", privacy="team_only")
    with pytest.raises(ParameterError, match="privacy: a training plan says who takes which"):
        plan_company(params)


def test_no_plan_is_not_written(tmp_path):
    with pytest.raises(SalesnbError, match="nothing to write"):
        write_plan(plan(courses=[]), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SalesnbError, match="cannot be made"):
        write_plan(plan(), tmp_path / "file" / "folder")
