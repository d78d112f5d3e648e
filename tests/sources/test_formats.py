"""One export, in every format: the same snapshot content."""

import datetime as dt
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import sqlalchemy as sa
from openpyxl import Workbook
from small_company import OPPORTUNITIES, REPS, write_export

from salesnb.cli import main
from salesnb.errors import DataError, ParameterError
from salesnb.sources.load import import_snapshot
from salesnb.sources.readers.databases import PASSWORD
from salesnb.sources.snapshot import open_snapshot

DAY = dt.date
HEADER = ["opportunity_id", "rep_id", "created_on", "closed_on", "is_won", "is_closed", "amount"]
ROWS = [
    ["NA", "r1", DAY(2026, 1, 5), DAY(2026, 2, 1), True, True, 1234.5],
    ["007", "r2", DAY(2026, 1, 6), None, False, False, 200.0],
]
PEOPLE = [["rep_id", "name"], ["r1", "Ana Ö."], ["r2", '=HYPERLINK("x")']]


def check(snapshot):
    """Check that the snapshot holds ROWS and PEOPLE."""
    frame = snapshot.read("opportunities")[HEADER]
    assert frame["opportunity_id"].tolist() == ["NA", "007"]
    assert [str(day) for day in frame["created_on"]] == ["2026-01-05", "2026-01-06"]
    assert str(frame["closed_on"].iloc[0]) == "2026-02-01"
    assert pd.isna(frame["closed_on"].iloc[1])
    assert frame["is_won"].tolist() == [True, False]
    assert frame["amount"].tolist() == [1234.5, 200.0]
    assert snapshot.read("reps")["name"].tolist() == [row[1] for row in PEOPLE[1:]]
    assert snapshot.report.refused == 0
    assert snapshot.report.check()


def workbook(path, sheets):
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
            for cell in sheet[sheet.max_row]:
                cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def test_sheets_of_a_workbook_are_tables(tmp_path):
    sheets = {"reps": PEOPLE, "opportunities": [[], HEADER, ROWS[0], [], ROWS[1]], "Notes": [["x"]]}
    book = workbook(tmp_path / "crm.xlsx", sheets)
    snapshot = import_snapshot(book, to=tmp_path / "to")
    check(snapshot)
    assert snapshot.report.unused_files == ("crm.xlsx, Notes",)
    assert {t.files for t in snapshot.report.tables} == {
        ("crm.xlsx, reps",), ("crm.xlsx, opportunities",)
    }  # fmt: skip


def test_a_workbook_of_one_sheet_is_named_by_its_file(tmp_path):
    workbook(tmp_path / "export" / "reps.xlsx", {"Sheet1": PEOPLE})
    workbook(tmp_path / "export" / "opportunities_2026-01.xlsx", {"Sheet1": [HEADER, ROWS[0]]})
    workbook(tmp_path / "export" / "opportunities_2026-02.xlsx", {"Sheet1": [HEADER, ROWS[1]]})
    check(import_snapshot(tmp_path / "export", to=tmp_path / "to"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "crm.xlsx: the file is empty"),
        (b"PK\x03\x04 no", "crm.xlsx: cannot be read as a workbook"),
        (b"plain text", "crm.xlsx: cannot be read as a workbook"),
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path, content, said):
    path = tmp_path / "crm.xlsx"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        import_snapshot(path, to=tmp_path / "to")


def test_a_workbook_that_unpacks_to_too_much_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("salesnb.sources.readers.excel._LARGEST", 1000)
    path = tmp_path / "crm.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 10_000)
    with pytest.raises(DataError, match=r"crm.xlsx: unpacks to .* Export it as CSV"):
        import_snapshot(path, to=tmp_path / "to")


def test_a_sheet_without_names_is_refused(tmp_path):
    book = workbook(tmp_path / "crm.xlsx", {"reps": [[]], "opportunities": [HEADER]})
    with pytest.raises(DataError, match="crm.xlsx, reps: has no column names"):
        import_snapshot(book, to=tmp_path / "to")


def fill(execute):
    """Make the tables by SQL that every database knows."""
    execute("create table reps (rep_id varchar(9), name varchar(99))")
    execute("insert into reps values ('r1', 'Ana Ö.'), ('r2', '=HYPERLINK(\"x\")')")
    execute(
        "create table opportunities (opportunity_id varchar(9), rep_id varchar(9), created_on date,"
        " closed_on timestamp, is_won boolean, is_closed boolean, amount decimal(12, 2))"
    )
    execute(
        "insert into opportunities values"
        " ('NA', 'r1', '2026-01-05', '2026-02-01 10:00:00', true, true, 1234.50),"
        " ('007', 'r2', '2026-01-06', null, false, false, 200)"
    )


def test_tables_of_a_duckdb_file(tmp_path):
    path = tmp_path / "crm.duckdb"
    with duckdb.connect(path) as db:
        fill(db.execute)
        db.execute("create schema raw; create view raw.notes as select 1 as a")
    snapshot = import_snapshot(path, to=tmp_path / "to")
    check(snapshot)
    assert snapshot.report.unused_files == ("crm.duckdb, raw.notes",)
    again = import_snapshot(path, to=tmp_path / "to")
    assert again.id == snapshot.id
    assert again.report.reused_parts == 2


def test_what_is_no_duckdb_file_is_refused(tmp_path):
    path = tmp_path / "crm.duckdb"
    path.write_bytes(b"plain text" * 1000)
    with pytest.raises(DataError, match="crm.duckdb: cannot be opened as a DuckDB file"):
        import_snapshot(path, to=tmp_path / "to")


def test_any_database_sqlalchemy_knows(tmp_path):
    url = f"sqlite:///{tmp_path / 'crm.sqlite'}"
    with sa.create_engine(url).begin() as connection:
        fill(lambda text: connection.execute(sa.text(text)))
    check(import_snapshot(url, to=tmp_path / "to"))


def test_a_database_is_read_in_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr("salesnb.sources.readers.databases._CHUNK", 7)
    url = f"sqlite:///{tmp_path / 'crm.sqlite'}"
    reps = pd.DataFrame({"rep_id": [f"r{n}" for n in range(100)], "name": "x"})
    deals = pd.DataFrame(
        {"opportunity_id": range(100), "rep_id": reps["rep_id"], "is_won": 0, "is_closed": 0,
         "created_on": "2026-01-05"}
    )  # fmt: skip
    with sa.create_engine(url).begin() as connection:
        reps.to_sql("reps", connection, index=False)
        deals.to_sql("opportunities", connection, index=False)
    snapshot = import_snapshot(url, to=tmp_path / "to")
    assert snapshot.read("opportunities")["opportunity_id"].tolist() == [str(n) for n in range(100)]


def test_databases_that_cannot_be_read_say_what_to_do(tmp_path):
    with pytest.raises(ParameterError, match=r"its driver is not installed.*pip install pg8000"):
        import_snapshot("oracle+nothing://host/db", to=tmp_path / "to")
    with pytest.raises(ParameterError, match=r"\*\*\*@host/db: holds a password. Put it into the"):
        import_snapshot("sqlite://user:secret@host/db", to=tmp_path / "to")
    with pytest.raises(DataError, match=r"user@127.0.0.1:1/db: the database cannot be read"):
        import_snapshot("postgresql+pg8000://user@127.0.0.1:1/db", to=tmp_path / "to")
    with pytest.raises(DataError, match="no file is named like a table of the model"):
        import_snapshot("sqlite://", to=tmp_path / "to")


def find_postgresql():
    """Folder of the newest PostgreSQL server's programs; Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory):
    """Start a PostgreSQL of the tests' own on loopback and give its URL; it asks for PASSWORD."""
    programs = find_postgresql()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        home = Path(folder)
        (home / "password").write_text("secret", encoding="utf-8")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        as_server = {}
        if os.getuid() == 0:  # the server refuses to run as root
            as_server = {"user": "postgres", "group": "postgres", "extra_groups": ()}
            for path in (home, home / "password"):
                shutil.chown(path, "postgres")

        def run(program, *options):
            command = [str(programs / program), *map(str, options)]
            subprocess.run(
                command, check=True, capture_output=True, cwd=home, timeout=60, **as_server
            )

        data = home / "data"
        run("initdb", "-D", data, "-U", "ana", "-A", "scram-sha-256", f"--pwfile={home}/password",
            "--no-sync")  # fmt: skip
        free.close()
        listen = f"-h 127.0.0.1 -p {port} -k {home} -F"
        run("pg_ctl", "-D", data, "-o", listen, "-l", home / "log", "-w", "start")
        try:
            yield f"postgresql+pg8000://ana@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def test_a_real_postgresql(postgresql, tmp_path, monkeypatch):
    monkeypatch.setenv(PASSWORD, "secret")
    engine = sa.create_engine(sa.make_url(postgresql).set(password="secret"))
    with engine.begin() as connection:
        fill(lambda text: connection.execute(sa.text(text)))
        connection.execute(sa.text("create schema raw"))
        connection.execute(sa.text("create view raw.notes as select 1 as a"))
        # more rows than one chunk, and types that need care
        connection.execute(sa.text(
            "create table activities as select 'a' || n as activity_id, 'r1' as rep_id, "
            "'call' as kind, timestamptz '2026-01-05 23:30:00+02' as started_at, "
            "n % 90 as seconds, case when n % 2 = 0 then true end as is_connected "
            "from generate_series(1, 45000) n"
        ))  # fmt: skip
    engine.dispose()
    snapshot = import_snapshot(postgresql, to=tmp_path / "to")
    check(snapshot)
    calls = snapshot.read("activities")
    assert len(calls) == 45_000
    assert calls["activity_id"].is_unique
    assert calls["is_connected"].isna().sum() == 22_500
    assert calls["seconds"].sum() == sum(n % 90 for n in range(1, 45_001))
    assert snapshot.report.unused_files == ("postgres, raw.notes",)
    text = (tmp_path / "to" / "snapshot.json").read_text(encoding="utf-8")
    assert "secret" not in text
    assert "127.0.0.1" not in text


def test_a_postgresql_that_refuses_says_what_to_check(postgresql, tmp_path, monkeypatch):
    monkeypatch.setenv(PASSWORD, "wrong")
    with pytest.raises(DataError, match=rf"cannot be read: .*password.*Check.*{PASSWORD}"):
        import_snapshot(postgresql, to=tmp_path / "to")


def test_parquet_files_of_a_folder(tmp_path):
    export = write_export(tmp_path / "export", {})
    pd.DataFrame(PEOPLE[1:], columns=PEOPLE[0]).to_parquet(export / "reps.parquet")
    folder = export / "opportunities"
    folder.mkdir()
    for number, row in enumerate(ROWS):
        pd.DataFrame([row], columns=HEADER).to_parquet(folder / f"part-{number:05}.snappy.parquet")
    (folder / "_SUCCESS").touch()
    snapshot = import_snapshot(export, to=tmp_path / "to")
    check(snapshot)
    assert len(snapshot.paths("opportunities")) == 2


def test_a_pattern_picks_files(tmp_path):
    lines = OPPORTUNITIES.splitlines(keepends=True)
    write_export(tmp_path / "2026-01", {"reps": REPS, "opportunities": "".join(lines[:2])})
    write_export(tmp_path / "2026-02", {"opportunities": lines[0] + lines[2]})
    write_export(tmp_path / "2025-12", {"opportunities": lines[0] + lines[3]})
    snapshot = import_snapshot(f"{tmp_path}/2026-*/*.csv", to=tmp_path / "to")
    assert snapshot.read("opportunities")["opportunity_id"].tolist() == ["o1", "o2"]


MESSY = """sep=;
"opportunity_id";"rep_id";"created_on";"closed_on";"is_won";"is_closed";"amount"
"NA";"r1";"05.01.2026";"01.02.2026 16:30";"ja";"ja";"1.234,50 €"
"007";"r2";"06.01.2026";"";"nein";"0";"0,2K"
"""
AMERICAN = """opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount
NA,r1,1/5/2026,"2/1/2026, 4:30 PM",1,Yes,"$1,234.50"
007,r2,1/6/26,,0,no,0.2k
x,r1,1/31/2026,,0,no,
"""
SERIAL = """opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount
NA,r1,46027,46054.6875,TRUE,TRUE,1234.5
007,r2,46028,,FALSE,FALSE,2.00E+02
"""


@pytest.mark.parametrize(
    "content",
    [
        ("\ufeff" + MESSY).encode(),
        MESSY.encode("cp1252"),
        ("\ufeff" + MESSY).encode("utf-16-le"),
        MESSY.replace(";", "\t").replace("€", "EUR").encode(),
        AMERICAN.encode(),
        SERIAL.encode(),
    ],
    ids=["bom", "windows", "utf-16", "tabs", "american", "excel serials"],
)
def test_a_csv_written_anyhow_is_one_table(tmp_path, content):
    people = 'rep_id,name\nr1,Ana Ö.\nr2,"=HYPERLINK(""x"")"\n'
    export = write_export(tmp_path / "export", {"reps": people, "opportunities": content})
    snapshot = import_snapshot(export, to=tmp_path / "to")
    frame = snapshot.read("opportunities")
    assert frame["opportunity_id"].tolist()[:2] == ["NA", "007"]
    assert [str(day) for day in frame["created_on"]][:2] == ["2026-01-05", "2026-01-06"]
    assert str(frame["closed_on"].iloc[0]) == "2026-02-01"
    assert frame["is_won"].tolist()[:2] == [True, False]
    assert frame["amount"].tolist()[:2] == [1234.5, 200.0]
    assert snapshot.report.refused == 0


def test_the_command_line_takes_patterns_urls_and_the_next_month(tmp_path, capsys, monkeypatch):
    def run(*words):
        monkeypatch.setattr(sys, "argv", ["salesnb", "import", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr()

    url = f"sqlite:///{tmp_path / 'crm.sqlite'}"
    with sa.create_engine(url).begin() as connection:
        fill(lambda text: connection.execute(sa.text(text)))
    assert run(url, "--to", tmp_path / "url")[0] == 0
    code, said = run(url, "--guess")
    assert code == 0
    assert "opportunity_id: opportunity_id" in said.out
    lines = OPPORTUNITIES.splitlines(keepends=True)
    write_export(tmp_path / "2026-01", {"reps": REPS, "opportunities": "".join(lines[:2])})
    write_export(tmp_path / "2026-02", {"opportunities": lines[0] + lines[2]})
    assert run(f"{tmp_path}/2026-01/*.csv", "--to", tmp_path / "to")[0] == 0
    code, said = run(tmp_path / "2026-02", "--to", tmp_path / "to", "--append")
    assert code == 0
    assert "opportunities" in said.out
    assert len(open_snapshot(tmp_path / "to").read("opportunities")) == 2


def test_a_folder_named_like_a_pattern_is_no_pattern(tmp_path):
    """`[12]` would match a folder called 1, which is there too."""
    for name, rep in (("1", "r7"), ("[12]", "r1")):
        folder = tmp_path / name
        deals = OPPORTUNITIES.replace(",r1,", f",{rep},").replace(",r2,", f",{rep},")
        write_export(folder, {"reps": f"rep_id,name\n{rep},Ana\n", "opportunities": deals})
        pd.read_csv(folder / "reps.csv").to_parquet(folder / "reps.parquet")
        (folder / "reps.csv").unlink()
    snapshot = import_snapshot(tmp_path / "[12]", to=tmp_path / "[12]" / "to")
    import_snapshot(tmp_path / "1", to=tmp_path / "1" / "to")
    assert set(snapshot.read("opportunities")["rep_id"]) == {"r1"}
    assert snapshot.read("reps")["rep_id"].tolist() == ["r1"]
