import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from process_company import company
from small_company import import_tables

from salesnb.measures.cache import load_measures
from salesnb.measures.compute import compute_measures
from salesnb.measures.flow import FLOW_FRAMES
from salesnb.measures.flow.stays import EXACT

COMPANY = "as_of: 2026-08-15\n"
REPS = "rep_id,name\nr1,Ana\nr2,Ben\n"
TEAMS = "team_id,name\nt1,North\nt2,South\n"
MEMBERSHIPS = """rep_id,team_id,valid_from,valid_to
r1,t1,,2026-05-01
r1,t2,2026-05-01,
r2,t1,,
"""
STAGES = """stage,stage_order,is_qualified,is_won,is_lost
Lead,1,false,false,false
Demo,2,true,false,false
Offer,3,true,false,false
Won,4,true,true,false
Lost,5,false,false,true
"""
OPPORTUNITIES = """opportunity_id,rep_id,created_on,closed_on,expected_close_on,is_won,is_closed,n
o0,r2,2025-12-01,2026-01-05,,false,true,10
o1,r1,2026-01-10,2026-02-20,,true,true,100
o2,r1,2026-03-20,2026-04-10,,false,true,50
o3,r2,2026-03-01,,2026-09-01,false,false,200
o4,r2,2026-04-01,2026-04-01,,true,true,10
o5,r2,2026-06-01,,2026-07-01,false,false,10
o6,r2,2026-06-01,2026-07-01,,true,true,10
o7,r2,,,,false,false,10
"""
HISTORY = """opportunity_id,stage,entered_at
o0,Lead,2025-12-01 09:00:00
o0,Lost,2026-01-05 09:00:00
o1,Lead,2026-01-10 09:00:00
o1,Offer,2026-01-30 09:00:00
o1,Offer,2026-02-01 09:00:00
o1,Won,2026-02-20 09:00:00
o2,Lead,2026-03-20 09:00:00
o2,Demo,2026-03-25 09:00:00
o3,Lead,2026-03-01 09:00:00
o3,Offer,2026-03-11 09:00:00
o3,Demo,2026-03-21 09:00:00
o3,Offer,2026-07-10 09:00:00
o4,Offer,2026-04-01 09:00:00
o4,Won,2026-04-01 09:00:00
o5,Demo,2026-06-01 09:00:00
o5,Trial,2026-06-11 09:00:00
o6,Lead,2026-06-01 00:00:00
o6,Lost,2026-06-11 00:00:00
o6,Lead,2026-06-21 00:00:00
"""
TABLES = {
    "reps": REPS, "teams": TEAMS, "memberships": MEMBERSHIPS, "opportunities": OPPORTUNITIES,
    "stages": STAGES, "stage_history": HISTORY,
}  # fmt: skip


@pytest.fixture(scope="module")
def flow(tmp_path_factory):
    snapshot = import_tables(tmp_path_factory.mktemp("flow"), TABLES, company=COMPANY)
    return compute_measures(snapshot).flow


def listed(frame, *columns):
    """Write rows as tuples, sorted."""
    return sorted(frame[list(columns)].astype(object).itertuples(index=False, name=None))


def of_stage(flow, stage):
    rows = flow.stays[flow.stays["stage"] == stage]
    return listed(rows, "team_id", "period", "days", "event", "n")


def test_fates_are_those_of_opportunities_created_since_the_first_close(flow):
    # By hand: the first close is o0's, so o0 is not of a whole cohort; o7 has no day.
    assert listed(flow.fates, "team_id", "period", "days", "fate", "n") == [
        ("t1", "2026Q1", 21, "lost", 1),
        ("t1", "2026Q1", 41, "won", 1),
        ("t1", "2026Q1", 167, "open", 1),
        ("t1", "2026Q2", 0, "won", 1),
        ("t1", "2026Q2", 30, "won", 1),
        ("t1", "2026Q2", 75, "open", 1),
    ]


def test_a_stay_over_a_quarters_end_is_carried_over_at_its_age(flow):
    # By hand: o2 enters Demo on March 25 (age 6 on March 31) and is lost on April 10, day 16; o3
    # falls back to Demo on March 21 (10, then 11 to 101 days, then 102) and moves on after 111
    # days; o5 leaves Demo after 10 days for a stage that nobody lists.
    assert of_stage(flow, "Demo") == [
        ("t1", "2026Q1", 0, "entered", 2),
        ("t1", "2026Q1", 6, "open", 1),
        ("t1", "2026Q1", 10, "open", 1),
        ("t1", "2026Q2", 0, "entered", 1),
        ("t1", "2026Q2", 7, "entered", 1),
        ("t1", "2026Q2", 10, "unknown", 1),
        ("t1", "2026Q2", 11, "entered", 1),
        ("t1", "2026Q2", 16, "lost", 1),
        ("t1", "2026Q2", 101, "open", 1),
        ("t1", "2026Q3", 102, "entered", 1),
        ("t1", "2026Q3", 111, "advanced", 1),
    ]


def test_skips_repeats_returns_and_no_time_at_all(flow):
    # By hand: o1's second entry into Offer is none, so it is won on day 21; o3 goes back on day
    # 10 and enters again; o4 is won on the day it began.
    assert of_stage(flow, "Offer") == [
        ("t1", "2026Q1", 0, "entered", 2),
        ("t1", "2026Q1", 10, "back", 1),
        ("t1", "2026Q1", 21, "won", 1),
        ("t1", "2026Q2", 0, "entered", 1),
        ("t1", "2026Q2", 0, "won", 1),
        ("t1", "2026Q3", 0, "reentered", 1),
        ("t1", "2026Q3", 36, "open", 1),
    ]


def test_what_was_open_at_the_first_close_is_carried_in_and_reopened_is_a_new_stay(flow):
    # By hand: o0 is 35 days old at the first close and lost that day. o6 is lost after 10 days,
    # begins again 10 days later and is won on July 1, after the quarter's end on day 9.
    rows = of_stage(flow, "Lead")
    assert ("t1", "2026Q1", 35, "entered", 1) in rows
    assert ("t1", "2026Q1", 35, "lost", 1) in rows
    assert [row for row in rows if row[1] >= "2026Q2"] == [
        ("t1", "2026Q2", 0, "entered", 1),
        ("t1", "2026Q2", 0, "reentered", 1),
        ("t1", "2026Q2", 9, "open", 1),
        ("t1", "2026Q2", 10, "lost", 1),
        ("t1", "2026Q3", 10, "entered", 1),
        ("t1", "2026Q3", 10, "won", 1),
    ]


def test_steps_say_from_where_to_where(flow):
    steps = flow.steps.groupby(["from_stage", "to_stage"], observed=True)["n"].sum()
    assert steps.to_dict() == {
        ("", "Demo"): 1, ("", "Lead"): 4, ("", "Offer"): 1, ("Demo", "Offer"): 1,
        ("Demo", "Trial"): 1, ("Lead", "Demo"): 1, ("Lead", "Lost"): 2, ("Lead", "Offer"): 2,
        ("Lost", "Lead"): 1, ("Offer", "Demo"): 1, ("Offer", "Won"): 2,
    }  # fmt: skip


def test_practices_count_events_among_occasions(flow):
    # By hand: o7 has no day; of three open ones o5 is overdue and o7 due never; o6 was won from
    # the first stage; everything closed has a history.
    sums = flow.practices.groupby("practice")[["n", "of"]].sum()
    assert sums.apply(tuple, axis=1).to_dict() == {
        "no_created_date": (1, 8), "no_next_step": (2, 3), "closed_without_history": (0, 5),
        "won_unqualified": (1, 3),
    }  # fmt: skip


def test_names_of_stages_are_listed_with_when_they_were_used(flow):
    rows = flow.stage_names.set_index("stage")
    assert list(rows.index[~rows["is_listed"]]) == ["Trial"]
    assert rows.loc["Demo", "first_on"] == pd.Timestamp(2026, 3, 21)
    assert rows.loc["Demo", "last_on"] == pd.Timestamp(2026, 6, 1)


UNSAID = "stage,stage_order\nLead,1\nDemo,2\nOffer,3\nWon,4\nLost,5\n"


def test_ends_that_the_list_does_not_name_are_found(tmp_path):
    tables = company(n=100)
    said, unsaid = (
        compute_measures(
            import_tables(tmp_path, {**tables, "stages": stages}, company="as_of: 2026-09-30\n")
        ).flow
        for stages in (tables["stages"], UNSAID)
    )
    pd.testing.assert_frame_equal(said.stays, unsaid.stays)
    assert listed(unsaid.stages, "stage", "is_won", "is_lost", "is_found_end") == [
        ("Demo", False, False, False), ("Lead", False, False, False), ("Lost", False, True, True),
        ("Offer", False, False, False), ("Won", True, False, True),
    ]  # fmt: skip
    assert not said.stages["is_found_end"].any()


def test_one_stage_for_all_ends_ends_each_as_it_is_known_to(tmp_path):
    tables = company(n=100)
    history = tables["stage_history"].replace({"stage": {"Won": "Closed", "Lost": "Closed"}})
    one = {**tables, "stages": "stage,stage_order\nLead,1\nDemo,2\nOffer,3\nClosed,4\n"}
    found, whole = (
        compute_measures(import_tables(tmp_path, each, company="as_of: 2026-09-30\n")).flow
        for each in ({**one, "stage_history": history}, tables)
    )
    pd.testing.assert_frame_equal(found.stays, whole.stays)


def test_what_is_known_later_is_not_counted(tmp_path):
    snapshot = import_tables(tmp_path, TABLES, company=COMPANY)
    early = compute_measures(snapshot, as_of=snapshot.as_of.replace(month=4, day=5)).flow
    assert ("t1", "2026Q2", 11, "open", 1) in of_stage(early, "Demo")
    assert "unknown" not in set(early.stays["event"])
    assert "no_next_step" not in set(early.practices["practice"])
    assert ("t1", "2026Q1", 35, "open", 1) in listed(
        early.fates, "team_id", "period", "days", "fate", "n"
    )


def test_without_a_history_only_ends_are_counted(tmp_path):
    tables = {name: text for name, text in TABLES.items() if name != "stage_history"}
    found = compute_measures(import_tables(tmp_path, tables, company=COMPANY)).flow
    assert found.fates["n"].sum() == 6
    assert len(found.stays) == len(found.steps) == len(found.stage_names) == 0
    assert set(found.practices["practice"]) == {"no_created_date", "no_next_step"}


def test_a_choice_of_kpis_counts_no_flow(tmp_path):
    snapshot = import_tables(tmp_path, TABLES, company=COMPANY)
    assert all(
        getattr(compute_measures(snapshot, kpis=("win_rate",)).flow, name).empty
        for name in FLOW_FRAMES
    )


def test_the_cache_keeps_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SALESNB_CACHE", str(tmp_path / "cache"))
    snapshot = import_tables(tmp_path, TABLES, company=COMPANY)
    first, second = (load_measures(snapshot.folder).flow for _ in range(2))
    for name in FLOW_FRAMES:
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))
    assert first.stays["n"].sum() > 0


_PATHS = st.lists(
    st.tuples(
        st.sampled_from(["r1", "r2"]),
        st.integers(0, 400),
        st.lists(
            st.tuples(st.sampled_from(["Lead", "Demo", "Offer", "Won", "Lost", "Old"]),
                      st.integers(0, 200)),
            min_size=1, max_size=6, unique_by=lambda step: step[1],
        ),
        st.sampled_from(["won", "lost", "open"]),
        st.integers(0, 250),
    ),
    min_size=8, max_size=30,
)  # fmt: skip


def write_paths(paths):
    """Write opportunities and their histories from days after 2025-01-01."""
    start, end = pd.Timestamp(2025, 1, 1), pd.Timestamp(2026, 8, 15)
    rows, history = [], []
    for number, (rep, created, steps, fate, length) in enumerate(paths):
        begun = start + pd.Timedelta(days=created)
        closed = begun + pd.Timedelta(days=length)
        is_closed = fate != "open" and closed <= end
        rows.append((f"o{number}", rep, begun, closed if is_closed else None,
                     is_closed and fate == "won", is_closed, 100))  # fmt: skip
        history += [
            (f"o{number}", stage, begun + pd.Timedelta(days=day, hours=9)) for stage, day in steps
        ]
    names = ["opportunity_id", "rep_id", "created_on", "closed_on", "is_won", "is_closed", "amount"]
    opportunities = pd.DataFrame(rows, columns=names).sample(frac=1.0, random_state=len(rows))
    entries = pd.DataFrame(history, columns=["opportunity_id", "stage", "entered_at"])
    return {**TABLES, "opportunities": opportunities,
            "stage_history": entries.sample(frac=1.0, random_state=1)}  # fmt: skip


# Opportunities do not touch each other: many in one company prove what many companies would.
@settings(max_examples=2)
@given(paths=_PATHS)
def test_as_many_end_as_begin_and_what_is_carried_over_is_carried_in(tmp_path_factory, paths):
    flow = compute_measures(
        import_tables(tmp_path_factory.mktemp("paths"), write_paths(paths), company=COMPANY)
    ).flow
    stays = flow.stays.astype({"period": str})
    begins = stays["event"].isin(["entered", "reentered"])
    keys = ["team_id", "period", "stage"]
    began, ended = (
        stays[rows].groupby(keys, observed=True)["n"].sum() for rows in (begins, ~begins)
    )
    assert began.to_dict() == ended.to_dict()
    old = stays["days"] > EXACT
    over = stays[(stays["event"] == "open") & (stays["period"] < "2026Q3")]
    carried = stays[begins & (stays["days"] > 0)]
    first = min(stays["period"], default="")
    moved_on = carried[carried["period"] > first]
    assert over["n"].sum() == moved_on["n"].sum()
    assert ((stays.loc[old, "days"] - EXACT) % 7 == 0).all()
