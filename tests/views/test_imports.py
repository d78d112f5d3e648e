"""What the data quality report makes of a LoadReport."""

import pytest
from made_company import make_measures

from salesnb.sources.notices.notice import Notice
from salesnb.sources.report import LoadReport, Refusal, TableLoad
from salesnb.views import (
    load_drift,
    load_headlines,
    load_notes,
    load_table,
    load_warnings,
    refusals_table,
)

REFUSAL = Refusal(reason="rep_id is empty", count=2, examples=("o1", "o2"), action="Fill.")
LOAD = TableLoad(
    table="opportunities", files=("o.csv",), read=10, merged=0, accepted=8, refusals=(REFUSAL,)
)
CLEAN = LOAD.model_copy(update={"read": 8, "refusals": ()})
LATE = Notice(table="leads", what="The last lead is old.", effect="Too low.", kpis=("leads",))
EMPTY = Notice(
    table="opportunities", what="14% have no amount.", effect="In no sum.",
    kpis=("bookings", "deal_size"), action="Fill <amount>.",
)  # fmt: skip
GONE = Notice(table="targets", what="The table is gone.", kpis=("quota_attainment",))
ROWS = [("A1", "A", "2026Q2", "win_rate", 1.0, 2.0, 2.0, float("nan"), float("nan"))]


@pytest.fixture
def measures():
    return make_measures(ROWS, kpis=("win_rate",))


def report(**changes):
    return LoadReport(**{"tables": (LOAD,), "warnings": (LATE, EMPTY), **changes})


def test_remarks_stand_under_their_tables_with_labels_of_kpis():
    block = load_warnings(report())
    assert block.title == "2 things to know before you trust the KPIs"
    assert [name for name, _ in block.groups] == ["opportunities", "leads"]
    html = block.render_html()
    assert (
        "<dt>opportunities</dt><dd><ul><li><b>14% have no amount.</b> In no sum."
        "<small>Touches: Bookings, Deal size.</small><small>To do: Fill &lt;amount&gt;.</small>"
        "</li></ul></dd>"
    ) in html
    assert block.render_text().splitlines()[1:] == [
        "opportunities: 14% have no amount. In no sum. Touches: Bookings, Deal size. To do: Fill "
        "<amount>.",
        "leads: The last lead is old. Too low. Touches: Leads.",
    ]


def test_what_changed_names_the_snapshot_it_was_compared_with():
    block = load_drift(report(drift=(GONE,), compared_with="0a1b2c"))
    assert block.title == "1 thing changed since the last import"
    assert "snapshot 0a1b2c" in block.caption
    same = load_drift(report(compared_with="0a1b2c")).render_text()
    assert same == "Note: Nothing changed since the last import but for new rows of new days."
    assert "first import" in load_drift(report()).render_text()


def test_headlines_lead_to_what_they_count(measures):
    items = load_headlines(report(drift=(GONE,), compared_with="0a1b"), measures).items
    assert [(item.text, item.anchor) for item in items] == [
        ("2 of 10 rows were refused and put in quarantine.", "refusals"),
        ("2 things to know before you trust the KPIs.", "warnings"),
        ("1 thing changed since the last import.", "drift"),
    ]
    assert items[1].why == "14% have no amount. The last lead is old."  # most KPIs first
    anchors = {
        block.anchor
        for block in (
            load_warnings(report()), load_drift(report(drift=(GONE,), compared_with="0a1b")),
            load_table(report()), refusals_table(report()),
        )
    }  # fmt: skip
    assert {item.anchor for item in items} <= anchors


def test_a_clean_first_import_is_said_to_be_one(measures):
    clean = LoadReport(tables=(CLEAN,))
    (item,) = load_headlines(clean, measures).items
    assert (item.text, item.anchor) == ("All 8 rows were accepted.", "load")
    assert load_warnings(clean).render_text() == "Note: Nothing that was accepted looks odd."
    assert refusals_table(clean).render_text() == "Note: No row was refused."
    assert "every file was used" in load_notes(clean).render_text()


def test_notes_list_the_rest():
    block = load_notes(report(resolved=("3 read",), absent=("skills",), unused_files=("x.csv",)))
    assert block.rows == (
        ("Resolved by the mapping", "3 read"),
        ("File not used", "x.csv"),
        ("Table absent", "skills"),
    )
