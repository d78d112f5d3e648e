import gzip
import json
import re

import pandas as pd
import pytest
from demo_report import REPS, make_notebook
from nbformat.v4 import new_code_cell, new_notebook, new_output
from page_checks import (
    WIDTHS,
    check_print,
    check_quiet_and_still,
    find_outside,
    find_violations,
    print_sheets,
)

from salesnb.publish import export
from salesnb.publish.export import render_report
from salesnb.views.blocks import Table

pytestmark = pytest.mark.browser


@pytest.fixture(params=["linked_report", "portal", "mail"])
def html(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing(open_page, html, scheme, width):
    page = open_page(html, width=width, scheme=scheme, bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert find_violations(page) == []


def test_a_page_asks_for_nothing_complains_about_nothing_and_stands_still(open_page, html):
    check_quiet_and_still(open_page, html)


@pytest.mark.parametrize("has_policy", [True, False])
def test_no_name_runs_as_script(open_page, html, has_policy):
    policy = re.compile(r"<meta http-equiv=.*?>")
    assert len(policy.findall(html)) == 1
    page = open_page(html if has_policy else policy.sub("", html))
    title = page.title()
    for link in page.locator("main a").all():
        assert not (link.get_attribute("href") or "").lower().startswith("javascript")
    assert page.title() == title != "ran"
    assert page.locator("script").count() == html.count("<script>") <= 1
    assert (
        page.evaluate(
            "[...document.all].flatMap(e => e.getAttributeNames())"
            ".filter(name => name.startsWith('on'))"
        )
        == []
    )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("has_script", [True, False])
def test_no_page_scrolls_sideways(open_page, html, width, has_script):
    page = open_page(html, width=width, java_script_enabled=has_script)
    widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    wanted, there = page.evaluate(widths)
    assert wanted <= there
    assert find_outside(page) == []


def test_a_matrix_stands_as_blocks_with_names_on_a_phone_and_beside_one_another_elsewhere(
    open_page, report
):
    for width, is_stacked in ((390, True), (1280, False)):
        page = open_page(report, width=width)
        name, cell = page.locator(".mx tbody tr").nth(1).locator("th, td").all()[:2]
        below = cell.bounding_box()["y"] >= name.bounding_box()["y"] + name.bounding_box()["height"]
        assert below == is_stacked
        said = cell.evaluate("e => getComputedStyle(e, '::before').content")
        shown = cell.evaluate("e => getComputedStyle(e, '::before').display")
        assert (said, shown != "none") == ('"Win rate"', is_stacked)
        assert page.locator(".mx thead").is_visible() != is_stacked


def test_a_table_s_rows_stand_as_blocks_with_names_on_a_phone(open_page, report):
    page = open_page(report, width=390)
    cells = page.locator("#tbl-next-actions tbody tr").nth(8).locator("td").all()
    names = [cell.evaluate("e => getComputedStyle(e, '::before').content") for cell in cells]
    assert names == ['"Action"', '"Due"', '"Hours"', '"Win rate"']
    assert all(cell.is_visible() for cell in cells)
    assert page.locator("#tbl-next-actions thead").is_hidden()


def test_a_hostile_heading_stays_text_where_the_style_sheet_writes_it(open_page):
    harm = "a'}</style><script>document.title='ran'</script>*{display:none} url(//x) \\27 "
    table = Table.from_frame(pd.DataFrame([["x", "1", "2", "3"]], columns=["Rep", harm, "n", "m"]),
                             title="Table")  # fmt: skip
    bundle = table._repr_mimebundle_()
    output = new_output("display_data", data=bundle)
    page = open_page(
        render_report(new_notebook(cells=[new_code_cell(outputs=[output])])), width=390
    )
    cell = page.locator("td").first
    said = cell.evaluate("e => getComputedStyle(e, '::before').content")
    assert json.loads(said) == harm
    assert page.title() != "ran"
    assert [url for url in page.requested if not url.startswith("data:")] == [page.url]


def test_a_shortened_page_is_the_same_page(open_page, report, monkeypatch):
    elements = """() => [...document.querySelectorAll('body *')].map(e => {
      const look = getComputedStyle(e)
      return [e.tagName, e.parentNode.tagName, e.children.length ? '' : e.textContent, look.fill,
        look.stroke, look.strokeWidth, look.strokeDasharray, look.fontSize, look.textAnchor]
    })"""
    monkeypatch.setattr(export, "shorten_page", lambda page: page)
    whole = render_report(make_notebook())
    assert len(report.encode()) < 0.96 * len(whole.encode())
    short = open_page(report).evaluate(elements)
    assert short == open_page(whole).evaluate(elements)


def test_a_phone_gets_the_narrow_drawing(open_page, report):
    for width, narrow in ((1280, False), (390, True)):
        page = open_page(report, width=width)
        assert page.locator("#fig-win-rate .narrow").is_visible() == narrow
        assert page.locator("#fig-win-rate .wide").is_visible() != narrow


def test_every_picture_has_words(open_page, report):
    page = open_page(report)
    silent = "e => (e.getAttribute('alt') || e.getAttribute('aria-label') || '').length < 30"
    pictures = page.locator("main img, main svg:not([aria-hidden=true])")
    assert pictures.count() == 3  # two figures, one of them twice
    assert [picture.evaluate(silent) for picture in pictures.all()] == [False] * 3


def test_a_report_is_small_and_builds_to_the_same_bytes(report):
    assert len(report.encode()) <= 300_000
    assert len(gzip.compress(report.encode())) <= 60_000
    assert render_report(make_notebook()) == report


def test_drawings_take_the_colours_of_the_page(open_page, report):
    colours = set()
    for scheme in ("light", "dark"):
        page = open_page(report, scheme=scheme)
        text = page.locator("#fig-funnel svg text").first
        colours.add(text.evaluate("e => getComputedStyle(e).fill"))
    assert colours == {"rgb(69, 76, 85)", "rgb(194, 201, 210)"}


def test_the_button_switches_the_colours(open_page, report):
    page = open_page(report, scheme="dark")
    page.get_by_role("button", name="Use light colours").click()
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(246, 247, 249)"
    page.get_by_role("button", name="Use dark colours").click()
    assert page.evaluate(background) == "rgb(18, 22, 27)"


def test_a_heading_sorts_the_matrix_and_leaves_the_team_on_top(open_page, report):
    page = open_page(report)
    names = page.locator(".mx tbody th")
    values = page.locator(".mx tbody:not(.ref) td:nth-child(3)")
    heading = page.locator(".mx thead th").nth(2)
    for direction, is_down in (("descending", True), ("ascending", False)):
        heading.get_by_role("button").click()
        shown = [float(cell.get_attribute("data-v")) for cell in values.all()]
        assert shown == sorted(shown, reverse=is_down)
        assert heading.get_attribute("aria-sort") == direction
        assert names.first.inner_text() == "Team North"
    page.locator(".mx thead th").first.get_by_role("button").click()
    shown = names.all_inner_texts()[1:]
    in_order = "names => names.sort((a, b) => a.localeCompare(b, undefined, {numeric: true}))"
    assert shown == page.evaluate(in_order, shown)


def test_a_link_of_the_contents_leads_to_its_section(open_page, report):
    page = open_page(report, reduced_motion="reduce")
    page.locator(".toc").get_by_role("link", name="Actions").click()
    assert page.evaluate("location.hash") == "#actions"
    assert page.locator("#actions").bounding_box()["y"] < 400


def test_everything_is_readable_without_script(open_page, report):
    page = open_page(report, java_script_enabled=False)
    assert page.locator(".mx tbody tr").count() == len(REPS) + 1
    page.locator("#fig-win-rate summary").first.click()
    assert page.locator("#fig-win-rate .howto p").is_visible()
    assert page.locator("#page-theme").is_hidden()


def test_the_keyboard_reaches_the_skip_link_first(open_page, report):
    page = open_page(report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "page-main"


def test_print_is_on_white_and_shows_only_the_folds_left_open(open_page, report):
    page = open_page(report, scheme="dark")
    page.locator("#fig-funnel .howto summary").click()
    page.emulate_media(media="print")
    paper = "getComputedStyle(document.querySelector('.fig')).backgroundColor"
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    assert page.locator("#fig-funnel .howto p").is_visible()
    assert page.locator("#fig-funnel .data").is_hidden()
    assert page.locator(".toc").is_hidden()


def test_a_report_prints_on_a_few_pages_and_nothing_is_cut_off(open_page, report):
    check_print(open_page, report)
    assert 2 <= len(print_sheets(open_page, report)) <= 7
