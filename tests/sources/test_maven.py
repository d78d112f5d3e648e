"""A real export of 8,800 opportunities, and the same figures computed from its CSVs by pandas."""

from importlib import resources

import numpy as np
import pandas as pd
import pytest

from salesnb.measures.compute import compute_measures
from salesnb.sources.load import import_snapshot


@pytest.fixture(scope="module")
def export(shared_data):
    return shared_data / "maven_crm"


@pytest.fixture(scope="module")
def snapshot(export, tmp_path_factory):
    return import_snapshot(export, to=tmp_path_factory.mktemp("maven") / "to", preset="maven")


@pytest.fixture(scope="module")
def measures(snapshot):
    return compute_measures(snapshot)


@pytest.fixture(scope="module")
def raw(export):
    """The pipeline with its managers, as exported; quarters by the calendar."""
    deals = pd.read_csv(export / "sales_pipeline.csv", parse_dates=["engage_date", "close_date"])
    deals = deals.merge(pd.read_csv(export / "sales_teams.csv"), on="sales_agent")
    for column in ("engage_date", "close_date"):
        quarter = deals[column].dt.year.astype("Int64").astype(str) + "Q"
        quarter += deals[column].dt.quarter.astype("Int64").astype(str)
        deals[column.replace("date", "quarter")] = quarter.where(deals[column].notna())
    return deals


def test_all_rows_are_accepted_and_counted(snapshot):
    counts = {t.table: (t.read, t.merged, t.accepted) for t in snapshot.report.tables}
    assert counts["opportunities"] == (8800, 0, 8800)
    assert counts["reps"] == counts["memberships"] == (35, 0, 35)
    assert counts["teams"] == (70, 61, 9)  # 35 agents x (office and manager): 3 + 6 remain
    frame = snapshot.read("opportunities")
    won, lost = frame["is_won"], frame["is_closed"] & ~frame["is_won"]
    assert (won.sum(), lost.sum(), (~frame["is_closed"]).sum()) == (4238, 2473, 2089)
    assert len(snapshot.read("reps")) == 35
    assert len(set(snapshot.read("reps")["rep_id"]) - set(frame["rep_id"])) == 5


def test_what_the_alias_resolves_and_what_is_absent_is_said(snapshot):
    report = snapshot.report
    assert report.resolved == (
        "opportunities: 1,480 rows with product_id 'GTXPro' read as 'GTX Pro'.",
    )
    assert [w for w in report.warnings if "product" in w.text] == []
    assert {"leads", "activities", "targets", "ratings", "pipeline_snapshots"} <= set(report.absent)
    assert report.unused_files == ("data_dictionary.csv",)
    assert str(snapshot.as_of) == "2017-12-31"


def test_what_the_import_warns_of_is_true_of_the_csv(snapshot, raw):
    # maven by hand: 500 prospects never engaged, open deals older than 138 days, few new ones
    is_open, is_won = (
        raw["deal_stage"].isin(["Prospecting", "Engaging"]),
        raw["deal_stage"] == "Won",
    )
    age = pd.Timestamp("2017-12-31") - raw["engage_date"]
    longest = (raw["close_date"] - raw["engage_date"])[is_won].max()
    n_old, n_open = int((is_open & (age > longest)).sum()), int(is_open.sum())
    spans = (age.dt.days // 28).value_counts()
    before = spans[range(1, 14)]
    undated, old, quiet = snapshot.report.warnings
    assert undated.what == "6% of opportunities (500 of 8,800) have no created_on."
    assert old.what.startswith(
        f"{100 * n_old / n_open:.0f}% of open ({n_old:,} of {n_open:,}) are older than any won one "
        f"was when it closed ({longest.days} days)"
    )
    assert old.kpis == ("close_rate",)
    assert quiet.what == (
        f"Only {spans[0]} opportunities were created in the 28 days to 2017-12-31; the 13 such "
        f"spans before had {before.min()} to {before.max():,}, usually {before.median():.0f}."
    )


def test_without_the_alias_a_warning_names_count_value_and_action(export, tmp_path):
    preset = resources.files("salesnb.sources") / "presets" / "maven.yaml"
    text = preset.read_text(encoding="utf-8")
    assert "GTXPro: GTX Pro" in text
    mapping = tmp_path / "mine.yaml"
    mapping.write_text(text.replace("GTXPro: GTX Pro", "Other: GTX Pro"), encoding="utf-8")
    report = import_snapshot(export, to=tmp_path / "to", mapping=mapping).report
    assert report.resolved == ()
    (warning,) = [w for w in report.warnings if "product_id" in w.text]
    assert str(warning) == (
        "opportunities: 'product_id' has 1,480 values unknown in products (e.g. 'GTXPro'). "
        "Add an alias under aliases: products: in your mapping."
    )


def test_checked_totals_of_the_whole_company(measures):
    whole = measures.roll_up(by="company", pool=True).set_index("kpi")["value"]
    assert whole["bookings"] == 10_005_534
    assert whole["win_rate"] == 4238 / 6711
    assert round(whole["win_rate"] * 100, 2) == 63.15


def test_members_offices_and_managers_add_up(measures):
    for level in ("rep", "team", "region"):
        rows = measures.roll_up(by=level, pool=True)
        assert rows[rows["kpi"] == "bookings"]["numerator"].sum() == 10_005_534
        assert rows[rows["kpi"] == "win_rate"]["denominator"].sum() == 6711
    assert len(measures.team_ids()) == 6
    for period in measures.periods:
        assert (measures.check_roll_up(period=period)["members"] >= 0).all()


@pytest.mark.parametrize("kpi", ["bookings", "win_rate", "deal_size", "cycle_days", "close_rate"])
def test_figures_per_manager_and_quarter_are_those_of_the_csvs(measures, raw, kpi):
    # maven by hand: groupby on the raw CSVs, nothing of salesnb
    closed = raw[raw["deal_stage"].isin(["Won", "Lost"])]
    won = closed[closed["deal_stage"] == "Won"]
    by = ["manager", "close_quarter"]
    days = (won["close_date"] - won["engage_date"]).dt.days
    created = raw[raw["engage_quarter"].notna()]
    by_hand = {
        "bookings": won.groupby(by)["close_value"].sum(),
        "win_rate": (closed["deal_stage"] == "Won").groupby([closed[c] for c in by]).mean(),
        "deal_size": won.groupby(by)["close_value"].mean(),
        "cycle_days": days.groupby([won[c] for c in by]).median(),
        "close_rate": (created["deal_stage"] == "Won")
        .groupby([created["manager"], created["engage_quarter"]])
        .mean(),
    }[kpi]
    found = measures.roll_up(by="team", kpi=kpi).set_index(["unit_id", "period"])["value"]
    by_hand = by_hand[by_hand.index.get_level_values(1) >= measures.periods[0]]
    assert len(by_hand) == 6 * 4
    assert set(found.index) == set(by_hand.index)
    np.testing.assert_allclose(found.loc[list(by_hand.index)], by_hand, rtol=1e-9)


def test_a_measure_that_needs_absent_tables_says_which(measures):
    assert measures.missing["quota_attainment"] == "targets"
    assert measures.missing["pipeline_created"] == "opportunities.qualified_on"
    assert measures.missing["connected_calls"] == "activities"
