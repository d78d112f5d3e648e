import numpy as np
import pytest
from made_company import QUARTERS, make_measures

from salesnb import views
from salesnb.analysis.profiles import fit_profiles
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
    fitted = fit_profiles(company(ratings).ratings, skills=("listening",), periods=(NOW,))
    everyone = fitted.unshrunk.mean[:, 0]
    assert row["score"] == pytest.approx(everyone[:2].mean())
    assert row["company"] == pytest.approx(everyone.mean())
    assert (row["n_reps"], row["n_ratings"], row["n_raters"]) == (2, 5, 2)
    assert row["gap"] == pytest.approx(row["score"] - 3.5)
    assert row["low"] < row["score"] < row["high"]


def test_fewer_than_two_raters_are_left_out_and_counted():
    ratings = [form("A1", "x", 1.0), form("A2", "x", 3.0), form("A2", "y", 3.0)]
    profile = team_skills(company(ratings), period=NOW, team="A")
    assert profile.n_thin == 1
    assert profile.skills["n_reps"].tolist() == [1]


def rate_teams(seed, *, lower, own_raters):
    """Rate 8 teams of 8, A exactly on its target of 3.5 and the others lower, by two raters each.

    The mean severity of all raters is nought: what they share cannot be seen.
    """
    rng, rows = np.random.default_rng(seed), []
    severity = rng.normal(0, 0.3, 16)
    severity -= severity.mean()
    for number, team in enumerate("ABCDEFGH"):
        skill = rng.normal(0, 0.5, 8)
        skill += 3.5 - lower * (team != "A") - skill.mean()
        for person in range(8):
            own = [2 * number, 2 * number + 1]
            for rater in own if own_raters else rng.choice(16, 2, replace=False):
                seen = skill[person] + severity[rater] + rng.normal(0, 0.2)
                score = np.clip(np.round(seen + rng.normal(0, 0.5)), 1, 5)
                rows.append(form(f"{team}{person}", f"r{rater}", score))
    return rows


@pytest.mark.parametrize("own_raters", [True, False])
@pytest.mark.parametrize("lower", [0.6, -0.6])
def test_a_team_on_target_is_rarely_below_it_whatever_the_others_are(lower, own_raters):
    claims, gaps = 0, []
    for seed in range(25):
        measures = company(rate_teams(seed, lower=lower, own_raters=own_raters))
        skills = team_skills(measures, period=NOW, team="A").skills
        claims += bool(skills["is_below"].any())
        gaps.append(skills["gap"].iloc[0])
    assert claims <= 5  # 25 x 5% = 1.25; P(more than 5) is below .002 at a true 5%
    assert abs(np.mean(gaps)) < 0.2  # pulled to the others it was .2 to .4 off


def test_all_words_are_of_the_skills_below_target_by_holm():
    for size in (0.5, 0.8, 1.0, 1.2):
        ratings = [
            form(f"A{person}", rater, score, skill=skill, form_id="f")
            for skill, low in (("listening", 3.5 - size), ("discovery", 3.0))
            for person, score in zip((1, 2, 3), (low, low + 0.5, low - 0.5), strict=True)
            for rater in "xyz"
        ]
        profile = team_skills(company(ratings), period=NOW, team="A")
        tested = np.sort(profile.skills["p_value"])
        adjusted = np.maximum.accumulate(tested * np.arange(len(tested), 0, -1))
        n_below = int((adjusted < 0.05).sum())
        (offer,) = profile.candidates()
        assert len(profile.below_target()) == profile.skills["is_below"].sum() == n_below
        assert offer.text.startswith(f"Team A: {n_below} of 2 skills are below target")
        assert ("no skill" in profile.finding) == (n_below == 0)


def test_one_person_is_not_below_target():
    profile = team_skills(
        company([form("A1", rater, 1.0) for rater in "vwxyz"]), period=NOW, team="A"
    )
    assert np.isnan(profile.skills["p_value"].iloc[0])
    assert profile.finding == "Team A: no skill is surely below its target."
    assert "surely below target are" not in views.skill_profile(profile).render_html()


def test_only_single_raters_are_counted_and_not_who_was_never_rated():
    ratings = [form("A1", "x", 1.0), form("A2", "x", 3.0, skill="discovery")]
    profile = team_skills(company(ratings), period=NOW)
    assert profile.skills.empty
    assert profile.n_thin == 2  # of four pairs


def test_nothing_below_target_is_said_once():
    ratings = [form(rep, rater, 4.0) for rep in ("A1", "A2") for rater in "xy"]
    (offer,) = team_skills(company(ratings), period=NOW, team="A").candidates()
    assert offer.text == "Team A: 0 of 1 skills are below target."


def test_only_what_is_surely_below_is_below_target():
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
