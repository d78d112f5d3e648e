import numpy as np
import pytest
from made_company import QUARTERS, make_measures

from salesnb import views
from salesnb.analysis.profiles import skill_profiles
from salesnb.analysis.skill_matrix import skill_matrix
from salesnb.analysis.skills import team_skills

NOW = QUARTERS[-1]
FRAMEWORK = [("listening", "AE", "connect", 3.5), ("discovery", "AE", "advance", 3.0)]
HOSTILE = "<img src=x onerror=alert(1)>"


def company(ratings, *, reps=("A1", "A2", "A3", "B1"), **options):
    rows = [(rep, rep[0], NOW, "win_rate", 1, 2, 2, np.nan, np.nan) for rep in reps]
    return make_measures(rows, kpis=("win_rate",), ratings=ratings, skills=FRAMEWORK, **options)


def form(rep, rater, score, *, skill="listening", role="peer", form_id="f"):
    return (f"{form_id}-{rep}-{rater}", rep, rep[0], rater, role, NOW, skill, score)


def simulate_ratings(generator, *, levels, raters=3, noise=0.7, skills=("listening", "discovery")):
    """Rate everybody by raters of their own, who err independently."""
    return [
        form(rep, f"{rep}{rater}", np.clip(round(level + generator.normal(0, noise)), 1, 5),
             skill=skill)
        for rep, level in levels.items()
        for skill in skills
        for rater in range(raters)
    ]  # fmt: skip


def cell(found, rep, skill="listening"):
    rows = found.scores[(found.scores["unit_id"] == rep) & (found.scores["skill"] == skill)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_a_score_is_that_of_the_profiles_with_its_raters():
    ratings = [
        form("A1", "x", 2.0, form_id="1"), form("A1", "x", 4.0, form_id="2"), form("A1", "y", 5.0),
        form("A2", "x", 3.0), form("A2", "y", 3.0),
    ]  # fmt: skip
    found = skill_matrix(company(ratings), period=NOW, team="A")
    first = cell(found, "A1")
    profiles = skill_profiles(company(ratings), period=NOW, team="A").cells
    assert first["score"] == profiles.loc[profiles["rep_id"] == "A1", "score"].iloc[0]
    assert (first["n_raters"], first["target"]) == (2, 3.5)
    assert first["low"] < first["score"] < first["high"]


def test_one_rater_is_no_evidence_and_oneself_is_none():
    ratings = [
        form("A1", "x", 1.0), form("A1", "me", 5.0, role="self"), form("A2", "x", 3.0),
        form("A2", "A2", 5.0), form("A2", "y", 3.0),
    ]  # fmt: skip
    found = skill_matrix(company(ratings), period=NOW)
    thin, enough = cell(found, "A1"), cell(found, "A2")
    assert (thin["is_enough"], thin["evidence"]) == (False, 0)
    assert np.isnan(thin["low"])
    assert enough["n_raters"] == 2
    table = views.skill_table(found)
    assert [(name, cells[0].value, cells[0].note) for name, cells in table.rows] == [
        ("Rep A1", "–", "1 rater"), ("Rep A2", f"{enough['score']:.1f}", "2 raters"),
    ]  # fmt: skip
    assert "Scores of a single rater (1) are no evidence" in table.caption


def test_equal_people_are_tinted_in_at_most_five_percent_of_companies():
    claims = 0
    for seed in range(60):
        generator = np.random.default_rng(seed)
        levels = {f"A{n}": 3.0 for n in range(12)}
        ratings = simulate_ratings(generator, levels=levels)
        found = skill_matrix(company(ratings, reps=levels), period=NOW)
        claims += bool(found.differences["is_beyond_chance"].any())
    assert claims <= 8  # 60 x 5% = 3; P(more than 8) is below .01 at a true 5%


def test_strict_raters_of_one_team_make_nobody_of_it_weak():
    levels = {f"{team}{n}": level for team, level in (("A", 2.0), ("B", 4.0)) for n in range(10)}
    claims = 0
    for seed in range(20):
        ratings = simulate_ratings(np.random.default_rng(seed), levels=levels)
        found = skill_matrix(company(ratings, reps=levels), period=NOW)
        claims += bool(found.differences["is_beyond_chance"].any())
        groups = found.scores.groupby(found.scores["unit_id"].str[0])["group"].mean()
        assert groups["B"] - groups["A"] > 1.0  # of 2.0, as far as it may be the raters
    assert claims <= 4  # 20 x 5% = 1; P(more than 4) is below .01 at a true 5%


def test_scores_at_their_target_are_rarely_called_below_it():
    wrong = scores = 0
    for seed in range(40):
        levels = {f"A{n}": 3.0 for n in range(12)}
        ratings = simulate_ratings(
            np.random.default_rng(seed), levels=levels, skills=("discovery",)
        )
        found = skill_matrix(company(ratings, reps=levels), period=NOW)
        wrong += int((found.scores["against_target"] != 0).any())
        scores += len(found.scores)
    assert scores == 40 * 12
    assert wrong <= 6  # 40 x 5% = 2; P(more than 6) is below .01 at a true 5%


def test_planted_differences_are_on_the_right_side_and_below_target():
    levels = {f"A{n}": 2.0 if n < 6 else 4.0 for n in range(12)}
    ratings = simulate_ratings(np.random.default_rng(1), levels=levels, raters=4, noise=0.5)
    found = skill_matrix(company(ratings, reps=levels), period=NOW)
    assert found.differences["is_beyond_chance"].all()
    sure = found.scores[found.scores["evidence"].abs() >= 2]
    assert len(sure) >= 20
    assert ((sure["evidence"] > 0) == (sure["unit_id"].str[1:].astype(int) >= 6)).all()
    assert set(found.scores.loc[found.scores["against_target"] < 0, "unit_id"]) <= {
        f"A{n}" for n in range(6)
    }
    assert cell(found, "A1")["against_target"] == -1
    assert "below target" in views.skill_table(found).rows[1][1][0].note


def test_a_team_shows_those_rated_in_it():
    levels = {"A1": 3, "A2": 4, "B1": 2}
    ratings = simulate_ratings(np.random.default_rng(1), levels=levels)
    found = skill_matrix(company(ratings), period=NOW, team="Team A")
    assert set(found.scores["unit_id"]) == {"A1", "A2"}


def test_an_unknown_skill_and_a_missing_target_are_shown_without():
    ratings = [form("A1", rater, 3.0, skill="juggling") for rater in "xy"]
    found = skill_matrix(company(ratings), period=NOW)
    row = cell(found, "A1", "juggling")
    assert np.isnan(row["target"])
    assert (row["against_target"], row["evidence"]) == (0, 0)
    assert views.skill_table(found).reference[1][0].note == ""


@pytest.mark.parametrize(
    ("ratings", "said"),
    [
        ([], "Acme: skills need ratings; the snapshot has none."),
        ([form("A1", "A1", 3.0)], "Acme: nobody was rated by others in 2025Q3 to 2026Q2."),
    ],
)
def test_without_ratings_it_says_so(ratings, said):
    found = skill_matrix(company(ratings), period=NOW)
    assert found.finding == said
    assert views.skill_table(found).text == said


def test_only_thin_scores_give_a_matrix_of_dashes():
    found = skill_matrix(company([form("A1", "x", 1.0)]), period=NOW)
    assert views.skill_table(found).rows[0][1][0].value == "–"
    assert "in any skill; 0 of 0 scores" in found.finding


def test_names_are_text():
    ratings = [form("A1", rater, 3.0, skill=HOSTILE) for rater in "xy"]
    measures = company(ratings, names={"A1": HOSTILE})
    assert "<img" not in views.skill_table(skill_matrix(measures, period=NOW)).render_html()


# What the profile of a team offers ---------------------------------------------------------


def test_a_profile_offers_the_skills_below_target_by_holm():
    levels = {f"A{n}": 2.0 for n in range(8)}
    ratings = simulate_ratings(np.random.default_rng(1), levels=levels, noise=0.4)
    profile = team_skills(company(ratings, reps=levels), period=NOW, team="A")
    (offer,) = profile.candidates()
    assert offer.text.startswith("Team A: 2 of 2 skills are below target, listening, discovery")
    assert offer.anchor == "skills"
    assert offer.effect == pytest.approx(-profile.skills["gap"].min() / 3.5, abs=0.02)
    assert offer.p_value < 1e-4


def test_two_people_scored_alike_are_not_certain():
    ratings = [form(rep, rater, 3.0) for rep in ("A1", "A2") for rater in "xy"]
    row = team_skills(company(ratings), period=NOW, team="A").skills.iloc[0]
    assert 0.05 < row["p_value"] < 1


def test_a_profile_at_target_offers_a_test_that_is_not_told():
    ratings = [form(rep, rater, 4.0) for rep in ("A1", "A2", "A3") for rater in "xy"]
    (offer,) = team_skills(company(ratings), period=NOW, team="A").candidates()
    assert (offer.effect, offer.p_value) == (0.0, 1.0)


def test_one_person_offers_nothing():
    ratings = [form("A1", rater, 1.0) for rater in "xy"]
    assert team_skills(company(ratings), period=NOW, team="A").candidates() == ()
