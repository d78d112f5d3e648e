"""What a reader does with the portal and the links of a report."""

import pytest
from demo_portal import ENTRIES, HOSTILE, LINKS, LONG
from folders import make_record, write_folder

from salesnb.publish.gather import gather
from salesnb.publish.journal import locked

pytestmark = pytest.mark.browser


def shown_rows(page):
    return page.locator(".reports li:visible .name").all_inner_texts()


def counted(page):
    return page.locator("#page-count").inner_text()


def choose(page, label, option):
    page.get_by_role("combobox", name=label, exact=True).select_option(label=option)


def test_search_takes_all_words_and_does_not_care_for_accents_or_case(open_page, portal):
    page = open_page(portal)
    assert counted(page) == "9 of 9 reports"
    page.get_by_label("Search").fill("SAO stall")
    assert shown_rows(page) == ["São Paulo"]
    assert counted(page) == "1 of 9 reports"
    page.get_by_label("Search").fill("2026q3 opportunities")
    assert shown_rows(page) == ["North"]
    page.get_by_label("Search").fill("no such words")
    assert shown_rows(page) == []
    assert page.locator("section.quarter:visible").count() == 0


@pytest.mark.parametrize(
    ("label", "choice", "rows"),
    [
        ("Team", "North", ["North", "North"]),
        ("Kind", "Open opportunities", ["North"]),
        ("Quarter", "2026Q2", [HOSTILE, LONG]),
        ("Status", "Incomplete", ["São Paulo", HOSTILE]),
        ("Status", "Not made", ["Training impact"]),
    ],
)
def test_each_filter_leaves_what_fits(open_page, portal, label, choice, rows):
    page = open_page(portal)
    choose(page, label, choice)
    assert shown_rows(page) == rows
    assert counted(page) == f"{len(rows)} of 9 reports"


def test_filters_and_search_work_together_and_can_be_taken_back(open_page, portal):
    page = open_page(portal)
    choose(page, "Team", "North")
    choose(page, "Kind", "Team review")
    page.get_by_label("Search").fill("bookings")
    assert shown_rows(page) == ["North"]
    choose(page, "Quarter", "2026Q2")
    assert shown_rows(page) == []
    for label, every in (("Team", "All teams"), ("Kind", "All kinds"), ("Quarter", "All quarters")):
        choose(page, label, every)
    page.get_by_label("Search").fill("")
    assert counted(page) == "9 of 9 reports"


def test_the_keyboard_alone_searches_filters_and_opens(open_page, portal):
    page = open_page(portal)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "page-main"
    reached = []
    while "words" not in reached:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.name || document.activeElement.href"))
        assert len(reached) < 30
    page.keyboard.type("acme")
    assert shown_rows(page) == ["Acme"]
    page.keyboard.press("Escape")
    assert counted(page) == "9 of 9 reports"
    page.keyboard.press("Tab")
    page.keyboard.type("North")
    assert shown_rows(page) == ["North", "North"]
    for _ in range(4):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "name"
    assert page.evaluate("document.activeElement.textContent") == "North"


def test_the_first_thing_for_each_reader_is_the_first_link(open_page, portal):
    page = open_page(portal, java_script_enabled=False)
    cards = page.locator(".readers > div")
    assert cards.locator("h3").all_inner_texts() == ["Manager", "Training lead", "Executive"]
    firsts = [card.locator("a").first.inner_text() for card in cards.all()]
    # of the complete team reviews only the one in Hebrew has a finding
    assert firsts == [ENTRIES[3].title, "Skills and training plan", "Acme"]
    assert "Not made. It needs trainings" in cards.nth(1).inner_text()


def test_everything_is_listed_without_script(open_page, portal):
    page = open_page(portal, java_script_enabled=False)
    assert len(shown_rows(page)) == len(ENTRIES)
    assert page.locator(".filters").is_hidden()
    assert page.locator("#page-count").is_hidden()


def test_a_menu_of_links_opens_by_keyboard_and_covers_nothing_it_cannot_scroll(
    open_page, linked_report
):
    for width in (390, 1280):
        page = open_page(linked_report, width=width, java_script_enabled=False)
        menu = page.locator(".links details").first
        assert menu.locator("ul").is_hidden()
        menu.locator("summary").press("Enter")
        assert menu.locator("a").count() == len(LINKS.menus[0].links)
        menu.locator("a").last.scroll_into_view_if_needed()
        box = menu.locator("a").last.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_links_leave_the_line_above_the_title_its_place(open_page, linked_report):
    for width in (320, 390, 1280):
        page = open_page(linked_report, width=width)
        assert page.locator(".kick").bounding_box()["height"] < 50


def test_links_are_not_printed(open_page, linked_report):
    page = open_page(linked_report)
    page.locator(".links details summary").first.click()
    page.emulate_media(media="print")
    assert page.locator(".links").is_hidden()


def test_a_reader_walks_from_the_portal_through_quarters_and_back(chromium, tmp_path):
    out = tmp_path / "reports & more"
    write_folder(out, "2026Q2", make_record("north"))
    folder = write_folder(out, "2026Q3", make_record("north"), make_record("south"))
    with locked(folder):
        gather(folder)
    page = chromium.new_page()
    try:
        page.goto((out / "index.html").as_uri())
        page.locator(".reports a.name").first.click()
        assert page.locator("h1").inner_text() == "North"
        page.get_by_text("Earlier: 2026Q2").click()
        page.get_by_text("Later: 2026Q3").click()
        page.get_by_text("Other teams").click()
        page.locator(".links li a").click()
        assert page.locator("h1").inner_text() == "South"
        page.get_by_text("All reports").click()
        page.get_by_text("All quarters").click()
        assert page.url == (out / "index.html").as_uri()
    finally:
        page.close()
