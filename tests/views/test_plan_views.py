"""Views of plan and importance: what they say, and what they must not render."""

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
    assert "times as much" in block.title
    assert [row[0] for row in block.rows] == [
        "This plan", "Lowest score first", "By the manager's weights",
    ]  # fmt: skip


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
