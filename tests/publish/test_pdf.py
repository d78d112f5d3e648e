import hashlib
import io
import os
import stat
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest
from folders import make_record, render_page, write_folder
from tiny_batch import is_running

from salesnb.errors import ParameterError
from salesnb.publish import pdf
from salesnb.publish.journal import Journal, read_state
from salesnb.publish.pdf import CHROMIUM, Browser, find_browser, print_reports
from salesnb.publish.recorder import Recorder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="programs are shell scripts here")

WHOLE = """#!/bin/sh
for word in "$@"; do case "$word" in
  --print-to-pdf=*) printf '%%PDF-1.4 a %%%%EOF\\n' > "${word#*=}" ;;
esac; done
echo "$@" >> CALLS
"""


@pytest.fixture
def program(tmp_path):
    """Return a function that writes a shell script to print with; `CALLS` counts its calls."""

    def write(script):
        path = tmp_path / "browser"
        path.write_text(script.replace("CALLS", str(tmp_path / "calls")), encoding="utf-8")
        path.chmod(0o700)
        return Browser(str(path))

    return write


@pytest.fixture
def batch(tmp_path):
    """A recorder of two complete reports and a failed one, all made."""
    records = [make_record("north"), make_record("south"), make_record("east", status="failed")]
    folder = write_folder(tmp_path / "reports", "2026Q3", *records)
    return start(folder)


def start(folder):
    """Begin another batch of the same reports."""
    manifest = read_state(folder).manifest
    jobs = tuple(SimpleNamespace(slug=slug) for slug in ("north", "south", "east", "never"))
    plan = SimpleNamespace(folder=folder, jobs=jobs)
    return Recorder(plan, manifest, Journal(folder), "cold")


def n_calls(tmp_path):
    calls = tmp_path / "calls"
    return len(calls.read_text().splitlines()) if calls.exists() else 0


def change_page(folder, slug, old, new):
    page = folder / f"{slug}.html"
    page.write_text(page.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_complete_reports_are_printed_recorded_and_not_printed_again(batch, program, tmp_path):
    folder = batch.plan.folder
    assert print_reports(batch, program(WHOLE), workers=2) == ()
    assert n_calls(tmp_path) == 2
    assert {path.stem for path in folder.glob("*.pdf")} == {"north", "south"}
    recorded = read_state(folder).manifest.reports
    for slug in ("north", "south"):
        path = folder / f"{slug}.pdf"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert recorded[slug].pdf.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert recorded["east"].pdf is None
    assert print_reports(start(folder), program(WHOLE), workers=2) == ()
    assert n_calls(tmp_path) == 2


def test_a_changed_report_is_printed_again_but_not_for_its_links(batch, program, tmp_path):
    folder = batch.plan.folder
    print_reports(batch, program(WHOLE), workers=1)
    change_page(folder, "north", "All reports</a>", 'All reports</a><a href="b.html">B</a>')
    print_reports(start(folder), program(WHOLE), workers=1)
    assert n_calls(tmp_path) == 2
    change_page(folder, "north", "Fine.", "Better.")
    (folder / "south.pdf").write_bytes(b"%PDF- of somebody else")
    print_reports(start(folder), program(WHOLE), workers=1)
    assert n_calls(tmp_path) == 4
    assert (folder / "south.pdf").read_bytes().startswith(b"%PDF-1.4 a")


def test_a_report_made_again_keeps_its_pdf(batch, program):
    print_reports(batch, program(WHOLE), workers=1)
    made = batch.manifest.reports["north"]
    batch.record(made.model_copy(update={"pdf": None, "seconds": 2.0}))
    assert batch.manifest.reports["north"].pdf == made.pdf


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("#!/bin/sh\necho 'No usable sandbox!' >&2; exit 1\n", "No usable sandbox!"),
        ("#!/bin/sh\nexit 0\n", "it gave no reason"),
        (WHOLE.replace("%%%%EOF", ""), "printed nothing"),
        ("#!/bin/sh\nsleep 60 & sleep 60\n", "took longer than 0.3 s"),
        ("not a program", "Exec format error"),
    ],
)
def test_what_cannot_be_printed_is_told_and_leaves_nothing(batch, program, script, words):
    browser = Browser(program(script).program, seconds=0.3)
    began = time.monotonic()
    told = print_reports(batch, browser, workers=2)
    assert time.monotonic() - began < 10
    assert [line.split(":")[0] for line in told] == ["north.pdf", "south.pdf"]
    assert all(words in line for line in told)
    assert list(batch.plan.folder.glob("*.pdf")) == []
    assert read_state(batch.plan.folder).manifest.reports["north"].status == "complete"


def test_an_interruption_ends_all_browsers(batch, program, tmp_path, monkeypatch):
    """One browser hangs; the other report's thread is where the interruption comes."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    browser = program("#!/bin/sh\necho $$ >> CALLS\nsleep 100\n")

    def interrupt(run, press, record):
        if record.slug == "north":
            return print_one(run, press, record)
        while n_calls(tmp_path) < 1:
            time.sleep(0.01)
        raise KeyboardInterrupt

    print_one = pdf._print_one
    monkeypatch.setattr(pdf, "_print_one", interrupt)
    began = time.monotonic()
    batch.plan.jobs = batch.plan.jobs[1::-1]  # the results of the first are asked for first
    with pytest.raises(KeyboardInterrupt):
        print_reports(batch, browser, workers=2)
    assert time.monotonic() - began < 10
    pids = [int(pid) for pid in (tmp_path / "calls").read_text().split()]
    assert pids
    assert not any(map(is_running, pids))
    assert list(scratch.iterdir()) == []


def test_the_browser_is_found_by_the_environment_first_then_on_path(program, tmp_path, monkeypatch):
    monkeypatch.delenv(CHROMIUM, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_browser() is None
    own = program(WHOLE)
    (tmp_path / "google-chrome").symlink_to(own.program)
    assert find_browser() == Browser(str(tmp_path / "google-chrome"))
    monkeypatch.setenv(CHROMIUM, own.program)
    assert find_browser() == own
    monkeypatch.setenv(CHROMIUM, str(tmp_path / "none"))
    with pytest.raises(ParameterError, match="none' is no program"):
        find_browser()


@pytest.fixture
def chromium(monkeypatch):
    monkeypatch.delenv(CHROMIUM, raising=False)
    found = find_browser()
    if found is None:
        pytest.skip("Chromium is not installed; apt-get install chromium")
    return found


@pytest.fixture
def server():
    """A server on this machine that notes what it is asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{one.server_port}", asked
        one.shutdown()
        thread.join()


@pytest.mark.browser
def test_chromium_prints_pages_and_text_without_links_or_network(batch, chromium, server):
    from pypdf import PdfReader

    folder = batch.plan.folder
    address, asked = server
    record = make_record("north", title="São Paulo <b>")
    page = render_page(record)
    policy = page.index("<meta http-equiv"), page.index('<meta name="viewport')
    lax = page[: policy[0]] + page[policy[1] :].replace(
        "Fine.", f'Fine. <img src="{address}/a.png">' + "<p>More.</p>" * 150
    )
    (folder / "north.html").write_text(lax, encoding="utf-8")
    batch.plan.jobs = batch.plan.jobs[:1]
    assert print_reports(batch, chromium, workers=1) == ()
    reader = PdfReader(io.BytesIO((folder / "north.pdf").read_bytes()))
    text = "\n".join(sheet.extract_text() for sheet in reader.pages)
    assert len(reader.pages) >= 3
    assert "São Paulo <b>" in text
    assert text.count("More.") == 150
    assert "All reports" not in text  # a link on paper leads nowhere
    assert "file://" not in text
    assert reader.metadata.title.startswith("São Paulo <b>")
    assert asked == []


@pytest.mark.browser
def test_without_its_options_chromium_would_ask(batch, chromium, server, monkeypatch):
    address, asked = server
    page = batch.plan.folder / "north.html"
    page.write_text(f'<img src="{address}/a.png">', encoding="utf-8")
    batch.plan.jobs = batch.plan.jobs[:1]
    monkeypatch.setattr(pdf, "_FLAGS", [flag for flag in pdf._FLAGS if "proxy" not in flag])
    assert print_reports(batch, chromium, workers=1) == ()
    assert asked == ["/a.png"]
