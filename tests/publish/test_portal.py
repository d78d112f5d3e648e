import re

import pytest

from salesnb.errors import ParameterError
from salesnb.publish.entry import PortalEntry
from salesnb.publish.manifest import Kpi
from salesnb.publish.portal import render_portal


def entry(**changes):
    fields = {"title": "North", "kind": "Team review", "team": "North", "quarter": "2026 Q3"}
    return PortalEntry(**{**fields, "href": "north.html", **changes})


def render(*entries):
    return render_portal(entries, title="Sales reports", as_of="2026-10-05")


def row_of(page, title):
    return next(row for row in re.findall(r"<li .*?</li>", page, re.DOTALL) if f">{title}<" in row)


def test_reports_are_grouped_by_quarter_latest_first_in_the_order_given():
    page = render(
        entry(title="Old", quarter="2026 Q1"),
        entry(title="South"),
        entry(title="North"),
    )
    shown = re.findall(r"<h3>(20.*?)</h3>|class=\"name\".*?<bdi>(.*?)</bdi></a>", page)
    assert ["".join(pair) for pair in shown] == ["2026 Q3", "South", "North", "2026 Q1", "Old"]


def test_a_complete_report_is_linked_and_unmarked():
    row = row_of(render(entry(kpis=(Kpi("Win rate", "22%"),), built="2026-10-06")), "North")
    assert '<a class="name" href="north.html"><bdi>North</bdi></a>' in row
    assert "<small>Team review · built 6 October 2026</small>" in row
    assert "<dt>Win rate</dt><dd>22%</dd>" in row
    assert "flag" not in row


def test_a_clear_change_of_a_kpi_is_shown_with_its_sign_and_words():
    down = Kpi("Win rate", "22%", "−17.9 pts vs 2026Q2", "down")
    row = row_of(render(entry(kpis=(down, Kpi("Leads", "5")))), "North")
    assert (
        '<dd>22%<small><span class="down"><span aria-hidden="true">▼</span> '
        '<span class="sr">worse: </span>−17.9 pts vs 2026Q2</span></small></dd>'
    ) in row
    assert "<dt>Leads</dt><dd>5</dd>" in row


def test_a_pdf_is_linked_beside_its_report():
    row = row_of(render(entry(pdf="north.pdf")), "North")
    assert (
        '<a class="pdf" href="north.pdf">PDF<span class="sr"> of North, 2026 Q3</span></a>' in row
    )
    assert "pdf" not in row_of(render(entry()), "North")
    assert "pdf" not in row_of(render(entry(pdf="//example.org/a.pdf")), "North")


def test_companies_are_named_where_there_are_several():
    assert "Acme" not in row_of(render(entry(company="Acme")), "North")
    page = render(entry(company="Acme"), entry(title="South", company="Zeta"))
    assert "<small>Team review · Acme</small>" in row_of(page, "North")


def test_the_portal_of_a_quarter_leads_to_that_of_all():
    page = render_portal([entry()], title="A", as_of="", above="../index.html")
    assert '<a href="../index.html">All quarters</a>' in page
    assert "<h1><bdi>A</bdi> <span>2026 Q3</span></h1>" in page
    assert "All quarters</a>" not in render(entry())


def test_an_incomplete_report_is_marked_and_still_linked():
    page = render(entry(status="incomplete", reason="amount is <empty>"), entry(title="B"))
    row = row_of(page, "North")
    assert '<span class="flag incomplete">Incomplete</span> amount is &lt;empty&gt;' in row
    assert "2 reports, 1 incomplete" in page
    assert 'href="north.html"' in row


def test_what_was_not_made_says_why_and_counts_as_no_report():
    left_out = entry(
        title="Training impact", kind="Training impact", team="", href="", status="left-out",
        reason="It needs trainings; the snapshot has none.",
    )  # fmt: skip
    page = render(entry(), left_out)
    row = row_of(page, "Training impact")
    assert '<span class="flag left-out">Not made</span> It needs trainings' in row
    assert "<a " not in row
    assert "<small></small>" in row
    assert "1 report, 1 not made" in page


def test_the_finding_carries_its_evidence():
    row = row_of(render(entry(headline="Deals stall", evidence="moderate")), "North")
    assert "<p>Deals stall</p>" in row
    assert "Moderate evidence" in row


def test_a_hostile_name_stays_text_everywhere():
    name = '"><script>x()</script>'
    page = render(
        entry(
            title=name, team=name, quarter=name, headline=name, kpis=(Kpi(name, name, name, "up"),)
        )
    )
    assert page.count("<script") == 1
    assert '"><script>x()' not in page


@pytest.mark.parametrize("href", ["javascript:x()", "//example.org", "data:text/html,x"])
def test_a_link_out_of_the_reports_is_left_out(href):
    assert "href=" not in row_of(render(entry(href=href)), "North")


def test_no_reports_give_a_page_that_says_how_to_make_some():
    page = render()
    assert "There are no reports yet. Run <code>salesnb run</code>" in page
    assert "<select" not in page


def offered(page, name):
    choice = re.search(rf'<select name="{name}">(.*?)</select>', page)
    return re.findall(r'<option value="([^"]+)">', choice[1]) if choice else []


def test_what_can_be_chosen_is_offered_once_each_and_only_where_there_is_a_choice():
    left_out = entry(title="C", kind="Training", team="", href="", status="left-out")
    page = render(entry(), entry(quarter="2026 Q2"), entry(team="South", title="S"), left_out)
    assert offered(page, "team") == ["North", "South"]
    assert offered(page, "kind") == ["Team review", "Training"]
    assert offered(page, "quarter") == ["2026 Q3", "2026 Q2"]
    assert offered(page, "status") == ["complete", "left-out"]
    assert "<select" not in render(entry(), entry(title="B"))


def test_equal_entries_give_equal_bytes():
    assert render(entry()) == render(entry())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": "ok"}, "status 'ok'; expected one of 'complete'"),
        ({"evidence": "weak"}, "evidence 'weak'; expected one of 'strong'"),
    ],
)
def test_a_word_outside_its_vocabulary_is_refused(changes, message):
    with pytest.raises(ParameterError, match=message):
        entry(**changes)
