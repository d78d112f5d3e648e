import duckdb
import numpy as np
import pandas as pd
import pytest
from plain_export import AS_OF, COMPANY, accept, plain_tables

from salesnb.sources.notices.amounts import FENCE
from salesnb.sources.notices.plausibility import find_warnings
from salesnb.sources.notices.staffing import find_circles

DAY = AS_OF.date()


def warn(tables, *, as_of=DAY, company=COMPANY):
    with duckdb.connect() as db:
        return find_warnings(db, accept(db, tables), company=company, as_of=as_of)


@pytest.fixture
def tables():
    return plain_tables()


@pytest.fixture
def deals(tables):
    return tables["opportunities"]


def won(deals, n=None):
    return deals.index[deals["is_won"]][:n]


def is_open(deals, n=None):
    return deals.index[~deals["is_closed"]][:n]


@pytest.mark.parametrize("seed", range(8))
def test_clean_data_give_no_warning(seed):
    assert warn(plain_tables(seed=seed)) == ()


def test_a_few_rows_give_no_warning_about_their_distribution():
    tables = plain_tables(opportunities=20)
    assert warn({name: tables[name] for name in ("reps", "opportunities")}) == ()


def test_the_least_an_export_may_have_is_enough(tables, deals):
    least = deals[["opportunity_id", "rep_id", "is_won", "is_closed"]].assign(is_closed=False)
    least["is_won"] = False
    assert warn({"reps": tables["reps"][["rep_id", "name"]], "opportunities": least}) == ()
    empty = {name: frame.iloc[:0] for name, frame in tables.items()}
    assert warn(empty) == ()


def test_the_order_of_rows_does_not_matter(tables, deals):
    deals.loc[won(deals, 60), "amount"] = None
    deals.loc[won(deals)[-1], "amount"] = 9e7
    found = warn(tables)
    assert len(found) == 2
    assert (
        warn({name: frame.sample(frac=1, random_state=3) for name, frame in tables.items()})
        == found
    )


def test_won_without_amount_are_counted_by_cause(tables, deals):
    n = len(won(deals))
    at = won(deals, 40)
    deals.loc[at[:25], "amount"] = None
    deals.loc[at[25:38], "amount"] = 0.0
    deals.loc[at[38:], "amount"] = -100.0
    (notice,) = warn(tables)
    share = f"{100 * 40 / n:.0f}%"
    assert notice.what == (
        f"{share} of won (40 of {n}) have no amount above 0 (25 empty, 13 zero, 2 negative)."
    )
    assert notice.kpis == ("bookings", "deal_size")  # there are no targets
    deals.loc[at, "amount"] = 100.0
    deals.loc[at[:3], "amount"] = None
    assert warn(tables) == ()  # 3 of 600 are less than the KPI's own uncertainty


def test_one_negative_amount_is_enough(tables, deals):
    deals.loc[won(deals, 1), "amount"] = -5.0
    (notice,) = warn(tables)
    assert "(1 negative)" in notice.what


def test_lost_amounts_of_0_and_open_ones_without_amount_are_no_fault(tables, deals):
    deals.loc[deals["is_closed"] & ~deals["is_won"], "amount"] = 0.0
    deals.loc[is_open(deals), "amount"] = None
    assert warn(tables) == ()


def test_placeholders_are_seen_by_what_is_usual(tables, deals):
    n = len(won(deals))
    deals.loc[won(deals, 30), "amount"] = 1.0
    usual = deals.loc[won(deals), "amount"].median()
    (notice,) = warn(tables)
    assert notice.what == (
        f"{100 * 30 / n:.0f}% of won (30 of {n}) have an amount of 1 or less, where {usual:,.0f} "
        "EUR is usual."
    )


def test_slipped_digits_are_told_with_their_weight_in_the_worst_quarter(tables, deals):
    at = won(deals)[deals.loc[won(deals), "closed_on"].between("2026-01-01", "2026-03-31")][:2]
    deals.loc[at, "amount"] = [3e6, 2e6]
    (notice,) = warn(tables)
    logs = np.log(deals.loc[won(deals), "amount"])
    lower, upper = logs.quantile([0.25, 0.75])
    fence = np.exp(upper + FENCE * (upper - lower))
    quarter = deals[deals["is_won"] & deals["closed_on"].between("2026-01-01", "2026-03-31")]
    share = 5e6 / quarter["amount"].sum()
    first, second = deals.loc[at, "opportunity_id"]
    assert notice.what == (
        f"2 of {len(won(deals))} won amounts are far above the rest, over {fence:,.0f} EUR (e.g. "
        f"'{first}: 3,000,000 EUR', '{second}: 2,000,000 EUR'): they are {100 * share:.0f}% of "
        "what was won in EUR in 2026Q1."
    )


def test_quarters_are_the_companys_own(tables, deals):
    at = won(deals)[deals.loc[won(deals), "closed_on"].between("2026-02-01", "2026-02-20")][0]
    deals.loc[at, "amount"] = 4e6
    (notice,) = warn(tables, company=COMPANY.model_copy(update={"fiscal_year_start": 2}))
    assert notice.what.endswith("of what was won in EUR in 2027Q1.")


def test_amounts_are_far_out_within_their_currency_only(tables, deals):
    deals.loc[deals.index % 2 == 0, "currency"] = "JPY"
    deals.loc[deals.index % 2 == 0, "amount"] *= 160
    rates = pd.DataFrame(
        {"currency": ["JPY"], "rate_on": [pd.Timestamp("2024-01-01")], "rate": 1 / 160}
    )
    assert warn({**tables, "exchange_rates": rates}) == ()


def test_another_kind_of_business_is_not_far_out(tables, deals):
    big = deals.index[deals.index % 12 == 0]
    deals.loc[big, "amount"] *= 1000
    assert warn(tables) == ()


def test_list_prices_without_spread_are_not_far_out(tables, deals):
    deals["amount"] = 100.0
    deals.loc[won(deals, 20), "amount"] = 1500.0
    assert warn(tables) == ()


@pytest.mark.parametrize("amount", [1e308, 5e-324])
def test_amounts_at_the_ends_of_numbers_are_no_error(tables, deals, amount):
    deals["amount"] = amount
    deals.loc[::7, "amount"] = 1e308
    assert all(notice.what for notice in warn(tables))


def test_a_huge_open_amount_touches_the_pipeline(tables, deals):
    deals.loc[is_open(deals, 1), "amount"] = 5e7
    (notice,) = warn(tables)
    assert notice.what.startswith(f"1 of {len(is_open(deals))} open amounts are far above the rest")
    assert notice.what.endswith("of all that is open in EUR.")
    assert notice.kpis == ("pipeline_created",)


def test_currencies_without_a_rate_on_their_first_day_stop_reports(tables, deals):
    deals.loc[deals.index % 5 == 0, "currency"] = "GBP"
    n = int((deals["currency"] == "GBP").sum())
    (notice,) = warn(tables)
    assert notice.what == (
        f"Amounts cannot be converted into EUR (e.g. 'GBP: {n} opportunities, no rate')."
    )
    rates = pd.DataFrame(
        {"currency": ["GBP"], "rate_on": [pd.Timestamp("2025-06-01")], "rate": 1.2}
    )
    (notice,) = warn({**tables, "exchange_rates": rates})
    first = deals.loc[deals["currency"] == "GBP", "closed_on"].min().date()
    assert f"'GBP: closed from {first}, rates from 2025-06-01'" in notice.what
    rates["rate_on"] = pd.Timestamp("2025-01-01")
    assert warn({**tables, "exchange_rates": rates}) == ()


def test_a_currency_here_and_there_is_taken_for_the_companys(tables, deals):
    deals.loc[deals.index % 10 == 0, "currency"] = None
    (notice,) = warn(tables)
    assert notice.what == "10% (200 of 2,000) have no currency."
    assert warn({**tables, "opportunities": deals.assign(currency=None)}) == ()


@pytest.mark.parametrize(
    ("column", "rows", "whose"),
    [
        ("created_on", lambda deals: deals.index[:200], "opportunities"),
        ("qualified_on", lambda deals: won(deals, 100), "won"),
        ("expected_close_on", lambda deals: is_open(deals, 50), "open"),
    ],
)
def test_missing_dates_are_told_with_what_they_do(tables, deals, column, rows, whose):
    at = rows(deals)
    deals.loc[at, column] = pd.NaT
    n = {"opportunities": 2000, "won": len(won(deals)), "open": len(is_open(deals))}[whose]
    (notice,) = warn(tables)
    assert notice.what == (
        f"{100 * len(at) / n:.0f}% of {whose} ({len(at)} of {n:,}) have no {column}."
    )
    assert notice.effect


@pytest.mark.parametrize("column", ["qualified_on", "expected_close_on", "amount"])
def test_an_empty_column_gives_nought_not_nothing(tables, deals, column):
    deals[column] = None
    notices = [n for n in warn(tables) if n.what == f"{column} is empty in all rows."]
    assert len(notices) == 1
    assert warn({**tables, "opportunities": deals.drop(columns=column)}) == ()


def test_exports_of_one_outcome_only_are_seen_through(tables, deals):
    whole = {**tables, "opportunities": deals[deals["is_won"] | ~deals["is_closed"]]}
    notices = {notice.what: notice for notice in warn(whole)}
    n = len(won(deals))
    assert f"None of the {n} closed opportunities is lost." in notices
    whole = {**tables, "opportunities": deals[deals["is_closed"]]}
    n = int(deals["is_closed"].sum())
    (notice,) = [n for n in warn(whole) if "are closed" in n.what]
    assert notice.what == f"All {n:,} opportunities are closed."
    assert notice.kpis == ("close_rate", "pipeline_created")


def test_wins_written_down_on_their_day_are_told(tables, deals):
    at = won(deals)[::3]
    deals.loc[at, "created_on"] = deals.loc[at, "qualified_on"] = deals.loc[at, "closed_on"]
    (notice,) = warn(tables)
    n = len(won(deals))
    assert notice.what == (
        f"{100 * len(at) / n:.0f}% of won ({len(at)} of {n}) were created on the day they were won."
    )


def test_endless_cycles_are_told_with_what_is_usual(tables, deals):
    at = won(deals)[-6:]
    deals.loc[at, "created_on"] = deals.loc[at, "qualified_on"] = pd.Timestamp("2019-05-06")
    days = (deals["closed_on"] - deals["created_on"]).dt.days[deals["is_won"]]
    (notice,) = warn(tables)
    assert notice.what.startswith(f"6 of {len(days)} won took more than ")
    assert notice.what.endswith(f"; {days.median():.0f} days are usual.")
    assert notice.kpis == ("cycle_days",)


def test_a_pipeline_nobody_looks_after_is_told_twice(tables, deals):
    at = is_open(deals)[::4]
    deals.loc[at, ["created_on", "qualified_on"]] = pd.Timestamp("2025-01-02")
    deals.loc[at, "expected_close_on"] = pd.Timestamp("2025-03-01")
    overdue, old = warn(tables)
    n = len(is_open(deals))
    share = f"{100 * len(at) / n:.0f}% of open ({len(at)} of {n})"
    days = (deals["closed_on"] - deals["created_on"]).dt.days[deals["is_won"]].max()
    assert (
        overdue.what
        == f"{share} should have closed more than 90 days ago, the oldest by 2025-03-01."
    )
    assert old.what.startswith(
        f"{share} are older than any won one was when it closed ({days:.0f} days) (e.g. 'o"
    )


def test_reps_in_no_team_are_named_with_what_is_lost_to_teams(tables, deals):
    tables["memberships"] = tables["memberships"].query("rep_id != 'r4'")
    n, whole = (
        int((deals["is_closed"] & (deals["rep_id"] == "r4")).sum()),
        int(deals["is_closed"].sum()),
    )
    (notice,) = warn(tables)
    assert str(notice).startswith(
        f"memberships: 1 rep with {n} opportunities closed is in no team (e.g. 'Rep r4'). The "
        f"company's figures count them ({100 * n / whole:.0f}% of all closed), no team's do."
    )
    del tables["memberships"]
    assert warn(tables) == ()


def test_days_between_teams_are_counted(tables, deals):
    rows = tables["memberships"]
    rows.loc[rows["rep_id"] == "r1", "valid_to"] = pd.Timestamp("2026-01-01")
    late = {"rep_id": "r1", "team_id": "t0", "valid_from": pd.Timestamp("2026-04-01")}
    tables["memberships"] = pd.concat([rows, pd.DataFrame([late])])
    gap = deals["closed_on"].between("2026-01-01", "2026-03-31") & (deals["rep_id"] == "r1")
    (notice,) = warn(tables)
    assert notice.what.startswith(f"{gap.sum()} opportunities (")
    assert notice.what.endswith(
        "of 1 rep closed on days their owner was in no team (e.g. 'Rep r1')."
    )


def test_overlaps_are_told_with_the_rule_and_twice_the_same_team_is_none(tables):
    more = {"rep_id": "r0", "team_id": "t1", "valid_from": pd.Timestamp("2025-07-01")}
    same = {"rep_id": "r2", "team_id": "t0", "valid_from": pd.Timestamp("2025-07-01")}
    tables["memberships"] = pd.concat([tables["memberships"], pd.DataFrame([more, same])])
    (notice,) = warn(tables)
    assert notice.what == (
        "1 membership of 1 rep overlaps with a later one in another team "
        "(e.g. 'Rep r0 in t0 and t1')."
    )


def test_sales_outside_employment_are_counted_before_and_after(tables, deals):
    reps = tables["reps"]
    reps.loc[1, "hired_on"] = pd.Timestamp("2025-06-01")
    reps.loc[2, "left_on"] = pd.Timestamp("2026-05-01")
    early = ((deals["rep_id"] == "r1") & (deals["closed_on"] < "2025-06-01")).sum()
    late = ((deals["rep_id"] == "r2") & (deals["closed_on"] >= "2026-05-01")).sum()
    (notice,) = warn(tables)
    assert f"not employed: {early} before hired_on, {late} after left_on" in notice.what
    assert early > 0 < late


def test_circles_of_teams_are_named(tables):
    teams = tables["teams"]
    teams.loc[teams["team_id"] == "all", "parent_id"] = "t0"
    (notice,) = warn(tables)
    assert notice.what == "2 teams lie within one another (e.g. 'All in North in All')."


def test_circles_are_found_once_each_however_one_gets_there():
    assert find_circles({}) == []
    assert find_circles({"a": "x", "b": "a"}) == []
    assert find_circles({"z": "c", "c": "a", "a": "b", "b": "c"}) == [("a", "b", "c")]


def test_leads_of_nobody_are_counted(tables):
    tables["leads"].loc[:299, "rep_id"] = None
    (notice,) = warn(tables)
    assert notice.what == "20% (300 of 1,500) have no rep_id."


def test_conversions_never_filled_make_a_rate_of_0(tables):
    tables["leads"]["converted_opportunity_id"] = None
    (notice,) = warn(tables)
    assert notice.what == "converted_opportunity_id is empty in all rows."
    assert notice.kpis == ("lead_to_won",)


def test_lengths_in_milliseconds_and_in_minutes_are_seen(tables):
    calls = tables["activities"]
    seconds = calls["seconds"]
    calls["seconds"] = seconds * 1000
    (notice,) = warn(tables)
    n = int((calls["seconds"] > 12 * 3600).sum())
    assert notice.what.startswith(
        f"{n:,} activities ({100 * n / 3000:.0f}%) last more than 12 hours, up to "
        f"{calls['seconds'].max() / 3600:,.6g} (e.g. 'a"
    )
    calls["seconds"] = (seconds / 60).round()
    (notice,) = warn(tables)
    n = int((calls["seconds"].gt(0) & (calls["kind"] == "call")).sum())
    assert notice.what == f"Only 0% of {n:,} calls with a length last 60 s or more."


def test_calls_of_which_nothing_is_known_count_and_that_is_said(tables):
    calls = tables["activities"]
    n = int((calls["kind"] == "call").sum())
    (notice,) = warn({**tables, "activities": calls.drop(columns=["seconds", "is_connected"])})
    assert notice.what == f"100% of calls ({n:,} of {n:,}) have neither is_connected nor seconds."
    assert warn({**tables, "activities": calls.drop(columns="seconds")}) == ()


def test_planned_meetings_are_no_fault_but_calls_already_made_are(tables):
    rows = tables["activities"]
    rows.loc[:1, "started_at"] = pd.Timestamp("2026-09-01 10:00")
    rows.loc[0, "kind"] = "meeting"
    rows["is_connected"] = rows["is_connected"].astype(object)
    rows.loc[1, ["kind", "is_connected", "seconds"]] = ["call", None, None]
    assert warn(tables) == ()
    rows.loc[1, "is_connected"] = True
    (notice,) = warn(tables)
    assert notice.what == (
        "1 activity lies after the data's day 2026-06-30, the last on 2026-09-01 (e.g. 'a0001')."
    )
    rows.loc[0, "started_at"] = pd.Timestamp("2036-09-01 10:00")
    (notice,) = warn(tables)
    assert notice.what.startswith("2 activities lie after")
