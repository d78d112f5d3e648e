"""Who an opportunity is counted for when it has changed hands, by hand."""

import datetime as dt

import pytest

from salesnb.measures.catalogue import CATALOGUE
from salesnb.measures.compute import compute_measures

TABLES = {
    "reps": "rep_id,name,left_on\nr1,Ana,2026-03-01\nr2,Ben,\nr3,Cy,\n",
    "memberships": "rep_id,team_id,valid_from\nr1,t1,\nr2,t2,\nr3,t2,\n",
}
DEALS = (
    "opportunity_id,rep_id,created_on,qualified_on,closed_on,expected_close_on,is_won,is_closed,"
    "amount\n"
)
CLOSED = "o1,r2,2026-01-05,2026-01-09,2026-02-01,,true,true,100\n"
OPEN = "o2,r2,2026-01-05,2026-01-09,,2026-06-20,false,false,100\n"
HISTORY = "opportunity_id,rep_id,owned_from,previous_rep_id\n"

HEADLINE = tuple(kpi.kpi for kpi in CATALOGUE if kpi.is_headline)


@pytest.fixture
def owner(small_snapshot):
    """Import opportunities and their history; tell by KPI whom the quarter's figures are of."""

    def find(history, *, deals=CLOSED, as_of=None):
        tables = {**TABLES, "opportunities": DEALS + deals}
        if history is not None:
            tables["owner_history"] = HISTORY + history
        snapshot = small_snapshot(tables, company="as_of: 2026-06-30\n")
        rows = compute_measures(snapshot, as_of=as_of, kpis=HEADLINE).roll_up(by="rep")
        counts = (rows["kpi"] != "bookings") | (rows["numerator"] > 0)
        rows = rows[counts & (rows["n"] > 0) & (rows["period"] == "2026Q1")]
        return dict(zip(rows["kpi"], rows["unit_id"], strict=True))

    return find


def everything(rep):
    """Each KPI of a won opportunity is of one rep."""
    return dict.fromkeys(
        ("bookings", "win_rate", "close_rate", "deal_size", "cycle_days", "pipeline_created"), rep
    )


def test_without_a_history_the_owner_is_the_opportunitys(owner):
    assert owner(None) == owner("") == everything("r2")


def test_what_was_won_stays_with_who_won_it_when_they_leave(owner):
    # r1 left on March 1 and all that was r1's went to r2, what was closed included
    rows = "o1,r1,2026-01-05 08:00:00,\no1,r2,2026-03-01 08:00:00,r1\n"
    assert owner(rows) == everything("r1")


def test_who_had_it_before_the_first_change_is_who_handed_it_over(owner):
    assert owner("o1,r2,2026-03-01 08:00:00,r1\n") == everything("r1")
    rows = "o1,r3,2026-03-01 08:00:00,r1\no1,r2,2026-04-01 08:00:00,r3\n"
    assert owner(rows) == everything("r1")


def test_before_the_first_change_by_nobody_known_it_is_the_opportunitys(owner):
    assert owner("o1,r3,2026-03-01 08:00:00,\n") == everything("r2")


def test_a_change_on_the_day_of_the_close_counts_and_of_two_the_later(owner):
    before = "o1,r1,2026-01-05 08:00:00,\n"
    assert owner(before + "o1,r3,2026-02-01 23:00:00,r1\n") == everything("r3")
    assert owner(before + "o1,r3,2026-02-02 00:00:00,r1\n") == everything("r1")
    twice = ("o1,r3,2026-02-01 09:00:00,r1\n", "o1,r1,2026-02-01 17:00:00,r3\n")
    assert owner(before + twice[0] + twice[1]) == everything("r1")
    assert owner(twice[1] + twice[0] + before) == everything("r1")


def test_of_changes_at_one_moment_the_later_rep_id_counts(owner):
    rows = ("o1,r1,2026-01-20,\n", "o1,r3,2026-01-20,\n")
    assert owner(rows[0] + rows[1]) == owner(rows[1] + rows[0]) == everything("r3")


def test_each_opportunity_is_counted_once_with_or_without_changes(owner, small_snapshot):
    history = "".join(f"o1,r{1 + n % 3},2026-01-{10 + n} 08:00:00,\n" for n in range(9))
    tables = {**TABLES, "opportunities": DEALS + CLOSED + OPEN}
    tables["owner_history"] = HISTORY + history
    measures = compute_measures(small_snapshot(tables, company="as_of: 2026-06-30\n"))
    rows = measures.roll_up(by="company", periods=("2026Q1",)).set_index("kpi")
    assert rows.loc["bookings", "numerator"] == 100
    assert rows.loc["close_rate", "denominator"] == 2
    assert rows.loc["pipeline_created", "numerator"] == 200


def test_an_open_one_is_of_its_owner_on_the_day_later_changes_are_unknown(owner):
    deals = CLOSED.replace("o1,r2", "o0,r3") + OPEN
    rows = "o2,r1,2026-01-05 08:00:00,\no2,r2,2026-05-01 08:00:00,r1\n"
    closed = dict.fromkeys(("bookings", "win_rate", "deal_size", "cycle_days"), "r3")

    def of_the_open_one(as_of):
        found = owner(
            rows, deals=deals.replace("o0,r3,2026-01-05,2026-01-09", "o0,r3,,"), as_of=as_of
        )
        return {kpi: rep for kpi, rep in found.items() if kpi not in closed}

    assert of_the_open_one(dt.date(2026, 4, 30)) == {"close_rate": "r1", "pipeline_created": "r1"}
    assert of_the_open_one(dt.date(2026, 5, 1)) == {"close_rate": "r2", "pipeline_created": "r2"}


def test_a_past_pipeline_is_of_who_owned_it_then(small_snapshot):
    tables = {
        **TABLES,
        "opportunities": DEALS + CLOSED + OPEN,
        "owner_history": HISTORY + "o2,r2,2026-05-01 08:00:00,r3\n",
        "pipeline_snapshots": "as_of,opportunity_id,amount,expected_close_on\n"
        "2026-04-01,o2,300,2026-06-20\n",
        "targets": "owner_kind,owner_id,period,kpi,target\n"
        "rep,r2,2026Q2,bookings,600\nrep,r3,2026Q2,bookings,600\n",
    }
    measures = compute_measures(small_snapshot(tables, company="as_of: 2026-07-15\n"))
    rows = measures.roll_up(by="rep", kpi="pipeline_coverage", periods=("2026Q2",))
    assert rows.set_index("unit_id")["value"].to_dict() == {"r2": 0.0, "r3": 0.5}


def test_a_change_to_nobody_known_is_refused_with_its_reason(small_snapshot):
    tables = {**TABLES, "opportunities": DEALS + CLOSED}
    tables["owner_history"] = HISTORY + "o1,r9,2026-01-05,\no9,r1,2026-01-05,\no1,r1,2026-01-05,\n"
    snapshot = small_snapshot(tables, company="as_of: 2026-06-30\n")
    (load,) = (load for load in snapshot.report.tables if load.table == "owner_history")
    assert load.accepted == 1
    assert {refusal.reason for refusal in load.refusals} == {
        "rep_id is unknown in reps", "opportunity_id is unknown in opportunities",
    }  # fmt: skip


def test_what_nobody_owns_counts_for_the_company_only(small_snapshot):
    deals = DEALS + CLOSED + CLOSED.replace("o1,r2", "o3,").replace(",100\n", ",7\n")
    snapshot = small_snapshot({**TABLES, "opportunities": deals}, company="as_of: 2026-06-30\n")
    measures = compute_measures(snapshot)
    sums = {
        level: measures.roll_up(by=level, kpi="bookings").groupby("unit_id")["numerator"].sum()
        for level in ("rep", "team", "company")
    }
    assert sums["company"]["company"] == 107
    assert (sums["rep"]["r2"], sums["rep"][""]) == (100, 7)
    assert (sums["team"]["t2"], sums["team"][""]) == (100, 7)
    assert [w.what for w in snapshot.report.warnings if "no owner" in w.what] == [
        "1 opportunity (50%) has no owner."
    ]
