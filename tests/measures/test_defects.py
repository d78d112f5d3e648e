"""Defects of well-known packages that must not be ours, each a test with its figures by hand."""

import datetime as dt
import math

import pytest

from salesnb.errors import DataError
from salesnb.measures.compute import compute_measures

HEAD = "opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount"
REPS = "rep_id,name,hired_on,left_on\nr1,Ana,,\nr2,Ben,,\n"


def opportunities(*rows, head=HEAD):
    return "\n".join([head, *rows]) + "\n"


@pytest.fixture
def measure(small_snapshot):
    """Import tables, measure them, and give values by (kpi, unit, quarter)."""

    def run(tables, *, by="company", as_of=None, company="as_of: 2026-12-31\n"):
        snapshot = small_snapshot({"reps": REPS, **tables}, company=company)
        measures = compute_measures(snapshot, as_of=as_of)
        rows = measures.roll_up(by=by)
        return {(row.kpi, row.unit_id, row.period): row.value for row in rows.itertuples()}

    return run


def test_a_rep_without_losses_has_won_everything(measure):
    values = measure(
        {"opportunities": opportunities("o1,r1,2026-01-01,2026-02-01,true,true,10")}, by="rep"
    )
    assert values["win_rate", "r1", "2026Q1"] == 1.0


def test_no_roll_up_exceeds_one_hundred_percent(measure):
    memberships = (
        "rep_id,team_id,manager_id,valid_from,valid_to\n"
        "r1,t1,m,,2026-02-15\nr1,t2,m,2026-02-15,\nr2,t1,m,,\n"
    )
    rows = [f"o{n},r{1 + n % 2},2026-01-01,2026-0{1 + n % 3}-20,true,true,10" for n in range(12)]
    tables = {"opportunities": opportunities(*rows), "memberships": memberships}
    for by in ("rep", "team", "region", "company"):
        values = measure(tables, by=by)
        rates = [value for (kpi, _, _), value in values.items() if kpi == "win_rate"]
        assert rates
        assert max(rates) == 1.0


def test_pipeline_created_keeps_what_has_closed_since(measure):
    head = f"{HEAD},qualified_on"
    rows = [
        "o1,r1,2026-01-01,2026-05-01,true,true,100,2026-01-10",
        "o2,r1,2026-01-01,2026-06-01,false,true,40,2026-02-10",
        "o3,r1,2026-01-01,,false,false,5,2026-03-31",
        "o0,r1,2026-01-01,2026-01-02,false,true,7,",
    ]
    values = measure({"opportunities": opportunities(*rows, head=head)})
    assert values["pipeline_created", "company", "2026Q1"] == 145.0


def test_quarters_are_the_fiscal_years(measure):
    rows = ["o1,r1,2026-01-01,2026-01-31,true,true,10", "o2,r1,2026-01-01,2026-02-01,true,true,20"]
    company = "as_of: 2026-12-31\nfiscal_year_start: 2\n"
    values = measure({"opportunities": opportunities(*rows)}, company=company)
    assert values["bookings", "company", "2026Q4"] == 10.0
    assert values["bookings", "company", "2027Q1"] == 20.0


def test_negative_days_to_close_are_refused_not_averaged(small_snapshot):
    rows = ["o1,r1,2026-03-01,2026-02-01,true,true,10", "o2,r1,2026-01-01,2026-01-11,true,true,10"]
    snapshot = small_snapshot({"reps": REPS, "opportunities": opportunities(*rows)})
    assert [r.reason for t in snapshot.report.tables for r in t.refusals] == [
        "closed before created"
    ]
    values = compute_measures(snapshot).roll_up(by="company", kpi="cycle_days")["value"]
    assert values.tolist() == [10.0]


def test_an_empty_denominator_is_missing_never_zero(measure):
    rows = ["o1,r1,2026-01-01,2026-02-01,true,true,", "o2,r2,2026-01-05,2026-05-01,false,true,"]
    values = measure({"opportunities": opportunities(*rows)}, by="rep")
    assert ("deal_size", "r1", "2026Q1") not in values
    assert ("win_rate", "r2", "2026Q1") not in values
    assert values["win_rate", "r2", "2026Q2"] == 0.0


def test_amounts_of_zero_or_less_are_no_amounts(measure):
    rows = [
        "o1,r1,2026-01-01,2026-02-01,true,true,100", "o2,r1,2026-01-01,2026-02-02,true,true,0",
        "o3,r1,2026-01-01,2026-02-03,true,true,-50",
    ]  # fmt: skip
    values = measure({"opportunities": opportunities(*rows)})
    assert values["deal_size", "company", "2026Q1"] == 100.0
    assert values["bookings", "company", "2026Q1"] == 100.0
    assert values["win_rate", "company", "2026Q1"] == 1.0


def test_open_opportunities_are_not_losses(measure):
    rows = ["o1,r1,2026-01-01,2026-02-01,true,true,1", "o2,r1,2026-01-01,,false,false,1"]
    values = measure({"opportunities": opportunities(*rows)})
    assert values["win_rate", "company", "2026Q1"] == 1.0
    assert values["close_rate", "company", "2026Q1"] == 0.5


def test_a_later_close_is_unknown_on_an_earlier_day(measure):
    rows = ["o1,r1,2026-01-01,2026-02-01,true,true,1", "o2,r1,2026-01-01,2026-05-01,true,true,1"]
    values = measure({"opportunities": opportunities(*rows)}, as_of=dt.date(2026, 3, 31))
    assert values["close_rate", "company", "2026Q1"] == 0.5
    assert ("bookings", "company", "2026Q2") not in values


def test_amounts_are_converted_at_the_close_dates_rate(measure):
    head = f"{HEAD},currency"
    rows = [
        "o1,r1,2026-01-01,2026-02-01,true,true,100,EUR",
        "o2,r1,2026-01-01,2026-03-10,true,true,100,EUR",
        "o3,r1,2026-01-01,2026-03-11,true,true,100,",
    ]
    rates = "currency,rate_on,rate\nEUR,2026-01-01,1.1\nEUR,2026-03-01,1.2\n"
    tables = {"opportunities": opportunities(*rows, head=head), "exchange_rates": rates}
    assert measure(tables)["bookings", "company", "2026Q1"] == pytest.approx(110 + 120 + 100)


def test_a_missing_rate_names_currency_count_and_day(measure):
    head = f"{HEAD},currency"
    rows = [f"o{n},r1,2026-01-01,2026-02-0{n},true,true,100,GBP" for n in (3, 2)]
    with pytest.raises(
        DataError, match=r"no rate .*GBP \(2, first on 2026-02-02\).*Add rates into"
    ):
        measure({"opportunities": opportunities(*rows, head=head)})


TARGETS = (
    "owner_kind,owner_id,period,kpi,target\n"
    "rep,r1,2026Q1,bookings,900\nrep,r2,2026Q1,bookings,900\n"
)


def test_quotas_are_prorated_for_hiring_leave_and_moves(measure):
    # 2026Q1 has 90 days. r1 is hired on day 46 (45 days left); r2 is 18 days on leave and
    # changes team on day 31, having been away on days 11 to 28 of the first 30.
    tables = {
        "reps": "rep_id,name,hired_on,left_on\nr1,Ana,2026-02-15,\nr2,Ben,,\n",
        "memberships": "rep_id,team_id,valid_from,valid_to\n"
        "r1,t1,,\nr2,t1,,2026-01-31\nr2,t2,2026-01-31,\n",
        "leaves": "rep_id,valid_from,valid_to\nr2,2026-01-11,2026-01-29\n",
        "targets": TARGETS,
        "opportunities": opportunities(
            "o1,r1,2026-01-01,2026-03-01,true,true,450",
            "o2,r2,2026-01-01,2026-01-05,true,true,120",
            "o3,r2,2026-01-01,2026-03-05,true,true,300",
        ),
    }  # fmt: skip
    by_rep, by_team = measure(tables, by="rep"), measure(tables, by="team")
    assert by_rep["quota_attainment", "r1", "2026Q1"] == pytest.approx(450 / 450)
    assert by_rep["quota_attainment", "r2", "2026Q1"] == pytest.approx(420 / (900 * 72 / 90))
    assert by_team["quota_attainment", "t1", "2026Q1"] == pytest.approx((450 + 120) / (450 + 120))
    assert by_team["quota_attainment", "t2", "2026Q1"] == pytest.approx(300 / 600)


def test_a_ramp_shortens_a_new_reps_quota(measure):
    tables = {
        "reps": "rep_id,name,hired_on\nr1,Ana,2026-01-01\nr2,Ben,\n",
        "targets": TARGETS,
        "opportunities": opportunities("o1,r1,2026-01-01,2026-03-01,true,true,450"),
    }
    company = "as_of: 2026-12-31\nramp_days: 90\n"
    values = measure(tables, by="rep", company=company)
    # linear growth over exactly the quarter: half a quota
    assert values["quota_attainment", "r1", "2026Q1"] == pytest.approx(450 / 450)


def test_coverage_is_blank_once_the_quota_is_met(measure):
    head = f"{HEAD},expected_close_on"
    rows = [
        "o1,r1,2026-01-01,2026-01-20,true,true,1000,",
        "o2,r1,2026-01-01,,false,false,400,2026-03-01",
        "o3,r2,2026-01-01,2026-01-20,true,true,300,",
        "o4,r2,2026-01-01,,false,false,1200,2026-03-01",
        "o5,r2,2026-01-01,,false,false,9999,2026-07-01",
    ]  # fmt: skip
    tables = {"opportunities": opportunities(*rows, head=head), "targets": TARGETS}
    values = measure(tables, by="rep", company="as_of: 2026-01-31\n")
    assert values["pipeline_coverage", "r2", "2026Q1"] == pytest.approx(1200 / (900 - 300))
    assert math.isnan(values["pipeline_coverage", "r1", "2026Q1"])


def test_past_coverage_is_seen_through_the_pictures_of_the_pipeline(measure):
    head = f"{HEAD},expected_close_on"
    rows = [
        "o0,r1,2025-10-01,2025-11-01,true,true,1,2025-11-01",
        "o1,r1,2025-12-01,2026-02-01,true,true,500,2026-02-01",
    ]
    tables = {
        "opportunities": opportunities(*rows, head=head),
        "pipeline_snapshots": "as_of,opportunity_id,stage,amount,expected_close_on\n"
        "2025-11-30,o1,x,900,2026-03-01\n2025-12-31,o1,x,1800,2026-03-01\n",
        "targets": TARGETS,
    }
    values = measure(tables, by="rep", company="as_of: 2026-06-30\n")
    assert values["pipeline_coverage", "r1", "2026Q1"] == pytest.approx(1800 / 900)


def test_an_earlier_day_sees_each_quarter_once_and_none_to_come(small_snapshot):
    head = f"{HEAD},expected_close_on"
    rows = [
        "o0,r1,2025-10-01,2025-11-01,true,true,1,2025-11-01",
        "o1,r1,2025-12-01,2026-06-01,true,true,500,2026-02-20",
    ]
    pictures = "as_of,opportunity_id,stage,amount,expected_close_on\n" + "".join(
        f"{day},o1,x,300,{due}\n"
        for day, due in (("2025-12-31", "2026-02-20"), ("2026-03-31", "2026-05-20"))
    )
    snapshot = small_snapshot(
        {
            "reps": REPS, "opportunities": opportunities(*rows, head=head),
            "pipeline_snapshots": pictures, "targets": TARGETS + "rep,r1,2026Q2,bookings,900\n",
        },
        company="as_of: 2026-06-30\n",
    )  # fmt: skip

    def coverage(as_of):
        rows = compute_measures(snapshot, as_of=as_of).roll_up(by="rep", kpi="pipeline_coverage")
        return rows[rows["unit_id"] == "r1"].set_index("period")["value"].to_dict()

    # on 2026-02-01 the running quarter is seen that day, at the amount of the opportunity
    assert coverage(dt.date(2026, 2, 1)) == {"2026Q1": 500 / 900}
    # on 2026-04-15 the first quarter is past, and nothing is due in the running one
    assert coverage(dt.date(2026, 4, 15)) == {"2026Q1": 300 / 900, "2026Q2": 0.0}


def test_coverage_compares_a_teams_pipeline_with_that_teams_quota(measure):
    # r1 is with t1 for the first 30 of 90 days, then with t2; r2 is hired to t1 on day 46
    head = f"{HEAD},expected_close_on"
    rows = [
        "o1,r1,2026-01-01,2026-01-20,true,true,100,",
        "o2,r1,2026-01-01,2026-02-10,true,true,200,",
        "o3,r1,2026-01-01,,false,false,800,2026-03-01",
        "o4,r2,2026-02-20,,false,false,700,2026-03-01",
    ]
    tables = {
        "reps": "rep_id,name,hired_on\nr1,Ana,\nr2,Ben,2026-02-15\n",
        "memberships": "rep_id,team_id,valid_from,valid_to\n"
        "r1,t1,,2026-01-31\nr1,t2,2026-01-31,\nr2,t1,2026-02-15,\n",
        "opportunities": opportunities(*rows, head=head),
        "targets": TARGETS,
    }
    values = measure(tables, by="team", company="as_of: 2026-02-28\n")
    # t1: r2's 700 over (a third of r1's 900 + half of r2's 900 - the 100 booked there)
    assert values["pipeline_coverage", "t1", "2026Q1"] == pytest.approx(700 / (300 + 450 - 100))
    assert values["pipeline_coverage", "t2", "2026Q1"] == pytest.approx(800 / (600 - 200))
    assert ("pipeline_coverage", "", "2026Q1") not in values


def test_a_picture_without_a_rate_on_its_day_is_refused_like_a_close(small_snapshot):
    head = f"{HEAD},expected_close_on,currency"
    tables = {
        "reps": REPS,
        "opportunities": opportunities(
            "o0,r1,2025-10-01,2025-11-01,true,true,1,,",
            "o1,r1,2025-12-01,2026-02-01,true,true,500,2026-02-01,EUR",
            head=head,
        ),
        "pipeline_snapshots": "as_of,opportunity_id,amount,expected_close_on\n"
        "2025-12-31,o1,1800,2026-03-01\n",
        "targets": TARGETS,
        "exchange_rates": "currency,rate_on,rate\nEUR,2026-01-15,1.1\n",
    }
    with pytest.raises(DataError, match=r"no rate .*EUR \(1, first on 2025-12-31\)"):
        compute_measures(small_snapshot(tables, company="as_of: 2026-06-30\n"))


def test_a_rate_of_zero_is_no_rate(measure):
    rows = ["o1,r1,2026-01-01,2026-02-01,true,true,100,EUR"]
    tables = {
        "opportunities": opportunities(*rows, head=f"{HEAD},currency"),
        "exchange_rates": "currency,rate_on,rate\nEUR,2026-01-01,0\n",
    }
    with pytest.raises(DataError, match=r"no rate .*EUR \(1, first on 2026-02-01\)"):
        measure(tables)


def test_days_in_two_leaves_are_away_once(measure):
    tables = {
        "leaves": "rep_id,valid_from,valid_to\nr1,2026-01-01,2026-01-31\nr1,2026-01-11,2026-01-21\n"
        "r1,2026-01-21,2026-02-15\n",
        "targets": TARGETS,
        "opportunities": opportunities("o1,r1,2026-01-01,2026-03-01,true,true,450"),
    }
    # away on the first 45 of 90 days
    assert measure(tables, by="rep")["quota_attainment", "r1", "2026Q1"] == pytest.approx(1.0)


def test_a_leaver_has_a_quota_for_the_days_until_then(measure):
    tables = {
        "reps": "rep_id,name,hired_on,left_on\nr1,Ana,,2026-01-31\nr2,Ben,,\n",
        "targets": TARGETS,
        "opportunities": opportunities("o1,r1,2026-01-01,2026-01-20,true,true,150"),
    }
    values = measure(tables, by="rep")
    assert values["quota_attainment", "r1", "2026Q1"] == pytest.approx(150 / (900 * 30 / 90))


def test_bookings_of_quarters_without_quotas_attain_none(small_snapshot):
    tables = {
        "reps": REPS,
        "targets": TARGETS,
        "opportunities": opportunities(
            "o0,r1,2025-10-01,2025-11-01,true,true,5000",
            "o1,r1,2026-01-01,2026-02-01,true,true,450",
            "o2,r2,2026-01-01,2026-02-01,true,true,450",
        ),
    }
    measures = compute_measures(small_snapshot(tables, company="as_of: 2026-03-31\n"))
    pooled = measures.roll_up(by="company", kpi="quota_attainment", pool=True)
    assert pooled["value"].tolist() == [900 / 1800]


def test_of_memberships_that_overlap_the_later_counts_whatever_their_order(small_snapshot):
    rows = ["r1,t1,,", "r1,t2,2026-01-20,", "r1,t3,2026-01-20,", "r1,t4,2026-02-10,2026-02-20"]
    deals = [
        f"o{n},r1,2026-01-01,{day},true,true,10"
        for n, day in enumerate(("2026-01-19", "2026-01-20", "2026-02-15", "2026-02-20"))
    ]
    for order in (rows, rows[::-1]):
        tables = {
            "reps": REPS,
            "memberships": "\n".join(["rep_id,team_id,valid_from,valid_to", *order]),
            "opportunities": opportunities(*deals),
        }
        bookings = compute_measures(small_snapshot(tables)).roll_up(by="team", kpi="bookings")
        found = bookings[bookings["numerator"] > 0].set_index("unit_id")["value"].to_dict()
        assert found == {"t1": 10.0, "t3": 10.0, "t4": 10.0, "": 10.0}


def test_leads_count_valid_ones_once_and_conversion_waits_for_maturity(small_snapshot):
    leads = (
        "lead_id,rep_id,created_at,converted_opportunity_id,rejected_reason\n"
        "l1,r1,2026-01-02 10:00:00,o1,\nl2,r1,2026-01-03 10:00:00,,\n"
        "l3,r1,2026-01-04 10:00:00,,Duplicate\nl4,,2026-01-05 10:00:00,,no budget\n"
    )
    rows = ["o1,r1,2026-01-03,2026-02-01,true,true,10"]
    tables = {"reps": REPS, "opportunities": opportunities(*rows), "leads": leads}
    old = compute_measures(small_snapshot(tables, company="as_of: 2026-12-31\n"))
    values = old.roll_up(by="company").set_index(["kpi", "period"])["value"]
    assert values["leads", "2026Q1"] == 3.0
    assert values["lead_to_won", "2026Q1"] == pytest.approx(1 / 3)
    kpi = old.kpi("lead_to_won")
    assert old.is_mature(kpi, "2026Q1")
    young = compute_measures(small_snapshot(tables, company="as_of: 2026-04-30\n"))
    assert not young.is_mature(kpi, "2026Q1")
    assert young.latest_mature(kpi, "2026Q2") is None


def test_calls_count_when_answered_and_long_enough_per_working_day_net_of_leave(measure):
    activities = "activity_id,rep_id,kind,started_at,seconds,is_connected\n" + "".join(
        f"a{n},r1,{kind},2026-01-{12 + n} 10:00:00,{seconds},{answered}\n"
        for n, (kind, seconds, answered) in enumerate(
            [("call", 60, "true"), ("call", 59, "true"), ("call", 600, "false"), ("call", "", ""),
             ("meeting", 1800, "true"), ("meeting", 1800, "false"), ("email", "", "true")]
        )
    )  # fmt: skip
    tables = {
        "opportunities": opportunities("o1,r1,2026-01-01,2026-02-01,true,true,10"),
        "activities": activities,
        "leaves": "rep_id,valid_from,valid_to\nr1,2026-02-01,2026-04-01\n",
    }
    values = measure(tables, by="rep")
    # January 2026 has 22 weekdays; February and March are leave.
    assert values["connected_calls", "r1", "2026Q1"] == pytest.approx(2 / 22)
    assert values["meetings_per_100", "r1", "2026Q1"] == pytest.approx(100 * 1 / 2)


def test_of_a_running_quarter_the_days_so_far_count_and_the_whole_quota(measure):
    tables = {
        "opportunities": opportunities("o1,r1,2026-01-01,2026-01-05,true,true,450"),
        "activities": "activity_id,rep_id,kind,started_at\na1,r1,call,2026-01-12\n",
        "targets": TARGETS,
    }
    values = measure(tables, by="rep", as_of=dt.date(2026, 1, 16))
    # Thursday the 1st to Friday the 16th of January 2026: 12 weekdays
    assert values["connected_calls", "r1", "2026Q1"] == pytest.approx(1 / 12)
    assert values["quota_attainment", "r1", "2026Q1"] == pytest.approx(450 / 900)


def test_a_close_rate_waits_for_its_cohort(small_snapshot):
    rows = ["o1,r1,2026-01-01,2026-02-01,true,true,10", "o2,r1,2026-05-01,,false,false,10"]
    snapshot = small_snapshot(
        {"reps": REPS, "opportunities": opportunities(*rows)},
        company="as_of: 2026-06-29\nmaturity_days: 90\n",
    )
    measures = compute_measures(snapshot)
    kpi = measures.kpi("close_rate")
    # the last of 2026Q1 is 90 days old on 2026-06-29, the day of the data
    assert (measures.is_mature(kpi, "2026Q1"), measures.is_mature(kpi, "2026Q2")) == (True, False)
    assert measures.latest_mature(kpi, "2026Q2") == "2026Q1"
    earlier = compute_measures(snapshot, as_of=dt.date(2026, 6, 28))
    assert not earlier.is_mature(kpi, "2026Q1")
    assert earlier.latest_mature(kpi, "2026Q1") is None
    assert earlier.is_mature(earlier.kpi("win_rate"), "2026Q2")


def test_a_lead_without_an_owner_counts_for_the_company_alone(measure):
    tables = {
        "opportunities": opportunities("o1,r1,2026-01-01,2026-02-01,true,true,10"),
        "leads": "lead_id,rep_id,created_at\nl1,,2026-01-05\nl2,r1,2026-01-05\n",
    }
    by_rep = measure(tables, by="rep")
    assert (by_rep["leads", "r1", "2026Q1"], by_rep["leads", "", "2026Q1"]) == (1.0, 1.0)
    assert measure(tables)["leads", "company", "2026Q1"] == 2.0


def test_a_conversion_after_the_day_is_unknown_on_it(measure):
    tables = {
        "opportunities": opportunities(
            "o0,r1,2026-01-01,2026-01-10,true,true,10", "o1,r1,2026-01-05,2026-02-01,true,true,10"
        ),
        "leads": "lead_id,rep_id,created_at,converted_opportunity_id\nl1,r1,2026-01-04,o1\n",
    }
    before = measure(tables, as_of=dt.date(2026, 1, 31))
    after = measure(tables, as_of=dt.date(2026, 2, 1))
    assert before["lead_to_won", "company", "2026Q1"] == 0.0
    assert after["lead_to_won", "company", "2026Q1"] == 1.0
