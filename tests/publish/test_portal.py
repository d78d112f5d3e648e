import re

import pytest

from salesnb.errors import ParameterError
from salesnb.publish.portal import PortalEntry, render_portal


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
    shown = re.findall(r"<h2>(.*?)</h2>|<bdi>(.*?)</bdi></a>", page)
    assert ["".join(pair) for pair in shown] == ["2026 Q3", "South", "North", "2026 Q1", "Old"]


def test_a_complete_report_is_linked_and_unmarked():
    row = row_of(render(entry(kpis=(("Win rate", "22%"),), built="2026-10-06")), "North")
    assert '<a class="name" href="north.html"><bdi>North</bdi></a>' in row
    assert "<small>Team review · built 6 October 2026</small>" in row
    assert "<dt>Win rate</dt><dd>22%</dd>" in row
    assert "flag" not in row


def test_a_failed_report_is_marked_with_its_reason_and_not_linked():
    page = render(entry(href="", status="failed", reason="amount is <empty>"), entry(title="B"))
    row = row_of(page, "North")
    assert '<span class="flag failed">Failed</span> amount is &lt;empty&gt;' in row
    assert "<a " not in row
    assert "2 reports, 1 failed" in page


def test_an_incomplete_report_is_marked_and_still_linked():
    row = row_of(render(entry(status="incomplete", reason="No trainings.")), "North")
    assert '<span class="flag incomplete">Incomplete</span> No trainings.' in row
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
    page = render(entry(title=name, team=name, quarter=name, headline=name, kpis=((name, name),)))
    assert page.count("<script") == 1
    assert '"><script>x()' not in page


@pytest.mark.parametrize("href", ["javascript:x()", "//example.org", "data:text/html,x"])
def test_a_link_out_of_the_reports_is_left_out(href):
    assert "href=" not in row_of(render(entry(href=href)), "North")


def test_no_reports_give_a_page_that_says_how_to_make_some():
    page = render()
    assert "There are no reports yet. Run <code>salesnb run</code>" in page
    assert "<select" not in page


def test_teams_are_offered_once_each():
    page = render(entry(), entry(quarter="2026 Q2"), entry(team="", title="Company"))
    assert re.findall(r"<option>([^<]*)</option>", page) == ["North", "2026 Q3", "2026 Q2"]


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
