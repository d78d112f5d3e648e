"""KPIs that are no plain ratio: counted by hand on a few rows, and their roll-up as a law."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

from salesnb.errors import ParameterError
from salesnb.measures.catalogue import CATALOGUE
from salesnb.measures.compute import compute_measures
from salesnb.measures.figures import sum_largest, survival_medians
from salesnb.sources.load import import_snapshot
from salesnb.sources.sample import sample_company

REPS = "rep_id,name,role,hired_on,left_on\nr1,Ana,AE,2025-01-01,\nr2,Ben,AE,2026-01-15,\n"
MEMBERS = "rep_id,team_id,valid_from\nr1,a,2020-01-01\nr2,a,2020-01-01\n"
COMPANY = "as_of: 2026-07-10\nramp_days: 60\n"


@pytest.fixture
def measure(small_snapshot):
    """Measure tables; gives a function that finds a KPI's figure of a unit and quarter."""

    def run(tables, *, company=COMPANY, as_of=None):
        snapshot = small_snapshot({"reps": REPS, "memberships": MEMBERS, **tables}, company=company)
        measures = compute_measures(snapshot, as_of=as_of)

        def find(kpi, unit="company", period="2026Q1", **rest):
            by = "company" if unit == "company" else "rep"
            rows = measures.roll_up(by=by, kpi=kpi, **rest)
            rows = rows[(rows["unit_id"] == unit) & (rows["period"] == period)]
            return rows["value"].item() if len(rows) else None

        find.measures, find.snapshot = measures, snapshot
        return find

    return run


OPPORTUNITIES = """opportunity_id,rep_id,account_id,source,created_on,qualified_on,closed_on,expected_close_on,stage,is_won,is_closed,amount,list_amount,loss_reason
o1,r1,c1,Web,2026-01-05,2026-01-10,2026-02-04,2026-02-01,Won,true,true,100,125,
o2,r1,c1,Web,2026-01-05,2026-01-10,2026-02-14,2026-02-01,Won,true,true,300,300,
o3,r1,c2,Fair,2026-01-06,,2026-02-16,,Lost,false,true,200,,No Decision
o4,r2,c2,Web,2026-01-07,2026-01-08,2026-03-08,2026-03-01,Won,true,true,50,,
o5,r2,c3,,2026-01-07,,2026-03-09,,Lost,false,true,,,price
o6,r2,c3,Fair,2026-01-02,2026-02-02,2026-06-30,2026-03-30,Won,true,true,70,100,
o7,r2,c3,Fair,2026-02-01,2026-02-02,,2026-03-30,Talk,false,false,500,,
o8,r1,c3,Fair,2026-06-20,,,,Talk,false,false,5,,
"""  # noqa: E501


def test_shares_of_value_of_decisions_and_of_list_prices(measure):
    find = measure({"opportunities": OPPORTUNITIES})
    assert find("win_rate_value") == 450 / 650
    assert find("win_rate_value", "r1") == 400 / 600
    assert find("no_decision_rate") == 1 / 5
    assert find("discount_rate") == 25 / 425  # o4 has no list price
    # of 7 created in the quarter 3 were won in 90 days; o6 took 179, and 2 of 7 were lost
    assert find("won_within_T") == 3 / 7
    assert find("close_rate") == 4 / 7
    assert find.measures.kpi("won_within_T").label == "Won within 90 days"


def test_what_means_no_decision_and_how_long_is_in_time_are_the_companys(measure):
    settings = "as_of: 2026-07-10\nmaturity_days: 30\nno_decision_reasons: [PRICE]\n"
    find = measure({"opportunities": OPPORTUNITIES}, company=settings)
    assert find("no_decision_rate", "r2") == 1 / 2
    assert find("no_decision_rate", "r1") == 0
    assert find("won_within_T") == 1 / 7
    assert find.measures.kpi("won_within_T").label == "Won within 30 days"


TERRITORIES = """territory_id,rep_id,potential
t1,r1,200
t2,r1,100
t3,r2,100
t4,r3,0
t5,,900
"""


def test_bookings_are_shared_out_by_potential_and_ramped_time(measure):
    reps = REPS + "r3,Cem,AE,2025-01-01,\n"
    won = OPPORTUNITIES + "o9,r3,c3,Fair,2026-01-01,,2026-02-20,,Won,true,true,1000,,\n"
    find = measure({"reps": reps, "opportunities": won, "territories": TERRITORIES})
    # r2 has been there for 76 of 90 days, 60 of them ramping: as good as 46; r3 has no potential
    parts = {"r1": 300, "r2": 100 * 46 / 90}
    expected = {rep: 450 * part / sum(parts.values()) for rep, part in parts.items()}
    assert find("adjusted_attainment", "r1") == pytest.approx(400 / expected["r1"], rel=1e-12)
    assert find("adjusted_attainment", "r2") == pytest.approx(50 / expected["r2"], rel=1e-12)
    assert find("adjusted_attainment", "r3") is None
    assert find("adjusted_attainment") == pytest.approx(1, rel=1e-12)
    assert find("bookings") == 1450


def test_without_any_known_potential_nothing_is_shared_out(measure):
    areas = "territory_id,rep_id,potential\nt4,r1,0\nt5,,900\n"
    find = measure({"opportunities": OPPORTUNITIES, "territories": areas})
    assert find("adjusted_attainment") is None
    find = measure({"opportunities": OPPORTUNITIES})
    assert find.measures.missing["adjusted_attainment"] == "territories"


def test_where_lost_amounts_are_not_kept_there_is_no_rate_by_value(measure):
    rows = OPPORTUNITIES.replace(",200,,No Decision", ",0,,No Decision")
    find = measure({"opportunities": rows})
    with pytest.raises(ParameterError, match=r"an amount on half of the lost .*0% have one"):
        find("win_rate_value")


def test_concentration_is_of_the_three_largest_of_all(measure):
    amounts = {"r1": (50, 40, 30, 20), "r2": (60, 45, 45, 1)}
    rows = "".join(
        f"{rep}{n},{rep},2026-01-01,2026-02-01,true,true,{amount}\n"
        for rep, many in amounts.items()
        for n, amount in enumerate(many)
    )
    header = "opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount\n"
    find = measure({"opportunities": header + rows})
    assert find("concentration", "r1") == 120 / 140
    assert find("concentration", "r2") == 150 / 151
    assert find("concentration") == (60 + 50 + 45) / 291
    kept = find.measures.values["kpi"] == "concentration"  # noqa: PD011
    assert kept.sum() == 5  # of 60, 45 and 45 two are one value


def test_velocity_is_a_product_at_each_level_and_never_a_sum(measure):
    find = measure({"opportunities": OPPORTUNITIES}, as_of=dt.date(2026, 3, 31))
    # r2 has o6 and o7 open and qualified, won 1 of 2 of 50 in 60 days
    assert find("sales_velocity", "r2") == pytest.approx(2 * 0.5 * 50 / 60)
    assert find("sales_velocity", "r1") is None  # nothing of r1 is open
    assert find("sales_velocity") == pytest.approx(2 * 3 / 5 * 150 / 40)
    only = compute_measures(find.snapshot, kpis=("sales_velocity",))
    assert {"sales_velocity", "win_rate", "deal_size", "cycle_days"} == {k.kpi for k in only.kpis}


TOUCHES = """activity_id,rep_id,kind,started_at,is_connected,opportunity_id
a1,r1,call,2026-06-15 10:00:00,true,o7
a2,r1,call,2026-06-25 10:00:00,false,o8
a3,r1,call,2026-05-20 10:00:00,true,o7
"""


def test_what_is_open_without_an_answer_has_stalled_unless_it_is_young(measure):
    find = measure({"opportunities": OPPORTUNITIES, "activities": TOUCHES})
    # at the end of June o7 was answered 15 days before, o8 is 10 days old
    assert find("stalled_share", period="2026Q2") == 0
    assert find("stalled_share", period="2026Q3") == 0  # July 10: o7 25 days, o8 20 days
    assert find("stalled_share") == 1.0  # at the end of March o6 and o7 had no touch
    strict = measure(
        {"opportunities": OPPORTUNITIES, "activities": TOUCHES},
        company=f"{COMPANY}stalled_days: 12\n",
    )
    assert strict("stalled_share", period="2026Q3") == 1.0
    assert strict("stalled_share", "r2", period="2026Q2") == 1.0


STAGES = (
    "stage,stage_order,is_qualified,is_won,is_lost\nTalk,1,,false,false\nOffer,2,,false,false\n"
    "Won,3,,true,false\nLost,4,,false,true\n"
)
HISTORY = """opportunity_id,stage,entered_at
o1,Talk,2026-01-05 08:00:00
o1,Offer,2026-01-15 08:00:00
o1,Talk,2026-01-20 08:00:00
o1,Won,2026-02-04 08:00:00
o3,Talk,2026-01-06 08:00:00
o3,Lost,2026-02-16 08:00:00
o4,Offer,2026-01-07 08:00:00
o7,Talk,2026-02-01 08:00:00
"""


def test_stages_are_passed_once_and_open_stays_last_still(measure):
    find = measure({"opportunities": OPPORTUNITIES, "stages": STAGES, "stage_history": HISTORY})
    # Talk: o1 moved on, o3 and o7 not; Offer: o1 came back yet was won, o4 was won by its close
    assert find("stage_conversion") == 3 / 5
    # 10, 5, 15 days of o1, 41 of o3, 60 of o4; o7 stays since 159 days
    assert find("stage_days") == 15
    assert find("stage_days", "r2") == 60  # one of two has left
    early = measure(
        {"opportunities": OPPORTUNITIES, "stages": STAGES, "stage_history": HISTORY},
        as_of=dt.date(2026, 2, 20),
    )
    assert np.isnan(early("stage_days", "r2"))  # 44 and 19 days, and neither has left


PICTURES = """as_of,opportunity_id,stage,amount,expected_close_on
2026-01-01,o6,Talk,80,2026-03-30
2026-01-01,o1,Talk,20,2026-02-01
2026-04-01,o6,Talk,60,2026-05-30
2026-04-01,o7,Talk,440,2026-06-30
2026-04-01,o8,Talk,9,2026-07-30
"""


def test_what_moved_and_what_was_to_be_expected(measure):
    find = measure({"opportunities": OPPORTUNITIES, "pipeline_snapshots": PICTURES})
    assert find("slippage") == 80 / 100
    assert find("slippage", period="2026Q2") == 440 / 500
    assert find("slippage", period="2026Q3") is None  # not over
    assert find("forecast_bias") is None  # nothing is known from before
    # of what was due in the first quarter 1 of 2 was won then; o6 was booked at 70
    assert find("forecast_bias", period="2026Q2") == pytest.approx((250 - 70) / 70)


LEADS = """lead_id,rep_id,created_at,qualified_at,first_touch_at,converted_opportunity_id,rejected_reason
l1,r1,2026-01-05 10:00:00,2026-01-06 10:00:00,2026-01-05 10:30:00,o1,
l2,r1,2026-01-09 16:30:00,2026-01-13 10:00:00,2026-01-12 09:30:00,,
l3,r2,2026-01-10 12:00:00,,2026-01-12 12:00:00,o2,
l4,r2,2026-07-10 16:30:00,,,,
l5,r2,2026-01-05 10:00:00,2026-01-06 10:00:00,2026-01-05 10:01:00,o4,duplicate
"""  # noqa: E501


def test_leads_wait_in_business_hours_and_the_untouched_still(measure):
    find = measure({"opportunities": OPPORTUNITIES, "leads": LEADS})
    # l1 30 minutes; l2 Friday 16:30 to Monday 9:30, 60; l3 Saturday to Monday noon, 180
    assert find("response_minutes") == 60
    assert find("response_minutes", "r1") == 30
    assert find("sla_share") == 2 / 3
    assert np.isnan(find("response_minutes", period="2026Q3"))
    assert find("sla_share", period="2026Q3") is None  # its hour is not over
    assert find("lead_to_qualified") == 2 / 3
    assert find("qualified_to_opportunity") == 1 / 2
    late = measure(
        {"opportunities": OPPORTUNITIES, "leads": LEADS},
        company=f"{COMPANY}opens_at: 8\ncloses_at: 12\nsla_minutes: 180\n",
    )
    assert late("response_minutes") == 90  # l1 30, l2 90 (from 8), l3 240
    assert late("sla_share") == 2 / 3


SPEND = "source,period,spend\nWeb,2026Q1,90\nFair,2026Q1,40\nRadio,2026Q1,7\n"


def test_spend_is_shared_by_the_opportunities_of_its_source(measure):
    find = measure({"opportunities": OPPORTUNITIES, "sources": SPEND})
    # Web: o1 o2 of r1, o4 of r2; Fair: o3 of r1, o6 o7 of r2; nobody came by the radio
    assert find("cost_per_opportunity", "r1") == pytest.approx((60 + 40 / 3) / 3)
    assert find("cost_per_opportunity", "r2") == pytest.approx((30 + 80 / 3) / 3)
    assert find("cost_per_opportunity") == pytest.approx(137 / 6)
    find.measures.check_roll_up(period="2026Q1")


ACCOUNTS = """account_id,name,territory_id,is_target
c1,A,T1,true
c2,B,T1,true
c3,C,,true
c4,D,T1,false
"""


def test_accounts_are_covered_by_an_answered_touch(measure):
    find = measure(
        {
            "opportunities": OPPORTUNITIES, "accounts": ACCOUNTS,
            "territories": "territory_id,rep_id\nT1,r1\n",
            "activities": TOUCHES + "a4,r2,meeting,2026-04-02 10:00:00,true,o1\n",
        }
    )  # fmt: skip
    assert find("account_coverage", "r1", "2026Q2") == 1 / 2
    assert find("account_coverage", period="2026Q2") == 2 / 3
    assert find("account_coverage") == 0


TARGETS = "owner_kind,owner_id,period,kpi,target\n" + "".join(
    f"rep,{rep},{quarter},bookings,{quota}\n"
    for rep, quota in (("r1", 400), ("r2", 60))
    for quarter in ("2026Q1", "2026Q2")
)


def test_who_reached_the_quota_and_how_long_it_took(measure):
    find = measure({"opportunities": OPPORTUNITIES, "targets": TARGETS})
    assert find("quota_participation") == 1.0  # r1 at exactly 400; r2 was not ramped on January 1
    assert find("quota_participation", "r1") == 1.0
    assert find("quota_participation", period="2026Q2") == 1 / 2  # r2 70 of 60, r1 nothing of 400
    # r2: February to April has 50 of 60, April to June 70: from January 15 to June 30
    assert find("ramp_days") == find("ramp_days", "r2") == 166
    early = measure(
        {"opportunities": OPPORTUNITIES, "targets": TARGETS}, as_of=dt.date(2026, 6, 29)
    )
    assert np.isnan(early("ramp_days", "r2"))


RATINGS = """form_id,skill,rep_id,rater_id,rater_role,score,rated_on
f1,closing,r1,m1,manager,2,2026-02-01
f2,closing,r1,m1,manager,4,2026-02-02
f3,closing,r1,p1,peer,4,2026-02-03
f1,pitch,r1,m1,manager,5,2026-02-01
f4,pitch,r2,m1,manager,5,2026-02-01
f5,pitch,r2,p1,peer,4,2026-02-01
f6,closing,r2,p1,peer,1,2026-02-01
"""
SKILLS = "skill,role,group,weight,target\nclosing,AE,g,3,4\npitch,AE,g,,4\n"


def test_a_skill_gap_is_weighted_and_rests_on_two_raters(measure):
    find = measure({"opportunities": OPPORTUNITIES, "ratings": RATINGS, "skills": SKILLS})
    assert find("skill_gap", "r1") == pytest.approx(4 - 3.5)  # m1 3, p1 4; pitch has one rater
    assert find("skill_gap", "r2") == pytest.approx(4 - 4.5)
    assert find("skill_gap") == pytest.approx((3 * 0.5 - 0.5) / 4)


times = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 6), st.booleans(), st.integers(1, 4)),
    min_size=1, max_size=14,
)  # fmt: skip


@given(rows=times)
def test_medians_of_times_are_those_of_scipys_survival_curve(rows):
    frame = pd.DataFrame(rows, columns=["unit_id", "value", "is_ended", "n"])
    found = survival_medians(frame, ["unit_id"])
    for unit, part in frame.groupby("unit_id"):
        each = part.loc[part.index.repeat(part["n"])]
        ended, lasting = each[each["is_ended"]], each[~each["is_ended"]]
        curve = ecdf(CensoredData(ended["value"], right=lasting["value"])).sf
        reached = curve.quantiles[curve.probabilities <= 0.5 + 1e-9]
        expected = reached.min() if len(reached) else np.nan
        assert found[unit] == expected or (np.isnan(found[unit]) and np.isnan(expected))


@given(rows=times)
def test_the_largest_of_all_are_among_the_largest_of_each(rows):
    frame = pd.DataFrame(rows, columns=["unit_id", "value", "is_ended", "n"])
    each = frame.loc[frame.index.repeat(frame["n"])].assign(n=1, whole="all")
    kept = each.sort_values("value").groupby("unit_id").tail(3)
    expected = sum(sorted(each["value"])[-3:])
    assert sum_largest(kept, ["whole"])["all"] == sum_largest(each, ["whole"])["all"] == expected


@pytest.mark.parametrize(
    ("setting", "said"),
    [("opens_at: 18", "`opens_at` must be before"), ("no_decision_reasons: []", "at least 1")],
)
def test_settings_that_mean_nothing_are_refused(small_snapshot, setting, said):
    with pytest.raises(ParameterError, match=said):
        small_snapshot(company=f"{setting}\n")


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Measures of a sample company of 24 people, and its snapshot."""
    folder = tmp_path_factory.mktemp("sample")
    export = sample_company(folder / "export", reps=24, seed=5)
    snapshot = import_snapshot(export, to=folder / "snapshot")
    return compute_measures(snapshot), snapshot


def test_sums_of_every_kpi_are_the_same_at_every_level(sample):
    measures, _ = sample
    assert measures.missing == {}
    sums = {}
    for level in ("rep", "team", "region", "company"):
        rows = measures.roll_up(by=level)
        sums[level] = rows.groupby(["period", "kpi"])[["numerator", "denominator", "n"]].sum()
    assert set(sums["company"].reset_index()["kpi"]) == {kpi.kpi for kpi in CATALOGUE}
    for frame in sums.values():
        pd.testing.assert_frame_equal(frame, sums["company"], rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("level", ["rep", "team", "region", "company"])
def test_a_product_is_that_of_its_own_level(sample, level):
    measures, _ = sample
    window = measures.periods[-4:]
    rows = measures.roll_up(by=level, periods=window, pool=True)
    value, sums = (
        rows.pivot_table(index="unit_id", columns="kpi", values=name, dropna=False)
        for name in ("value", "numerator")
    )
    own = sums["sales_velocity"]
    expected = own * value["win_rate"] * value["deal_size"] / value["cycle_days"]
    pd.testing.assert_series_equal(
        value["sales_velocity"], expected.where(own.notna()), check_names=False
    )
    last = measures.roll_up(by=level, periods=window[-1:], kpi="sales_velocity")
    stock = last.set_index("unit_id")["numerator"]
    assert own.dropna().to_dict() == stock.to_dict()  # of four quarters the last one's stock


def test_stages_of_a_whole_company_are_those_of_the_raw_rows(sample):
    measures, snapshot = sample
    history = snapshot.read("stage_history").sort_values(["opportunity_id", "entered_at"])
    deals = snapshot.read("opportunities").set_index("opportunity_id")
    order = snapshot.read("stages").set_index("stage")
    days = pd.to_datetime(history["entered_at"]).dt.normalize()
    closed = history["opportunity_id"].map(pd.to_datetime(deals["closed_on"]))
    left = days.groupby(history["opportunity_id"]).shift(-1).fillna(closed)
    is_open = ~history["stage"].map(order["is_won"] | order["is_lost"]).astype(bool)
    last = pd.Timestamp(measures.as_of)
    stayed = (left.where(left <= last).fillna(last) - days).dt.days.clip(lower=0)
    period = measures.periods[-5]
    calendar = measures.calendar
    first, end = (pd.Timestamp(f(period)) for f in (calendar.first_day, calendar.last_day))
    chosen = is_open & days.between(first, end)
    found = measures.roll_up(by="company", periods=(period,), kpi="stage_days").iloc[0]
    assert found["n"] == chosen.sum()
    assert found["numerator"] == stayed[chosen].sum()
    curve = ecdf(
        CensoredData(stayed[chosen & (left <= last)], right=stayed[chosen & ~(left <= last)])
    ).sf
    assert found["value"] == curve.quantiles[curve.probabilities <= 0.5].min()
