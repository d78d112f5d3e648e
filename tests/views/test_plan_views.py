"""Views of plan and importance: what they say, and what they must not render."""

from dataclasses import replace

import pytest
from planned_company import SKILLS, course, make_company, make_importance, make_profiles

from salesnb import views
from salesnb.analysis.plan import PlanLimits, training_plan
from salesnb.views.blocks import Figure, Note, Table

HOSTILE = "<img src=x onerror=alert(1)>"
REPS = ("A0", "A1", "B0", "B1")
TABLES = ("plan_table", "plan_comparison", "plan_bounds", "plan_left_out", "plan_sessions")


def profiles(score=2.0):
    scores = {(rep, skill): score for rep in REPS for skill in SKILLS}
    return make_profiles(scores, names=dict.fromkeys(REPS, HOSTILE), unit=HOSTILE)


def plan(*, courses=None, score=2.0, **asked):
    courses = [course("listening", seats=2)] if courses is None else courses
    measures = make_company(REPS, courses=courses)
    return training_plan(profiles(score), make_importance(), measures, **asked)


@pytest.mark.parametrize("view", TABLES)
def test_tables_state_findings_and_escape_what_comes_from_the_crm(view):
    hostile = [(HOSTILE, HOSTILE, "listening", 8.0, 500.0, 2.0)]
    block = getattr(views, view)(plan(courses=hostile, budget=800, hours=8))
    html = block.render_html()
    assert isinstance(block, Table)
    assert block.rows
    assert "<img" not in html
    assert "nan" not in block.render_text().replace("training", "")


def test_the_plan_shows_its_reasons():
    block = views.plan_table(plan())
    assert block.header[:5] == ("Who", "Course", "Skill", "Gap", "Raters")
    row = dict(zip(block.header, block.rows[0], strict=True))
    assert row["Gap"] == "1.0 (0.8 to 1.2)"
    assert row["Starts"].startswith("2026-07")
    assert "2 people in 2 seats for $1.0k" in block.title


def test_the_comparison_says_how_much_more():
    block = views.plan_comparison(plan())
    assert block.title.startswith("By these estimates the same limits")
    assert block.title.endswith("; the intervals overlap.")
    assert [row[0] for row in block.rows] == [
        "This plan", "Lowest score first", "By the manager's weights",
    ]  # fmt: skip


def test_the_comparison_says_how_many_times_as_much_only_where_that_is_sure():
    apart = plan()
    rows = apart.comparison.assign(
        gain=[9e3, 2e3, 9e3], gain_low=[6e3, 1e3, 6e3], gain_high=[12e3, 5e3, 12e3]
    )
    block = views.plan_comparison(replace(apart, comparison=rows))
    assert block.title.endswith("$2.0k instead of $9.0k: this plan brings 4.5 times as much.")
    close = rows.assign(gain_high=[12e3, 7e3, 12e3])
    assert "times" not in views.plan_comparison(replace(apart, comparison=close)).title


def test_limits_are_worth_what_they_are_each_for_itself():
    made = plan(budget=1_200, hours=10, courses=[course("listening"), course("closing", seats=1)])
    worth = made.bounds["limit"].map({"budget": 9e3, "seats of LISTENING": 2e3}).fillna(0.0)
    bounds = made.bounds.assign(one_more_gain=worth)
    title = views.plan_bounds(replace(made, bounds=bounds)).title
    assert title == (
        "A seat more in seats of LISTENING would bring $2.0k; $1,000 more in budget would bring "
        "$9.0k."
    )
    block = views.plan_bounds(made)
    row = {line[0]: dict(zip(block.header, line, strict=True)) for line in block.rows}
    # $200 of the budget and two of the hours are left, but buy nothing
    assert (row["Budget"]["Binding"], row["Hours a person"]["Binding"]) == ("yes", "yes")


def test_only_open_gaps_count_as_gaps():
    made = plan()
    reasons = ["no seat", "no seat", "not enough evidence", "completed already", "no target"]
    rows = made.left_out.head(1).loc[[0] * 5].assign(reason=reasons)
    block = views.plan_left_out(replace(made, left_out=rows))
    assert block.title == "2 gaps without a seat, most for: no seat."
    assert len(block.rows) == 5
    seen = views.plan_left_out(replace(made, left_out=rows.tail(3)))
    assert seen.title == "No open gap is left without a seat."


@pytest.mark.parametrize("view", TABLES)
@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: plan(courses=[]), "needs courses"),
        (lambda: plan(score=4.9), "nobody has a gap"),
        (
            lambda: plan(budget=100, limits=PlanLimits(everyone_within=1)),
            "no plan keeps to all limits",
        ),
    ],
)
def test_no_plan_is_said_in_words(view, made, says):
    block = getattr(views, view)(made())
    assert isinstance(block, Note)
    assert says in block.render_text()


def test_figures_state_what_matters_most():
    importance = make_importance((0.09, 0.05, 0.02))
    chart = views.importance_chart(importance)
    assert isinstance(chart, Figure)
    assert "listening" in chart.title
    assert chart.narrow_svg
    scores = {("A0", "listening"): 1.5, ("A0", "discovery"): 2.9, ("A0", "closing"): 3.5}
    quadrant = views.quadrant_chart(importance, make_profiles(scores, unit=HOSTILE))
    assert "is listening." in quadrant.title
    assert "<img" not in quadrant.render_html()
    gaps = dict(zip(quadrant.numbers["Skill"], quadrant.numbers["Gap"], strict=True))
    assert gaps["listening"] == "1.50"
    assert gaps["closing"] == "0.00"


def test_without_profiles_there_is_no_quadrant():
    block = views.quadrant_chart(make_importance(), make_profiles({}))
    assert isinstance(block, Note)
    assert "the snapshot has none" in block.render_text()
