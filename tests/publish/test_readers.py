from salesnb.publish.entry import PortalEntry
from salesnb.publish.kinds import KINDS
from salesnb.publish.manifest import Kpi
from salesnb.publish.readers import find_starts

DOWN, UP = Kpi("Win rate", "22%", "−9 pts", "down"), Kpi("Win rate", "30%", "+9 pts", "up")


def entry(title, name="team_review", **changes):
    given = {"kind": KINDS[name].label, "team": title, "quarter": "2026Q3", **changes}
    return PortalEntry(title, href=given.pop("href", f"{title}.html"), **given)


def steps_of(reader, *entries):
    return next((one.steps for one in find_starts(entries) if one.reader == reader), ())


def lead_of(*entries):
    step = steps_of("Manager", *entries)[0]
    return step.lead.title, [other.title for other in step.others]


def test_each_reader_gets_the_reports_for_them_in_order():
    entries = [entry(name, name) for name in KINDS]
    told = {
        start.reader: [step.lead.title for step in start.steps] for start in find_starts(entries)
    }
    assert told == {
        "Manager": ["team_review", "pipeline_priorities"],
        "Training lead": ["skill_segments", "training_impact"],
        "Executive": ["company_review", "sales_process", "marketing_alignment"],
    }


def test_the_best_supported_finding_leads():
    weak = entry("A", headline="x", evidence="moderate", kpis=(DOWN, DOWN))
    strong = entry("B", headline="y", evidence="strong")
    assert lead_of(weak, strong, entry("C")) == ("B", ["A", "C"])


def test_among_equally_supported_ones_the_most_clearly_worse_figures_lead():
    alike = {"headline": "x", "evidence": "strong"}
    entries = [entry("A", **alike, kpis=(UP, UP)), entry("B", **alike, kpis=(DOWN,))]
    assert lead_of(*entries) == ("B", ["A"])
    assert lead_of(entry("A"), entry("B")) == ("A", ["B"])


def test_an_incomplete_report_leads_only_where_there_is_no_other():
    broken = entry("A", status="incomplete", headline="x", evidence="strong")
    assert lead_of(broken, entry("B")) == ("B", ["A"])
    assert lead_of(broken) == ("A", [])


def test_the_latest_quarter_that_has_the_kind_counts():
    entries = [entry("new", "sales_process"), entry("A", quarter="2026Q2"),
               entry("A", quarter="2026Q1", href="old.html")]  # fmt: skip
    (step,) = steps_of("Manager", *entries)
    assert (step.lead.quarter, step.others) == ("2026Q2", ())


def test_what_was_not_made_is_told_with_its_reason():
    absent = entry("Training impact", "training_impact", href="", status="left-out", reason="No.")
    plan, impact = steps_of("Training lead", entry("Skills", "skill_segments"), absent)
    assert plan.lead.title == "Skills"
    assert (impact.lead, impact.missing) == (None, "No.")


def test_a_reader_with_nothing_to_open_is_not_named():
    absent = entry("Training impact", "training_impact", href="", status="left-out", reason="No.")
    assert [start.reader for start in find_starts([entry("A"), absent])] == ["Manager"]
    assert find_starts([]) == ()


def test_a_link_out_of_the_reports_is_no_start():
    assert find_starts([entry("A", href="javascript:x()")]) == ()
