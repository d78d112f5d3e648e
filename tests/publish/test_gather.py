import hashlib
import stat

import pytest
from folders import (
    ABOUT,
    check_records,
    find_dead_links,
    make_record,
    read_links,
    render_page,
    write_folder,
)

from salesnb.errors import DataError, SalesnbError
from salesnb.publish.files import write_whole
from salesnb.publish.gather import gather
from salesnb.publish.journal import JOURNAL, Entry, locked, read_state
from salesnb.publish.links import hash_content
from salesnb.publish.manifest import MANIFEST, Manifest, Printed, write_json


@pytest.fixture
def out(tmp_path):
    """Reports of two quarters: two teams in the earlier, one in the later."""
    folder = tmp_path / "reports"
    write_folder(folder, "2026Q2", make_record("north"), make_record("south"))
    write_folder(folder, "2026Q3", make_record("north"))
    return folder


def tell(folder):
    """Gather as a batch does at its end, which holds its folder's lock."""
    with locked(folder):
        return gather(folder)


def snapshot_of(out):
    return {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}


def header(out, place):
    return read_links((out / f"{place}.html").read_text(encoding="utf-8"))


def test_all_pages_learn_of_their_neighbours_and_no_link_is_dead(out):
    assert tell(out / "2026Q3") == ()
    assert header(out, "2026Q3/north") == [
        ("All reports", "index.html"), ("Earlier: 2026Q2", "../2026Q2/north.html"),
    ]  # fmt: skip
    assert header(out, "2026Q2/north") == [
        ("All reports", "index.html"), ("Later: 2026Q3", "../2026Q3/north.html"),
        ("South", "south.html"),
    ]  # fmt: skip
    assert find_dead_links(out) == ([], 8)
    for quarter in ("2026Q2", "2026Q3"):
        records = check_records(out / quarter)
        known = read_state(out / quarter).manifest.reports
        assert {slug: one.sha256 for slug, one in known.items()} == {
            slug: one["sha256"] for slug, one in records.items()
        }


def test_what_is_true_already_is_not_written(out):
    tell(out / "2026Q3")
    before = snapshot_of(out)
    times = {path: path.stat().st_mtime_ns for path in before}
    assert tell(out / "2026Q2") == ()
    assert snapshot_of(out) == before
    assert {path: path.stat().st_mtime_ns for path in before if path.name != ".lock"} == {
        path: time for path, time in times.items() if path.name != ".lock"
    }


def test_the_same_reports_give_the_same_bytes_whatever_came_first(out, tmp_path):
    tell(out / "2026Q3")
    other = tmp_path / "other"
    tell(write_folder(other, "2026Q3", make_record("north")))
    tell(write_folder(other, "2026Q2", make_record("south")))
    tell(write_folder(other, "2026Q2", make_record("north")))
    for name in ("index.html", "2026Q2/north.html", "2026Q2/index.html", "2026Q3/north.html",
                 "2026Q3/manifest.json", "2026Q3/mail_summary.txt"):  # fmt: skip
        assert (other / name).read_bytes() == (out / name).read_bytes()


def test_a_report_that_is_gone_is_linked_no_more(out):
    tell(out / "2026Q3")
    (out / "2026Q2" / "north.html").unlink()
    assert find_dead_links(out)[0] != []
    assert tell(out / "2026Q3") == ()
    assert find_dead_links(out)[0] == []
    assert header(out, "2026Q3/north") == [("All reports", "index.html")]


def test_one_portal_lists_all_quarters_and_each_quarter_has_its_own(out):
    reason = ("Training impact", "needs trainings; the snapshot has none")
    write_folder(out, "2026Q3", make_record("east", status="failed", reason="cell 2"),
                 left_out=[reason])  # fmt: skip
    tell(out / "2026Q3")
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "4 reports, 1 incomplete, 1 not made · 2 quarters" in page
    assert 'href="2026Q2/south.html"' in page
    assert "It needs trainings; the snapshot has none." in page
    own = (out / "2026Q2" / "index.html").read_text(encoding="utf-8")
    assert "2 reports" in own
    assert 'href="south.html"' in own
    assert '<a href="../index.html">All quarters</a>' in own


def test_files_are_their_owners_alone(out):
    tell(out / "2026Q3")
    written = [*out.glob("*.html"), *out.glob("*/*.html"), *out.glob("*/mail_summary.txt")]
    assert len(written) == 10
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}


def test_the_folder_of_another_batch_is_left_to_it(out):
    before = (out / "2026Q2" / "north.html").read_bytes()
    with locked(out / "2026Q2"):
        assert tell(out / "2026Q3") == ()
        assert (out / "2026Q2" / "north.html").read_bytes() == before
        assert ("Earlier: 2026Q2", "../2026Q2/north.html") in header(out, "2026Q3/north")
        assert 'href="2026Q2/north.html"' in (out / "index.html").read_text(encoding="utf-8")
    tell(out / "2026Q2")
    assert find_dead_links(out)[0] == []


def test_a_folder_that_cannot_be_read_is_named_and_left_alone(out):
    (out / "2026Q2" / "manifest.jsonl").write_text('{"event": "danced"}\n', encoding="utf-8")
    before = snapshot_of(out / "2026Q2")
    (note,) = tell(out / "2026Q3")
    assert "2026Q2/manifest.jsonl: line 1 cannot be read" in note
    assert {path: text for path, text in snapshot_of(out / "2026Q2").items()
            if path.name != ".lock"} == before  # fmt: skip
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "Reports of 2026Q2" in page
    assert "records cannot be read" in page
    with pytest.raises(DataError, match="line 1 cannot be read"):
        tell(out / "2026Q2")


def test_a_folder_that_cannot_be_written_is_named(out, monkeypatch):
    def refuse(path, *_):
        if path.parent.name == "2026Q2":
            raise OSError(30, "Read-only file system")
        return replace(path, *_)

    replace = type(out).replace
    monkeypatch.setattr(type(out), "replace", refuse)
    (note,) = tell(out / "2026Q3")
    assert "2026Q2" in note
    assert "Read-only file system" in note
    assert len(header(out, "2026Q3/north")) == 2
    with pytest.raises(SalesnbError, match="Read-only file system"):
        tell(out / "2026Q2")


def test_a_page_of_somebody_else_is_not_written_over(out):
    (out / "index.html").write_text("<h1>Mine</h1>", encoding="utf-8")
    (note,) = tell(out / "2026Q3")
    assert "was not made by salesnb" in note
    assert (out / "index.html").read_text(encoding="utf-8") == "<h1>Mine</h1>"
    assert "All quarters</a>" not in (out / "2026Q3" / "index.html").read_text(encoding="utf-8")


def test_a_page_that_was_changed_by_hand_is_not_made_good(out):
    page = out / "2026Q2" / "north.html"
    page.write_text(page.read_text(encoding="utf-8").replace("Fine.", "Bad."), encoding="utf-8")
    before = page.read_bytes()
    tell(out / "2026Q3")
    assert page.read_bytes() == before
    record = read_state(out / "2026Q2").manifest.reports["north"]
    assert record.sha256 != hashlib.sha256(before).hexdigest()


def test_a_folder_from_before_journals_gets_links_and_no_half_journal(out):
    page = render_page(make_record("north"))
    old = out / "2026Q1"
    old.mkdir()
    (old / "north.html").write_text(page, encoding="utf-8")
    digest = hashlib.sha256(page.encode()).hexdigest()
    record = make_record("north", quarter="2026Q1", sha256=digest)
    write_whole(old / MANIFEST, write_json(Manifest(reports={"north": record})))
    tell(out / "2026Q3")
    assert ("Later: 2026Q2", "../2026Q2/north.html") in header(out, "2026Q1/north")
    assert set(check_records(old)) == {"north"}
    assert not (old / "manifest.jsonl").exists()


def test_other_folders_are_none_of_its_business(out):
    for name in ("2026Q5", "old 2026Q1", "logs"):
        write_folder(out, name, make_record("north"))
    before = snapshot_of(out / "2026Q5")
    tell(out / "2026Q3")
    assert snapshot_of(out / "2026Q5") == before
    assert "2026Q5" not in (out / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("says", "is_kept"), [("the same", True), ("other", False)])
def test_a_pdf_is_kept_while_the_page_says_the_same(tmp_path, says, is_kept):
    out = tmp_path / "reports"
    content = hash_content(render_page(make_record("north"))) if is_kept else says
    pdf = Printed(sha256=hashlib.sha256(b"%PDF").hexdigest(), content=content)
    folder = write_folder(out, "2026Q3", make_record("north", pdf=pdf))
    (folder / "north.pdf").write_bytes(b"%PDF")
    tell(write_folder(out, "2026Q2", make_record("north")))  # so the links change
    assert (folder / "north.pdf").exists() == is_kept
    assert (check_records(folder)["north"]["pdf"] is not None) == is_kept
    assert ('href="north.pdf"' in (folder / "index.html").read_text()) == is_kept
    assert find_dead_links(out)[0] == []


def test_several_companies_share_a_portal_but_no_chain(out):
    about = ABOUT.model_copy(update={"title": "Zeta"})
    write_folder(out, "2026Q1", make_record("north", company="Zeta"), about=about)
    tell(out / "2026Q3")
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "<h1><bdi>Sales performance reports</bdi></h1>" in page
    assert "· Zeta</small>" in page
    assert header(out, "2026Q1/north") == [("All reports", "index.html")]


def test_an_interrupted_report_stays_interrupted(out):
    begun = [Entry(event="began", at="t", slugs=("north", "south")),
             Entry(event="started", at="t", slug="north")]  # fmt: skip
    with (out / "2026Q2" / JOURNAL).open("a", encoding="utf-8") as journal:
        journal.writelines(entry.model_dump_json(exclude_defaults=True) + "\n" for entry in begun)
    tell(out / "2026Q3")
    assert len(header(out, "2026Q2/north")) == 3
    state = read_state(out / "2026Q2")
    assert (state.open, state.has_ended) == (frozenset({"north"}), False)
    assert check_records(out / "2026Q2").keys() == {"north", "south"}
