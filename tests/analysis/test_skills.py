import numpy as np
import pytest
from made_company import QUARTERS, make_measures
from scipy import stats

from salesnb import views
from salesnb.analysis.skills import team_skills

NOW = QUARTERS[-1]
FRAMEWORK = [("listening", "AE", "connect", 3.5), ("discovery", "AE", "advance", 3.0)]


def company(ratings):
    rows = [
        (rep, rep[0], NOW, "win_rate", 1, 2, 2, np.nan, np.nan) for rep in ("A1", "A2", "A3", "B1")
    ]
    return make_measures(rows, kpis=("win_rate",), ratings=ratings, skills=FRAMEWORK)


def form(rep, rater, score, *, skill="listening", form_id="f"):
    return (f"{form_id}-{rep}-{rater}", rep, rep[0], rater, "peer", NOW, skill, score)


def test_a_persons_score_is_the_mean_over_raters_not_over_forms():
    ratings = [
        form("A1", "x", 2.0, form_id="1"), form("A1", "x", 4.0, form_id="2"), form("A1", "y", 5.0),
        form("A2", "x", 3.0), form("A2", "y", 3.0),
    ]  # fmt: skip
    row = team_skills(company(ratings), period=NOW, team="A").skills.iloc[0]
    assert row["score"] == pytest.approx(np.mean([np.mean([3.0, 5.0]), 3.0]))
    assert (row["n_reps"], row["n_ratings"], row["n_raters"]) == (2, 5, 2)
    assert row["gap"] == pytest.approx(3.5 - 3.5)


def test_fewer_than_two_raters_are_left_out_and_counted():
    ratings = [form("A1", "x", 1.0), form("A2", "x", 3.0), form("A2", "y", 3.0)]
    profile = team_skills(company(ratings), period=NOW, team="A")
    assert profile.n_thin == 1
    assert profile.skills["score"].tolist() == [3.0]


def test_the_interval_is_students_and_only_a_whole_interval_is_below_target():
    scores = {"A1": 2.0, "A2": 2.4, "A3": 2.2}
    ratings = [form(rep, rater, score) for rep, score in scores.items() for rater in "xy"]
    profile = team_skills(company(ratings), period=NOW, team="A")
    row = profile.skills.iloc[0]
    low, high = stats.t.interval(0.95, 2, np.mean([2.0, 2.4, 2.2]), stats.sem([2.0, 2.4, 2.2]))
    assert (row["low"], row["high"]) == pytest.approx((low, high))
    assert profile.finding == "Team A: surely below target are listening."
    one = team_skills(company(ratings[:2]), period=NOW, team="A")
    assert one.finding == "Team A: no skill is surely below its target."


def test_the_company_is_beside_the_team():
    ratings = [form(rep, rater, s) for rep, s in (("A1", 2.0), ("B1", 4.0)) for rater in "xy"]
    row = team_skills(company(ratings), period=NOW, team="A").skills.iloc[0]
    assert (row["score"], row["company"]) == (2.0, 3.0)


def test_without_ratings_it_says_so_and_offers_nothing():
    profile = team_skills(company([]), period=NOW)
    assert profile.finding == "Acme: no skill was scored by two raters in 2026Q2."
    assert profile.candidates() == ()
    assert views.skill_profile(profile).kind == "missing"
