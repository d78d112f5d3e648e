import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_company import QUARTERS, make_measures
from scipy.stats import chi2

from salesnb import views
from salesnb.analysis.feedback import feedback_loop
from salesnb.analysis.insights import find_insights
from salesnb.errors import ParameterError

NOW, BEFORE = QUARTERS[-1], QUARTERS[-2]
FIRST = dt.date(2026, 4, 1)
FRAMEWORK = [("listening", "AE", "connect", 3.5), ("discovery", "AE", "advance", 3.0)]
RATED = dt.date(2026, 3, 27)


def said(rep, day, *, author="mA", kind="praise", skill=None, comment=None):
    return (f"{rep}{day}{skill}{author}", rep, author, day, kind, skill, comment)


def days(n):
    return FIRST + dt.timedelta(days=n)


def company(feedback, *, reps=5, managers=True, ratings=(), **tables):
    """Two teams of `reps`, A managed by mA and B by mB, at work in all quarters."""
    people = [f"{team}{n}" for team in "AB" for n in range(reps)]
    rows = [
        (rep, rep[0], quarter, "win_rate", 3, 10, 10, np.nan, np.nan)
        for rep in people
        for quarter in QUARTERS
    ]
    made = make_measures(rows, kpis=("win_rate",), feedback=feedback, skills=FRAMEWORK, **tables)
    held = pd.DataFrame(
        [(rep, rep[0], f"m{rep[0]}", None, None) for rep in people],
        columns=["rep_id", "team_id", "manager_id", "valid_from", "valid_to"],
    )
    scores = pd.DataFrame(
        ratings,
        columns=["form_id", "rep_id", "rater_id", "rater_role", "period", "skill", "score",
                 "rated_on"],
    )  # fmt: skip
    return replace(made, memberships=held if managers else held.head(0), ratings=scores)


def find(measures, **arguments):
    return feedback_loop(measures, period=NOW, n_draws=300, **arguments)


def test_coverage_counts_people_once_and_by_manager():
    told = [said("A0", days(1)), said("A0", days(9)), said("A1", days(2), author="coach"),
            said("B0", days(3), author="mB"), said("B1", days(-1), author="mB")]  # fmt: skip
    found = find(company(told))
    assert (found.now["n_covered"], found.now["n_people"], found.now["n"]) == (3, 10, 4)
    rows = found.managers.set_index("label")
    assert rows.loc["Team A", ["n_people", "n_covered", "n_by_manager"]].tolist() == [5, 2, 1]
    assert rows.loc["Team B", ["n_people", "n_covered", "n_by_manager"]].tolist() == [5, 1, 1]
    assert rows["n_people"].sum() == found.now["n_people"]
    assert "3 of 10 people got feedback in 2026Q2" in found.finding
    assert found.quarters["n_covered"].tolist()[-2:] == [1, 3]


def test_a_manager_is_called_after_the_team_even_among_the_people():
    measures = company([said("A0", days(1))])
    held = measures.memberships.assign(manager_id="B4")
    found = find(replace(measures, memberships=held))
    assert found.managers["label"].tolist() == ["Team A"]


def test_the_last_manager_of_the_quarter_counts():
    measures = company([said("A0", days(1))])
    moved = pd.DataFrame(
        [("A0", "A", "mA", None, days(30)), ("A0", "B", "mB", days(30), None)],
        columns=measures.memberships.columns,
    )
    others = measures.memberships[measures.memberships["rep_id"] != "A0"]
    found = find(replace(measures, memberships=pd.concat([moved, others])))
    assert found.managers.set_index("label")["n_people"].to_dict() == {"Team A": 4, "Team B": 6}


def test_managers_are_told_apart_only_beyond_chance():
    everybody = [said(f"A{n}", days(n)) for n in range(30)]
    found = find(company(everybody, reps=30))
    assert found.differ < 0.05
    texts = [item.text for item in find_insights(found).items]
    rows = found.managers
    assert rows["label"].tolist() == ["Team A", "Team B"]  # best first, for they differ
    high, low = rows["estimate"]
    assert 0 < low < high < 1  # not the raw shares
    told = f"from {low:.0%} (Team B's manager) to {high:.0%} (Team A's manager)"
    assert any(told in text for text in texts)
    few = find(company([said("A0", days(1)), said("A1", days(1)), said("B0", days(2))]))
    assert few.differ > 0.05
    alike = find(company([said("B0", days(1)), said("B1", days(1)), said("A0", days(2))]))
    assert alike.managers["estimate"].is_monotonic_increasing  # by name, though B has more
    assert alike.managers["label"].tolist() == ["Team A", "Team B"]
    assert "managers do not differ in it beyond chance" in few.finding
    assert not any("depends on the manager" in item.text for item in find_insights(few).items)


def test_equal_managers_are_called_different_in_at_most_five_percent_of_companies():
    generator, claims = np.random.default_rng(3), 0
    for _ in range(60):
        told = [
            said(f"{t}{n}", days(n)) for t in "AB" for n in range(12) if generator.random() < 0.5
        ]
        claims += find(company(told, reps=12)).differ < 0.05
    assert claims <= 8  # 60 x 5% = 3; P(more than 8) is below .01 at a true 5%


def test_cadence_is_the_median_over_people_of_their_own_median():
    told = [said("A0", days(d)) for d in (0, 10, 40)] + [said("B0", days(d)) for d in (5, 9)]
    one = find(company(told)).cadence
    assert one.median_days == np.median([np.median([10, 30]), 4])
    assert one.n_people == 2


def test_the_silent_are_counted_and_named_in_their_team_only():
    told = [said("A0", days(-1)), said("A1", days(0)), said("A2", days(80))]
    whole, team = find(company(told)), find(company(told), team="A")
    assert (whole.cadence.n_quiet, whole.cadence.n_asked) == (8, 10)  # 90 days are not 13 weeks
    assert whole.quiet.empty
    assert team.quiet["name"].tolist() == ["Rep A3", "Rep A4", "Rep A0"]
    assert team.quiet["days"].tolist() == [545, 545, 91]
    assert not any("Rep" in item.text for item in whole.candidates())
    shorter = find(company(told), quiet_weeks=12)
    assert shorter.cadence.n_quiet == 9


def test_who_came_lately_or_left_is_not_silent():
    measures = company([said("B0", days(80))])
    people = measures.people.copy()
    people["hired_on"] = [days(60) if rep == "A0" else None for rep in people["rep_id"]]
    people["left_on"] = [days(70) if rep == "A1" else None for rep in people["rep_id"]]
    found = find(replace(measures, people=people), team="A")
    assert set(found.quiet["rep_id"]) == {"A2", "A3", "A4"}
    assert found.cadence.n_asked == 3


def test_feedback_from_before_the_hire_makes_nobody_longer_silent_than_there():
    measures = company([said("A0", days(-200))])
    hired = measures.people.assign(hired_on=days(60))
    found = find(replace(measures, people=hired))
    assert (found.cadence.n_quiet, found.cadence.n_asked) == (0, 0)
    assert all(np.isfinite(item.effect) for item in found.candidates())


def test_authors_with_kinds_of_their_own_are_no_change_of_kinds():
    """Those who praise wrote before, those who correct write now; nobody changed."""
    told = [
        said(f"A{k % 5}", days(sign * (n + 1)), author=f"x{k}", kind=kind)
        for k in range(6)
        for kind, many in [("praise", -1) if k % 2 else ("correction", 1)]
        for sign, most in ((many, 30), (-many, 10))
        for n in range(most)
    ]
    found = find(company(told))
    shares = found.kinds.set_index("kind")
    assert shares.loc["praise", "share_before"] - shares.loc["praise", "share"] == 0.5
    assert not found.kinds_changed < 0.05


def test_the_test_of_kinds_is_that_of_mantel_and_haenszel():
    told = [
        said("A0", days((1 if now else -1) * (n + 1)), author=author, kind=kind)
        for author, kind, now, most in [
            ("x", "praise", True, 9), ("x", "praise", False, 12), ("x", "question", True, 4),
            ("x", "question", False, 20), ("y", "praise", True, 3), ("y", "question", False, 8),
            ("y", "question", True, 7), ("y", "praise", False, 6), ("z", "praise", True, 5),
        ]
        for n in range(most)
    ]  # fmt: skip
    expected = 13 * 21 / 45 + 10 * 9 / 24
    variance = 13 * 32 * 21 * 24 / (45**2 * 44) + 10 * 14 * 9 * 15 / (24**2 * 23)
    p_value = chi2.sf((12 - expected) ** 2 / variance, 1)
    assert find(company(told)).kinds_changed == pytest.approx(p_value)


def test_kinds_add_up_and_a_changed_mix_is_offered():
    praise = [said(f"A{n % 5}", days(-n - 1)) for n in range(60)]
    stern = [said(f"A{n % 5}", days(n), kind="Correction ") for n in range(60)]
    found = find(company([*praise, *stern, said("B0", days(3), kind=None)]))
    assert found.kinds.set_index("kind")["n"].to_dict() == {
        "praise": 0, "correction": 60, "not said": 1,
    }  # fmt: skip
    assert found.kinds["share"].sum() == pytest.approx(1)
    assert np.isnan(found.kinds_changed)  # one that is not said is too few for the test
    clear = find(company([*praise, *stern]))
    assert clear.kinds_changed < 1e-6
    assert any("praise in feedback went from 100% to 0%" in c.text for c in clear.candidates())


def scored(rep, skill, score, *, period=BEFORE, day=RATED, rater="x"):
    return (f"{rep}{period}{rater}", rep, rater, "peer", period, skill, score, day)


def test_a_score_below_target_is_answered_by_feedback_on_that_skill_in_time():
    ratings = [scored(f"A{n}", skill, score) for n in range(4)
               for skill, score in (("listening", 2.0), ("discovery", 4.0))]  # fmt: skip
    told = [
        said("A0", days(5), skill="listening"),  # in time
        said("A1", days(5), skill="discovery"),  # another skill
        said("A2", days(86), skill="listening"),  # 91 days after
        said("A3", days(-5), skill="listening"),  # on the day itself: no answer to it
    ]
    one = find(company(told, ratings=ratings)).answers
    assert (one.n_gaps, one.n_answered, one.median_days) == (4, 1, 10)
    assert (one.n_others, one.n_others_answered) == (4, 1)
    assert np.isnan(one.p_value)
    late = [scored("A0", "listening", 2.0, period=NOW, day=days(60))]
    assert find(company(told, ratings=late)).answers.lacking == "no such score is old enough"


def test_a_target_without_a_role_is_everybodys():
    ratings = [scored("A0", "listening", 2.0), scored("A1", "discovery", 2.5)]
    measures = company([said("A0", days(5), skill="listening")], ratings=ratings)
    blank = measures.skills.copy()
    blank["role"] = ["", "AE"]
    for role in ("", None):
        blank.loc[0, "role"] = role
        one = find(replace(measures, skills=blank)).answers
        assert (one.n_gaps, one.n_answered, one.lacking) == (2, 1, "")
    own = pd.concat([blank, blank.head(1).assign(role="AE", target=1.0)])
    assert find(replace(measures, skills=own)).answers.n_gaps == 1
    none = find(replace(measures, skills=measures.skills.assign(target=np.nan)))
    assert none.answers.lacking == "no score has a target"
    shown = views.feedback_table(none).rows
    assert "no score has a target" in {row[-1] for row in shown}


def test_gaps_that_are_taken_up_are_seen_within_people():
    ratings = [scored(f"{t}{n}", skill, score) for t in "AB" for n in range(30)
               for skill, score in (("listening", 2.0), ("discovery", 4.0))]  # fmt: skip
    told = [said(f"{t}{n}", days(5), skill="listening") for t in "AB" for n in range(20)]
    one = find(company(told, reps=30, ratings=ratings)).answers
    assert one.n_answered == 40
    # Each person with one of two answered: 40 of 40 where half are expected, variance 1/4 each.
    assert one.p_value == pytest.approx(2.5e-10, rel=0.05)
    mirrored = [said(f"{t}{n}", days(5), skill="discovery") for t in "AB" for n in range(20)]
    other = find(company(mirrored, reps=30, ratings=ratings)).answers
    assert other.p_value == pytest.approx(one.p_value)


def test_actions_due_last_quarter_are_closed_spoken_about_or_left():
    due = days(-20)
    actions = [
        (f"a{n}", rep, days(-60), due, kpi, skill, 1.0, status)
        for n, (rep, kpi, skill, status) in enumerate(
            [
                ("A0", "win_rate", None, "done"), ("A1", "win_rate", None, "open"),
                ("A2", None, "listening", "open"), ("A3", None, "listening", "open"),
                ("A4", "win_rate", None, None),
            ]
        )
    ]  # fmt: skip
    told = [said("A1", days(5)), said("A2", days(5), skill="discovery"),
            said("A3", days(5), skill="listening"), said("A4", days(-21))]  # fmt: skip
    one = find(company(told, actions=actions)).reviews
    assert (one.period, one.n_due, one.n_closed, one.n_spoken, one.n_left) == (BEFORE, 5, 1, 2, 2)


def test_actions_of_people_without_any_feedback_are_left():
    actions = [("a", "A0", days(-60), days(-20), "win_rate", None, 1.0, "open")]
    one = find(company([said("B0", days(1))], actions=actions), team="A").reviews
    assert (one.n_due, one.n_left) == (1, 1)


def test_the_order_of_rows_does_not_matter():
    told = [said(f"A{n % 5}", days(7 * n), kind=("praise", "question")[n % 2]) for n in range(10)]
    one, other = find(company(told)), find(company(told[::-1]))
    assert one.cadence == other.cadence
    pd.testing.assert_frame_equal(one.managers, other.managers)
    pd.testing.assert_frame_equal(one.kinds, other.kinds)


def test_without_feedback_it_says_what_it_needs():
    found = find(company([]))
    assert found.finding == "Acme: it needs the feedback table; the snapshot has none."
    assert found.candidates() == ()
    assert found.to_frame().empty


def test_without_managers_ratings_and_actions_the_rest_is_there():
    found = find(company([said("A0", days(1), author=None)], managers=False))
    assert found.finding == "Acme: 1 of 10 people got feedback in 2026Q2."
    assert (found.answers.n_gaps, found.reviews.n_due) == (0, 0)
    assert np.isnan(found.differ)


def test_an_unknown_quarter_or_team_is_refused():
    with pytest.raises(ParameterError, match="quarter: no data for '2031Q1'"):
        feedback_loop(company([]), period="2031Q1")
    with pytest.raises(ParameterError, match="team: 'C' is unknown"):
        find(company([]), team="C")
