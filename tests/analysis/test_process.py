"""The process: shares by day, stages, bottlenecks, habits; by hand, by law and as planted."""

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from process_company import COMPANY, DEMO, LEAD, MEMBERS, OFFER, REPS, company
from small_company import import_tables

import salesnb as sn
from salesnb.analysis.process.bottlenecks import stage_worth
from salesnb.analysis.process.change import compare_shares, find_wobble, plain_share
from salesnb.analysis.process.incidence import find_incidence
from salesnb.analysis.process.records import describe_names, find_renames
from salesnb.errors import DataError, ParameterError
from salesnb.measures.flow import Flow


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    return sn.compute_measures(import_tables(folder, company(drop=0.5), company=COMPANY))


@pytest.fixture(scope="module")
def bare(planted):
    """The same company without a history of stages."""
    flow = Flow(fates=planted.flow.fates, practices=planted.flow.practices)
    return dataclasses.replace(planted, flow=flow)


def table(*rows):
    return pd.DataFrame(rows, columns=["days", "event", "n"])


# Shares by day -----------------------------------------------------------------------------


def test_shares_and_errors_are_those_of_statsmodels():
    # statsmodels 0.15.0: CumIncidenceRight(times, status) of these twelve records, cinc[0] and
    # cinc_se[0]; SurvfuncRight of the same for any end.
    counts = table(
        (0, "entered", 12), (5, "won", 2), (5, "lost", 1), (6, "open", 1), (8, "won", 1),
        (8, "open", 1), (9, "lost", 2), (14, "won", 2), (14, "open", 1), (20, "open", 1),
    )  # fmt: skip
    found = find_incidence(counts, ["won"])
    shares = [found.by(day) for day in (5, 8, 14)]
    assert [one.value for one in shares] == pytest.approx(
        [0.16666667, 0.26041667, 0.47916667], rel=1e-6
    )
    assert [one.error for one in shares] == pytest.approx(
        [0.10758287, 0.13001722, 0.1580338], rel=1e-6
    )
    any_end = find_incidence(counts, ["won", "lost"])
    assert [any_end.by(day).value for day in (5, 8, 14)] == pytest.approx(
        [0.25, 0.34375, 0.78125], rel=1e-6
    )
    assert [any_end.by(day).error for day in (5, 8, 14)] == pytest.approx(
        [0.125, 0.1401903, 0.13466337], rel=1e-6
    )


def test_without_censoring_it_is_the_plain_share():
    counts = table((0, "entered", 10), (3, "won", 2), (4, "lost", 5), (9, "won", 3))
    found = find_incidence(counts, ["won"])
    assert found.by(3).value == pytest.approx(0.2)
    assert found.by(400).value == pytest.approx(0.5)
    assert found.by(400).error == pytest.approx(np.sqrt(0.5 * 0.5 / 10))
    assert found.by(2).value == 0.0


def test_what_came_in_late_is_at_risk_only_from_then_on():
    # By hand: 1 of 2 ends on day 1; on day 5 one of the rest and the three carried in: 1 of 4.
    counts = table(
        (0, "entered", 2), (1, "won", 1), (5, "entered", 3), (5, "won", 1), (9, "open", 3)
    )  # fmt: skip
    assert find_incidence(counts, ["won"]).by(5).value == pytest.approx(1 / 2 + 1 / 2 * 1 / 4)


def test_beyond_what_anybody_was_followed_for_nothing_is_known():
    counts = table((0, "entered", 3), (5, "won", 1), (10, "open", 2))
    found = find_incidence(counts, ["won"])
    assert found.by(10).value == pytest.approx(1 / 3)
    assert np.isnan(found.by(11).value)
    assert np.isnan(found.when().days)


def test_the_median_lies_between_days():
    # By hand: a difference of dates of 4 ends around day 4, so half have ended by 4 + 1/2.
    counts = table((0, "entered", 4), (4, "won", 2), (6, "won", 2))
    assert find_incidence(counts, ["won"]).when().days == pytest.approx(4.5)


def test_nobody_and_one():
    assert np.isnan(find_incidence(table((0, "entered", 0)), ["won"]).by(1).value)
    one = find_incidence(table((0, "entered", 1), (2, "won", 1)), ["won"]).by(5)
    assert one.value == 1.0
    assert one.low < 0.5 < one.high == 1.0


_ENDS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["won", "lost", "open"]), st.integers(1, 5)),
    min_size=1, max_size=15,
)  # fmt: skip


@given(ends=_ENDS, seed=st.integers(0, 5))
def test_ways_to_end_and_being_under_way_add_up_to_all(ends, seed):
    counts = table((0, "entered", sum(n for _, _, n in ends)), *ends)
    ways = (["won"], ["lost"], ["won", "lost"])
    won, lost, any_end = (find_incidence(counts, way) for way in ways)
    assert won.share + lost.share == pytest.approx(any_end.share)
    shuffled = find_incidence(counts.sample(frac=1.0, random_state=seed), ["won"])
    assert shuffled.share == pytest.approx(won.share)
    assert (np.diff(won.share) >= -1e-12).all()


# Won in time -------------------------------------------------------------------------------


def test_won_in_time_is_the_plain_share_of_a_cohort_that_has_ended(planted):
    found = sn.win_timing(planted, period="2025Q3", n_quarters=1)
    fates = planted.flow.fates
    fates = fates[fates["period"] == "2025Q3"]
    assert set(fates["fate"]) == {"won", "lost"}
    for row in found.within.to_dict("records"):
        in_time = fates[(fates["fate"] == "won") & (fates["days"] <= row["days"])]["n"].sum()
        assert row["won"] == pytest.approx(in_time / fates["n"].sum())
    assert found.n == fates["n"].sum()


def test_teams_add_up_to_the_company(planted):
    teams = [sn.win_timing(planted, period="2026Q2", team=team) for team in planted.team_ids()]
    assert sum(one.n for one in teams) == sn.win_timing(planted, period="2026Q2").n
    flows = [sn.stage_flow(planted, period="2026Q2", team=team) for team in planted.team_ids()]
    whole = sn.stage_flow(planted, period="2026Q2").rows
    for name in ("n", "n_moved", "n_lost", "n_back", "n_skipped", "n_reentered"):
        assert (sum(flow.rows[name] for flow in flows) == whole[name]).all()


def test_it_says_what_is_not_known_and_who_is_left_out(planted):
    found = sn.win_timing(planted, period="2026Q3", n_quarters=1, days=(180,))
    assert np.isnan(found.within.set_index("days").loc[180, "won"])
    assert "not known before the last one has ended" in found.caveat
    empty = dataclasses.replace(planted, flow=Flow())
    assert "no opportunity was created" in sn.win_timing(empty, period="2026Q3").finding


def test_where_nothing_was_won_or_closed_no_figure_is_made_up(tmp_path):
    rows = (
        "opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount\n"
        "o1,r0,2024-01-01,2024-01-15,false,true,5\no2,r0,2026-02-01,,false,false,5\n{}"
    )
    texts = []
    for more in ("", "o3,r0,2026-02-01,2026-02-09,false,true,5\n"):
        tables = {"reps": REPS, "memberships": MEMBERS, "opportunities": rows.format(more)}
        found = sn.compute_measures(import_tables(tmp_path, tables, company=COMPANY))
        timing = sn.win_timing(found, period="2026Q3")
        texts.append(f"{timing.finding} {timing.caveat}")
    assert "none is closed yet" in texts[0]
    assert "1 opportunity created" in texts[0]
    assert "won of closed says 0%" in texts[1]
    assert all("nan" not in text and "mean days" not in text for text in texts)


# Stages and bottlenecks --------------------------------------------------------------------


def test_the_planted_bottleneck_is_found_and_no_other(planted):
    found = sn.bottlenecks(planted, period="2026Q3", team="t0")
    assert list(found.found["stage"]) == [DEMO]
    assert found.rows["stage"].iloc[0] == DEMO
    assert found.rows.loc[0, "stake_low"] > 0
    assert "moved on from Demo" in found.finding
    together = sn.team_bottlenecks(planted, period="2026Q3")
    assert list(zip(together.found["team"], together.found["stage"], strict=True)) == [("t0", DEMO)]
    told = sn.find_insights(found)
    assert told.items[0].text.startswith("t0: ")
    assert told.n_tested == 2  # Offer has too few entries


def test_one_bottleneck_is_told_once(planted):
    own = sn.bottlenecks(planted, period="2026Q3", team="t0")
    together = sn.team_bottlenecks(planted, period="2026Q3")
    told = sn.find_insights(own, together)
    assert [item.text for item in told.items].count(own.finding) == 1
    assert len(told.items) == len(sn.find_insights(together).items) == 1
    assert told.n_tested == sn.find_insights(together).n_tested


def test_teams_of_one_name_and_teams_above_others_are_kept_apart(tmp_path):
    tables = company(n=600, drop=0.5) | {
        "teams": "team_id,name,parent_id\nt0,Inside,\nt1,Inside,t0\nt2,Field,\nt3,Key,\n"
    }
    found = sn.compute_measures(import_tables(tmp_path, tables, company=COMPANY))
    compared = sn.compare_process(found, period="2026Q3", n_draws=200)
    won = compared.rows[compared.rows["figure"] == "won_in_time"].set_index("unit")["n"]
    fates = found.flow.fates[found.flow.fates["period"].isin(compared.periods)]
    by_team = fates.groupby("team_id", observed=True)["n"].sum()
    assert won.to_dict() == {
        "Inside [t0] (own members)": by_team["t0"], "Inside [t1]": by_team["t1"],
        "Field": by_team["t2"], "Key": by_team["t3"],
    }  # fmt: skip
    leaks = sn.team_bottlenecks(found, period="2026Q3")
    assert set(leaks.rows["team"]) == set(won.index)
    entered = leaks.rows.groupby("stage")["n"].sum()
    whole = sn.bottlenecks(found, period="2026Q3").rows.set_index("stage")["n"]
    assert entered.to_dict() == whole.to_dict()


def test_a_company_of_one_team_has_no_teams_to_compare(tmp_path):
    one = company(n=60) | {"memberships": "rep_id,team_id\n" + "".join(
        f"r{number},t0\n" for number in range(4)
    )}  # fmt: skip
    found = sn.compute_measures(import_tables(tmp_path, one, company=COMPANY))
    leaks = sn.team_bottlenecks(found, period="2026Q3")
    assert "no teams to compare" in leaks.finding
    assert leaks.caveat == ""
    assert "no teams to compare" in leaks._repr_html_()
    assert leaks.candidates() == ()


def test_before_it_was_planted_nothing_is_claimed(planted):
    found = sn.bottlenecks(planted, period="2026Q1", team="t0")
    assert found.found.empty
    assert "no stage is a bottleneck beyond chance" in found.finding
    assert all(item.effect == 0 for item in found.candidates())


def test_what_is_at_stake_is_entries_times_difference_times_worth(planted):
    found = sn.bottlenecks(planted, period="2026Q3", team="t0")
    worth = stage_worth(planted, planted.window("2026Q3", 5))
    row = found.rows.iloc[0]
    # every win is 1,000
    assert row["stake"] == pytest.approx(-row["n"] * row["by"] * worth[DEMO] * 1000)
    assert worth[OFFER] == pytest.approx(1.0)
    assert worth[DEMO] == pytest.approx(0.75, abs=0.06)


def test_few_entries_are_shown_and_not_tested(tmp_path):
    few = sn.compute_measures(import_tables(tmp_path, company(n=40), company=COMPANY))
    found = sn.bottlenecks(few, period="2026Q3", team="t0")
    assert found.rows["p_value"].isna().all()
    assert found.candidates() == ()
    assert "too few" in found.finding


def test_stages_come_out_as_drawn(planted):
    # Drawn: three in four move on from every stage, after the same days as those that are lost.
    flow = sn.stage_flow(planted, period="2026Q2")
    assert flow.rows["moved"].tolist() == pytest.approx([0.75] * 3, abs=0.05)
    assert (flow.rows["low"] < 0.75).all()
    assert (flow.rows["high"] > 0.75).all()
    typical = np.median(np.floor(np.random.default_rng(1).gamma(2, 5, 100_000)))
    assert flow.rows["days"].tolist() == pytest.approx([typical] * 3, abs=1.5)


def test_shares_that_add_up_to_more_than_everything_are_refused(planted):
    flow = sn.stage_flow(planted, period="2026Q2")
    assert list(flow.check()["stage"]) == [LEAD, DEMO, OFFER]
    broken = dataclasses.replace(flow, rows=flow.rows.assign(lost=1.0))
    with pytest.raises(DataError, match="more than everything"):
        broken.check()


def test_skipped_stages_are_those_between(planted):
    steps = pd.DataFrame(
        {"team_id": "t0", "period": "2026Q3", "from_stage": [LEAD, LEAD, DEMO, LEAD, ""],
         "to_stage": [OFFER, "Won", "Won", "Lost", OFFER], "n": [2, 3, 5, 7, 11]}
    )  # fmt: skip
    skips = dataclasses.replace(planted, flow=dataclasses.replace(planted.flow, steps=steps))
    rows = sn.stage_flow(skips, period="2026Q3").rows.set_index("stage")["n_skipped"]
    assert rows.to_dict() == {LEAD: 0, DEMO: 5, OFFER: 8}
    habits = sn.process_compliance(skips, period="2026Q3").rows.set_index("practice")
    # By hand: of 10 steps forward 5 skip a stage; what is lost skips none.
    assert tuple(habits.loc["skipped", ["n", "of"]]) == (10, 10)
    assert tuple(habits.loc["unlisted", ["n", "of"]]) == (0, 28)


def test_reopened_and_back_are_counted(planted):
    steps = pd.DataFrame(
        {"team_id": "t0", "period": "2026Q3", "from_stage": ["Lost", OFFER, OFFER, LEAD],
         "to_stage": [LEAD, DEMO, "Lost", "Old"], "n": [1, 2, 4, 8]}
    )  # fmt: skip
    changed = dataclasses.replace(planted, flow=dataclasses.replace(planted.flow, steps=steps))
    habits = sn.process_compliance(changed, period="2026Q3").rows.set_index("practice")
    assert tuple(habits.loc["reopened", ["n", "of"]]) == (1, 4)
    assert tuple(habits.loc["went_back", ["n", "of"]]) == (2, 2)
    assert tuple(habits.loc["unlisted", ["n", "of"]]) == (8, 15)


def test_close_dates_ahead_are_told_of_the_last_day_only(tmp_path):
    tables = company(n=200)
    dated = tables["opportunities"].assign(expected_close_on="2026-10-15")
    found = sn.compute_measures(
        import_tables(tmp_path, {**tables, "opportunities": dated}, company=COMPANY)
    )
    now, before = (sn.process_compliance(found, period=p) for p in ("2026Q3", "2026Q2"))
    rows = now.rows.set_index("practice")
    assert tuple(rows.loc["no_next_step", ["n", "of"]]) == (0, dated["closed_on"].isna().sum())
    assert "no_next_step" not in set(before.rows["practice"])
    assert "not shown for other quarters" in before.caveat


def test_more_can_be_opened_again_than_is_closed(planted):
    steps = pd.DataFrame(
        {"team_id": ["t0", "t0", "t1", "t1"], "period": ["2026Q3"] * 4,
         "from_stage": ["Lost", OFFER, "Lost", OFFER], "to_stage": [LEAD, "Lost", LEAD, "Lost"],
         "n": [60, 25, 5, 40]}
    )  # fmt: skip
    past = steps.assign(period="2026Q2", n=[30, 20, 5, 40])
    whole = dataclasses.replace(planted.flow, steps=pd.concat([past, steps]))
    found = sn.process_compliance(dataclasses.replace(planted, flow=whole), period="2026Q3")
    row = found.rows.set_index("practice").loc["reopened"]
    # By hand: of t0 60 had been closed, be it before; of t1 40 were closed in the quarter.
    assert tuple(row[["n", "of", "n_before", "of_before"]]) == (65, 100, 35, 70)
    assert row["share"] == pytest.approx(0.65)
    assert row["differ"] < 0.01


# Comparison, changes, names ----------------------------------------------------------------


def test_teams_are_compared_and_the_planted_one_stands_out(planted, tmp_path):
    tables = company(drop=0.5, since=pd.Timestamp(2025, 1, 1))
    always = sn.compute_measures(import_tables(tmp_path, tables, company=COMPANY))
    found = sn.compare_process(always, period="2026Q3", n_draws=200)
    assert found.is_beyond_chance("moved", DEMO)
    rows = found.rows[(found.rows["figure"] == "moved") & (found.rows["stage"] == DEMO)]
    assert rows.sort_values("estimate")["unit"].iloc[0] == "t0"
    inside = (rows["estimate"] - rows["value"]) * (rows["value"].mean() - rows["value"]) >= -1e-3
    assert inside.all()
    with pytest.raises(ParameterError, match="not one of team, quarter"):
        sn.compare_process(planted, period="2026Q3", by="rep")


def test_equal_shares_that_wobble_by_quarter_are_no_change():
    past = [plain_share(n, 1000) for n in (300, 360, 280, 340)]
    now, before = plain_share(370, 1000), plain_share(1280, 4000)
    assert compare_shares(now, before).p_value < 0.01
    assert compare_shares(now, before, find_wobble(past)).p_value > 0.05


def test_a_stage_that_took_over_from_another_is_named(planted):
    names = pd.DataFrame(
        {"stage": [LEAD, DEMO, OFFER, "Tender", "Draft"],
         "first_on": pd.to_datetime(["2025-01-01", "2025-01-01", "2025-06-02", "2025-01-03",
                                     "2025-01-03"]),
         "last_on": pd.to_datetime(["2026-09-30", "2026-09-30", "2026-09-30", "2025-06-01",
                                    "2026-09-30"]),
         "n": [500, 400, 200, 100, 3], "is_listed": [True, True, True, False, False]}
    )  # fmt: skip
    steps = pd.DataFrame(
        {"team_id": "t0", "period": "2026Q3", "from_stage": [DEMO, DEMO, OFFER, "Tender", LEAD],
         "to_stage": [OFFER, "Tender", "Won", "Won", "Draft"], "n": [200, 100, 90, 50, 3]}
    )  # fmt: skip
    flow = dataclasses.replace(planted.flow, stage_names=names, steps=steps)
    renamed = dataclasses.replace(planted, flow=flow)
    assert [(one.old, one.new) for one in find_renames(renamed)] == [("Tender", OFFER)]
    said = describe_names(renamed)
    assert "Draft" in said
    assert "map: {Tender: Offer}" in said
    assert describe_names(planted) == ""


def test_ends_that_were_found_or_are_unknown_are_said(planted):
    stages = planted.flow.stages
    is_end = stages["stage"].isin(["Won", "Lost"])
    nothing = stages.assign(is_won=False, is_lost=False)
    said = [
        describe_names(
            dataclasses.replace(planted, flow=dataclasses.replace(planted.flow, stages=rows))
        )
        for rows in (stages, stages.assign(is_found_end=is_end), nothing)
    ]
    assert said[0] == ""
    assert "Won (won), Lost (lost)" in said[1]
    assert "No stage is known to mean won or lost" in said[2]


def test_without_a_history_only_what_is_won_in_time_is_told(bare):
    assert np.isfinite(sn.win_timing(bare, period="2026Q3").headline["won"])
    for result in (
        sn.stage_flow(bare, period="2026Q3"), sn.bottlenecks(bare, period="2026Q3"),
        sn.bottlenecks(bare, period="2026Q3", team="t1"),
        sn.team_bottlenecks(bare, period="2026Q3"),
    ):  # fmt: skip
        assert "stage_history" in result.finding
        assert len(result.to_frame()) == 0
        assert result.caveat == ""
    assert sn.bottlenecks(bare, period="2026Q3").candidates() == ()
    compared = sn.compare_process(bare, period="2026Q3", n_draws=200)
    assert set(compared.rows["figure"]) == {"won_in_time"}
    assert "stage_history" in compared.caveat
    habits = sn.process_compliance(bare, period="2026Q3")
    assert "stage_history" in habits.caveat
    assert "skipped" not in set(habits.rows["practice"])


def test_wrong_requests_are_refused(planted):
    for call in (sn.win_timing, sn.stage_flow, sn.bottlenecks, sn.process_compliance):
        with pytest.raises(ParameterError, match="no data for '2030Q1'"):
            call(planted, period="2030Q1")
        with pytest.raises(ParameterError, match="team: 'nobody' is unknown"):
            call(planted, period="2026Q3", team="nobody")


def test_the_first_day_is_that_of_the_first_close(planted):
    assert planted.first_close >= dt.date(2025, 7, 1)
    assert planted.flow.fates["n"].sum() <= 1200
