import hashlib
import json

import pytest
from pydantic import ValidationError

from salesnb.errors import DataError
from salesnb.publish.files import write_whole
from salesnb.publish.manifest import (
    MANIFEST,
    Kpi,
    Manifest,
    Record,
    library_versions,
    read_facts,
    read_manifest,
    write_json,
)

PAGE = b"<html>"


def record(**changes):
    given = {
        "slug": "north",
        "kind": "Team review",
        "title": "North",
        "team": "North",
        "quarter": "2026Q2",
        "notebook": "team_review.ipynb",
        "parameters": {"team": "t1"},
        "fingerprint": "f1",
        "snapshot_id": "s1",
        "status": "complete",
        "seconds": 1.5,
        "built": "2026-07-01",
        "sha256": hashlib.sha256(PAGE).hexdigest(),
        "kpis": (("Win rate", "40%"),),
        "left_out": (("Leads", "leads"),),
    }
    return Record(**{**given, **changes})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "north.html").write_bytes(PAGE)
    return tmp_path


def test_what_is_written_is_read_again(folder):
    manifest = Manifest(reports={"north": record()})
    write_whole(folder / MANIFEST, write_json(manifest))
    assert read_manifest(folder) == manifest


def test_the_file_is_plain_json_by_slug(folder):
    write_whole(folder / MANIFEST, write_json(Manifest(reports={"north": record()})))
    content = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert content["format"] == 1
    assert content["reports"]["north"]["parameters"] == {"team": "t1"}
    assert content["reports"]["north"]["kpis"] == [["Win rate", "40%", "", "flat"]]


def test_a_folder_without_a_manifest_has_no_reports(tmp_path):
    assert read_manifest(tmp_path).reports == {}


def test_a_report_whose_page_was_removed_is_left_out(folder):
    reports = {"north": record(), "south": record(slug="south")}
    write_whole(folder / MANIFEST, write_json(Manifest(reports=reports)))
    assert list(read_manifest(folder).reports) == ["north"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"reports": {"north": {}}}', b"\xff"])
def test_a_file_that_is_no_manifest_is_refused(folder, content):
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(DataError, match=r"manifest\.json: cannot be read.* Move it away"):
        read_manifest(folder)


def test_a_report_is_current_when_input_and_page_are_as_they_were(folder):
    assert record().is_current("f1", folder)


def test_a_report_is_not_current_when_anything_differs(folder):
    assert not record().is_current("f2", folder)
    assert not record(status="failed").is_current("f1", folder)
    assert not record(slug="south").is_current("f1", folder)
    (folder / "north.html").write_bytes(PAGE + b" ")
    assert not record().is_current("f1", folder)


def test_facts_are_read_and_only_those_told():
    assert read_facts({"headline": "Up", "other": 1}) == {"headline": "Up"}
    assert read_facts({"kpis": [["a", "1"]]}) == {"kpis": (Kpi("a", "1"),)}
    moved = ["a", "1", "+2 vs 2026Q1", "up"]
    assert read_facts({"kpis": [moved]}) == {"kpis": (Kpi(*moved),)}


def test_no_more_facts_are_kept_than_the_portal_shows():
    kept = read_facts({"kpis": [[name, "1"] for name in "abcdef"]})["kpis"]
    assert [kpi[0] for kpi in kept] == list("abcd")


@pytest.mark.parametrize(
    "told",
    [
        None,
        3,
        "headline",
        [1],
        {"headline": 3},
        {"evidence": "proven"},
        {"kpis": [["a"]]},
        {"kpis": [["a", "1", "+2", "sideways"]]},
    ],
)
def test_facts_that_are_not_well_formed_say_nothing(told):
    assert read_facts(told) == {}


def test_an_unknown_field_or_status_is_refused():
    with pytest.raises(ValidationError, match="status"):
        record(status="running")
    with pytest.raises(ValidationError, match="score"):
        record(score=3)


def test_versions_are_those_of_this_environment():
    import pandas as pd

    versions = library_versions()
    assert versions["pandas"] == pd.__version__
    assert {"salesnb", "papermill", "nbconvert"} <= set(versions)
