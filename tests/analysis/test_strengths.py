from dataclasses import replace

import numpy as np
import pytest
from made_company import QUARTERS, make_measures, simulate

from salesnb import views
from salesnb.analysis.matrix import performance_matrix
from salesnb.analysis.skill_matrix import skill_matrix
from salesnb.analysis.strengths import strengths
from salesnb.errors import ParameterError

NOW = QUARTERS[-1]
FRAMEWORK = [("listening", "AE", "connect", 3.5)]
HOSTILE = "<img src=x onerror=alert(1)>"


def matrix_of(measures, **arguments):
    return performance_matrix(measures, period=NOW, n_draws=1000, **arguments)


@pytest.fixture(scope="module")
def unequal():
    rates = np.concatenate([np.full(20, 0.15), np.full(20, 0.45)])
    return simulate(np.random.default_rng(1), win_rates=rates, closed=25)


def rated(levels):
    """Make a company whose people win alike and are rated at these levels by four raters."""
    rows = [(rep, "A", NOW, "win_rate", 6, 20, 20, np.nan, np.nan) for rep in levels]
    ratings = [
        (f"f-{rep}-{rater}", rep, "A", rater, "peer", NOW, "listening", level)
        for rep, level in levels.items()
        for rater in "wxyz"
    ]
    return make_measures(rows, kpis=("win_rate",), ratings=ratings, skills=FRAMEWORK)


def test_of_equal_people_nothing_stands_out_in_nearly_all_companies():
    loud = 0
    for seed in range(24):
        company = simulate(np.random.default_rng(seed), win_rates=np.full(16, 0.3))
        found = strengths(performance_matrix(company, period=NOW, n_draws=300))
        loud += len(found.quiet) < found.n_units
    assert loud <= 4  # 24 x 5% = 1.2; P(more than 4) is below .01 at a true 5%


def test_planted_strengths_and_weaknesses_are_on_the_right_side(unequal):
    found = strengths(matrix_of(unequal))
    wins = found.items[found.items["name"] == "Win rate"]
    assert len(wins) >= 20
    is_good = wins["unit_id"].str[1:].astype(int) >= 20
    assert ((wins["side"] == "strength") == is_good).all()
    assert (wins["probability"] >= 1 - 0.05 / 3).all()  # three KPIs are looked at


def test_the_evidence_is_in_words(unequal):
    matrix = matrix_of(unequal)
    first = strengths(matrix).items.query("name == 'Win rate'").iloc[0]
    row = matrix.scores.query("kpi == 'win_rate'").set_index("unit_id").loc[first["unit_id"]]
    assert first["text"] == (
        f"Win rate about {row['estimate']:.0%}, the group {row['group']:.0%} (n {row['n']:,.0f})"
    )


def test_at_most_so_many_of_each(unequal):
    found = strengths(matrix_of(unequal), most=1)
    assert found.items.groupby(["unit_id", "side"]).size().max() == 1
    assert strengths(matrix_of(unequal)).items.groupby(["unit_id", "side"]).size().max() > 1


def test_everybody_is_either_named_quiet_or_has_an_item(unequal):
    found = strengths(matrix_of(unequal))
    assert len(set(found.items["unit_id"])) + len(found.quiet) == found.n_units == 40


def test_leads_are_given_and_no_strength():
    rows = [
        (f"A{n}", "A", quarter, "leads", 90 if n == 0 else 20, 1.0, 90 if n == 0 else 20,
         np.nan, np.nan)
        for n in range(6)
        for quarter in QUARTERS
    ]  # fmt: skip
    matrix = matrix_of(make_measures(rows, kpis=("leads",)))
    assert matrix.is_beyond_chance("leads")
    assert strengths(matrix).items.empty


def test_skills_stand_beside_kpis_and_say_what_they_are_against():
    measures = rated({**{f"A{n}": 4.0 for n in range(8)}, "A8": 1.0})
    found = strengths(matrix_of(measures), skill_matrix(measures, period=NOW))
    assert list(found.items["unit_id"]) == ["A8"]
    assert found.of("A8", "weakness") == (
        "Listening 1.1 of 5, the group 3.7 and surely below the target of 3.5 (4 raters)",
    )
    assert found.of("A8", "strength") == ()
    assert found.finding.startswith("Something stands out about 1 of 9 people; about the other 8")


def test_above_the_group_but_below_target_is_neither():
    measures = rated({**{f"A{n}": 1.0 for n in range(8)}, "A8": 2.5})
    found = strengths(matrix_of(measures), skill_matrix(measures, period=NOW))
    assert "A8" not in set(found.items["unit_id"])
    assert set(found.items["side"]) == {"weakness"}


def test_skills_beside_teams_are_refused(unequal):
    measures = rated({"A1": 3.0, "A2": 3.0})
    skills = skill_matrix(measures, period=NOW)
    with pytest.raises(ParameterError, match="skills: are of people. Use a matrix with by='rep'"):
        strengths(matrix_of(unequal, by="team"), skills)


def test_missing_ratings_leave_the_kpis(unequal):
    skills = skill_matrix(unequal, period=NOW)
    assert skills.lacking
    matrix = matrix_of(unequal)
    one, other = strengths(matrix), strengths(matrix, skills)
    assert list(one.items["text"]) == list(other.items["text"])


def test_one_person_does_not_stand_out():
    rows = [("A1", "A", NOW, "win_rate", 1, 4, 4, np.nan, np.nan)]
    found = strengths(matrix_of(make_measures(rows, kpis=("win_rate",))))
    assert found.finding == "Nothing stands out about any of 1 people."
    assert views.strengths_table(found).kind == "info"


def test_nobody_gives_a_note():
    found = strengths(matrix_of(make_measures([], kpis=("win_rate",))))
    assert views.strengths_table(found).kind == "missing"


def test_the_table_lists_who_stands_out_and_names_the_others_below(unequal):
    found = strengths(matrix_of(unequal))
    table = views.strengths_table(found)
    assert table.header == ("Rep", "Strengths", "Weaknesses")
    assert len(table.rows) == len(set(found.items["unit_id"]))
    assert all(name in table.key[0] for name in found.quiet)
    people = unequal.people.assign(name=HOSTILE)
    hostile = strengths(matrix_of(replace(unequal, people=people)))
    assert "<img" not in views.strengths_table(hostile).render_html()
