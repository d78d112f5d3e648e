"""Reports of a team of forty whose names are long, right-to-left, accented or hostile."""

import json
import subprocess
import sys

import pytest
from crowded_company import crowded_snapshot
from page_checks import (
    CHECKS,
    check_axe_in_dark,
    check_axe_on_a_phone,
    check_print,
    check_quiet_and_still,
    check_size,
    check_widths,
    check_words,
)

from salesnb.measures.cache import load_measures
from salesnb.params import REPORTS
from salesnb.publish.manifest import MAIL, PORTAL

pytestmark = [pytest.mark.browser, pytest.mark.slow]
QUICK = ("team_review", "pipeline_priorities")
MOST_BYTES = 500_000
"""What `check_size` asks is for a team of fourteen: these matrices have 36 rows, and long names."""


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    return crowded_snapshot(tmp_path_factory.mktemp("crowded"))


def run_reports(snapshot, to, reports):
    """Run reports as an operator does, beside this process, and return the pages by slug.

    Playwright's event loop runs in this one, where kernels need one of their own.
    """
    quarter = load_measures(snapshot.folder).periods[-1]
    params = {"snapshot": str(snapshot.folder), "quarter": quarter, "reports": [*reports]}
    path = to / "params.yaml"
    path.write_text(json.dumps({**params, "out": str(to / "reports")}), encoding="utf-8")
    command = [sys.executable, "-c", "from salesnb.cli import main; main()", "run", str(path)]
    subprocess.run(command, check=True)
    pages = (to / "reports" / quarter).glob("*.html")
    kept = [page for page in pages if page.stem not in (PORTAL, MAIL)]
    return {page.stem: page.read_text(encoding="utf-8") for page in kept}


@pytest.fixture(scope="module")
def pages(snapshot, tmp_path_factory):
    return run_reports(snapshot, tmp_path_factory.mktemp("reports"), QUICK)


@pytest.mark.parametrize(
    "check",
    [pytest.param(check_axe_in_dark, marks=pytest.mark.bench),
     pytest.param(check_axe_on_a_phone, marks=pytest.mark.bench),
     check_quiet_and_still, check_widths, check_words, check_print],
    ids=lambda check: check.__name__,
)  # fmt: skip
def test_names_of_all_kinds_harm_no_page(open_page, pages, check):
    assert len(pages) == len(QUICK)
    for html in pages.values():
        check(open_page, html)


@pytest.mark.parametrize("has_policy", [True, False])
def test_no_name_runs_as_script(open_page, pages, has_policy):
    for html in pages.values():
        head, policy, rest = html.partition('<meta http-equiv="Content-Security-Policy"')
        assert policy
        page = open_page(html if has_policy else head + rest.partition(">")[2])
        assert page.title() != "ran"
        assert page.locator("script").count() == 1
        found = page.evaluate(
            "[...document.all].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))"
        )
        assert found == []


@pytest.mark.bench
def test_every_kind_of_report_of_such_a_company_passes(open_page, snapshot, tmp_path):
    pages = run_reports(snapshot, tmp_path, REPORTS)
    assert len(pages) >= len(REPORTS)
    for html in pages.values():
        assert len(html.encode()) <= MOST_BYTES
        for check in CHECKS:
            if check is not check_size:
                check(open_page, html)
