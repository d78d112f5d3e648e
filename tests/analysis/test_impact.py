import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_company import make_measures

from salesnb import views
from salesnb.analysis.impact import (
    ProgrammeVerdicts,
    judge_programmes,
    programmes,
    training_impact,
)
from salesnb.analysis.impact.effect import Effect
from salesnb.analysis.impact.programmes import READY, design_of
from salesnb.analysis.impact.verdict import decide
from salesnb.analysis.insights import find_insights
from salesnb.errors import ParameterError
from salesnb.measures.cache import load_measures
from salesnb.periods import FiscalCalendar
from salesnb.sources.sample import sample_company

QUARTERS = FiscalCalendar().window("2026Q4", 13)
AT = dt.date(2026, 1, 15)
COURSE = ("C1", "Course one", "listening", 8, 100, 20)
USELESS = ("DIS-210 2025-04", "OBJ-110 2025-01", "CRM-101 2025-07")


def made(rng, *, rule="weakest", effect=0.0, n=60, trainings=None, trained=None, ratings=()):
    """Win rates of 60 reps over 13 quarters; rep 0, 3, 6, ... are trained in 2026Q1."""
    trained = np.arange(n) % 3 == 0 if trained is None else trained
    chance = rng.uniform(0.2, 0.5, n)
    rows = []
    for rep in range(n):
        team = "ABCDE"[rep // 3 % 5]
        for quarter in QUARTERS:
            lift = effect * (trained[rep] and quarter >= "2026Q1")
            wins = rng.binomial(20, chance[rep] + lift)
            rows.append((f"{team}{rep:02d}", team, quarter, "win_rate", wins, 20, 20, 0.0, 0.0))
    ids = [f"{'ABCDE'[rep // 3 % 5]}{rep:02d}" for rep in range(n)]
    if trainings is None:
        trainings = [(ids[rep], "C1", AT, AT, "one", rule) for rep in np.flatnonzero(trained)]
    return make_measures(
        rows, kpis=("win_rate",), quarters=QUARTERS, courses=[COURSE], trainings=trainings,
        ratings=ratings,
    )  # fmt: skip


@pytest.fixture(scope="module")
def sample():
    return load_measures()


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    return sample_company(tmp_path_factory.mktemp("sample")) / "truth"


def test_the_lottery_of_the_sample_company_worked_as_planted(sample, truth):
    found = training_impact(sample, programme="NEG-220")
    reps = pd.read_csv(truth / "reps.csv")
    courses = pd.read_csv(truth / "training_effects.csv")
    logit = courses.set_index("course_id")["win_logit_effect"]["NEG-220"]
    before = reps["true_win_probability"]
    odds = before / (1 - before) * np.exp(logit)
    lift = float((odds / (1 + odds) - before).mean())
    low, high = found.effect.interval(0.95)
    assert (found.design, found.verdict) == ("lottery", "worked")
    assert low <= lift <= high
    assert found.programme == programmes(sample).latest
    skill = courses.set_index("course_id")["skill_effect"]["NEG-220"]
    rating = found.levels.set_index("level").loc["3 Behaviour"]
    assert rating["low"] <= skill <= rating["high"]


@pytest.mark.parametrize("programme", USELESS)
def test_what_does_nothing_to_wins_is_not_called_working(sample, programme):
    found = training_impact(sample, programme=programme)
    low, high = found.effect.interval(0.95)
    assert found.verdict != "worked"
    assert low <= 0 <= high
    assert found.check() == f"{len(found.estimates)} ways of looking add up."


def test_volunteers_are_rated_better_though_they_win_no_more(sample):
    rows = training_impact(sample, programme="DIS-210").levels.set_index("level")
    assert rows.loc["3 Behaviour", "low"] > 0
    assert rows.loc["3 Behaviour", "low"] <= 0.4 <= rows.loc["3 Behaviour", "high"]


def test_the_weakest_rebound_and_only_the_naive_look_sees_training(sample):
    found = training_impact(sample, programme="OBJ-110")
    naive = found.estimates[found.estimates["role"] == "naive"].iloc[0]
    assert naive["off_by"] > 0.02
    assert "goes back by itself" in naive["why"]
    spell = found.event_study.set_index("role").loc["chosen", "effect"]
    assert (spell < -0.03).all()


def test_programmes_are_listed_with_what_can_be_said(sample):
    rows = programmes(sample).rows.set_index("programme")
    assert rows.loc["NEG-220 2026-10", "status"].startswith("waits")
    assert (rows.drop("NEG-220 2026-10")["status"] == READY).all()
    early = programmes(sample, period="2026Q1").rows.set_index("programme")
    assert early.loc["NEG-220 2026-01", "status"].startswith("too early")
    assert training_impact(sample, programme="NEG-220 2026-10").verdict == "cannot tell"


def test_findings_are_offered_quiet_ones_too(sample):
    worked = training_impact(sample)
    quiet = training_impact(sample, programme="OBJ-110")
    (first,), (second, silent) = worked.candidates(), quiet.candidates()
    assert first.p_value < 0.001 < second.p_value
    assert (first.effect > 0, second.effect) == (True, 0.0)
    assert np.isnan(silent.p_value)
    told = find_insights(worked, quiet)
    assert [item.text for item in told.items] == [worked.finding, quiet.finding]
    assert told.n_tested == 2


def test_all_programmes_stand_side_by_side(sample):
    found = judge_programmes(sample, period="2026Q3")
    assert [impact.programme for impact in found.worked] == ["NEG-220 2026-01"]
    assert found.finding.startswith(
        "Of 4 training programmes, 1 improved win rate beyond chance: NEG-220"
    )
    frame = found.to_frame().set_index("programme")
    alone = training_impact(sample, programme="OBJ-110", period="2026Q3")
    row = frame.loc["OBJ-110 2025-01"]
    assert (row["estimate"], row["verdict"]) == (alone.effect.estimate, "no effect found")
    assert row["before_after"] == alone.before_after > row["estimate"]
    early = judge_programmes(sample, period="2024Q1")
    assert (
        early.finding == "No programme can be judged: nobody was assigned to a training by 2024Q1."
    )
    assert "2024Q1" in views.verdicts_table(early).text


def test_a_planted_effect_is_found_and_none_is_not():
    found = training_impact(made(np.random.default_rng(0), effect=0.15))
    low, high = found.effect.interval(0.95)
    assert found.verdict == "worked"
    assert low <= 0.15 <= high
    assert "+" in found.finding
    none = training_impact(made(np.random.default_rng(0)))
    assert none.verdict == "no effect found"
    assert "would probably have been seen by the first comparison alone" in none.finding


def test_harm_is_told_with_its_own_p_value():
    found = training_impact(made(np.random.default_rng(0), effect=-0.15))
    assert found.verdict == "moved the wrong way"
    assert "would probably have been seen" not in found.finding
    (told,) = found.candidates()
    assert told.p_value == found.effect.p_value < 0.001
    assert [item.text for item in find_insights(found).items] == [found.finding]
    both = ProgrammeVerdicts("2026Q4", (found,))
    assert both.finding == (
        "Of 1 training programme, 0 improved win rate beyond chance; after one (Course one) it "
        "moved the wrong way."
    )


def test_a_drawn_lot_that_chance_reaches_is_not_said_to_hold_zero():
    effect = Effect(0.05, 0.02, 40, 20, 20)
    verdict = decide(effect, None, (), spread=0.2, sign=1.0, permutation_p=0.06)
    assert verdict.word == "no effect found"
    assert "gives as large a difference too often" in verdict.why


def test_the_bound_is_a_condition_and_many_programmes_are_allowed_for():
    good = training_impact(made(np.random.default_rng(0), effect=0.15))
    table = good.estimates
    weak = table.assign(p_value=table["p_value"].where(table["role"] != "bound", 0.09))
    (told,) = replace(good, estimates=weak).candidates()
    assert told.p_value == good.effect.p_value
    almost = replace(good, effect=replace(good.effect, error=abs(good.effect.estimate) / 2.1))
    none = training_impact(made(np.random.default_rng(0)))
    assert 0.01 < almost.p_value < 0.05
    found = ProgrammeVerdicts("2026Q4", (almost, none, none, none))
    assert (found.worked, found.worked_alone) == ((), (almost,))
    assert "0 improved win rate beyond chance; looked at by itself alone" in found.finding
    assert ProgrammeVerdicts("2026Q4", (almost,)).worked == (almost,)


def test_who_completed_is_a_person_by_the_quarters_end():
    late = dt.date(2026, 8, 1)
    ids = [f"{'ABCDE'[rep // 3 % 5]}{rep:02d}" for rep in range(0, 60, 3)]
    rows = [(rep, "C1", AT, AT if k else late, "one", "weakest") for k, rep in enumerate(ids)]
    company = made(np.random.default_rng(0), trainings=[*rows, rows[-1]])
    assert programmes(company, period="2026Q2").rows["n_completed"].tolist() == [19]
    assert programmes(company).rows["n_completed"].tolist() == [20]


def test_order_of_rows_does_not_matter():
    company = made(np.random.default_rng(1), effect=0.1)
    mixed = replace(
        company, totals=company.totals.sample(frac=1, random_state=2),
        trainings=company.trainings.sample(frac=1, random_state=3),
    )  # fmt: skip
    first, second = training_impact(company), training_impact(mixed)
    pd.testing.assert_frame_equal(first.estimates, second.estimates)
    pd.testing.assert_frame_equal(first.event_study, second.event_study)


def test_only_those_who_lost_the_lottery_are_compared():
    # two thirds took no part and leap ahead: compared with them the winners would fall behind
    rng = np.random.default_rng(3)
    company = made(rng, n=90, rule="lottery")
    ids = sorted(set(company.totals["rep_id"]), key=lambda rep: int(rep[1:]))
    later = dt.date(2026, 10, 2)
    wins = [(rep, "C1", AT, AT, "one", "lottery") for rep in ids[0:45:3]]
    waits = [(rep, "C1", later, None, "two", "lottery") for rep in ids[1:45:3]]
    table = pd.DataFrame(wins + waits, columns=company.trainings.columns)
    totals = company.totals.copy()
    outside = totals["rep_id"].isin(ids[45:]) & (totals["period"] >= "2026Q1")
    totals.loc[outside, "numerator"] += 8
    found = training_impact(replace(company, trainings=table, totals=totals), programme="one")
    assert found.design == "lottery"
    assert (found.effect.n_trained, found.effect.n_compared) == (15, 15)
    assert found.after == ("2026Q2", "2026Q3")
    assert abs(found.effect.estimate) < 0.1
    assert 0 < found.permutation_p <= 1


def test_whole_teams_are_judged_as_teams():
    n = 60
    teams = np.array(["ABCDE"[rep // 3 % 5] for rep in range(n)])
    found = training_impact(made(np.random.default_rng(5), rule="whole team", trained=teams == "B"))
    assert found.design == "team"
    assert (found.effect.n_trained, found.effect.n_compared, found.effect.freedom) == (1, 4, 3)
    by_rule = made(np.random.default_rng(5), rule="", trained=teams == "B")
    assert training_impact(by_rule).design == "team"  # nobody of the team was left untrained


def test_groups_one_after_another_are_judged_together():
    rng = np.random.default_rng(6)
    company = made(rng, n=90, trained=np.zeros(90, bool), trainings=[])
    ids = sorted(set(company.totals["rep_id"]), key=lambda rep: int(rep[1:]))
    days = (dt.date(2025, 7, 2), dt.date(2025, 10, 2))
    rows = [
        (rep, "C1", days[k % 2], days[k % 2], f"group {k % 2}", "weakest")
        for k, rep in enumerate(ids[::3])
    ]
    company = replace(company, trainings=pd.DataFrame(rows, columns=company.trainings.columns))
    found = training_impact(company, programme="C1")
    assert found.design == "staggered"
    assert found.effect.n_trained == 30
    low, high = found.effect.interval(0.99)
    assert low <= 0 <= high
    assert set(found.event_study["relative"]) >= {-3, 0, 1, 2}
    assert training_impact(company, programme="group 0").design == "chosen"
    assert "Groups were trained one after another" in found.design_text
    assert (found.programme, found.name) == ("Course one", "Course one")
    assert "30 of 30 people completed it" in found.levels["text"].iloc[1]


def test_without_trainings_it_says_what_it_needs():
    company = made(np.random.default_rng(0), trainings=[])
    assert programmes(company).lacking == "impact needs trainings; the snapshot has none"
    found = training_impact(company)
    assert found.lacking == "impact needs trainings; the snapshot has none"
    assert found.candidates() == ()
    assert found.to_frame().empty
    assert "impact needs trainings" in found.finding


def test_trainings_without_day_cohort_or_rule_are_no_trap():
    rows = [(f"{'ABCDE'[rep // 3 % 5]}{rep:02d}", "C1", AT, None, None, None)
            for rep in range(0, 60, 3)]  # fmt: skip
    rows.append(("A01", "C1", None, None, None, None))
    found = training_impact(made(np.random.default_rng(0), trainings=rows))
    assert found.programme == "C1 2026Q1"
    assert found.effect.n_trained == 20
    assert found.design_text.startswith("How people were chosen is not recorded.")


def test_too_few_people_are_no_verdict():
    rows = [("A00", "C1", AT, AT, "one", "weakest"), ("B03", "C1", AT, AT, "one", "weakest")]
    found = training_impact(made(np.random.default_rng(0), trainings=rows), programme="one")
    assert found.verdict == "cannot tell"
    assert found.why == "Fewer than 5 people."


def test_what_is_unknown_is_refused():
    company = made(np.random.default_rng(0))
    with pytest.raises(ParameterError, match="programme: 'two' is unknown. Known: 'one'"):
        training_impact(company, programme="two")
    with pytest.raises(ParameterError, match="kpi: 'luck' is unknown"):
        training_impact(company, outcome="luck")
    with pytest.raises(ParameterError, match="no data for '1999Q1'"):
        programmes(company, period="1999Q1")


def test_rules_are_read_as_people_write_them():
    written = ("Lottery", "random draw", "Whole team", "manager's pick")
    assert [design_of(rule) for rule in written] == ["lottery", "lottery", "team", "chosen"]
