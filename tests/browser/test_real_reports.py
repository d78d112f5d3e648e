"""The committed notebooks as pages: the sample company's reports, opened by a browser."""

from pathlib import Path

import nbformat
import pytest
from page_checks import CHECKS, count_printed

from salesnb.publish.export import render_report

pytestmark = pytest.mark.browser
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
MOST_SHEETS = 17
"""The company review needs them: 15 figures, and tables of which one has 60 rows."""


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def page_html(request):
    return render_report(nbformat.read(request.param, as_version=4))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_report_of_the_sample_company_passes(open_page, page_html, check):
    check(open_page, page_html)


@pytest.mark.parametrize("paper", [{"prefer_css_page_size": True}, {"format": "Letter"}])
def test_every_report_prints_on_few_sheets(open_page, page_html, paper):
    assert count_printed(open_page, page_html, **paper) <= MOST_SHEETS
