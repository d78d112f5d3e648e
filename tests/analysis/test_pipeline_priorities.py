"""What deserves attention, by which rule, and what a quarter will bring."""

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest

from salesnb import views
from salesnb.analysis.pipeline import pipeline_forecast, pipeline_priorities, score_pipeline
from salesnb.analysis.pipeline.draws import open_draws
from salesnb.analysis.pipeline.reasons import say_reason
from salesnb.analysis.pipeline.rules import RULES, suggest
from salesnb.errors import ParameterError
from salesnb.measures.cache import load_measures
from salesnb.measures.pictures import compute_pipeline
from salesnb.sources.load import import_snapshot
from salesnb.sources.mapping import Company
from salesnb.sources.sample import sample_company


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("priorities")
    export = sample_company(folder / "export", reps=16, seed=4)
    return import_snapshot(export, to=folder / "snapshot")


@pytest.fixture(scope="module")
def scores(snapshot):
    return score_pipeline(compute_pipeline(snapshot))


@pytest.fixture(scope="module")
def measures(snapshot):
    return load_measures(snapshot.folder)


QUIET = {
    "stage": "Talk", "age_days": 20.0, "due_days": 30.0, "untouched_days": 3.0, "n_postponed": 0.0,
    "stage_days": 5.0, "n_meetings": 2.0, "n_stages": 2.0, "amount": 10.0,
    "oldest_won": 200.0,
}  # fmt: skip
CHANGES = (
    ("none", {}),
    ("no-stage", {"stage": ""}),
    ("no-start", {"age_days": np.nan}),
    ("too-old", {"age_days": 201.0}),
    ("overdue", {"due_days": -1.0}),
    ("silent", {"untouched_days": 30.0}),
    ("postponed", {"n_postponed": 2.0}),
    ("stuck", {"stage_days": 31.0}),
    ("one-meeting", {"n_meetings": 1.0, "n_stages": 3.0}),
    ("no-meeting", {"n_meetings": 0.0, "n_stages": 3.0}),
    ("no-date", {"due_days": np.nan}),
    ("no-amount", {"amount": np.nan}),
    # near misses
    ("none", {"due_days": 0.0}),
    ("none", {"untouched_days": 29.0}),
    ("none", {"age_days": 200.0}),
    ("none", {"stage_days": 29.0}),
    # the first rule that applies wins
    ("too-old", {"age_days": 300.0, "due_days": -20.0, "untouched_days": 90.0}),
    ("overdue", {"due_days": -20.0, "untouched_days": 90.0}),
)
USUAL = pd.Series({"Talk": 10.0})


def test_each_rule_applies_where_its_figures_say_so_and_nowhere_else():
    rows = pd.DataFrame([{**QUIET, **change} for _, change in CHANGES])
    found = suggest(rows, Company(), USUAL)
    assert found["rule_id"].tolist() == [rule for rule, _ in CHANGES]
    assert set(found["rule_id"]) == {rule.rule_id for rule in RULES} | {"none"}
    because = dict(zip(found["rule_id"], found["because"], strict=True))
    assert because["silent"] == "no answered touch for 30 days (limit 30)"
    assert because["overdue"] == "expected close passed 20 days ago"
    assert found["because"][0] == ""
    assert found["because"][3] == "open for 201 days, the oldest won one took 200"


def test_a_date_is_asked_for_only_where_the_crm_keeps_any():
    rows = pd.DataFrame([{**QUIET, "due_days": np.nan, "amount": np.nan, "stage": ""}] * 2)
    assert suggest(rows, Company(), USUAL)["rule_id"].tolist() == ["none", "none"]


def test_the_companys_patience_is_the_limit():
    rows = pd.DataFrame([{**QUIET, "untouched_days": 12.0}])
    assert suggest(rows, Company(stalled_days=10), USUAL)["rule_id"][0] == "silent"


def test_priority_is_what_is_undecided_per_hour_of_the_step(scores, measures):
    rows = pipeline_priorities(scores, measures).rows
    stake = rows["value"] * rows["p"] * (1 - rows["p"])
    np.testing.assert_allclose(rows["stake"], stake)
    np.testing.assert_allclose(rows["priority"], stake / (rows["minutes"].astype(float) / 60))
    assert rows["priority"].is_monotonic_decreasing
    np.testing.assert_allclose(rows["expected"], rows["value"] * rows["p"])


def test_teams_share_the_companys_opportunities_among_them(scores, measures):
    whole = pipeline_priorities(scores, measures)
    parts = [pipeline_priorities(scores, measures, team=team) for team in measures.team_ids()]
    without = (scores.open["team_id"] == "").sum()
    assert sum(part.n_open for part in parts) + without == whole.n_open == len(scores.open)
    team = parts[0].rows["opportunity_id"].tolist()
    own = whole.rows[whole.rows["opportunity_id"].isin(team)]
    assert own["opportunity_id"].tolist() == team


def test_hours_end_the_list_and_what_is_left_is_counted(scores, measures):
    found = pipeline_priorities(scores, measures, hours=3)
    assert 0 < found.rows["minutes"].sum() <= 180
    assert len(found.rows) + found.n_left == found.n_open
    whole = pipeline_priorities(scores, measures).rows
    assert found.rows["opportunity_id"].tolist() == (
        whole["opportunity_id"].head(len(found.rows)).tolist()
    )
    assert len(pipeline_priorities(scores, measures, hours=0).rows) == 0
    with pytest.raises(ParameterError, match="hours: -1 is negative"):
        pipeline_priorities(scores, measures, hours=-1)
    with pytest.raises(ParameterError, match="team: 'Nrth' is unknown"):
        pipeline_priorities(scores, measures, team="Nrth")


def test_the_share_is_of_all_that_is_open_however_few_hours_there_are(scores, measures):
    whole = pipeline_priorities(scores, measures).rows
    found = pipeline_priorities(scores, measures, hours=3)
    share = found.rows["stake"].sum() / whole["stake"].sum()
    assert len(found.rows) <= 10
    assert share < 0.5
    assert f"{len(found.rows)} of {found.n_open} open opportunities hold {share:.0%}" in (
        found.finding
    )
    # too few minutes for any step: there is much at stake all the same
    none = pipeline_priorities(scores, measures, hours=0.1).finding
    minutes = whole["minutes"].iloc[0]
    assert f"takes {minutes} minutes, and there are 6" in none


def test_chances_of_another_day_or_snapshot_are_refused(scores, measures):
    other = dataclasses.replace(scores, as_of=dt.date(2026, 9, 30))
    for make in (pipeline_forecast, pipeline_priorities):
        with pytest.raises(ParameterError, match="scores: of snapshot .* on 2026-09-30, but"):
            make(other, measures)
    with pytest.raises(ParameterError, match="of snapshot abc on"):
        pipeline_forecast(dataclasses.replace(scores, snapshot_id="abc"), measures)


def test_one_is_said_as_one(scores, measures):
    row = scores.open.sort_values("expected").tail(1).assign(due_days=-3.0)
    found = pipeline_priorities(dataclasses.replace(scores, open=row), measures)
    assert "1 of 1 open opportunity holds 100%" in found.finding
    (offered,) = found.candidates()
    assert "1 of 1 open opportunity is past its expected close" in offered.text
    assert "by its chance" in offered.text


def test_the_same_asked_twice_is_the_same_whatever_the_order_of_rows(scores, measures):
    mixed = dataclasses.replace(scores, open=scores.open.sample(frac=1, random_state=9))
    one, other = (pipeline_priorities(item, measures).rows for item in (scores, mixed))
    pd.testing.assert_frame_equal(one, other)
    first, second = (pipeline_forecast(item, measures) for item in (scores, mixed))
    pd.testing.assert_frame_equal(first.parts, second.parts)


def test_reasons_are_words_with_the_usual_beside():
    def said(feature, value, typical="2", effect=-1.0):
        row = {"feature": feature, "value": value, "typical": typical, "effect": effect}
        return say_reason(pd.Series(row), "Offer")

    assert said("stage_days", "71", "18") == "in Offer for 71 days (typical 18)"
    assert said("n_postponed", "3", "0") == "closing date moved 3 times"
    assert said("due_days", "-1") == "expected close passed 1 day ago"
    assert said("untouched_days", "40", "12") == "no answered touch for 40 days (typical 12)"
    assert said("source", "Web", "Fair") == "lead source Web"
    assert said("is_customer", "0", "1") == "has not bought before"
    assert said("due_days", "") == "expected close not known"


# The forecast ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def forecast(scores, measures):
    return pipeline_forecast(scores, measures, period="2026Q3")


def test_the_parts_add_up_and_the_sure_part_is_what_is_booked(forecast, measures):
    parts = forecast.parts.set_index("part")
    assert parts.loc["total", "expected"] == pytest.approx(
        parts.loc[["booked", "open", "new"], "expected"].sum()
    )
    booked = measures.roll_up(by="company", periods=("2026Q4",), kpi="bookings")["numerator"]
    assert parts.loc["booked", "expected"] == pytest.approx(booked.sum())
    for name in ("open", "new", "total"):
        row = parts.loc[name]
        assert row["low"] < row["expected"] < row["high"]


def test_a_quarter_that_is_over_gives_way_to_the_running_one_and_says_so(forecast):
    assert (forecast.asked, forecast.period) == ("2026Q3", "2026Q4")
    assert "2026Q3 was over, so the running quarter 2026Q4" in forecast.caveat


def test_what_is_open_is_expected_as_its_chances_say(scores, forecast):
    assert not scores.open["is_value_typical"].any()
    by_hand = (scores.open["p_quarter"] * scores.open["value"]).sum() * scores.settles
    assert forecast.part("open")["expected"] == pytest.approx(by_hand)


@pytest.mark.parametrize("p", [0.05, 0.5, 0.95])
def test_one_opportunity_is_expected_at_its_chance_whatever_the_seed(scores, measures, p):
    one = scores.open.head(1).assign(p=p, p_quarter=p, value=100.0)
    single = dataclasses.replace(scores, open=one, settles=1.0)
    for seed in range(3):
        found = pipeline_forecast(single, measures, random_state=seed).part("open")
        assert found["expected"] == pytest.approx(100 * p)
    draws = open_draws(np.array([p]), np.array([100.0]), 0.1, np.random.default_rng(0))
    assert draws.mean() == pytest.approx(100 * p, abs=4 * 100 * np.sqrt(p * (1 - p) / 1000) + 2)
    # won at amounts that differ: not one amount in every draw
    assert len(np.unique(draws[draws > 0])) == (draws > 0).sum()


def test_a_whole_quarters_luck_moves_the_sum_by_its_spread_and_no_mean():
    p = np.linspace(0.02, 0.97, 40_000)
    draws = open_draws(p, np.full(len(p), 10.0), 0.1, np.random.default_rng(2))
    assert draws.mean() == pytest.approx(10 * p.sum(), rel=0.015)
    assert draws.std() / draws.mean() == pytest.approx(0.1, rel=0.15)


def test_past_forecasts_are_beside_what_came(scores, forecast, snapshot):
    past = forecast.past.set_index("period")
    # 87 days before the end, as on 5 October: what was open on 5 July, in plain pandas
    pictured = snapshot.read("pipeline_snapshots")
    ids = pictured.loc[pd.to_datetime(pictured["as_of"]) == "2026-06-30", "opportunity_id"]
    deals = snapshot.read("opportunities").set_index("opportunity_id")
    created, closed = (pd.to_datetime(deals[name]) for name in ("created_on", "closed_on"))
    began_since = (created > "2026-06-30") & (created <= "2026-07-05")
    deals = deals[(deals.index.isin(ids) | began_since) & ~(closed <= "2026-07-05")]
    rows = scores.quarters[scores.quarters["period"] == "2026Q3"]
    assert (rows["day"] == "2026-07-05").all()
    assert rows["n"].sum() == len(deals) == past.loc["2026Q3", "n"]
    closed = pd.to_datetime(deals["closed_on"])
    in_time = deals["is_won"].astype(bool) & (closed <= "2026-09-30")
    home = deals[in_time & (deals["currency"] == "EUR")]["amount"].sum()
    assert past.loc["2026Q3", "actual"] >= home > 0
    new = scores.quarters.loc[scores.quarters["period"] == "2026Q3", "new"].sum()
    bookings = scores.bookings
    whole = bookings[bookings["closed_on"].between("2026-07-06", "2026-09-30")]["booked"].sum()
    assert new + past.loc["2026Q3", "actual"] == pytest.approx(whole)
    assert forecast.bias == pytest.approx(
        forecast.past["expected"].sum() / forecast.past["actual"].sum() - 1
    )


def test_target_and_outlook_are_those_of_the_review(forecast, measures):
    from salesnb.analysis.outlook import target_outlook

    whole = target_outlook(measures, period="2026Q4").whole
    assert forecast.target == whole["target"]
    assert forecast.outlook["p_hit"] == whole["p_hit"]
    # what is said of the target is what the review says, in finding and candidate
    for p, words in ((0.0, "is unlikely to hit"), (0.4, "may hit"), (1.0, "is likely to hit")):
        told = dataclasses.replace(forecast, outlook=forecast.outlook.where(
            forecast.outlook.index != "p_hit", p))  # fmt: skip
        tested = told.candidates()[0]
        assert words in told.finding
        assert words in tested.text
        # a thousand draws do not prove a chance of nothing
        assert tested.p_value >= 2 / 1001


def test_without_a_past_there_is_no_forecast_and_it_says_why(snapshot, measures):
    history = compute_pipeline(snapshot)
    bare = dataclasses.replace(history, past=history.past.head(0), origin="nothing")
    found = pipeline_forecast(score_pipeline(bare), measures)
    assert "no forecast by opportunity" in found.finding
    assert found.candidates() == ()
    assert "missing" in views.forecast_table(found).render_html()


# Shown -------------------------------------------------------------------------------------


def test_the_list_is_shown_with_step_and_reason(scores, measures):
    found = pipeline_priorities(scores, measures, team=measures.team_ids()[0])
    page = views.priorities_table(found)
    first = found.rows.iloc[0]
    assert page.rows[0][0] == first["account"]
    assert page.rows[0][1].startswith(first["step"])
    assert page.rows[0][-1] == first["opportunity_id"]
    assert page.title == found.finding


def test_figures_state_what_the_data_say(scores, measures, forecast):
    assert "points on average" in views.reliability_chart(scores).title
    assert f"over {len(forecast.past)} quarters" in views.forecast_chart(forecast).title
    young = dataclasses.replace(scores, open=scores.open.assign(is_older=False))
    assert "older than the oldest that was won" in views.ages_chart(young, measures).title
    aged = dataclasses.replace(
        scores, open=scores.open.assign(is_older=scores.open["age_days"] >= 100), oldest_won=99.0
    )
    n = (aged.open["age_days"] >= 100).sum()
    assert views.ages_chart(aged, measures).title.startswith(f"{n} of {len(aged.open)} open")
    assert "Share won of each stage" in views.methods_table(scores).header


def test_nothing_open_is_a_note(scores, measures):
    nothing = dataclasses.replace(scores, open=scores.open.head(0))
    found = pipeline_priorities(nothing, measures)
    assert "no opportunity is open" in found.finding
    for block in (
        views.priorities_table(found), views.ages_chart(nothing, measures),
        views.forecast_table(pipeline_forecast(nothing, measures)),
    ):  # fmt: skip
        assert "missing" in block.render_html()
