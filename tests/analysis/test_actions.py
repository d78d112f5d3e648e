import datetime as dt

import numpy as np
import pytest
from made_company import QUARTERS, make_measures
from scipy.stats import norm

from salesnb.analysis.actions import STATUSES, agreed_actions
from salesnb.analysis.trend import chance_error
from salesnb.errors import ParameterError

NOW, BEFORE = QUARTERS[-1], QUARTERS[-2]
AS_OF = dt.date(2026, 7, 5)  # the made company is seen five days after 2026Q2
EARLY = dt.date(2026, 4, 6)


def won(rep, quarter, wins, closed):
    return (rep, rep[0], quarter, "win_rate", wins, closed, closed, np.nan, np.nan)


def action(name, rep="A0", *, agreed=EARLY, due=dt.date(2026, 6, 1), kpi="win_rate", skill=None,
           target=0.3, status="open"):  # fmt: skip
    return (name, rep, agreed, due, kpi, skill, target, status)


def company(actions, *, rates=None, **tables):
    """Ten reps who win 30 of 100 each quarter, but for what `rates` says of (rep, quarter)."""
    rows = [
        won(f"{team}{n}", quarter, (rates or {}).get((f"{team}{n}", quarter), 30), 100)
        for team in "AB" for n in range(5) for quarter in QUARTERS
    ]  # fmt: skip
    return make_measures(rows, kpis=("win_rate",), actions=actions, **tables)


def find(measures, **arguments):
    return agreed_actions(measures, period=NOW, n_draws=300, **arguments)


def test_every_status_is_counted_and_the_counts_add_up():
    states = {
        "a": ("done", dt.date(2026, 6, 1)), "b": ("dropped", dt.date(2026, 6, 1)),
        "c": ("open", dt.date(2026, 8, 1)), "d": ("open", dt.date(2026, 6, 1)),
        "e": (None, dt.date(2026, 6, 1)), "f": ("open", None),
    }  # fmt: skip
    found = find(company([action(n, due=due, status=s) for n, (s, due) in states.items()]))
    assert found.counts == {"done": 1, "open": 2, "overdue": 1, "dropped": 1, "not recorded": 1}
    assert tuple(found.counts) == STATUSES
    assert sum(found.counts.values()) == len(found.rows) == 6
    assert found.finding.startswith(
        f"Of 6 actions agreed or due in {NOW}: 1 done, 2 open, 1 overdue, 1 dropped, 1 not recorded"
    )
    assert set(found.ahead["action_id"]) == {"c", "d", "f"}
    [late] = found.candidates()
    assert late.text == f"1 of 6 actions agreed or due in {NOW} are overdue."


@pytest.mark.parametrize(
    ("due", "status"),
    [(AS_OF - dt.timedelta(1), "overdue"), (AS_OF, "open"), (AS_OF + dt.timedelta(1), "open")],
)
def test_an_action_is_overdue_from_the_day_after_it_was_due(due, status):
    assert find(company([action("a", due=due)])).rows["status"].tolist() == [status]


@pytest.mark.parametrize(
    ("agreed", "due", "is_listed"),
    [
        (dt.date(2026, 3, 31), dt.date(2026, 4, 1), True),  # due on the quarter's first day
        (dt.date(2026, 3, 31), dt.date(2026, 6, 30), True),
        (dt.date(2026, 6, 30), dt.date(2026, 9, 1), True),  # agreed on its last
        (dt.date(2026, 3, 1), dt.date(2026, 3, 31), False),
        (dt.date(2026, 7, 1), dt.date(2026, 9, 1), False),  # of the next quarter
        (dt.date(2026, 7, 6), dt.date(2026, 9, 1), False),  # after as_of: not known yet
    ],
)
def test_actions_agreed_or_due_in_the_quarter_are_listed(agreed, due, is_listed):
    found = find(company([action("a", agreed=agreed, due=due)]))
    assert len(found.rows) == is_listed
    assert len(found.ahead) == (due >= dt.date(2026, 4, 1) and agreed <= AS_OF)


def test_a_real_improvement_is_told_from_chance_with_its_standard_error():
    made = company([action("a"), action("b", "A1")], rates={("A0", NOW): 60})
    rows = find(made).rows.set_index("action_id")
    assert rows["verdict"].to_dict() == {"a": "better", "b": "no clear change"}
    assert rows["is_reached"].to_dict() == {"a": True, "b": True}
    assert rows.loc["a", ["before_period", "now_period"]].tolist() == [BEFORE, NOW]
    assert rows.loc["a", ["before", "before_n", "now", "now_n"]].tolist() == [0.3, 100, 0.6, 100]
    # the error holds at least the binomial one of the quarter since
    made_kpi = made.kpi("win_rate")
    least = chance_error({"denominator": 100.0, "n": 100.0}, made_kpi, 0.3)
    assert rows.loc["a", "error"] >= 0.999 * least
    z = rows.loc["a", "gain"] / rows.loc["a", "error"]
    assert rows.loc["a", "p_value"] == pytest.approx(2 * norm.sf(z))


def test_an_improvement_of_a_kpi_that_should_fall_counts_as_better():
    rows = []
    for n in range(6):
        for quarter in QUARTERS:
            days = 20.0 if (n, quarter) == (0, NOW) else 90.0
            logs = (50 * np.log(days), 50 * np.log(days) ** 2 + 5)
            rows.append((f"A{n}", "A", quarter, "cycle_days", 50 * days, 50, 50, *logs))
    actions = [
        action("a", kpi="cycle_days", target=30.0),
        action("b", "A1", kpi="cycle_days", target=30.0),
    ]
    found = find(make_measures(rows, kpis=("cycle_days",), actions=actions)).rows
    assert found["verdict"].tolist() == ["better", "no clear change"]
    assert found["is_reached"].tolist() == [True, False]


def test_the_recovery_of_weak_quarters_is_not_taken_for_an_improvement():
    """The 20 who won least of 100 equals get an action each quarter; none of them changes."""
    claims, gains = 0, []
    for seed in range(12):
        generator = np.random.default_rng(seed)
        wins = {(n, q): generator.binomial(20, 0.3) for n in range(100) for q in (BEFORE, NOW)}
        rows = [won(f"A{n:03d}", q, w, 20) for (n, q), w in wins.items()]
        weak = sorted(range(100), key=lambda n: wins[n, BEFORE])[:20]
        actions = [action(str(n), f"A{n:03d}") for n in weak]
        made = make_measures(rows, kpis=("win_rate",), actions=actions)
        found = find(made).rows
        raw = np.mean(found["now"] - found["before"])
        assert raw > 0.05  # the recovery is there
        gains.append(found["gain"].mean())
        claims += (found["verdict"] != "no clear change").any()
    assert abs(np.mean(gains)) < 0.025
    assert claims <= 2


def test_an_action_agreed_late_is_compared_from_its_own_quarter_on():
    found = find(company([action("a", agreed=dt.date(2026, 6, 20), due=dt.date(2026, 8, 1))]))
    assert found.rows["verdict"].tolist() == ["no quarter since"]
    assert found.rows["p_value"].isna().all()


def test_what_cannot_be_compared_says_why():
    few = [won("A9", q, 1, 2) for q in QUARTERS]
    actions = [
        action("a", kpi="response_minutes"),
        action("b", kpi=None),
        action("c", "A9"),
        action("d", kpi=None, skill="discovery"),
        action("e", "gone"),
    ]
    rows = [won(f"A{n}", q, 30, 100) for n in range(4) for q in QUARTERS]
    found = find(make_measures(rows + few, kpis=("win_rate",), actions=actions))
    verdicts = found.rows.set_index("action_id")["verdict"].to_dict()
    assert verdicts == {
        "a": "KPI not measured",
        "b": "no KPI or skill named",
        "c": "fewer than 5 records",
        "d": "fewer than 2 raters",
        "e": "no record in both quarters",
    }
    assert "0 of 0 that can be compared" in found.finding


def test_a_skill_is_compared_over_its_raters():
    ratings = [
        (f"{q}{n}{rater}", f"A{n}", "A", rater, "peer", q, "discovery",
         (5.0 if (n, q) == (0, NOW) else 2.0) + 0.2 * (rater == "x"))
        for n in range(5) for q in (BEFORE, NOW) for rater in "xyz"
    ]  # fmt: skip
    actions = [action(f"a{n}", f"A{n}", kpi=None, skill="discovery", target=3.0) for n in range(3)]
    found = find(company(actions, ratings=ratings)).rows
    assert found["verdict"].tolist() == ["better", "no clear change", "no clear change"]
    assert found["now_n"].tolist() == [3.0, 3.0, 3.0]
    assert found["is_reached"].tolist() == [True, False, False]


def test_who_is_surely_worse_and_has_no_action_is_named_and_nobody_among_equals():
    rates = {("A0", quarter): 5 for quarter in QUARTERS}
    rates |= {("B0", quarter): 5 for quarter in QUARTERS}
    found = find(company([action("a", "B0")], rates=rates))
    assert found.unaddressed["rep_id"].tolist() == ["A0"]
    assert find(company([action("a")])).unaddressed.empty


def test_of_a_team_only_its_people_are_listed():
    made = company([action("a", "A0"), action("b", "B0")])
    assert find(made, team="B").rows["action_id"].tolist() == ["b"]
    with pytest.raises(ParameterError, match="is unknown"):
        find(made, team="Z")


def test_without_actions_it_is_said_and_everything_is_empty():
    found = find(company([]))
    assert found.finding == "No actions are recorded: it needs the actions table."
    assert found.rows.empty
    assert found.ahead.empty
    assert found.unaddressed.empty
    assert found.candidates() == ()
    quiet = find(company([action("a", agreed=dt.date(2025, 1, 5), due=dt.date(2025, 2, 1))]))
    assert quiet.finding == f"Acme: no action was agreed or due in {NOW}."
