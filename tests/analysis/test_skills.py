import numpy as np
import pytest
from made_company import QUARTERS, make_measures

from salesnb import views
from salesnb.analysis.profiles import skill_profiles
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


def test_a_team_has_the_mean_of_its_peoples_scores():
    ratings = [
        form("A1", "x", 2.0, form_id="1"), form("A1", "x", 4.0, form_id="2"), form("A1", "y", 5.0),
        form("A2", "x", 3.0), form("A2", "y", 3.0), form("B1", "x", 2.0), form("B1", "y", 1.0),
    ]  # fmt: skip
    row = team_skills(company(ratings), period=NOW, team="A").skills.iloc[0]
    everyone = skill_profiles(company(ratings), period=NOW).cells.set_index("rep_id")["score"]
    assert row["score"] == pytest.approx(everyone[["A1", "A2"]].mean())
    assert row["company"] == pytest.approx(everyone.mean())
    assert (row["n_reps"], row["n_ratings"], row["n_raters"]) == (2, 5, 2)
    assert row["gap"] == pytest.approx(row["score"] - 3.5)
    assert row["low"] < row["score"] < row["high"]


def test_fewer_than_two_raters_are_left_out_and_counted():
    ratings = [form("A1", "x", 1.0), form("A2", "x", 3.0), form("A2", "y", 3.0)]
    profile = team_skills(company(ratings), period=NOW, team="A")
    assert profile.n_thin == 1
    assert profile.skills["n_reps"].tolist() == [1]


def test_only_a_whole_interval_is_below_target():
    scores = {"A1": 1.0, "A2": 2.0, "A3": 1.0}
    ratings = [form(rep, rater, score) for rep, score in scores.items() for rater in "xyz"]
    profile = team_skills(company(ratings), period=NOW, team="A")
    assert profile.finding == "Team A: surely below target are listening."
    near = [form(rep, rater, 3.0 + (rater == "x")) for rep in scores for rater in "xyz"]
    profile = team_skills(company(near), period=NOW, team="A")
    assert profile.finding == "Team A: no skill is surely below its target."


def test_without_ratings_it_says_so_and_offers_nothing():
    profile = team_skills(company([]), period=NOW)
    assert profile.finding == "Acme: no skill was scored by two raters in 2025Q3 to 2026Q2."
    assert profile.candidates() == ()
    assert views.skill_profile(profile).kind == "missing"
