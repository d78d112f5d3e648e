import csv
import io
from contextlib import suppress

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_company import OPPORTUNITIES, REPS, import_tables, write_export

from salesnb.errors import DataError, ParameterError, SalesnbError
from salesnb.sources.load import import_snapshot

COLUMNS = ("opportunity_id", "rep_id", "created_on", "closed_on", "is_won", "is_closed", "amount")
CELLS = {
    "opportunity_id": ["o1", "o2", "o3", "NA", "", " o1 ", 'a"b', "x,y", "two\nlines"],
    "rep_id": ["r1", "r2", "r9", "", "NULL"],
    "created_on": ["2026-01-05", "2026-03-01", "", "31.02.2026", "2026-02-30", "1970-01-01"],
    "closed_on": ["2026-02-01", "2026-02-03", "", "soon", "infinity"],
    "is_won": ["true", "false", "1", "no", "", "maybe"],
    "is_closed": ["true", "false", "yes", "0", ""],
    "amount": ["100", "-5", "0", "1,234.5", "", "nan", "inf", "1e400", "12.5.1", "n/a"],
}


@st.composite
def dirty_rows(draw):
    """Rows of opportunities, most of them sound in most cells, some with a cell more or less."""
    rows = []
    for _ in range(draw(st.integers(0, 8))):
        sound = draw(st.lists(st.booleans(), min_size=7, max_size=7))
        row = [
            CELLS[column][0] if good else draw(st.sampled_from(CELLS[column]))
            for column, good in zip(COLUMNS, sound, strict=True)
        ]
        row += draw(st.sampled_from([[], [], [], ["too many"], ["", "x"]]))
        rows.append(row[: draw(st.sampled_from([len(row)] * 5 + [3]))])
    return rows


def try_import(folder, tables, **options):
    """Import, or say what the user is told; no other error passes."""
    try:
        return import_tables(folder, tables, **options), ""
    except SalesnbError as error:
        return None, str(error)


@given(
    rows=dirty_rows(), line_end=st.sampled_from(["\n", "\r\n"]), bom=st.booleans(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), delimiter=st.sampled_from(",;\t"),
)  # fmt: skip
def test_dirty_rows_reconcile_or_are_refused_in_words(
    tmp_path_factory, rows, line_end, bom, quoting, delimiter
):
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=line_end, quoting=quoting, delimiter=delimiter)
    writer.writerows([COLUMNS, *rows])
    content = (b"\xef\xbb\xbf" if bom else b"") + text.getvalue().encode()
    tables = {"reps": REPS, "opportunities": content}
    whole = [row for row in rows if len(row) == len(COLUMNS)]
    snapshot, error = try_import(tmp_path_factory.mktemp("dirty"), tables)
    if snapshot is None:
        assert "opportunities" in error
        return
    load = {table.table: table for table in snapshot.report.tables}["opportunities"]
    refused = snapshot.read_quarantine("opportunities")
    n_unsplit = sum(r.count for r in load.refusals if "cannot be split" in r.reason)
    # the rows are those the csv module wrote, not those DuckDB says it read
    assert load.read == len(rows)
    assert (load.merged, load.accepted + load.refused) == (0, len(rows))
    assert n_unsplit == len(rows) - len(whole)
    assert len(refused) == load.refused
    assert len(snapshot.read("opportunities")) == load.accepted
    assert snapshot.report.check() == "All 2 tables reconcile."
    lines = refused[refused["line"].notna()] if len(refused) else refused
    assert len(lines) == n_unsplit
    for row in refused.drop(lines.index).to_dict("records"):
        original = [cell.strip(" ") for cell in whole[row["row"] - 1]]
        assert row["reason"] == row["all_reasons"][0]
        if (
            not row["reason"].endswith("in reps")
            and "same key" not in row["reason"]
            and ("duplicate" not in row["reason"])
        ):  # rows refused for others are kept as they were read
            assert ["" if pd.isna(row[column]) else row[column] for column in COLUMNS] == original


@given(content=st.lists(st.sampled_from(list('ab1,"\n\r ;é') + ['","', '"\n"']), max_size=25))
def test_any_text_is_read_whole_or_refused_in_words(tmp_path_factory, content):
    body = "".join(content)
    text = "opportunity_id,rep_id,is_won,is_closed\no1,r1,0,0\n" + body
    tables = {"reps": REPS, "opportunities": text}
    snapshot, error = try_import(
        tmp_path_factory.mktemp("any"), tables, company="as_of: 2026-01-31"
    )
    if snapshot is None:
        assert "opportunities.csv" in error
        return
    # either each line counts as a row, or as many rows as Python's csv module finds
    counts = {len(text.rstrip("\n").split("\n")) - 1}
    with suppress(csv.Error):
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        counts.add(sum(bool(row) for row in reader) - 1)
    assert snapshot.report.tables[1].read in counts


def test_a_clean_export_is_accepted_whole(small_snapshot):
    snapshot = small_snapshot()
    assert snapshot.report.finding == "All 5 rows were accepted."
    frame = snapshot.read("opportunities")
    assert list(frame["opportunity_id"]) == ["o1", "o2", "o3"]
    assert frame["amount"].tolist() == [100.0, 50.0, 200.0]
    assert str(frame["closed_on"].iloc[0]) == "2026-02-01"
    assert pd.isna(frame["closed_on"].iloc[2])
    assert frame["stage"].isna().all()
    assert str(snapshot.as_of) == "2026-02-02"
    assert "leads" in snapshot.report.absent
    assert {item.name for item in snapshot.index.originals} == {"reps.csv", "opportunities.csv"}


def test_a_missing_column_is_named_with_table_and_file(small_snapshot):
    with pytest.raises(DataError) as caught:
        small_snapshot({"opportunities": "opportunity_id,rep_id\no1,r1\n"})
    assert (
        "opportunities.csv: opportunities needs 2 more column(s): is_won, is_closed. "
        "Add them to the export or under tables: opportunities: in your mapping."
    ) in str(caught.value)


MAPPING = """
tables:
  reps: [{from: staff, columns: {rep_id: Id, name: Full name}}]
  opportunities:
    - from: deals
      columns: {opportunity_id: Id, rep_id: Owner, is_won: Won, is_closed: Closed}
  accounts: [{from: firms.csv, columns: {account_id: Id}}]
"""


def test_missing_files_and_columns_are_reported_together(tmp_path):
    tables = {"staff": "Id,Name\nr1,Ana\n", "deals": b"", "other": "a\n1\n"}
    with pytest.raises(DataError) as caught:
        import_tables(tmp_path, tables, mapping=MAPPING)
    message = str(caught.value)
    assert "export: 3 problem(s):" in message
    assert "1 file(s) missing (firms); found: deals.csv, other.csv, staff.csv. Export" in message
    assert "staff.csv: 1 column(s) missing ('Full name'); the file has 'Id', 'Name'" in message
    assert "deals.csv: the file is empty. Export it again." in message


def test_without_mapping_too_all_problems_are_reported_together(tmp_path):
    tables = {"reps": "rep_id\nr1\n", "opportunities": b"", "leads": b"\xff\xfe\xff"}
    with pytest.raises(DataError, match=r"3 problem\(s\)") as caught:
        import_tables(tmp_path, tables)
    message = str(caught.value)
    assert "reps.csv: reps needs 1 more column(s): name" in message
    assert "opportunities.csv: the file is empty" in message
    assert "leads.csv: byte 2 is not utf-16" in message


def test_a_required_table_without_a_source_is_named(small_snapshot):
    with pytest.raises(DataError, match="opportunities: the table is required and has no source"):
        small_snapshot({"opportunities": None})


def test_an_export_with_other_names_asks_for_a_preset_or_a_mapping(tmp_path):
    with pytest.raises(DataError, match=r"\(found: deals, staff\). Give --preset \(.*maven"):
        import_tables(tmp_path, {"staff": "a\n1\n", "deals": "a\n1\n"})


def test_an_empty_file_is_named(small_snapshot):
    with pytest.raises(DataError, match=r"reps.csv: the file is empty. Export it again."):
        small_snapshot({"reps": b""})


def test_a_required_table_with_a_header_only_has_no_rows(small_snapshot):
    with pytest.raises(DataError, match=r"opportunities.csv: opportunities has no rows. Export"):
        small_snapshot({"opportunities": OPPORTUNITIES.splitlines()[0] + "\n"})


def test_another_table_with_a_header_only_is_there_and_empty(small_snapshot):
    snapshot = small_snapshot({"leads": "lead_id,created_at\n"})
    assert snapshot.has("leads", "created_at")
    assert len(snapshot.read("leads")) == 0


def test_a_required_table_refused_whole_says_why(small_snapshot):
    reps = "rep_id,name,hired_on\nr1,Ana,tomorrow\nr2,,2026-01-01\n"
    with pytest.raises(DataError) as caught:
        small_snapshot({"reps": reps})
    assert "reps.csv: reps all 2 rows were refused: 1 x hired_on is not a date; 1 x name is e" in (
        str(caught.value)
    )


def test_without_any_date_the_day_of_the_data_must_be_given(small_snapshot):
    table = "opportunity_id,rep_id,is_won,is_closed\no1,r1,false,false\n"
    with pytest.raises(DataError, match="opportunities: no row has a date.*or set as_of"):
        small_snapshot({"opportunities": table})
    given_day = small_snapshot({"opportunities": table}, company="as_of: 2026-05-04")
    assert str(given_day.as_of) == "2026-05-04"


def test_the_day_of_the_data_is_that_of_the_last_event_not_of_a_plan(small_snapshot):
    table = OPPORTUNITIES.replace("o3,r2,2026-01-07,,false", "o3,r2,2026-01-07,2026-12-31,false")
    calls = "activity_id,rep_id,kind,started_at\na1,r1,call,2026-02-20 16:00:00\n"
    assert str(small_snapshot({"opportunities": table}).as_of) == "2026-02-02"
    snapshot = small_snapshot({"opportunities": table, "activities": calls})
    assert str(snapshot.as_of) == "2026-02-20"


def test_preset_and_mapping_exclude_one_another(tmp_path):
    with pytest.raises(ParameterError, match="--preset and --mapping: give one"):
        import_snapshot(tmp_path, to=tmp_path / "to", preset="maven", mapping=tmp_path)
    assert not (tmp_path / "to").exists()


def test_one_file_alone_can_be_imported_with_a_mapping(tmp_path):
    export = write_export(tmp_path, {"deals": "Id,Owner\no1,Ana\no2,Ana\n"})
    mapping = tmp_path / "m.yaml"
    mapping.write_text(
        "company: {as_of: 2026-01-31}\n"
        "tables:\n"
        "  reps: [{from: deals, distinct: true, columns: {rep_id: Owner, name: Owner}}]\n"
        "  opportunities:\n"
        "    - from: deals\n"
        "      columns: {opportunity_id: Id, rep_id: Owner, is_won: {constant: 'no'},"
        " is_closed: {constant: 'no'}}\n",
        encoding="utf-8",
    )
    snapshot = import_snapshot(export / "deals.csv", to=tmp_path / "to", mapping=mapping)
    assert [(t.table, t.read, t.merged, t.accepted) for t in snapshot.report.tables] == [
        ("reps", 2, 1, 1), ("opportunities", 2, 0, 2),
    ]  # fmt: skip


def test_files_no_table_is_read_from_are_listed_and_not_opened(small_snapshot, tmp_path):
    assert small_snapshot({"notes": b"\xff"}).report.unused_files == ("notes.csv",)
    mapping = MAPPING.replace("  accounts: [{from: firms.csv, columns: {account_id: Id}}]\n", "")
    mapping += "company: {as_of: 2026-01-31}\n"
    tables = {
        "staff": "Id,Full name\nr1,Ana\n",
        "deals": "Id,Owner,Won,Closed\no1,r1,0,0\n",
        "firms": b"",
    }
    assert import_tables(tmp_path, tables, mapping=mapping).report.unused_files == ("firms.csv",)


def test_strict_refuses_the_import_for_any_row(small_snapshot, tmp_path):
    tables = {"opportunities": OPPORTUNITIES + "o4,r9,2026-01-05,,false,false,x\n"}
    assert small_snapshot(tables).report.refused == 1
    with pytest.raises(DataError) as caught:
        small_snapshot(tables, strict=True, to=tmp_path / "strict")
    assert caught.value.exit_code == 3
    assert (
        "opportunities: 1 x amount is not a number (e.g. x). Correct them, or set `decimal`"
        in str(caught.value)
    )
    assert not (tmp_path / "strict").exists()
    small_snapshot(strict=True)


def test_the_same_export_gives_the_same_bytes(tmp_path, small_snapshot):
    tables = {"opportunities": OPPORTUNITIES + "o1,r1,2026-01-05,2026-02-01,true,true,100\n"}
    first, second = small_snapshot(tables), small_snapshot(tables)
    assert first.folder != second.folder
    assert first.id == second.id
    assert first.index == second.index


@pytest.mark.parametrize(
    "change",
    [
        {"company": "currency: EUR"},
        {"company": "as_of: 2026-06-30"},
        {"tables": {"opportunities": OPPORTUNITIES.replace(",100\n", ",101\n")}},
        {"tables": {"opportunities": OPPORTUNITIES + "o9,r9,,,no,no,\n"}},
        {"tables": {"opportunities": OPPORTUNITIES + "o9,r8,,,no,no,\n"}},
    ],
    ids=["currency", "as_of", "amount", "refused", "refused otherwise"],
)
def test_what_reports_depend_on_changes_the_id(small_snapshot, change):
    others = [small_snapshot(), small_snapshot({"opportunities": OPPORTUNITIES + "o9,r7,,,1,0,\n"})]
    changed = small_snapshot(change.get("tables"), company=change.get("company", ""))
    assert changed.id not in {other.id for other in others}


def test_rows_of_two_blocks_from_one_file_keep_their_order(tmp_path):
    mapping = """
company: {as_of: 2026-01-31}
tables:
  reps: [{from: staff, columns: {rep_id: Id, name: Id}}]
  teams:
    - {from: staff, distinct: true, columns: {team_id: Region, name: Region}}
    - {from: staff, distinct: true, columns: {team_id: Team, name: Team, parent_id: Region}}
  opportunities:
    - from: staff
      columns: {opportunity_id: Id, rep_id: Id, is_won: {constant: '0'}, is_closed: {constant: '0'}}
"""
    rows = "".join(f"p{n},R{n // 4},T{n // 2}\n" for n in range(6))
    snapshot = import_tables(tmp_path, {"staff": "Id,Region,Team\n" + rows}, mapping=mapping)
    assert list(snapshot.read("teams")["team_id"]) == ["R0", "R1", "T0", "T1", "T2"]
    teams = snapshot.report.tables[1]
    # 6 rows are 2 regions, and once more 6 are 3 teams
    assert (teams.read, teams.merged, teams.accepted, teams.refused) == (12, 7, 5, 0)


def test_aliases_are_counted_and_resolve(tmp_path):
    mapping = """
company: {as_of: 2026-01-31}
aliases: {products: {GTXPro: GTX Pro}, reps: {Annie: Ana}}
tables:
  reps: [{from: staff, columns: {rep_id: Name, name: Name}}]
  products: [{from: goods, columns: {product_id: Name}}]
  opportunities:
    - from: deals
      columns: {opportunity_id: Id, rep_id: Owner, product_id: Product,
                is_won: {constant: '0'}, is_closed: {constant: '0'}}
"""
    tables = {
        "staff": "Name\nAna\n",
        "goods": "Name\nGTX Pro\n",
        "deals": "Id,Owner,Product\n1,Ana,GTXPro\n2,Annie,GTX Pro\n3,Annie,GTXPro\n4,Ana,Other\n",
    }
    snapshot = import_tables(tmp_path, tables, mapping=mapping)
    assert snapshot.report.resolved == (
        "opportunities: 2 rows with rep_id 'Annie' read as 'Ana'.",
        "opportunities: 2 rows with product_id 'GTXPro' read as 'GTX Pro'.",
    )
    assert list(snapshot.read("opportunities")["product_id"]) == ["GTX Pro"] * 3 + ["Other"]
    assert [str(warning) for warning in snapshot.report.warnings] == [
        "opportunities: 'product_id' has 1 values unknown in products (e.g. 'Other'). "
        "Add an alias under aliases: products: in your mapping.",
    ]


def test_opportunities_without_a_creation_date_are_warned_of(small_snapshot):
    table = OPPORTUNITIES.replace("o2,r1,2026-01-06", "o2,r1,")
    (warning,) = small_snapshot({"opportunities": table}).report.warnings
    assert str(warning) == (
        "opportunities: 33% of opportunities (1 of 3) have no created_on. They are in no cohort of "
        "created opportunities and have no sales cycle. KPIs: close_rate, cycle_days. Fill "
        "created_on in the CRM and export again."
    )


def test_a_second_import_tells_what_changed_and_a_third_of_the_same_still_does(tmp_path):
    to = tmp_path / "to"
    tables = {"reps": REPS, "opportunities": OPPORTUNITIES}
    first = import_tables(tmp_path, tables, to=to)
    assert (first.report.compared_with, first.report.drift) == ("", ())
    tables["opportunities"] = pd.read_csv(io.StringIO(OPPORTUNITIES)).drop(columns="amount")
    second = import_tables(tmp_path, tables, to=to)
    assert second.report.compared_with == first.id
    assert [str(notice) for notice in second.report.drift] == [
        "opportunities: Column amount is gone; the import before had it. What is made from it is "
        "left out of all reports. KPIs: bookings, quota_attainment, deal_size, pipeline_created, "
        "pipeline_coverage. Export it again, or correct its name in your mapping."
    ]
    third = import_tables(tmp_path, tables, to=to).report
    assert third.model_dump() == second.report.model_dump()


def test_an_import_into_a_folder_whose_snapshot_is_broken_compares_with_nothing(tmp_path):
    to = tmp_path / "to"
    tables = {"reps": REPS, "opportunities": OPPORTUNITIES}
    import_tables(tmp_path, tables, to=to)
    (to / "snapshot.json").write_text("{}")
    assert import_tables(tmp_path, tables, to=to).report.compared_with == ""


def test_ragged_lines_are_counted_by_reason_and_reconcile(small_snapshot):
    table = OPPORTUNITIES + "o4,r1,2026-01-05\no5,r1,2026-01-05,,0,0,7,8\no6,r1\n"
    report = small_snapshot({"opportunities": table}).report
    refusals = [(r.reason, r.count, r.examples) for r in report.tables[1].refusals]
    assert refusals == [
        ("line cannot be split: missing columns", 2, ("line 5: o4,r1,2026-01-05", "line 7: o6,r1")),
        ("line cannot be split: too many columns", 1, ("line 6: o5,r1,2026-01-05,,0,0,7,8",)),
    ]
    assert (report.tables[1].read, report.tables[1].accepted) == (6, 3)


def test_ragged_lines_count_once_for_each_block_that_reads_the_file(tmp_path):
    mapping = """
company: {as_of: 2026-01-31}
tables:
  reps: [{from: all, distinct: true, columns: {rep_id: Owner, name: Owner}}]
  opportunities:
    - from: all
      columns: {opportunity_id: Id, rep_id: Owner, is_won: {constant: '0'},
                is_closed: {constant: '0'}}
"""
    snapshot = import_tables(tmp_path, {"all": "Id,Owner\n1,a\n2\n3,b\n4,a\n"}, mapping=mapping)
    counts = [(t.table, t.read, t.merged, t.accepted, t.refused) for t in snapshot.report.tables]
    assert counts == [("reps", 4, 1, 2, 1), ("opportunities", 4, 0, 3, 1)]


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path):
    home = tmp_path / "team_id=t9" / "name=x [1] *"
    snapshot = import_tables(home, {"reps": REPS, "opportunities": OPPORTUNITIES})
    assert list(snapshot.read("reps")["name"]) == ["Ana", "Ben"]
    assert set(snapshot.index.tables["reps"].columns) == {"rep_id", "name"}


def test_a_parquet_table_needs_no_text(tmp_path):
    frame = pd.DataFrame(
        {
            "opportunity_id": ["o1", "o2"],
            "rep_id": ["r1", "r1"],
            "created_on": pd.to_datetime(["2026-01-05 23:59", "2026-01-06 00:00"]),
            "closed_on": pd.to_datetime(["2026-02-01", None]),
            "is_won": [True, False],
            "is_closed": [True, False],
            "amount": [1234567.25, None],
        }
    )
    export = write_export(tmp_path / "export", {"reps": REPS})
    frame.to_parquet(export / "opportunities.parquet")
    snapshot = import_snapshot(export, to=tmp_path / "snapshot")
    read = snapshot.read("opportunities")
    assert read["amount"].iloc[0] == 1234567.25
    assert pd.isna(read["amount"].iloc[1])
    assert [str(day) for day in read["created_on"]] == ["2026-01-05", "2026-01-06"]
    assert list(read["is_won"]) == [True, False]


def test_a_parquet_file_cut_short_is_refused(tmp_path):
    export = write_export(tmp_path / "export", {"reps": REPS})
    path = export / "opportunities.parquet"
    pd.DataFrame({"opportunity_id": [f"o{n}" for n in range(10)]}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="opportunities.parquet: is not a Parquet file"):
        import_snapshot(export, to=tmp_path / "snapshot")
