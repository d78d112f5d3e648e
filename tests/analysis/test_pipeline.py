"""Chances of open opportunities: what they are learned from, how they are judged, what leaks."""

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest
from planted_columns import LEAKS, plant_columns

from salesnb.analysis.pipeline import load_pipeline_scores, pipeline_forecast, score_pipeline
from salesnb.analysis.pipeline.ages import chances_by_age
from salesnb.analysis.pipeline.backtest import look_back
from salesnb.analysis.pipeline.choose import choose_method
from salesnb.analysis.pipeline.frames import know, thin, with_outcome
from salesnb.analysis.pipeline.leaks import Leak, find_leaks
from salesnb.analysis.pipeline.quality import judge
from salesnb.analysis.pipeline.reasons import explain
from salesnb.errors import ParameterError
from salesnb.language import speaking
from salesnb.measures.cache import load_measures
from salesnb.measures.pictures import Feature, compute_pipeline
from salesnb.sources.load import import_snapshot
from salesnb.sources.sample import sample_company


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pipeline")
    export = sample_company(folder / "export", reps=24, seed=7)
    return import_snapshot(export, to=folder / "snapshot")


@pytest.fixture(scope="module")
def history(snapshot):
    return compute_pipeline(snapshot)


@pytest.fixture(scope="module")
def scores(history):
    return score_pipeline(history)


def matured(history, horizon=90):
    return with_outcome(history.past, horizon, pd.Timestamp(history.as_of))


# What is learned from ----------------------------------------------------------------------


def test_an_outcome_is_whether_it_was_won_in_time_and_only_once_that_is_over():
    past = pd.DataFrame(
        {
            "opportunity_id": ["won", "late", "lost", "open", "young"],
            "day": pd.to_datetime(["2026-01-31"] * 4 + ["2026-03-31"]),
            "closed_on": pd.to_datetime(["2026-03-02", "2026-03-03", "2026-02-05", None, None]),
            "is_won": [True, True, False, False, False],
        }
    )
    rows = with_outcome(past, 30, pd.Timestamp("2026-04-15"))
    # 2 March is 30 days after 31 January, 3 March one more; 31 March is not over by 15 April
    assert dict(zip(rows["opportunity_id"], rows["outcome"], strict=True)) == {
        "won": 1.0, "late": 0.0, "lost": 0.0, "open": 0.0,
    }  # fmt: skip


def test_thinning_keeps_whole_opportunities_whatever_their_order(history):
    rows = history.past
    kept = thin(rows, 2000)
    again = thin(rows.sample(frac=1, random_state=3), 2000)
    assert 1500 < len(kept) < 2500
    assert set(kept["opportunity_id"]) == set(again["opportunity_id"])
    whole = rows[rows["opportunity_id"].isin(kept["opportunity_id"])]
    assert len(whole) == len(kept)


def test_what_is_judged_on_begins_after_all_that_was_learned_from_is_over(scores, history):
    rows = matured(history)
    days = np.sort(rows["day"].unique())
    assert scores.quality.first_day == days[-3]
    assert scores.quality.last_day == days[-1]
    assert scores.quality.n == rows["day"].isin(days[-3:]).sum()


def test_what_happened_in_the_judged_months_does_not_change_the_choice(history):
    rows = matured(history)
    features = know(history, None).features
    first = choose_method(rows, features, 90, 0)
    days = np.sort(rows["day"].unique())
    is_last = rows["day"].isin(days[-3:])
    flipped = rows.assign(outcome=rows["outcome"].where(~is_last, 1 - rows["outcome"]))
    other = choose_method(flipped, features, 90, 0)
    pd.testing.assert_frame_equal(first.tried, other.tried)
    # on the months turned around the model is worse than the table, which is then taken
    assert (first.method, other.method) == ("logistic", "table")


# Chances -----------------------------------------------------------------------------------


def test_chances_are_chances_and_money_adds_up(scores, history):
    p = scores.open[["p", "p_quarter"]].to_numpy()
    assert ((p > 0) & (p < 1)).all()
    # the quarter ends before the ninety days do
    assert (scores.open["p_quarter"] <= scores.open["p"]).all()
    assert scores.open["expected"].sum() == pytest.approx(
        (scores.open["p"] * scores.open["amount"]).sum()
    )
    assert sorted(scores.open["opportunity_id"]) == sorted(history.open["opportunity_id"])
    assert scores.check()["expected"][0] == round(scores.open["expected"].sum(), 2)


def test_a_model_parts_better_than_the_stage_and_chances_are_about_right(scores):
    assert scores.method == "logistic"
    own, table = scores.quality, scores.table_quality
    assert own.value("auc") > table.value("auc") + 0.05
    assert own.value("log_loss") < table.value("log_loss")
    low, high = own.figures.loc["slope", ["low", "high"]]
    assert 0.7 < low < 1.1 < high + 0.2
    assert own.value("error") < own.by_chance + 0.04
    assert own.table["n"].sum() == own.n


def test_the_order_of_rows_changes_nothing(history, scores):
    mixed = dataclasses.replace(
        history,
        past=history.past.sample(frac=1, random_state=1),
        open=history.open.sample(frac=1, random_state=2),
    )
    known, other = know(history, None), know(mixed, None)
    rows, again = matured(history), matured(mixed)
    one = choose_method(rows, known.features, 90, 0)
    two = choose_method(again, other.features, 90, 0)
    np.testing.assert_allclose(one.quality.figures, two.quality.figures, rtol=1e-6)
    np.testing.assert_allclose(one.tried["log_loss"], two.tried["log_loss"], rtol=1e-9)


def test_who_works_it_is_no_part_of_a_chance(scores, history):
    assert not {"rep_id", "rep", "team_id", "manager_id"} & set(scores.features)
    # the same opportunities in other hands get the same chances
    known = know(history, None)
    swapped = history.open.assign(
        rep_id=history.open["rep_id"].to_numpy()[::-1], team_id="elsewhere", rep="Somebody"
    )
    reasons = set(scores.reasons["feature"])
    assert reasons <= {feature.name for feature in known.features}
    other = dataclasses.replace(history, open=swapped)
    assert list(know(other, None).features) == list(known.features)


def test_chances_planted_wrong_are_called_wrong():
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.05, 0.95, 4000)
    rows = pd.DataFrame(
        {
            "opportunity_id": [f"o{i}" for i in range(4000)],
            "day": pd.Timestamp("2026-01-31"),
            "outcome": rng.binomial(1, truth).astype(float),
        }
    )
    right = judge(rows, truth, random_state=0)
    assert right.value("error") < 0.03
    assert abs(right.value("slope") - 1) < 0.1
    assert right.sum_ratio == pytest.approx(1, abs=0.05)
    odds = truth / (1 - truth)
    bold = judge(rows, odds**2 / (1 + odds**2), random_state=0)
    # twice the logit has half the slope
    assert bold.value("slope") == pytest.approx(0.5, abs=0.05)
    assert bold.value("error") > 0.08


def test_reasons_of_the_logistic_model_add_up_to_the_distance_of_the_typical(history):
    from scipy.special import logit

    from salesnb.analysis.pipeline.models import fit

    known = know(history, None)
    rows = matured(history)
    model = fit("logistic", rows, known.features)
    chosen = known.open.head(5)
    found = explain(model, chosen, rows, known.features)
    one = found[(found["opportunity_id"] == chosen["opportunity_id"].iloc[0])].iloc[0]
    typical = one["typical"]
    kind = "text" if one["feature"] in ("stage", "source", "type", "industry", "product_id") else ""
    value = typical if kind else float(typical)
    changed = chosen.head(1).assign(**{one["feature"]: value})
    effect = logit(model.chances(chosen.head(1))) - logit(model.chances(changed))
    assert one["effect"] == pytest.approx(float(effect[0]), rel=1e-3)
    assert (found["effect"].abs() >= 0.1).all()


def test_on_a_day_within_the_quarter_as_many_are_expected_as_came(snapshot):
    # 15 days before its end: half of what a month's end has ahead, and the rush of closing
    early = compute_pipeline(snapshot, as_of=dt.date(2026, 6, 15))
    found = score_pipeline(early)
    deals = snapshot.read("opportunities").set_index("opportunity_id").loc[
        early.open["opportunity_id"]
    ]  # fmt: skip
    closed = pd.to_datetime(deals["closed_on"])
    came = (deals["is_won"].astype(bool) & (closed <= "2026-06-30")).sum()
    assert came > 25
    assert found.open["p_quarter"].sum() == pytest.approx(came, rel=0.25)
    assert (found.quarters["day"].dt.day.isin([15, 16])).all()


def test_forecasts_of_the_past_know_nothing_of_later(history):
    known = know(history, None)
    first = look_back(history, known, "logistic")
    day = first.loc[first["period"] == "2025Q4", "day"].iloc[0]
    later = known.past["closed_on"] > day
    # what is won later settles at ten times the amount: foreseen is what was
    changed = known.past.assign(booked=known.past["booked"].where(~later, 1e9))
    other = look_back(history, dataclasses.replace(known, past=changed), "logistic")
    pick = ["period", "team_id", "expected"]
    old, new = (rows.loc[rows["period"] == "2025Q4", pick] for rows in (first, other))
    assert old["expected"].sum() > 0
    pd.testing.assert_frame_equal(old, new)


def test_where_no_past_quarter_was_seen_from_there_there_is_no_forecast(history, snapshot):
    left = history.open["quarter_days_left"].iloc[0]
    elsewhere = history.past[history.past["quarter_days_left"] != left]
    found = score_pipeline(dataclasses.replace(history, past=elsewhere))
    assert found.open["p"].notna().all()
    assert found.open["p_quarter"].isna().all()
    forecast = pipeline_forecast(found, load_measures(snapshot.folder))
    assert "past quarters" in forecast.finding
    assert forecast.candidates() == ()


# Leaks -------------------------------------------------------------------------------------


def test_a_column_that_knows_the_end_is_named_and_left_out(history, scores):
    found = score_pipeline(history, extra=plant_columns(history))
    assert {leak.feature.name for leak in found.leaks} == LEAKS
    by_name = {leak.feature.name: leak for leak in found.leaks}
    assert by_name["signed_score"].auc > 0.95
    assert "100% of ended opportunities and 0% of open" in by_name["closed_by"].reason
    assert not LEAKS & set(found.features)
    assert {"asked_budget", "seats"} <= set(found.features)
    assert "signed_score" in found.caveat
    # what is left foresees as well as without the planted columns, not better
    assert abs(found.quality.value("auc") - scores.quality.value("auc")) < 0.01
    texts = [offered.text for offered in found.candidates()]
    assert any("signed_score" in text and "left out" in text for text in texts)


def test_no_honest_column_is_called_a_leak(scores, history):
    assert scores.leaks == ()
    rng = np.random.default_rng(5)
    ids = pd.concat([history.past, history.open])["opportunity_id"].unique()
    honest = pd.DataFrame({"opportunity_id": ids, "lucky": rng.normal(size=len(ids))})
    known = know(history, honest)
    rows = with_outcome(known.past, 90, pd.Timestamp(history.as_of))
    assert "lucky" in {feature.name for feature in known.features}
    assert find_leaks(known, rows) == ()


def test_columns_that_cannot_be_matched_are_refused(history):
    with pytest.raises(ParameterError, match="no column 'opportunity_id'"):
        score_pipeline(history, extra=pd.DataFrame({"id": ["a"]}))
    twice = pd.DataFrame({"opportunity_id": ["a", "a"], "x": [1, 2]})
    with pytest.raises(ParameterError, match="'a' more than once"):
        score_pipeline(history, extra=twice)
    taken = pd.DataFrame({"opportunity_id": ["a"], "stage": ["x"]})
    with pytest.raises(ParameterError, match="'stage' is there already"):
        score_pipeline(history, extra=taken)
    with pytest.raises(ParameterError, match="horizon_days: 0 is below 1"):
        score_pipeline(history, horizon_days=0)


# Where little is known ---------------------------------------------------------------------

AGES = pd.DataFrame(
    {
        "age_days": [0.0, 10.0, 20.0, 30.0, 40.0],
        "n_entered": [7.0, 0.0, 0.0, 0.0, 0.0],
        "n_won": [0.0, 2.0, 0.0, 1.0, 0.0],
        "n_lost": [0.0, 0.0, 1.0, 0.0, 1.0],
        "n_open": [0.0, 1.0, 0.0, 1.0, 0.0],
    }
)


def test_chances_by_age_by_hand():
    found = chances_by_age(AGES, pd.Series([0.0, 10.0, 35.0, 40.0, np.nan]), 20)
    # from 0: 7 at risk, 2 won at 10; at 20 4 at risk, none won
    assert found["p"][0] == pytest.approx(2 / 7)
    # from 10: 4 at risk, 1 lost at 20; at 30 3 at risk, 1 won
    assert found["p"][1] == pytest.approx(3 / 4 * 1 / 3)
    assert (found["n"][2], found["p"][2]) == (1, 0)
    assert found["p"][3:].isna().all()
    assert (found["low"][:3] <= found["p"][:3]).all()
    assert (found["p"][:3] <= found["high"][:3]).all()


def test_chances_from_birth_are_those_of_aalen_and_johansen():
    rng = np.random.default_rng(1)
    age, end = rng.integers(1, 60, 400), rng.choice([0, 1, 2], 400)
    ages = pd.DataFrame(
        {"age_days": age.astype(float), "n_won": end == 1, "n_lost": end == 2, "n_open": end == 0}
    ).groupby("age_days", as_index=False).sum()  # fmt: skip
    ages = pd.concat([pd.DataFrame({"age_days": [0.0], "n_entered": 400.0}), ages]).fillna(0.0)
    found = chances_by_age(ages, pd.Series([0.0]), 30)["p"][0]
    # person by person and day by day: Kaplan and Meier's share that is left, times the hazard
    left, share = 1.0, 0.0
    for day in range(1, 31):
        at_risk = (age >= day).sum()
        share += left * ((age == day) & (end == 1)).sum() / at_risk
        left *= 1 - ((age == day) & (end > 0)).sum() / at_risk
    assert found == pytest.approx(share)


def test_what_was_not_watched_from_its_beginning_is_not_counted_as_lasting_until_then():
    # a hazard without memory: from every age 30% x (1 - exp(-90 / 300)) are won within 90 days
    rng = np.random.default_rng(1)
    n, first, last = 40_000, 2557, 2922
    created, lasts = rng.integers(0, last, n), rng.exponential(300, n).astype(int) + 1
    closed, won = created + lasts, rng.random(n) < 0.3
    kept = closed >= first  # the export holds what was closed since, or is open
    created, closed, won = created[kept], closed[kept], won[kept]
    is_open = closed > last
    age = pd.Series(np.minimum(closed, last) - created, dtype=float)
    ends = pd.DataFrame(
        {"age_days": age, "n_won": won & ~is_open, "n_lost": ~won & ~is_open, "n_open": is_open}
    )
    entered = pd.DataFrame({"age_days": np.maximum(first - created, 0.0), "n_entered": 1.0})
    ages = pd.concat([ends, entered]).fillna(0.0).astype(float)
    ages = ages.groupby("age_days", as_index=False).sum()
    found = chances_by_age(ages, pd.Series([10.0, 100.0, 300.0]), 90)["p"]
    np.testing.assert_allclose(found, 0.3 * (1 - np.exp(-0.3)), atol=0.01)


def test_why_an_age_gives_no_chance_is_said_as_it_is(history):
    bare = dataclasses.replace(history, past=history.past.head(0), origin="nothing")
    rows = history.open.copy()
    rows.loc[rows.index[0], "age_days"] = np.nan
    rows.loc[rows.index[1:3], "age_days"] = 1e5
    caveat = score_pipeline(dataclasses.replace(bare, open=rows)).caveat
    assert "1 has no chance, as the day of creation is not known" in caveat
    assert "2 have no chance, as no other was watched beyond that age" in caveat


def test_without_a_past_age_alone_speaks_and_says_why(history):
    bare = dataclasses.replace(history, past=history.past.head(0), origin="nothing")
    found = score_pipeline(bare)
    assert (found.method, found.quality) == ("ages", None)
    assert "needs the pipeline's past" in found.caveat
    assert "from age alone" in found.finding
    by_hand = chances_by_age(history.ages, found.open["age_days"], 90)
    np.testing.assert_allclose(found.open["p"], by_hand["p"])


def test_nothing_open_nothing_won_and_a_single_row(history):
    nothing = score_pipeline(dataclasses.replace(history, open=history.open.head(0)))
    assert "no open opportunity" in nothing.finding
    assert len(nothing.to_frame()) == 0
    one = score_pipeline(dataclasses.replace(history, open=history.open.head(1)))
    assert one.open["p"].between(0, 1).all()
    assert "1 opportunity is open" in one.finding
    ages = history.ages.assign(n_won=0.0)
    never = score_pipeline(
        dataclasses.replace(history, past=history.past.head(0), ages=ages, origin="nothing")
    )
    assert never.method == "none"
    assert "cannot be told" in never.finding
    assert never.open["p"].isna().all()


def test_too_short_a_past_gives_no_model(history):
    days = np.sort(history.past["day"].unique())
    short = dataclasses.replace(history, past=history.past[history.past["day"] >= days[-4]])
    found = score_pipeline(short)
    assert found.method == "ages"
    assert "thirty won" in found.caveat


def test_scores_are_learned_once_and_read_again(snapshot, scores):
    first, again = (load_pipeline_scores(snapshot.folder) for _ in range(2))
    for field in dataclasses.fields(first):
        one, other = getattr(first, field.name), getattr(again, field.name)
        if isinstance(one, pd.DataFrame):
            pd.testing.assert_frame_equal(one, other)
        elif field.name == "stage_days":
            pd.testing.assert_series_equal(one, other)
        elif dataclasses.is_dataclass(one) and not isinstance(one, type):
            pd.testing.assert_frame_equal(
                getattr(one, "figures", pd.DataFrame()), getattr(other, "figures", pd.DataFrame())
            )
        elif field.name != "company":
            assert one == other
    np.testing.assert_allclose(first.open["p"], scores.open["p"], rtol=1e-9)
    assert first.finding == scores.finding


def test_maven_is_scored_by_age_and_the_old_ones_are_named(shared_data, tmp_path):
    snapshot = import_snapshot(shared_data / "maven_crm", to=tmp_path / "s", preset="maven")
    found = score_pipeline(compute_pipeline(snapshot))
    assert found.method == "ages"
    assert found.n_older == 1291
    assert (found.open.loc[found.open["is_older"], "p"].fillna(0) == 0).all()
    assert any("1,291 of 2,089" in offered.text for offered in found.candidates())
    plain = pd.read_csv(shared_data / "maven_crm" / "sales_pipeline.csv")
    won = plain[plain["deal_stage"] == "Won"]
    mean = won[won["product"] == "MG Advanced"]["close_value"].mean()
    own = found.open[found.open["product_id"] == "MG Advanced"]
    assert own["value"].iloc[0] == pytest.approx(mean)
    assert own["is_value_typical"].all()
    forecast = pipeline_forecast(found, load_measures(snapshot.folder))
    assert "quarter ends on 2017-12-31" in forecast.finding
    assert found.as_of == dt.date(2017, 12, 31)


@pytest.mark.parametrize(
    ("found_by", "said"),
    [
        ("alone", "tells what was won almost without error by itself (AUC 0.97)"),
        (
            "better",
            "tells what was won far better (AUC 0.97) than anything known on the day itself "
            "(at most 0.81)",
        ),
        ("filled", "is filled for 92% of ended opportunities and 7% of open ones"),
    ],
)
def test_a_leak_says_what_gave_it_away(found_by, said):
    leak = Leak(Feature("x", "x"), 0.971, 0.92, 0.07, found_by, 0.808)
    assert leak.reason == said


def test_a_kept_leak_speaks_the_language_of_who_reads_it():
    leak = Leak(Feature("x", "x"), 0.971, 0.92, 0.07, "alone", 0.808)
    with speaking("de"):
        assert "0,97" in leak.reason
    assert "0.97" in leak.reason
