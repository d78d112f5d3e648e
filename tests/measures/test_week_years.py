"""Measures of a company whose fiscal years are of 52 or 53 weeks, by hand."""

import datetime as dt

import pytest

from salesnb.measures import cache
from salesnb.measures.compute import compute_measures
from salesnb.periods import FiscalCalendar, FiscalWeeks

RETAIL = (
    "as_of: 2024-04-30\nfiscal_year_start: 2\nfiscal_year_named_by: start\n"
    "fiscal_weeks: {ends_on: saturday, anchor: nearest}\n"
)
# The fourth quarter of 2023 has 14 weeks: October 29, 2023 to February 3, 2024, 98 days.
TABLES = {
    "reps": "rep_id,name,hired_on\nr1,Ana,\nr2,Ben,2023-12-31\n",
    "opportunities": "opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount\n"
    "o1,r1,2023-10-01,2023-10-28,true,true,7\n"
    "o2,r1,2023-10-01,2023-10-29,true,true,400\n"
    "o3,r2,2024-01-02,2024-02-03,true,true,350\n"
    "o4,r2,2024-01-02,2024-02-04,true,true,5\n",
    "targets": "owner_kind,owner_id,period,kpi,target\n"
    "rep,r1,2023Q4,bookings,980\nrep,r2,2023Q4,bookings,980\n",
    "activities": "activity_id,rep_id,kind,started_at\na1,r2,call,2024-02-02 10:00:00\n",
}


def test_quarters_of_weeks_hold_what_was_closed_in_them_and_their_days(small_snapshot):
    measures = compute_measures(small_snapshot(TABLES, company=RETAIL))
    rows = measures.roll_up(by="rep")
    values = rows.set_index(["kpi", "unit_id", "period"])["value"].sort_index()
    assert measures.periods == ("2023Q3", "2023Q4", "2024Q1")
    assert values["bookings", "r1"].to_dict() == {"2023Q3": 7.0, "2023Q4": 400.0, "2024Q1": 0.0}
    assert values["bookings", "r2"].to_dict() == {"2023Q4": 350.0, "2024Q1": 5.0}
    assert values["quota_attainment", "r1", "2023Q4"] == pytest.approx(400 / 980)
    # r2 is there for 35 of 98 days, 5 whole weeks
    assert values["quota_attainment", "r2", "2023Q4"] == pytest.approx(350 / (980 * 35 / 98))
    assert values["connected_calls", "r2", "2023Q4"] == pytest.approx(1 / 25)
    assert measures.is_whole("2023Q4")
    assert not measures.is_whole("2024Q1")


def test_measures_kept_on_disk_know_their_calendar(small_snapshot, tmp_path, monkeypatch):
    monkeypatch.setenv("SALESNB_CACHE", str(tmp_path / "cache"))
    folder = small_snapshot(TABLES, company=RETAIL).folder
    computed = cache.load_measures(folder)
    monkeypatch.setattr(cache, "compute_measures", lambda *_, **__: 1 / 0)
    kept = cache.load_measures(folder)
    retail = FiscalCalendar(2, FiscalWeeks("saturday", "nearest"), named_by="start")
    assert computed.calendar == kept.calendar == retail
    assert kept.calendar.first_day("2024Q1") == dt.date(2024, 2, 4)
