import numpy as np
import pandas as pd
import pytest

from salesnb.analysis.impact import training_impact
from salesnb.analysis.plan import course_effects, skill_importance, training_plan
from salesnb.analysis.profiles import skill_profiles
from salesnb.measures.cache import load_measures
from salesnb.sources.sample import sample_company

NOW = "2026Q3"


@pytest.fixture(scope="module")
def sample():
    return load_measures()


def test_what_past_courses_brought_is_recovered(sample, tmp_path):
    truth = pd.read_csv(sample_company(tmp_path) / "truth" / "training_effects.csv")
    truth = truth.set_index("course_id")["skill_effect"]
    found = course_effects(sample, period=NOW).set_index("course_id")
    assert set(found.index) == {"NEG-220", "DIS-210", "OBJ-110", "CRM-101"}
    off = (found["effect"] - truth.reindex(found.index)) / found["error"]
    assert off.abs().max() < 2
    assert found.loc[["NEG-220", "DIS-210"], "effect"].min() > found.loc["OBJ-110", "effect"] + 0.1


def test_a_programme_is_weighed_with_the_usual_by_how_sure_it_is(sample):
    rated = training_impact(sample, programme="OBJ-110 2025-01").levels.set_index("level")
    estimate, low, high = rated.loc["3 Behaviour", ["figure", "low", "high"]].astype(float)
    found = course_effects(sample, period=NOW).set_index("course_id").loc["OBJ-110"]
    # the interval is that of the t distribution: wider than of the normal by a few percent
    error = (high - low) / 2 / 1.96
    weight = error**-2 / (error**-2 + 0.2**-2)
    assert found["effect"] == pytest.approx(weight * estimate + (1 - weight) * 0.4, abs=0.02)
    assert found["error"] == pytest.approx((error**-2 + 0.2**-2) ** -0.5, rel=0.05)
    assert (found["n_programmes"], found["n_people"]) == (1, 17)


def test_later_programmes_are_not_known_yet(sample):
    assert set(course_effects(sample, period="2025Q3")["course_id"]) == {"OBJ-110", "DIS-210"}
    assert course_effects(sample, period="2024Q1").empty


def test_the_plan_asks_less_of_a_course_that_brought_little(sample):
    profiles = skill_profiles(sample, period=NOW)
    importance = skill_importance(sample, period=NOW)
    plan = training_plan(profiles, importance, sample, budget=40_000, hours=16)
    usual = training_plan(profiles, importance, sample, budget=40_000, hours=16, effects={})
    seats = [one.lines["course_id"].value_counts() for one in (plan, usual)]
    useless = [int(one.reindex(["OBJ-110", "CRM-101"]).fillna(0).sum()) for one in seats]
    assert useless[0] < 0.6 * useless[1]
    effect = plan.lines.set_index("course_id")["effect"]
    assert effect["CRM-101"].iloc[0] < 0.3
    assert np.isclose(effect["QUA-205"].iloc[0], 0.4)
    assert "assuming 0.4 points from courses never measured" in plan.finding
