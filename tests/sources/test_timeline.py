import datetime as dt

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_export import AS_OF, COMPANY, accept, plain_tables

from salesnb.errors import DataError
from salesnb.sources.notices.plausibility import find_warnings
from salesnb.sources.notices.timeline import last_event

DAY = AS_OF.date()


def last(tables, **options):
    with duckdb.connect() as db:
        return last_event(db, accept(db, tables), **options)


def warn(tables, *, as_of=DAY, company=COMPANY):
    with duckdb.connect() as db:
        return find_warnings(db, accept(db, tables), company=company, as_of=as_of)


def few(**columns):
    """A few opportunities: open unless they have a `closed_on`."""
    frame = pd.DataFrame(columns)
    n = len(frame)
    frame["opportunity_id"] = [f"o{i}" for i in range(n)]
    frame["rep_id"] = "r0"
    closed = pd.to_datetime(frame.get("closed_on", pd.Series([None] * n)))
    return frame.assign(is_won=False, is_closed=closed.notna())


def reps():
    return pd.DataFrame({"rep_id": ["r0"], "name": ["Ana"]})


def test_the_last_event_is_the_last_creation_closing_lead_or_activity():
    tables = plain_tables(opportunities=60)
    assert last(tables) == DAY
    for table, column in (("leads", "created_at"), ("activities", "started_at")):
        later = tables[table].copy()
        later.loc[0, column] = pd.Timestamp("2026-07-03 23:30")
        assert last({**tables, table: later}) == dt.date(2026, 7, 3)


def test_an_expected_or_open_closing_date_is_no_event():
    rows = few(created_on=["2026-01-05"], expected_close_on=["2027-01-01"])
    rows["closed_on"], rows["is_closed"] = pd.Timestamp("2026-12-24"), False
    assert last({"reps": reps(), "opportunities": rows}) == dt.date(2026, 1, 5)


def test_without_any_date_the_user_is_asked_for_as_of():
    with pytest.raises(DataError, match=r"no row has a date.*set as_of of the company"):
        last({"reps": reps(), "opportunities": few(created_on=[None])})


def test_dates_after_today_are_ignored_unless_there_is_nothing_else():
    rows = few(created_on=["2026-01-05", "2026-03-01", "2026-06-01"])
    tables = {"reps": reps(), "opportunities": rows}
    assert last(tables) == dt.date(2026, 6, 1)
    assert last(tables, today=dt.date(2026, 4, 1)) == dt.date(2026, 3, 1)
    assert last(tables, today=dt.date(2026, 2, 28)) == dt.date(2026, 3, 1)  # another time zone
    assert last(tables, today=dt.date(1980, 1, 1)) == dt.date(2026, 6, 1)  # a file without a time


@pytest.mark.parametrize("column", ["created_on", "closed_on"])
def test_a_mistyped_year_neither_sets_the_day_nor_goes_unsaid(column):
    tables = plain_tables()
    rows = tables["opportunities"]
    at = rows.index[rows["is_closed"]][:2]
    rows.loc[at, column] = [pd.Timestamp("2062-03-01"), pd.Timestamp("2036-03-01")]
    assert last(tables) == DAY
    notices = [n for n in warn(tables) if "after 2026-06-30" in n.what]
    names = rows.loc[at, "opportunity_id"].tolist()
    word, effect = {
        "created_on": ("created", "they are not counted at all."),
        "closed_on": ("closed", "they count as still open."),
    }[column]
    assert [n.what for n in notices] == [
        f"2 opportunities are {word} after 2026-06-30 (e.g. '{names[0]} on 2062-03-01', "
        f"'{names[1]} on 2036-03-01')."
    ]
    assert notices[0].effect.endswith(effect)


def test_a_few_late_days_are_kept_when_such_gaps_are_usual_or_they_are_many():
    # one day a month, then a gap of 70 days: no more than is usual
    months = pd.date_range("2020-01-01", periods=60, freq="MS").repeat(20)
    rows = few(created_on=[*months, months[-1] + pd.Timedelta(days=70)])
    assert last({"reps": reps(), "opportunities": rows}) == dt.date(2025, 2, 9)
    # two of 100 rows after a gap of a year: 2% are no slip
    days = pd.date_range("2025-01-01", periods=98)
    rows = few(created_on=[*days, *pd.date_range("2026-06-01", periods=2)])
    assert last({"reps": reps(), "opportunities": rows}) == dt.date(2026, 6, 2)


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=30))
def test_the_last_event_is_a_day_of_the_data_and_order_does_not_matter(offsets):
    days = [dt.date(2020, 1, 1) + dt.timedelta(days=offset) for offset in offsets]
    found = last({"reps": reps(), "opportunities": few(created_on=days)})
    assert found == max(days)  # too few to call any a stray
    assert found == last({"reps": reps(), "opportunities": few(created_on=days[::-1])})


def test_dates_after_a_day_the_company_chose_are_left_alone_for_a_year():
    tables, chosen = plain_tables(), dt.date(2026, 3, 31)
    company = COMPANY.model_copy(update={"as_of": chosen})
    assert warn(tables, as_of=chosen, company=company) == ()
    tables["opportunities"].loc[0, "created_on"] = pd.Timestamp("2027-05-01")
    tables["opportunities"].loc[0, ["closed_on", "is_won", "is_closed"]] = [pd.NaT, False, False]
    (notice,) = warn(tables, as_of=chosen, company=company)
    assert notice.what.startswith("1 opportunity is created after 2027-04-01 (e.g. 'o0000 on 2027")


def test_a_table_that_ends_early_is_named_with_its_last_day_and_quarters():
    tables = plain_tables()
    leads = tables["leads"]
    tables["leads"] = leads[leads["created_at"] < "2026-04-16"]
    end = tables["leads"]["created_at"].max().date()
    (notice,) = warn(tables)
    assert notice.table == "leads"
    assert notice.what.startswith(
        f"The last lead was created on {end}, {(DAY - end).days} days before the data's day "
        "2026-06-30; in the year before there was one at least every "
    )
    assert notice.effect == "If the export stops early, 2026Q2 is too low."
    assert notice.kpis == ("leads", "lead_to_won")


def test_a_rare_table_does_not_end_early_by_its_own_rhythm():
    tables = plain_tables()
    days = pd.date_range("2024-07-01", "2026-06-02", freq="14D")
    few_leads = tables["leads"].iloc[: len(days)].assign(created_at=days)
    assert len(few_leads) > 50
    assert warn({**tables, "leads": few_leads}) == ()


def test_a_last_month_far_below_all_of_the_year_before_is_told_with_their_range():
    tables = plain_tables()
    rows = tables["activities"]
    recent = rows["started_at"] >= "2026-06-03"
    tables["activities"] = rows[~recent | (rows.index % 5 == 0) | (rows.index == rows.index[-1])]
    kept = tables["activities"]["started_at"]
    age = (AS_OF + pd.Timedelta(days=1) - kept.dt.normalize()).dt.days.sub(1) // 28
    before = age.value_counts()[range(1, 14)]
    (notice,) = warn(tables)
    assert notice.what == (
        f"Only {(age == 0).sum():,} activities were started in the 28 days to 2026-06-30; the 13 "
        f"such spans before had {before.min():,} to {before.max():,}, "
        f"usually {before.median():,.0f}."
    )
    assert notice.kpis == ("connected_calls", "meetings_per_100")


def test_a_season_that_comes_every_year_is_no_hole():
    tables = plain_tables()
    rows = tables["activities"]
    slack = rows["started_at"].dt.month == 6
    tables["activities"] = rows[~slack | (rows.index % 5 == 0) | (rows.index == rows.index[-1])]
    assert warn(tables) == ()


def test_a_fifth_on_one_day_is_a_migration():
    tables = plain_tables()
    rows = tables["opportunities"]
    old = rows.index[rows["created_on"] < "2025-06-01"]
    rows.loc[old, "created_on"] = pd.Timestamp("2025-01-01")
    rows.loc[old, "qualified_on"] = pd.Timestamp("2025-01-01")
    n = int((rows["created_on"] == "2025-01-01").sum())
    notices = [notice for notice in warn(tables) if "on one day" in notice.what]
    assert [notice.what for notice in notices] == [
        f"{n:,} opportunities ({100 * n / len(rows):.0f}%) were created on one day, 2025-01-01."
    ]
    assert notices[0].kpis == ("close_rate", "cycle_days")


def test_months_written_as_days_are_seen_at_their_firsts():
    tables = plain_tables()
    rows = tables["leads"]
    rows["created_at"] = rows["created_at"].dt.to_period("M").dt.start_time
    (notice,) = [n for n in warn(tables) if "first of a month" in n.what]
    assert notice.what == "100% of 1,500 created_at are the first of a month."
