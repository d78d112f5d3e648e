import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tiny_batch import QUARTER, is_running, make_snapshot, write_export, write_notebooks

from salesnb import cli
from salesnb.measures.catalogue import CATALOGUE
from salesnb.publish.journal import locked
from salesnb.sources.report import LoadReport
from salesnb.sources.snapshot import open_snapshot

NAME = "[red]x[/red] :smile: [/]"
posix = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """Folder of a snapshot."""
    folder = tmp_path_factory.mktemp("company")
    return make_snapshot(folder, teams=(("t1", "North"), ("t2", NAME))).folder


@pytest.fixture
def call(monkeypatch, capsys):
    """Return a function that runs a command as a shell would: exit code, stdout, stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["salesnb", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as leaving:
            code = leaving.code
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


@pytest.fixture
def params(company, tmp_path):
    """Return a function that writes a batch's file, its notebooks beside it."""

    def write(*, cells=None, **changes):
        write_notebooks(tmp_path / "notebooks", **(cells or {}))
        given = {
            "snapshot": str(company),
            "quarter": QUARTER,
            "out": str(tmp_path / "reports"),
            "notebooks": str(tmp_path / "notebooks"),
            **changes,
        }
        path = tmp_path / "batch.yaml"
        path.write_text(yaml.safe_dump(given), encoding="utf-8")
        return path

    return write


def test_the_companys_plan_is_written_within_budget_and_hours(call, params, tmp_path):
    path = params(snapshot="", quarter="2026Q2", plan={"budget": 9_000, "hours": 8})
    code, shown, said = call("plan", path, "--quarter", "2026Q3", "--to", tmp_path / "plan")
    assert code == 0
    written = [Path(line) for line in shown.splitlines()]
    assert written[0] == tmp_path / "plan" / "training_plan.csv"
    assert {file.name for file in (tmp_path / "plan").iterdir()} == {one.name for one in written}
    lines = pd.read_csv(written[0])
    assert 0 < lines["cost"].sum() <= 9_000
    assert lines.groupby("rep_id")["hours"].sum().max() <= 8
    assert pd.to_datetime(lines["starts_on"]).dt.to_period("Q").astype(str).unique() == ["2026Q4"]
    assert said.startswith("Nordwind Instruments: ")


def test_a_plan_that_cannot_be_made_is_told(call, params, tmp_path):
    code, shown, said = call("plan", params(), "--to", tmp_path / "plan")
    assert (code, shown) == (1, "")
    assert "training plan: nothing to write." in said
    assert "ratings" in said
    assert not (tmp_path / "plan").exists()
    code, _, said = call("plan", params(), "--quarter", "2031Q1", "--to", tmp_path / "plan")
    assert code == 2
    assert "2031Q1" in said


def test_kpis_are_listed_one_a_line(call):
    code, shown, _ = call("kpis")
    assert code == 0
    rows = [line for line in shown.splitlines() if line.startswith("│")]
    assert [row.split()[1] for row in rows] == [kpi.kpi for kpi in CATALOGUE]
    for kpi, row in zip(CATALOGUE, rows, strict=True):
        assert kpi.formula in row
        assert kpi.caveat in row


def test_the_sample_is_written_and_its_folder_printed(call, tmp_path):
    folder = tmp_path / NAME.replace("/", "")
    code, shown, said = call("sample", folder, "--reps", "16", "--seed", "3")
    assert (code, shown, said) == (0, f"{folder}\n", "")
    assert len((folder / "reps.csv").read_text(encoding="utf-8").splitlines()) == 17


def test_an_import_says_what_came_in(call, tmp_path):
    export = write_export(tmp_path / "export")
    code, shown, said = call("import", export, "--to", tmp_path / NAME.replace("/", ""))
    assert (code, said) == (0, "")
    assert "All 16 rows were accepted." in shown
    assert shown.splitlines()[-2].endswith(f"in {tmp_path / NAME.replace('/', '')}")
    assert shown.splitlines()[-1].startswith("Next: salesnb run ")


@pytest.fixture
def poor_export(tmp_path):
    rows = (
        "opportunity_id,rep_id,closed_on,is_won,is_closed,amount\n"
        "o1,r1,2026-02-01,true,true,100\n"
        f"o2,{NAME},2026-02-01,true,true,100\n"
    )
    return write_export(tmp_path / "export", opportunities=rows)


def test_refused_rows_are_told_with_their_text_as_it_is(call, poor_export, tmp_path):
    code, shown, _ = call("import", poor_export, "--to", tmp_path / "snapshot")
    assert code == 0
    assert "1 of 13 rows were refused and put in quarantine." in shown
    assert NAME in shown


def test_the_report_of_an_import_is_written_as_json(call, poor_export, tmp_path):
    folder, path = tmp_path / "snapshot", tmp_path / "report.json"
    code, shown, _ = call("import", poor_export, "--to", folder, "--json", path)
    assert code == 0
    assert "1 of 13 rows were refused" in shown
    report = open_snapshot(folder).report
    assert LoadReport.model_validate_json(path.read_text(encoding="utf-8")) == report
    code, shown, said = call("import", poor_export, "--to", folder, "--json", "-")
    assert code == 0
    assert LoadReport.model_validate_json(shown) == report
    assert "1 of 13 rows were refused" in said


def test_a_report_that_cannot_be_written_is_told(call, poor_export, tmp_path):
    path = tmp_path / "nowhere" / "report.json"
    code, _, said = call("import", poor_export, "--to", tmp_path / "snapshot", "--json", path)
    assert code == 2
    assert f"--json {path}: cannot be written: No such file or directory." in said


def test_a_strict_import_refuses_the_data(call, poor_export, tmp_path):
    code, shown, said = call("import", poor_export, "--to", tmp_path / "snapshot", "--strict")
    assert (code, shown) == (3, "")
    assert said.startswith("salesnb: --strict: rows were refused")
    assert NAME in said
    assert not (tmp_path / "snapshot").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["none", "--to", "s"], 3, "none: there is no such folder"),
        (["export", "--to", "s", "--preset", "sap"], 2, "there is no preset 'sap'"),
        (["export", "--to", "s", "--mapping", "m.yaml"], 2, "there is no such mapping file"),
        (["export"], 2, "Missing option '--to'"),
    ],
)
def test_an_import_that_cannot_be_done_has_its_code(
    call, tmp_path, monkeypatch, arguments, code, words
):
    monkeypatch.chdir(tmp_path)
    write_export(tmp_path / "export")
    found, shown, said = call("import", *arguments)
    assert (found, shown) == (code, "")
    assert words in said


def test_a_check_lists_the_reports_and_starts_nothing(call, params, tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    code, shown, said = call("check", params())
    assert (code, said) == (0, "")
    assert shown.splitlines() == [
        f"7 reports for {QUARTER} into {tmp_path / 'reports' / QUARTER}:",
        "  north.html  Team review, North",
        f"  red-x-red-smile.html  Team review, {NAME}",
        "  company.html  Company review, Company",
        "  pipeline-north.html  Open opportunities, North",
        f"  pipeline-red-x-red-smile.html  Open opportunities, {NAME}",
        "  process.html  Sales process, Sales process",
        "  data-quality.html  Data quality, Data quality",
        "left out  Marketing and sales needs leads; the snapshot has none.",
        "left out  Skill segments needs ratings; the snapshot has none.",
        "left out  Training impact needs trainings; the snapshot has none.",
    ]


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_wrong_request_is_told_on_stderr_alone(call, params, command, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    code, shown, said = call(command, params(quarter="2031Q1", teams=[NAME, "[bold]Nrth"]))
    assert (code, shown) == (2, "")
    assert said.startswith("salesnb: 2 problem(s):")
    assert "team: '[bold]Nrth' is unknown. Known: 'North', '[red]x[/red] :smile: [/]'" in said


def test_wrong_parameters_are_code_2_and_refused_data_code_3(call, params, tmp_path):
    assert call("run", tmp_path / "none.yaml")[0] == 2
    assert call("run", params(team="North"))[0] == 2
    assert call("run", params(), "-j", "0")[0] == 2
    assert call("run", params(), "--quarter", "Q3")[0] == 2
    code, shown, said = call("run", params(), "--snapshot", tmp_path / "none")
    assert (code, shown) == (3, "")
    assert said.startswith(f"salesnb: {tmp_path / 'none'}: there is no snapshot.")


def test_a_batch_prints_plain_lines_and_the_portal_last(call, params, tmp_path):
    path = params(reports=["team_review", "data_quality"])
    code, shown, said = call("run", path, "-j", "2")
    assert (code, shown) == (0, f"{tmp_path / 'reports' / QUARTER / 'index.html'}\n")
    lines = said.splitlines()
    assert {line.split()[1] for line in lines[:3]} == {
        "north.html", "red-x-red-smile.html", "data-quality.html",
    }  # fmt: skip
    assert {line.split()[0] for line in lines[:3]} == {"done"}
    (counted,) = lines[3:]
    assert counted.startswith("3 reports: 3 made, 0 up to date, 0 failed. Slowest: ")
    assert "\x1b" not in said

    code, shown, said = call("run", path, "--team", "North", "--team", NAME)
    assert code == 0
    assert said.splitlines()[-1] == "3 reports: 0 made, 3 up to date, 0 failed."
    assert "current   north.html" in said
    code, _, said = call("run", path, "--team", "North", "--force")
    assert said.splitlines()[-1].startswith("2 reports: 2 made, 0 up to date, 0 failed. Slowest: ")


def test_several_quarters_have_a_folder_each_and_are_checked_before_any_is_begun(
    call, params, tmp_path
):
    path, earlier = params(reports=["data_quality"]), "2026Q1"
    code, shown, said = call("run", path, "--quarter", earlier, "--quarter", "2031Q1")
    assert (code, shown) == (2, "")
    assert not (tmp_path / "reports" / earlier / "index.html").exists()
    code, shown, said = call("run", path, "--quarter", earlier, "--quarter", QUARTER)
    assert code == 0
    portals = [str(tmp_path / "reports" / name / "index.html") for name in (earlier, QUARTER)]
    assert shown.splitlines() == portals
    assert said.count("1 reports: 1 made") + said.count("1 report: 1 made") == 2


def test_pdfs_are_printed_once_and_linked(call, params, tmp_path, monkeypatch):
    monkeypatch.setenv("SALESNB_CHROMIUM", str(tmp_path / "none"))
    path = params(reports=["data_quality"])
    code, shown, said = call("run", path, "--pdf")
    assert (code, shown) == (2, "")
    assert "none' is no program" in said
    assert not (tmp_path / "reports" / QUARTER / "data-quality.html").exists()

    program = tmp_path / "program"
    script = """#!/bin/sh
for word in "$@"; do case "$word" in
  --print-to-pdf=*) printf '%%PDF-1.4 a %%%%EOF' > "${word#*=}" ;;
esac; done
"""
    program.write_text(script, encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setenv("SALESNB_CHROMIUM", str(program))
    assert call("run", path, "--pdf")[0] == 0
    pdf = tmp_path / "reports" / QUARTER / "data-quality.pdf"
    printed = pdf.stat().st_mtime_ns
    assert 'href="data-quality.pdf"' in (pdf.parent / "index.html").read_text(encoding="utf-8")

    program.write_text("#!/bin/sh\nexit 7\n", encoding="utf-8")
    assert call("run", path, "--pdf")[0] == 0
    assert pdf.stat().st_mtime_ns == printed
    pdf.unlink()
    code, _, said = call("run", path, "--pdf")
    assert code == 1
    assert f"data-quality.pdf: {program} printed nothing" in said
    assert "1 report: 0 made, 1 up to date, 0 failed." in said


def test_without_chromium_reports_are_made_and_the_lack_is_told(call, params, monkeypatch):
    monkeypatch.delenv("SALESNB_CHROMIUM", raising=False)
    monkeypatch.setattr("salesnb.publish.pdf._NAMES", ())
    code, shown, said = call("run", params(reports=["data_quality"]), "--pdf")
    assert code == 0
    assert Path(shown.strip()).is_file()
    assert said.startswith("no PDF: there is no Chromium or Chrome on PATH.")


def test_a_batch_tells_itself_in_json_lines(call, params):
    path = params(reports=["data_quality"], cells={"data_quality": ("# Q?", "1 / 0")})
    code, _, said = call("run", path, "--log-format", "json", "--isolation", "cold")
    assert code == 1
    started, done = map(json.loads, said.splitlines()[:2])
    assert (started["event"], started["slug"], started["running"]) == ("started", "data-quality", 1)
    assert (done["event"], done["status"], done["cell"]) == ("done", "failed", 3)
    assert (done["kernel"], done["attempts"]) == ("cold", 1)
    assert done["reason"] == "cell 3 raised ZeroDivisionError: division by zero"


def test_status_shows_what_became_of_a_folder(call, params, tmp_path):
    folder = tmp_path / "reports" / QUARTER
    assert call("status", folder)[0] == 2
    path = params(
        reports=["company_review", "data_quality"],
        cells={"company_review": ("# Q?", "1"), "data_quality": ("# Q?", "1 / 0")},
    )
    call("run", path)
    code, shown, _ = call("status", folder)
    assert code == 1
    assert f"{folder}: 1 complete, 1 failed; no batch is running." in shown
    assert "cell 3 raised ZeroDivisionError" in shown
    with locked(folder):
        code, _, said = call("run", path)
        assert code == 2
        assert "another batch is writing there" in said
        assert "a batch is running" in call("status", folder)[1]


def test_a_failed_report_is_code_1_with_one_line_of_reason(call, params, tmp_path):
    cells = {"data_quality": ("# Q?", f"raise ValueError({NAME!r} + '\\nand more')")}
    code, shown, said = call("run", params(cells=cells, reports=["data_quality"]))
    assert code == 1
    assert said.splitlines() == [
        f"FAILED    data-quality.html  data_quality.ipynb: cell 3 raised ValueError: {NAME} and "
        "more",
        "1 report: 0 made, 0 up to date, 1 failed.",
    ]
    assert Path(shown.strip()).is_file()
    assert shown.count("\n") == 1


def test_a_full_disk_is_code_1_in_words(call, params, monkeypatch):
    path = params(reports=["data_quality"])
    call("check", path)

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    code, shown, said = call("run", path)
    assert (code, shown) == (1, "")
    assert said.startswith("salesnb: ")
    assert "cannot be written (No space left on device)" in said


def test_without_a_command_there_is_help(call):
    code, shown, said = call()
    assert code == 2
    for command in ("sample", "import", "check", "run", "kpis"):
        assert command in shown + said


def test_signals_are_as_before_after_a_batch(call, params):
    ours = {one: signal.signal(one, signal.SIG_IGN) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        assert call("run", params(teams=["Nrth"]))[0] == 2
        assert {signal.getsignal(one) for one in ours} == {signal.SIG_IGN}
    finally:
        for one, handler in ours.items():
            signal.signal(one, handler)


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_batch_and_kernels_in_order(params, tmp_path, number):
    """The slow report starts a process of its own; that one has to end as well."""
    slow = (
        "import os, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '100'])\n"
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(100)"
    )
    cells = {"company_review": ("# Q?", "1"), "data_quality": ("# Q?", slow)}
    path = params(cells=cells, reports=["company_review", "data_quality"])
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    run = subprocess.Popen(
        [sys.executable, "-c", "from salesnb.cli import main; main()", "run", path, "-j", "2"],
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    alarm = threading.Timer(60, run.kill)
    alarm.start()
    try:
        told = run.stderr.readline()
        assert told.startswith("done      company.html")
        pids = [int(pid) for pid in read_when_there(tmp_path / "pids").split()]
        assert all(map(is_running, pids))
        sent = time.monotonic()
        run.send_signal(number)
        shown, said = run.communicate(timeout=30)
    finally:
        run.kill()
        alarm.cancel()
    assert run.returncode == 128 + number
    assert time.monotonic() - sent < 10
    assert shown == ""
    end = "salesnb: interrupted. What is finished is kept; run it again for the rest.\n"
    assert said.replace(told, "") == end  # rich prints a line again if stopped while printing it
    assert not [pid for pid in pids if is_running(pid)]
    assert list(scratch.iterdir()) == []

    reports = tmp_path / "reports" / QUARTER
    names = {
        "company.html", "company.ipynb", "index.html", "mail_summary.html", "mail_summary.txt",
        "manifest.json", "manifest.jsonl", ".lock", "logs",
    }  # fmt: skip
    assert {item.name for item in reports.iterdir()} == names
    records = json.loads((reports / "manifest.json").read_text())["reports"]
    page = (reports / "company.html").read_bytes()
    assert {slug: record["sha256"] for slug, record in records.items()} == {
        "company": hashlib.sha256(page).hexdigest()
    }


def read_when_there(path, *, seconds=30):
    """Wait for a file to have content."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if path.is_file() and path.read_text():
            return path.read_text()
        time.sleep(0.05)
    raise AssertionError(f"{path} was not written in {seconds} s")
