import pytest
from folders import make_record, read_links, render_page

from salesnb.publish.links import find_neighbours, hash_content, put_links, render_links


def links_of(place, *records):
    """Find a report's links among records, as pairs of words and target."""
    found = find_neighbours({(one.quarter, one.slug): one for one in records})[place]
    listed = [*found.links, *(link for menu in found.menus for link in menu.links)]
    return [(link.label, link.href) for link in listed]


def labels_of(place, *records):
    found = find_neighbours({(one.quarter, one.slug): one for one in records})[place]
    return [menu.label for menu in found.menus]


PORTAL = ("All reports", "index.html")


def test_a_report_alone_leads_to_the_portal_only():
    assert links_of(("2026Q3", "north"), make_record()) == [PORTAL]
    assert labels_of(("2026Q3", "north"), make_record()) == []


def test_the_same_report_of_the_quarters_around_is_linked():
    records = [make_record(quarter=f"2026Q{n}") for n in (1, 2, 3, 4)]
    assert links_of(("2026Q2", "north"), *records) == [
        PORTAL,
        ("Earlier: 2026Q1", "../2026Q1/north.html"),
        ("Later: 2026Q3", "../2026Q3/north.html"),
    ]
    assert links_of(("2026Q1", "north"), *records)[1:] == [
        ("Later: 2026Q2", "../2026Q2/north.html")
    ]


def test_a_quarter_without_the_report_is_passed_over_by_name():
    records = [make_record(quarter="2025Q4"), make_record("south", quarter="2026Q1"),
               make_record(quarter="2026Q2")]  # fmt: skip
    assert links_of(("2026Q2", "north"), *records)[1:] == [
        ("Earlier: 2025Q4", "../2025Q4/north.html")
    ]


def test_a_team_that_was_renamed_is_the_same_team():
    old = make_record("nord", quarter="2026Q2", parameters={"team": "t1"})
    new = make_record("north", parameters={"team": "t1"})
    assert links_of(("2026Q3", "north"), old, new)[1:] == [
        ("Earlier: 2026Q2", "../2026Q2/nord.html")
    ]
    both = make_record("nordic", quarter="2026Q2", parameters={"team": "t1"}, built="2026-11-01")
    assert links_of(("2026Q3", "north"), old, both, new)[1:] == [
        ("Earlier: 2026Q2", "../2026Q2/nordic.html")
    ]
    assert ("Later: 2026Q3", "../2026Q3/north.html") in links_of(("2026Q2", "nord"), old, both, new)


@pytest.mark.parametrize(
    "change",
    [{"company": "Zeta"}, {"notebook": "pipeline_priorities.ipynb"}, {"parameters": {"team": "x"}}],
)
def test_another_company_kind_or_team_is_not_the_same_report(change):
    other = make_record(quarter="2026Q2", **change)
    assert links_of(("2026Q3", "north"), make_record(), other) == [PORTAL]


def test_other_teams_and_other_reports_of_the_team_are_listed():
    south = make_record("south", status="failed")
    open_ = make_record(
        "pipeline-north", title="North", team="North", kind="Open opportunities",
        notebook="pipeline_priorities.ipynb", parameters={"team": "north"},
    )  # fmt: skip
    records = [make_record(), south, make_record("east"), open_, make_record("w", company="Zeta")]
    assert labels_of(("2026Q3", "north"), *records) == ["Other teams", "Same team"]
    assert links_of(("2026Q3", "north"), *records)[1:] == [
        ("East", "east.html"),
        ("South (incomplete)", "south.html"),
        ("Open opportunities", "pipeline-north.html"),
    ]


def test_programmes_are_siblings_of_programmes():
    a, b = (
        make_record(f"training-{name}", kind="Training impact", team="", title=name,
                    notebook="training_impact.ipynb", parameters={"programme": name})
        for name in "ab"
    )  # fmt: skip
    assert labels_of(("2026Q3", "training-a"), a, b) == ["Other programmes"]
    assert links_of(("2026Q3", "training-a"), a, b)[1:] == [("b", "training-b.html")]


def test_links_are_put_into_the_header_and_nothing_else_changes():
    record = make_record(title="<nav class=x>")
    page = render_page(record)
    south = make_record("south", title='"><script>x()</script>')
    found = find_neighbours({("2026Q3", one.slug): one for one in (record, south)})
    linked = put_links(page, render_links(found["2026Q3", "north"]))
    assert read_links(linked) == [
        PORTAL, ("&#34;&gt;&lt;script&gt;x()&lt;/script&gt;", "south.html")
    ]  # fmt: skip
    assert linked.count("<script") == page.count("<script") == 1
    assert put_links(linked, "") == put_links(page, "") != page
    assert hash_content(linked) == hash_content(page)
    assert hash_content(page) != hash_content(page.replace("Fine.", "Bad."))
    assert put_links("<p>no header</p>", "<nav>") == "<p>no header</p>"
