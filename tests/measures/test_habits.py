import pytest
from habit_company import COMPANY, TABLES
from small_company import import_tables

from salesnb.measures.cache import load_measures
from salesnb.measures.compute import compute_measures
from salesnb.measures.habits import (
    BACKDATED_WINS,
    CALLS_AT_THRESHOLD,
    CLOSE_DATES_PUSHED,
    HABIT_COLUMNS,
    LATE_LOGGING,
)


@pytest.fixture(scope="module")
def measures(tmp_path_factory):
    return compute_measures(
        import_tables(tmp_path_factory.mktemp("habits"), TABLES, company=COMPANY)
    )


def counted(measures, habit):
    rows = measures.habits[measures.habits["habit"] == habit]
    return {
        (row["rep_id"], row["team_id"], row["period"]): (row["n"], row["of"])
        for row in rows.to_dict("records")
    }


def test_calls_around_the_threshold_are_answered_and_within_a_quarter_of_it(measures):
    # By hand: [45, 60) is just too short, [60, 75) just long enough; a6 was not answered.
    assert counted(measures, CALLS_AT_THRESHOLD) == {
        ("r1", "t1", "2026Q2"): (2, 2),
        ("r1", "t2", "2026Q2"): (0, 1),
        ("r2", "t1", "2026Q3"): (0, 1),
    }


def test_late_is_more_than_three_days_of_what_counts_and_is_known(measures):
    # By hand: a2 comes after 3 days, a3 after 4; a5 and a9 are too short, a8 is an e-mail.
    assert counted(measures, LATE_LOGGING) == {
        ("r1", "t1", "2026Q2"): (0, 2),
        ("r1", "t2", "2026Q2"): (2, 2),
    }


def test_pushed_is_what_was_due_in_the_quarter_and_is_due_after_it_in_the_next_picture(measures):
    # By hand: o5 is pushed in March and in June, not in April; o1 is not; o7 was overdue already,
    # and o2 was due later.
    assert counted(measures, CLOSE_DATES_PUSHED) == {
        ("r1", "t1", "2026Q1"): (0, 1),
        ("r2", "t1", "2026Q1"): (1, 1),
        ("r2", "t1", "2026Q2"): (1, 2),
    }


def test_backdated_is_won_in_a_quarter_and_entered_two_days_later_in_another(measures):
    # By hand: o1 is; o2 came a day later, o3 in time at first, o4 in its quarter; o7 has no entry.
    assert counted(measures, BACKDATED_WINS) == {
        ("r1", "t1", "2026Q1"): (1, 3),
        ("r2", "t1", "2026Q1"): (0, 1),
    }


def test_what_is_known_later_is_not_counted(tmp_path):
    snapshot = import_tables(tmp_path, TABLES, company=COMPANY)
    early = compute_measures(snapshot, as_of=snapshot.as_of.replace(month=4, day=1))
    assert counted(early, BACKDATED_WINS)["r1", "t1", "2026Q1"] == (0, 2)
    assert set(early.habits["habit"]) == {BACKDATED_WINS, CLOSE_DATES_PUSHED}
    assert ("r2", "t1", "2026Q2") not in counted(early, CLOSE_DATES_PUSHED)


@pytest.mark.parametrize(
    ("left_out", "habits"),
    [
        (("activities",), {CLOSE_DATES_PUSHED, BACKDATED_WINS}),
        (("pipeline_snapshots", "stage_history"), {CALLS_AT_THRESHOLD, LATE_LOGGING}),
        (("activities", "pipeline_snapshots", "stage_history"), set()),
    ],
)
def test_missing_tables_leave_their_habits_out(tmp_path, left_out, habits):
    tables = {name: text for name, text in TABLES.items() if name not in left_out}
    found = compute_measures(import_tables(tmp_path, tables, company=COMPANY)).habits
    assert set(found["habit"]) == habits
    assert list(found.columns) == HABIT_COLUMNS


def test_a_company_that_counts_every_call_has_no_threshold(tmp_path):
    company = COMPANY.replace("60", "0")
    found = compute_measures(import_tables(tmp_path, TABLES, company=company)).habits
    assert CALLS_AT_THRESHOLD not in set(found["habit"])


def test_the_cache_keeps_them(tmp_path, monkeypatch):
    monkeypatch.setenv("SALESNB_CACHE", str(tmp_path / "cache"))
    snapshot = import_tables(tmp_path, TABLES, company=COMPANY)
    first, second = (load_measures(snapshot.folder).habits for _ in range(2))
    assert len(first) == 10
    assert first.equals(second)
