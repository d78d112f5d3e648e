import datetime as dt

import pytest

from salesnb.measures.compute import compute_measures

# Monday 2026-02-16 has 31 working days before the quarter's end (9 in February, 22 in March); so
# has Tuesday 2025-11-18 (8 in November, 23 in December).
NOW = dt.date(2026, 2, 16)
OPPORTUNITIES = """opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount
o1,r1,2025-10-02,2025-11-18,true,true,100
o2,r1,2025-10-02,2025-11-19,true,true,50
o3,r1,2025-10-02,2025-11-26,true,true,70
o4,r1,2025-10-02,2025-12-01,false,true,20
o5,r1,2026-01-05,2026-02-16,true,true,30
o6,r1,2026-01-05,2026-02-20,true,true,45
o7,r2,2025-10-02,2025-11-18,true,true,
"""
# Today's last picture is 16 days old, so that of 2025Q4 is the one nearest to 2025-11-02.
PICTURES = """as_of,opportunity_id,stage,amount,expected_close_on
2025-08-31,o2,Old,1,2025-12-15
2025-10-31,o1,Offer,99,2025-12-15
2025-10-31,o2,Offer,40,2025-12-15
2025-10-31,o3,Offer,60,2026-01-10
2025-10-31,o4,Offer,20,2025-12-31
2025-11-30,o4,Late,20,2025-12-31
2026-01-31,o5,Offer,30,2026-02-01
2026-01-31,o6,Talk,32,2026-03-01
"""


@pytest.fixture
def measured(small_snapshot):
    def measure(pictures=PICTURES, **tables):
        tables = {"opportunities": OPPORTUNITIES, **tables}
        if pictures:
            tables["pipeline_snapshots"] = pictures
        return compute_measures(small_snapshot(tables), as_of=NOW)

    return measure


def test_weeks_count_working_days_from_the_point_of_today(measured):
    weeks = measured().weeks
    found = {(p, w): (n, b, s) for p, w, n, b, s in weeks[
        ["period", "week", "n", "booked", "squares"]].itertuples(index=False)}  # fmt: skip
    # by hand: 31 days left is the end of week 0, 30 and 26 are in week 1, 25 begins week 2
    assert found == {
        ("2025Q4", 0): (1.0, 100.0, 10_000.0),
        ("2025Q4", 1): (1.0, 50.0, 2_500.0),
        ("2025Q4", 2): (1.0, 70.0, 4_900.0),
        ("2026Q1", 0): (1.0, 30.0, 900.0),
    }


def test_weeks_add_up_to_bookings(measured):
    measures = measured()
    bookings = measures.totals[measures.totals["kpi"] == "bookings"]
    assert measures.weeks["booked"].sum() == bookings["numerator"].sum() == 250.0


def test_a_holiday_is_no_working_day(measured):
    weeks = measured(holidays="holiday_on\n2025-12-25\n2025-12-26\n").weeks
    # by hand: two days fewer are left in 2025Q4, 29 on Tuesday and 28 on Wednesday: both week 1
    found = weeks[weeks["period"] == "2025Q4"].set_index("week")["booked"].to_dict()
    assert found == {1: 150.0, 2: 70.0}


def test_open_deals_are_those_of_the_picture_that_were_still_open_at_the_point(measured):
    deals = measured().open_deals
    columns = [
        "period", "stage", "is_due", "n", "amount", "squares", "n_won", "won_amount", "booked",
    ]  # fmt: skip
    # by hand: o1 was won by the point; o2 and o4 were due, o3 only in 2026; o5 is won today
    assert [tuple(row) for row in deals[columns].itertuples(index=False)] == [
        ("2025Q4", "Offer", False, 1.0, 60.0, 3_600.0, 1.0, 60.0, 70.0),
        ("2025Q4", "Offer", True, 2.0, 60.0, 2_000.0, 1.0, 40.0, 50.0),
        ("2026Q1", "Talk", True, 1.0, 32.0, 1_024.0, 0.0, 0.0, 0.0),
    ]
    assert set(deals["rep_id"]) == {"r1"}


def test_open_deals_of_today_are_kept_apart_by_size(measured):
    more = "o8,r1,2026-01-05,,false,false,33\no9,r1,2026-01-05,,false,false,500\n"
    pictures = PICTURES + (
        "2026-01-31,o8,Talk,33,2026-03-01\n2026-01-31,o9,Talk,500,2026-03-01\n"
        "2025-10-31,o8,Offer,500,2025-12-31\n"
    )
    deals = measured(pictures, opportunities=OPPORTUNITIES + more).open_deals
    now = deals[deals["period"] == "2026Q1"]
    assert now["amount"].tolist() == [65.0, 500.0]  # 32 and 33 lie within one power of two
    past = deals[(deals["period"] == "2025Q4") & deals["is_due"]]
    assert past["amount"].tolist() == [560.0]


def test_without_a_recent_picture_nothing_is_said_to_be_open(measured):
    assert measured(pictures=None).open_deals.empty
    old = "\n".join(PICTURES.splitlines()[:6]) + "\n"  # none since 2025-10-31
    assert measured(pictures=old).open_deals.empty
