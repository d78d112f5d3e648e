"""Importing the next month gives what importing everything gives, and re-checks only the new."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_company import write_export

from salesnb.errors import DataError, ParameterError
from salesnb.schema import TABLES
from salesnb.sources.load import import_snapshot
from salesnb.sources.snapshot import open_snapshot

REPS = "rep_id,name\n"
DEALS = "opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount\n"
CALLS = "activity_id,rep_id,kind,started_at,opportunity_id\n"


def contents(snapshot):
    """Everything a snapshot says and holds; how Parquet packs the rows does not count."""
    index = open_snapshot(snapshot.folder).index.model_dump()
    del index["report"]["drift"], index["report"]["compared_with"]  # of the folder's past
    for table in [*index["tables"].values(), *index["quarantine"].values()]:
        for file in table["files"]:
            del file["sha256"], file["bytes"]
    frames = {
        (kind, table): read(table).astype(str).to_dict("list")
        for table in TABLES
        for kind, read in (("good", snapshot.read), ("refused", snapshot.read_quarantine))
    }
    return index, frames


def whole_and_step_by_step(home, months):
    """Import months of tables at once, and one after the other."""
    for month, tables in months.items():
        write_export(home / "all" / month, tables)
    whole = import_snapshot(home / "all", to=home / "whole")
    for number, month in enumerate(months):
        step = import_snapshot(home / "all" / month, to=home / "steps", append=number > 0)
    return whole, step


def test_the_next_month_gives_what_everything_gives(tmp_path):
    months = {
        "2026-01": {
            "reps": REPS + "r1,Ana\nr2,Ben\n",
            "opportunities": DEALS
            + "o1,r1,2026-01-05,,false,false,10\n"  # closes in February
            + "o2,r3,2026-01-06,,false,false,20\n"  # its owner comes in February
            + "o3,r1,2026-01-07,,maybe,false,30\n"
            + "o4,r1,2026-01-08,,false,false,40\no4,r1,2026-01-08,,false,false,40\n",
            "activities": CALLS + "a1,r3,call,2026-01-09,o1\na2,r1,call,2026-01-09,\n",
        },
        "2026-02": {
            "reps": REPS + "r1,Ana Maria\nr3,Cem\n",
            "opportunities": DEALS
            + "o1,r1,2026-01-05,2026-02-02,true,true,11\n"
            + "o5,r2,2026-02-03,,false,false,50\n"
            + "o6,r9,2026-02-04,,false,false,60\n",
        },
        "2026-03": {
            "reps": REPS + "r9,Dua\n",
            "opportunities": DEALS + "o5,r2,2026-02-03,2026-03-03,false,true,50\n",
            "activities": CALLS + "a3,r9,call,2026-03-09,o5\n",
        },
    }
    whole, step = whole_and_step_by_step(tmp_path, months)
    assert contents(step) == contents(whole)
    deals = step.read("opportunities").set_index("opportunity_id")["amount"].to_dict()
    assert deals == {"o2": 20, "o4": 40, "o1": 11, "o6": 60, "o5": 50}
    names = step.read("reps").set_index("rep_id")["name"].to_dict()
    assert names == {"r2": "Ben", "r1": "Ana Maria", "r3": "Cem", "r9": "Dua"}
    assert list(step.read("activities")["activity_id"]) == ["a1", "a2", "a3"]
    counts = {t.table: (t.read, t.superseded, t.accepted, t.refused) for t in step.report.tables}
    assert counts == {
        "reps": (5, 1, 4, 0), "opportunities": (9, 2, 5, 2), "activities": (3, 0, 3, 0),
    }  # fmt: skip
    assert step.report.check() == "All 3 tables reconcile."


ROW = st.tuples(
    st.sampled_from(["o1", "o2", "o3", "o4", "o5", ""]),
    st.sampled_from(["r1", "r2", "r3", "r4"]),
    st.sampled_from(["2026-01-05", "soon"]),
    st.sampled_from(["10", "1,000", "x", "7"]),
)
MONTH = st.fixed_dictionaries(
    {"reps": st.lists(st.sampled_from(["r1,A", "r2,B", "r3,C", "r1,Z", "r4,"]), max_size=3),
     "opportunities": st.lists(ROW, max_size=6)}
)  # fmt: skip


def written(month):
    rows = [f'{key},{rep},{day},,no,no,"{amount}"\n' for key, rep, day, amount in
            month["opportunities"]]  # fmt: skip
    return {
        "reps": REPS + "".join(f"{rep}\n" for rep in [*month["reps"], "always,X"]),
        "opportunities": DEALS + "always,always,2026-01-01,,no,no,1\n" + "".join(rows),
    }


@settings(max_examples=12)
@given(months=st.lists(MONTH, min_size=2, max_size=4))
def test_whatever_the_months_hold_both_ways_agree(tmp_path_factory, months):
    home = tmp_path_factory.mktemp("months")
    named = {f"2026-{number:02}": written(month) for number, month in enumerate(months, start=1)}
    whole, step = whole_and_step_by_step(home, named)
    assert contents(step) == contents(whole)
    assert step.report.check() == "All 2 tables reconcile."
    n_lines = sum(len(tables["opportunities"].splitlines()) - 1 for tables in named.values())
    assert step.report.tables[1].read == n_lines


def inodes(snapshot, table):
    return {path.name: path.stat().st_ino for path in snapshot.paths(table)}


def test_what_did_not_change_is_shared_not_made_again(tmp_path, monkeypatch):
    first = {"reps": REPS + "r1,A\n", "opportunities": DEALS + "o1,r1,2026-01-05,,no,no,1\n"}
    second = {"opportunities": DEALS + "o2,r1,2026-02-05,,no,no,1\n"}
    write_export(tmp_path / "all" / "2026-01", first)
    january = import_snapshot(tmp_path / "all", to=tmp_path / "to")
    kept = {table: inodes(january, table) for table in ("reps", "opportunities")}
    prepared = []
    from salesnb.sources.load import run

    prepare = run.prepare

    def watch(db, work, record, **options):
        prepared.append(record.file)
        return prepare(db, work, record, **options)

    monkeypatch.setattr(run, "prepare", watch)
    write_export(tmp_path / "all" / "2026-02", second)
    for source, append in ((tmp_path / "all" / "2026-02", True), (tmp_path / "all", False)):
        snapshot = import_snapshot(source, to=tmp_path / "to", append=append)
        assert prepared == ["2026-02/opportunities.csv"]
        assert inodes(snapshot, "reps") == kept["reps"]
        assert kept["opportunities"].items() < inodes(snapshot, "opportunities").items()
        assert list(snapshot.read("opportunities")["opportunity_id"]) == ["o1", "o2"]
    assert snapshot.report.reused_parts == 3


def test_a_file_that_is_there_already_changes_nothing(tmp_path):
    tables = {"reps": REPS + "r1,A\n", "opportunities": DEALS + "o1,r1,2026-01-05,,no,no,1\n"}
    export = write_export(tmp_path / "2026-01", tables)
    first = import_snapshot(export, to=tmp_path / "to")
    again = import_snapshot(export, to=tmp_path / "to", append=True)
    assert contents(again) == contents(first)


def test_a_file_that_is_gone_is_gone_from_a_whole_import(tmp_path):
    both = {"reps": REPS + "r1,A\n", "opportunities": DEALS + "o1,r1,2026-01-05,,no,no,1\n"}
    later = {"opportunities": DEALS + "o1,r1,2026-01-05,,no,no,2\n"}
    write_export(tmp_path / "all" / "2026-01", both)
    write_export(tmp_path / "all" / "2026-02", later)
    snapshot = import_snapshot(tmp_path / "all", to=tmp_path / "to")
    assert list(snapshot.read("opportunities")["amount"]) == [2]
    (tmp_path / "all" / "2026-02" / "opportunities.csv").unlink()
    snapshot = import_snapshot(tmp_path / "all", to=tmp_path / "to")
    assert list(snapshot.read("opportunities")["amount"]) == [1]


def test_columns_may_come_later(tmp_path):
    months = {
        "2026-01": {"reps": REPS + "r1,A\n",
                    "opportunities": DEALS + "o1,r1,2026-01-05,,no,no,1\n"},
        "2026-02": {"opportunities": DEALS.replace(",amount", ",source")
                    + "o2,r1,2026-02-05,,no,no,Web\n"},
    }  # fmt: skip
    whole, step = whole_and_step_by_step(tmp_path, months)
    assert contents(step) == contents(whole)
    frame = step.read("opportunities").set_index("opportunity_id")
    assert frame["amount"].dropna().to_dict() == {"o1": 1}
    assert frame["source"].dropna().to_dict() == {"o2": "Web"}


def test_appending_needs_something_to_append_to_and_the_same_mapping(tmp_path):
    export = write_export(tmp_path / "export", {"reps": REPS + "r1,A\n"})
    with pytest.raises(ParameterError, match=r"--append: .*holds no whole snapshot to add to"):
        import_snapshot(export, to=tmp_path / "to", append=True)
    assert not (tmp_path / "to").exists()
    both = {"reps": REPS + "r1,A\n", "opportunities": DEALS + "o1,r1,2026-01-05,,no,no,1\n"}
    import_snapshot(write_export(tmp_path / "both", both), to=tmp_path / "to")
    with pytest.raises(ParameterError, match=r"--append: .*made with another mapping"):
        import_snapshot(export, to=tmp_path / "to", append=True, preset="maven")


def test_an_appended_file_that_cannot_be_read_leaves_the_snapshot(tmp_path):
    both = {"reps": REPS + "r1,A\n", "opportunities": DEALS + "o1,r1,2026-01-05,,no,no,1\n"}
    first = import_snapshot(write_export(tmp_path / "both", both), to=tmp_path / "to")
    broken = write_export(tmp_path / "broken", {"opportunities": b""})
    with pytest.raises(DataError, match=r"opportunities.csv: the file is empty"):
        import_snapshot(broken, to=tmp_path / "to", append=True)
    assert open_snapshot(tmp_path / "to").id == first.id


def test_what_is_looked_up_must_come_with_the_new_files(tmp_path):
    mapping = tmp_path / "m.yaml"
    mapping.write_text(
        "company: {as_of: 2026-06-30}\n"
        "tables:\n"
        "  reps: [{from: users, columns: {rep_id: Id, name: Id}}]\n"
        "  opportunities:\n"
        "    - from: deals\n"
        "      columns: {opportunity_id: Id, rep_id: Owner, is_closed: {constant: 'no'},\n"
        "                is_won: {column: Stage, lookup: {from: stages, key: Id, value: Won}}}\n",
        encoding="utf-8",
    )
    months = {
        "2026-01": {"users": "Id\nr1\n", "stages": "Id,Won\ns1,no\n",
                    "deals": "Id,Owner,Stage\no1,r1,s1\n"},
        "2026-02": {"deals": "Id,Owner,Stage\no2,r1,s1\n"},
        "2026-03": {"stages": "Id,Won\ns1,no\n", "deals": "Id,Owner,Stage\no3,r1,s1\n"},
    }  # fmt: skip
    for month, tables in months.items():
        write_export(tmp_path / month, tables)
    import_snapshot(tmp_path / "2026-01", to=tmp_path / "to", mapping=mapping)
    with pytest.raises(DataError, match=r"column\(s\) missing \(a file 'stages'\)"):
        import_snapshot(tmp_path / "2026-02", to=tmp_path / "to", append=True)
    snapshot = import_snapshot(tmp_path / "2026-03", to=tmp_path / "to", append=True)
    assert snapshot.read("opportunities")["opportunity_id"].tolist() == ["o1", "o3"]
