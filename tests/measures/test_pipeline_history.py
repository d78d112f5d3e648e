import dataclasses
import datetime as dt
import shutil
from functools import cache

import numpy as np
import pandas as pd
import pytest
from small_company import REPS, import_tables

from salesnb.errors import ParameterError
from salesnb.measures.compute import compute_measures
from salesnb.measures.pictures import FEATURES, compute_pipeline, load_pipeline
from salesnb.measures.pictures.history import NAMES
from salesnb.measures.pictures.points import list_points
from salesnb.periods import FiscalCalendar, FiscalWeeks
from salesnb.sources.load import import_snapshot
from salesnb.sources.sample import sample_company

DAY = pd.Timestamp("2026-02-28")
HEAD = (
    "opportunity_id,rep_id,account_id,created_on,closed_on,expected_close_on,stage,is_won,"
    "is_closed,amount,source,type\n"
)
OPPORTUNITIES = f"""{HEAD}\
o1,r1,c1,2025-12-01,2026-03-10,2026-03-10,Won,true,true,120,Web,new
o2,r1,c1,2026-01-10,,2026-03-20,Offer,false,false,50,,new
o3,r2,c2,2025-11-01,2026-01-15,2026-01-15,Lost,false,true,80,Web,new
o4,r2,,,,,,false,false,,,
o5,r2,c2,2025-06-01,2025-12-20,,Won,true,true,10,Web,new
"""
PICTURES = """as_of,opportunity_id,stage,amount,expected_close_on
2025-12-31,o1,Talk,100,2026-01-31
2025-12-31,o3,Talk,80,2026-01-31
2026-01-15,o1,Talk,100,2026-02-15
2026-01-31,o1,Offer,110,2026-02-28
2026-01-31,o2,Talk,55,2026-03-31
2026-02-28,o1,Offer,110,2026-02-20
2026-02-28,o2,Talk,50,2026-03-31
2026-03-31,o2,Offer,50,2026-03-20
"""
STAGES = """stage,stage_order,is_qualified,is_won,is_lost
Talk,1,false,false,false
Offer,2,true,false,false
Won,3,true,true,false
Lost,4,false,false,true
"""
ENTRIES = """opportunity_id,stage,entered_at
o1,Talk,2025-12-01 09:00:00
o1,Offer,2026-01-20 09:00:00
o1,Talk,2026-02-10 09:00:00
o1,Offer,2026-02-10 17:00:00
o1,Won,2026-03-10 10:00:00
o2,Talk,2026-01-10 10:00:00
o2,Offer,2026-03-05 10:00:00
"""
ACTIVITIES = """activity_id,rep_id,opportunity_id,kind,started_at,logged_at,is_connected
a1,r1,o1,call,2026-01-05 09:00:00,2026-01-05 10:00:00,true
a2,r1,o1,meeting,2026-01-30 09:00:00,2026-02-02 09:00:00,true
a3,r1,o1,email,2026-02-20 09:00:00,2026-02-20 09:00:00,false
a4,r1,o1,meeting,2026-03-05 09:00:00,,true
a5,r1,o2,call,2026-02-27 09:00:00,2026-03-03 09:00:00,true
a6,r1,,call,2026-02-27 09:00:00,,true
"""
ACCOUNTS = "account_id,name,industry\nc1,Acme,Steel\nc2,Bolt,\n"
COMPANY = "as_of: 2026-03-31\n"
TABLES = {
    "opportunities": OPPORTUNITIES, "pipeline_snapshots": PICTURES, "stages": STAGES,
    "stage_history": ENTRIES, "activities": ACTIVITIES, "accounts": ACCOUNTS,
}  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Import the tables above, each set of them once."""
    folder = tmp_path_factory.mktemp("small")

    @cache
    def make(**changed):
        tables = {"reps": REPS, **TABLES, **changed}
        present = {name: table for name, table in tables.items() if table is not None}
        return import_tables(folder, present, company=COMPANY)

    return make


@pytest.fixture
def read(small):
    def make(as_of=None, **changed):
        return compute_pipeline(small(**changed), as_of=as_of)

    return make


def row_of(history, opportunity, day):
    rows = history.past[history.past["opportunity_id"] == opportunity]
    return rows[rows["day"] == pd.Timestamp(day)].iloc[0]


def test_a_month_is_seen_by_its_last_picture_and_only_what_was_open(read):
    past = read().past
    seen = set(zip(past["opportunity_id"], past["day"].astype(str).str[:10], strict=True))
    assert seen == {
        ("o1", "2025-12-31"), ("o3", "2025-12-31"), ("o1", "2026-01-31"), ("o2", "2026-01-31"),
        ("o1", "2026-02-28"), ("o2", "2026-02-28"),
    }  # fmt: skip


def test_features_are_those_of_the_day_by_hand(read):
    row = row_of(read(), "o1", "2026-01-31")
    assert row["stage"] == "Offer"
    assert row["stage_days"] == 11  # since 20 January
    assert (row["n_stages"], row["n_back"]) == (2, 0)
    assert row["age_days"] == 61
    assert row["log_amount"] == pytest.approx(np.log(110))
    assert row["amount_drift"] == pytest.approx(np.log(1.1))
    assert (row["due_days"], row["is_overdue"], row["n_postponed"]) == (28, 0, 1)
    # the meeting of 30 January was logged on 2 February: nobody knew of it yet
    assert (row["touches_30"], row["n_meetings"], row["untouched_days"]) == (1, 0, 26)
    assert row["quarter_days_left"] == 59
    assert (row["source"], row["industry"], row["is_customer"]) == ("Web", "Steel", 0)


def test_the_next_month_knows_what_was_logged_late_and_gone_back(read):
    row = row_of(read(), "o1", "2026-02-28")
    assert (row["n_meetings"], row["untouched_days"], row["n_kinds"]) == (1, 29, 2)
    assert row["touches_30"] == 2  # the meeting of 30 January and the mail
    assert (row["stage"], row["stage_days"], row["n_stages"], row["n_back"]) == ("Offer", 18, 4, 1)
    assert (row["due_days"], row["is_overdue"]) == (-8, 1)
    assert row_of(read(), "o2", "2026-02-28")["untouched_days"] == 49  # its call was logged later


def test_entries_by_the_day_are_in_the_order_of_the_process_and_repeats_are_none(read):
    # all at one moment, and written twice: the flow counts them in the order of the stages
    by_day = "opportunity_id,stage,entered_at\n" + "".join(
        f"o2,{stage},{at}\n"
        for stage, at in (
            ("Offer", "2026-01-10"), ("Talk", "2026-01-10"), ("Offer", "2026-02-01"),
        )
    )  # fmt: skip
    row = read(stage_history=by_day).open.set_index("opportunity_id").loc["o2"]
    assert (row["n_stages"], row["n_back"], row["stage_days"]) == (2, 0, 80)


def test_what_came_of_it_is_beside_the_features(read):
    won, still = (row_of(read(), name, "2026-01-31") for name in ("o1", "o2"))
    assert (won["is_won"], won["booked"]) == (True, 120.0)
    assert won["closed_on"] == pd.Timestamp("2026-03-10")
    assert (still["is_won"], pd.isna(still["closed_on"])) == (False, True)


def test_what_is_open_now_is_as_the_crm_shows_it(read):
    now = read().open.set_index("opportunity_id")
    assert sorted(now.index) == ["o2", "o4"]
    one = now.loc["o2"]
    assert (one["stage"], one["stage_days"], one["amount"], one["account"]) == (
        "Offer", 26, 50, "Acme"
    )  # fmt: skip
    assert one["is_customer"] == 1  # o1 was won on 10 March by the same account
    nothing = now.loc["o4"]
    assert nothing[["amount", "age_days", "due_days"]].isna().all()


def test_an_earlier_day_is_seen_through_its_last_picture(read):
    now = read(as_of=dt.date(2026, 2, 28)).open.set_index("opportunity_id")
    assert now.loc["o2", ["stage", "amount", "due_days"]].tolist() == ["Talk", 50, 31]
    assert now.loc["o1", "n_postponed"] == 1


def test_ages_count_every_opportunity_with_a_day_of_creation_once(read):
    ages = read().ages
    assert ages[["n_won", "n_lost", "n_open"]].sum().tolist() == [2, 1, 1]
    # o5 and o3 began before the first close of 20 December, at ages of 202 and 49 days; o1 was 19
    entered = ages[ages["n_entered"] > 0].set_index("age_days")["n_entered"]
    assert entered.to_dict() == {0: 1, 19: 1, 49: 1, 202: 1}
    assert read().oldest_won == 202  # o5: 1 June to 20 December


def test_between_pictures_the_past_stands_where_the_day_asked_for_does(read):
    later = OPPORTUNITIES + "o6,r1,c1,2026-02-05,,,Talk,false,false,30,Web,new\n"
    past = read(as_of=dt.date(2026, 3, 20), opportunities=later).past
    seen = set(zip(past["opportunity_id"], past["day"].astype(str).str[:10], strict=True))
    # 11 days before the months' ends, by the pictures of 15 and 31 January; o3 was lost on the
    # 15th, o2 was not pictured then, o6 began after the picture
    assert seen == {
        ("o1", "2026-01-20"), ("o1", "2026-02-17"), ("o2", "2026-02-17"), ("o6", "2026-02-17"),
    }  # fmt: skip
    history = dataclasses.replace(read(), past=past)
    moved = row_of(history, "o1", "2026-01-20")
    # the picture says Talk, but that very day it went on
    assert (moved["stage"], moved["stage_days"], moved["age_days"]) == ("Offer", 0, 50)
    assert (moved["amount"], moved["due_days"]) == (100, 26)
    assert np.isnan(row_of(history, "o6", "2026-02-17")["amount"])


def test_a_point_without_a_young_picture_is_not_seen(read):
    old = "".join(line for line in PICTURES.splitlines(keepends=True) if "2026" not in line[:4])
    past = read(as_of=dt.date(2026, 3, 30), pipeline_snapshots=old).past
    # 30 days after 31 December it is young enough, 58 days after it is not
    assert set(past["day"].astype(str).str[:10]) == {"2026-01-30"}


@pytest.mark.parametrize("day", ["2026-10-05", "2026-08-15", "2026-03-31", "2024-02-29"])
@pytest.mark.parametrize("weeks", [None, FiscalWeeks("saturday", "last")])
def test_points_of_past_quarters_have_as_many_days_left(day, weeks):
    calendar = FiscalCalendar(weeks=weeks)
    as_of = dt.date.fromisoformat(day)
    days = list_points(calendar, as_of, pd.Timestamp("2020-01-01"))
    quarters = [calendar.quarter_of(one) for one in days]
    left = [
        (calendar.last_day(quarter) - one).days for one, quarter in zip(days, quarters, strict=True)
    ]
    running = calendar.quarter_of(as_of)
    asked = (calendar.last_day(running) - as_of).days
    for quarter in calendar.window(calendar.shift(running, -1), 12):
        own = [n for n, name in zip(left, quarters, strict=True) if name == quarter]
        assert own.count(asked) == 1
        assert 2 <= len(own) <= 4
    assert max(days) < as_of


def test_without_pictures_the_past_follows_from_the_dates_and_has_no_amounts(read):
    history = read(pipeline_snapshots=None)
    assert history.origin == "stages"
    assert history.past["amount"].isna().all()
    row = row_of(history, "o1", "2026-01-31")
    assert (row["stage"], row["stage_days"], row["is_won"]) == ("Offer", 11, True)
    # o3 was lost on 15 January, o5 won before December's end
    seen = set(history.past.loc[history.past["day"] == "2025-12-31", "opportunity_id"])
    assert seen == {"o1", "o3"}
    assert any("pipeline_snapshots" in words for words in history.lacking)


def test_without_any_history_there_are_only_the_open_ones_and_ages(read):
    history = read(pipeline_snapshots=None, stage_history=None, activities=None, accounts=None)
    assert (history.origin, len(history.past), len(history.open)) == ("nothing", 0, 2)
    assert history.open["touches_30"].isna().all()
    assert len(history.lacking) == 3


def test_all_closed_and_nothing_closed_are_read(read):
    closed = OPPORTUNITIES.splitlines(keepends=True)
    only_won = read(opportunities="".join([closed[0], closed[1], closed[5]]))
    assert len(only_won.open) == 0
    assert list(only_won.open.columns) == list(read().open.columns)
    only_open = read(opportunities="".join([closed[0], closed[2]]), pipeline_snapshots=None)
    assert (len(only_open.open), len(only_open.past)) == (1, 0)
    assert np.isnan(only_open.oldest_won)


def test_bookings_are_those_of_the_measures(read, small):
    measures = compute_measures(small())
    assert read().bookings["booked"].sum() == measures.weeks["booked"].sum() == 130


def test_a_day_after_the_snapshot_is_refused(read):
    with pytest.raises(ParameterError, match="after the snapshot's 2026-03-31"):
        read(as_of=dt.date(2026, 4, 1))


# On the sample company ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    return sample_company(tmp_path_factory.mktemp("sample") / "export", reps=24, seed=5)


@pytest.fixture(scope="module")
def snapshot(export, tmp_path_factory):
    return import_snapshot(export, to=tmp_path_factory.mktemp("sample") / "snapshot")


@pytest.fixture(scope="module")
def history(snapshot):
    return compute_pipeline(snapshot)


def rewrite_the_future(export, folder):
    """Copy an export and change everything after `DAY`, or that is said to be known only then."""
    shutil.copytree(export, folder)
    rows = pd.read_csv(export / "opportunities.csv", keep_default_na=False, dtype=str)
    last = f"{DAY:%Y-%m-%d}"
    rows = rows[rows["created_on"] <= last].copy()
    later = (rows["closed_on"] > last) | (rows["closed_on"] == "")
    was_won = rows["is_won"].str.lower() == "true"
    rows.loc[later, "closed_on"] = "2026-04-01"
    rows.loc[later, "is_closed"] = "true"
    rows.loc[later, "is_won"] = np.where(was_won[later], "false", "true")
    rows.loc[later, "amount"] = "7"
    rows.loc[later, "stage"] = np.where(was_won[later], "Closed Lost", "Closed Won")
    rows.to_csv(folder / "opportunities.csv", index=False)
    for name, column in (
        ("activities", "logged_at"), ("stage_history", "entered_at"),
        ("pipeline_snapshots", "as_of"),
    ):  # fmt: skip
        table = pd.read_parquet(export / f"{name}.parquet")
        known = table["opportunity_id"].isna() | table["opportunity_id"].isin(
            rows["opportunity_id"]
        )
        kept = (pd.to_datetime(table[column]).dt.normalize() <= DAY) & known
        table[kept].to_parquet(folder / f"{name}.parquet", index=False)
    return folder


def test_nothing_that_happened_later_changes_a_feature(export, history, tmp_path):
    changed = import_snapshot(rewrite_the_future(export, tmp_path / "e"), to=tmp_path / "snapshot")
    other = compute_pipeline(changed).past
    columns = ["opportunity_id", "day", *NAMES]
    before = history.past.loc[history.past["day"] <= DAY, columns].reset_index(drop=True)
    after = other.loc[other["day"] <= DAY, columns].reset_index(drop=True)
    assert len(before) > 5000
    pd.testing.assert_frame_equal(before, after)
    # and the future did change
    last = before["day"].max()
    one = history.past.loc[history.past["day"] == last, "is_won"].mean()
    assert abs(one - other.loc[other["day"] == last, "is_won"].mean()) > 0.15


def test_touches_are_those_plain_pandas_counts(snapshot, history):
    touches = snapshot.read("activities")
    rows = history.past.sample(300, random_state=1)
    started, logged = (
        pd.to_datetime(touches[name]).dt.normalize() for name in ("started_at", "logged_at")
    )
    touches = touches.assign(on=started, known=logged)
    for row in rows.to_dict("records"):
        own = touches[touches["opportunity_id"] == row["opportunity_id"]]
        own = own[(own["on"] <= row["day"]) & (own["known"] <= row["day"])]
        assert row["touches_30"] == (own["on"] > row["day"] - pd.Timedelta(days=30)).sum()
        answered = own[own["is_connected"].fillna(True).astype(bool)]
        assert row["n_meetings"] == (answered["kind"] == "meeting").sum()
        assert row["n_kinds"] == answered["kind"].nunique()
        last = answered["on"].max()
        silent = row["age_days"] if pd.isna(last) else (row["day"] - last).days
        assert row["untouched_days"] == silent


def test_no_feature_is_of_a_person(history):
    people = {"rep_id", "team_id", "manager_id", "rep", "rater_id"}
    assert not people & {feature.name for feature in FEATURES}
    texts = [feature.name for feature in FEATURES if feature.kind == "text"]
    ids = set(history.open["rep_id"]) | set(history.open["team_id"]) | set(history.open["rep"])
    for name in texts:
        assert not ids & set(history.open[name])


def test_open_ones_are_all_that_the_opportunities_say(snapshot, history):
    rows = snapshot.read("opportunities")
    still = rows[~rows["is_closed"].astype(bool)]
    assert sorted(history.open["opportunity_id"]) == sorted(still["opportunity_id"])


def test_it_is_kept_and_read_again(snapshot):
    first, again = load_pipeline(snapshot.folder), load_pipeline(snapshot.folder)
    for field in dataclasses.fields(first):
        one, other = getattr(first, field.name), getattr(again, field.name)
        if isinstance(one, pd.DataFrame):
            pd.testing.assert_frame_equal(one, other)
        else:
            assert one == other


def test_maven_has_open_ones_older_than_any_won_one(shared_data, tmp_path):
    snapshot = import_snapshot(shared_data / "maven_crm", to=tmp_path / "snapshot", preset="maven")
    history = compute_pipeline(snapshot)
    plain = pd.read_csv(shared_data / "maven_crm" / "sales_pipeline.csv")
    engaged, closed = pd.to_datetime(plain["engage_date"]), pd.to_datetime(plain["close_date"])
    won = plain["deal_stage"] == "Won"
    oldest = (closed - engaged)[won].dt.days.max()
    is_open = plain["deal_stage"].isin(["Engaging", "Prospecting"])
    age = (closed.max() - engaged)[is_open].dt.days
    assert history.oldest_won == oldest == 138
    assert (history.open["age_days"] > oldest).sum() == (age > oldest).sum() == 1291
    assert len(history.open) == is_open.sum() == 2089
