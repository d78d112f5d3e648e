import errno
import hashlib
import json
import os
import re
import shutil
import time

import pytest
from folders import find_dead_links, read_links
from tiny_batch import QUARTER, is_running, make_params, write_notebook, write_notebooks

from salesnb.errors import DataError, SalesnbError
from salesnb.publish import recorder
from salesnb.publish.batch import run_batch
from salesnb.publish.journal import read_state
from salesnb.publish.manifest import library_versions
from salesnb.publish.pdf import Browser
from salesnb.publish.plan import make_plan
from salesnb.publish.recorder import Done

CELLS = {
    "team_review": ("# How does the team stand?", "team"),
    "company_review": ("# Who leads?", "'shown before'", "1 / 0"),
}


TEAMS_ALONE = ("team_review",)
BESIDE = {
    "index.html", "mail_summary.html", "mail_summary.txt", "manifest.json", "manifest.jsonl",
    ".lock", "logs",
}  # fmt: skip


@pytest.fixture(scope="session")
def made_once(tiny_company, tmp_path_factory):
    """A batch of four reports of which one fails, and how it went."""
    folder = tmp_path_factory.mktemp("batch")
    write_notebooks(folder / "notebooks", **CELLS)
    plan = make_plan(make_params(tiny_company, folder))
    return folder, run_batch(plan, workers=2)


@pytest.fixture
def made(made_once, tiny_company, tmp_path):
    """A copy of that batch, with a function that runs it again."""
    return Batch(shutil.copytree(made_once[0], tmp_path / "copy"), tiny_company)


class Batch:
    """A batch on disk."""

    def __init__(self, folder, snapshot):
        self.folder, self.snapshot = folder, snapshot
        self.reports = folder / "reports" / QUARTER

    def run(
        self, *, force=False, on_done=lambda _: None, workers=2, isolation="warm", browser=None,
        **changes,
    ):  # fmt: skip
        def tell(event):
            if isinstance(event, Done):
                on_done(event)

        plan = make_plan(make_params(self.snapshot, self.folder, **changes))
        return run_batch(
            plan, workers=workers, force=force, isolation=isolation, browser=browser, on_event=tell
        )

    def notebook(self, name, *cells):
        write_notebook(self.folder / "notebooks" / f"{name}.ipynb", *cells)

    def bytes_of(self, name):
        return (self.reports / name).read_bytes()

    def text_of(self, name):
        return self.bytes_of(name).decode()

    def files(self):
        """Read all but the journal, which tells that a batch was run."""
        paths = [path for path in self.reports.glob("*.*") if path.name != "manifest.jsonl"]
        return {path.name: path.read_bytes() for path in paths}

    def records(self):
        return json.loads(self.bytes_of("manifest.json"))["reports"]

    def recorded(self):
        return read_state(self.reports).manifest.reports

    def check(self):
        """Check that manifest, files and portal agree and nothing else is there."""
        records = self.records()
        journaled = {slug: one.model_dump(mode="json") for slug, one in self.recorded().items()}
        assert journaled == records
        for slug, record in records.items():
            assert hashlib.sha256(self.bytes_of(f"{slug}.html")).hexdigest() == record["sha256"]
        known = {f"{slug}.{suffix}" for slug in records for suffix in ("html", "ipynb")}
        there = {path.name for path in self.reports.iterdir()}
        assert there == known | BESIDE
        portal = self.bytes_of("index.html").decode()
        assert {slug for slug in records if f'href="{slug}.html"' in portal} == set(records)


def outcomes(result):
    return {item.job.slug: (item.record.status, item.is_new) for item in result.done}


def test_a_failed_report_does_not_stop_the_others(made_once):
    _, result = made_once
    assert outcomes(result) == {
        "north": ("complete", True),
        "r-d-red-x-red": ("complete", True),
        "company": ("failed", True),
        "process": ("complete", True),
        "data-quality": ("complete", True),
    }
    assert [item.job.slug for item in result.failed] == ["company"]


def test_manifest_files_and_portal_agree(made):
    made.check()


def test_the_manifest_says_what_was_made_from_what(made, made_once):
    records = made.records()
    north, company = records["north"], records["company"]
    assert north["parameters"] == {
        "snapshot": str(made.snapshot.resolve()), "quarter": QUARTER, "team": "t1",
        "budget": None, "hours": None,
    }  # fmt: skip
    assert "budget = None" in made.bytes_of("north.ipynb").decode()
    jobs = {item.job.slug: item.job for item in made_once[1].done}
    assert {slug: record["fingerprint"] for slug, record in records.items()} == {
        slug: job.fingerprint for slug, job in jobs.items()
    }
    assert north["versions"] == library_versions()
    assert (north["status"], north["reason"]) == ("complete", "")
    assert (company["status"], company["cell"]) == ("failed", 4)
    assert company["reason"] == "cell 4 raised ZeroDivisionError: division by zero"
    assert all(0 < record["seconds"] < 60 for record in records.values())
    assert company["notebook"] == "company_review.ipynb"


def test_the_portal_lists_all_with_their_status(made):
    portal = made.bytes_of("index.html").decode()
    assert "5 reports, 1 incomplete, 3 not made" in portal
    assert "cell 4 raised ZeroDivisionError" in portal
    assert "R&amp;D [red]x[/red]" in portal
    listed = re.findall(r'class="name" href="(.*?)\.html"', portal)
    assert listed == ["company", "north", "r-d-red-x-red", "process", "data-quality"]


def test_kinds_that_cannot_be_made_are_in_manifest_and_portal(made):
    left_out = json.loads(made.bytes_of("manifest.json"))["left_out"]
    assert left_out == [
        ["Marketing and sales", "needs leads; the snapshot has none"],
        ["Skill segments", "needs ratings; the snapshot has none"],
        ["Training impact", "needs trainings; the snapshot has none"],
    ]
    portal = made.bytes_of("index.html").decode()
    assert "It needs trainings; the snapshot has none." in portal
    made.run(reports=("data_quality",))
    assert "It needs trainings" not in made.bytes_of("index.html").decode()


def test_a_report_is_recorded_before_it_is_told(made):
    def check(done):
        assert made.recorded()[done.job.slug] == done.record

    made.run(force=True, on_done=check)


def refuse(*_, **__):
    raise AssertionError("a report was made")


def test_what_is_up_to_date_is_not_made_again(made, monkeypatch):
    made.notebook("company_review", "# Who leads?", "1")
    made.run()
    before = made.files()
    monkeypatch.setattr(recorder, "run_report", refuse)
    told = []
    result = made.run(on_done=told.append)
    assert set(outcomes(result).values()) == {("complete", False)}
    assert list(result.done) == told
    assert made.files() == before


def again(made, **options):
    """Run the batch again without the report that always fails; list what was made."""
    reports = ("team_review", "data_quality")
    result = made.run(reports=reports, **options)
    made.check()
    return {item.job.slug for item in result.done if item.is_new}


def test_a_report_that_failed_is_made_again(made):
    result = made.run()
    assert {item.job.slug for item in result.done if item.is_new} == {"company"}
    made.check()


def test_reports_of_a_changed_notebook_are_made_again(made):
    made.notebook("data_quality", "# What came in?", "'changed'")
    assert again(made) == {"data-quality"}
    assert b"changed" in made.bytes_of("data-quality.html")


def test_a_changed_page_and_a_removed_one_are_made_again(made):
    good = made.bytes_of("north.html")
    (made.reports / "north.html").write_bytes(good.replace(b"North", b"South"))
    (made.reports / "data-quality.html").unlink()
    assert again(made) == {"north", "data-quality"}
    assert made.bytes_of("north.html") == good


def test_force_makes_all_again_and_the_same(made):
    names = ("north.html", "r-d-red-x-red.html", "data-quality.html")
    before = [made.bytes_of(name) for name in names]
    assert again(made, force=True) == {"north", "r-d-red-x-red", "data-quality"}
    assert [made.bytes_of(name) for name in names] == before


def test_reports_of_an_earlier_batch_stay_listed_while_they_are_there(made):
    (made.reports / "company.html").unlink()
    (made.reports / "company.ipynb").unlink()
    made.run(teams=("North",), reports=("team_review",))
    assert set(made.records()) == {"north", "r-d-red-x-red", "process", "data-quality"}
    made.check()


def test_another_quarters_batch_links_these_reports_without_making_them_again(made):
    made.run(reports=TEAMS_ALONE)
    alone, notebook = made.files(), made.bytes_of("north.ipynb")
    assert read_links(made.text_of("north.html")) == [
        ("All reports", "index.html"), ("R&amp;D [red]x[/red]", "r-d-red-x-red.html"),
    ]  # fmt: skip

    result = made.run(reports=TEAMS_ALONE, quarter="2026Q1")
    assert result.notes == ()
    assert ("Earlier: 2026Q1", "../2026Q1/north.html") in read_links(made.text_of("north.html"))
    assert made.bytes_of("north.ipynb") == notebook
    assert find_dead_links(made.folder / "reports") == ([], 12)
    made.check()

    linked = made.files()
    result = made.run(reports=TEAMS_ALONE)
    assert {item.is_new for item in result.done} == {False}
    assert made.files() == linked
    made.run(reports=TEAMS_ALONE, teams=("North",), force=True)
    del linked["manifest.json"]  # it tells how long the report took
    assert {name: made.bytes_of(name) for name in linked} == linked

    shutil.rmtree(made.folder / "reports" / "2026Q1")
    made.run(reports=TEAMS_ALONE)
    assert {name: made.bytes_of(name) for name in linked} == {name: alone[name] for name in linked}


def test_reports_are_printed_and_what_is_not_is_told(made, tmp_path):
    program = tmp_path / "browser"
    program.write_text("#!/bin/sh\necho no paper >&2\n", encoding="utf-8")
    program.chmod(0o700)
    result = made.run(reports=("data_quality",), browser=Browser(str(program)))
    (told,) = result.unprinted
    assert told.startswith("data-quality.pdf: ")
    assert "no paper" in told
    assert result.failed == ()
    made.check()


def test_a_folder_whose_manifest_cannot_be_read_is_left_alone(made, monkeypatch):
    (made.reports / "manifest.jsonl").unlink()
    (made.reports / "manifest.json").write_text("{", encoding="utf-8")
    monkeypatch.setattr(recorder, "run_report", refuse)
    before = made.bytes_of("index.html")
    with pytest.raises(DataError, match="cannot be read as a manifest"):
        made.run()
    assert made.bytes_of("index.html") == before


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_batch_ends_its_kernels_and_keeps_what_is_finished(
    made, tmp_path, interruption
):
    old = made.bytes_of("data-quality.html")
    pid = tmp_path / "pid"
    wait = f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    made.notebook("data_quality", "# What came in?", wait)
    made.notebook(
        "team_review", "# Q?", f"import os, time\nwhile not os.path.getsize({str(pid)!r}): pass"
    )
    pid.touch()

    def interrupt(done):
        if done.job.slug == "north":
            raise interruption

    started = time.monotonic()
    with pytest.raises(interruption):
        made.run(reports=("data_quality", "team_review"), teams=("North",), on_done=interrupt)
    assert time.monotonic() - started < 20
    assert not is_running(int(pid.read_text()))
    assert made.bytes_of("data-quality.html") == old
    assert b"# Q?" in made.bytes_of("north.ipynb")
    made.check()


def test_what_was_interrupted_is_made_next_time(made):
    made.notebook("team_review", "# Changed?", "team")

    def interrupt(done):
        if done.is_new:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made.run(reports=("team_review",), workers=1, on_done=interrupt)
    made.check()
    result = made.run(reports=("team_review",))
    assert outcomes(result) == {"north": ("complete", False), "r-d-red-x-red": ("complete", True)}


def test_on_a_full_disk_old_reports_stay_whole_and_the_error_says_so(made, monkeypatch):
    made.notebook("team_review", "# Changed?", "team")
    before = made.files()

    def fail(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SalesnbError, match=r"cannot be written \(No space left on device\)"):
        made.run()
    monkeypatch.undo()
    assert made.files() == before
    made.check()
