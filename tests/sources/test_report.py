import io
import json

import pytest
from pydantic import ValidationError
from rich.console import Console
from small_company import OPPORTUNITIES

from salesnb.errors import DataError
from salesnb.sources.notices.notice import Notice
from salesnb.sources.report import LoadReport, Refusal, TableLoad

REFUSALS = (
    Refusal(reason="closed before created", count=3, examples=("o1", "o2"), action="Correct."),
    Refusal(reason="rep_id is empty", count=1, examples=("o3",), action="Fill."),
)
DEALS = TableLoad(
    table="opportunities", files=("deals.csv",), read=1210, merged=6, accepted=1200,
    refusals=REFUSALS,
)  # fmt: skip
ODD = Notice(table="leads", what="[red]2 values[/red] are odd.", kpis=("leads",))
LATE = Notice(table="opportunities", what="3 are late.", effect="So.", action="Do.")
GONE = Notice(table="activities", what="The table is gone.", action="Export it again.")
REPS = TableLoad(table="reps", files=("reps.csv",), read=9, merged=0, accepted=9, refusals=())


def shown(report):
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(report)
    return console.export_text()


def test_rows_read_are_merged_accepted_or_refused():
    report = LoadReport(tables=(REPS, DEALS))
    assert report.check() == "All 2 tables reconcile."
    assert (report.accepted, report.refused) == (1209, 4)
    assert report.finding == "4 of 1,213 rows were refused and put in quarantine."
    assert LoadReport(tables=(REPS,)).finding == "All 9 rows were accepted."


@pytest.mark.parametrize("change", [{"read": 1211}, {"merged": 5}, {"refusals": REFUSALS[:1]}])
def test_a_row_unaccounted_for_is_an_error(change):
    lost = DEALS.model_copy(update=change)
    assert not lost.reconciles
    with pytest.raises(DataError, match=r"rows do not reconcile in opportunities\."):
        LoadReport(tables=(REPS, lost)).check()


def test_as_frames_there_is_a_row_a_table_and_a_row_a_reason():
    report = LoadReport(tables=(REPS, DEALS))
    assert report.to_frame().to_dict("records") == [
        {
            "table": "reps",
            "read": 9,
            "left_out": 0,
            "merged": 0,
            "superseded": 0,
            "accepted": 9,
            "refused": 0,
        },
        {
            "table": "opportunities",
            "read": 1210,
            "left_out": 0,
            "merged": 6,
            "superseded": 0,
            "accepted": 1200,
            "refused": 4,
        },
    ]
    reasons = report.refusals_frame()
    assert reasons["rows"].sum() == report.refused
    assert reasons.iloc[0].to_dict() == {
        "table": "opportunities", "reason": "closed before created", "rows": 3,
        "examples": "o1, o2", "action": "Correct.",
    }  # fmt: skip
    assert list(LoadReport(tables=(REPS,)).refusals_frame().columns) == list(reasons.columns)


def test_everything_is_shown_and_nothing_read_as_markup():
    report = LoadReport(
        tables=(REPS, DEALS), warnings=(ODD, LATE), drift=(GONE,), resolved=("3 read",),
        absent=("leads",), unused_files=("notes[1].csv",),
    )  # fmt: skip
    text = shown(report)
    for part in (
        report.finding, "closed before created", "o1, o2", "Correct.", "1,200",
        ODD.text, LATE.text, GONE.text, "3 read", "trust the KPIs (2)",
        "the last import (1)", "does not have: leads", "used: notes[1].csv",
    ):  # fmt: skip
        assert part in text
    brief = shown(LoadReport(tables=(REPS,)))
    assert "All 9 rows" in brief
    assert not {"trust", "changed", "Resolved", "reason", "used"} & set(brief.split())


def test_warnings_stand_under_their_tables_in_the_models_order():
    lines = [line.strip() for line in shown(LoadReport(tables=(REPS,), warnings=(ODD, LATE, ODD)))
             .splitlines()]  # fmt: skip
    at = lines.index("What to know before you trust the KPIs (3)")
    assert lines[at + 1 : at + 6] == [
        "opportunities", f"- {LATE.text}", "leads", f"- {ODD.text}", f"- {ODD.text}",
    ]  # fmt: skip


def test_as_json_it_is_read_back_as_it_was():
    report = LoadReport(tables=(DEALS,), warnings=(ODD,), drift=(GONE,), compared_with="0a1b")
    text = report.to_json()
    assert LoadReport.model_validate_json(text) == report
    parsed = json.loads(text)
    assert parsed["drift"] == [
        {"table": "activities", "what": "The table is gone.", "effect": "", "kpis": [],
         "action": "Export it again."}
    ]  # fmt: skip
    assert parsed["tables"][0]["refusals"][1]["count"] == 1


def test_a_report_is_kept_with_its_snapshot_as_it_was_made(small_snapshot):
    report = small_snapshot({"opportunities": OPPORTUNITIES + "o1,r1,,,0,0\n,,,,,,\n"}).report
    assert report.check() == "All 2 tables reconcile."
    assert LoadReport.model_validate_json(report.model_dump_json()) == report
    with pytest.raises(ValidationError, match="frozen"):
        report.tables = ()
