"""Early patterns and capacity, beside what plain pandas and a pencil find."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from small_company import import_tables

from salesnb.analysis.interactions import capacity, winning_patterns
from salesnb.measures.cache import load_measures
from salesnb.measures.compute import compute_measures
from salesnb.measures.contacts import PATTERNS, horizon_days
from salesnb.sources.load import import_snapshot
from salesnb.sources.sample import sample_company

COMPANY = "as_of: 2026-08-15\n"
REPS = "rep_id,name\nr1,Ana\nr2,Ben\n"
TEAMS = "team_id,name\nt1,North\nt2,South\n"
MEMBERSHIPS = """rep_id,team_id,valid_from,valid_to
r1,t1,,2026-05-01
r1,t2,2026-05-01,
r2,t1,,
"""
OPPORTUNITIES = """\
opportunity_id,rep_id,created_on,closed_on,is_won,is_closed,amount,type,qualified_on
o1,r1,2026-01-05,2026-03-31,true,true,100,new,2026-02-03
o2,r1,2026-01-06,2026-02-04,true,true,100,new,
o3,r1,2026-01-06,2026-02-05,false,true,100,,2026-02-05
o4,r2,2026-01-07,,false,false,100,new,
o5,r2,2026-07-17,,false,false,100,new,
o6,r2,2026-07-16,,false,false,100,new,
o7,r2,2025-10-01,2026-03-31,true,true,,renewal,
"""
ACTIVITIES = """activity_id,rep_id,kind,started_at,seconds,is_connected,opportunity_id,contact_id
a1,r1,call,2026-01-04 09:00:00,90,true,o1,c1
a2,r1,call,2026-01-05 09:00:00,90,true,o1,c1
a3,r1,meeting,2026-01-12 09:00:00,1800,true,o1,c2
a4,r1,meeting,2026-02-03 23:00:00,1800,true,o1,
a5,r1,meeting,2026-02-04 09:00:00,1800,true,o1,c3
a6,r1,meeting,2026-04-01 09:00:00,1800,true,o1,c4
a7,r1,call,2026-01-10 09:00:00,59,true,o3,c5
a8,r1,call,2026-01-10 09:00:00,90,false,o3,c5
a9,r1,email,2026-01-10 09:00:00,,,o3,c5
a10,r1,email,2026-01-13 09:00:00,,true,o3,c5
a11,r2,meeting,2026-01-20 09:00:00,600,false,o4,c6
a12,r2,call,2026-01-21 09:00:00,,,o4,c6
a13,r2,call,2026-01-22 09:00:00,,,,
"""
TABLES = {
    "reps": REPS, "teams": TEAMS, "memberships": MEMBERSHIPS, "opportunities": OPPORTUNITIES,
    "activities": ACTIVITIES,
}  # fmt: skip


@pytest.fixture(scope="module")
def measures(tmp_path_factory):
    return compute_measures(
        import_tables(tmp_path_factory.mktemp("contacts"), TABLES, company=COMPANY)
    )


def rows_of(frame, *keys):
    return frame.set_index(list(keys)).sort_index()


def test_patterns_are_counted_to_the_landmark_among_those_open_then(measures):
    # By hand: o1 from day 0 (a2) to day 29 (a4); a1 came before it, a5 on day 30. o3 closed on day
    # 30, so it was open; o2 closed on day 29. Of o3 only a10 is two-way, on day 7: not within 7
    # days. o4's meeting was not held, its call on day 14 counts for want of a length.
    found = measures.contacts.query("period == '2026Q1'")
    shown = {
        (row["rep_id"], row["deal_type"]): [row[name] for name in PATTERNS]
        + [row["is_qualified"], row["n_won"], row["n_lost"], row["n_open"]]
        for row in found.to_dict("records")
    }
    assert shown == {
        ("r1", "new"): [5, 2, 2, 1, 1, True, 1, 0, 0],
        ("r1", ""): [2, 0, 1, 0, 2, False, 0, 1, 0],
        ("r2", "new"): [1, 0, 1, 1, 2, False, 0, 0, 1],
    }


def test_what_is_younger_than_the_landmark_is_not_there_yet(measures):
    # o5 is 29 days old, o6 30.
    assert measures.contacts.query("period == '2026Q3'")["n"].tolist() == [1]


def test_what_is_won_after_the_horizon_counts_as_open(tmp_path):
    late = OPPORTUNITIES.replace("2025-10-01,2026-03-31", "2026-01-01,2026-07-01").replace(
        "o1,r1,2026-01-05,2026-03-31", "o1,r1,2026-01-05,2026-07-04"
    )
    tables = TABLES | {"opportunities": late}
    found = compute_measures(import_tables(tmp_path, tables, company=COMPANY)).contacts
    # By hand: o1 is won on day 180, o7 on day 181.
    assert found.query("deal_type == 'new' and rep_id == 'r1'")["n_won"].sum() == 1
    assert found.query("deal_type == 'renewal'")[["n_won", "n_open"]].to_numpy().tolist() == [
        [0, 1]
    ]


def test_the_first_close_begins_the_quarters(measures):
    assert "2025Q4" not in measures.periods
    assert measures.contacts["n"].sum() == 4


def test_whole_lives_count_up_to_the_close_of_what_is_closed(measures):
    # By hand: o1 has a3, a4, a5 (a6 came after the close); o2 none; o3 none.
    life = rows_of(measures.contacts_life, "pattern", "bin")[["n", "n_won"]]
    assert life.loc["meetings"].to_dict("index") == {
        0: {"n": 2.0, "n_won": 1.0}, 3: {"n": 1.0, "n_won": 1.0},
    }  # fmt: skip
    assert life.loc["people"].to_dict("index") == {
        0: {"n": 1.0, "n_won": 1.0}, 1: {"n": 1.0, "n_won": 0.0}, 3: {"n": 1.0, "n_won": 1.0},
    }  # fmt: skip


def test_without_contacts_people_are_unknown(tmp_path):
    lines = ACTIVITIES.splitlines()
    tables = TABLES | {"activities": "\n".join(line.rpartition(",")[0] for line in lines) + "\n"}
    found = compute_measures(import_tables(tmp_path, tables, company=COMPANY))
    assert set(found.contacts["people"]) == {-1}
    assert found.contacts["n"].sum() == 4
    assert "people" not in set(found.contacts_life["pattern"])


@pytest.mark.parametrize("table", ["activities", "unlinked"])
def test_without_what_it_needs_there_is_nothing(tmp_path, table):
    tables = dict(TABLES)
    if table == "activities":
        del tables["activities"]
    else:
        tables["activities"] = (
            "activity_id,rep_id,kind,started_at\na1,r1,call,2026-01-05 09:00:00\n"
        )
    found = compute_measures(import_tables(tmp_path, tables, company=COMPANY))
    assert found.contacts.empty
    assert found.contacts_life.empty
    assert found.capacity["open_days"].sum() > 0
    assert found.capacity["n_calls"].isna().all() == (table == "activities")


def test_capacity_by_hand(measures):
    found = rows_of(measures.capacity, "rep_id", "team_id", "period")
    # r1 in 2026Q1: o1 from 5 Jan to 31 Mar (85 days), o2 29, o3 30; nothing open later.
    row = found.loc["r1", "t1", "2026Q1"]
    counted = row[["n_new", "open_days", "n_calls", "n_meetings", "n_emails", "n_linked"]]
    assert counted.tolist() == [
        3, 85 + 29 + 30, 4, 3, 2, 9,
    ]  # fmt: skip
    assert row["call_seconds"] == 90 + 90 + 59 + 90
    assert row["working_days"] == np.busday_count("2026-01-01", "2026-04-01")
    # a6 in April, still in team t1; r1 is in two teams in that quarter.
    assert found.loc[("r1", "t1", "2026Q2"), "n_meetings"] == 1
    assert found.loc[("r1", "t2", "2026Q2"), "working_days"] == np.busday_count(
        "2026-05-01", "2026-07-01"
    )
    # o4 is open to the end of 15 August, as are o5 and o6; o7 was closed on 31 March.
    assert found.loc[("r2", "t1", "2026Q3"), "open_days"] == 46 + 30 + 31
    assert found.loc[("r2", "t1", "2026Q1"), "open_days"] == 84 + 89


def test_a_day_of_which_nothing_is_known_yet_counts_for_nothing(tmp_path):
    snapshot = import_tables(tmp_path, TABLES, company=COMPANY)
    early = compute_measures(snapshot, as_of=dt.date(2026, 2, 5))
    assert early.contacts["n"].sum() == 2  # o4 is 29 days old; o3 was decided that very day
    assert early.contacts["n_won"].sum() == 0
    assert early.capacity["n_meetings"].sum() == 4


def test_the_cache_keeps_them(tmp_path, monkeypatch):
    monkeypatch.setenv("SALESNB_CACHE", str(tmp_path / "cache"))
    snapshot = import_tables(tmp_path, TABLES, company=COMPANY)
    first, second = (load_measures(snapshot.folder) for _ in range(2))
    for name in ("contacts", "contacts_life", "capacity"):
        assert len(getattr(first, name)) > 0
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))


# The same from the rows, with pandas -------------------------------------------------------


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    return import_snapshot(sample_company(folder / "raw", reps=16), to=folder / "snapshot")


@pytest.fixture(scope="module")
def of_sample(sample):
    return compute_measures(sample)


@pytest.fixture(scope="module")
def by_pandas(sample):
    deals, acts = sample.read("opportunities"), sample.read("activities")
    as_of = pd.Timestamp(sample.as_of)
    for name in ("created_on", "closed_on"):
        deals[name] = pd.to_datetime(deals[name])
    closed = deals["closed_on"].where(deals["is_closed"])
    deals["life"] = (closed - deals["created_on"]).dt.days
    acts["day"] = pd.to_datetime(acts["started_at"]).dt.normalize()
    acts = acts.merge(deals[["opportunity_id", "created_on", "life"]], on="opportunity_id")
    acts["since"] = (acts["day"] - acts["created_on"]).dt.days
    is_call = (acts["kind"] == "call") & acts["is_connected"] & (acts["seconds"] >= 60)
    is_held = (acts["kind"] == "meeting") & acts["is_connected"]
    two_way = acts[is_call | is_held | ((acts["kind"] == "email") & acts["is_connected"])]
    early = two_way[two_way["since"].between(0, 29)]
    deals = deals.set_index("opportunity_id")
    meetings = early[early["kind"] == "meeting"].groupby("opportunity_id").size()
    people = early.groupby("opportunity_id")["contact_id"].nunique()
    deals["meetings"] = meetings.reindex(deals.index).fillna(0).clip(upper=3)
    deals["people"] = people.reindex(deals.index).fillna(0).clip(upper=3)
    first = early.groupby("opportunity_id")["since"].min().reindex(deals.index)
    deals["first_touch"] = 5 - np.searchsorted([1, 3, 7, 14], first, side="right")
    deals.loc[first.isna(), "first_touch"] = 0
    week = np.minimum(early["since"] // 7, 3)
    weeks = pd.crosstab(early["opportunity_id"], week).reindex(deals.index).fillna(0).to_numpy() > 0
    runs = ["".join("x" if held else "-" for held in row) for row in weeks]
    deals["silence"] = [max(len(part) for part in run.split("x")) for run in runs]
    age = (as_of - deals["created_on"]).dt.days
    at_risk = (age >= 30) & ~(deals["life"] < 30)
    deals = deals[at_risk & (deals["created_on"] >= "2023-10-01")]
    return deals.assign(won=deals["is_won"] & (deals["life"] <= 180))


@pytest.mark.parametrize("pattern", ["meetings", "people", "first_touch", "silence"])
def test_each_pattern_is_what_pandas_counts(of_sample, by_pandas, pattern):
    found = of_sample.contacts.groupby(pattern)[["n", "n_won"]].sum()
    expected = by_pandas.groupby(pattern)["won"].agg(["size", "sum"])
    assert found["n"].tolist() == expected["size"].tolist()
    assert found["n_won"].tolist() == expected["sum"].tolist()


def test_meetings_by_rep_and_quarter(of_sample, by_pandas):
    quarter = by_pandas["created_on"].dt.to_period("Q").astype(str)
    expected = by_pandas.groupby(["rep_id", quarter])["meetings"].sum()
    rows = of_sample.contacts.assign(total=lambda rows: rows["meetings"] * rows["n"])
    found = rows.groupby(["rep_id", "period"], observed=True)["total"].sum()
    assert found.to_dict() == expected.to_dict()


def test_open_days_are_the_opportunities_open_each_day(sample, of_sample):
    deals = sample.read("opportunities")
    end = deals["closed_on"].where(deals["is_closed"])
    end = pd.to_datetime(end).fillna(pd.Timestamp(sample.as_of) + pd.Timedelta(days=1))
    start = pd.to_datetime(deals["created_on"])
    days = pd.date_range("2023-10-01", sample.as_of)
    n_open = [((start <= day) & (end > day)).sum() for day in days]
    assert of_sample.capacity["open_days"].sum() == sum(n_open)


def test_the_order_of_rows_does_not_matter(measures, tmp_path):
    turned = {}
    for name, text in TABLES.items():
        header, *lines = text.splitlines()
        turned[name] = "\n".join([header, *reversed(lines)]) + "\n"
    other = compute_measures(import_tables(tmp_path, turned, company=COMPANY))
    for name in ("contacts", "contacts_life", "capacity"):
        pd.testing.assert_frame_equal(getattr(measures, name), getattr(other, name))


def test_the_horizon_is_the_companys_where_it_takes_longer(sample):
    assert horizon_days(sample.company) == 180
    assert horizon_days(sample.company.model_copy(update={"maturity_days": 365})) == 365


def test_the_planted_touches_and_contacts_of_won_ones_are_found(of_sample):
    # Planted: 1.25 times the touches on what is won, .85 on what is lost and .85 squared on what
    # is not decided, about a quarter of the lost; so each touch more has log odds of their ratio.
    expected = np.log(1.25 / (0.85 * (0.73 + 0.27 * 0.85)))
    found = winning_patterns(of_sample, period="2026Q3", n_quarters=8)
    rows = found.patterns.set_index("pattern")
    for name in ("meetings", "calls"):
        assert np.log(rows.loc[name, "low"]) < expected < np.log(rows.loc[name, "high"]), name
    # More contacts are planted on won ones beside more touches.
    assert np.log(rows.loc["people", "adjusted"]) > expected + 0.1
    assert set(found.clear["pattern"]) == set(rows.index)


def test_the_planted_load_is_not_missed(of_sample):
    found = capacity(of_sample, period="2026Q3")
    assert found.busy.low < -0.15 < found.busy.high
    assert found.differing == ()
