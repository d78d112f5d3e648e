"""The main job on real input: the export of 8,800 opportunities, imported, run and read."""

import html
import json
import re

import pandas as pd
import pytest
from browser_pages import chromium, open_file, open_page
from page_checks import CHECKS

from salesnb.analysis.insights import find_insights
from salesnb.analysis.matrix import performance_matrix
from salesnb.analysis.trend import quarter_trend
from salesnb.measures.cache import load_measures
from salesnb.params import RunParams
from salesnb.publish.batch import run_batch
from salesnb.publish.manifest import MAIL, PORTAL
from salesnb.publish.plan import make_plan
from salesnb.sources.load import import_snapshot

__all__ = ["chromium", "open_file", "open_page"]  # fixtures of the last test


@pytest.fixture(scope="module")
def snapshot(shared_data, tmp_path_factory):
    to = tmp_path_factory.mktemp("maven") / "snapshot"
    return import_snapshot(shared_data / "maven_crm", to=to, preset="maven")


@pytest.fixture(scope="module")
def measures(snapshot):
    return load_measures(snapshot.folder)


@pytest.fixture(scope="module")
def folder(snapshot, tmp_path_factory):
    params = RunParams(
        snapshot=str(snapshot.folder),
        quarter="2017Q4",
        reports=(
            "company_review",
            "team_review",
            "pipeline_priorities",
            "sales_process",
            "data_quality",
        ),  # fmt: skip
        teams=("Team Melvin Marxen",),
        out=tmp_path_factory.mktemp("reports"),
    )
    result = run_batch(make_plan(params), workers=2)
    assert [(item.job.slug, item.record.reason) for item in result.failed] == []
    return result.portal.parent


def read_text(path):
    body = path.read_text(encoding="utf-8").split("<body", 1)[1]
    return html.unescape(re.sub(r"<[^>]*>", " ", body))


def test_the_plan_has_one_review_a_managers_team_and_the_company(snapshot, tmp_path):
    params = RunParams(snapshot=str(snapshot.folder), quarter="2017Q4", out=tmp_path)
    kinds = [job.kind for job in make_plan(params).jobs]
    assert kinds == ["Team review"] * 6 + [
        "Company review", *["Open opportunities"] * 6, "Sales process", "Data quality",
    ]  # fmt: skip


def test_the_company_review_shows_the_checked_totals(folder):
    text = read_text(folder / "company.html")
    assert "$10,005,534" in text
    assert "63.15%" in text


def test_agents_win_rates_do_not_differ_and_nobody_is_named_for_closing(measures):
    agents = set(measures.people["name"])
    matrix = performance_matrix(measures, period="2017Q4", by="rep")
    findings = find_insights(matrix, quarter_trend(measures, period="2017Q4")).items
    assert not matrix.is_beyond_chance("win_rate")
    assert not matrix.is_beyond_chance("close_rate")
    closing = matrix.scores[matrix.scores["kpi"].isin(["win_rate", "close_rate"])]
    assert (closing["evidence"] == 0).all()
    assert any(item.text == "People do not differ beyond chance in win rate." for item in findings)
    for item in findings:
        if item.kpi in ("win_rate", "close_rate"):
            assert not [name for name in agents if name in item.text + item.why]


def test_the_reports_say_so(folder, measures):
    company, team = (
        read_text(folder / name) for name in ("company.html", "team-melvin-marxen.html")
    )
    assert "all 30 reps lie within what chance produces" in company
    assert "Win rate does not differ between reps beyond chance" in team
    assert not [name for name in measures.people["name"] if f"{name} " in company.split("Show")[0]]


def test_missing_tables_are_named_and_their_sections_left_out(folder):
    text = read_text(folder / "company.html")
    for section, table in (
        ("Targets", "targets"), ("Marketing and sales", "leads"),
        ("Where opportunities are lost", "stage_history"), ("Skills", "ratings"),
    ):  # fmt: skip
        assert re.search(rf"{section}\s+needs {table}", text)
    page = (folder / "company.html").read_text(encoding="utf-8")
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    left_out = {"Targets", "Marketing and sales", "Where opportunities are lost", "Skills"}
    assert not left_out & set(headings)


def test_the_sales_process_is_told_without_stages_and_says_why(folder, measures):
    text = read_text(folder / "process.html")
    fates = measures.flow.fates
    assert f"{fates['n'].sum():,}" in text
    assert "won within 90 days" in text
    assert "stages cannot be followed: that needs stage_history" in text
    assert "as the day of creation is missing: 500 opportunities" in text


def test_open_opportunities_are_told_by_their_age_alone_and_why(folder, snapshot):
    rows = snapshot.read("opportunities")
    days = pd.to_datetime(rows["closed_on"]) - pd.to_datetime(rows["created_on"])
    oldest = days[rows["is_won"].astype(bool)].max().days
    is_open = ~rows["is_closed"].astype(bool)
    age = (pd.Timestamp(snapshot.as_of) - pd.to_datetime(rows["created_on"])).dt.days
    n_older = int((is_open & (age > oldest)).sum())
    (page,) = folder.glob("pipeline-*.html")
    text = read_text(page)
    assert f"{n_older:,} of {int(is_open.sum()):,} open opportunities are older than any" in text
    assert f"({oldest} days)" in text
    assert "A model needs the pipeline's past (pipeline_snapshots, or stage_history" in text
    assert "Close it, or qualify it anew" in text


def test_the_data_quality_report_names_what_the_alias_resolved(folder):
    text = read_text(folder / "data-quality.html")
    assert "1,480 rows with product_id 'GTXPro' read as 'GTX Pro'" in text
    assert "8,800" in text


def test_the_manifest_is_complete(folder):
    reports = json.loads((folder / "manifest.json").read_text())["reports"]
    assert {record["status"] for record in reports.values()} == {"complete"}
    assert ["Targets", "targets"] in reports["company"]["left_out"]


@pytest.mark.browser
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_page_passes_in_a_browser(folder, open_page, check):  # last: see `chromium`
    pages = [page for page in folder.glob("*.html") if page.stem not in (PORTAL, MAIL)]
    assert len(pages) == 5
    for page in pages:
        check(open_page, page.read_text(encoding="utf-8"))
