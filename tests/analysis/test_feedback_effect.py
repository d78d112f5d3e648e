import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_company import make_measures

from salesnb.analysis.feedback import feedback_effect
from salesnb.analysis.feedback.effect import _COLUMNS, _judge, compare_kinds, mark_feedback
from salesnb.analysis.feedback.profiles import skill_panel, take_out_groups
from salesnb.analysis.feedback.verdict import FELL, MOVED, UNCLEAR, FeedbackEffect
from salesnb.measures.cache import load_measures

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def simulator(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import feedback_effect as simulator

    return simulator


def compare(simulator, rule, effect, seed):
    panel, kinds = simulator.simulate(rule, effect, seed)
    return compare_kinds(panel, kinds, np.zeros(kinds.shape, dtype=bool)).iloc[0]


@pytest.mark.parametrize("rule", ["random", "lowest before", "lowest now", "highest before"])
def test_no_effect_is_claimed_where_there_is_none(simulator, rule):
    found = pd.DataFrame([compare(simulator, rule, 0.0, seed) for seed in range(12)])
    assert abs(found["effect"].mean()) <= 0.07
    assert found["verdict"].isin([MOVED, FELL]).sum() <= 2  # P(more than 2 of 12) is .02 at 5%
    if rule != "random":  # what was rated low or high moves back by itself
        assert abs(found["naive"].mean()) > 2 * abs(found["effect"].mean())


def test_an_effect_of_half_a_point_is_found_and_has_its_size(simulator):
    found = pd.DataFrame([compare(simulator, "lowest now", 0.5, seed) for seed in range(12)])
    assert (found["verdict"] == MOVED).sum() >= 6
    assert found["effect"].mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("placebo_p", "verdict", "words"),
    [
        (0.5, MOVED, "before the feedback there was no such difference"),
        (0.01, UNCLEAR, "there was such a difference before the feedback already"),
        (np.nan, UNCLEAR, "could not be checked"),
    ],
)
def test_no_difference_is_claimed_where_it_was_not_checked_before(placebo_p, verdict, words):
    row = dict.fromkeys(_COLUMNS, np.nan) | {
        "kind": "all", "n": 90, "n_people": 40, "effect": 0.4, "detectable": 0.3,
        "p_value": 0.001, "placebo_p": placebo_p,
    }  # fmt: skip
    rows = _judge(pd.DataFrame([row]))
    assert rows["verdict"].tolist() == [verdict]
    (told,) = FeedbackEffect("2026Q3", "Acme", rows).candidates()
    assert (words in told.why, told.effect > 0) == (True, verdict == MOVED)


def test_a_constant_added_to_all_scores_of_a_form_changes_nothing(simulator):
    generator = np.random.default_rng(0)
    forms = simulator.write_forms(generator.integers(1, 6, (12, 2, 5, 4)).astype(float))
    form_ids = forms["form_id"].unique()
    shifts = pd.Series(generator.normal(0, 2, len(form_ids)), index=form_ids)
    shift = forms["form_id"].map(shifts)
    plain = skill_panel(forms, simulator.PERIODS)
    moved = skill_panel(forms.assign(score=forms["score"] + shift), simulator.PERIODS)
    pd.testing.assert_frame_equal(plain, moved)
    shuffled = skill_panel(forms.sample(frac=1, random_state=1), simulator.PERIODS)
    pd.testing.assert_frame_equal(plain, shuffled)


def test_forms_about_oneself_and_of_two_skills_say_nothing():
    rows = pd.DataFrame(
        [("f1", "a", "x", "peer", "q", skill, score) for skill, score in
         (("s", 1.0), ("t", 2.0), ("u", 3.0))]
        + [("f2", "a", "a", "peer", "q", "s", 5.0), ("f3", "a", "y", "self", "q", "s", 5.0),
           ("f4", "a", "y", "peer", "q", "s", 5.0), ("f4", "a", "y", "peer", "q", "t", 1.0),
           ("f5", "a", "z", "peer", "q", "s", np.nan)],
        columns=["form_id", "rep_id", "rater_id", "rater_role", "period", "skill", "score"],
    )  # fmt: skip
    panel = skill_panel(rows, ("q", "r"))
    assert panel[0].to_dict() == {("a", "s"): -1.0, ("a", "t"): 0.0, ("a", "u"): 1.0}
    assert panel[1].isna().all()


def test_groups_are_taken_out_as_by_least_squares():
    generator = np.random.default_rng(2)
    first, second = generator.integers(0, 6, 80), generator.integers(0, 4, 80)
    values = generator.normal(size=80)
    design = np.column_stack([np.eye(6)[first], np.eye(4)[second]])
    fitted = design @ np.linalg.lstsq(design, values, rcond=None)[0]
    np.testing.assert_allclose(take_out_groups(values, first, second), values - fitted, atol=1e-8)


def test_the_estimate_is_the_difference_of_differences_of_paired_quarters():
    """40 people, skills s and t: s of some gets feedback after the rating of quarter 3 of 0..6."""
    generator = np.random.default_rng(4)
    index = pd.MultiIndex.from_product([range(40), ["s", "t"]], names=["rep_id", "skill"])
    panel = pd.DataFrame(generator.normal(size=(80, 7)), index=index)
    kinds = np.full((80, 7), "", dtype=object)
    half = np.arange(80) % 4 == 0  # skill s of every second person
    kinds[half, 3] = "praise"
    row = compare_kinds(panel, kinds, np.zeros((80, 7), dtype=bool)).iloc[0]
    assert (row["n"], row["n_people"]) == (20, 20)
    assert row["verdict"] == UNCLEAR  # twenty pairs are too few
    assert np.isnan(row["effect"])
    kinds[np.arange(80) % 2 == 0, 3] = np.where(np.arange(40) < 36, "praise", "")
    row = compare_kinds(panel, kinds, np.zeros((80, 7), dtype=bool)).iloc[0]
    points = panel.to_numpy()
    change = (points[:, [5, 6]] - points[:, [1, 0]]).mean(axis=1)
    # Quarter 3 has both kinds of people; only there does the comparison within people differ.
    beside = change[0::2] - change[1::2]
    assert row["effect"] == pytest.approx(beside[:36].mean() - beside[36:].mean(), abs=1e-6)


def test_skills_under_training_are_left_out(simulator):
    panel, kinds = simulator.simulate("random", 0.0, 0)
    trained = kinds != ""
    row = compare_kinds(panel, kinds, trained).iloc[0]
    assert (row["n"], row["verdict"]) == (0, UNCLEAR)


def test_the_sample_company_in_which_feedback_does_nothing():
    measures = load_measures()
    found = feedback_effect(measures, period="2026Q3")
    assert not found.rows["verdict"].isin([MOVED, FELL]).any()
    row = found.rows.iloc[0]
    assert row["low"] <= 0 <= row["high"]
    assert row["n"] > 250
    team = feedback_effect(measures, period="2026Q3", team="North")
    assert "cannot be told: not enough evidence" in team.finding
    assert team.candidates() == ()


def test_feedback_belongs_to_the_last_rating_before_it():
    """Rated in 2025Q1, Q2 and Q3; feedback on the day of the second, and the day after it."""
    people = [f"A{n:02d}" for n in range(4)]
    quarters = {"2025Q1": dt.date(2025, 3, 20), "2025Q2": dt.date(2025, 6, 20),
                "2025Q3": dt.date(2025, 9, 20)}  # fmt: skip
    rows = [(rep, "A", q, "win_rate", 1, 2, 2, np.nan, np.nan) for rep in people for q in quarters]
    told = [
        ("f1", "A00", "m", quarters["2025Q2"], "praise", "s", None),
        ("f2", "A01", "m", quarters["2025Q2"] + dt.timedelta(days=1), "praise", "s", None),
        ("f3", "A02", "m", dt.date(2025, 1, 5), "praise", "s", None),  # nothing rated before
        ("f4", "A03", "m", dt.date(2025, 9, 21), "praise", "unknown", None),
    ]
    ratings = pd.DataFrame(
        [(f"{rep}{q}", rep, "x", "peer", q, skill, 3.0, day)
         for rep in people for q, day in quarters.items() for skill in ("s", "t", "u")],
        columns=["form_id", "rep_id", "rater_id", "rater_role", "period", "skill", "score",
                 "rated_on"],
    )  # fmt: skip
    made = make_measures(rows, kpis=("win_rate",), feedback=told, quarters=tuple(quarters))
    made = replace(made, ratings=ratings)
    marks = mark_feedback(made, skill_panel(ratings, made.periods), made.periods)
    assert [tuple(at) for at in np.argwhere(marks != "")] == [(0, 0), (3, 1)]
    undated = ratings.assign(rated_on=ratings["rated_on"].where(ratings["rep_id"] != "A00"))
    marks = mark_feedback(
        replace(made, ratings=undated), skill_panel(undated, made.periods), made.periods
    )
    assert [tuple(at) for at in np.argwhere(marks != "")] == [(3, 1)]


def test_missing_tables_are_named():
    rows = [("A1", "A", "2026Q2", "win_rate", 1, 2, 2, np.nan, np.nan)]
    empty = make_measures(rows, kpis=("win_rate",))
    assert "needs the feedback table" in feedback_effect(empty, period="2026Q2").finding
    told = [("f", "A1", "m", dt.date(2026, 5, 1), "praise", "s", "Well done")]
    unrated = make_measures(rows, kpis=("win_rate",), feedback=told)
    assert "needs the ratings table" in feedback_effect(unrated, period="2026Q2").finding


def test_one_rating_and_feedback_without_a_skill_are_no_evidence():
    rows = [("A1", "A", "2026Q2", "win_rate", 1, 2, 2, np.nan, np.nan)]
    told = [("f", "A1", None, dt.date(2026, 5, 1), None, None, None)]
    measures = make_measures(rows, kpis=("win_rate",), feedback=told)
    rating = pd.DataFrame(
        [("f1", "A1", "x", "peer", "2026Q2", "s", 3.0, dt.date(2026, 6, 1))],
        columns=[
            "form_id",
            "rep_id",
            "rater_id",
            "rater_role",
            "period",
            "skill",
            "score",
            "rated_on",
        ],
    )
    found = feedback_effect(replace(measures, ratings=rating), period="2026Q2")
    assert found.rows["verdict"].tolist() == [UNCLEAR]
