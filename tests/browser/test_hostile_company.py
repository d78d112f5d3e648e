"""A company whose every text attacks the reader: nothing runs and nothing is asked for."""

import html
import re

import pytest
from hostile_texts import ATTACKS, ELSEWHERE, QUARTER, hostile_snapshot
from page_checks import TOUCH

from salesnb.params import REPORTS, RunParams
from salesnb.publish.batch import run_batch
from salesnb.publish.manifest import MAIL
from salesnb.publish.plan import make_plan

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("hostile")
    params = RunParams(
        snapshot=str(hostile_snapshot(home).folder), quarter=QUARTER, teams=("north",),
        reports=REPORTS, programmes=("NEG-220 2026-01",), out=home / "reports",
    )  # fmt: skip
    result = run_batch(make_plan(params), workers=2)
    assert [(item.job.slug, item.record.reason) for item in result.failed] == []
    assert {item.record.notebook.removesuffix(".ipynb") for item in result.done} == set(REPORTS)
    return result.portal.parent


def test_texts_of_the_crm_are_on_the_pages_as_texts(folder):
    whole = "".join(path.read_text("utf-8") for path in folder.glob("*.html"))
    pages = html.unescape(whole.replace("<wbr>", ""))
    assert sum(attack in pages for attack in ATTACKS) >= len(ATTACKS) - 4


@pytest.mark.parametrize("has_policy", [True, False], ids=["with policy", "without policy"])
def test_nothing_runs_and_nothing_is_asked_for(folder, open_page, has_policy):
    pages = sorted(folder.glob("*.html"))
    assert len(pages) >= len(REPORTS) + 1
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert len(_POLICY.findall(text)) == 1
        page = open_page(text if has_policy else _POLICY.sub("", text))
        page.evaluate(TOUCH)
        page.wait_for_load_state("networkidle")
        asked = [url for url in page.requested if not url.startswith("data:")]
        assert (path.name, asked) == (path.name, [page.url])
        assert page.evaluate("window.executed") is None, path.name
        assert page.complaints == [], path.name
        assert page.locator("iframe, object, embed, form, base, svg foreignObject").count() == 0
        links = page.eval_on_selector_all("a", "all => all.map(a => a.protocol)")
        assert set(links) <= {"file:", "https:", "http:"}, path.name
        assert page.evaluate("document.scripts.length") == (path.stem != MAIL)
        page.context.close()


def test_a_page_links_to_nowhere_it_was_told_to(folder, open_page):
    for path in sorted(folder.glob("*.html")):
        page = open_page(path.read_text(encoding="utf-8"))
        targets = page.eval_on_selector_all("a", "all => all.map(a => a.href)")
        assert [url for url in targets if url.startswith(ELSEWHERE)] == [], path.name
        page.context.close()
