"""The committed notebooks as pages: the sample company's reports, opened by a browser."""

from pathlib import Path

import nbformat
import pytest
from page_checks import CHECKS, check_axe_in_dark, check_axe_on_a_phone, print_sheets

from salesnb.publish.export import render_report

pytestmark = pytest.mark.browser
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
LONG = [check for check in CHECKS if check in (check_axe_in_dark, check_axe_on_a_phone)]
QUICK = [check for check in CHECKS if check not in LONG]
MOST_SHEETS = 17
"""The company review needs nearly as many: 15 figures, and tables of which one has 60 rows."""
LEAST_FULL = 0.5
"""Share of a sheet above its last line; the last sheet ends where the report does."""


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def page_html(request):
    return render_report(nbformat.read(request.param, as_version=4))


@pytest.mark.parametrize("check", QUICK, ids=lambda check: check.__name__)
def test_every_report_of_the_sample_company_passes(open_page, page_html, check):
    check(open_page, page_html)


@pytest.mark.bench
@pytest.mark.parametrize("check", LONG, ids=lambda check: check.__name__)
def test_every_report_passes_in_the_dark_and_on_a_phone(open_page, page_html, check):
    """The team review, which has every kind of block, is checked so each time: below."""
    check(open_page, page_html)


@pytest.mark.parametrize("check", LONG, ids=lambda check: check.__name__)
def test_the_team_review_passes_in_the_dark_and_on_a_phone(open_page, check):
    (team_review,) = (path for path in NOTEBOOKS if path.stem == "team_review")
    check(open_page, render_report(nbformat.read(team_review, as_version=4)))


@pytest.mark.parametrize("paper", [{"prefer_css_page_size": True}, {"format": "Letter"}])
def test_every_report_prints_on_few_sheets_that_are_full(open_page, page_html, paper):
    *sheets, _ = print_sheets(open_page, page_html, **paper)
    assert len(sheets) < MOST_SHEETS
    assert [fill for fill in sheets if fill < LEAST_FULL] == []
