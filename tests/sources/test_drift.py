import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_export import AS_OF, accept, plain_tables
from small_company import import_tables

from salesnb.sources.notices.drift import find_drift
from salesnb.sources.notices.notice import SEVERAL


@pytest.fixture(scope="module")
def previous(tmp_path_factory):
    """The snapshot before, as of AS_OF."""
    company = "{name: Acme, currency: EUR}"
    snapshot = import_tables(tmp_path_factory.mktemp("drift"), plain_tables(), company=company)
    assert (snapshot.report.refused, snapshot.as_of) == (0, AS_OF.date())
    assert (snapshot.report.warnings, snapshot.report.compared_with) == ((), "")
    return snapshot


@pytest.fixture
def tables():
    return plain_tables()


@pytest.fixture
def deals(tables):
    return tables["opportunities"]


def drift(tables, previous):
    with duckdb.connect() as db:
        return find_drift(db, accept(db, tables), previous)


def later_rows(rows, days=40):
    """Copy the rows of the last `days` days to the days that follow, under new keys."""
    key, *dates = rows.columns[0], *rows.select_dtypes("datetime").columns
    first = "created_on" if "created_on" in rows else dates[0]
    recent = rows[rows[first] > AS_OF - pd.Timedelta(days=days)]
    moved = {date: recent[date] + pd.Timedelta(days=days) for date in dates}
    return pd.concat([rows, recent.assign(**{key: "n" + recent[key]}, **moved)])


def test_the_same_data_are_no_drift_in_any_order(tables, previous):
    assert drift(tables, previous) == ()
    mixed = {name: frame.sample(frac=1, random_state=2) for name, frame in tables.items()}
    assert drift(mixed, previous) == ()


def test_new_rows_of_new_days_and_late_entries_are_no_drift(tables, previous):
    for table in ("opportunities", "leads", "activities"):
        tables[table] = later_rows(tables[table])
    last_month = tables["opportunities"]["created_on"].between("2026-06-01", "2026-06-30")
    late = tables["opportunities"][last_month].head(60)
    late = late.assign(opportunity_id="x" + late["opportunity_id"])
    tables["opportunities"] = pd.concat([tables["opportunities"], late])
    assert drift(tables, previous) == ()


def test_open_opportunities_may_close(tables, deals, previous):
    at = deals.index[~deals["is_closed"]][:80]
    deals.loc[at, ["closed_on", "is_closed"]] = [pd.Timestamp("2026-07-10"), True]
    assert drift(tables, previous) == ()


def test_tables_come_and_gone_are_told_with_their_kpis(tables, previous):
    del tables["activities"]
    tables["skills"] = pd.DataFrame({"skill": ["a"], "role": ["AE"]})
    skills, activities = drift(tables, previous)
    assert (skills.table, skills.what) == ("skills", "The table is new.")
    assert activities.what == "The table is gone; the import before had it."
    assert activities.kpis == ("connected_calls", "meetings_per_100")
    assert activities.action


def test_columns_come_and_gone_are_told_together(tables, deals, previous):
    tables["opportunities"] = deals.drop(columns=["qualified_on", "source"]).assign(type="new")
    gone, new = drift(tables, previous)
    assert gone.what == ("2 columns (source, qualified_on) are gone; the import before had them.")
    assert gone.kpis == ("pipeline_created",)
    assert new.what == "Column type is new."


def test_a_month_that_lost_rows_is_told_with_both_counts(tables, deals, previous):
    march = deals["closed_on"].between("2026-03-01", "2026-03-31")
    n = int(march.sum())
    lost = deals.index[march][:9]
    tables["opportunities"] = deals.drop(lost)
    notices = drift(tables, previous)
    closed = [notice for notice in notices if " closed, now " in notice.what]
    months = deals["closed_on"].dropna().dt.to_period("M")
    n_known = months[months <= "2026-04"].nunique()  # May ended less than 31 days before
    assert [notice.what for notice in closed] == [
        f"Of {n_known} months already known, 1 has lost: 2026-03 had {n} closed, now {n - 9}."
    ]
    assert "win_rate" in closed[0].kpis


def test_won_turned_lost_and_amounts_changed_afterwards_are_drift(tables, deals, previous):
    april = deals.index[deals["is_won"] & deals["closed_on"].between("2026-04-01", "2026-04-30")]
    deals.loc[april[:5], "is_won"] = False
    (notice,) = drift(tables, previous)
    assert f"2026-04 had {len(april)} won, now {len(april) - 5}." in notice.what
    deals.loc[april[:5], "is_won"] = True
    before = deals.loc[april, "amount"].sum()
    deals.loc[april[0], "amount"] += 50_000
    (notice,) = drift(tables, previous)
    assert f"2026-04 had {before:,.0f} in won amounts, now {before + 50_000:,.0f}." in notice.what
    assert notice.kpis == ("bookings", "quota_attainment", "deal_size")


def test_a_row_or_two_corrected_by_hand_are_no_drift(tables, deals, previous):
    tables["opportunities"] = deals.drop(deals.index[[5, 900]])
    tables["leads"] = tables["leads"].iloc[2:]
    assert drift(tables, previous) == ()


def test_a_shorter_history_is_one_notice_and_not_one_a_month(tables, previous):
    leads = tables["leads"]
    old = leads["created_at"] < "2025-06-01"
    tables["leads"] = leads[~old]
    (notice,) = drift(tables, previous)
    assert notice.what == (
        f"The export no longer goes back before 2025-06: {old.sum()} leads created from 2025-01 "
        "on are gone."
    )
    assert notice.kpis == ("leads", "lead_to_won")


def test_a_longer_history_is_told_too(tables, previous):
    calls = tables["activities"]
    older = calls[calls["started_at"] < "2025-03-01"]
    older = older.assign(
        activity_id="y" + older["activity_id"],
        started_at=older["started_at"] - pd.Timedelta(days=365),
    )
    tables["activities"] = pd.concat([older, calls])
    (notice,) = drift(tables, previous)
    assert notice.what == (
        f"The export now goes back before 2025-01: {len(older)} activities started from 2024-01 on "
        "are new."
    )


def test_tables_that_shrank_or_doubled_are_told_together_when_many(tables, previous):
    tables["teams"] = tables["teams"].iloc[:0]
    (notice,) = drift(tables, previous)
    assert notice.what == "Fewer rows than in the import before: teams had 3, now 0."
    tables["memberships"] = tables["memberships"].iloc[:2]
    (team,) = [n for n in drift(tables, previous) if n.table == "memberships"]
    assert "memberships had 6, now 2." in team.what
    undated = tables["opportunities"]["created_on"].isna()
    assert not undated.any()


def test_one_cause_in_many_tables_is_one_notice(tables, previous):
    for table in ("teams", "memberships", "reps"):
        tables[table] = tables[table].iloc[:0]
    notices = [n for n in drift(tables, previous) if "rows than" in n.what]
    assert [n.table for n in notices] == [SEVERAL]
    assert notices[0].what == (
        "3 tables have fewer rows than in the import before: reps had 6, now 0; "
        "teams had 3, now 0; memberships had 6, now 0."
    )


def test_renamed_values_are_told_side_by_side(tables, deals, previous):
    web = deals["source"] == "web"
    deals.loc[web, "source"] = "Website"
    deals.loc[deals.index[:5], "source"] = "rare"
    (notice,) = drift(tables, previous)
    old = 100 * (plain_tables()["opportunities"]["source"] == "web").mean()
    new = 100 * (deals["source"] == "Website").mean()
    assert notice.what == (
        f"Values of source gone: 'web' ({old:.0f}% of rows); new: 'Website' ({new:.0f}% of rows)."
    )
    assert notice.action == (
        "If they were only renamed, map the old names to the new ones in your mapping."
    )


def test_a_column_that_empties_is_told_with_both_shares(tables, previous):
    calls = tables["activities"]
    calls.loc[calls.index % 4 == 0, "seconds"] = None
    (notice,) = drift(tables, previous)
    assert notice.what == ("seconds is missing in 25% of rows; in the import before it was 0%.")


@pytest.mark.parametrize("factor", [100, 0.01])
def test_another_unit_is_seen_at_the_median(tables, deals, previous, factor):
    before = deals["amount"].median()
    deals["amount"] *= factor
    (level,) = [n for n in drift(tables, previous) if "median" in n.what]
    assert level.what == (
        f"The median amount is {deals['amount'].median():,.0f}; in the import before it was "
        f"{before:,.0f}."
    )


def test_another_unit_of_the_new_rows_alone_is_seen_too(tables, deals, previous):
    tables["opportunities"] = later_rows(deals, days=40)
    new = tables["opportunities"]["created_on"] > AS_OF
    tables["opportunities"].loc[new, "amount"] *= 10
    (notice,) = drift(tables, previous)
    assert notice.what.startswith(f"The median amount of the {new.sum()} rows since 2026-06-30 is ")


def test_reps_who_are_gone_are_named_with_what_they_owned(tables, deals, previous):
    tables["reps"] = tables["reps"].iloc[1:]
    of_r0 = deals["rep_id"] == "r0"
    (notice,) = drift(tables, previous)
    assert notice.what == (
        f"1 rep of the import before is gone (e.g. 'Rep r0'), who owned {of_r0.sum()} "
        f"opportunities, {(of_r0 & ~deals['is_closed']).sum()} of them open."
    )
    tables["reps"] = pd.concat(
        [tables["reps"], pd.DataFrame({"rep_id": ["r9"], "name": ["New"], "role": ["AE"]})]
    )
    assert drift(tables, previous) == (notice,)


@settings(max_examples=15)
@given(st.data())
def test_whatever_is_left_out_drift_is_words_and_never_an_error(previous, data):
    tables = plain_tables(opportunities=300)
    required = {"reps": ["rep_id", "name"],
                "opportunities": ["opportunity_id", "rep_id", "is_won", "is_closed"],
                "memberships": ["rep_id", "team_id"], "teams": ["team_id", "name"],
                "leads": ["lead_id", "created_at"],
                "activities": ["activity_id", "rep_id", "kind", "started_at"]}  # fmt: skip
    for name in list(tables):
        optional = [c for c in tables[name].columns if c not in required[name]]
        dropped = data.draw(st.sets(st.sampled_from(optional))) if optional else set()
        rows = data.draw(st.sampled_from([0, 1, 60, 10_000]))
        tables[name] = tables[name].drop(columns=list(dropped)).head(rows)
        if name not in ("reps", "opportunities") and data.draw(st.booleans()):
            del tables[name]
    notices = drift(tables, previous)
    assert all(
        n.what.endswith(".") and "nan" not in n.text and "None" not in n.what for n in notices
    )
    gone = {n.table for n in notices if n.what.startswith("The table is gone")}
    assert gone == set(plain_tables()) - set(tables)
